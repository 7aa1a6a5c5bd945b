//! Queueing disciplines: `RTM_NEWQDISC` and its kin (include/uapi/linux/pkt_sched.h, net/sched/sch_api.c).

use crate::codec::{attributes, put_attribute};

pub const RTM_NEWQDISC: u16 = 36;
pub const RTM_DELQDISC: u16 = 37;
pub const RTM_GETQDISC: u16 = 38;

/// `TC_H_ROOT`, `TC_H_INGRESS`: what a discipline hangs on.
pub const ROOT: u32 = 0xffff_ffff;
pub const INGRESS: u32 = 0xffff_fff1;

/// Nanoseconds in one of the scheduler's ticks (`PSCHED_SHIFT`).
pub const TICK_NS: u64 = 64;

const TCA_KIND: u16 = 1;
const TCA_OPTIONS: u16 = 2;
const TCA_STATS2: u16 = 7;
const TCA_STATS_BASIC: u16 = 1;
const TCA_STATS_QUEUE: u16 = 3;
/// Size of `struct tcmsg`.
const HEADER_LEN: usize = 20;

/// What a discipline has done (`struct gnet_stats_basic`, `struct gnet_stats_queue`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    pub bytes: u64,
    pub packets: u32,
    /// Packets, and bytes, that wait.
    pub queued: u32,
    pub backlog: u32,
    pub drops: u32,
    pub requeues: u32,
    pub overlimits: u32,
}

/// A request, or what a kernel tells of a discipline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QdiscMessage {
    pub ifindex: u32,
    pub handle: u32,
    pub parent: u32,
    /// How many hold it, in what a kernel tells.
    pub references: u32,
    pub kind: Option<String>,
    /// The discipline's own attributes, as bytes.
    pub options: Option<Vec<u8>>,
    pub statistics: Option<Statistics>,
}

impl QdiscMessage {
    /// The payload of a netlink message.
    pub fn emit(&self) -> Vec<u8> {
        let mut bytes = vec![0; 4];
        for word in [self.ifindex, self.handle, self.parent, self.references] {
            bytes.extend(word.to_ne_bytes());
        }
        if let Some(kind) = &self.kind {
            put_attribute(&mut bytes, TCA_KIND, &[kind.as_bytes(), b"\0"].concat());
        }
        if let Some(options) = &self.options {
            put_attribute(&mut bytes, TCA_OPTIONS, options);
        }
        if let Some(statistics) = &self.statistics {
            put_attribute(&mut bytes, TCA_STATS2, &statistics.emit());
        }
        bytes
    }

    /// Reads a payload; none if it is too short for its header.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let word = |at: usize| payload.get(at..at + 4).and_then(number);
        let mut message = QdiscMessage {
            ifindex: word(4)?,
            handle: word(8)?,
            parent: word(12)?,
            references: word(16)?,
            ..QdiscMessage::default()
        };
        for (kind, value) in attributes(payload.get(HEADER_LEN..)?) {
            match kind {
                TCA_KIND => {
                    let name = value.split(|byte| *byte == 0).next().unwrap_or_default();
                    message.kind = Some(String::from_utf8_lossy(name).into_owned());
                }
                TCA_OPTIONS => message.options = Some(value.to_vec()),
                TCA_STATS2 => message.statistics = Some(Statistics::parse(value)),
                _ => {}
            }
        }
        Some(message)
    }
}

impl Statistics {
    fn emit(&self) -> Vec<u8> {
        let mut basic = self.bytes.to_ne_bytes().to_vec();
        basic.extend(self.packets.to_ne_bytes());
        basic.resize(16, 0);
        let queue = words(&[self.queued, self.backlog, self.drops, self.requeues, self.overlimits]);
        let mut bytes = Vec::new();
        put_attribute(&mut bytes, TCA_STATS_BASIC, &basic);
        put_attribute(&mut bytes, TCA_STATS_QUEUE, &queue);
        bytes
    }

