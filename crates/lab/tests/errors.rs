//! What is said about a broken world file: where, what, and how to mend it.

use hairpin_lab::parse;

#[track_caller]
fn says(yaml: &str, expected: &str) {
    match parse("w.yaml", yaml) {
        Ok(world) => panic!("this is a world: {world:?}\n{yaml}"),
        Err(errors) => assert_eq!(errors.to_string(), expected, "\n{yaml}"),
    }
}

/// In a host `a` that has a NIC `eth0` on a switch `lan`: the position is counted from the given line.
#[track_caller]
fn host_says(line: &str, expected: &str) {
    let yaml = format!("segments: {{lan: }}\nhosts:\n  a:\n    nics: {{eth0: {{segment: lan}}}}\n{line}\n");
    says(&yaml, &format!("w.yaml:5:{expected}"));
}

#[test]
fn unknown_keys() {
    says("host: {a: }", "w.yaml:1:1: unknown key `host` in a world\n  help: did you mean `hosts`?");
    host_says("    adresses: []", "5: unknown key `adresses` in host `a`\n  help: did you mean `addresses`?");
    says(
        "hosts: {a: {nics: {eth0: {vlan: 5}}}}",
        "w.yaml:1:27: unknown key `vlan` in NIC `eth0`\n  \
         help: keys: segment, mac, doc_mac, altname, master, addrgenmode, up, ipv6, kind",
    );
}

#[test]
fn wrong_types() {
    says(
        "hosts: [a, b]",
        "w.yaml:1:8: `hosts` is a map, not a list\n  help: write `{KEY: VALUE}`, or `KEY: VALUE` in lines of its own",
    );
    says("- a", "w.yaml:1:1: a world is a map, not a list\n  help: it begins with `hosts:` or `extends:`");
    says(
        "hosts: {a: 5}",
        "w.yaml:1:12: host `a` is a map, not `5`\n  help: write `{KEY: VALUE}`, or `KEY: VALUE` in lines of its own",
    );
    host_says(
        "    routes: default via 10.0.0.1",
        "13: `routes` is a list, not `default via 10.0.0.1`\n  help: write `- \"default via 192.0.2.1\"` in a line of its own",
    );
    host_says(
        "    routes: [{a: b}]",
        "14: an element of `routes` is a text, not a map\n  help: write it in quotes, `\"…\"`",
    );
    says(
        "hosts: {a: {nics: {e: {up: maybe}}}}",
        "w.yaml:1:28: `up` is yes or no, not `maybe`\n  help: write `yes` or `no`",
    );
    says(
        "hosts: {a: }\nsegments: {s: {pad: 5000}}",
        "w.yaml:2:21: `pad` is a number from 14 to 1514, not `5000`\n  help: write the number only",
    );
    says(
        "hosts: {a: }\nsegments: {s: {trunk: [200, 4095]}}",
        "w.yaml:2:29: a VLAN ID is a number from 1 to 4094, not `4095`\n  help: write the number only",
    );
    says(
        "hosts: {a: }\nsegments: {s: {kind: swich}}",
        "w.yaml:2:22: `kind` cannot be `swich`\n  help: did you mean `switch`?",
    );
    says(
        "hosts: {a: {nics: {e: {addrgenmode: of}}}}",
        "w.yaml:1:37: `addrgenmode` cannot be `of`\n  help: one of: eui64, none, stable_secret, random",
    );
}

#[test]
fn names_that_do_not_exist() {
    says(
        "segments: {lan: }\nhosts: {a: {nics: {e: {segment: lam}}}}",
        "w.yaml:2:33: there is no segment `lam`\n  help: did you mean `lan`?",
    );
    says(
        "hosts: {a: {nics: {e: {segment: lan}}}}",
        "w.yaml:1:33: there is no segment `lan`\n  help: declare it: `segments: {lan: {kind: switch}}`",
    );
    says(
        "hosts: {a: {nics: {e: {master: br0}}}}",
        "w.yaml:1:32: this host has no bridge `br0`\n  help: declare it: `bridges: {br0: }`",
    );
    host_says(
        "    addresses: [{dev: eht0, ip: 10.0.0.1/8}]",
        "23: there is no device `eht0`\n  help: did you mean `eth0`?",
    );
    let learns = |text: &str| {
        format!("segments: {{s: {{gateway_learns_from_ip: {text}}}}}\nhosts: {{gw: {{nics: {{e: }}}}}}")
    };
    says(
        &learns("{host: gv, dev: e, prefix: 10.0.2.}"),
        "w.yaml:1:47: there is no host `gv`\n  help: did you mean `gw`?",
    );
    says(
        &learns("{host: gw, dev: x, prefix: 10.0.2.}"),
        "w.yaml:1:56: host `gw` has no NIC `x`\n  help: NICs: e",
    );
    says(
        &learns("{host: gw, dev: e}"),
        "w.yaml:1:40: `gateway_learns_from_ip` needs `prefix`\n  help: write `{host: HOST, dev: NIC, prefix: 10.0.2.0/24}`, or `no`",
    );
    says(
        &learns("{host: gw, dev: e, prefix: 10.0.2}"),
        "w.yaml:1:67: `prefix` is an IPv4 prefix, not `10.0.2`\n  help: write `10.0.2.0/24` or `10.0.2.`",
    );
}

