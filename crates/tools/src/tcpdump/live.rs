//! Captures from a packet socket.

use hairpin_capture::LinkType;
use hairpin_capture::filter::{Filter, FrameView, Target};
use hairpin_capture::text::Frame;
use hairpin_netlink::socket::ETH_P_ALL;
use hairpin_netlink::{Address, Errno, Fd, PacketType, Received, SocketKind, SocketOption, System};
use hairpin_wire::vlan::{TAG_LEN, Tag};

use super::devices::{ANY, Device, Devices};
use super::options::{Direction, Options};
use super::output::Output;
use super::{Failed, filter, known_devices};
use crate::{Program, Signal};

/// Frames taken from the socket at once.
const BATCH: u32 = 256;
/// What libpcap keeps for a capture, in bytes (pcap-linux.c:`DEFAULT_RING_SIZE`).
const BUFFER_DEFAULT: u32 = 2 << 20;
const ETHERNET_LEN: usize = 14;
const LOOPBACK: u16 = 772;
/// `ARPHRD_*` of devices whose frames have no Ethernet header.
const CAN: u16 = 280;
const IPIP: u16 = 768;
const TUNNEL6: u16 = 769;
const IP6GRE: u16 = 823;
const SIT: u16 = 776;
const GRE: u16 = 778;
const NETLINK: u16 = 824;
const ETHER: u16 = 1;
/// Bytes of a header of [`LinkType::LINUX_SLL`].
const SLL_LEN: usize = 16;

pub(super) fn run(program: &mut Program<'_>, options: &Options) -> Result<i32, Failed> {
    let devices = known_devices(program.system)?;
    let device = choose(&devices, options.device.as_deref())?;
    if device.name != ANY && !device.up {
        return Err(format!("{}: That device is not up", device.name).into());
    }
    if options.monitor_mode {
        return Err(format!("{}: That device doesn't support monitor mode", device.name).into());
    }
    if options.list_time_stamp_types {
        let name = &device.name;
        let list = format!("Time stamp types for {name} (use option -j to set):\n  host (Host)\n");
        let _ = program.shell.out().write_all(list.as_bytes());
        return Ok(0);
    }
    if options.list_link_types {
        let link = link_type(program, &Options { link: None, ..options.clone() }, &device)?;
        list_link_types(program, &device, link);
        return Ok(0);
    }
    let link = link_type(program, options, &device)?;
    let socket = open(program.system, options, &device)?;
    let code = capture(program, options, link, device, devices, socket);
    let _ = program.system.close(socket);
    code
}

fn capture(
    program: &mut Program<'_>,
    options: &Options,
    link: LinkType,
    device: Device,
    devices: Devices,
    socket: Fd,
) -> Result<i32, Failed> {
    let target = Target { link: super::filtered_as(link), live: true, netmask: 0 };
    let filter = filter(program.shell, options, target)?;
    let start_s = super::seconds(options, program.system);
    let output = Output::open(program.shell, options, link, options.snaplen, start_s)?;
    let mut capture = Capture { socket, device, devices, link, filter, output, taken: 0 };
    announce(program, options, &capture);
    let ended = capture.run(program, options);
    let mut code = 0;
    if capture.output.prints_only() && matches!(ended, Ok(Ended::Interrupted)) {
        let _ = writeln!(program.shell.out());
    }
    capture.output.flush(program.shell);
    if let Err(failed) = ended {
        if failed.code != 1 {
            return Err(failed);
        }
        let _ = writeln!(program.shell.err(), "{}: {}", program.name, failed.text);
        code = 1;
    }
    let dropped = program.system.statistics(capture.socket).map_or(0, |statistics| statistics.dropped);
    let err = program.shell.err();
    let _ = writeln!(err, "{} captured", packets(capture.output.count));
    let _ = writeln!(err, "{} received by filter", packets(capture.taken));
    let _ = writeln!(err, "{} dropped by kernel", packets(dropped));
    let _ = err.flush();
    Ok(code)
}

