//! `/etc/resolv.conf` (resolv.conf(5)).

use std::io::Read;
use std::net::IpAddr;

use crate::Shell;

const FILE: &str = "/etc/resolv.conf";
const FILE_LIMIT: u64 = 1 << 20;
/// `MAXNS`
const SERVERS_MAX: usize = 3;
const SEARCH_MAX: usize = 64;
/// `RES_MAXRETRANS`, `RES_MAXRETRY`, `RES_MAXNDOTS`
const TIMEOUT_MAX: u64 = 30;
const ATTEMPTS_MAX: u32 = 5;
const DOTS_MAX: usize = 15;

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// As written; an IPv6 address may have a device behind a `%`.
    pub servers: Vec<IpAddr>,
    pub search: Vec<String>,
    /// Names with so many dots are tried as they are first.
    pub dots: usize,
    pub timeout_s: u64,
    pub attempts: u32,
    /// `use-vc`: questions go over TCP.
    pub by_stream: bool,
}

impl Settings {
    pub fn read(shell: &mut dyn Shell) -> Settings {
        let mut text = Vec::new();
        if let Ok(file) = shell.open(FILE) {
            // What cannot be read says nothing.
            let _ = file.take(FILE_LIMIT).read_to_end(&mut text);
        }
        Settings::parse(&String::from_utf8_lossy(&text))
    }

    fn parse(text: &str) -> Settings {
        let mut settings = Settings {
            servers: Vec::new(),
            search: Vec::new(),
            dots: 1,
            timeout_s: 5,
            attempts: 2,
            by_stream: false,
        };
        for line in text.lines().filter(|line| !line.starts_with(['#', ';'])) {
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("nameserver") if settings.servers.len() < SERVERS_MAX => {
                    let server = words.next().and_then(|word| word.split('%').next()?.parse::<IpAddr>().ok());
                    settings.servers.extend(server);
                }
                Some("search") => settings.search = words.take(SEARCH_MAX).map(str::to_owned).collect(),
                Some("domain") => settings.search = words.take(1).map(str::to_owned).collect(),
                Some("options") => words.for_each(|word| settings.option(word)),
                _ => {}
            }
        }
        settings
    }

    fn option(&mut self, word: &str) {
        if word == "use-vc" {
            self.by_stream = true;
        }
        let Some((name, value)) = word.split_once(':') else { return };
        match (name, value.parse::<u64>()) {
            ("ndots", Ok(value)) => self.dots = usize::try_from(value).unwrap_or(DOTS_MAX).min(DOTS_MAX),
            ("timeout", Ok(value)) => self.timeout_s = value.clamp(1, TIMEOUT_MAX),
            ("attempts", Ok(value)) => {
                self.attempts = u32::try_from(value).unwrap_or(ATTEMPTS_MAX).clamp(1, ATTEMPTS_MAX);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_everything() {
        let settings = Settings::parse(
            "# comment\nnameserver 10.0.0.1\nnameserver fe80::1%eth0\nnameserver wrong\nsearch lab example.org\n\
             options ndots:2 timeout:1 rotate attempts:9\n",
        );
        assert_eq!(
            settings.servers,
            ["10.0.0.1", "fe80::1"].map(|text| text.parse::<IpAddr>().expect("one"))
        );
        assert_eq!(settings.search, ["lab", "example.org"]);
        assert_eq!((settings.dots, settings.timeout_s, settings.attempts), (2, 1, 5));
    }

    #[test]
    fn nothing_said() {
        let settings = Settings::parse("");
        assert!(settings.servers.is_empty() && settings.search.is_empty());
        assert_eq!((settings.dots, settings.timeout_s, settings.attempts), (1, 5, 2));
    }
}
