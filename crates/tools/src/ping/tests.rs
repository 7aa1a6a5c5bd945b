//! `ping` on a virtual clock, where its timing is exact.

use hairpin_netlink::{Errno, ErrorOrigin, Received};

use crate::Signal;
use crate::fake::{Answers, FakeKernel, Sent, ipv4, realtime};

const MS: u64 = 1_000_000;
const TARGET: [u8; 4] = [10, 0, 0, 9];

/// The reply to an echo request, from `from`.
fn reply(sent: &Sent, delay: u64, from: [u8; 4]) -> (u64, Received) {
    let mut data = vec![0; 20];
    data[0] = 0x45;
    data[8] = 63;
    let mut icmp = sent.data.clone();
    icmp[0] = 0;
    data.extend(icmp);
    let item = Received::Datagram {
        data,
        from: ipv4(from, 0),
        to: ipv4([10, 0, 0, 1], 0),
        ttl: 63,
        tos: 0,
        ifindex: 2,
        realtime_ns: realtime(sent.now_ns + delay),
    };
    (delay, item)
}

/// An ICMP error about an echo request, which arrives at the instant `at`.
fn error(sent: &Sent, at: u64, kind: u8, code: u8) -> (u64, Received) {
    let item = Received::Error {
        errno: Errno::EHOSTUNREACH,
        origin: ErrorOrigin::Icmp { kind, code, from: [10, 0, 0, 1].into() },
        info: 0,
        to: sent.to,
        data: sent.data.clone(),
        ttl: 64,
        realtime_ns: realtime(at),
    };
    (at - sent.now_ns, item)
}

fn prompt(sent: &Sent) -> Answers {
    Ok(vec![reply(sent, MS / 8, TARGET)])
}

fn silent(_: &Sent) -> Answers {
    Ok(Vec::new())
}

#[test]
fn replies_and_statistics() {
    let mut kernel = FakeKernel::new(prompt);
    let (text, code) = kernel.run("ping -c 3 10.9");
    let expected = "\
PING 10.9 (10.0.0.9) 56(84) bytes of data.
64 bytes from 10.0.0.9: icmp_seq=1 ttl=63 time=0.125 ms
64 bytes from 10.0.0.9: icmp_seq=2 ttl=63 time=0.125 ms
64 bytes from 10.0.0.9: icmp_seq=3 ttl=63 time=0.125 ms

--- 10.9 ping statistics ---
3 packets transmitted, 3 received, 0% packet loss, time 2000ms
rtt min/avg/max/mdev = 0.125/0.125/0.125/0.000 ms
";
    assert_eq!((text.as_str(), code), (expected, 0));
    // Each second starts with the reply: the wait for a packet begins anew then.
    assert_eq!(kernel.now_ns, 2 * (1000 * MS + MS / 8) + MS / 8);
}

#[test]
fn the_last_reply_is_waited_for() {
    for (line, end_ms) in [
        ("ping -c 3 10.0.0.9", 2000 + 10_000),
        ("ping -c 2 -W 0.5 10.0.0.9", 1000 + 500),
        ("ping -c 2 -i 0.2 -W 3 10.0.0.9", 200 + 3000),
        ("ping -w 2 10.0.0.9", 2000),
        ("ping -c 1 -w 4 10.0.0.9", 4000),
    ] {
        let mut kernel = FakeKernel::new(silent);
        let (text, code) = kernel.run(line);
        assert_eq!((kernel.now_ns, code), (end_ms * MS, 1), "{line}\n{text}");
    }
}

#[test]
fn an_unreachable_host_is_told_three_seconds_later() {
    let mut kernel = FakeKernel::new(|sent| Ok(vec![error(sent, 3000 * MS, 3, 1)]));
    let (text, code) = kernel.run("ping -c 3 10.0.0.9");
    let expected = "\
PING 10.0.0.9 (10.0.0.9) 56(84) bytes of data.
From 10.0.0.1 icmp_seq=1 Destination Host Unreachable
From 10.0.0.1 icmp_seq=2 Destination Host Unreachable
From 10.0.0.1 icmp_seq=3 Destination Host Unreachable

--- 10.0.0.9 ping statistics ---
3 packets transmitted, 0 received, +3 errors, 100% packet loss, time 2000ms
pipe 3
";
    assert_eq!((text.as_str(), code), (expected, 1));
    assert_eq!(kernel.now_ns, 3000 * MS);
}

#[test]
fn errors_of_others_are_not_ours() {
    let mut kernel = FakeKernel::new(|sent| {
        let mut foreign = Sent { data: sent.data.clone(), ..*sent };
        foreign.data[5] ^= 1;
        Ok(vec![error(&foreign, sent.now_ns, 11, 0), reply(sent, MS, TARGET)])
    });
    let (text, code) = kernel.run("ping -c 1 -q 10.0.0.9");
    assert!(text.contains("1 packets transmitted, 1 received, 0% packet loss"), "{text}");
    assert_eq!(code, 0);
}

