//! What programs read from their standard input.

use crate::place::Place;

/// A wait of a second takes no time: what stands in a file is sent before it, however often it is tried.
#[test]
fn input_comes_before_the_end_of_patience() {
    let place = Place::new("input");
    place.write(
        "s.sh",
        "ip link set lo up; echo hello >line
         tcpdump -l -n -i lo 'udp and dst port 9' >seen 2>/dev/null &
         for i in $(seq 25); do nc -u -w 1 127.0.0.1 9 <line; done
         for i in 1 2 3; do { sleep 0.5; echo hello; } | nc -u -w 1 127.0.0.1 9; done
         sleep 1; kill $!; wait; grep -c 'UDP, length 6' seen",
    );
    let outcome = place.hairpin(&["run", "--world", "bare", "s.sh"]);
    assert_eq!((outcome.code, outcome.out.as_str()), (0, "28\n"), "{}", outcome.err);
}
