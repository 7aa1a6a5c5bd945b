//! `-j TCPMSS`

use hairpin_netlink::netfilter::{Family, Target};

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;

#[derive(Default)]
pub(super) struct TcpMss(Option<Option<u16>>);

impl Reader<Target> for TcpMss {
    fn name(&self) -> &'static str {
        "TCPMSS"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[opt("set-mss"), opt("clamp-mss-to-pmtu").flag()];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, rest: &mut Rest<'_, '_>) -> Result<(), Fail> {
        let headers = if rest.family() == Family::Ipv4 { 20 } else { 40 };
        self.0 = Some(match given.id {
            "set-mss" => Some(given.number(0, 65_535 - headers)? as u16),
            _ => None,
        });
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Target, Fail> {
        let limit =
            self.0.ok_or_else(|| Fail::parameter("TCPMSS target: At least one parameter is required"))?;
        Ok(Target::TcpMss(limit))
    }
}

pub(super) fn saved(limit: Option<u16>) -> String {
    match limit {
        Some(limit) => format!(" --set-mss {limit}"),
        None => " --clamp-mss-to-pmtu".to_owned(),
    }
}

pub(super) fn listed(limit: Option<u16>) -> String {
    match limit {
        Some(limit) => format!(" TCPMSS set {limit}"),
        None => " TCPMSS clamp to PMTU".to_owned(),
    }
}
