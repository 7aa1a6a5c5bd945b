//! `type vrf`

use hairpin_netlink::route::link::{InfoVrf, InfoVrfPort};

use super::help;
use crate::iproute2::names::Table;
use crate::iproute2::{Args, Context, Stop, find, matches};

pub(super) fn parse(context: &mut Context<'_>, args: &mut Args<'_>) -> Result<Vec<InfoVrf>, Stop> {
    let mut options = Vec::new();
    while let Some(word) = args.take() {
        if matches(word, "table") {
            let word = args.value()?;
            let table = context.id_of(Table::RouteTable, word);
            options.push(InfoVrf::TableId(table.ok_or_else(|| Stop::invarg("invalid table ID\n", word))?));
        } else {
            let text = help("vrf").unwrap_or_default();
            return Err(if matches(word, "help") {
                Stop::fail(1, text)
            } else {
                Stop::fail(1, format!("vrf: unknown option \"{word}\"?\n{text}"))
            });
        }
    }
    Ok(options)
}

pub(super) fn print(context: &mut Context<'_>, options: &[InfoVrf]) {
    if let Some(table) = find!(options, InfoVrf::TableId) {
        context.print.any("table", *table, format_args!("table {table} "));
    }
}

pub(super) fn print_port(context: &mut Context<'_>, options: &[InfoVrfPort]) {
    if let Some(table) = find!(options, InfoVrfPort::TableId) {
        context.print.any("table", *table, format_args!("table {table} "));
    }
}
