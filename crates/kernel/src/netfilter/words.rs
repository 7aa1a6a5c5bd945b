//! `-m u32` (net/netfilter/xt_u32.c).

use hairpin_netlink::netfilter::matches::{Words, WordsOp, WordsTest};

/// `u32_match_it`: whether a packet, from its IP header on, has the numbers asked for.
pub(super) fn has_words(packet: &[u8], wanted: &Words) -> bool {
    let word = |at: u64| {
        let bytes = packet.get(usize::try_from(at).ok()?..)?.first_chunk::<4>()?;
        Some(u32::from_be_bytes(*bytes))
    };
    let number = |test: &WordsTest| {
        let ((_, first), rest) = test.location.split_first()?;
        let mut base = 0u64;
        let mut value = word(u64::from(*first))?;
        for (op, number) in rest {
            value = match op {
                WordsOp::And => value & number,
                WordsOp::Left => value.checked_shl(*number).unwrap_or(0),
                WordsOp::Right => value.checked_shr(*number).unwrap_or(0),
                WordsOp::At => {
                    base += u64::from(value);
                    word(base + u64::from(*number))?
                }
            };
        }
        Some(value)
    };
    let fits = |test: &WordsTest| {
        number(test)
            .is_some_and(|value| test.values.iter().any(|(low, high)| (*low..=*high).contains(&value)))
    };
    wanted.tests.iter().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_packet() {
        // IPv4 with a header of 20 bytes, UDP from port 4000 to port 53
        let mut packet = vec![0x45, 0, 0, 28];
        packet.resize(20, 0);
        packet.extend([0x0f, 0xa0, 0, 53, 0, 8, 0, 0]);
        let test = |location: &[(WordsOp, u32)], values: &[(u32, u32)]| {
            let test = WordsTest { location: location.to_vec(), values: values.to_vec() };
            has_words(&packet, &Words { tests: vec![test], invert: false })
        };
        use WordsOp::{And, At, Left, Right};
        assert!(test(&[(At, 0), (And, 0xffff)], &[(28, 28)]));
        assert!(test(&[(At, 0), (Right, 22), (And, 0x3c), (At, 0), (And, 0xffff)], &[(1, 2), (53, 60)]));
        assert!(!test(&[(At, 0), (Left, 40)], &[(1, 9)]));
        assert!(!test(&[(At, 25)], &[(0, u32::MAX)]), "beyond its end");
    }
}
