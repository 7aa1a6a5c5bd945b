//! The log of an emulated kernel, which `dmesg` shows (kernel/printk).

use std::collections::VecDeque;

use hairpin_netlink::LogRecord;

use crate::netns::NsId;
use crate::world::World;

/// The oldest records make room for new ones, as in a buffer of 256 KiB with lines of 128 bytes.
const RECORDS_MAX: usize = 2048;

/// How urgent a record is (`KERN_*`).
pub(crate) mod level {
    pub const WARNING: u8 = 4;
}

/// What one kernel has told.
#[derive(Clone, Debug, Default)]
pub struct KernelLog(VecDeque<LogRecord>);

impl KernelLog {
    fn push(&mut self, record: LogRecord) {
        if self.0.len() == RECORDS_MAX {
            self.0.pop_front();
        }
        self.0.push_back(record);
    }
}

impl World {
    /// `printk` of the kernel that the namespace is of.
    pub(crate) fn log_kernel(&mut self, ns: NsId, level: u8, text: &str) {
        let record = LogRecord { at_ns: self.now.nanos(), level, text: text.to_owned() };
        let host = self.netns.get(ns).map(|netns| netns.host);
        if let Some(host) = host.and_then(|host| self.hosts.get_mut(host)) {
            host.log.push(record);
        }
    }

    /// The records of the kernel that the namespace is of, the oldest first; with `clear` they are not shown again
    /// (`SYSLOG_ACTION_CLEAR`).
    pub(crate) fn kernel_log(&mut self, ns: NsId, clear: bool) -> Vec<LogRecord> {
        let host = self.netns.get(ns).map(|netns| netns.host);
        let Some(host) = host.and_then(|host| self.hosts.get_mut(host)) else { return Vec::new() };
        match clear {
            true => std::mem::take(&mut host.log.0).into(),
            false => host.log.0.iter().cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_makes_room() {
        let mut log = KernelLog::default();
        for at_ns in 0..RECORDS_MAX as u64 + 3 {
            log.push(LogRecord { at_ns, level: level::WARNING, text: String::new() });
        }
        assert_eq!(log.0.len(), RECORDS_MAX);
        assert_eq!(log.0.front().map(|record| record.at_ns), Some(3));
    }

    #[test]
    fn what_is_cleared_is_shown_no_more() {
        let mut world = World::new(1);
        world.add_host("box").expect("a first host");
        let task = world.open_task("box", None).expect("a task");
        let ns = world.tasks.get(task).expect("just made").ns;
        world.log_kernel(ns, level::WARNING, "first");
        assert_eq!(world.kernel_log(ns, true)[0].text, "first");
        assert!(world.kernel_log(ns, false).is_empty());
    }
}
