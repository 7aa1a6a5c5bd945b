//! One netlink request and its answer (`rtnetlink_rcv_msg`).

use std::cell::Cell;

use hairpin_netlink::bridge_mdb::{RTM_DELMDB, RTM_GETMDB, RTM_NEWMDB};
use hairpin_netlink::bridge_vlan::{RTM_DELVLAN, RTM_GETSTATS, RTM_GETVLAN, RTM_NEWVLAN};
use hairpin_netlink::codec::{self, Decoded, NLM_F_DUMP, NLM_F_DUMP_FILTERED, NLM_F_MULTI};
use hairpin_netlink::netconf::RTM_GETNETCONF;
use hairpin_netlink::nexthop::{RTM_DELNEXTHOP, RTM_GETNEXTHOP, RTM_NEWNEXTHOP};
use hairpin_netlink::route::{AddressFamily, route::RouteFlags};
use hairpin_netlink::tc::{RTM_DELQDISC, RTM_GETQDISC, RTM_NEWQDISC};
use hairpin_netlink::{Answer, Errno, Failure, Message};

use crate::netns::NsId;
use crate::world::World;

use super::{Dump, link, route, rule};

/// Who asks: a task in a namespace, with the namespaces that it has opened.
pub(crate) struct Asker<'a> {
    pub ns: NsId,
    /// The namespace behind a descriptor of the task.
    pub opened: &'a dyn Fn(u32) -> Option<NsId>,
}

/// `NLM_F_BULK` of a delete request: everything that fits goes.
const NLM_F_BULK: u16 = 0x200;

impl World {
    /// Answers every request in a buffer, as a netlink socket with `NETLINK_EXT_ACK` and
    /// `NETLINK_GET_STRICT_CHK` would.
    pub(crate) fn rtnetlink(&mut self, asker: &Asker<'_>, request: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.nlmon_tap(asker.ns, request);
        for decoded in codec::messages(request) {
            let answer = self.answer(asker, &decoded);
            self.nlmon_tap(asker.ns, &answer);
            bytes.extend(answer);
            self.run();
        }
        bytes
    }

    fn answer(&mut self, asker: &Asker<'_>, decoded: &Decoded<'_>) -> Vec<u8> {
        let mut answer = Answer::new(decoded.header);
        let dump = decoded.header.flags & NLM_F_DUMP == NLM_F_DUMP;
        if link::is_link_request(decoded.header.kind) && !(dump && decoded.header.kind == link::RTM_GETLINK) {
            // What is wrong with an attribute decides the error, so the typed form does not do here.
            let outcome = self.rtnl_link(asker, decoded, &mut answer);
            return answer.end(outcome);
        }
        if let Some(outcome) = self.rtnl_untyped(asker, decoded, &mut answer) {
            return match outcome {
                Ok(()) if dump => answer.done(),
                Err(failure) if dump => answer.broken_off(failure),
                outcome => answer.end(outcome),
            };
        }
        let message = match decoded.message() {
            Ok(message) => message,
            Err(errno) => return answer.end(Err(errno.into())),
        };
        if dump && is_get(&message) {
            return match self.dump(asker, &message) {
                Ok(dump) => {
                    let filtered = if dump.filtered { NLM_F_DUMP_FILTERED } else { 0 };
                    for message in &dump.messages {
                        answer.push_flagged(message, NLM_F_MULTI | filtered);
                    }
                    answer.done()
                }
                Err(failure) => answer.broken_off(failure),
            };
        }
        let outcome = self.perform_request(asker, &message, decoded, &mut answer);
        answer.end(outcome)
    }

    /// Requests for which there are no typed messages; none for another.
    fn rtnl_untyped(
        &mut self,
        asker: &Asker<'_>,
        decoded: &Decoded<'_>,
        answer: &mut Answer,
    ) -> Option<Result<(), Failure>> {
        match decoded.header.kind {
            RTM_NEWVLAN | RTM_DELVLAN | RTM_GETVLAN | RTM_GETSTATS => {
                Some(self.rtnl_vlan(asker.ns, decoded, answer))
            }
            RTM_NEWMDB | RTM_DELMDB | RTM_GETMDB => Some(self.rtnl_mdb(asker.ns, decoded, answer)),
            RTM_GETNETCONF => Some(self.rtnl_netconf(asker.ns, decoded, answer)),
            RTM_NEWNEXTHOP | RTM_DELNEXTHOP | RTM_GETNEXTHOP => {
                Some(self.rtnl_nexthop(asker.ns, decoded, answer))
            }
            RTM_NEWQDISC | RTM_DELQDISC | RTM_GETQDISC => Some(self.rtnl_qdisc(asker.ns, decoded, answer)),
            _ => None,
        }
    }

