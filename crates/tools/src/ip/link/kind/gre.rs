//! What GRE over IPv4 and over IPv6 is told of its header: keys, sequence numbers, checksums.

use super::raw::Raw;
use crate::iproute2::matches;
use crate::iproute2::print::Printer;

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
