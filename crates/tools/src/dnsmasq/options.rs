//! The command line of `dnsmasq`.

use std::net::{IpAddr, Ipv4Addr};

use crate::Program;
use crate::getopt::{Getopt, Item, Long, Value};

const SHORT: &str = "dkhRnbDfKqzZvwo@EHi:I:a:A:S:p:x:u:g:s:F:G:O:l:M:8:c:C:7:r:T:X:t:e:m:W:Q:2:3:N";
const LONG: &[Long] = &[
    ("no-daemon", Value::None, 'd'),
    ("keep-in-foreground", Value::None, 'k'),
    ("no-hosts", Value::None, 'h'),
    ("no-resolv", Value::None, 'R'),
    ("no-poll", Value::None, 'n'),
    ("bogus-priv", Value::None, 'b'),
    ("domain-needed", Value::None, 'D'),
    ("filterwin2k", Value::None, 'f'),
    ("dhcp-authoritative", Value::None, 'K'),
    ("log-queries", Value::Optional, 'q'),
    ("log-dhcp", Value::None, '\u{1}'),
    ("bind-interfaces", Value::None, 'z'),
    ("bind-dynamic", Value::None, 'z'),
    ("expand-hosts", Value::None, 'E'),
    ("strict-order", Value::None, 'o'),
    ("no-negcache", Value::None, 'N'),
    ("no-ping", Value::None, '\u{2}'),
    ("dhcp-sequential-ip", Value::None, '\u{3}'),
    ("leasefile-ro", Value::None, '\u{4}'),
    ("interface", Value::Required, 'i'),
    ("except-interface", Value::Required, 'I'),
    ("listen-address", Value::Required, 'a'),
    ("address", Value::Required, 'A'),
    ("local", Value::Required, 'S'),
    ("server", Value::Required, 'S'),
    ("host-record", Value::Required, '\u{5}'),
    ("cname", Value::Required, '\u{6}'),
    ("mx-host", Value::Required, '\u{7}'),
    ("txt-record", Value::Required, '\u{8}'),
    ("ptr-record", Value::Required, '\u{e}'),
    ("addn-hosts", Value::Required, '\u{f}'),
    ("local-ttl", Value::Required, 'T'),
    ("port", Value::Required, 'p'),
    ("pid-file", Value::Optional, 'x'),
    ("user", Value::Optional, 'u'),
    ("group", Value::Optional, 'g'),
    ("domain", Value::Required, 's'),
    ("dhcp-range", Value::Required, 'F'),
    ("dhcp-host", Value::Required, 'G'),
    ("dhcp-option", Value::Required, 'O'),
    ("dhcp-leasefile", Value::Required, 'l'),
    ("dhcp-lease-max", Value::Required, 'X'),
    ("log-facility", Value::Required, '8'),
    ("cache-size", Value::Required, 'c'),
    ("conf-file", Value::Optional, 'C'),
    ("conf-dir", Value::Required, '7'),
    ("test", Value::None, '\u{10}'),
    ("version", Value::None, 'v'),
    ("help", Value::None, 'w'),
];
/// Lease time unless told otherwise, seconds.
const LEASE_S: u32 = 3600;

/// It ends before it begins; what is said has been said.
pub(super) struct Stop(pub i32);

/// `--dhcp-range`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub first: Ipv4Addr,
    pub last: Ipv4Addr,
    pub mask: Option<Ipv4Addr>,
    pub time_s: u32,
    /// `static`: only hosts that are named.
    pub is_static: bool,
    pub device: Option<String>,
}

