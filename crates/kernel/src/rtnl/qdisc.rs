//! Queueing disciplines: `RTM_NEWQDISC`, `RTM_DELQDISC`, `RTM_GETQDISC` (net/sched/sch_api.c). A device has one, at
//! its root.

use hairpin_netlink::codec::{Decoded, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_MULTI, NLM_F_REPLACE};
use hairpin_netlink::tc::{
    self, FqCodel, Netem, NetemError, QdiscMessage, ROOT, RTM_DELQDISC, RTM_GETQDISC, RTM_NEWQDISC,
    Statistics, Tbf,
};
use hairpin_netlink::{Answer, Errno, Failure};

use crate::device::{DevId, Device};
use crate::netns::NsId;
use crate::qdisc::{Discipline, NetemQueue, Queue, TbfQueue, default_name};
use crate::world::World;

/// Kinds of Linux that are not here.
const OTHERS: &[&str] = &[
    "cake",
    "cbs",
    "choke",
    "clsact",
    "codel",
    "drr",
    "ets",
    "etf",
    "fq",
    "fq_pie",
    "gred",
    "hfsc",
    "hhf",
    "htb",
    "ingress",
    "mq",
    "mqprio",
    "multiq",
    "pfifo_head_drop",
    "pie",
    "plug",
    "prio",
    "qfq",
    "red",
    "sfb",
    "sfq",
    "skbprio",
    "taprio",
];

fn not_emulated(what: &str) -> Failure {
    Failure::with_text(Errno::EOPNOTSUPP, format!("{what}: not emulated"))
}

impl World {
    /// One request, or dump, of these kinds.
    ///
    /// # Errors
    /// The kernel's errno and extended-ack text.
    pub(super) fn rtnl_qdisc(
        &mut self,
        ns: NsId,
        decoded: &Decoded<'_>,
        answer: &mut Answer,
    ) -> Result<(), Failure> {
        let flags = decoded.header.flags;
        let request = QdiscMessage::parse(decoded.payload).ok_or(Errno::EINVAL)?;
        match decoded.header.kind {
            RTM_GETQDISC if flags & NLM_F_DUMP == NLM_F_DUMP => {
                for device in self.devices_of(ns) {
                    if let Some(message) = describe(device) {
                        answer.push_raw(RTM_NEWQDISC, &message.emit(), NLM_F_MULTI);
                    }
                }
                Ok(())
            }
            RTM_NEWQDISC => self.modify_qdisc(ns, &request, flags),
            RTM_DELQDISC => self.delete_qdisc(ns, &request),
            _ => Err(Errno::EOPNOTSUPP.into()),
        }
    }

    fn qdisc_device(&self, ns: NsId, request: &QdiscMessage) -> Result<DevId, Failure> {
        self.device_at(ns, request.ifindex).ok_or_else(|| Errno::ENODEV.into())
    }

    /// `tc_modify_qdisc`
    fn modify_qdisc(&mut self, ns: NsId, request: &QdiscMessage, flags: u16) -> Result<(), Failure> {
        let dev = self.qdisc_device(ns, request)?;
        let has = |flag: u16| flags & flag != 0;
        let present = self.devs.get(dev).and_then(|device| device.queue.as_deref());
        let present = present.map(|queue| (queue.handle, queue.discipline.name()));
        let kind = request.kind.as_deref();
        let other_kind = present.is_some_and(|(_, name)| kind.is_some_and(|kind| kind != name));
        let create = match request.parent {
            0 if request.handle == 0 => return Err(wrong(Errno::EINVAL, "Handle cannot be zero")),
            0 if present.is_none_or(|(handle, _)| handle != request.handle) => {
                return Err(wrong(Errno::ENOENT, "Specified qdisc not found"));
            }
            0 => false,
            ROOT => match present {
                None => true,
                Some((handle, _)) if request.handle != 0 && handle != request.handle => {
                    if !has(NLM_F_REPLACE) {
                        return Err(wrong(Errno::EEXIST, "NLM_F_REPLACE needed to override"));
                    }
                    if request.handle & 0xffff != 0 {
                        return Err(wrong(Errno::EINVAL, "Invalid minor handle"));
                    }
                    true
                }
                Some((handle, _)) if request.handle == handle => false,
                // Of another kind it is put in the place of the present one, but for `tc qdisc link`.
                Some(_) if other_kind => match (has(NLM_F_CREATE), has(NLM_F_REPLACE), has(NLM_F_EXCL)) {
                    (true, replaces, excludes) => replaces || excludes,
                    // `req_change`: without being asked to create anything.
                    (false, false, false) => return self.create_qdisc(dev, request),
                    _ => false,
                },
                Some(_) => false,
            },
            _ => return Err(not_emulated("A queueing discipline that is not a device's root")),
        };
        if create {
            if !has(NLM_F_CREATE) {
                return Err(wrong(Errno::ENOENT, "Qdisc not found. To create specify NLM_F_CREATE flag"));
            }
            return self.create_qdisc(dev, request);
        }
        if has(NLM_F_EXCL) {
            return Err(wrong(Errno::EEXIST, "Exclusivity flag on, cannot modify"));
        }
        if other_kind {
            return Err(wrong(Errno::EINVAL, "Invalid qdisc name"));
        }
        self.change_qdisc(dev, request)
    }

