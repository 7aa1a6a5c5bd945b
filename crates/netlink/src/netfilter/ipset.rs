//! Sets that rules ask (`ipset`): what a set is made of, and what programs do with it.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Family;

/// What a set refuses, beside the errors of Linux (`enum ipset_errno`); those from 4352 on mean something else with
/// each storage.
pub mod error {
    use crate::Errno;

    pub const FIND_TYPE: Errno = Errno(4098);
    pub const BUSY: Errno = Errno(4100);
    pub const EXIST_SETNAME2: Errno = Errno(4101);
    pub const TYPE_MISMATCH: Errno = Errno(4102);
    pub const EXIST: Errno = Errno(4103);
    pub const INVALID_CIDR: Errno = Errno(4104);
    pub const TIMEOUT: Errno = Errno(4107);
    pub const REFERENCED: Errno = Errno(4108);
    pub const COUNTER: Errno = Errno(4111);
    pub const COMMENT: Errno = Errno(4112);
    pub const HASH_FULL: Errno = Errno(4352);
    pub const BITMAP_RANGE: Errno = Errno(4352);
    pub const LIST_NAME: Errno = Errno(4352);
    pub const LIST_LOOP: Errno = Errno(4353);
    pub const LIST_NAME_REFERENCE: Errno = Errno(4355);
    pub const LIST_FULL: Errno = Errno(4356);
    pub const LIST_REFERENCE_IN_SET: Errno = Errno(4357);
}

/// How a set keeps its elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Storage {
    Bitmap,
    Hash,
    List,
}

/// What stands at one place of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Dimension {
    Ip,
    Net,
    Port,
    Mac,
    Interface,
    Mark,
    Set,
}

/// A type of set: its name, how it keeps what, and the newest form of its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetType {
    pub name: &'static str,
    pub storage: Storage,
    pub dimensions: &'static [Dimension],
    pub revision: u8,
}

/// The types of Linux 6.1.
pub const TYPES: &[SetType] = {
    use Dimension::{Interface, Ip, Mac, Mark, Net, Port, Set};
    use Storage::{Bitmap, Hash, List};
    const fn kind(
        name: &'static str,
        storage: Storage,
        dimensions: &'static [Dimension],
        revision: u8,
    ) -> SetType {
        SetType { name, storage, dimensions, revision }
    }
    &[
        kind("bitmap:ip", Bitmap, &[Ip], 3),
        kind("bitmap:ip,mac", Bitmap, &[Ip, Mac], 3),
        kind("bitmap:port", Bitmap, &[Port], 3),
        kind("hash:ip", Hash, &[Ip], 5),
        kind("hash:ip,mac", Hash, &[Ip, Mac], 1),
        kind("hash:ip,mark", Hash, &[Ip, Mark], 3),
        kind("hash:ip,port", Hash, &[Ip, Port], 6),
        kind("hash:ip,port,ip", Hash, &[Ip, Port, Ip], 6),
        kind("hash:ip,port,net", Hash, &[Ip, Port, Net], 8),
        kind("hash:mac", Hash, &[Mac], 1),
        kind("hash:net", Hash, &[Net], 7),
        kind("hash:net,iface", Hash, &[Net, Interface], 8),
        kind("hash:net,net", Hash, &[Net, Net], 3),
        kind("hash:net,port", Hash, &[Net, Port], 8),
        kind("hash:net,port,net", Hash, &[Net, Port, Net], 3),
        kind("list:set", List, &[Set], 3),
    ]
};

impl SetType {
    pub fn by_name(name: &str) -> Option<&'static SetType> {
        TYPES.iter().find(|kind| kind.name == name)
    }

    /// Whether its elements have addresses, so that it is of a family.
    pub fn has_family(&self) -> bool {
        self.storage == Storage::Hash
            && self.dimensions.iter().any(|part| matches!(part, Dimension::Ip | Dimension::Net))
    }

    pub fn has_nets(&self) -> bool {
        self.dimensions.contains(&Dimension::Net)
    }
}

/// One place of an element.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Part {
    Ip(IpAddr),
    /// An address and the length of its prefix.
    Net(IpAddr, u8),
    /// A protocol (0 in a set of ports alone) and a port; type and code for ICMP.
    Port(u8, u16),
    Mac([u8; 6]),
    Interface {
        name: String,
        /// The port of a bridge.
        physical: bool,
    },
    Mark(u32),
    Set(String),
}

