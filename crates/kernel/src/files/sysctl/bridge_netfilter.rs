//! `net.bridge.*` (net/bridge/br_netfilter_hooks.c), where that module is loaded.

use super::key::{Key, flag};

/// A switch, and where its value is kept.
macro_rules! switched {
    ($name:literal, $settings:ident => $place:expr) => {
        flag($name, "0").of_bridge_netfilter().field(
            |sysctl| {
                let $settings = &sysctl.bridge_netfilter;
                vec![i64::from($place)]
            },
            |world, ns, values| {
                let netns = world.netns.get_mut(ns).ok_or(hairpin_netlink::Errno::ENOENT)?;
                let $settings = &mut netns.sysctl.bridge_netfilter;
                $place = values.first().is_some_and(|value| *value != 0);
                Ok(())
            },
        )
    };
}

pub(super) const KEYS: &[Key] = &[
    switched!("bridge/bridge-nf-call-arptables", settings => settings.calls[2]),
    switched!("bridge/bridge-nf-call-ip6tables", settings => settings.calls[1]),
    switched!("bridge/bridge-nf-call-iptables", settings => settings.calls[0]),
    switched!("bridge/bridge-nf-filter-pppoe-tagged", settings => settings.filter_pppoe_tagged),
    switched!("bridge/bridge-nf-filter-vlan-tagged", settings => settings.filter_vlan_tagged),
    switched!("bridge/bridge-nf-pass-vlan-input-dev", settings => settings.pass_vlan_input_dev),
];
