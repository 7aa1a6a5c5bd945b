//! Settings under `/proc/sys/net`, per namespace and per device.

use std::collections::BTreeMap;

macro_rules! dev_conf {
    ($($variant:ident = $name:literal, $default:literal;)*) => {
        /// Keys of `net.ipv4.conf.DEV.*` (`IPV4_DEVCONF_*`).
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Conf { $($variant,)* }

        impl Conf {
            pub const ALL: &[(Conf, &str)] = &[$((Conf::$variant, $name),)*];

            pub fn by_name(name: &str) -> Option<Conf> {
                Conf::ALL.iter().find(|(_, known)| *known == name).map(|(conf, _)| *conf)
            }
        }

        const CONF_DEFAULTS: &[i32] = &[$($default,)*];
    };
}

dev_conf! {
    AcceptLocal = "accept_local", 0;
    AcceptRedirects = "accept_redirects", 1;
    AcceptSourceRoute = "accept_source_route", 1;
    ArpAccept = "arp_accept", 0;
    ArpAnnounce = "arp_announce", 0;
    ArpEvictNocarrier = "arp_evict_nocarrier", 1;
    ArpFilter = "arp_filter", 0;
    ArpIgnore = "arp_ignore", 0;
    ArpNotify = "arp_notify", 0;
    BcForwarding = "bc_forwarding", 0;
    BootpRelay = "bootp_relay", 0;
    DisablePolicy = "disable_policy", 0;
    DisableXfrm = "disable_xfrm", 0;
    DropGratuitousArp = "drop_gratuitous_arp", 0;
    DropUnicastInL2Multicast = "drop_unicast_in_l2_multicast", 0;
    ForceIgmpVersion = "force_igmp_version", 0;
    Forwarding = "forwarding", 0;
    Igmpv2UnsolicitedReportInterval = "igmpv2_unsolicited_report_interval", 10000;
    Igmpv3UnsolicitedReportInterval = "igmpv3_unsolicited_report_interval", 1000;
    IgnoreRoutesWithLinkdown = "ignore_routes_with_linkdown", 0;
    LogMartians = "log_martians", 0;
    McForwarding = "mc_forwarding", 0;
    MediumId = "medium_id", 0;
    PromoteSecondaries = "promote_secondaries", 0;
    ProxyArp = "proxy_arp", 0;
    ProxyArpPvlan = "proxy_arp_pvlan", 0;
    RouteLocalnet = "route_localnet", 0;
    RpFilter = "rp_filter", 0;
    SecureRedirects = "secure_redirects", 1;
    SendRedirects = "send_redirects", 1;
    SharedMedia = "shared_media", 1;
    SrcValidMark = "src_valid_mark", 0;
    Tag = "tag", 0;
}

/// Values of `net.ipv4.conf.{all,default,DEV}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DevConf {
    values: [i32; CONF_DEFAULTS.len()],
    /// Bit by [`Conf`]: set for this device, so that it no longer follows `default` (`ipv4_devconf.state`).
    kept: u64,
}

impl Default for DevConf {
    fn default() -> Self {
        let mut values = [0; CONF_DEFAULTS.len()];
        values.copy_from_slice(CONF_DEFAULTS);
        DevConf { values, kept: 0 }
    }
}

impl DevConf {
    pub fn get(&self, conf: Conf) -> i32 {
        self.values[conf as usize]
    }

    pub fn is_set(&self, conf: Conf) -> bool {
        self.get(conf) != 0
    }

    pub fn set(&mut self, conf: Conf, value: i32) {
        self.values[conf as usize] = value;
    }

    /// Sets a value that stays when `default` changes.
    pub fn set_kept(&mut self, conf: Conf, value: i32) {
        self.set(conf, value);
        self.kept |= 1 << conf as u32;
    }

    /// Takes over a new value of `default`, unless it has one of its own (`devinet_copy_dflt_conf`).
    pub fn follow(&mut self, conf: Conf, value: i32) {
        if self.kept & 1 << conf as u32 == 0 {
            self.set(conf, value);
        }
    }

