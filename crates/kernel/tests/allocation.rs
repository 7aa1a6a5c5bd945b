//! Once warm, a frame's way from socket to socket allocates nothing.

#[path = "../benches/lab/mod.rs"]
mod lab;

use lab::{BRIDGE, Lab, MACVLAN, VETH};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

#[test]
fn a_warm_path_allocates_nothing() {
    let _profiler = dhat::Profiler::builder().testing().build();
    for (name, setup) in [("veth", VETH), ("macvlan bridge", MACVLAN), ("veth, bridge, veth", BRIDGE)] {
        let mut lab = Lab::new(setup);
        lab.batch(256);
        // The thread of the test harness allocates now and then: what belongs to the way does so each time.
        let looks = (0..4).map(|_| {
            let before = dhat::HeapStats::get().total_blocks;
            for _ in 0..16 {
                lab.batch(64);
            }
            dhat::HeapStats::get().total_blocks - before
        });
        let blocks = looks.min().unwrap_or_default();
        assert_eq!(blocks, 0, "{name}: {blocks} allocations for 1024 frames");
    }
}
