//! DHCP options (RFC 2132 and later).

use super::dissect::{Dissected, Dissector, name, put};

const PAD: u8 = 0;
const NETBIOS_NODE: u8 = 46;
const OVERLOAD: u8 = 52;
const MESSAGE_TYPE: u8 = 53;
const PARAMETER_REQUEST: u8 = 55;
const CLIENT_ID: u8 = 61;
const CLASSLESS_ROUTES: u8 = 121;
const CLASSLESS_ROUTES_MICROSOFT: u8 = 249;
const END: u8 = 255;

const MAGIC_COOKIE: u32 = 0x6382_5363;

/// How a value is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Text,
    Addresses,
    AddressPairs,
    Words,
    SignedWords,
    Shorts,
    Booleans,
    Bytes,
    /// A form of its own.
    Special,
}
use Form::{AddressPairs, Addresses, Booleans, Bytes, Shorts, SignedWords, Special, Text, Words};

const OPTIONS: &[(u8, Form, &str)] = &[
    (0, Special, "PAD"),
    (1, Addresses, "Subnet-Mask"),
    (2, SignedWords, "Time-Zone"),
    (3, Addresses, "Default-Gateway"),
    (4, Addresses, "Time-Server"),
    (5, Addresses, "IEN-Name-Server"),
    (6, Addresses, "Domain-Name-Server"),
    (7, Addresses, "LOG"),
    (8, Addresses, "CS"),
    (9, Addresses, "LPR-Server"),
    (10, Addresses, "IM"),
    (11, Addresses, "RL"),
    (12, Text, "Hostname"),
    (13, Shorts, "BS"),
    (255, Special, "END"),
    (14, Text, "DP"),
    (15, Text, "Domain-Name"),
    (16, Addresses, "SS"),
    (17, Text, "RP"),
    (18, Text, "EP"),
    (19, Booleans, "IPF"),
    (20, Booleans, "SRT"),
    (21, AddressPairs, "PF"),
    (22, Shorts, "RSZ"),
    (23, Bytes, "TTL"),
    (24, Words, "MTU-Timeout"),
    (25, Shorts, "MTU-Table"),
    (26, Shorts, "MTU"),
    (27, Booleans, "LSN"),
    (28, Addresses, "BR"),
    (29, Booleans, "MD"),
    (30, Booleans, "MS"),
    (31, Booleans, "Router-Discovery"),
    (32, Addresses, "RSA"),
    (33, AddressPairs, "Static-Route"),
    (34, Booleans, "UT"),
    (35, Words, "AT"),
    (36, Booleans, "IE"),
    (37, Bytes, "TT"),
    (38, Words, "KI"),
    (39, Booleans, "KG"),
    (40, Text, "YD"),
    (41, Addresses, "YS"),
    (42, Addresses, "NTP"),
    (43, Bytes, "Vendor-Option"),
    (44, Addresses, "Netbios-Name-Server"),
    (45, Addresses, "WDD"),
    (46, Special, "Netbios-Node"),
    (47, Text, "Netbios-Scope"),
    (48, Addresses, "XFS"),
    (49, Addresses, "XDM"),
    (64, Shorts, "N+D"),
    (65, Addresses, "N+S"),
    (68, Addresses, "MH"),
    (69, Addresses, "SMTP"),
    (70, Addresses, "POP3"),
    (71, Addresses, "NNTP"),
    (72, Addresses, "WWW"),
    (73, Addresses, "FG"),
    (74, Addresses, "IRC"),
    (75, Addresses, "STS"),
    (76, Addresses, "STDA"),
    (50, Addresses, "Requested-IP"),
    (51, Words, "Lease-Time"),
    (52, Special, "OO"),
    (66, Text, "TFTP"),
    (67, Text, "BF"),
    (53, Special, "DHCP-Message"),
    (54, Addresses, "Server-ID"),
    (55, Bytes, "Parameter-Request"),
    (56, Text, "MSG"),
    (57, Shorts, "MSZ"),
    (58, Words, "RN"),
    (59, Words, "RB"),
    (60, Text, "Vendor-Class"),
    (61, Special, "Client-ID"),
    (98, Text, "UAP"),
    (116, Booleans, "NOAUTO"),
    (78, Bytes, "SLP-DA"),
    (79, Bytes, "SLP-SCOPE"),
    (117, Shorts, "NSSEARCH"),
    (77, Special, "User-Class"),
    (118, Addresses, "SUBNET"),
    (121, Special, "Classless-Static-Route"),
    (249, Special, "Classless-Static-Route-Microsoft"),
    (150, Addresses, "TFTP-Server-Address"),
    (80, Text, "SLP-NA"),
    (81, Special, "FQDN"),
    (82, Special, "Agent-Information"),
    (83, Bytes, "ARMT"),
    (88, Text, "TZSTR"),
    (89, Bytes, "FQDNS"),
    (90, Bytes, "AUTH"),
    (91, SignedWords, "Last-Transaction-Time"),
    (92, Addresses, "Associated-IP"),
    (93, Shorts, "ARCH"),
    (94, Bytes, "NDI"),
    (97, Bytes, "GUID"),
    (95, Text, "LDAP"),
    (100, Text, "POSIX-TZ"),
    (101, Text, "TZ-Name"),
    (112, Addresses, "NI"),
    (113, Text, "NITAG"),
    (114, Text, "URL"),
    (161, Text, "MUD-URL"),
];
const MESSAGE_TYPES: &[(u32, &str)] = &[
    (1, "Discover"),
    (2, "Offer"),
    (3, "Request"),
    (4, "Decline"),
    (5, "ACK"),
    (6, "NACK"),
    (7, "Release"),
    (8, "Inform"),
    (10, "LeaseQuery"),
    (11, "LeaseUnassigned"),
    (12, "LeaseUnknown"),
    (13, "LeaseActive"),
];
const HARDWARE: &[(u32, &str)] =
    &[(1, "ether"), (6, "ieee802"), (7, "arcnet"), (15, "frelay"), (23, "strip"), (24, "ieee1394")];
