//! A view as plain files, where FUSE is not to be had: they follow the configuration, and what programs write
//! into them is carried over (inotify) before the next request is served.
//!
//! Whole directories that the kernel says are as they were are not read again: a namespace has a thousand files.
//!
//! Directories cannot be written to, as Linux's: who is no real root finds no way to make a file in them ([`super::mount`]).
//!
//! Weaker than FUSE in this: a write that the emulated kernel refuses has succeeded for the writer, so the refusal
//! goes to the session's standard error; a reading shows the state after the last request.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use hairpin_netlink::{Call, Errno, Reply};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};

use super::{BRANCHES, LINK, NETNS, PROC_NET};
use crate::session::{Emulator, TaskId};

/// Where new directories are made.
const FRESH: &str = "fresh";
/// Bounds a tree that refers to itself.
const DEPTH_MAX: usize = 12;
/// Modes of a directory that is changed, and of one that is not.
const OPEN: u32 = 0o755;
const SHUT: u32 = 0o555;

/// The files of one network namespace.
pub(crate) struct FilesView {
    root: PathBuf,
    task: TaskId,
    inotify: Inotify,
    /// Watched directories, relative to the root.
    watches: BTreeMap<WatchDescriptor, String>,
    /// What was there when it was last in step.
    known: Names,
}

/// The names in a directory.
type Names = BTreeMap<String, Node>;

/// What a name stands for.
enum Node {
    /// With the stamp of what was read.
    Directory(Names, Option<u64>),
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
        let mut view = FilesView { root, task, inotify, watches: BTreeMap::new(), known: Names::new() };
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
        let mut known = std::mem::take(&mut self.known);
        let (path, real) = (String::new(), String::new());
        let mut walk = Walk { view: self, emulator, path, real, fresh_from: None };
        for (branch, real) in BRANCHES {
            let before = known.remove(*branch);
            (*branch).clone_into(&mut walk.path);
            (*real).clone_into(&mut walk.real);
            // The covering needs a directory, whatever the kernel has.
            let node = walk.visit(before, 0);
            known.insert((*branch).to_owned(), node);
        }
        let names = super::netns_names(self.task, emulator).unwrap_or_default();
        let named = names.into_iter().map(|name| (name, Node::File(Vec::new()))).collect();
        self.follow_netns(known.remove(NETNS), &named);
        known.insert(NETNS.to_owned(), Node::Directory(named, None));
        self.known = known;
    }

    fn follow_netns(&mut self, before: Option<Node>, now: &Names) {
        let directory = self.root.join(NETNS);
        let before = match before {
            Some(Node::Directory(before, _)) => before,
            _ => {
                let _ = fs::create_dir(&directory);
                Names::new()
            }
        };
        for name in before.keys().filter(|name| !now.contains_key(*name)) {
            let _ = fs::remove_file(directory.join(name));
        }
        for name in now.keys().filter(|name| !before.contains_key(*name)) {
            let _ = fs::write(directory.join(name), "");
        }
    }

    /// The node of a path that is known.
    fn find(&mut self, path: &str) -> Option<&mut Node> {
        let (directories, name) = path.rsplit_once('/')?;
        let mut names = &mut self.known;
        for directory in directories.split('/') {
            match names.get_mut(directory)? {
                Node::Directory(below, _) => names = below,
                _ => return None,
            }
        }
        names.get_mut(name)
    }

    fn carry_over(&mut self, path: &str, emulator: &mut dyn Emulator) {
        let target = self.root.join(path);
        let Ok(data) = fs::read(&target) else { return };
        let known = self.find(path);
        if matches!(&known, Some(Node::File(known)) if *known == data) {
            return;
        }
        // What was appended (`echo 1 >>FILE`) is what was written: these files have no end to write behind.
        let written = match &known {
            Some(Node::File(known)) if !known.is_empty() => {
                data.strip_prefix(known.as_slice()).unwrap_or(&data)
            }
            _ => &data,
        };
        let is_known = known.is_some();
        let Some(real) = super::real_path(path) else { return };
        let result =
            emulator.call(self.task, Call::WriteFile { path: real.clone(), data: written.to_owned() });
        if let Err(error) = result {
            eprintln!("hairpin: {real}: {error}");
        }
        match read(emulator, self.task, &real) {
            // The kernel may store something else than was written. (Writing the same again would empty the file for
            // an instant in which somebody reads it.)
            Ok(content) => {
                if content != data {
                    let _ = fs::write(target, &content);
                }
                if let Some(node) = self.find(path) {
                    *node = Node::File(content);
                }
            }
            // A program made it; the kernel has no such file.
            Err(Errno::ENOENT) if !is_known => {
                changing(&self.root, &target, || drop(fs::remove_file(&target)));
            }
            Err(_) if !is_known => {}
            // What cannot be read is empty, or the next program would write behind what is carried over already.
            Err(_) => {
                let _ = fs::write(target, "");
                if let Some(node) = self.find(path) {
                    *node = Node::File(Vec::new());
                }
            }
        }
    }
}

