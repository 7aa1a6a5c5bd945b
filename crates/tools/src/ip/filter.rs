//! What `ip link show` and `ip addr show` are asked to show.

use crate::iproute2::inet::Prefix;

/// Which links a device has to belong to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Master {
    #[default]
    Any,
    /// `nomaster`
    None,
    Index(u32),
}

/// The selection of a `show`, and what follows from the command for its form.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    /// Address family, 0 for all; `AF_PACKET` shows links only.
    pub family: u8,
    pub index: u32,
    pub up: bool,
    pub label: Option<String>,
    /// `IFA_F_*` that have to be as in `flags`.
    pub flag_mask: u32,
    pub flags: u32,
    pub scope: Option<u8>,
    pub prefix: Option<Prefix>,
    pub group: Option<u32>,
    pub master: Master,
    pub kind: Option<String>,
    pub port_kind: Option<String>,
    /// Each address line names its link (`-oneline`, `flush`).
    pub named: bool,
    /// The transmit queue length is shown.
    pub queue: bool,
    /// The command is `ip link`.
    pub link: bool,
}
