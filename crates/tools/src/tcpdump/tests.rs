//! The whole program against a kernel of its own: two devices, and frames that are waiting.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{BufRead, Cursor, Error, ErrorKind, Read, Write};
use std::rc::Rc;

use hairpin_netlink::codec::{HEADER_LEN, NLM_F_MULTI, NLMSG_DONE, encode};
use hairpin_netlink::route::link::{LinkAttribute, LinkFlags, LinkLayerType, LinkMessage};
use hairpin_netlink::{
    Address, Call, Errno, Fd, Message, PacketType, Received, Reply, SocketKind, SocketOption,
    SocketStatistics, System,
};

use super::main;
use crate::{Program, Shell, Signal};

/// What a wait finds.
enum Event {
    Frames(Vec<Received>),
    Interrupt,
}

struct Kernel {
    events: VecDeque<Event>,
    ready: Vec<Received>,
    signal: Rc<RefCell<Option<Signal>>>,
    calls: Vec<String>,
}

fn link(index: u32, name: &str, flags: LinkFlags) -> Message {
    let mut link = LinkMessage::default();
    link.header.index = index;
    link.header.flags = flags;
    link.header.link_layer_type = LinkLayerType::Ether;
    link.attributes.push(LinkAttribute::IfName(name.to_owned()));
    Message::NewLink(link)
}

impl System for Kernel {
    fn call(&mut self, call: Call) -> Result<Reply, Errno> {
        match call {
            Call::Netlink(_) => {
                let up = LinkFlags::Up | LinkFlags::Running;
                let mut bytes = encode(&link(1, "lo", up | LinkFlags::Loopback), NLM_F_MULTI, 1, 0);
                bytes.extend(encode(&link(2, "eth0", up), NLM_F_MULTI, 1, 0));
                bytes.extend(encode(&link(7, "veth7", LinkFlags::empty()), NLM_F_MULTI, 1, 0));
                bytes.extend((HEADER_LEN as u32 + 4).to_ne_bytes());
                bytes.extend(NLMSG_DONE.to_ne_bytes());
                bytes.extend(NLM_F_MULTI.to_ne_bytes());
                bytes.extend([0; 12]);
                Ok(Reply::Bytes(bytes))
            }
            Call::Socket(kind) => {
                assert!(matches!(kind, SocketKind::Packet { cooked: false, .. }));
                Ok(Reply::Fd(Fd(3)))
            }
            Call::SetOption { option: SocketOption::Promiscuous { ifindex }, .. } => {
                self.calls.push(format!("promiscuous {ifindex}"));
                Ok(Reply::Done)
            }
            Call::SetOption { option: SocketOption::ReceiveBuffer(_), .. } => Ok(Reply::Done),
            Call::Bind { address: Address::Link { ifindex, protocol, .. }, .. } => {
                self.calls.push(format!("bind {ifindex} {protocol}"));
                Ok(Reply::Done)
            }
            Call::Wait { bounded, until_ns, .. } => {
                assert!(!bounded && until_ns.is_none(), "a capture only watches time pass");
                match self.events.pop_front() {
                    Some(Event::Frames(frames)) => {
                        self.ready.extend(frames);
                        Ok(Reply::Ready(vec![Fd(3)]))
                    }
                    Some(Event::Interrupt) => {
                        *self.signal.borrow_mut() = Some(Signal::Interrupt);
                        Err(Errno::EINTR)
                    }
                    None => Err(Errno::ENETDOWN),
                }
            }
            Call::Receive { max, .. } => {
                let count = self.ready.len().min(max as usize);
                Ok(Reply::Received(self.ready.drain(..count).collect()))
            }
            Call::Statistics(_) => Ok(Reply::Statistics(SocketStatistics { received: 0, dropped: 1 })),
            Call::Close(_) => {
                self.calls.push("close".to_owned());
                Ok(Reply::Done)
            }
            other => panic!("{other:?}"),
        }
    }
}

