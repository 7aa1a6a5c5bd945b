//! Frames a second through the emulated kernel, one core: 64-byte UDP frames from a socket in one namespace to a
//! socket in another.

mod lab;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use lab::{BRIDGE, Lab, MACVLAN, VETH};

/// Datagrams of one measured batch.
const BATCH: u32 = 64;

fn forwarding(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("udp64");
    group.throughput(Throughput::Elements(u64::from(BATCH)));
    for (name, setup) in [("veth", VETH), ("macvlan-bridge", MACVLAN), ("veth-bridge-veth", BRIDGE)] {
        let mut lab = Lab::new(setup);
        group.bench_function(name, |bencher| {
            bencher.iter(|| assert_eq!(lab.batch(BATCH), BATCH));
        });
    }
    group.finish();
}

criterion_group!(benches, forwarding);
criterion_main!(benches);
