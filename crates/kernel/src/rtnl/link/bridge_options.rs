//! Options of a bridge: `IFLA_BR_*` (`br_changelink`). Times are in `USER_HZ` ticks of 10 ms.
//!

use std::time::Duration;

use hairpin_netlink::{Errno, Failure};

use super::attributes::{Attributes, Policy, U8, U16, U32, U64};
use super::info::BOOLEAN_OPTIONS;
use super::kind::vlan::is_vlan_protocol;
use super::not_emulated;
use crate::dev::Kind;
use crate::dev::bridge::vlan::PvidChange;
use crate::dev::bridge::{Bridge, Clock};
use crate::device::DevId;
use crate::mac::Mac;
use crate::time::{Time, ticks, ticks_a_second};
use crate::world::World;

const FORWARD_DELAY: u16 = 1;
const HELLO_TIME: u16 = 2;
const MAX_AGE: u16 = 3;
const AGEING_TIME: u16 = 4;
const STP_STATE: u16 = 5;
const PRIORITY: u16 = 6;
const VLAN_FILTERING: u16 = 7;
const VLAN_PROTOCOL: u16 = 8;
const GROUP_FWD_MASK: u16 = 9;
const GROUP_ADDR: u16 = 20;
const FDB_FLUSH: u16 = 21;
const MCAST_ROUTER: u16 = 22;
const MCAST_SNOOPING: u16 = 23;
const MCAST_QUERY_USE_IFADDR: u16 = 24;
const MCAST_QUERIER: u16 = 25;
const MCAST_HASH_ELASTICITY: u16 = 26;
const MCAST_HASH_MAX: u16 = 27;
const MCAST_LAST_MEMBER_CNT: u16 = 28;
const MCAST_STARTUP_QUERY_CNT: u16 = 29;
const MCAST_LAST_MEMBER_INTVL: u16 = 30;
const MCAST_MEMBERSHIP_INTVL: u16 = 31;
const MCAST_QUERIER_INTVL: u16 = 32;
const MCAST_QUERY_INTVL: u16 = 33;
const MCAST_QUERY_RESPONSE_INTVL: u16 = 34;
const MCAST_STARTUP_QUERY_INTVL: u16 = 35;
const NF_CALL: [u16; 3] = [36, 37, 38];
const VLAN_DEFAULT_PVID: u16 = 39;
const VLAN_STATS_ENABLED: u16 = 41;
const MCAST_STATS_ENABLED: u16 = 42;
const MCAST_IGMP_VERSION: u16 = 43;
const MCAST_MLD_VERSION: u16 = 44;
const VLAN_STATS_PER_PORT: u16 = 45;
const MULTI_BOOLOPT: u16 = 46;

/// `BR_BOOLOPT_NO_LL_LEARN`
const NO_LINKLOCAL_LEARN: u32 = 1;

/// `br_policy`
pub(super) const BRIDGE_POLICY: &[(u16, Policy)] = &[
    (FORWARD_DELAY, U32),
    (HELLO_TIME, U32),
    (MAX_AGE, U32),
    (AGEING_TIME, U32),
    (STP_STATE, U32),
    (PRIORITY, U16),
    (VLAN_FILTERING, U8),
    (VLAN_PROTOCOL, U16),
    (GROUP_FWD_MASK, U16),
    (GROUP_ADDR, Policy::Most(6)),
    (MCAST_ROUTER, U8),
    (MCAST_SNOOPING, U8),
    (MCAST_QUERY_USE_IFADDR, U8),
    (MCAST_QUERIER, U8),
    (MCAST_HASH_ELASTICITY, U32),
    (MCAST_HASH_MAX, U32),
    (MCAST_LAST_MEMBER_CNT, U32),
    (MCAST_STARTUP_QUERY_CNT, U32),
    (MCAST_LAST_MEMBER_INTVL, U64),
    (MCAST_MEMBERSHIP_INTVL, U64),
    (MCAST_QUERIER_INTVL, U64),
    (MCAST_QUERY_INTVL, U64),
    (MCAST_QUERY_RESPONSE_INTVL, U64),
    (MCAST_STARTUP_QUERY_INTVL, U64),
    (NF_CALL[0], U8),
    (NF_CALL[1], U8),
    (NF_CALL[2], U8),
    (VLAN_DEFAULT_PVID, U16),
    (VLAN_STATS_ENABLED, U8),
    (MCAST_STATS_ENABLED, U8),
    (MCAST_IGMP_VERSION, U8),
    (MCAST_MLD_VERSION, U8),
    (VLAN_STATS_PER_PORT, U8),
    (MULTI_BOOLOPT, Policy::Exactly(8)),
];

