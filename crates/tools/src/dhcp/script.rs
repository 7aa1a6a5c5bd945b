//! What `udhcpc -s SCRIPT` tells the script: a word, and the answer in its environment (busybox's networking/udhcp/dhcpc.c,
//! `fill_envp`, common.c, `dhcp_option_strings`). Options 119, 120 and 212 have names there and none here: they are told as
//! `opt119` and so on.

use std::net::Ipv4Addr;

use super::{Message, option, until_nul};
use crate::{Launch, Program};

/// How an option is written.
#[derive(Clone, Copy)]
enum Form {
    Addresses,
    Text,
    /// A text that goes into commands: what is no host's name is not told.
    Host,
    Byte,
    Short,
    Long,
    /// Pairs of a network and a router.
    Pairs,
    /// Routes without classes (RFC 3442).
    Routes,
}

/// Options that have names.
const NAMES: &[(u8, &str, Form)] = &[
    (1, "subnet", Form::Addresses),
    (2, "timezone", Form::Long),
    (3, "router", Form::Addresses),
    (6, "dns", Form::Addresses),
    (9, "lprsrv", Form::Addresses),
    (12, "hostname", Form::Host),
    (13, "bootsize", Form::Short),
    (15, "domain", Form::Host),
    (16, "swapsrv", Form::Addresses),
    (17, "rootpath", Form::Text),
    (23, "ipttl", Form::Byte),
    (26, "mtu", Form::Short),
    (28, "broadcast", Form::Addresses),
    (33, "routes", Form::Pairs),
    (40, "nisdomain", Form::Host),
    (41, "nissrv", Form::Addresses),
    (42, "ntpsrv", Form::Addresses),
    (44, "wins", Form::Addresses),
    (51, "lease", Form::Long),
    (54, "serverid", Form::Addresses),
    (56, "message", Form::Text),
    (60, "vendor", Form::Text),
    (66, "tftp", Form::Host),
    (67, "bootfile", Form::Text),
    (100, "tzstr", Form::Text),
    (101, "tzdbstr", Form::Text),
    (121, "staticroutes", Form::Routes),
    (132, "vlanid", Form::Short),
    (133, "vlanpriority", Form::Byte),
    (209, "pxeconffile", Form::Text),
    (210, "pxepathprefix", Form::Text),
    (211, "reboottime", Form::Long),
    (249, "msstaticroutes", Form::Routes),
    (252, "wpad", Form::Text),
];

/// What option 52 says that options stand in, in the place of a name (RFC 2132, 9.3).
const OVERLOADS_BOOT_FILE: u8 = 1;
const OVERLOADS_SERVER_NAME: u8 = 2;

/// Runs the script with a word, and what the server has answered.
pub(super) fn run(
    program: &mut Program<'_>,
    script: &str,
    interface: &str,
    word: &str,
    answer: Option<&Message>,
) {
    let mut environment = vec![("interface".to_owned(), interface.to_owned())];
    if let Some(answer) = answer {
        environment.extend(told(answer));
    }
    let argv = [script.to_owned(), word.to_owned()];
    let launch = Launch { argv: &argv, environment: &environment, input: false };
    let _ = program.shell.err().flush();
    if let Err(error) = program.shell.run(&launch) {
        let _ = writeln!(program.shell.err(), "udhcpc: can't execute '{script}': {error}");
    }
}

fn told(answer: &Message) -> Vec<(String, String)> {
    let mut told = vec![("ip".to_owned(), answer.yours.to_string())];
    if !answer.server.is_unspecified() {
        told.push(("siaddr".to_owned(), answer.server.to_string()));
    }
    if !answer.relay.is_unspecified() {
        told.push(("giaddr".to_owned(), answer.relay.to_string()));
    }
    let overload = answer.option(option::OVERLOAD).and_then(<[u8]>::first).copied().unwrap_or(0);
    for (name, value, taken) in [
        ("boot_file", &answer.boot_file, OVERLOADS_BOOT_FILE),
        ("sname", &answer.server_name, OVERLOADS_SERVER_NAME),
    ] {
        if overload & taken == 0 && !value.is_empty() {
            told.push((name.to_owned(), text(value, Form::Text)));
        }
    }
    for (code, value) in answer.options.iter().filter(|(_, value)| !value.is_empty()) {
        let known = NAMES.iter().find(|(known, ..)| known == code);
        let Some((_, name, form)) = known else {
            let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
            told.push((format!("opt{code}"), hex));
            continue;
        };
        told.push(((*name).to_owned(), text(value, *form)));
        if *code == option::MASK
            && let Some(mask) = value.first_chunk::<4>()
        {
            told.push(("mask".to_owned(), u32::from_be_bytes(*mask).count_ones().to_string()));
        }
    }
    told
}

