//! `type macsec`

use hairpin_netlink::macsec::{
    CIPHER_128, CIPHER_256, CIPHER_DEFAULT, CIPHER_XPN_128, CIPHER_XPN_256, link as attr,
};
use hairpin_netlink::route::link::InfoData;

use super::help;
use super::raw::Raw;
use crate::ip::macsec::{
    ChannelWords, OFFLOAD, VALIDATE, association_number, one_of, print_flag, suite_name, word_of,
};
use crate::iproute2::number::{get_u8, get_u32};
use crate::iproute2::{Args, Context, Stop};

/// Words of suites, each also in capitals.
const SUITES: &[(&str, u64)] = &[
    ("gcm-aes-128", CIPHER_128),
    ("gcm-aes-256", CIPHER_256),
    ("gcm-aes-xpn-128", CIPHER_XPN_128),
    ("gcm-aes-xpn-256", CIPHER_XPN_256),
];

pub(super) fn parse(context: &mut Context<'_>, args: &mut Args<'_>) -> Result<InfoData, Stop> {
    let mut raw = Raw::default();
    let words = ChannelWords::read(context, args, true, true)?;
    match (words.sci.filter(|sci| *sci != [0; 8]), words.port) {
        (Some(sci), _) => raw.bytes(attr::SCI, &sci),
        (None, Some(port)) => raw.be16(attr::PORT, port),
        (None, None) => {}
    }
    let (mut suite, mut icv_len, mut window, mut replay, mut encoding_sa) = (None, None, None, None, None);
    let mut exclusive = [false; 3];
    let number = |key, word, list| one_of(key, word, list).map_err(|text| Stop::fail(1, text));
    while let Some(word) = args.take() {
        match word {
            "cipher" => {
                let word = args.value()?;
                if suite.is_some() {
                    return Err(Stop::duparg("cipher", word));
                }
                suite = Some(read_suite(word)?);
            }
            "icvlen" => {
                let word = args.value()?;
                if icv_len.is_some() {
                    return Err(Stop::duparg("icvlen", word));
                }
                let len = get_u8(word, 10).ok_or_else(|| Stop::invarg("expected ICV length", word))?;
                if !(8..=16).contains(&len) {
                    return Err(Stop::invarg("ICV length must be in the range {8..16}", word));
                }
                icv_len = Some(len);
            }
            "encrypt" => raw.u8(attr::ENCRYPT, number(word, args.value()?, ON_OFF)?),
            "protect" => raw.u8(attr::PROTECT, number(word, args.value()?, ON_OFF)?),
            "send_sci" | "end_station" | "scb" => {
                let on = number(word, args.value()?, ON_OFF)?;
                let (kind, at) = match word {
                    "send_sci" => (attr::INC_SCI, 0),
                    "end_station" => (attr::ES, 1),
                    _ => (attr::SCB, 2),
                };
                exclusive[at] = on == 1;
                raw.u8(kind, on);
            }
            "replay" => replay = Some(number(word, args.value()?, ON_OFF)?),
            "window" => {
                let word = args.value()?;
                let size =
                    get_u32(word, 0).ok_or_else(|| Stop::invarg("expected replay window size", word))?;
                window = Some(size);
            }
            "validate" => raw.u8(attr::VALIDATION, number(word, args.value()?, VALIDATE)?),
            "encodingsa" => {
                if encoding_sa.is_some() {
                    return Err(Stop::duparg2("encodingsa", "encodingsa"));
                }
                encoding_sa = Some(association_number(args.value()?)?);
            }
            "offload" => raw.u8(attr::OFFLOAD, number(word, args.value()?, OFFLOAD)?),
            _ => {
                let text = help("macsec").unwrap_or_default();
                return Err(Stop::fail(1, format!("macsec: unknown command \"{word}\"?\n{text}")));
            }
        }
    }
    if exclusive.into_iter().filter(|on| *on).count() > 1 {
        return Err(Stop::fail(1, "invalid combination of send_sci/end_station/scb\n"));
    }
    // To iproute2 the largest window is none.
    let window = window.filter(|size| *size != u32::MAX);
    match (window, replay) {
        (Some(size), None) => {
            let text = "replay window set, but replay protection not enabled. did you mean 'replay on window";
            return Err(Stop::fail(1, format!("{text} {size}'?\n")));
        }
        (None, Some(1)) => {
            let text =
                "replay protection enabled, but no window set. did you mean 'replay on window VALUE'?\n";
            return Err(Stop::fail(1, text));
        }
        _ => {}
    }
    if let Some(id) = suite {
        raw.bytes(attr::CIPHER_SUITE, &id.to_ne_bytes());
    }
    if let Some(len) = icv_len {
        raw.u8(attr::ICV_LEN, len);
    }
    if let Some(on) = replay {
        raw.u32(attr::WINDOW, window.unwrap_or(u32::MAX));
        raw.u8(attr::REPLAY_PROTECT, on);
    }
    if let Some(an) = encoding_sa {
        raw.u8(attr::ENCODING_SA, an);
    }
    Ok(raw.into_data())
}

