//! Settings as command lines and configuration files give them: `key = value`, `-key = value`, keys with
//! wildcards, and `-key` to leave one out.

use std::io::{BufRead, BufReader};

use super::{ROOT, Sysctl, glob};

/// One line.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    /// The whole path; may have wildcards.
    pub path: String,
    /// `None` for a key that is left out.
    pub value: Option<String>,
    pub ignore_failure: bool,
}

/// Reads a line; says so if it is none.
pub(super) fn parse(sysctl: &mut Sysctl<'_>, file: &str, number: u32, line: &str) -> Option<Setting> {
    let line = line.trim_start_matches(is_space);
    if line.len() < 2 || line.starts_with(['#', ';']) || !sysctl.matches(line) {
        return None;
    }
    let negative = line.strip_prefix('-');
    let (key, value) = match (line.split_once('='), negative) {
        (Some((key, value)), _) => (key.strip_prefix('-').unwrap_or(key), Some(value)),
        (None, Some(key)) => (key, None),
        (None, None) => {
            sysctl.warn(format_args!("{file}({number}): invalid syntax, continuing..."));
            return None;
        }
    };
    let key = key.trim_end_matches(is_space);
    let key = sysctl.swap_separators(key.strip_prefix('-').unwrap_or(key), '.', '/');
    Some(Setting {
        path: format!("{ROOT}{key}"),
        value: value.map(|value| value.trim_matches(is_space).to_owned()),
        ignore_failure: negative.is_some() && value.is_some(),
    })
}

fn is_space(c: char) -> bool {
    u8::try_from(c).is_ok_and(crate::c_number::is_space)
}

impl Sysctl<'_> {
    /// `-p`: reads files, then sets what they say; the exit code.
    pub(super) fn load(&mut self, file: Option<&str>, more: &[&str]) -> i32 {
        let mut settings = Vec::new();
        let mut code = 0;
        let first = file.or(if more.is_empty() { Some("/etc/sysctl.conf") } else { None });
        for file in first.iter().chain(more) {
            code |= self.read_settings(file, &mut settings);
        }
        for setting in &settings {
            let Some(_) = setting.value else { continue };
            if !glob::has_wildcards(&setting.path) {
                code |= self.write(&setting.path, setting);
                continue;
            }
            for path in glob::expand(self.system, &setting.path) {
                // A line for exactly this key goes before one with wildcards.
                if !settings.iter().any(|other| other.path == path) {
                    code |= self.write(&path, setting);
                }
            }
        }
        code
    }

    fn read_settings(&mut self, file: &str, settings: &mut Vec<Setting>) -> i32 {
        let mut text = Vec::new();
        let outcome = if file == "-" {
            read_lines(self.shell.input(), &mut text)
        } else {
            match self.shell.open(file) {
                Ok(opened) => read_lines(&mut BufReader::new(opened), &mut text),
                Err(error) => Err(error),
            }
        };
        if let Err(error) = outcome
            // A directory can be opened, and has no line.
            && error.raw_os_error() != Some(hairpin_netlink::Errno::EISDIR.0)
        {
            let errno = error.raw_os_error().map(|code| hairpin_netlink::Errno(code).text());
            let errno = errno.unwrap_or_else(|| error.kind().to_string());
            self.warn(format_args!("cannot open \"{file}\": {errno}"));
            return 1;
        }
        for (number, line) in (1..).zip(String::from_utf8_lossy(&text).split_inclusive('\n')) {
            if line.len() >= 2 {
                settings.extend(parse(self, file, number, line));
            }
        }
        0
    }
}

fn read_lines(reader: &mut (impl BufRead + ?Sized), text: &mut Vec<u8>) -> std::io::Result<()> {
    reader.read_to_end(text).map(drop)
}
