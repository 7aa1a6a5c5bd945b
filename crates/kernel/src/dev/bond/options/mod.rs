//! The options of a bond: which values they take, in which modes, and when they may change
//! (drivers/net/bonding/bond_options.c of Linux 6.1).

mod set;

use std::net::{Ipv4Addr, Ipv6Addr};

use hairpin_netlink::{Errno, Failure};

pub use set::{Effect, OptionValue};

use crate::mac::Mac;

/// `BOND_MODE_*`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Mode {
    #[default]
    RoundRobin = 0,
    ActiveBackup = 1,
    Xor = 2,
    Broadcast = 3,
    /// 802.3ad: link aggregation with LACP
    Lacp = 4,
    Tlb = 5,
    Alb = 6,
}

impl Mode {
    const ALL: [Mode; 7] =
        [Mode::RoundRobin, Mode::ActiveBackup, Mode::Xor, Mode::Broadcast, Mode::Lacp, Mode::Tlb, Mode::Alb];

    fn from_number(number: u64) -> Option<Mode> {
        usize::try_from(number).ok().and_then(|at| Mode::ALL.get(at).copied())
    }

    /// `bond_uses_primary`: one slave at a time is the active one.
    pub fn uses_primary(self) -> bool {
        matches!(self, Mode::ActiveBackup | Mode::Tlb | Mode::Alb)
    }

    /// `bond_is_lb`
    pub fn balances_load(self) -> bool {
        matches!(self, Mode::Tlb | Mode::Alb)
    }

    /// `bond_mode_uses_arp`: links can be watched by ARP.
    fn uses_arp(self) -> bool {
        !matches!(self, Mode::Lacp | Mode::Tlb | Mode::Alb)
    }

    /// `bond_mode_name`
    pub fn description(self) -> &'static str {
        match self {
            Mode::RoundRobin => "load balancing (round-robin)",
            Mode::ActiveBackup => "fault-tolerance (active-backup)",
            Mode::Xor => "load balancing (xor)",
            Mode::Broadcast => "fault-tolerance (broadcast)",
            Mode::Lacp => "IEEE 802.3ad Dynamic link aggregation",
            Mode::Tlb => "transmit load balancing",
            Mode::Alb => "adaptive load balancing",
        }
    }
}

/// `BOND_XMIT_POLICY_*`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashPolicy {
    Layer2 = 0,
    Layer34 = 1,
    Layer23 = 2,
    Encap23 = 3,
    Encap34 = 4,
    VlanSrcMac = 5,
}

/// `BOND_FOM_*`
pub const FAIL_OVER_MAC_ACTIVE: u8 = 1;
pub const FAIL_OVER_MAC_FOLLOW: u8 = 2;

/// `BOND_PRI_RESELECT_*`
pub const RESELECT_ALWAYS: u8 = 0;
pub const RESELECT_BETTER: u8 = 1;

/// `BOND_ARP_*`, bits of `arp_validate`.
pub const VALIDATE_ACTIVE: u8 = 1;
pub const VALIDATE_BACKUP: u8 = 2;
pub const VALIDATE_FILTER: u8 = 4;

/// `BOND_MAX_ARP_TARGETS`
pub const TARGETS_MAX: usize = 16;
/// `BOND_DEFAULT_MIIMON`
const DEFAULT_MIIMON: u32 = 100;

