//! Named network namespaces: files in `/run/netns` on which namespaces are mounted, as iproute2 keeps them.

use std::fs::{File, OpenOptions};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use hairpin_netlink::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, setns, unshare};

use super::{errno, from_nix};

const RUN_DIRECTORY: &str = "/run/netns";
const ETC_DIRECTORY: &str = "/etc/netns";
/// The calling thread's namespace, whichever thread it is.
const OWN: &str = "/proc/thread-self/ns/net";
const NOTHING: Option<&str> = None;

/// `ip netns add` (ip/ipnetns.c:netns_add).
pub(super) fn add(name: &str) -> Result<(), Errno> {
    create(name, mount_new)
}

/// `ip netns attach`.
pub(super) fn attach(name: &str, pid: u32) -> Result<(), Errno> {
    create(name, |path| {
        let namespace = format!("/proc/{pid}/ns/net");
        mount(Some(namespace.as_str()), path, Some("none"), MsFlags::MS_BIND, NOTHING).map_err(from_nix)
    })
}

/// Makes the file for a name and mounts a namespace on it.
fn create(name: &str, mount: impl FnOnce(&Path) -> Result<(), Errno>) -> Result<(), Errno> {
    let path = path_of(name)?;
    let made = std::fs::DirBuilder::new().mode(0o755).create(RUN_DIRECTORY);
    if let Err(error) = made
        && error.kind() != std::io::ErrorKind::AlreadyExists
    {
        return Err(errno(error));
    }
    make_shared()?;
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o0).open(&path).map_err(errno)?;
    let result = mount(&path);
    if result.is_err() {
        let _ = std::fs::remove_file(&path);
    }
    result
}

/// `ip netns delete`.
pub(super) fn delete(name: &str) -> Result<(), Errno> {
    let path = path_of(name)?;
    // A file without a mount on it is removed all the same.
    let _ = umount2(&path, MntFlags::MNT_DETACH);
    std::fs::remove_file(&path).map_err(errno)
}

/// Names in the directory's own order; none where the directory is missing.
pub(super) fn list() -> Result<Vec<String>, Errno> {
    let entries = match std::fs::read_dir(RUN_DIRECTORY) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(errno)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry.map_err(errno)?.file_name().to_string_lossy().into_owned());
    }
    Ok(names)
}

/// Moves the calling thread into a namespace and gives it a mount namespace in which `/sys` and the files of
/// `/etc/netns/NAME` are that namespace's (lib/namespace.c:netns_switch).
pub(super) fn enter(name: &str) -> Result<(), Errno> {
    let namespace = File::open(path_of(name)?).map_err(errno)?;
    setns(&namespace, CloneFlags::CLONE_NEWNET).map_err(from_nix)?;
    unshare(CloneFlags::CLONE_NEWNS).map_err(from_nix)?;
    mount(Some("none"), "/", NOTHING, MsFlags::MS_SLAVE | MsFlags::MS_REC, NOTHING).map_err(from_nix)?;
    let mut flags = MsFlags::empty();
    if umount2("/sys", MntFlags::MNT_DETACH).is_err()
        && nix::sys::statvfs::statvfs("/sys")
            .is_ok_and(|sys| sys.flags().contains(nix::sys::statvfs::FsFlags::ST_RDONLY))
    {
        flags = MsFlags::MS_RDONLY;
    }
    mount(Some(name), "/sys", Some("sysfs"), flags, NOTHING).map_err(from_nix)?;
    bind_etc(name);
    Ok(())
}

/// The file on which a named namespace is mounted.
pub(super) fn file(name: &str) -> Result<File, Errno> {
    File::open(path_of(name)?).map_err(errno)
}

/// A directory on which the `/sys` of the calling thread's network namespace is mounted: it is mounted at its first use.
pub(super) fn sys_of_thread() -> Result<String, Errno> {
    let (_, inode) = identity(Path::new(OWN))?;
    let directory = format!("/run/sys-of-netns-{inode}");
    match std::fs::DirBuilder::new().mode(0o755).create(&directory) {
        Ok(()) => mount(Some("sysfs"), Path::new(&directory), Some("sysfs"), MsFlags::empty(), NOTHING)
            .map_err(from_nix)?,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(errno(error)),
    }
    Ok(directory)
}

