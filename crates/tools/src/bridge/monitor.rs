//! `bridge monitor`: changes of links and forwarding databases as they happen.

use hairpin_netlink::bridge_mdb::{RTM_DELMDB, RTM_NEWMDB};
use hairpin_netlink::bridge_vlan::{RTM_DELVLAN, RTM_NEWVLAN};
use hairpin_netlink::codec::messages;
use hairpin_netlink::{Errno, Message, Received, SocketKind};

use super::{fail, fdb, link, mdb, vlan};
use crate::Signal;
use crate::iproute2::{Args, Context, Stop, matches};

/// `RTNLGRP_LINK` and `RTNLGRP_NEIGH` as bits.
const GROUP_LINK: u64 = 1;
const GROUP_NEIGH: u64 = 1 << 2;
/// `RTNLGRP_MDB`
const GROUP_MDB: u64 = 1 << 25;
/// `RTNLGRP_BRVLAN`
const GROUP_BRVLAN: u64 = 1 << 32;

pub(super) fn main(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    if context.options.timestamp {
        return Err(fail("bridge -timestamp monitor: not supported by hairpin yet\n"));
    }
    let mut groups = GROUP_LINK | GROUP_NEIGH | GROUP_MDB;
    let mut chosen = 0;
    let mut labels = false;
    while let Some(word) = args.take() {
        let is = |name| matches(word, name);
        if is("link") {
            chosen |= GROUP_LINK;
        } else if is("fdb") {
            chosen |= GROUP_NEIGH;
        } else if is("mdb") {
            chosen |= GROUP_MDB;
        } else if is("vlan") {
            chosen |= GROUP_BRVLAN;
        } else if word == "all" {
            labels = true;
            groups |= GROUP_BRVLAN;
        } else if is("help") {
            let usage = "Usage: bridge monitor [file | link | fdb | mdb | vlan | vni | all]\n";
            return Err(Stop::exit(255, usage));
        } else if is("file") || word == "vni" {
            return Err(fail(format!("bridge monitor {word}: not supported by hairpin yet\n")));
        } else {
            let text = format!("Argument \"{word}\" is unknown, try \"bridge monitor help\".\n");
            return Err(Stop::exit(255, text));
        }
    }
    if chosen != 0 {
        groups = chosen;
    }
    let refused = |errno: Errno| Stop::exit(1, format!("Cannot bind netlink socket: {errno}\n"));
    let fd = context.system.socket(SocketKind::RouteEvents { groups }).map_err(refused)?;
    context.learn_links()?;
    loop {
        match context.system.wait(&[fd], None, false) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(Stop::exit(2, format!("netlink receive error {errno}\n"))),
        }
        match context.shell.take_signal() {
            Some(Signal::Interrupt) => return Err(Stop::exit(130, "")),
            Some(Signal::Terminate) => return Err(Stop::exit(143, "")),
            Some(Signal::Quit) => return Err(Stop::exit(131, "")),
            None => {}
        }
        for item in context.system.receive(fd, 64).unwrap_or_default() {
            if let Received::Netlink(bytes) = item {
                for decoded in messages(&bytes) {
                    if matches!(decoded.header.kind, RTM_NEWMDB | RTM_DELMDB) {
                        if labels {
                            context.print.text(format_args!("[MDB]"));
                        }
                        mdb::print_event(context, decoded.payload, decoded.header.kind == RTM_DELMDB);
                    } else if matches!(decoded.header.kind, RTM_NEWVLAN | RTM_DELVLAN) {
                        if labels {
                            context.print.text(format_args!("[VLAN]"));
                        }
                        let deleted = decoded.header.kind == RTM_DELVLAN;
                        vlan::print_event(context, decoded.payload, deleted);
                    } else if let Ok(message) = decoded.message() {
                        print(context, &message, labels);
                    }
                }
            }
        }
    }
}

fn print(context: &mut Context<'_>, message: &Message, labels: bool) {
    let label = |context: &mut Context<'_>, label: &str| {
        if labels {
            context.print.text(format_args!("{label}"));
        }
    };
    match message {
        Message::NewLink(message) => {
            // What is known of other devices stays what it was when it was asked for, as in the real program.
            label(context, "[LINK]");
            link::print(context, message, false);
        }
        Message::DelLink(message) => {
            label(context, "[LINK]");
            link::print(context, message, true);
        }
        Message::NewNeighbour(entry) | Message::DelNeighbour(entry)
            if entry.header.family == hairpin_netlink::route::AddressFamily::Bridge =>
        {
            label(context, "[NEIGH]");
            let deleted = matches!(message, Message::DelNeighbour(_));
            fdb::print(context, entry, fdb::Filter::default(), deleted);
        }
        _ => {}
    }
}
