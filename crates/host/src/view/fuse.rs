//! A view as a FUSE file system: the server answers the kernel's requests itself (`linux/fuse.h`, protocol 7.31).
//!
//! Every reading is computed and every write is one call to the emulated kernel, so junk gets `EINVAL` as on
//! Linux. The protocol is spoken here rather than through a library, because requests must be served by the one
//! loop that owns the emulator; a library's own thread would have to hand them over.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use hairpin_netlink::{Call, Errno, Reply};
use nix::fcntl::{FcntlArg, OFlag, fcntl};

use super::{BRANCHES, LINK, real_path};
use crate::session::{Emulator, TaskId};

const ROOT: u64 = 1;
const MAX_WRITE: u32 = 64 * 1024;
/// The kernel wants room for the largest write and its headers.
const READ_SIZE: usize = MAX_WRITE as usize + 4096;
/// Inodes that the kernel has not forgotten; more are refused.
const INODES_MAX: usize = 100_000;

const LOOKUP: u32 = 1;
const FORGET: u32 = 2;
const GETATTR: u32 = 3;
const SETATTR: u32 = 4;
const READLINK: u32 = 5;
const MKNOD: u32 = 8;
const MKDIR: u32 = 9;
const UNLINK: u32 = 10;
const RMDIR: u32 = 11;
const OPEN: u32 = 14;
const READ: u32 = 15;
const WRITE: u32 = 16;
const STATFS: u32 = 17;
const RELEASE: u32 = 18;
const FSYNC: u32 = 20;
const FLUSH: u32 = 25;
const INIT: u32 = 26;
const OPENDIR: u32 = 27;
const READDIR: u32 = 28;
const RELEASEDIR: u32 = 29;
const CREATE: u32 = 35;
const INTERRUPT: u32 = 36;
const DESTROY: u32 = 38;
const BATCH_FORGET: u32 = 42;

const FUSE_ATOMIC_O_TRUNC: u32 = 1 << 3;
const FUSE_BIG_WRITES: u32 = 1 << 5;
const FOPEN_DIRECT_IO: u32 = 1;
/// Mode, owner and group in `fuse_setattr_in.valid`.
const FATTR_OWNERSHIP: u32 = 0b111;

/// One mounted view of one network namespace.
pub(crate) struct FuseView {
    device: File,
    task: TaskId,
    /// Where the file system is mounted, for the symbolic link in it.
    mount_point: String,
    inodes: BTreeMap<u64, Inode>,
    next_inode: u64,
    handles: BTreeMap<u64, Handle>,
    next_handle: u64,
    gone: bool,
    /// For requests; kept, because it is large.
    buffer: Vec<u8>,
}

struct Inode {
    /// Below the root: `class/eth0/address`; the root's is empty.
    path: String,
    kind: Kind,
    /// How often the kernel was told of it.
    lookups: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Directory,
    File,
    Link,
}

#[derive(Default)]
struct Handle {
    /// What the file or directory held when it was read from its start.
    content: Option<Vec<u8>>,
}

/// A request without its header.
struct Request<'a> {
    opcode: u32,
    unique: u64,
    node: u64,
    body: &'a [u8],
}

type Answer = Result<Vec<u8>, Errno>;

impl FuseView {
    /// Serves the file system behind `device` with the eyes of `task`.
    ///
    /// # Errors
    /// The descriptor cannot be made non-blocking.
    pub fn new(device: OwnedFd, task: TaskId, mount_point: String) -> io::Result<Self> {
        fcntl(&device, FcntlArg::F_SETFL(OFlag::O_RDWR | OFlag::O_NONBLOCK))?;
        let root = Inode { path: String::new(), kind: Kind::Directory, lookups: 1 };
        Ok(FuseView {
            device: File::from(device),
            task,
            mount_point,
            inodes: BTreeMap::from([(ROOT, root)]),
            next_inode: ROOT,
            handles: BTreeMap::new(),
            next_handle: 0,
            gone: false,
            buffer: Vec::new(),
        })
    }

