//! Covers this machine's paths by a session's, in namespaces of the calling process's own.
#![allow(unsafe_code)]

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid, sethostname};

use super::{FS, LINK, NETNS, PROC_NET};

/// Where the covering goes wrong, in words.
pub(crate) type Complaints = Vec<String>;

/// Where programs look for each other when they name a path.
const PROGRAM_DIRECTORIES: &[&str] =
    &["/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"];
/// Programs with many names: covering them would cover other commands too.
const SHARED: &[&str] = &["busybox", "coreutils", "kmod", "toybox"];
/// Directories of `/var/lib` where DHCP's programs keep what they know.
pub(crate) const LEASES: &[&str] = &["dhcp", "misc"];
const NOTHING: Option<&str> = None;

/// What [`separate`] has made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Separation {
    /// A network namespace, where one was wanted.
    pub network: bool,
    /// A user namespace.
    pub user: bool,
}

/// Gives the process namespaces of its own: mounts and host name and, where `network` says so, an empty network; as an
/// ordinary user below a user namespace in which it is root.
///
/// # Errors
/// The machine does not allow it; for the user.
pub(crate) fn separate(host: &str, network: bool) -> Result<Separation, String> {
    let least = CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWUTS;
    let ways = [(true, false), (false, false), (true, true), (false, true)];
    let (user_id, group_id) = (geteuid(), getegid());
    let mut refused = nix::Error::EPERM;
    let made = ways.into_iter().filter(|(with_network, _)| network || !with_network).find(|way| {
        let kinds = match way {
            (true, false) => least | CloneFlags::CLONE_NEWNET,
            (false, false) => least,
            (true, true) => least | CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWUSER,
            (false, true) => least | CloneFlags::CLONE_NEWUSER,
        };
        unshare(kinds).map_err(|error| refused = error).is_ok()
    });
    let Some((network, user)) = made else { return Err(format!("no user namespaces here ({refused})")) };
    if user {
        let map = |file: &str, text: String| {
            fs::write(format!("/proc/self/{file}"), text).map_err(|error| format!("{file}: {error}"))
        };
        // Without this an ordinary user may not map a group.
        map("setgroups", "deny".to_owned())?;
        map("uid_map", format!("0 {user_id} 1"))?;
        map("gid_map", format!("0 {group_id} 1"))?;
    }
    let flags = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(NOTHING, "/", NOTHING, flags, NOTHING).map_err(|error| format!("private mounts: {error}"))?;
    // The name is for prompts only: a machine that refuses it is used all the same.
    let _ = sethostname(host);
    Ok(Separation { network, user })
}

/// Takes the settings of this machine's kernel out of reach: they can be read, and no longer be written. What is the
/// emulated kernel's is put over them afterwards.
pub(crate) fn seal_kernel(has_network: bool) {
    let attributes = MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    let seal = |place: &str| {
        bind_all(Path::new(place)).and_then(|()| {
            let flags = attributes | MsFlags::MS_REMOUNT | MsFlags::MS_BIND;
            mount(NOTHING, place, NOTHING, flags, NOTHING)
        })
    };
    // Whatever refuses this guards its settings itself.
    let _ = seal("/proc/sys");
    // One of the network namespace without devices: no way leads to this machine's.
    if !has_network || mount(Some("sysfs"), "/sys", Some("sysfs"), attributes, NOTHING).is_err() {
        let _ = seal("/sys");
    }
}

/// Takes from this process's programs the right to pass over a file's mode, which one is given as root of a user namespace:
/// in a view of plain files it would make files that no kernel has.
pub(crate) fn respect_modes() {
    const CAP_DAC_OVERRIDE: libc::c_ulong = 1;
    // SAFETY: the call takes a number and touches no memory.
    unsafe { libc::prctl(libc::PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0) };
}

/// `no`: plain files take the place of a FUSE file system, as on a machine that has none.
const FUSE_VARIABLE: &str = "HAIRPIN_FUSE";

/// Mounts a FUSE file system and returns its device, which somebody else has to serve from now on.
///
/// # Errors
/// `/dev/fuse` cannot be opened, or not be mounted from here, or is not wanted.
pub(crate) fn mount_fuse(target: &Path) -> io::Result<OwnedFd> {
    if std::env::var_os(FUSE_VARIABLE).is_some_and(|value| value == "no") {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let device = fs::File::options().read(true).write(true).open("/dev/fuse")?;
    let options = format!(
        "fd={},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions",
        device.as_raw_fd()
    );
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("hairpin"), target, Some("fuse"), flags, Some(options.as_str()))?;
    Ok(device.into())
}

