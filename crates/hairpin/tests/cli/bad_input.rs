//! What a stranger gets wrong: the tool's own words and exit code, never a panic. Where there is a real tool, the texts
//! are what it prints.

use std::process::Stdio;

use crate::place::Place;

#[test]
fn hairpin_itself() {
    let place = Place::new("bad");
    place.write("ok.sh", "echo hi");
    place.write("broken.yaml", "hosts: [1,2");
    place.write("empty.yaml", "");
    std::fs::write(place.0.join("bytes.yaml"), b"\x00\xff").expect("a file");
    std::fs::create_dir(place.0.join("dir")).expect("a directory");
    for (args, code, err) in [
        ("run nosuch.sh", 1, "hairpin: nosuch.sh: No such file or directory\n"),
        ("run dir", 126, "dir: dir: Is a directory\n"),
        (
            "run --world nosuch ok.sh",
            1,
            "hairpin: nosuch: cannot read: No such file or directory\n  help: built-in worlds: nat, bare\n",
        ),
        (
            "run --world dir ok.sh",
            1,
            "hairpin: dir: cannot read: Is a directory\n  help: built-in worlds: nat, bare\n",
        ),
        (
            "run --world broken.yaml ok.sh",
            1,
            "hairpin: broken.yaml:1:8: not YAML: unclosed bracket '['\n  help: close every `{` with a `}` and every `[` \
             with a `]`\n",
        ),
        (
            "run --world empty.yaml ok.sh",
            1,
            "hairpin: empty.yaml: the file is empty\n  help: a world needs at least one host: `hosts: {box: }`\n",
        ),
        (
            "run --world bytes.yaml ok.sh",
            1,
            "hairpin: bytes.yaml: cannot read: stream did not contain valid UTF-8\n",
        ),
        ("run --host nohost ok.sh", 1, "hairpin: no host 'nohost'; there are: host, gateway, internet\n"),
        ("run --host :nons ok.sh", 1, "hairpin: no network namespace 'nons' on host; it has none\n"),
        ("run --trace dir ok.sh", 1, "hairpin: dir: Is a directory\n"),
        ("exec -- true", 1, "hairpin: no world is up; 'hairpin up WORLD' starts one\n"),
        ("exec -w nope -- true", 1, "hairpin: no world called 'nope' is up\n"),
        ("down nope", 1, "hairpin: no world called 'nope' is up\n"),
        (
            "up bare --name a/b",
            1,
            "hairpin: 'a/b' is no name for a world: letters, digits and . _ + - only\n",
        ),
        ("wait -w x abc", 1, "hairpin: 'abc' is no number of seconds\n"),
        (
            "tool --engine emulated ip link",
            1,
            "hairpin: not in a session: use 'hairpin exec', or --engine linux\n",
        ),
    ] {
        let args: Vec<&str> = args.split(' ').collect();
        let outcome = place.hairpin(&args);
        assert_eq!((outcome.code, outcome.out.as_str(), outcome.err.as_str()), (code, "", err), "{args:?}");
    }
    // What the command line lacks is told by its parser.
    for args in ["", "run", "bogus", "ls extra", "up", "tool", "run --clock foo ok.sh", "tool --engine x ip"]
    {
        let outcome = place.hairpin(&args.split_whitespace().collect::<Vec<_>>());
        assert_eq!((outcome.code, outcome.out.as_str()), (2, ""), "{args}");
        assert!(!outcome.err.is_empty(), "{args}");
    }
}

#[test]
fn a_directory_of_sessions_that_cannot_be_made_is_named() {
    let place = Place::new("bad-directory");
    let mut command = place.command(&["run", "-"]);
    let missing = place.0.join("a/b");
    let output = command.env("HAIRPIN_RUNTIME_DIR", &missing).stdin(Stdio::null()).output().expect("hairpin");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let expected =
        format!("hairpin: no directory for sessions: {}: No such file or directory", missing.display());
    assert!(text.starts_with(&expected), "{text}");
}

#[test]
fn front_ends() {
    let place = Place::new("bad-tools");
    place.write("batch", "link add v0 type veth peer name v1\nlink set nosuch up\nlink set v0 up\n");
    place.write("keys", "bad\nnet.ipv4.ip_forward = 1\nnosuch.key=1\nnet.ipv4.conf.lo.rp_filter=2\n");
    for (script, code, printed) in [
        ("ip -batch batch", 1, "Cannot find device \"nosuch\"\nCommand failed batch:2\n"),
        (
            "ip -force -batch batch; ip -br link show v0 | cut -c 1-5",
            0,
            "Cannot find device \"nosuch\"\nCommand failed batch:2\nv0@v1\n",
        ),
        ("ip -batch nosuch", 1, "Cannot open file \"nosuch\" for reading: No such file or directory\n"),
        ("bridge -batch nosuch", 1, "Cannot open file \"nosuch\" for reading: No such file or directory\n"),
        (
            "sysctl -p keys",
            1,
            "sysctl: keys(1): invalid syntax, continuing...\nnet.ipv4.ip_forward = 1\nsysctl: cannot stat \
             /proc/sys/nosuch/key: No such file or directory\nnet.ipv4.conf.lo.rp_filter = 2\n",
        ),
        ("sysctl -p .", 0, ""),
        ("sysctl net.ipv4.ip_forward >/dev/full", 1, "sysctl: write error: No space left on device\n"),
        ("ping -c 1 -q 127.0.0.1 >/dev/full", 1, "ping: write error\n"),
        ("ping -V >/dev/full", 1, "ping: write error\n"),
        ("arping -V >/dev/full", 1, "arping: write error\n"),
        ("ip link >/dev/full", 0, ""),
        ("ip -br link | head -1 | cut -c 1-2", 0, "lo\n"),
        ("sysctl -a | head -1 | wc -l", 0, "1\n"),
        ("tcpdump -r nosuch", 1, "tcpdump: nosuch: No such file or directory\n"),
        ("tcpdump -nr batch", 1, "tcpdump: unknown file format\n"),
        (
            ": >none; tcpdump -nr none",
            1,
            "tcpdump: truncated dump file; tried to read 4 file header bytes, only got 0\n",
        ),
        (
            "ip link add p2 type veth peer name p1; ip link set p1 up; ip link set p2 up; tcpdump -D | head -2",
            0,
            "1.p1 [Up, Running, Connected]\n2.p2 [Up, Running, Connected]\n",
        ),
    ] {
        let outcome = place.script(&format!("exec 2>&1\n{script}"));
        assert_eq!((outcome.code, outcome.out.as_str()), (code, printed), "{script}");
    }
}