    pub fn task(&self) -> TaskId {
        self.task
    }

    /// Whether the last process that could see it has ended.
    pub fn is_gone(&self) -> bool {
        self.gone
    }

    /// Answers every request that is there.
    pub fn serve(&mut self, emulator: &mut dyn Emulator) {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.resize(READ_SIZE, 0);
        self.serve_with(&mut buffer, emulator);
        self.buffer = buffer;
    }

    fn serve_with(&mut self, buffer: &mut [u8], emulator: &mut dyn Emulator) {
        while !self.gone {
            let length = match self.device.read(buffer) {
                Ok(length) => length,
                Err(error) => match error.raw_os_error() {
                    Some(libc::EAGAIN) => return,
                    // Interrupted, or the request was taken back.
                    Some(libc::EINTR | libc::ENOENT) => continue,
                    _ => {
                        self.gone = true;
                        return;
                    }
                },
            };
            let Some(request) = buffer.get(..length).and_then(parse) else { continue };
            if let Some(answer) = self.handle(&request, emulator) {
                let (error, body) = match answer {
                    Ok(body) => (0, body),
                    Err(errno) => (errno.0.wrapping_neg(), Vec::new()),
                };
                let mut bytes = ((16 + body.len()) as u32).to_ne_bytes().to_vec();
                bytes.extend(error.to_ne_bytes());
                bytes.extend(request.unique.to_ne_bytes());
                bytes.extend(body);
                // An answer to a request that was interrupted is refused: nothing is lost.
                let _ = self.device.write(&bytes);
            }
        }
    }

    /// `None` for what has no answer.
    fn handle(&mut self, request: &Request<'_>, emulator: &mut dyn Emulator) -> Option<Answer> {
        let body = request.body;
        Some(match request.opcode {
            FORGET => {
                self.forget(request.node, u64_at(body, 0).unwrap_or(1));
                return None;
            }
            BATCH_FORGET => {
                for entry in body.get(8..).unwrap_or(&[]).chunks_exact(16) {
                    self.forget(u64_at(entry, 0)?, u64_at(entry, 8)?);
                }
                return None;
            }
            INTERRUPT => return None,
            INIT => Ok(init_answer(u32_at(body, 8).unwrap_or(0))),
            DESTROY => {
                self.gone = true;
                Ok(Vec::new())
            }
            LOOKUP => self.lookup(request.node, body, emulator),
            GETATTR => self.inode(request.node).map(|inode| {
                let mut answer = vec![0; 16];
                answer.extend(attributes(request.node, inode.kind, self.permissions(inode, emulator)));
                answer
            }),
            SETATTR if u32_at(body, 0).unwrap_or(0) & FATTR_OWNERSHIP != 0 => Err(Errno::EPERM),
            SETATTR => self.inode(request.node).map(|inode| {
                // Truncation, which the next write makes true.
                let mut answer = vec![0; 16];
                answer.extend(attributes(request.node, inode.kind, self.permissions(inode, emulator)));
                answer
            }),
            READLINK => self.read_link(request.node, emulator),
            OPEN | OPENDIR => self.open(request.node, body, emulator),
            READ => self.read(request.node, body, emulator),
            READDIR => self.read_directory(request.node, body, emulator),
            WRITE => self.write(request.node, body, emulator),
            RELEASE | RELEASEDIR => {
                if let Some(handle) = u64_at(body, 0) {
                    self.handles.remove(&handle);
                }
                Ok(Vec::new())
            }
            FLUSH | FSYNC => Ok(Vec::new()),
            STATFS => {
                let mut answer = vec![0; 80];
                answer[40..44].copy_from_slice(&4096u32.to_ne_bytes());
                answer[44..48].copy_from_slice(&255u32.to_ne_bytes());
                answer[48..52].copy_from_slice(&4096u32.to_ne_bytes());
                Ok(answer)
            }
            // Files of /proc and /sys are made by the kernel only, which says so in sysfs; in procfs a name that is not
            // there is not looked for any further (`proc_sys_lookup`).
            CREATE | MKNOD => {
                let parent = self.inodes.get(&request.node).and_then(|inode| real_path(&inode.path));
                Err(if parent.is_some_and(|path| path.starts_with("/proc")) {
                    Errno::ENOENT
                } else {
                    Errno::EACCES
                })
            }
            MKDIR | UNLINK | RMDIR => Err(Errno::EPERM),
            _ => Err(Errno(libc::ENOSYS)),
        })
    }