    fn create_qdisc(&mut self, dev: DevId, request: &QdiscMessage) -> Result<(), Failure> {
        let device = self.devs.get(dev).ok_or(Errno::ENODEV)?;
        let kind = request.kind.as_deref().unwrap_or_default();
        let options = request.options.as_deref();
        let queue_length = device.tx_queue_len;
        let discipline = match kind {
            "netem" => {
                let mut settings = Netem::default();
                settings.update(options.ok_or(Errno::EINVAL)?).map_err(refused)?;
                Discipline::Netem(NetemQueue::new(settings))
            }
            "tbf" => Discipline::Tbf(TbfQueue::new(tbf_settings(options.ok_or(Errno::EINVAL)?)?, self.now)),
            "pfifo" => {
                Discipline::PacketFifo { limit: options.and_then(tc::parse_fifo).unwrap_or(queue_length) }
            }
            "bfifo" => {
                let frame = device.mtu.saturating_add(crate::frame::ETH_LEN as u32);
                let limit = options.and_then(tc::parse_fifo);
                Discipline::ByteFifo { limit: limit.unwrap_or(queue_length.saturating_mul(frame)) }
            }
            "pfifo_fast" => Discipline::PfifoFast,
            "fq_codel" if options.is_none_or(<[u8]>::is_empty) => Discipline::FqCodel(FqCodel::default()),
            "fq_codel" => return Err(not_emulated("Settings of fq_codel")),
            "noqueue" => Discipline::NoQueue,
            kind if OTHERS.contains(&kind) => {
                return Err(not_emulated(&format!("The queueing discipline {kind}")));
            }
            _ => return Err(wrong(Errno::ENOENT, "Specified qdisc kind is unknown")),
        };
        let ns = device.ns;
        let handle = match request.handle {
            0 => self.next_queue_handle(ns),
            handle => handle,
        };
        self.empty_queue(dev);
        if let Some(device) = self.devs.get_mut(dev) {
            device.qdisc = discipline.name();
            device.queue = Some(Box::new(Queue::new(handle, discipline)));
        }
        self.changed();
        Ok(())
    }

    /// `qdisc_alloc_handle`: one kernel counts for all its devices.
    fn next_queue_handle(&mut self, ns: NsId) -> u32 {
        let host = self.netns.get(ns).map(|netns| netns.host).and_then(|host| self.hosts.get_mut(host));
        let Some(host) = host else { return 0x8001_0000 };
        host.queue_handle = match host.queue_handle.wrapping_add(0x1_0000) {
            0xffff_0000 => 0x8001_0000,
            next => next,
        };
        host.queue_handle
    }

    /// `qdisc_change`
    fn change_qdisc(&mut self, dev: DevId, request: &QdiscMessage) -> Result<(), Failure> {
        let now = self.now;
        let options = request.options.as_deref().filter(|options| !options.is_empty());
        let queue = self.devs.get_mut(dev).and_then(|device| device.queue.as_mut()).ok_or(Errno::ENOENT)?;
        match (&mut queue.discipline, options) {
            (Discipline::Netem(netem), options) => {
                let mut settings = netem.settings;
                settings.update(options.ok_or(Errno::EINVAL)?).map_err(refused)?;
                netem.change(settings);
            }
            (Discipline::Tbf(tbf), options) => {
                tbf.change(tbf_settings(options.ok_or(Errno::EINVAL)?)?, now, &mut queue.statistics);
            }
            (Discipline::PacketFifo { limit } | Discipline::ByteFifo { limit }, Some(options)) => {
                *limit = tc::parse_fifo(options).ok_or(Errno::EINVAL)?;
            }
            (Discipline::PfifoFast | Discipline::NoQueue, Some(_)) => {
                return Err(wrong(Errno::EINVAL, "Change operation not supported by specified qdisc"));
            }
            (Discipline::FqCodel(_), Some(_)) => return Err(not_emulated("Settings of fq_codel")),
            (_, None) => {}
        }
        Ok(())
    }