fn text(value: &[u8], form: Form) -> String {
    let address = |bytes: &[u8]| bytes.first_chunk::<4>().map(|bytes| Ipv4Addr::from(*bytes).to_string());
    let joined = |texts: Vec<String>| texts.join(" ");
    match form {
        Form::Addresses => joined(value.chunks_exact(4).filter_map(address).collect()),
        Form::Pairs => {
            let pair =
                |pair: &[u8]| Some(format!("{}/{}", address(pair.get(..4)?)?, address(pair.get(4..)?)?));
            joined(value.chunks_exact(8).filter_map(pair).collect())
        }
        // An environment has no room for what stands behind a NUL.
        Form::Text => String::from_utf8_lossy(until_nul(value)).into_owned(),
        Form::Host if is_host_name(until_nul(value)) => text(value, Form::Text),
        // It takes no more room than what it stands for, with a NUL.
        Form::Host => "bad".chars().take(value.len().saturating_sub(1)).collect(),
        Form::Routes => routes(value).join(" "),
        Form::Byte => joined(value.iter().map(u8::to_string).collect()),
        Form::Short => joined(
            value
                .chunks_exact(2)
                .map(|half| half.iter().fold(0u32, |sum, byte| sum << 8 | u32::from(*byte)).to_string())
                .collect(),
        ),
        Form::Long => joined(
            value
                .chunks_exact(4)
                .map(|word| word.iter().fold(0u32, |sum, byte| sum << 8 | u32::from(*byte)).to_string())
                .collect(),
        ),
    }
}

/// `good_hostname`
fn is_host_name(name: &[u8]) -> bool {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    name.first() != Some(&b'-') && name.iter().all(fits)
}

/// Each as `10.1.0.0/16 10.0.0.1`, up to the first that is damaged.
fn routes(mut value: &[u8]) -> Vec<String> {
    let mut routes = Vec::new();
    while let Some((&length @ 0..=32, rest)) = value.split_first()
        && let Some((network, rest)) = rest.split_at_checked(usize::from(length).div_ceil(8))
        && let Some((router, rest)) = rest.split_first_chunk::<4>()
    {
        let mut octets = [0; 4];
        octets.iter_mut().zip(network).for_each(|(octet, byte)| *octet = *byte);
        routes.push(format!("{}/{length} {}", Ipv4Addr::from(octets), Ipv4Addr::from(*router)));
        value = rest;
    }
    routes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dhcp::Kind;

    /// What Debian's busybox 1.35 has told a script of the same answer.
    #[test]
    fn an_answer_is_told_as_busybox_tells_it() {
        let mut answer = Message::request(Kind::Ack, 1, [0; 6]);
        answer.yours = Ipv4Addr::new(10, 9, 0, 5);
        answer.server = Ipv4Addr::new(10, 9, 0, 9);
        answer.server_name = b"srv;x".to_vec();
        answer.boot_file = b"boot f".to_vec();
        for (code, value) in [
            (1, &[255, 255, 255, 0][..]),
            (58, &[0; 4]),
            (12, b"-x"),
            (15, b"a\0b c"),
            (40, b"n; reboot"),
            (66, b"good_1.x."),
            (67, b"bo;\0x"),
            (17, b""),
            (7, &[1, 2, 3, 4]),
            (121, &[24, 10, 1, 2, 10, 9, 0, 2, 0, 10, 9, 0, 1, 33, 1]),
            (249, &[9, 10, 128, 10, 9, 0, 3, 8, 10, 1]),
        ] {
            answer.push(code, value);
        }
        let mut lines: Vec<String> =
            told(&answer).into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        lines.sort();
        assert_eq!(
            lines,
            [
                "boot_file=boot f",
                "bootfile=bo;",
                "domain=a",
                "hostname=b",
                "ip=10.9.0.5",
                "mask=24",
                "msstaticroutes=10.128.0.0/9 10.9.0.3",
                "nisdomain=bad",
                "opt53=05",
                "opt58=00000000",
                "opt7=01020304",
                "siaddr=10.9.0.9",
                "sname=srv;x",
                "staticroutes=10.1.2.0/24 10.9.0.2 0.0.0.0/0 10.9.0.1",
                "subnet=255.255.255.0",
                "tftp=good_1.x.",
            ]
        );
        answer.push(option::OVERLOAD, [OVERLOADS_BOOT_FILE | OVERLOADS_SERVER_NAME]);
        assert!(!told(&answer).iter().any(|(name, _)| name == "sname" || name == "boot_file"));
    }
}
