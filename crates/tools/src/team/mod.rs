//! `teamd`, `teamdctl` and `teamnl` of libteam 1.31.
//!
//! * [`config`] reads a configuration
//! * [`daemon`] hands a configuration over to the kernel, which does the daemon's work
//! * [`control`] asks the daemon, and [`view`] shows what it says
//! * [`netlink`] asks the kernel

mod config;
pub(crate) mod control;
pub(crate) mod daemon;
pub(crate) mod netlink;
mod view;

use hairpin_netlink::route::link::{LinkAttribute, LinkMessage};
use hairpin_netlink::team::{TeamCall, TeamState};
use hairpin_netlink::{Call, Errno, Failure, Message, Reply, System, transact};

use crate::interfaces::{Interface, Interfaces};

/// The interface of a name.
fn find(system: &mut dyn System, name: &str) -> Result<Option<Interface>, Errno> {
    let interfaces = Interfaces::dump(system).map_err(|failure| failure.errno)?;
    Ok(interfaces.by_name(name).cloned())
}

fn order(system: &mut dyn System, call: TeamCall) -> Result<(), Errno> {
    system.call(Call::Team(call)).map(drop)
}

fn state(system: &mut dyn System, ifindex: u32) -> Result<TeamState, Errno> {
    match system.call(Call::Team(TeamCall::State { ifindex }))? {
        Reply::Team(state) => Ok(*state),
        _ => Err(Errno::EPROTO),
    }
}

/// Makes a device a port of a master; of none with 0.
fn enslave(system: &mut dyn System, port: u32, master: u32) -> Result<(), Errno> {
    let mut message = LinkMessage::default();
    message.header.index = port;
    message.attributes.push(LinkAttribute::Controller(master));
    send(system, &Message::SetLink(message), 0)
}

fn send(system: &mut dyn System, message: &Message, flags: u16) -> Result<(), Errno> {
    transact(system, message, flags).map(drop).map_err(|failure: Failure| failure.errno)
}

/// JSON as jansson prints it: keys in order, indented by four, or on one line.
fn dump(value: &serde_json::Value, one_line: bool) -> String {
    let mut text = String::new();
    put(value, one_line, 0, &mut text);
    text
}

fn put(value: &serde_json::Value, one_line: bool, depth: usize, text: &mut String) {
    use serde_json::Value;
    let line = |depth: usize, text: &mut String| {
        if !one_line {
            text.push('\n');
            text.push_str(&" ".repeat(4 * depth));
        }
    };
    let separator = if one_line { ", " } else { "," };
    match value {
        Value::Object(map) if !map.is_empty() => {
            text.push('{');
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| key.as_str());
            for (at, (key, value)) in entries.into_iter().enumerate() {
                if at > 0 {
                    text.push_str(separator);
                }
                line(depth + 1, text);
                text.push_str(&format!("{}: ", Value::from(key.as_str())));
                put(value, one_line, depth + 1, text);
            }
            line(depth, text);
            text.push('}');
        }
        Value::Array(items) if !items.is_empty() => {
            text.push('[');
            for (at, value) in items.iter().enumerate() {
                if at > 0 {
                    text.push_str(separator);
                }
                line(depth + 1, text);
                put(value, one_line, depth + 1, text);
            }
            line(depth, text);
            text.push(']');
        }
        other => text.push_str(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::dump;

    #[test]
    fn json_is_printed_as_by_jansson() {
        let value = serde_json::json!({"b": [1, {"c": true}], "a": {}, "d": "x\"y"});
        assert_eq!(dump(&value, true), r#"{"a": {}, "b": [1, {"c": true}], "d": "x\"y"}"#);
        let lines = "{\n    \"a\": {},\n    \"b\": [\n        1,\n        {\n            \"c\": true\n        }\n    ],\n    \"d\": \"x\\\"y\"\n}";
        assert_eq!(dump(&value, false), lines);
    }
}