/// `1 packet`, `2 packets`
pub(super) fn packets(count: u64) -> String {
    if count == 1 { "1 packet".to_owned() } else { format!("{count} packets") }
}

/// The device by name, by its number in the list, or the first of the list.
fn choose(devices: &Devices, wanted: Option<&str>) -> Result<Device, Failed> {
    let ordered = devices.in_order();
    let Some(wanted) = wanted else {
        return ordered.into_iter().next().ok_or_else(|| "no interfaces available for capture".into());
    };
    if let Some(device) = devices.by_name(wanted) {
        return Ok(Device { name: wanted.to_owned(), ..device.clone() });
    }
    if let Some(device) = ordered.iter().find(|device| device.name == wanted) {
        return Ok(device.clone());
    }
    let digits = wanted.strip_prefix(['-', '+']).unwrap_or(wanted);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(no_such(wanted));
    }
    let number = wanted.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    number.and_then(|index| ordered.get(index).cloned()).ok_or_else(|| "Invalid adapter index".into())
}

fn no_such(device: &str) -> Failed {
    format!("{device}: No such device exists\n(No such device exists)").into()
}

fn link_type(program: &mut Program<'_>, options: &Options, device: &Device) -> Result<LinkType, Failed> {
    let any = device.name == ANY;
    // `map_arphrd_to_dlt`
    let mut link = match device.hardware {
        _ if any => LinkType::LINUX_SLL2,
        ETHER | LOOPBACK => LinkType::ETHERNET,
        IPIP | SIT => LinkType::RAW,
        GRE | TUNNEL6 | IP6GRE => LinkType::LINUX_SLL,
        CAN => LinkType::CAN_SOCKETCAN,
        NETLINK => LinkType::NETLINK,
        _ => {
            let text = "captures of such a device are not supported here: use -i any";
            return Err(format!("{}: {text}", device.name).into());
        }
    };
    if let Some(wanted) = options.link {
        if wanted != link && !(any && wanted == LinkType::LINUX_SLL) {
            let name = wanted.name().unwrap_or_default();
            return Err(format!("{name} is not one of the DLTs supported by this device").into());
        }
        link = wanted;
    }
    if any || options.link.is_some() {
        let name = link.name().unwrap_or_default();
        let _ = writeln!(program.shell.err(), "{}: data link type {name}", program.name);
    }
    Ok(link)
}

/// Every Ethernet device could be one that carries DOCSIS frames, says libpcap.
fn list_link_types(program: &mut Program<'_>, device: &Device, link: LinkType) {
    let other;
    let types: &[&str] = if link != LinkType::ETHERNET && device.name != ANY {
        let printing = if link.is_printable() { "" } else { " (printing not supported)" };
        let (name, description) = (link.name().unwrap_or("?"), link.description().unwrap_or("?"));
        other = format!("{name} ({description}){printing}");
        &[other.as_str()]
    } else if device.name == ANY {
        &["LINUX_SLL (Linux cooked v1)", "LINUX_SLL2 (Linux cooked v2)"]
    } else if device.loopback {
        &["EN10MB (Ethernet)"]
    } else {
        &["EN10MB (Ethernet)", "DOCSIS (DOCSIS) (printing not supported)"]
    };
    let out = program.shell.out();
    let _ = writeln!(out, "Data link types for {} (use option -y to set):", device.name);
    for name in types {
        let _ = writeln!(out, "  {name}");
    }
}

fn open(system: &mut dyn System, options: &Options, device: &Device) -> Result<Fd, Failed> {
    let name = &device.name;
    let failed = |what: &str, errno: Errno| match errno {
        Errno::EPERM | Errno::EACCES => Failed::from(format!(
            "{name}: You don't have permission to perform this capture on that device\n({what}: {})",
            errno.text()
        )),
        Errno::ENODEV | Errno::ENXIO => no_such(name),
        errno => Failed::from(format!("{name}: {what}: {}", errno.text())),
    };
    // Bound before it receives anything, so that no other device's frames get in.
    let kind = SocketKind::Packet { cooked: false, protocol: 0 };
    let socket = system.socket(kind).map_err(|errno| failed("socket", errno))?;
    let buffer = options.buffer.unwrap_or(BUFFER_DEFAULT);
    let _ = system.set_option(socket, SocketOption::ReceiveBuffer(buffer));
    if options.promiscuous && device.name != ANY {
        let option = SocketOption::Promiscuous { ifindex: device.index };
        system.set_option(socket, option).map_err(|errno| failed("setsockopt", errno))?;
    }
    let address = Address::Link { ifindex: device.index, protocol: ETH_P_ALL, mac: [0; 6] };
    system.bind(socket, address).map_err(|errno| failed("bind", errno))?;
    Ok(socket)
}

