//! Sharing flows among the ways out of a route.

use std::net::Ipv4Addr;

use super::{
    fib::Fib,
    lookup::{FibResult, Flow},
    model::Route,
};

impl Fib {
    /// Chooses among the ways out of a multipath route (`fib_select_path`). A flow with a required device
    /// keeps what [`Fib::lookup`] found.
    pub fn select_path<'a>(&self, found: FibResult<'a>, flow: &Flow) -> FibResult<'a> {
        if flow.oif != 0 || found.route.nexthops.len() < 2 {
            return found;
        }
        let hash = multipath_hash(flow, self.multipath_hash_policy());
        match found.route.nexthops.iter().find(|nexthop| hash <= nexthop.upper_bound) {
            Some(nexthop) => FibResult { nexthop, ..found },
            None => found,
        }
    }

    /// Gives each way out its part of the hash space by its weight (`fib_rebalance`).
    pub(super) fn rebalance(&self, route: &mut Route) {
        if route.nexthops.len() < 2 {
            return;
        }
        let alive: Vec<bool> = route
            .nexthops
            .iter()
            .map(|n| !n.is_dead() && (!n.is_linkdown() || !self.ignores_linkdown(n.ifindex)))
            .collect();
        let weights = route.nexthops.iter().zip(&alive).filter(|(_, alive)| **alive);
        let total: u64 = weights.map(|(nexthop, _)| u64::from(nexthop.weight)).sum();
        let mut sum = 0;
        for (nexthop, alive) in route.nexthops.iter_mut().zip(alive) {
            nexthop.upper_bound = if alive && total > 0 {
                sum += u64::from(nexthop.weight);
                // To the nearest, as DIV_ROUND_CLOSEST_ULL.
                (((sum << 31) + total / 2) / total).saturating_sub(1) as i32
            } else {
                -1
            };
        }
    }
}

/// A flow's place in the hash space, 31 bits (`fib_multipath_hash`). Linux seeds its hash at boot; here the
/// same flow always takes the same way.
pub fn multipath_hash(flow: &Flow, policy: u8) -> i32 {
    let mut hash = mix(0x9e37_79b9_7f4a_7c15, pair(flow.source, flow.destination));
    if policy == 1 {
        let ports = u64::from(flow.source_port) << 16 | u64::from(flow.destination_port);
        hash = mix(hash, ports << 8 | u64::from(flow.protocol));
    }
    (hash >> 33) as i32
}

fn pair(source: Ipv4Addr, destination: Ipv4Addr) -> u64 {
    u64::from(u32::from(source)) << 32 | u64::from(u32::from(destination))
}

/// One round of a multiply-xorshift mixer (the finaliser of splitmix64).
fn mix(state: u64, value: u64) -> u64 {
    let mut z = state ^ value;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
