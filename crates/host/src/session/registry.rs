//! Where sessions are found: a private directory a user, in it one directory a session.
//!
//! ```text
//! $XDG_RUNTIME_DIR/hairpin/       or /tmp/hairpin-UID/, mode 0700
//!   lock                          held while the list is changed
//!   NAME/lock                     held by the session's process as long as it lives
//!   NAME/socket
//!   NAME/bin/                     the front ends, first on the PATH of the session's programs
//! ```

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, symlink};
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};
use nix::unistd::getuid;

/// Overrides the directory of all sessions.
const DIRECTORY_VARIABLE: &str = "HAIRPIN_RUNTIME_DIR";
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
        let base = base().map_err(|error| format!("no directory for sessions: {error}"))?;
        let _guard = lock(&base.join("lock")).map_err(|error| format!("{}: {error}", base.display()))?;
        let directory = base.join(name);
        if directory.exists() {
            if is_alive(&directory) {
                return Err(format!("a world called '{name}' is up already"));
            }
            fs::remove_dir_all(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
        }
        fill(name, &directory, programs).map_err(|error| {
            let _ = fs::remove_dir_all(&directory);
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
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Names of the sessions that live; what dead ones left behind is removed.
pub fn list() -> Vec<String> {
    let Ok(base) = base() else { return Vec::new() };
    let Ok(_guard) = lock(&base.join("lock")) else { return Vec::new() };
    let Ok(entries) = fs::read_dir(&base) else { return Vec::new() };
    let mut names = Vec::new();
    for entry in entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        if is_alive(&entry.path()) {
            names.push(entry.file_name().to_string_lossy().into_owned());
        } else {
            let _ = fs::remove_dir_all(entry.path());
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
    let directory = base().map_err(|error| error.to_string())?.join(name);
    if is_alive(&directory) {
        return Ok(directory.join("socket"));
    }
    let up = list();
    Err(match up.as_slice() {
        [] => format!("no world called '{name}' is up"),
        names => format!("no world called '{name}' is up; there are: {}", names.join(", ")),
    })
}

/// Whether a session of that name is there, or its directory still is.
pub fn exists(name: &str) -> bool {
    base().is_ok_and(|base| {
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
fn base() -> io::Result<PathBuf> {
    let path = match (std::env::var_os(DIRECTORY_VARIABLE), std::env::var_os("XDG_RUNTIME_DIR")) {
        (Some(path), _) if !path.is_empty() => PathBuf::from(path),
        (_, Some(path)) if owned(Path::new(&path)) => PathBuf::from(path).join("hairpin"),
        _ => PathBuf::from(format!("/tmp/hairpin-{}", getuid())),
    };
    match fs::DirBuilder::new().mode(0o700).create(&path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    if !owned(&path) {
        return Err(io::Error::other(format!("{} belongs to somebody else", path.display())));
    }
    Ok(path)
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
    Ok(Entry { name: name.to_owned(), directory: directory.to_owned(), _lock: lock })
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
