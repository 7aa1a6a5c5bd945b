//! Small mends for typed messages that the crate lets one read but not make.

use netlink_packet_route::neighbour::{NeighbourAttribute, NeighbourCacheInfo};

/// `NDA_CACHEINFO`: times in 1/100 s before now.
pub fn neighbour_cache_info(
    confirmed: u32,
    used: u32,
    updated: u32,
    refcnt: u32,
) -> Option<NeighbourAttribute> {
    let mut bytes = Vec::with_capacity(16);
    for value in [confirmed, used, updated, refcnt] {
        bytes.extend(value.to_ne_bytes());
    }
    NeighbourCacheInfo::parse(&bytes).ok().map(NeighbourAttribute::CacheInfo)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cache_info_keeps_the_order_of_its_fields() {
        match neighbour_cache_info(1, 2, 3, 4) {
            Some(NeighbourAttribute::CacheInfo(info)) => {
                assert_eq!((info.confirmed, info.used, info.updated, info.refcnt), (1, 2, 3, 4));
            }
            other => panic!("{other:?}"),
        }
    }
}
