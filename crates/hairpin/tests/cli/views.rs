//! `/proc` and `/sys` as real programs in a session see them.

use crate::place::Place;

/// A device of each kind that has files of its own.
const DEVICES: &str = "\
ip link add br0 type bridge; ip link add v0 type veth peer name v1; ip link set v0 master br0
ip link add link v1 name v1.5 type vlan id 5; ip link add m0 link v1 type macvlan mode bridge
ip link add d0 numtxqueues 2 numrxqueues 2 type dummy
";

/// Looks at every name below the trees and says which leads nowhere or cannot be read; `find` complains of one that is
/// only listed. The devices' own names are left out.
const WALK: &str = r#"
for tree in /sys/class/net /sys/devices/virtual/net /proc/sys/net /proc/net; do
  least=20; [ $tree != /sys/class/net ] || least=7 # links, a device each
  [ $(find $tree/ | wc -l) -gt $least ] || echo "cannot walk $tree"
  find $tree/ -xtype l -printf '%p leads nowhere\n'
  find $tree/ -type f -print0 | xargs -0 cat 2>&1 >/dev/null | sed 's/^cat: //'
done | sed -E 's#(virtual/net|conf|neigh)/(all|default|br0|v0|v1|v1\.5|m0|d0|lo)/#\1/DEV/#' | sort -u
"#;

/// What Linux answers where it has a file that cannot be read now.
const UNREADABLE: &str = "\
/proc/sys/net/ipv4/route/flush: Permission denied
/proc/sys/net/ipv6/conf/DEV/stable_secret: Input/output error
/proc/sys/net/ipv6/route/flush: Permission denied
/sys/devices/virtual/net/DEV/bridge/flush: Permission denied
/sys/devices/virtual/net/DEV/brport/flush: Permission denied
/sys/devices/virtual/net/DEV/carrier: Invalid argument
/sys/devices/virtual/net/DEV/dormant: Invalid argument
/sys/devices/virtual/net/DEV/duplex: Invalid argument
/sys/devices/virtual/net/DEV/phys_port_id: Operation not supported
/sys/devices/virtual/net/DEV/phys_port_name: Operation not supported
/sys/devices/virtual/net/DEV/phys_switch_id: Operation not supported
/sys/devices/virtual/net/DEV/power/autosuspend_delay_ms: Input/output error
/sys/devices/virtual/net/DEV/queues/tx-0/traffic_class: No such file or directory
/sys/devices/virtual/net/DEV/queues/tx-0/xps_cpus: No such file or directory
/sys/devices/virtual/net/DEV/speed: Invalid argument
/sys/devices/virtual/net/DEV/testing: Invalid argument
";

#[test]
fn every_name_that_is_listed_is_there() {
    let place = Place::new("walk");
    let outcome = place.script(&format!("{DEVICES}{WALK}"));
    if place.script("[ -e /sys/class/net/lo/queues/tx-0/traffic_class ] || echo none").out == "none\n" {
        eprintln!("skipped: no views here");
        return;
    }
    // Plain files are empty where Linux has an error.
    let plain = place.script("cat /sys/class/net/lo/phys_port_id 2>/dev/null").code == 0;
    assert_eq!(outcome.out, if plain { "" } else { UNREADABLE }, "{}", outcome.err);
    assert_eq!((outcome.code, outcome.err.as_str()), (0, ""));
}

#[test]
fn plain_files_have_every_name_too() {
    let Some(place) = Place::of_ordinary_user("walk-plain") else {
        eprintln!("skipped: cannot become an ordinary user");
        return;
    };
    let outcome = place.script(&format!("{DEVICES}{WALK}"));
    if outcome.err.contains("this machine's own") {
        eprintln!("skipped: {}", outcome.err);
        return;
    }
    assert_eq!((outcome.code, outcome.out.as_str(), outcome.err.as_str()), (0, "", ""));
}

/// Whatever a program looks for or writes, it does not get beyond the session.
const BOUNDS: &str = r#"
sysctl -q -w fs.file-max=12345; cat /proc/sys/fs/file-max; [ -r /proc/sys/fs/pipe-max-size ] && echo readable
for file in /proc/sys/net/ipv4/nosuch /proc/sys/net/nosuch /sys/class/net/nosuch /sys/class/net/br0/bridge/nosuch; do
  echo 1 >$file; echo $?
done
echo 60 >/proc/sys/vm/swappiness; echo $?
echo 1 >/sys/module/nosuch; echo $?
grep -c : /proc/self/net/dev
(: </dev/tcp/127.0.0.1/22) 2>&1 | sed 's/.*: //' | sort -u; (: </dev/tcp/192.0.2.1/22) 2>&1 | sed 's/.*: //' | sort -u
ip netns add n1
ip netns exec n1 sh -c 'echo 1 >/proc/sys/net/ipv4/nosuch; echo $?; grep -c : /proc/self/net/dev; ip -br link'
"#;

