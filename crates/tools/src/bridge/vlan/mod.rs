//! `bridge vlan`: VLANs of bridges and their ports.

mod change;
mod show;

use crate::iproute2::{Args, Context, Stop, matches};

pub(super) use show::print_event;

/// `IFNAMSIZ`: the width of names.
const NAME_WIDTH: usize = 16;
/// `VLAN_ID_LEN`
const VLAN_WIDTH: usize = 9;

pub(super) fn main(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    context.learn_links()?;
    context.options.timestamp = false;
    let Some(command) = args.take() else {
        return show::show(context, args, show::Subject::Vlans);
    };
    let is = |name| matches(command, name);
    if is("add") {
        change::modify(context, args, false)
    } else if is("delete") {
        change::modify(context, args, true)
    } else if is("show") || is("lst") || is("list") {
        show::show(context, args, show::Subject::Vlans)
    } else if is("tunnelshow") {
        show::show(context, args, show::Subject::Tunnels)
    } else if is("set") {
        change::set_options(context, args)
    } else if command == "global" {
        match args.take() {
            None => show::show_global(context, args),
            Some("show" | "lst" | "list") => show::show_global(context, args),
            Some("set") => change::set_global_options(context, args),
            Some(_) => Err(usage()),
        }
    } else if is("help") {
        Err(usage())
    } else {
        Err(Stop::exit(255, format!("Command \"{command}\" is unknown, try \"bridge vlan help\".\n")))
    }
}

fn usage() -> Stop {
    Stop::exit(255, USAGE)
}

const USAGE: &str = "\
Usage: bridge vlan { add | del } vid VLAN_ID dev DEV [ tunnel_info id TUNNEL_ID ]
                                                     [ pvid ] [ untagged ]
                                                     [ self ] [ master ]
       bridge vlan { set } vid VLAN_ID dev DEV [ state STP_STATE ]
                                               [ mcast_router MULTICAST_ROUTER ]
       bridge vlan { show } [ dev DEV ] [ vid VLAN_ID ]
       bridge vlan { tunnelshow } [ dev DEV ] [ vid VLAN_ID ]
       bridge vlan global { set } vid VLAN_ID dev DEV
                      [ mcast_snooping MULTICAST_SNOOPING ]
                      [ mcast_querier MULTICAST_QUERIER ]
                      [ mcast_igmp_version IGMP_VERSION ]
                      [ mcast_mld_version MLD_VERSION ]
                      [ mcast_last_member_count LAST_MEMBER_COUNT ]
                      [ mcast_last_member_interval LAST_MEMBER_INTERVAL ]
                      [ mcast_startup_query_count STARTUP_QUERY_COUNT ]
                      [ mcast_startup_query_interval STARTUP_QUERY_INTERVAL ]
                      [ mcast_membership_interval MEMBERSHIP_INTERVAL ]
                      [ mcast_querier_interval QUERIER_INTERVAL ]
                      [ mcast_query_interval QUERY_INTERVAL ]
                      [ mcast_query_response_interval QUERY_RESPONSE_INTERVAL ]
       bridge vlan global { show } [ dev DEV ] [ vid VLAN_ID ]
";
