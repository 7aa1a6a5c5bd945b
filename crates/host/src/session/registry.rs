//! Where sessions are found: a private directory a user, in it one directory a session.
//!
//! ```text
//! $XDG_RUNTIME_DIR/hairpin/       or /tmp/hairpin-UID/, mode 0700
//!   lock                          held while the list is changed
//!   NAME/lock                     held by the session's process as long as it lives
//!   NAME/socket
//!   NAME/bin/                     the front ends, first on the PATH of the session's programs
//!   NAME/views                    views that are plain files; a link into memory where that is not on a disk
//! ```

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, symlink};
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};
use nix::sys::statfs::{TMPFS_MAGIC, statfs};
use nix::unistd::getuid;

use crate::view::files::remove_tree;

/// Overrides the directory of all sessions.
const DIRECTORY_VARIABLE: &str = "HAIRPIN_RUNTIME_DIR";
/// Where a session keeps views that are plain files: thousands of them, so rather in memory than on a disk.
pub(super) const VIEWS: &str = "views";
const MEMORY: &str = "/dev/shm";
/// `sun_path` holds 108 bytes with the final zero.
const SOCKET_PATH_MAX: usize = 107;

/// A session's directory, owned by the process that serves it.
#[derive(Debug)]
pub struct Entry {
    pub name: String,
    pub directory: PathBuf,
    _lock: Flock<File>,
}

impl Entry {
    /// Makes a session's directory with links for the `programs`.
    ///
    /// # Errors
    /// In words: a bad name, a session of that name that lives, no directory to be had.
    pub fn create(name: &str, programs: &[&str]) -> Result<Entry, String> {
        check_name(name)?;
        let (base, _guard) = locked_base()?;
        let directory = base.join(name);
        if directory.exists() {
            if is_alive(&directory) {
                return Err(format!("a world called '{name}' is up already"));
            }
            remove(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
        }
        fill(name, &directory, programs).map_err(|error| {
            let _ = remove(&directory);
            format!("{}: {error}", directory.display())
        })
    }

    /// A name that no session has: `stem`, or `stem-2`, …
    ///
    /// # Errors
    /// As [`Entry::create`].
    pub fn create_numbered(stem: &str, programs: &[&str]) -> Result<Entry, String> {
        let first = Entry::create(stem, programs);
        if !matches!(&first, Err(error) if error.contains("is up already")) {
            return first;
        }
        Entry::create(&format!("{stem}-{}", std::process::id()), programs)
    }

    pub fn socket(&self) -> PathBuf {
        self.directory.join("socket")
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let _ = remove(&self.directory);
        let made_by_us = std::env::var_os(DIRECTORY_VARIABLE).is_none_or(|path| path.is_empty());
        if let (true, Some(base)) = (made_by_us, self.directory.parent()) {
            tidy(base);
        }
    }
}

/// Removes the directory of all sessions behind the last one, unless somebody is about to make one.
fn tidy(base: &Path) {
    let path = base.join("lock");
    let Ok(file) = File::open(&path) else { return };
    let Ok(_guard) = Flock::lock(file, FlockArg::LockExclusiveNonblock) else { return };
    let Ok(mut entries) = fs::read_dir(base) else { return };
    if entries.all(|entry| entry.is_ok_and(|entry| entry.path() == path)) && fs::remove_file(&path).is_ok() {
        let _ = fs::remove_dir(base);
    }
}

/// Names of the sessions that live; what dead ones left behind is removed.
pub fn list() -> Vec<String> {
    if !is_there() {
        return Vec::new();
    }
    let Ok((base, _guard)) = locked_base() else { return Vec::new() };
    let Ok(entries) = fs::read_dir(&base) else { return Vec::new() };
    let mut names = Vec::new();
    for entry in entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        if is_alive(&entry.path()) {
            names.push(entry.file_name().to_string_lossy().into_owned());
        } else {
            let _ = remove(&entry.path());
        }
    }
    names.sort();
    names
}

/// The socket of the session called `name`.
///
/// # Errors
/// No such session, in words.
pub fn socket_of(name: &str) -> Result<PathBuf, String> {
    check_name(name)?;
    if is_there() {
        let directory = base()?.join(name);
        if is_alive(&directory) {
            return Ok(directory.join("socket"));
        }
    }
    let up = list();
    Err(match up.as_slice() {
        [] => format!("no world called '{name}' is up"),
        names => format!("no world called '{name}' is up; there are: {}", names.join(", ")),
    })
}

/// Whether a session of that name is there, or its directory still is.
pub fn exists(name: &str) -> bool {
    is_there()
        && base().is_ok_and(|base| {
            let directory = base.join(name);
            directory.exists() && (is_alive(&directory) || !directory.join("lock").exists())
        })
}

