//! `ip nexthop add` and `replace`.

use hairpin_netlink::nexthop::{GROUP_MULTIPATH, Member, NexthopMessage, RTM_NEWNEXTHOP};

use super::{device, id, usage};
use crate::iproute2::inet::{AF_INET, get_addr, read_family};
use crate::iproute2::names::Table;
use crate::iproute2::number::get_u32;
use crate::iproute2::{Args, Context, Stop, matches};

/// `RTNH_F_ONLINK`
const ONLINK: u32 = 4;

/// Makes a next hop, or another of one, by the flags of the request.
pub(super) fn modify(context: &mut Context<'_>, mut args: Args<'_>, flags: u16) -> Result<(), Stop> {
    let mut request = NexthopMessage { family: context.options.family, ..NexthopMessage::default() };
    while let Some(word) = args.take() {
        match word {
            "id" => request.id = Some(id(&mut args)?),
            "dev" => {
                request.ifindex = Some(device(context, &mut args)?);
                adopt_family(&mut request, AF_INET);
            }
            "via" => {
                let mut text = args.value()?;
                let mut family = request.family;
                if let Some(named) = read_family(text) {
                    family = named;
                    text = args.value()?;
                }
                let prefix = get_addr(text, family)?;
                adopt_family(&mut request, prefix.family);
                request.gateway = prefix.address;
            }
            "encap" => return Err(lacking("encap")),
            "blackhole" => {
                request.blackhole = true;
                adopt_family(&mut request, AF_INET);
            }
            "fdb" => request.fdb = true,
            "onlink" => request.flags |= ONLINK,
            "group" => request.group = Some(group(args.value()?)?),
            "type" => {
                request.group_type = Some(match args.value()? {
                    "mpath" => GROUP_MULTIPATH,
                    "resilient" => return Err(lacking("type resilient")),
                    text => return Err(Stop::invarg("\"type\" value is invalid\n", text)),
                });
            }
            word if matches(word, "protocol") => {
                let text = args.value()?;
                let protocol = context.id_of(Table::Protocol, text).and_then(|id| u8::try_from(id).ok());
                request.protocol =
                    protocol.ok_or_else(|| Stop::invarg("\"protocol\" value is invalid\n", text))?;
            }
            word if matches(word, "help") => return Err(usage()),
            word => return Err(Stop::invarg("", word)),
        }
    }
    context.talk_raw(RTM_NEWNEXTHOP, &request.emit(), flags)
}

fn lacking(what: &str) -> Stop {
    Stop::fail(1, format!("ip nexthop: {what} is not supported by hairpin yet\n"))
}

fn adopt_family(request: &mut NexthopMessage, family: u8) {
    if request.family == 0 {
        request.family = family;
    }
}

/// `ID[,WEIGHT]/ID[,WEIGHT]/…`
fn group(text: &str) -> Result<Vec<Member>, Stop> {
    let member = |part: &str| {
        let (number, weight) = part.split_once(',').map_or((part, None), |(id, weight)| (id, Some(weight)));
        let id = get_u32(number, 0).ok_or_else(|| {
            // By now the separators of the first member have been cut off.
            let shown = text.split(['/', ',']).next().unwrap_or("");
            Stop::invarg("\"group\" value is invalid\n", shown)
        })?;
        let weight = match weight {
            None => 1,
            Some(weight) => get_u32(weight, 0)
                .filter(|number| (1..=256).contains(number))
                .ok_or_else(|| Stop::invarg("\"weight\" is invalid\n", weight))?,
        };
        Ok(Member { id, weight: (weight - 1) as u8 })
    };
    text.split('/').map(member).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_ids_with_weights() {
        assert_eq!(group("1/20,256"), Ok(vec![Member { id: 1, weight: 0 }, Member { id: 20, weight: 255 }]));
        let refused = |text: &str| group(text).unwrap_err().text;
        assert!(refused("20/").contains("argument \"20\" is wrong: \"group\""));
        assert!(refused("5,0").contains("argument \"0\" is wrong: \"weight\""));
        assert!(refused("20,2,3").contains("argument \"2,3\" is wrong: \"weight\""));
        assert!(refused("/").contains("argument \"\" is wrong: \"group\""));
    }
}