    fn parse(value: &[u8]) -> Self {
        let mut statistics = Statistics::default();
        for (kind, value) in attributes(value) {
            let word = |at: usize| value.get(at * 4..at * 4 + 4).and_then(number).unwrap_or_default();
            match kind {
                TCA_STATS_BASIC => {
                    let bytes = value.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes));
                    (statistics.bytes, statistics.packets) = (bytes.unwrap_or_default(), word(2));
                }
                TCA_STATS_QUEUE => {
                    (statistics.queued, statistics.backlog) = (word(0), word(1));
                    (statistics.drops, statistics.requeues, statistics.overlimits) =
                        (word(2), word(3), word(4));
                }
                _ => {}
            }
        }
        statistics
    }
}

/// `struct tc_ratespec`; the rate in bytes a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateSpec {
    pub cell_log: u8,
    pub rate: u32,
}

impl RateSpec {
    fn emit(self) -> Vec<u8> {
        let mut bytes = vec![self.cell_log, u8::from(self.rate != 0)];
        bytes.resize(8, 0);
        bytes.extend(self.rate.to_ne_bytes());
        bytes
    }

    fn parse(value: &[u8]) -> Option<Self> {
        Some(RateSpec { cell_log: *value.first()?, rate: value.get(8..12).and_then(number)? })
    }
}

/// Settings of `netem`. Probabilities and correlations are fractions of 2³²; times are nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Netem {
    pub limit: u32,
    pub latency: u64,
    pub jitter: u64,
    pub loss: u32,
    pub duplicate: u32,
    pub gap: u32,
    pub delay_correlation: u32,
    pub loss_correlation: u32,
    pub duplicate_correlation: u32,
    /// A probability and its correlation.
    pub reorder: (u32, u32),
    pub corrupt: (u32, u32),
    /// Bytes a second; 0 for as fast as it goes.
    pub rate: u64,
}

/// Groups of settings that a request has, or has not: then the discipline keeps those it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetemParts {
    pub correlations: bool,
    pub reorder: bool,
    pub corrupt: bool,
    pub rate: bool,
}

impl NetemParts {
    pub const ALL: Self = NetemParts { correlations: true, reorder: true, corrupt: true, rate: true };
    pub const NONE: Self = NetemParts { correlations: false, reorder: false, corrupt: false, rate: false };
}

/// Why options could not be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetemError {
    Short,
    /// They ask for something that [`Netem`] has no room for.
    Other,
}

mod netem {
    pub const CORR: u16 = 1;
    pub const REORDER: u16 = 3;
    pub const CORRUPT: u16 = 4;
    pub const RATE: u16 = 6;
    pub const ECN: u16 = 7;
    pub const RATE64: u16 = 8;
    pub const PAD: u16 = 9;
    pub const LATENCY64: u16 = 10;
    pub const JITTER64: u16 = 11;
    /// Size of `struct tc_netem_qopt`.
    pub const QOPT_LEN: usize = 24;
}

impl Netem {
    /// The value of the options' attribute.
    pub fn emit(&self, parts: NetemParts) -> Vec<u8> {
        let ticks = |ns: u64| u32::try_from(ns / TICK_NS).unwrap_or(u32::MAX);
        let fixed =
            [ticks(self.latency), self.limit, self.loss, self.gap, self.duplicate, ticks(self.jitter)];
        let mut bytes = words(&fixed);
        if parts.correlations {
            let correlations = [self.delay_correlation, self.loss_correlation, self.duplicate_correlation];
            put_attribute(&mut bytes, netem::CORR, &words(&correlations));
        }
        if parts.reorder {
            put_attribute(&mut bytes, netem::REORDER, &words(&[self.reorder.0, self.reorder.1]));
        }
        if parts.corrupt {
            put_attribute(&mut bytes, netem::CORRUPT, &words(&[self.corrupt.0, self.corrupt.1]));
        }
        if parts.rate {
            // `struct tc_netem_rate`, which has room for 32 bits of the rate.
            let narrow = u32::try_from(self.rate).unwrap_or(u32::MAX);
            if u64::from(narrow) < self.rate {
                put_attribute(&mut bytes, netem::RATE64, &self.rate.to_ne_bytes());
            }
            put_attribute(&mut bytes, netem::RATE, &words(&[narrow, 0, 0, 0]));
        }
        bytes
    }