const ON_OFF: &[&str] = &["off", "on"];

fn read_suite(word: &str) -> Result<u64, Stop> {
    if word == "default" {
        return Ok(CIPHER_DEFAULT);
    }
    let found = SUITES.iter().find(|(name, _)| word == *name || word == name.to_ascii_uppercase());
    let text = "expected: default, gcm-aes-128, gcm-aes-256, gcm-aes-xpn-128 or gcm-aes-xpn-256";
    found.map(|(_, id)| *id).ok_or_else(|| Stop::invarg(text, word))
}

/// `macsec_print_opt`
pub(super) fn print(context: &mut Context<'_>, data: &InfoData) {
    let raw = Raw::of(data);
    let whole = |kind| raw.get(kind).and_then(|bytes| bytes.first_chunk::<8>()).copied();
    if let Some(sci) = whole(attr::SCI) {
        let sci = format!("{:016x}", u64::from_be_bytes(sci));
        context.print.any("sci", &sci, format_args!("sci {sci} "));
    }
    print_flag(context, "protect", raw.get_u8(attr::PROTECT));
    if let Some(suite) = whole(attr::CIPHER_SUITE) {
        let name = suite_name(u64::from_ne_bytes(suite));
        context.print.any("cipher_suite", name, format_args!("cipher {name} "));
    }
    if let Some(len) = raw.get_u8(attr::ICV_LEN) {
        context.print.any("icv_len", len, format_args!("icvlen {len} "));
    }
    if let Some(an) = raw.get_u8(attr::ENCODING_SA) {
        context.print.any("encoding_sa", an, format_args!("encodingsa {an} "));
    }
    if let Some(number) = raw.get_u8(attr::VALIDATION) {
        let word = word_of(VALIDATE, number);
        context.print.any("validation", word, format_args!("validate {word} "));
    }
    if let Some(number) = raw.get_u8(attr::OFFLOAD) {
        let word = word_of(OFFLOAD, number);
        context.print.any("offload", word, format_args!("offload {word} "));
    }
    print_flag(context, "encrypt", raw.get_u8(attr::ENCRYPT));
    for (kind, key, word) in [
        (attr::INC_SCI, "inc_sci", "send_sci"),
        (attr::ES, "es", "end_station"),
        (attr::SCB, "scb", "scb"),
        (attr::REPLAY_PROTECT, "replay_protect", "replay"),
    ] {
        if let Some(on) = raw.get_u8(kind) {
            let on = on != 0;
            context.print.any(key, on, format_args!("{word} {} ", if on { "on" } else { "off" }));
        }
    }
    if let Some(window) = raw.get_u32(attr::WINDOW) {
        let window = window as i32;
        context.print.any("window", window, format_args!("window {window} "));
    }
}
