//! A frame at a bridge's port: what the bridge decides, and what else its decision entails.

use crate::dev::bridge::{Event, Own};
use crate::dev::{Kind, Verdicts};
use crate::device::DevId;
use crate::frame::Frame;
use crate::world::World;

impl World {
    /// The bridge's decision on a frame that its port `port` has received.
    pub(super) fn bridge_receive(
        &mut self,
        bridge: DevId,
        port: DevId,
        frame: &mut Frame,
        verdicts: &mut Verdicts,
    ) {
        let now = self.now;
        let Some(master) = self.devs.get_mut(bridge) else { return };
        let own =
            Own { dev: bridge, mac: master.mac, promiscuous: master.promiscuity > 0, up: master.is_up() };
        let Kind::Bridge(state) = &mut master.kind else { return };
        state.receive(own, port, frame, now, verdicts);
        self.bridge_events(bridge);
    }

    /// Tells of what a bridge's decisions changed.
    fn bridge_events(&mut self, bridge: DevId) {
        let Some(Kind::Bridge(state)) = self.devs.get_mut(bridge).map(|device| &mut device.kind) else {
            return;
        };
        if state.events.is_empty() {
            return;
        }
        let mut events = std::mem::take(&mut state.events);
        for event in events.drain(..) {
            match event {
                Event::Learned(key) => {
                    if let Some(Kind::Bridge(state)) = self.devs.get(bridge).map(|device| &device.kind)
                        && let Some(entry) = state.fdb.get(key.0, key.1).copied()
                    {
                        self.notify_fdb(bridge, key, &entry, false);
                    }
                }
            }
        }
        // The list goes back for reuse.
        if let Some(Kind::Bridge(state)) = self.devs.get_mut(bridge).map(|device| &mut device.kind) {
            state.events = events;
        }
    }
}
