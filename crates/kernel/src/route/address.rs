//! The routes that an address brings and takes along (`fib_add_ifaddr`, `fib_del_ifaddr`).

use std::net::Ipv4Addr;

use super::{
    fib::Fib,
    links::{InterfaceAddress, LinkState, Links},
    model::{PROTOCOL_KERNEL, Prefix, RouteKind, Scope, TABLE_LOCAL, TABLE_MAIN},
    nexthop::RouteSpec,
    table::{InsertMode, RouteChange},
};

impl InterfaceAddress {
    /// The subnet the address is in (of the peer, on a point-to-point link).
    pub fn prefix(&self) -> Prefix {
        Prefix::of(self.peer, self.prefix_length)
    }

    /// Whether there is a subnet to have a route for.
    fn has_subnet(&self) -> bool {
        let prefix = self.prefix();
        !prefix.address.is_unspecified() && (prefix.address != self.local || self.prefix_length < 32)
    }

    /// The broadcast address, unspecified where there is none.
    fn broadcast_or_zero(&self) -> Ipv4Addr {
        self.broadcast.unwrap_or(Ipv4Addr::UNSPECIFIED)
    }
}

impl Fib {
    /// An address was added and is in the device's list: its routes come, and dead ways out through the
    /// device revive. Returns what to announce.
    pub fn address_added(
        &mut self,
        ifindex: u32,
        added: &InterfaceAddress,
        links: &(impl Links + ?Sized),
    ) -> Vec<RouteChange> {
        let changes = self.add_address_routes(ifindex, links.addresses(ifindex), added, links);
        self.revive_dead(ifindex, links);
        changes
    }

    /// An address was deleted and is no longer in the device's list: its routes go, and with the last
    /// address every route through the device. Returns what to announce.
    pub fn address_removed(
        &mut self,
        ifindex: u32,
        removed: &InterfaceAddress,
        links: &(impl Links + ?Sized),
    ) -> Vec<RouteChange> {
        let rest = links.addresses(ifindex);
        let mut changes = self.remove_address_routes(ifindex, rest, removed, None, links);
        if rest.is_empty() {
            changes.extend(self.last_address_removed(ifindex));
        }
        changes
    }

    /// A device leaves the namespace, already down, with its addresses (`inetdev_destroy`,
    /// `NETDEV_UNREGISTER`): other than when each address is deleted, the routes of secondary ones go unannounced.
    /// `links` still knows the device and its addresses. Returns what to announce.
    pub fn device_destroyed(&mut self, ifindex: u32, links: &(impl Links + ?Sized)) -> Vec<RouteChange> {
        let mut changes = Vec::new();
        let mut rest = links.addresses(ifindex);
        while let Some((address, others)) = rest.split_first() {
            rest = others;
            changes.extend(self.remove_routes(ifindex, rest, address, Rest::Dying, links));
        }
        changes.extend(self.device_removed(ifindex));
        changes
    }

    /// One address of a device that loses IPv4 goes (`inetdev_destroy`); `rest` are those that are still to go. Returns what
    /// to announce: the routes of a secondary one, whose primary has gone before, are left for
    /// [`Fib::last_address_removed`].
    pub fn address_dies(
        &mut self,
        ifindex: u32,
        rest: &[InterfaceAddress],
        address: &InterfaceAddress,
        links: &(impl Links + ?Sized),
    ) -> Vec<RouteChange> {
        self.remove_routes(ifindex, rest, address, Rest::Dying, links)
    }

    /// `fib_add_ifaddr`: the routes of `address`, one of the device's `addresses`. Also for a secondary
    /// address whose subnet got a new primary.
    pub fn add_address_routes(
        &mut self,
        ifindex: u32,
        addresses: &[InterfaceAddress],
        address: &InterfaceAddress,
        links: &(impl Links + ?Sized),
    ) -> Vec<RouteChange> {
        let Some(link) = links.link(ifindex) else { return Vec::new() };
        let primary = if address.secondary {
            match primary_of(addresses, address) {
                Some(primary) => primary,
                None => return Vec::new(),
            }
        } else {
            address
        };
        let maker = Maker { ifindex, link, source: primary.local };
        let mut changes = Vec::new();
        let mut add = |spec: RouteSpec| {
            // Whatever is refused here (an address twice in the namespace) stays as it is.
            changes.extend(self.insert(&spec, InsertMode::APPEND, links).ok().flatten());
        };
        add(maker.spec(RouteKind::Local, Prefix::host(address.local), 0));
        if !link.up {
            return changes;
        }
        if let Some(broadcast) = address.broadcast.filter(|b| !b.is_broadcast() && !b.is_unspecified()) {
            add(maker.spec(RouteKind::Broadcast, Prefix::host(broadcast), 0));
        }
        if address.has_subnet() && !address.secondary {
            let prefix = address.prefix();
            if !address.no_prefix_route {
                add(maker.spec(maker.subnet_kind(), prefix, address.metric));
            }
            if address.prefix_length < 31 {
                add(maker.spec(RouteKind::Broadcast, Prefix::host(prefix.broadcast()), 0));
            }
        }
        changes
    }

