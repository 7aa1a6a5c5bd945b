//! `ip route`

use hairpin_netlink::codec::{NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use hairpin_netlink::route::route::RouteMessage;

use self::filter::Filter;
use self::modify::Change;
use crate::iproute2::{Args, Context, Stop, matches};

mod encap;
mod filter;
mod get;
mod metrics;
pub(in crate::ip) mod modify;
pub(in crate::ip) mod print;
mod save;
mod show;
mod view;

const RT_TABLE_MAIN: u32 = 254;
const RT_TABLE_LOCAL: u32 = 255;
const RTPROT_BOOT: u8 = 3;
const RT_SCOPE_UNIVERSE: u8 = 0;

const USAGE: &str = "\
Usage: ip route { list | flush } SELECTOR
       ip route save SELECTOR
       ip route restore
       ip route showdump
       ip route get [ ROUTE_GET_FLAGS ] ADDRESS
                            [ from ADDRESS iif STRING ]
                            [ oif STRING ] [ tos TOS ]
                            [ mark NUMBER ] [ vrf NAME ]
                            [ uid NUMBER ] [ ipproto PROTOCOL ]
                            [ sport NUMBER ] [ dport NUMBER ]
       ip route { add | del | change | append | replace } ROUTE
SELECTOR := [ root PREFIX ] [ match PREFIX ] [ exact PREFIX ]
            [ table TABLE_ID ] [ vrf NAME ] [ proto RTPROTO ]
            [ type TYPE ] [ scope SCOPE ]
ROUTE := NODE_SPEC [ INFO_SPEC ]
NODE_SPEC := [ TYPE ] PREFIX [ tos TOS ]
             [ table TABLE_ID ] [ proto RTPROTO ]
             [ scope SCOPE ] [ metric METRIC ]
             [ ttl-propagate { enabled | disabled } ]
INFO_SPEC := { NH | nhid ID } OPTIONS FLAGS [ nexthop NH ]...
NH := [ encap ENCAPTYPE ENCAPHDR ] [ via [ FAMILY ] ADDRESS ]
      [ dev STRING ] [ weight NUMBER ] NHFLAGS
FAMILY := [ inet | inet6 | mpls | bridge | link ]
OPTIONS := FLAGS [ mtu NUMBER ] [ advmss NUMBER ] [ as [ to ] ADDRESS ]
           [ rtt TIME ] [ rttvar TIME ] [ reordering NUMBER ]
           [ window NUMBER ] [ cwnd NUMBER ] [ initcwnd NUMBER ]
           [ ssthresh NUMBER ] [ realms REALM ] [ src ADDRESS ]
           [ rto_min TIME ] [ hoplimit NUMBER ] [ initrwnd NUMBER ]
           [ features FEATURES ] [ quickack BOOL ] [ congctl NAME ]
           [ pref PREF ] [ expires TIME ] [ fastopen_no_cookie BOOL ]
TYPE := { unicast | local | broadcast | multicast | throw |
          unreachable | prohibit | blackhole | nat }
TABLE_ID := [ local | main | default | all | NUMBER ]
SCOPE := [ host | link | global | NUMBER ]
NHFLAGS := [ onlink | pervasive ]
RTPROTO := [ kernel | boot | static | NUMBER ]
PREF := [ low | medium | high ]
TIME := NUMBER[s|ms]
BOOL := [1|0]
FEATURES := ecn
ENCAPTYPE := [ mpls | ip | ip6 | seg6 | seg6local | rpl | ioam6 | xfrm ]
ENCAPHDR := [ MPLSLABEL | SEG6HDR | SEG6LOCAL | IOAM6HDR | XFRMINFO ]
SEG6HDR := [ mode SEGMODE ] segs ADDR1,ADDRi,ADDRn [hmac HMACKEYID] [cleanup]
SEGMODE := [ encap | encap.red | inline | l2encap | l2encap.red ]
SEG6LOCAL := action ACTION [ OPTIONS ] [ count ]
ACTION := { End | End.X | End.T | End.DX2 | End.DX6 | End.DX4 |
            End.DT6 | End.DT4 | End.DT46 | End.B6 | End.B6.Encaps |
            End.BM | End.S | End.AS | End.AM | End.BPF }
OPTIONS := OPTION [ OPTIONS ]
OPTION := { flavors FLAVORS | srh SEG6HDR | nh4 ADDR | nh6 ADDR | iif DEV | oif DEV |
            table TABLEID | vrftable TABLEID | endpoint PROGNAME }
FLAVORS := { FLAVOR[,FLAVOR] }
FLAVOR := { psp | usp | usd | next-csid }
IOAM6HDR := trace prealloc type IOAM6_TRACE_TYPE ns IOAM6_NAMESPACE size IOAM6_TRACE_SIZE
XFRMINFO := if_id IF_ID [ link_dev LINK ]
ROUTE_GET_FLAGS := [ fibmatch ]
";

/// Runs `ip route` with the arguments behind the object.
pub(super) fn main(ctx: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let Some(command) = args.take() else {
        return show::list(ctx, args);
    };
    let add = |flags| Change::Add { flags };
    // The order decides what an ambiguous abbreviation means.
    if matches(command, "add") {
        modify::main(ctx, add(NLM_F_CREATE | NLM_F_EXCL), args)
    } else if matches(command, "change") || command == "chg" {
        modify::main(ctx, add(NLM_F_REPLACE), args)
    } else if matches(command, "replace") {
        modify::main(ctx, add(NLM_F_CREATE | NLM_F_REPLACE), args)
    } else if matches(command, "prepend") {
        modify::main(ctx, add(NLM_F_CREATE), args)
    } else if matches(command, "append") {
        modify::main(ctx, add(NLM_F_CREATE | NLM_F_APPEND), args)
    } else if matches(command, "test") {
        modify::main(ctx, add(NLM_F_EXCL), args)
    } else if matches(command, "delete") {
        modify::main(ctx, Change::Delete, args)
    } else if ["list", "show", "lst"].iter().any(|word| matches(command, word)) {
        show::list(ctx, args)
    } else if matches(command, "get") {
        get::main(ctx, args)
    } else if matches(command, "flush") {
        show::flush(ctx, args)
    } else if matches(command, "save") {
        save::save(ctx, args)
    } else if matches(command, "restore") {
        save::restore(ctx)
    } else if matches(command, "showdump") {
        save::show_dump(ctx)
    } else if matches(command, "help") {
        Err(usage())
    } else {
        Err(Stop::exit(255, format!("Command \"{command}\" is unknown, try \"ip route help\".\n")))
    }
}

/// Prints a route that a monitor heard of.
pub(super) fn print_event(ctx: &mut Context<'_>, device: u32, message: &RouteMessage, deleted: bool) {
    let mut filter = Filter::of_device(device);
    if filter.takes(ctx.options.family, message) {
        print::print_route(ctx, &filter, message, deleted);
    }
}

fn usage() -> Stop {
    Stop::exit(255, USAGE)
}
