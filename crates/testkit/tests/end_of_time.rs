//! The clock has an end, and the world survives it.

use hairpin_kernel::{TaskId, Time, World};
use hairpin_netlink::{Call, Now, Reply};
use hairpin_testkit::fuzz::{actions, frames, netlink};

#[test]
fn everything_still_answers_at_the_end_of_time() {
    // The first pause of each input is its longest.
    let to_the_end = [0, 1, u8::MAX, 0, 0];
    for seed in frames::seeds() {
        frames::run(&[&to_the_end, seed.as_slice()].concat());
    }
    netlink::run(&netlink::seeds().concat());
    actions::perform(&[actions::Action::AdvanceTime(u8::MAX), actions::Action::AdvanceTime(u8::MAX)]);
}

#[test]
fn the_clock_stops_at_its_end() {
    let mut world = World::new(1);
    world.set_epoch(1_800_000_000_000_000_000);
    world.add_host("a").expect("a first host");
    let task: TaskId = world.open_task("a", None).expect("a host");
    world.advance_to(Time(u64::MAX));
    assert_eq!(world.now(), Time::END);
    world.advance_to(Time(u64::MAX));
    let now =
        Now { monotonic_ns: Time::END.nanos(), realtime_ns: 1_800_000_000_000_000_000 + Time::END.nanos() };
    assert_eq!(world.call(task, Call::Now), Ok(Reply::Now(now)));
    // What would be later than that never comes.
    assert_eq!(world.wait(task, &[], &[], Some(u64::MAX)), Vec::new());
}