struct Terminal {
    out: Vec<u8>,
    err: Vec<u8>,
    input: Cursor<Vec<u8>>,
    signal: Rc<RefCell<Option<Signal>>>,
    files: Rc<RefCell<Vec<u8>>>,
}

/// A file that keeps what is written to it.
struct Kept(Rc<RefCell<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Shell for Terminal {
    fn out(&mut self) -> &mut dyn Write {
        &mut self.out
    }

    fn err(&mut self) -> &mut dyn Write {
        &mut self.err
    }

    fn input(&mut self) -> &mut dyn BufRead {
        &mut self.input
    }

    fn open(&mut self, path: &str) -> std::io::Result<Box<dyn Read>> {
        match path {
            "filter" => Ok(Box::new(Cursor::new(b"icmp # only these\n".to_vec()))),
            "kept" => Ok(Box::new(Cursor::new(self.files.borrow().clone()))),
            _ => Err(Error::from_raw_os_error(2)),
        }
    }

    fn create(&mut self, path: &str) -> std::io::Result<Box<dyn Write>> {
        match path {
            "kept" => Ok(Box::new(Kept(self.files.clone()))),
            _ => Err(Error::from_raw_os_error(2)),
        }
    }

    fn variable(&self, _name: &str) -> Option<String> {
        None
    }

    fn is_terminal(&self) -> bool {
        false
    }

    fn process_id(&self) -> u32 {
        1
    }

    fn take_signal(&mut self) -> Option<Signal> {
        self.signal.borrow_mut().take()
    }

    fn exec(&mut self, _argv: &[String]) -> std::io::Result<i32> {
        Err(ErrorKind::Unsupported.into())
    }

    fn exec_on(&mut self, _host: &str, _argv: &[String]) -> std::io::Result<i32> {
        Err(ErrorKind::Unsupported.into())
    }
}

/// Everything a run leaves.
struct Outcome {
    code: i32,
    out: String,
    err: String,
    calls: Vec<String>,
    file: Vec<u8>,
}

fn run(args: &[&str], events: Vec<Event>) -> Outcome {
    run_with(args, events, Vec::new())
}

fn run_with(args: &[&str], events: Vec<Event>, input: Vec<u8>) -> Outcome {
    let signal = Rc::new(RefCell::new(None));
    let mut kernel =
        Kernel { events: events.into(), ready: Vec::new(), signal: signal.clone(), calls: Vec::new() };
    let files = Rc::new(RefCell::new(Vec::new()));
    let mut terminal =
        Terminal { out: Vec::new(), err: Vec::new(), input: Cursor::new(input), signal, files };
    let args: Vec<String> = args.iter().map(|argument| (*argument).to_owned()).collect();
    let code = main(&mut Program { name: "tcpdump", args: &args, system: &mut kernel, shell: &mut terminal });
    let file = terminal.files.borrow().clone();
    Outcome {
        code,
        out: String::from_utf8_lossy(&terminal.out).into_owned(),
        err: String::from_utf8_lossy(&terminal.err).into_owned(),
        calls: kernel.calls,
        file,
    }
}

const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];

fn frame(data: Vec<u8>, packet_type: PacketType, hardware: u16) -> Received {
    Received::Frame {
        protocol: 0x0800,
        data,
        ifindex: if hardware == 772 { 1 } else { 2 },
        packet_type,
        hardware,
        mac: MAC,
        realtime_ns: 1_709_210_096_000_001_999,
    }
}

/// An ARP request, or a reply.
fn arp(operation: u8) -> Vec<u8> {
    let mut data = vec![0xff; 6];
    data.extend(MAC);
    data.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, operation]);
    data.extend(MAC);
    data.extend([10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2]);
    data
}

fn requests(count: usize) -> Event {
    Event::Frames((0..count).map(|_| frame(arp(1), PacketType::Broadcast, 1)).collect())
}

