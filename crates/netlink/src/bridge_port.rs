//! `IFLA_PROTINFO` of `AF_BRIDGE` messages: the bridge port's settings (`IFLA_BRPORT_*`).
//!
//! The typed crate knows these attributes as [`InfoBridgePort`], but only inside `IFLA_INFO_SLAVE_DATA`. In
//! `IFLA_PROTINFO`, where `RTM_SETLINK` and the `AF_BRIDGE` dump of `RTM_GETLINK` carry the same attribute
//! space (net/bridge/br_netlink.c: br_port_fill_attrs, br_setport), it leaves them raw.

use netlink_packet_core::{DecodeError, DefaultNla, Nla, NlaBuffer, Parseable};
use netlink_packet_route::link::{InfoBridgePort, LinkAttribute, LinkProtoInfoBridge};

/// A nested `IFLA_PROTINFO` with these settings, in this order.
pub fn emit(settings: &[InfoBridgePort]) -> LinkAttribute {
    let raw = settings.iter().map(|setting| {
        let mut value = vec![0; setting.value_len()];
        setting.emit_value(&mut value);
        LinkProtoInfoBridge::Other(DefaultNla::new(setting.kind(), value))
    });
    LinkAttribute::ProtoInfoBridge(raw.collect())
}

/// The settings in an `IFLA_PROTINFO` that the typed crate parsed.
///
/// # Errors
/// An attribute's value has the wrong length.
pub fn parse(raw: &[LinkProtoInfoBridge]) -> Result<Vec<InfoBridgePort>, DecodeError> {
    raw.iter().map(parse_one).collect()
}

fn parse_one(raw: &LinkProtoInfoBridge) -> Result<InfoBridgePort, DecodeError> {
    let mut value = vec![0; raw.value_len()];
    raw.emit_value(&mut value);
    let mut bytes = (value.len().saturating_add(4) as u16).to_ne_bytes().to_vec();
    bytes.extend(raw.kind().to_ne_bytes());
    bytes.extend(value);
    InfoBridgePort::parse(&NlaBuffer::new_checked(bytes.as_slice())?)
}

#[cfg(test)]
mod tests {
    use netlink_packet_route::link::BridgePortState;

    use super::*;

    #[test]
    fn settings_survive_the_round_trip() {
        let settings = vec![
            InfoBridgePort::Guard(true),
            InfoBridgePort::HairpinMode(true),
            InfoBridgePort::Cost(100),
            InfoBridgePort::State(BridgePortState::Blocking),
            InfoBridgePort::Other(DefaultNla::new(11, vec![1])),
        ];
        let LinkAttribute::ProtoInfoBridge(raw) = emit(&settings) else { panic!("another attribute") };
        assert_eq!(parse(&raw).ok(), Some(settings));
    }

    #[test]
    fn a_wrong_length_is_an_error() {
        assert!(parse(&[LinkProtoInfoBridge::Other(DefaultNla::new(3, vec![1]))]).is_err());
    }
}
