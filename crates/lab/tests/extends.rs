//! Files, and what they extend.

use std::collections::BTreeMap;
use std::io;

use hairpin_lab::{Errors, SegmentKind, World, load, open};

/// Loads `path` from a file system of these files.
fn world(files: &[(&str, &str)], path: &str) -> Result<World, Errors> {
    load(path, &mut loader(files))
}

fn loader<'a>(files: &'a [(&'a str, &'a str)]) -> impl FnMut(&str) -> io::Result<String> + 'a {
    let files: BTreeMap<&str, &str> = files.iter().copied().collect();
    move |path| files.get(path).map(|text| (*text).to_owned()).ok_or_else(|| io::ErrorKind::NotFound.into())
}

#[track_caller]
fn says(files: &[(&str, &str)], expected: &str) {
    let errors = world(files, files[0].0).unwrap_err();
    assert_eq!(errors.to_string(), expected);
}

const BASE: (&str, &str) = (
    "w/base.yaml",
    "segments:
  lan: {kind: switch, pad: 60, gateway_learns_from_ip: {host: a, dev: eth0, prefix: 10.0.0.0/8}}
hosts:
  a:
    nics: {eth0: {segment: lan, up: no}, eth1: }
    routes: [default via 10.0.0.1]
    sysctl: {net.ipv4.ip_forward: 1}
  b:
    role: gateway
",
);

#[test]
fn maps_are_merged_and_the_rest_is_replaced() {
    let over = "extends: base
segments:
  lan: {kind: hub, gateway_learns_from_ip: no}
hosts:
  c:
  a:
    nics: {eth2: , eth0: {up: yes}}
    routes: [10.1.0.0/16 via 10.0.0.2]
  b:
";
    let world = world(&[("w/over.yaml", over), BASE], "w/over.yaml").unwrap();
    assert_eq!(world.name, "over");
    let lan = world.segment("lan").unwrap();
    assert_eq!((lan.kind, lan.pad, &lan.gateway_learns_from_ip), (SegmentKind::Hub, Some(60), &None));
    let hosts: Vec<&str> = world.hosts.iter().map(|host| host.name.as_str()).collect();
    assert_eq!(hosts, ["a", "b", "c"]);
    let a = world.host("a").unwrap();
    let nics: Vec<&str> = a.nics.iter().map(|nic| nic.name.as_str()).collect();
    assert_eq!(nics, ["eth0", "eth1", "eth2"]);
    assert!(a.nics[0].up && a.nics[0].segment.as_deref() == Some("lan"));
    assert_eq!(a.routes, [["10.1.0.0/16", "via", "10.0.0.2"]]);
    assert_eq!(a.sysctl[0].value, "1");
    // Nothing replaces a map, too.
    assert_eq!(world.host("b").unwrap().role, None);
}

#[test]
fn names_are_relative_to_the_file_with_or_without_yaml() {
    for name in ["base", "base.yaml", "./base", "../w/base", "sub/../base"] {
        let over = format!("extends: {name}");
        let path = match name {
            "./base" => "w/./base.yaml",
            "../w/base" => "w/../w/base.yaml",
            "sub/../base" => "w/sub/../base.yaml",
            _ => "w/base.yaml",
        };
        assert!(world(&[("w/over.yaml", &over), (path, BASE.1)], "w/over.yaml").is_ok(), "{name}");
    }
    assert!(world(&[("over.yml", "extends: base"), ("base", BASE.1)], "over.yml").is_ok());
    assert!(world(&[("w/over.yaml", "extends: /base"), ("/base.yaml", BASE.1)], "w/over.yaml").is_ok());
    assert!(world(&[("w/over.yaml", "extends: nat")], "w/over.yaml").unwrap().host("gateway").is_some());
    assert!(world(&[("w/over.yaml", "extends:\nhosts: {a: }")], "w/over.yaml").is_ok());
}

#[test]
fn an_error_points_into_the_file_it_is_in() {
    says(
        &[("w/over.yaml", "extends: base\nhosts: {b: {nics: {x: {segment: lon}}}}"), BASE],
        "w/over.yaml:2:33: there is no segment `lon`\n  help: did you mean `lan`?",
    );
    says(
        &[("w/over.yaml", "extends: bad"), ("w/bad.yaml", "hosts:\n  a:\n    nic: {}")],
        "w/bad.yaml:3:5: unknown key `nic` in host `a`\n  help: did you mean `nics`?",
    );
    says(
        &[("w/over.yaml", "extends: bad"), ("w/bad.yaml", "hosts: {a: }\nhosts: {b: }")],
        "w/bad.yaml:2:1: `hosts` appears twice here, first in line 1\n  help: merge the two, or rename one",
    );
    says(
        &[("w/over.yaml", "extends: base\nhosts: {a: {bridges: {eth1: }}}"), BASE],
        "w/base.yaml:5:42: there is a device `eth1` already, in w/over.yaml:2\n  help: rename one of them",
    );
}

#[test]
fn missing_files_and_cycles() {
    says(
        &[("w/over.yaml", "extends: nta")],
        "w/over.yaml:1:10: there is no file w/nta.yaml or w/nta to extend\n  \
         help: did you mean the built-in world `nat`?",
    );
    says(
        &[("w/over.yaml", "extends: elsewhere.yaml")],
        "w/over.yaml:1:10: there is no file w/elsewhere.yaml to extend\n  \
         help: the name is relative to this file's directory, with or without .yaml",
    );
    says(
        &[("a.yaml", "extends: ./a")],
        "a.yaml:1:10: `./a` is this file itself\n  help: let one of them stand alone",
    );
    says(
        &[("a.yaml", "extends: b"), ("b.yaml", "extends: c"), ("c.yaml", "hosts: {a: }\nextends: b.yaml")],
        "c.yaml:2:10: these files extend each other: b.yaml, c.yaml\n  help: let one of them stand alone",
    );
    says(
        &[("a.yaml", "extends: [b]")],
        "a.yaml:1:10: `extends` names one file, not a list\n  help: `extends: NAME`",
    );
    let chain: Vec<(String, String)> =
        (0..40).map(|n| (format!("{n}.yaml"), format!("extends: {}.yaml", n + 1))).collect();
    let chain: Vec<(&str, &str)> = chain.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    says(&chain, "16.yaml:1:10: a chain of more than 16 `extends`");

    let mut denied = |path: &str| match path {
        "a.yaml" => Ok("extends: b".to_owned()),
        _ => Err(io::ErrorKind::PermissionDenied.into()),
    };
    let errors = load("a.yaml", &mut denied).unwrap_err();
    assert_eq!(errors.to_string(), "a.yaml:1:10: cannot read b.yaml: permission denied");
}

#[test]
fn a_world_is_named_as_built_in_or_by_its_path() {
    assert_eq!(open("bare", &mut loader(&[])).unwrap().name, "bare");
    assert_eq!(open("w/base.yaml", &mut loader(&[BASE])).unwrap().name, "base");
    assert_eq!(open("w/base", &mut loader(&[BASE])).unwrap().name, "base");
    let errors = open("baer", &mut loader(&[])).unwrap_err();
    assert_eq!(errors.to_string(), "baer: cannot read: entity not found\n  help: did you mean `bare`?");
    let errors = open("w/x.yaml", &mut loader(&[])).unwrap_err();
    assert_eq!(errors.to_string(), "w/x.yaml: cannot read: entity not found");
}
