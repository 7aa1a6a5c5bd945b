//! Sessions with real processes: scripts, signals, time, over a fake emulator.
//!
//! This program is the session's process, its front ends and the test at once. An argument picks the tests
//! whose names contain it; `HAIRPIN_ROUNDS` sets how often the races are run.
#![allow(clippy::disallowed_methods)]

mod fake;
mod programs;

use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Output, Stdio};
use std::time::{Duration, Instant};

use hairpin_host::multicall;
use hairpin_host::session::{Pace, TaskName, launch, manage};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    let name = args[0].rsplit('/').next().unwrap_or_default();
    if let Some(code) = multicall::run(programs::find, name, &args[1..]) {
        return ExitCode::from(code as u8);
    }
    let code = match args.get(1).map(String::as_str) {
        Some("run") => command(launch::run(fake::load, &options(), &args[2], &args[3..])),
        Some("up") => command(manage::up(fake::load, &args[2], None, Pace::Virtual).map(|text| {
            println!("{text}");
            0
        })),
        Some("exec") => command(launch::exec(Some(&args[2]), &TaskName::parse(&args[3]), &args[4..])),
        Some("ls") => {
            for listed in manage::list() {
                println!("{} {:?}", listed.name, listed.description.hosts);
            }
            0
        }
        Some("down") => command(manage::down(args.get(2).map(String::as_str)).map(|_| 0)),
        _ => {
            // The test runner's own options mean nothing here.
            tests(args[1..].iter().find(|argument| !argument.starts_with('-')).map_or("", String::as_str));
            0
        }
    };
    ExitCode::from(code as u8)
}

fn options() -> launch::Options {
    let world = std::env::var("TEST_WORLD").unwrap_or_else(|_| "one".to_owned());
    let pace = if std::env::var_os("TEST_REAL").is_some() { Pace::Real } else { Pace::Virtual };
    launch::Options { world, task: TaskName::default(), pace, trace: None }
}

fn command(result: Result<i32, String>) -> i32 {
    result.unwrap_or_else(|text| {
        eprintln!("hairpin: {text}");
        1
    })
}

/// A directory of sessions for one test.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Place {
        let path = std::env::temp_dir().join(format!("hairpin-test-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a directory");
        Place(path)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(args).env("HAIRPIN_RUNTIME_DIR", self.0.join("run")).current_dir(&self.0);
        command.env_remove("HAIRPIN_SOCKET").stdin(Stdio::null());
        command
    }

    fn hairpin(&self, args: &[&str]) -> (i32, String) {
        finished(self.command(args).output().expect("started"))
    }

    /// Runs a script in the fake world `one`.
    fn script(&self, text: &str) -> (i32, String) {
        finished(self.script_command(text).output().expect("started"))
    }

    fn script_command(&self, text: &str) -> Command {
        let path = self.0.join("script");
        std::fs::write(&path, text).expect("written");
        self.command(&["run", path.to_str().expect("plain")])
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let left = self.0.join("run").read_dir().map(|entries| entries.count()).unwrap_or(0);
        let _ = std::fs::remove_dir_all(&self.0);
        if !std::thread::panicking() {
            // The lock file stays.
            assert!(left <= 1, "a session's directory was left behind");
        }
    }
}

/// Exit code, and both streams.
fn finished(output: Output) -> (i32, String) {
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&text).into_owned())
}

