//! A view as plain files, where FUSE is not to be had: they follow the configuration, and what programs write
//! into them is carried over (inotify) before the next request is served.
//!
//! Weaker than FUSE in this: a write that the emulated kernel refuses has succeeded for the writer, so the refusal
//! goes to the session's standard error; a reading shows the state after the last request.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use hairpin_netlink::{Call, Errno, Reply};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};

use super::{BRANCHES, LINK, NETNS, PROC_NET};
use crate::session::{Emulator, TaskId};

/// Bounds a tree that refers to itself.
const DEPTH_MAX: usize = 12;

/// The files of one network namespace.
pub(crate) struct FilesView {
    root: PathBuf,
    task: TaskId,
    inotify: Inotify,
    /// Watched directories, relative to the root.
    watches: BTreeMap<WatchDescriptor, String>,
    /// What every path named when it was last in step.
    known: BTreeMap<String, Node>,
}

/// What a path names.
#[derive(PartialEq, Eq)]
enum Node {
    Directory,
    /// With its content.
    File(Vec<u8>),
    /// With its target.
    Link(Vec<u8>),
}

impl FilesView {
    /// Makes the files below `root` as `task` sees them.
    ///
    /// # Errors
    /// The directory cannot be made or watched.
    pub fn new(root: PathBuf, task: TaskId, emulator: &mut dyn Emulator) -> io::Result<Self> {
        fs::create_dir_all(&root)?;
        let link = root.join(LINK);
        if !link.is_symlink() {
            symlink(root.join(PROC_NET), &link)?;
        }
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
        let mut view = FilesView { root, task, inotify, watches: BTreeMap::new(), known: BTreeMap::new() };
        view.refresh(emulator);
        Ok(view)
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Carries over what programs have written.
    pub fn serve(&mut self, emulator: &mut dyn Emulator) {
        while let Ok(events) = self.inotify.read_events() {
            for event in events {
                let Some(directory) = self.watches.get(&event.wd) else { continue };
                let Some(name) = event.name else { continue };
                let path = format!("{directory}/{}", name.to_string_lossy());
                self.carry_over(&path, emulator);
            }
        }
    }

    /// Brings every file in step with the kernel.
    pub fn refresh(&mut self, emulator: &mut dyn Emulator) {
        let mut present = BTreeMap::new();
        for (branch, real) in BRANCHES {
            collect(emulator, self.task, branch, real, 0, &mut present);
        }
        present.insert(NETNS.to_owned(), Node::Directory);
        for name in super::netns_names(self.task, emulator).unwrap_or_default() {
            present.insert(format!("{NETNS}/{name}"), Node::File(Vec::new()));
        }
        // Deepest first.
        for path in self.known.keys().rev().filter(|path| !present.contains_key(*path)) {
            let path = self.root.join(path);
            let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir(&path));
        }
        for (path, node) in &present {
            if self.known.get(path) == Some(node) {
                continue;
            }
            let target = self.root.join(path);
            match node {
                Node::File(content) => drop(fs::write(target, content)),
                Node::Link(to) => {
                    let _ = fs::remove_file(&target);
                    let _ = symlink(OsStr::from_bytes(to), target);
                }
                Node::Directory => {
                    let _ = fs::create_dir(&target);
                    let watch = self.inotify.add_watch(&target, AddWatchFlags::IN_CLOSE_WRITE);
                    if let Ok(watch) = watch {
                        self.watches.insert(watch, path.clone());
                    }
                }
            }
        }
        self.known = present;
    }

    fn carry_over(&mut self, path: &str, emulator: &mut dyn Emulator) {
        let Ok(data) = fs::read(self.root.join(path)) else { return };
        if matches!(self.known.get(path), Some(Node::File(known)) if *known == data) {
            return;
        }
        let Some(real) = super::real_path(path) else { return };
        let result = emulator.call(self.task, Call::WriteFile { path: real.clone(), data: data.clone() });
        if let Err(error) = result {
            eprintln!("hairpin: {real}: {error}");
        }
        match read(emulator, self.task, &real) {
            // The kernel may store something else than was written. (Writing the same again would empty the file for
            // an instant in which somebody reads it.)
            Ok(content) => {
                if content != data {
                    let _ = fs::write(self.root.join(path), &content);
                }
                self.known.insert(path.to_owned(), Node::File(content));
            }
            // A program made it; the kernel has no such file.
            Err(Errno::ENOENT) if !self.known.contains_key(path) => {
                let _ = fs::remove_file(self.root.join(path));
            }
            Err(_) => {}
        }
    }
}

impl AsFd for FilesView {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}

/// Everything below a directory of the kernel's; files that cannot be read are there and empty.
fn collect(
    emulator: &mut dyn Emulator,
    task: TaskId,
    path: &str,
    real: &str,
    depth: usize,
    found: &mut BTreeMap<String, Node>,
) {
    // Followed, they would lead through every way there is from device to device.
    if let Ok(Reply::Bytes(target)) = emulator.call(task, Call::ReadLink(real.to_owned())) {
        found.insert(path.to_owned(), Node::Link(target));
        return;
    }
    if let Ok(Reply::Names(names)) = emulator.call(task, Call::ListDirectory(real.to_owned())) {
        found.insert(path.to_owned(), Node::Directory);
        for name in names.iter().filter(|_| depth < DEPTH_MAX) {
            collect(emulator, task, &format!("{path}/{name}"), &format!("{real}/{name}"), depth + 1, found);
        }
        return;
    }
    if depth == 0 {
        // The covering needs a directory.
        found.insert(path.to_owned(), Node::Directory);
        return;
    }
    match read(emulator, task, real) {
        Ok(content) => drop(found.insert(path.to_owned(), Node::File(content))),
        Err(Errno::ENOENT | Errno::ENODEV) => {}
        Err(_) => drop(found.insert(path.to_owned(), Node::File(Vec::new()))),
    }
}

fn read(emulator: &mut dyn Emulator, task: TaskId, path: &str) -> Result<Vec<u8>, Errno> {
    match emulator.call(task, Call::ReadFile(path.to_owned()))? {
        Reply::Bytes(bytes) => Ok(bytes),
        _ => Err(Errno::EPROTO),
    }
}
