//! The real kernel's log, by `/dev/kmsg` (Documentation/ABI/testing/dev-kmsg).

use std::fs::OpenOptions;
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;

use hairpin_netlink::LogRecord;

/// A read gives one record, whatever its length up to this.
const RECORD_MAX: usize = 8192;

/// All that there is, the oldest first.
///
/// # Errors
/// The file cannot be opened or read.
pub(super) fn records() -> io::Result<Vec<LogRecord>> {
    let mut file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open("/dev/kmsg")?;
    let mut buffer = [0; RECORD_MAX];
    let mut records = Vec::new();
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(records),
            Ok(len) => records.extend(record(&String::from_utf8_lossy(&buffer[..len]))),
            // That record has gone meanwhile, the next one has not.
            Err(error) if error.raw_os_error() == Some(libc::EPIPE) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(records),
            Err(error) => return Err(error),
        }
    }
}

/// `PRIORITY,SEQUENCE,MICROSECONDS,FLAGS;TEXT`, and lines with more about it; none of what programs have put in.
fn record(text: &str) -> Option<LogRecord> {
    let (head, body) = text.split_once(';')?;
    let mut fields = head.split(',');
    let priority: u32 = fields.next()?.parse().ok()?;
    let microseconds: u64 = fields.nth(1)?.parse().ok()?;
    let text = body.lines().next().unwrap_or("").to_owned();
    let of_kernel = priority >> 3 == 0;
    of_kernel.then(|| LogRecord {
        at_ns: microseconds.saturating_mul(1000),
        level: (priority & 7) as u8,
        text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_and_what_is_none() {
        let found = record("6,339,5140900,-;NET: Registered protocol family 10\n SUBSYSTEM=net\n");
        let text = "NET: Registered protocol family 10".to_owned();
        assert_eq!(found, Some(LogRecord { at_ns: 5_140_900_000, level: 6, text }));
        assert_eq!(record("12,340,1,-;of a program\n"), None);
        assert_eq!(record("no record"), None);
    }
}
