//! `iperf3`, as iperf 3.12 has it: TCP and UDP, one or more streams in one direction.
//!
//! * [`options`] the command line
//! * [`control`] the connection by which client and server agree
//! * [`flow`] a stream of data, [`run`] all of a test's, in time
//! * [`client`], [`server`] the two sides; [`report`] what they print, [`json`] the same as JSON
//!
//! What it measures is virtual time. Devices have no rate here: a sender without `-b` sends [`UNLIMITED`] bits a second, which
//! its streams share, and less where windows, losses or the path allow less.

mod client;
mod control;
mod flow;
mod json;
mod options;
mod report;
mod run;
mod server;

use std::io::Write;

use hairpin_netlink::Errno;

use crate::{Program, daemon};
use options::{Options, Stop};

/// What a TCP sender without a wish sends, in bits a second.
const UNLIMITED: u64 = 10_000_000;
const NS_PER_S: u64 = 1_000_000_000;

/// Why a test ends early: iperf's text for it.
struct Failure(String);

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Failure {
        Failure(errno.text().to_string())
    }
}

fn fail<T>(text: impl Into<String>) -> Result<T, Failure> {
    Err(Failure(text.into()))
}

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let options = match Options::read(program) {
        Ok(options) => options,
        Err(Stop(code)) => return code,
    };
    if options.daemon {
        let is_daemon = |word: &&&str| **word == "-D" || **word == "--daemon";
        // `-sD` is common; other letters may be in the same word.
        let mut kept: Vec<String> = Vec::new();
        for word in program.args {
            let letters = word.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
            match letters {
                _ if is_daemon(&&word.as_str()) => {}
                Some(letters)
                    if letters.starts_with(|c: char| "sD1".contains(c)) && letters.contains('D') =>
                {
                    kept.push(format!("-{}", letters.replacen('D', "", 1)));
                }
                _ => kept.push(word.clone()),
            }
        }
        let words: Vec<&str> = kept.iter().map(String::as_str).collect();
        return daemon::start_with(program, &words);
    }
    let mut sink = match &options.log_file {
        Some(path) => match program.shell.create(path) {
            Ok(file) => Some(file),
            Err(_) => {
                let _ = writeln!(program.shell.err(), "iperf3: error - unable to open log file: {path}");
                return 1;
            }
        },
        None => None,
    };
    let mut output = Output { file: sink.as_mut() };
    let outcome = match &options.client {
        Some(host) => client::run(program, &options, host, &mut output),
        None => server::run(program, &options, &mut output),
    };
    let code = match outcome {
        Ok(()) => 0,
        Err(Failure(text)) => {
            output.fail(program, &options, &text);
            1
        }
    };
    output.flush(program);
    code
}

/// Where a report goes: standard output, or the file of `--logfile`.
struct Output<'a> {
    file: Option<&'a mut Box<dyn Write>>,
}

impl Output<'_> {
    fn print(&mut self, program: &mut Program<'_>, text: &str) {
        let _ = match &mut self.file {
            Some(file) => file.write_all(text.as_bytes()),
            None => program.shell.out().write_all(text.as_bytes()),
        };
        self.flush(program);
    }

    fn flush(&mut self, program: &mut Program<'_>) {
        let _ = match &mut self.file {
            Some(file) => file.flush(),
            None => program.shell.out().flush(),
        };
    }

    /// `iperf_errexit`
    fn fail(&mut self, program: &mut Program<'_>, options: &Options, text: &str) {
        if options.json {
            let document = json::Json::object([("error", json::Json::Text(text.to_owned()))]);
            return self.print(program, &format!("{}\n", document.print()));
        }
        let line = format!("iperf3: {text}\n");
        match &self.file {
            Some(_) => self.print(program, &line),
            None => drop(program.shell.err().write_all(line.as_bytes())),
        }
    }
}

/// On the monotonic clock.
fn now(program: &mut Program<'_>) -> Result<u64, Failure> {
    Ok(program.system.now()?.monotonic_ns)
}
