//! `inject DEVICE FRAME…`: a program that sends frames as they are written, in hexadecimal, by a packet socket. Scenarios have
//! it for what no program of a host would send.

use hairpin_netlink::codec::NLM_F_DUMP;
use hairpin_netlink::route::link::{LinkAttribute, LinkMessage};
use hairpin_netlink::{Address, Errno, Message, SocketKind, System as _, transact};

use super::builtins::Builtin;
use super::streams::Task;

/// Where a frame has its destination, and its type.
const DESTINATION: std::ops::Range<usize> = 0..6;
const TYPE: std::ops::Range<usize> = 12..14;

pub(super) fn main(builtin: &mut Builtin<'_>) -> i32 {
    let [device, texts @ ..] = builtin.args else { return builtin.unknown("", "inject") };
    let mut frames = Vec::new();
    for text in texts {
        match bytes(text) {
            Some(frame) => frames.push(frame),
            None => return builtin.unknown(text, "inject"),
        }
    }
    match send(&mut builtin.task.clone(), device, frames) {
        Ok(()) => 0,
        Err(errno) => builtin.complain(&format!("inject: {device}: {}", errno.text())),
    }
}

fn send(task: &mut Task, device: &str, frames: Vec<Vec<u8>>) -> Result<(), Errno> {
    let links = transact(task, &Message::GetLink(LinkMessage::default()), NLM_F_DUMP);
    let links = links.map_err(|failure| failure.errno)?;
    let index = links.iter().find_map(|message| match message {
        Message::NewLink(link) => {
            let named = |attribute: &LinkAttribute| matches!(attribute, LinkAttribute::IfName(name) if name == device);
            link.attributes.iter().any(named).then_some(link.header.index)
        }
        _ => None,
    });
    let ifindex = index.ok_or(Errno::ENODEV)?;
    let socket = task.socket(SocketKind::Packet { cooked: false, protocol: 0 })?;
    let sent = frames.into_iter().try_for_each(|frame| {
        let mut mac = [0; 6];
        mac.copy_from_slice(frame.get(DESTINATION).ok_or(Errno::EINVAL)?);
        let protocol = frame.get(TYPE).ok_or(Errno::EINVAL)?;
        let protocol = protocol.iter().fold(0, |number, byte| number << 8 | u16::from(*byte));
        task.send(socket, frame, Some(Address::Link { ifindex, protocol, mac })).map(|_| ())
    });
    task.close(socket)?;
    sent
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        text.chars().map(|digit| digit.to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}
