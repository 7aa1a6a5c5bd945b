//! The sockets of a namespace as `ss` is told of them (net/ipv4/inet_diag.c, tcp_diag.c, udp_diag.c, raw_diag.c,
//! net/packet/diag.c).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hairpin_netlink::Address;
use hairpin_netlink::sock_diag::{SocketFamily, SocketInfo, SocketOwner, SocketQuery, TcpInfo, state};
use slotmap::Key as _;

use super::tcp::{Family, Role};
use super::{Inet, Kind, SockId, Socket};
use crate::netns::NsId;
use crate::task::Open;
use crate::tcp::connection::{Connection, State};
use crate::tcp::send::INITIAL_WINDOW;
use crate::world::World;
use crate::{ip, ip6};

/// What a timer is for.
mod timer {
    pub const NONE: u8 = 0;
    pub const RETRANSMIT: u8 = 1;
    pub const TIME_WAIT: u8 = 3;
    pub const PROBE: u8 = 4;
}

impl World {
    pub(crate) fn list_sockets(&self, ns: NsId, query: SocketQuery) -> Vec<SocketInfo> {
        let Some(netns) = self.netns.get(ns) else { return Vec::new() };
        let ids: Vec<SockId> = match query.family {
            SocketFamily::Tcp { .. } => {
                // Listeners first, then connections.
                let mut ids = netns.tcp.sockets();
                ids.sort_by_key(|id| {
                    !self.tcp_of(*id).is_some_and(|tcp| matches!(tcp.role, Role::Listening(_)))
                });
                ids
            }
            SocketFamily::Udp { ipv6 } => {
                let ports = if ipv6 { &netns.udp6 } else { &netns.udp };
                let mut ids: Vec<(u16, SockId)> =
                    ports.iter().flat_map(|(port, ids)| ids.iter().map(|id| (*port, *id))).collect();
                ids.sort_unstable();
                ids.into_iter().map(|(_, id)| id).collect()
            }
            SocketFamily::Raw { ipv6: false } => netns.raw.clone(),
            SocketFamily::Raw { ipv6: true } => netns.raw6.clone(),
            SocketFamily::Packet => self.packet_sockets(ns),
        };
        let wanted = |info: &SocketInfo| query.states >> info.state & 1 == 1;
        let mut found: Vec<SocketInfo> =
            ids.into_iter().filter_map(|id| self.socket_info(id, query.family)).filter(wanted).collect();
        if let SocketFamily::Udp { ipv6 } = query.family {
            let own = netns.tunnel_ports(ipv6).into_iter().map(|port| tunnel_socket(port, ipv6));
            found.extend(own.filter(wanted));
            found.sort_by_key(|info| match info.local {
                Address::Ipv4 { port, .. } | Address::Ipv6 { port, .. } => port,
                _ => 0,
            });
        }
        if !query.details {
            for info in &mut found {
                info.tcp = None;
            }
        }
        if query.owners {
            for info in &mut found {
                info.owners = self.owners(info.inode);
            }
        }
        found
    }

    fn socket_info(&self, id: SockId, family: SocketFamily) -> Option<SocketInfo> {
        let socket = self.sockets.get(id)?;
        let mut info = SocketInfo {
            receive_queue: u32::try_from(socket.queued).unwrap_or(u32::MAX),
            ..unbound(inode(id))
        };
        match &socket.kind {
            Kind::Tcp(tcp) => {
                if family != (SocketFamily::Tcp { ipv6: tcp.family.is_ipv6() }) {
                    return None;
                }
                info.local = tcp.local();
                let none = match tcp.ends.source {
                    IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
                    IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
                };
                info.remote = tcp.name(tcp.ends.remote.unwrap_or((none, 0)));
                info.ifindex = tcp.ends.device;
                info.v6only = tcp.family == Family::Ipv6 { only: true };
                match &tcp.role {
                    Role::Idle => return None,
                    Role::Listening(listener) => {
                        info.state = state::LISTEN;
                        info.receive_queue = u32::try_from(listener.queue.len()).unwrap_or(u32::MAX);
                        info.send_queue = listener.backlog;
                        info.tcp = Some(Box::new(TcpInfo {
                            congestion: "cubic".to_owned(),
                            window: INITIAL_WINDOW,
                            ..TcpInfo::default()
                        }));
                    }
                    Role::Connection(connection) => {
                        self.connection_info(connection, &mut info);
                        let below = if tcp.ends.source.is_ipv4() { ip::HEADER_LEN } else { ip6::HEADER_LEN };
                        if connection.state != State::TimeWait {
                            info.tcp = Some(Box::new(connection.info(below, self.now)));
                        }
                    }
                }
            }
            Kind::Udp(udp) => info.ends(&udp.inet, udp.port),
            Kind::Raw(raw) => info.ends(&raw.inet, raw.protocol.into()),
            Kind::Udp6(udp) => {
                info.ends6(socket, udp.port);
                info.v6only = !udp.dual;
            }
            Kind::Raw6(raw) => info.ends6(socket, raw.protocol.into()),
            Kind::Packet(packet) => {
                info.cooked = packet.cooked;
                info.ifindex =
                    packet.device.and_then(|dev| self.devs.get(dev)).map_or(0, |device| device.ifindex);
                info.local = Address::Link { ifindex: info.ifindex, protocol: packet.protocol, mac: [0; 6] };
                info.remote = Address::Link { ifindex: 0, protocol: 0, mac: [0; 6] };
            }
            Kind::Tap(_) | Kind::Can(_) | Kind::RouteEvents { .. } | Kind::ConntrackEvents => return None,
        }
        Some(info)
    }

