//! What real programs of a session see of the emulated kernel: `/proc/sys/net`, `/proc/net`, `/sys/class/net`,
//! `/sys/devices/virtual/net`, `/sys/bus`, `/run/netns`, files of `/etc`, the host's name.
//!
//! A program gets a mount namespace (as an ordinary user inside a user namespace) in which those paths are
//! covered, and a network namespace without devices: whatever is not covered leads nowhere. Two mechanisms fill the paths:
//!
//! * [`fuse`] computes every reading and judges every write, where `/dev/fuse` can be opened
//! * [`files`] keeps plain files that follow the configuration, and carries writes over
//! * [`mount`] the covering

pub(crate) mod files;
pub(crate) mod fuse;
pub(crate) mod mount;

use std::os::fd::{AsFd, BorrowedFd};

use hairpin_netlink::{Call, Errno, Reply};

use crate::session::{Emulator, TaskId};

/// Directories of a view, and what they stand for.
const BRANCHES: &[(&str, &str)] = &[
    ("sys", "/proc/sys/net"),
    ("class", "/sys/class/net"),
    ("virtual", "/sys/devices/virtual/net"),
    ("bus", "/sys/bus"),
    (PROC_NET, "/proc/net"),
    (FS, "/proc/sys/fs"),
];
/// Single files of it cover this machine's: it knows no others.
const FS: &str = "fs";
const PROC_NET: &str = "net";
/// The names of `/run/netns`.
const NETNS: &str = "netns";
/// A symbolic link to the view's `net`: it takes the place of `/proc/net`, which is one too.
const LINK: &str = "link";

/// The session's end of one view.
pub(crate) enum View {
    Fuse(fuse::FuseView),
    Files(files::FilesView),
}

impl View {
    /// Handles what programs have done.
    pub fn serve(&mut self, emulator: &mut dyn Emulator) {
        match self {
            View::Fuse(view) => view.serve(emulator),
            View::Files(view) => view.serve(emulator),
        }
    }

    /// The configuration has changed.
    pub fn refresh(&mut self, emulator: &mut dyn Emulator) {
        if let View::Files(view) = self {
            view.refresh(emulator);
        }
    }

    /// Whether writes may be waiting that no descriptor of a client tells of.
    pub fn is_lazy(&self) -> bool {
        matches!(self, View::Files(_))
    }

    /// The task to close, once nobody can see the view any more.
    pub fn finished(&self) -> Option<TaskId> {
        match self {
            View::Fuse(view) if view.is_gone() => Some(view.task()),
            _ => None,
        }
    }
}

impl AsFd for View {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            View::Fuse(view) => view.as_fd(),
            View::Files(view) => view.as_fd(),
        }
    }
}

/// Named namespaces of the task's host.
fn netns_names(task: TaskId, emulator: &mut dyn Emulator) -> Result<Vec<String>, Errno> {
    match emulator.call(task, Call::NetnsList)? {
        Reply::Names(names) => Ok(names),
        _ => Err(Errno::EPROTO),
    }
}

/// The emulated kernel's name of a path in the view.
fn real_path(path: &str) -> Option<String> {
    let (branch, rest) = path.split_once('/').unwrap_or((path, ""));
    let (_, real) = BRANCHES.iter().find(|(name, _)| *name == branch)?;
    Some(if rest.is_empty() { (*real).to_owned() } else { format!("{real}/{rest}") })
}