    fn lookup(&mut self, parent: u64, body: &[u8], emulator: &mut dyn Emulator) -> Answer {
        let name = body.split(|byte| *byte == 0).next().unwrap_or(&[]);
        let name = std::str::from_utf8(name).map_err(|_| Errno::ENOENT)?;
        let parent = &self.inode(parent)?.path;
        let path = if parent.is_empty() { name.to_owned() } else { format!("{parent}/{name}") };
        let kind = self.kind(&path, emulator)?;
        let known = self.inodes.iter().find(|(_, inode)| inode.path == path && inode.kind == kind);
        let number = match known.map(|(number, _)| *number) {
            Some(number) => number,
            None if self.inodes.len() >= INODES_MAX => return Err(Errno::ENFILE),
            None => {
                self.next_inode += 1;
                self.inodes.insert(self.next_inode, Inode { path, kind, lookups: 0 });
                self.next_inode
            }
        };
        if let Some(inode) = self.inodes.get_mut(&number) {
            inode.lookups = inode.lookups.saturating_add(1);
        }
        let permissions = self.permissions(self.inode(number)?, emulator);
        // struct fuse_entry_out: nothing is valid for any time.
        let mut answer = number.to_ne_bytes().to_vec();
        answer.resize(40, 0);
        answer.extend(attributes(number, kind, permissions));
        Ok(answer)
    }

    fn kind(&self, path: &str, emulator: &mut dyn Emulator) -> Result<Kind, Errno> {
        if path == LINK {
            return Ok(Kind::Link);
        }
        // The covering needs these, whatever the kernel has.
        if path == super::NETNS || BRANCHES.iter().any(|(branch, _)| *branch == path) {
            return Ok(Kind::Directory);
        }
        if let Some(name) = path.strip_prefix(super::NETNS).and_then(|rest| rest.strip_prefix('/')) {
            let known = super::netns_names(self.task, emulator)?.iter().any(|known| known == name);
            return if known { Ok(Kind::File) } else { Err(Errno::ENOENT) };
        }
        let path = real_path(path).ok_or(Errno::ENOENT)?;
        if emulator.call(self.task, Call::ReadLink(path.clone())).is_ok() {
            return Ok(Kind::Link);
        }
        if emulator.call(self.task, Call::ListDirectory(path.clone())).is_ok() {
            return Ok(Kind::Directory);
        }
        match emulator.call(self.task, Call::ReadFile(path.clone())) {
            // Some files are there and say that they are not (`traffic_class` of a device with one queue).
            Err(error @ (Errno::ENOENT | Errno::ENODEV | Errno::ENOTDIR)) => {
                let (directory, name) = path.rsplit_once('/').ok_or(error)?;
                match emulator.call(self.task, Call::ListDirectory(directory.to_owned())) {
                    Ok(Reply::Names(names)) if names.iter().any(|listed| listed == name) => Ok(Kind::File),
                    _ => Err(error),
                }
            }
            // Some files can only be written, some only be read at times.
            _ => Ok(Kind::File),
        }
    }

    /// The bits that say who may read or write.
    fn permissions(&self, inode: &Inode, emulator: &dyn Emulator) -> u32 {
        match inode.kind {
            Kind::Directory => 0o555,
            Kind::Link => 0o777,
            Kind::File => {
                let path = real_path(&inode.path);
                path.and_then(|path| emulator.file_mode(self.task, &path)).unwrap_or(0o644)
            }
        }
    }

