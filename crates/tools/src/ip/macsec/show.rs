//! `ip macsec show`

use std::fmt::Write as _;

use hairpin_netlink::codec::attributes;
use hairpin_netlink::macsec::{
    CIPHER_XPN_128, CIPHER_XPN_256, OFFLOAD_TYPE, attr, command, counters, rxsc, sa, secy,
};

use super::{FAMILY, OFFLOAD, VALIDATE, device, print_flag, suite_name, usage, word_of};
use crate::iproute2::{Args, Color, Context, Stop};

const INDENT: &str = "    ";

/// Attributes of a message or of a nest.
#[derive(Clone, Copy)]
struct Nest<'a>(&'a [u8]);

impl<'a> Nest<'a> {
    fn get(self, kind: u16) -> Option<&'a [u8]> {
        attributes(self.0).filter(|(known, _)| *known == kind).last().map(|(_, value)| value)
    }

    fn nest(self, kind: u16) -> Option<Nest<'a>> {
        self.get(kind).map(Nest)
    }

    fn nests(self) -> impl Iterator<Item = Nest<'a>> {
        attributes(self.0).map(|(_, value)| Nest(value))
    }

    fn u8(self, kind: u16) -> Option<u8> {
        self.get(kind)?.first().copied()
    }

    fn u32(self, kind: u16) -> Option<u32> {
        self.get(kind)?.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes))
    }

    /// A number of four or eight bytes.
    fn number(self, kind: u16) -> Option<u64> {
        let bytes = self.get(kind)?;
        match bytes.first_chunk() {
            Some(whole) => Some(u64::from_ne_bytes(*whole)),
            None => bytes.first_chunk().map(|half| u32::from_ne_bytes(*half).into()),
        }
    }

    fn be64(self, kind: u16) -> Option<u64> {
        self.get(kind)?.first_chunk().map(|bytes| u64::from_be_bytes(*bytes))
    }
}

pub(super) fn show(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let only = match args.take() {
        Some(name) => Some(device(context, name)?),
        None => None,
    };
    if !args.is_empty() {
        return Err(usage());
    }
    let found = context.dump_generic(FAMILY, command::GET_TXSC)?;
    context.begin();
    for message in &found {
        let message = Nest(message);
        if only.is_none_or(|index| message.u32(attr::IFINDEX) == Some(index)) {
            // What is missing ends the dump.
            if print_device(context, message).is_none() {
                context.end();
                return Err(Stop::exit(1, "incomplete dump message\nDump terminated\n"));
            }
        }
    }
    context.end();
    Ok(())
}

fn print_device(context: &mut Context<'_>, message: Nest<'_>) -> Option<()> {
    let index = message.u32(attr::IFINDEX)?;
    let secy = message.nest(attr::SECY)?;
    let (associations, channels) = (message.nest(attr::TXSA_LIST)?, message.nest(attr::RXSC_LIST)?);
    let (sent, seen) = (message.nest(attr::TXSC_STATS)?, message.nest(attr::SECY_STATS)?);
    let (sci, an) = (secy.be64(secy::SCI)?, secy.u8(secy::ENCODING_SA)?);
    let suite = secy.number(secy::CIPHER_SUITE)?;
    let extended = matches!(suite, CIPHER_XPN_128 | CIPHER_XPN_256);
    let name = context.link_name(index);
    context.print.open_object(None);
    context.print.any("ifindex", index, format_args!("{index}: "));
    context.print.colored(Color::InterfaceName, "ifname", &name, format_args!("{name}: "));
    print_options(context, secy, suite);
    context.print.text(format_args!("{INDENT}"));
    let hex = format!("{sci:#x}");
    context.print.any("sci", &hex, format_args!("TXSC: {sci:016x}"));
    context.print.any("encoding_sa", an, format_args!(" on SA {an}\n"));
    print_counters(context, seen, 1, &counters::SECY);
    print_counters(context, sent, 1, &counters::TXSC);
    context.print.open_array(Some("sa_list"));
    for association in associations.nests() {
        let first = counters::SA_RECEIVE as u16 + 1;
        print_association(context, association, extended, first, &counters::SA[counters::SA_RECEIVE..])?;
    }
    context.print.close_array();
    context.print.open_array(Some("rx_sc"));
    for channel in channels.nests() {
        print_channel(context, channel, extended)?;
    }
    context.print.close_array();
    if let Some(offload) = message.nest(attr::OFFLOAD).and_then(|nest| nest.u8(OFFLOAD_TYPE)) {
        let word = word_of(OFFLOAD, offload);
        context.print.any("offload", word, format_args!("{INDENT}offload: {word} "));
        context.print.line();
    }
    context.print.close_object();
    Some(())
}

