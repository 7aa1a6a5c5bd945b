//! What GRE over IPv4 and over IPv6 is told of its header: keys, sequence numbers, checksums.

use super::raw::Raw;
use crate::iproute2::number::{get_u8, get_u16, get_u32};
use crate::iproute2::print::Printer;
use crate::iproute2::{Args, Stop, matches};

/// `IFLA_GRE_*`
const IFLAGS: u16 = 2;
const OFLAGS: u16 = 3;
const IKEY: u16 = 4;
const OKEY: u16 = 5;

/// Flags of a GRE header.
const CSUM: u16 = 0x8000;
const KEY: u16 = 0x2000;
const SEQ: u16 = 0x1000;

/// What the words come to.
#[derive(Debug, Default)]
pub(in crate::ip) struct GreWords {
    input_key: Option<u32>,
    output_key: Option<u32>,
    input_flags: u16,
    output_flags: u16,
}

/// Words without a value: for which directions, whether they set, and what.
const WORDS: &[(&str, bool, bool, bool, u16)] = &[
    ("seq", true, true, true, SEQ),
    ("iseq", true, false, true, SEQ),
    ("oseq", false, true, true, SEQ),
    ("csum", true, true, true, CSUM),
    ("icsum", true, false, true, CSUM),
    ("ocsum", false, true, true, CSUM),
    ("nokey", true, true, false, KEY),
    ("noikey", true, false, false, KEY),
    ("nookey", false, true, false, KEY),
    ("noseq", true, true, false, SEQ),
    ("noiseq", true, false, false, SEQ),
    ("nooseq", false, true, false, SEQ),
    ("nocsum", true, true, false, CSUM),
    ("noicsum", true, false, false, CSUM),
    ("noocsum", false, true, false, CSUM),
];

impl GreWords {
    /// What a link says of itself.
    pub(super) fn of(raw: &Raw) -> GreWords {
        GreWords {
            input_key: raw.get_be32(IKEY),
            output_key: raw.get_be32(OKEY),
            input_flags: raw.get_be16(IFLAGS).unwrap_or(0),
            output_flags: raw.get_be16(OFLAGS).unwrap_or(0),
        }
    }

    /// Keys of what arrives and of what is sent, where given.
    pub fn set_keys(&mut self, input: Option<u32>, output: Option<u32>) {
        for (given, key, flags) in [
            (input, &mut self.input_key, &mut self.input_flags),
            (output, &mut self.output_key, &mut self.output_flags),
        ] {
            if given.is_some() {
                *key = given;
                *flags |= KEY;
            }
        }
    }

    /// A group to send to is the key too, where none is given.
    pub fn fill_keys(&mut self, group: std::net::Ipv4Addr) {
        let missing = |key: Option<u32>| key.unwrap_or(0) == 0;
        let group = Some(u32::from(group));
        let input = group.filter(|_| missing(self.input_key));
        let output = group.filter(|_| missing(self.output_key));
        self.set_keys(input, output);
    }

    pub fn set_sequence(&mut self, input: bool, output: bool) {
        self.set(input, output, true, SEQ);
    }

    pub fn set_checksum(&mut self, input: bool, output: bool) {
        self.set(input, output, true, CSUM);
    }

    fn set(&mut self, input: bool, output: bool, on: bool, flag: u16) {
        for (applies, flags, key) in [
            (input, &mut self.input_flags, &mut self.input_key),
            (output, &mut self.output_flags, &mut self.output_key),
        ] {
            if applies {
                *flags = if on { *flags | flag } else { *flags & !flag };
                *key = key.filter(|_| on || flag != KEY);
            }
        }
    }

    /// Takes a word without a value. False if it is none of GRE's.
    pub fn flag_word(&mut self, word: &str) -> bool {
        let Some((_, input, output, on, flag)) = WORDS.iter().find(|(name, ..)| matches(word, name)) else {
            return false;
        };
        self.set(*input, *output, *on, *flag);
        true
    }

