//! A capture of many kinds of packets, and the real tcpdump to compare with.

#![allow(dead_code)]
// The tests run a program and feed it.
#![allow(clippy::disallowed_methods)]

pub mod build;
pub mod packets;

use std::io::Write as _;
use std::process::{Command, Stdio};

use hairpin_capture::pcap::Writer;
use hairpin_capture::{LinkType, Packet};

/// The version whose text is ours.
const VERSION: &str = "tcpdump version 4.99.3\nlibpcap version 1.10.3 ";

/// The real tcpdump, if it is there in our version. In CI one must be there.
pub fn tcpdump() -> Option<&'static str> {
    let paths = ["/usr/bin/tcpdump", "/usr/sbin/tcpdump"];
    let found = paths.into_iter().find(|path| std::path::Path::new(path).exists());
    let Some(path) = found else {
        assert!(std::env::var_os("CI").is_none(), "CI needs tcpdump");
        println!("skipped: tcpdump is not installed");
        return None;
    };
    let output = Command::new(path).arg("--version").output().expect("tcpdump starts");
    let version = String::from_utf8_lossy(&output.stdout).into_owned();
    if !version.starts_with(VERSION) {
        println!("skipped: tcpdump is of another version: {version}");
        return None;
    }
    found
}

pub fn file(packets: &[Packet], link: LinkType) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), link, 262_144, true).expect("a vector takes everything");
    for packet in packets {
        writer.write(packet.time_ns, packet.length, &packet.data).expect("a vector takes everything");
    }
    writer.into_inner()
}

/// What the real program prints on standard output and standard error.
pub fn run(program: &str, arguments: &[&str], file: &[u8]) -> (String, String) {
    let mut child = Command::new(program)
        .args(["-r", "-"])
        .args(arguments)
        .env("TZ", "UTC")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("tcpdump starts");
    let mut input = child.stdin.take().expect("a pipe");
    let bytes = file.to_vec();
    // A bad expression ends the program before it reads everything.
    let writer = std::thread::spawn(move || {
        let _ = input.write_all(&bytes);
    });
    let output = child.wait_with_output().expect("tcpdump ends");
    writer.join().expect("the writer ends");
    (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}