    /// Takes options over; what they do not mention stays (`netem_change`).
    ///
    /// # Errors
    /// They are too short, or ask for what is not known here.
    pub fn update(&mut self, options: &[u8]) -> Result<(), NetemError> {
        let words = |bytes: &[u8], at: usize| bytes.get(at * 4..at * 4 + 4).and_then(number);
        let fixed = |at: usize| words(options, at).ok_or(NetemError::Short);
        (self.latency, self.limit) = (u64::from(fixed(0)?) * TICK_NS, fixed(1)?);
        (self.loss, self.gap) = (fixed(2)?, fixed(3)?);
        (self.duplicate, self.jitter) = (fixed(4)?, u64::from(fixed(5)?) * TICK_NS);
        if self.gap != 0 {
            self.reorder.0 = u32::MAX;
        }
        let mut wide = None;
        for (kind, value) in attributes(options.get(netem::QOPT_LEN..).unwrap_or_default()) {
            let word = |at: usize| words(value, at).unwrap_or_default();
            let long = || value.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes)).unwrap_or_default();
            match kind {
                netem::CORR => {
                    (self.delay_correlation, self.loss_correlation) = (word(0), word(1));
                    self.duplicate_correlation = word(2);
                }
                netem::REORDER => self.reorder = (word(0), word(1)),
                netem::CORRUPT => self.corrupt = (word(0), word(1)),
                netem::RATE if [1, 2, 3].map(word) != [0; 3] => return Err(NetemError::Other),
                netem::RATE => self.rate = u64::from(word(0)),
                netem::RATE64 => wide = Some(long()),
                netem::LATENCY64 => self.latency = long(),
                netem::JITTER64 => self.jitter = long(),
                netem::PAD => {}
                netem::ECN if word(0) == 0 => {}
                _ => return Err(NetemError::Other),
            }
        }
        self.rate = wide.unwrap_or(self.rate);
        Ok(())
    }
}

/// Settings of `tbf`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tbf {
    pub rate: RateSpec,
    /// Bytes that may wait.
    pub limit: u32,
    /// The bucket's size as the time that it takes at this rate, in ticks.
    pub buffer: u32,
    /// The bucket's size in bytes, where it is said.
    pub burst: Option<u32>,
    /// A peak rate is asked for.
    pub has_peak: bool,
}

mod tbf {
    pub const PARMS: u16 = 1;
    pub const RTAB: u16 = 2;
    pub const BURST: u16 = 6;
}

impl Tbf {
    /// The value of the options' attribute. `table`: transmission times by length (`tc_calc_rtable`).
    pub fn emit(&self, table: Option<&[u32]>) -> Vec<u8> {
        let mut parms = self.rate.emit();
        parms.extend(RateSpec::default().emit());
        parms.extend(words(&[self.limit, self.buffer, 0]));
        let mut bytes = Vec::new();
        put_attribute(&mut bytes, tbf::PARMS, &parms);
        if let Some(burst) = self.burst {
            put_attribute(&mut bytes, tbf::BURST, &burst.to_ne_bytes());
        }
        if let Some(table) = table {
            put_attribute(&mut bytes, tbf::RTAB, &words(table));
        }
        bytes
    }

    /// Reads options; none without parameters.
    pub fn parse(options: &[u8]) -> Option<Self> {
        let mut found = None;
        let mut burst = None;
        for (kind, value) in attributes(options) {
            match kind {
                tbf::PARMS => {
                    let word = |at: usize| value.get(at..at + 4).and_then(number);
                    found = Some(Tbf {
                        rate: RateSpec::parse(value.get(..12)?)?,
                        has_peak: RateSpec::parse(value.get(12..24)?)?.rate != 0,
                        limit: word(24)?,
                        buffer: word(28)?,
                        burst: None,
                    });
                }
                tbf::BURST => burst = number(value),
                _ => {}
            }
        }
        found.map(|found| Tbf { burst, ..found })
    }
}

/// `struct tc_fifo_qopt`: the limit of `pfifo` in packets, of `bfifo` in bytes.
pub fn emit_fifo(limit: u32) -> Vec<u8> {
    limit.to_ne_bytes().to_vec()
}

