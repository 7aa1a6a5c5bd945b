//! `DEV/device` of a network card: the PCI device that it is (drivers/pci/pci-sysfs.c).

use super::attribute::{Attribute, Seen, Store, file, line};

/// The name of a link to the driver, which leads to a part of sysfs that is not here: it can be read but not followed.
pub(super) const DRIVER: &str = "driver";
pub(super) const DRIVER_LINK: &str = "../../../bus/pci/drivers/e1000";

pub(super) const ATTRIBUTES: &[Attribute] = &[
    file("class", |_| line("0x020000"), Store::ReadOnly),
    file("device", |_| line("0x100e"), Store::ReadOnly),
    file("enable", |_| line(1), Store::ReadOnly),
    file("modalias", |_| line("pci:v00008086d0000100Esv00001AF4sd00001100bc02sc00i00"), Store::ReadOnly),
    file("revision", |_| line("0x03"), Store::ReadOnly),
    file("subsystem_device", |_| line("0x1100"), Store::ReadOnly),
    file("subsystem_vendor", |_| line("0x1af4"), Store::ReadOnly),
    file(
        "uevent",
        |seen| {
            line(format_args!(
                "DRIVER=e1000\nPCI_CLASS=20000\nPCI_ID=8086:100E\nPCI_SUBSYS_ID=1AF4:1100\nPCI_SLOT_NAME={}\n\
                 MODALIAS=pci:v00008086d0000100Esv00001AF4sd00001100bc02sc00i00",
                slot_name(seen)
            ))
        },
        Store::Event,
    ),
    file("vendor", |_| line("0x8086"), Store::ReadOnly),
];

fn slot_name(seen: &Seen<'_>) -> String {
    seen.device.parent().map(|(_, name)| name).unwrap_or_default()
}
