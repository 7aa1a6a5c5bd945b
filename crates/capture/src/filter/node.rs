//! The compiled form, and its evaluation on a frame.

use super::FrameView;
use crate::LinkType;

/// A condition.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Always(bool),
    /// Evaluated in order, up to the first that does not hold.
    All(Vec<Node>),
    /// Evaluated in order, up to the first that holds.
    Any(Vec<Node>),
    Not(Box<Node>),
    Compare(Compare),
    /// The packet's length.
    Length {
        test: Test,
        value: u32,
    },
    Outgoing,
    /// The first `vlan` of a live capture: the tag may be beside the frame or in it.
    LiveVlan {
        id: Option<u32>,
    },
    Relation {
        guard: Option<Box<Node>>,
        left: Value,
        right: Value,
        test: Test,
        reversed: bool,
    },
}

/// A field of the packet against a constant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Compare {
    pub place: Place,
    pub size: Size,
    pub mask: u32,
    pub test: Test,
    pub value: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    Byte,
    Half,
    Word,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Test {
    Equal,
    Greater,
    GreaterOrEqual,
    /// Any bit in common.
    AnySet,
}

/// Where a field is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub base: Base,
    pub offset: u32,
    /// Bytes of VLAN tags that an earlier `vlan` skipped.
    pub shift: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    LinkHeader,
    /// The EtherType, or the length that stands for it.
    LinkType,
    /// What is behind the EtherType: a network header or an LLC header.
    LinkPayload,
    /// Behind the IPv4 header, whose length is read.
    Ipv4Payload,
    /// Behind an IPv6 header without extensions.
    Ipv6Payload,
}

/// A number computed from a packet.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Constant(u32),
    PacketLength,
    Load { base: Base, shift: u32, extra: u32, index: Box<Value>, size: Size },
    Negate(Box<Value>),
    Binary { operator: Operator, left: Box<Value>, right: Box<Value> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    And,
    Or,
    Xor,
    ShiftLeft,
    ShiftRight,
}

impl Size {
    pub fn of(bytes: u32) -> Option<Size> {
        match bytes {
            1 => Some(Size::Byte),
            2 => Some(Size::Half),
            4 => Some(Size::Word),
            _ => None,
        }
    }
}

impl Node {
    pub fn and(self, other: Node) -> Node {
        match self {
            Node::All(mut nodes) => {
                nodes.push(other);
                Node::All(nodes)
            }
            first => Node::All(vec![first, other]),
        }
    }

    pub fn or(self, other: Node) -> Node {
        match self {
            Node::Any(mut nodes) => {
                nodes.push(other);
                Node::Any(nodes)
            }
            first => Node::Any(vec![first, other]),
        }
    }

    pub fn not(self) -> Node {
        Node::Not(Box::new(self))
    }

    /// What holds for every packet, as far as constants tell.
    pub fn constant(&self) -> Option<bool> {
        match self {
            Node::Always(constant) => Some(*constant),
            Node::All(nodes) if nodes.iter().all(|node| node.constant() == Some(true)) => Some(true),
            Node::All(nodes) => nodes.iter().any(|node| node.constant() == Some(false)).then_some(false),
            Node::Any(nodes) if nodes.iter().all(|node| node.constant() == Some(false)) => Some(false),
            Node::Any(nodes) => nodes.iter().any(|node| node.constant() == Some(true)).then_some(true),
            Node::Not(node) => node.constant().map(|constant| !constant),
            Node::Relation { guard: None, left, right, test, reversed } => {
                Some(test.holds(left.constant()?, right.constant()?) != *reversed)
            }
            _ => None,
        }
    }
}

impl Value {
    fn constant(&self) -> Option<u32> {
        match self {
            Value::Constant(constant) => Some(*constant),
            Value::Negate(value) => value.constant().map(u32::wrapping_neg),
            Value::Binary { operator, left, right } => operator.apply(left.constant()?, right.constant()?),
            Value::PacketLength | Value::Load { .. } => None,
        }
    }
}

/// One evaluation. Every method gives none where it reads behind the packet: the packet is rejected.
pub(crate) struct Machine<'a> {
    frame: &'a FrameView<'a>,
    /// Of the EtherType and of the payload.
    link_type_at: usize,
    link_payload_at: usize,
    /// Bytes of the tag in the frame that a live `vlan` has made the expression skip.
    in_band: usize,
}

const TAG_AT: usize = 12;
const TAG_LEN: usize = 4;

impl<'a> Machine<'a> {
    pub fn new(frame: &'a FrameView<'a>, link: LinkType) -> Self {
        let (link_type_at, link_payload_at) = match link {
            LinkType::LINUX_SLL2 => (0, 20),
            LinkType::LINUX_SLL => (14, 16),
            _ => (12, 14),
        };
        Machine { frame, link_type_at, link_payload_at, in_band: 0 }
    }

