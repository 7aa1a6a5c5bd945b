//! `ip macsec add|set|delete|offload`

use hairpin_netlink::codec::put_attribute;
use hairpin_netlink::macsec::{KEY_ID_LEN, KEY_LEN_MAX, OFFLOAD_TYPE, SALT_LEN, attr, command, rxsc, sa};

use super::{ChannelWords, FAMILY, OFFLOAD, association_number, device, one_of, usage};
use crate::iproute2::number::{get_u32, get_u64};
use crate::iproute2::{Args, Context, Stop};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Add,
    Update,
    Delete,
}

/// What the words say of an association.
#[derive(Debug, Default)]
struct Association {
    number: u8,
    /// 0: none.
    packet_number: u64,
    extended: bool,
    salt: Option<[u8; SALT_LEN]>,
    ssci: Option<u32>,
    key: Option<([u8; KEY_ID_LEN], Vec<u8>)>,
    active: Option<bool>,
}

pub(super) fn modify(context: &mut Context<'_>, change: Change, mut args: Args<'_>) -> Result<(), Stop> {
    let index = device(context, args.take().ok_or_else(usage)?)?;
    match args.take() {
        Some("tx") => {
            let mut association =
                Association { number: number(&mut args)?.ok_or_else(usage)?, ..Default::default() };
            if change != Change::Delete {
                association.read(change, &mut args)?;
            }
            let command = match change {
                Change::Add => command::ADD_TXSA,
                Change::Update => command::UPD_TXSA,
                Change::Delete => command::DEL_TXSA,
            };
            send(context, command, index, None, Some((&association, change)))
        }
        Some("rx") => receive(context, change, index, args),
        _ => Err(usage()),
    }
}

fn receive(context: &mut Context<'_>, change: Change, index: u32, mut args: Args<'_>) -> Result<(), Stop> {
    let incomplete = |mut stop: Stop| {
        stop.text.insert_str(0, "expected sci\n");
        stop
    };
    let words = ChannelWords::read(context, &mut args, false, false)?;
    let sci = words.sci.ok_or_else(|| incomplete(usage()))?;
    let Some(number) = number(&mut args)? else {
        let active = match change {
            Change::Delete => None,
            _ => on_or_off(&mut args)?,
        };
        let command = match change {
            Change::Add => command::ADD_RXSC,
            Change::Update => command::UPD_RXSC,
            Change::Delete => command::DEL_RXSC,
        };
        return send(context, command, index, Some((sci, active)), None);
    };
    let mut association = Association { number, ..Default::default() };
    if change != Change::Delete {
        association.read(change, &mut args)?;
    }
    let command = match change {
        Change::Add => command::ADD_RXSA,
        Change::Update => command::UPD_RXSA,
        Change::Delete => command::DEL_RXSA,
    };
    send(context, command, index, Some((sci, None)), Some((&association, change)))
}

/// `sa NUMBER`, if it is there.
fn number(args: &mut Args<'_>) -> Result<Option<u8>, Stop> {
    match args.take_if("sa") {
        true => association_number(args.value()?).map(Some),
        false => Ok(None),
    }
}

/// `parse_rxsci_args`
fn on_or_off(args: &mut Args<'_>) -> Result<Option<bool>, Stop> {
    let mut active = None;
    while let Some(word) = args.take() {
        match word {
            "on" | "off" => switch(&mut active, word)?,
            _ => return Err(unknown(word)),
        }
    }
    Ok(active)
}

fn switch(active: &mut Option<bool>, word: &str) -> Result<(), Stop> {
    match active.replace(word == "on") {
        Some(_) => Err(Stop::duparg2("on/off", word)),
        None => Ok(()),
    }
}

fn unknown(word: &str) -> Stop {
    let mut stop = usage();
    stop.text.insert_str(0, &format!("macsec: unknown command \"{word}\"?\n"));
    stop
}

