//! The rules of nftables (nf_tables): tables, chains, rules of statements, sets and maps.
//!
//! A rule is a list of [`Statement`]s that one machine in the kernel interprets from left to right. Every datum is a
//! number of at most 128 bits with a [`Type`], which only says how it is read and printed; the name of an interface is
//! its bytes from the left. A front end reads the ruleset whole, changes it and puts it back: one transaction.

use serde::{Deserialize, Serialize};

use super::{Hook, Policy};

/// The family of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Family {
    Ip,
    Ip6,
    /// IPv4 and IPv6.
    Inet,
}

impl Family {
    pub fn name(self) -> &'static str {
        match self {
            Family::Ip => "ip",
            Family::Ip6 => "ip6",
            Family::Inet => "inet",
        }
    }
}

/// How a datum is read and printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Type {
    Ipv4,
    Ipv6,
    Ether,
    InetProto,
    Service,
    Mark,
    IfIndex,
    IfName,
    IfType,
    CtState,
    CtStatus,
    CtDirection,
    IcmpType,
    IcmpCode,
    Icmp6Type,
    Icmp6Code,
    TcpFlag,
    PacketType,
    FibType,
    Dscp,
    Ecn,
    EtherType,
    NfProto,
    Uid,
    Gid,
    Time,
    Integer,
    Boolean,
    Verdict,
}

impl Type {
    /// Whether a datum is a set of flags.
    pub fn is_flags(self) -> bool {
        matches!(self, Type::CtState | Type::CtStatus | Type::TcpFlag)
    }
}

/// Whose header a payload expression reads; packets without it do not match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Header {
    Ether,
    Vlan,
    Ip,
    Ip6,
    Icmp,
    Icmp6,
    Tcp,
    Udp,
    UdpLite,
    Sctp,
    /// Any transport protocol.
    Th,
}

/// Bits of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Field {
    pub header: Header,
    /// In bits.
    pub offset: u16,
    /// At most 128.
    pub bits: u16,
    pub kind: Type,
}

/// `meta`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Meta {
    Mark,
    Iif,
    Oif,
    IifName,
    OifName,
    IifType,
    OifType,
    L4Proto,
    Protocol,
    NfProto,
    Length,
    PacketType,
    SkUid,
    SkGid,
    Priority,
    Trace,
}

/// `ct`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Ct {
    State,
    Status,
    Mark,
    Direction,
    Expiration,
    L3Proto,
    Protocol,
    SourceIp,
    DestinationIp,
    SourceIp6,
    DestinationIp6,
    SourcePort,
    DestinationPort,
}

/// What gives a datum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expr {
    Payload(Field),
    Meta(Meta),
    /// Of one direction of the connection where that is asked for: 0 the original, 1 the reply.
    Ct(Ct, Option<u8>),
    /// The kind of the source's or the destination's address; with only the device's own as local.
    FibType {
        source: bool,
        iif: bool,
        oif: bool,
    },
    Value(u128),
    /// `of & and ^ xor`
    Bits {
        of: Box<Expr>,
        and: u128,
        xor: u128,
    },
    Map {
        key: Vec<Expr>,
        map: SetRef,
    },
    /// `numgen`
    NumberOf {
        random: bool,
        modulus: u32,
        offset: u32,
        next: u32,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Op {
    /// None was written: equality; with flags, one of them.
    Implicit,
    Equal,
    NotEqual,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
}

/// What an expression is compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Right {
    Value(u128),
    /// The first bits are alike.
    Prefix(u128, u8),
    Range(u128, u128),
    Set(SetRef),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SetRef {
    Named(String),
    Anonymous(Box<Set>),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    Accept,
    Drop,
    Continue,
    Return,
    Jump(String),
    Goto(String),
}

/// `reject with`: which family's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reject {
    Icmp(u8),
    Icmp6(u8),
    /// Of the packet's family (`NFT_REJECT_ICMPX_*`).
    Icmpx(u8),
    TcpReset,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NatKind {
    Snat,
    Dnat,
    Masquerade,
    Redirect,
}

/// Where translation leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NatAddress {
    Range(u128, u128),
    /// What a map says; with a port behind the address where its data has two places.
    Of(Expr),
}

