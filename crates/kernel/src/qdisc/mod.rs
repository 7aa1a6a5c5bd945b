//! Queueing disciplines: where a device's frames wait before they are sent (net/sched/sch_generic.c).
//!
//! A device has none of its own until `tc qdisc` gives it one. Devices here take each frame at once, so that what only
//! orders frames that wait (`pfifo`, `pfifo_fast`, `fq_codel`) lets all of them through.

mod netem;
mod tbf;

use hairpin_netlink::tc::{self, FqCodel, NetemParts, Statistics};

use crate::dev::ip_tunnel::Variant;
use crate::dev::ip6_tunnel::Variant as Variant6;
use crate::dev::{Kind, RxHandler};
use crate::device::{DevId, Device};
use crate::drop_reason::DropReason;
use crate::frame::Frame;
use crate::time::Time;
use crate::world::{TimerEvent, World};

pub(crate) use netem::NetemQueue;
pub(crate) use tbf::TbfQueue;

/// A discipline that was given to a device, at its root.
#[derive(Clone, Debug)]
pub struct Queue {
    /// Its major number, in the upper half.
    pub handle: u32,
    pub discipline: Discipline,
    pub statistics: Statistics,
    /// When a timer looks at it next.
    timer: Option<Time>,
}

#[derive(Clone, Debug)]
pub enum Discipline {
    Netem(NetemQueue),
    Tbf(TbfQueue),
    /// Packets.
    PacketFifo {
        limit: u32,
    },
    /// Bytes.
    ByteFifo {
        limit: u32,
    },
    PfifoFast,
    FqCodel(FqCodel),
    NoQueue,
}

/// What comes of looking for a frame to send.
pub(crate) enum Next {
    Frame(Frame),
    /// The next one may go then.
    At(Time),
    Empty,
}

impl Discipline {
    pub fn name(&self) -> &'static str {
        match self {
            Discipline::Netem(_) => "netem",
            Discipline::Tbf(_) => "tbf",
            Discipline::PacketFifo { .. } => "pfifo",
            Discipline::ByteFifo { .. } => "bfifo",
            Discipline::PfifoFast => "pfifo_fast",
            Discipline::FqCodel(_) => "fq_codel",
            Discipline::NoQueue => "noqueue",
        }
    }

    /// Its settings as a netlink attribute; none where it has none.
    pub fn options(&self) -> Option<Vec<u8>> {
        match self {
            Discipline::Netem(queue) => Some(queue.settings.emit(NetemParts::ALL)),
            Discipline::Tbf(queue) => Some(queue.settings.emit(None)),
            Discipline::PacketFifo { limit } | Discipline::ByteFifo { limit } => Some(tc::emit_fifo(*limit)),
            Discipline::PfifoFast => Some(tc::PFIFO_FAST.to_vec()),
            Discipline::FqCodel(settings) => Some(settings.emit()),
            Discipline::NoQueue => None,
        }
    }
}

impl Queue {
    pub fn new(handle: u32, discipline: Discipline) -> Self {
        Queue { handle, discipline, statistics: Statistics::default(), timer: None }
    }

    /// Frames that wait, out of the queue.
    fn drain(&mut self) -> Vec<Frame> {
        (self.statistics.queued, self.statistics.backlog) = (0, 0);
        match &mut self.discipline {
            Discipline::Netem(queue) => queue.drain(),
            Discipline::Tbf(queue) => queue.drain(),
            _ => Vec::new(),
        }
    }
}

