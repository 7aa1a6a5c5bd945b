//! Modules: all that this kernel has is built in, but br_netfilter, which is there only once it is loaded.

use hairpin_netlink::Errno;

use crate::sysctl::BridgeNetfilter;
use crate::world::World;

/// What Linux has as modules and is here from the start.
const BUILT_IN: &[&str] = &[
    "8021q",
    "bonding",
    "bridge",
    "can",
    "can_raw",
    "dummy",
    "geneve",
    "ifb",
    "ip6_gre",
    "ip6_tables",
    "ip6_tunnel",
    "ip6table_filter",
    "ip6table_mangle",
    "ip6table_nat",
    "ip6table_raw",
    "ip6table_security",
    "ip_gre",
    "ip_set",
    "ip_set_bitmap_ip",
    "ip_set_bitmap_ipmac",
    "ip_set_bitmap_port",
    "ip_set_hash_ip",
    "ip_set_hash_ipport",
    "ip_set_hash_ipportnet",
    "ip_set_hash_mac",
    "ip_set_hash_net",
    "ip_set_hash_netiface",
    "ip_set_hash_netport",
    "ip_set_list_set",
    "ip_tables",
    "ip_tunnel",
    "ipip",
    "ipt_REJECT",
    "iptable_filter",
    "iptable_mangle",
    "iptable_nat",
    "iptable_raw",
    "iptable_security",
    "ipvlan",
    "ipvtap",
    "llc",
    "macvlan",
    "macvtap",
    "nf_conntrack",
    "nf_conntrack_netlink",
    "nf_defrag_ipv4",
    "nf_defrag_ipv6",
    "nf_nat",
    "nf_reject_ipv4",
    "nf_reject_ipv6",
    "nf_tables",
    "nfnetlink",
    "nlmon",
    "sit",
    "stp",
    "team",
    "team_mode_activebackup",
    "team_mode_broadcast",
    "team_mode_random",
    "team_mode_roundrobin",
    "tun",
    "vcan",
    "veth",
    "vrf",
    "vxcan",
    "vxlan",
    "x_tables",
];
/// Extensions of tables, all of which are there.
const BUILT_IN_FAMILIES: &[&str] = &["xt_", "nft_"];
const BRIDGE_NETFILTER: &str = "br_netfilter";

impl World {
    /// Loads a module of a machine's kernel, or takes it out.
    ///
    /// # Errors
    /// `ENOENT`: there is none of that name; `EBUSY`: it cannot be taken out, for it is built in.
    pub(crate) fn module(&mut self, host: usize, name: &str, load: bool) -> Result<(), Errno> {
        let name = name.replace('-', "_");
        if name == BRIDGE_NETFILTER {
            self.set_bridge_netfilter(host, load);
            return Ok(());
        }
        let known = BUILT_IN.contains(&name.as_str())
            || BUILT_IN_FAMILIES.iter().any(|family| name.starts_with(family));
        match known {
            true if load => Ok(()),
            true => Err(Errno::EBUSY),
            false => Err(Errno::ENOENT),
        }
    }

    /// `br_netfilter_init`, `brnf_init_net`: with the module come its settings, which are on at first.
    pub(crate) fn set_bridge_netfilter(&mut self, host: usize, load: bool) {
        let Some(machine) = self.hosts.get_mut(host) else { return };
        if machine.bridge_netfilter == load {
            return;
        }
        machine.bridge_netfilter = load;
        for netns in self.netns.values_mut().filter(|netns| netns.host == host) {
            netns.sysctl.bridge_netfilter = BridgeNetfilter::default();
        }
        self.changed();
    }
}
