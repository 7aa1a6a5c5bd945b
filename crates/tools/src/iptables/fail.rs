//! How the programs fail: texts and exit codes of libxtables and libiptc.

use hairpin_netlink::Errno;

/// A failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fail {
    /// `PARAMETER_PROBLEM`: exit code 2, with a hint at the help.
    Parameter(String),
    /// The same without the program's name in front.
    Argument(String),
    /// `VERSION_PROBLEM`: exit code 3.
    Version(String),
    /// `OTHER_PROBLEM`: exit code 1.
    Other(String),
    /// What an operation on a table failed with: exit code 1.
    Table(String),
    /// Only the hint at the help: exit code 2.
    Hint,
    /// It has been said already: exit code 1.
    Silent,
}

impl Fail {
    pub fn parameter(text: impl Into<String>) -> Fail {
        Fail::Parameter(text.into())
    }

    /// The text of a failed operation (`iptc_strerror`).
    pub fn table(errno: Errno) -> Fail {
        Fail::Table(match errno {
            Errno::ENOENT => "No chain/target/match by that name.".to_owned(),
            Errno::EINVAL => "Invalid argument. Run `dmesg' for more information.".to_owned(),
            Errno::EPERM => "Permission denied (you must be root).".to_owned(),
            Errno::ENOMEM => "Memory allocation problem.".to_owned(),
            Errno::ENOSYS => "Will be implemented real soon.  I promise ;).".to_owned(),
            errno => format!("{}.", errno.text()),
        })
    }

    pub fn code(&self) -> i32 {
        match self {
            Fail::Parameter(_) | Fail::Argument(_) | Fail::Hint => 2,
            Fail::Version(_) => 3,
            Fail::Other(_) | Fail::Table(_) | Fail::Silent => 1,
        }
    }

    /// What is printed to standard error by a program of this name; `line` is that of a restored file.
    pub fn text(&self, program: &str, line: Option<usize>) -> String {
        let title = |text: &str| format!("{program} v{} (legacy): {text}\n", super::VERSION);
        let place = line.map_or(String::new(), |line| format!("Error occurred at line: {line}\n"));
        let help = format!("Try `{program} -h' or '{program} --help' for more information.\n");
        match self {
            Fail::Parameter(text) => title(text) + &place + &help,
            Fail::Argument(text) => format!("{text}\n{place}{help}"),
            Fail::Version(text) => {
                title(text) + &format!("Perhaps {program} or your kernel needs to be upgraded.\n")
            }
            Fail::Other(text) => title(text),
            Fail::Hint => help,
            Fail::Silent => String::new(),
            Fail::Table(text) => match line {
                Some(line) => format!("{program}: line {line} failed\n"),
                None => format!("{program}: {text}\n"),
            },
        }
    }
}