/// `--dhcp-host`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Host {
    pub mac: Option<[u8; 6]>,
    pub address: Option<Ipv4Addr>,
    pub name: Option<String>,
    pub time_s: Option<u32>,
    pub is_ignored: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    pub debug: bool,
    pub foreground: bool,
    pub binds: bool,
    pub expands: bool,
    pub log_queries: bool,
    pub authoritative: bool,
    pub no_ping: bool,
    pub sequential: bool,
    pub port: u16,
    pub local_ttl: u32,
    pub interfaces: Vec<String>,
    excepted: Vec<String>,
    listen: Vec<IpAddr>,
    pub addresses: Vec<(String, Option<IpAddr>)>,
    pub local: Vec<String>,
    pub records: Vec<(Vec<String>, Vec<IpAddr>)>,
    pub aliases: Vec<(String, String)>,
    pub mail: Vec<(String, String, u16)>,
    pub texts: Vec<(String, String)>,
    pub pointers: Vec<(String, String)>,
    pub hosts_files: Vec<String>,
    pub domain: Option<String>,
    pub ranges: Vec<Range>,
    pub hosts: Vec<Host>,
    pub dhcp_options: Vec<(u8, Vec<u8>)>,
    pub lease_file: Option<String>,
    pub pid_file: Option<String>,
    pub log_file: Option<String>,
}

impl Options {
    pub fn read(program: &mut Program<'_>) -> Result<Options, Stop> {
        let mut options = Options { port: 53, ..Options::default() };
        let mut uses_hosts = true;
        let mut words = Getopt::new(program.name, program.args, SHORT, LONG);
        while let Some(item) = words.next() {
            let (letter, value) = match item {
                Item::Option(letter, value) => (letter, value.unwrap_or_default()),
                Item::Error(text) => {
                    let _ = writeln!(
                        program.shell.err(),
                        "{text}\n\ndnsmasq: bad command line options: try --help"
                    );
                    return Err(Stop(1));
                }
            };
            match letter {
                'd' => (options.debug, options.foreground) = (true, true),
                'k' => options.foreground = true,
                'h' => uses_hosts = false,
                'z' => options.binds = true,
                'E' => options.expands = true,
                'q' => options.log_queries = true,
                'K' => options.authoritative = true,
                '\u{2}' => options.no_ping = true,
                '\u{3}' => options.sequential = true,
                'i' => options.interfaces.extend(value.split(',').map(str::to_owned)),
                'I' => options.excepted.extend(value.split(',').map(str::to_owned)),
                'x' => options.pid_file = Some(value.to_owned()),
                'l' => options.lease_file = Some(value.to_owned()),
                '8' => options.log_file = Some(value.to_owned()),
                '\u{f}' | 'H' => options.hosts_files.push(value.to_owned()),
                's' => options.domain = value.split(',').next().map(str::to_owned),
                'v' => {
                    let _ = writeln!(program.shell.out(), "Dnsmasq version 2.90 (hairpin)");
                    return Err(Stop(0));
                }
                'w' => {
                    let _ = writeln!(program.shell.out(), "Usage: dnsmasq [options]");
                    return Err(Stop(0));
                }
                '\u{10}' => {
                    let _ = writeln!(program.shell.err(), "dnsmasq: syntax check OK.");
                    return Err(Stop(0));
                }
                'C' if !matches!(value, "" | "/dev/null") => {
                    let _ = writeln!(program.shell.err(), "\ndnsmasq: --conf-file is not supported here");
                    return Err(Stop(1));
                }
                '7' => {
                    let _ = writeln!(program.shell.err(), "\ndnsmasq: --conf-dir is not supported here");
                    return Err(Stop(1));
                }
                'S' if !value.starts_with('/') => {
                    let _ =
                        writeln!(program.shell.err(), "\ndnsmasq: upstream servers are not supported here");
                    return Err(Stop(1));
                }
                other => {
                    if options.value(other, value).is_none() {
                        let _ = writeln!(program.shell.err(), "\ndnsmasq: bad option at {value}");
                        return Err(Stop(1));
                    }
                }
            }
        }
        if uses_hosts {
            options.hosts_files.insert(0, "/etc/hosts".to_owned());
        }
        Ok(options)
    }

