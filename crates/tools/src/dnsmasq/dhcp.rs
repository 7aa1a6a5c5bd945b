//! The DHCP server of `dnsmasq` (RFC 2131, section 4.3; dnsmasq's rfc2131.c, dhcp.c, lease.c).

use std::io::Write as _;
use std::net::Ipv4Addr;

use hairpin_netlink::codec::NLM_F_ACK;
use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState,
};
use hairpin_netlink::{Address, Fd, Received, transact};

use super::options::{Host, Options, Range};
use super::{Log, Own};
use crate::Program;
use crate::dhcp::{CLIENT_PORT, Kind, Message, mac_text, option};

const NS_PER_S: u64 = 1_000_000_000;
/// How long an echo is waited for before an address is offered (`PING_WAIT`, twelve polls that each take a little longer), and
/// how long its silence is remembered.
const PING_WAIT_NS: u64 = 3 * NS_PER_S + 3 * NS_PER_S / 10;
const PING_CACHE_NS: u64 = 30 * NS_PER_S;
const LEASES_MAX: usize = 1000;
/// The client wants its answers broadcast.
const BROADCAST_FLAG: u16 = 0x8000;
const NLM_F_CREATE: u16 = 0x400;
const NLM_F_REPLACE: u16 = 0x100;

#[derive(Clone, Debug)]
struct Lease {
    mac: [u8; 6],
    address: Ipv4Addr,
    name: Option<String>,
    client: Option<Vec<u8>>,
    /// On the wall clock, seconds; 0 for ever.
    expires_s: u64,
}

/// An offer that waits for an echo not to come.
struct Pending {
    at_ns: u64,
    socket: Fd,
    own: Own,
    request: Message,
    offer: Message,
}

pub(super) struct Server {
    ranges: Vec<Range>,
    hosts: Vec<Host>,
    options: Vec<(u8, Vec<u8>)>,
    domain: Option<String>,
    authoritative: bool,
    no_ping: bool,
    sequential: bool,
    serves_dns: bool,
    lease_file: Option<String>,
    leases: Vec<Lease>,
    pending: Vec<Pending>,
    /// Addresses that did not answer, and when.
    silent: Vec<(Ipv4Addr, u64)>,
    /// Addresses that did.
    taken: Vec<(Ipv4Addr, u64)>,
    names: Vec<(String, Ipv4Addr)>,
}

/// Who asked, where.
type Place<'a> = (Fd, &'a Own, Option<Fd>);

impl Server {
    pub fn new(options: &Options, _program: &mut Program<'_>) -> Server {
        let default = (!options.ranges.is_empty()).then(|| "/var/lib/misc/dnsmasq.leases".to_owned());
        Server {
            ranges: options.ranges.clone(),
            hosts: options.hosts.clone(),
            options: options.dhcp_options.clone(),
            domain: options.domain.clone(),
            authoritative: options.authoritative,
            no_ping: options.no_ping,
            sequential: options.sequential,
            serves_dns: options.port != 0,
            lease_file: options.lease_file.clone().or(default),
            leases: Vec::new(),
            pending: Vec::new(),
            silent: Vec::new(),
            taken: Vec::new(),
            names: Vec::new(),
        }
    }

    /// When the next offer is due.
    pub fn next_deadline(&self) -> Option<u64> {
        self.pending.iter().map(|pending| pending.at_ns).min()
    }

    /// Names of leases that are new.
    pub fn take_names(&mut self) -> Vec<(String, Ipv4Addr)> {
        std::mem::take(&mut self.names)
    }

    /// Echoes tell that an address is taken: its offer is not made.
    pub fn take_echoes(&mut self, program: &mut Program<'_>, socket: Fd) {
        for item in program.system.receive(socket, 64).unwrap_or_default() {
            if let Received::Datagram { data, from: Address::Ipv4 { address, .. }, .. } = item
                && data.get(usize::from(data.first().copied().unwrap_or(0) & 0xf) * 4) == Some(&0)
            {
                self.pending.retain(|pending| pending.offer.yours != address);
                self.taken.push((address, monotonic(program)));
            }
        }
    }

