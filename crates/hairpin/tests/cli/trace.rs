//! `hairpin run --trace`.

use crate::place::Place;

#[test]
fn a_trace_is_a_line_for_each_step() {
    let place = Place::new("trace");
    place.write("s.sh", "ip link set lo up; ping -c 1 -q 127.0.0.1 >/dev/null; ping -c1 -W1 10.9.9.9; true");
    let outcome = place.hairpin(&["run", "--world", "bare", "--trace", "t", "s.sh"]);
    assert_eq!(outcome.code, 0);
    let text = place.read("t");
    assert!(text.lines().all(|line| line.contains(" #") && line.contains('/')), "{text}");
    assert!(text.contains("/lo OUT") && text.contains("/lo IN host"), "{text}");
    assert!(!text.contains("trace ends here"), "{text}");
}

#[test]
fn a_trace_has_a_bound_and_its_last_line_says_so() {
    let place = Place::new("trace-bound");
    place.write("s.sh", "ip link set lo up; ping -c 300 -i 0.01 -q 127.0.0.1 >/dev/null");
    let outcome = place.hairpin(&["run", "--world", "bare", "--trace", "t", "--trace-lines", "500", "s.sh"]);
    assert_eq!((outcome.code, outcome.err.as_str()), (0, ""));
    let text = place.read("t");
    assert_eq!(text.lines().count(), 501);
    assert_eq!(text.lines().last(), Some("trace ends here: 500 lines are its bound (--trace-lines)"));
    // Where nobody says so there is one too.
    let help = place.hairpin(&["run", "--help"]).out;
    assert!(help.contains("[default: 100000]"), "{help}");
}

#[test]
fn a_bound_of_no_trace_is_refused() {
    let outcome = Place::new("trace-none").hairpin(&["run", "--trace-lines", "5", "s.sh"]);
    assert_eq!(outcome.code, 2);
    assert!(outcome.err.contains("--trace <FILE>"), "{}", outcome.err);
}