    /// An option whose value has a form; none where it is wrong.
    fn value(&mut self, letter: char, value: &str) -> Option<()> {
        let words: Vec<&str> = value.split(',').collect();
        match letter {
            'p' => self.port = value.parse().ok()?,
            'T' => self.local_ttl = value.parse().ok()?,
            'a' => {
                for word in words {
                    self.listen.push(word.parse().ok()?);
                }
            }
            'A' => {
                // `/NAME/…/ADDRESS`
                let mut parts: Vec<&str> = value.strip_prefix('/')?.split('/').collect();
                let address = parts.pop()?;
                let address = if address.is_empty() { None } else { Some(address.parse().ok()?) };
                self.addresses.extend(parts.into_iter().map(|name| (name.to_owned(), address)));
            }
            'S' => self.local.extend(value.split('/').filter(|part| !part.is_empty()).map(str::to_owned)),
            '\u{5}' => {
                let (mut names, mut addresses) = (Vec::new(), Vec::new());
                for word in words {
                    match word.parse::<IpAddr>() {
                        Ok(address) => addresses.push(address),
                        // The last number is a time to live.
                        Err(_) if !addresses.is_empty() => {}
                        Err(_) => names.push(word.to_owned()),
                    }
                }
                self.records.push((names, addresses));
            }
            '\u{6}' => {
                let (target, aliases) = words.split_last()?;
                self.aliases.extend(aliases.iter().map(|alias| ((*alias).to_owned(), (*target).to_owned())));
            }
            '\u{7}' => {
                let name = (*words.first()?).to_owned();
                let target = words.get(1).map_or_else(|| name.clone(), |word| (*word).to_owned());
                let rank = words.get(2).map_or(Some(1), |word| word.parse().ok())?;
                self.mail.push((name, target, rank));
            }
            '\u{8}' => {
                let text = words.get(1..).unwrap_or(&[]).join(",");
                self.texts.push(((*words.first()?).to_owned(), text.trim_matches('"').to_owned()));
            }
            '\u{e}' => self.pointers.push(((*words.first()?).to_owned(), (*words.get(1)?).to_owned())),
            'F' => self.ranges.push(range(&words)?),
            'G' => self.hosts.push(host(&words)?),
            'O' => self.dhcp_options.push(dhcp_option(&words)?),
            _ => {}
        }
        Some(())
    }

    /// Whether it listens at this address of this device.
    pub fn listens_on(&self, device: &str, address: IpAddr) -> bool {
        if self.excepted.iter().any(|name| name == device) {
            return false;
        }
        let chosen = !self.interfaces.is_empty() || !self.listen.is_empty();
        !chosen
            || self.interfaces.iter().any(|name| name == device)
            || self.listen.contains(&address)
            || !self.interfaces.is_empty() && device == "lo"
    }
}

/// `45m`, `1h`, `infinite`, seconds
pub(super) fn time(text: &str) -> Option<u32> {
    if text == "infinite" {
        return Some(u32::MAX);
    }
    let (digits, unit) = match text.char_indices().last()? {
        (at, 's') => (text.get(..at)?, 1),
        (at, 'm') => (text.get(..at)?, 60),
        (at, 'h') => (text.get(..at)?, 3600),
        (at, 'd') => (text.get(..at)?, 86_400),
        (at, 'w') => (text.get(..at)?, 604_800),
        _ => (text, 1),
    };
    // Two minutes at least.
    Some(digits.parse::<u32>().ok()?.checked_mul(unit)?.max(120))
}

fn range(words: &[&str]) -> Option<Range> {
    let mut range = Range {
        first: Ipv4Addr::UNSPECIFIED,
        last: Ipv4Addr::UNSPECIFIED,
        mask: None,
        time_s: LEASE_S,
        is_static: false,
        device: None,
    };
    let mut addresses = Vec::new();
    for word in words {
        if let Some(device) = word.strip_prefix("interface:") {
            range.device = Some(device.to_owned());
        } else if word.starts_with("set:") || word.starts_with("tag:") {
        } else if let Ok(address) = word.parse::<Ipv4Addr>() {
            addresses.push(address);
        } else if *word == "static" {
            range.is_static = true;
        } else {
            range.time_s = time(word)?;
        }
    }
    range.first = *addresses.first()?;
    range.last = addresses.get(1).copied().unwrap_or(range.first);
    range.mask = addresses.get(2).copied();
    (range.first <= range.last).then_some(range)
}

