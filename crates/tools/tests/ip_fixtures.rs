//! `ip link` and `ip address` over dumps stored from real kernels: the output has to be that of iproute2 6.1.
//!
//! `ip/capture.py` made the files; `ip/linux-*/expected.txt` holds `$ COMMAND`, its output and `? CODE`.

use hairpin_netlink::codec::{Answer, Decoded, NLM_F_DUMP, encode, messages};
use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::route::link::{LinkAttribute, LinkMessage, Prop};
use hairpin_netlink::route::nsid::{NsidAttribute, NsidMessage};
use hairpin_netlink::{Call, Errno, Failure, Fd, Header, Message, Reply, System};
use hairpin_tools::quiet::{self, QuietShell};

struct Fixture {
    links: &'static [u8],
    addresses: &'static [u8],
    expected: &'static str,
}

macro_rules! fixture {
    ($kernel:literal) => {
        Fixture {
            links: include_bytes!(concat!("ip/", $kernel, "/links.bin")),
            addresses: include_bytes!(concat!("ip/", $kernel, "/addresses.bin")),
            expected: include_str!(concat!("ip/", $kernel, "/expected.txt")),
        }
    };
}

#[test]
fn dumps_of_linux_6_1_are_shown_as_iproute2_shows_them() {
    check(&fixture!("linux-6.1"));
}

#[test]
fn dumps_of_linux_6_18_are_shown_as_iproute2_shows_them() {
    check(&fixture!("linux-6.18"));
}

#[test]
fn no_words_make_it_panic() {
    let fixture = fixture!("linux-6.1");
    let words = [
        "link",
        "addr",
        "add",
        "set",
        "show",
        "dev",
        "d0",
        "type",
        "bridge",
        "macvlan",
        "veth",
        "peer",
        "name",
        "vlan",
        "id",
        "5",
        "vxlan",
        "bond",
        "mode",
        "source",
        "macaddr",
        "01:02",
        "10.0.0.1/24",
        "::1/64",
        "brd",
        "+",
        "-",
        "label",
        "",
        "é",
        "/",
        ":",
        "-j",
        "-b",
        "-d",
        "-4",
        "to",
        "scope",
        "flush",
        "-1",
        "99999999999999999999",
        "0x",
        "on",
        "netns",
        "link-netns",
        "blue",
        "group",
        "address",
        "aa:bb:cc:dd:ee:ff",
    ];
    let mut state = 1u64;
    for _ in 0..4_000 {
        let mut args = Vec::new();
        loop {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let random = (state >> 33) as usize;
            if random.is_multiple_of(9) {
                break;
            }
            args.extend(words.get(random % words.len()).map(|word| (*word).to_owned()));
        }
        run(&fixture, &args);
    }
    let long = "x".repeat(100_000);
    run(&fixture, &["addr", "add", "10.0.0.1/24", "label", &long, "dev", "d0"].map(String::from));
    run(&fixture, &["link", "property", "add", "dev", "d0", "altname", &long].map(String::from));
}

#[test]
fn no_bytes_of_a_kernel_make_it_panic() {
    let fixture = fixture!("linux-6.1");
    let mut links = fixture.links.to_vec();
    let mut state = 1u64;
    for _ in 0..300 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = (state >> 33) as usize % links.len();
        let before = links[at];
        links[at] = (state >> 20) as u8;
        // The typed messages of the crate may refuse what they cannot read; the rest has to be printed.
        let broken = Fixture { links: Box::leak(links.clone().into_boxed_slice()), ..fixture!("linux-6.1") };
        run(&broken, &["-d", "-s", "-s", "link"].map(String::from));
        links[at] = before;
    }
}

fn check(fixture: &Fixture) {
    let mut compared = 0;
    let mut different = String::new();
    for case in fixture.expected.split("$ ip ").skip(1) {
        let (command, expected) = case.split_once('\n').expect("a command line");
        let args: Vec<String> = command.split_whitespace().map(String::from).collect();
        let (code, output) = run(fixture, &args);
        let output = format!("{output}? {code}\n");
        compared += 1;
        if output != expected {
            different += &format!("$ ip {command}\n-- expected\n{expected}-- shown\n{output}");
        }
    }
    assert!(compared > 20);
    assert!(different.is_empty(), "{different}");
}

