//! IPv4 and what it carries: ARP beside it, ICMP, UDP, TCP, fragments and options.

use super::super::build::*;
use super::{Frame, cut, whole};

pub fn arps() -> Vec<Frame> {
    let (one, two) = ([10, 0, 0, 1], [10, 0, 0, 2]);
    let none = [0; 6];
    let frame = |to, payload: &[u8]| ether(to, A, 0x0806, payload);
    let mut frames = vec![
        frame(BROADCAST, &arp(1, (A, one), (none, two))),
        padded(frame(BROADCAST, &arp(1, (A, one), (none, two)))),
        frame(B, &arp(1, (A, one), (B, two))),
        frame(B, &arp(2, (A, one), (B, two))),
        padded(frame(B, &arp(2, (A, one), (B, two)))),
        // Gratuitous, and a probe.
        frame(BROADCAST, &arp(1, (A, one), (none, one))),
        frame(BROADCAST, &arp(2, (A, one), (BROADCAST, one))),
        frame(BROADCAST, &arp(1, (A, [0; 4]), (none, two))),
        ether(BROADCAST, A, 0x8035, &arp(3, (A, [0; 4]), (A, [0; 4]))),
        ether(B, A, 0x8035, &arp(4, (B, two), (A, one))),
        frame(B, &arp(8, (A, one), (B, [0; 4]))),
        frame(B, &arp(9, (A, one), (B, two))),
        frame(B, &arp(7, (A, one), (B, two))),
        frame(B, &arp(10, (A, one), (B, two))),
    ];
    let mut odd = arp(1, (A, one), (none, two));
    odd[1] = 6;
    frames.push(frame(B, &odd));
    odd[1] = 99;
    odd[2] = 9;
    frames.push(frame(B, &odd));
    let mut short = arp(1, (A, one), (none, two));
    short[4] = 8;
    short.extend([0; 4]);
    frames.push(frame(B, &short));
    short[5] = 6;
    frames.push(padded(frame(B, &short)));
    let mut frames = whole(frames);
    frames.push(cut(&frame(B, &arp(2, (A, one), (B, two))), 30));
    frames.push(cut(&frame(B, &arp(2, (A, one), (B, two))), 18));
    frames
}

pub fn icmps() -> Vec<Frame> {
    let ip = v4(1);
    let payload: Vec<u8> = (0..56).collect();
    let inner = V4 { from: [10, 0, 0, 2], to: [192, 0, 2, 7], ..v4(17) }.packet(&udp(4000, 53, b"abc"));
    let inner_tcp = v4(6).packet(&tcp((40_000, 80), (7, 0), 2, &[], b""));
    let inner_icmp = v4(1).packet(&icmp(8, 0, 0x0001_0001, b""));
    let mut frames = vec![
        ip.frame(&icmp(8, 0, 0x04d2_0001, &payload)),
        ip.frame(&icmp(0, 0, 0x04d2_0001, &payload)),
        ip.frame(&icmp(8, 0, 0x04d2_ffff, b"")),
        V4 { tos: 0xb9, ttl: 1, id: 0, fragment: 0, ..v4(1) }.frame(&icmp(8, 0, 1, &payload)),
        V4 { tos: 2, ttl: 0, ..v4(1) }.frame(&icmp(8, 0, 1, &payload)),
        V4 { to: [10, 0, 0, 255], ..v4(1) }.frame(&icmp(8, 0, 1, &payload)),
        V4 { to: [224, 0, 0, 1], ..v4(1) }.frame(&icmp(8, 0, 1, &payload)),
        V4 { to: [255, 255, 255, 255], ..v4(1) }.frame(&icmp(8, 0, 1, &payload)),
    ];
    for code in 0..=16 {
        frames.push(ip.frame(&icmp(3, code, 0, &inner)));
    }
    frames.push(ip.frame(&icmp(3, 4, 1400, &inner)));
    frames.push(ip.frame(&icmp(3, 3, 0, &inner_tcp)));
    frames.push(ip.frame(&icmp(3, 3, 0, &inner_icmp)));
    for code in 0..=4 {
        frames.push(ip.frame(&icmp(5, code, 0x0a00_0001, &inner)));
    }
    for code in 0..=2 {
        frames.push(ip.frame(&icmp(11, code, 0, &inner)));
    }
    frames.extend([
        ip.frame(&icmp(4, 0, 0, &inner)),
        ip.frame(&icmp(12, 0, 0x1400_0000, &inner)),
        ip.frame(&icmp(12, 1, 0, &inner)),
        ip.frame(&icmp(9, 0, 0x0202_0708, &hex("0a000001 00000000 0a000002 80000000"))),
        ip.frame(&icmp(9, 0, 0x0103_001e, &hex("0a000001 00000000"))),
        ip.frame(&icmp(9, 0, 0x0002_1c21, b"")),
        ip.frame(&icmp(10, 0, 0, b"")),
        ip.frame(&icmp(13, 0, 0x0001_0002, &hex("02000000 00000000 00000000"))),
        ip.frame(&icmp(14, 0, 0x0001_0002, &hex("02000000 02000001 04ffffff"))),
        ip.frame(&icmp(15, 0, 0, b"")),
        ip.frame(&icmp(16, 0, 0, b"")),
        ip.frame(&icmp(17, 0, 0, &hex("00000000"))),
        ip.frame(&icmp(18, 0, 0, &hex("ffffff00"))),
        ip.frame(&icmp(42, 3, 0, b"x")),
    ]);
    // Extensions of RFC 4884 behind 128 bytes, with and without the length field.
    let mut long = inner.clone();
    long.resize(128, 0);
    let mut extension = hex("2000 0000 0008 0101 00064 1ff 0008 0201 0000002a");
    let sum = checksum(&[&extension]);
    extension[2..4].copy_from_slice(&sum.to_be_bytes());
    frames.push(ip.frame(&icmp(11, 0, 0, &[long.clone(), extension.clone()].concat())));
    frames.push(ip.frame(&icmp(11, 0, 0x0020_0000, &[long.clone(), extension.clone()].concat())));
    extension[0] = 0x10;
    frames.push(ip.frame(&icmp(11, 0, 0x0020_0000, &[long, extension].concat())));
    let mut wrong = icmp(8, 0, 1, b"abc");
    wrong[2] ^= 0x55;
    frames.push(ip.frame(&wrong));
    let mut wrong = ip.frame(&icmp(8, 0, 1, b"abc"));
    wrong[24] ^= 0x55;
    frames.push(wrong);
    let mut frames = whole(frames);
    let echo = ip.frame(&icmp(8, 0, 1, &payload));
    for captured in [34, 35, 38, 42, 60] {
        frames.push(cut(&echo, captured));
    }
    let unreachable = ip.frame(&icmp(3, 3, 0, &inner));
    for captured in [42, 50, 58, 61, 65, 70] {
        frames.push(cut(&unreachable, captured));
    }
    frames
}

