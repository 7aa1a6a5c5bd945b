//! `ip macsec`: channels and associations of MACsec devices. See [`modify`] and [`show`].

mod modify;
mod show;

use hairpin_netlink::macsec::{self, command};

use crate::iproute2::genl::Family;
use crate::iproute2::layer::parse_lladdr;
use crate::iproute2::number::{get_u8, get_u16, get_u64};
use crate::iproute2::{Args, Context, Stop, matches};

pub(super) const FAMILY: Family = Family { name: macsec::FAMILY, version: macsec::VERSION };

/// `enum macsec_offload` as words.
pub(super) const OFFLOAD: &[&str] = &["off", "phy", "mac"];
/// `enum macsec_validation_type` as words.
pub(super) const VALIDATE: &[&str] = &["disabled", "check", "strict"];

pub(super) fn main(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let word = args.take().ok_or_else(usage)?;
    let is = |name| matches(word, name);
    if is("help") {
        Err(usage())
    } else if is("show") {
        show::show(context, args)
    } else if is("add") {
        modify::modify(context, modify::Change::Add, args)
    } else if is("set") {
        modify::modify(context, modify::Change::Update, args)
    } else if is("delete") {
        modify::modify(context, modify::Change::Delete, args)
    } else if is("offload") {
        modify::offload(context, args, command::UPD_OFFLOAD)
    } else {
        Err(Stop::exit(255, format!("Command \"{word}\" is unknown, try \"ip macsec help\".\n")))
    }
}

fn usage() -> Stop {
    Stop::exit(255, USAGE)
}

/// The device that the next word names.
fn device(context: &mut Context<'_>, name: &str) -> Result<u32, Stop> {
    match context.link_index(name) {
        0 => Err(Stop::fail(1, format!("Device \"{name}\" does not exist.\n"))),
        index => Ok(index),
    }
}

/// The words of a channel identifier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ChannelWords {
    pub sci: Option<[u8; 8]>,
    pub port: Option<u16>,
    address: Option<[u8; 6]>,
}

impl ChannelWords {
    /// `get_sci_portaddr`: the words `sci`, or `port` and `address`, up to those that suffice. With `optional` others
    /// end them.
    ///
    /// # Errors
    /// What is wrong with a word.
    pub(super) fn read(
        context: &mut Context<'_>,
        args: &mut Args<'_>,
        port_only: bool,
        optional: bool,
    ) -> Result<Self, Stop> {
        let mut found = ChannelWords::default();
        while let Some(word) = args.peek() {
            match word {
                "sci" => {
                    if found.port.is_some() {
                        return Err(Stop::invarg("expected address", word));
                    }
                    if found.address.is_some() {
                        return Err(Stop::invarg("expected port", word));
                    }
                    args.take();
                    let word = args.value()?;
                    let sci = get_u64(word, 16).ok_or_else(|| Stop::invarg("expected sci", word))?;
                    found.sci = Some(sci.to_be_bytes());
                }
                "port" => {
                    args.take();
                    let word = args.value()?;
                    let port = get_u16(word, 0).ok_or_else(|| Stop::invarg("expected port", word))?;
                    if port == 0 {
                        return Err(Stop::invarg("expected port != 0", word));
                    }
                    found.port = Some(port);
                }
                "address" => {
                    args.take();
                    let word = args.value()?;
                    let address = parse_lladdr(word).map_err(|text| {
                        context.complain(&text);
                        Stop::invarg("expected lladdr", word)
                    })?;
                    let mut whole = [0; 6];
                    whole.iter_mut().zip(address).for_each(|(to, from)| *to = from);
                    found.address = Some(whole);
                }
                _ if optional => break,
                _ => return Err(Stop::invarg("expected sci, port, or address", word)),
            }
            if found.suffices(port_only) {
                break;
            }
        }
        if let (Some(port), Some([a, b, c, d, e, f])) = (found.port, found.address) {
            let [high, low] = port.to_be_bytes();
            found.sci = Some([a, b, c, d, e, f, high, low]);
        }
        Ok(found)
    }

    fn suffices(&self, port_only: bool) -> bool {
        self.sci.is_some() || self.port.is_some() && (self.address.is_some() || port_only)
    }
}

/// The number of an association.
pub(super) fn association_number(word: &str) -> Result<u8, Stop> {
    get_u8(word, 0).filter(|an| *an <= 3).ok_or_else(|| Stop::invarg("expected an { 0..3 }", word))
}

/// `parse_one_of`: which of the words is abbreviated.
///
/// # Errors
/// The text that names them all.
pub(super) fn one_of(key: &str, word: &str, list: &[&str]) -> Result<u8, String> {
    match list.iter().position(|known| matches(word, known)) {
        Some(at) => Ok(at as u8),
        None => {
            let list: String = list.iter().map(|known| format!("\"{known}\", ")).collect();
            Err(format!("Error: argument of \"{key}\" must be one of {list}not \"{word}\"\n"))
        }
    }
}

/// The name of a cipher suite.
pub(super) fn suite_name(id: u64) -> &'static str {
    match id {
        macsec::CIPHER_DEFAULT | macsec::CIPHER_128 => "GCM-AES-128",
        macsec::CIPHER_256 => "GCM-AES-256",
        macsec::CIPHER_XPN_128 => "GCM-AES-XPN-128",
        macsec::CIPHER_XPN_256 => "GCM-AES-XPN-256",
        _ => "(unknown)",
    }
}

/// A word by its number.
pub(super) fn word_of(list: &'static [&'static str], number: u8) -> &'static str {
    list.get(usize::from(number)).copied().unwrap_or("(unknown)")
}

/// `print_flag`
pub(super) fn print_flag(context: &mut Context<'_>, key: &str, on: Option<u8>) {
    if let Some(on) = on {
        context.print.on_off(key, on != 0);
    }
}

const USAGE: &str = "\
Usage: ip macsec add DEV tx sa { 0..3 } [ OPTS ] key ID KEY
       ip macsec set DEV tx sa { 0..3 } [ OPTS ]
       ip macsec del DEV tx sa { 0..3 }
       ip macsec add DEV rx SCI [ on | off ]
       ip macsec set DEV rx SCI [ on | off ]
       ip macsec del DEV rx SCI
       ip macsec add DEV rx SCI sa { 0..3 } [ OPTS ] key ID KEY
       ip macsec set DEV rx SCI sa { 0..3 } [ OPTS ]
       ip macsec del DEV rx SCI sa { 0..3 }
       ip macsec show
       ip macsec show DEV
       ip macsec offload DEV [ off | phy | mac ]
where  OPTS := [ pn <u32> | xpn <u64> ] [ salt SALT ] [ ssci <u32> ] [ on | off ]
       ID   := 128-bit hex string
       KEY  := 128-bit or 256-bit hex string
       SCI  := { sci <u64> | port { 1..2^16-1 } address <lladdr> }
       SALT := 96-bit hex string
";
