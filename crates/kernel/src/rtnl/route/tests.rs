//! Requests that `ip` does not send, and requests that make no sense. What Linux 6.1 says to those of `ip`
//! is in the recorded sessions of `route/tests`.

use hairpin_netlink::{
    Errno, Failure,
    codec::{NLM_F_CREATE, NLM_F_EXCL},
    route::{
        AddressFamily,
        route::{
            RouteAttribute, RouteFlags, RouteMessage, RouteMetric, RouteNextHop, RouteNextHopFlags,
            RouteProtocol, RouteScope, RouteType, RouteVia,
        },
    },
};

use super::{del_route, dump_routes, get_route, new_route};
use crate::route::RouteChange;
use crate::route::object::Objects;
use crate::route::tests::world::{World, address};

/// `v0` (ifindex 3) has 10.0.0.1/24 and is up.
fn world() -> World {
    let mut world = World::new();
    for device in [1, 2, 3] {
        world.set_up(device, true);
    }
    world.add_address(3, address("10.0.0.1", 24, crate::route::Scope::UNIVERSE)).unwrap();
    world
}

/// `ip route add 20.0.0.0/8 dev v0`
fn request() -> RouteMessage {
    let mut message = RouteMessage::default();
    message.header.address_family = AddressFamily::Inet;
    message.header.destination_prefix_length = 8;
    message.header.table = 254;
    message.header.protocol = RouteProtocol::Boot;
    message.header.scope = RouteScope::Link;
    message.header.kind = RouteType::Unicast;
    message.attributes.push(RouteAttribute::Destination([20, 0, 0, 0].into_address()));
    message.attributes.push(RouteAttribute::Oif(3));
    message
}

trait IntoAddress {
    fn into_address(self) -> hairpin_netlink::route::route::RouteAddress;
}

impl IntoAddress for [u8; 4] {
    fn into_address(self) -> hairpin_netlink::route::route::RouteAddress {
        std::net::Ipv4Addr::from(self).into()
    }
}

fn refused(change: impl FnOnce(&mut RouteMessage)) -> Failure {
    let mut world = world();
    let mut message = request();
    change(&mut message);
    new_route(&mut world.fib, &world.devices, &Objects::default(), &message, NLM_F_CREATE | NLM_F_EXCL)
        .unwrap_err()
}

fn text(failure: Failure) -> String {
    failure.text.unwrap_or_default()
}

#[test]
fn a_plain_request_is_granted_and_announced() {
    let mut world = world();
    let made =
        new_route(&mut world.fib, &world.devices, &Objects::default(), &request(), NLM_F_CREATE | NLM_F_EXCL)
            .unwrap();
    assert_eq!(made.len(), 1);
    assert_eq!(made[0].flags, NLM_F_CREATE | NLM_F_EXCL);
    assert!(matches!(
        del_route(&mut world.fib, &Objects::default(), &request()),
        Ok(RouteChange::Removed(_))
    ));
    assert_eq!(del_route(&mut world.fib, &Objects::default(), &request()).unwrap_err(), Errno::ESRCH.into());
}

#[test]
fn senseless_headers_are_refused() {
    let other_family = refused(|m| m.header.address_family = AddressFamily::Inet6);
    assert_eq!(other_family, Errno::EOPNOTSUPP.into());
    assert_eq!(text(refused(|m| m.header.destination_prefix_length = 33)), "Invalid prefix length");
    assert_eq!(
        text(refused(|m| m.header.destination_prefix_length = 3)),
        "Invalid prefix for given prefix length"
    );
    assert_eq!(text(refused(|m| m.header.kind = RouteType::Other(12))), "Invalid route type");
    assert_eq!(text(refused(|m| m.header.kind = RouteType::Nat)), "Invalid scope");
    assert_eq!(text(refused(|m| m.header.tos = 1)), "Invalid dsfield (tos): ECN bits must be 0");
    assert_eq!(
        text(refused(|m| m.header.flags = RouteFlags::Dead)),
        "Invalid rtm_flags - can not contain DEAD or LINKDOWN"
    );
    assert_eq!(
        text(refused(|m| m.header.flags = RouteFlags::Pervasive)),
        "Invalid flags for nexthop - PERVASIVE and ONLINK can not be set"
    );
}

#[test]
fn senseless_attributes_are_refused() {
    assert_eq!(text(refused(|m| m.attributes.push(RouteAttribute::NhId(4)))), NEXTHOP_AND_ID);
    assert_eq!(
        text(refused(|m| {
            m.attributes.pop();
            m.attributes.push(RouteAttribute::NhId(4));
        })),
        "Nexthop id does not exist"
    );
    assert_eq!(
        text(refused(|m| {
            m.attributes.push(RouteAttribute::Gateway([10, 0, 0, 9].into_address()));
            m.attributes.push(RouteAttribute::Via(RouteVia::Inet([10, 0, 0, 9].into())));
        })),
        "Nexthop configuration can not contain both GATEWAY and VIA"
    );
    assert_eq!(
        text(refused(|m| m
            .attributes
            .push(RouteAttribute::Via(RouteVia::Inet6("fe80::1".parse().unwrap()))))),
        "IPv6 support not enabled in kernel"
    );
    let metric = |metric| text(refused(|m| m.attributes.push(RouteAttribute::Metrics(vec![metric]))));
    assert_eq!(metric(RouteMetric::CcAlgo("none".to_owned())), "Unknown tcp congestion algorithm");
    assert_eq!(
        metric(RouteMetric::Features(1 << 20)),
        "Unknown flag set in feature mask in metrics attribute"
    );
}