    fn dump(&mut self, asker: &Asker<'_>, message: &Message) -> Result<Dump, Failure> {
        let ns = asker.ns;
        match message {
            Message::GetLink(message) => self.dump_links(ns, message),
            Message::GetAddress(message) => self.dump_addresses(ns, message),
            Message::GetNeighbour(message) if message.header.family == AddressFamily::Bridge => {
                Ok(self.dump_fdb(ns, message))
            }
            Message::GetNeighbour(message) => Ok(self.dump_neighbours(ns, message)),
            Message::GetRoute(message) => match message.header.address_family {
                AddressFamily::Inet | AddressFamily::Unspec => {
                    let (links, fib) = self.links_and_fib(ns)?;
                    let mut dump = route::dump_routes(fib, &links, message, true)?;
                    if message.header.flags.contains(RouteFlags::Cloned) {
                        let known = self.routes.exceptions.used(ns, self.now);
                        let messages = route::exception_messages(fib, &known, self.now);
                        dump.messages.extend(messages.into_iter().map(Message::NewRoute));
                    }
                    if message.header.address_family == AddressFamily::Unspec {
                        dump.messages.extend(self.dump_routes6(ns, message)?.messages);
                    }
                    Ok(dump)
                }
                AddressFamily::Inet6 => self.dump_routes6(ns, message),
                _ => Ok(Dump { messages: Vec::new(), filtered: false }),
            },
            Message::GetRule(message) => match message.header.family {
                AddressFamily::Inet => {
                    rule::dump_rules(self.fib.get(ns).ok_or(Errno::ENODEV)?, message, true)
                }
                AddressFamily::Inet6 => {
                    rule::dump_rules(self.fib6.get(ns).ok_or(Errno::ENODEV)?, message, true)
                }
                AddressFamily::Unspec => {
                    let mut dump = rule::dump_rules(self.fib.get(ns).ok_or(Errno::ENODEV)?, message, true)?;
                    let more = rule::dump_rules(self.fib6.get(ns).ok_or(Errno::ENODEV)?, message, true)?;
                    dump.messages.extend(more.messages);
                    Ok(dump)
                }
                _ => Ok(Dump { messages: Vec::new(), filtered: false }),
            },
            Message::GetNsId(_) => Ok(self.dump_nsids(ns)),
            Message::GetNeighbourTable(message) => Ok(self.dump_neighbour_tables(ns, message)),
            // Nothing of these kinds exists here, so there is nothing to list.
            Message::GetTrafficClass(_) | Message::GetTrafficFilter(_) => {
                Ok(Dump { messages: Vec::new(), filtered: false })
            }
            _ => Err(Errno::EOPNOTSUPP.into()),
        }
    }