    pub(super) fn write(&self, raw: &mut Raw) {
        raw.be32(IKEY, self.input_key.unwrap_or(0));
        raw.be32(OKEY, self.output_key.unwrap_or(0));
        raw.be16(IFLAGS, self.input_flags);
        raw.be16(OFLAGS, self.output_flags);
    }

    pub fn print(&self, print: &mut Printer) {
        for (flags, key, name) in
            [(self.input_flags, self.input_key, "ikey"), (self.output_flags, self.output_key, "okey")]
        {
            if flags & KEY != 0
                && let Some(key) = key
            {
                let key = std::net::Ipv4Addr::from(key).to_string();
                print.any(name, &key, format_args!("{name} {key} "));
            }
        }
        for (flags, flag, name) in [
            (self.input_flags, SEQ, "iseq"),
            (self.output_flags, SEQ, "oseq"),
            (self.input_flags, CSUM, "icsum"),
            (self.output_flags, CSUM, "ocsum"),
        ] {
            if flags & flag != 0 {
                print.any(name, true, format_args!("{name} "));
            }
        }
    }

    /// What `ip tunnel show` says of it: behind the line, and below it.
    pub fn print_tunnel(&self, print: &mut Printer) {
        let keys = (self.input_key.unwrap_or(0), self.output_key.unwrap_or(0));
        let (input, output) = (self.input_flags, self.output_flags);
        if input & KEY != 0 && output & KEY != 0 && keys.0 == keys.1 {
            print.text(format_args!(" key {}", keys.0));
        } else {
            for (flags, name, key) in [(input, "ikey", keys.0), (output, "okey", keys.1)] {
                if flags & KEY != 0 {
                    print.text(format_args!(" {name} {key}"));
                }
            }
        }
        for (flags, flag, text) in [
            (input, SEQ, "Drop packets out of sequence."),
            (input, CSUM, "Checksum in received packet is required."),
            (output, SEQ, "Sequence packets on output."),
            (output, CSUM, "Checksum output packets."),
        ] {
            if flags & flag != 0 {
                print.text(format_args!("\n  {text}"));
            }
        }
    }
}

/// What the kinds erspan and ip6erspan are told besides (a switch's mirror session, in a GRE header of its own).
#[derive(Debug)]
pub(super) struct Erspan {
    index: u32,
    version: u8,
    egress: bool,
    hardware: u16,
}

impl Default for Erspan {
    fn default() -> Erspan {
        Erspan { index: 0, version: 1, egress: false, hardware: 0 }
    }
}

impl Erspan {
    /// Takes a word with its value. False if it is none of these.
    pub fn word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        const INDEX_END: u32 = 1 << 20;
        let value = match word {
            "erspan" | "erspan_ver" | "erspan_dir" | "erspan_hwid" => args.value()?,
            _ => return Ok(false),
        };
        let wrong = |text: &str| Stop::invarg(text, value);
        match word {
            "erspan" => {
                self.index = get_u32(value, 0).ok_or_else(|| wrong("invalid erspan index\n"))?;
                if !(1..INDEX_END).contains(&self.index) {
                    return Err(wrong("erspan index must be > 0 and <= 20-bit\n"));
                }
            }
            "erspan_ver" => {
                self.version = get_u8(value, 0).ok_or_else(|| wrong("invalid erspan version\n"))?;
                if self.version > 2 {
                    return Err(wrong("erspan version must be 0/1/2\n"));
                }
            }
            "erspan_dir" if matches(value, "ingress") => self.egress = false,
            "erspan_dir" if matches(value, "egress") => self.egress = true,
            "erspan_dir" => return Err(wrong("Invalid erspan direction.")),
            _ => self.hardware = get_u16(value, 0).ok_or_else(|| wrong("invalid erspan hwid\n"))?,
        }
        Ok(true)
    }

    /// `IFLA_GRE_ERSPAN_*`
    pub fn write(&self, raw: &mut Raw) {
        raw.u8(22, self.version);
        match self.version {
            1 if self.index != 0 => raw.u32(21, self.index),
            2 => {
                raw.u8(23, self.egress.into());
                raw.bytes(24, &self.hardware.to_ne_bytes());
            }
            _ => {}
        }
    }
}
