//! The real kernel's side: a process that runs scripts which it is told of on its standard input, many at once. It
//! is this program itself, started again: as a process of the running kernel, or as the first process of a
//! User-Mode Linux, which finds the same files through hostfs.
//!
//! ```text
//! < JOB NAME          run NAME.sh of the work directory
//! > @@READY RELEASE   waiting for jobs
//! > @@DONE NAME       NAME.out is there: how late things were, the error if any, when commands started, the output
//! < QUIT
//! ```

use std::collections::VecDeque;
use std::fs;
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};

use super::linux::{self, Lateness};
use super::script::Script;
use super::shell::{Interpreter, Ran, ScriptError};

/// Tells this program that it is a worker: the directory of its jobs.
pub const WORK_VARIABLE: &str = "HAIRPIN_ORACLE_WORK";
/// How many jobs run at once.
pub const AT_ONCE_VARIABLE: &str = "HAIRPIN_ORACLE_AT_ONCE";
/// Modules that the guest loads besides, parted by commas.
pub const MODULES_VARIABLE: &str = "HAIRPIN_ORACLE_MODULES";
/// Set in a User-Mode Linux.
pub const GUEST_VARIABLE: &str = "HAIRPIN_ORACLE_GUEST";

/// Where Debian's package keeps the guest's modules.
pub const GUEST_MODULES: &str = "/usr/lib/uml/modules";

/// The modules of devices and protocols that scripts may need.
const MODULES: &[&str] = &[
    "ipv6",
    "dummy",
    "veth",
    "bridge",
    "8021q",
    "macvlan",
    "macvtap",
    "ipvlan",
    "ipvtap",
    "tun",
    "tap",
    "bonding",
    "team",
    "team_mode_activebackup",
    "team_mode_broadcast",
    "team_mode_loadbalance",
    "team_mode_random",
    "team_mode_roundrobin",
    "vxlan",
    "geneve",
    "vrf",
    "ifb",
    "nlmon",
    "vcan",
    "vxcan",
    "can-raw",
    "macsec",
    "gcm",
    "ctr",
    "ghash_generic",
    "ipip",
    "ip_gre",
    "sit",
    "ip6_tunnel",
    "ip6_gre",
    "ip_vti",
    "sch_fq_codel",
    "af_packet_diag",
    "inet_diag",
    "tcp_diag",
    "udp_diag",
    "raw_diag",
    "nf_conntrack_netlink",
    "nfnetlink_log",
    "nf_tables",
    "ebtable_filter",
    "ebtable_nat",
    "ebtable_broute",
    "ip_set",
];
/// All modules of these directories whose name starts so.
const MODULE_FAMILIES: &[(&str, &str)] = &[
    ("net/netfilter", "xt_"),
    ("net/netfilter", "nft_"),
    ("net/netfilter", "nf_nat_"),
    ("net/netfilter/ipset", "ip_set_"),
    ("net/ipv4/netfilter", "ip"),
    ("net/ipv6/netfilter", "ip6"),
    ("net/bridge/netfilter", "ebt_"),
    // What the match string searches with.
    ("lib", "ts_"),
];

/// If this program was started as a worker, serves until it is told to end, and says so: the caller then ends too. To
/// be called first in the `main` of every program that uses [`super::oracle::Oracle`].
pub fn serve_if_called() -> bool {
    let Some(work) = std::env::var_os(WORK_VARIABLE) else { return false };
    let at_once = std::env::var(AT_ONCE_VARIABLE).ok().and_then(|text| text.parse().ok()).unwrap_or(8);
    let guest = std::env::var_os(GUEST_VARIABLE).is_some();
    let prepared = if guest { prepare_guest() } else { prepare_process() };
    match prepared {
        Ok(()) => serve(Path::new(&work), at_once),
        Err(text) => println!("@@FAILED {text}"),
    }
    if guest {
        let _ = io::stdout().flush();
        let _ = nix::sys::reboot::reboot(nix::sys::reboot::RebootMode::RB_POWER_OFF);
    }
    true
}

/// An ordinary user becomes root of a user namespace. Must come before the first thread.
fn prepare_process() -> Result<(), String> {
    let (user, group) = (nix::unistd::geteuid(), nix::unistd::getegid());
    if user.is_root() {
        return Ok(());
    }
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET)
        .map_err(|error| format!("no user namespace: {error}"))?;
    for (file, text) in [
        ("setgroups", "deny".to_owned()),
        ("uid_map", format!("0 {user} 1")),
        ("gid_map", format!("0 {group} 1")),
    ] {
        fs::write(format!("/proc/self/{file}"), text).map_err(|error| format!("{file}: {error}"))?;
    }
    Ok(())
}

/// The first process of a guest: file systems, modules, a console that leaves bytes as they are.
fn prepare_guest() -> Result<(), String> {
    const NOTHING: Option<&str> = None;
    for (kind, place) in [("proc", "/proc"), ("sysfs", "/sys"), ("tmpfs", "/run")] {
        mount(Some(kind), place, Some(kind), MsFlags::empty(), NOTHING)
            .map_err(|error| format!("{place}: {error}"))?;
    }
    let console = io::stdin();
    if let Ok(mut settings) = tcgetattr(&console) {
        cfmakeraw(&mut settings);
        let _ = tcsetattr(&console, SetArg::TCSANOW, &settings);
    }
    // Tunnels would put a fallback device into every namespace.
    let _ = fs::write("/proc/sys/net/core/fb_tunnels_only_for_init_net", "1");
    load_modules()?;
    // As most distributions have it.
    let _ = fs::write("/proc/sys/net/core/default_qdisc", "fq_codel");
    // A process for each event of a device would cost more than all else.
    let _ = fs::write("/proc/sys/kernel/hotplug", "\n");
    // From now on what is missing is a failure at once: no process is started to look for it.
    let _ = fs::write("/proc/sys/kernel/modprobe", "\n");
    Ok(())
}

