//! `arp` of net-tools 2.10: shows and changes the neighbour table of IPv4.

mod change;
mod show;

use std::net::Ipv4Addr;

use hairpin_netlink::System;

use crate::getopt::{Getopt, Item, Long, Value};
use crate::interfaces::cut;
use crate::net_tools::hardware::{self, Hardware};
use crate::net_tools::resolve::{Resolver, not_resolved};
use crate::net_tools::{OPTION_ERROR, family};
use crate::{Program, Shell};

const SHORT: &str = "A:H:adfp:nsei:t:vh?DNV";

const LONG: &[Long] = &[
    ("verbose", Value::None, 'v'),
    ("version", Value::None, 'V'),
    ("all", Value::None, 'a'),
    ("delete", Value::None, 'd'),
    ("file", Value::None, 'f'),
    ("numeric", Value::None, 'n'),
    ("set", Value::None, 's'),
    ("protocol", Value::Required, 'A'),
    ("hw-type", Value::Required, 'H'),
    ("device", Value::Required, 'i'),
    ("help", Value::None, 'h'),
    ("use-device", Value::None, 'D'),
    ("symbolic", Value::None, 'N'),
];

/// What every failure that is not one of usage ends with.
const FAILED: i32 = 255;

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let args = program.args;
    let mut options = Getopt::new(program.name, args, SHORT, LONG);
    let mut arp = Arp {
        system: &mut *program.system,
        shell: &mut *program.shell,
        names: Resolver::default(),
        numeric: false,
        verbose: false,
        table: false,
        all: false,
        hardware_of_device: false,
        hardware: None,
        device: String::new(),
    };
    let mut action = Action::Show;
    while let Some(item) = options.next() {
        match item {
            Item::Option('a', _) => {
                action = Action::Show;
                arp.all = true;
            }
            Item::Option('f', _) => action = Action::File,
            Item::Option('d', _) => action = Action::Delete,
            Item::Option('s', _) => action = Action::Set,
            Item::Option('e', _) => arp.table = true,
            Item::Option('n', _) => arp.numeric = true,
            Item::Option('D', _) => arp.hardware_of_device = true,
            Item::Option('N', _) => arp.complain("arp: -N not yet supported."),
            Item::Option('v', _) => arp.verbose = true,
            Item::Option('A' | 'p', name) => {
                let name = name.unwrap_or("");
                if !family::is_known(name) {
                    arp.complain(&format!("arp: {name}: unknown address family."));
                    return FAILED;
                }
                if name != "inet" {
                    arp.complain(&format!("arp: {name}: kernel only supports 'inet'."));
                    return FAILED;
                }
            }
            Item::Option('H' | 't', name) => {
                let name = name.unwrap_or("");
                arp.hardware = hardware::by_name(name);
                if arp.hardware.is_none() {
                    arp.complain(&format!("arp: {name}: unknown hardware type."));
                    return FAILED;
                }
            }
            Item::Option('i', name) => cut(name.unwrap_or("")).clone_into(&mut arp.device),
            Item::Option('V', _) => {
                let _ = arp.shell.out().write_all(VERSION.as_bytes());
                return 0;
            }
            Item::Option('h', _) => return arp.usage(0),
            Item::Option(..) => return arp.usage(OPTION_ERROR),
            Item::Error(text) => {
                arp.complain(&text);
                return arp.usage(OPTION_ERROR);
            }
        }
    }
    if let Some(hardware) = arp.hardware.filter(|hardware| !hardware.has_arp) {
        arp.complain(&format!("arp: {}: hardware type without ARP support.", hardware.name));
        return FAILED;
    }
    let operands = options.operands();
    let outcome = match action {
        Action::Show => {
            arp.table |= !arp.all;
            arp.show(operands.first().copied())
        }
        Action::File => arp.file(operands.first().copied().unwrap_or("/etc/ethers")),
        Action::Delete => arp.delete(&operands),
        Action::Set => arp.set(&operands),
    };
    match outcome {
        Ok(()) => 0,
        Err(Failed::Reported) => FAILED,
        Err(Failed::Usage) => arp.usage(OPTION_ERROR),
    }
}

enum Action {
    Show,
    File,
    Delete,
    Set,
}

enum Failed {
    /// With its text written already.
    Reported,
    Usage,
}

/// A run of arp.
struct Arp<'a> {
    system: &'a mut dyn System,
    shell: &'a mut dyn Shell,
    names: Resolver,
    numeric: bool,
    verbose: bool,
    /// `-e` and the default: a table.
    table: bool,
    /// `-a`: one sentence an entry.
    all: bool,
    hardware_of_device: bool,
    hardware: Option<&'static Hardware>,
    device: String,
}
impl Arp<'_> {
    fn complain(&mut self, text: &str) {
        let _ = writeln!(self.shell.err(), "{text}");
    }

    fn fail<T>(&mut self, text: &str) -> Result<T, Failed> {
        self.complain(text);
        Err(Failed::Reported)
    }

    fn print(&mut self, text: &str) {
        let _ = self.shell.out().write_all(text.as_bytes());
    }

    fn usage(&mut self, code: i32) -> i32 {
        // Lists of types go to standard error in any case.
        let text = if code == 0 { self.shell.out() } else { self.shell.err() };
        let _ = text.write_all(USAGE.as_bytes());
        let _ = self.shell.err().write_all(hardware::list(true).as_bytes());
        code
    }

    fn address(&mut self, host: &str) -> Result<Ipv4Addr, Failed> {
        match self.names.resolve(self.shell, host, false) {
            Some(resolved) => Ok(resolved.address),
            None => self.fail(&format!("{host}: {}", not_resolved(host, false))),
        }
    }
}

const VERSION: &str = "\
net-tools 2.10
+I18N +SELINUX
AF: (inet) +UNIX +INET +INET6 +IPX +AX25 +NETROM +X25 +ATALK +ECONET +ROSE -BLUETOOTH
HW: (ether) +ETHER +ARC +SLIP +PPP +TUNNEL -TR +AX25 +NETROM +X25 +FR +ROSE +ASH +SIT +FDDI +HIPPI +HDLC/LAPB +EUI64 
";

const USAGE: &str = "\
Usage:
  arp [-vn]  [<HW>] [-i <if>] [-a] [<hostname>]             <-Display ARP cache
  arp [-v]          [-i <if>] -d  <host> [pub]               <-Delete ARP entry
  arp [-vnD] [<HW>] [-i <if>] -f  [<filename>]            <-Add entry from file
  arp [-v]   [<HW>] [-i <if>] -s  <host> <hwaddr> [temp]            <-Add entry
  arp [-v]   [<HW>] [-i <if>] -Ds <host> <if> [netmask <nm>] pub          <-''-

        -a                       display (all) hosts in alternative (BSD) style
        -e                       display (all) hosts in default (Linux) style
        -s, --set                set a new ARP entry
        -d, --delete             delete a specified entry
        -v, --verbose            be verbose
        -n, --numeric            don't resolve names
        -i, --device             specify network interface (e.g. eth0)
        -D, --use-device         read <hwaddr> from given device
        -A, -p, --protocol       specify protocol family
        -f, --file               read new entries from file or from /etc/ethers

  <HW>=Use '-H <hw>' to specify hardware address type. Default: ether
  List of possible hardware types (which support ARP):
";
