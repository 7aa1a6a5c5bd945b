//! The packets of the synthetic capture.

use hairpin_capture::Packet;

use super::build::*;

/// Times are between those of a microsecond.
const FIRST_NS: u64 = 1_700_000_000_000_000_123;
const GAP_NS: u64 = 1_234_567_890;

/// Every packet, with its time.
pub fn all() -> Vec<Packet> {
    let frames = [
        arps(),
        icmps(),
        udps(),
        tcps(),
        fragments(),
        ipv6s(),
        neighbors(),
        vlans(),
        links(),
        names(),
        broken(),
    ];
    let frames: Vec<Frame> = frames.concat();
    let mut time_ns = FIRST_NS;
    let mut packets = Vec::new();
    for frame in frames {
        time_ns += GAP_NS;
        let length = frame.length.unwrap_or(frame.data.len()) as u32;
        packets.push(Packet { time_ns, length, data: frame.data });
    }
    packets
}

/// The packets again and again, each with a few bytes changed or its end cut off: the same ones every time.
pub fn damaged(rounds: u64) -> Vec<Packet> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    // xorshift64
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    };
    let mut packets = Vec::new();
    for _ in 0..rounds {
        for mut packet in all() {
            for _ in 0..1 + random(3) {
                let at = random(packet.data.len());
                packet.data[at] =
                    if random(2) == 0 { random(256) as u8 } else { packet.data[at] ^ 1 << random(8) };
            }
            if random(3) == 0 {
                packet.data.truncate(1 + random(packet.data.len()));
            }
            packet.time_ns = FIRST_NS + packets.len() as u64 * GAP_NS;
            packets.push(packet);
        }
    }
    packets
}

#[derive(Clone)]
struct Frame {
    data: Vec<u8>,
    /// If more was on the wire.
    length: Option<usize>,
}

impl From<Vec<u8>> for Frame {
    fn from(data: Vec<u8>) -> Self {
        Frame { data, length: None }
    }
}

fn whole(frames: Vec<Vec<u8>>) -> Vec<Frame> {
    frames.into_iter().map(Frame::from).collect()
}

/// Cuts the capture off.
fn cut(frame: &[u8], captured: usize) -> Frame {
    Frame { data: frame[..captured.min(frame.len())].to_vec(), length: Some(frame.len()) }
}