const BOUNDED: &str = "\
12345
readable
1
1
1
1
1
1
1
Network is unreachable
Network is unreachable
2
1
lo               DOWN           00:00:00:00:00:00 <LOOPBACK> 
";

#[test]
fn programs_stay_in_the_session() {
    for place in [Some(Place::new("bounds")), Place::of_ordinary_user("bounds-plain")].into_iter().flatten() {
        let outcome = place.script(&format!("{DEVICES}{BOUNDS}"));
        if outcome.err.contains("this machine's") {
            eprintln!("skipped: {}", outcome.err);
            continue;
        }
        assert_eq!(outcome.out, BOUNDED, "{}", outcome.err);
        let count = |text: &str| outcome.err.matches(text).count();
        // In procfs a name that is not there is not looked for any further; a plain directory lets nobody make a file in it.
        let refused = ["Permission denied", "No such file or directory", "Directory nonexistent"].map(count);
        let plain = place.script("cat /sys/class/net/lo/phys_port_id 2>/dev/null").code == 0;
        assert_eq!(refused, if plain { [5, 0, 0] } else { [2, 2, 1] }, "{}", outcome.err);
        assert_eq!(count("Read-only file system"), 2, "{}", outcome.err);
        // Nothing is left, though there were directories that cannot be written to.
        let left = std::fs::read_dir(place.0.join("hairpin"))
            .map_or(0, |entries| entries.flatten().filter(|entry| entry.path().is_dir()).count());
        assert_eq!(left, 0);
    }
}

#[test]
fn devices_of_the_machine_are_listed_nowhere() {
    let mut unshare = std::process::Command::new("unshare");
    unshare.args(["-r", "-n", "-m", "mount", "-t", "sysfs", "sysfs", "/sys"]);
    if !unshare.output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no sysfs of a namespace here");
        return;
    }
    for place in [Some(Place::new("devices")), Place::of_ordinary_user("devices-plain")].into_iter().flatten()
    {
        let find = "find /sys/devices -path '*/net/*' -prune -print | sed 's#.*/##' | sort | xargs";
        let outcome = place.script(&format!("{DEVICES}{find}"));
        if outcome.err.contains("this machine's") {
            eprintln!("skipped: {}", outcome.err);
            continue;
        }
        assert_eq!((outcome.out.as_str(), outcome.err.as_str()), ("br0 d0 lo m0 v0 v1 v1.5\n", ""));
    }
}

/// What changes is seen by the next command, however it was changed; what is written has its effect.
const FOLLOW: &str = r#"
ip netns add n1; ip netns add n2
ls /run/netns | xargs
ip link set d0 mtu 1234; cat /sys/class/net/d0/mtu
ip link set d0 name e0; ls /sys/class/net | xargs; ls /proc/sys/net/ipv4/conf | xargs
ip link set e0 netns n1; ls /sys/class/net | xargs
ip netns exec n1 cat /sys/class/net/e0/mtu
ip netns exec n2 sysctl -w net.ipv4.ip_forward=1
ip netns exec n2 cat /proc/sys/net/ipv4/ip_forward; cat /proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv4/ip_forward; sysctl net.ipv4.ip_forward
echo 1 >/sys/class/net/br0/brif/v0/hairpin_mode; bridge -d link show dev v0 | grep -o 'hairpin on'
readlink /sys/class/net/br0/brif/v0 /sys/class/net/v0/master
ip link set v0 nomaster; ls /sys/class/net/br0/brif | wc -l; [ -e /sys/class/net/v0/brport ] || echo gone
ip link del v0; ls /sys/class/net | xargs; ls /proc/sys/net/ipv6/neigh | xargs
ip netns del n2; ls /run/netns
ip link add br0 type dummy; ip link del br0; ip link add br0 type dummy; [ -e /sys/class/net/br0/bridge ] || echo plain
"#;

const FOLLOWED: &str = "\
n1 n2
1234
br0 e0 lo m0 v0 v1 v1.5
all br0 default e0 lo m0 v0 v1 v1.5
br0 lo m0 v0 v1 v1.5
1234
net.ipv4.ip_forward = 1
1
0
net.ipv4.ip_forward = 1
hairpin on
../../v0/brport
../br0
0
gone
br0 lo
br0 default lo
n1
plain
";

