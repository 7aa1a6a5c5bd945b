//! Reading attributes by a policy (lib/nlattr.c, in its lenient form that link messages use).
//!
//! Requests are read from their bytes, not through the typed messages: what is wrong with an attribute, and
//! which of several counts, decides the error a program sees.

use hairpin_netlink::{Errno, Failure, codec};

use crate::mac::Mac;

/// What an attribute may look like (`struct nla_policy`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rtnl) enum Policy {
    /// At least so many bytes: a number.
    Least(usize),
    /// Exactly so many bytes.
    Exactly(usize),
    /// A string of at most so many bytes without its final zero; at least one byte with it.
    Text(usize),
    /// At most so many bytes.
    Most(usize),
    /// A signed 32-bit number of at least this.
    AtLeast(i32),
    Nested,
    Reject,
}

pub(in crate::rtnl) const U8: Policy = Policy::Least(1);
pub(in crate::rtnl) const U16: Policy = Policy::Least(2);
pub(in crate::rtnl) const U32: Policy = Policy::Least(4);
pub(in crate::rtnl) const U64: Policy = Policy::Least(8);

/// The attributes of a message or of a nest. Of several with one type the last counts.
#[derive(Clone, Debug, Default)]
pub(in crate::rtnl) struct Attributes<'a>(Vec<(u16, &'a [u8])>);

impl<'a> Attributes<'a> {
    /// `nla_parse_deprecated`: attributes that the policy does not name are kept as they are.
    ///
    /// # Errors
    /// `ERANGE` for a length or number that the policy excludes, `EINVAL` for a rejected attribute.
    pub fn read(bytes: &'a [u8], policy: &[(u16, Policy)]) -> Result<Self, Failure> {
        let mut found = Vec::new();
        for (kind, value) in codec::attributes(bytes) {
            if let Some((_, policy)) = policy.iter().find(|(known, _)| *known == kind) {
                check(value, *policy)?;
            }
            found.push((kind, value));
        }
        Ok(Attributes(found))
    }

    pub fn get(&self, kind: u16) -> Option<&'a [u8]> {
        self.0.iter().rev().find(|(known, _)| *known == kind).map(|(_, value)| *value)
    }

    pub fn has(&self, kind: u16) -> bool {
        self.get(kind).is_some()
    }

    pub fn u8(&self, kind: u16) -> Option<u8> {
        self.get(kind)?.first().copied()
    }

    pub fn u16(&self, kind: u16) -> Option<u16> {
        self.get(kind)?.first_chunk().map(|bytes| u16::from_ne_bytes(*bytes))
    }

    /// A number in network byte order.
    pub fn be16(&self, kind: u16) -> Option<u16> {
        self.get(kind)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
    }

    /// In network byte order.
    pub fn be32(&self, kind: u16) -> Option<u32> {
        self.get(kind)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
    }

    pub fn u32(&self, kind: u16) -> Option<u32> {
        self.get(kind)?.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes))
    }

    pub fn i32(&self, kind: u16) -> Option<i32> {
        self.get(kind)?.first_chunk().map(|bytes| i32::from_ne_bytes(*bytes))
    }

    pub fn u64(&self, kind: u16) -> Option<u64> {
        self.get(kind)?.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes))
    }

    /// A string up to its first zero byte.
    pub fn text(&self, kind: u16) -> Option<String> {
        self.get(kind).map(text)
    }

    /// The MAC at the front of an attribute.
    pub fn mac(&self, kind: u16) -> Option<Mac> {
        Mac::read(self.get(kind)?)
    }
}

/// `nla_strscpy`
pub(in crate::rtnl) fn text(value: &[u8]) -> String {
    let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
    String::from_utf8_lossy(&value[..end]).into_owned()
}

/// `validate_nla`
fn check(value: &[u8], policy: Policy) -> Result<(), Failure> {
    let refused = |errno| Err(Failure::with_text(errno, "Attribute failed policy validation"));
    let length = value.len();
    let good = match policy {
        Policy::Reject => return refused(Errno::EINVAL),
        Policy::Exactly(wanted) if length != wanted => return refused(Errno::EINVAL),
        Policy::Exactly(_) => true,
        Policy::Least(least) => length >= least,
        Policy::Most(most) => length <= most,
        Policy::Text(most) => length > 0 && value.strip_suffix(&[0]).unwrap_or(value).len() <= most,
        Policy::Nested => length == 0 || length >= 4,
        Policy::AtLeast(least) => match value.first_chunk() {
            Some(bytes) if i32::from_ne_bytes(*bytes) < least => {
                return Err(Failure::with_text(Errno::ERANGE, "integer out of range"));
            }
            found => found.is_some(),
        },
    };
    if good { Ok(()) } else { refused(Errno::ERANGE) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = ((4 + value.len()) as u16).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn the_last_of_several_counts() {
        let bytes = [attribute(3, b"a\0"), attribute(3, b"b\0")].concat();
        let found = Attributes::read(&bytes, &[]).map(|found| found.text(3));
        assert_eq!(found, Ok(Some("b".to_owned())));
    }

    #[test]
    fn policies_decide_the_error() {
        let cases: &[(Policy, &[u8], Option<Errno>)] = &[
            (U32, &[0; 4], None),
            (U32, &[0; 8], None),
            (U32, &[0; 3], Some(Errno::ERANGE)),
            (Policy::Text(3), b"abc\0", None),
            (Policy::Text(3), b"abc", None),
            (Policy::Text(3), b"abcd\0", Some(Errno::ERANGE)),
            (Policy::Text(3), b"", Some(Errno::ERANGE)),
            (Policy::Most(2), b"abc", Some(Errno::ERANGE)),
            (Policy::Exactly(2), b"abc", Some(Errno::EINVAL)),
            (Policy::AtLeast(1), &[0; 4], Some(Errno::ERANGE)),
            (Policy::Nested, &[], None),
            (Policy::Nested, &[1, 2], Some(Errno::ERANGE)),
            (Policy::Reject, &[], Some(Errno::EINVAL)),
        ];
        for (policy, value, expected) in cases {
            let bytes = attribute(1, value);
            let found = Attributes::read(&bytes, &[(1, *policy)]).err().map(|failure| failure.errno);
            assert_eq!(found, *expected, "{policy:?} {value:?}");
        }
    }
}
