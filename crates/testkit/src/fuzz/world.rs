//! World files. The input is the text.

use std::io;

use hairpin_lab::{BUILT_IN, load, plan};

const BASE: &str = "segments: {lan: {kind: hub}}\nhosts: {c: {nics: {e: {segment: lan}}}}\n";
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
    files: {/etc/resolv.conf: "nameserver 10.0.2.3"}
    setup: ["ip link add d0 type dummy"]
    answers: [{ip: 8.8.8.8, ttl: 117}]
    dns: {server: 10.0.2.3, names: {example.org: {a: [192.0.2.1]}}}
  b: {nics: {eth0: {segment: lan}}}
"#;

/// Runs one input.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut files = |path: &str| match path {
        "w.yaml" => Ok(text.clone().into_owned()),
        "base.yaml" => Ok(BASE.to_owned()),
        _ => Err(io::ErrorKind::NotFound.into()),
    };
    match load("w.yaml", &mut files) {
        Ok(world) => assert!(!plan(&world).to_string().is_empty()),
        Err(errors) => assert!(!errors.to_string().is_empty()),
    }
}

/// The built-in worlds, and one with everything in it.
pub fn seeds() -> Vec<Vec<u8>> {
    let built_in = BUILT_IN.iter().map(|(_, text)| text.as_bytes().to_vec());
    built_in.chain([SAMPLE.as_bytes().to_vec()]).collect()
}
