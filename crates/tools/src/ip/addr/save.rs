//! `ip address save`, `restore` and `showdump`: addresses as raw netlink messages behind a magic number.

use hairpin_netlink::codec::{NLM_F_CREATE, NLM_F_MULTI, encode, messages};
use hairpin_netlink::route::address::AddressMessage;
use hairpin_netlink::{Errno, Message};

use super::Address;
use crate::ip::filter::Filter;
use crate::ip::list;
use crate::iproute2::rtnl::refusal;
use crate::iproute2::{Args, Context, Stop};

const MAGIC: u32 = 0x4736_1222;

/// Writes the addresses of a link or of all; other selectors are read but not heeded, as in iproute2.
pub(super) fn save(context: &mut Context<'_>, args: Args<'_>) -> Result<(), Stop> {
    let (filter, _) = list::parse(context, args, list::Subject::Addresses)?;
    if context.shell.is_terminal() {
        return Err(Stop::exit(1, "Not sending a binary stream to stdout\n"));
    }
    let filter = Filter { family: context.options.family, index: filter.index, ..Filter::default() };
    let out = context.shell.out();
    if out.write_all(&MAGIC.to_ne_bytes()).and_then(|()| out.flush()).is_err() {
        return Err(Stop::exit(1, "Can't write magic to dump file\n"));
    }
    let addresses = list::dump_addresses(context, &filter)
        .map_err(|text| Stop::exit(1, format!("{text}Save terminated\n")))?;
    for address in addresses {
        let bytes = encode(&Message::NewAddress(address.message), NLM_F_MULTI, 1, 0);
        // As in C, a closed pipe is found out about by nobody here.
        let _ = context.shell.out().write_all(&bytes);
    }
    Err(Stop::exit(0, ""))
}

pub(super) fn restore(context: &mut Context<'_>) -> Result<(), Stop> {
    for address in read(context)? {
        let message = Message::NewAddress(address);
        if let Err(failure) = context.talk_quietly(&message, NLM_F_CREATE | NLM_F_MULTI) {
            let text = refusal(&failure);
            if failure.errno != Errno::EEXIST {
                return Err(Stop::exit(255, text));
            }
            context.complain(&text);
        }
    }
    Err(Stop::exit(0, ""))
}

pub(super) fn show_dump(context: &mut Context<'_>) -> Result<(), Stop> {
    let addresses = read(context)?;
    context.begin();
    context.print.open_object(None);
    context.print.open_array(Some("addr_info"));
    for address in addresses.into_iter().map(Address::from) {
        let index = address.index();
        context.print.open_object(None);
        context.print.any("index", index as i32, format_args!("if{index}:"));
        context.print.line();
        address.print(context, &Filter::default(), false);
        context.print.close_object();
    }
    context.print.close_array();
    context.print.close_object();
    context.end();
    Err(Stop::exit(0, ""))
}

fn read(context: &mut Context<'_>) -> Result<Vec<AddressMessage>, Stop> {
    let mut bytes = Vec::new();
    // What cannot be read is missing, which the magic number tells.
    let _ = context.shell.input().read_to_end(&mut bytes);
    let magic = bytes.first_chunk::<4>().map_or(0, |magic| u32::from_ne_bytes(*magic));
    if magic != MAGIC {
        let items = u8::from(bytes.len() >= 4);
        return Err(Stop::exit(255, format!("Magic mismatch ({items} elems, {magic:x} magic)\n")));
    }
    let body = bytes.get(4..).unwrap_or(&[]);
    let found = messages(body).filter_map(|decoded| match decoded.message() {
        Ok(Message::NewAddress(address)) => Some(address),
        _ => None,
    });
    Ok(found.collect())
}
