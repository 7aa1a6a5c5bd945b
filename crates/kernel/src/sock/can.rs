//! Raw CAN sockets (net/can/raw.c), and the layer that gives them the frames of CAN devices (net/can/af_can.c).
//!
//! Every frame that a socket sends is also heard by the other sockets of the device: the layer loops it back itself, for
//! vcan and vxcan do not (`IFF_ECHO`).

use hairpin_netlink::{Errno, PacketType, SocketOption};

use crate::dev::{Kind as DeviceKind, can};
use crate::device::{DevId, hardware};
use crate::frame::{ETH_LEN, Frame, ethertype};
use crate::mac::Mac;
use crate::netns::NsId;
use crate::world::{Waiting, World};

use super::{Item, Kind, SockId};

/// `CAN_RAW_FILTER_MAX`
const FILTERS_MAX: usize = 512;

/// Bits of an identifier (`CAN_EFF_FLAG`, …), and of a filter's (`CAN_INV_FILTER`).
const EXTENDED: u32 = 0x8000_0000;
const REMOTE: u32 = 0x4000_0000;
const ERROR: u32 = 0x2000_0000;
const INVERTED: u32 = ERROR;
/// Bits of a standard identifier.
const STANDARD: u32 = 0x7ff;
/// Classes of errors (`CAN_ERR_MASK`).
const ERROR_CLASSES: u32 = 0x1fff_ffff;
/// `CANFD_FDF`
const FLAG_FDF: u8 = 4;

/// A CAN socket (`struct raw_sock`).
#[derive(Clone, Debug)]
pub struct Can {
    /// Whether it is bound: only then it receives.
    bound: bool,
    /// Bound to one device; otherwise it hears all.
    device: Option<DevId>,
    fd_frames: bool,
    /// Identifiers and masks.
    filters: Vec<(u32, u32)>,
    join_filters: bool,
    error_mask: u32,
    /// What the next call fails with (`sk_err`).
    error: Option<Errno>,
}

impl Default for Can {
    fn default() -> Self {
        Can {
            bound: false,
            device: None,
            fd_frames: false,
            filters: vec![(0, 0)],
            join_filters: false,
            error_mask: 0,
            error: None,
        }
    }
}

impl Can {
    pub fn has_error(&self) -> bool {
        self.error.is_some()
    }

    /// `can_rcv_filter`, `raw_rcv`: whether the socket wants a frame.
    fn wants(&self, dev: DevId, kind: u16, id: u32) -> bool {
        if !self.bound || self.device.is_some_and(|device| device != dev) {
            return false;
        }
        if kind != ethertype::CAN && !self.fd_frames {
            return false;
        }
        if id & ERROR != 0 {
            return id & self.error_mask != 0;
        }
        let mut filters = self.filters.iter().map(|(value, mask)| matches(id, *value, *mask));
        match self.join_filters {
            true => !self.filters.is_empty() && filters.all(|fits| fits),
            false => filters.any(|fits| fits),
        }
    }
}

/// Whether an identifier passes a filter (`can_rcv_list_find`).
fn matches(id: u32, value: u32, mask: u32) -> bool {
    if mask & ERROR != 0 {
        // It is one for errors.
        return false;
    }
    let mask = match mask & EXTENDED != 0 && value & EXTENDED == 0 {
        true => mask & (STANDARD | EXTENDED | REMOTE),
        false => mask,
    };
    let inverted = value & INVERTED != 0;
    (id & mask == value & !INVERTED & mask) != inverted
}

impl World {
    /// `raw_setsockopt`
    pub(super) fn set_can_option(&mut self, id: SockId, option: &SocketOption) -> Result<(), Errno> {
        let Some(Kind::Can(can)) = self.sockets.get_mut(id).map(|socket| &mut socket.kind) else {
            return Err(Errno::ENOPROTOOPT);
        };
        match option {
            SocketOption::CanFdFrames(on) => can.fd_frames = *on,
            SocketOption::CanJoinFilters(on) => can.join_filters = *on,
            SocketOption::CanErrorFilter(mask) => can.error_mask = mask & ERROR_CLASSES,
            SocketOption::CanFilters(filters) if filters.len() > FILTERS_MAX => return Err(Errno::EINVAL),
            SocketOption::CanFilters(filters) => can.filters.clone_from(filters),
            _ => return Err(Errno::ENOPROTOOPT),
        }
        Ok(())
    }

    /// `raw_bind`
    pub(super) fn bind_can(&mut self, id: SockId, ns: NsId, ifindex: u32) -> Result<(), Errno> {
        let device = match ifindex {
            0 => None,
            ifindex => Some(self.device_at(ns, ifindex).ok_or(Errno::ENODEV)?),
        };
        let below = device.and_then(|dev| self.devs.get(dev));
        if below.is_some_and(|below| below.hardware != hardware::CAN) {
            return Err(Errno::ENODEV);
        }
        let down = below.is_some_and(|below| !below.is_up());
        if let Some(Kind::Can(can)) = self.sockets.get_mut(id).map(|socket| &mut socket.kind) {
            (can.bound, can.device) = (true, device);
            if down {
                can.error = Some(Errno::ENETDOWN);
            }
        }
        Ok(())
    }

    /// The device that a socket is bound to, by its index; 0 for none.
    pub(super) fn can_ifindex(&self, can: &Can) -> u32 {
        can.device.and_then(|dev| self.devs.get(dev)).map_or(0, |device| device.ifindex)
    }

