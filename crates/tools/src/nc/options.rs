//! The command line of netcat (OpenBSD's, Debian patch level 1.219).

use crate::Program;
use crate::getopt::{Getopt, Item};
use crate::resolver::Families;

const SHORT: &str = "46bCdDFhi:klM:m:NnO:p:q:rSs:T:tuUvw:W:X:x:zZI:P:V:";
/// Widest range of ports.
const PORT_MAX: u32 = 65_535;

/// What was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// `-4`, `-6`
    pub families: Families,
    pub listen: bool,
    pub keep: bool,
    pub udp: bool,
    pub scan: bool,
    pub verbose: bool,
    pub numeric: bool,
    /// `-N`: the end of input is told to the peer.
    pub shut_down: bool,
    pub detached: bool,
    pub crlf: bool,
    pub broadcast: bool,
    /// `-w`, seconds
    pub timeout_s: Option<u64>,
    /// `-q`, seconds after the end of input
    pub quit_s: Option<i64>,
    /// `-i`, seconds between lines or ports
    pub interval_s: u64,
    /// `-W`: packets after which it ends
    pub receive_limit: Option<u64>,
    pub ttl: Option<u8>,
    pub tos: Option<u8>,
    pub source: Option<String>,
    pub source_port: Option<String>,
    pub host: Option<String>,
    pub ports: Option<String>,
}

/// Why it ends before it begins; what is said has been said.
pub(super) struct Refused(pub i32);

const USAGE: &str = "usage: nc [-46CDdFhklNnrStUuvZz] [-I length] [-i interval] [-M ttl]
\t  [-m minttl] [-O length] [-P proxy_username] [-p source_port]
\t  [-q seconds] [-s sourceaddr] [-T keyword] [-V rtable] [-W recvlimit]
\t  [-w timeout] [-X proxy_protocol] [-x proxy_address[:port]]
\t  [destination] [port]
";

impl Options {
    pub fn read(program: &mut Program<'_>) -> Result<Options, Refused> {
        let mut options = Options::default();
        let mut words = Getopt::new(program.name, program.args, SHORT, &[]);
        while let Some(item) = words.next() {
            let (letter, value) = match item {
                Item::Option(letter, value) => (letter, value.unwrap_or_default()),
                Item::Error(text) => {
                    let _ = writeln!(program.shell.err(), "{text}");
                    return Err(usage(program));
                }
            };
            let number = |what: &str, least: i64, most: i64| match value.parse::<i64>() {
                Ok(number) if number < least => Err(format!("{what} too small: {value}")),
                Ok(number) if number > most => Err(format!("{what} too large: {value}")),
                Ok(number) => Ok(number),
                Err(_) => Err(format!("{what} invalid: {value}")),
            };
            let outcome = match letter {
                '4' | '6' => {
                    options.families = if letter == '4' { Families::Ipv4 } else { Families::Ipv6 };
                    Ok(())
                }
                'n' => set(&mut options.numeric),
                'b' => set(&mut options.broadcast),
                'C' => set(&mut options.crlf),
                'd' => set(&mut options.detached),
                'k' => set(&mut options.keep),
                'l' => set(&mut options.listen),
                'N' => set(&mut options.shut_down),
                'u' => set(&mut options.udp),
                'v' => set(&mut options.verbose),
                'z' => set(&mut options.scan),
                // Bytes and options of sockets that change nothing here that can be seen.
                'I' | 'O' | 'D' | 'r' | 't' => Ok(()),
                'i' => number("interval", 0, u32::MAX.into()).map(|n| options.interval_s = n as u64),
                'q' => {
                    number("quit timer", i32::MIN.into(), i32::MAX.into()).map(|n| options.quit_s = Some(n))
                }
                'w' => number("timeout", 0, i64::from(i32::MAX / 1000))
                    .map(|n| options.timeout_s = Some(n as u64)),
                'W' => number("receive limit", 1, i32::MAX.into())
                    .map(|n| options.receive_limit = Some(n as u64)),
                'M' => number("ttl is", 0, 255).map(|n| options.ttl = Some(n as u8)),
                'T' => match traffic_class(value) {
                    Some(tos) => {
                        options.tos = Some(tos);
                        Ok(())
                    }
                    None => Err(format!("illegal tos value {value}")),
                },
                'p' => {
                    options.source_port = Some(value.to_owned());
                    Ok(())
                }
                's' => {
                    options.source = Some(value.to_owned());
                    Ok(())
                }
                'h' => {
                    let _ = program.shell.err().write_all(USAGE.as_bytes());
                    return Err(Refused(1));
                }
                other => Err(format!("option -{other} is not emulated")),
            };
            if let Err(text) = outcome {
                let _ = writeln!(program.shell.err(), "nc: {text}");
                return Err(Refused(1));
            }
        }
        let operands = words.operands();
        // A listener's own end is told by -s and -p, or by operands; not by both.
        let by_options = options.source.is_some() || options.source_port.is_some();
        match (operands.as_slice(), options.listen) {
            ([], true) if by_options => {
                options.host = options.source.take();
                options.ports = options.source_port.take();
            }
            (_, true) if by_options => return Err(usage(program)),
            ([port], true) => options.ports = Some((*port).to_owned()),
            ([], true) => {}
            ([host, port], _) => {
                options.host = Some((*host).to_owned());
                options.ports = Some((*port).to_owned());
            }
            ([_], false) => {
                let _ = writeln!(program.shell.err(), "nc: missing port number");
                return Err(Refused(1));
            }
            _ => return Err(usage(program)),
        }
        if options.listen && options.ports.is_none() {
            let _ = writeln!(program.shell.err(), "nc: missing port number");
            return Err(Refused(1));
        }
        if options.listen && options.scan {
            let _ = writeln!(program.shell.err(), "nc: cannot use -z and -l");
            return Err(Refused(1));
        }
        if !options.listen && options.keep {
            let _ = writeln!(program.shell.err(), "nc: must use -l with -k");
            return Err(Refused(1));
        }
        Ok(options)
    }
}

