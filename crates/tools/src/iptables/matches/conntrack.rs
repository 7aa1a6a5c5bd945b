//! `-m conntrack`

use hairpin_netlink::netfilter::matches::{Conntrack, state};
use hairpin_netlink::netfilter::{Match, Network};

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;

use super::super::names::{Names, mask_text};
use super::not;

/// In the order in which they are printed.
pub(super) const STATES: &[(&str, u16)] = &[
    ("INVALID", state::INVALID),
    ("NEW", state::NEW),
    ("RELATED", state::RELATED),
    ("ESTABLISHED", state::ESTABLISHED),
    ("UNTRACKED", state::UNTRACKED),
    ("SNAT", state::SNAT),
    ("DNAT", state::DNAT),
];
/// The options of ports in their order.
const PORTS: [&str; 4] = ["ctorigsrcport", "ctorigdstport", "ctreplsrcport", "ctrepldstport"];
const STATUSES: &[(&str, u32)] = &[("EXPECTED", 1), ("SEEN_REPLY", 2), ("ASSURED", 4), ("CONFIRMED", 8)];

#[derive(Default)]
pub(super) struct Reading(Conntrack, bool);

impl Reader<Match> for Reading {
    fn name(&self) -> &'static str {
        "conntrack"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[
            opt("ctstate").invertible(),
            opt("ctproto").invertible(),
            opt("ctorigsrc").invertible(),
            opt("ctorigdst").invertible(),
            opt("ctreplsrc").invertible(),
            opt("ctrepldst").invertible(),
            opt("ctorigsrcport").invertible(),
            opt("ctorigdstport").invertible(),
            opt("ctreplsrcport").invertible(),
            opt("ctrepldstport").invertible(),
            opt("ctstatus").invertible(),
            opt("ctexpire").invertible(),
            opt("ctdir"),
        ];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, rest: &mut Rest<'_, '_>) -> Result<(), Fail> {
        self.1 = true;
        match given.id {
            "ctstate" => self.0.state = Some((parse_states(given.value)?, given.invert)),
            "ctproto" => {
                let number = rest.names.parse_protocol(given.value)?;
                if number == 0 && given.invert {
                    return Err(Fail::parameter("conntrack: rule would never match protocol"));
                }
                self.0.protocol = Some((number, given.invert));
            }
            "ctstatus" => {
                let mut bits = 0;
                for word in given.value.split(',').filter(|word| !word.eq_ignore_ascii_case("NONE")) {
                    let known = STATUSES.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
                    let (_, bit) =
                        known.ok_or_else(|| Fail::parameter(format!("Bad ctstatus \"{}\"", given.value)))?;
                    bits |= bit;
                }
                self.0.status = Some((bits, given.invert));
            }
            "ctdir" => {
                self.0.reply_direction = Some(match given.value.to_uppercase().as_str() {
                    "ORIGINAL" => false,
                    "REPLY" => true,
                    _ => {
                        return Err(Fail::parameter(format!(
                            "conntrack: Bad value for \"--ctdir\" option: \"{}\"",
                            given.value
                        )));
                    }
                });
            }
            "ctexpire" => {
                let (low, high) = given.range(u64::from(u32::MAX))?;
                self.0.expires = Some((low as u32, high as u32, given.invert));
            }
            id if PORTS.contains(&id) => {
                let (low, high) = rest.names.parse_port_range(given.value)?;
                let place = PORTS.iter().position(|known| *known == id).unwrap_or(0);
                self.0.ports[place] = Some((low, high, given.invert));
            }
            id => {
                let network = Some(rest.names.parse_host_mask(given.value, given.invert)?);
                match id {
                    "ctorigsrc" => self.0.original_source = network,
                    "ctorigdst" => self.0.original_destination = network,
                    "ctreplsrc" => self.0.reply_source = network,
                    _ => self.0.reply_destination = network,
                }
            }
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        if !self.1 {
            return Err(Fail::parameter("conntrack: At least one option is required"));
        }
        Ok(Match::Conntrack(Box::new(std::mem::take(&mut self.0))))
    }
}

fn parse_states(text: &str) -> Result<u16, Fail> {
    let mut states = 0;
    for word in text.split(',') {
        let known = STATES.iter().find(|(name, _)| !word.is_empty() && name.eq_ignore_ascii_case(word));
        let (_, bit) = known.ok_or_else(|| Fail::parameter(format!("Bad ctstate \"{word}\"")))?;
        states |= bit;
    }
    Ok(states)
}

pub(super) fn names_of(states: u16) -> String {
    let set: Vec<&str> = STATES.iter().filter(|(_, bit)| states & bit != 0).map(|(name, _)| *name).collect();
    set.join(",")
}

fn statuses(bits: u32) -> String {
    let set: Vec<&str> = STATUSES.iter().filter(|(_, bit)| bits & bit != 0).map(|(name, _)| *name).collect();
    if set.is_empty() { "NONE".to_owned() } else { set.join(",") }
}

fn span(low: u32, high: u32) -> String {
    if low == high { low.to_string() } else { format!("{low}:{high}") }
}

/// Every part in the order in which it is printed; `prefix` is `--` where options are wanted.
fn parts(found: &Conntrack, prefix: &str, address: &mut dyn FnMut(&Network) -> String) -> String {
    let mut text = String::new();
    if let Some((states, invert)) = found.state {
        text += &format!("{} {prefix}ctstate {}", not(invert), names_of(states));
    }
    if let Some((number, invert)) = found.protocol {
        text += &format!("{} {prefix}ctproto {number}", not(invert));
    }
    let networks = [
        ("ctorigsrc", &found.original_source),
        ("ctorigdst", &found.original_destination),
        ("ctreplsrc", &found.reply_source),
        ("ctrepldst", &found.reply_destination),
    ];
    for (title, network) in networks {
        if let Some(network) = network {
            text += &format!("{} {prefix}{title} {}", not(network.invert), address(network));
        }
    }
    for (title, ports) in PORTS.iter().zip(found.ports) {
        if let Some((low, high, invert)) = ports {
            text += &format!("{} {prefix}{title} {}", not(invert), span(low.into(), high.into()));
        }
    }
    if let Some((bits, invert)) = found.status {
        text += &format!("{} {prefix}ctstatus {}", not(invert), statuses(bits));
    }
    if let Some((low, high, invert)) = found.expires {
        text += &format!("{} {prefix}ctexpire {}", not(invert), span(low, high));
    }
    if let Some(reply) = found.reply_direction {
        text += &format!(" {prefix}ctdir {}", if reply { "REPLY" } else { "ORIGINAL" });
    }
    text
}

pub(super) fn saved(found: &Conntrack) -> String {
    let mut address = |network: &Network| network.address.to_string() + &mask_text(network);
    " -m conntrack".to_owned() + &parts(found, "--", &mut address)
}

pub(super) fn listed(found: &Conntrack, names: &mut Names<'_>, numeric: bool) -> String {
    parts(found, "", &mut |network| names.network(Some(network), numeric))
}