/// Bounds that hold while spanning tree runs, and for hello time and maximum age always (`br_private_stp.h`).
const FORWARD_DELAY_S: std::ops::RangeInclusive<u64> = 2..=30;
const HELLO_TIME_S: std::ops::RangeInclusive<u64> = 1..=10;
const MAX_AGE_S: std::ops::RangeInclusive<u64> = 6..=40;
/// Least and greatest time between queries (`BR_MULTICAST_QUERY_INTVL_MIN`, `BR_MULTICAST_QUERY_INTVL_MAX`).
const QUERY_INTERVAL: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(86_400));
/// Group addresses that a bridge never forwards (`BR_GROUPFWD_RESTRICTED`).
const FORWARD_RESTRICTED: u16 = 0x7;

/// `br_validate`
pub(super) fn validate(data: &Attributes<'_>) -> Result<(), Failure> {
    if data.be16(VLAN_PROTOCOL).is_some_and(|tpid| !is_vlan_protocol(tpid)) {
        return Err(Errno::EPROTONOSUPPORT.into());
    }
    if data.u16(VLAN_DEFAULT_PVID).is_some_and(|vid| vid >= 0xfff) {
        return Err(Errno::EINVAL.into());
    }
    Ok(())
}

impl World {
    /// `br_changelink`: options before a refused one stay changed.
    pub(super) fn change_bridge(&mut self, dev: DevId, data: &Attributes<'_>) -> Result<(), Failure> {
        let Some(device) = self.devs.get(dev) else { return Err(Errno::ENODEV.into()) };
        let mac = device.mac;
        let Kind::Bridge(bridge) = &device.kind else { return Err(Errno::EOPNOTSUPP.into()) };
        let snooped = bridge.mcast_snooping;
        let (old_pvid, filtered) = (bridge.default_pvid, bridge.vlan_filtering);
        let mut pvid_change = PvidChange::default();
        let outcome = self.bridge_act(dev, |bridge, clock| {
            let outcome = change(bridge, data, (mac, clock), &mut pvid_change);
            (outcome, bridge.mcast_snooping, bridge.default_pvid, bridge.vlan_filtering)
        });
        let (outcome, snoops, pvid, filters) = outcome.ok_or(Errno::EOPNOTSUPP)?;
        let aged = data.has(AGEING_TIME);
        self.tell_pvid_change(dev, old_pvid, pvid, &pvid_change);
        if filters != filtered {
            self.manage_bridge_promiscuity(dev);
        }
        if aged {
            // Entries may be too old by the new time already.
            self.schedule_bridge_ageing(dev, Duration::ZERO);
        }
        if snoops != snooped {
            self.toggle_snooping(dev, snoops);
        }
        self.changed();
        if data.has(FDB_FLUSH) && outcome.is_ok() {
            self.flush_bridge(dev);
        }
        outcome
    }

    /// Tells of who left the old default VLAN and joined the new one.
    fn tell_pvid_change(&mut self, dev: DevId, old: u16, new: u16, change: &PvidChange) {
        for who in &change.left {
            self.notify_vlans(who.unwrap_or(dev), old, old, true);
        }
        for who in &change.joined {
            self.notify_vlans(who.unwrap_or(dev), new, new, false);
        }
        for (key, entry) in &change.lost {
            self.notify_fdb(dev, *key, entry, true);
        }
    }

