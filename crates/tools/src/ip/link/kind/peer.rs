//! `type veth peer ...` and `type vxcan peer ...`

use hairpin_netlink::Fd;
use hairpin_netlink::route::link::LinkMessage;

use super::help;
use crate::ip::link::modify::Parser;
use crate::iproute2::{Args, Context, Stop};

/// The other end takes the arguments of a link of its own.
pub(super) fn parse(
    context: &mut Context<'_>,
    kind: &str,
    args: &mut Args<'_>,
    create: bool,
    opened: &mut Vec<Fd>,
) -> Result<LinkMessage, Stop> {
    if !args.take_if("peer") {
        // The usage goes to standard output, unlike that of other kinds.
        context.print.text(format_args!("{}", help(kind).unwrap_or_default()));
        return Err(Stop::silent(1));
    }
    let mut peer = Parser::new(create, opened).parse(context, args)?;
    peer.message.header.interface_family = Default::default();
    match peer.kind {
        Some(kind) => Err(Stop::duparg("type", &kind)),
        None => Ok(peer.message),
    }
}
