//! Details of `tun` and `tap` links, which `ip tuntap` makes.

use hairpin_netlink::core::Nla;
use hairpin_netlink::route::link::InfoTun;

use crate::iproute2::Context;

const IFLA_TUN_OWNER: u16 = 1;
const IFLA_TUN_GROUP: u16 = 2;
const IFLA_TUN_TYPE: u16 = 3;
const IFLA_TUN_PI: u16 = 4;
const IFLA_TUN_VNET_HDR: u16 = 5;
const IFLA_TUN_PERSIST: u16 = 6;
const IFLA_TUN_MULTI_QUEUE: u16 = 7;
const IFLA_TUN_NUM_QUEUES: u16 = 8;
const IFLA_TUN_NUM_DISABLED_QUEUES: u16 = 9;

pub(super) fn print(context: &mut Context<'_>, options: &[InfoTun]) {
    match number(options, IFLA_TUN_TYPE) {
        Some(1) => context.print.any("type", "tun", format_args!("type tun ")),
        Some(2) => context.print.any("type", "tap", format_args!("type tap ")),
        Some(other) => {
            let name = format!("UNKNOWN:{other}");
            context.print.any("type", &name, format_args!("type {name} "));
        }
        None => {}
    }
    print_switch(context, "pi", number(options, IFLA_TUN_PI));
    print_switch(context, "vnet_hdr", number(options, IFLA_TUN_VNET_HDR));
    if number(options, IFLA_TUN_MULTI_QUEUE).is_some_and(|on| on != 0) {
        context.print.any("multi_queue", true, format_args!("multi_queue "));
        for (key, kind) in [("numqueues", IFLA_TUN_NUM_QUEUES), ("numdisabled", IFLA_TUN_NUM_DISABLED_QUEUES)]
        {
            if let Some(count) = number(options, kind) {
                context.print.any(key, count, format_args!("{key} {count} "));
            }
        }
    } else {
        context.print.json("multi_queue", false);
    }
    print_switch(context, "persist", number(options, IFLA_TUN_PERSIST));
    for (key, kind, file) in
        [("user", IFLA_TUN_OWNER, "/etc/passwd"), ("group", IFLA_TUN_GROUP, "/etc/group")]
    {
        if let Some(id) = number(options, kind) {
            match account(context, file, id) {
                Some(name) => context.print.any(key, &name, format_args!("{key} {name} ")),
                None => context.print.any(key, id, format_args!("{key} {id} ")),
            }
        }
    }
}

fn print_switch(context: &mut Context<'_>, key: &str, value: Option<u32>) {
    if let Some(value) = value {
        context.print.on_off(key, value != 0);
    }
}

/// An attribute of one or four bytes.
fn number(options: &[InfoTun], kind: u16) -> Option<u32> {
    options.iter().find_map(|option| {
        if option.kind() != kind {
            return None;
        }
        let mut value = vec![0; option.value_len()];
        option.emit_value(&mut value);
        match value.as_slice() {
            [byte] => Some(u32::from(*byte)),
            four => four.first_chunk::<4>().map(|bytes| u32::from_ne_bytes(*bytes)),
        }
    })
}

/// The name of a user or group by id.
fn account(context: &mut Context<'_>, file: &str, id: u32) -> Option<String> {
    let mut text = String::new();
    context.shell.open(file).ok()?.read_to_string(&mut text).ok()?;
    let id = id.to_string();
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == id).then(|| name.to_owned())
    })
}
