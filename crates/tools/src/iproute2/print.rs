//! One way of printing for text, one-line text and JSON.
//!
//! A printer is told every value once, with its JSON key and its text form; the options decide which of
//! the two appears.

use std::fmt::{Arguments, Write};

use super::json::JsonWriter;

/// A value as JSON shows it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    String(&'a str),
    Unsigned(u64),
    Signed(i64),
    Bool(bool),
    Null,
    /// A number already in its JSON form.
    Raw(&'a str),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Value::String(value)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Value::String(value)
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

macro_rules! numbers {
    ($variant:ident, $wide:ty: $($narrow:ty)*) => {
        $(impl From<$narrow> for Value<'_> {
            fn from(value: $narrow) -> Self {
                Value::$variant(<$wide>::from(value))
            }
        })*
    };
}
numbers!(Unsigned, u64: u8 u16 u32 u64);
numbers!(Signed, i64: i8 i16 i32 i64);

/// What a text is coloured as, with `-color`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Color {
    InterfaceName,
    Mac,
    Inet,
    Inet6,
    Up,
    Down,
    None,
}

impl Color {
    /// The color of an address of a family.
    pub(crate) fn family(family: u8) -> Self {
        match family {
            super::inet::AF_INET => Color::Inet,
            super::inet::AF_INET6 => Color::Inet6,
            _ => Color::None,
        }
    }

    fn escape(self, dark: bool) -> &'static str {
        match (self, dark) {
            (Color::InterfaceName, false) => "\x1b[36m",
            (Color::InterfaceName, true) => "\x1b[1;36m",
            (Color::Mac, false) => "\x1b[33m",
            (Color::Mac, true) => "\x1b[1;33m",
            (Color::Inet, false) => "\x1b[35m",
            (Color::Inet, true) => "\x1b[1;35m",
            (Color::Inet6, false) => "\x1b[34m",
            (Color::Inet6, true) => "\x1b[1;34m",
            (Color::Up, false) => "\x1b[32m",
            (Color::Up, true) => "\x1b[1;32m",
            (Color::Down, false) => "\x1b[31m",
            (Color::Down, true) => "\x1b[1;31m",
            (Color::None, _) => "",
        }
    }
}

/// Collects output.
#[derive(Debug, Default)]
pub(crate) struct Printer {
    out: String,
    json: Option<JsonWriter>,
    /// Lines of a record are joined by a backslash.
    pub oneline: bool,
    /// Escape sequences are written; the value tells whether the background is dark.
    pub color: Option<bool>,
}

impl Printer {
    /// Starts a document: with `json` everything up to [`Printer::end`] is JSON.
    pub(crate) fn begin(&mut self, json: bool, pretty: bool) {
        if json {
            let mut writer = JsonWriter::new(pretty);
            writer.open_array(&mut self.out);
            self.json = Some(writer);
        }
    }

    /// Ends what [`Printer::begin`] began.
    pub(crate) fn end(&mut self) {
        if let Some(mut writer) = self.json.take() {
            writer.close_array(&mut self.out);
            self.out.push('\n');
        }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.json.is_some()
    }

    /// Takes what has been printed.
    pub(crate) fn take(&mut self) -> String {
        std::mem::take(&mut self.out)
    }

    /// Text only.
    pub(crate) fn text(&mut self, text: Arguments<'_>) {
        if self.json.is_none() {
            let _ = self.out.write_fmt(text);
        }
    }

