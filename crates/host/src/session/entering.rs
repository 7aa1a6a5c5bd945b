//! The namespaces of a session's real programs: prepared by its server, entered by each program before it starts.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::protocol::{Channel, Request, Response};
use super::{Emulator, TaskName, VIEW_VARIABLE};
use crate::view::mount::{self, Complaints, Separation};

/// The name by which [`check`] calls this program.
pub(crate) const CHECK: &str = "hairpin-check";

/// What [`separate`] did.
pub(super) enum Separated {
    /// The process has mounts of its own; what it made besides where it is the first of its kind.
    Yes(Option<Separation>),
    /// This machine allows no view, and why.
    Impossible(String),
    /// It was found before that this machine allows none.
    Skipped,
}

/// What [`enter`] did.
pub(super) enum Entered {
    /// The view covers this machine, except for what is complained of.
    Covered(Complaints),
    /// This machine allows no view, and why.
    Impossible(String),
    /// It was found before that this machine allows none.
    Skipped,
}

/// Whether this machine allows views at all; if not, why. Tried in a process of its own.
pub(super) fn check() -> Result<(), String> {
    let mut command = std::process::Command::new(std::env::current_exe().map_err(|error| error.to_string())?);
    command.arg0(CHECK).stdin(Stdio::null()).stdout(Stdio::null());
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim_end().to_owned())
    }
}

/// What [`check`] starts.
pub(crate) fn try_out() -> i32 {
    mount::separate("check", true).map_or_else(
        |text| {
            eprintln!("{text}");
            1
        },
        |_| 0,
    )
}

/// Fills a session's directory with what programs will need: `hosts/NAME/etc` with the host's own files,
/// `covers` with the programs to be covered.
pub(super) fn prepare(directory: &Path, emulator: &dyn Emulator, names: &[&str]) -> io::Result<()> {
    fs::create_dir(directory.join("view"))?;
    for host in emulator.hosts() {
        let root = directory.join("hosts").join(&host);
        let (etc, places) = (root.join("etc"), root.join("places"));
        fs::create_dir_all(etc.join("netns"))?;
        for name in mount::LEASES {
            fs::create_dir_all(root.join("lib").join(name))?;
        }
        fs::create_dir_all(&places)?;
        mount::prepare_run(&root.join("run"));
        fs::write(etc.join("hostname"), format!("{host}\n"))?;
        fs::write(etc.join("hosts"), format!("127.0.0.1\tlocalhost\n127.0.1.1\t{host}\n"))?;
        // Names are this machine's to resolve where the world says nothing else.
        fs::write(etc.join("resolv.conf"), fs::read("/etc/resolv.conf").unwrap_or_default())?;
        for (path, content) in emulator.files(&host) {
            let Some(relative) = below_etc(&path) else { continue };
            let target = etc.join(relative);
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(target, content)?;
        }
        for entry in fs::read_dir(&etc)? {
            let entry = entry?;
            let place = places.join(entry.file_name());
            if entry.file_type()?.is_dir() { fs::create_dir(place)? } else { fs::write(place, "")? }
        }
    }
    let covered: Vec<&str> =
        names.iter().copied().filter(|name| !hairpin_tools::BESIDE_THE_MACHINES.contains(name)).collect();
    let covers: Vec<u8> = mount::programs(&covered)
        .into_iter()
        .flat_map(|path| [path.into_os_string().into_vec(), b"\n".to_vec()].concat())
        .collect();
    fs::write(directory.join("covers"), covers)
}

/// Writes a file that a host has of its own, for the programs that start later, and those that see it already.
pub(super) fn write_etc(directory: &Path, host: &str, path: &str, data: &[u8]) -> io::Result<()> {
    let relative = below_etc(path).ok_or(io::ErrorKind::InvalidInput)?;
    let target = directory.join("hosts").join(host).join("etc").join(relative);
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(target, data)
}

/// Where a namespace has its files below `etc/netns`: one named by a path is called by the last part of that.
fn directory_of(netns: &str) -> &str {
    netns.rsplit('/').next().unwrap_or(netns)
}

