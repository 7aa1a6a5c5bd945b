//! What has no IP header of its own in front: tags of VLANs, LLC, spanning tree, other EtherTypes.

use super::super::build::*;
use super::{Frame, cut, whole};

pub fn vlans() -> Vec<Frame> {
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

pub fn links() -> Vec<Frame> {
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