const OVERLOADS: &[(u32, &str)] = &[(1, "file"), (2, "sname"), (3, "file+sname")];
const NETBIOS_NODES: &[(u32, &str)] = &[(1, "b-node"), (2, "p-node"), (4, "m-node"), (8, "h-node")];

impl Dissector<'_> {
    /// The vendor field of a BOOTP packet.
    pub fn dhcp_options(&mut self, at: usize) -> Dissected {
        if !self.has(at, 4) {
            self.truncated();
            return Ok(());
        }
        match self.u32(at)? {
            MAGIC_COOKIE => {}
            0 => return Ok(()),
            vendor => {
                put!(self, "\n\t  Vendor-#0x{vendor:x}");
                return Ok(());
            }
        }
        put!(self, "\n\t  Vendor-rfc1048 Extensions\n\t    Magic Cookie 0x{MAGIC_COOKIE:08x}");
        let mut cursor = at + 4;
        while self.has(cursor, 1) {
            let tag = self.u8(cursor)?;
            cursor += 1;
            if self.options.verbose < 3 {
                match tag {
                    PAD => continue,
                    END => return Ok(()),
                    _ => {}
                }
            }
            let mut length = 0;
            if !matches!(tag, PAD | END) {
                length = usize::from(self.u8(cursor)?);
                cursor += 1;
            }
            let (form, known) = option(tag);
            put!(self, "\n\t    {known} ({tag}), length {length}");
            if length > 0 {
                self.out.push_str(": ");
            }
            if tag == PAD {
                let mut count = 1;
                while self.has(cursor, 1) && self.u8(cursor)? == PAD {
                    count += 1;
                    cursor += 1;
                }
                if count > 1 {
                    put!(self, ", occurs {count}");
                }
            }
            if !self.has(cursor, length) {
                self.truncated();
                return Ok(());
            }
            let form = form.unwrap_or(match length {
                length if length & 1 != 0 => Bytes,
                length if length & 2 != 0 => Shorts,
                _ => Words,
            });
            let shown = self.dhcp_value(tag, form, cursor, length)?;
            if shown < length {
                put!(self, "\n\t  trailing data length {}", length - shown);
            }
            cursor += length;
        }
        Ok(())
    }

    /// Returns how many of the bytes were shown.
    fn dhcp_value(&mut self, tag: u8, form: Form, at: usize, length: usize) -> Dissected<usize> {
        let size = match (tag, form) {
            (PARAMETER_REQUEST, _) => {
                self.parameter_request(at, length)?;
                return Ok(length);
            }
            (_, Text) => {
                self.out.push('"');
                self.characters(at, length);
                self.out.push('"');
                return Ok(length);
            }
            (_, Special) => return self.special_option(tag, at, length),
            (_, Addresses | Words | SignedWords) => 4,
            (_, AddressPairs) => 8,
            (_, Shorts) => 2,
            (_, Booleans | Bytes) => 1,
        };
        for index in 0..length / size {
            let item = at + index * size;
            if index > 0 {
                self.out.push(if form == Bytes { '.' } else { ',' });
            }
            match form {
                Addresses => put!(self, "{}", self.ipv4(item)?),
                AddressPairs => put!(self, "({}:{})", self.ipv4(item)?, self.ipv4(item + 4)?),
                Words => put!(self, "{}", self.u32(item)?),
                SignedWords => put!(self, "{}", self.u32(item)?.cast_signed()),
                Shorts => put!(self, "{}", self.u16(item)?),
                Booleans => match self.u8(item)? {
                    0 => self.out.push('N'),
                    1 => self.out.push('Y'),
                    value => put!(self, "{value}?"),
                },
                _ => put!(self, "{}", self.u8(item)?),
            }
        }
        Ok(length / size * size)
    }

    fn parameter_request(&mut self, at: usize, length: usize) -> Dissected {
        for index in 0..length {
            self.out.push_str(if index % 4 == 0 { "\n\t      " } else { ", " });
            let tag = self.u8(at + index)?;
            put!(self, "{} ({tag})", option(tag).1);
        }
        Ok(())
    }

    fn special_option(&mut self, tag: u8, at: usize, length: usize) -> Dissected<usize> {
        match tag {
            MESSAGE_TYPE if length == 1 => {
                let kind = self.u8(at)?;
                self.token(MESSAGE_TYPES, kind.into(), |number| format!("Unknown ({number})"));
            }
            PAD | END => {}
            NETBIOS_NODE | OVERLOAD | CLIENT_ID if length < 1 => {
                self.out.push_str("[ERROR: length < 1 bytes]");
            }
            NETBIOS_NODE | OVERLOAD => {
                let table = if tag == OVERLOAD { OVERLOADS } else { NETBIOS_NODES };
                let value = self.u8(at)?;
                self.token(table, value.into(), |number| format!("#{number}"));
                return Ok(1);
            }
            CLIENT_ID => match self.u8(at)? {
                0 => {
                    self.out.push('"');
                    self.characters(at + 1, length - 1);
                    self.out.push('"');
                }
                kind => {
                    match name(HARDWARE, kind.into()) {
                        Some(known) => put!(self, "{known} "),
                        None => put!(self, "hardware-type {kind}, "),
                    }
                    put!(self, "{}", super::dissect::hex_colon(self.bytes(at + 1, length - 1)?));
                }
            },
            CLASSLESS_ROUTES | CLASSLESS_ROUTES_MICROSOFT => self.classless_routes(at, length)?,
            // The client's name, relay information and user classes are not taken apart.
            _ => {
                for (index, byte) in self.bytes(at, length)?.iter().enumerate() {
                    put!(self, "{}{byte}", if index > 0 { "." } else { "" });
                }
            }
        }
        Ok(length)
    }

    /// RFC 3442
    fn classless_routes(&mut self, at: usize, length: usize) -> Dissected {
        if length < 5 {
            self.out.push_str("[ERROR: length < 5 bytes]");
            return Ok(());
        }
        let mut done = 0;
        while done < length {
            if done > 0 {
                self.out.push(',');
            }
            let width = self.u8(at + done)?;
            done += 1;
            if width > 32 {
                put!(self, "[ERROR: Mask width ({width}) > 32]");
                return Ok(());
            }
            let significant = usize::from(width).div_ceil(8);
            if length - done < significant + 4 {
                let needed = significant + 4;
                put!(self, "[ERROR: Remaining length ({}) < {needed} bytes]", length - done);
                return Ok(());
            }
            if width == 0 {
                self.out.push_str("(default");
            } else {
                let mut network = [0; 4];
                network[..significant].copy_from_slice(self.bytes(at + done, significant)?);
                put!(self, "({}/{width}", std::net::Ipv4Addr::from(network));
            }
            done += significant;
            put!(self, ":{})", self.ipv4(at + done)?);
            done += 4;
        }
        Ok(())
    }
}

fn option(tag: u8) -> (Option<Form>, &'static str) {
    let known = OPTIONS.iter().find(|(known, ..)| *known == tag);
    known.map_or((None, "Unknown"), |(_, form, name)| (Some(*form), name))
}