/// `struct bond_params`. Times are in milliseconds; delays are kept as multiples of `miimon`.
#[derive(Clone, Debug)]
pub struct Params {
    pub mode: Mode,
    pub miimon: u32,
    pub updelay: u32,
    pub downdelay: u32,
    pub peer_notif_delay: u32,
    pub use_carrier: u8,
    pub arp_interval: u32,
    pub missed_max: u8,
    pub arp_targets: Vec<Ipv4Addr>,
    pub ns_targets: Vec<Ipv6Addr>,
    pub arp_validate: u8,
    pub arp_all_targets: u8,
    /// The name of the slave that is to be the primary one, enslaved or not.
    pub primary: String,
    pub primary_reselect: u8,
    pub fail_over_mac: u8,
    pub hash_policy: u8,
    pub resend_igmp: u8,
    pub num_peer_notif: u8,
    pub all_slaves_active: bool,
    pub min_links: u32,
    pub lp_interval: u32,
    pub packets_per_slave: u32,
    pub lacp_active: bool,
    pub lacp_fast: bool,
    pub ad_select: u8,
    pub ad_actor_sys_prio: u16,
    pub ad_user_port_key: u16,
    pub ad_actor_system: Mac,
    pub tlb_dynamic_lb: bool,
}

impl Default for Params {
    fn default() -> Self {
        Params {
            mode: Mode::default(),
            miimon: 0,
            updelay: 0,
            downdelay: 0,
            peer_notif_delay: 0,
            use_carrier: 1,
            arp_interval: 0,
            missed_max: 2,
            arp_targets: Vec::new(),
            ns_targets: Vec::new(),
            arp_validate: 0,
            arp_all_targets: 0,
            primary: String::new(),
            primary_reselect: RESELECT_ALWAYS,
            fail_over_mac: 0,
            hash_policy: 0,
            resend_igmp: 1,
            num_peer_notif: 1,
            all_slaves_active: false,
            min_links: 0,
            lp_interval: 1,
            packets_per_slave: 1,
            lacp_active: true,
            lacp_fast: false,
            ad_select: 0,
            ad_actor_sys_prio: 65535,
            ad_user_port_key: 0,
            ad_actor_system: Mac::ZERO,
            tlb_dynamic_lb: true,
        }
    }
}

impl Params {
    pub fn hash_policy(&self) -> HashPolicy {
        match self.hash_policy {
            1 => HashPolicy::Layer34,
            2 => HashPolicy::Layer23,
            3 => HashPolicy::Encap23,
            4 => HashPolicy::Encap34,
            5 => HashPolicy::VlanSrcMac,
            _ => HashPolicy::Layer2,
        }
    }

    /// `bond_is_nondyn_tlb`
    pub fn is_static_tlb(&self) -> bool {
        self.mode.balances_load() && !self.tlb_dynamic_lb
    }

    /// `bond_mode_uses_xmit_hash`
    pub fn uses_hash(&self) -> bool {
        matches!(self.mode, Mode::Xor | Mode::Lacp) || self.is_static_tlb()
    }

    /// The MAC of all slaves follows the bond's, or not (`fail_over_mac`, in its one mode).
    pub fn slaves_keep_mac(&self) -> bool {
        self.mode == Mode::ActiveBackup && self.fail_over_mac != 0
    }
}

/// An option (`BOND_OPT_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opt {
    Mode,
    PacketsPerSlave,
    XmitHash,
    ArpValidate,
    ArpAllTargets,
    FailOverMac,
    ArpInterval,
    ArpTargets,
    DownDelay,
    UpDelay,
    LacpRate,
    LacpActive,
    MinLinks,
    AdSelect,
    NumPeerNotif,
    MiiMon,
    Primary,
    PrimaryReselect,
    UseCarrier,
    ActiveSlave,
    QueueId,
    AllSlavesActive,
    ResendIgmp,
    LpInterval,
    Slaves,
    TlbDynamicLb,
    AdActorSysPrio,
    AdActorSystem,
    AdUserPortKey,
    PeerNotifDelay,
    MissedMax,
    NsTargets,
    Prio,
}

/// Modes as bits.
const EVERY: u8 = 0x7f;
const ROUND_ROBIN: u8 = 1 << Mode::RoundRobin as u8;
const WITH_PRIMARY: u8 = 1 << Mode::ActiveBackup as u8 | 1 << Mode::Tlb as u8 | 1 << Mode::Alb as u8;
const WITH_ARP: u8 = 0x0f;
const LACP: u8 = 1 << Mode::Lacp as u8;
const BALANCED: u8 = 1 << Mode::Tlb as u8 | 1 << Mode::Alb as u8;

