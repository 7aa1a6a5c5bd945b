//! One bridge with a spanning tree, and wires whose other ends say that there are more: better and worse roots, other ways,
//! changes, old news and nonsense. What the bridge makes of its ports, and what it says itself.

use super::frames::{CHANGED, Configuration, Mac, bpdu, hex, llc, mac};
use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "bpdus", needs_uml: true, build };

/// Where bridges speak to each other.
const GROUP: Mac = [1, 0x80, 0xc2, 0, 0, 0];
/// Roots, by priority and MAC: that of the bridge itself is 0x8000.
const ROOTS: &[u64] =
    &[0x1000_0200_0000_aa01, 0x7000_0200_0000_aa02, 0x8000_0000_0000_0001, 0x9000_0200_0000_aa04];

fn build(scenario: &mut Scenario) {
    scenario.talked = true;
    for ns in ["sw", "h"] {
        scenario.line(format!("ip netns add {ns}"));
    }
    let mac = scenario.mac();
    let (delay, hello, age) =
        (scenario.between(200, 203), scenario.between(100, 102), scenario.between(600, 603));
    scenario.line(format!(
        "ip -n sw link add br0 address {mac} type bridge stp_state 1 forward_delay {delay} hello_time {hello} max_age {age} \
         mcast_snooping 0"
    ));
    for number in 1..=3 {
        scenario.veth("h", &format!("e{number}"), "sw", &format!("p{number}"));
        scenario.line(format!("ip -n sw link set p{number} master br0"));
    }
    scenario.line("ip -n sw link set br0 up");
    scenario.line("sleep 7.3");
    scenario.jobs += 1;
    let told = scenario.jobs;
    scenario.line("bridge -n sw monitor link >told 2>/dev/null &");
    let heard = scenario.capture_of("h", "e2", "stp");
    scenario.line("sleep 0.7");
    for _ in 0..scenario.between(8, 11) {
        step(scenario);
    }
    scenario.line("sleep 30.3");
    look(scenario);
    scenario.line(format!("kill %{} %{told}", heard.0));
    scenario.line("wait");
    scenario.line("sort -u told");
    scenario.line(format!("sed -E 's/message-age [0-9.]+s/message-age N/' {} >kinds", heard.1));
    scenario.line("sort -u kinds");
}

fn look(scenario: &mut Scenario) {
    scenario.line("bridge -n sw link");
    scenario.line("ip -n sw -d link show dev br0");
    for number in 1..=3 {
        // Whether a port waits to speak again hangs on the moment.
        scenario.line(format!("ip -n sw -d link show dev p{number} >port"));
        scenario.line("sed -E 's/config_pending [01]/config_pending N/' port");
    }
}

fn step(scenario: &mut Scenario) {
    let port = scenario.between(1, 3);
    let frame = match scenario.below(14) {
        0 => {
            let what = scenario.one(&[
                "guard on",
                "guard off",
                "root_block on",
                "root_block off",
                "cost 50",
                "priority 8",
            ]);
            scenario.line(format!("bridge -n sw link set dev p{port} {what}"));
            None
        }
        1 => {
            let what = scenario.one(&["priority 4096", "priority 32768", "stp_state 0", "stp_state 1"]);
            scenario.line(format!("ip -n sw link set br0 type bridge {what}"));
            None
        }
        2 => {
            scenario.line(format!("ip -n sw link set p{port} down"));
            scenario.line("sleep 1.3");
            look(scenario);
            scenario.line(format!("ip -n sw link set p{port} up"));
            None
        }
        3..=4 => Some(llc(GROUP, mac(port as u8), &CHANGED)),
        5 => {
            // Cut short, to another address, or of another protocol.
            let mut frame = llc(GROUP, mac(port as u8), &bpdu(some(scenario)));
            let (at, value) = [(13, 20), (5, 0x0e), (14, 0x43), (17, 1), (20, 2)][scenario.below(5)];
            if let Some(byte) = frame.get_mut(at) {
                *byte = value;
            }
            Some(frame)
        }
        _ => Some(llc(GROUP, mac(port as u8), &bpdu(some(scenario)))),
    };
    if let Some(frame) = frame {
        scenario.line(format!("ip netns exec h inject e{port} {}", hex(&frame)));
    }
    scenario.line("sleep 0.6");
    look(scenario);
    let wait = scenario.one(&["1.1", "3.1", "8.1"]);
    scenario.line(format!("sleep {wait}"));
    look(scenario);
}

/// What another bridge might say.
fn some(scenario: &mut Scenario) -> Configuration {
    let root = ROOTS[scenario.below(ROOTS.len())];
    let bridge = if scenario.once_in(2) { root } else { 0x8000_0200_0000_bb00 + scenario.below(2) as u64 };
    Configuration {
        flags: [0, 0, 1, 0x80, 0x81][scenario.below(5)],
        root,
        cost: if bridge == root { 0 } else { [2, 4, 100][scenario.below(3)] },
        bridge,
        port: 0x8001 + scenario.below(2) as u16,
        age: [0, 1, 5, 30][scenario.below(4)],
        max_age: [6, 20][scenario.below(2)],
        hello: [1, 2][scenario.below(2)],
        delay: [2, 4][scenario.below(2)],
    }
}