    /// `tc_get_qdisc`: the default one comes back.
    fn delete_qdisc(&mut self, ns: NsId, request: &QdiscMessage) -> Result<(), Failure> {
        let dev = self.qdisc_device(ns, request)?;
        let device = self.devs.get(dev).ok_or(Errno::ENODEV)?;
        let handle = device.queue.as_ref().map_or(0, |queue| queue.handle);
        match request.parent {
            0 if handle == 0 || handle != request.handle => {
                return Err(wrong(Errno::ENOENT, "Failed to find qdisc with specified handle"));
            }
            0 | ROOT => {}
            tc::INGRESS => {
                return Err(wrong(Errno::ENOENT, "Cannot find specified qdisc on specified device"));
            }
            _ => return Err(wrong(Errno::ENOENT, "Failed to find qdisc with specified classid")),
        }
        if request.handle != 0 && handle != request.handle {
            return Err(wrong(Errno::EINVAL, "Invalid handle"));
        }
        if request.kind.as_deref().is_some_and(|kind| !kind.is_empty() && kind != device.qdisc) {
            return Err(wrong(Errno::EINVAL, "Invalid qdisc name"));
        }
        if request.parent == 0 {
            return Err(wrong(Errno::EINVAL, "Classid cannot be zero"));
        }
        if handle == 0 {
            return Err(wrong(Errno::ENOENT, "Cannot delete qdisc with handle of zero"));
        }
        self.shut_queue(dev);
        let default_qdisc = self.default_qdisc(dev);
        if let Some(device) = self.devs.get_mut(dev).filter(|device| device.is_up()) {
            device.qdisc = default_name(device, default_qdisc);
        }
        self.changed();
        Ok(())
    }
}

fn wrong(errno: Errno, text: &str) -> Failure {
    Failure::with_text(errno, text)
}

fn refused(error: NetemError) -> Failure {
    match error {
        NetemError::Short => Errno::EINVAL.into(),
        NetemError::Other => not_emulated("A setting of netem"),
    }
}

/// `tbf_change`
fn tbf_settings(options: &[u8]) -> Result<Tbf, Failure> {
    let mut settings = Tbf::parse(options).ok_or(Errno::EINVAL)?;
    // Of the table of rates nothing is kept (`psched_ratecfg_getrate`).
    settings.rate.cell_log = 0;
    if settings.has_peak {
        return Err(not_emulated("A peak rate of tbf"));
    }
    if settings.rate.rate == 0 || settings.burst.unwrap_or(settings.buffer) == 0 {
        return Err(Errno::EINVAL.into());
    }
    Ok(settings)
}

/// What a device's root is; none while it has never been up (`noop_qdisc` is not told of).
fn describe(device: &Device) -> Option<QdiscMessage> {
    if device.qdisc == "noop" {
        return None;
    }
    let (handle, options, statistics) = match &device.queue {
        Some(queue) => (queue.handle, queue.discipline.options(), queue.statistics),
        None => {
            let options = match device.qdisc {
                "fq_codel" => Discipline::FqCodel(FqCodel::default()).options(),
                "pfifo_fast" => Discipline::PfifoFast.options(),
                _ => None,
            };
            // All that a device with a default discipline has sent went through it.
            let statistics = match options {
                Some(_) => Statistics {
                    bytes: device.stats.tx_bytes,
                    packets: device.stats.tx_packets as u32,
                    ..Statistics::default()
                },
                None => Statistics::default(),
            };
            (0, options, statistics)
        }
    };
    Some(QdiscMessage {
        ifindex: device.ifindex,
        handle,
        parent: ROOT,
        references: 2,
        kind: Some(device.qdisc.to_owned()),
        options,
        statistics: Some(statistics),
    })
}
