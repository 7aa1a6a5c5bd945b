//! Scripts by bash: with the distribution's programs on a real kernel, with `hairpin run` in the emulation.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use hairpin_testkit::agree::guest::{self, Keeper};
use hairpin_testkit::agree::oracle::Kernel;
use hairpin_testkit::agree::script::Script;

/// On the running kernel scripts sleep most of their time.
const AT_ONCE: usize = 4;
/// One processor each. A guest runs one script at a time: sleeping takes no time there, so that more would only get in
/// each other's way.
const GUESTS: usize = 2;
const GUEST_MEMORY_MIB: u32 = 768;
const BOOT_MAX: Duration = Duration::from_secs(120);
/// A script takes seconds; a machine may be busy.
const SCRIPT_MAX: Duration = Duration::from_secs(180);
/// How often a guest is booted, if it hangs.
const GUEST_BOOTS: usize = 3;

/// What a script printed, and how long it took.
#[derive(Clone, Debug, Default)]
pub struct Ran {
    pub output: String,
    pub took: Duration,
}

/// What this machine lacks for it.
pub fn missing(kernel: Kernel) -> Option<&'static str> {
    if let Some(missing) = kernel.missing() {
        return Some(missing);
    }
    if !["bash", "ip", "bridge", "ping", "tcpdump", "unshare"].into_iter().all(is_installed) {
        return Some("bash, ip, bridge, ping, tcpdump and unshare are not all installed");
    }
    if kernel == Kernel::Uml {
        return None;
    }
    let mut unshare = Command::new("unshare");
    unshare.args(["--net", "--mount", "mount", "-t", "sysfs", "sysfs", "/sys"]);
    match unshare.stdout(Stdio::null()).stderr(Stdio::null()).status() {
        Ok(status) if status.success() => None,
        _ => Some("needs root: no network namespace of its own"),
    }
}

/// Whether no table can be made, in a namespace of our own.
pub fn lacks_nftables() -> bool {
    let mut unshare = Command::new("unshare");
    unshare.args(["--net", "nft", "add table ip t; add table inet u"]);
    let made = unshare.stdout(Stdio::null()).stderr(Stdio::null()).status();
    !made.is_ok_and(|status| status.success())
}

pub fn is_installed(program: &str) -> bool {
    ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].iter().any(|place| Path::new(place).join(program).exists())
}

/// `uname -r`
pub fn release(kernel: Kernel) -> String {
    match kernel {
        Kernel::Uml => "6.1.0".to_owned(),
        Kernel::Running => fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default(),
    }
}

/// What each script printed: there, here.
pub fn all(scripts: &[Script], kernel: Kernel, work: &Path) -> Vec<(Ran, Ran)> {
    for (name, text) in [("real.sh", include_str!("real.sh")), ("uml-init.sh", include_str!("uml-init.sh"))] {
        fs::write(work.join(name), text).expect("a file");
    }
    make_executable(&work.join("uml-init.sh"));
    for script in scripts {
        let text = format!("{}{}", include_str!("preamble.sh"), script.text);
        fs::write(work.join(format!("{}.sh", script.name)), text).expect("a script");
    }
    // The long ones first, or the last to start would be waited for.
    let mut order: Vec<usize> = (0..scripts.len()).collect();
    order.sort_by_key(|at| scripts.get(*at).map(|script| std::cmp::Reverse(script.text.len())));
    let in_real_time = |at: &usize| scripts.get(*at).is_some_and(needs_real_time);
    let (slow, fast): (Vec<usize>, Vec<usize>) = order.iter().copied().partition(in_real_time);
    let [next_slow, next_fast, next_ours] = [const { AtomicUsize::new(0) }; 3];
    let take = |order: &[usize], next: &AtomicUsize| {
        let at = *order.get(next.fetch_add(1, Ordering::Relaxed))?;
        Some((at, scripts.get(at)?))
    };
    let ran = Mutex::new(vec![<(Ran, Ran)>::default(); scripts.len()]);
    let took = |at: usize, took| ran.lock().expect("no panic")[at].0.took = took;
    // One that hangs is replaced: the script that it was at is tried again with those that differ.
    let on_guest = |guest, clock, order: &[usize], next: &AtomicUsize| {
        (0..GUEST_BOOTS).any(|_| guest_runs(guest, clock, work, || take(order, next), took))
    };
    std::thread::scope(|scope| {
        if kernel == Kernel::Uml {
            for guest in 0..GUESTS.min(fast.len()) {
                let on_guest = &on_guest;
                let (order, next) = (&fast, &next_fast);
                scope.spawn(move || on_guest(guest, Clock::Jumping, order, next));
            }
            if !slow.is_empty() {
                scope.spawn(|| on_guest(GUESTS, Clock::Real, &slow, &next_slow));
            }
        }
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((at, script)) = take(&order, &next_ours) {
                    let start = Instant::now();
                    if kernel == Kernel::Running {
                        on_the_running_kernel(script, work);
                        ran.lock().expect("no panic")[at].0.took = start.elapsed();
                    }
                    let start = Instant::now();
                    emulated(script, work);
                    ran.lock().expect("no panic")[at].1.took = start.elapsed();
                }
            });
        }
    });
    let mut ran = ran.into_inner().expect("no panic");
    let read = |script: &Script, side: &str| {
        let bytes = fs::read(work.join(format!("{}.{side}", script.name))).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    for (script, (real, ours)) in scripts.iter().zip(&mut ran) {
        real.output = read(script, "real");
        ours.output = read(script, "ours");
    }
    ran
}