pub fn udps() -> Vec<Frame> {
    let ip = v4(17);
    let inner = V4 { from: [192, 168, 1, 1], to: [192, 168, 1, 2], ..v4(1) }.frame(&icmp(8, 0, 1, b"inner"));
    let vxlan = |flags: u8| [&[flags, 0, 0, 0, 0, 0, 42, 0], inner.as_slice()].concat();
    let mut frames = vec![
        ip.udp(40_000, 9999, b"hello"),
        ip.udp(40_000, 9999, b""),
        padded(ip.udp(40_000, 9999, b"")),
        ip.frame(&udp(1000, 2000, b"no checksum")),
        ip.udp(40_000, 4789, &vxlan(8)),
        ip.udp(40_000, 4789, &vxlan(0)),
        ip.udp(40_000, 8472, &vxlan(8)),
        ip.udp(40_000, 4789, b"abc"),
        V4 { to: [224, 0, 0, 251], ..v4(17) }.udp(5000, 5001, b"group"),
        V4 { to: [10, 0, 0, 255], ..v4(17) }.udp(5000, 5001, b"broadcast"),
    ];
    let mut wrong = ip.udp(40_000, 9999, b"hello");
    wrong[40] ^= 0x11;
    frames.push(wrong);
    let mut lie = udp(40_000, 9999, b"hello");
    lie[5] = 100;
    frames.push(ip.frame(&lie));
    lie[5] = 10;
    frames.push(ip.frame(&lie));
    lie[5] = 3;
    frames.push(ip.frame(&lie));
    frames.push(ip.frame(&[1, 2, 3, 4, 5]));
    frames.push(ip.frame(&[1, 2, 3]));
    // DHCP: discover and offer.
    let mut discover = hex("01010600 3903f326 0000 8000 00000000 00000000 00000000 00000000");
    discover.extend(A);
    discover.extend([0; 10 + 64 + 128]);
    discover.extend(hex("63825363 350101 3d0701 02000000000a 3204 0a000007 370401031c06 0c0568656c6c6f ff"));
    discover.resize(300, 0);
    frames.push(ether(
        BROADCAST,
        A,
        0x0800,
        &V4 { from: [0; 4], to: [255; 4], ..v4(17) }.packet(&udp(68, 67, &discover)),
    ));
    let mut offer = hex("02010601 3903f326 0007 0000 0a000005 0a000007 0a000001 0a0000fe");
    offer.extend(A);
    offer.extend([0; 10]);
    offer.extend(b"server\0");
    offer.resize(108, 0);
    offer.extend(b"boot.img");
    offer.resize(236, 0);
    offer.extend(hex(
        "63825363 350102 3604 0a000001 3304 00000e10 0104 ffffff00 0304 0a000001 0608 0a000003 08080808",
    ));
    offer.extend(hex("0f07 6578616d706c65 1a02 05dc 7908 18c0a801 0a0000fe 340103 240101 9503 010203 ff"));
    frames.push(ip.udp(67, 68, &offer));
    let mut frames = whole(frames);
    let plain = ip.udp(40_000, 9999, b"hello hello hello");
    for captured in [34, 36, 39, 42, 45] {
        frames.push(cut(&plain, captured));
    }
    frames.push(cut(&ip.udp(67, 68, &offer), 200));
    frames.push(cut(&ip.udp(67, 68, &offer), 300));
    frames
}