/// An element.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Element {
    pub parts: Vec<Part>,
    /// What it covers is not in the set.
    pub nomatch: bool,
    /// Seconds; 0 is for ever.
    pub timeout_s: Option<u32>,
    /// Packets and bytes.
    pub counters: Option<(u64, u64)>,
    pub comment: Option<String>,
    /// In a list: in front of this set, or behind it.
    pub beside: Option<(Place, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    Before,
    After,
}

/// What a set was made with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetOptions {
    pub family: Family,
    /// The first and last address or port of a bitmap.
    pub range: Option<(Part, Part)>,
    pub hash_size: u32,
    pub elements_max: u32,
    pub bucket_size: u8,
    pub initial: u32,
    pub netmask: Option<u8>,
    pub mark_mask: Option<u32>,
    /// Seconds that elements last if nothing else is said.
    pub timeout_s: Option<u32>,
    pub counters: bool,
    pub comment: bool,
    pub skbinfo: bool,
    pub force_add: bool,
    /// Sets in a list at most.
    pub size: u32,
}

impl Default for SetOptions {
    fn default() -> Self {
        SetOptions {
            family: Family::Ipv4,
            range: None,
            hash_size: 1024,
            elements_max: 65536,
            bucket_size: 12,
            initial: 0,
            netmask: None,
            mark_mask: None,
            timeout_s: None,
            counters: false,
            comment: false,
            skbinfo: false,
            force_add: false,
            size: 8,
        }
    }
}

/// A set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Set {
    pub name: String,
    /// The name of its [`SetType`].
    pub kind: String,
    pub options: SetOptions,
    /// Bytes that it takes.
    pub memory: u64,
    /// Rules and lists that name it.
    pub references: u32,
    pub elements: Vec<Element>,
}

/// What a program does with sets. Those it names may be missing: `ENOENT`. Other errors are in [`error`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SetCall {
    /// `EEXIST` where the name is taken, unless `exist` and the set there is alike.
    Create {
        name: String,
        kind: String,
        options: Box<SetOptions>,
        exist: bool,
    },
    Destroy(Option<String>),
    Flush(Option<String>),
    Rename {
        from: String,
        to: String,
    },
    Swap {
        one: String,
        other: String,
    },
    /// One set, or all in the order in which they were made; answered with [`super::NetfilterReply::Sets`].
    List(Option<String>),
    /// Elements in their order up to the first that is refused.
    Add {
        set: String,
        elements: Vec<Element>,
        exist: bool,
    },
    Delete {
        set: String,
        elements: Vec<Element>,
        exist: bool,
    },
    /// Answered with [`super::NetfilterReply::Tested`].
    Test {
        set: String,
        element: Box<Element>,
    },
}

/// `-m set`, `-j SET`: which of a packet's sides stand at an element's places.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetSides {
    pub set: String,
    /// Of each place whether it is the packet's source.
    pub sources: Vec<bool>,
}

/// How a counter compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CounterTest {
    Equal(u64),
    NotEqual(u64),
    Less(u64),
    Greater(u64),
}

impl CounterTest {
    pub fn holds(self, value: u64) -> bool {
        match self {
            CounterTest::Equal(wanted) => value == wanted,
            CounterTest::NotEqual(wanted) => value != wanted,
            CounterTest::Less(wanted) => value < wanted,
            CounterTest::Greater(wanted) => value > wanted,
        }
    }
}

/// `-m set`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetMatch {
    pub sides: SetSides,
    pub invert: bool,
    /// Elements with `nomatch` count as there, and no others.
    pub return_nomatch: bool,
    pub update_counters: bool,
    pub update_subcounters: bool,
    pub packets: Option<CounterTest>,
    pub bytes: Option<CounterTest>,
}

/// `-j SET`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetChange {
    pub add: Option<SetSides>,
    pub delete: Option<SetSides>,
    pub exist: bool,
    pub timeout_s: Option<u32>,
}

/// The first bits of an address.
pub fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0);
            IpAddr::V4((u32::from(address) & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix.min(128))).unwrap_or(0);
            IpAddr::V6((u128::from(address) & mask).into())
        }
    }
}