/// `BOND_OPTFLAG_NOSLAVES`, `_IFDOWN`: when an option may change.
const NO_SLAVES: u8 = 1;
const DOWN: u8 = 2;

/// What an option takes (`struct bond_option`).
struct Spec {
    modes: u8,
    flags: u8,
    /// Words with their numbers; none for an option that reads its value itself.
    words: &'static [(&'static str, u64)],
    default: Option<u64>,
    /// Numbers beside those of the words.
    range: Option<(u64, u64)>,
}

const SWITCH: &[(&str, u64)] = &[("off", 0), ("on", 1)];
const UP_TO_INT: Spec = Spec {
    modes: EVERY,
    flags: 0,
    words: &[("off", 0), ("maxval", INT_MAX)],
    default: Some(0),
    range: Some((0, INT_MAX)),
};
const UP_TO_BYTE: Spec = Spec {
    modes: EVERY,
    flags: 0,
    words: &[("off", 0), ("maxval", 255), ("default", 1)],
    default: Some(1),
    range: Some((0, 255)),
};
const RAW: Spec = Spec { modes: EVERY, flags: 0, words: &[], default: None, range: None };
const INT_MAX: u64 = i32::MAX as u64;

const fn words(words: &'static [(&'static str, u64)], default: Option<u64>) -> Spec {
    Spec { words, default, ..RAW }
}

impl Opt {
    /// `bond_opts`
    fn spec(self) -> Spec {
        match self {
            Opt::Mode => Spec { flags: NO_SLAVES | DOWN, ..words(MODES, Some(0)) },
            Opt::PacketsPerSlave => Spec {
                modes: ROUND_ROBIN,
                range: Some((0, 65535)),
                ..words(&[("default", 1), ("maxval", 65535)], Some(1))
            },
            Opt::XmitHash => words(HASH_POLICIES, Some(0)),
            Opt::ArpValidate => Spec { modes: WITH_ARP, ..words(ARP_VALIDATE, Some(0)) },
            Opt::ArpAllTargets => words(ARP_ALL_TARGETS, Some(0)),
            Opt::FailOverMac => Spec { flags: NO_SLAVES, ..words(FAIL_OVER_MAC, Some(0)) },
            Opt::ArpInterval => Spec { modes: WITH_ARP, ..UP_TO_INT },
            Opt::DownDelay | Opt::UpDelay | Opt::MinLinks | Opt::MiiMon => UP_TO_INT,
            Opt::LacpRate => Spec { modes: LACP, flags: DOWN, ..words(LACP_RATES, None) },
            Opt::LacpActive => Spec { modes: LACP, flags: DOWN, ..words(SWITCH, Some(1)) },
            Opt::AdSelect => Spec { flags: DOWN, ..words(AD_SELECT, Some(0)) },
            Opt::NumPeerNotif | Opt::ResendIgmp => UP_TO_BYTE,
            Opt::Primary | Opt::ActiveSlave | Opt::Prio => Spec { modes: WITH_PRIMARY, ..RAW },
            Opt::PrimaryReselect => words(PRIMARY_RESELECT, Some(0)),
            Opt::UseCarrier => words(SWITCH, Some(1)),
            Opt::AllSlavesActive => words(SWITCH, Some(0)),
            Opt::LpInterval => {
                Spec { range: Some((1, INT_MAX)), ..words(&[("minval", 1), ("maxval", INT_MAX)], Some(1)) }
            }
            Opt::TlbDynamicLb => Spec { modes: BALANCED, flags: DOWN, ..words(SWITCH, Some(1)) },
            Opt::AdActorSysPrio => Spec {
                modes: LACP,
                range: Some((1, 65535)),
                ..words(&[("minval", 1), ("maxval", 65535)], Some(65535))
            },
            Opt::AdActorSystem => Spec { modes: LACP, ..RAW },
            Opt::AdUserPortKey => Spec {
                modes: LACP,
                flags: DOWN,
                range: Some((0, 1023)),
                ..words(&[("minval", 0), ("maxval", 1023)], Some(0))
            },
            Opt::PeerNotifDelay => {
                Spec { range: Some((0, 300_000)), ..words(&[("off", 0), ("maxval", 300_000)], None) }
            }
            Opt::MissedMax => Spec {
                modes: WITH_ARP,
                range: Some((1, 255)),
                ..words(&[("default", 2), ("minval", 1), ("maxval", 255)], Some(2))
            },
            Opt::ArpTargets | Opt::QueueId | Opt::Slaves | Opt::NsTargets => RAW,
        }
    }