    /// Keeps all values from now on, as a device with an address does (`ipv4_devconf_setall`).
    pub fn keep_all(&mut self) {
        self.kept = u64::MAX;
    }
}

/// `net.ipv4.neigh.{default,DEV}.*` (`struct neigh_parms`); times in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NeighParams {
    pub app_solicit: i32,
    pub mcast_solicit: i32,
    pub ucast_solicit: i32,
    pub mcast_resolicit: i32,
    pub base_reachable_ms: u64,
    pub delay_first_probe_ms: u64,
    pub retrans_ms: u64,
    pub gc_stale_ms: u64,
    pub locktime_ms: u64,
    pub proxy_delay_ms: u64,
    pub anycast_delay_ms: u64,
    pub proxy_qlen: i32,
    pub unres_qlen_bytes: i32,
    pub interval_probe_ms: u64,
    /// Bit by the place in the table of keys: set here, so that it no longer follows `default`
    /// (`neigh_parms.data_state`).
    pub kept: u32,
}

impl NeighParams {
    /// What a packet weighs where `unres_qlen` counts packets: `SKB_TRUESIZE(ETH_FRAME_LEN)` on a 64-bit machine.
    pub const PACKET: u32 = 2090;

    /// What IPv6 starts with (`nd_tbl`).
    pub fn ipv6() -> Self {
        NeighParams { locktime_ms: 0, ..NeighParams::default() }
    }
}

/// `net.bridge.bridge-nf-*` (`struct brnf_net`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BridgeNetfilter {
    /// Bridged packets meet the rules of IPv4, IPv6, ARP.
    pub calls: [bool; 3],
    pub filter_vlan_tagged: bool,
    pub filter_pppoe_tagged: bool,
    /// Rules see a VLAN device on the bridge as the way in.
    pub pass_vlan_input_dev: bool,
}

impl Default for BridgeNetfilter {
    fn default() -> Self {
        BridgeNetfilter {
            calls: [true; 3],
            filter_vlan_tagged: false,
            filter_pppoe_tagged: false,
            pass_vlan_input_dev: false,
        }
    }
}

/// Integers by key; a key that is not there has its default.
pub type Overrides = BTreeMap<&'static str, i64>;

impl Default for NeighParams {
    fn default() -> Self {
        NeighParams {
            app_solicit: 0,
            mcast_solicit: 3,
            ucast_solicit: 3,
            mcast_resolicit: 0,
            base_reachable_ms: 30_000,
            delay_first_probe_ms: 5_000,
            retrans_ms: 1_000,
            gc_stale_ms: 60_000,
            locktime_ms: 1_000,
            proxy_delay_ms: 800,
            anycast_delay_ms: 1_000,
            proxy_qlen: 64,
            unres_qlen_bytes: 212_992,
            interval_probe_ms: 5_000,
            kept: 0,
        }
    }
}

