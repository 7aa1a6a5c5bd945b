//! Socket calls over plain bytes: names, options and control messages are encoded by the callers.
#![allow(unsafe_code)]

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use hairpin_netlink::Errno;

/// What one `recvmsg` took.
pub(super) struct Message {
    /// Length of the data, which may exceed the buffer (`MSG_TRUNC` is always asked for).
    pub length: usize,
    /// `msg_name`
    pub name: Vec<u8>,
    /// `msg_flags`
    pub flags: i32,
    /// `msg_control`: level, type and data.
    pub control: Vec<(i32, i32, Vec<u8>)>,
}

impl Message {
    pub fn control(&self, level: i32, kind: i32) -> Option<&[u8]> {
        self.control.iter().find(|(l, k, _)| (*l, *k) == (level, kind)).map(|(_, _, data)| data.as_slice())
    }

    /// `SO_TIMESTAMPNS`: nanoseconds since 1970.
    pub fn timestamp_ns(&self) -> Option<u64> {
        let stamp = self.control(libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS)?;
        let seconds = i64::from_ne_bytes(super::address::array(stamp, 0)?);
        let nanoseconds = i64::from_ne_bytes(super::address::array(stamp, 8)?);
        u64::try_from(seconds.checked_mul(1_000_000_000)?.checked_add(nanoseconds)?).ok()
    }
}