/// The limit, where one is given.
pub fn parse_fifo(options: &[u8]) -> Option<u32> {
    options.get(..4).and_then(number)
}

/// Settings of `fq_codel`, as a kernel tells them. Times in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FqCodel {
    pub target: u32,
    pub limit: u32,
    pub interval: u32,
    pub ecn: u32,
    pub flows: u32,
    pub quantum: u32,
    pub drop_batch: u32,
    pub memory_limit: u32,
}

impl Default for FqCodel {
    /// `fq_codel_init`, on a device with an MTU of 1500.
    fn default() -> Self {
        FqCodel {
            target: 4999,
            limit: 10240,
            interval: 99_999,
            ecn: 1,
            flows: 1024,
            quantum: 1514,
            drop_batch: 64,
            memory_limit: 32 << 20,
        }
    }
}

impl FqCodel {
    /// The value of the options' attribute (`TCA_FQ_CODEL_*`).
    pub fn emit(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let values = [
            (1, self.target),
            (2, self.limit),
            (3, self.interval),
            (4, self.ecn),
            (6, self.quantum),
            (8, self.drop_batch),
            (9, self.memory_limit),
            (5, self.flows),
        ];
        for (kind, value) in values {
            put_attribute(&mut bytes, kind, &value.to_ne_bytes());
        }
        bytes
    }

    pub fn parse(options: &[u8]) -> Self {
        let mut found = FqCodel::default();
        for (kind, value) in attributes(options) {
            let Some(value) = number(value) else { continue };
            match kind {
                1 => found.target = value,
                2 => found.limit = value,
                3 => found.interval = value,
                4 => found.ecn = value,
                5 => found.flows = value,
                6 => found.quantum = value,
                8 => found.drop_batch = value,
                9 => found.memory_limit = value,
                _ => {}
            }
        }
        found
    }
}

/// `struct tc_prio_qopt` of `pfifo_fast`: bands, and the band of each priority.
pub const PFIFO_FAST: [u8; 20] = {
    let mut bytes = [1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0];
    let bands = 3i32.to_ne_bytes();
    let mut at = 20;
    while at > 4 {
        at -= 1;
        bytes[at] = bytes[at - 4];
    }
    let mut at = 0;
    while at < 4 {
        bytes[at] = bands[at];
        at += 1;
    }
    bytes
};

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

fn number(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_as_they_were_written() {
        let netem = Netem {
            limit: 1000,
            latency: 100_000_000,
            jitter: 10_000_000,
            loss: 7,
            reorder: (3, 4),
            rate: 125_000,
            ..Netem::default()
        };
        let mut read = Netem::default();
        assert_eq!(read.update(&netem.emit(NetemParts::ALL)), Ok(()));
        assert_eq!(read, netem);
        let other = Netem { latency: 64, reorder: (0, 0), rate: 0, ..netem };
        assert_eq!(read.update(&other.emit(NetemParts::NONE)), Ok(()));
        assert_eq!(read, Netem { latency: 64, ..netem }, "what was not mentioned stays");
        assert_eq!(read.update(&[0; 23]), Err(NetemError::Short));
        let tbf = Tbf {
            rate: RateSpec { cell_log: 3, rate: 125_000 },
            limit: 9,
            buffer: 8,
            burst: Some(4000),
            has_peak: false,
        };
        assert_eq!(Tbf::parse(&tbf.emit(Some(&[1, 2]))), Some(tbf));
        let message = QdiscMessage {
            ifindex: 2,
            handle: 0x8001_0000,
            parent: ROOT,
            references: 2,
            kind: Some("netem".to_owned()),
            options: Some(netem.emit(NetemParts::ALL)),
            statistics: Some(Statistics { bytes: 1 << 40, packets: 2, drops: 3, ..Statistics::default() }),
        };
        assert_eq!(QdiscMessage::parse(&message.emit()), Some(message));
        assert_eq!(QdiscMessage::parse(&[0; 19]), None);
        assert_eq!(PFIFO_FAST[4..], [1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
    }
}
