//! What the daemon does on the host: commands of our own front ends, run quietly in one of its network namespaces.

use hairpin_netlink::{Errno, FIRST_NETNS, System};

use super::model::State;
use super::store;
use crate::Shell;
use crate::quiet::{self, QuietShell};

/// A run of the docker command.
pub(super) struct Docker<'a> {
    pub system: &'a mut dyn System,
    pub shell: &'a mut dyn Shell,
}

/// Why a command ends before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// What goes to standard error; a newline is added where there is text.
    pub text: String,
    pub code: i32,
}

pub(super) type Outcome = Result<i32, Failure>;

impl Failure {
    /// What the command says itself.
    pub fn of_client(text: impl Into<String>) -> Failure {
        Failure { text: text.into(), code: 1 }
    }

    /// What the daemon answers.
    pub fn of_daemon(text: impl AsRef<str>) -> Failure {
        Failure::of_client(format!("Error response from daemon: {}", text.as_ref()))
    }
}

impl Docker<'_> {
    pub fn print(&mut self, text: &str) {
        let _ = self.shell.out().write_all(text.as_bytes());
    }

    /// A line on standard error.
    pub fn complain(&mut self, text: &str) {
        let _ = self.shell.out().flush();
        let _ = writeln!(self.shell.err(), "{text}");
    }

    /// Nanoseconds since 1970.
    pub fn now(&mut self) -> u64 {
        self.system.now().map_or(0, |now| now.realtime_ns)
    }

    /// The state as it is now.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn state(&mut self) -> Result<State, Failure> {
        let state = store::load(self.system);
        state.map(Option::unwrap_or_default).map_err(|errno| Failure::of_client(format!("docker: {errno}")))
    }

    /// See [`store::update`].
    ///
    /// # Errors
    /// As there.
    pub fn update<T>(&mut self, change: impl FnMut(&mut State) -> Result<T, String>) -> Result<T, String> {
        store::update(self.system, change)
    }

    /// # Errors
    /// No random bytes here, in words.
    pub fn new_id(&mut self) -> Result<String, String> {
        store::random_hex(self.system, 32).map_err(go_text)
    }

    /// A name for a link: `veth` and seven random digits (`GenerateIfaceName`).
    ///
    /// # Errors
    /// No random bytes here, in words.
    pub fn new_link_name(&mut self) -> Result<String, String> {
        let digits = store::random_hex(self.system, 4).map_err(go_text)?;
        Ok(format!("veth{}", digits.get(..7).unwrap_or("")))
    }

    /// A MAC address: unicast, locally administered (`GenerateRandomMAC`).
    ///
    /// # Errors
    /// No random bytes here, in words.
    pub fn new_mac(&mut self) -> Result<String, String> {
        let mut bytes = store::random(self.system, 6).map_err(go_text)?;
        if let Some(first) = bytes.first_mut() {
            *first = *first & 0xfe | 0x02;
        }
        Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":"))
    }

    /// Goes to the host's first network namespace, where the daemon is.
    ///
    /// # Errors
    /// In words.
    pub fn enter_host(&mut self) -> Result<(), String> {
        self.enter(FIRST_NETNS)
    }

    /// Goes to a network namespace.
    ///
    /// # Errors
    /// In words.
    pub fn enter(&mut self, netns: &str) -> Result<(), String> {
        self.system
            .netns_enter(netns)
            .map_err(|errno| format!("network namespace {netns}: {}", go_text(errno)))
    }

    /// Runs a command line of `ip`; what it prints.
    ///
    /// # Errors
    /// The refusal as Go's netlink package words it: the error number's text.
    pub fn ip(&mut self, line: &str) -> Result<String, String> {
        self.quietly(&format!("ip {line}"))
    }

    /// Runs a command line of `iptables` or `ip6tables`.
    ///
    /// # Errors
    /// What it says.
    pub fn iptables(&mut self, is_ipv4: bool, line: &str) -> Result<String, String> {
        self.quietly(&format!("{} {line}", if is_ipv4 { "iptables" } else { "ip6tables" }))
    }

    fn quietly(&mut self, line: &str) -> Result<String, String> {
        let argv: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let mut shell = QuietShell::default();
        match quiet::run(self.system, &mut shell, &argv) {
            0 => Ok(String::from_utf8_lossy(&shell.out).into_owned()),
            _ => Err(refusal(&String::from_utf8_lossy(&shell.err))),
        }
    }

    /// Whether the present namespace has a link of this name.
    pub fn has_link(&mut self, name: &str) -> bool {
        self.ip(&format!("link show dev {name}")).is_ok()
    }

    /// # Errors
    /// In words.
    pub fn write_file(&mut self, path: &str, text: &str) -> Result<(), String> {
        self.system.write_file(path, text.as_bytes()).map_err(go_text)
    }
}

/// An error number as Go prints it: `device or resource busy`.
pub(super) fn go_text(errno: Errno) -> String {
    lower(&errno.text())
}

/// What is left of an error of `ip` without iproute2's words around it.
fn refusal(text: &str) -> String {
    let line = text.lines().next().unwrap_or("");
    match line.strip_prefix("RTNETLINK answers: ") {
        Some(text) => lower(text),
        None => line.strip_prefix("Error: ").unwrap_or(line).to_owned(),
    }
}

fn lower(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}
