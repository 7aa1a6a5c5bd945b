//! `ifconfig` of net-tools 2.10.

mod set;
mod show;

use hairpin_netlink::System;

use crate::net_tools::resolve::Resolver;
use crate::net_tools::{OPTION_ERROR, family, hardware};
use crate::{Program, Shell};

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let mut ifconfig = Ifconfig {
        system: &mut *program.system,
        shell: &mut *program.shell,
        names: Resolver::default(),
        all: false,
        short: false,
        verbose: false,
        header: if program.name == "netstat" { show::NETSTAT_HEADER } else { show::SHORT_HEADER },
    };
    let mut words = program.args;
    while let Some((option, rest)) = words.split_first().filter(|(word, _)| word.starts_with('-')) {
        match option.as_str() {
            "-a" => ifconfig.all = true,
            "-s" => ifconfig.short = true,
            "-v" => ifconfig.verbose = true,
            "-V" | "-version" | "--version" => {
                ifconfig.print("net-tools 2.10\n");
                return 0;
            }
            "-?" | "-h" | "-help" | "--help" => return ifconfig.usage(0),
            other => {
                ifconfig.complain(&format!("ifconfig: option `{other}' not recognised."));
                ifconfig.complain("ifconfig: `--help' gives usage information.");
                return 1;
            }
        }
        words = rest;
    }
    match words.split_first() {
        None => ifconfig.show_all(),
        Some((name, [])) => ifconfig.show_one(name),
        Some((name, changes)) => ifconfig.change(name, changes),
    }
}

/// A run of ifconfig.
struct Ifconfig<'a> {
    system: &'a mut dyn System,
    shell: &'a mut dyn Shell,
    names: Resolver,
    /// `-a`: interfaces that are down too.
    all: bool,
    /// `-s`: a line an interface.
    short: bool,
    verbose: bool,
    /// What stands above the lines of `-s`.
    header: &'static str,
}

impl Ifconfig<'_> {
    fn complain(&mut self, text: &str) {
        let _ = writeln!(self.shell.err(), "{text}");
    }

    fn print(&mut self, text: &str) {
        let _ = self.shell.out().write_all(text.as_bytes());
    }

    fn usage(&mut self, code: i32) -> i32 {
        let parts: [(&str, String); 2] = [
            (USAGE, hardware::list(false)),
            (
                "  <AF>=Address family. Default: inet\n  List of possible address families:\n",
                family::list(false),
            ),
        ];
        for (text, list) in parts {
            // The lists go to standard error in any case.
            let to = if code == 0 { self.shell.out() } else { self.shell.err() };
            let _ = to.write_all(text.as_bytes());
            let _ = self.shell.err().write_all(list.as_bytes());
        }
        code
    }

    fn option_error(&mut self) -> i32 {
        self.usage(OPTION_ERROR)
    }
}

const USAGE: &str = "\
Usage:
  ifconfig [-a] [-v] [-s] <interface> [[<AF>] <address>]
  [add <address>[/<prefixlen>]]
  [del <address>[/<prefixlen>]]
  [[-]broadcast [<address>]]  [[-]pointopoint [<address>]]
  [netmask <address>]  [dstaddr <address>]  [tunnel <address>]
  [outfill <NN>] [keepalive <NN>]
  [hw <HW> <address>]  [mtu <NN>]
  [[-]trailers]  [[-]arp]  [[-]allmulti]
  [multicast]  [[-]promisc]
  [mem_start <NN>]  [io_addr <NN>]  [irq <NN>]  [media <type>]
  [txqueuelen <NN>]
  [name <newname>]
  [[-]dynamic]
  [up|down] ...

  <HW>=Hardware Type.
  List of possible hardware types:
";
