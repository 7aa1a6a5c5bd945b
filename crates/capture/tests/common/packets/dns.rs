//! DNS: questions, answers, and names that point at others.

use super::super::build::*;
use super::{Frame, cut, whole};

pub fn names() -> Vec<Frame> {
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
