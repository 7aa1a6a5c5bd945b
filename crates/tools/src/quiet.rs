//! Front ends run from inside a program, with nothing around them: what they print is kept.

use std::io::{self, BufRead, Empty, Read, Write};

use hairpin_netlink::System;

use crate::{Program, Shell, Signal};

/// Runs one command line to its end. The answer is its exit code; 127 without such a front end.
pub fn run(system: &mut dyn System, shell: &mut QuietShell, argv: &[String]) -> i32 {
    let Some((name, args)) = argv.split_first() else { return 0 };
    match crate::find(name) {
        Some(main) => main(&mut Program { name, args, system, shell }),
        None => {
            shell.err.extend(format!("{name}: command not found\n").bytes());
            127
        }
    }
}

/// Keeps what a front end prints, and lets it do nothing else.
#[derive(Default)]
pub struct QuietShell {
    pub out: Vec<u8>,
    pub err: Vec<u8>,
    input: Empty,
}

fn nothing_here(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, format!("{what} here"))
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
