//! Sessions recorded on Linux, run again here.

use super::world::World;

macro_rules! sessions {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            replay(include_str!(concat!("recorded/", stringify!($name), ".session")));
        }
    )*};
}

sessions! {
    addresses
    bytes
    carrier
    dump
    gateways
    get
    merged
    modify
    notifications
    refused
    removed
    rules
    select_source
    updown
}

fn replay(session: &str) {
    let wrong = differences(session);
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

/// Runs every `$ command` of a session and compares what follows it: the steps that differ.
pub(super) fn differences(session: &str) -> Vec<String> {
    let mut world = World::new();
    let mut wrong = Vec::new();
    for step in session.split("$ ").skip(1) {
        let (command, expected) = step.split_once('\n').unwrap_or((step, ""));
        let printed = world.run(command);
        if lines(&printed) != lines(expected) {
            wrong.push(format!("$ {command}\n-- expected\n{expected}-- printed\n{printed}\n"));
        }
    }
    wrong
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect()
}
