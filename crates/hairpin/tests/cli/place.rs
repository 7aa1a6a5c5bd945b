//! A directory of a test's own, and `hairpin` called in it.

use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

pub struct Place(pub PathBuf, Option<String>);

/// What a call printed, and its exit code as a shell tells it.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Place {
    /// `name` tells the tests of one process apart.
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("hairpin-cli-{name}-{}", std::process::id()));
        std::fs::DirBuilder::new().mode(0o700).create(&path).expect("a new directory");
        Place(path, None)
    }

    /// Calls `hairpin` as an ordinary user on a machine without `/dev/fuse`. `None` where we are none already and cannot
    /// become one.
    pub fn of_ordinary_user(name: &str) -> Option<Self> {
        const USER: u32 = 65533;
        let mut place = Place::new(name);
        std::os::unix::fs::chown(&place.0, Some(USER), Some(USER)).ok()?;
        // Where it was built, others may not go.
        std::fs::copy(env!("CARGO_BIN_EXE_hairpin"), place.0.join("program")).ok()?;
        place.1 = Some(USER.to_string());
        let works =
            place.command(&["--version"]).stdout(Stdio::null()).status().is_ok_and(|status| status.success());
        works.then_some(place)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).expect("a file");
    }

    pub fn read(&self, name: &str) -> String {
        String::from_utf8_lossy(&std::fs::read(self.0.join(name)).expect("a file")).into_owned()
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = match &self.1 {
            None => Command::new(env!("CARGO_BIN_EXE_hairpin")),
            Some(user) => {
                let mut command = Command::new("setpriv");
                command
                    .args(["--reuid", user, "--regid", user, "--clear-groups"])
                    .env("HAIRPIN_FUSE", "no")
                    .arg(self.0.join("program"));
                command
            }
        };
        command.args(args).current_dir(&self.0).env("XDG_RUNTIME_DIR", &self.0).env("LC_ALL", "C");
        command
    }

    pub fn hairpin(&self, args: &[&str]) -> Outcome {
        self.hairpin_with(args, "")
    }

    /// With `input` on standard input.
    pub fn hairpin_with(&self, args: &[&str], input: &str) -> Outcome {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("hairpin");
        // It may end without reading.
        let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
        let output = child.wait_with_output().expect("its end");
        let code = output.status.code().or_else(|| output.status.signal().map(|signal| 128 + signal));
        Outcome {
            code: code.expect("a code"),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Runs a script in the world `bare`.
    pub fn script(&self, script: &str) -> Outcome {
        self.hairpin_with(&["run", "--world", "bare", "-"], script)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