/// The clock of a guest.
#[derive(Clone, Copy, PartialEq)]
enum Clock {
    /// Waits take no time there, but what is busy without a pause has none that passes.
    Jumping,
    Real,
}

/// Whether a program of the script never pauses, so that only a real clock goes on.
fn needs_real_time(script: &Script) -> bool {
    script.text.lines().any(|line| line == "# clock: real")
}

fn on_the_running_kernel(script: &Script, work: &Path) {
    let mut command = Command::new("timeout");
    command.args(["240", "unshare", "--net", "--mount", "--pid", "--fork", "--kill-child"]);
    command.args(["--mount-proc", "bash"]);
    command.arg(work.join("real.sh")).arg(work.join(format!("{}.sh", script.name)));
    output(&mut command, work, &script.name, "real");
}

fn emulated(script: &Script, work: &Path) {
    // Scripts write their captures into the present directory.
    let place = work.join(format!("{}.d", script.name));
    fs::create_dir_all(&place).expect("a directory");
    let mut command = Command::new("timeout");
    command.args(["240", env!("CARGO_BIN_EXE_hairpin"), "run", "--world", "bare"]);
    command.arg(work.join(format!("{}.sh", script.name)));
    command.current_dir(place);
    output(&mut command, work, &script.name, "ours");
}

/// One boot for all the scripts that are taken; each writes its own file. Whether it came to the end of them.
fn guest_runs<'a>(
    guest: usize,
    clock: Clock,
    work: &Path,
    take: impl Fn() -> Option<(usize, &'a Script)>,
    took: impl Fn(usize, Duration),
) -> bool {
    let place = work.join(format!("uml{guest}"));
    fs::create_dir_all(&place).expect("a directory");
    let mut command = guest::command(&place, &work.join("uml-init.sh"), GUEST_MEMORY_MIB);
    if clock == Clock::Real {
        command.env_remove("LD_PRELOAD");
    }
    command.arg(format!("WORK={}", work.display()));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).current_dir(work);
    let mut child = command.spawn().expect("User-Mode Linux starts");
    let keeper = Keeper::of(&child).expect("a shell");
    let mut input = child.stdin.take().expect("a pipe");
    let output = child.stdout.take().expect("a pipe");
    let (tell, told) = channel();
    let log = std::thread::spawn(move || {
        let mut log = Vec::new();
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).trim().to_owned();
            match line.contains("@@READY") {
                true => drop(tell.send(())),
                false => log.push(line),
            }
        }
        log
    });
    let mut good = told.recv_timeout(BOOT_MAX).is_ok();
    while good && let Some((at, script)) = take() {
        let start = Instant::now();
        good = writeln!(input, "{}", script.name).is_ok() && told.recv_timeout(SCRIPT_MAX).is_ok();
        took(at, start.elapsed());
    }
    if good {
        let _ = writeln!(input, "halt");
    }
    if !good || !ends(&mut child) {
        let _ = child.kill();
        let _ = child.wait();
    }
    drop(keeper);
    let log = log.join().unwrap_or_default();
    if !good {
        println!("a User-Mode Linux hangs or has ended:\n{}", log.join("\n"));
    }
    good
}

/// Whether it ends by itself.
fn ends(child: &mut Child) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(10) {
        if matches!(child.try_wait(), Ok(Some(_)) | Err(_)) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}

fn make_executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("an executable file");
}

/// Runs to the end with both outputs in `NAME.SIDE`.
fn output(command: &mut Command, work: &Path, name: &str, side: &str) {
    let file = fs::File::create(work.join(format!("{name}.{side}"))).expect("a file for the output");
    let errors = file.try_clone().expect("a second descriptor");
    command.stdin(Stdio::null()).stdout(file).stderr(errors).env("LC_ALL", "C");
    command.status().expect("the program starts");
}