/// Opens a name, or a path where `name` has a slash (lib/namespace.c:netns_get_fd).
pub(super) fn open(name: &str) -> Result<OwnedFd, Errno> {
    let path = if name.contains('/') { PathBuf::from(name) } else { path_of(name)? };
    File::open(path).map(OwnedFd::from).map_err(errno)
}

/// The names under which a process's namespace is mounted, the caller's for `None`.
pub(super) fn identify(pid: Option<u32>) -> Result<Vec<String>, Errno> {
    let path = pid.map_or_else(|| OWN.to_owned(), |pid| format!("/proc/{pid}/ns/net"));
    let wanted = identity(Path::new(&path))?;
    let same = |name: &String| identity(&Path::new(RUN_DIRECTORY).join(name)) == Ok(wanted);
    Ok(list()?.into_iter().filter(same).collect())
}

/// The processes in a named namespace. Those that end meanwhile are left out.
pub(super) fn processes(name: &str) -> Result<Vec<String>, Errno> {
    let wanted = identity(&path_of(name)?)?;
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").map_err(errno)? {
        let entry = entry.map_err(errno)?;
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        if identity(&entry.path().join("ns/net")) == Ok(wanted) {
            found.push(pid);
        }
    }
    found.sort_unstable();
    Ok(found.iter().map(u32::to_string).collect())
}

/// What tells a namespace from others: device and inode of its file.
fn identity(path: &Path) -> Result<(u64, u64), Errno> {
    let file = std::fs::metadata(path).map_err(errno)?;
    Ok((file.dev(), file.ino()))
}

pub(super) fn open_self() -> Result<OwnedFd, Errno> {
    File::open(OWN).map(OwnedFd::from).map_err(errno)
}

/// Mounts of the directory must reach every mount namespace, or a name deleted in one stays busy in others.
fn make_shared() -> Result<(), Errno> {
    let shared =
        || mount(Some(""), RUN_DIRECTORY, Some("none"), MsFlags::MS_SHARED | MsFlags::MS_REC, NOTHING);
    match shared() {
        // It is no mount point yet.
        Err(nix::Error::EINVAL) => {
            let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
            mount(Some(RUN_DIRECTORY), RUN_DIRECTORY, Some("none"), flags, NOTHING).map_err(from_nix)?;
            shared().map_err(from_nix)
        }
        other => other.map_err(from_nix),
    }
}

/// A new namespace mounted on `path`; the calling thread comes back to its own.
fn mount_new(path: &Path) -> Result<(), Errno> {
    let before = open_self()?;
    unshare(CloneFlags::CLONE_NEWNET).map_err(from_nix)?;
    let mounted = mount(Some(OWN), path, Some("none"), MsFlags::MS_BIND, NOTHING).map_err(from_nix);
    setns(&before, CloneFlags::CLONE_NEWNET).map_err(from_nix)?;
    mounted
}

/// Failures are only told: the command runs with the common file then.
fn bind_etc(name: &str) {
    let Ok(entries) = std::fs::read_dir(Path::new(ETC_DIRECTORY).join(name)) else { return };
    for entry in entries.flatten() {
        let target = Path::new("/etc").join(entry.file_name());
        if let Err(error) = mount(Some(&entry.path()), &target, Some("none"), MsFlags::MS_BIND, NOTHING) {
            let (from, to) = (entry.path(), target);
            eprintln!("Bind {} -> {} failed: {}", from.display(), to.display(), from_nix(error));
        }
    }
}

/// `..` and slashes would leave the directory; front ends refuse them first.
fn path_of(name: &str) -> Result<PathBuf, Errno> {
    if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']) {
        return Err(Errno::EINVAL);
    }
    Ok(Path::new(RUN_DIRECTORY).join(name))
}
