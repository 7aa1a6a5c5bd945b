//! `hostname` (hostname 3.23): the host's name, and with `-I` the addresses of the namespace that it runs in.

use std::net::IpAddr;

use hairpin_netlink::codec::NLM_F_DUMP;
use hairpin_netlink::route::address::{AddressAttribute, AddressMessage};
use hairpin_netlink::{Message, transact};

use crate::getopt::{Getopt, Item, Long, Value};
use crate::interfaces::{ARPHRD_LOOPBACK, IFF_UP, Interfaces};
use crate::{Program, resolver};

const SHORT: &str = "aAbdfF:hiIsVy";
const LONG: &[Long] = &[
    ("alias", Value::None, 'a'),
    ("all-fqdns", Value::None, 'A'),
    ("all-ip-addresses", Value::None, 'I'),
    ("boot", Value::None, 'b'),
    ("domain", Value::None, 'd'),
    ("file", Value::Required, 'F'),
    ("fqdn", Value::None, 'f'),
    ("help", Value::None, 'h'),
    ("ip-address", Value::None, 'i'),
    ("long", Value::None, 'f'),
    ("nis", Value::None, 'y'),
    ("short", Value::None, 's'),
    ("version", Value::None, 'V'),
    ("yp", Value::None, 'y'),
];

const USAGE: &str = "\
Usage: hostname [-b] {hostname|-F file}         set host name (from file)
       hostname [-a|-A|-d|-f|-i|-I|-s|-y]       display formatted name
       hostname                                 display host name
";

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let mut options = Getopt::new("hostname", program.args, SHORT, LONG);
    // By its other names it shows one thing.
    let mut what = match program.name {
        "dnsdomainname" => Some('d'),
        "domainname" | "nisdomainname" | "ypdomainname" => Some('y'),
        _ => None,
    };
    while let Some(item) = options.next() {
        match item {
            Item::Option(letter, _) => what = Some(letter),
            Item::Error(text) => {
                let _ = write!(program.shell.err(), "{text}\n{USAGE}");
                return 1;
            }
        }
    }
    if !options.operands().is_empty() || matches!(what, Some('b' | 'F')) {
        return fail(program, "you must be root to change the host name");
    }
    let text = match what {
        Some('I') => addresses(program),
        Some('V') => Ok("hostname 3.23".to_owned()),
        Some('h') => Ok(USAGE.trim_end().to_owned()),
        Some('y') => Err("Local domain name not set"),
        // Names of the addresses are not looked for.
        Some('A') => Ok(String::new()),
        other => named(program, other),
    };
    match text {
        Ok(text) => {
            let _ = writeln!(program.shell.out(), "{text}");
            0
        }
        Err(text) => fail(program, text),
    }
}

fn fail(program: &mut Program<'_>, text: &str) -> i32 {
    let _ = writeln!(program.shell.err(), "{}: {text}", program.name);
    1
}

/// The name, or what the hosts file says of it.
fn named(program: &mut Program<'_>, what: Option<char>) -> Result<String, &'static str> {
    let mut name = String::new();
    let read =
        program.shell.open("/proc/sys/kernel/hostname").and_then(|mut file| file.read_to_string(&mut name));
    read.map_err(|_| "Function not implemented")?;
    let name = name.trim();
    match what {
        None => return Ok(name.to_owned()),
        Some('s') => return Ok(name.split('.').next().unwrap_or(name).to_owned()),
        _ => {}
    }
    let hosts = resolver::hosts_ipv4(program.shell);
    let found = hosts.iter().find(|(_, names)| names.iter().any(|known| known == name));
    let (address, names) = found.ok_or("Name or service not known")?;
    let full = names.first().map_or(name, String::as_str);
    Ok(match what {
        Some('i') => address.to_string(),
        Some('a') => names.get(1..).unwrap_or(&[]).join(" "),
        Some('d') => full.split_once('.').map_or("", |(_, domain)| domain).to_owned(),
        _ => full.to_owned(),
    })
}

/// Of every interface that is up and no loopback; none that hold only on a link of IPv6.
fn addresses(program: &mut Program<'_>) -> Result<String, &'static str> {
    let interfaces = Interfaces::dump(program.system).map_err(|_| "Function not implemented")?;
    let request = Message::GetAddress(AddressMessage::default());
    let mut text = String::new();
    for message in transact(program.system, &request, NLM_F_DUMP).unwrap_or_default() {
        let Message::NewAddress(message) = message else { continue };
        let counts = interfaces.by_index(message.header.index).is_some_and(|interface| {
            interface.flags() & IFF_UP != 0 && interface.hardware() != ARPHRD_LOOPBACK
        });
        let local = message.attributes.iter().find_map(|attribute| match attribute {
            AddressAttribute::Local(address) => Some(*address),
            _ => None,
        });
        let address = message.attributes.iter().find_map(|attribute| match attribute {
            AddressAttribute::Address(address) => Some(*address),
            _ => None,
        });
        match local.or(address) {
            Some(IpAddr::V6(address)) if address.is_unicast_link_local() => {}
            Some(address) if counts => text.push_str(&format!("{address} ")),
            _ => {}
        }
    }
    Ok(text)
}