#[test]
fn views_follow_the_configuration() {
    for place in [Some(Place::new("follow")), Place::of_ordinary_user("follow-plain")].into_iter().flatten() {
        let outcome = place.script(&format!("{DEVICES}{FOLLOW}"));
        if outcome.err.contains("this machine's own") {
            eprintln!("skipped: {}", outcome.err);
            continue;
        }
        assert_eq!(outcome.out, FOLLOWED, "{}", outcome.err);
        assert_eq!(outcome.err, "RTNETLINK answers: File exists\n");
    }
}

#[test]
fn what_is_appended_to_a_setting_is_written() {
    let script = "echo 1 >>/proc/sys/net/ipv4/ip_forward; echo $?; sysctl -n net.ipv4.ip_forward
        echo 0 | tee -a /proc/sys/net/ipv4/ip_forward >/dev/null; sysctl -n net.ipv4.ip_forward; cat /proc/sys/net/ipv4/ip_forward\n";
    let root = Place::new("append");
    if root.script("[ -e /proc/sys/net/ipv4/ip_forward ] && readlink /proc/net").out.is_empty() {
        eprintln!("skipped: no views here");
        return;
    }
    for place in [Some(root), Place::of_ordinary_user("append-plain")].into_iter().flatten() {
        let outcome = place.script(script);
        assert_eq!((outcome.out.as_str(), outcome.err.as_str()), ("0\n1\n0\n0\n", ""));
    }
}

/// Files that can be written alone, one after the other.
const WRITE_ONLY: &str = r#"
bus=/sys/bus/netdevsim
echo 1 >$bus/new_device; ip link show eth0 >/dev/null && echo one
echo 2 >>$bus/new_device; ip link show eth1 >/dev/null && echo two
echo 1 >$bus/del_device; ip -br link show eth0; ip link show eth1 >/dev/null && echo one
echo 1 >>$bus/new_device; ip link show eth0 >/dev/null && echo again
ls $bus/devices | xargs
cat $bus/new_device 2>/dev/null
"#;

#[test]
fn what_can_only_be_written_is_not_written_twice() {
    for place in [Some(Place::new("bus")), Place::of_ordinary_user("bus-plain")].into_iter().flatten() {
        if place.script("[ -e /sys/bus/netdevsim/new_device ] && echo there").out.is_empty() {
            eprintln!("skipped: no views here");
            continue;
        }
        let outcome = place.script(WRITE_ONLY);
        assert_eq!(outcome.out, "one\ntwo\none\nagain\nnetdevsim1 netdevsim2\n", "{}", outcome.err);
        assert_eq!(outcome.err, "Device \"eth0\" does not exist.\n");
    }
}

/// A `/run` on which `ip netns` was never used: what is there is seen in a session, and is there after it.
const FRESH_RUN: &str = r#"
mount -t tmpfs none /run && mkdir -p /run/kept/below /run/user/0 && echo kept >/run/kept/below/file && echo plain >/run/plain
ln -s kept /run/link; ln -s nowhere /run/dangling
export XDG_RUNTIME_DIR=$1
"$2" run --world bare - <<'X'
ip netns add n1; ls /run /run/netns | xargs; cat /run/link/below/file /run/plain
ip netns exec n1 cat /run/kept/below/file; ip netns exec n1 ls /run/netns
cd "$XDG_RUNTIME_DIR"; rm -rf "$XDG_RUNTIME_DIR"/hairpin/*/hosts/*/run/kept "$XDG_RUNTIME_DIR"/hairpin/*/hosts/*/run/plain 2>/dev/null
echo new >/run/new
X
ls /run | xargs; cat /run/kept/below/file /run/plain
"#;

#[test]
fn the_machines_run_is_seen_and_left_alone() {
    let place = Place::new("fresh-run");
    let outside = place.0.to_str().expect("a plain path");
    for (runtime, seen, left) in [
        (
            outside,
            "/run: dangling kept link netns plain user /run/netns: n1",
            "dangling kept link plain user",
        ),
        (
            "/run/user/0",
            "/run: dangling kept link netns plain user /run/netns: n1",
            "dangling kept link plain user",
        ),
    ] {
        let mut unshare = std::process::Command::new("unshare");
        unshare.args(["-r", "-m", "sh", "-c", FRESH_RUN, "sh", runtime, env!("CARGO_BIN_EXE_hairpin")]);
        let Some(output) = unshare.output().ok().filter(|output| !output.stdout.is_empty()) else {
            eprintln!("skipped: no mounts of one's own here");
            return;
        };
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if said.contains("this machine's own") {
            eprintln!("skipped: {said}");
            return;
        }
        let expected = format!("{seen}\nkept\nplain\nkept\nn1\n{left}\nkept\nplain\n");
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{runtime}: {said}");
    }
}
