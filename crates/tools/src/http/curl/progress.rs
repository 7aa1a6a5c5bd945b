//! curl's progress meter: a heading, how it begins, how it ends.

use super::Transfer;
use super::options::Options;
use crate::Program;

const HEADING: &str = "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current
                                 Dload  Upload   Total   Spent    Left  Speed
";
const NO_TIME: &str = "--:--:--";

pub(super) struct Meter {
    shown: bool,
    total: u64,
}

impl Meter {
    pub fn new(program: &Program<'_>, options: &Options, at: usize) -> Meter {
        let to_file = options.outputs.get(at).is_some();
        let shown = !options.silent && !options.no_meter && (to_file || !program.shell.is_terminal());
        Meter { shown, total: 0 }
    }

    pub fn begin(&mut self, program: &mut Program<'_>) {
        if self.shown {
            let line = line(0, 0, 0, 0, 0);
            let _ = write!(program.shell.err(), "{HEADING}\r{line}");
        }
    }

    pub fn expect(&mut self, length: Option<u64>) {
        self.total = length.unwrap_or(0);
    }

    pub fn end(&mut self, program: &mut Program<'_>, transfer: &Transfer, failed: bool) {
        if !self.shown {
            return;
        }
        let elapsed = transfer.end_ns.saturating_sub(transfer.start_ns).max(1);
        let speed = u128::from(transfer.downloaded) * 1_000_000_000 / u128::from(elapsed);
        let speed = u64::try_from(speed).unwrap_or(u64::MAX);
        let total = if failed { self.total } else { transfer.downloaded };
        let line = line(total, transfer.downloaded, transfer.uploaded, speed, elapsed / 1_000_000_000);
        let _ = writeln!(program.shell.err(), "\r{line}");
    }
}

fn line(total: u64, downloaded: u64, uploaded: u64, speed: u64, spent_s: u64) -> String {
    let percent = |part: u64, whole: u64| part.saturating_mul(100).checked_div(whole).unwrap_or(0);
    let spent = match spent_s {
        0 => NO_TIME.to_owned(),
        seconds => format!("{:2}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60),
    };
    let received = percent(downloaded, total);
    format!(
        "{received:3} {}  {received:3} {}  {:3} {}  {}  {} {NO_TIME} {spent} {NO_TIME} {}",
        size(total.saturating_add(uploaded)),
        size(downloaded),
        0,
        size(uploaded),
        size(speed),
        size(0),
        size(speed),
    )
}

/// Five characters (`max5data`).
fn size(bytes: u64) -> String {
    const KIB: u64 = 1024;
    const MIB: u64 = KIB * KIB;
    const GIB: u64 = MIB * KIB;
    match bytes {
        0..100_000 => format!("{bytes:5}"),
        _ if bytes < 10_000 * KIB => format!("{:4}k", bytes / KIB),
        _ if bytes < 100 * MIB => format!("{:2}.{}M", bytes / MIB, bytes % MIB / (MIB / 10)),
        _ if bytes < 10_000 * MIB => format!("{:4}M", bytes / MIB),
        _ if bytes < 100 * GIB => format!("{:2}.{}G", bytes / GIB, bytes % GIB / (GIB / 10)),
        _ => format!("{:4}G", bytes / GIB),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_wide_as_the_heading() {
        assert_eq!(
            line(0, 0, 0, 0, 0),
            "  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0"
        );
        assert_eq!(
            line(15, 15, 0, 14_970, 0),
            "100    15  100    15    0     0  14970      0 --:--:-- --:--:-- --:--:-- 14970"
        );
        assert_eq!(size(300_000), " 292k");
        assert_eq!(size(20 << 20), "20.0M");
    }
}