fn announce(program: &mut Program<'_>, options: &Options, capture: &Capture) {
    let name = program.name;
    let start = if options.text.verbose == 0 && options.write.is_none() {
        format!("{name}: verbose output suppressed, use -v[v]... for full protocol decode\n")
    } else {
        format!("{name}: ")
    };
    let link = capture.link;
    let kind = format!("{} ({})", link.name().unwrap_or("?"), link.description().unwrap_or("?"));
    let err = program.shell.err();
    let _ = writeln!(
        err,
        "{start}listening on {}, link-type {kind}, snapshot length {} bytes",
        capture.device.name, options.snaplen
    );
    // Whoever starts a capture waits for this line.
    let _ = err.flush();
}

struct Capture {
    socket: Fd,
    device: Device,
    devices: Devices,
    link: LinkType,
    filter: Filter,
    output: Output,
    /// Packets that the filter took.
    taken: u64,
}

/// Why a capture is over.
enum Ended {
    Counted,
    Interrupted,
}

impl Capture {
    fn run(&mut self, program: &mut Program<'_>, options: &Options) -> Result<Ended, Failed> {
        loop {
            let signal = program.shell.take_signal();
            if matches!(signal, Some(Signal::Interrupt | Signal::Terminate)) {
                // What came in before the signal belongs to the capture.
                self.drain(program, options)?;
                return Ok(Ended::Interrupted);
            }
            match program.system.wait(&[self.socket], None, false) {
                Ok(_) => {}
                Err(Errno::EINTR) => continue,
                Err(errno) => return Err(loop_failed(errno)),
            }
            if self.drain(program, options)? {
                return Ok(Ended::Counted);
            }
        }
    }

    /// Takes what has been received; says whether `-c` packets have come together.
    fn drain(&mut self, program: &mut Program<'_>, options: &Options) -> Result<bool, Failed> {
        let mut complete = false;
        while !complete {
            let items = match program.system.receive(self.socket, BATCH) {
                Ok(items) => items,
                Err(Errno::EAGAIN | Errno::EINTR) => break,
                // A device that is only down may come up again (pcap-linux.c:pcap_wait_for_frames_mmap).
                Err(Errno::ENETDOWN) if self.is_there(program.system) => break,
                Err(errno) => {
                    self.output.flush(program.shell);
                    return Err(loop_failed(errno));
                }
            };
            if items.is_empty() {
                break;
            }
            for item in &items {
                complete |= !self.item(program, options, item, complete)?;
                complete = complete || options.count.is_some_and(|count| self.output.count >= count);
            }
        }
        Ok(complete)
    }

    fn is_there(&self, system: &mut dyn System) -> bool {
        let devices = Devices::list(system).unwrap_or_default();
        devices.0.iter().any(|device| device.index == self.device.index)
    }