    fn read_link(&self, node: u64, emulator: &mut dyn Emulator) -> Answer {
        let path = &self.inode(node)?.path;
        if path == LINK {
            return Ok(format!("{}/{}", self.mount_point, super::PROC_NET).into_bytes());
        }
        let path = real_path(path).ok_or(Errno::ENOENT)?;
        match emulator.call(self.task, Call::ReadLink(path))? {
            Reply::Bytes(target) => Ok(target),
            _ => Err(Errno::EPROTO),
        }
    }

    /// `kernfs_fop_open`, `proc_sys_permission`: what no bit allows is refused to root too.
    fn open(&mut self, node: u64, body: &[u8], emulator: &dyn Emulator) -> Answer {
        let inode = self.inode(node)?;
        if inode.kind == Kind::File {
            let permissions = self.permissions(inode, emulator);
            let access = u32_at(body, 0).unwrap_or(0) as i32 & libc::O_ACCMODE;
            let reads = access != libc::O_WRONLY && permissions & 0o444 == 0;
            let writes = access != libc::O_RDONLY && permissions & 0o222 == 0;
            if reads || writes {
                return Err(Errno::EACCES);
            }
        }
        self.next_handle += 1;
        self.handles.insert(self.next_handle, Handle::default());
        let mut answer = self.next_handle.to_ne_bytes().to_vec();
        answer.extend(FOPEN_DIRECT_IO.to_ne_bytes());
        answer.extend([0; 4]);
        Ok(answer)
    }

    fn read(&mut self, node: u64, body: &[u8], emulator: &mut dyn Emulator) -> Answer {
        let path = self.inode(node)?.path.clone();
        let task = self.task;
        self.part(body, || {
            if path.starts_with(super::NETNS) {
                return Ok(Vec::new());
            }
            let path = real_path(&path).ok_or(Errno::ENOENT)?;
            match emulator.call(task, Call::ReadFile(path))? {
                Reply::Bytes(bytes) => Ok(bytes),
                _ => Err(Errno::EPROTO),
            }
        })
    }

    fn read_directory(&mut self, node: u64, body: &[u8], emulator: &mut dyn Emulator) -> Answer {
        let path = self.inode(node)?.path.clone();
        let offset = u64_at(body, 8).ok_or(Errno::EINVAL)?;
        let size = u32_at(body, 16).ok_or(Errno::EINVAL)? as usize;
        let names = if path.is_empty() {
            BRANCHES.iter().map(|(name, _)| (*name).to_owned()).collect()
        } else if path == super::NETNS {
            super::netns_names(self.task, emulator)?
        } else {
            let path = real_path(&path).ok_or(Errno::ENOENT)?;
            match emulator.call(self.task, Call::ListDirectory(path))? {
                Reply::Names(names) => names,
                _ => return Err(Errno::EPROTO),
            }
        };
        let mut answer = Vec::new();
        let all = [".".to_owned(), "..".to_owned()].into_iter().chain(names);
        for (at, name) in all.enumerate().skip(usize::try_from(offset).unwrap_or(usize::MAX)) {
            let length = (24 + name.len()).next_multiple_of(8);
            if answer.len() + length > size {
                break;
            }
            let end = answer.len() + length;
            // struct fuse_dirent: inode (unknown but not zero), next offset, length, type (unknown), name.
            answer.extend(u64::MAX.to_ne_bytes());
            answer.extend((at as u64 + 1).to_ne_bytes());
            answer.extend((name.len() as u32).to_ne_bytes());
            answer.extend([0; 4]);
            answer.extend(name.as_bytes());
            answer.resize(end, 0);
        }
        Ok(answer)
    }

    fn write(&mut self, node: u64, body: &[u8], emulator: &mut dyn Emulator) -> Answer {
        let path = real_path(&self.inode(node)?.path).ok_or(Errno::EACCES)?;
        let data = body.get(40..).ok_or(Errno::EINVAL)?.to_vec();
        let size = data.len() as u32;
        emulator.call(self.task, Call::WriteFile { path, data })?;
        let mut answer = size.to_ne_bytes().to_vec();
        answer.extend([0; 4]);
        Ok(answer)
    }

