//! Packets with every header, as Linux 6.1 judged them.

use std::net::Ipv6Addr;

use hairpin_netlink::netfilter::headers::Span;

use super::*;

/// Headers in hexadecimal, of packets from fd00::1 to fd00::2 (the last: from an address made of the MAC).
const PACKETS: &[(&str, &str)] = &[
    (
        "udp",
        "6000000000101140fd000000000000000000000000000001fd00000000000000000000000000000203e807d0001000003132333435363738",
    ),
    (
        "hop",
        "6000000000180040fd000000000000000000000000000001fd000000000000000000000000000002110005020000010003e807d0001000003132333435363738",
    ),
    (
        "dst",
        "6000000000203c40fd000000000000000000000000000001fd0000000000000000000000000000021101001e04010203040105000000000003e807d0001000003132333435363738",
    ),
    (
        "rt0",
        "6000000000382b40fd000000000000000000000000000001fd0000000000000000000000000000021104000000000000fd000000000000000000000000000005fd00000000000000000000000000000603e807d0001000003132333435363738",
    ),
    (
        "rt0res",
        "6000000000482b40fd000000000000000000000000000001fd0000000000000000000000000000021106000000000007fd000000000000000000000000000005fd000000000000000000000000000009fd00000000000000000000000000000603e807d0001000003132333435363738",
    ),
    (
        "rt2",
        "6000000000282b40fd000000000000000000000000000001fd0000000000000000000000000000021102020100000000fd00000000000000000000000000000703e807d0001000003132333435363738",
    ),
    (
        "frag1",
        "6000000000182c40fd000000000000000000000000000001fd000000000000000000000000000002110000010000000503e807d0001000003132333435363738",
    ),
    (
        "frag2",
        "6000000000102c40fd000000000000000000000000000001fd00000000000000000000000000000211000008000000056162636465666768",
    ),
    (
        "fragres",
        "6000000000182c40fd000000000000000000000000000001fd000000000000000000000000000002110100000000100003e807d0001000003132333435363738",
    ),
    (
        "fraglow",
        "6000000000182c40fd000000000000000000000000000001fd000000000000000000000000000002110000020000000a03e807d0001000003132333435363738",
    ),
    (
        "ah",
        "6000000000283340fd000000000000000000000000000001fd00000000000000000000000000000211040000000000070000000100000000000000000000000003e807d0001000003132333435363738",
    ),
    (
        "ahres",
        "60000000002c3340fd000000000000000000000000000001fd0000000000000000000000000000021105000100000009000000010000000000000000000000000000000003e807d0001000003132333435363738",
    ),
    (
        "esp",
        "6000000000183240fd000000000000000000000000000001fd000000000000000000000000000002000001f40000000100000000000000000000000000000000",
    ),
    (
        "mh5",
        "6000000000088740fd000000000000000000000000000001fd0000000000000000000000000000023b00050000000000",
    ),
    (
        "mh1tcp",
        "6000000000088740fd000000000000000000000000000001fd0000000000000000000000000000020600010000000000",
    ),
    ("mhshort", "6000000000048740fd000000000000000000000000000001fd0000000000000000000000000000023b000100"),
    ("none", "6000000000003b40fd000000000000000000000000000001fd000000000000000000000000000002"),
    (
        "ahshort",
        "6000000000083340fd000000000000000000000000000001fd0000000000000000000000000000021104000000000007",
    ),
    ("espshort", "6000000000043240fd000000000000000000000000000001fd00000000000000000000000000000231323334"),
    (
        "all",
        "6000000000600040fd000000000000000000000000000001fd0000000000000000000000000000023c000502000001002b01001e0401020304010500000000002c02000000000000fd000000000000000000000000000005330000010000004d3c04000000000007000000010000000000000000000000003b01001e040102030401050000000000",
    ),
    (
        "late",
        "6000000000203c40fd000000000000000000000000000001fd0000000000000000000000000000022c01001e0401020304010500000000003c0000110000004d1100050200000100",
    ),
    (
        "eui",
        "6000000000101140fe80000000000000000000fffe000001fd00000000000000000000000000000203e807d0001000003132333435363738",
    ),
];

