//! A view as plain files, where FUSE is not to be had: they follow the configuration, and what programs write
//! into them is carried over (inotify) before the next request is served.
//!
//! Weaker than FUSE in this: a write that the emulated kernel refuses has succeeded for the writer, so the refusal
//! goes to the session's standard error; a reading shows the state after the last request.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
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
    /// What every file held when it was last in step; `None` for a directory.
    known: BTreeMap<String, Option<Vec<u8>>>,
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
            std::os::unix::fs::symlink(root.join(PROC_NET), &link)?;
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
        present.insert(NETNS.to_owned(), None);
        for name in super::netns_names(self.task, emulator).unwrap_or_default() {
            present.insert(format!("{NETNS}/{name}"), Some(Vec::new()));
        }
        // Deepest first.
        for path in self.known.keys().rev().filter(|path| !present.contains_key(*path)) {
            let path = self.root.join(path);
            let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir(&path));
        }
        for (path, content) in &present {
            if self.known.get(path) == Some(content) {
                continue;
            }
            let target = self.root.join(path);
            match content {
                Some(content) => drop(fs::write(target, content)),
                None => {
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
        if self.known.get(path).is_some_and(|known| known.as_deref() == Some(&data)) {
            return;
        }
        let Some(real) = super::real_path(path) else { return };
        let result = emulator.call(self.task, Call::WriteFile { path: real.clone(), data });
        if let Err(error) = result {
            eprintln!("hairpin: {real}: {error}");
        }
        // The kernel may store something else than was written.
        if let Ok(content) = read(emulator, self.task, &real) {
            let _ = fs::write(self.root.join(path), &content);
            self.known.insert(path.to_owned(), Some(content));
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
    found: &mut BTreeMap<String, Option<Vec<u8>>>,
) {
    if let Ok(Reply::Names(names)) = emulator.call(task, Call::ListDirectory(real.to_owned())) {
        found.insert(path.to_owned(), None);
        for name in names.iter().filter(|_| depth < DEPTH_MAX) {
            collect(emulator, task, &format!("{path}/{name}"), &format!("{real}/{name}"), depth + 1, found);
        }
        return;
    }
    if depth == 0 {
        // The covering needs a directory.
        found.insert(path.to_owned(), None);
        return;
    }
    match read(emulator, task, real) {
        Ok(content) => drop(found.insert(path.to_owned(), Some(content))),
        Err(Errno::ENOENT | Errno::ENODEV) => {}
        Err(_) => drop(found.insert(path.to_owned(), Some(Vec::new()))),
    }
}

fn read(emulator: &mut dyn Emulator, task: TaskId, path: &str) -> Result<Vec<u8>, Errno> {
    match emulator.call(task, Call::ReadFile(path.to_owned()))? {
        Reply::Bytes(bytes) => Ok(bytes),
        _ => Err(Errno::EPROTO),
    }
}