    /// `inet_csk_diag_fill`, `inet_twsk_diag_fill`
    fn connection_info(&self, connection: &Connection, info: &mut SocketInfo) {
        let send = &connection.send;
        let is_over = connection.state == State::TimeWait;
        let at = if is_over { connection.next_timeout() } else { send.timeout_at };
        info.state = connection.state as u8;
        info.timer = match at {
            None => timer::NONE,
            Some(_) if is_over => timer::TIME_WAIT,
            Some(_) if send.is_blocked() => timer::PROBE,
            Some(_) => timer::RETRANSMIT,
        };
        info.expires_ms = at.map_or(0, |at| {
            u32::try_from(at.nanos().saturating_sub(self.now.nanos()) / 1_000_000).unwrap_or(u32::MAX)
        });
        if is_over {
            (info.receive_queue, info.send_queue, info.inode) = (0, 0, 0);
            return;
        }
        info.retransmits = send.backoff.try_into().unwrap_or(u8::MAX);
        info.receive_queue = u32::try_from(connection.receive.unread()).unwrap_or(u32::MAX);
        info.send_queue = send.queued();
        if connection.is_orphan {
            info.inode = 0;
        }
    }

    fn owners(&self, of: u32) -> Vec<SocketOwner> {
        let mut owners = Vec::new();
        for (task, holder) in &self.tasks {
            for (fd, open) in &holder.fds {
                if let Open::Socket(id) = open
                    && inode(*id) == of
                {
                    owners.push(SocketOwner {
                        task: task.data().as_ffi(),
                        fd: *fd,
                        ..SocketOwner::default()
                    });
                }
            }
        }
        owners
    }

    /// Packet sockets: of every device, and bound ones.
    pub(crate) fn packet_sockets(&self, ns: NsId) -> Vec<SockId> {
        let Some(netns) = self.netns.get(ns) else { return Vec::new() };
        let bound = self.devices_of(ns).flat_map(|device| device.taps.iter());
        let mut ids: Vec<SockId> = netns.taps.iter().chain(bound).copied().collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

/// A socket without ends.
fn unbound(inode: u32) -> SocketInfo {
    SocketInfo {
        state: state::CLOSED,
        timer: timer::NONE,
        retransmits: 0,
        expires_ms: 0,
        local: Address::Ipv4 { address: Ipv4Addr::UNSPECIFIED, port: 0 },
        remote: Address::Ipv4 { address: Ipv4Addr::UNSPECIFIED, port: 0 },
        ifindex: 0,
        receive_queue: 0,
        send_queue: 0,
        uid: 0,
        inode,
        cooked: false,
        v6only: false,
        tcp: None,
        owners: Vec::new(),
    }
}

/// A socket of the kernel's own, which tunnels of a port share (`udp_sock_create`).
fn tunnel_socket(port: u16, ipv6: bool) -> SocketInfo {
    let info = unbound(tunnel_inode(port, ipv6));
    if !ipv6 {
        return SocketInfo { local: Address::Ipv4 { address: Ipv4Addr::UNSPECIFIED, port }, ..info };
    }
    let end = |port| Address::Ipv6 { address: Ipv6Addr::UNSPECIFIED, port, scope: 0 };
    SocketInfo { local: end(port), remote: end(0), v6only: true, ..info }
}

/// The number of such a socket: no program's socket has one so high.
pub(crate) fn tunnel_inode(port: u16, ipv6: bool) -> u32 {
    0x8000_0000 | u32::from(ipv6) << 16 | u32::from(port)
}

/// The ends of sockets.
trait Ends {
    fn ends(&mut self, inet: &Inet, port: u16);
    fn ends6(&mut self, socket: &Socket, port: u16);
}

impl Ends for SocketInfo {
    fn ends(&mut self, inet: &Inet, port: u16) {
        let (address, remote_port) = inet.remote.unwrap_or((Ipv4Addr::UNSPECIFIED, 0));
        self.local = Address::Ipv4 { address: inet.source, port };
        self.remote = Address::Ipv4 { address, port: remote_port };
        self.ifindex = inet.device;
        if inet.remote.is_some() {
            self.state = state::ESTABLISHED;
        }
    }

    fn ends6(&mut self, socket: &Socket, port: u16) {
        let Some(inet) = socket.inet6() else { return };
        let (address, remote_port) = inet.remote.unwrap_or((Ipv6Addr::UNSPECIFIED, 0));
        self.local = Address::Ipv6 { address: inet.source, port, scope: 0 };
        self.remote = Address::Ipv6 { address, port: remote_port, scope: 0 };
        self.ifindex = inet.device;
        self.v6only = true;
        if inet.remote.is_some() {
            self.state = state::ESTABLISHED;
        }
    }
}

/// A number that no other open socket has.
pub(crate) fn inode(id: SockId) -> u32 {
    id.data().as_ffi() as u32
}