fn set(flag: &mut bool) -> Result<(), String> {
    *flag = true;
    Ok(())
}

fn usage(program: &mut Program<'_>) -> Refused {
    let _ = program.shell.err().write_all(USAGE.as_bytes());
    Refused(1)
}

/// The words and numbers of `-T`.
fn traffic_class(text: &str) -> Option<u8> {
    Some(match text {
        "lowdelay" => 0x10,
        "throughput" => 0x08,
        "reliability" => 0x04,
        "inetcontrol" => 0xc0,
        "netcontrol" => 0xe0,
        "critical" => 0xa0,
        "ef" => 0xb8,
        "le" => 0x04,
        other => match other.strip_prefix("0x") {
            Some(hex) => u8::from_str_radix(hex, 16).ok()?,
            None => other.parse().ok()?,
        },
    })
}

/// The ports of a word: a number, a name, or a range (`build_ports`).
///
/// # Errors
/// What is printed about it.
pub(super) fn ports(text: &str, mut service: impl FnMut(&str) -> Option<u16>) -> Result<Vec<u16>, String> {
    if let Some(port) = service(text) {
        return Ok(vec![port]);
    }
    if let Some((low, high)) = text.split_once('-').filter(|(low, high)| !low.is_empty() && !high.is_empty())
    {
        let (low, high) = (port_number(low)?, port_number(high)?);
        return Ok((low.min(high)..=low.max(high)).collect());
    }
    Ok(vec![port_number(text)?])
}

fn port_number(text: &str) -> Result<u16, String> {
    match text.parse::<i64>() {
        Ok(number) if number < 1 => Err(format!("port number too small: {text}")),
        Ok(number) if number > i64::from(PORT_MAX) => Err(format!("port number too large: {text}")),
        Ok(number) => Ok(number as u16),
        Err(_) => Err(format!("port number invalid: {text}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_numbers_names_and_ranges() {
        let service = |name: &str| (name == "http").then_some(80);
        assert_eq!(ports("http", service), Ok(vec![80]));
        assert_eq!(ports("82-80", service), Ok(vec![80, 81, 82]));
        assert_eq!(ports("99999", service), Err("port number too large: 99999".to_owned()));
        assert_eq!(ports("0", service), Err("port number too small: 0".to_owned()));
        assert_eq!(ports("nothing", service), Err("port number invalid: nothing".to_owned()));
    }
}