/// Goes through the kernel's files and lets those of a view follow.
struct Walk<'a> {
    view: &'a mut FilesView,
    emulator: &'a mut dyn Emulator,
    /// Where it is, below the root and in the kernel.
    path: String,
    real: String,
    /// Within a new directory, whose path is so long: it is made elsewhere and appears whole.
    fresh_from: Option<usize>,
}

impl Walk<'_> {
    /// What is here now; `before` is what was. Files that cannot be read are there and empty.
    fn visit(&mut self, before: Option<Node>, depth: usize) -> Node {
        // Most of what was there still is: one question is enough.
        if let Some(Node::File(known)) = &before
            && let Ok(content) = read(self.emulator, self.view.task, &self.real)
        {
            if content != *known {
                let _ = fs::write(self.target(), &content);
            }
            return Node::File(content);
        }
        let task = self.view.task;
        let stamp = match &before {
            None | Some(Node::Directory(..)) => self.emulator.directory_stamp(task, &self.real),
            Some(Node::File(_) | Node::Link(_)) => None,
        };
        if let Some(Node::Directory(_, known)) = &before
            && stamp.is_some()
            && *known == stamp
            && let Some(unchanged) = before
        {
            return unchanged;
        }
        // Followed, links would lead through every way there is from device to device.
        if let Ok(Reply::Bytes(to)) = self.emulator.call(task, Call::ReadLink(self.real.clone())) {
            if !matches!(&before, Some(Node::Link(known)) if *known == to) {
                self.remove(before);
                self.change(|target| symlink(OsStr::from_bytes(&to), target));
            }
            return Node::Link(to);
        }
        let names = match self.emulator.call(task, Call::ListDirectory(self.real.clone())) {
            Ok(Reply::Names(names)) => Some(names),
            _ if depth == 0 => Some(Vec::new()),
            _ => None,
        };
        if let Some(names) = names {
            return Node::Directory(self.directory(before, names, depth), stamp);
        }
        let content = read(self.emulator, task, &self.real).unwrap_or_default();
        if !matches!(&before, Some(Node::File(known)) if *known == content) {
            if matches!(&before, Some(Node::File(_))) {
                let _ = fs::write(self.target(), &content);
            } else {
                self.remove(before);
                self.change(|target| fs::write(target, &content));
            }
        }
        Node::File(content)
    }

    fn directory(&mut self, before: Option<Node>, names: Vec<String>, depth: usize) -> Names {
        let mut before = match before {
            Some(Node::Directory(before, _)) => before,
            other => {
                self.remove(other);
                return self.fresh_directory(names, depth);
            }
        };
        let now = self.entries(&mut before, names, depth);
        let path_len = self.path.len();
        for (name, gone) in before {
            self.path.extend(["/", &name]);
            self.remove(Some(gone));
            self.path.truncate(path_len);
        }
        now
    }

    /// A directory that was not there. Its files are written before anybody looks at it or it is watched.
    fn fresh_directory(&mut self, names: Vec<String>, depth: usize) -> Names {
        let is_outermost = self.fresh_from.is_none();
        if is_outermost {
            self.fresh_from = Some(self.path.len());
        }
        let target = self.target();
        let _ = fs::create_dir(&target);
        let now = self.entries(&mut Names::new(), names, depth);
        if let Ok(watch) = self.view.inotify.add_watch(&target, AddWatchFlags::IN_CLOSE_WRITE) {
            self.view.watches.insert(watch, self.path.clone());
        }
        if is_outermost {
            self.fresh_from = None;
            self.change(|place| {
                fs::rename(&target, place).or_else(|_| {
                    // A program has made something of this name.
                    let _ = fs::remove_file(place).or_else(|_| remove_tree(place));
                    fs::rename(&target, place)
                })
            });
            // One that cannot be written to cannot be moved either.
            set_mode(&self.target(), SHUT);
        } else {
            set_mode(&target, SHUT);
        }
        now
    }

    /// What is in the directory; takes what was from `before`.
    fn entries(&mut self, before: &mut Names, names: Vec<String>, depth: usize) -> Names {
        let mut now = Names::new();
        let (path_len, real_len) = (self.path.len(), self.real.len());
        for name in names.into_iter().filter(|_| depth < DEPTH_MAX) {
            self.path.extend(["/", &name]);
            self.real.extend(["/", &name]);
            let known = before.remove(&name);
            now.insert(name, self.visit(known, depth + 1));
            self.path.truncate(path_len);
            self.real.truncate(real_len);
        }
        now
    }

    /// Removes what was here.
    fn remove(&mut self, before: Option<Node>) {
        match before {
            None => {}
            Some(Node::Directory(..)) => self.change(remove_tree),
            Some(Node::File(_) | Node::Link(_)) => self.change(|target| fs::remove_file(target)),
        }
    }

    /// Makes or removes what is here. What cannot be done is no worse than a file of before.
    fn change(&self, how: impl FnOnce(&Path) -> io::Result<()>) {
        let target = self.target();
        let _ = match self.fresh_from {
            None => changing(&self.view.root, &target, || how(&target)),
            Some(_) => how(&target),
        };
    }

    fn target(&self) -> PathBuf {
        match self.fresh_from.and_then(|length| self.path.get(length..)) {
            Some("") => self.view.root.join(FRESH),
            Some(below) => self.view.root.join(FRESH).join(below.trim_start_matches('/')),
            None => self.view.root.join(&self.path),
        }
    }
}

