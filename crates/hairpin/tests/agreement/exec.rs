//! Scripts by bash: with the distribution's programs on a real kernel, with `hairpin run` in the emulation.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use hairpin_testkit::agree::oracle::Kernel;
use hairpin_testkit::agree::script::Script;

/// Real scripts sleep most of their time.
const AT_ONCE: usize = 4;
/// Guests have one processor each.
const GUESTS: usize = 2;

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

/// Outputs of each script: the real one, ours.
pub fn all(scripts: &[Script], kernel: Kernel, work: &Path) -> Vec<(String, String)> {
    for (name, text) in [("real.sh", include_str!("real.sh")), ("uml-init.sh", include_str!("uml-init.sh"))] {
        fs::write(work.join(name), text).expect("a file");
    }
    make_executable(&work.join("uml-init.sh"));
    for script in scripts {
        let text = format!("{}{}{}", include_str!("preamble.sh"), parts(script), script.text);
        fs::write(work.join(format!("{}.sh", script.name)), text).expect("a script");
    }
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        if kernel == Kernel::Uml {
            for guest in 0..GUESTS.min(scripts.len()) {
                scope.spawn(move || in_uml(scripts, guest, work));
            }
        }
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(script) = scripts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if kernel == Kernel::Running {
                        on_the_running_kernel(script, work);
                    }
                    emulated(script, work);
                }
            });
        }
    });
    let read = |script: &Script, side: &str| {
        let bytes = fs::read(work.join(format!("{}.{side}", script.name))).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    scripts.iter().map(|script| (read(script, "real"), read(script, "ours"))).collect()
}

/// The files that a script names in its header: functions that several share.
fn parts(script: &Script) -> String {
    let names = script.text.lines().filter_map(|line| line.strip_prefix("# with: "));
    let read = |name| fs::read_to_string(super::directory().join(name)).expect("a part of a script");
    names.map(read).collect()
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

/// One boot for every `GUESTS`th of them from the one with the guest's number on; each writes its own file.
fn in_uml(scripts: &[Script], guest: usize, work: &Path) {
    let names: Vec<&str> =
        scripts.iter().skip(guest).step_by(GUESTS).map(|script| script.name.as_str()).collect();
    fs::write(work.join(format!("jobs{guest}")), names.join("\n") + "\n").expect("a list of jobs");
    let seconds = (120 + 30 * names.len()).to_string();
    let mut command = Command::new("timeout");
    command.args([&seconds, "linux.uml", "rootfstype=hostfs", "rootflags=/", "rw", "mem=768M", "quiet"]);
    command.arg(format!("umid=hairpin-{}-{guest}", std::process::id()));
    command.arg(format!("uml_dir={}", work.display()));
    command.arg(format!("WORK={}", work.display()));
    command.arg(format!("JOBS=jobs{guest}"));
    command.arg(format!("init={}", work.join("uml-init.sh").display()));
    command.args(["con=null", "con0=fd:0,fd:1"]);
    command.current_dir(work);
    output(&mut command, work, &format!("uml{guest}"), "log");
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