    /// The word for a number of an option with words (`bond_opt_get_val`).
    pub fn word(self, number: u8) -> &'static str {
        let words = self.spec().words;
        words.iter().find(|(_, known)| *known == u64::from(number)).map_or("", |(word, _)| word)
    }

    /// `bond_opt_check_deps`
    ///
    /// # Errors
    /// `EACCES` in a mode without the option, `ENOTEMPTY` and `EBUSY` where the bond must have no slaves or be
    /// down, with the kernel's texts.
    pub fn check(self, mode: Mode, has_slaves: bool, up: bool) -> Result<(), Failure> {
        let spec = self.spec();
        if spec.modes >> mode as u8 & 1 == 0 {
            return Err(refusal(Errno::EACCES));
        }
        if spec.flags & NO_SLAVES != 0 && has_slaves {
            return Err(refusal(Errno::ENOTEMPTY));
        }
        if spec.flags & DOWN != 0 && up {
            return Err(refusal(Errno::EBUSY));
        }
        Ok(())
    }

    /// `bond_opt_parse` of a number.
    ///
    /// # Errors
    /// `EINVAL` for one that the option does not take.
    pub fn number(self, number: u64) -> Result<u64, Failure> {
        let spec = self.spec();
        let word = spec.words.iter().any(|(_, known)| *known == number);
        let within = spec.range.is_some_and(|(least, most)| (least..=most).contains(&number));
        if word || within { Ok(number) } else { Err(refusal(Errno::EINVAL)) }
    }

    /// `bond_opt_parse` of a text: a number, a word of the option, or `default`.
    ///
    /// # Errors
    /// `EINVAL` for one that the option does not take.
    pub fn text(self, text: &str) -> Result<u64, Failure> {
        let spec = self.spec();
        let text = text.split('\n').next().unwrap_or("");
        let word = text.split_whitespace().next().ok_or_else(|| refusal(Errno::EINVAL))?;
        if text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_whitespace()) {
            return self.number(word.parse().map_err(|_| refusal(Errno::EINVAL))?);
        }
        let found = spec.words.iter().find(|(known, _)| *known == word).map(|(_, number)| *number);
        let default = spec.default.filter(|_| word == "default");
        default.or(found).ok_or_else(|| refusal(Errno::EINVAL))
    }
}

/// `bond_opt_error_interpret`: what the extended acknowledgement says of a refused option.
pub fn refusal(errno: Errno) -> Failure {
    let text = match errno {
        Errno::EINVAL => "invalid option value",
        Errno::EACCES => "option not supported in mode",
        Errno::ENOTEMPTY => "unable to set option because the bond device has slaves",
        Errno::EBUSY => "unable to set option because the bond is up",
        Errno::ENODEV => "interface does not exist",
        _ => return errno.into(),
    };
    Failure::with_text(errno, text)
}