    /// The part of a file that `fuse_read_in` asks for; the file is read anew at its start.
    fn part(&mut self, body: &[u8], content: impl FnOnce() -> Result<Vec<u8>, Errno>) -> Answer {
        let handle = u64_at(body, 0).ok_or(Errno::EINVAL)?;
        let offset = u64_at(body, 8).ok_or(Errno::EINVAL)?;
        let size = u32_at(body, 16).ok_or(Errno::EINVAL)? as usize;
        let handle = self.handles.get_mut(&handle).ok_or(Errno::EBADF)?;
        if offset == 0 || handle.content.is_none() {
            handle.content = Some(content()?);
        }
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = handle.content.as_deref().and_then(|content| content.get(start..)).unwrap_or(&[]);
        Ok(rest.get(..size).unwrap_or(rest).to_vec())
    }

    fn inode(&self, number: u64) -> Result<&Inode, Errno> {
        self.inodes.get(&number).ok_or(Errno::ENOENT)
    }

    fn forget(&mut self, number: u64, lookups: u64) {
        if let Some(inode) = self.inodes.get_mut(&number)
            && number != ROOT
        {
            inode.lookups = inode.lookups.saturating_sub(lookups);
            if inode.lookups == 0 {
                self.inodes.remove(&number);
            }
        }
    }
}

impl AsFd for FuseView {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.device.as_fd()
    }
}

fn parse(bytes: &[u8]) -> Option<Request<'_>> {
    Some(Request {
        opcode: u32_at(bytes, 4)?,
        unique: u64_at(bytes, 8)?,
        node: u64_at(bytes, 16)?,
        body: bytes.get(40..)?,
    })
}

/// `struct fuse_init_out`
fn init_answer(max_readahead: u32) -> Vec<u8> {
    let mut answer = Vec::with_capacity(64);
    for word in [7, 31, max_readahead, FUSE_ATOMIC_O_TRUNC | FUSE_BIG_WRITES] {
        answer.extend(u32::to_ne_bytes(word));
    }
    answer.extend(16u16.to_ne_bytes());
    answer.extend(12u16.to_ne_bytes());
    answer.extend(MAX_WRITE.to_ne_bytes());
    answer.extend(1u32.to_ne_bytes());
    answer.resize(64, 0);
    answer
}

/// `struct fuse_attr`
fn attributes(number: u64, kind: Kind, permissions: u32) -> Vec<u8> {
    let mode = permissions
        | match kind {
            Kind::Directory => libc::S_IFDIR,
            Kind::File => libc::S_IFREG,
            Kind::Link => libc::S_IFLNK,
        };
    let mut bytes = number.to_ne_bytes().to_vec();
    // Sizes as in /sys: readers go on to the end.
    bytes.extend(if kind == Kind::File { 4096u64 } else { 0 }.to_ne_bytes());
    bytes.resize(60, 0);
    bytes.extend(mode.to_ne_bytes());
    bytes.extend(1u32.to_ne_bytes());
    bytes.resize(80, 0);
    bytes.extend(4096u32.to_ne_bytes());
    bytes.extend([0; 4]);
    bytes
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk::<4>().map(|bytes| u32::from_ne_bytes(*bytes))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk::<8>().map(|bytes| u64::from_ne_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_the_view() {
        assert_eq!(real_path("class").as_deref(), Some("/sys/class/net"));
        assert_eq!(real_path("class/eth0/mtu").as_deref(), Some("/sys/class/net/eth0/mtu"));
        assert_eq!(real_path("other/x"), None);
        assert_eq!(real_path(""), None);
    }

    #[test]
    fn structures_have_the_kernels_sizes() {
        assert_eq!(init_answer(0).len(), 64);
        assert_eq!(attributes(1, Kind::File, 0o644).len(), 88);
    }
}