    /// Shows or writes a packet; false: none fits any more. `complete`: it is counted, but not shown any more.
    fn item(
        &mut self,
        program: &mut Program<'_>,
        options: &Options,
        item: &Received,
        complete: bool,
    ) -> Result<bool, Failed> {
        let Received::Frame { data, ifindex, protocol, packet_type, hardware, mac, realtime_ns } = item
        else {
            return Ok(true);
        };
        let outgoing = *packet_type == PacketType::Outgoing;
        let cooked;
        let (data, tag_beside) = if self.link == LinkType::ETHERNET {
            (data.as_slice(), Tag::of_frame(data).is_some())
        } else {
            let source = Source {
                ifindex: *ifindex,
                protocol: *protocol,
                packet_type: *packet_type,
                hardware: *hardware,
                mac: *mac,
            };
            cooked = cook(data, self.link, &source);
            (cooked.as_slice(), false)
        };
        let length = data.len() as u32;
        let view = super::as_filtered(data, self.link);
        if !self.filter.matches(&FrameView { data: &view, length, outgoing, tag_beside }) {
            return Ok(true);
        }
        self.taken += 1;
        // On the loopback device every packet would be seen twice, as every frame of a CAN device that the CAN layer
        // loops back, unless outgoing ones alone are wanted (`linux_check_direction`).
        let comes_back = *hardware == LOOPBACK || *hardware == CAN && options.direction != Direction::Out;
        let wanted = match options.direction {
            Direction::In => !outgoing,
            Direction::Out => outgoing,
            Direction::Both => true,
        };
        if complete || !wanted || (outgoing && comes_back) {
            return Ok(true);
        }
        if self.link == LinkType::LINUX_SLL2 && self.devices.0.iter().all(|device| device.index != *ifindex) {
            // A device that is newer than the capture.
            self.devices = Devices::list(program.system).unwrap_or_default();
        }
        let data = data.get(..options.snaplen as usize).unwrap_or(data);
        let frame = Frame { time_ns: *realtime_ns, length, data, link: self.link };
        let now_s = super::seconds(options, program.system);
        self.output.packet(program.shell, &frame, &self.devices, now_s)
    }
}

fn loop_failed(errno: Errno) -> Failed {
    match errno {
        Errno::ENETDOWN | Errno::ENODEV | Errno::ENXIO => "pcap_loop: The interface disappeared".into(),
        errno => format!("pcap_loop: {}", errno.text()).into(),
    }
}

/// What the kernel says of a frame beside its bytes.
struct Source {
    ifindex: u32,
    protocol: u16,
    packet_type: PacketType,
    hardware: u16,
    mac: [u8; 6],
}

impl Source {
    fn has_link_header(&self) -> bool {
        matches!(self.hardware, ETHER | LOOPBACK)
    }
}

/// Replaces the link header, if there is one, by that of a cooked capture. A VLAN tag is lost, as with libpcap.
fn cook(frame: &[u8], link: LinkType, source: &Source) -> Vec<u8> {
    const LENGTH_MAX: u16 = 1500;
    const LLC_802_2: u16 = 4;
    if matches!(link, LinkType::RAW | LinkType::CAN_SOCKETCAN) {
        return frame.to_vec();
    }
    let (header, protocol) = match source.has_link_header() {
        false => (0, source.protocol),
        true => {
            let header = if Tag::of_frame(frame).is_some() { ETHERNET_LEN + TAG_LEN } else { ETHERNET_LEN };
            let ethertype =
                frame.get(header - 2..header).map_or(0, |bytes| u16::from_be_bytes([bytes[0], bytes[1]]));
            (header, if ethertype <= LENGTH_MAX { LLC_802_2 } else { ethertype })
        }
    };
    // Devices without an Ethernet header have no addresses that libpcap could tell.
    let address_len = if source.has_link_header() { 6 } else { 0 };
    let mut cooked = Vec::with_capacity(frame.len() + SLL_LEN + 4);
    if link == LinkType::LINUX_SLL2 {
        cooked.extend(protocol.to_be_bytes());
        cooked.extend([0; 2]);
        cooked.extend(source.ifindex.to_be_bytes());
        cooked.extend(source.hardware.to_be_bytes());
        cooked.extend([source.packet_type as u8, address_len]);
        cooked.extend(source.mac);
        cooked.extend([0; 2]);
    } else {
        cooked.extend([0, source.packet_type as u8]);
        cooked.extend(source.hardware.to_be_bytes());
        cooked.extend([0, address_len]);
        cooked.extend(source.mac);
        cooked.extend([0; 2]);
        cooked.extend(protocol.to_be_bytes());
    }
    cooked.extend(frame.get(header..).unwrap_or_default());
    cooked
}
