//! `ip address flush`: deletes what it finds until it finds nothing (iproute2's `ipaddr_flush`).

use hairpin_netlink::{Errno, Message};

use super::flags::IFA_F_SECONDARY;
use crate::ip::list;
use crate::iproute2::inet::AF_PACKET;
use crate::iproute2::rtnl::refusal;
use crate::iproute2::{Args, Context, Stop};

pub(super) fn flush(context: &mut Context<'_>, args: Args<'_>) -> Result<(), Stop> {
    if args.is_empty() {
        return Err(Stop::fail(1, "Flush requires arguments.\n"));
    }
    if context.options.family == AF_PACKET {
        return Err(Stop::fail(1, "Cannot flush link addresses.\n"));
    }
    let (filter, _) = list::parse(context, args, list::Subject::Addresses)?;
    let limit = context.options.flush_loops;
    let talks = context.options.stats > 0;
    // Flushing primary addresses takes one round: later ones would delete secondary addresses that were
    // promoted.
    let primary_only = filter.flag_mask & IFA_F_SECONDARY != 0 && filter.flags & IFA_F_SECONDARY == 0;
    let mut round = 0;
    let mut done = false;
    while !done && (limit == 0 || round < limit) {
        let addresses = list::dump_addresses(context, &filter)
            .map_err(|text| Stop::exit(1, format!("{text}Flush terminated\n")))?;
        let mut flushed = Vec::new();
        for address in addresses {
            let on_link = filter.index == 0 || filter.index == address.index();
            if on_link && address.selected(context, &filter) {
                if context.options.stats > 1 {
                    address.print(context, &filter, true);
                }
                flushed.push(address.message);
            }
        }
        if flushed.is_empty() {
            break;
        }
        round += 1;
        let count = flushed.len();
        for message in flushed {
            delete(context, message)?;
        }
        if talks {
            context.print.text(format_args!("\n*** Round {round}, deleting {count} addresses ***\n"));
        }
        done = primary_only;
        if !done && limit != 0 && round >= limit {
            return Err(Stop::fail(255, format!("*** Flush remains incomplete after {limit} rounds. ***\n")));
        }
    }
    if talks && round == 0 {
        context.print.text(format_args!("Nothing to flush.\n"));
    } else if talks {
        let plural = if round > 1 { "s" } else { "" };
        context.print.text(format_args!("*** Flush is complete after {round} round{plural} ***\n"));
    }
    Ok(())
}

/// The kernel deletes secondary addresses with their primary one, so one may be gone already.
fn delete(
    context: &mut Context<'_>,
    message: hairpin_netlink::route::address::AddressMessage,
) -> Result<(), Stop> {
    match context.talk_quietly(&Message::DelAddress(message), 0) {
        Err(failure) if failure.errno != Errno::EADDRNOTAVAIL => Err(Stop::fail(
            255,
            format!("{}Failed to send flush request: {}\n", refusal(&failure), failure.errno),
        )),
        _ => Ok(()),
    }
}