/// `snat`, `dnat`, `masquerade`, `redirect`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nat {
    pub kind: NatKind,
    /// Whose addresses, where the table is of both.
    pub family: Option<Family>,
    pub address: Option<NatAddress>,
    pub ports: Option<(u16, u16)>,
    pub random: bool,
    pub fully_random: bool,
    pub persistent: bool,
}

/// `limit rate`: a token bucket (nft_limit.c).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    pub rate: u64,
    /// Seconds.
    pub unit_s: u64,
    pub burst: u32,
    /// Bytes rather than packets.
    pub bytes: bool,
    /// What is over the rate matches.
    pub over: bool,
    /// The bucket: nanoseconds of credit, and since when; none before the first packet.
    pub bucket: Option<(u64, u64)>,
}

/// `log`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    pub prefix: Option<String>,
    pub group: Option<u16>,
    pub snaplen: Option<u32>,
    pub queue_threshold: Option<u16>,
    pub level: Option<u8>,
    /// `NF_LOG_*`
    pub flags: u8,
}

/// What a set statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SetOp {
    Add,
    Update,
    Delete,
}

/// One step of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Statement {
    Match {
        left: Vec<Expr>,
        op: Op,
        right: Right,
    },
    Counter {
        packets: u64,
        bytes: u64,
    },
    NamedCounter(String),
    /// `quota name`, `limit name`
    NamedQuota(String),
    NamedLimit(String),
    Verdict(Verdict),
    VerdictMap {
        key: Vec<Expr>,
        map: SetRef,
    },
    Reject(Reject),
    Log(Log),
    Limit(Limit),
    Quota {
        bytes: u64,
        over: bool,
        used: u64,
    },
    Nat(Box<Nat>),
    SetMeta(Meta, Expr),
    SetCtMark(Expr),
    SetPayload(Field, Expr),
    NoTrack,
    /// `tcp option maxseg size set`; none: what the path's MTU allows (`rt mtu`).
    SetMss(Option<u16>),
    SetElement {
        op: SetOp,
        set: String,
        key: Vec<Expr>,
        timeout_ms: Option<u64>,
        counter: bool,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    pub handle: u64,
    pub comment: Option<String>,
    pub statements: Vec<Statement>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChainKind {
    Filter,
    Nat,
    /// As `Filter`; a packet of this host is routed anew where the chain has changed it.
    Route,
}

/// Where a base chain hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    pub kind: ChainKind,
    pub hook: Hook,
    pub priority: i32,
    pub policy: Policy,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    pub name: String,
    pub handle: u64,
    pub base: Option<Base>,
    pub comment: Option<String>,
    pub rules: Vec<Rule>,
}

/// One place of an element's key or data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    pub first: u128,
    pub last: u128,
}

impl Span {
    pub fn one(value: u128) -> Span {
        Span { first: value, last: value }
    }

    pub fn is_one(self) -> bool {
        self.first == self.last
    }

    pub fn contains(self, value: u128) -> bool {
        self.first <= value && value <= self.last
    }
}

/// What a map gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Data {
    Verdict(Verdict),
    Values(Vec<Span>),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Element {
    pub key: Vec<Span>,
    pub data: Option<Data>,
    pub timeout_ms: Option<u64>,
    /// On the monotonic clock.
    pub expires_ns: Option<u64>,
    pub counter: Option<(u64, u64)>,
    pub comment: Option<String>,
}

impl Element {
    pub fn of(key: Vec<Span>) -> Element {
        Element { key, data: None, timeout_ms: None, expires_ns: None, counter: None, comment: None }
    }

    pub fn has_expired(&self, now_ns: u64) -> bool {
        self.expires_ns.is_some_and(|at| at <= now_ns)
    }
}

/// A set, or a map if it has data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Set {
    pub name: String,
    pub handle: u64,
    pub key: Vec<Type>,
    pub data: Option<Vec<Type>>,
    /// The words behind `typeof`, where it was made so.
    pub type_of: Option<String>,
    pub constant: bool,
    pub interval: bool,
    pub dynamic: bool,
    /// `flags timeout`
    pub timeouts: bool,
    pub timeout_ms: Option<u64>,
    pub gc_interval_ms: Option<u64>,
    pub size: Option<u32>,
    pub auto_merge: bool,
    pub counter: bool,
    pub comment: Option<String>,
    /// In the order of their keys.
    pub elements: Vec<Element>,
}