fn mac(text: &str) -> Option<[u8; 6]> {
    let octets: Option<Vec<u8>> = text.split(':').map(|part| u8::from_str_radix(part, 16).ok()).collect();
    octets?.try_into().ok()
}

fn host(words: &[&str]) -> Option<Host> {
    let mut host = Host::default();
    for word in words {
        if let Some(found) = mac(word) {
            host.mac = Some(found);
        } else if let Ok(address) = word.parse() {
            host.address = Some(address);
        } else if *word == "ignore" {
            host.is_ignored = true;
        } else if word.starts_with(|c: char| c.is_ascii_digit()) || *word == "infinite" {
            host.time_s = Some(time(word)?);
        } else if !word.contains(':') {
            host.name = Some((*word).to_owned());
        }
    }
    Some(host)
}

/// Options by their names.
const OPTIONS: &[(&str, u8)] = &[
    ("netmask", 1),
    ("time-offset", 2),
    ("router", 3),
    ("dns-server", 6),
    ("domain-name", 15),
    ("mtu", 26),
    ("broadcast", 28),
    ("classless-static-route", 121),
    ("ntp-server", 42),
    ("domain-search", 119),
];

/// `3,10.0.0.1`, `option:router,10.0.0.1`
fn dhcp_option(words: &[&str]) -> Option<(u8, Vec<u8>)> {
    let mut words = words.iter().skip_while(|word| word.starts_with("tag:") || word.starts_with("set:"));
    let first = *words.next()?;
    let code = match first.strip_prefix("option:") {
        Some(name) => OPTIONS.iter().find(|(known, _)| *known == name)?.1,
        None => first.parse().ok()?,
    };
    let mut value = Vec::new();
    for word in words {
        if let Ok(address) = word.parse::<Ipv4Addr>() {
            value.extend(address.octets());
        } else if code == 26 {
            value.extend(word.parse::<u16>().ok()?.to_be_bytes());
        } else if code == 2 {
            value.extend(word.parse::<i32>().ok()?.to_be_bytes());
        } else if let Some((network, bits)) = word.split_once('/') {
            // RFC 3442: as many octets as are told apart.
            let (network, bits): (Ipv4Addr, u8) = (network.parse().ok()?, bits.parse().ok()?);
            value.push(bits);
            value.extend(network.octets().get(..usize::from(bits.min(32)).div_ceil(8))?);
        } else {
            value.extend(word.trim_matches('"').bytes());
        }
    }
    (value.len() <= 255).then_some((code, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        text.split(',').collect()
    }

    #[test]
    fn ranges_hosts_and_options() {
        let found = range(&split("10.0.0.5,10.0.0.9,1h")).expect("a range");
        assert_eq!(
            (found.first, found.last, found.time_s),
            ([10, 0, 0, 5].into(), [10, 0, 0, 9].into(), 3600)
        );
        let found = range(&split("interface:br0,10.0.0.0,static")).expect("a range");
        assert!(found.is_static && found.device.as_deref() == Some("br0"));
        assert_eq!(range(&split("10.0.0.9,10.0.0.5")), None);
        let found = host(&split("02:00:00:00:00:77,10.0.0.77,fixed,2h")).expect("a host");
        assert_eq!(found.mac, Some([2, 0, 0, 0, 0, 0x77]));
        assert_eq!((found.address, found.name.as_deref()), (Some([10, 0, 0, 77].into()), Some("fixed")));
        assert_eq!(found.time_s, Some(7200));
        assert_eq!(dhcp_option(&split("option:router,10.0.0.1")), Some((3, vec![10, 0, 0, 1])));
        assert_eq!(dhcp_option(&split("3")), Some((3, vec![])));
        assert_eq!(
            dhcp_option(&split("121,10.1.0.0/16,10.0.0.1")),
            Some((121, vec![16, 10, 1, 10, 0, 0, 1]))
        );
        assert_eq!(time("5"), Some(120));
    }
}