/// Covers `/proc` and `/sys` by the view at `view`.
pub(crate) fn cover_kernel(view: &Path) -> Complaints {
    let mut complaints = Vec::new();
    let mut cover = |branch: &str, target: &str| {
        if Path::new(target).is_dir()
            && let Err(error) = bind(&view.join(branch), Path::new(target))
        {
            complaints.push(format!("{target} shows this machine's own: {error}"));
        }
    };
    cover("sys", "/proc/sys/net");
    cover("class", "/sys/class/net");
    cover("virtual", "/sys/devices/virtual/net");
    // What stands on the buses of this machine is not the emulated one's.
    cover("bus", "/sys/bus");
    cover(NETNS, NETNS_DIRECTORY);
    for name in entries(&view.join(FS)) {
        let (from, target) = (view.join(FS).join(&name), Path::new("/proc/sys/fs").join(&name));
        if target.exists()
            && let Err(error) = bind(&from, &target)
        {
            complaints.push(format!("{} shows this machine's own: {error}", target.display()));
        }
    }
    if let Err(error) = mount_link(&view.join(LINK), Path::new("/proc").join(PROC_NET).as_path()) {
        complaints.push(format!("/proc/net shows this machine's own: {error}"));
    }
    complaints
}

/// Where iproute2 keeps named network namespaces.
const NETNS_DIRECTORY: &str = "/run/netns";

/// Makes `place` a copy of `/run` that nothing is in yet, but with `netns`, if this machine has no such directory: one on
/// which `ip netns` was never used. [`cover_run`] fills it. What cannot be copied is left out; without `place` nothing is
/// covered.
pub(crate) fn prepare_run(place: &Path) {
    let has_netns = Path::new(NETNS_DIRECTORY).symlink_metadata().is_ok();
    let Some(entries) = fs::read_dir("/run").ok().filter(|_| !has_netns) else { return };
    if fs::create_dir_all(place.join("netns")).is_err() {
        return;
    }
    for entry in entries.flatten() {
        let (from, own) = (entry.path(), place.join(entry.file_name()));
        let _ = match entry.file_type() {
            Ok(kind) if kind.is_symlink() => {
                fs::read_link(from).and_then(|to| std::os::unix::fs::symlink(to, own))
            }
            Ok(kind) if kind.is_dir() => fs::create_dir(own),
            Ok(_) => fs::write(own, ""),
            Err(error) => Err(error),
        };
    }
}

/// Gives `/run` a directory `netns` to be covered, where it has none: `own`, in which everything else of `/run` has its place.
pub(crate) fn cover_run(own: &Path) -> Complaints {
    if Path::new(NETNS_DIRECTORY).symlink_metadata().is_ok() || !own.is_dir() {
        return Complaints::new();
    }
    match fill_run(own).and_then(|tree| move_tree(&tree, Path::new("/run"))) {
        Ok(()) => Complaints::new(),
        Err(error) => vec![format!("there is no {NETNS_DIRECTORY}: {error}")],
    }
}

/// A copy of the tree at `own` with what is in `/run`, which nothing leads to yet.
fn fill_run(own: &Path) -> io::Result<OwnedFd> {
    // All are taken before the first is put in its place: `own` may be in one of them.
    let trees: Vec<(PathBuf, OwnedFd)> = entries(own)
        .iter()
        .filter_map(|name| {
            let (from, place) = (Path::new("/run").join(name), own.join(name));
            // What cannot be shown is as if it were not there.
            let wanted = from.exists() && !place.is_symlink();
            wanted
                .then(|| clone_tree(&from, libc::AT_RECURSIVE as u32).ok())
                .flatten()
                .map(|tree| (place, tree))
        })
        .collect();
    let filled: Vec<PathBuf> = trees
        .into_iter()
        .filter(|(place, tree)| move_tree(tree, place).is_ok())
        .map(|(place, _)| place)
        .collect();
    let tree = clone_tree(own, libc::AT_RECURSIVE as u32);
    // Who clears away the session's directory must not come to the machine's own files by it.
    for place in filled {
        umount2(&place, MntFlags::MNT_DETACH)?;
    }
    tree
}

