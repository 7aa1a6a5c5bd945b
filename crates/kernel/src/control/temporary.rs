//! Temporary addresses beside those that are made of a router's prefix (RFC 8981, net/ipv6/addrconf.c): their
//! identifiers are of chance, and after a while others take their place.

use std::net::Ipv6Addr;
use std::time::Duration;

use crate::device::{Dad, DevId, Ipv6Address, ifa};
use crate::world::{TimerEvent, World};

/// `INFINITY_LIFE_TIME`
const FOREVER: u32 = u32::MAX;
/// `ADDRCONF_TIMER_FUZZ_MINUS`
const FUZZ: Duration = Duration::from_millis(20);

/// What temporary addresses of a device need to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Temporary {
    /// The address that it stands beside (`ifpub`).
    pub public: Ipv6Addr,
    /// Another one has been made in its place (`regen_count`).
    pub replaced: bool,
}

impl World {
    /// `manage_tempaddrs`: a public address is new, lives longer or shorter, or (with lifetimes of 0) is gone.
    pub(crate) fn manage_temporary(
        &mut self,
        dev: DevId,
        public: Ipv6Addr,
        (valid, preferred): (u32, u32),
        create: bool,
    ) {
        let now = self.now;
        let setting = |key| u32::try_from(self.conf6(dev, key)).unwrap_or(0);
        let (valid_max, preferred_max) = (setting("temp_valid_lft"), setting("temp_prefered_lft"));
        let Some(device) = self.devs.get_mut(dev) else { return };
        let desync = device.inet6.desync.unwrap_or(0);
        let (mut valid, mut preferred, renewed) = (valid, preferred, preferred > 0);
        let mut changed = Vec::new();
        let mut first = true;
        let mut none = true;
        for own in &mut device.ipv6 {
            let Some(temporary) = &mut own.temporary else { continue };
            none = false;
            if temporary.public != public {
                continue;
            }
            let age = u32::try_from(now.since(own.created).as_secs()).unwrap_or(u32::MAX);
            valid = valid.min(valid_max.saturating_sub(age));
            preferred = preferred.min(preferred_max.saturating_sub(desync).saturating_sub(age));
            // The newest one comes first.
            if std::mem::take(&mut first) && renewed {
                temporary.replaced = false;
            }
            (own.valid_lft, own.preferred_lft, own.updated) = (valid, preferred, now);
            if preferred > 0 {
                own.flags &= !ifa::DEPRECATED;
            }
            changed.push(own.clone());
        }
        for own in &changed {
            self.schedule_expiry6(dev, own);
            if own.flags & ifa::TENTATIVE == 0 {
                self.notify_own_address6(dev, own.address);
            }
        }
        if create || none && (valid > 0 || preferred > 0) {
            self.create_temporary(dev, public);
        }
    }

    /// How many seconds before its time is over an address is replaced (REGEN_ADVANCE of RFC 8981 §3.8).
    fn replacement_advance(&self, dev: DevId) -> u32 {
        let retrans_ms = self.devs.get(dev).map_or(1000, |device| device.neigh6_params.retrans_ms).max(10);
        let probes = self.conf6(dev, "regen_max_retry").max(0) * self.conf6(dev, "dad_transmits").max(0);
        u32::try_from(probes as u64 * retrans_ms / 1000).unwrap_or(u32::MAX)
    }

    /// `ipv6_create_tempaddr`
    fn create_temporary(&mut self, dev: DevId, public: Ipv6Addr) {
        if self.conf6(dev, "use_tempaddr") <= 0 {
            return;
        }
        let now = self.now;
        let setting = |key| u32::try_from(self.conf6(dev, key)).unwrap_or(0);
        let (valid_max, preferred_max) = (setting("temp_valid_lft"), setting("temp_prefered_lft"));
        let advance = self.replacement_advance(dev);
        let desync_max = setting("max_desync_factor").min(preferred_max.saturating_sub(advance));
        let Some(device) = self.devs.get(dev) else { return };
        let Some(beside) = device.ipv6.iter().find(|own| own.address == public).cloned() else { return };
        let desync = match device.inet6.desync {
            Some(desync) if desync <= desync_max => desync,
            _ => self.random_below(desync_max.into()) as u32,
        };
        let age = u32::try_from(now.since(beside.updated).as_secs()).unwrap_or(u32::MAX);
        let preferred = preferred_max.saturating_add(age).saturating_sub(desync).min(beside.preferred_lft);
        let rounded = (now.since(beside.updated) + FUZZ).as_secs();
        let address = self.random_beside(dev, public);
        let Some(device) = self.devs.get_mut(dev) else { return };
        device.inet6.desync = Some(desync);
        if u64::from(preferred) <= u64::from(advance) + rounded {
            return;
        }
        let entry = Ipv6Address {
            address,
            peer: None,
            flags: ifa::TENTATIVE | ifa::SECONDARY,
            valid_lft: beside.valid_lft.min(valid_max.saturating_add(age)),
            preferred_lft: preferred,
            created: now,
            dad: Dad::default(),
            temporary: Some(Temporary { public, replaced: false }),
            tokenized: false,
            metric: 0,
            protocol: 0,
            ..beside
        };
        self.schedule_expiry6(dev, &entry);
        if let Some(early) = preferred.checked_sub(advance).filter(|_| preferred != FOREVER) {
            let at = entry.updated + Duration::from_secs(early.into());
            self.timers.add(at, TimerEvent::AddressLifetime { dev });
        }
        self.insert_address6(dev, entry);
        self.dad_start(dev, address);
    }

    /// `ipv6_gen_rnd_iid`: an identifier that is not reserved (RFC 5453), of an address that the device does not have.
    fn random_beside(&mut self, dev: DevId, public: Ipv6Addr) -> Ipv6Addr {
        const TRIES: u32 = 16;
        let prefix = u128::from(public) & !u128::from(u64::MAX);
        let mut address = public;
        for _ in 0..TRIES {
            let identifier = self.random_below(u64::MAX);
            address = Ipv6Addr::from(prefix | u128::from(identifier));
            let reserved = matches!(identifier, 0 | 0x0200_5eff_fe00_0000..=0x0200_5eff_feff_ffff)
                || (0xfdff_ffff_ffff_ff80..=0xfdff_ffff_ffff_ffff).contains(&identifier);
            let device = self.devs.get(dev);
            if !reserved && device.is_some_and(|d| d.ipv6.iter().all(|own| own.address != address)) {
                break;
            }
        }
        address
    }

    /// `addrconf_verify_rtnl`: an address whose time is nearly over gets a successor.
    pub(super) fn replace_temporary(&mut self, dev: DevId) {
        let now = self.now;
        let advance = self.replacement_advance(dev);
        let Some(device) = self.devs.get_mut(dev) else { return };
        let mut due = Vec::new();
        for own in &mut device.ipv6 {
            let Some(temporary) = own.temporary.as_mut().filter(|temporary| !temporary.replaced) else {
                continue;
            };
            let tentative = own.flags & ifa::TENTATIVE != 0;
            let age = (now.since(own.updated) + FUZZ).as_secs();
            if !tentative
                && own.preferred_lft != FOREVER
                && age + u64::from(advance) >= u64::from(own.preferred_lft)
            {
                temporary.replaced = true;
                due.push(temporary.public);
            }
        }
        for public in due {
            self.create_temporary(dev, public);
        }
    }
}