#[test]
fn things_that_are_there_twice() {
    says(
        "hosts:\n  a:\n  b:\n  a:\n",
        "w.yaml:4:3: `a` appears twice here, first in line 2\n  help: merge the two, or rename one",
    );
    says(
        "hosts: {a: {nics: {e: }, bridges: {e: }}}",
        "w.yaml:1:20: there is a device `e` already, in line 1\n  help: rename one of them",
    );
    says(
        "hosts: {a: {nics: {lo: }}}",
        "w.yaml:1:20: there is a device `lo` in every host already\n  help: leave it out, or choose another name",
    );
    says(
        "segments: {lan: }\nhosts:\n  a: {nics: {e: {segment: lan, mac: 2:0:0:0:0:1}}}\n  b: {nics: {e: {segment: lan, mac: 02:00:00:00:00:01}}}",
        "w.yaml:4:37: the MAC address is taken in segment `lan`: host `a`, NIC `e` has it\n  help: give one of them another, or leave `mac` out: then each gets its own",
    );
    says(
        "segments: {c: {kind: cable}}\nhosts: {a: {nics: {e: {segment: c}, f: {segment: c}, g: {segment: c}}}}",
        "w.yaml:2:67: the cable `c` has two ends, and they are taken: host `a`, NIC `e`, host `a`, NIC `f`\n  help: make the segment a `hub` or a `switch`",
    );
}

#[test]
fn addresses() {
    let ip =
        |ip: &str, expected: &str| host_says(&format!("    addresses: [{{dev: eth0, ip: {ip}}}]"), expected);
    ip(
        "10.0.0.256/8",
        "33: `10.0.0.256` is no IP address\n  help: write it as `192.0.2.1/24` or `2001:db8::1/64`",
    );
    ip("10.0.0.1/33", "33: `33` is no prefix length of `10.0.0.1`\n  help: it is a number from 0 to 32");
    ip("\"fe80::1/129\"", "33: `129` is no prefix length of `fe80::1`\n  help: it is a number from 0 to 128");
    host_says(
        "    addresses: [{dev: eth0}]",
        "17: an address needs `ip`\n  help: write `{dev: eth0, ip: 192.0.2.1/24}`",
    );
    host_says(
        "    answers: [{ip: 8.8.8.8/32}]",
        "20: `ip` is an address without prefix length, not `8.8.8.8/32`\n  help: write `192.0.2.1`",
    );
    host_says(
        "    answers: [{ip: 8.8.8.8, ttl: 255}]",
        "34: `ttl` is a number from 1 to 254, not `255`\n  help: write the number only",
    );
    let mac = |mac: &str, expected: &str| {
        says(&format!("hosts: {{a: {{nics: {{e: {{mac: {mac}}}}}}}}}"), &format!("w.yaml:1:29: {expected}"))
    };
    mac(
        "02:00:00:00:00",
        "`mac` is a MAC address, not `02:00:00:00:00`\n  help: write six bytes in hexadecimal: `\"02:00:00:00:00:01\"`",
    );
    mac(
        "bb:00:00:00:00:01",
        "a group address cannot be a NIC's: its first byte is odd\n  help: make its first byte even: `ba:…`",
    );
    mac("0:0:0:0:0:0", "the zero address cannot be a NIC's\n  help: leave `mac` out: then the NIC gets one");
}

#[test]
fn arguments_and_names() {
    host_says(
        "    routes: [ip route add default via 10.0.0.1]",
        "14: `routes` has only the arguments, not the command itself\n  help: leave out `ip route add`",
    );
    host_says(
        "    routes: [default via 10.0.0.1; reboot]",
        "14: an element of `routes` contains ';': `default via 10.0.0.1; reboot`\n  help: arguments are not for a shell: quote the ';', or write the line in `setup`",
    );
    host_says(
        "    iptables: [\"-j 'x\"]",
        "16: an element of `iptables` has an unfinished quote: `-j 'x`\n  help: close the quote, or put a backslash before it",
    );
    host_says(
        "    routes: [\"\"]",
        "14: an element of `routes` is empty\n  help: write the arguments of `ip route add`",
    );
    host_says(
        "    files: {etc/hosts: x}",
        "13: `etc/hosts` is no absolute path of a file\n  help: write `/etc/resolv.conf: \"…\"`",
    );
    host_says(
        "    sysctl: {net.ipv4.ip_forward=1: }",
        "14: `net.ipv4.ip_forward=1` is no sysctl variable\n  help: write `net.ipv4.ip_forward: 1`",
    );
    says(
        "hosts: {a: {nics: {a-name-of-16-byte: }}}",
        "w.yaml:1:20: NIC `a-name-of-16-byte` cannot have this name: it has 17 bytes, at most 15 are allowed\n  help: a device's name is like `eth0` or `br-lan`",
    );
    says(
        "hosts: {-a b: }",
        "w.yaml:1:9: host `-a b` cannot have this name: it must begin with a letter, a digit or `_`\n  help: a host's name has letters, digits, `-`, `_` and `.`",
    );
}

