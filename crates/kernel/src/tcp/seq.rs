//! Sequence numbers: they wrap, and one is before another if it is less than half the circle behind (RFC 9293 §3.4).

use std::ops::{Add, AddAssign, Sub};

/// A sequence or acknowledgement number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Seq(pub u32);

impl Seq {
    pub fn is_before(self, other: Seq) -> bool {
        (self.0.wrapping_sub(other.0) as i32) < 0
    }

    pub fn is_after(self, other: Seq) -> bool {
        other.is_before(self)
    }

    /// Whether it is in `low..=high`.
    pub fn is_within(self, low: Seq, high: Seq) -> bool {
        !self.is_before(low) && !self.is_after(high)
    }

    pub fn max(self, other: Seq) -> Seq {
        if self.is_before(other) { other } else { self }
    }
}

impl Add<u32> for Seq {
    type Output = Seq;

    fn add(self, by: u32) -> Seq {
        Seq(self.0.wrapping_add(by))
    }
}

impl AddAssign<u32> for Seq {
    fn add_assign(&mut self, by: u32) {
        *self = *self + by;
    }
}

/// How far one number is ahead of another that is not after it.
impl Sub for Seq {
    type Output = u32;

    fn sub(self, from: Seq) -> u32 {
        self.0.wrapping_sub(from.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_survives_the_wrap() {
        let (low, high) = (Seq(u32::MAX - 2), Seq(5));
        assert!(low.is_before(high) && high.is_after(low));
        assert!(Seq(0).is_within(low, high) && !Seq(6).is_within(low, high));
        assert_eq!(high - low, 8);
        assert_eq!(low + 8, high);
        assert_eq!(low.max(high), high);
    }
}
