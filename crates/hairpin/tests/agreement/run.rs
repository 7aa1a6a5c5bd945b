//! Runs scripts: on the running kernel, on User-Mode Linux, and in the emulation.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::script::Script;

/// Real scripts sleep most of their time.
const AT_ONCE: usize = 6;

/// Which real kernel.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    Running,
    Uml,
}

/// What this machine lacks for any of it.
pub fn missing() -> Option<&'static str> {
    if !cfg!(target_os = "linux") {
        return Some("not Linux");
    }
    for program in ["ip", "bridge", "ping"] {
        if !Path::new("/usr/sbin").join(program).exists() && !Path::new("/usr/bin").join(program).exists() {
            assert!(std::env::var_os("CI").is_none(), "CI needs {program}");
            return Some("the real ip, bridge and ping are not installed");
        }
    }
    let mut unshare = Command::new("unshare");
    unshare.args(["--net", "--mount", "mount", "-t", "sysfs", "sysfs", "/sys"]);
    match unshare.stdout(Stdio::null()).stderr(Stdio::null()).status() {
        Ok(status) if status.success() => None,
        _ => Some("needs root: no network namespace of its own"),
    }
}

/// What this machine lacks for scripts on User-Mode Linux.
pub fn uml_missing() -> Option<&'static str> {
    (!Path::new("/usr/bin/linux.uml").exists() || uml_modules().is_none())
        .then_some("user-mode-linux is not installed, or its modules are not in /lib/modules")
}

/// The modules as the guest finds them: its kernel looks in /lib/modules.
fn uml_modules() -> Option<()> {
    let installed = fs::read_dir("/usr/lib/uml/modules").ok()?.next()?.ok()?;
    Path::new("/lib/modules").join(installed.file_name()).exists().then_some(())
}

/// Outputs of each script: the real one, ours.
pub fn all(scripts: &[Script], kernel: Kernel, work: &Path) -> Vec<(String, String)> {
    for (name, text) in [("real.sh", include_str!("real.sh")), ("uml-init.sh", include_str!("uml-init.sh"))] {
        fs::write(work.join(name), text).expect("a file");
    }
    let mut jobs = Vec::new();
    for script in scripts {
        let path = work.join(format!("{}.sh", script.name));
        let text = script.instrumented();
        let real = path.with_extension("real");
        let ran = fs::metadata(&real).is_ok_and(|real| real.len() > 0)
            && fs::read_to_string(&path).is_ok_and(|before| before == text);
        if !ran {
            let _ = fs::remove_file(&real);
            fs::write(path, text).expect("a script");
            jobs.push(script);
        }
    }
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        if kernel == Kernel::Uml && !jobs.is_empty() {
            scope.spawn(|| in_uml(&jobs, work));
        }
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(script) = scripts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if kernel == Kernel::Running && jobs.iter().any(|job| job.name == script.name) {
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

fn on_the_running_kernel(script: &Script, work: &Path) {
    let mut command = Command::new("timeout");
    command.args([
        "120",
        "unshare",
        "--net",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "bash",
    ]);
    command.arg(work.join("real.sh")).arg(work.join(format!("{}.sh", script.name)));
    output(&mut command, work, &script.name, "real");
}

fn emulated(script: &Script, work: &Path) {
    let program = std::env::var("HAIRPIN_AGREEMENT_PROGRAM")
        .unwrap_or_else(|_| env!("CARGO_BIN_EXE_hairpin").to_owned());
    let mut command = Command::new("timeout");
    command.args(["120", &program, "run", "--world", "bare"]);
    command.arg(work.join(format!("{}.sh", script.name)));
    output(&mut command, work, &script.name, "ours");
}

/// One boot for all of them; each writes its own file.
fn in_uml(scripts: &[&Script], work: &Path) {
    let names: Vec<&str> = scripts.iter().map(|script| script.name.as_str()).collect();
    fs::write(work.join("jobs"), names.join("\n") + "\n").expect("a list of jobs");
    let seconds = (120 + 30 * scripts.len()).to_string();
    let mut command = Command::new("timeout");
    command.args([&seconds, "linux.uml", "rootfstype=hostfs", "rootflags=/", "rw", "mem=768M", "quiet"]);
    command.arg(format!("WORK={}", work.display()));
    command.arg(format!("init={}", work.join("uml-init.sh").display()));
    command.args(["con=null", "con0=fd:0,fd:1"]);
    make_executable(&work.join("uml-init.sh"));
    output(&mut command, work, "uml", "log");
}

fn make_executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("an executable file");
}

/// Runs to the end with both outputs in `NAME.SIDE`.
fn output(command: &mut Command, work: &Path, name: &str, side: &str) {
    let file = fs::File::create(work.join(format!("{name}.{side}"))).expect("a file for the output");
    let errors = file.try_clone().expect("a second descriptor");
    command.stdin(Stdio::null()).stdout(file).stderr(errors).env("LC_ALL", "C").current_dir(work);
    command.status().expect("the program starts");
}