    pub fn holds(&mut self, node: &Node) -> Option<bool> {
        Some(match node {
            Node::Always(constant) => *constant,
            Node::All(nodes) => {
                for node in nodes {
                    if !self.holds(node)? {
                        return Some(false);
                    }
                }
                true
            }
            Node::Any(nodes) => {
                for node in nodes {
                    if self.holds(node)? {
                        return Some(true);
                    }
                }
                false
            }
            Node::Not(node) => !self.holds(node)?,
            Node::Compare(compare) => {
                let at = self.position(compare.place.base, compare.place.shift)?;
                let field = self.load(at.checked_add(compare.place.offset as usize)?, compare.size)?;
                compare.test.holds(field & compare.mask, compare.value)
            }
            Node::Length { test, value } => test.holds(self.length(), *value),
            Node::Outgoing => self.frame.outgoing,
            Node::LiveVlan { id } => self.live_vlan(*id)?,
            Node::Relation { guard, left, right, test, reversed } => {
                if let Some(guard) = guard
                    && !self.holds(guard)?
                {
                    return Some(false);
                }
                let (left, right) = (self.value(left)?, self.value(right)?);
                test.holds(left, right) != *reversed
            }
        })
    }

    fn value(&self, value: &Value) -> Option<u32> {
        Some(match value {
            Value::Constant(constant) => *constant,
            Value::PacketLength => self.length(),
            Value::Load { base, shift, extra, index, size } => {
                let index = self.value(index)?;
                let at = self.position(*base, *shift)? as u32;
                // Offsets wrap around, as in the kernel's machine.
                self.load(at.wrapping_add(*extra).wrapping_add(index) as usize, *size)?
            }
            Value::Negate(value) => self.value(value)?.wrapping_neg(),
            Value::Binary { operator, left, right } => {
                operator.apply(self.value(left)?, self.value(right)?)?
            }
        })
    }

    /// A tag beside the frame, or one in it (`gen_vlan_bpf_extensions`). Where none is beside it, the rest of the
    /// expression looks behind one in it.
    fn live_vlan(&mut self, id: Option<u32>) -> Option<bool> {
        let tci = if self.frame.tag_beside {
            self.frame
                .data
                .get(TAG_AT + 2..TAG_AT + 4)
                .map(|tci| u32::from(tci[0]) << 8 | u32::from(tci[1]))?
        } else {
            // Whether the frame turns out to be tagged or not: `not vlan and udp` takes nothing, as with libpcap.
            self.in_band = TAG_LEN;
            if !matches!(self.load(self.link_type_at, Size::Half)?, 0x8100 | 0x88a8 | 0x9100) {
                return Some(false);
            }
            if id.is_some() { self.load(self.link_payload_at, Size::Half)? } else { 0 }
        };
        Some(id.is_none_or(|id| tci & 0xfff == id))
    }

    fn position(&self, base: Base, shift: u32) -> Option<usize> {
        let moved = shift as usize + self.in_band;
        Some(match base {
            Base::LinkHeader => 0,
            Base::LinkType => self.link_type_at + moved,
            Base::LinkPayload => self.link_payload_at + moved,
            Base::Ipv4Payload => {
                let header = self.link_payload_at + moved;
                header + (self.load(header, Size::Byte)? as usize & 0xf) * 4
            }
            Base::Ipv6Payload => self.link_payload_at + moved + 40,
        })
    }

    fn load(&self, at: usize, size: Size) -> Option<u32> {
        let byte = |at: usize| self.byte(at).map(u32::from);
        let end = |length: usize| at.checked_add(length);
        Some(match size {
            Size::Byte => byte(at)?,
            Size::Half => {
                end(2)?;
                byte(at)? << 8 | byte(at + 1)?
            }
            Size::Word => {
                end(4)?;
                byte(at)? << 24 | byte(at + 1)? << 16 | byte(at + 2)? << 8 | byte(at + 3)?
            }
        })
    }

    /// A byte of the frame as the kernel's filter sees it: without a tag that is kept beside it.
    fn byte(&self, at: usize) -> Option<u8> {
        let skipped = if self.frame.tag_beside && at >= TAG_AT { TAG_LEN } else { 0 };
        self.frame.data.get(at.checked_add(skipped)?).copied()
    }

    fn length(&self) -> u32 {
        let skipped = if self.frame.tag_beside { TAG_LEN as u32 } else { 0 };
        self.frame.length.saturating_sub(skipped)
    }
}

impl Test {
    fn holds(self, left: u32, right: u32) -> bool {
        match self {
            Test::Equal => left == right,
            Test::Greater => left > right,
            Test::GreaterOrEqual => left >= right,
            Test::AnySet => left & right != 0,
        }
    }
}

impl Operator {
    /// None for a division by zero, which rejects the packet.
    fn apply(self, left: u32, right: u32) -> Option<u32> {
        Some(match self {
            Operator::Add => left.wrapping_add(right),
            Operator::Subtract => left.wrapping_sub(right),
            Operator::Multiply => left.wrapping_mul(right),
            Operator::Divide => left.checked_div(right)?,
            Operator::Modulo => left.checked_rem(right)?,
            Operator::And => left & right,
            Operator::Or => left | right,
            Operator::Xor => left ^ right,
            Operator::ShiftLeft => left.checked_shl(right).unwrap_or(0),
            Operator::ShiftRight => left.checked_shr(right).unwrap_or(0),
        })
    }
}
