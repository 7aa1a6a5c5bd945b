//! User-Mode Linux as a process of this machine: how it is started, and that it ends.

use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// Of Debian's package user-mode-linux.
pub const USER_MODE_LINUX: &str = "/usr/bin/linux.uml";

/// What its clock is (`crates/uml-clock`): sleeping takes no time there.
const CLOCK: &str = env!("HAIRPIN_UML_CLOCK");

/// A User-Mode Linux with our root directory. Its first process is `init`, its console the standard input and output, and
/// what else is given as `NAME=VALUE` is in that process's environment. It keeps its own files in `work`.
pub fn command(work: &Path, init: &Path, memory_mib: u32) -> Command {
    let mut command = Command::new(USER_MODE_LINUX);
    command.args(["rootfstype=hostfs", "rootflags=/", "rw", "quiet", "con=null", "con0=fd:0,fd:1"]);
    command.arg(format!("mem={memory_mib}M"));
    command.arg(format!("uml_dir={}", work.display()));
    command.arg(format!("init={}", init.display()));
    command.env("LD_PRELOAD", CLOCK);
    command
}

/// What the calling thread starts from now on, processes and threads, leaves the processor to who else wants it.
pub fn give_way() {
    let thread = nix::unistd::gettid().to_string();
    let _ = Command::new("renice").args(["-n", "10", "-p", &thread]).stdout(Stdio::null()).status();
}

/// Ends a User-Mode Linux with this process, however that ends: killed, it leaves nothing behind. A process of its own
/// waits for the end of a pipe that only we hold. (`PR_SET_PDEATHSIG` would reach the first of its processes alone.)
pub struct Keeper {
    group: Pid,
    watching: Child,
}

impl Keeper {
    /// Of a User-Mode Linux that has just been started: it makes itself the first of a process group.
    ///
    /// # Errors
    /// There is no shell.
    pub fn of(guest: &Child) -> io::Result<Keeper> {
        use std::os::unix::process::CommandExt as _;
        let group = i32::try_from(guest.id()).map_err(io::Error::other)?;
        let mut command = Command::new("sh");
        // Its environment has no `LD_PRELOAD`; its group is not the terminal's, nor ours.
        command.args(["-c", "read -r _; kill -KILL -$1 $1", "sh", &group.to_string()]).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Keeper { group: Pid::from_raw(group), watching: command.spawn()? })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let _ = self.watching.kill();
        let _ = self.watching.wait();
        let _ = killpg(self.group, Signal::SIGKILL);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{BufRead as _, BufReader};
    use std::time::{Duration, Instant};

    use super::*;

    const VARIABLE: &str = "HAIRPIN_TEST_GUEST_WORK";
    const PATIENCE: Duration = Duration::from_secs(60);

    /// Not a test of its own: the process that the next one kills. It starts a guest, says which, and waits.
    #[test]
    fn starts_a_guest_if_asked() {
        let Some(work) = std::env::var_os(VARIABLE) else { return };
        let mut guest = command(Path::new(&work), Path::new("/bin/cat"), 128);
        guest.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut guest = guest.spawn().expect("a guest");
        let _keeper = Keeper::of(&guest).expect("a keeper");
        println!("\nguest {}", guest.id());
        let _ = guest.wait();
    }

    /// Processes of a group (proc_pid_stat(5)).
    fn members(group: u32) -> usize {
        let group = group.to_string();
        let of_the_group = |entry: &fs::DirEntry| {
            let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(2)) == Some(group.as_str())
        };
        fs::read_dir("/proc").expect("/proc").flatten().filter(of_the_group).count()
    }

    fn wait_for(what: impl Fn() -> bool) -> bool {
        let start = Instant::now();
        while !what() {
            if start.elapsed() > PATIENCE {
                return false;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        true
    }

    #[test]
    fn who_is_killed_leaves_no_guest_behind() {
        if let Some(missing) = super::super::oracle::Kernel::Uml.missing() {
            println!("skipped: {missing}");
            return;
        }
        let work = std::env::temp_dir().join(format!("hairpin-guest-{}", std::process::id()));
        fs::create_dir_all(&work).expect("a directory");
        let mut victim = Command::new(std::env::current_exe().expect("this test"));
        victim.args(["--exact", "agree::guest::tests::starts_a_guest_if_asked", "--nocapture"]);
        let mut victim = victim.env(VARIABLE, &work).stdout(Stdio::piped()).spawn().expect("this test again");
        let said = BufReader::new(victim.stdout.take().expect("its output"));
        let mut lines = said.lines().map_while(Result::ok);
        let group = lines.find_map(|line| line.strip_prefix("guest ")?.parse().ok()).expect("a number");
        // It and those that it starts for its input and output.
        assert!(wait_for(|| members(group) >= 3), "the guest starts");
        // Stopped, as one is that has no job.
        let leader = Pid::from_raw(i32::try_from(group).expect("a process id"));
        nix::sys::signal::kill(leader, Signal::SIGSTOP).expect("it is there");
        victim.kill().expect("it is there");
        victim.wait().expect("its end");
        assert!(wait_for(|| members(group) == 0), "{} processes of the guest are left", members(group));
        let _ = fs::remove_dir_all(&work);
    }
}