fn rounds(default: usize) -> usize {
    std::env::var("HAIRPIN_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

type Test = (&'static str, fn(&Place));

const TESTS: &[Test] = &[
    ("exit_codes", exit_codes),
    ("missing_programs_fail_loudly", missing_programs_fail_loudly),
    ("sleeping_costs_no_time", sleeping_costs_no_time),
    ("namespaces_live_in_the_environment", namespaces_live_in_the_environment),
    ("other_hosts", other_hosts),
    ("a_background_capture_sees_what_follows", a_background_capture_sees_what_follows),
    ("a_delayed_background_command_acts_in_time", a_delayed_background_command_acts_in_time),
    ("waiting_for_the_background", waiting_for_the_background),
    ("a_pipeline_is_no_deadlock", a_pipeline_is_no_deadlock),
    ("interrupts_reach_the_programs", interrupts_reach_the_programs),
    ("an_endless_ping_follows_the_wall_clock", an_endless_ping_follows_the_wall_clock),
    ("the_real_pace", the_real_pace),
    ("many_commands_are_quick", many_commands_are_quick),
    ("up_exec_down", up_exec_down),
    ("a_dead_session_is_cleaned_up", a_dead_session_is_cleaned_up),
    ("captures_through_exec", captures_through_exec),
    ("files_of_the_kernel", files_of_the_kernel),
    ("files_of_the_host", files_of_the_host),
];

fn tests(filter: &str) {
    for (name, test) in TESTS.iter().filter(|(name, _)| name.contains(filter)) {
        let start = Instant::now();
        test(&Place::new(name));
        println!("test {name} ... ok ({} ms)", start.elapsed().as_millis());
    }
}

fn exit_codes(place: &Place) {
    assert_eq!(place.script("exit 7"), (7, String::new()));
    assert_eq!(place.script("kill -TERM $$").0, 128 + 15);
    assert_eq!(place.script("ip where"), (0, "alpha -\n".to_owned()));
    assert_eq!(place.hairpin(&["run", "nowhere.sh"]).0, 1);
    let mut from_input = place.command(&["run", "-", "a b"]);
    let mut child = from_input.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("started");
    std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), b"echo \"<$1>\"\nip where\n")
        .expect("fed");
    let output = child.wait_with_output().expect("ended");
    assert_eq!(finished(output), (0, "<a b>\nalpha -\n".to_owned()));
}

fn missing_programs_fail_loudly(place: &Place) {
    let (code, text) = place.script("arptables -L; echo $?; ebtables -L || exit 3");
    assert_eq!(
        (code, text.as_str()),
        (3, "1\narptables: hairpin has no arptables yet\nebtables: hairpin has no ebtables yet\n")
    );
}

fn sleeping_costs_no_time(place: &Place) {
    let start = Instant::now();
    let (code, text) = place.script("sleep 3600; ip now; ping -c 3 hello; sleep 0.5; ip now");
    // A program's start costs a millisecond.
    assert_eq!((code, text.as_str()), (0, "3600.002\nhello: 3 sent at 3603.003\n3603.505\n"));
    // However busy the machine is.
    assert!(start.elapsed() < Duration::from_secs(600));
}

fn namespaces_live_in_the_environment(place: &Place) {
    let (code, text) = place.script(
        "ip netns add blue; ip where; ip netns exec blue ip where; ip netns exec blue bash -c 'ip where; ip where'
         ip netns exec blue bash -c 'ip netns del blue; ip where'; ip netns exec blue ip where; echo $?",
    );
    let blue = "alpha blue\n".repeat(4);
    assert_eq!((code, text), (0, format!("alpha -\n{blue}1\nblue: No such file or directory\n")));
}

fn other_hosts(place: &Place) {
    let mut command =
        place.script_command("ip where; ssh beta ip where '&&' 'ssh alpha ip where'; ssh gamma x");
    let (code, text) = finished(command.env("TEST_WORLD", "two").output().expect("started"));
    assert_eq!(code, 255);
    assert_eq!(text, "alpha -\nbeta -\nalpha -\nssh: entity not found\n");
}

/// Four processes that do nothing but compute.
struct Load(Vec<Child>);

impl Load {
    fn new() -> Load {
        use std::os::unix::process::CommandExt;
        let spin = || {
            let mut bash = Command::new("bash");
            // The machine is busy, not the session: who is in a group with a session's programs is one of them.
            bash.args(["-c", "while :; do :; done"]).process_group(0).spawn().expect("bash")
        };
        Load((0..4).map(|_| spin()).collect())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn a_background_capture_sees_what_follows(place: &Place) {
    let script = |start: &str| {
        format!(
            "{start} >heard 2>/dev/null & ping -c 2 x >/dev/null; kill -INT %1 2>/dev/null || kill -INT $!; wait; cat heard"
        )
    };
    let expected = (0, "heard x 1\nheard x 2\n2 captured\n".to_owned());
    let check = |rounds: usize| {
        for _ in 0..rounds {
            assert_eq!(place.script(&script("tcpdump")), expected);
            assert_eq!(place.script(&script("{ ip where >/dev/null; exec tcpdump; }")), expected);
        }
    };
    check(rounds(10));
    let load = Load::new();
    check(rounds(10));
    // What arrives without time passing wakes it too.
    let (_, text) = place.script("tcpdump -c 1 2>/dev/null & ip send now; wait; ip now");
    assert_eq!(text, "heard now\n1 captured\n0.003\n");
    // Through a program of the system.
    let (_, text) = place.script("timeout 100 tcpdump -c 2 >heard & ping -c 2 x >/dev/null; wait; cat heard");
    assert_eq!(text, "heard x 1\nheard x 2\n2 captured\nlistening\n");
    drop(load);
}

fn a_delayed_background_command_acts_in_time(place: &Place) {
    for _ in 0..rounds(10) {
        let (_, text) =
            place.script("(sleep 2.5; ip now >when; sysctl -w k v) & ping -c 5 x; cat when; sysctl k");
        assert_eq!(text, "x: 5 sent at 5.002\n2.502\nv\n");
    }
}

fn waiting_for_the_background(place: &Place) {
    let start = Instant::now();
    let (_, text) = place.script("ping -c 30 x & wait; ip now");
    assert_eq!(text, "x: 30 sent at 30.001\n30.002\n");
    let (_, text) = place.script("ping -c 3 x & ping -c 3 y & wait; ip now");
    assert!(text.contains("x: 3 sent at 3.001\n") && text.ends_with("3.003\n"), "{text}");
    // The background alone does not move time under a script that is busy.
    let (_, text) = place.script("ping -c 3 x >/dev/null & for i in {1..20}; do ip now; done");
    let starts: String = (2..=21).map(|ms| format!("0.{ms:03}\n")).collect();
    assert_eq!(text, starts);
    println!("    {:?}", start.elapsed());
    // A program that computes for ever does not stop it for ever.
    let (_, text) = place.script("yes >/dev/null & ping -c 3 x & wait $!; kill %1");
    assert_eq!(text, "x: 3 sent at 3.001\n");
}

fn a_pipeline_is_no_deadlock(place: &Place) {
    let start = Instant::now();
    let (_, text) = place
        .script("for i in 1 2 3; do ip where | ip where | cat; done; { ip now; sleep 1; ip now; } | cat");
    assert_eq!(text, "alpha -\nalpha -\nalpha -\n0.007\n1.009\n");
    println!("    {:?}", start.elapsed());
}

fn interrupts_reach_the_programs(place: &Place) {
    let start = Instant::now();
    let (_, text) =
        place.script("ping x >out & sleep 2.5; kill -INT $!; wait $!; cat out; ping -c 5 y & wait");
    assert_eq!(text, "x: 3 sent, Some(Interrupt)\ny: 5 sent at 7.503\n");
    // A signal to the session's process goes to the script.
    let mut child =
        place.script_command("trap 'echo bye; exit 4' TERM; touch up; ping z & wait").spawn().expect("run");
    until("the script", || place.0.join("up").exists());
    kill(Pid::from_raw(child.id() as i32), Signal::SIGTERM).expect("sent");
    assert_eq!(child.wait().expect("ended").code(), Some(4));
    println!("    {:?}", start.elapsed());
}

fn an_endless_ping_follows_the_wall_clock(place: &Place) {
    let start = Instant::now();
    let (_, text) = place.script("timeout --signal=INT 2.3 ping x; ip now");
    let real = start.elapsed().as_secs_f64();
    let (first, second) = text.split_once('\n').expect("two lines");
    // Three, unless the machine was busy while it started.
    let sent: f64 = first.split(' ').nth(1).and_then(|count| count.parse().ok()).expect("a number");
    assert_eq!(first, format!("x: {sent} sent, Some(Interrupt)"));
    let virtually: f64 = second.trim().parse().expect("seconds");
    assert!(virtually >= sent - 1.0 && virtually <= real, "{virtually} of {real}");
}

fn the_real_pace(place: &Place) {
    let start = Instant::now();
    let mut command = place.script_command("sleep 1; tcpdump -c 1 & ping -c 1 x; wait");
    let (code, _) = finished(command.env("TEST_REAL", "1").output().expect("started"));
    assert_eq!(code, 0);
    assert!(start.elapsed() >= Duration::from_secs(2), "{:?}", start.elapsed());
    // Nobody waits, and time passes all the same.
    let mut command = place.script_command(
        "ip now; tail --pid=$$ -f /dev/null & p=$!; timeout 1.2 cat <(tail -f /dev/null); ip now; kill $p",
    );
    let (_, text) = finished(command.env("TEST_REAL", "1").output().expect("started"));
    let times: Vec<f64> = text.lines().filter_map(|line| line.parse().ok()).collect();
    assert!(matches!(times[..], [before, after] if after - before > 1.0), "{text}");
}

fn many_commands_are_quick(place: &Place) {
    let start = Instant::now();
    let (code, text) = place.script("for i in {1..40}; do ip where; done");
    assert_eq!((code, text), (0, "alpha -\n".repeat(40)));
    println!("    40 commands: {} ms", start.elapsed().as_millis());
}

fn up_exec_down(place: &Place) {
    let (code, text) = place.hairpin(&["up", "two"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.starts_with("world 'two' is up: alpha, beta\n"), "{text}");
    let (code, text) = place.hairpin(&["up", "two"]);
    assert_eq!((code, text.as_str()), (1, "hairpin: a world called 'two' is up already\n"));
    assert_eq!(place.hairpin(&["exec", "two", "beta", "ip", "netns", "add", "blue"]).0, 0);
    let start = Instant::now();
    let (code, text) = place.hairpin(&["exec", "two", "beta:blue", "bash", "-c", "ip where; exit 9"]);
    println!("    exec: {:?}", start.elapsed());
    assert_eq!((code, text.as_str()), (9, "beta blue\n"));
    let (code, text) = place.hairpin(&["exec", "two", "beta:red", "ip", "where"]);
    assert_eq!(code, 1);
    assert_eq!(text, "hairpin: no network namespace 'red' on beta; there are: blue\n");
    let (_, text) = place.hairpin(&["exec", "two", "gamma", "ip", "where"]);
    assert_eq!(text, "hairpin: no host 'gamma'; there are: alpha, beta\n");
    let (_, text) = place.hairpin(&["exec", "two", "", "ip", "where"]);
    assert_eq!(text, "hairpin: which host? There are: alpha, beta\n");
    assert_eq!(place.hairpin(&["exec", "two", "beta", "nosuchprogram"]).0, 127);
    assert!(place.hairpin(&["ls"]).1.contains("namespaces: [\"blue\"]"));
    assert_eq!(place.hairpin(&["down", "two"]), (0, String::new()));
    assert_eq!(place.hairpin(&["ls"]), (0, String::new()));
    assert_eq!(place.hairpin(&["down", "two"]), (1, "hairpin: no world called 'two' is up\n".to_owned()));
}

fn a_dead_session_is_cleaned_up(place: &Place) {
    let mut child =
        place.script_command("touch up; tail -f --pid=$PPID /dev/null & wait").spawn().expect("run");
    until("the script", || place.0.join("up").exists());
    let listed = place.hairpin(&["ls"]).1;
    assert!(listed.starts_with("run-"), "{listed}");
    kill(Pid::from_raw(child.id() as i32), Signal::SIGKILL).expect("sent");
    child.wait().expect("ended");
    assert_eq!(place.hairpin(&["ls"]).1, "");
}

/// Whether real programs can be shown other files here, and whether by FUSE.
fn views() -> Option<bool> {
    use nix::sched::{CloneFlags, unshare};
    let possible = std::thread::spawn(|| unshare(CloneFlags::CLONE_NEWNS).is_ok()).join().expect("joined")
        || Command::new("unshare").args(["-Urm", "true"]).status().is_ok_and(|status| status.success());
    let fuse = std::fs::File::options().read(true).write(true).open("/dev/fuse").is_ok();
    if !possible {
        println!("    skipped: no mount namespaces here");
    }
    possible.then_some(fuse)
}

fn files_of_the_kernel(place: &Place) {
    let Some(fuse) = views() else { return };
    println!("    by {}", if fuse { "FUSE" } else { "plain files" });
    let (_, text) = place.script(
        "cat /proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv4/ip_forward; sysctl /proc/sys/net/ipv4/ip_forward
         cat /proc/sys/net/ipv4/ip_forward; ls /sys/class/net /sys/class/net/lo /proc/sys/net/ipv4; cat /sys/class/net/lo/mtu
         cat /proc/net/arp; ip netns add blue; ls /run/netns
         ip netns exec blue cat /proc/sys/net/ipv4/ip_forward
         ip netns exec blue bash -c 'echo 7 >/proc/sys/net/ipv4/ip_forward; cat /proc/sys/net/ipv4/ip_forward'
         cat /proc/sys/net/ipv4/ip_forward; sysctl -w /proc/sys/net/ipv4/ip_forward 3; cat /proc/sys/net/ipv4/ip_forward; echo
         ls /proc/sys/net/core 2>/dev/null || echo no core",
    );
    assert_eq!(
        text,
        "0\n1\n1\n/proc/sys/net/ipv4:\nconf\nip_forward\n\n/sys/class/net:\nlo\n\n/sys/class/net/lo:\naddress\nmtu\n\
         65536\nIP address       HW type\nblue\n0\n7\n1\n3\nno core\n"
    );
    let (_, text) =
        place.script("echo junk >/proc/sys/net/ipv4/ip_forward; ip where; cat /proc/sys/net/ipv4/ip_forward");
    assert!(text.contains("Invalid argument") && text.contains("alpha -\n0\n"), "{text}");
    let (_, text) =
        place.script("echo 1 >/proc/sys/net/nosuch; test -e /proc/sys/net/nosuch && echo made; ip where");
    assert!(!text.contains("made") || !fuse, "{text}");
}

fn files_of_the_host(place: &Place) {
    if views().is_none() {
        return;
    }
    let (_, text) = place.script(
        "cat /etc/resolv.conf; uname -n; echo changed >/etc/resolv.conf; cat /etc/resolv.conf; cat /etc/hostname
         for f in /usr/sbin/ip /sbin/ip /bin/ip; do if [ -e $f ]; then $f where; break; fi; done
         mkdir -p /etc/netns/blue; echo blue >/etc/netns/blue/resolv.conf; ip netns add blue
         ip netns exec blue cat /etc/resolv.conf; cat /etc/resolv.conf",
    );
    let by_path = if std::path::Path::new("/usr/sbin/ip").exists() { "alpha -\n" } else { "" };
    assert_eq!(text, format!("nameserver of alpha\nalpha\nchanged\nalpha\n{by_path}blue\nchanged\n"));
    let real = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    assert!(!real.contains("changed") && !std::path::Path::new("/etc/netns/blue").exists());
}

/// What a checker does: captures and pings as separate commands, an interrupt for the group.
fn captures_through_exec(place: &Place) {
    use std::os::unix::process::CommandExt;
    assert_eq!(place.hairpin(&["up", "one"]).0, 0);
    for _ in 0..rounds(10) {
        let before = start_capture(place);
        let (_, text) = place.hairpin(&["exec", "one", "", "bash", "-c", "ping -c 3 x"]);
        assert!(text.starts_with("x: 3 sent"), "{text}");
        killpg(Pid::from_raw(before.id() as i32), Signal::SIGINT).expect("sent");
        let (_, text) = finished(before.wait_with_output().expect("ended"));
        assert_eq!(text, "heard x 1\nheard x 2\nheard x 3\n3 captured\n");
    }
    // One that has set out but not come in yet: nobody waits until it says that it listens.
    let load = Load::new();
    for _ in 0..rounds(10) {
        let mut before = place.command(&["exec", "one", "", "bash", "-c", "tcpdump"]);
        let before =
            before.stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0).spawn().expect("started");
        let (_, text) = place.hairpin(&["exec", "one", "", "bash", "-c", "ping -c 3 x"]);
        assert!(text.starts_with("x: 3 sent"), "{text}");
        killpg(Pid::from_raw(before.id() as i32), Signal::SIGINT).expect("sent");
        let (_, text) = finished(before.wait_with_output().expect("ended"));
        assert_eq!(text, "heard x 1\nheard x 2\nheard x 3\n3 captured\n");
    }
    drop(load);
    // Left behind in the background by a command that has ended.
    for _ in 0..rounds(10) {
        let (code, _) = place.hairpin(&["exec", "one", "", "bash", "-c", "tcpdump -c 2 >late 2>&1 &"]);
        assert_eq!(code, 0);
        place.hairpin(&["exec", "one", "", "ping", "-c", "2", "y"]);
        let late = place.0.join("late");
        until("the capture", || std::fs::read_to_string(&late).is_ok_and(|text| text.contains("captured")));
        let text = std::fs::read_to_string(&late).expect("a capture");
        assert_eq!(text, "listening\nheard y 1\nheard y 2\n2 captured\n");
        std::fs::remove_file(&late).expect("removed");
    }
    assert_eq!(place.hairpin(&["down"]).0, 0);

    fn start_capture(place: &Place) -> Child {
        let mut command = place.command(&["exec", "one", "", "bash", "-c", "tcpdump"]);
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).spawn().expect("started");
        let mut line = [0; 10];
        std::io::Read::read_exact(child.stderr.as_mut().expect("a pipe"), &mut line).expect("listening");
        child
    }
}
