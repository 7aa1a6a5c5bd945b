//! IPv6: its extension headers, and ICMPv6 with neighbour discovery.

use super::super::build::*;
use super::{Frame, cut, whole};

pub fn ipv6s() -> Vec<Frame> {
    let hop = hex("3a00 05020000 0100");
    let udp6 = |before: &[u8], next: u8| v6(next).summed(before, 17, udp(40_000, 9999, b"hello"), 6);
    let mut frames = vec![
        udp6(&[], 17),
        V6 { flow: 0x0121_2345, hop_limit: 255, ..v6(17) }.summed(&[], 17, udp(40_000, 9999, b"hello"), 6),
        v6(6).summed(&[], 6, tcp((40_000, 8888), (1, 0), 2, &hex("020405a0"), b""), 16),
        v6(6).summed(&[], 6, tcp((40_000, 8888), (2, 77), 0x10, &[], b"abc"), 16),
        udp6(&hex("1100 0104 00000000"), 0),
        udp6(&hex("1100 0104 00000000"), 60),
        udp6(&hex("3c00 0104 00000000 1100 0104 00000000"), 0),
        udp6(&hex("1100 0000 12345678"), 44),
        v6(44).frame(&[hex("1100 0001 12345678"), udp(40_000, 9999, b"first fragment")].concat()),
        v6(44).frame(&[hex("1100 0020 12345678"), b"second".to_vec()].concat()),
        v6(43).frame(
            &[hex("1102 0001 00000000"), address6("2001:db8::9").to_vec(), udp(1, 2, b"routed")].concat(),
        ),
        v6(43).frame(
            &[hex("1102 0401 00000007"), address6("2001:db8::9").to_vec(), udp(1, 2, b"srv6")].concat(),
        ),
        v6(43).frame(&[hex("1100 0901 00000000"), udp(1, 2, b"unknown")].concat()),
        v6(0).frame(&[hex("1100 c2040001 0000"), udp(1, 2, b"jumbo")].concat()),
        v6(60).frame(
            &[hex("1102 c910"), address6("2001:db8::77").to_vec(), hex("01020000"), udp(1, 2, b"home")]
                .concat(),
        ),
        v6(60).frame(&[hex("1100 1e04 01020304"), udp(1, 2, b"opt")].concat()),
        v6(60).frame(&[hex("1100 0109 00000000"), udp(1, 2, b"bad opt")].concat()),
        v6(59).frame(&[]),
        v6(59).frame(b"trailing"),
        v6(1).frame(&[8, 0, 0, 0]),
        v6(2).frame(&[8, 0, 0, 0]),
        v6(200).frame(&[8, 0, 0, 0]),
        v6(4).frame(&v4(17).packet(&udp(1, 2, b"4in6"))),
        v6(0).frame(&[hop.clone(), vec![128, 0, 0, 0, 0, 1, 0, 1]].concat()),
    ];
    let odd = |from: &str, to: &str| V6 {
        from: from.parse().expect("an address"),
        to: to.parse().expect("an address"),
        ..v6(17)
    };
    frames.push(odd("::", "::1").summed(&[], 17, udp(1, 2, b""), 6));
    frames.push(odd("::ffff:192.0.2.1", "::192.0.2.2").summed(&[], 17, udp(1, 2, b""), 6));
    frames.push(odd("2001:0:0:1::1", "2001:db8:0:1:0:0:0:1").summed(&[], 17, udp(1, 2, b""), 6));
    let mut version = v6(17).frame(&udp(1, 2, b""));
    version[14] = 0x50;
    frames.push(version);
    let mut short = v6(17).frame(&udp(1, 2, b"abcdef"));
    short[19] = 200;
    frames.push(short);
    let mut zero = v6(17).frame(&udp(1, 2, b"abcdef"));
    zero[19] = 0;
    frames.push(zero);
    let mut wrong = udp6(&[], 17);
    wrong[60] ^= 0x42;
    frames.push(wrong);
    let mut frames = whole(frames);
    let long = udp6(&hex("1100 0104 00000000"), 0);
    for captured in [20, 53, 54, 56, 62, 64, 67] {
        frames.push(cut(&long, captured));
    }
    frames
}