    /// Makes the offers whose address stayed silent.
    pub fn send_due(&mut self, program: &mut Program<'_>, log: &mut Log) {
        let now = monotonic(program);
        let (due, later) =
            std::mem::take(&mut self.pending).into_iter().partition(|p: &Pending| p.at_ns <= now);
        self.pending = later;
        for Pending { socket, own, request, offer, .. } in due {
            self.silent.push((offer.yours, now));
            self.tell(program, log, "DHCPOFFER", &own, Some(offer.yours), &request, None);
            reply(program, socket, &own, &request, &offer);
        }
        for known in [&mut self.silent, &mut self.taken] {
            known.retain(|(_, at)| now.saturating_sub(*at) < PING_CACHE_NS);
        }
    }

    pub fn receive(&mut self, program: &mut Program<'_>, place: Place<'_>, request: &Message, log: &mut Log) {
        if request.is_reply {
            return;
        }
        let own = place.1;
        let fits = |range: &&Range| {
            own.covers(range.first) && range.device.as_ref().is_none_or(|name| *name == own.device)
        };
        let Some(range) = self.ranges.iter().find(fits).cloned() else {
            if request.kind() == Some(Kind::Discover) {
                let text =
                    format!("dnsmasq-dhcp: no address range available for DHCP request via {}", own.device);
                log.say(program, &text);
            }
            return;
        };
        let host = self.hosts.iter().find(|host| host.mac == Some(request.mac)).cloned().unwrap_or_default();
        if host.is_ignored {
            return;
        }
        self.forget_expired(program);
        match request.kind() {
            Some(Kind::Discover) => self.discover(program, place, request, &range, &host, log),
            Some(Kind::Request) => self.request(program, place, request, &range, &host, log),
            Some(Kind::Release) => {
                self.tell(program, log, "DHCPRELEASE", own, Some(request.client), request, None);
                self.leases.retain(|lease| lease.mac != request.mac || lease.address != request.client);
                self.save(program);
            }
            Some(Kind::Decline) => {
                let address = request.address(option::REQUESTED);
                self.tell(program, log, "DHCPDECLINE", own, address, request, None);
                self.leases.retain(|lease| Some(lease.address) != address);
                self.save(program);
            }
            Some(Kind::Inform) => {
                self.tell(program, log, "DHCPINFORM", own, Some(request.client), request, None);
                let mut answer = request.answer(Kind::Ack);
                answer.client = request.client;
                answer.push(option::SERVER, own.address.octets().to_vec());
                self.describe(&mut answer, request, own, &range, None);
                self.tell(program, log, "DHCPACK", own, Some(request.client), request, None);
                reply(program, place.0, own, request, &answer);
            }
            _ => {}
        }
    }

    fn discover(
        &mut self,
        program: &mut Program<'_>,
        (socket, own, echo): Place<'_>,
        request: &Message,
        range: &Range,
        host: &Host,
        log: &mut Log,
    ) {
        let wanted = request.address(option::REQUESTED);
        self.tell(program, log, "DHCPDISCOVER", own, wanted, request, None);
        let known = self.leases.iter().find(|lease| lease.mac == request.mac).map(|lease| lease.address);
        let fixed = host.address.filter(|address| !self.is_leased(*address, request.mac));
        let asked = wanted.filter(|address| self.is_free(*address, own, range, request.mac));
        let is_sure = fixed.is_some() || known.is_some();
        let Some(address) = fixed.or(known).or(asked).or_else(|| self.choose(own, range, request.mac)) else {
            let text = format!(
                "dnsmasq-dhcp: DHCPDISCOVER({}) {} no address available",
                own.device,
                mac_text(&request.mac)
            );
            log.say(program, &text);
            return;
        };
        let mut offer = request.answer(Kind::Offer);
        offer.yours = address;
        offer.server = own.address;
        offer.push(option::SERVER, own.address.octets().to_vec());
        self.describe(&mut offer, request, own, range, Some(host.time_s.unwrap_or(range.time_s)));
        let now = monotonic(program);
        let is_silent = self.silent.iter().any(|(known, _)| *known == address);
        match echo.filter(|_| !is_sure && !self.no_ping && !is_silent) {
            Some(echo) => {
                let _ = program.system.send(echo, echo_request(), Some(Address::Ipv4 { address, port: 0 }));
                let (own, request) = (own.clone(), request.clone());
                self.pending.push(Pending { at_ns: now + PING_WAIT_NS, socket, own, request, offer });
            }
            None => {
                self.tell(program, log, "DHCPOFFER", own, Some(address), request, None);
                reply(program, socket, own, request, &offer);
            }
        }
    }