#[test]
fn duplicates_and_strange_senders_are_marked() {
    let mut kernel =
        FakeKernel::new(|sent| Ok(vec![reply(sent, MS, [10, 0, 0, 8]), reply(sent, 2 * MS, TARGET)]));
    let (text, _) = kernel.run("ping -c 2 10.0.0.9");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1], "64 bytes from 10.0.0.8: icmp_seq=1 ttl=63 time=1.00 ms (DIFFERENT ADDRESS!)");
    assert_eq!(lines[2], "64 bytes from 10.0.0.9: icmp_seq=1 ttl=63 time=2.00 ms (DUP!)");
    assert!(
        text.contains("2 packets transmitted, 2 received, +1 duplicates, 0% packet loss, time 1000ms"),
        "{text}"
    );
}

#[test]
fn signals_end_it_or_ask_for_the_status() {
    let mut kernel = FakeKernel::new(prompt);
    kernel.signals = vec![(500 * MS, Signal::Quit), (1500 * MS, Signal::Interrupt)];
    let (text, code) = kernel.run("ping -q 10.0.0.9");
    let expected = "\
PING 10.0.0.9 (10.0.0.9) 56(84) bytes of data.
\r1/1 packets, 0% loss, min/avg/ewma/max = 0.125/0.125/0.125/0.125 ms

--- 10.0.0.9 ping statistics ---
2 packets transmitted, 2 received, 0% packet loss, time 1000ms
rtt min/avg/max/mdev = 0.125/0.125/0.125/0.000 ms
";
    assert_eq!((text.as_str(), code), (expected, 0));
}

#[test]
fn a_ping_that_is_terminated_prints_its_statistics() {
    let mut kernel = FakeKernel::new(prompt);
    kernel.signals = vec![(1500 * MS, Signal::Terminate)];
    let (text, code) = kernel.run("ping -q 10.0.0.9");
    let expected = "\
PING 10.0.0.9 (10.0.0.9) 56(84) bytes of data.

--- 10.0.0.9 ping statistics ---
2 packets transmitted, 2 received, 0% packet loss, time 1000ms
rtt min/avg/max/mdev = 0.125/0.125/0.125/0.000 ms
";
    assert_eq!((text.as_str(), code), (expected, 143));
}

#[test]
fn a_flood_without_replies_is_a_hundred_a_second() {
    let mut kernel = FakeKernel::new(silent);
    let (text, _) = kernel.run("ping -f -w 1 10.0.0.9");
    assert!(text.contains("100 packets transmitted, 0 received, 100% packet loss, time 990ms"), "{text}");
}

#[test]
fn short_intervals_are_kept() {
    for (line, time) in [
        ("ping -q -c 5 -i 0.2 10.0.0.9", "time 801ms"),
        ("ping -q -c 5 -i 0.005 10.0.0.9", "time 20ms"),
        ("ping -q -c 3 -i 0 10.0.0.9", "time 0ms"),
        ("ping -q -c 3 -l 3 10.0.0.9", "time 0ms"),
    ] {
        let (text, code) = FakeKernel::new(prompt).run(line);
        assert!(text.contains(time) && code == 0, "{line}\n{text}");
    }
}

#[test]
fn a_packet_that_cannot_leave_counts() {
    let (text, code) = FakeKernel::new(|_| Err(Errno::ENETUNREACH)).run("ping -c 2 10.0.0.9");
    assert!(text.contains("2 packets transmitted, 0 received, 100% packet loss, time 1000ms"), "{text}");
    assert_eq!(code, 1);
}

#[test]
fn names_come_from_the_hosts_file() {
    let (text, _) = FakeKernel::new(|sent| Ok(vec![reply(sent, MS, [10, 0, 0, 7])])).run("ping -c1 SEVEN");
    assert!(
        text.starts_with(
            "PING seven.example (10.0.0.7) 56(84) bytes of data.\n64 bytes from seven.example (10.0.0.7): "
        ),
        "{text}"
    );
    let (text, code) = FakeKernel::new(silent).run("ping eight");
    assert_eq!((text.as_str(), code), ("ping: eight: Temporary failure in name resolution\n", 2));
    let (text, code) = FakeKernel::new(silent).run("ping -4 fe80::1%eth0");
    let refusal = "ping: fe80::1%eth0: Address family for hostname not supported\n";
    assert_eq!((text.as_str(), code), (refusal, 2));
}

/// Whatever stands in a packet, nothing panics.
#[test]
fn broken_packets_are_survived() {
    let mut seed = 1u64;
    let mut kernel = FakeKernel::new(move |sent| {
        let mut items = Vec::new();
        for _ in 0..200 {
            let mut random = || {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (seed >> 33) as usize
            };
            let (_, mut item) = reply(sent, 0, TARGET);
            if let Received::Datagram { data, .. } = &mut item {
                for _ in 0..3 {
                    let at = random() % 32;
                    data[at] = random() as u8;
                }
                data[0] = 0x40 | (random() % 16) as u8;
                data.truncate(random() % 100);
            }
            items.push((MS, item));
        }
        Ok(items)
    });
    kernel.run("ping -v -c 20 -w 30 10.0.0.9");
}