    /// `br_fdb_flush`: everything that is not fixed.
    fn flush_bridge(&mut self, dev: DevId) {
        let Some(Kind::Bridge(bridge)) = self.devs.get_mut(dev).map(|device| &mut device.kind) else {
            return;
        };
        let gone = bridge.fdb.flush(|_, entry| !entry.fixed && !entry.local);
        for (key, entry) in gone {
            self.notify_fdb(dev, key, &entry, true);
        }
    }
}

fn change(
    bridge: &mut Bridge,
    data: &Attributes<'_>,
    (mac, clock): (Mac, Clock),
    pvid_change: &mut PvidChange,
) -> Result<(), Failure> {
    if let Some(delay) = data.u32(FORWARD_DELAY) {
        let delay = time(delay);
        if bridge.stp {
            within(delay, FORWARD_DELAY_S)?;
        }
        bridge.set_forward_delay(delay);
    }
    if let Some(hello) = data.u32(HELLO_TIME) {
        bridge.set_hello_time(within(time(hello), HELLO_TIME_S)?);
    }
    if let Some(age) = data.u32(MAX_AGE) {
        bridge.set_max_age(within(time(age), MAX_AGE_S)?);
    }
    if let Some(ageing) = data.u32(AGEING_TIME) {
        bridge.ageing = time(ageing);
        bridge.bridge_ageing = bridge.ageing;
    }
    if let Some(state) = data.u32(STP_STATE) {
        bridge.set_stp(state != 0, clock);
    }
    if let Some(priority) = data.u16(PRIORITY) {
        bridge.set_priority(priority, clock);
    }
    change_vlans(bridge, data, (mac, clock.now), pvid_change)?;
    if let Some(mask) = data.u16(GROUP_FWD_MASK) {
        if mask & FORWARD_RESTRICTED != 0 {
            return Err(Errno::EINVAL.into());
        }
        bridge.group_fwd_mask = mask;
    }
    if let Some(address) = data.get(GROUP_ADDR) {
        bridge.group_addr = group_address(address)?;
        bridge.group_addr_set = true;
    }
    change_multicast(bridge, data, clock)?;
    for (at, kind) in NF_CALL.into_iter().enumerate() {
        if let Some(on) = data.u8(kind) {
            bridge.nf_call[at] = on != 0;
        }
    }
    // `struct br_boolopt_multi`: values, then the mask of those meant.
    match data.u64(MULTI_BOOLOPT).map(|_| boolean_options(data.get(MULTI_BOOLOPT))) {
        Some((_, mask)) if mask & !BOOLEAN_OPTIONS != 0 => Err(Errno::EOPNOTSUPP.into()),
        Some((values, mask)) => {
            if mask & NO_LINKLOCAL_LEARN != 0 {
                bridge.no_linklocal_learn = values & NO_LINKLOCAL_LEARN != 0;
            }
            match values & mask & !NO_LINKLOCAL_LEARN {
                0 => Ok(()),
                _ => Err(not_emulated("Bridge option")),
            }
        }
        None => Ok(()),
    }
}

fn boolean_options(value: Option<&[u8]>) -> (u32, u32) {
    match value.and_then(|value| value.first_chunk::<8>()) {
        Some([a, b, c, d, e, f, g, h]) => {
            (u32::from_ne_bytes([*a, *b, *c, *d]), u32::from_ne_bytes([*e, *f, *g, *h]))
        }
        None => (0, 0),
    }
}

