//! A script and what its header says about it.

use std::fs;
use std::path::Path;

use regex_lite::Regex;

/// A script to run on both sides.
#[derive(Clone, Debug)]
pub struct Script {
    pub name: String,
    pub text: String,
    /// It needs devices that the running kernel may lack.
    pub needs_uml: bool,
    /// It needs nftables of IP, which that User-Mode Linux lacks: it runs by exec on the running kernel.
    pub needs_nftables: bool,
    /// It runs with the distribution's own programs too.
    pub with_real_programs: bool,
    /// It is for bash alone: its language is richer than the runner's.
    pub for_bash: bool,
    /// Programs that it runs with the distribution's and that may not be installed.
    pub programs: Vec<String>,
    /// Modules that the kernel has loaded, where it would not otherwise.
    pub modules: Vec<String>,
    /// Namespaces have IPv6.
    pub ipv6: bool,
    /// Lines that differ for a reason given in the header: they are left out of the comparison.
    pub known: Vec<Known>,
    /// What is not right yet: the script runs and its differences are printed, but they fail nothing.
    pub open: Option<String>,
}

/// A known difference.
#[derive(Clone, Debug)]
pub struct Known {
    pub reason: String,
    /// Of every kernel, or only of those after 6.1, which the emulation follows.
    pub after_6_1: bool,
    pub lines: Regex,
}

impl Script {
    /// Reads a script, with the files beside it that its header names (`# with: FILE`) in their lines' place.
    ///
    /// # Errors
    /// As [`Script::new`], or a file cannot be read; the text is for the user.
    pub fn read(file: &Path) -> Result<Script, String> {
        let read =
            |path: &Path| fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
        let mut text = String::new();
        for line in read(file)?.lines() {
            match line.strip_prefix("# with: ") {
                Some(part) => text += &read(&file.with_file_name(part))?,
                None => {
                    text += line;
                    text.push('\n');
                }
            }
        }
        let name = file.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Script::new(&name, &text)
    }

    /// Reads the header; its lines are described where scripts are run, in `crates/hairpin/tests/agreement`.
    ///
    /// # Errors
    /// The header has an exception without a reason, or one that is no regular expression; the text is for the
    /// user.
    pub fn new(name: &str, text: &str) -> Result<Script, String> {
        let header = |key: &'static str| text.lines().filter_map(move |line| line.strip_prefix(key));
        let mut known = Vec::new();
        let mut reason: Option<(&str, bool)> = None;
        for line in text.lines() {
            if let Some(text) = line.strip_prefix("# differs: ") {
                reason = Some((text, false));
            } else if let Some(text) = line.strip_prefix("# differs after 6.1: ") {
                reason = Some((text, true));
            } else if let Some(lines) = line.strip_prefix("# lines: ") {
                let (reason, after_6_1) = reason
                    .ok_or_else(|| format!("{name}: a '# differs: REASON' before '# lines:', please"))?;
                let lines =
                    Regex::new(lines).map_err(|error| format!("{name}: # lines: {lines}: {error}"))?;
                known.push(Known { reason: reason.to_owned(), after_6_1, lines });
            }
        }
        Ok(Script {
            name: name.to_owned(),
            text: text.to_owned(),
            needs_uml: header("# needs: ").any(|needs| needs == "uml"),
            needs_nftables: header("# needs: ").any(|needs| needs == "nftables"),
            with_real_programs: header("# runs: ").any(|runs| runs == "with the real programs"),
            for_bash: header("# runs: ").any(|runs| runs == "by bash alone"),
            programs: header("# programs: ").flat_map(str::split_whitespace).map(str::to_owned).collect(),
            modules: header("# modules: ").flat_map(str::split_whitespace).map(str::to_owned).collect(),
            ipv6: header("# ipv6: ").any(|ipv6| ipv6 == "on"),
            known,
            open: header("# open: ").next().map(str::to_owned),
        })
    }
}