/// A file name that needs no quoting anywhere.
fn check_name(name: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
    if name.is_empty() || name == "lock" || name.starts_with(['.', '-']) || !name.chars().all(plain) {
        return Err(format!("'{name}' is no name for a world: letters, digits and . _ + - only"));
    }
    Ok(())
}

/// The directory of all sessions; made where it is missing. Nobody else may write to it.
///
/// # Errors
/// It cannot be made, or belongs to somebody else; for the user.
fn base() -> Result<PathBuf, String> {
    let path = base_path(|name| std::env::var_os(name));
    match fs::DirBuilder::new().mode(0o700).create(&path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(format!("no directory for sessions: {}: {error}", path.display()));
        }
        _ => {}
    }
    if !owned(&path) {
        return Err(format!("no directory for sessions: {} belongs to somebody else", path.display()));
    }
    Ok(path)
}

/// Whether there is something where the directory of all sessions would be.
fn is_there() -> bool {
    fs::symlink_metadata(base_path(|name| std::env::var_os(name))).is_ok()
}

/// The directory of all sessions, whose list nobody else changes as long as the lock is held.
///
/// # Errors
/// As [`base`].
fn locked_base() -> Result<(PathBuf, Flock<File>), String> {
    loop {
        let base = base()?;
        let path = base.join("lock");
        match lock(&path) {
            Ok(guard) if is_same(&guard, &path) => return Ok((base, guard)),
            // The last session has ended meanwhile and the directory is gone: a new one.
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(format!("{}: {error}", base.display())),
        }
    }
}

fn is_same(file: &File, path: &Path) -> bool {
    let (Ok(open), Ok(found)) = (file.metadata(), fs::metadata(path)) else { return false };
    (open.dev(), open.ino()) == (found.dev(), found.ino())
}

/// Where it is for whom these are the environment's variables.
fn base_path(variable: impl Fn(&str) -> Option<OsString>) -> PathBuf {
    match (variable(DIRECTORY_VARIABLE), variable("XDG_RUNTIME_DIR")) {
        (Some(path), _) if !path.is_empty() => PathBuf::from(path),
        (_, Some(path)) if owned(Path::new(&path)) => PathBuf::from(path).join("hairpin"),
        _ => PathBuf::from(format!("/tmp/hairpin-{}", getuid())),
    }
}

/// Whether that is `directory`.
pub(super) fn is_base(directory: Option<&Path>, variable: impl Fn(&str) -> Option<OsString>) -> bool {
    directory == Some(&base_path(variable))
}

/// A directory (no link to one) of this user's.
fn owned(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_dir() && found.uid() == getuid().as_raw())
}

fn fill(name: &str, directory: &Path, programs: &[&str]) -> io::Result<Entry> {
    let socket = directory.join("socket");
    if socket.as_os_str().len() > SOCKET_PATH_MAX {
        return Err(io::Error::other("the path is too long for a socket"));
    }
    fs::DirBuilder::new().mode(0o700).create(directory)?;
    let lock = lock(&directory.join("lock"))?;
    let bin = directory.join("bin");
    fs::create_dir(&bin)?;
    let own = std::env::current_exe()?;
    for program in programs {
        symlink(&own, bin.join(program))?;
    }
    make_views(&directory.join(VIEWS))?;
    Ok(Entry { name: name.to_owned(), directory: directory.to_owned(), _lock: lock })
}

/// Makes the directory for views.
fn make_views(views: &Path) -> io::Result<()> {
    let in_memory = |path: &Path| statfs(path).is_ok_and(|found| found.filesystem_type() == TMPFS_MAGIC);
    let directory = views.parent().unwrap_or(views);
    if !in_memory(directory) && in_memory(Path::new(MEMORY)) {
        // The name is a new one, so nobody else's directory is taken for ours.
        let place = Path::new(MEMORY).join(format!("hairpin-{}-{}", getuid(), std::process::id()));
        if fs::DirBuilder::new().mode(0o700).create(&place).is_ok() {
            return symlink(place, views);
        }
    }
    fs::create_dir(views)
}

/// Removes a session's directory, and its views where those are elsewhere.
fn remove(directory: &Path) -> io::Result<()> {
    if let Ok(views) = fs::read_link(directory.join(VIEWS))
        && views.parent() == Some(Path::new(MEMORY))
        && owned(&views)
    {
        let _ = remove_tree(&views);
    }
    remove_tree(directory)
}

fn is_alive(directory: &Path) -> bool {
    let Ok(file) = File::open(directory.join("lock")) else { return false };
    Flock::lock(file, FlockArg::LockExclusiveNonblock).is_err()
}

fn lock(path: &Path) -> io::Result<Flock<File>> {
    let file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
    Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, error)| error.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        for good in ["office", "two-nodes", "a.b_c+1"] {
            assert_eq!(check_name(good), Ok(()));
        }
        for bad in ["", "lock", ".x", "-x", "a/b", "a b", "ä"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
