//! Requests that `ip` does not send. What Linux 6.1 says to those of `ip` is in the recorded sessions of
//! `route/tests`.

use hairpin_netlink::{
    Errno, Failure,
    codec::{NLM_F_CREATE, NLM_F_EXCL},
    route::{
        AddressFamily,
        rule::{RuleAction, RuleAttribute, RuleFlags, RuleMessage},
    },
};

use super::{del_rule, dump_rules, new_rule};
use crate::route::{Flow, LookupError, tests::world::World};

/// `ip rule add table 100`
fn request() -> RuleMessage {
    let mut message = RuleMessage::default();
    message.header.family = AddressFamily::Inet;
    message.header.action = RuleAction::ToTable;
    message.header.table = 100;
    message
}

fn add(world: &mut World, change: impl FnOnce(&mut RuleMessage)) -> Result<(), Failure> {
    let mut message = request();
    change(&mut message);
    new_rule(&mut world.fib, &world.devices, &message, NLM_F_CREATE | NLM_F_EXCL).map(|_| ())
}

fn refused(change: impl FnOnce(&mut RuleMessage)) -> String {
    add(&mut World::new(), change).unwrap_err().text.unwrap_or_default()
}

#[test]
fn senseless_rules_are_refused() {
    assert_eq!(refused(|m| m.header.family = AddressFamily::Inet6), "Rule family not supported");
    assert_eq!(refused(|m| m.header.src_len = 8), "Invalid source address");
    assert_eq!(refused(|m| m.header.dst_len = 8), "Invalid dst address");
    assert_eq!(
        refused(|m| {
            m.header.dst_len = 33;
            m.attributes.push(RuleAttribute::Destination([10, 0, 0, 0].into()));
        }),
        "Invalid dst address"
    );
    assert_eq!(refused(|m| m.attributes.push(RuleAttribute::Goto(5))), "Unexpected goto");
    assert_eq!(refused(|m| m.header.action = RuleAction::Goto), "Missing goto target for action goto");
    assert_eq!(refused(|m| m.attributes.push(RuleAttribute::L3MDev(false))), "Invalid l3mdev attribute");
    assert_eq!(
        refused(|m| m.attributes.push(RuleAttribute::L3MDev(true))),
        "l3mdev and table are mutually exclusive"
    );
    assert_eq!(
        refused(|m| m.attributes.push(RuleAttribute::Iifname("a-name-much-too-long".to_owned()))),
        "Error parsing msg"
    );
}

#[test]
fn a_rule_without_a_table_gets_the_first_unused_one() {
    let mut world = World::new();
    add(&mut world, |m| m.header.table = 0).unwrap();
    assert_eq!(world.fib.rules()[1].table, 1);
    add(&mut world, |m| m.header.table = 0).unwrap();
    assert_eq!(world.fib.rules()[1].table, 2);
}

#[test]
fn permanent_rules_stay() {
    let mut world = World::new();
    add(&mut world, |m| m.header.flags = RuleFlags::Permanent).unwrap();
    assert_eq!(del_rule(&mut world.fib, &request()).unwrap_err(), Errno::EPERM.into());
    let unknown = |m: &mut RuleMessage| m.header.table = 101;
    let mut message = request();
    unknown(&mut message);
    assert_eq!(del_rule(&mut world.fib, &message).unwrap_err(), Errno::ENOENT.into());
}

#[test]
fn rules_decide_with_typed_errors() {
    let cases = [
        (RuleAction::Unreachable, LookupError::NetUnreachable),
        (RuleAction::Prohibit, LookupError::Prohibited),
        (RuleAction::Blackhole, LookupError::Blackhole),
        (RuleAction::Nop, LookupError::NetUnreachable),
        (RuleAction::Other(200), LookupError::Blackhole),
    ];
    for (action, error) in cases {
        let mut world = World::new();
        add(&mut world, |m| m.header.action = action).unwrap();
        let found = world.fib.lookup(&Flow::to([8, 8, 8, 8].into()));
        assert_eq!(found.err(), Some(error), "{action:?}");
    }
}

#[test]
fn strict_dumps_check_their_request() {
    let world = World::new();
    let dump = |change: fn(&mut RuleMessage), strict| {
        let mut message = RuleMessage::default();
        change(&mut message);
        dump_rules(&world.fib, &message, strict)
    };
    assert_eq!(dump(|_| {}, true).unwrap().messages.len(), 3);
    let complaint = |change| dump(change, true).unwrap_err().text.unwrap_or_default();
    assert_eq!(complaint(|m| m.header.tos = 4), "Invalid values in header for fib rule dump request");
    assert_eq!(
        complaint(|m| m.attributes.push(RuleAttribute::Priority(1))),
        "Invalid data after header in fib rule dump request"
    );
    assert!(dump(|m| m.header.tos = 4, false).is_ok());
    let other = dump(|m| m.header.family = AddressFamily::Inet6, true);
    assert_eq!(other.unwrap_err(), Errno::EAFNOSUPPORT.into());
}
