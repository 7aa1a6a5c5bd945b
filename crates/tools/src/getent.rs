//! `getent hosts` and `getent ahosts`, as glibc 2.36 has them: a real one would ask this machine's name servers. Every other
//! `getent` is the machine's own.

use std::fmt::Write as _;
use std::net::IpAddr;

use crate::resolver::{self, Families};
use crate::{Program, machine};

/// A key that was not found.
const MISSING: i32 = 2;

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let args = program.args;
    let (Some(database), keys) = (args.first(), args.get(1..).unwrap_or(&[])) else {
        return machine::become_own(program, "getent");
    };
    let families = match database.as_str() {
        "hosts" | "ahosts" => Families::Any,
        "ahostsv4" => Families::Ipv4,
        "ahostsv6" => Families::Ipv6,
        _ => return machine::become_own(program, "getent"),
    };
    if keys.is_empty() {
        let mut text = String::new();
        for (address, names) in resolver::hosts_ipv4(program.shell) {
            let _ = writeln!(text, "{:<15} {}", address.to_string(), names.join(" "));
        }
        let _ = program.shell.out().write_all(text.as_bytes());
        return 0;
    }
    let mut code = 0;
    for key in keys {
        let found = match database.as_str() {
            "hosts" => hosts(program, key),
            _ => ahosts(program, key, families),
        };
        match found {
            Some(text) => drop(program.shell.out().write_all(text.as_bytes())),
            None => code = MISSING,
        }
    }
    code
}

/// `print_hosts`: IPv6 is asked for first, and IPv4 where there is none.
fn hosts(program: &mut Program<'_>, key: &str) -> Option<String> {
    if let Ok(address) = key.parse::<IpAddr>() {
        let name = resolver::name_of(program, address).filter(|name| name != key)?;
        return Some(line(address, &format!(" {name}")));
    }
    if let Ok(host) = resolver::lookup_ipv6(program, key) {
        return Some(line(host.address.into(), &format!(" {}", host.canonical)));
    }
    let host = resolver::lookup_ipv4(program, key).ok()?;
    Some(line(host.address.into(), &format!(" {}", host.canonical)))
}

/// `ahosts_keys_int`: each address as often as there are kinds of sockets; the first line has the name.
fn ahosts(program: &mut Program<'_>, key: &str, families: Families) -> Option<String> {
    let mut found = resolver::addresses(program, key, families);
    if families == Families::Ipv6 && found.is_err() {
        // `AI_V4MAPPED`
        found = resolver::addresses(program, key, Families::Ipv4).map(|places| {
            let mapped = |place: resolver::Place| match place.address {
                IpAddr::V4(address) => IpAddr::V6(address.to_ipv6_mapped()).into(),
                IpAddr::V6(_) => place,
            };
            places.into_iter().map(mapped).collect()
        });
    }
    let places = found.ok()?;
    let of_file =
        resolver::hosts_ipv4(program.shell).into_iter().find(|(_, names)| names.iter().any(|n| n == key));
    let mut name = of_file.and_then(|(_, names)| names.into_iter().next()).unwrap_or_else(|| key.to_owned());
    let mut text = String::new();
    for place in places {
        for kind in ["STREAM", "DGRAM", "RAW"] {
            text += &line(place.address, &format!(" {kind:<6} {}", std::mem::take(&mut name)));
        }
    }
    Some(text)
}

fn line(address: IpAddr, rest: &str) -> String {
    format!("{:<15}{rest}\n", address.to_string())
}
