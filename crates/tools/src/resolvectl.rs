//! `resolvectl` (systemd 252): which name servers the host asks, by link.
//!
//! systemd-resolved runs in the host's first namespace: links of others it does not know, whatever their names. What it is
//! told of comes into the host's `/etc/resolv.conf`.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::net::IpAddr;

use hairpin_netlink::{Call, Errno, Reply};

use crate::Program;
use crate::interfaces::{ARPHRD_LOOPBACK, Interfaces};

/// The document that keeps what has been set.
const STORE: &str = "resolvectl";
const FILE: &str = "/etc/resolv.conf";
/// More of the host's file is not read.
const FILE_LIMIT: u64 = 1 << 20;
const FIRST_NAMESPACE: &str = "/proc/1/ns/net";

/// The servers of links, by interface index, and the host's file as it was before there were any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Settings {
    links: BTreeMap<u32, Vec<IpAddr>>,
    before: String,
}

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let words: Vec<&str> = program.args.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["dns"] => show(program, None),
        ["dns", link] => index_here(program, link).and_then(|index| show(program, Some(index))),
        ["dns", link, servers @ ..] => set(program, "set DNS configuration", link, servers),
        ["revert", link] => set(program, "revert interface configuration", link, &[]),
        ["revert"] => Err("Interface argument required.".to_owned()),
        ["revert", ..] => Err("Too many arguments.".to_owned()),
        [] => Err("hairpin's resolvectl knows: dns [LINK [SERVER…]], revert LINK".to_owned()),
        [verb, ..] => Err(format!("resolvectl {verb} is not supported by hairpin yet: dns and revert are")),
    };
    match done {
        Ok(text) => {
            let _ = write!(program.shell.out(), "{text}");
            0
        }
        Err(text) => {
            let _ = writeln!(program.shell.err(), "{text}");
            1
        }
    }
}

/// `dns LINK SERVER…` and `revert LINK` (`SetLinkDNS`, `RevertLink`).
fn set(program: &mut Program<'_>, what: &str, link: &str, servers: &[&str]) -> Result<String, String> {
    // The link is named in this namespace, and looked for by its number in the first one.
    let index = index_here(program, link)?;
    let refused = |why: &str| format!("Failed to {what}: {why}");
    let mut addresses = Vec::new();
    // One empty word clears them.
    for server in servers.iter().filter(|_| servers != [""]) {
        let address = server.parse::<IpAddr>().map_err(|_| {
            format!("Failed to parse DNS server address: {server}\n{}", refused("Invalid argument"))
        })?;
        addresses.push(address);
    }
    let known = first_links(program).map_err(|errno| refused(&errno.to_string()))?;
    let interface = known.by_index(index).ok_or_else(|| refused(&format!("Link {index} not known")))?;
    if interface.hardware() == ARPHRD_LOOPBACK {
        return Err(refused(&format!("Link {} is loopback device.", interface.name())));
    }
    let (version, mut settings) = load(program).map_err(|errno| refused(&errno.to_string()))?;
    let written = settings.file();
    settings.links.retain(|index, _| known.by_index(*index).is_some());
    if settings.links.get(&index).is_none_or(Vec::is_empty) && addresses.is_empty() {
        return Ok(String::new());
    }
    if settings.links.is_empty() || file(program) != written {
        // What somebody else has written since is what comes back.
        settings.before = file(program);
    }
    match addresses.is_empty() {
        true => settings.links.remove(&index),
        false => settings.links.insert(index, addresses),
    };
    let data = settings.to_text().into_bytes();
    let saved = program.system.call(Call::StoreSave { name: STORE.to_owned(), version, data });
    saved.map_err(|errno| refused(&errno.to_string()))?;
    // Where there is no session there are no files.
    let _ = program.system.write_file(FILE, settings.file().as_bytes());
    Ok(String::new())
}