const MODES: &[(&str, u64)] = &[
    ("balance-rr", 0),
    ("active-backup", 1),
    ("balance-xor", 2),
    ("broadcast", 3),
    ("802.3ad", 4),
    ("balance-tlb", 5),
    ("balance-alb", 6),
];
const HASH_POLICIES: &[(&str, u64)] =
    &[("layer2", 0), ("layer3+4", 1), ("layer2+3", 2), ("encap2+3", 3), ("encap3+4", 4), ("vlan+srcmac", 5)];
const ARP_VALIDATE: &[(&str, u64)] = &[
    ("none", 0),
    ("active", 1),
    ("backup", 2),
    ("all", 3),
    ("filter", 4),
    ("filter_active", 5),
    ("filter_backup", 6),
];
const ARP_ALL_TARGETS: &[(&str, u64)] = &[("any", 0), ("all", 1)];
const FAIL_OVER_MAC: &[(&str, u64)] = &[("none", 0), ("active", 1), ("follow", 2)];
const LACP_RATES: &[(&str, u64)] = &[("slow", 0), ("fast", 1)];
const AD_SELECT: &[(&str, u64)] = &[("stable", 0), ("bandwidth", 1), ("count", 2)];
const PRIMARY_RESELECT: &[(&str, u64)] = &[("always", 0), ("better", 1), ("failure", 2)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_is_refused_in_a_mode_without_it() {
        let refused = |option: Opt, mode, slaves, up| option.check(mode, slaves, up).err().map(|f| f.errno);
        assert_eq!(refused(Opt::ActiveSlave, Mode::RoundRobin, false, false), Some(Errno::EACCES));
        assert_eq!(refused(Opt::ActiveSlave, Mode::Tlb, true, true), None);
        assert_eq!(refused(Opt::Mode, Mode::Xor, true, true), Some(Errno::ENOTEMPTY));
        assert_eq!(refused(Opt::Mode, Mode::Xor, false, true), Some(Errno::EBUSY));
        assert_eq!(refused(Opt::ArpInterval, Mode::Lacp, false, false), Some(Errno::EACCES));
        assert_eq!(refused(Opt::LacpRate, Mode::Lacp, true, false), None);
    }

    #[test]
    fn texts_are_words_numbers_or_the_default() {
        assert_eq!(Opt::Mode.text("802.3ad\n"), Ok(4));
        assert_eq!(Opt::Mode.text("6"), Ok(6));
        assert_eq!(Opt::Mode.text("default"), Ok(0));
        assert!(Opt::Mode.text("7").is_err());
        assert_eq!(Opt::NumPeerNotif.text("200"), Ok(200));
        assert!(Opt::NumPeerNotif.text("256").is_err());
        assert!(Opt::MiiMon.text("-1").is_err());
        assert!(Opt::LpInterval.text("0").is_err());
        assert!(Opt::LacpRate.text("default").is_err());
        assert!(Opt::Mode.text("").is_err());
    }

    #[test]
    fn modes_without_arp_start_to_watch_the_carrier() {
        let mut params = Params { arp_interval: 50, ..Params::default() };
        assert_eq!(params.set(Opt::Mode, 4), Ok(Effect::Nothing));
        assert_eq!((params.miimon, params.arp_interval), (100, 0));
        assert_eq!(params.set(Opt::UpDelay, 250), Ok(Effect::Nothing));
        assert_eq!(params.updelay, 2);
        assert_eq!(params.set(Opt::MiiMon, 0), Ok(Effect::MiiMonitor));
        let refused = params.set(Opt::DownDelay, 100).err();
        assert_eq!(refused, Some(Errno::EPERM.into()));
    }

    #[test]
    fn targets_are_hosts_and_different() {
        let mut params = Params::default();
        let target = Ipv4Addr::new(10, 0, 0, 2);
        assert!(params.add_arp_target(Ipv4Addr::UNSPECIFIED).is_err());
        assert!(params.add_arp_target(target).is_ok());
        assert!(params.add_arp_target(target).is_err());
        assert_eq!(params.remove_arp_target(target), Ok(0));
        assert!(params.remove_arp_target(target).is_err());
    }
}
