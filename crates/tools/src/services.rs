//! `/etc/services`: names of ports.

use std::io::Read;

use crate::Shell;

const FILE: &str = "/etc/services";
/// More of the file is not read.
const FILE_LIMIT: u64 = 4 << 20;

/// The file's lines: name, port, protocol.
#[derive(Clone, Debug, Default)]
pub(crate) struct Services(Vec<(String, u16, String)>);

impl Services {
    pub fn read(shell: &mut dyn Shell) -> Services {
        let mut text = Vec::new();
        if let Ok(file) = shell.open(FILE) {
            // What cannot be read names nothing.
            let _ = file.take(FILE_LIMIT).read_to_end(&mut text);
        }
        Services::parse(&String::from_utf8_lossy(&text))
    }

    fn parse(text: &str) -> Services {
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
        let entry = |line: &str| {
            let mut words = line.split_whitespace();
            let name = words.next()?.to_owned();
            let (port, protocol) = words.next()?.split_once('/')?;
            Some((name, port.parse().ok()?, protocol.to_owned()))
        };
        Services(lines.filter_map(entry).collect())
    }

    /// `getservbyname`
    pub fn port(&self, name: &str, protocol: &str) -> Option<u16> {
        self.0.iter().find(|(known, _, of)| known == name && of == protocol).map(|found| found.1)
    }

    /// `getservbyport`
    pub fn name(&self, port: u16, protocol: &str) -> Option<&str> {
        self.0.iter().find(|(_, known, of)| *known == port && of == protocol).map(|found| found.0.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_have_names_by_protocol() {
        let services = Services::parse("# none\nhttp\t80/tcp\twww # web\ndomain 53/udp\nbad\n");
        assert_eq!(services.port("http", "tcp"), Some(80));
        assert_eq!(services.port("http", "udp"), None);
        assert_eq!(services.name(53, "udp"), Some("domain"));
    }
}
