//! `ssh` between the hosts of a world.

use crate::place::Place;

const WORLD: &str = "\
hosts:
  pc:
    nics: {eth0: {segment: lan}}
    addresses: [{dev: eth0, ip: 10.0.0.1/24}]
  server:
    nics: {eth0: {segment: lan}}
    addresses: [{dev: eth0, ip: 10.0.0.2/24}]
segments:
  lan: {kind: switch}
";

#[test]
fn words_become_one_line_for_the_other_hosts_shell() {
    let place = Place::new("ssh");
    place.write("w.yaml", WORLD);
    let run = |script: &str| place.hairpin_with(&["run", "--world", "w.yaml", "-"], script);
    for (script, out) in [
        ("ssh server hostname", "server\n"),
        ("ssh server ip -br addr show dev eth0 | awk '{print $3}'", "10.0.0.2/24\n"),
        ("ssh root@server 'echo \"a  b\"; ip -br l' | head -1", "a  b\n"),
        // Joined, then split again by the other shell.
        ("ssh server echo 'a  b' '$(hostname)'", "a b server\n"),
        ("ssh -p 22 -o BatchMode=yes server -- ls -d /", "/\n"),
        ("ssh server exit 3; echo $?", "3\n"),
        ("echo hostname | ssh server", "server\n"),
    ] {
        let outcome = run(script);
        assert_eq!((outcome.out.as_str(), outcome.err.as_str()), (out, ""), "{script}");
    }
}

/// OpenSSH 9.2 says the same.
#[test]
fn a_host_that_is_not_there_has_no_address() {
    let place = Place::new("ssh-none");
    let outcome = place.script("ssh me@nohost true; echo $?");
    assert_eq!(outcome.out, "255\n");
    assert_eq!(outcome.err, "ssh: Could not resolve hostname nohost: Name or service not known\r\n");
}