const REQUEST: &str = "12:34:56.000001 ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28\n";
const LISTENING: &str = "tcpdump: verbose output suppressed, use -v[v]... for full protocol decode\n\
                         listening on eth0, link-type EN10MB (Ethernet), snapshot length 262144 bytes\n";

#[test]
fn a_capture_until_it_is_interrupted() {
    let outcome = run(&["-i", "eth0", "-n", "arp"], vec![requests(2), Event::Interrupt]);
    assert_eq!(outcome.out, format!("{REQUEST}{REQUEST}\n"));
    let totals = "2 packets captured\n2 packets received by filter\n1 packet dropped by kernel\n";
    assert_eq!(outcome.err, format!("{LISTENING}{totals}"));
    assert_eq!(outcome.code, 0);
    assert_eq!(outcome.calls, ["promiscuous 2", "bind 2 3", "close"]);
}

#[test]
fn a_counted_capture_ends_by_itself() {
    // The first of the list.
    let outcome = run(&["-c1", "-nti1", "-p"], vec![requests(1)]);
    assert!(outcome.err.contains("listening on eth0,"), "{}", outcome.err);
    let outcome = run(&["-c1", "-ntpi", "eth0"], vec![requests(3)]);
    assert_eq!(outcome.out, "ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28\n");
    assert!(
        outcome
            .err
            .ends_with("1 packet captured\n3 packets received by filter\n1 packet dropped by kernel\n")
    );
    assert_eq!((outcome.code, outcome.calls), (0, vec!["bind 2 3".to_owned(), "close".to_owned()]));
}

#[test]
fn any_shows_device_and_direction() {
    let events = vec![
        Event::Frames(vec![
            frame(arp(1), PacketType::Broadcast, 1),
            frame(arp(2), PacketType::Outgoing, 1),
            frame(arp(1), PacketType::Outgoing, 772),
        ]),
        Event::Interrupt,
    ];
    let outcome = run(&["-i", "any", "-n", "-t"], events);
    assert_eq!(
        outcome.out,
        "eth0  B   ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28\n\
         eth0  Out ARP, Reply 10.0.0.1 is-at 02:00:00:00:00:01, length 28\n\n"
    );
    assert!(outcome.err.starts_with("tcpdump: data link type LINUX_SLL2\n"));
    let first = || Event::Frames(vec![frame(arp(2), PacketType::Outgoing, 1)]);
    let older = run(&["-i", "any", "-y", "LINUX_SLL", "-nte", "outbound"], vec![first(), Event::Interrupt]);
    assert_eq!(
        older.out,
        "Out 02:00:00:00:00:01 ethertype ARP (0x0806), length 44: Reply 10.0.0.1 is-at 02:00:00:00:00:01, length 28\n\n"
    );
    assert!(outcome.err.contains("listening on any, link-type LINUX_SLL2 (Linux cooked v2)"));
}

#[test]
fn directions_and_filter_files() {
    let events = || {
        vec![
            Event::Frames(vec![
                frame(arp(1), PacketType::Broadcast, 1),
                frame(arp(2), PacketType::Outgoing, 1),
            ]),
            Event::Interrupt,
        ]
    };
    for args in [["-Q", "out"], ["-p", "outbound"]] {
        let outcome = run(&[&["-nti", "eth0"], args.as_slice()].concat(), events());
        assert_eq!(outcome.out, "ARP, Reply 10.0.0.1 is-at 02:00:00:00:00:01, length 28\n\n", "{args:?}");
    }
    let outcome = run(&["-i", "eth0", "-F", "filter"], events());
    assert_eq!(outcome.out, "\n");
    let outcome = run(&["-i", "eth0", "-F", "missing"], events());
    assert_eq!(outcome.err, "tcpdump: can't open missing: No such file or directory\n");
}

