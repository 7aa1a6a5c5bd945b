//! `ip maddress`: the link-layer, IPv4 and IPv6 groups that devices listen to, from the files of `/proc/net`.

use std::net::{Ipv4Addr, Ipv6Addr};

use hairpin_netlink::Call;

use crate::iproute2::inet::{AF_INET, AF_INET6, AF_PACKET};
use crate::iproute2::layer::parse_lladdr;
use crate::iproute2::links::is_ifname;
use crate::iproute2::print::Color;
use crate::iproute2::{Args, Context, Stop, matches};

const USAGE: &str = "\
Usage: ip maddr [ add | del ] MULTIADDR dev STRING
       ip maddr show [ dev STRING ]
";

/// A group, and how many on the device want it.
struct Group {
    index: u32,
    device: String,
    family: u8,
    address: String,
    users: u32,
    is_static: bool,
}

/// Runs `ip maddress` with the arguments behind the object.
pub(super) fn main(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let Some(command) = args.take() else { return show(context, args) };
    let is = |name| matches(command, name);
    if is("add") {
        change(context, args, true)
    } else if is("delete") {
        change(context, args, false)
    } else if is("show") || is("lst") || is("list") {
        show(context, args)
    } else if is("help") {
        Err(Stop::exit(255, USAGE))
    } else {
        Err(Stop::exit(255, format!("Command \"{command}\" is unknown, try \"ip maddr help\".\n")))
    }
}

/// Joins or leaves a link-layer group.
fn change(context: &mut Context<'_>, mut args: Args<'_>, join: bool) -> Result<(), Stop> {
    let mut device = None;
    let mut mac = [0; 6];
    while let Some(word) = args.take() {
        if word == "dev" {
            let name = args.value()?;
            if device.is_some() {
                return Err(Stop::duparg("dev", name));
            }
            if !is_ifname(name) {
                return Err(Stop::invarg("\"dev\" not a valid ifname", name));
            }
            device = Some(name);
            continue;
        }
        let word = if matches(word, "address") { args.value()? } else { word };
        if matches(word, "help") {
            return Err(Stop::exit(255, USAGE));
        }
        if mac[0] != 0 {
            return Err(Stop::duparg("address", word));
        }
        let bytes = parse_lladdr(word).map_err(|text| Stop::fail(1, text))?;
        mac = bytes.as_slice().try_into().map_err(|_| {
            let len = bytes.len();
            Stop::fail(1, format!("Error: Invalid address length {len} - must be 6 bytes\n"))
        })?;
    }
    let Some(device) = device else {
        return Err(Stop::exit(255, "Not enough information: \"dev\" is required.\n"));
    };
    let call = Call::Group { device: device.to_owned(), mac, join };
    match context.system.call(call) {
        Ok(_) => Ok(()),
        Err(errno) => Err(Stop::fail(1, format!("ioctl: {}\n", errno.text()))),
    }
}

fn show(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let mut device = None;
    while let Some(word) = args.take() {
        let word = if word == "dev" { args.value()? } else { word };
        if matches(word, "help") {
            return Err(Stop::exit(255, USAGE));
        }
        if device.is_some() {
            return Err(Stop::duparg2("dev", word));
        }
        device = Some(word);
    }
    let mut groups = Vec::new();
    for (family, path, read) in FILES {
        if [0, *family].contains(&context.options.family) {
            let text = context.system.read_file(path).unwrap_or_default();
            read(&String::from_utf8_lossy(&text), &mut groups);
        }
    }
    groups.retain(|group| device.is_none_or(|device| group.device == device));
    // By device, with the families in their order.
    groups.sort_by_key(|group| group.index);
    print(context, &groups);
    Ok(())
}

type Read = fn(&str, &mut Vec<Group>);

const FILES: &[(u8, &str, Read)] = &[
    (AF_PACKET, "/proc/net/dev_mcast", read_link),
    (AF_INET, "/proc/net/igmp", read_inet),
    (AF_INET6, "/proc/net/igmp6", read_inet6),
];

