//! ipoib: IP over InfiniBand (drivers/infiniband/ulp/ipoib of Linux 6.1; RFC 4391, RFC 4755). A card's own device, and
//! further ones on it that belong to other partitions.
//!
//! There is no fabric here: the port of a card has no link, as one without a cable. Its devices are configured and
//! shown as Linux has them, and send nothing.

use crate::device::DevId;
use crate::mac::Mac;

/// `INFINIBAND_ALEN`: one byte of flags, three of the queue pair, 16 of the port's GID.
pub const ADDRESS_LEN: usize = 20;
/// Where a GID is in an address, and where the port's GUID is in that: behind the subnet's prefix.
const GID_AT: usize = 4;
const GUID_AT: usize = 12;
/// Where a broadcast address has the partition's key.
const PARTITION_AT: usize = 8;
/// `IPOIB_FLAGS_RC`: it can be connected.
const CAN_CONNECT: u8 = 0x80;
/// `IPOIB_ENCAP_LEN`
const ENCAPSULATION_LEN: u32 = 4;
/// What a port of 4096 bytes takes, which is the most there is (`IPOIB_UD_MTU`).
pub const DATAGRAM_MTU: u32 = 4096 - ENCAPSULATION_LEN;
/// `IPOIB_CM_MTU`
pub const CONNECTED_MTU: u32 = 0x1_0000 - 0x10;
/// `ETH_MIN_MTU` and what is put around.
const DATAGRAM_MTU_MIN: u32 = 68 + ENCAPSULATION_LEN;
/// `ipoib_sendq_size * 2`
pub const QUEUE_LEN: u32 = 256;
/// The partition that every port belongs to, as a full member.
pub const DEFAULT_PARTITION: u16 = 0xffff;
/// Full membership of a partition.
pub const FULL_MEMBER: u16 = 0x8000;

/// A device on an InfiniBand port.
#[derive(Clone, Debug)]
pub struct Ipoib {
    /// The card's own device, for one that was made on it.
    pub parent: Option<DevId>,
    /// With the bit of full membership.
    pub partition: u16,
    /// `IPOIB_FLAG_ADMIN_CM`: connected mode, else datagrams.
    pub connected: bool,
    /// `IPOIB_FLAG_UMCAST`: groups that programs join by themselves are not joined.
    pub umcast: bool,
    /// Made by writing to a file, not by netlink (`IPOIB_LEGACY_CHILD`).
    pub by_file: bool,
    pub address: [u8; ADDRESS_LEN],
    pub permanent: [u8; ADDRESS_LEN],
}

impl Ipoib {
    /// The device of a card (`ipoib_parent_init`). The port's GUID is made of a MAC, as EUI-64.
    pub fn of_card(mac: Mac, queue_pair: u32) -> Ipoib {
        let [a, b, c, d, e, f] = mac.0;
        let mut address = [0; ADDRESS_LEN];
        address[0] = CAN_CONNECT;
        // The subnet's prefix, as long as nobody manages the subnet.
        address[GID_AT] = 0xfe;
        address[GID_AT + 1] = 0x80;
        address[GUID_AT..].copy_from_slice(&[a ^ 2, b, c, 0xff, 0xfe, d, e, f]);
        Ipoib::at(None, address, DEFAULT_PARTITION, queue_pair)
    }

    /// One on a card's device, with its address or another one (`ipoib_child_init`).
    pub fn on(
        parent: DevId,
        of_parent: &Ipoib,
        address: Option<[u8; ADDRESS_LEN]>,
        partition: u16,
        queue_pair: u32,
    ) -> Ipoib {
        let address = address.filter(|address| *address != [0; ADDRESS_LEN]);
        let mut address = address.unwrap_or(of_parent.address);
        address[0] |= CAN_CONNECT;
        Ipoib::at(Some(parent), address, partition, queue_pair)
    }

    fn at(parent: Option<DevId>, mut address: [u8; ADDRESS_LEN], partition: u16, queue_pair: u32) -> Ipoib {
        address[1..GID_AT].copy_from_slice(&queue_pair.to_be_bytes()[1..]);
        Ipoib {
            parent,
            partition: partition | FULL_MEMBER,
            connected: false,
            umcast: false,
            by_file: false,
            address,
            permanent: address,
        }
    }

    /// Everybody in the partition (RFC 4391 §4): in the link-local scope, with the key in the middle.
    pub fn broadcast(&self) -> [u8; ADDRESS_LEN] {
        let mut address = [0; ADDRESS_LEN];
        address[..PARTITION_AT].copy_from_slice(&[0x00, 0xff, 0xff, 0xff, 0xff, 0x12, 0x40, 0x1b]);
        address[PARTITION_AT..PARTITION_AT + 2].copy_from_slice(&self.partition.to_be_bytes());
        address[16..].copy_from_slice(&[0xff; 4]);
        address
    }

    /// `ipoib_check_lladdr`: of an address only the GUID may be another one.
    pub fn takes_address(&self, address: &[u8; ADDRESS_LEN]) -> bool {
        address[..GUID_AT] == self.address[..GUID_AT] && address[GUID_AT..] != [0; 8]
    }

    /// `set_base_guid`
    pub fn take_guid(&mut self, address: &[u8; ADDRESS_LEN]) {
        self.address[GUID_AT..].copy_from_slice(&address[GUID_AT..]);
    }

    /// `ipoib_change_mtu`
    pub fn takes_mtu(&self, mtu: u32) -> bool {
        match self.connected {
            true => mtu <= CONNECTED_MTU,
            false => (DATAGRAM_MTU_MIN..=DATAGRAM_MTU).contains(&mtu),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_card() -> Ipoib {
        Ipoib::of_card(Mac([0x02, 0xc9, 0x03, 0x0a, 0xbb, 0xcc]), 0x000208)
    }

    #[test]
    fn addresses_have_flags_a_queue_pair_and_the_ports_identity() {
        let card = of_card();
        let expected = [
            0x80, 0x00, 0x02, 0x08, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0x00, 0xc9, 0x03, 0xff, 0xfe, 0x0a, 0xbb,
            0xcc,
        ];
        assert_eq!(card.address, expected);
        let child = Ipoib::on(DevId::default(), &card, None, 0x0001, 0x000209);
        assert_eq!(child.partition, 0x8001);
        assert_eq!(child.address[3], 0x09);
        assert_eq!(child.address[4..], expected[4..]);
        let everybody = child.broadcast();
        assert_eq!(everybody[..10], [0x00, 0xff, 0xff, 0xff, 0xff, 0x12, 0x40, 0x1b, 0x80, 0x01]);
        assert_eq!(everybody[10..], [0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    }

    #[test]
    fn only_the_guid_of_an_address_changes() {
        let mut card = of_card();
        let mut other = card.address;
        other[19] = 1;
        assert!(card.takes_address(&other));
        card.take_guid(&other);
        assert_eq!(card.address, other);
        other[3] = 7;
        assert!(!card.takes_address(&other));
        let mut nobody = card.address;
        nobody[12..].fill(0);
        assert!(!card.takes_address(&nobody));
    }

    #[test]
    fn an_mtu_goes_by_the_mode() {
        let mut card = of_card();
        for (connected, mtu, fits) in [
            (false, 71, false),
            (false, 72, true),
            (false, 4092, true),
            (false, 4093, false),
            (true, 1, true),
            (true, 65_520, true),
            (true, 65_521, false),
        ] {
            card.connected = connected;
            assert_eq!(card.takes_mtu(mtu), fits, "{connected} {mtu}");
        }
    }
}