    /// `fib_del_ifaddr`: deletes the routes of `removed` that no address of `addresses` needs. Where
    /// secondary addresses are promoted, `removed` is still an element of `addresses` and `old_primary` is
    /// the address whose subnet counts as gone already.
    pub fn remove_address_routes(
        &mut self,
        ifindex: u32,
        addresses: &[InterfaceAddress],
        removed: &InterfaceAddress,
        old_primary: Option<&InterfaceAddress>,
        links: &(impl Links + ?Sized),
    ) -> Vec<RouteChange> {
        self.remove_routes(ifindex, addresses, removed, Rest::Lives { old_primary }, links)
    }

    fn remove_routes(
        &mut self,
        ifindex: u32,
        addresses: &[InterfaceAddress],
        removed: &InterfaceAddress,
        rest: Rest<'_>,
        links: &(impl Links + ?Sized),
    ) -> Vec<RouteChange> {
        let Some(link) = links.link(ifindex) else { return Vec::new() };
        let old_primary = match rest {
            Rest::Lives { old_primary } => old_primary,
            Rest::Dying => None,
        };
        let primary = if removed.secondary {
            match primary_of(addresses, removed) {
                Some(primary) if old_primary.is_none_or(|old| old == primary) => primary,
                _ => return Vec::new(),
            }
        } else {
            removed
        };
        let subnet = !removed.secondary && removed.has_subnet();
        let needing = if let Rest::Dying = rest { &[] } else { addresses };
        let kept = Kept::among(needing, removed, primary, old_primary);
        let maker = Maker { ifindex, link, source: primary.local };
        let prefix = removed.prefix();
        let mut changes = Vec::new();
        let mut delete = |spec: RouteSpec| changes.extend(self.delete(&spec).ok());
        if subnet && !removed.no_prefix_route {
            delete(maker.spec(maker.subnet_kind(), prefix, 0));
        }
        if !kept.broadcast {
            delete(maker.spec(RouteKind::Broadcast, Prefix::host(removed.broadcast_or_zero()), 0));
        }
        if subnet && removed.prefix_length < 31 {
            if !kept.subnet_ones {
                delete(maker.spec(RouteKind::Broadcast, Prefix::host(prefix.broadcast()), 0));
            }
            if !kept.subnet_zeros {
                delete(maker.spec(RouteKind::Broadcast, Prefix::host(prefix.address), 0));
            }
        }
        if kept.local {
            return changes;
        }
        delete(maker.spec(RouteKind::Local, Prefix::host(removed.local), 0));
        let vrf_table = link.vrf.map(|vrf| vrf.table);
        let still_local =
            self.address_kind(removed.local, vrf_table.unwrap_or(TABLE_LOCAL)) == RouteKind::Local;
        if kept.gone && !still_local {
            changes.extend(self.local_address_removed(removed.local, vrf_table));
        }
        changes
    }

    /// The metric of an address' prefix route was changed (`fib_modify_prefix_metric`); `address` still has
    /// the old one.
    pub fn change_prefix_metric(
        &mut self,
        ifindex: u32,
        address: &InterfaceAddress,
        metric: u32,
        links: &(impl Links + ?Sized),
    ) -> Vec<RouteChange> {
        let Some(link) = links.link(ifindex).filter(|link| link.up) else { return Vec::new() };
        if address.secondary || address.no_prefix_route || !address.has_subnet() {
            return Vec::new();
        }
        let maker = Maker { ifindex, link, source: address.local };
        let spec = |metric| maker.spec(maker.subnet_kind(), address.prefix(), metric);
        let added = self.insert(&spec(metric), InsertMode::APPEND, links).ok().flatten();
        let removed = self.delete(&spec(address.metric)).ok();
        added.into_iter().chain(removed).collect()
    }
}