fn arps() -> Vec<Frame> {
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

fn icmps() -> Vec<Frame> {
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

fn udps() -> Vec<Frame> {
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

fn tcps() -> Vec<Frame> {
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

fn fragments() -> Vec<Frame> {
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

fn ipv6s() -> Vec<Frame> {
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

fn neighbors() -> Vec<Frame> {
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

fn vlans() -> Vec<Frame> {
    let echo = v4(1).frame(&icmp(8, 0, 1, b"tagged"));
    let request = ether(BROADCAST, A, 0x0806, &arp(1, (A, [10, 0, 0, 1]), ([0; 6], [10, 0, 0, 2])));
    let one = tagged(&echo, 0x8100, 5);
    let mut frames = vec![
        one.clone(),
        tagged(&echo, 0x8100, 0xb064),
        tagged(&request, 0x8100, 5),
        padded(tagged(&request, 0x8100, 0)),
        tagged(&one, 0x88a8, 100),
        tagged(&one, 0x8100, 100),
        tagged(&one, 0x9100, 100),
        tagged(&one, 0x9200, 100),
        tagged(&tagged(&one, 0x8100, 7), 0x88a8, 200),
        tagged(&v4(17).udp(40_000, 53, &hex("00010100 0001000000000000 00 0001 0001")), 0x8100, 5),
        tagged(&v4(6).tcp(tcp((40_000, 22), (1, 0), 2, &[], b"")), 0x8100, 5),
        tagged(&v6(58).icmp6(128, 0, &[0, 1, 0, 1]), 0x8100, 5),
        tagged(&ether(B, A, 0x88b5, b"experiment"), 0x8100, 5),
        tagged(&v6(17).summed(&[], 17, udp(1, 5470, b"x"), 6), 0x88a8, 5),
    ];
    // 802.3 behind a tag.
    let stp = hex("424203 0000 00 00 00 8000001122334455 00000000 8000001122334455 8001 0000 1400 0200 0f00");
    frames.push(tagged(&llc([1, 0x80, 0xc2, 0, 0, 0], &stp), 0x8100, 5));
    let mut frames = whole(frames);
    for captured in [14, 16, 18, 20] {
        frames.push(cut(&one, captured));
    }
    frames
}

fn links() -> Vec<Frame> {
    let bridge = [1, 0x80, 0xc2, 0, 0, 0];
    let config = "8000001122334455 00000004 8000001122334466 8001 0100 1400 0200 0f00";
    let mut frames = vec![
        llc(bridge, &hex(&format!("424203 0000 00 00 00 {config}"))),
        llc(bridge, &hex(&format!("424203 0000 00 00 81 {config}"))),
        llc(bridge, &hex(&format!("424203 0000 02 02 7c {config} 00"))),
        llc(bridge, &hex("424203 0000 00 80")),
        llc(bridge, &hex("424203 0000 07 00 00")),
        llc(bridge, &hex("424203 0000 00 55 00")),
        llc(bridge, &hex("424203 0001 00 00 00")),
        llc(bridge, &hex("424203 0000 00 00 00 8000")),
        llc(bridge, &hex("424203 00")),
    ];
    let mut multiple = hex(&format!("424203 0000 03 02 7c {config} 00 0050 00"));
    multiple.extend(b"region");
    multiple.resize(3 + 71, 0);
    multiple.extend(hex("0001 ac36177f50283cd4b83821d8ab26de62 00000000 8000001122334477 14"));
    multiple.extend(hex("7c 8001001122334455 00000000 80 80 14"));
    frames.push(llc(bridge, &multiple));
    frames.extend([
        llc(BROADCAST, &hex("aaaa03 000000 0800")),
        llc(
            BROADCAST,
            &[hex("aaaa03 000000 0806"), arp(1, (A, [10, 0, 0, 1]), ([0; 6], [10, 0, 0, 2]))].concat(),
        ),
        llc(BROADCAST, &hex("aaaa03 000000 88b5 0102")),
        llc(BROADCAST, &hex("aaaa03 112233 0001 0102")),
        llc(BROADCAST, &hex("aaaa03 00000c 010b 0000 00 00 00 8000")),
        llc(BROADCAST, &hex("aaaa")),
        llc(BROADCAST, &hex("aaaa03 0000")),
        llc(BROADCAST, &hex("0000af 810103")),
        llc(BROADCAST, &hex("0001bf 810103")),
        llc(BROADCAST, &hex("0000e3 aabb")),
        llc(BROADCAST, &hex("0404 0101 aabb")),
        llc(BROADCAST, &hex("0505 0200 aabb")),
        llc(BROADCAST, &hex("12347f")),
        llc(B, &[hex("060603"), v4(17).packet(&udp(1, 2, b"llc"))].concat()),
        padded(ether(B, A, 0, b"")),
        padded(ether(B, A, 1500, b"short")),
        padded(ether(B, A, 0x88b5, b"experiment")),
        ether(B, A, 0x88b5, b"odd"),
        ether(B, A, 0x88b6, b""),
        padded(ether(B, A, 0x1234, &(0..100).collect::<Vec<u8>>())),
        ether(B, A, 0x9999, b"text that can be read\r\nin two lines\n"),
        padded(ether(B, A, 0x88e5, &hex("2c00 00000001 02000000000a0001 deadbeefdeadbeefdeadbeefdeadbeef"))),
        padded(ether(B, A, 0x88e5, &hex("0c12 00000001 deadbeefdeadbeefdeadbeefdeadbeef"))),
        ether(
            B,
            A,
            0x88e5,
            &[hex("2000 00000001 02000000000a0001 0800"), v4(1).packet(&icmp(8, 0, 1, b"x")), vec![9; 16]]
                .concat(),
        ),
        padded(ether(B, A, 0x88e5, &hex("8000 00000001"))),
        ether(
            [1, 0x80, 0xc2, 0, 0, 0x0e],
            A,
            0x88cc,
            &hex(
                "0207 04 02000000000a 0405 05 65746830 0602 0078 0804 706f7274 0a04 686f7374 0c05 4c696e7578 \
                 0e04 0014 0004 100c 05 01 0a000001 02 00000002 00 fe06 112233 01 0001 0000",
            ),
        ),
        padded(ether(
            [1, 0x80, 0xc2, 0, 0, 0x0e],
            A,
            0x88cc,
            &hex("0205 05 01 0a0000 0408 03 02000000000a ff 0403 09 0102 1003 010203 fe02 0102"),
        )),
        padded(ether(
            [1, 0x80, 0xc2, 0, 0, 0x0e],
            A,
            0x88cc,
            &hex("0202 07 41 0407 03 02000000000a 1601 ff 0000"),
        )),
        ether(
            [1, 0x80, 0xc2, 0, 0, 2],
            A,
            0x8809,
            &[
                hex("0101 0114 8000 02000000000a 0011 00ff 0001 3d 000000"),
                hex("0214 ffff 02000000000b 0021 00ff 0002 c7 000000"),
                hex("0310 0000 000000000000000000000000 0000"),
                vec![0; 50],
            ]
            .concat(),
        ),
        padded(ether(
            [1, 0x80, 0xc2, 0, 0, 2],
            A,
            0x8809,
            &hex("0201 0110 0001 02000000000a 00000007 0000 0000"),
        )),
        padded(ether([1, 0x80, 0xc2, 0, 0, 2], A, 0x8809, &hex("0102 0114"))),
        padded(ether([1, 0x80, 0xc2, 0, 0, 2], A, 0x8809, &hex("0901"))),
        padded(ether([1, 0x80, 0xc2, 0, 0, 2], A, 0x8809, &hex("0101 0113 00000000"))),
        ether(B, A, 0x6558, b"bridged"),
    ]);
    let mut frames = whole(frames);
    frames.push(cut(&llc(bridge, &multiple), 60));
    frames.push(cut(&llc(bridge, &hex(&format!("424203 0000 00 00 00 {config}"))), 30));
    frames.push(cut(&ether(B, A, 0x0800, &[0x45]), 10));
    frames
}

fn names() -> Vec<Frame> {
    let ip = v4(17);
    let header = |flags: u16, counts: [u16; 4]| {
        let mut out = vec![0x30, 0x39];
        out.extend(flags.to_be_bytes());
        counts.into_iter().for_each(|count| out.extend(count.to_be_bytes()));
        out
    };
    let question = |text: &str, kind: u16, class: u16| {
        [name(text), kind.to_be_bytes().to_vec(), class.to_be_bytes().to_vec()].concat()
    };
    let record = |kind: u16, data: &[u8]| {
        let mut out = vec![0xc0, 12];
        out.extend(kind.to_be_bytes());
        out.extend([0, 1, 0, 0, 0x0e, 0x10]);
        out.extend((data.len() as u16).to_be_bytes());
        out.extend(data);
        out
    };
    let to = |message: Vec<u8>| ip.udp(40_000, 53, &message);
    let from = |message: Vec<u8>| V4 { from: ip.to, to: ip.from, ..v4(17) }.udp(53, 40_000, &message);
    let opt = hex("00 0029 1000 00 00 8000 000c 000a 0008 0102030405060708");
    let a = question("www.example.com", 1, 1);
    let mut frames = vec![
        to([header(0x0100, [1, 0, 0, 0]), a.clone()].concat()),
        to([header(0x0100, [1, 0, 0, 1]), a.clone(), opt.clone()].concat()),
        to([header(0x0110, [1, 0, 0, 0]), question("example.com", 28, 1)].concat()),
        to([header(0x0000, [1, 0, 0, 0]), question("", 2, 3)].concat()),
        to([header(0x0100, [1, 0, 0, 0]), question("1.0.0.10.in-addr.arpa", 12, 1)].concat()),
        to([header(0x2800, [1, 0, 0, 0]), question("example.com", 6, 1)].concat()),
        to([header(0x0123, [2, 0, 0, 0]), a.clone(), question("b", 999, 77)].concat()),
        to(header(0x0100, [0, 0, 0, 0])),
        to(vec![1, 2, 3]),
        from([header(0x8180, [1, 1, 0, 0]), a.clone(), record(1, &[192, 0, 2, 1])].concat()),
        from(
            [
                header(0x8580, [1, 2, 0, 1]),
                a.clone(),
                record(5, &name("alias.example.com")),
                record(28, &address6("2001:db8::1")),
                opt.clone(),
            ]
            .concat(),
        ),
        from(
            [
                header(0x8183, [1, 0, 1, 0]),
                a.clone(),
                record(
                    6,
                    &[
                        name("ns.example.com"),
                        name("root.example.com"),
                        hex("00000001 00000002 00000003 00000004 00000005"),
                    ]
                    .concat(),
                ),
            ]
            .concat(),
        ),
        from(
            [
                header(0x8100, [1, 3, 0, 0]),
                a.clone(),
                record(15, &[vec![0, 10], name("mx.example.com")].concat()),
                record(16, b"\x05hello\x03\x01b\xff"),
                record(33, &[hex("000100020050"), vec![0xc0, 12]].concat()),
            ]
            .concat(),
        ),
        from([header(0x83a0, [1, 1, 0, 0]), a.clone(), record(77, &[1, 2, 3])].concat()),
        from([header(0x8182, [0, 0, 0, 0])].concat()),
        from([header(0x8180, [1, 2, 0, 0]), a.clone(), record(1, &[192, 0, 2, 1])].concat()),
        from(
            [
                header(0x8180, [1, 1, 0, 1]),
                a.clone(),
                record(1, &[192, 0, 2, 1]),
                hex("00 0029 04d0 01 00 0000 0000"),
            ]
            .concat(),
        ),
        from([header(0x8180, [1, 1, 0, 0]), a.clone(), hex("c0ff 0005 0001 00000000 0002 c000")].concat()),
        ip.udp(
            5353,
            5353,
            &[
                header(0, [2, 0, 0, 0]),
                question("_http._tcp.local", 12, 0x8001),
                question("host.local", 255, 1),
            ]
            .concat(),
        ),
        ip.udp(
            5353,
            5353,
            &[header(0x8400, [0, 1, 0, 0]), name("host.local"), hex("0001 8001 00000078 0004 0a000001")]
                .concat(),
        ),
        v4(6).tcp(tcp(
            (40_002, 53),
            (1, 1),
            0x18,
            &[],
            &[vec![0, 33], header(0x0100, [1, 0, 0, 0]), a.clone()].concat(),
        )),
        v4(6).tcp(tcp(
            (40_002, 53),
            (1, 1),
            0x18,
            &[],
            &[vec![0, 99], header(0x0100, [1, 0, 0, 0]), a.clone()].concat(),
        )),
    ];
    frames.push(v6(17).summed(
        &[],
        17,
        udp(40_000, 53, &[header(0x0100, [1, 0, 0, 0]), a.clone()].concat()),
        6,
    ));
    let mut frames = whole(frames);
    let answer = from([header(0x8180, [1, 1, 0, 0]), a, record(1, &[192, 0, 2, 1])].concat());
    for captured in [50, 58, 70, 75, 80, 88] {
        frames.push(cut(&answer, captured));
    }
    frames
}

fn broken() -> Vec<Frame> {
    let echo = v4(1).frame(&icmp(8, 0, 1, b"some data"));
    let with = |at: usize, value: u8| {
        let mut frame = echo.clone();
        frame[at] = value;
        frame
    };
    let mut frames = whole(vec![
        with(14, 0x44),
        with(14, 0x4f),
        with(14, 0x55),
        with(14, 0x65),
        with(17, 0),
        with(17, 10),
        with(17, 200),
        ether(B, A, 0x0800, b""),
        ether(B, A, 0x0800, &[0x45, 0]),
        ether(B, A, 0x86dd, &[0x60, 0]),
        ether(B, A, 0x86dd, &[0x45; 60]),
        vec![1, 2, 3, 4, 5],
        padded(echo.clone()),
    ]);
    for captured in [14, 15, 20, 33] {
        frames.push(cut(&echo, captured));
    }
    frames
}
