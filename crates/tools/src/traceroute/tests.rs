//! `traceroute` on a virtual clock.

use hairpin_netlink::{Errno, ErrorOrigin, Received};

use crate::fake::{Answers, FakeKernel, Sent, realtime};

const MS: u64 = 1_000_000;

/// An ICMP error about a probe, `delay` after it.
fn error(sent: &Sent, delay: u64, kind: u8, code: u8, from: [u8; 4]) -> (u64, Received) {
    let item = Received::Error {
        errno: Errno::EHOSTUNREACH,
        origin: ErrorOrigin::Icmp { kind, code, from: from.into() },
        info: 0,
        to: sent.to,
        data: sent.data.clone(),
        ttl: 64,
        realtime_ns: realtime(sent.now_ns + delay),
    };
    (delay, item)
}

/// Two routers, then the target, which says that the port is closed.
fn way(sent: &Sent) -> Answers {
    Ok(vec![match sent.ttl {
        1 => error(sent, MS / 2, 11, 0, [10, 0, 1, 1]),
        2 => error(sent, MS, 11, 0, [10, 0, 2, 1]),
        _ => error(sent, 3 * MS / 2, 3, 3, [10, 0, 3, 3]),
    }])
}

#[test]
fn hops_to_the_target() {
    let (text, code) = FakeKernel::new(way).run("traceroute 10.0.3.3");
    let expected = "\
traceroute to 10.0.3.3 (10.0.3.3), 30 hops max, 60 byte packets
 1  10.0.1.1 (10.0.1.1)  0.500 ms  0.500 ms  0.500 ms
 2  10.0.2.1 (10.0.2.1)  1.000 ms  1.000 ms  1.000 ms
 3  10.0.3.3 (10.0.3.3)  1.500 ms  1.500 ms  1.500 ms
";
    assert_eq!((text.as_str(), code), (expected, 0));
}

#[test]
fn a_silent_hop_is_given_up() {
    let mut kernel = FakeKernel::new(|sent| if sent.ttl == 1 { Ok(Vec::new()) } else { way(sent) });
    let (text, _) = kernel.run("traceroute -n -q 2 10.0.3.3");
    let expected = "\
traceroute to 10.0.3.3 (10.0.3.3), 30 hops max, 60 byte packets
 1  * *
 2  10.0.2.1  1.000 ms  1.000 ms
 3  10.0.3.3  1.500 ms  1.500 ms
";
    assert_eq!(text, expected);
    // Ten times the answer of the next hop, with a millisecond for precision; waits are whole milliseconds.
    assert_eq!(kernel.now_ns, 20 * MS + MS / 2);
}

#[test]
fn remarks_follow_the_time() {
    let mut kernel = FakeKernel::new(|sent| match sent.ttl {
        1 => way(sent),
        _ => Ok(vec![error(sent, MS, 3, 1, [10, 0, 1, 1])]),
    });
    let (text, _) = kernel.run("traceroute -I -n -q 2 10.0.3.3");
    assert!(text.ends_with("\n 2  10.0.1.1  1.000 ms !H  1.000 ms !H\n"), "{text}");
}

#[test]
fn a_late_answer_of_the_final_host_takes_the_first_place() {
    // Of the probes sent at once only the fifth is answered.
    let mut count = 0;
    let mut kernel = FakeKernel::new(move |sent| {
        count += 1;
        Ok(if count == 5 { vec![error(sent, MS, 3, 1, [10, 0, 1, 1])] } else { Vec::new() })
    });
    let (text, _) = kernel.run("traceroute -n -q 1 -w 1 -m 6 10.0.3.3");
    let lines: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!(lines, [" 1  *", " 2  *", " 3  *", " 4  *", " 5  10.0.1.1  1.000 ms !H"]);
}

#[test]
fn what_the_kernel_refuses_ends_it() {
    let (text, code) = FakeKernel::new(|_| Err(Errno::ENETUNREACH)).run("traceroute 10.0.3.3");
    assert!(text.ends_with("60 byte packets\nsend: Network is unreachable\n"), "{text}");
    assert_eq!(code, 1);
}
