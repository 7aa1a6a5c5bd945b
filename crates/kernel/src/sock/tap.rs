//! A queue of a macvtap or ipvtap: what `/dev/tapN` is on Linux (drivers/net/tap.c).
//!
//! It is received from like a packet socket, whole frames with their tag in place; what is sent must be a whole frame,
//! and is transmitted by the device. There is no virtio header (`IFF_VNET_HDR`).

use hairpin_netlink::Errno;

use crate::dev::{RxHandler, tap::QUEUES_MAX};
use crate::device::{DevId, hardware};
use crate::drop_reason::DropReason;
use crate::frame::{ETH_LEN, Frame};
use crate::netns::NsId;
use crate::trace::Step;
use crate::world::World;

use super::{Item, Kind, SockId};

/// Longest frame that may be written: Linux takes as much as memory allows.
const FRAME_MAX: usize = 65_535 + ETH_LEN;

/// A queue.
#[derive(Clone, Debug)]
pub struct Tap {
    /// None once the device is gone.
    pub device: Option<DevId>,
    /// Frames that it holds at most: the device's transmit queue length when it was opened.
    pub capacity: usize,
}

impl World {
    /// `tap_get_minor`: the lowest number that no device of the kind has on this host.
    pub(crate) fn add_tap(&mut self, dev: DevId) {
        let host_of = |ns: NsId| self.netns.get(ns).map(|netns| netns.host);
        let Some(device) = self.devs.get(dev) else { return };
        let (host, kind) = (host_of(device.ns), device.kind.name());
        let mut taken: Vec<u32> = self
            .devs
            .values()
            .filter(|other| other.kind.name() == kind && host_of(other.ns) == host)
            .filter_map(|other| match &other.rx_handler {
                RxHandler::Tap(tap) => Some(tap.minor),
                _ => None,
            })
            .collect();
        taken.sort_unstable();
        let minor = (1..).zip(&taken).find(|(free, taken)| free < *taken).map_or_else(
            || u32::try_from(taken.len()).unwrap_or(u32::MAX).saturating_add(1),
            |(free, _)| free,
        );
        if let Some(device) = self.devs.get_mut(dev) {
            device.rx_handler = RxHandler::Tap(crate::dev::tap::Tap { queues: Vec::new(), minor });
        }
    }

    /// `tap_open`
    ///
    /// # Errors
    /// `ENODEV`: no such device, or it has no queues; `EBUSY`: 256 are open already.
    pub(crate) fn open_tap(&mut self, ns: NsId, ifindex: u32) -> Result<SockId, Errno> {
        let dev = self.device_at(ns, ifindex).ok_or(Errno::ENODEV)?;
        let device = self.devs.get(dev).ok_or(Errno::ENODEV)?;
        let RxHandler::Tap(tap) = &device.rx_handler else { return Err(Errno::ENODEV) };
        if tap.queues.len() >= QUEUES_MAX {
            return Err(Errno::EBUSY);
        }
        let capacity = usize::try_from(device.tx_queue_len).unwrap_or(usize::MAX);
        let queue = self.add_socket(ns, Kind::Tap(Tap { device: Some(dev), capacity }))?;
        if let Some(RxHandler::Tap(tap)) = self.devs.get_mut(dev).map(|device| &mut device.rx_handler) {
            tap.queues.push(queue);
        }
        Ok(queue)
    }

    /// `tap_put_queue`: the queue is closed; the device may be gone already.
    pub(super) fn close_tap(&mut self, queue: SockId, device: Option<DevId>) {
        let device = device.and_then(|dev| self.devs.get_mut(dev));
        if let Some(RxHandler::Tap(tap)) = device.map(|device| &mut device.rx_handler) {
            tap.queues.retain(|known| *known != queue);
        }
    }

    /// `tap_del_queues`: the device goes; its queues keep what they hold.
    pub(crate) fn forget_tap(&mut self, dev: DevId) {
        let queues = match self.devs.get(dev).map(|device| &device.rx_handler) {
            Some(RxHandler::Tap(tap)) => tap.queues.clone(),
            _ => return,
        };
        for queue in queues {
            if let Some(Kind::Tap(tap)) = self.sockets.get_mut(queue).map(|socket| &mut socket.kind) {
                tap.device = None;
            }
        }
    }

    /// The end of `tap_handle_frame`: a frame that `dev` received waits for the program.
    pub(crate) fn queue_for_tap(&mut self, dev: DevId, queue: SockId, mut frame: Frame) {
        // Its program has not said that it computes checksums (`tap_handle_frame`).
        frame.complete_checksum();
        let time = self.now;
        self.trace_step(dev, &frame, Step::Deliver("tap queue"));
        let socket = self.sockets.get_mut(queue);
        if socket.as_ref().is_some_and(|socket| socket.has_room())
            && let Some(socket) = socket
        {
            let packet_type = frame.packet_type;
            socket.push(Item::Frame { frame, ifindex: 0, packet_type, hardware: hardware::ETHER, time });
            return;
        }
        // `macvtap_count_rx_dropped`: an error is shown as a drop too.
        if let Some(device) = self.devs.get_mut(dev) {
            device.stats.rx_errors += 1;
            device.stats.rx_dropped += 1;
        }
        self.drop_frame(Some(dev), frame, DropReason::FullRing);
    }

    /// `tap_get_user`: a program's frame. With the device down or gone it vanishes.
    ///
    /// # Errors
    /// `EINVAL`: shorter than a link header; `EMSGSIZE`: longer than any packet.
    pub(super) fn write_tap(&mut self, queue: SockId, data: &[u8]) -> Result<usize, Errno> {
        let Some(Kind::Tap(tap)) = self.sockets.get(queue).map(|socket| &socket.kind) else {
            return Err(Errno::EBADF);
        };
        let device = tap.device;
        let refused = match data.len() {
            ..ETH_LEN => Some(Errno::EINVAL),
            len if len > FRAME_MAX => Some(Errno::EMSGSIZE),
            _ => None,
        };
        if let Some(errno) = refused {
            if let Some(device) = device.and_then(|dev| self.devs.get_mut(dev)) {
                device.stats.tx_dropped += 1;
            }
            return Err(errno);
        }
        if let Some(dev) = device {
            let mut frame = self.pool.frame_from(data);
            self.name_frame(&mut frame);
            self.transmit(dev, frame);
        }
        Ok(data.len())
    }
}
