//! `arping` on a virtual clock.

use hairpin_netlink::Answer;
use hairpin_netlink::route::link::LinkLayerType;

use super::*;
use crate::fake::{Answers, FakeKernel, Sent, realtime};

#[test]
fn times_are_iputils_own() {
    assert_eq!(time_text(43_000), " 0.543ms");
    assert_eq!(time_text(600_000), " 1.100ms");
    assert_eq!(time_text(1_499_000), " 1.999ms");
}

#[test]
fn short_packets_are_not_read() {
    assert!(Arp::parse(&[0, 1, 8, 0, 6, 4, 0, 1, 2], 6).is_none());
    assert!(Arp::parse(&[], 6).is_none());
}

const PEER_MAC: [u8; 6] = [2, 0, 0, 0, 0, 9];

/// A kernel with one Ethernet device; `script` answers its packets.
fn kernel(script: impl FnMut(&Sent) -> Answers + 'static) -> FakeKernel {
    let mut kernel = FakeKernel::new(script);
    kernel.netlink = |request| {
        let header = codec::messages(request).next().expect("a request").header;
        let mut link = LinkMessage::default();
        link.header.index = 2;
        link.header.flags = LinkFlags::Up;
        link.header.link_layer_type = LinkLayerType::Ether;
        link.attributes = vec![
            LinkAttribute::IfName("eth0".to_owned()),
            LinkAttribute::Address(vec![2, 0, 0, 0, 0, 1]),
            LinkAttribute::Broadcast(vec![0xff; 6]),
        ];
        let mut answer = Answer::new(header);
        answer.push(&Message::NewLink(link), true);
        answer.done()
    };
    kernel
}

/// The answer of 10.0.0.9 to a request.
fn answer(sent: &Sent, delay: u64) -> Answers {
    let (from, rest) = sent.data.split_at(18);
    let mut data = from[..7].to_vec();
    data.push(2);
    data.extend(PEER_MAC);
    data.extend(&rest[6..10]);
    data.extend(&from[8..18]);
    let item = Received::Frame {
        data,
        ifindex: 2,
        protocol: ETHERTYPE_ARP,
        packet_type: PacketType::Host,
        hardware: 1,
        mac: PEER_MAC,
        realtime_ns: realtime(sent.now_ns + delay),
    };
    Ok(vec![(delay, item)])
}

#[test]
fn the_first_request_is_a_broadcast() {
    let mut kernel = kernel(|sent| answer(sent, 43_000));
    let (text, code) = kernel.run("arping -c 2 -I eth0 10.0.0.9");
    let expected = "\
ARPING 10.0.0.9 from 10.0.0.1 eth0
Unicast reply from 10.0.0.9 [02:00:00:00:00:09]  0.543ms
Unicast reply from 10.0.0.9 [02:00:00:00:00:09]  0.543ms
Sent 2 probes (1 broadcast(s))
Received 2 response(s)
";
    assert_eq!((text.as_str(), code), (expected, 0));
    // The interval after the last request is waited for, too.
    assert_eq!(kernel.now_ns, 2 * NS_PER_SECOND);
}

#[test]
fn silence_ends_with_the_count_or_the_timeout() {
    for (line, end_s) in [
        ("arping -c 3 -I eth0 10.0.0.9", 3),
        ("arping -c 3 -w 2 -I eth0 10.0.0.9", 2),
        ("arping -w 4 -i 3 -I eth0 10.0.0.9", 4),
    ] {
        let mut kernel = kernel(|_| Ok(Vec::new()));
        let (text, code) = kernel.run(line);
        assert!(text.ends_with("Received 0 response(s)\n"), "{text}");
        assert_eq!((kernel.now_ns, code), (end_s * NS_PER_SECOND, 1), "{line}");
    }
}

#[test]
fn a_duplicate_ends_detection() {
    let (text, code) = kernel(|sent| answer(sent, 1000)).run("arping -D -w 2 -I eth0 10.0.0.9");
    assert!(text.starts_with("ARPING 10.0.0.9 from 0.0.0.0 eth0\n"), "{text}");
    assert_eq!(code, 1);
    let (_, code) = kernel(|_| Ok(Vec::new())).run("arping -D -w 2 -I eth0 10.0.0.9");
    assert_eq!(code, 0);
}