/// Index, name, users, and of these those of `ip maddress add`; then the address.
fn read_link(text: &str, groups: &mut Vec<Group>) {
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [index, device, users, global, address] = words[..] else { continue };
        let (Ok(index), Ok(users)) = (index.parse(), users.parse()) else { continue };
        let pairs: Vec<&str> =
            (0..address.len() / 2).filter_map(|at| address.get(2 * at..2 * at + 2)).collect();
        groups.push(Group {
            index,
            device: device.to_owned(),
            family: AF_PACKET,
            address: pairs.join(":"),
            users,
            is_static: global != "0",
        });
    }
}

/// A line for the device (index, name) stands before those of its groups (the address as the memory's bytes read as one
/// number, users).
fn read_inet(text: &str, groups: &mut Vec<Group>) {
    let mut device = None;
    for line in text.lines().skip(1) {
        let mut words = line.split_whitespace();
        let Some(first) = words.next() else { continue };
        if !line.starts_with('\t') {
            let name = words.next().map(|name| name.trim_end_matches(':').to_owned());
            device = first.parse::<u32>().ok().zip(name);
        } else if let Some((index, device)) = &device
            && let Ok(address) = u32::from_str_radix(first, 16)
        {
            groups.push(Group {
                index: *index,
                device: device.clone(),
                family: AF_INET,
                address: Ipv4Addr::from(address.to_ne_bytes()).to_string(),
                users: words.next().and_then(|users| users.parse().ok()).unwrap_or(1),
                is_static: false,
            });
        }
    }
}

/// Index, name, address, users.
fn read_inet6(text: &str, groups: &mut Vec<Group>) {
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [index, device, address, users, ..] = words[..] else { continue };
        let (Ok(index), Ok(users)) = (index.parse(), users.parse()) else { continue };
        let Ok(address) = u128::from_str_radix(address, 16) else { continue };
        groups.push(Group {
            index,
            device: device.to_owned(),
            family: AF_INET6,
            address: Ipv6Addr::from(address).to_string(),
            users,
            is_static: false,
        });
    }
}

fn print(context: &mut Context<'_>, groups: &[Group]) {
    context.begin();
    let print = &mut context.print;
    // On lines of their own, each group says whose it is.
    let alone = print.oneline && !print.is_json();
    for of_device in groups.chunk_by(|a, b| !alone && a.index == b.index) {
        let Some(Group { index, device, .. }) = of_device.first() else { continue };
        print.open_object(None);
        print.any("ifindex", *index, format_args!("{index}:"));
        print.colored(Color::InterfaceName, "ifname", device, format_args!("\t{device}"));
        print.line();
        print.open_array(Some("maddr"));
        for group in of_device {
            let address = &group.address;
            print.text(format_args!("\t"));
            print.open_object(None);
            if group.family == AF_PACKET {
                print.text(format_args!("link  "));
                print.colored(Color::Mac, "link", address, format_args!("{address}"));
            } else {
                let family = if group.family == AF_INET { "inet" } else { "inet6" };
                print.any("family", family, format_args!("{family:<5} "));
                print.colored(Color::family(group.family), "address", address, format_args!("{address}"));
            }
            if group.users != 1 {
                print.any("users", group.users, format_args!(" users {}", group.users));
            }
            if group.is_static {
                print.any("features", "static", format_args!(" static"));
            }
            print.text(format_args!("\n"));
            print.close_object();
        }
        print.close_array();
        print.close_object();
    }
    context.end();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_read_from_what_linux_writes() {
        let mut groups = Vec::new();
        read_link("3    eth0            3     1     333300000001\n", &mut groups);
        read_inet(
            "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n\
             3\teth0      :     1      V3\n\t\t\t\t010000E0     2 0:00000000\t\t0\n",
            &mut groups,
        );
        read_inet6("3    eth0            ff020000000000000000000000000001     1 0000000C 0\n", &mut groups);
        let seen: Vec<_> = groups
            .iter()
            .map(|g| (g.index, g.device.as_str(), g.address.as_str(), g.users, g.is_static))
            .collect();
        let little = cfg!(target_endian = "little");
        assert_eq!(
            seen,
            [
                (3, "eth0", "33:33:00:00:00:01", 3, true),
                (3, "eth0", if little { "224.0.0.1" } else { "1.0.0.224" }, 2, false),
                (3, "eth0", "ff02::1", 1, false),
            ]
        );
        read_link("damaged", &mut groups);
        read_inet("\n\tx\n", &mut groups);
        assert_eq!(groups.len(), 3);
    }
}