/// The settings of one namespace.
#[derive(Clone, Debug, Hash)]
pub struct Sysctl {
    pub all: DevConf,
    pub default: DevConf,
    pub neigh_default: NeighParams,
    pub ip_default_ttl: u8,
    pub icmp_echo_ignore_all: bool,
    pub icmp_echo_ignore_broadcasts: bool,
    pub icmp_errors_use_inbound_ifaddr: bool,
    pub icmp_ignore_bogus_error_responses: bool,
    /// Milliseconds between two ICMP errors to one destination once the burst is used up.
    pub icmp_ratelimit_ms: u32,
    /// Bit `t`: ICMP type `t` is rate-limited.
    pub icmp_ratemask: u32,
    pub icmp_msgs_per_sec: u32,
    pub icmp_msgs_burst: u32,
    pub ip_local_port_range: (u16, u16),
    pub tcp: crate::tcp::connection::Settings,
    /// 0 never, 1 when a queue is full, 2 always.
    pub tcp_syncookies: u8,
    /// 0 never, 1 always, 2 on loopback.
    pub tcp_tw_reuse: u8,
    /// Sockets without a device hear what comes in in VRFs.
    pub tcp_l3mdev_accept: bool,
    pub udp_l3mdev_accept: bool,
    pub ip_nonlocal_bind: bool,
    pub ip_no_pmtu_disc: u8,
    pub ip_forward_use_pmtu: bool,
    pub fib_multipath_hash_policy: u8,
    pub fib_multipath_use_neigh: bool,
    pub ping_group_range: (u32, u32),
    pub gc_thresh1: i32,
    pub gc_thresh2: i32,
    pub gc_thresh3: i32,
    /// Limit of the IPv6 neighbour table.
    pub gc6_thresh3: i32,
    /// Whether IPv6 is switched off (`net.ipv6.conf.{all,default}.disable_ipv6`).
    pub ipv6_disable_all: bool,
    pub ipv6_disable_default: bool,
    pub ipv6_forwarding: bool,
    pub icmp6_echo_ignore_all: bool,
    pub icmp6_echo_ignore_multicast: bool,
    /// Other values of `net.ipv6.conf.{all,default}`.
    pub ipv6_all: Overrides,
    pub ipv6_default: Overrides,
    pub neigh6_default: NeighParams,
    pub conntrack: crate::netfilter::Settings,
    pub bridge_netfilter: BridgeNetfilter,
    /// Known keys without an effect here, by path below `/proc/sys/net`.
    pub other: BTreeMap<String, String>,
}

impl Default for Sysctl {
    fn default() -> Self {
        let mut default = DevConf::default();
        // `ipv4_devconf_dflt` has accept_source_route on, `ipv4_devconf` (all) has it off.
        default.set(Conf::AcceptSourceRoute, 1);
        let mut all = DevConf::default();
        all.set(Conf::AcceptSourceRoute, 0);
        Sysctl {
            all,
            default,
            neigh_default: NeighParams::default(),
            ip_default_ttl: 64,
            icmp_echo_ignore_all: false,
            icmp_echo_ignore_broadcasts: true,
            icmp_errors_use_inbound_ifaddr: false,
            icmp_ignore_bogus_error_responses: true,
            icmp_ratelimit_ms: 1000,
            icmp_ratemask: 0x1818,
            icmp_msgs_per_sec: 1000,
            icmp_msgs_burst: 50,
            ip_local_port_range: (32768, 60999),
            tcp: crate::tcp::connection::Settings::default(),
            tcp_syncookies: 1,
            tcp_tw_reuse: 2,
            tcp_l3mdev_accept: false,
            udp_l3mdev_accept: false,
            ip_nonlocal_bind: false,
            ip_no_pmtu_disc: 0,
            ip_forward_use_pmtu: false,
            fib_multipath_hash_policy: 0,
            fib_multipath_use_neigh: false,
            ping_group_range: (1, 0),
            gc_thresh1: 128,
            gc_thresh2: 512,
            gc_thresh3: 1024,
            gc6_thresh3: 1024,
            ipv6_disable_all: false,
            ipv6_disable_default: false,
            ipv6_forwarding: false,
            icmp6_echo_ignore_all: false,
            icmp6_echo_ignore_multicast: false,
            ipv6_all: Overrides::new(),
            ipv6_default: Overrides::new(),
            neigh6_default: NeighParams::ipv6(),
            conntrack: Default::default(),
            bridge_netfilter: Default::default(),
            other: BTreeMap::new(),
        }
    }
}

impl Sysctl {
    pub fn ip_forward(&self) -> bool {
        self.all.is_set(Conf::Forwarding)
    }

    /// `IN_DEV_ORCONF`: on if set for all or for the device.
    pub fn either(&self, device: &DevConf, conf: Conf) -> bool {
        self.all.is_set(conf) || device.is_set(conf)
    }

    /// `IN_DEV_ANDCONF`
    pub fn both(&self, device: &DevConf, conf: Conf) -> bool {
        self.all.is_set(conf) && device.is_set(conf)
    }

    /// `IN_DEV_MAXCONF`
    pub fn larger(&self, device: &DevConf, conf: Conf) -> i32 {
        self.all.get(conf).max(device.get(conf))
    }
}
