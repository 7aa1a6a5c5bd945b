//! Columns that are as wide as the widest text in them (`render` of misc/ss.c, where nothing is a terminal).

use super::options::Options;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Netid = 0,
    State,
    Receive,
    Send,
    Local,
    LocalPort,
    Peer,
    PeerPort,
    Process,
}

const COUNT: usize = 9;
/// Heading, what stands before the column, whether its texts stand at its right end.
const COLUMNS: [(&str, &str, bool); COUNT] = [
    ("Netid", "", false),
    ("State", " ", false),
    ("Recv-Q", " ", false),
    ("Send-Q", " ", false),
    ("Local Address:", " ", true),
    ("Port", "", false),
    ("Peer Address:", " ", true),
    ("Port", "", false),
    ("Process", "", false),
];

pub(super) struct Table {
    shown: [bool; COUNT],
    lines: Vec<[String; COUNT]>,
}

impl Table {
    pub fn new(options: &Options) -> Table {
        let mut shown = [true; COUNT];
        shown[Column::Netid as usize] = options.shows_kind();
        shown[Column::State as usize] = options.shows_state();
        let mut table = Table { shown, lines: Vec::new() };
        if options.header {
            table.lines.push(COLUMNS.map(|(heading, ..)| heading.to_owned()));
        }
        table
    }

    pub fn begin(&mut self) {
        self.lines.push(Default::default());
    }

    pub fn put(&mut self, column: Column, text: &str) {
        if let Some(place) = self.lines.last_mut().and_then(|line| line.get_mut(column as usize)) {
            text.clone_into(place);
        }
    }

    pub fn text(&self) -> String {
        let mut widths = [0; COUNT];
        for (at, line) in self.lines.iter().enumerate() {
            // The last text is never flushed, and so not measured (`field_flush`). What stands behind the end of a
            // line counts as if it were in it.
            let is_last = at > 0 && at + 1 == self.lines.len();
            let measured = if is_last { COUNT - 1 } else { COUNT };
            for (width, text) in widths.iter_mut().zip(line).take(measured) {
                *width = text.len().max(*width);
            }
        }
        let mut out = String::new();
        for line in &self.lines {
            let mut is_first = true;
            for (at, text) in line.iter().enumerate() {
                let (Some(width), Some((_, before, right))) = (widths.get(at), COLUMNS.get(at)) else {
                    continue;
                };
                if !self.shown.get(at).copied().unwrap_or(false) {
                    continue;
                }
                if *width == 0 {
                    out.push_str(text);
                    continue;
                }
                if !std::mem::take(&mut is_first) {
                    out.push_str(before);
                }
                match right {
                    true => out.push_str(&format!("{text:>width$}")),
                    false => out.push_str(&format!("{text:<width$}")),
                }
            }
            out.push('\n');
        }
        out
    }
}
