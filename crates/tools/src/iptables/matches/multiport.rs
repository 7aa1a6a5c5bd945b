//! `-m multiport`

use hairpin_netlink::netfilter::Match;

use hairpin_netlink::netfilter::matches::Side;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;

use super::super::names::Names;
use super::not;

/// Ports and ends of ranges that one match may have (`XT_MULTI_PORTS`).
const PORTS_MAX: usize = 15;

/// Which ports, and whether it must be none of them.
type Wanted = (Side, Vec<(u16, u16)>, bool);

#[derive(Default)]
pub(super) struct Multiport(Option<Wanted>);

impl Reader<Match> for Multiport {
    fn name(&self) -> &'static str {
        "multiport"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[
            opt("source-ports").invertible().exclusive(1),
            opt("sports").alias("source-ports").invertible().exclusive(1),
            opt("destination-ports").invertible().exclusive(1),
            opt("dports").alias("destination-ports").invertible().exclusive(1),
            opt("ports").invertible().exclusive(1),
        ];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, rest: &mut Rest<'_, '_>) -> Result<(), Fail> {
        let protocol = match rest.protocol {
            Some((6, false)) => "tcp",
            Some((17, false)) => "udp",
            Some((136, false)) => "udplite",
            Some((132, false)) => "sctp",
            Some((33, false)) => "dccp",
            None => {
                return Err(Fail::parameter(
                    "multiport needs `-p tcp', `-p udp', `-p udplite', `-p sctp' or `-p dccp'",
                ));
            }
            _ => {
                return Err(Fail::parameter("multiport only works with TCP, UDP, UDPLITE, SCTP and DCCP"));
            }
        };
        let mut ports = Vec::new();
        let mut count = 0;
        for part in given.value.split(',') {
            let (low, high) = match part.split_once(':') {
                Some((low, high)) => (low, Some(high)),
                None => (part, None),
            };
            count += if high.is_some() { 2 } else { 1 };
            if count > PORTS_MAX {
                return Err(Fail::parameter("too many ports specified"));
            }
            let low = rest.names.parse_port(low, protocol)?;
            let high = match high {
                Some(high) => rest.names.parse_port(high, protocol)?,
                None => low,
            };
            if part.contains(':') && low >= high {
                return Err(Fail::parameter("invalid portrange specified"));
            }
            ports.push((low, high));
        }
        let side = match given.id {
            "source-ports" => Side::Source,
            "destination-ports" => Side::Destination,
            _ => Side::Either,
        };
        self.0 = Some((side, ports, given.invert));
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        let (side, ports, invert) =
            self.0.take().ok_or_else(|| Fail::parameter("multiport expection an option"))?;
        Ok(Match::Multiport { side, ports, invert })
    }
}

fn joined(ports: &[(u16, u16)], mut name: impl FnMut(u16) -> String) -> String {
    let mut shown = |(low, high): &(u16, u16)| match low == high {
        true => name(*low),
        false => {
            let low = name(*low);
            format!("{low}:{}", name(*high))
        }
    };
    ports.iter().map(&mut shown).collect::<Vec<_>>().join(",")
}

pub(super) fn saved(side: Side, ports: &[(u16, u16)], invert: bool) -> String {
    let option = match side {
        Side::Source => "sports",
        Side::Destination => "dports",
        Side::Either => "ports",
    };
    format!(" -m multiport{} --{option} {}", not(invert), joined(ports, |port| port.to_string()))
}

pub(super) fn listed(
    side: Side,
    ports: &[(u16, u16)],
    invert: bool,
    names: &mut Names<'_>,
    numeric: bool,
    protocol: Option<u8>,
) -> String {
    let title = match side {
        Side::Source => "sports",
        Side::Destination => "dports",
        Side::Either => "ports",
    };
    let protocol = protocol.and_then(|number| names.protocol(number)).unwrap_or_default();
    let not = if invert { " !" } else { "" };
    format!(" multiport {title} {not}{}", joined(ports, |port| names.port(port, &protocol, numeric)))
}
