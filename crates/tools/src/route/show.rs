//! The table that `route` prints (`/proc/net/route` on Linux).

use std::net::Ipv4Addr;

use hairpin_netlink::codec::NLM_F_DUMP;
use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteMetric, RouteType,
};
use hairpin_netlink::{Errno, Message, transact};

use super::Route;
use crate::interfaces::Interfaces;
use crate::net_tools::ioctl::mask_of;

/// A line of `/proc/net/route`.
struct Line {
    destination: Ipv4Addr,
    prefix: u8,
    gateway: Option<Ipv4Addr>,
    reject: bool,
    metric: u32,
    mtu: u32,
    window: u32,
    rtt: u32,
    device: String,
}

impl Route<'_> {
    pub(super) fn show(&mut self) -> i32 {
        if self.cache && !self.fib {
            // Linux has had none since 3.6.
            self.print("Kernel IP routing cache\n");
            let header = match self.extend & 3 {
                1 => "Source          Destination     Gateway         Flags Metric Ref    Use Iface\n",
                2 => "Source          Destination     Gateway         Flags   MSS Window  irtt Iface\n",
                3 => {
                    "Source          Destination     Gateway         Flags Metric Ref    Use Iface    \
                     MSS   Window irtt  TOS HHRef HHUptod     SpecDst\n"
                }
                _ => "",
            };
            self.print(header);
            return 0;
        }
        let lines = match self.lines() {
            Ok(lines) => lines,
            Err(errno) => {
                self.complain(&format!("/proc/net/route: {errno}"));
                self.print("INET (IPv4) not configured in this system.\n");
                return 1;
            }
        };
        self.print("Kernel IP routing table\n");
        let extend = self.extend & 3;
        self.print(match extend {
            1 => "Destination     Gateway         Genmask         Flags Metric Ref    Use Iface\n",
            2 => "Destination     Gateway         Genmask         Flags   MSS Window  irtt Iface\n",
            3 => {
                "Destination     Gateway         Genmask         Flags Metric Ref    Use Iface    \
                 MSS   Window irtt\n"
            }
            _ => "",
        });
        // net-tools finds no columns in an empty file.
        let Some(lines) = lines else { return 1 };
        for line in lines {
            let text = self.text(&line, extend);
            self.print(&text);
        }
        0
    }

    /// `None` where there is no main table yet.
    fn lines(&mut self) -> Result<Option<Vec<Line>>, Errno> {
        let interfaces = Interfaces::dump(self.system).map_err(|failure| failure.errno)?;
        let mut request = RouteMessage::default();
        request.header.address_family = AddressFamily::Inet;
        request.header.table = RouteHeader::RT_TABLE_MAIN;
        let answer = match transact(self.system, &Message::GetRoute(request), NLM_F_DUMP) {
            // A namespace has no main table before its first route.
            Err(failure) if failure.errno == Errno::ENOENT => return Ok(None),
            answer => answer.map_err(|failure| failure.errno)?,
        };
        let lines = answer.iter().filter_map(|message| match message {
            Message::NewRoute(route) => line(&interfaces, route),
            _ => None,
        });
        Ok(Some(lines.collect()))
    }

    fn text(&mut self, line: &Line, extend: u32) -> String {
        let destination = self.destination_name(line);
        let gateway = self.gateway_name(line.gateway.unwrap_or(Ipv4Addr::UNSPECIFIED));
        let mask = mask_of(line.prefix).to_string();
        let mut flags = if line.gateway.is_some() { "UG" } else { "U" }.to_owned();
        if line.reject {
            flags = "!".to_owned();
        }
        if line.prefix == 32 {
            flags.push('H');
        }
        let Line { metric, mtu, window, rtt, device, .. } = line;
        match (extend, line.reject) {
            (1, true) => {
                format!("{destination:<15} -               {mask:<15} {flags:<5} {metric:<6} -  {:7} -\n", 0)
            }
            (1, false) => format!(
                "{destination:<15} {gateway:<15} {mask:<15} {flags:<5} {metric:<6} {:<2} {:7} {device}\n",
                0, 0
            ),
            (2, true) => {
                format!("{destination:<15} -               {mask:<15} {flags:<5}     - -          - -\n")
            }
            (2, false) => format!(
                "{destination:<15} {gateway:<15} {mask:<15} {flags:<5} {mtu:5} {window:<5} {rtt:6} {device}\n"
            ),
            (3, true) => format!(
                "{destination:<15} -               {mask:<15} {flags:<5} {metric:<6} -  {:7} -        -     -      -\n",
                0
            ),
            (3, false) => format!(
                "{destination:<15} {gateway:<15} {mask:<15} {flags:<5} {metric:<6} {:<3} {:6} {device:<6.6}   {mtu:<5} {window:<6} {rtt}\n",
                0, 0
            ),
            _ => String::new(),
        }
    }

    /// `INET_sprintmask`: the name of a network, or of a host where bits behind the mask are set.
    fn destination_name(&mut self, line: &Line) -> String {
        let address = line.destination;
        if self.numeric {
            return address.to_string();
        }
        let mask = mask_of(line.prefix);
        if address.is_unspecified() {
            return if mask.is_unspecified() { "default".to_owned() } else { address.to_string() };
        }
        let name = if line.prefix == 32 || u32::from(address) & !u32::from(mask) != 0 {
            self.names.host_name(self.shell, address)
        } else {
            self.names.network_name(self.shell, address)
        };
        cut(name.unwrap_or_else(|| address.to_string()))
    }

    fn gateway_name(&mut self, gateway: Ipv4Addr) -> String {
        if self.numeric || gateway.is_unspecified() {
            return gateway.to_string();
        }
        let name = self.names.host_name(self.shell, gateway);
        cut(name.unwrap_or_else(|| gateway.to_string()))
    }
}