    fn perform_request(
        &mut self,
        asker: &Asker<'_>,
        message: &Message,
        decoded: &Decoded<'_>,
        answer: &mut Answer,
    ) -> Result<(), Failure> {
        let ns = asker.ns;
        let flags = decoded.header.flags;
        match message {
            Message::NewAddress(message) => self.new_address(ns, message, flags),
            Message::DelAddress(message) => self.del_address(ns, message),
            Message::NewNeighbour(message) if message.header.family == AddressFamily::Bridge => {
                self.new_fdb(ns, message, flags)
            }
            Message::DelNeighbour(message) if message.header.family == AddressFamily::Bridge => {
                if flags & NLM_F_BULK != 0 {
                    return self.flush_fdb(ns, message);
                }
                self.del_fdb(ns, message)
            }
            Message::GetNeighbour(message) if message.header.family == AddressFamily::Bridge => {
                let found = self.get_fdb(ns, message)?;
                answer.push(&Message::NewNeighbour(found), false);
                Ok(())
            }
            Message::NewNeighbour(message) => self.new_neighbour(ns, message, flags),
            Message::DelNeighbour(message) => self.del_neighbour(ns, message),
            Message::GetNeighbour(message) => {
                let found = self.get_neighbour(ns, message)?;
                answer.push(&Message::NewNeighbour(found), false);
                Ok(())
            }
            Message::NewRoute(message) if message.header.address_family == AddressFamily::Inet => {
                let notices = {
                    let (links, fib) = self.links_and_fib_mut(ns)?;
                    route::new_route(fib, &links, &links.netns.nexthops, message, flags)?
                };
                self.announce(ns, &notices);
                Ok(())
            }
            Message::NewRoute(message) if message.header.address_family == AddressFamily::Inet6 => {
                self.new_route6(ns, message, flags)
            }
            Message::DelRoute(message) if message.header.address_family == AddressFamily::Inet6 => {
                self.del_route6(ns, message)
            }
            Message::GetRoute(message) if message.header.address_family == AddressFamily::Inet6 => {
                let found = self.get_route6(ns, message)?;
                answer.push(&Message::NewRoute(found), false);
                Ok(())
            }
            Message::DelRoute(message) if message.header.address_family == AddressFamily::Inet => {
                let fib = self.fib.get_mut(ns).ok_or(Errno::ENODEV)?;
                let objects = &self.netns.get(ns).ok_or(Errno::ENODEV)?.nexthops;
                let change = route::del_route(fib, objects, message)?;
                self.notify_routes(ns, &[change]);
                Ok(())
            }
            Message::GetRoute(message) if message.header.address_family == AddressFamily::Inet => {
                let (links, fib) = self.links_and_fib(ns)?;
                let used = Cell::new(None);
                let learned = |destination, found: &crate::route::FibResult<'_>| {
                    let known = self.routes.exceptions.find(ns, destination, found, self.now)?;
                    used.set(Some((destination, known.way)));
                    Some((*known, self.now))
                };
                let found = route::get_route_learned(fib, &links, message, (0, true), &learned)?;
                if let Some((destination, way)) = used.get() {
                    self.routes.exceptions.mark_used(ns, destination, way);
                }
                answer.push(&Message::NewRoute(found), false);
                Ok(())
            }
            Message::NewRule(message) if message.header.family == AddressFamily::Inet => {
                let notices = {
                    let (links, fib) = self.links_and_fib_mut(ns)?;
                    rule::new_rule(fib, &links, message, flags)?
                };
                self.announce(ns, &notices);
                Ok(())
            }
            Message::SetNeighbourTable(message) => self.set_neighbour_table(ns, message),
            Message::NewRule(message) if message.header.family == AddressFamily::Inet6 => {
                let netns = self.netns.get(ns).ok_or(Errno::ENODEV)?;
                let fib = self.fib6.get_mut(ns).ok_or(Errno::ENODEV)?;
                let links = crate::links::NsLinks { devs: &self.devs, netns };
                let notices = rule::new_rule(fib, &links, message, flags)?;
                self.announce(ns, &notices);
                Ok(())
            }
            Message::DelRule(message) if message.header.family == AddressFamily::Inet6 => {
                let fib = self.fib6.get_mut(ns).ok_or(Errno::ENODEV)?;
                let notices = rule::del_rule(fib, message)?;
                self.announce(ns, &notices);
                Ok(())
            }
            Message::DelRule(message) if message.header.family == AddressFamily::Inet => {
                let fib = self.fib.get_mut(ns).ok_or(Errno::ENODEV)?;
                let notices = rule::del_rule(fib, message)?;
                self.announce(ns, &notices);
                Ok(())
            }
            Message::NewNsId(message) => self.new_nsid(ns, message, asker.opened),
            Message::GetNsId(message) => {
                let found = self.get_nsid(ns, message, asker.opened)?;
                answer.push(&Message::NewNsId(found), false);
                Ok(())
            }
            _ => Err(Errno::EOPNOTSUPP.into()),
        }
    }

    fn links_and_fib(&self, ns: NsId) -> Result<(crate::links::NsLinks<'_>, &crate::route::Fib), Failure> {
        let links = self.links(ns).ok_or(Errno::ENODEV)?;
        let fib = self.fib.get(ns).ok_or(Errno::ENODEV)?;
        Ok((links, fib))
    }

    fn links_and_fib_mut(
        &mut self,
        ns: NsId,
    ) -> Result<(crate::links::NsLinks<'_>, &mut crate::route::Fib), Failure> {
        let netns = self.netns.get(ns).ok_or(Errno::ENODEV)?;
        let fib = self.fib.get_mut(ns).ok_or(Errno::ENODEV)?;
        Ok((crate::links::NsLinks { devs: &self.devs, netns }, fib))
    }
}

fn is_get(message: &Message) -> bool {
    matches!(
        message,
        Message::GetLink(_)
            | Message::GetAddress(_)
            | Message::GetNeighbour(_)
            | Message::GetRoute(_)
            | Message::GetRule(_)
            | Message::GetNsId(_)
            | Message::GetNeighbourTable(_)
            | Message::GetTrafficClass(_)
            | Message::GetTrafficFilter(_)
    )
}
