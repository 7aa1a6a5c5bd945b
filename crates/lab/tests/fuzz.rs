//! No text makes the reader panic, and whatever it takes for a world can be planned.

use std::io;

use hairpin_lab::{BUILT_IN, load, plan};
use proptest::prelude::*;

const SAMPLE: &str = r#"# all that a world can have
extends: base
segments:
  lan: {kind: switch, pad: 60, trunk: [200], gateway_learns_from_ip: {host: a, dev: eth0, prefix: "10.0."}}
hosts:
  a: &a
    role: gateway
    nics:
      eth0: {segment: lan, mac: "02:00:00:00:00:01", altname: enp0s3, addrgenmode: none, ipv6: no}
      eth1: {master: br0, up: no}
    bridges: {br0: {addr: 172.17.0.1/16, carrier: no}}
    addresses: [{dev: eth0, ip: 10.0.2.15/24, opts: "brd +"}]
    routes: ["default via 10.0.2.2"]
    sysctl: {net.ipv4.ip_forward: yes}
    iptables: ["-P FORWARD DROP"]
    files: {/etc/resolv.conf: "nameserver 10.0.2.3"}
    setup: ["ip link add d0 type dummy"]
    answers: [{ip: 8.8.8.8, ttl: 117}]
    dns: {server: 10.0.2.3, names: {example.org: {a: [192.0.2.1]}}}
  b: {nics: {eth0: {segment: lan}}}
"#;

/// Reads a text, with errors made into text, too.
fn survives(text: &str) {
    let mut files = |path: &str| match path {
        "w.yaml" => Ok(text.to_owned()),
        "base.yaml" => Ok("segments: {lan: {kind: hub}}\nhosts: {c: {nics: {e: {segment: lan}}}}".to_owned()),
        _ => Err(io::ErrorKind::NotFound.into()),
    };
    match load("w.yaml", &mut files) {
        Ok(world) => {
            assert!(!world.hosts.is_empty());
            assert!(!plan(&world).to_string().is_empty());
        }
        Err(errors) => {
            assert!(!errors.list.is_empty());
            assert!(!errors.to_string().is_empty());
        }
    }
}

/// Pieces of which YAML is made, ours and others.
fn piece() -> impl Strategy<Value = String> {
    const FIXED: &[&str] = &[
        "\n",
        "\n  ",
        "\n    ",
        "\n- ",
        "\t",
        " ",
        ": ",
        ":",
        ", ",
        "{",
        "}",
        "[",
        "]",
        "\"",
        "'",
        "#",
        "&a ",
        "*a",
        "!t ",
        "|",
        ">",
        "? ",
        "- ",
        "---\n",
        "...\n",
        "%YAML 1.1\n",
        "<<: ",
        "~",
        "no",
        "\u{feff}",
        "\0",
        "\u{2028}",
        "é",
        "-1",
        "4294967296",
        "hosts:",
        "segments:",
        "extends: ",
        "nics:",
        "addresses:",
        "mac: ",
        "segment: ",
        "lan",
        "eth0",
        "a:",
        "10.0.0.1/24",
        "8.8.8.8",
        "::/0",
        "02:00:00:00:00:01",
        "ip route",
    ];
    prop_oneof![
        4 => proptest::sample::select(FIXED).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => "[ -~]{0,12}",
    ]
}

/// Something done to a text: characters `from..from + cut` replaced by another text.
fn edit() -> impl Strategy<Value = (prop::sample::Index, usize, String)> {
    (
        any::<prop::sample::Index>(),
        0_usize..12,
        prop::collection::vec(piece(), 0..3).prop_map(|all| all.concat()),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in any::<String>()) {
        survives(&text);
    }

    #[test]
    fn pieces_of_yaml(pieces in prop::collection::vec(piece(), 0..60)) {
        survives(&pieces.concat());
    }

    #[test]
    fn a_world_with_slips(edits in prop::collection::vec(edit(), 1..6)) {
        let mut text: Vec<char> = SAMPLE.chars().collect();
        for (from, cut, with) in edits {
            let from = from.index(text.len() + 1);
            let to = (from + cut).min(text.len());
            text.splice(from..to, with.chars());
        }
        survives(&text.into_iter().collect::<String>());
    }
}

#[test]
fn the_sample_is_a_world() {
    let text = SAMPLE.replace("extends: base", "");
    hairpin_lab::parse("w", &text).unwrap_or_else(|errors| panic!("\n{errors}\n"));
    for (_, text) in BUILT_IN {
        survives(text);
    }
}
