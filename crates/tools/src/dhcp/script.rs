//! What `udhcpc -s SCRIPT` tells the script: a word, and the answer in its environment (busybox's networking/udhcp/dhcpc.c,
//! `fill_envp`, common.c, `dhcp_option_strings`).

use std::net::Ipv4Addr;

use super::{Message, option};
use crate::{Launch, Program};

/// How an option is written.
#[derive(Clone, Copy)]
enum Form {
    Addresses,
    Text,
    Byte,
    Short,
    Long,
    /// Pairs of a network and a router.
    Pairs,
}

/// Options that have names.
const NAMES: &[(u8, &str, Form)] = &[
    (1, "subnet", Form::Addresses),
    (2, "timezone", Form::Long),
    (3, "router", Form::Addresses),
    (6, "dns", Form::Addresses),
    (7, "logsrv", Form::Addresses),
    (9, "lprsrv", Form::Addresses),
    (12, "hostname", Form::Text),
    (13, "bootsize", Form::Short),
    (15, "domain", Form::Text),
    (16, "swapsrv", Form::Addresses),
    (17, "rootpath", Form::Text),
    (23, "ipttl", Form::Byte),
    (26, "mtu", Form::Short),
    (28, "broadcast", Form::Addresses),
    (33, "routes", Form::Pairs),
    (40, "nisdomain", Form::Text),
    (41, "nissrv", Form::Addresses),
    (42, "ntpsrv", Form::Addresses),
    (44, "wins", Form::Addresses),
    (51, "lease", Form::Long),
    (54, "serverid", Form::Addresses),
    (56, "message", Form::Text),
    (66, "tftp", Form::Text),
    (67, "bootfile", Form::Text),
];

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
    // One that cannot be run says nothing.
    let _ = program.shell.run(&launch);
}

fn told(answer: &Message) -> Vec<(String, String)> {
    let mut told = vec![("ip".to_owned(), answer.yours.to_string())];
    if !answer.server.is_unspecified() {
        told.push(("siaddr".to_owned(), answer.server.to_string()));
    }
    for (code, value) in &answer.options {
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
        Form::Text => String::from_utf8_lossy(value).trim_end_matches('\0').to_owned(),
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
