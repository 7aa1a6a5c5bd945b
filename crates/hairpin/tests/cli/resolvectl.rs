//! `resolvectl`: whom the host asks, by link.

use crate::place::Place;

#[test]
fn servers_of_links_are_the_hosts_until_they_are_taken_back() {
    let place = Place::new("resolvectl");
    let run = |script: &str| place.hairpin_with(&["run", "--world", "nat", "-"], script);
    for (script, out) in [
        ("resolvectl dns", "Global:\nLink 2 (eth0):\n"),
        (
            "resolvectl dns eth0 192.0.2.1 2001:db8::1; cat /etc/resolv.conf",
            "nameserver 192.0.2.1\nnameserver 2001:db8::1\n",
        ),
        ("resolvectl dns eth0 192.0.2.1; resolvectl dns eth0", "Link 2 (eth0): 192.0.2.1\n"),
        // What was there before comes back; taking back what was not given changes nothing.
        (
            "cp /etc/resolv.conf a; resolvectl dns eth0 192.0.2.1; resolvectl revert eth0; diff a /etc/resolv.conf && echo same",
            "same\n",
        ),
        ("cp /etc/resolv.conf a; resolvectl revert eth0; diff a /etc/resolv.conf && echo same", "same\n"),
    ] {
        let outcome = run(script);
        assert_eq!((outcome.out.as_str(), outcome.err.as_str()), (out, ""), "{script}");
    }
}

/// A link of another namespace has a number that the host's first one does not know.
#[test]
fn what_cannot_be_set_is_refused() {
    let place = Place::new("resolvectl-refused");
    let elsewhere = "ip link add d0 type dummy; ip netns add n; ip link set d0 netns n; ip netns exec n resolvectl dns d0 192.0.2.1";
    for (script, err) in [
        (elsewhere, "Failed to set DNS configuration: Link 3 not known\n"),
        ("resolvectl dns nosuch 192.0.2.1", "Failed to resolve interface \"nosuch\": No such device\n"),
        ("resolvectl dns lo 192.0.2.1", "Failed to set DNS configuration: Link lo is loopback device.\n"),
        (
            "resolvectl dns eth0 x",
            "Failed to parse DNS server address: x\nFailed to set DNS configuration: Invalid argument\n",
        ),
        ("resolvectl status", "resolvectl status is not supported by hairpin yet: dns and revert are\n"),
    ] {
        let script = format!("{script}; [ $? = 1 ] && echo refused");
        let outcome = place.hairpin_with(&["run", "--world", "nat", "-"], &script);
        assert_eq!((outcome.out.as_str(), outcome.err.as_str()), ("refused\n", err), "{script}");
    }
}