/// `br_vlan_filter_toggle`, `__br_vlan_set_proto`, `__br_vlan_set_default_pvid` and the counters' options.
fn change_vlans(
    bridge: &mut Bridge,
    data: &Attributes<'_>,
    (mac, now): (Mac, Time),
    pvid_change: &mut PvidChange,
) -> Result<(), Failure> {
    if let Some(filtering) = data.u8(VLAN_FILTERING) {
        bridge.vlan_filtering = filtering != 0;
        bridge.recalculate_group_address();
    }
    if let Some(tpid) = data.be16(VLAN_PROTOCOL) {
        bridge.vlan_protocol = tpid;
        bridge.recalculate_group_address();
    }
    if let Some(pvid) = data.u16(VLAN_DEFAULT_PVID) {
        *pvid_change = bridge.set_default_pvid(pvid, mac, now);
    }
    let switch = |kind| match data.u8(kind) {
        Some(on @ 0..=1) => Ok(Some(on != 0)),
        Some(_) => Err(Failure::from(Errno::EINVAL)),
        None => Ok(None),
    };
    if let Some(on) = switch(VLAN_STATS_ENABLED)? {
        bridge.vlan_stats = on;
    }
    if data.has(VLAN_STATS_PER_PORT) && bridge.ports.iter().any(|port| port.vlans.members().next().is_some())
    {
        // Counters are where VLANs are made.
        return Err(Errno::EBUSY.into());
    }
    if let Some(on) = switch(VLAN_STATS_PER_PORT)? {
        bridge.vlan_stats_per_port = on;
    }
    Ok(())
}

/// Another group address: link-local, and none of those with a meaning of their own.
fn group_address(address: &[u8]) -> Result<Mac, Failure> {
    match *address {
        [0x01, 0x80, 0xc2, 0, 0, last] if last & 0xf0 == 0 && !(1..=3).contains(&last) => {
            Ok(Mac([0x01, 0x80, 0xc2, 0, 0, last]))
        }
        _ => Err(Errno::EINVAL.into()),
    }
}

/// Settings of multicast. Sources of IGMPv3 and MLDv2 are not kept: only the versions before are emulated.
fn change_multicast(bridge: &mut Bridge, data: &Attributes<'_>, clock: Clock) -> Result<(), Failure> {
    if data.u8(MCAST_ROUTER).is_some_and(|router| !bridge.set_router(router)) {
        return Err(Errno::EINVAL.into());
    }
    if let Some(snooping) = data.u8(MCAST_SNOOPING) {
        bridge.set_snooping(snooping != 0, clock);
    }
    if let Some(on) = data.u8(MCAST_QUERY_USE_IFADDR) {
        bridge.snooping.use_ifaddr = on != 0;
    }
    if let Some(on) = data.u8(MCAST_QUERIER) {
        bridge.set_querier(on != 0, clock);
    }
    let snooping = &mut bridge.snooping;
    let number = |kind, into: &mut u32| *into = data.u32(kind).unwrap_or(*into);
    number(MCAST_HASH_MAX, &mut snooping.hash_max);
    number(MCAST_LAST_MEMBER_CNT, &mut snooping.last_member_count);
    number(MCAST_STARTUP_QUERY_CNT, &mut snooping.startup_query_count);
    let interval = |kind, into: &mut Duration| *into = data.u64(kind).map_or(*into, long_time);
    interval(MCAST_LAST_MEMBER_INTVL, &mut snooping.last_member_interval);
    interval(MCAST_MEMBERSHIP_INTVL, &mut snooping.membership_interval);
    interval(MCAST_QUERIER_INTVL, &mut snooping.querier_interval);
    interval(MCAST_QUERY_RESPONSE_INTVL, &mut snooping.query_response_interval);
    for (kind, into) in [
        (MCAST_QUERY_INTVL, &mut snooping.query_interval),
        (MCAST_STARTUP_QUERY_INTVL, &mut snooping.startup_query_interval),
    ] {
        if let Some(ticks) = data.u64(kind) {
            *into = long_time(ticks).clamp(QUERY_INTERVAL.0, QUERY_INTERVAL.1);
        }
    }
    if let Some(on) = data.u8(MCAST_STATS_ENABLED) {
        snooping.stats = on != 0;
    }
    for (kind, known, only) in [(MCAST_IGMP_VERSION, 2..=3, 2), (MCAST_MLD_VERSION, 1..=2, 1)] {
        match data.u8(kind) {
            Some(version) if !known.contains(&version) => return Err(Errno::EINVAL.into()),
            Some(version) if version != only => return Err(not_emulated("Multicast by source")),
            _ => {}
        }
    }
    Ok(())
}

