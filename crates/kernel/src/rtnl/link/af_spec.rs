//! `IFLA_AF_SPEC` of a description: the IPv4 and IPv6 sides of a device (`inet_fill_link_af`,
//! `inet6_fill_link_af`).
//!
//! Left out: IPv6's own packet counters, which this kernel does not keep.

use hairpin_netlink::core::DefaultNla;
use hairpin_netlink::route::link::{
    AfSpecInet, AfSpecInet6, AfSpecUnspec, In6AddrGenMode, Inet6DevConf, Inet6IfaceFlags, InetDevConf,
};

use crate::device::{AddrGenMode, Device};
use crate::sysctl::{Conf, DevConf};
use crate::world::World;

const IFLA_INET6_CACHEINFO: u16 = 5;
/// `IPV6_MAXPLEN`
const REASSEMBLY_MAX: u32 = 65_535;

/// The sides that a device has.
pub(super) fn af_spec(world: &World, device: &Device) -> Vec<AfSpecUnspec> {
    let mut sides = Vec::new();
    if device.has_ipv4 || device.is_loopback() {
        sides.push(AfSpecUnspec::Inet(vec![AfSpecInet::DevConf(inet_conf(&device.ipv4_conf))]));
    }
    if device.has_ipv6 {
        sides.push(AfSpecUnspec::Inet6(inet6(world, device)));
    }
    sides
}

fn inet_conf(values: &DevConf) -> InetDevConf {
    let mut conf = InetDevConf::default();
    conf.forwarding = values.get(Conf::Forwarding);
    conf.mc_forwarding = values.get(Conf::McForwarding);
    conf.proxy_arp = values.get(Conf::ProxyArp);
    conf.accept_redirects = values.get(Conf::AcceptRedirects);
    conf.secure_redirects = values.get(Conf::SecureRedirects);
    conf.send_redirects = values.get(Conf::SendRedirects);
    conf.shared_media = values.get(Conf::SharedMedia);
    conf.rp_filter = values.get(Conf::RpFilter);
    conf.accept_source_route = values.get(Conf::AcceptSourceRoute);
    conf.bootp_relay = values.get(Conf::BootpRelay);
    conf.log_martians = values.get(Conf::LogMartians);
    conf.tag = values.get(Conf::Tag);
    conf.arpfilter = values.get(Conf::ArpFilter);
    conf.medium_id = values.get(Conf::MediumId);
    conf.noxfrm = values.get(Conf::DisableXfrm);
    conf.nopolicy = values.get(Conf::DisablePolicy);
    conf.force_igmp_version = values.get(Conf::ForceIgmpVersion);
    conf.arp_announce = values.get(Conf::ArpAnnounce);
    conf.arp_ignore = values.get(Conf::ArpIgnore);
    conf.promote_secondaries = values.get(Conf::PromoteSecondaries);
    conf.arp_accept = values.get(Conf::ArpAccept);
    conf.arp_notify = values.get(Conf::ArpNotify);
    conf.accept_local = values.get(Conf::AcceptLocal);
    conf.src_vmark = values.get(Conf::SrcValidMark);
    conf.proxy_arp_pvlan = values.get(Conf::ProxyArpPvlan);
    conf.route_localnet = values.get(Conf::RouteLocalnet);
    conf.igmpv2_unsolicited_report_interval = values.get(Conf::Igmpv2UnsolicitedReportInterval);
    conf.igmpv3_unsolicited_report_interval = values.get(Conf::Igmpv3UnsolicitedReportInterval);
    conf.ignore_routes_with_linkdown = values.get(Conf::IgnoreRoutesWithLinkdown);
    conf.drop_unicast_in_l2_multicast = values.get(Conf::DropUnicastInL2Multicast);
    conf.drop_gratuitous_arp = values.get(Conf::DropGratuitousArp);
    conf.bc_forwarding = values.get(Conf::BcForwarding);
    conf.arp_evict_nocarrier = values.get(Conf::ArpEvictNocarrier);
    conf
}

fn inet6(world: &World, device: &Device) -> Vec<AfSpecInet6> {
    let ready = device.is_up() && device.carrier;
    let flags = if ready { Inet6IfaceFlags::Ready } else { Inet6IfaceFlags::empty() };
    // `struct ifla_cacheinfo`: longest reassembly, time of the last change, reachable and retransmit times.
    let milliseconds = |ms: u64| u32::try_from(ms).unwrap_or(u32::MAX);
    let times = &device.neigh_params;
    let cache = [REASSEMBLY_MAX, 0, milliseconds(times.base_reachable_ms), milliseconds(times.retrans_ms)];
    let cache = DefaultNla::new(IFLA_INET6_CACHEINFO, cache.iter().flat_map(|n| n.to_ne_bytes()).collect());
    let mode = match device.addr_gen_mode {
        AddrGenMode::Eui64 => In6AddrGenMode::Eui64,
        AddrGenMode::None => In6AddrGenMode::None,
        AddrGenMode::StablePrivacy => In6AddrGenMode::StablePrivacy,
        AddrGenMode::Random => In6AddrGenMode::Random,
    };
    vec![
        AfSpecInet6::Flags(flags),
        AfSpecInet6::Other(cache),
        AfSpecInet6::DevConf(inet6_conf(world, device)),
        AfSpecInet6::Token(u128::from(device.inet6.token).into()),
        AfSpecInet6::AddrGenMode(mode),
    ]
}

/// What `ipv6_devconf_dflt` starts with, and the settings that this kernel keeps.
fn inet6_conf(world: &World, device: &Device) -> Inet6DevConf {
    let forwarding = world.netns.get(device.ns).is_some_and(|netns| netns.sysctl.ipv6_forwarding);
    let mut conf = Inet6DevConf::default();
    conf.forwarding = forwarding.into();
    conf.hoplimit = 64;
    conf.mtu6 = i32::try_from(device.mtu).unwrap_or(i32::MAX);
    conf.accept_ra = 1;
    conf.accept_redirects = 1;
    conf.autoconf = 1;
    conf.dad_transmits = 1;
    conf.rtr_solicits = -1;
    conf.rtr_solicit_interval = 4_000;
    conf.rtr_solicit_delay = 1_000;
    conf.use_tempaddr = if device.is_loopback() { -1 } else { 0 };
    conf.temp_valid_lft = 604_800;
    conf.temp_prefered_lft = 86_400;
    conf.regen_max_retry = 3;
    conf.max_desync_factor = 600;
    conf.max_addresses = 16;
    conf.accept_ra_defrtr = 1;
    conf.accept_ra_pinfo = 1;
    conf.accept_ra_rtr_pref = 1;
    conf.rtr_probe_interval = 60_000;
    conf.disable_ipv6 = device.ipv6_disabled.into();
    conf.accept_dad = if device.is_loopback() { -1 } else { 1 };
    conf.mldv1_unsolicited_report_interval = 10_000;
    conf.mldv2_unsolicited_report_interval = 1_000;
    conf.suppress_frag_ndisc = 1;
    conf.accept_ra_mtu = 1;
    conf.accept_ra_min_hop_limit = 1;
    conf.rtr_solicit_max_interval = 3_600_000;
    conf.enhanced_dad = 1;
    conf.addr_gen_mode = device.addr_gen_mode as i32;
    conf.ra_defrtr_metric = 1024;
    conf.ioam6_id = 0xffff;
    conf.ioam6_id_wide = -1;
    conf.ndisc_evict_nocarrier = 1;
    conf
}