/// A close-on-exec, non-blocking socket.
pub(super) fn open(family: i32, kind: i32, protocol: i32) -> Result<OwnedFd, Errno> {
    // SAFETY: socket() takes no pointer; the descriptor it returns is new and ours alone.
    unsafe {
        let fd = check(libc::socket(family, kind | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, protocol))?;
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

pub(super) fn set(fd: BorrowedFd<'_>, level: i32, name: i32, value: &[u8]) -> Result<(), Errno> {
    // SAFETY: the kernel reads `value.len()` bytes at `value`, which lives through the call.
    check(unsafe {
        libc::setsockopt(fd.as_raw_fd(), level, name, value.as_ptr().cast(), value.len() as libc::socklen_t)
    })
    .map(drop)
}

pub(super) fn set_int(fd: BorrowedFd<'_>, level: i32, name: i32, value: i32) -> Result<(), Errno> {
    set(fd, level, name, &value.to_ne_bytes())
}

const SIOCADDMULTI: libc::Ioctl = 0x8931;
const SIOCDELMULTI: libc::Ioctl = 0x8932;

/// `SIOCADDMULTI`, `SIOCDELMULTI`
pub(super) fn change_group(device: &str, mac: [u8; 6], join: bool) -> Result<(), Errno> {
    let fd = open(libc::AF_INET, libc::SOCK_DGRAM, 0)?;
    // SAFETY: an ifreq of zeros is one without a name.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    if device.len() >= request.ifr_name.len() {
        return Err(Errno::ENODEV);
    }
    for (place, byte) in request.ifr_name.iter_mut().zip(device.bytes()) {
        *place = byte as libc::c_char;
    }
    let mut address = libc::sockaddr { sa_family: libc::AF_UNSPEC as libc::sa_family_t, sa_data: [0; 14] };
    for (place, byte) in address.sa_data.iter_mut().zip(mac) {
        *place = byte as libc::c_char;
    }
    request.ifr_ifru.ifru_hwaddr = address;
    let call: libc::Ioctl = if join { SIOCADDMULTI } else { SIOCDELMULTI };
    // SAFETY: the kernel reads an ifreq, which lives through the call.
    check(unsafe { libc::ioctl(fd.as_raw_fd(), call, &request) }).map(drop)
}

/// Fills `value`; returns how much of it was.
pub(super) fn get(fd: BorrowedFd<'_>, level: i32, name: i32, value: &mut [u8]) -> Result<usize, Errno> {
    let mut length = value.len() as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes to `value`, and to `length`; both live through the call.
    check(unsafe { libc::getsockopt(fd.as_raw_fd(), level, name, value.as_mut_ptr().cast(), &mut length) })?;
    Ok(length as usize)
}

pub(super) fn bind(fd: BorrowedFd<'_>, name: &[u8]) -> Result<(), Errno> {
    // SAFETY: the kernel reads `name.len()` bytes at `name` and copies them.
    check(unsafe { libc::bind(fd.as_raw_fd(), name.as_ptr().cast(), name.len() as libc::socklen_t) })
        .map(drop)
}

pub(super) fn connect(fd: BorrowedFd<'_>, name: &[u8]) -> Result<(), Errno> {
    // SAFETY: the kernel reads `name.len()` bytes at `name` and copies them.
    check(unsafe { libc::connect(fd.as_raw_fd(), name.as_ptr().cast(), name.len() as libc::socklen_t) })
        .map(drop)
}

pub(super) fn listen(fd: BorrowedFd<'_>, backlog: i32) -> Result<(), Errno> {
    // SAFETY: listen() takes no pointer.
    check(unsafe { libc::listen(fd.as_raw_fd(), backlog) }).map(drop)
}

/// A close-on-exec, non-blocking socket for the oldest connection that waits.
pub(super) fn accept(fd: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    let flags = libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: null name and length are allowed; the descriptor that accept4() returns is new and ours alone.
    unsafe {
        let accepted =
            check(libc::accept4(fd.as_raw_fd(), std::ptr::null_mut(), std::ptr::null_mut(), flags))?;
        Ok(OwnedFd::from_raw_fd(accepted))
    }
}

/// `SHUT_WR`
pub(super) fn shutdown_writing(fd: BorrowedFd<'_>) -> Result<(), Errno> {
    // SAFETY: shutdown() takes no pointer.
    check(unsafe { libc::shutdown(fd.as_raw_fd(), libc::SHUT_WR) }).map(drop)
}

pub(super) fn peer_name(fd: BorrowedFd<'_>) -> Result<Vec<u8>, Errno> {
    let mut name = vec![0u8; size_of::<libc::sockaddr_storage>()];
    let mut length = name.len() as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes to `name`, and to `length`; both live through the call.
    check(unsafe { libc::getpeername(fd.as_raw_fd(), name.as_mut_ptr().cast(), &mut length) })?;
    name.truncate(length as usize);
    Ok(name)
}

pub(super) fn local_name(fd: BorrowedFd<'_>) -> Result<Vec<u8>, Errno> {
    let mut name = vec![0u8; size_of::<libc::sockaddr_storage>()];
    let mut length = name.len() as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes to `name`, and to `length`; both live through the call.
    check(unsafe { libc::getsockname(fd.as_raw_fd(), name.as_mut_ptr().cast(), &mut length) })?;
    name.truncate(length as usize);
    Ok(name)
}

pub(super) fn send(fd: BorrowedFd<'_>, data: &[u8], to: Option<&[u8]>) -> Result<usize, Errno> {
    let (name, length) = to.map_or((std::ptr::null(), 0), |name| (name.as_ptr(), name.len()));
    // SAFETY: the kernel reads `data` and, where there is one, `name`, each with its own length.
    let sent = unsafe {
        libc::sendto(
            fd.as_raw_fd(),
            data.as_ptr().cast(),
            data.len(),
            libc::MSG_NOSIGNAL,
            name.cast(),
            length as libc::socklen_t,
        )
    };
    check_size(sent)
}

/// The next bytes of a connection; none at its end. (`MSG_TRUNC` would throw them away: tcp(7).)
pub(super) fn read(fd: BorrowedFd<'_>, data: &mut [u8]) -> Result<usize, Errno> {
    // SAFETY: the kernel writes at most `data.len()` bytes to `data`, which lives through the call.
    check_size(unsafe { libc::recv(fd.as_raw_fd(), data.as_mut_ptr().cast(), data.len(), 0) })
}

/// `recvmsg`; `flags` get `MSG_TRUNC`, so that the true length is known.
pub(super) fn receive(fd: BorrowedFd<'_>, data: &mut [u8], flags: i32) -> Result<Message, Errno> {
    let mut name = [0u8; size_of::<libc::sockaddr_storage>()];
    // u64: control messages start with a `size_t` and must be aligned to it.
    let mut control = [0u64; 128];
    let mut vector = libc::iovec { iov_base: data.as_mut_ptr().cast(), iov_len: data.len() };
    // SAFETY: all-zero is a valid msghdr (null pointers, zero lengths).
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_name = name.as_mut_ptr().cast();
    header.msg_namelen = name.len() as libc::socklen_t;
    header.msg_iov = &mut vector;
    header.msg_iovlen = 1;
    header.msg_control = control.as_mut_ptr().cast();
    header.msg_controllen = size_of_val(&control) as _;
    // SAFETY: every pointer in `header` is to a live buffer with the length given beside it.
    let length = check_size(unsafe { libc::recvmsg(fd.as_raw_fd(), &mut header, flags | libc::MSG_TRUNC) })?;
    let mut found = Vec::new();
    // SAFETY: the kernel has filled `msg_control` up to `msg_controllen` with well-formed control messages;
    // CMSG_NXTHDR stays inside it, and each message's data is `cmsg_len` minus its header long.
    unsafe {
        let mut at = libc::CMSG_FIRSTHDR(&header);
        while let Some(message) = at.as_ref() {
            let size = message.cmsg_len.saturating_sub(libc::CMSG_LEN(0) as usize);
            let data = std::slice::from_raw_parts(libc::CMSG_DATA(at), size);
            found.push((message.cmsg_level, message.cmsg_type, data.to_vec()));
            at = libc::CMSG_NXTHDR(&header, at);
        }
    }
    let name = name.get(..header.msg_namelen as usize).unwrap_or(&name).to_vec();
    Ok(Message { length, name, flags: header.msg_flags, control: found })
}

fn check(result: i32) -> Result<i32, Errno> {
    if result < 0 { Err(last()) } else { Ok(result) }
}

fn check_size(result: isize) -> Result<usize, Errno> {
    usize::try_from(result).map_err(|_| last())
}

fn last() -> Errno {
    super::errno(std::io::Error::last_os_error())
}
