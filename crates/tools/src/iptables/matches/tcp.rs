//! `-m tcp`

use hairpin_netlink::netfilter::Match;
use hairpin_netlink::netfilter::matches::{Ports, TcpFlags};

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;
use super::super::names::{Names, number};
use super::{listed_ports, not, parse_ports, saved_ports};

const FLAGS: &[(&str, u8)] =
    &[("FIN", 0x01), ("SYN", 0x02), ("RST", 0x04), ("PSH", 0x08), ("ACK", 0x10), ("URG", 0x20)];
/// SYN without RST, ACK and FIN.
const SYN: TcpFlags = TcpFlags { mask: 0x17, set: 0x02, invert: false };

pub(super) struct Tcp {
    source: Ports,
    destination: Ports,
    flags: Option<TcpFlags>,
    option: Option<(u8, bool)>,
    given: Vec<&'static str>,
}

impl Default for Tcp {
    fn default() -> Self {
        Tcp { source: Ports::ANY, destination: Ports::ANY, flags: None, option: None, given: Vec::new() }
    }
}

impl Reader<Match> for Tcp {
    fn name(&self) -> &'static str {
        "tcp"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[
            opt("source-port").invertible().many(),
            opt("sport").alias("source-port").invertible().many(),
            opt("destination-port").invertible().many(),
            opt("dport").alias("destination-port").invertible().many(),
            opt("syn").alias("tcp-flags").flag().invertible().many(),
            opt("tcp-flags").two().invertible().many(),
            opt("tcp-option").invertible().many(),
        ];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, rest: &mut Rest<'_, '_>) -> Result<(), Fail> {
        if self.given.contains(&given.id) {
            return Err(Fail::parameter(match given.id {
                "tcp-flags" => "Only one of `--syn' or `--tcp-flags'  allowed".to_owned(),
                id => format!("Only one `--{id}' allowed"),
            }));
        }
        self.given.push(given.id);
        match given.name {
            "source-port" | "sport" => {
                self.source = parse_ports(given.value, given.invert, "tcp", rest.names)?;
            }
            "destination-port" | "dport" => {
                self.destination = parse_ports(given.value, given.invert, "tcp", rest.names)?;
            }
            "syn" => self.flags = Some(TcpFlags { invert: given.invert, ..SYN }),
            "tcp-flags" => {
                if given.second.is_empty() || given.second.starts_with(['-', '!']) {
                    return Err(Fail::parameter("--tcp-flags requires two args."));
                }
                let (mask, set) = (parse_flags(given.value)?, parse_flags(given.second)?);
                self.flags = Some(TcpFlags { mask, set, invert: given.invert });
            }
            _ => {
                let kind = number(given.value, 255)
                    .filter(|kind| *kind != 0)
                    .ok_or_else(|| Fail::parameter(format!("Bad TCP option \"{}\"", given.value)))?;
                self.option = Some((kind as u8, given.invert));
            }
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        let Tcp { source, destination, flags, option, .. } = *self;
        Ok(Match::Tcp { source, destination, flags, option })
    }
}

fn parse_flags(text: &str) -> Result<u8, Fail> {
    let mut flags = 0;
    for word in text.split(',') {
        flags |= match word.to_uppercase().as_str() {
            "ALL" => 0x3f,
            "NONE" => 0,
            name => match FLAGS.iter().find(|(known, _)| *known == name) {
                Some((_, bit)) => *bit,
                None => return Err(Fail::parameter(format!("Unknown TCP flag `{word}'"))),
            },
        };
    }
    Ok(flags)
}

fn names_of(flags: u8) -> String {
    let set: Vec<&str> = FLAGS.iter().filter(|(_, bit)| flags & bit != 0).map(|(name, _)| *name).collect();
    if set.is_empty() { "NONE".to_owned() } else { set.join(",") }
}

pub(super) fn saved(
    source: &Ports,
    destination: &Ports,
    flags: Option<&TcpFlags>,
    option: Option<(u8, bool)>,
) -> String {
    let mut text = " -m tcp".to_owned() + &saved_ports("sport", source) + &saved_ports("dport", destination);
    if let Some((kind, invert)) = option {
        text += &format!("{} --tcp-option {kind}", not(invert));
    }
    if let Some(flags) = flags {
        let (mask, set) = (names_of(flags.mask), names_of(flags.set));
        text += &format!("{} --tcp-flags {mask} {set}", not(flags.invert));
    }
    text
}

pub(super) fn listed(
    source: &Ports,
    destination: &Ports,
    flags: Option<&TcpFlags>,
    option: Option<(u8, bool)>,
    names: &mut Names<'_>,
    numeric: bool,
) -> String {
    let mut text = " tcp".to_owned() + &listed_ports(source, destination, "tcp", names, numeric);
    if let Some((kind, invert)) = option {
        text += &format!(" option={}{kind}", if invert { "!" } else { "" });
    }
    if let Some(TcpFlags { mask, set, invert }) = flags {
        let not = if *invert { "!" } else { "" };
        text += &match numeric {
            true => format!(" flags:{not}0x{mask:02X}/0x{set:02X}"),
            false => format!(" flags:{not}{}/{}", names_of(*mask), names_of(*set)),
        };
    }
    text
}