/// `print_attrs`
fn print_options(context: &mut Context<'_>, secy: Nest<'_>, suite: u64) {
    print_flag(context, "protect", secy.u8(secy::PROTECT));
    if let Some(validate) = secy.u8(secy::VALIDATE) {
        let word = word_of(VALIDATE, validate);
        context.print.any("validate", word, format_args!("validate {word} "));
    }
    // iproute2 looks for two flags of channels and associations in the device's attributes, where their number is that
    // of another one.
    let (channel, association) = (secy.u8(rxsc::ACTIVE), secy.u8(sa::ACTIVE));
    for (key, on) in [
        ("sc", channel),
        ("sa", association),
        ("encrypt", secy.u8(secy::ENCRYPT)),
        ("send_sci", secy.u8(secy::INC_SCI)),
        ("end_station", secy.u8(secy::ES)),
        ("scb", secy.u8(secy::SCB)),
        ("replay", secy.u8(secy::REPLAY)),
    ] {
        print_flag(context, key, on);
    }
    if let Some(window) = secy.u32(secy::WINDOW) {
        context.print.any("window", window, format_args!("window {window} "));
    }
    let name = suite_name(suite);
    context.print.line();
    context.print.any("cipher_suite", name, format_args!("{INDENT}cipher suite: {name},"));
    if let Some(icv_len) = secy.u8(secy::ICV_LEN) {
        context.print.any("icv_length", icv_len, format_args!(" using ICV length {icv_len}\n"));
    }
}

fn print_channel(context: &mut Context<'_>, channel: Nest<'_>, extended: bool) -> Option<()> {
    let (sci, active) = (channel.be64(rxsc::SCI)?, channel.u8(rxsc::ACTIVE)? != 0);
    context.print.open_object(None);
    context.print.text(format_args!("{INDENT}"));
    let hex = format!("{sci:#x}");
    context.print.any("sci", &hex, format_args!("RXSC: {sci:016x},"));
    context.print.any("active", active, format_args!(" state {}\n", on_off(active)));
    print_counters(context, channel.nest(rxsc::STATS)?, 1, &counters::RXSC);
    context.print.open_array(Some("sa_list"));
    for association in channel.nest(rxsc::SA_LIST)?.nests() {
        print_association(context, association, extended, 1, &counters::SA[..counters::SA_RECEIVE])?;
    }
    context.print.close_array();
    context.print.close_object();
    Some(())
}

fn print_association(
    context: &mut Context<'_>,
    association: Nest<'_>,
    extended: bool,
    first: u16,
    names: &[&str],
) -> Option<()> {
    let (an, active) = (association.u8(sa::AN)?, association.u8(sa::ACTIVE)? != 0);
    let number = association.number(sa::PN)?;
    context.print.open_object(None);
    context.print.text(format_args!("{INDENT}{INDENT}"));
    context.print.any("an", an, format_args!("{an}:"));
    if extended {
        // iproute2 6.1 prints the lower half.
        let number = number as u32;
        context.print.any("pn", number, format_args!(" PN {number},"));
        let ssci = association.get(sa::SSCI)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))?;
        let hex = format!("{ssci:#x}");
        context.print.any("ssci", &hex, format_args!("SSCI {ssci:08x}"));
    } else {
        context.print.any("pn", number, format_args!(" PN {number},"));
    }
    context.print.any("active", active, format_args!(" state {},", on_off(active)));
    let mut key = String::new();
    for byte in association.get(sa::KEYID)? {
        let _ = write!(key, "{byte:02x}");
    }
    context.print.any("key", &key, format_args!(" key {key}\n"));
    print_counters(context, association.nest(sa::STATS)?, first, names);
    context.print.close_object();
    Some(())
}

/// `print_stats`: with `-s` only.
fn print_counters(context: &mut Context<'_>, stats: Nest<'_>, first: u16, names: &[&str]) {
    if context.options.stats == 0 {
        return;
    }
    let (mut heads, mut values) = (String::new(), String::new());
    for (kind, name) in (first..).zip(names) {
        let width = name.len() + 1;
        let value = stats.number(kind);
        if let Some(value) = value {
            context.print.json(name, value);
        }
        let _ = write!(heads, " {name}");
        let _ = match value {
            Some(value) => write!(values, "{value:>width$}"),
            None => write!(values, "{:>width$}", '-'),
        };
    }
    context.print.text(format_args!("{INDENT}stats:{heads}\n{INDENT}      {values}\n"));
}

fn on_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}