const NEXTHOP_AND_ID: &str = "Nexthop specification and nexthop id are mutually exclusive";

#[test]
fn senseless_nexthops_are_refused() {
    let multipath = |members: Vec<RouteNextHop>| {
        refused(|m| {
            m.attributes.truncate(1);
            m.header.scope = RouteScope::Universe;
            m.attributes.push(RouteAttribute::MultiPath(members));
        })
    };
    let member = |ifindex, flags| {
        let mut member = RouteNextHop::default();
        member.interface_index = ifindex;
        member.flags = flags;
        member
    };
    assert_eq!(multipath(vec![]), Errno::EINVAL.into());
    assert_eq!(
        text(multipath(vec![member(3, RouteNextHopFlags::Linkdown)])),
        "Invalid flags for nexthop - can not contain DEAD or LINKDOWN"
    );
    assert_eq!(multipath(vec![member(99, RouteNextHopFlags::empty())]), Errno::ENODEV.into());
    let both = refused(|m| {
        m.attributes.push(RouteAttribute::MultiPath(vec![member(5, RouteNextHopFlags::empty())]));
    });
    assert_eq!(text(both), "Nexthop device index does not match RTA_OIF");
    let host = refused(|m| {
        m.header.scope = RouteScope::Host;
        m.attributes.push(RouteAttribute::Gateway([10, 0, 0, 9].into_address()));
    });
    assert_eq!(text(host), "Route with host scope can not have a gateway");
}

#[test]
fn strict_dumps_check_their_request() {
    let world = world();
    let dump = |change: fn(&mut RouteMessage), strict| {
        let mut message = RouteMessage::default();
        message.header.address_family = AddressFamily::Inet;
        change(&mut message);
        dump_routes(&world.fib, &world.devices, &message, strict)
    };
    let complaint = |change| text(dump(change, true).unwrap_err());
    assert_eq!(complaint(|m| m.header.tos = 4), "Invalid values in header for FIB dump request");
    assert_eq!(complaint(|m| m.header.flags = RouteFlags::Notify), "Invalid flags for FIB dump request");
    assert_eq!(
        complaint(|m| m.attributes.push(RouteAttribute::Priority(1))),
        "Unsupported attribute in dump request"
    );
    assert_eq!(complaint(|m| m.header.table = 99), "ipv4: FIB table does not exist");
    assert_eq!(dump(|m| m.attributes.push(RouteAttribute::Oif(99)), true).unwrap_err(), Errno::ENODEV.into());
    let all = dump(|_| {}, true).unwrap();
    assert!(!all.filtered && all.messages.len() == 6, "{all:?}");
    // Without the strict check filters are for the asking program to apply.
    let unfiltered = dump(|m| m.header.table = 99, false).unwrap();
    assert_eq!(unfiltered.messages, all.messages);
    let main = dump(|m| m.header.table = 254, true).unwrap();
    assert!(main.filtered && main.messages.len() == 1);
    let other_family = |m: &mut RouteMessage| {
        m.header.address_family = AddressFamily::Unspec;
        m.header.table = 99;
    };
    assert!(dump(other_family, true).unwrap().messages.is_empty());
    assert!(dump(|m| m.header.flags = RouteFlags::Cloned, true).unwrap().messages.is_empty());
}

#[test]
fn strict_gets_check_their_request() {
    let world = world();
    let get = |change: fn(&mut RouteMessage), strict| {
        let mut message = RouteMessage::default();
        message.header.address_family = AddressFamily::Inet;
        message.header.destination_prefix_length = 32;
        message.attributes.push(RouteAttribute::Destination([10, 0, 0, 9].into_address()));
        change(&mut message);
        get_route(&world.fib, &world.devices, &message, 0, strict)
    };
    assert!(get(|_| {}, true).is_ok());
    let complaint = |change| text(get(change, true).unwrap_err());
    let header = "ipv4: Invalid values in header for route get request";
    assert_eq!(complaint(|m| m.header.table = 254), header);
    assert_eq!(complaint(|m| m.header.destination_prefix_length = 24), header);
    assert_eq!(
        complaint(|m| m.header.destination_prefix_length = 0),
        "ipv4: rtm_src_len and rtm_dst_len must be 32 for IPv4"
    );
    assert_eq!(
        complaint(|m| m.header.flags = RouteFlags::Cloned),
        "ipv4: Unsupported rtm_flags for route get request"
    );
    assert_eq!(
        complaint(|m| m.attributes.push(RouteAttribute::Priority(1))),
        "ipv4: Unsupported attribute in route get request"
    );
    assert_eq!(complaint(|m| m.attributes.push(RouteAttribute::IpProto(99))), "Unsupported ip proto");
    assert!(get(|m| m.header.table = 254, false).is_ok());
    let nowhere = get(|m| m.attributes.push(RouteAttribute::Iif(99)), true);
    assert_eq!(nowhere.unwrap_err(), Errno::ENODEV.into());
}
