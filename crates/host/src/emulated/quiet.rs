//! The surroundings of a front end that configures a world: no streams but for its complaints.

use std::io::{self, BufRead, Empty, Read, Write};

use hairpin_tools::{Shell, Signal};

/// Keeps what a front end prints, and lets it do nothing else.
#[derive(Default)]
pub struct QuietShell {
    pub out: Vec<u8>,
    pub err: Vec<u8>,
    input: Empty,
}

fn nothing_here(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, format!("{what} while a world is built"))
}

impl Shell for QuietShell {
    fn out(&mut self) -> &mut dyn Write {
        &mut self.out
    }

    fn err(&mut self) -> &mut dyn Write {
        &mut self.err
    }

    fn input(&mut self) -> &mut dyn BufRead {
        &mut self.input
    }

    fn open(&mut self, path: &str) -> io::Result<Box<dyn Read>> {
        Err(nothing_here(&format!("{path} is not opened")))
    }

    fn create(&mut self, path: &str) -> io::Result<Box<dyn Write>> {
        Err(nothing_here(&format!("{path} is not written")))
    }

    fn variable(&self, _name: &str) -> Option<String> {
        None
    }

    fn is_terminal(&self) -> bool {
        false
    }

    fn process_id(&self) -> u32 {
        1
    }

    fn take_signal(&mut self) -> Option<Signal> {
        None
    }

    fn exec(&mut self, argv: &[String]) -> io::Result<i32> {
        Err(nothing_here(&format!("{} is not run", argv.first().map_or("nothing", String::as_str))))
    }

    fn exec_on(&mut self, host: &str, _argv: &[String]) -> io::Result<i32> {
        Err(nothing_here(&format!("no command is run on {host}")))
    }
}