/// As [`time`], for the longer numbers of multicast.
fn long_time(hundredths: u64) -> Duration {
    ticks(hundredths.saturating_mul(ticks_a_second()) / 100)
}

/// A time as the kernel keeps it: in ticks of its clock, rounded down (`clock_t_to_jiffies`).
fn time(hundredths: u32) -> Duration {
    long_time(u64::from(hundredths))
}

fn within(time: Duration, seconds: std::ops::RangeInclusive<u64>) -> Result<Duration, Failure> {
    let bounds = Duration::from_secs(*seconds.start())..=Duration::from_secs(*seconds.end());
    if bounds.contains(&time) { Ok(time) } else { Err(Errno::ERANGE.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = ((4 + value.len()) as u16).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn outcome(kind: u16, value: &[u8]) -> (Bridge, Option<Errno>) {
        let mut bridge = Bridge::new(Time::ZERO);
        let bytes = option(kind, value);
        let refused = Attributes::read(&bytes, BRIDGE_POLICY)
            .and_then(|data| {
                validate(&data)?;
                {
                    let clock = Clock { now: Time::ZERO, up: false };
                    change(&mut bridge, &data, (Mac::ZERO, clock), &mut PvidChange::default())
                }
            })
            .err();
        (bridge, refused.map(|failure| failure.errno))
    }

    /// As Linux answers (`ip link set br0 type bridge …`), and what is refused here.
    #[test]
    fn ranges_are_those_of_linux() {
        let long = |value: u32| value.to_ne_bytes().to_vec();
        let short = |value: u16| value.to_ne_bytes().to_vec();
        let cases: Vec<(u16, Vec<u8>, Option<Errno>)> = vec![
            (FORWARD_DELAY, long(1), None),
            (HELLO_TIME, long(1), Some(Errno::ERANGE)),
            (HELLO_TIME, long(100), None),
            (HELLO_TIME, long(1001), Some(Errno::ERANGE)),
            (MAX_AGE, long(1), Some(Errno::ERANGE)),
            (MAX_AGE, long(600), None),
            (AGEING_TIME, long(0), None),
            (STP_STATE, long(0), None),
            (STP_STATE, long(1), None),
            (PRIORITY, short(4096), None),
            (PRIORITY, vec![1], Some(Errno::ERANGE)),
            (GROUP_FWD_MASK, short(1), Some(Errno::EINVAL)),
            (GROUP_FWD_MASK, short(0x4000), None),
            (VLAN_FILTERING, vec![0], None),
            (VLAN_FILTERING, vec![1], None),
            (VLAN_STATS_ENABLED, vec![2], Some(Errno::EINVAL)),
            (VLAN_STATS_PER_PORT, vec![1], None),
            (VLAN_DEFAULT_PVID, short(4095), Some(Errno::EINVAL)),
            (VLAN_PROTOCOL, vec![8, 0], Some(Errno::EPROTONOSUPPORT)),
            (MCAST_ROUTER, vec![5], Some(Errno::EINVAL)),
            (MCAST_ROUTER, vec![2], None),
            (MCAST_IGMP_VERSION, vec![1], Some(Errno::EINVAL)),
            (GROUP_ADDR, vec![1, 0x80, 0xc2, 0, 0, 1], Some(Errno::EINVAL)),
            (GROUP_ADDR, vec![1, 0x80, 0xc2, 0, 0, 0], None),
            (NF_CALL[0], vec![1], None),
        ];
        for (kind, value, expected) in cases {
            assert_eq!(outcome(kind, &value).1, expected, "option {kind}, {value:?}");
        }
        assert_eq!(outcome(AGEING_TIME, &long(1500)).0.ageing, Duration::from_secs(15));
    }
}