pub fn neighbors() -> Vec<Frame> {
    let ip = V6 { hop_limit: 255, ..v6(58) };
    let group = V6 { to: "ff02::1:ff00:2".parse().expect("an address"), ..ip.clone() };
    let target = address6("2001:db8::2");
    let mac = |kind: u8| [&[kind, 1], A.as_slice()].concat();
    let inner = v6(17).packet(&udp(4000, 53, b"abc"));
    let inner_tcp = v6(6).packet(&tcp((4000, 80), (1, 0), 2, &[], b""));
    let error = |word: u32, inner: &[u8]| [&word.to_be_bytes(), inner].concat();
    let mut frames = vec![
        ip.icmp6(128, 0, &hex("00010002 61626364")),
        ip.icmp6(129, 0, &hex("00010002 61626364")),
        group.icmp6(135, 0, &[&[0; 4], target.as_slice(), &mac(1)].concat()),
        group.icmp6(135, 0, &[&[0; 4], target.as_slice()].concat()),
        ip.icmp6(136, 0, &[&[0x60, 0, 0, 0], target.as_slice(), &mac(2)].concat()),
        ip.icmp6(136, 0, &[&[0xe0, 0, 0, 0], target.as_slice()].concat()),
        ip.icmp6(133, 0, &[&[0; 4], mac(1).as_slice()].concat()),
        ip.icmp6(133, 0, &[0; 4]),
        ip.icmp6(
            134,
            0,
            &[
                hex("40c80708 00007530 000003e8"),
                mac(1),
                hex("0304 40c0 00278d00 00093a80 00000000"),
                address6("2001:db8:1::").to_vec(),
                hex("0501 0000 000005dc"),
                hex("1903 0000 00000e10"),
                address6("2001:db8::53").to_vec(),
                hex("1803 3008 00000708"),
                address6("2001:db8:2::").to_vec(),
                hex("1f03 0000 00000e10"),
                name("example.com"),
                vec![0; 3],
                hex("0701 0000 00001388 0801 0000 00010002 6301 010203040506"),
            ]
            .concat(),
        ),
        ip.icmp6(137, 0, &[&[0; 4], address6("fe80::9").as_slice(), &target, &mac(2)].concat()),
        ip.icmp6(130, 0, &[hex("27100000"), vec![0; 16]].concat()),
        ip.icmp6(131, 0, &[hex("00000000"), address6("ff02::fb").to_vec()].concat()),
        ip.icmp6(132, 0, &[hex("00000000"), address6("ff02::fb").to_vec()].concat()),
        ip.icmp6(130, 0, &[hex("27100000"), vec![0; 16], hex("027d0000")].concat()),
        ip.icmp6(
            130,
            0,
            &[hex("90000000"), address6("ff02::fb").to_vec(), hex("0a8f0001"), target.to_vec()].concat(),
        ),
        ip.icmp6(
            143,
            0,
            &[
                hex("00000002 04000000"),
                address6("ff02::fb").to_vec(),
                hex("06000001"),
                address6("ff02::5").to_vec(),
                target.to_vec(),
            ]
            .concat(),
        ),
        ip.icmp6(1, 0, &error(0, &inner)),
        ip.icmp6(1, 1, &error(0, &inner)),
        ip.icmp6(1, 2, &error(0, &inner)),
        ip.icmp6(1, 3, &error(0, &inner)),
        ip.icmp6(1, 4, &error(0, &inner)),
        ip.icmp6(1, 4, &error(0, &inner_tcp)),
        ip.icmp6(1, 9, &error(0, &inner)),
        ip.icmp6(2, 0, &error(1280, &inner)),
        ip.icmp6(3, 0, &error(0, &inner)),
        ip.icmp6(3, 1, &error(0, &inner)),
        ip.icmp6(3, 7, &error(0, &inner)),
        ip.icmp6(4, 0, &error(40, &inner)),
        ip.icmp6(4, 1, &error(40, &inner)),
        ip.icmp6(4, 2, &error(40, &inner)),
        ip.icmp6(4, 9, &error(40, &inner)),
        ip.icmp6(141, 0, &[0; 4]),
        ip.icmp6(144, 0, &[0, 7, 0, 0]),
        ip.icmp6(100, 0, &[1, 2, 3, 4]),
        v6(58).frame(&[]),
        V6 { to: "ff02::16".parse().expect("an address"), ..v6(0) }.summed(
            &hex("3a00 05020000 0100"),
            58,
            [hex("8f000000 00000001 04000000"), address6("ff02::fb").to_vec()].concat(),
            2,
        ),
    ];
    let mut wrong = ip.icmp6(128, 0, &hex("00010002 61626364"));
    wrong[60] ^= 1;
    frames.push(wrong);
    let mut frames = whole(frames);
    let solicitation = group.icmp6(135, 0, &[&[0; 4], target.as_slice(), &mac(1)].concat());
    for captured in [54, 56, 60, 78, 80, 84] {
        frames.push(cut(&solicitation, captured));
    }
    frames
}