impl Set {
    pub fn new(key: Vec<Type>, data: Option<Vec<Type>>) -> Set {
        Set {
            name: String::new(),
            handle: 0,
            key,
            data,
            type_of: None,
            constant: false,
            interval: false,
            dynamic: false,
            timeouts: false,
            timeout_ms: None,
            gc_interval_ms: None,
            size: None,
            auto_merge: false,
            counter: false,
            comment: None,
            elements: Vec::new(),
        }
    }

    /// Where the element is that covers a key: the elements are in order and, with one place, apart.
    pub fn find(&self, key: &[u128], now_ns: u64) -> Option<usize> {
        let covers = |element: &Element| {
            element.key.len() == key.len()
                && element.key.iter().zip(key).all(|(span, value)| span.contains(*value))
        };
        if self.interval && key.len() > 1 {
            return self.elements.iter().position(|element| covers(element) && !element.has_expired(now_ns));
        }
        let before = |element: &Element| {
            let starts = element.key.iter().map(|span| span.first);
            starts.cmp(key.iter().copied()) != std::cmp::Ordering::Greater
        };
        let at = self.elements.partition_point(before).checked_sub(1)?;
        let element = self.elements.get(at)?;
        (covers(element) && !element.has_expired(now_ns)).then_some(at)
    }

    /// Puts an element in its place, over one that has the same key.
    pub fn insert(&mut self, element: Element) {
        match self.elements.binary_search_by(|known| known.key.cmp(&element.key)) {
            Ok(at) => self.elements[at] = element,
            Err(at) => self.elements.insert(at, element),
        }
    }
}

/// A counter with a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedCounter {
    pub name: String,
    pub handle: u64,
    pub packets: u64,
    pub bytes: u64,
    pub comment: Option<String>,
}

/// A quota or a limit with a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedObject {
    pub name: String,
    pub handle: u64,
    pub comment: Option<String>,
    pub kind: ObjectKind,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ObjectKind {
    Quota { bytes: u64, over: bool, used: u64 },
    Limit(Limit),
}

impl ObjectKind {
    pub fn name(&self) -> &'static str {
        match self {
            ObjectKind::Quota { .. } => "quota",
            ObjectKind::Limit(_) => "limit",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    pub family: Family,
    pub name: String,
    pub handle: u64,
    pub dormant: bool,
    pub comment: Option<String>,
    /// The number of the newest thing in it.
    pub handles: u64,
    pub counters: Vec<NamedCounter>,
    pub objects: Vec<NamedObject>,
    pub sets: Vec<Set>,
    pub chains: Vec<Chain>,
}

impl Table {
    pub fn next_handle(&mut self) -> u64 {
        self.handles += 1;
        self.handles
    }

    pub fn chain(&self, name: &str) -> Option<&Chain> {
        self.chains.iter().find(|chain| chain.name == name)
    }

    pub fn chain_mut(&mut self, name: &str) -> Option<&mut Chain> {
        self.chains.iter_mut().find(|chain| chain.name == name)
    }

    pub fn set(&self, name: &str) -> Option<&Set> {
        self.sets.iter().find(|set| set.name == name)
    }

    pub fn set_mut(&mut self, name: &str) -> Option<&mut Set> {
        self.sets.iter_mut().find(|set| set.name == name)
    }
}

/// Everything that nftables has in a namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruleset {
    /// The number of the newest table.
    pub handles: u64,
    pub tables: Vec<Table>,
}

impl Ruleset {
    pub fn table(&self, family: Family, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.family == family && table.name == name)
    }

    pub fn table_mut(&mut self, family: Family, name: &str) -> Option<&mut Table> {
        self.tables.iter_mut().find(|table| table.family == family && table.name == name)
    }
}

/// What a program asks of nftables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NftCall {
    /// Answered with [`super::NetfilterReply::Ruleset`].
    Ruleset,
    /// Puts a ruleset in the place of the one there. `ENOENT`: a chain, set or counter that is named is missing;
    /// `ELOOP`: chains that lead back; `EOPNOTSUPP`: a base chain that may not hang there, or a statement that may not
    /// stand there.
    Replace(Box<Ruleset>),
}
