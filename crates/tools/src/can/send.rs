//! `cansend`: one frame.

use hairpin_netlink::{Address, Errno, SocketKind, SocketOption};

use super::{CANFD_MTU, text};
use crate::Program;
use crate::interfaces::Interfaces;

/// Why the program ends: what it says, and where.
enum Failed {
    Error(String),
    /// On standard output.
    Said(&'static str),
    Usage(&'static str),
}

/// `perror`
fn failed(call: &'static str) -> impl Fn(Errno) -> Failed {
    move |errno| Failed::Error(format!("{call}: {}\n", errno.text()))
}

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let Err(why) = send(program) else { return 0 };
    match why {
        Failed::Error(text) => {
            let _ = write!(program.shell.err(), "{text}");
        }
        Failed::Said(text) => {
            let _ = writeln!(program.shell.out(), "{text}");
        }
        Failed::Usage(text) => {
            let usage = usage(program.name);
            let _ = write!(program.shell.err(), "{text}{usage}");
        }
    }
    1
}

fn send(program: &mut Program<'_>) -> Result<(), Failed> {
    let [device, frame] = program.args else { return Err(Failed::Usage("")) };
    let mut frame = text::parse(frame).ok_or(Failed::Usage("\nWrong CAN-frame format!\n\n"))?;
    let socket = program.system.socket(SocketKind::CanRaw).map_err(failed("socket"))?;
    let interfaces = Interfaces::dump(program.system).map_err(|failure| failed("socket")(failure.errno))?;
    let interface = interfaces.by_name(device).ok_or_else(|| failed("if_nametoindex")(Errno::ENODEV))?;
    if frame.is_fd {
        if interface.mtu() as usize != CANFD_MTU {
            return Err(Failed::Said("CAN interface is not CAN FD capable - sorry."));
        }
        let able = program.system.set_option(socket, SocketOption::CanFdFrames(true));
        able.map_err(|_| Failed::Said("error when enabling CAN FD support"))?;
        frame.len = text::fd_length(frame.len);
    }
    // It does not listen.
    let _ = program.system.set_option(socket, SocketOption::CanFilters(Vec::new()));
    let address = Address::Can { ifindex: interface.index() };
    program.system.bind(socket, address).map_err(failed("bind"))?;
    program.system.send(socket, frame.to_bytes(), None).map_err(failed("write"))?;
    let _ = program.system.close(socket);
    Ok(())
}

fn usage(name: &str) -> String {
    format!(
        "{name} - send CAN-frames via CAN_RAW sockets.

Usage: {name} <device> <can_frame>.

<can_frame>:
 <can_id>#{{data}}          for 'classic' CAN 2.0 data frames
 <can_id>#R{{len}}          for 'classic' CAN 2.0 data frames
 <can_id>##<flags>{{data}}  for CAN FD frames

<can_id>:
 3 (SFF) or 8 (EFF) hex chars
{{data}}:
 0..8 (0..64 CAN FD) ASCII hex-values (optionally separated by '.')
{{len}}:
 an optional 0..8 value as RTR frames can contain a valid dlc field
<flags>:
 a single ASCII Hex value (0 .. F) which defines canfd_frame.flags

Examples:
  5A1#11.2233.44556677.88 / 123#DEADBEEF / 5AA# / 123##1 / 213##311223344 /
  1F334455#1122334455667788 / 123#R / 00000123#R3

"
    )
}
