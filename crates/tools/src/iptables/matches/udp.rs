//! `-m udp`

use hairpin_netlink::netfilter::Match;
use hairpin_netlink::netfilter::matches::Ports;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;
use super::{parse_ports, saved_ports};

pub(super) struct Udp {
    source: Ports,
    destination: Ports,
}

impl Default for Udp {
    fn default() -> Self {
        Udp { source: Ports::ANY, destination: Ports::ANY }
    }
}

impl Reader<Match> for Udp {
    fn name(&self) -> &'static str {
        "udp"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[
            opt("source-port").invertible(),
            opt("sport").alias("source-port").invertible(),
            opt("destination-port").invertible(),
            opt("dport").alias("destination-port").invertible(),
        ];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, rest: &mut Rest<'_, '_>) -> Result<(), Fail> {
        let ports = parse_ports(given.value, given.invert, "udp", rest.names)?;
        match given.id {
            "source-port" => self.source = ports,
            _ => self.destination = ports,
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        Ok(Match::Udp { source: self.source, destination: self.destination })
    }
}

pub(super) fn saved(source: &Ports, destination: &Ports) -> String {
    " -m udp".to_owned() + &saved_ports("sport", source) + &saved_ports("dport", destination)
}