/// `attach_default_qdiscs`: what a device has when it goes up. A card gets the default discipline, as do macvtap and
/// ipvtap and what frames with a link header are put into; other virtual devices have none (`IFF_NO_QUEUE`).
pub(crate) fn default_name(device: &Device, default_qdisc: &'static str) -> &'static str {
    match &device.kind {
        Kind::Nic { .. } | Kind::Ipoib(_) | Kind::Ifb | Kind::Tun(_) => default_qdisc,
        Kind::IpTunnel(tunnel) if tunnel.variant == Variant::GreTap => default_qdisc,
        Kind::Ip6Tunnel(tunnel) if tunnel.variant == Variant6::Ip6GreTap => default_qdisc,
        _ if matches!(device.rx_handler, RxHandler::Tap(_)) => default_qdisc,
        _ => "noqueue",
    }
}

impl World {
    /// `__dev_xmit_skb`: a frame goes into the device's queue, and what may leave it does.
    pub(crate) fn enqueue_to_send(&mut self, dev: DevId, frame: Frame) {
        let now = self.now;
        let Some(mut queue) = self.devs.get_mut(dev).and_then(|device| device.queue.take()) else {
            return self.send_now(dev, frame);
        };
        let mut dropped = None;
        let mut at_once = None;
        match &mut queue.discipline {
            Discipline::Netem(netem) => {
                let mut random = || self.random_below(1 << 32) as u32;
                dropped = netem.enqueue(frame, now, &mut queue.statistics, &mut random);
            }
            Discipline::Tbf(tbf) => dropped = tbf.enqueue(frame, &mut queue.statistics),
            Discipline::NoQueue => at_once = Some(frame),
            _ => {
                queue.statistics.packets = queue.statistics.packets.wrapping_add(1);
                queue.statistics.bytes += frame.len() as u64;
                at_once = Some(frame);
            }
        }
        if let Some(device) = self.devs.get_mut(dev) {
            device.queue = Some(queue);
        }
        if let Some(frame) = dropped {
            self.drop_frame(Some(dev), frame, DropReason::QdiscDrop);
        }
        match at_once {
            Some(frame) => self.send_now(dev, frame),
            None => self.run_queue(dev),
        }
    }

    /// `qdisc_run`: sends what may leave the queue, and sets a timer for the rest.
    fn run_queue(&mut self, dev: DevId) {
        loop {
            let now = self.now;
            let Some(queue) = self.devs.get_mut(dev).and_then(|device| device.queue.as_mut()) else { return };
            let next = match &mut queue.discipline {
                Discipline::Netem(netem) => netem.dequeue(now),
                Discipline::Tbf(tbf) => tbf.dequeue(now, &mut queue.statistics),
                _ => Next::Empty,
            };
            match next {
                Next::Empty => return,
                Next::At(at) => {
                    if queue.timer.is_none_or(|set| set > at || set <= now) {
                        queue.timer = Some(at);
                        self.timers.add(at, TimerEvent::Queue { dev });
                    }
                    return;
                }
                Next::Frame(frame) => {
                    let statistics = &mut queue.statistics;
                    statistics.packets = statistics.packets.wrapping_add(1);
                    statistics.bytes += frame.len() as u64;
                    statistics.queued = statistics.queued.saturating_sub(1);
                    statistics.backlog = statistics.backlog.saturating_sub(frame.len() as u32);
                    self.send_now(dev, frame);
                }
            }
        }
    }

    pub(crate) fn queue_due(&mut self, dev: DevId) {
        let now = self.now;
        let Some(queue) = self.devs.get_mut(dev).and_then(|device| device.queue.as_mut()) else { return };
        if queue.timer.is_some_and(|set| set <= now) {
            queue.timer = None;
        }
        self.run_queue(dev);
    }

    /// `dev_deactivate`: what waits to be sent by a device that goes down is gone.
    pub(crate) fn empty_queue(&mut self, dev: DevId) {
        let frames =
            self.devs.get_mut(dev).and_then(|device| device.queue.as_mut()).map(|queue| queue.drain());
        for frame in frames.unwrap_or_default() {
            self.drop_frame(Some(dev), frame, DropReason::QdiscDrop);
        }
    }

    /// `dev_shutdown`: a device that goes has no discipline any more.
    pub(crate) fn shut_queue(&mut self, dev: DevId) {
        self.empty_queue(dev);
        if let Some(device) = self.devs.get_mut(dev) {
            device.queue = None;
            device.qdisc = "noop";
        }
    }
}
