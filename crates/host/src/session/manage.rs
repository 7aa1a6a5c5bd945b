//! Sessions that stay: `hairpin up`, `hairpin ls`, `hairpin down`.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::os::fd::RawFd;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::{ForkResult, close, dup2_stderr, dup2_stdin, dup2_stdout, fork, setsid};

use super::entering;
use super::launch::{Signals, find, program_names};
use super::protocol::{Channel, Request, Response};
use super::registry::{self, Entry};
use super::server::{Server, Stopped};
use super::{Description, Load, Pace, WorldSource};

/// `down` waits so long for the session to end.
const END_MAX: Duration = Duration::from_secs(5);

/// A session that is up.
#[derive(Clone, Debug)]
pub struct Listed {
    pub name: String,
    pub description: Description,
}

/// Starts a session in the background and returns what was done, in words.
///
/// # Errors
/// The world cannot be built, or one of that name is up; for the user.
pub fn up(load: Load, world: &str, name: Option<&str>, pace: Pace) -> Result<String, String> {
    let inherited = open_descriptors();
    let name = name.map_or_else(|| default_name(world), str::to_owned);
    let emulator = load(&WorldSource { world: world.to_owned(), trace: None })?;
    let hosts = emulator.hosts();
    let names = program_names();
    let entry = Entry::create(&name, &names)?;
    let words = |error: io::Error| error.to_string();
    entering::prepare(&entry.directory, &*emulator, &names).map_err(words)?;
    let server = Server::new(emulator, world, pace, &entry.socket(), None).map_err(words)?;
    // SAFETY: this process has one thread, so the child may go on as any program does.
    match unsafe { fork() }.map_err(|error| error.to_string())? {
        ForkResult::Parent { .. } => {
            // The child owns the directory and its lock now.
            std::mem::forget(entry);
            std::mem::forget(server);
            let first = hosts.first().map_or("", String::as_str);
            let host = if hosts.len() == 1 { String::new() } else { format!(" {first}") };
            // Only told here: commands run in the session must not have it in their output.
            let warning = match entering::check() {
                Ok(()) => String::new(),
                Err(text) => format!("\nnote: /proc and /sys show this machine's own in it: {text}"),
            };
            Ok(format!(
                "world '{name}' is up: {}\nhairpin exec -w {name}{host} -- bash   runs a shell in it; \
                 hairpin down {name}   ends it{warning}",
                hosts.join(", ")
            ))
        }
        ForkResult::Child => {
            let code = match detach(&entry, &inherited).and_then(|()| serve(server)) {
                Ok(()) => 0,
                Err(error) => {
                    eprintln!("hairpin: {error}");
                    1
                }
            };
            drop(entry);
            std::process::exit(code)
        }
    }
}

/// Every session that answers.
pub fn list() -> Vec<Listed> {
    let describe = |name: String| {
        let description = describe(&registry::socket_of(&name).ok()?).ok()?;
        Some(Listed { name, description })
    };
    registry::list().into_iter().filter_map(describe).collect()
}

/// What the session at `socket` says of itself.
pub(super) fn describe(socket: &Path) -> Result<Description, String> {
    let mut channel = Channel::connect(socket).map_err(|error| error.to_string())?;
    match channel.ask(&Request::Describe) {
        Ok(Response::Description(description)) => Ok(description),
        Ok(_) => Err("the session speaks another language: another version of hairpin?".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Ends a session and waits until it has; returns its name. It may be left out as for `exec`.
///
/// # Errors
/// No such session, or it does not end; for the user.
pub fn down(name: Option<&str>) -> Result<String, String> {
    let socket = find(name)?;
    let name = socket.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
    let words = |error: io::Error| format!("{name}: {error}");
    let mut channel = Channel::connect(&socket).map_err(words)?;
    channel.ask(&Request::Stop).map_err(words)?;
    let end = Instant::now() + END_MAX;
    while registry::exists(&name) {
        if Instant::now() >= end {
            return Err(format!("world '{name}' does not end"));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(name)
}

/// A file's stem, with what a name may not hold replaced.
pub fn default_name(world: &str) -> String {
    let stem = Path::new(world).file_stem().unwrap_or_default().to_string_lossy();
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-+".contains(c) { c } else { '-' };
    let name: String = stem.chars().map(plain).collect();
    if name.starts_with(['.', '-']) || name.is_empty() { format!("w{name}") } else { name }
}

/// Descriptors beyond the three of every program.
fn open_descriptors() -> Vec<RawFd> {
    let entries = std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<RawFd>().ok());
    let mut numbers: Vec<RawFd> = numbers.filter(|number| *number > 2).collect();
    // One of them was the listing's own.
    numbers.retain(|number| std::fs::read_link(format!("/proc/self/fd/{number}")).is_ok());
    numbers
}

/// Leaves the terminal and what the caller had open: a pipe or a lock would stay in use as long as the session.
/// Errors go to a file beside the socket.
fn detach(entry: &Entry, inherited: &[RawFd]) -> io::Result<()> {
    for number in inherited {
        let _ = close(*number);
    }
    setsid()?;
    std::env::set_current_dir("/")?;
    let null = File::options().read(true).write(true).open("/dev/null")?;
    let log = File::create(entry.directory.join("log"))?;
    dup2_stdin(&null)?;
    dup2_stdout(&null)?;
    dup2_stderr(&log)?;
    Ok(())
}

fn serve(mut server: Server) -> io::Result<()> {
    let signals = Signals::block(&[Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM])?;
    while server.run(Some(&signals), None)? != Stopped::Asked && signals.take().is_none() {}
    server.dismiss()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_its_world() {
        assert_eq!(default_name("worlds/office.yaml"), "office");
        assert_eq!(default_name("nat"), "nat");
        assert_eq!(default_name("/x/my lab.yaml"), "my-lab");
    }
}