fn span(low: u32, high: u32, invert: bool) -> Span {
    Span { low, high, invert }
}

fn addresses(last: &[u16]) -> Vec<Ipv6Addr> {
    last.iter().map(|last| Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, *last)).collect()
}

/// What Linux 6.1 said of each packet in turn: `1` matches, `!` is lost. A protocol that the match needs is asked for
/// first, as by `-p`.
#[test]
fn headers_are_matched_as_by_linux() {
    let rows: &[(Option<u8>, Behind, &str)] = &[
        // -m frag
        (None, Behind::Fragment(Fragment { ..Fragment::default() }), "......1111.........11."),
        // -m frag --fragid 5
        (
            None,
            Behind::Fragment(Fragment { id: span(5, 5, false), ..Fragment::default() }),
            "......11..............",
        ),
        // -m frag ! --fragid 5:10
        (
            None,
            Behind::Fragment(Fragment { id: span(5, 10, true), ..Fragment::default() }),
            "........1..........11.",
        ),
        // -m frag --fragres
        (
            None,
            Behind::Fragment(Fragment { reserved: true, ..Fragment::default() }),
            "......11...........11.",
        ),
        // -m frag --fragfirst
        (None, Behind::Fragment(Fragment { first: true, ..Fragment::default() }), "......1.11.........1.."),
        // -m frag --fragmore
        (None, Behind::Fragment(Fragment { more: true, ..Fragment::default() }), "......1............11."),
        // -m frag --fraglast
        (None, Behind::Fragment(Fragment { last: true, ..Fragment::default() }), ".......111............"),
        // -m frag ! --fragid 0:4294967295
        (
            None,
            Behind::Fragment(Fragment { id: span(0, u32::MAX, true), ..Fragment::default() }),
            "......................",
        ),
        // -m rt
        (None, Behind::Routing(Routing { ..Routing::default() }), "...111.............1.."),
        // -m rt --rt-type 0
        (
            None,
            Behind::Routing(Routing { kind: Some((0, false)), ..Routing::default() }),
            "...11..............1..",
        ),
        // -m rt ! --rt-type 0
        (
            None,
            Behind::Routing(Routing { kind: Some((0, true)), ..Routing::default() }),
            ".....1................",
        ),
        // -m rt --rt-segsleft 1
        (
            None,
            Behind::Routing(Routing { segments_left: span(1, 1, false), ..Routing::default() }),
            ".....1................",
        ),
        // -m rt --rt-len 24
        (
            None,
            Behind::Routing(Routing { length: Some((24, false)), ..Routing::default() }),
            ".....1.............1..",
        ),
        // -m rt ! --rt-len 24
        (
            None,
            Behind::Routing(Routing { length: Some((24, true)), ..Routing::default() }),
            "...11.................",
        ),
        // -m rt --rt-type 0 --rt-0-res
        (
            None,
            Behind::Routing(Routing { kind: Some((0, false)), reserved: true, ..Routing::default() }),
            "...1...............1..",
        ),
        // -m rt --rt-type 0 --rt-0-addrs fd00::5,fd00::6
        (
            None,
            Behind::Routing(Routing {
                kind: Some((0, false)),
                addresses: addresses(&[5, 6]),
                ..Routing::default()
            }),
            "...1..................",
        ),
        // -m rt --rt-type 0 --rt-0-addrs fd00::5,fd00::6 --rt-0-not-strict
        (
            None,
            Behind::Routing(Routing {
                kind: Some((0, false)),
                addresses: addresses(&[5, 6]),
                not_strict: true,
                ..Routing::default()
            }),
            "...11.................",
        ),
        // -m rt --rt-type 0 --rt-0-addrs fd00::5 --rt-0-not-strict
        (
            None,
            Behind::Routing(Routing {
                kind: Some((0, false)),
                addresses: addresses(&[5]),
                not_strict: true,
                ..Routing::default()
            }),
            "...11..............1..",
        ),
        // -m rt --rt-type 0 --rt-0-addrs fd00::5
        (
            None,
            Behind::Routing(Routing {
                kind: Some((0, false)),
                addresses: addresses(&[5]),
                ..Routing::default()
            }),
            "...................1..",
        ),
        // -m ipv6header --header prot
        (None, Behind::Headers(Headers { mask: 0x01, invert: false, soft: false }), "1............111.....1"),
        // -m ipv6header --header hop,prot
        (None, Behind::Headers(Headers { mask: 0x81, invert: false, soft: false }), ".1...................."),
        // -m ipv6header ! --header hop,prot
        (None, Behind::Headers(Headers { mask: 0x81, invert: true, soft: false }), "1.11111111111111111111"),
        // -m ipv6header --header hop --soft
        (None, Behind::Headers(Headers { mask: 0x80, invert: false, soft: true }), ".1.................1.."),
        // -m ipv6header ! --header hop,frag --soft
        (None, Behind::Headers(Headers { mask: 0x90, invert: true, soft: true }), "1.1111....111111111..1"),
        // -m ipv6header --header frag --soft
        (None, Behind::Headers(Headers { mask: 0x10, invert: false, soft: true }), "......1111.........11."),
        // -m ipv6header --header none
        (None, Behind::Headers(Headers { mask: 0x02, invert: false, soft: false }), "................1....."),
        // -m ipv6header --header esp
        (None, Behind::Headers(Headers { mask: 0x04, invert: false, soft: false }), "............1.....1..."),
        // -m ipv6header --header auth,prot
        (None, Behind::Headers(Headers { mask: 0x09, invert: false, soft: false }), "..........11.....1...."),
        // -m hbh
        (None, Behind::Options(Options { hop_by_hop: true, ..Options::default() }), ".1.................1.."),
        // -m hbh --hbh-len 8
        (
            None,
            Behind::Options(Options { hop_by_hop: true, length: Some((8, false)), ..Options::default() }),
            ".1.................1..",
        ),
        // -m hbh ! --hbh-len 8
        (
            None,
            Behind::Options(Options { hop_by_hop: true, length: Some((8, true)), ..Options::default() }),
            "......................",
        ),
        // -m hbh --hbh-opts 5:2
        (
            None,
            Behind::Options(Options { hop_by_hop: true, options: vec![(5, 2)], ..Options::default() }),
            ".1.................1..",
        ),
        // -m hbh --hbh-opts 5,1:0
        (
            None,
            Behind::Options(Options {
                hop_by_hop: true,
                options: vec![(5, 255), (1, 0)],
                ..Options::default()
            }),
            ".1.................1..",
        ),
        // -m hbh --hbh-opts 5:3
        (
            None,
            Behind::Options(Options { hop_by_hop: true, options: vec![(5, 3)], ..Options::default() }),
            "......................",
        ),
        // -m hbh --hbh-opts 5:2,1:0,0
        (
            None,
            Behind::Options(Options {
                hop_by_hop: true,
                options: vec![(5, 2), (1, 0), (0, 255)],
                ..Options::default()
            }),
            "......................",
        ),
        // -m dst
        (
            None,
            Behind::Options(Options { hop_by_hop: false, ..Options::default() }),
            "..1................11.",
        ),
        // -m dst --dst-opts 0,30:4
        (
            None,
            Behind::Options(Options {
                hop_by_hop: false,
                options: vec![(0, 255), (30, 4)],
                ..Options::default()
            }),
            "..1................11.",
        ),
        // -m dst --dst-opts 0,30:4,1:5
        (
            None,
            Behind::Options(Options {
                hop_by_hop: false,
                options: vec![(0, 255), (30, 4), (1, 5)],
                ..Options::default()
            }),
            "..1................11.",
        ),
        // -m dst --dst-opts 30
        (
            None,
            Behind::Options(Options { hop_by_hop: false, options: vec![(30, 255)], ..Options::default() }),
            "......................",
        ),
        // -m dst --dst-len 16
        (
            None,
            Behind::Options(Options { hop_by_hop: false, length: Some((16, false)), ..Options::default() }),
            "..1................11.",
        ),
        // -p mh -m mh
        (Some(135), Behind::Mobility(0, 255, false), ".............1!!....!."),
        // -p mh -m mh --mh-type 5
        (Some(135), Behind::Mobility(5, 5, false), ".............1!!....!."),
        // -p mh -m mh ! --mh-type 5
        (Some(135), Behind::Mobility(5, 5, true), "..............!!....!."),
        // -m ah
        (None, Behind::Ah(Authentication { ..Authentication::default() }), "..........11.....!.1.."),
        // -m ah --ahspi 7
        (
            None,
            Behind::Ah(Authentication { spi: span(7, 7, false), ..Authentication::default() }),
            "..........1......!.1..",
        ),
        // -m ah ! --ahspi 7
        (
            None,
            Behind::Ah(Authentication { spi: span(7, 7, true), ..Authentication::default() }),
            "...........1.....!....",
        ),
        // -m ah --ahlen 24
        (
            None,
            Behind::Ah(Authentication { length: (24, false), ..Authentication::default() }),
            "..........1......!.1..",
        ),
        // -m ah --ahres
        (
            None,
            Behind::Ah(Authentication { reserved: true, ..Authentication::default() }),
            "..........1......!.1..",
        ),
        // -p esp -m esp --espspi 500
        (Some(50), Behind::Esp(span(500, 500, false)), "............1.....!.!."),
        // -p esp -m esp ! --espspi 1:400
        (Some(50), Behind::Esp(span(1, 400, true)), "............1.....!.!."),
        // -m eui64
        (None, Behind::Eui64, ".....................1"),
    ];
    for (protocol, wanted, said) in rows {
        let found: String = PACKETS
            .iter()
            .map(|(_, hex)| {
                let bytes: Vec<u8> = hex.as_bytes().chunks(2).map(nibbles).collect();
                let ip = Ip::read(&bytes).expect("a packet");
                let link = Some(([2, 0, 0, 0, 0, 1], 0x86dd));
                let packet = Packet { bytes: &bytes, ip: &ip, link };
                match protocol {
                    Some(_) if ip.protocol_is_hidden => '!',
                    Some(protocol) if ip.protocol != *protocol => '.',
                    _ => match has(packet, wanted) {
                        Ok(true) => '1',
                        Ok(false) => '.',
                        Err(Malformed) => '!',
                    },
                }
            })
            .collect();
        assert_eq!(found, *said, "{wanted:?}");
    }
}

fn nibbles(digits: &[u8]) -> u8 {
    let text = std::str::from_utf8(digits).expect("digits");
    u8::from_str_radix(text, 16).expect("a byte")
}

#[test]
fn what_is_cut_short_is_no_reason_to_panic() {
    let all = [
        Behind::Fragment(Fragment::default()),
        Behind::Routing(Routing { reserved: true, addresses: addresses(&[5]), ..Routing::default() }),
        Behind::Headers(Headers { mask: 0xff, invert: false, soft: true }),
        Behind::Options(Options { hop_by_hop: true, options: vec![(5, 2)], ..Options::default() }),
        Behind::Mobility(0, 255, false),
        Behind::Ah(Authentication::default()),
        Behind::Esp(Span::default()),
        Behind::Eui64,
    ];
    for (_, hex) in PACKETS {
        let bytes: Vec<u8> = hex.as_bytes().chunks(2).map(nibbles).collect();
        for len in IPV6_HEADER_LEN..bytes.len() {
            let bytes = &bytes[..len];
            let ip = Ip::read(bytes).expect("a header");
            for wanted in &all {
                let _ = has(Packet { bytes, ip: &ip, link: None }, wanted);
            }
        }
    }
}