/// The exit code and what was printed on both streams.
fn run(fixture: &Fixture, args: &[String]) -> (i32, String) {
    let mut system = Stored { fixture };
    let mut shell = QuietShell::default();
    let argv = [&["ip".to_owned()], args].concat();
    let code = quiet::run(&mut system, &mut shell, &argv);
    let text = [shell.out, shell.err].concat();
    (code, String::from_utf8_lossy(&text).into_owned())
}

/// A kernel that answers from a stored dump and changes nothing.
struct Stored<'f> {
    fixture: &'f Fixture,
}

impl Stored<'_> {
    fn answer(&self, request: &Decoded<'_>) -> Vec<u8> {
        let mut answer = Answer::new(Header { port: 0, ..request.header });
        let dump = request.header.flags & NLM_F_DUMP == NLM_F_DUMP;
        let stored = |bytes: &'static [u8]| messages(bytes).filter_map(|message| message.message().ok());
        match request.message() {
            Ok(Message::GetLink(wanted)) if dump => {
                stored(self.fixture.links)
                    .filter(|link| in_dump(&wanted, link))
                    .for_each(|m| answer.push(&m, true));
                answer.done()
            }
            Ok(Message::GetAddress(wanted)) if dump => {
                for message in stored(self.fixture.addresses) {
                    if let Message::NewAddress(address) = &message {
                        let family = wanted.header.family == AddressFamily::Unspec
                            || wanted.header.family == address.header.family;
                        let index = wanted.header.index == 0 || wanted.header.index == address.header.index;
                        if family && index {
                            answer.push(&message, true);
                        }
                    }
                }
                answer.done()
            }
            Ok(Message::GetLink(wanted)) => match stored(self.fixture.links).find(|l| is_link(&wanted, l)) {
                Some(link) => {
                    answer.push(&link, false);
                    answer.end(Ok(()))
                }
                None => answer.end(Err(Errno::ENODEV.into())),
            },
            Ok(Message::GetNsId(_)) => {
                let mut id = NsidMessage::default();
                id.attributes.push(NsidAttribute::Id(0));
                answer.push(&Message::NewNsId(id), false);
                answer.end(Ok(()))
            }
            _ => answer.end(Err(Failure::with_text(Errno::EPERM, "this kernel is only a dump"))),
        }
    }
}

/// Whether a filtered dump holds a link; the kinds are compared as they are printed.
fn in_dump(wanted: &LinkMessage, message: &Message) -> bool {
    let Message::NewLink(link) = message else { return false };
    wanted.attributes.iter().all(|attribute| match attribute {
        LinkAttribute::Controller(_) => link.attributes.contains(attribute),
        _ => true,
    })
}

fn is_link(wanted: &LinkMessage, message: &Message) -> bool {
    let Message::NewLink(link) = message else { return false };
    let name = wanted.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::IfName(name) => Some(name.clone()),
        LinkAttribute::Other(other) => {
            let mut value = vec![0; hairpin_netlink::core::Nla::value_len(other)];
            hairpin_netlink::core::Nla::emit_value(other, &mut value);
            Some(String::from_utf8_lossy(&value).trim_end_matches('\0').to_owned())
        }
        _ => None,
    });
    match name {
        Some(name) => link.attributes.iter().any(|attribute| match attribute {
            LinkAttribute::IfName(own) => *own == name,
            LinkAttribute::PropList(list) => list.contains(&Prop::AltIfName(name.clone())),
            _ => false,
        }),
        None => link.header.index == wanted.header.index,
    }
}

impl System for Stored<'_> {
    fn call(&mut self, call: Call) -> Result<Reply, Errno> {
        match call {
            Call::Netlink(bytes) => {
                let request = messages(&bytes).next().ok_or(Errno::EINVAL)?;
                // What is sent has to be what it says.
                assert_eq!(bytes.len() % 4, 0);
                if let Ok(message) = request.message() {
                    assert!(encode(&message, request.header.flags, 1, 0).len() <= bytes.len() + 64);
                }
                Ok(Reply::Bytes(self.answer(&request)))
            }
            Call::NetnsList => Ok(Reply::Names(vec!["blue".into()])),
            Call::NetnsOpen(name) if name == "blue" => Ok(Reply::Fd(Fd(7))),
            Call::NetnsOpen(_) | Call::NetnsEnter(_) => Err(Errno::ENOENT),
            Call::Close(_) => Ok(Reply::Done),
            _ => Err(Errno::ENOSYS),
        }
    }
}