impl Association {
    /// `parse_sa_args`, `check_sa_args`
    fn read(&mut self, change: Change, args: &mut Args<'_>) -> Result<(), Stop> {
        while let Some(word) = args.take() {
            match word {
                "pn" | "xpn" => {
                    if self.packet_number != 0 {
                        return Err(Stop::duparg2(word, word));
                    }
                    let value = args.value()?;
                    let number = match word {
                        "pn" => get_u32(value, 0).map(u64::from),
                        _ => get_u64(value, 0),
                    };
                    self.packet_number = number.ok_or_else(|| Stop::invarg("expected pn", value))?;
                    if self.packet_number == 0 {
                        return Err(Stop::invarg("expected pn != 0", value));
                    }
                    self.extended |= word == "xpn";
                }
                "salt" => {
                    if self.salt.is_some() {
                        return Err(Stop::duparg2("salt", "salt"));
                    }
                    let value = args.value()?;
                    let salt = hex::<SALT_LEN>(value).ok_or_else(|| Stop::invarg("expected salt", value))?;
                    self.salt = Some(salt);
                }
                "ssci" => {
                    if self.ssci.is_some() {
                        return Err(Stop::duparg2("ssci", "ssci"));
                    }
                    let value = args.value()?;
                    let ssci = get_u32(value, 16).ok_or_else(|| Stop::invarg("expected ssci", value))?;
                    self.ssci = Some(ssci);
                }
                "key" => {
                    let value = args.value()?;
                    let id =
                        hex::<KEY_ID_LEN>(value).ok_or_else(|| Stop::invarg("expected key id", value))?;
                    let value = args.value()?;
                    let key =
                        hex_bytes(value, KEY_LEN_MAX).ok_or_else(|| Stop::invarg("expected key", value))?;
                    self.key = Some((id, key));
                }
                "on" | "off" => switch(&mut self.active, word)?,
                _ => return Err(unknown(word)),
            }
        }
        let has_key = self.key.as_ref().is_some_and(|(_, key)| !key.is_empty());
        let wrong = match change {
            Change::Add if !has_key => "cannot create SA without key\n",
            Change::Add if self.packet_number == 0 => "must specify a packet number != 0\n",
            Change::Update if has_key => "cannot change key on SA\n",
            _ => return Ok(()),
        };
        Err(Stop::fail(1, wrong))
    }

    fn attributes(&self, change: Change) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_attribute(&mut bytes, sa::AN, &[self.number]);
        if change == Change::Delete {
            return bytes;
        }
        if self.extended {
            put_attribute(&mut bytes, sa::PN, &self.packet_number.to_ne_bytes());
            if let Some(salt) = self.salt {
                put_attribute(&mut bytes, sa::SALT, &salt);
            }
            if let Some(ssci) = self.ssci {
                put_attribute(&mut bytes, sa::SSCI, &ssci.to_be_bytes());
            }
        } else if self.packet_number != 0 {
            put_attribute(&mut bytes, sa::PN, &(self.packet_number as u32).to_ne_bytes());
        }
        if let Some((id, key)) = self.key.as_ref().filter(|(_, key)| !key.is_empty()) {
            put_attribute(&mut bytes, sa::KEYID, id);
            put_attribute(&mut bytes, sa::KEY, key);
        }
        if let Some(active) = self.active {
            put_attribute(&mut bytes, sa::ACTIVE, &[active.into()]);
        }
        bytes
    }
}

/// `hexstring_a2n`: pairs of hexadecimal digits, as many as fit.
fn hex_bytes(text: &str, most: usize) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let pairs = text.as_bytes().chunks(2).take(most);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// The same into a field, filled up with zeros.
fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut field = [0; N];
    for (to, from) in field.iter_mut().zip(hex_bytes(text, N)?) {
        *to = from;
    }
    Some(field)
}

/// `do_modify_nl`
fn send(
    context: &mut Context<'_>,
    command: u8,
    index: u32,
    channel: Option<([u8; 8], Option<bool>)>,
    association: Option<(&Association, Change)>,
) -> Result<(), Stop> {
    let mut bytes = Vec::new();
    put_attribute(&mut bytes, attr::IFINDEX, &index.to_ne_bytes());
    if let Some((sci, active)) = channel {
        let mut nest = Vec::new();
        put_attribute(&mut nest, rxsc::SCI, &sci);
        if let Some(active) = active {
            put_attribute(&mut nest, rxsc::ACTIVE, &[active.into()]);
        }
        put_attribute(&mut bytes, attr::RXSC_CONFIG, &nest);
    }
    if let Some((association, change)) = association {
        put_attribute(&mut bytes, attr::SA_CONFIG, &association.attributes(change));
    }
    context.talk_generic(FAMILY, command, &bytes)
}

/// `do_offload`
pub(super) fn offload(context: &mut Context<'_>, mut args: Args<'_>, command: u8) -> Result<(), Stop> {
    let index = device(context, args.take().ok_or_else(usage)?)?;
    let word = args.take().ok_or_else(usage)?;
    let offload = one_of("offload", word, OFFLOAD).map_err(|text| {
        let mut stop = usage();
        stop.text.insert_str(0, &text);
        stop
    })?;
    let (mut bytes, mut nest) = (Vec::new(), Vec::new());
    put_attribute(&mut nest, OFFLOAD_TYPE, &[offload]);
    put_attribute(&mut bytes, attr::IFINDEX, &index.to_ne_bytes());
    put_attribute(&mut bytes, attr::OFFLOAD, &nest);
    context.talk_generic(FAMILY, command, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_far_as_they_fit() {
        assert_eq!(hex::<4>("01"), Some([1, 0, 0, 0]));
        assert_eq!(hex::<2>("0102ff"), Some([1, 2]));
        assert_eq!(hex_bytes("0aFF", 8), Some(vec![10, 255]));
        assert_eq!(hex_bytes("123", 8), None);
        assert_eq!(hex_bytes("zz", 8), None);
        assert_eq!(hex_bytes("", 8), Some(vec![]));
    }
}