#[test]
fn what_is_written_can_be_read() {
    let outcome = run(&["-i", "eth0", "-w", "kept"], vec![requests(2), Event::Interrupt]);
    assert_eq!(outcome.out, "");
    assert!(outcome.err.starts_with("tcpdump: listening on eth0, link-type EN10MB"), "{}", outcome.err);
    let read = run_with(&["-n", "-r", "-", "-c", "1"], Vec::new(), outcome.file.clone());
    assert_eq!(read.out, REQUEST);
    assert_eq!(read.err, "reading from file -, link-type EN10MB (Ethernet), snapshot length 262144\n");
    let piped = run_with(&["-w", "-", "-r", "-"], Vec::new(), outcome.file.clone());
    assert_eq!(piped.out.len(), String::from_utf8_lossy(&outcome.file).len());
    let cut = outcome.file[..outcome.file.len() - 3].to_vec();
    let read = run_with(&["-n", "-r", "-"], Vec::new(), cut);
    assert_eq!((read.out.as_str(), read.code), (REQUEST, 1));
    assert!(read.err.ends_with(
        "tcpdump: pcap_loop: truncated dump file; tried to read 42 captured bytes, only got 39\n"
    ));
    let count = run_with(&["--count", "-r", "-"], Vec::new(), outcome.file);
    assert_eq!(count.out, "2 packets\n");
}

#[test]
fn faults() {
    let fault = |args: &[&str]| {
        let outcome = run(args, Vec::new());
        assert_eq!((outcome.code, outcome.out.as_str()), (1, ""), "{args:?}");
        outcome.err
    };
    assert_eq!(fault(&["-i", "eth9"]), "tcpdump: eth9: No such device exists\n(No such device exists)\n");
    assert_eq!(fault(&["-i", "veth7"]), "tcpdump: veth7: That device is not up\n");
    assert_eq!(fault(&["-i", "99"]), "tcpdump: Invalid adapter index\n");
    assert_eq!(fault(&["-i", "0"]), "tcpdump: Invalid adapter index\n");
    assert_eq!(fault(&["-i", "eth0", "port", "foo"]), "tcpdump: unknown port 'foo'\n");
    assert_eq!(fault(&["-r", "missing"]), "tcpdump: missing: No such file or directory\n");
    assert_eq!(
        fault(&["-i", "eth0", "-w", "/nowhere/x"]),
        "tcpdump: /nowhere/x: No such file or directory\n"
    );
    assert!(fault(&["-k"]).starts_with("tcpdump: invalid option -- 'k'\ntcpdump version 4.99.3\n"));
    let down = run(&["-i", "eth0"], Vec::new());
    assert!(
        down.err.contains("tcpdump: pcap_loop: The interface disappeared\n0 packets captured\n"),
        "{}",
        down.err
    );
    assert_eq!(down.code, 1);
}

#[test]
fn lists_and_texts() {
    let outcome = run(&["-D"], Vec::new());
    assert_eq!(
        outcome.out,
        "1.eth0 [Up, Running, Connected]\n\
         2.any (Pseudo-device that captures on all interfaces) [Up, Running]\n\
         3.lo [Up, Running, Loopback]\n\
         4.bluetooth-monitor (Bluetooth Linux Monitor) [Wireless]\n\
         5.nflog (Linux netfilter log (NFLOG) interface) [none]\n\
         6.nfqueue (Linux netfilter queue (NFQUEUE) interface) [none]\n\
         7.dbus-system (D-Bus system bus) [none]\n\
         8.dbus-session (D-Bus session bus) [none]\n\
         9.veth7 [none, Disconnected]\n"
    );
    assert!(run(&["--version"], Vec::new()).out.starts_with("tcpdump version 4.99.3\n"));
    assert!(run(&["-h"], Vec::new()).out.contains("Usage: tcpdump [-Abd"));
    let types = run(&["-L", "-i", "any"], Vec::new()).out;
    assert!(types.ends_with("  LINUX_SLL (Linux cooked v1)\n  LINUX_SLL2 (Linux cooked v2)\n"), "{types}");
    // Without a device the first of the list is taken.
    assert!(run(&["-n"], vec![Event::Interrupt]).err.contains("listening on eth0,"));
}