pub fn tcps() -> Vec<Frame> {
    let there = v4(6);
    let back = V4 { from: there.to, to: there.from, ..v4(6) };
    let syn = hex("020405b4 0402 080a 0001e240 00000000 01 030307");
    let stamps = hex("0101 080a 0001e240 0001e241");
    let (client, server) = ((40_000, 8888), (8888, 40_000));
    let mut frames = vec![
        there.tcp(tcp(client, (1_000_000, 0), 0x02, &syn, b"")),
        back.tcp(tcp(server, (5_000_000, 1_000_001), 0x12, &syn, b"")),
        there.tcp(tcp(client, (1_000_001, 5_000_001), 0x10, &stamps, b"")),
        there.tcp(tcp(client, (1_000_001, 5_000_001), 0x18, &stamps, b"twelve bytes")),
        back.tcp(tcp(server, (5_000_001, 1_000_013), 0x10, &stamps, b"")),
        back.tcp(tcp(
            server,
            (5_000_001, 1_000_013),
            0x10,
            &hex("0101 0512 000f4250 000f4260 000f4270 000f4280"),
            b"",
        )),
        there.tcp(tcp(client, (1_000_013, 5_000_001), 0x11, &stamps, b"")),
        back.tcp(tcp(server, (5_000_001, 1_000_014), 0x14, &[], b"")),
        back.tcp(tcp(
            server,
            (5_000_001, 1_000_014),
            0x14,
            &[],
            b"reset with a reason that is longer than thirty",
        )),
        there.tcp(tcp(client, (9, 0), 0x00, &[], b"")),
        there.tcp(tcp(client, (9, 0), 0xff, &[], b"x")),
        there.tcp(tcp((1, 2), (9, 8), 0x38, &hex("0204ffff 1c03 8005 fe04 1234 220a 0102030405060708"), b"")),
        there.tcp(tcp((1, 2), (9, 8), 0x10, &hex("21080011 22334455 22020000"), b"")),
        there.tcp(tcp((1, 2), (9, 8), 0x10, &hex("050b 0000000000000000 00 00"), b"")),
        there.tcp(tcp((1, 2), (9, 8), 0x10, &hex("02030101"), b"")),
        there.tcp(tcp((1, 2), (9, 8), 0x10, &hex("01010101 08ff0000"), b"")),
        there.tcp(tcp((1, 2), (9, 8), 0x10, &hex("0800 0101"), b"")),
        there.tcp(tcp((1, 2), (9, 8), 0x10, &hex("1d08 0102 03040506 ff04 0101 0000 0000"), b"")),
        there.tcp(tcp((1, 2), (9, 8), 0x10, &hex("fe06 f989 0102 fe04 f989 0607 00000001 0000"), b"")),
        there.tcp(tcp((5000, 5000), (9, 8), 0x10, &[], b"same port")),
        back.tcp(tcp((5000, 5000), (9, 10), 0x10, &[], b"same port")),
        there.tcp(tcp((40_001, 80), (9, 8), 0x18, &[], b"GET /index.html HTTP/1.1\r\nHost: a\r\n\r\n")),
        back.tcp(tcp((80, 40_001), (9, 8), 0x18, &[], b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")),
        back.tcp(tcp((80, 40_001), (9, 8), 0x18, &[], b"neither request nor response")),
        back.tcp(tcp((22, 40_001), (9, 8), 0x18, &[], b"SSH-2.0-OpenSSH_9.2p1\r\n")),
        back.tcp(tcp((22, 40_001), (9, 8), 0x18, &[], &[1, 2, 3, 4, 5, 6])),
        padded(there.tcp(tcp(client, (9, 7), 0x10, &[], b""))),
    ];
    let mut wrong = there.tcp(tcp(client, (1, 1), 0x10, &[], b"abc"));
    wrong[50] ^= 0x42;
    frames.push(wrong);
    let mut segment = tcp(client, (1, 1), 0x10, &[], b"");
    segment[12] = 0x40;
    frames.push(there.frame(&segment));
    segment[12] = 0x80;
    frames.push(there.frame(&segment));
    let mut frames = whole(frames);
    let data = there.tcp(tcp(client, (1_000_001, 5_000_001), 0x18, &stamps, b"twelve bytes"));
    for captured in [34, 37, 50, 54, 57, 60, 70] {
        frames.push(cut(&data, captured));
    }
    frames
}

pub fn fragments() -> Vec<Frame> {
    let fragment = |fragment, protocol, payload: &[u8]| V4 { fragment, ..v4(protocol) }.frame(payload);
    let mut frames = vec![
        fragment(0x2000, 17, &udp(40_000, 9999, &[7; 64])),
        fragment(0x2009, 17, &[7; 72]),
        fragment(0x0012, 17, &[7; 8]),
        fragment(0x2000, 1, &icmp(8, 0, 1, &[7; 64])),
        fragment(0x0009, 1, &[7; 16]),
        fragment(0x2000, 6, &tcp((40_000, 80), (1, 0), 2, &[], b"abcd")),
        fragment(0x0003, 6, &[1; 20]),
        fragment(0x8000, 1, &icmp(8, 0, 1, b"evil")),
        fragment(0x0001, 200, &[1; 20]),
    ];
    let options = |text: &str| V4 { options: hex(text), ..v4(1) }.frame(&icmp(8, 0, 1, b"abc"));
    frames.extend([
        options("94040000"),
        options("94040001"),
        options("01010100"),
        options("070b 04 00000000 00000000 00"),
        options("070b 0c 0a000001 0a000002 00"),
        options("830b 08 0a000001 0a000002 00"),
        options("8907 04 0a000009 00"),
        options("440c 05 00 00000000 00000000"),
        options("440c 0d 11 0a000001 02000000"),
        options("4414 0d 03 0a000001 02000000 0a000002 00000000"),
        options("440c 05 02 00000000 00000000"),
        options("8203 0001"),
        options("ff01 0101"),
        options("ff08 0101"),
        options("0703 0401"),
        options("5206 0102 0304 0000"),
    ]);
    // A source route changes the destination that checksums count.
    let routed = V4 { options: hex("8307 04 0a000009 00"), ..v4(17) };
    frames.push(routed.frame(&udp(1, 2, b"via")));
    frames.push(V4 { options: hex("8307 04 0a000009 00"), ..v4(6) }.frame(&tcp(
        (1, 2),
        (1, 1),
        0x10,
        &[],
        b"",
    )));
    for (protocol, payload) in [
        (2, hex("11640000 00000000")),
        (2, hex("11000000 e0000001")),
        (2, hex("110a0000 e0000001")),
        (2, hex("1200ee9b e0000fff")),
        (2, hex("16000903 e00000fc")),
        (2, hex("17000802 e00000fc")),
        (2, hex("1164ec1e 00000000 027d0000")),
        (2, hex("11ff0000 e0000101 02850002 0a000001 0a000002")),
        (2, hex("2200f9f9 00000002 04000000 e00000fb 03000001 e0000101 0a000009")),
        (2, hex("2200f9f9 00000002 04000000 e00000fb")),
        (2, hex("13000000")),
        (2, hex("ee000000 00000000")),
        (112, hex("2133640100010000 0a000001 0000000000000000")),
        (112, hex("3133640200640000 0a000001 0a000002")),
        (112, hex("2133640101010000 0a000001 7365637265740000")),
        (47, [hex("00000800"), v4(1).packet(&icmp(8, 0, 1, b"in gre"))].concat()),
        (47, [hex("30000800 00000007 00000001"), v4(1).packet(&icmp(8, 0, 1, b"in gre"))].concat()),
        (47, [hex("00006558"), v4(1).frame(&icmp(8, 0, 1, b"in gretap"))].concat()),
        (47, hex("00001234 aabb")),
        (4, v4(17).packet(&udp(1, 2, b"in ip"))),
        (41, v6(58).packet(&[128, 0, 0, 0, 0, 1, 0, 1])),
        (58, hex("80000000")),
        (132, hex("0fa01388 00000001 00000000")),
        (59, Vec::new()),
        (200, hex("01020304")),
        (253, hex("01020304")),
    ] {
        if protocol != 132 {
            frames.push(v4(protocol).frame(&payload));
        }
    }
    frames.push(V4 { ttl: 255, ..v4(112) }.frame(&hex("2133640100010000 0a000001 0000000000000000")));
    whole(frames)
}