fn load_modules() -> Result<(), String> {
    let failed = |error: io::Error| format!("modules: {error}");
    let release = release();
    let installed = PathBuf::from(GUEST_MODULES).join(&release);
    // modprobe looks in lib/modules of the directory that it is given.
    fs::create_dir_all("/run/root/lib/modules").map_err(failed)?;
    std::os::unix::fs::symlink(&installed, format!("/run/root/lib/modules/{release}")).map_err(failed)?;
    let mut modules: Vec<String> = MODULES.iter().map(|name| (*name).to_owned()).collect();
    let more = std::env::var(MODULES_VARIABLE).unwrap_or_default();
    modules.extend(more.split(',').filter(|name| !name.is_empty()).map(str::to_owned));
    for (directory, start) in MODULE_FAMILIES {
        let Ok(files) = fs::read_dir(installed.join("kernel").join(directory)) else { continue };
        let names = files.flatten().filter_map(|file| file.file_name().into_string().ok());
        let mut names: Vec<String> = names
            .filter_map(|name| name.split_once('.').map(|(name, _)| name.to_owned()))
            .filter(|name| name.starts_with(start))
            .collect();
        names.sort();
        modules.extend(names);
    }
    let loaded = std::process::Command::new("/sbin/modprobe")
        .args(["-d", "/run/root", "-a"])
        .args(&modules)
        .output()
        .map_err(failed)?;
    for line in String::from_utf8_lossy(&loaded.stderr).lines() {
        println!("@@LOG {line}");
    }
    Ok(())
}

fn release() -> String {
    fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned()
}

/// The jobs that wait, and whether there will be more.
#[derive(Default)]
struct Queue {
    jobs: VecDeque<String>,
    closed: bool,
}

fn serve(work: &Path, at_once: usize) {
    say(&format!("@@READY {}", release()));
    let queue = (Mutex::new(Queue::default()), Condvar::new());
    let lock = || queue.0.lock().unwrap_or_else(PoisonError::into_inner);
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                loop {
                    let mut waiting = lock();
                    let job = loop {
                        match waiting.jobs.pop_front() {
                            Some(job) => break job,
                            None if waiting.closed => return,
                            None => {
                                waiting = queue.1.wait(waiting).unwrap_or_else(PoisonError::into_inner);
                            }
                        }
                    };
                    drop(waiting);
                    // A thread for each: its namespaces end with it.
                    let directory = work.to_owned();
                    let name = job.clone();
                    let _ = std::thread::spawn(move || perform(&directory, &name)).join();
                    say(&format!("@@DONE {job}"));
                }
            });
        }
        for line in io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            match line.trim().split_once(' ') {
                Some(("JOB", name)) => lock().jobs.push_back(name.to_owned()),
                _ if line.trim() == "QUIT" => break,
                _ => {}
            }
            queue.1.notify_one();
        }
        lock().closed = true;
        queue.1.notify_all();
    });
}

fn say(line: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}

/// What a job's file says.
pub struct Outcome {
    pub late: Duration,
    pub ran: Ran,
}

fn perform(work: &Path, name: &str) {
    let lateness = Arc::new(Lateness::default());
    let ran = run(work, name, &lateness);
    let mut text = format!("{}\n", lateness.longest().as_nanos());
    match &ran.error {
        None => text.push_str("ok\n"),
        Some(error) => {
            text.push_str(&format!("{}\t{}\t{}\n", error.line, error.word.replace('\n', " "), error.text));
        }
    }
    let starts: Vec<String> = [ran.began].iter().chain(&ran.starts).map(u64::to_string).collect();
    text.push_str(&starts.join(" "));
    text.push('\n');
    text.push_str(&ran.output);
    let _ = fs::write(work.join(format!("{name}.out")), text);
}

fn run(work: &Path, name: &str, lateness: &Arc<Lateness>) -> Ran {
    let failed = |text: String| {
        let error = ScriptError { line: 0, word: name.to_owned(), text };
        Ran { error: Some(error), ..Ran::default() }
    };
    let script = fs::read_to_string(work.join(format!("{name}.sh")))
        .map_err(|error| error.to_string())
        .and_then(|text| Script::new(name, &text));
    let script = match script {
        Ok(script) => script,
        Err(text) => return failed(text),
    };
    match linux::enclose() {
        Ok(()) => Interpreter::new(linux::here(lateness.clone()), script.ipv6).run(&script.text),
        Err(errno) => failed(format!("no namespaces: {errno}")),
    }
}

impl Outcome {
    /// Reads what [`perform`] wrote.
    pub fn parse(text: &str) -> Option<Outcome> {
        let (late, rest) = text.split_once('\n')?;
        let (verdict, rest) = rest.split_once('\n')?;
        let (starts, output) = rest.split_once('\n')?;
        let error = match verdict {
            "ok" => None,
            _ => {
                let mut words = verdict.splitn(3, '\t');
                Some(ScriptError {
                    line: words.next()?.parse().ok()?,
                    word: words.next()?.to_owned(),
                    text: words.next()?.to_owned(),
                })
            }
        };
        let late = Duration::from_nanos(late.parse().ok()?);
        let mut starts = starts.split_whitespace().filter_map(|start| start.parse().ok());
        let began = starts.next()?;
        Some(Outcome { late, ran: Ran { output: output.to_owned(), error, began, starts: starts.collect() } })
    }
}