fn cut(name: String) -> String {
    name.chars().take(15).collect()
}

/// net/ipv4/fib_trie.c: fib_route_seq_show
fn line(interfaces: &Interfaces, route: &RouteMessage) -> Option<Line> {
    let header = &route.header;
    let mut line = Line {
        destination: Ipv4Addr::UNSPECIFIED,
        prefix: header.destination_prefix_length,
        gateway: None,
        reject: matches!(header.kind, RouteType::Unreachable | RouteType::Prohibit),
        metric: 0,
        mtu: 0,
        window: 0,
        rtt: 0,
        device: "*".to_owned(),
    };
    let mut table = u32::from(header.table);
    let mut device = None;
    for attribute in &route.attributes {
        match attribute {
            RouteAttribute::Table(number) => table = *number,
            RouteAttribute::Destination(RouteAddress::Inet(address)) => line.destination = *address,
            RouteAttribute::Gateway(RouteAddress::Inet(address)) => line.gateway = Some(*address),
            RouteAttribute::Oif(index) => device = Some(*index),
            RouteAttribute::Priority(metric) => line.metric = *metric,
            RouteAttribute::MultiPath(hops) => {
                // Of several next hops it shows the first.
                if let Some(hop) = hops.first() {
                    device = Some(hop.interface_index);
                    line.gateway = hop.attributes.iter().find_map(|attribute| match attribute {
                        RouteAttribute::Gateway(RouteAddress::Inet(address)) => Some(*address),
                        _ => None,
                    });
                }
            }
            RouteAttribute::Metrics(metrics) => {
                for metric in metrics {
                    match metric {
                        // The column is called MTU and holds the TCP segment size and 40 bytes of headers.
                        RouteMetric::Advmss(size) => line.mtu = size.saturating_add(40),
                        RouteMetric::Window(size) => line.window = *size,
                        RouteMetric::Rtt(rtt) => line.rtt = rtt >> 3,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    if let Some(device) = device.and_then(|index| interfaces.by_index(index)) {
        device.name().clone_into(&mut line.device);
    }
    let shown = !matches!(header.kind, RouteType::Broadcast | RouteType::Multicast);
    (shown && header.address_family == AddressFamily::Inet && table == u32::from(RouteHeader::RT_TABLE_MAIN))
        .then_some(line)
}