    fn request(
        &mut self,
        program: &mut Program<'_>,
        (socket, own, _): Place<'_>,
        request: &Message,
        range: &Range,
        host: &Host,
        log: &mut Log,
    ) {
        let server = request.address(option::SERVER);
        if server.is_some_and(|server| server != own.address) {
            // Another server's offer was taken.
            return;
        }
        let address = match request.client {
            Ipv4Addr::UNSPECIFIED => request.address(option::REQUESTED),
            client => Some(client),
        };
        let Some(address) = address else { return };
        self.tell(program, log, "DHCPREQUEST", own, Some(address), request, None);
        let is_own = self.leases.iter().any(|lease| lease.mac == request.mac && lease.address == address);
        let why = if !own.covers(address) {
            Some("wrong network")
        } else if self.is_leased(address, request.mac) {
            Some("address in use")
        } else if host.address.is_some_and(|fixed| fixed != address) {
            Some("static lease available")
        } else if !is_own && server.is_none() && request.client.is_unspecified() && !self.authoritative {
            // Nobody knows it: others may.
            return;
        } else if host.address != Some(address) && !is_own && !(range.first..=range.last).contains(&address) {
            Some("address not available")
        } else {
            None
        };
        if let Some(why) = why {
            self.tell(program, log, "DHCPNAK", own, Some(address), request, Some(why));
            let mut answer = request.answer(Kind::Nak);
            answer.flags |= BROADCAST_FLAG;
            answer.push(option::SERVER, own.address.octets().to_vec());
            answer.push(option::MESSAGE, why.as_bytes().to_vec());
            return reply(program, socket, own, request, &answer);
        }
        let time_s = host.time_s.unwrap_or(range.time_s);
        let name =
            host.name.clone().or_else(|| request.text(option::HOST_NAME)).filter(|name| !name.is_empty());
        let wall = wall_s(program);
        self.leases.retain(|lease| lease.mac != request.mac && lease.address != address);
        if self.leases.len() >= LEASES_MAX {
            return;
        }
        let expires_s = if time_s == u32::MAX { 0 } else { wall + u64::from(time_s) };
        let client = request.option(option::CLIENT).map(<[u8]>::to_vec);
        self.leases.push(Lease { mac: request.mac, address, name: name.clone(), client, expires_s });
        self.save(program);
        let mut answer = request.answer(Kind::Ack);
        answer.client = request.client;
        answer.yours = address;
        answer.server = own.address;
        answer.push(option::SERVER, own.address.octets().to_vec());
        self.describe(&mut answer, request, own, range, Some(time_s));
        if let Some(name) = &name {
            if asks_for(request, option::HOST_NAME) {
                answer.push(option::HOST_NAME, name.clone().into_bytes());
            }
            self.names.push((name.clone(), address));
        }
        self.tell(program, log, "DHCPACK", own, Some(address), request, name.as_deref());
        reply(program, socket, own, request, &answer);
    }