#[test]
fn no_yaml_or_no_world() {
    says("", "w.yaml: the file is empty\n  help: a world needs at least one host: `hosts: {box: }`");
    says("segments: {lan: }", "w.yaml:1:1: a world without hosts\n  help: at least one: `hosts: {box: }`");
    says(
        "hosts: {a: }\n---\nhosts: {b: }",
        "w.yaml:2:1: a second document\n  help: one file holds one world: remove the `---`",
    );
    says("hosts: !x {a: }", "w.yaml:1:8: a tag: `!x`\n  help: world files need no tags: remove it");
    says(
        "a: &a {b: }\nhosts:\n  <<: *a\n",
        "w.yaml:3:3: merge keys (`<<`) are not part of a world file\n  help: `extends: FILE` merges files",
    );
    says("hosts: {[a]: b}", "w.yaml:1:9: a key must be a single word or text, not a list or a map");
    says("hosts: {a: \"b}", "w.yaml:1:12: not YAML: unclosed quote\n  help: close the quote");
    says(
        "hosts:\n\ta:\n",
        "w.yaml:2:2: not YAML: tabs disallowed within this context (block indentation)\n  help: indent with blanks, not with tabs",
    );
    says(
        "hosts: {a: *x}",
        "w.yaml:1:12: not YAML: while parsing node, found unknown anchor\n  help: a text that begins with `*` needs quotes: `\"*…\"`",
    );
    says("hosts:\n  a: &x {nics: *x}", "w.yaml:2:16: an alias inside the value it stands for");
    says(
        "hosts: {a: {nics: {e: {mac:02:00:00:00:00:01}}}}",
        "w.yaml:1:24: unknown key `mac:02:00:00:00:00:01` in NIC `e`\n  help: a blank must follow the colon: `mac: …`",
    );
}

#[test]
fn bombs() {
    let mut laughs = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let below = vec![format!("*a{}", level - 1); 10].join(", ");
        laughs.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }
    says(&laughs, "w.yaml:5:40: more than 100000 values with all aliases written out");
    let deep = format!("hosts: {}", "{a: ".repeat(60));
    says(&deep, "w.yaml:1:100: nested deeper than 24 levels");
    let mut chain = String::from("b0: &b0 [[[[[[[[[[x]]]]]]]]]]\n");
    chain.push_str("b1: &b1 [[[[[[[[[[*b0]]]]]]]]]]\nb2: [[[[[[[[[[*b1]]]]]]]]]]\n");
    says(&chain, "w.yaml:3:15: with this alias nested deeper than 24 levels");
    let long = "#".repeat((1 << 20) + 1);
    says(&long, "w.yaml: the file is too long for a world: 1048577 bytes, at most 1048576");
}

#[test]
fn all_errors_are_reported_in_the_order_of_the_file() {
    says(
        "hosts:\n  a:\n    nisc: {}\n    up: no\n  b: 5\nsegments: []\n",
        "w.yaml:3:5: unknown key `nisc` in host `a`\n  help: did you mean `nics`?\n\
         w.yaml:4:5: unknown key `up` in host `a`\n  help: keys: role, nics, bridges, addresses, routes, modules, sysctl, iptables, files, setup, answers, dns, ra\n\
         w.yaml:5:6: host `b` is a map, not `5`\n  help: write `{KEY: VALUE}`, or `KEY: VALUE` in lines of its own\n\
         w.yaml:6:11: `segments` is a map, not a list\n  help: write `{KEY: VALUE}`, or `KEY: VALUE` in lines of its own",
    );
}

#[test]
fn a_flood_of_errors_is_cut() {
    let mut yaml = String::from("hosts:\n  a:\n    nics: {");
    for number in 0..60 {
        yaml.push_str(&format!("e{number}: {{x: 1}}, "));
    }
    let errors = parse("w.yaml", &(yaml + "}\n")).unwrap_err();
    assert_eq!((errors.list.len(), errors.omitted), (50, 10));
    assert!(errors.to_string().ends_with("\nand 10 more errors"), "{errors}");
}
