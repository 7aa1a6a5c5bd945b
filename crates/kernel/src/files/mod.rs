//! What is under `/proc/sys/net`, `/proc/net`, `/sys/class/net`, `/sys/devices/virtual/net` and `/sys/bus`, as seen from one namespace.
//!
//! Each tree is a module that gets the names below its root; each of its files is a line of a table.

mod bus;
mod class_net;
mod fs;
mod kernel;
mod proc_net;
pub(crate) mod sysctl;

use std::hash::{DefaultHasher, Hash, Hasher};

use hairpin_netlink::Errno;

use crate::netns::NsId;
use crate::task::TaskId;
use crate::world::World;

/// A tree of files. `Names` are the path's names below the root; none for the root itself.
struct Tree {
    root: &'static [&'static str],
    read: fn(&World, NsId, Names<'_>) -> Result<Vec<u8>, Errno>,
    write: fn(&mut World, NsId, Names<'_>, &[u8]) -> Result<(), Errno>,
    list: fn(&World, NsId, Names<'_>) -> Result<Vec<String>, Errno>,
    /// Where a symbolic link leads; none in trees without links.
    link: Option<ReadLink>,
    stamp: fn(&World, NsId, Names<'_>) -> Option<u64>,
    /// Who may read or write a file: the bits of its permissions.
    mode: fn(&World, NsId, Names<'_>) -> u32,
}

type ReadLink = fn(&World, NsId, Names<'_>) -> Result<String, Errno>;

type Names<'a> = &'a [&'a str];

const TREES: &[Tree] = &[
    Tree {
        root: &["proc", "sys", "net"],
        read: sysctl::read,
        write: sysctl::write,
        list: sysctl::list,
        link: None,
        stamp: sysctl::stamp,
        mode: sysctl::mode,
    },
    Tree {
        root: &["proc", "sys", "kernel"],
        read: kernel::read,
        write: kernel::write,
        list: kernel::list,
        link: None,
        stamp: no_stamp,
        mode: kernel::mode,
    },
    Tree {
        root: &["proc", "sys", "fs"],
        read: fs::read,
        write: fs::write,
        list: fs::list,
        link: None,
        stamp: no_stamp,
        mode: fs::mode,
    },
    Tree {
        root: &["proc", "net"],
        read: proc_net::read,
        write: proc_net::write,
        list: proc_net::list,
        link: None,
        stamp: no_stamp,
        mode: proc_net::mode,
    },
    Tree {
        root: &["proc", "self", "net"],
        read: proc_net::read,
        write: proc_net::write,
        list: proc_net::list,
        link: None,
        stamp: no_stamp,
        mode: proc_net::mode,
    },
    Tree {
        root: &["sys", "class", "net"],
        read: class_net::read,
        write: class_net::write,
        list: class_net::list,
        link: Some(class_net::link),
        stamp: class_net::stamp,
        mode: class_net::mode,
    },
    Tree {
        root: &["sys", "devices", "virtual", "net"],
        read: class_net::virtual_devices::read,
        write: class_net::virtual_devices::write,
        list: class_net::virtual_devices::list,
        link: Some(class_net::virtual_devices::link),
        stamp: class_net::virtual_devices::stamp,
        mode: class_net::mode,
    },
    Tree {
        root: &["sys", "bus", "netdevsim"],
        read: bus::read,
        write: bus::write,
        list: bus::list,
        link: Some(bus::link),
        stamp: no_stamp,
        mode: bus::mode,
    },
];

impl World {
    /// The content of a file.
    ///
    /// # Errors
    /// `ENOENT`, `EISDIR`, `ENOTDIR`; `EACCES` for what cannot be read; `EINVAL` and others where the file of
    /// Linux answers so in the present state.
    pub fn read_file(&self, ns: NsId, path: &str) -> Result<Vec<u8>, Errno> {
        let names = names(path)?;
        let (tree, below) = tree(&names)?;
        let content = (tree.read)(self, ns, below)?;
        file_named(path)?;
        Ok(content)
    }

    /// Writes a file as one `write` does.
    ///
    /// # Errors
    /// `ENOENT`, `EISDIR`, `ENOTDIR`; `EACCES` for what cannot be written, `EINVAL` or `ERANGE` for a value that
    /// makes no sense; what the same change over netlink answers.
    pub fn write_file(&mut self, ns: NsId, path: &str, data: &[u8]) -> Result<(), Errno> {
        let names = names(path)?;
        let (tree, below) = tree(&names)?;
        file_named(path)?;
        (tree.write)(self, ns, below, data)
    }

    /// The names in a directory, sorted.
    ///
    /// # Errors
    /// `ENOENT`, `ENOTDIR`
    pub fn list_directory(&self, ns: NsId, path: &str) -> Result<Vec<String>, Errno> {
        let names = names(path)?;
        let above = above(&names);
        if !above.is_empty() {
            return Ok(above);
        }
        let (tree, below) = tree(&names)?;
        let mut found = (tree.list)(self, ns, below)?;
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// Where a symbolic link leads, seen from the directory it is in.
    ///
    /// # Errors
    /// `EINVAL` for what is no link; `ENOENT`, `ENOTDIR`
    pub fn read_link(&self, ns: NsId, path: &str) -> Result<String, Errno> {
        let names = names(path)?;
        let (tree, below) = tree(&names)?;
        tree.link.ok_or(Errno::EINVAL)?(self, ns, below)
    }

    /// Who may read or write a file, as the bits of its permissions: where a bit of writing is missing, the file cannot
    /// even be opened for that. `None` for what is no file.
    pub fn file_mode(&self, task: TaskId, path: &str) -> Option<u32> {
        let ns = self.tasks.get(task)?.ns;
        let names = names(path).ok()?;
        let (tree, below) = tree(&names).ok()?;
        Some((tree.mode)(self, ns, below))
    }

    /// A number that changes whenever something below a directory does, so that who has read it all need not do so
    /// again. `None` where nothing shorter than reading tells.
    pub fn directory_stamp(&self, task: TaskId, path: &str) -> Option<u64> {
        let ns = self.tasks.get(task)?.ns;
        let names = names(path).ok()?;
        let (tree, below) = tree(&names).ok()?;
        (tree.stamp)(self, ns, below)
    }
}

fn no_stamp(_: &World, _: NsId, _: Names<'_>) -> Option<u64> {
    None
}

/// The stamp of what files are made from.
fn stamp_of(source: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    source.hash(&mut hasher);
    hasher.finish()
}

/// The names of an absolute path.
fn names(path: &str) -> Result<Vec<&str>, Errno> {
    if !path.starts_with('/') {
        return Err(Errno::ENOENT);
    }
    let mut names = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    Ok(names)
}

fn tree<'a>(names: &'a [&'a str]) -> Result<(&'static Tree, Names<'a>), Errno> {
    let found = TREES.iter().find_map(|tree| names.strip_prefix(tree.root).map(|below| (tree, below)));
    found.ok_or_else(|| if above(names).is_empty() { Errno::ENOENT } else { Errno::EISDIR })
}

/// The names in a directory on the way to the trees, sorted.
fn above(names: Names<'_>) -> Vec<String> {
    let children = TREES.iter().filter_map(|tree| tree.root.strip_prefix(names)?.first());
    let mut found: Vec<String> = children.map(|name| (*name).to_owned()).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// A path with a slash at its end names no file.
fn file_named(path: &str) -> Result<(), Errno> {
    if path.ends_with('/') { Err(Errno::ENOTDIR) } else { Ok(()) }
}