    /// What the next call of a socket fails with (`sock_error`).
    ///
    /// # Errors
    /// That.
    pub(crate) fn take_can_error(&mut self, id: SockId) -> Result<(), Errno> {
        match self.sockets.get_mut(id).map(|socket| &mut socket.kind) {
            Some(Kind::Can(can)) => can.error.take().map_or(Ok(()), Err),
            _ => Ok(()),
        }
    }

    /// `raw_notify`: a device goes down, or is no more; those that are bound to it hear of that.
    pub(crate) fn tell_can_sockets(&mut self, dev: DevId, errno: Errno) {
        let Some(device) = self.devs.get(dev).filter(|device| device.hardware == hardware::CAN) else {
            return;
        };
        let sockets = self.netns.get(device.ns).map(|netns| netns.can.clone()).unwrap_or_default();
        for id in sockets {
            if let Some(Kind::Can(can)) = self.sockets.get_mut(id).map(|socket| &mut socket.kind)
                && can.device == Some(dev)
            {
                can.error = Some(errno);
                if errno == Errno::ENODEV {
                    (can.bound, can.device) = (false, None);
                }
            }
        }
    }

    /// `raw_sendmsg`, `can_send`
    ///
    /// # Errors
    /// `ENXIO`: bound to no device; `EINVAL`: no whole frame, or one of CAN FD that is not allowed here; `EMSGSIZE`: the
    /// device has no room for it; `EPERM`: it is no CAN device; `ENETDOWN`: it is down.
    pub(super) fn send_can(&mut self, id: SockId, data: &[u8], to: Option<u32>) -> Result<usize, Errno> {
        let socket = self.sockets.get(id).ok_or(Errno::EBADF)?;
        let Kind::Can(can) = &socket.kind else { return Err(Errno::EBADF) };
        let fd_frames = can.fd_frames;
        let dev = match to {
            Some(ifindex) => self.device_at(socket.ns, ifindex),
            None => can.device,
        };
        let dev = dev.ok_or(Errno::ENXIO)?;
        self.take_can_error(id)?;
        let device = self.devs.get(dev).ok_or(Errno::ENXIO)?;
        let kind = match u32::try_from(data.len()) {
            Ok(can::CAN_MTU) => ethertype::CAN,
            Ok(can::CANFD_MTU) if fd_frames && device.mtu == can::CANFD_MTU => ethertype::CANFD,
            _ => return Err(Errno::EINVAL),
        };
        let mut frame = self.pool.frame(ETH_LEN + data.len());
        frame.set_header(Mac::ZERO, Mac::ZERO, kind);
        frame.payload_mut().copy_from_slice(data);
        let carried = can::data_len(&frame).ok_or(Errno::EINVAL)?;
        if data.len() > device.mtu as usize {
            return Err(Errno::EMSGSIZE);
        }
        if device.hardware != hardware::CAN {
            return Err(Errno::EPERM);
        }
        if !device.is_up() {
            return Err(Errno::ENETDOWN);
        }
        if kind == ethertype::CANFD
            && let Some(flags) = frame.payload_mut().get_mut(5)
        {
            *flags |= FLAG_FDF;
        }
        frame.sender = Some(id);
        self.name_frame(&mut frame);
        let mut echo = self.pool.copy(&frame);
        echo.packet_type = PacketType::Broadcast;
        if let Some(device) = self.devs.get_mut(dev)
            && matches!(device.kind, DeviceKind::Vcan)
        {
            can::count_echo(&mut device.stats, carried);
        }
        self.transmit(dev, frame);
        self.enqueue(Waiting::Receive { dev, frame: echo });
        Ok(data.len())
    }

    /// `can_rcv`, `can_receive`: a device's frame, for the sockets of its namespace.
    pub(crate) fn can_receive(&mut self, dev: DevId, frame: Frame) {
        let Some(device) = self.devs.get(dev).filter(|device| device.hardware == hardware::CAN) else {
            return self.consume(frame);
        };
        let (ifindex, hardware, time) = (device.ifindex, device.hardware, self.now);
        let Some(netns) = self.netns.get(device.ns).filter(|netns| !netns.can.is_empty()) else {
            return self.consume(frame);
        };
        let identifier = frame.payload().first_chunk().map_or(0, |bytes| u32::from_ne_bytes(*bytes));
        // `MSG_DONTROUTE`: a socket of this host has sent it.
        let packet_type = if frame.sender.is_some() { PacketType::Outgoing } else { PacketType::Host };
        for id in &netns.can {
            if frame.sender == Some(*id) {
                continue;
            }
            let Some(socket) = self.sockets.get_mut(*id) else { continue };
            if let Kind::Can(can) = &socket.kind
                && can.wants(dev, frame.ethertype(), identifier)
            {
                socket.push(Item::Frame { frame: frame.clone(), ifindex, packet_type, hardware, time });
            }
        }
        self.consume(frame);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_compare_what_the_mask_shows() {
        for (id, value, mask, fits) in [
            (0x123, 0, 0, true),
            (0x123, 0x123, 0x7ff, true),
            (0x124, 0x123, 0x7ff, false),
            (0x124, 0x123, 0x7f0, true),
            // The mask says nothing of how long the identifier is.
            (EXTENDED | 0x123, 0x123, 0x7ff, true),
            (EXTENDED | 0x123, 0x123, EXTENDED | REMOTE | STANDARD, false),
            (REMOTE | 0x123, 0x123, EXTENDED | REMOTE | STANDARD, false),
            (0x123, INVERTED | 0x123, 0x7ff, false),
            (0x124, INVERTED | 0x123, 0x7ff, true),
            (0x123, 0, ERROR, false),
        ] {
            assert_eq!(matches(id, value, mask), fits, "{id:x} {value:x} {mask:x}");
        }
    }
}