    /// JSON only: a member of the current object.
    pub(crate) fn json<'v>(&mut self, key: &str, value: impl Into<Value<'v>>) {
        if let Some(json) = &mut self.json {
            json.name(&mut self.out, key);
            write_value(json, &mut self.out, value.into());
        }
    }

    /// A member of the current object, or its text.
    pub(crate) fn any<'v>(&mut self, key: &str, value: impl Into<Value<'v>>, text: Arguments<'_>) {
        self.json(key, value);
        self.text(text);
    }

    /// As [`Printer::any`], coloured.
    pub(crate) fn colored<'v>(
        &mut self,
        color: Color,
        key: &str,
        value: impl Into<Value<'v>>,
        text: Arguments<'_>,
    ) {
        self.json(key, value);
        self.colored_text(color, text);
    }

    /// Text only, coloured.
    pub(crate) fn colored_text(&mut self, color: Color, text: Arguments<'_>) {
        match self.color {
            Some(dark) if color != Color::None => {
                self.text(format_args!("{}{text}\x1b[0m", color.escape(dark)));
            }
            _ => self.text(text),
        }
    }

    /// An element of the current array, or its text.
    pub(crate) fn item<'v>(&mut self, value: impl Into<Value<'v>>, text: Arguments<'_>) {
        if let Some(json) = &mut self.json {
            write_value(json, &mut self.out, value.into());
        }
        self.text(text);
    }

    /// `on` or `off` as text, a boolean in JSON.
    pub(crate) fn on_off(&mut self, key: &str, value: bool) {
        self.any(key, value, format_args!("{key} {} ", if value { "on" } else { "off" }));
    }

    pub(crate) fn open_object(&mut self, key: Option<&str>) {
        if let Some(json) = &mut self.json {
            if let Some(key) = key {
                json.name(&mut self.out, key);
            }
            json.open_object(&mut self.out);
        }
    }

    pub(crate) fn close_object(&mut self) {
        if let Some(json) = &mut self.json {
            json.close_object(&mut self.out);
        }
    }

    pub(crate) fn open_array(&mut self, key: Option<&str>) {
        if let Some(json) = &mut self.json {
            if let Some(key) = key {
                json.name(&mut self.out, key);
            }
            json.open_array(&mut self.out);
        }
    }

    pub(crate) fn close_array(&mut self) {
        if let Some(json) = &mut self.json {
            json.close_array(&mut self.out);
        }
    }

    /// The end of a line within a record: a newline, or with `-oneline` a backslash.
    pub(crate) fn line(&mut self) {
        let separator = if self.oneline { "\\" } else { "\n" };
        self.text(format_args!("{separator}"));
    }
}

fn write_value(json: &mut JsonWriter, out: &mut String, value: Value<'_>) {
    match value {
        Value::String(value) => json.string(out, value),
        Value::Unsigned(value) => json.raw(out, format_args!("{value}")),
        Value::Signed(value) => json.raw(out, format_args!("{value}")),
        Value::Bool(value) => json.raw(out, format_args!("{value}")),
        Value::Raw(value) => json.raw(out, format_args!("{value}")),
        Value::Null => json.raw(out, format_args!("null")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(mut p: Printer, json: bool, pretty: bool) -> String {
        p.begin(json, pretty);
        p.open_object(None);
        p.any("ifindex", 1u32, format_args!("{}: ", 1));
        p.open_array(Some("flags"));
        p.item("UP", format_args!("<UP>"));
        p.item("LOWER_UP", format_args!(""));
        p.close_array();
        p.line();
        p.open_object(Some("a"));
        p.close_object();
        p.close_object();
        p.end();
        p.take()
    }

    #[test]
    fn one_code_path_gives_text_and_json() {
        assert_eq!(sample(Printer::default(), false, false), "1: <UP>\n");
        assert_eq!(sample(Printer { oneline: true, ..Printer::default() }, false, false), "1: <UP>\\");
        assert_eq!(
            sample(Printer::default(), true, false),
            "[{\"ifindex\":1,\"flags\":[\"UP\",\"LOWER_UP\"],\"a\":{}}]\n"
        );
        assert_eq!(
            sample(Printer::default(), true, true),
            "[ {\n        \"ifindex\": 1,\n        \"flags\": [ \"UP\",\"LOWER_UP\" ],\n        \"a\": {}\n    } ]\n"
        );
    }
}