    /// What an answer says beside the address (`do_options`).
    fn describe(
        &self,
        answer: &mut Message,
        request: &Message,
        own: &Own,
        range: &Range,
        time_s: Option<u32>,
    ) {
        if let Some(time) = time_s {
            answer.push(option::LEASE_TIME, time.to_be_bytes().to_vec());
            if time != u32::MAX {
                answer.push(option::RENEWAL, (time / 2).to_be_bytes().to_vec());
                answer.push(option::REBINDING, (time / 8 * 7).to_be_bytes().to_vec());
            }
        }
        let mask = range.mask.unwrap_or(own.mask());
        let broadcast = Ipv4Addr::from_bits(own.address.to_bits() | !mask.to_bits());
        let given = |code: u8| self.options.iter().any(|(known, _)| *known == code);
        let mut default = |code: u8, value: Vec<u8>, wanted: bool| {
            if wanted && !given(code) && asks_for(request, code) {
                answer.push(code, value);
            }
        };
        default(option::MASK, mask.octets().to_vec(), true);
        default(option::BROADCAST, broadcast.octets().to_vec(), true);
        default(option::ROUTER, own.address.octets().to_vec(), true);
        default(option::DNS, own.address.octets().to_vec(), self.serves_dns);
        if let Some(domain) = &self.domain {
            default(option::DOMAIN, domain.clone().into_bytes(), true);
        }
        for (code, value) in &self.options {
            // An option without a value keeps the default away.
            if !value.is_empty() && asks_for(request, *code) {
                answer.push(*code, value.clone());
            }
        }
    }

    fn is_leased(&self, address: Ipv4Addr, mac: [u8; 6]) -> bool {
        self.leases.iter().any(|lease| lease.address == address && lease.mac != mac)
    }

    fn is_free(&self, address: Ipv4Addr, own: &Own, range: &Range, mac: [u8; 6]) -> bool {
        let reserved = self.hosts.iter().any(|host| host.address == Some(address) && host.mac != Some(mac));
        let offered = self.pending.iter().any(|p| p.offer.yours == address && p.request.mac != mac);
        !range.is_static
            && (range.first..=range.last).contains(&address)
            && address != own.address
            && !reserved
            && !self.taken.iter().any(|(known, _)| *known == address)
            && !offered
            && !self.is_leased(address, mac)
    }

    /// An address that hangs on the client's MAC, or the next one that is free (`address_allocate`).
    fn choose(&self, own: &Own, range: &Range, mac: [u8; 6]) -> Option<Ipv4Addr> {
        let (first, last) = (range.first.to_bits(), range.last.to_bits());
        let count = last - first + 1;
        let hash = mac.iter().fold(0u32, |hash, byte| {
            u32::from(*byte).wrapping_add(hash << 6).wrapping_add(hash << 16).wrapping_sub(hash)
        });
        let start = if self.sequential { 0 } else { hash.max(1) % count };
        let candidates = (0..count).map(|at| Ipv4Addr::from_bits(first + (start + at) % count));
        candidates.into_iter().find(|address| self.is_free(*address, own, range, mac))
    }

    fn forget_expired(&mut self, program: &mut Program<'_>) {
        let wall = wall_s(program);
        let before = self.leases.len();
        self.leases.retain(|lease| lease.expires_s == 0 || lease.expires_s > wall);
        if self.leases.len() != before {
            self.save(program);
        }
    }