/// `dns` and `dns LINK`.
fn show(program: &mut Program<'_>, only: Option<u32>) -> Result<String, String> {
    let failed = |errno: Errno| format!("Failed to get DNS configuration: {errno}");
    let known = first_links(program).map_err(failed)?;
    let (_, settings) = load(program).map_err(failed)?;
    let mut text = String::new();
    if let Some(index) = only
        && known.by_index(index).is_none()
    {
        return Err(format!("Failed to get link data for {index}: Link {index} not known"));
    }
    if only.is_none() {
        text.push_str("Global:\n");
    }
    let shown = known.iter().filter(|link| match only {
        Some(index) => link.index() == index,
        None => link.hardware() != ARPHRD_LOOPBACK,
    });
    for link in shown {
        text.push_str(&format!("Link {} ({}):", link.index(), link.name()));
        for server in settings.links.get(&link.index()).into_iter().flatten() {
            text.push_str(&format!(" {server}"));
        }
        text.push('\n');
    }
    Ok(text)
}

/// The number of a link in the namespace that the command runs in.
fn index_here(program: &mut Program<'_>, link: &str) -> Result<u32, String> {
    let missing = || format!("Failed to resolve interface \"{link}\": No such device");
    let here = Interfaces::dump(program.system).map_err(|_| missing())?;
    here.by_name(link).map(|interface| interface.index()).ok_or_else(missing)
}

/// The links of the host's first namespace, in which the command goes on.
fn first_links(program: &mut Program<'_>) -> Result<Interfaces, Errno> {
    program.system.netns_enter(FIRST_NAMESPACE)?;
    Interfaces::dump(program.system).map_err(|_| Errno::EIO)
}

fn load(program: &mut Program<'_>) -> Result<(u64, Settings), Errno> {
    match program.system.call(Call::StoreLoad(STORE.to_owned()))? {
        Reply::Stored { version, data } => {
            Ok((version, Settings::from_text(&String::from_utf8_lossy(&data))))
        }
        _ => Err(Errno::EPROTO),
    }
}

fn file(program: &mut Program<'_>) -> String {
    let mut text = Vec::new();
    if let Ok(file) = program.shell.open(FILE) {
        // What cannot be read says nothing.
        let _ = file.take(FILE_LIMIT).read_to_end(&mut text);
    }
    String::from_utf8_lossy(&text).into_owned()
}

impl Settings {
    /// A line a link; behind an empty one, the host's file.
    fn to_text(&self) -> String {
        let mut text = String::new();
        for (index, servers) in &self.links {
            text.push_str(&index.to_string());
            for server in servers {
                text.push_str(&format!(" {server}"));
            }
            text.push('\n');
        }
        text + "\n" + &self.before
    }

    fn from_text(text: &str) -> Settings {
        let mut settings = Settings::default();
        let mut rest = text;
        while let Some((line, behind)) = rest.split_once('\n') {
            rest = behind;
            let mut words = line.split(' ');
            let Some(index) = words.next().and_then(|word| word.parse().ok()) else { break };
            settings.links.insert(index, words.filter_map(|word| word.parse().ok()).collect());
        }
        settings.before = rest.to_owned();
        settings
    }

    /// The host's file: the servers of all links, or what it was before there were any.
    fn file(&self) -> String {
        if self.links.is_empty() {
            return self.before.clone();
        }
        self.links.values().flatten().map(|server| format!("nameserver {server}\n")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_they_are_written() {
        let mut settings =
            Settings { before: "nameserver 10.0.2.3\noptions x\n".to_owned(), ..Settings::default() };
        assert_eq!(settings.file(), settings.before);
        assert_eq!(Settings::from_text(&settings.to_text()), settings);
        let servers = ["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()];
        settings.links.insert(7, servers.to_vec());
        settings.links.insert(9, vec!["192.0.2.9".parse().unwrap()]);
        assert_eq!(Settings::from_text(&settings.to_text()), settings);
        assert_eq!(settings.file(), "nameserver 192.0.2.1\nnameserver 2001:db8::1\nnameserver 192.0.2.9\n");
        assert_eq!(Settings::from_text(""), Settings::default());
    }
}
