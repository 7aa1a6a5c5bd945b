//! `net.ipv4.conf.{all,default,DEV}.*` (net/ipv4/devinet.c).

use hairpin_netlink::{Errno, netconf};

use super::device::Scope;
use super::number;
use crate::device::DevId;
use crate::netns::NsId;
use crate::sysctl::{Conf, DevConf};
use crate::world::World;

/// What a program that forwards multicast changes, and nobody else (`devinet_sysctl`).
pub(super) const MC_FORWARDING: &str = "mc_forwarding";

pub(super) fn keys() -> Vec<&'static str> {
    Conf::ALL.iter().map(|(_, name)| *name).collect()
}

pub(super) fn read(world: &World, ns: NsId, scope: Scope, key: &str) -> Result<String, Errno> {
    let conf = Conf::by_name(key).ok_or(Errno::ENOENT)?;
    Ok(format!("{}\n", values(world, ns, scope)?.get(conf)))
}

fn values(world: &World, ns: NsId, scope: Scope) -> Result<&DevConf, Errno> {
    let sysctl = &world.netns.get(ns).ok_or(Errno::ENOENT)?.sysctl;
    Ok(match scope {
        Scope::All => &sysctl.all,
        Scope::Default => &sysctl.default,
        Scope::Device(dev) => &world.devs.get(dev).ok_or(Errno::ENOENT)?.ipv4_conf,
    })
}

/// `devinet_conf_proc`, `devinet_sysctl_forward`, `ipv4_doint_and_flush`
pub(super) fn write(world: &mut World, ns: NsId, scope: Scope, key: &str, data: &[u8]) -> Result<(), Errno> {
    let conf = Conf::by_name(key).ok_or(Errno::ENOENT)?;
    if conf == Conf::McForwarding {
        return Err(Errno::EACCES);
    }
    if data.is_empty() {
        return Ok(());
    }
    let value = number::integers(data, 1)?.first().and_then(|value| i32::try_from(*value).ok());
    let value = value.ok_or(Errno::EINVAL)?;
    let before = values(world, ns, scope)?.get(conf);
    match (conf, scope) {
        (Conf::Forwarding, Scope::All) => world.set_forwarding_of_all(ns, value),
        (Conf::Forwarding, Scope::Default) => {
            world.netns.get_mut(ns).ok_or(Errno::ENOENT)?.sysctl.default.set_kept(conf, value);
        }
        (_, Scope::All) => world.netns.get_mut(ns).ok_or(Errno::ENOENT)?.sysctl.all.set(conf, value),
        (_, Scope::Default) => {
            world.netns.get_mut(ns).ok_or(Errno::ENOENT)?.sysctl.default.set_kept(conf, value);
            for dev in devices(world, ns) {
                if let Some(device) = world.devs.get_mut(dev) {
                    device.ipv4_conf.follow(conf, value);
                }
            }
        }
        (_, Scope::Device(dev)) => {
            if conf == Conf::Forwarding && value != 0 && before != value {
                world.disable_lro(dev);
            }
            world.devs.get_mut(dev).ok_or(Errno::ENOENT)?.ipv4_conf.set_kept(conf, value);
        }
    }
    if before != value && (conf, scope) != (Conf::Forwarding, Scope::All) {
        let ifindex = match scope {
            Scope::All => netconf::ALL,
            Scope::Default => netconf::DEFAULT,
            Scope::Device(dev) => world.devs.get(dev).ok_or(Errno::ENOENT)?.ifindex as i32,
        };
        world.notify_setting(ns, ifindex, conf, value);
    }
    if conf == Conf::IgnoreRoutesWithLinkdown {
        for dev in devices(world, ns) {
            world.settle_ignore_linkdown(dev);
        }
    }
    Ok(())
}

fn devices(world: &World, ns: NsId) -> Vec<DevId> {
    world.netns.get(ns).map(|netns| netns.order.clone()).unwrap_or_default()
}

impl World {
    /// The values of a device, of all, or of devices to come.
    ///
    /// # Errors
    /// `ENOENT`: there is no such device.
    pub(crate) fn conf4_values(&self, ns: NsId, scope: Scope) -> Result<&DevConf, Errno> {
        values(self, ns, scope)
    }

    /// `inet_forward_change`: `ip_forward` is `conf/all/forwarding`; with it goes every device, and hosts believe
    /// redirects while routers do not. The same value again changes nothing.
    pub(super) fn set_forwarding_of_all(&mut self, ns: NsId, value: i32) {
        let Some(sysctl) = self.netns.get_mut(ns).map(|netns| &mut netns.sysctl) else { return };
        if sysctl.all.get(Conf::Forwarding) == value {
            return;
        }
        sysctl.all.set(Conf::Forwarding, value);
        sysctl.all.set(Conf::AcceptRedirects, i32::from(value == 0));
        sysctl.default.set(Conf::Forwarding, value);
        for whom in [netconf::ALL, netconf::DEFAULT] {
            self.notify_setting(ns, whom, Conf::Forwarding, value);
        }
        for dev in devices(self, ns) {
            if value != 0 {
                self.disable_lro(dev);
            }
            if let Some(device) = self.devs.get_mut(dev).filter(|device| device.has_ipv4) {
                device.ipv4_conf.set(Conf::Forwarding, value);
                let ifindex = device.ifindex as i32;
                self.notify_setting(ns, ifindex, Conf::Forwarding, value);
            }
        }
    }
}
