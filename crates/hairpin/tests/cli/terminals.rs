//! Worlds that are up, and where the programs of a session are.

use std::process::{Command, Stdio};

use crate::place::Place;

/// Nobody types two commands in the same instant: an IPv6 address is not tentative for ever.
#[test]
fn time_passes_between_the_commands_of_a_world_that_is_up() {
    if interrupt_is_ignored() {
        eprintln!("skipped: started in the background, where nobody types");
        return;
    }
    let place = Place::new("typing");
    assert_eq!(place.hairpin(&["up", "bare"]).code, 0);
    let exec = |words: &[&str]| place.hairpin(&[&["exec", "--"], words].concat());
    assert_eq!(exec(&["ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1"]).code, 0);
    assert_eq!(exec(&["ip", "link", "set", "v1", "up"]).code, 0);
    assert_eq!(exec(&["ip", "link", "set", "v0", "up"]).code, 0);
    let addresses = || exec(&["ip", "-6", "-o", "addr", "show", "dev", "v0"]).out;
    let first = addresses();
    assert!(first.contains("tentative"), "{first}");
    let seen: Vec<String> = (0..10).map(|_| addresses()).collect();
    assert!(
        seen.last().is_some_and(|last| last.contains("scope link") && !last.contains("tentative")),
        "{seen:?}"
    );
    assert_eq!(place.hairpin(&["down"]).code, 0);
}

/// What a caller has open ends with the caller: `cat` sees the end of its pipe while the world stays up.
#[test]
fn a_world_that_is_up_holds_nothing_of_who_started_it() {
    let place = Place::new("holding");
    let hairpin = place.command(&[]);
    let mut shell = Command::new("timeout");
    shell.envs(hairpin.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.args(["20", "sh", "-c", r#""$0" up bare 7>&1 >/dev/null | cat; echo ended"#]);
    shell.arg(hairpin.get_program());
    let output = shell.output().expect("a shell");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "ended\n");
    assert_eq!(place.hairpin(&["down"]).code, 0);
}

/// Whether this process ignores SIGINT, as a shell has its background commands do; so do all that it starts.
fn interrupt_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).is_ok_and(|mask| mask & 2 != 0))
}

/// As with the real `ip`, but that a process of no session is none.
#[test]
fn the_last_session_leaves_nothing_behind() {
    let place = Place::new("behind");
    let left = || std::fs::read_dir(&place.0).expect("a directory").count();
    for _ in 0..5 {
        // Several at once, which end while others begin.
        let sessions: Vec<_> = (0..4)
            .map(|_| {
                let mut command = place.command(&["run", "--world", "bare", "-"]);
                command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("hairpin")
            })
            .collect();
        for mut session in sessions {
            assert!(session.wait().expect("its end").success());
        }
        assert_eq!(left(), 0);
    }
    assert_ne!(place.hairpin(&["exec", "nobody", "--", "true"]).code, 0);
    assert_eq!(place.hairpin(&["ls"]).code, 0);
    assert_eq!(left(), 0);
}

#[test]
fn ip_netns_knows_where_processes_are() {
    let place = Place::new("pids");
    let outcome = place.script(
        r#"
ip netns add a; ip netns add b
ip netns exec a tail -f /dev/null & p=$!
sleep 1
[ "$(ip netns pids a)" = $p ] && echo alone
[ -z "$(ip netns pids b)" ] && echo nobody
ip netns identify $p; echo "[$(ip netns identify $$)]"
ip netns attach c $p && ip -n c link add d0 type dummy && ip -n a -br link show dev d0 | cut -c1-2
ip netns del a; ip netns identify $p
ip netns attach c $p; ip netns attach d 999999999; ip netns identify 999999999
ip netns attach e $$ && ip netns identify
ip netns exec b bash -c 'ip netns pids b | grep -cx $$'
kill $p
"#,
    );
    assert_eq!(outcome.out, "alone\nnobody\na\n[]\nd0\nc\ne\n1\n");
    assert_eq!(
        outcome.err,
        "Cannot create namespace file \"/run/netns/c\": File exists\n\
         Bind /proc/999999999/ns/net -> /run/netns/d failed: No such file or directory\n\
         Cannot open network namespace: No such file or directory\n"
    );
}

/// As netcat-openbsd and tcpdump do: that nobody listens is no failure of what was sent, and only what could not be
/// written while packets were printed is.
#[test]
fn what_is_lost_does_not_always_fail() {
    let place = Place::new("lost");
    let outcome = place.script(
        r#"
ip link set lo up
echo hi | nc -u -w1 127.0.0.1 9; echo $?
(echo a; sleep 0.5; echo b) | nc -u -w1 127.0.0.1 9; echo $?
echo hi | nc -u -q1 127.0.0.1 9; echo $?
nc -u -v -z -w1 127.0.0.1 9; echo $?
nc -u -z -w1 127.0.0.1 9; echo $?
tcpdump -i lo -c 1 >/dev/full 2>/dev/null & sleep 1; ping -c 1 127.0.0.1 >/dev/null; wait $!; echo $?
tcpdump -l -i lo -c 1 >/dev/full 2>errors & sleep 1; ping -c 1 127.0.0.1 >/dev/null; wait $!; echo $?
tail -1 errors
tcpdump -i lo -c 1 -w /dev/full 2>/dev/null & sleep 1; ping -c 1 127.0.0.1 >/dev/null; wait $!; echo $?
"#,
    );
    let out = "0\n0\n0\n1\n0\n0\n14\ntcpdump: Unable to write output: No space left on device\n0\n";
    assert_eq!((outcome.out.as_str(), outcome.err.as_str()), (out, ""));
}

/// A namespace that the machine has made is none of the emulated kernel's: nothing there may look as if it were.
#[test]
fn unshare_does_not_make_an_emulated_namespace() {
    let place = Place::new("unshare");
    let outcome = place.script("unshare -r -n true || exit 3; unshare -r -n ip link");
    if outcome.code == 3 {
        eprintln!("skipped: no namespaces here");
        return;
    }
    assert_eq!((outcome.code, outcome.out.as_str()), (1, ""), "{}", outcome.err);
    assert!(outcome.err.contains("'ip netns add'"), "{}", outcome.err);
}

#[test]
fn a_script_has_its_descriptors_for_itself() {
    let place = Place::new("descriptors");
    let outcome = place.script(
        "exec 3>&1 4>&1 200>lock; ip -br link | cut -c1-3 >&3; exec 3>&- 4>&- 200>&-; ip -br link | wc -l
         ip netns add a; ip netns exec a bash -c 'exec 3>&1; ip -br link | wc -l >&3'\n",
    );
    assert_eq!(outcome.out, "lo \n1\n1\n", "{}", outcome.err);
    assert_eq!((outcome.code, outcome.err.as_str()), (0, ""));
}
