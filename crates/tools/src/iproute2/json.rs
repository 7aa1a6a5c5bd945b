//! JSON as iproute2 writes it: no spaces, or with `-p` one member a line, indented by four.

use std::fmt::Write;

/// A JSON writer in the middle of a document.
#[derive(Debug, Default)]
pub(crate) struct JsonWriter {
    depth: usize,
    pretty: bool,
    /// Whether something stands before the next value, so that a comma is due.
    comma: bool,
}

impl JsonWriter {
    pub(crate) fn new(pretty: bool) -> Self {
        JsonWriter { depth: 0, pretty, comma: false }
    }

    pub(crate) fn name(&mut self, out: &mut String, name: &str) {
        self.separate(out);
        self.line(out);
        self.comma = false;
        quote(out, name);
        out.push_str(if self.pretty { ": " } else { ":" });
    }

    /// A value whose JSON text is `value`.
    pub(crate) fn raw(&mut self, out: &mut String, value: std::fmt::Arguments<'_>) {
        self.separate(out);
        let _ = out.write_fmt(value);
    }

    pub(crate) fn string(&mut self, out: &mut String, value: &str) {
        self.separate(out);
        quote(out, value);
    }

    pub(crate) fn open_object(&mut self, out: &mut String) {
        self.open(out, '{');
    }

    pub(crate) fn close_object(&mut self, out: &mut String) {
        self.close(out, '}');
    }

    pub(crate) fn open_array(&mut self, out: &mut String) {
        self.open(out, '[');
        if self.pretty {
            out.push(' ');
        }
    }

    pub(crate) fn close_array(&mut self, out: &mut String) {
        if self.pretty && self.comma {
            out.push(' ');
        }
        self.comma = false;
        self.close(out, ']');
    }

    fn open(&mut self, out: &mut String, bracket: char) {
        self.separate(out);
        out.push(bracket);
        self.depth += 1;
        self.comma = false;
    }

    fn close(&mut self, out: &mut String, bracket: char) {
        self.depth = self.depth.saturating_sub(1);
        if self.comma {
            self.line(out);
        }
        out.push(bracket);
        self.comma = true;
    }

    fn separate(&mut self, out: &mut String) {
        if self.comma {
            out.push(',');
        }
        self.comma = true;
    }

    fn line(&self, out: &mut String) {
        if self.pretty {
            out.push('\n');
            out.extend(std::iter::repeat_n("    ", self.depth));
        }
    }
}

fn quote(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\x0c' => out.push_str("\\f"),
            '\x08' => out.push_str("\\b"),
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            c => out.push(c),
        }
    }
    out.push('"');
}
