//! The devices that can be captured on, in libpcap's order.

use hairpin_capture::text::Interfaces;
use hairpin_netlink::codec::NLM_F_DUMP;
use hairpin_netlink::route::link::{LinkAttribute, LinkFlags, LinkMessage, Prop};
use hairpin_netlink::{Failure, Message, System, transact};

/// The pseudo device of every interface.
pub(super) const ANY: &str = "any";

/// What libpcap lists besides a kernel's network devices; none of them can be captured on here. All are down in the
/// order of the list, and none of them says whether it is connected.
const OTHERS: [(&str, &str, &str); 5] = [
    ("bluetooth-monitor", "Bluetooth Linux Monitor", "Wireless"),
    ("nflog", "Linux netfilter log (NFLOG) interface", "none"),
    ("nfqueue", "Linux netfilter queue (NFQUEUE) interface", "none"),
    ("dbus-system", "D-Bus system bus", "none"),
    ("dbus-session", "D-Bus session bus", "none"),
];

/// `ARPHRD_VOID`: the type of what is no device.
const VOID: u16 = 0xffff;

/// One device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Device {
    pub name: String,
    pub alternatives: Vec<String>,
    /// 0 for [`ANY`].
    pub index: u32,
    pub up: bool,
    pub running: bool,
    pub loopback: bool,
    /// `ARPHRD_*`
    pub hardware: u16,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Devices(pub Vec<Device>);

impl Devices {
    /// Asks the kernel.
    pub fn list(system: &mut dyn System) -> Result<Self, Failure> {
        let answer = transact(system, &Message::GetLink(LinkMessage::default()), NLM_F_DUMP)?;
        let mut devices = Vec::new();
        for message in answer {
            if let Message::NewLink(link) = message {
                devices.extend(Device::of_link(&link));
            }
        }
        Ok(Devices(devices))
    }

    pub fn by_name(&self, name: &str) -> Option<&Device> {
        self.0
            .iter()
            .find(|device| device.name == name || device.alternatives.iter().any(|other| other == name))
    }

    /// As `-D` lists them: those that carry packets first (`get_figure_of_merit`), else as the kernel does.
    pub fn in_order(&self) -> Vec<Device> {
        let mut ordered = self.0.clone();
        ordered.push(Device { up: true, running: true, ..Device::without_link(ANY, 0) });
        ordered.extend(OTHERS.iter().map(|(name, ..)| Device::without_link(name, VOID)));
        ordered.sort_by_key(Device::figure_of_merit);
        ordered
    }
}

impl Interfaces for Devices {
    fn name(&self, index: u32) -> Option<&str> {
        self.0.iter().find(|device| device.index == index).map(|device| device.name.as_str())
    }
}

impl Device {
    fn without_link(name: &str, hardware: u16) -> Device {
        let name = name.to_owned();
        Device {
            name,
            alternatives: Vec::new(),
            index: 0,
            up: false,
            running: false,
            loopback: false,
            hardware,
        }
    }

    fn of_link(link: &LinkMessage) -> Option<Device> {
        let mut device = Device {
            name: String::new(),
            alternatives: Vec::new(),
            index: link.header.index,
            up: link.header.flags.contains(LinkFlags::Up),
            running: link.header.flags.contains(LinkFlags::Running),
            loopback: link.header.flags.contains(LinkFlags::Loopback),
            hardware: link.header.link_layer_type.into(),
        };
        for attribute in &link.attributes {
            match attribute {
                LinkAttribute::IfName(name) => device.name = name.clone(),
                LinkAttribute::PropList(properties) => {
                    for property in properties {
                        if let Prop::AltIfName(name) = property {
                            device.alternatives.push(name.clone());
                        }
                    }
                }
                _ => {}
            }
        }
        (!device.name.is_empty()).then_some(device)
    }

    /// Smaller is better.
    fn figure_of_merit(&self) -> u32 {
        let penalty = |bad: bool, weight: u32| if bad { weight } else { 0 };
        penalty(!self.running, 0x8000_0000)
            | penalty(!self.up, 0x4000_0000)
            | penalty(self.is_disconnected(), 0x2000_0000)
            | penalty(self.loopback, 0x1000_0000)
            | penalty(self.name == ANY, 0x0800_0000)
    }

    fn is_disconnected(&self) -> bool {
        self.index != 0 && !self.loopback && !self.running
    }

    /// What `-D` prints behind the number.
    pub fn description(&self) -> String {
        let other = OTHERS.iter().find(|(name, ..)| self.index == 0 && *name == self.name);
        if let Some((name, description, flags)) = other {
            return format!("{name} ({description}) [{flags}]");
        }
        let mut flags = Vec::new();
        for (set, name) in [(self.up, "Up"), (self.running, "Running"), (self.loopback, "Loopback")] {
            if set {
                flags.push(name);
            }
        }
        if flags.is_empty() {
            flags.push("none");
        }
        if self.name != ANY && !self.loopback {
            flags.push(if self.is_disconnected() { "Disconnected" } else { "Connected" });
        }
        let description =
            if self.name == ANY { " (Pseudo-device that captures on all interfaces)" } else { "" };
        format!("{}{description} [{}]", self.name, flags.join(", "))
    }
}
