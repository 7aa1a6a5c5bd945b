//! What is under `/proc/sys/net`, `/proc/net` and `/sys/class/net`, as seen from one namespace.

use hairpin_netlink::Errno;

use crate::netns::NsId;
use crate::world::World;

impl World {
    /// The content of a file.
    ///
    /// # Errors
    /// `ENOENT`, `EISDIR`
    pub fn read_file(&self, ns: NsId, path: &str) -> Result<Vec<u8>, Errno> {
        let _ = (ns, path);
        Err(Errno::ENOENT)
    }

    /// Writes a file as one `write` does.
    ///
    /// # Errors
    /// `ENOENT`, `EACCES` for what cannot be written, `EINVAL` for a value that makes no sense.
    pub fn write_file(&mut self, ns: NsId, path: &str, data: &[u8]) -> Result<(), Errno> {
        let _ = (ns, path, data);
        Err(Errno::ENOENT)
    }

    /// The names in a directory, sorted.
    ///
    /// # Errors
    /// `ENOENT`, `ENOTDIR`
    pub fn list_directory(&self, ns: NsId, path: &str) -> Result<Vec<String>, Errno> {
        let _ = (ns, path);
        Err(Errno::ENOENT)
    }
}
