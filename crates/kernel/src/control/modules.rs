//! Modules: all that this kernel has is built in, but br_netfilter, which is there only once it is loaded.

use hairpin_netlink::Errno;

use crate::sysctl::BridgeNetfilter;
use crate::world::World;

const BRIDGE_NETFILTER: &str = "br_netfilter";

impl World {
    /// Loads a module of a machine's kernel, or takes it out.
    ///
    /// # Errors
    /// `ENOENT`: none of that name can be.
    pub(crate) fn module(&mut self, host: usize, name: &str, load: bool) -> Result<(), Errno> {
        if name != BRIDGE_NETFILTER {
            return Err(Errno::ENOENT);
        }
        self.set_bridge_netfilter(host, load);
        Ok(())
    }

    /// `br_netfilter_init`, `brnf_init_net`: with the module come its settings, which are on at first.
    pub(crate) fn set_bridge_netfilter(&mut self, host: usize, load: bool) {
        let Some(machine) = self.hosts.get_mut(host) else { return };
        if machine.bridge_netfilter == load {
            return;
        }
        machine.bridge_netfilter = load;
        self.bridge_netfilter = self.hosts.iter().any(|machine| machine.bridge_netfilter);
        for netns in self.netns.values_mut().filter(|netns| netns.host == host) {
            netns.sysctl.bridge_netfilter = BridgeNetfilter::default();
        }
        self.changed();
    }
}
