//! Where a task stands that is a thread and goes on after the front end, and the request sockets that it keeps.
//!
//! A netlink socket belongs to the namespace that it was opened in: to ask it, its task need not go there. A front end
//! that only configures another namespace thus costs that namespace's file, and what it asks.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Mutex, PoisonError};

use hairpin_netlink::Errno;
use nix::sched::{CloneFlags, setns};

use super::netlink::Requests;
use super::{errno, from_nix, netns};

/// Device and inode of a namespace's file; none for the one that the thread was in at first.
type Namespace = Option<(u64, u64)>;

/// The sockets of one thread's tasks, by namespace and protocol. They keep a namespace alive, as a program's would.
type Sockets = Arc<Mutex<BTreeMap<(Namespace, i32), Requests>>>;

#[derive(Default)]
pub(super) struct Standing {
    /// A wait fails with `EINTR` once this can be read; one byte is one signal.
    pub interrupt: Option<OwnedFd>,
    sockets: Sockets,
    namespace: Namespace,
    /// The thread is not in that namespace yet: nothing has needed it.
    ahead: Option<File>,
    home: Home,
}

/// The namespace that the thread goes back to when its task ends; set once it has left it.
#[derive(Default)]
struct Home(Option<OwnedFd>);

impl Standing {
    pub fn new(interrupt: Option<OwnedFd>) -> Self {
        Standing { interrupt, ..Standing::default() }
    }

    /// That of a task that begins where this one is.
    ///
    /// # Errors
    /// As [`Standing::arrive`].
    pub fn fork(&mut self) -> Result<Self, Errno> {
        self.arrive()?;
        Ok(Standing { sockets: self.sockets.clone(), namespace: self.namespace, ..Standing::default() })
    }

    /// From now on the task is in a named namespace.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn enter(&mut self, name: &str) -> Result<(), Errno> {
        let file = netns::file(name)?;
        let found = file.metadata().map_err(errno)?;
        let namespace = Some((found.dev(), found.ino()));
        let known = self.sockets().contains_key(&(namespace, libc::NETLINK_ROUTE));
        self.ahead = Some(file);
        // A name may be a file without a namespace: only the attempt tells.
        if !known {
            self.arrive()?;
        }
        self.namespace = namespace;
        Ok(())
    }

    /// Takes the thread to where the task is. To be called before whatever depends on that.
    ///
    /// # Errors
    /// The file is no namespace's, or the kernel refuses.
    pub fn arrive(&mut self) -> Result<(), Errno> {
        let Some(ahead) = self.ahead.take() else { return Ok(()) };
        if self.home.0.is_none() {
            self.home.0 = Some(netns::open_self()?);
        }
        setns(&ahead, CloneFlags::CLONE_NEWNET).map_err(from_nix)
    }

    /// Asks the kernel by the socket for a protocol.
    ///
    /// # Errors
    /// No socket is to be had, or what asking gives.
    pub fn ask(
        &mut self,
        protocol: i32,
        ask: impl FnOnce(&mut Requests) -> Result<Vec<u8>, Errno>,
    ) -> Result<Vec<u8>, Errno> {
        let place = (self.namespace, protocol);
        let kept = self.sockets().remove(&place);
        let mut socket = match kept {
            Some(socket) => socket,
            None => {
                self.arrive()?;
                Requests::open(protocol)?
            }
        };
        // What is left of a failed answer must not mix with the next one: that socket is closed.
        let answer = ask(&mut socket)?;
        self.sockets().insert(place, socket);
        Ok(answer)
    }

    /// A name goes, and its namespace with it if nobody is in there: no socket of ours is.
    pub fn forget(&mut self) {
        self.sockets().retain(|(namespace, _), _| namespace.is_none());
    }

    fn sockets(&self) -> std::sync::MutexGuard<'_, BTreeMap<(Namespace, i32), Requests>> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Some(home) = &self.0 {
            let _ = setns(home, CloneFlags::CLONE_NEWNET);
        }
    }
}
