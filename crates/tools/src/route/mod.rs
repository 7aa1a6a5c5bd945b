//! `route` of net-tools 2.10: shows and changes the main routing table of IPv4.

mod edit;
mod show;

use hairpin_netlink::System;

use crate::getopt::{Getopt, Item, Long, Value};
use crate::net_tools::resolve::Resolver;
use crate::net_tools::{OPTION_ERROR, family};
use crate::{Program, Shell};

const SHORT: &str = "A:eCFhnN64Vv?";

const LONG: &[Long] = &[
    ("ax25", Value::None, 'u'),
    ("x25", Value::None, 'u'),
    ("ip", Value::None, '4'),
    ("ipx", Value::None, 'u'),
    ("appletalk", Value::None, 'u'),
    ("netrom", Value::None, 'u'),
    ("inet", Value::None, '4'),
    ("inet6", Value::None, '6'),
    ("ddp", Value::None, 'u'),
    ("rose", Value::None, 'u'),
    ("unix", Value::None, 'u'),
    ("bluetooth", Value::None, 'u'),
    ("tcpip", Value::None, '4'),
    ("extend", Value::None, 'e'),
    ("verbose", Value::None, 'v'),
    ("version", Value::None, 'V'),
    ("numeric", Value::None, 'n'),
    ("symbolic", Value::None, 'N'),
    ("protocol", Value::Required, 'A'),
    ("cache", Value::None, 'C'),
    ("fib", Value::None, 'F'),
    ("help", Value::None, 'h'),
];

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    // `-net` and `-host` are no clusters of options.
    let marked = |word: &String| match word.as_str() {
        "-net" => "#net".to_owned(),
        "-host" => "#host".to_owned(),
        _ => word.clone(),
    };
    let args: Vec<String> = program.args.iter().map(marked).collect();
    let mut options = Getopt::new(program.name, &args, SHORT, LONG);
    let mut route = Route {
        system: &mut *program.system,
        shell: &mut *program.shell,
        names: Resolver::default(),
        numeric: false,
        cache: false,
        fib: false,
        extend: 1,
    };
    let (mut help, mut inet) = (false, false);
    while let Some(item) = options.next() {
        let unsupported = match item {
            Item::Option('n', _) => {
                route.numeric = true;
                None
            }
            Item::Option('N' | 'v', _) => None,
            Item::Option('e', _) => {
                route.extend += 1;
                None
            }
            Item::Option('C', _) => {
                route.cache = true;
                None
            }
            Item::Option('F', _) => {
                route.fib = true;
                None
            }
            Item::Option('4', _) | Item::Option('A', Some("inet" | "ip" | "tcpip")) => {
                inet = true;
                None
            }
            Item::Option('A', Some(name)) if family::is_known(name) => Some(name),
            Item::Option('A', name) => {
                route.complain(&format!("Unknown address family `{}'.", name.unwrap_or("")));
                return 1;
            }
            Item::Option('6', _) => Some("inet6"),
            Item::Option('V', _) => {
                let _ = route.shell.out().write_all(VERSION.as_bytes());
                return 0;
            }
            Item::Option('h' | '?', _) => {
                help = true;
                None
            }
            Item::Option(..) => Some("that address family"),
            Item::Error(text) => {
                route.complain(&text);
                help = true;
                None
            }
        };
        if let Some(name) = unsupported {
            route.complain(&format!("route: {name} is not supported by hairpin yet"));
            return 1;
        }
    }
    let operands = options.operands();
    if help {
        return if inet { edit::usage(&mut route, 0) } else { route.usage(0) };
    }
    match operands.split_first() {
        None => route.show(),
        Some((&"add", words)) => route.edit(edit::Action::Add, words),
        Some((&("del" | "delete"), words)) => route.edit(edit::Action::Delete, words),
        Some((&"flush", _)) => {
            route.complain("Flushing `inet' routing table not supported");
            edit::usage(&mut route, OPTION_ERROR)
        }
        Some(_) => route.usage(OPTION_ERROR),
    }
}

/// A run of route.
struct Route<'a> {
    system: &'a mut dyn System,
    shell: &'a mut dyn Shell,
    names: Resolver,
    numeric: bool,
    cache: bool,
    fib: bool,
    /// 1 and one more for each `-e`.
    extend: u32,
}

impl Route<'_> {
    fn complain(&mut self, text: &str) {
        let _ = writeln!(self.shell.err(), "{text}");
    }

    fn print(&mut self, text: &str) {
        let _ = self.shell.out().write_all(text.as_bytes());
    }

    fn usage(&mut self, code: i32) -> i32 {
        // The list goes to standard error in any case.
        let text = if code == 0 { self.shell.out() } else { self.shell.err() };
        let _ = text.write_all(USAGE.as_bytes());
        let _ = self.shell.err().write_all(family::list(true).as_bytes());
        code
    }
}

const VERSION: &str = "\
net-tools 2.10
+NEW_ADDRT +RTF_IRTT +RTF_REJECT +I18N +SELINUX
AF: (inet) +UNIX +INET +INET6 +IPX +AX25 +NETROM +X25 +ATALK +ECONET +ROSE -BLUETOOTH
HW:  +ETHER +ARC +SLIP +PPP +TUNNEL -TR +AX25 +NETROM +X25 +FR +ROSE +ASH +SIT +FDDI +HIPPI +HDLC/LAPB +EUI64 
";

const USAGE: &str = "\
Usage: route [-nNvee] [-FC] [<AF>]           List kernel routing tables
       route [-v] [-FC] {add|del|flush} ...  Modify routing table for AF.

       route {-h|--help} [<AF>]              Detailed usage syntax for specified AF.
       route {-V|--version}                  Display version/author and exit.

        -v, --verbose            be verbose
        -n, --numeric            don't resolve names
        -e, --extend             display other/more information
        -F, --fib                display Forwarding Information Base (default)
        -C, --cache              display routing cache instead of FIB

  <AF>=Use -4, -6, '-A <af>' or '--<af>'; default: inet
  List of possible address families (which support routing):
";
