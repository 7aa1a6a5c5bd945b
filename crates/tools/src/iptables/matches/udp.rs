//! `-m udp`, and the ports of `-m sctp`

use hairpin_netlink::netfilter::Match;
use hairpin_netlink::netfilter::matches::Ports;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;
use super::{parse_ports, saved_ports};

pub(super) struct Udp {
    source: Ports,
    destination: Ports,
    sctp: bool,
}

impl Udp {
    pub fn new(sctp: bool) -> Udp {
        Udp { source: Ports::ANY, destination: Ports::ANY, sctp }
    }
}

impl Reader<Match> for Udp {
    fn name(&self) -> &'static str {
        if self.sctp { "sctp" } else { "udp" }
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
        let ports = match self.sctp {
            true => parse_ports(given.value, given.invert, "sctp", rest.names)?,
            // `XTTYPE_PORTRC`
            false => {
                if given.value.split(':').count() > 2 {
                    let id = given.id;
                    return Err(Fail::parameter(format!(
                        "udp: Too many components for option \"--{id}\" (max: 2)\n"
                    )));
                }
                let (low, high) = rest.names.parse_port_range(given.value)?;
                Ports { low, high, invert: given.invert }
            }
        };
        match given.id {
            "source-port" => self.source = ports,
            _ => self.destination = ports,
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        let (source, destination) = (self.source, self.destination);
        Ok(match self.sctp {
            true => Match::Sctp { source, destination },
            false => Match::Udp { source, destination },
        })
    }
}

pub(super) fn saved(name: &str, source: &Ports, destination: &Ports) -> String {
    format!(" -m {name}") + &saved_ports("sport", source) + &saved_ports("dport", destination)
}
