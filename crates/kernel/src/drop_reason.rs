//! Why a packet died: the kernel's `enum skb_drop_reason` where it has a name for it.

macro_rules! drop_reasons {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// A reason. Reasons marked "here" have no name in Linux, which reports `NOT_SPECIFIED` for them
        /// or discards the packet without a report.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum DropReason { $($(#[$doc])* $variant,)* }

        impl DropReason {
            /// The name as the kernel's tracepoint prints it.
            pub fn name(self) -> &'static str {
                match self { $(DropReason::$variant => $name,)* }
            }

            pub const ALL: &[DropReason] = &[$(DropReason::$variant,)*];
        }
    };
}

drop_reasons! {
    /// A packet for another station's MAC reached the IP layer.
    OtherHost = "OTHERHOST";
    PacketTooSmall = "PKT_TOO_SMALL";
    IpInHeader = "IP_INHDR";
    IpChecksum = "IP_CSUM";
    IpNoProtocol = "IP_NOPROTO";
    IpInvalidSource = "IP_INVALID_SOURCE";
    IpInvalidDestination = "IP_INVALID_DEST";
    IpLocalNet = "IP_LOCALNET";
    IpLocalSource = "IP_LOCAL_SOURCE";
    IpReversePath = "IP_RPFILTER";
    IpInAddressErrors = "IP_INADDRERRORS";
    IpInNoRoutes = "IP_INNOROUTES";
    IpOutNoRoutes = "IP_OUTNOROUTES";
    PacketTooBig = "PKT_TOO_BIG";
    UnicastInL2Multicast = "UNICAST_IN_L2_MULTICAST";
    IcmpChecksum = "ICMP_CSUM";
    UdpChecksum = "UDP_CSUM";
    TcpChecksum = "TCP_CSUM";
    InvalidProtocol = "INVALID_PROTO";
    NoSocket = "NO_SOCKET";
    SocketReceiveBuffer = "SOCKET_RCVBUFF";
    Ipv6Disabled = "IPV6DISABLED";
    /// Here: an extension header that is malformed, or an option that says so.
    Ipv6BadExtension = "NOT_SPECIFIED (IPv6 extension header)";
    /// Here: nobody on this host listens to the multicast group.
    NotJoined = "NOT_SPECIFIED (multicast group not joined)";
    /// Here: neighbour discovery that is malformed, or about nobody here.
    NeighbourDiscoveryIgnored = "NOT_SPECIFIED (neighbour discovery ignored)";
    NetfilterDrop = "NETFILTER_DROP";
    NeighbourCreateFail = "NEIGH_CREATEFAIL";
    NeighbourFailed = "NEIGH_FAILED";
    NeighbourQueueFull = "NEIGH_QUEUEFULL";
    NeighbourDead = "NEIGH_DEAD";
    /// The device is down or has no carrier: its queueing discipline discards.
    QdiscDrop = "QDISC_DROP";
    CpuBacklog = "CPU_BACKLOG";
    UnhandledProtocol = "UNHANDLED_PROTO";
    /// A tap's queue has no room.
    FullRing = "FULL_RING";
    HeaderTruncated = "HDR_TRUNC";
    RecursionLimit = "RECURSION_LIMIT";
    FragmentReassemblyTimeout = "FRAG_REASM_TIMEOUT";
    DuplicateFragment = "DUP_FRAG";
    FragmentTooFar = "FRAG_TOO_FAR";
    MacInvalidSource = "MAC_INVALID_SOURCE";
    MacControl = "MAC_IEEE_MAC_CONTROL";
    BridgeIngressState = "BRIDGE_INGRESS_STP_STATE";
    NoTransmitTarget = "NO_TX_TARGET";
    /// The frame comes from the device's own address.
    LocalMac = "LOCAL_MAC";
    VxlanInvalidHeader = "VXLAN_INVALID_HDR";
    VxlanVniNotFound = "VXLAN_VNI_NOT_FOUND";
    /// The source is known at another place, and the entry is fixed.
    VxlanEntryExists = "VXLAN_ENTRY_EXISTS";
    TunnelEcn = "IP_TUNNEL_ECN";
    /// A tunnel finds no way for its packet, or one through itself.
    TunnelTransmitInfo = "TUNNEL_TXINFO";
    MacvlanBroadcastBacklog = "MACVLAN_BROADCAST_BACKLOG";
    /// Here: the peer of a veth pair, or another forwarding target, is down.
    TargetDown = "NOT_SPECIFIED (target device down)";
    /// Here: longer than the target's MTU and link header allow.
    TargetMtu = "NOT_SPECIFIED (longer than the target's MTU)";
    /// Here: an ifb device was sent a frame that no one redirected.
    NotRedirected = "NOT_SPECIFIED (ifb device, not redirected)";
    /// Here: no CAN frame on a CAN device.
    NotCan = "NOT_SPECIFIED (no CAN frame)";
    /// Here: a dummy device discards what it is given.
    Discarded = "NOT_SPECIFIED (dummy device)";
    /// Here: a bridge knows the destination behind the port that the frame came from.
    BridgeSamePort = "NOT_SPECIFIED (destination is behind the ingress port)";
    /// Here: both ports are isolated.
    BridgeIsolated = "NOT_SPECIFIED (isolated ports)";
    /// Here: the egress port does not forward (down, no carrier, or blocked).
    BridgeEgressState = "NOT_SPECIFIED (egress port not forwarding)";
    /// Here: the source is not in the FDB of a locked port.
    BridgeLocked = "NOT_SPECIFIED (locked port)";
    /// Here: a port, or the bridge, is no member of the frame's VLAN.
    BridgeVlan = "NOT_SPECIFIED (not in the frame's VLAN)";
    /// Here: a message about group membership that is cut short or spoilt, or joins when the table of groups is full.
    BridgeMulticast = "NOT_SPECIFIED (spoilt group message, or a full table)";
    /// Here: a frame of the bridge itself to its own address.
    BridgeOwnAddress = "NOT_SPECIFIED (bridge's own address)";
    /// Here: the passthru macvlan is down.
    MacvlanDown = "NOT_SPECIFIED (passthru macvlan is down)";
    /// Here: a source-mode macvlan with `nodst` took the frame.
    MacvlanNoDst = "NOT_SPECIFIED (taken by a nodst source macvlan)";
    IpvlanMulticastBacklog = "IPVLAN_MULTICAST_BACKLOG";
    /// Here: for another ipvlan of a private port.
    IpvlanPrivate = "NOT_SPECIFIED (private ipvlan port)";
    /// Here: an ipvlan in mode l3 or l3s sends no multicast or broadcast.
    IpvlanGroup = "NOT_SPECIFIED (ipvlan in mode l3 sends no multicast)";
    /// Here: an ipvlan in mode l3 or l3s sends nothing but IP.
    IpvlanNotIp = "NOT_SPECIFIED (ipvlan in mode l3 sends only IP)";
    /// Here: the namespace of an ipvlan's lower device has no way for the packet.
    IpvlanNoRoute = "NOT_SPECIFIED (no route where the lower device is)";
    /// Here: a MACsec device has no association to send by.
    MacsecNotOperational = "NOT_SPECIFIED (MACsec: no association to send by)";
    /// Here: a MACsec frame of a channel or an association that nobody here has.
    MacsecNoChannel = "NOT_SPECIFIED (MACsec: unknown channel or association)";
    /// Here: a MACsec tag that contradicts itself or the frame's length.
    MacsecBadTag = "NOT_SPECIFIED (MACsec: bad tag)";
    /// Here: a MACsec packet number that has been seen, or is too far back.
    MacsecLate = "NOT_SPECIFIED (MACsec: replayed)";
    /// Here: a MACsec frame that is not what was sent.
    MacsecNotValid = "NOT_SPECIFIED (MACsec: not authentic)";
    /// Here: the VLAN device is down.
    VlanDown = "NOT_SPECIFIED (VLAN device is down)";
    /// Here: no one is at the other end of the wire, or it is down.
    NoWire = "NOT_SPECIFIED (no station on the wire takes it)";
    /// Here: a unicast packet in a link-layer broadcast is not forwarded.
    ForwardNotHost = "NOT_SPECIFIED (link-layer broadcast is not forwarded)";
    /// Here: a blackhole, unreachable or prohibit route.
    RouteRefused = "NOT_SPECIFIED (route refuses)";
    /// Here: ARP for another station, on a NOARP device, malformed, or with nothing to answer.
    ArpIgnored = "NOT_SPECIFIED (ARP ignored)";
    /// Here: the device has no settings of IPv4 (its MTU is below 68).
    Ipv4Disabled = "NOT_SPECIFIED (no IPv4 on the device)";
    /// Here: options of an IPv4 header that are malformed.
    IpBadOptions = "NOT_SPECIFIED (malformed IP options)";
    /// Here: a way that the packet's sender has chosen, which `accept_source_route` does not allow.
    SourceRoute = "NOT_SPECIFIED (source route not accepted)";
    /// Here: TCP to a group or to everybody.
    TcpNotUnicast = "NOT_SPECIFIED (TCP to several hosts)";
    /// Here: a header of GRE that is of another version, or whose checksum is wrong.
    GreHeader = "NOT_SPECIFIED (bad GRE header)";
    /// Here: a team without a port that could send.
    NoPort = "NOT_SPECIFIED (no port to send by)";
    /// Here: the other device of a pair is not there any more.
    NoPeer = "NOT_SPECIFIED (its peer is gone)";
    /// Here: a bridged packet that netfilter gave another address, to which there is no way.
    TranslatedNowhere = "NOT_SPECIFIED (no route to the translated address)";
    /// Here: a PAUSE frame, which goes no farther than a card.
    Pause = "NOT_SPECIFIED (PAUSE frame)";
    /// Here: the device was deleted while the frame was on its way.
    DeviceGone = "NOT_SPECIFIED (device is gone)";
    /// Here: a BPDU has reached a port of a bridge, and ends there.
    Bpdu = "NOT_SPECIFIED (BPDU: taken by the bridge)";
    /// Here: a frame of 802.3 with a length, whose protocols nobody speaks here.
    Llc = "NOT_SPECIFIED (802.3 frame: nobody takes it)";
    /// Here: a packet consumed without a word.
    NotSpecified = "NOT_SPECIFIED";
}

impl std::fmt::Display for DropReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