/// Gives this process, which is to be in `task`, namespaces of its own.
pub(super) fn separate(directory: &Path, task: &TaskName) -> Separated {
    let before = std::env::var(VIEW_VARIABLE).unwrap_or_default();
    if before == "none" {
        return Separated::Skipped;
    }
    // A container has a name of its own.
    let own_name = task.netns.as_deref().map(directory_of).and_then(|netns| {
        let host = directory.join("hosts").join(&task.host);
        fs::read_to_string(host.join("etc/netns").join(netns).join("hostname")).ok()
    });
    let name = own_name.as_deref().map_or(task.host.as_str(), str::trim);
    // Whom it starts stays in the first one's network namespace.
    let first = before.is_empty();
    match mount::separate(name, first) {
        Ok(made) => Separated::Yes(first.then_some(made)),
        Err(text) => Separated::Impossible(text),
    }
}

/// Has this process, which has namespaces of its own, see the session's `/proc`, `/sys` and `/etc` in them. `channel` holds
/// the task, `program` is what this process becomes.
pub(super) fn enter(
    separated: Separated,
    directory: &Path,
    task: &TaskName,
    channel: &mut Channel,
    program: &OsStr,
) -> Entered {
    let first = match separated {
        Separated::Yes(first) => first,
        Separated::Impossible(text) => return Entered::Impossible(text),
        Separated::Skipped => return Entered::Skipped,
    };
    let host = directory.join("hosts").join(&task.host);
    let netns = task.netns.as_deref().map(directory_of);
    let mut complaints = Complaints::new();
    if let Some(made) = first {
        mount::seal_kernel(made.network);
        if !made.network {
            complaints.push("programs with sockets of their own reach this machine's network".to_owned());
        }
    }
    if !asks_the_session(directory, program) {
        match open_view(directory, channel) {
            Ok((view, is_fuse)) => {
                complaints.extend(mount::cover_run(&host.join("run")));
                complaints.extend(mount::cover_kernel(&view));
                if !is_fuse && first.is_some_and(|made| made.user) {
                    mount::respect_modes();
                }
            }
            Err(error) => return Entered::Impossible(error.to_string()),
        }
    }
    complaints.extend(mount::cover_etc(&host, netns));
    if first.is_some()
        && let Ok(own) = fs::read_link(directory.join("bin/hairpin"))
    {
        let covers = fs::read(directory.join("covers")).unwrap_or_default();
        let lines = covers.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let paths: Vec<PathBuf> = lines.map(|line| PathBuf::from(OsStr::from_bytes(line))).collect();
        mount::cover_programs(&own, &paths);
    }
    Entered::Covered(complaints)
}

/// Whether `program` is a front end of the session's that becomes no other program: those look at `/proc` and `/sys` by
/// asking the session, and a view of plain files takes a while to be made.
fn asks_the_session(directory: &Path, program: &OsStr) -> bool {
    let plain = program.to_str().filter(|name| !name.contains('/'));
    let becomes_another = |name: &str| {
        ["hairpin", "sudo"].contains(&name) || hairpin_tools::BESIDE_THE_MACHINES.contains(&name)
    };
    let Some(name) = plain.filter(|name| !becomes_another(name)) else { return false };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).find(|place| place.join(name).exists());
    found.is_some_and(|place| place == directory.join("bin"))
}

/// Has the session serve a view; returns its directory, and whether it is a FUSE file system.
fn open_view(directory: &Path, channel: &mut Channel) -> io::Result<(PathBuf, bool)> {
    let mount_point = directory.join("view");
    let response = match mount::mount_fuse(&mount_point) {
        Ok(device) => channel.ask_with(&Request::View { device: true }, device.as_fd())?,
        Err(_) => channel.ask(&Request::View { device: false })?,
    };
    match response {
        Response::View(None) => Ok((mount_point, true)),
        Response::View(Some(path)) => Ok((path, false)),
        _ => Err(io::Error::other("the session serves no view")),
    }
}

/// The part of a path below `/etc`, if it stays there.
fn below_etc(path: &str) -> Option<&Path> {
    let relative = Path::new(path).strip_prefix("/etc").ok()?;
    let plain = |part| matches!(part, std::path::Component::Normal(_));
    (relative.components().next().is_some() && relative.components().all(plain)).then_some(relative)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_stay_below_etc() {
        assert_eq!(below_etc("/etc/netns/x/resolv.conf"), Some(Path::new("netns/x/resolv.conf")));
        for bad in ["/etc", "/etc/../x", "/usr/x", "etc/x"] {
            assert_eq!(below_etc(bad), None, "{bad}");
        }
    }
}
