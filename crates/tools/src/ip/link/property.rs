//! `ip link property`: alternative names.

use hairpin_netlink::Message;
use hairpin_netlink::codec::{NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL};
use hairpin_netlink::route::link::{LinkAttribute, LinkMessage, Prop};

use super::usage;
use crate::iproute2::links::is_altname;
use crate::iproute2::{Args, Context, Stop, matches};

pub(super) fn main(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let Some(command) = args.take() else {
        return Err(usage());
    };
    if matches(command, "add") {
        let message = parse(context, args)?;
        context.talk(&Message::NewLinkProp(message), NLM_F_EXCL | NLM_F_CREATE | NLM_F_APPEND)?;
    } else if matches(command, "del") {
        let message = parse(context, args)?;
        context.talk(&Message::DelLinkProp(message), 0)?;
    } else if matches(command, "help") {
        return Err(usage());
    } else {
        return Err(Stop::exit(255, "Operator required\n"));
    }
    context.forget();
    Ok(())
}

fn parse(context: &mut Context<'_>, mut args: Args<'_>) -> Result<LinkMessage, Stop> {
    let mut names = Vec::new();
    let mut device = None;
    while let Some(mut word) = args.take() {
        if matches(word, "altname") {
            let name = args.value()?;
            if !is_altname(name) {
                return Err(Stop::invarg("not a valid altname", name));
            }
            names.push(Prop::AltIfName(name.to_owned()));
            continue;
        }
        if matches(word, "help") {
            return Err(usage());
        }
        if word == "dev" {
            word = args.value()?;
        }
        if device.is_some() {
            return Err(Stop::duparg2("dev", word));
        }
        if !is_altname(word) {
            return Err(Stop::invarg("\"dev\" not a valid ifname", word));
        }
        device = Some(word);
    }
    let Some(device) = device else {
        return Err(Stop::exit(255, "Not enough of information: \"dev\" argument is required.\n"));
    };
    let mut message = LinkMessage::default();
    message.header.interface_family = context.options.family.into();
    message.header.index = context.require_link(device)?;
    message.attributes.push(LinkAttribute::PropList(names));
    Ok(message)
}
