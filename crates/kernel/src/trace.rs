//! What happened to each frame, when somebody wants to know: steps and drops with their reason.

use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::PacketType;
use crate::time::Time;

/// One step of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A device transmitted it (the outgoing tap).
    Transmit,
    /// A device received it (the incoming tap).
    Receive(PacketType),
    /// It was delivered to sockets of this host.
    Deliver(&'static str),
    /// It is forwarded by the IP layer.
    Forward,
    /// It crossed a wire to another machine's card.
    Wire,
    /// Netfilter has decided that it ends here, and by which rule (0: the policy).
    NetfilterDrop {
        table: &'static str,
        chain: String,
        rule: u32,
    },
    /// The same of nftables.
    NftablesDrop {
        table: String,
        chain: String,
        rule: u32,
    },
    /// A line for the kernel's log.
    Log(String),
    Drop(DropReason),
}

/// A record: when, which frame, where, what.
#[derive(Clone, Debug)]
pub struct Record {
    pub time: Time,
    /// Copies of one frame have one number.
    pub frame: u32,
    pub dev: Option<DevId>,
    /// Where, in words: `host:netns/device`.
    pub place: String,
    pub step: Step,
    /// The frame in short.
    pub summary: String,
}

impl std::fmt::Display for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let nanos = self.time.nanos();
        write!(
            f,
            "{}.{:06} #{} {} ",
            nanos / 1_000_000_000,
            nanos % 1_000_000_000 / 1000,
            self.frame,
            self.place
        )?;
        match &self.step {
            Step::Transmit => f.write_str("OUT")?,
            Step::Receive(packet_type) => write!(
                f,
                "IN {}",
                match packet_type {
                    PacketType::Host => "host",
                    PacketType::Broadcast => "broadcast",
                    PacketType::Multicast => "multicast",
                    PacketType::OtherHost => "other",
                    PacketType::Outgoing => "outgoing",
                }
            )?,
            Step::Deliver(what) => write!(f, "DELIVER {what}")?,
            Step::Forward => f.write_str("FORWARD")?,
            Step::Wire => f.write_str("WIRE")?,
            Step::NetfilterDrop { table, chain, rule: 0 } => write!(f, "NETFILTER {table} {chain} policy")?,
            Step::NetfilterDrop { table, chain, rule } => {
                write!(f, "NETFILTER {table} {chain} rule {rule}")?;
            }
            Step::NftablesDrop { table, chain, rule: 0 } => write!(f, "NFTABLES {table} {chain} policy")?,
            Step::NftablesDrop { table, chain, rule } => {
                write!(f, "NFTABLES {table} {chain} rule {rule}")?;
            }
            Step::Log(line) => write!(f, "LOG {line}")?,
            Step::Drop(reason) => write!(f, "DROP {reason}")?,
        }
        write!(f, " {}", self.summary)
    }
}

/// So many records are kept where nobody says otherwise: a loop of bridges would fill the disk.
pub const RECORDS_MAX: u64 = 100_000;

/// The recorder. Off, it costs one branch a step.
#[derive(Clone, Debug)]
pub struct Trace {
    pub on: bool,
    pub records: Vec<Record>,
    pub next_frame: u32,
    /// How many records are still wanted. The recorder switches itself off after the last one.
    pub left: u64,
}

impl Default for Trace {
    fn default() -> Self {
        Trace { on: false, records: Vec::new(), next_frame: 0, left: RECORDS_MAX }
    }
}

impl Trace {
    pub fn push(&mut self, record: Record) {
        self.left = self.left.saturating_sub(1);
        self.on = self.left > 0;
        self.records.push(record);
    }
}