/// What becomes of the device's other addresses when one goes.
#[derive(Clone, Copy)]
enum Rest<'a> {
    /// They stay, all but the subnet of `old_primary`.
    Lives { old_primary: Option<&'a InterfaceAddress> },
    /// They go next (`in_dev->dead`).
    Dying,
}

/// What all routes of one address have in common (`fib_magic`).
struct Maker<'a> {
    ifindex: u32,
    link: LinkState<'a>,
    source: Ipv4Addr,
}

impl Maker<'_> {
    fn spec(&self, kind: RouteKind, prefix: Prefix, priority: u32) -> RouteSpec {
        let table = match self.link.vrf {
            Some(vrf) => vrf.table,
            None if kind == RouteKind::Unicast => TABLE_MAIN,
            None => TABLE_LOCAL,
        };
        RouteSpec {
            table,
            scope: if kind == RouteKind::Local { Scope::HOST } else { Scope::LINK },
            protocol: PROTOCOL_KERNEL,
            priority,
            preferred_source: Some(self.source),
            ifindex: self.ifindex,
            ..RouteSpec::new(kind, prefix)
        }
    }

    /// On the loopback device the whole subnet is this host.
    fn subnet_kind(&self) -> RouteKind {
        if self.link.loopback { RouteKind::Local } else { RouteKind::Unicast }
    }
}

/// Which routes of a removed address are still needed by another one.
struct Kept {
    local: bool,
    broadcast: bool,
    /// The subnet's broadcast address of all ones, and of all zeros.
    subnet_ones: bool,
    subnet_zeros: bool,
    /// The address itself is not in the list any more.
    gone: bool,
}

impl Kept {
    fn among(
        addresses: &[InterfaceAddress],
        removed: &InterfaceAddress,
        primary: &InterfaceAddress,
        old_primary: Option<&InterfaceAddress>,
    ) -> Kept {
        let subnet = removed.prefix();
        let (ones, zeros) = (subnet.broadcast(), subnet.address);
        let broadcast = removed.broadcast_or_zero();
        let mut kept =
            Kept { local: false, broadcast: false, subnet_ones: false, subnet_zeros: false, gone: true };
        // A primary address other than `primary` with the same IP was seen.
        let mut same_source = false;
        let mut other_primary: Option<&InterfaceAddress> = None;
        for other in addresses {
            if std::ptr::eq(other, removed) {
                kept.gone = false;
                continue;
            }
            if old_primary.is_some_and(|old| same_subnet(other, old)) {
                continue;
            }
            // Only addresses count whose routes have the same source.
            if !other.secondary {
                if primary.local != other.local {
                    continue;
                }
                other_primary = Some(other);
                same_source |= !std::ptr::eq(primary, other);
            } else if same_subnet(other, primary) {
                other_primary = Some(primary);
            } else {
                if !same_source {
                    continue;
                }
                if !other_primary.is_some_and(|found| same_subnet(other, found)) {
                    other_primary = primary_of(addresses, other);
                }
                if other_primary.is_none_or(|found| found.local != primary.local) {
                    continue;
                }
            }
            kept.local |= removed.local == other.local;
            kept.broadcast |= broadcast == other.broadcast_or_zero();
            kept.subnet_ones |= ones == other.broadcast_or_zero();
            kept.subnet_zeros |= zeros == other.broadcast_or_zero();
            let is_primary = other_primary.is_some_and(|found| std::ptr::eq(found, other));
            let theirs = other.prefix();
            if is_primary && other.prefix_length < 31 && !theirs.address.is_unspecified() {
                let among = |address: Ipv4Addr| [theirs.broadcast(), theirs.address].contains(&address);
                kept.broadcast |= among(broadcast);
                kept.subnet_ones |= among(ones);
                kept.subnet_zeros |= among(zeros);
            }
        }
        kept
    }
}

/// `inet_ifa_byprefix`: the primary address of the subnet that `address` is in.
fn primary_of<'a>(
    addresses: &'a [InterfaceAddress],
    address: &InterfaceAddress,
) -> Option<&'a InterfaceAddress> {
    addresses.iter().find(|other| same_subnet(other, address))
}

fn same_subnet(a: &InterfaceAddress, b: &InterfaceAddress) -> bool {
    a.prefix_length == b.prefix_length && a.prefix() == b.prefix()
}