    /// Writes the file of leases; a machine that has no place for it does without.
    fn save(&self, program: &mut Program<'_>) {
        let Some(path) = &self.lease_file else { return };
        let mut text = String::new();
        for lease in &self.leases {
            let name = lease.name.as_deref().unwrap_or("*");
            let client = lease.client.as_ref().map_or_else(|| "*".to_owned(), |id| mac_text(id));
            text.push_str(&format!(
                "{} {} {} {name} {client}\n",
                lease.expires_s,
                mac_text(&lease.mac),
                lease.address
            ));
        }
        if let Ok(mut file) = program.shell.create(path) {
            let _ = file.write_all(text.as_bytes());
            let _ = file.flush();
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the columns of a line")]
    fn tell(
        &self,
        program: &mut Program<'_>,
        log: &mut Log,
        what: &str,
        own: &Own,
        address: Option<Ipv4Addr>,
        request: &Message,
        more: Option<&str>,
    ) {
        let address = address.map(|address| format!("{address} ")).unwrap_or_default();
        let (device, mac, more) = (&own.device, mac_text(&request.mac), more.unwrap_or(""));
        log.say(program, &format!("dnsmasq-dhcp: {what}({device}) {address}{mac} {more}"));
    }
}

/// Whether the client wants to hear of it; one that says nothing gets everything.
fn asks_for(request: &Message, code: u8) -> bool {
    request.option(option::PARAMETERS).is_none_or(|wanted| wanted.contains(&code))
}

/// Sends an answer: to everybody, or to an address that its owner does not have yet, past ARP.
fn reply(program: &mut Program<'_>, socket: Fd, own: &Own, request: &Message, answer: &Message) {
    let to = if !request.client.is_unspecified() && answer.kind() != Some(Kind::Nak) {
        request.client
    } else if answer.flags & BROADCAST_FLAG != 0 || answer.yours.is_unspecified() {
        Ipv4Addr::BROADCAST
    } else {
        inject(program, own.ifindex, answer.yours, request.mac);
        answer.yours
    };
    let to = Address::Ipv4 { address: to, port: CLIENT_PORT };
    // Who does not get it asks again.
    let _ = program.system.send(socket, answer.write(), Some(to));
}

/// `arp_inject`
fn inject(program: &mut Program<'_>, ifindex: u32, address: Ipv4Addr, mac: [u8; 6]) {
    let mut message = NeighbourMessage::default();
    message.header.family = AddressFamily::Inet;
    message.header.ifindex = ifindex;
    message.header.state = NeighbourState::Stale;
    message.attributes = vec![
        NeighbourAttribute::Destination(NeighbourAddress::Inet(address)),
        NeighbourAttribute::LinkLayerAddress(mac.to_vec()),
    ];
    let flags = NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
    let _ = transact(program.system, &hairpin_netlink::Message::NewNeighbour(message), flags);
}

/// An ICMP echo request with the data that dnsmasq sends: none but zeros.
fn echo_request() -> Vec<u8> {
    let mut packet = vec![8, 0, 0, 0, 0x68, 0x70, 0, 0];
    packet.resize(64, 0);
    let words = packet.chunks(2).map(|pair| {
        u32::from(pair.first().copied().unwrap_or(0)) << 8 | u32::from(pair.get(1).copied().unwrap_or(0))
    });
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    if let Some(place) = packet.get_mut(2..4) {
        place.copy_from_slice(&(!(sum as u16)).to_be_bytes());
    }
    packet
}

fn monotonic(program: &mut Program<'_>) -> u64 {
    program.system.now().map_or(0, |now| now.monotonic_ns)
}

fn wall_s(program: &mut Program<'_>) -> u64 {
    program.system.now().map_or(0, |now| now.realtime_ns / NS_PER_S)
}

/// `1h`, `30m`, `52m30s` (`prettyprint_time`)
pub(super) fn time_text(seconds: u32) -> String {
    if seconds == u32::MAX {
        return "infinite".to_owned();
    }
    let parts =
        [(seconds / 86_400, 'd'), (seconds / 3600 % 24, 'h'), (seconds / 60 % 60, 'm'), (seconds % 60, 's')];
    parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        assert_eq!([3600, 1800, 3150].map(time_text), ["1h", "30m", "52m30s"]);
    }

    /// As dnsmasq 2.90 did.
    #[test]
    fn an_address_hangs_on_the_mac() {
        let range = super::super::options::Range {
            first: [10, 9, 0, 100].into(),
            last: [10, 9, 0, 150].into(),
            mask: None,
            time_s: 3600,
            is_static: false,
            device: None,
        };
        let own = Own { device: "v0".to_owned(), ifindex: 1, address: [10, 9, 0, 1].into(), prefix_len: 24 };
        let server = Server {
            ranges: vec![range.clone()],
            hosts: Vec::new(),
            options: Vec::new(),
            domain: None,
            authoritative: false,
            no_ping: false,
            sequential: false,
            serves_dns: true,
            lease_file: None,
            leases: Vec::new(),
            pending: Vec::new(),
            silent: Vec::new(),
            taken: Vec::new(),
            names: Vec::new(),
        };
        assert_eq!(server.choose(&own, &range, [2, 0, 0, 0, 0, 2]), Some([10, 9, 0, 146].into()));
    }
}
