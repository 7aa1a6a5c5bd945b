//! MACsec devices: put on the device below and taken off, set up and down.

use hairpin_netlink::{Errno, Failure};

use crate::dev::macsec::Port;
use crate::dev::{Kind, RxHandler};
use crate::device::DevId;
use crate::world::World;

impl World {
    /// Whether a MACsec device may stand on `lower` (`macsec_newlink`).
    ///
    /// # Errors
    /// `EINVAL` for what is not Ethernet, `EBUSY` where something else takes the device's frames.
    pub(crate) fn check_macsec(&self, lower: DevId) -> Result<(), Failure> {
        let below = self.devs.get(lower).ok_or(Errno::ENODEV)?;
        if !below.is_ethernet() {
            return Err(Errno::EINVAL.into());
        }
        match below.rx_handler {
            RxHandler::None | RxHandler::MacsecPort(_) => Ok(()),
            _ => Err(Errno::EBUSY.into()),
        }
    }

    /// `register_macsec_dev`: puts a registered device on the one below it.
    ///
    /// # Errors
    /// `EINVAL` where nothing may take the frames of the device below.
    pub(crate) fn link_macsec(&mut self, dev: DevId, lower: DevId) -> Result<(), Failure> {
        let below = self.devs.get_mut(lower).ok_or(Errno::ENODEV)?;
        if below.rx_handler.is_none() {
            if below.refuses_rx_handler() {
                return Err(Errno::EINVAL.into());
            }
            below.rx_handler = RxHandler::MacsecPort(Port::default());
        }
        if let Some(port) = Port::of(below) {
            port.members.push(dev);
        }
        below.uppers.push(dev);
        self.inherit_link_state(dev, lower);
        Ok(())
    }

    /// Takes a device off the one below it, before it goes.
    pub(super) fn unlink_macsec(&mut self, dev: DevId, lower: DevId) {
        let Some(below) = self.devs.get_mut(lower) else { return };
        below.uppers.retain(|upper| *upper != dev);
        let Some(port) = Port::of(below) else { return };
        port.members.retain(|member| *member != dev);
        if port.members.is_empty() {
            below.rx_handler = RxHandler::None;
        }
    }

    /// `macsec_dev_open`: the device below need not be up.
    pub(super) fn open_macsec(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        let Kind::Macsec(macsec) = &device.kind else { return };
        let (lower, mac) = (macsec.lower, device.mac);
        self.add_unicast(lower, mac);
        self.pass_flags(dev, lower, 1);
        if self.devs.get(lower).is_some_and(|below| below.carrier) {
            self.carrier_quietly(dev, true);
        }
    }
}