/// Covers files of `/etc` by the host's own in `host` (a directory that looks like `/`), then by those of
/// `/etc/netns/NETNS`, as `ip netns exec` does.
pub(crate) fn cover_etc(host: &Path, netns: Option<&str>) -> Complaints {
    let mut complaints = Vec::new();
    let own = host.join("etc");
    let names = entries(&own);
    if names.iter().any(|name| !Path::new("/etc").join(name).exists()) {
        // Something is to appear that is not there: a read-only layer gives it a place.
        let options = format!("lowerdir={}:/etc", host.join("places").display());
        if let Err(error) =
            mount(Some("overlay"), "/etc", Some("overlay"), MsFlags::MS_RDONLY, Some(options.as_str()))
        {
            complaints.push(format!("/etc: {error}"));
        }
    }
    let namespaced = netns.map(|netns| own.join("netns").join(netns));
    for directory in [Some(own), namespaced].into_iter().flatten() {
        for name in entries(&directory) {
            let target = Path::new("/etc").join(&name);
            if target.exists()
                && let Err(error) = bind(&directory.join(&name), &target)
            {
                complaints.push(format!("{}: {error}", target.display()));
            }
        }
    }
    // Leases of DHCP are the host's own.
    for name in LEASES {
        let (from, target) = (host.join("lib").join(name), Path::new("/var/lib").join(name));
        if target.is_dir() {
            // Without it programs share the machine's.
            let _ = bind(&from, &target);
        }
    }
    complaints
}

/// Puts this program in the place of the machine's network commands, for those who name their path.
pub(crate) fn cover_programs(own: &Path, targets: &[PathBuf]) {
    for target in targets {
        // A path that cannot be covered reaches the machine's own command, as it does without a view.
        let _ = bind(own, target);
    }
}

/// The machine's files that stand for one of the `names`, to be covered.
pub(crate) fn programs(names: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for directory in PROGRAM_DIRECTORIES {
        for name in names {
            let Ok(path) = Path::new(directory).join(name).canonicalize() else { continue };
            let shared = path.file_name().is_none_or(|name| SHARED.iter().any(|shared| name == *shared));
            if !shared && !found.contains(&path) {
                found.push(path);
            }
        }
    }
    found
}

fn entries(directory: &Path) -> Vec<std::ffi::OsString> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    entries.flatten().map(|entry| entry.file_name()).collect()
}

fn bind(from: &Path, to: &Path) -> nix::Result<()> {
    mount(Some(from), to, NOTHING, MsFlags::MS_BIND, NOTHING)
}

/// Makes a mount of a directory, with what is mounted below it.
fn bind_all(directory: &Path) -> nix::Result<()> {
    mount(Some(directory), directory, NOTHING, MsFlags::MS_BIND | MsFlags::MS_REC, NOTHING)
}

/// Mounts the symbolic link `from` on the symbolic link `to`. `mount(2)` would follow both.
fn mount_link(from: &Path, to: &Path) -> io::Result<()> {
    move_tree(&clone_tree(from, libc::AT_SYMLINK_NOFOLLOW as u32)?, to)
}

/// A copy of the mount at `from`, which nothing leads to yet; `flags` are those of `open_tree(2)` beside.
fn clone_tree(from: &Path, flags: u32) -> io::Result<OwnedFd> {
    let from = CString::new(from.as_os_str().as_bytes()).map_err(io::Error::other)?;
    let flags = libc::OPEN_TREE_CLONE | libc::OPEN_TREE_CLOEXEC | flags;
    // SAFETY: the path is a C string that lives through the call; the descriptor returned is new and ours.
    unsafe {
        let number = libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, from.as_ptr(), flags);
        if number < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(OwnedFd::from_raw_fd(number as i32))
    }
}

/// Puts what [`clone_tree`] gave at `to`, which may be a symbolic link.
fn move_tree(tree: &OwnedFd, to: &Path) -> io::Result<()> {
    let to = CString::new(to.as_os_str().as_bytes()).map_err(io::Error::other)?;
    // SAFETY: both paths are C strings that live through the call, and `tree` is an open descriptor.
    let result = unsafe {
        libc::syscall(
            libc::SYS_move_mount,
            tree.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_FDCWD,
            to.as_ptr(),
            libc::MOVE_MOUNT_F_EMPTY_PATH,
        )
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
