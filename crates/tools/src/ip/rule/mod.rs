//! `ip rule` and `ip mrule`

use hairpin_netlink::Message;
use hairpin_netlink::codec::{NLM_F_CREATE, NLM_F_MULTI, encode, messages};
use hairpin_netlink::route::rule::RuleMessage;

use self::filter::Filter;
use crate::iproute2::inet::{AF_INET, AF_INET6, AF_UNSPEC};
use crate::iproute2::number::strtoul;
use crate::iproute2::rtnl::refusal;
use crate::iproute2::{Args, Context, Stop, matches};

mod filter;
mod modify;
mod print;

/// Families of the rules for multicast forwarding.
const RTNL_FAMILY_IPMR: u8 = 128;
const RTNL_FAMILY_IP6MR: u8 = 129;

/// In front of saved rules.
const MAGIC: u32 = 0x7170_6986;

const USAGE: &str = "\
Usage: ip rule { add | del } SELECTOR ACTION
       ip rule { flush | save | restore }
       ip rule [ list [ SELECTOR ]]
SELECTOR := [ not ] [ from PREFIX ] [ to PREFIX ] [ tos TOS ]
            [ fwmark FWMARK[/MASK] ]
            [ iif STRING ] [ oif STRING ] [ pref NUMBER ] [ l3mdev ]
            [ uidrange NUMBER-NUMBER ]
            [ ipproto PROTOCOL ]
            [ sport [ NUMBER | NUMBER-NUMBER ]
            [ dport [ NUMBER | NUMBER-NUMBER ] ]
ACTION := [ table TABLE_ID ]
          [ protocol PROTO ]
          [ nat ADDRESS ]
          [ realms [SRCREALM/]DSTREALM ]
          [ goto NUMBER ]
          SUPPRESSOR
SUPPRESSOR := [ suppress_prefixlength NUMBER ]
              [ suppress_ifgroup DEVGROUP ]
TABLE_ID := [ local | main | default | NUMBER ]
";

/// Runs `ip rule` with the arguments behind the object.
pub(super) fn main(ctx: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let Some(command) = args.take() else {
        return list(ctx, args);
    };
    // The order decides what an ambiguous abbreviation means.
    if ["list", "lst", "show"].iter().any(|word| matches(command, word)) {
        list(ctx, args)
    } else if matches(command, "save") {
        save(ctx, args)
    } else if matches(command, "restore") {
        restore(ctx)
    } else if matches(command, "add") {
        modify::main(ctx, true, args)
    } else if matches(command, "delete") {
        modify::main(ctx, false, args)
    } else if matches(command, "flush") {
        flush(ctx, args)
    } else if matches(command, "help") {
        Err(usage())
    } else {
        Err(Stop::exit(255, format!("Command \"{command}\" is unknown, try \"ip rule help\".\n")))
    }
}

/// `ip mrule`: the rules for multicast forwarding.
pub(super) fn multicast(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Stop> {
    ctx.options.family = match ctx.options.family {
        AF_UNSPEC | AF_INET => RTNL_FAMILY_IPMR,
        AF_INET6 => RTNL_FAMILY_IP6MR,
        family @ (RTNL_FAMILY_IPMR | RTNL_FAMILY_IP6MR) => family,
        family => {
            let text = format!("Multicast rules are only supported for IPv4/IPv6, was: {family}\n");
            return Err(Stop::exit(255, text));
        }
    };
    main(ctx, args)
}

/// Prints a rule that a monitor heard of.
pub(super) fn print_event(ctx: &mut Context<'_>, message: &RuleMessage, deleted: bool) {
    let family = ctx.options.family;
    if family == 0 || family == u8::from(message.header.family) {
        print::print_rule(ctx, message, deleted);
    }
}

/// `ip rule list`
fn list(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Stop> {
    let filter = filter::parse(ctx, args)?;
    ctx.begin();
    for rule in dump(ctx, &filter)? {
        print::print_rule(ctx, &rule, false);
    }
    ctx.end();
    Ok(())
}

/// `ip rule flush`: all but the rule of priority 0.
fn flush(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Stop> {
    let filter = filter::parse(ctx, args)?;
    ctx.begin();
    for rule in dump(ctx, &filter)? {
        if filter.flushes(&rule) {
            ctx.talk(&Message::DelRule(rule), 0)
                .map_err(|stop| Stop::fail(255, stop.text + "Dump terminated\n"))?;
        }
    }
    ctx.end();
    Ok(())
}

/// `ip rule save`: raw messages behind a magic number.
fn save(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Stop> {
    if !args.is_empty() {
        return Err(Stop::fail(1, "\"ip rule save\" does not take any arguments.\n"));
    }
    if ctx.shell.is_terminal() {
        return Err(Stop::fail(1, "Not sending a binary stream to stdout\n"));
    }
    let out = ctx.shell.out();
    if out.write_all(&MAGIC.to_ne_bytes()).and_then(|()| out.flush()).is_err() {
        return Err(Stop::fail(1, "Can't write magic to dump file\n"));
    }
    let filter = filter::parse(ctx, args)?;
    for rule in dump(ctx, &filter)? {
        let _ = ctx.shell.out().write_all(&encode(&Message::NewRule(rule), NLM_F_MULTI, 1, 0));
    }
    Ok(())
}

/// `ip rule restore`
fn restore(ctx: &mut Context<'_>) -> Result<(), Stop> {
    let mut bytes = Vec::new();
    let _ = ctx.shell.input().read_to_end(&mut bytes);
    let magic = bytes.first_chunk::<4>().map_or(0, |magic| u32::from_ne_bytes(*magic));
    if magic != MAGIC {
        let items = u8::from(bytes.len() >= 4);
        return Err(Stop::exit(255, format!("Magic mismatch ({items} elems, {magic:x} magic)\n")));
    }
    for decoded in messages(bytes.get(4..).unwrap_or(&[])) {
        let Ok(Message::NewRule(rule)) = decoded.message() else { continue };
        if let Err(failure) = ctx.talk_quietly(&Message::NewRule(rule), NLM_F_CREATE | NLM_F_MULTI) {
            let text = refusal(&failure);
            if failure.errno != hairpin_netlink::Errno::EEXIST {
                return Err(Stop::exit(255, text));
            }
            ctx.complain(&text);
        }
    }
    Ok(())
}

/// The rules of the options' family, or IPv4's, that a filter takes.
fn dump(ctx: &mut Context<'_>, filter: &Filter) -> Result<Vec<RuleMessage>, Stop> {
    let mut request = RuleMessage::default();
    request.header.family = filter.dump_family().into();
    let messages = ctx
        .dump_or_text(&Message::GetRule(request))
        .map_err(|text| Stop::fail(255, text + "Dump terminated\n"))?;
    Ok(messages
        .into_iter()
        .filter_map(|message| match message {
            Message::NewRule(rule) if filter.takes(&rule) => Some(rule),
            _ => None,
        })
        .collect())
}

/// Two numbers with a hyphen between them; the second may be missing.
fn range(text: &str) -> (Option<u64>, Option<u64>) {
    match strtoul(text, 10) {
        None => (None, None),
        Some((start, rest)) => {
            let end = rest.strip_prefix('-').and_then(|rest| strtoul(rest, 10));
            (Some(start), end.map(|(end, _)| end))
        }
    }
}

/// `NUMBER-NUMBER` of users.
fn uid_range(text: &str) -> Option<(u32, u32)> {
    match range(text) {
        (Some(start), Some(end)) => Some((start as u32, end as u32)),
        _ => None,
    }
}

/// `NUMBER` or `NUMBER-NUMBER` of ports.
fn port_range(text: &str) -> Option<(u16, u16)> {
    let (start, end) = range(text);
    start.map(|start| (start as u16, end.unwrap_or(start) as u16))
}

fn usage() -> Stop {
    Stop::exit(255, USAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        assert_eq!(port_range("80"), Some((80, 80)));
        assert_eq!(port_range("80-90"), Some((80, 90)));
        assert_eq!(port_range("x"), None);
        assert_eq!(uid_range("1-2"), Some((1, 2)));
        assert_eq!(uid_range("1"), None);
    }
}