impl AsFd for FilesView {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}

/// Does something to a name in a directory that is shut; the root is not.
fn changing<T>(root: &Path, name: &Path, how: impl FnOnce() -> T) -> T {
    let parent = name.parent().filter(|parent| *parent != root);
    if let Some(parent) = parent {
        set_mode(parent, OPEN);
    }
    let done = how();
    if let Some(parent) = parent {
        set_mode(parent, SHUT);
    }
    done
}

fn set_mode(directory: &Path, mode: u32) {
    let _ = fs::set_permissions(directory, fs::Permissions::from_mode(mode));
}

/// Removes a directory with all that is in it, shut directories too.
pub(crate) fn remove_tree(directory: &Path) -> io::Result<()> {
    fs::remove_dir_all(directory).or_else(|_| {
        open_tree(directory);
        fs::remove_dir_all(directory)
    })
}

fn open_tree(directory: &Path) {
    set_mode(directory, OPEN);
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_tree(&entry.path());
        }
    }
}

fn read(emulator: &mut dyn Emulator, task: TaskId, path: &str) -> Result<Vec<u8>, Errno> {
    match emulator.call(task, Call::ReadFile(path.to_owned()))? {
        Reply::Bytes(bytes) => Ok(bytes),
        _ => Err(Errno::EPROTO),
    }
}
