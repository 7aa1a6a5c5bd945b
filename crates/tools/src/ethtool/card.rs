//! What ethtool tells of a network card: an e1000 (drivers/net/ethernet/intel/e1000/e1000_ethtool.c), which is what the
//! emulated machines have. Of a real card nothing is told: its driver would have to be asked.

use hairpin_netlink::Call;
use hairpin_netlink::route::link::LinkAttribute;

use super::{Ethtool, Link, link_detected};
use crate::interfaces::{ARPHRD_ETHER, IFF_UP, Interface, Interfaces};

/// A card with the driver `e1000`.
pub(super) struct Card {
    /// Its slot, as `ethtool -i` has it.
    pub(super) bus_info: String,
}

impl Ethtool<'_> {
    /// The card that a device is. None for what has no driver that is known here.
    pub(super) fn card(&mut self, device: &Interface) -> Option<Card> {
        let has_parent = device.find(|attribute| match attribute {
            LinkAttribute::ParentDevBusName(bus) => Some(bus == "pci"),
            _ => None,
        });
        if device.kind().is_some() || device.hardware() != ARPHRD_ETHER || has_parent != Some(true) {
            return None;
        }
        // Only the emulated kernel answers this.
        self.features(Call::Features(device.name().to_owned())).ok()?;
        let path = format!("/sys/class/net/{}/device/uevent", device.name());
        let text = self.system.read_file(&path).ok()?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let value = |name: &str| {
            text.lines()
                .find_map(|line| line.split_once('=').filter(|(front, _)| *front == name))
                .map(|(_, value)| value)
        };
        (value("DRIVER") == Some("e1000"))
            .then(|| Card { bus_info: value("PCI_SLOT_NAME").unwrap_or_default().to_owned() })
    }

    /// The cards among devices, by index.
    pub(super) fn cards(&mut self, interfaces: &Interfaces) -> Vec<u32> {
        interfaces.iter().filter(|device| self.card(device).is_some()).map(Interface::index).collect()
    }

    /// Whether the device of this name is a card.
    pub(super) fn is_card(&mut self, name: &str) -> bool {
        let Ok(interfaces) = Interfaces::dump(self.system) else { return false };
        interfaces.by_name(name).is_some_and(|device| self.card(device).is_some())
    }

    /// `-g`: descriptors in the rings of a card, as they are at first. None for what is no card.
    pub(super) fn ring(&mut self, name: &str) -> Option<i32> {
        if !self.is_card(name) {
            return None;
        }
        self.print(&format!(
            "Ring parameters for {name}:\n{}{}RX Buf Len:\t\tn/a\nCQE Size:\t\tn/a\nTX Push:\toff\nTCP data split:\tn/a\n",
            descriptors("Pre-set maximums", 4096),
            descriptors("Current hardware settings", 256),
        ));
        Some(0)
    }

    /// `-a`: what a card agrees on with a switch that has no say in it. None for what is no card.
    pub(super) fn pause(&mut self, name: &str) -> Option<i32> {
        if !self.is_card(name) {
            return None;
        }
        self.print(&format!("Pause parameters for {name}:\nAutonegotiate:\ton\nRX:\t\ton\nTX:\t\toff\n\n"));
        Some(0)
    }
}

fn descriptors(what: &str, count: u32) -> String {
    format!("{what}:\nRX:\t\t{count}\nRX Mini:\tn/a\nRX Jumbo:\tn/a\nTX:\t\t{count}\n")
}

/// The link of a card (`e1000_get_link_ksettings`).
pub(super) fn link(device: &Interface) -> Link {
    let is_up = device.flags() & IFF_UP != 0;
    let detected = link_detected(device);
    Link::Card { plugged: detected || !is_up, pair_known: detected }
}

/// Its settings, as a device above it has them too.
pub(super) fn settings_text(plugged: bool, pair_known: bool) -> String {
    let modes = |what: &str| {
        format!(
            "\t{what} link modes:{}10baseT/Half 10baseT/Full\n\
             \t                        100baseT/Half 100baseT/Full\n\t                        1000baseT/Full\n",
            " ".repeat(24 - what.len() - " link modes:".len())
        )
    };
    let (speed, duplex) = if plugged { ("1000Mb/s", "Full") } else { ("Unknown!", "Unknown! (255)") };
    let pair = if pair_known { "off" } else { "Unknown" };
    format!(
        "\tSupported ports: [ TP ]\n{}\tSupported pause frame use: No\n\tSupports auto-negotiation: Yes\n\
         \tSupported FEC modes: Not reported\n{}\tAdvertised pause frame use: No\n\
         \tAdvertised auto-negotiation: Yes\n\tAdvertised FEC modes: Not reported\n\
         \tSpeed: {speed}\n\tDuplex: {duplex}\n\tAuto-negotiation: on\n\tPort: Twisted Pair\n\tPHYAD: 0\n\
         \tTransceiver: internal\n\tMDI-X: {pair} (auto)\n",
        modes("Supported"),
        modes("Advertised")
    )
}

/// What only the card itself has.
pub(super) const OWN_TEXT: &str = "\tSupports Wake-on: umbg\n\tWake-on: d\n\
    \x20       Current message level: 0x00000007 (7)\n\
    \x20                              drv probe link\n";
