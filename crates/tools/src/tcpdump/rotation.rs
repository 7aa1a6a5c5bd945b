//! `-C`, `-G` and `-W`: a capture in several files (tcpdump.c:dump_packet_and_trunc, MakeFilename).

use super::options::Options;
use crate::calendar::Date;

/// Bytes of a file's header, and of a packet's.
const FILE_HEADER: u64 = 24;
const PACKET_HEADER: u64 = 16;

/// When one file ends and another begins.
pub(super) struct Rotation {
    path: String,
    bytes: Option<u64>,
    seconds: u64,
    files: u32,
    /// When the present name was made.
    since_s: u64,
    /// Files that have been ended for their age, and for their length.
    by_age: u32,
    by_length: u32,
    written: u64,
}

/// Where a packet goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Same,
    File(String),
    /// There have been as many files as `-W` allows.
    NoMore(u32),
}

impl Rotation {
    /// None where there is one file for all.
    pub fn new(options: &Options, now_s: u64) -> Option<Rotation> {
        let path = options.write.clone()?;
        if options.file_bytes.is_none() && options.file_seconds == 0 {
            return None;
        }
        Some(Rotation {
            path,
            bytes: options.file_bytes,
            seconds: options.file_seconds,
            files: options.files,
            since_s: now_s,
            by_age: 0,
            by_length: 0,
            written: FILE_HEADER,
        })
    }

    /// Where a packet of so many captured bytes goes that is taken now.
    pub fn next(&mut self, now_s: u64, len: usize) -> Next {
        let mut next = Next::Same;
        if self.seconds != 0 && now_s.saturating_sub(self.since_s) >= self.seconds {
            self.since_s = now_s;
            self.by_age = self.by_age.saturating_add(1);
            if self.bytes.is_none() && self.files > 0 && self.by_age >= self.files {
                return Next::NoMore(self.files);
            }
            self.by_length = 0;
            self.written = FILE_HEADER;
            next = Next::File(self.file_name());
        }
        if self.bytes.is_some_and(|most| self.written > most) {
            self.by_length = self.by_length.saturating_add(1);
            if self.files > 0 && self.by_length >= self.files {
                self.by_length = 0;
            }
            self.written = FILE_HEADER;
            next = Next::File(self.file_name());
        }
        self.written += PACKET_HEADER + len as u64;
        next
    }

    /// The name of the file that begins now: with `-G` a pattern for times, with `-C` followed by the file's number, as wide
    /// as the last one's.
    pub fn file_name(&self) -> String {
        let name = if self.seconds != 0 { of_time(&self.path, self.since_s) } else { self.path.clone() };
        let width = match self.bytes {
            Some(_) if self.files > 1 => (self.files - 1).to_string().len(),
            _ => 0,
        };
        match (self.by_length, width) {
            (0, 0) => name,
            (number, width) => format!("{name}{number:0width$}"),
        }
    }
}

/// `strftime`, UTC; what it does not know stays as it stands.
fn of_time(pattern: &str, at_s: u64) -> String {
    let date = Date::of(at_s);
    let mut text = String::new();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            text.push(letter);
            continue;
        }
        let Date { year, month, day, hour, minute, second, .. } = date;
        match letters.next() {
            Some('Y') => text.push_str(&year.to_string()),
            Some('y') => text.push_str(&format!("{:02}", year % 100)),
            Some('m') => text.push_str(&format!("{month:02}")),
            Some('d') => text.push_str(&format!("{day:02}")),
            Some('e') => text.push_str(&format!("{day:2}")),
            Some('H') => text.push_str(&format!("{hour:02}")),
            Some('M') => text.push_str(&format!("{minute:02}")),
            Some('S') => text.push_str(&format!("{second:02}")),
            Some('F') => text.push_str(&format!("{year}-{month:02}-{day:02}")),
            Some('T') => text.push_str(&format!("{hour:02}:{minute:02}:{second:02}")),
            Some('R') => text.push_str(&format!("{hour:02}:{minute:02}")),
            Some('D') => text.push_str(&format!("{month:02}/{day:02}/{:02}", year % 100)),
            Some('a') => text.push_str(date.weekday_name()),
            Some('b' | 'h') => text.push_str(date.month_name()),
            Some('s') => text.push_str(&at_s.to_string()),
            Some('Z') => text.push_str("UTC"),
            Some('z') => text.push_str("+0000"),
            Some('%') => text.push('%'),
            Some(other) => text.extend(['%', other]),
            None => text.push('%'),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rotation(path: &str, bytes: Option<u64>, seconds: u64, files: u32) -> Rotation {
        let write = Some(path.to_owned());
        let options =
            Options { write, file_bytes: bytes, file_seconds: seconds, files, ..Options::default() };
        Rotation::new(&options, 0).expect("files that end")
    }

    #[test]
    fn by_length_numbers_go_round() {
        let mut files = rotation("a", Some(1000), 0, 3);
        assert_eq!(files.file_name(), "a0");
        let names: Vec<Next> = (0..8).map(|_| files.next(0, 984)).collect();
        let file = |name: &str| Next::File(name.to_owned());
        assert_eq!(
            names,
            [Next::Same, file("a1"), file("a2"), file("a0"), file("a1"), file("a2"), file("a0"), file("a1")]
        );
        assert_eq!(rotation("a", Some(1000), 0, 11).file_name(), "a00");
        assert_eq!(rotation("a", Some(1000), 0, 0).file_name(), "a");
    }

    #[test]
    fn by_age_names_are_times_and_the_last_file_ends_it() {
        let mut files = rotation("c-%F_%H%M%S.pcap", None, 10, 2);
        assert_eq!(files.file_name(), "c-1970-01-01_000000.pcap");
        assert_eq!(files.next(9, 1), Next::Same);
        assert_eq!(files.next(15, 1), Next::File("c-1970-01-01_000015.pcap".to_owned()));
        assert_eq!(files.next(24, 1), Next::Same);
        assert_eq!(files.next(25, 1), Next::NoMore(2));
    }
}
