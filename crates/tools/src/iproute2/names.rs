//! Names of numbers: scopes, tables, protocols, groups. Those of the files that iproute2 6.1 installs are built
//! in; the user's own in `/etc/iproute2` are read.

use std::collections::BTreeMap;
use std::io::Read;

use super::Context;
use super::number::strtoul;

/// A kind of number that has names.
#[expect(clippy::enum_variant_names, reason = "routing tables are called so")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Table {
    Scope,
    RouteTable,
    Protocol,
    Group,
    Realm,
    DsField,
}

impl Table {
    fn file(self) -> &'static str {
        match self {
            Table::Scope => "/etc/iproute2/rt_scopes",
            Table::RouteTable => "/etc/iproute2/rt_tables",
            Table::Protocol => "/etc/iproute2/rt_protos",
            Table::Group => "/etc/iproute2/group",
            Table::Realm => "/etc/iproute2/rt_realms",
            Table::DsField => "/etc/iproute2/rt_dsfield",
        }
    }

    fn built_in(self) -> &'static [(u32, &'static str)] {
        match self {
            Table::Scope => &[(0, "global"), (255, "nowhere"), (254, "host"), (253, "link"), (200, "site")],
            Table::RouteTable => &[(0, "unspec"), (253, "default"), (254, "main"), (255, "local")],
            Table::Protocol => &[
                (0, "unspec"),
                (1, "redirect"),
                (2, "kernel"),
                (3, "boot"),
                (4, "static"),
                (8, "gated"),
                (9, "ra"),
                (10, "mrt"),
                (11, "zebra"),
                (12, "bird"),
                (13, "dnrouted"),
                (14, "xorp"),
                (15, "ntk"),
                (16, "dhcp"),
                (18, "keepalived"),
                (42, "babel"),
                (99, "openr"),
                (186, "bgp"),
                (187, "isis"),
                (188, "ospf"),
                (189, "rip"),
                (192, "eigrp"),
            ],
            Table::Group => &[(0, "default")],
            Table::Realm => &[(0, "cosmos")],
            Table::DsField => &[
                (0x00, "default"),
                (0x20, "CS1"),
                (0x28, "AF11"),
                (0x30, "AF12"),
                (0x38, "AF13"),
                (0x40, "CS2"),
                (0x48, "AF21"),
                (0x50, "AF22"),
                (0x58, "AF23"),
                (0x60, "CS3"),
                (0x68, "AF31"),
                (0x70, "AF32"),
                (0x78, "AF33"),
                (0x80, "CS4"),
                (0x88, "AF41"),
                (0x90, "AF42"),
                (0x98, "AF43"),
                (0xa0, "CS5"),
                (0xb8, "EF"),
                (0xc0, "CS6"),
                (0xe0, "CS7"),
            ],
        }
    }

    /// The largest number that may be given where a name is expected.
    fn limit(self) -> u64 {
        match self {
            Table::Scope | Table::Protocol | Table::Realm | Table::DsField => 255,
            Table::RouteTable | Table::Group => u32::MAX.into(),
        }
    }

    /// The base in which a number is read and whether it is shown in hexadecimal.
    fn hexadecimal(self) -> bool {
        self == Table::DsField
    }
}

/// The tables read so far.
#[derive(Debug, Default)]
pub(crate) struct Names {
    tables: BTreeMap<Table, BTreeMap<u32, String>>,
}

impl Context<'_> {
    /// The name of a number, or the number.
    pub(crate) fn name_of(&mut self, table: Table, id: u32) -> String {
        let number = || if table.hexadecimal() { format!("0x{id:02x}") } else { id.to_string() };
        if self.options.numeric {
            return number();
        }
        self.table(table).get(&id).cloned().unwrap_or_else(number)
    }

    /// The number of a name, or a number as text.
    pub(crate) fn id_of(&mut self, table: Table, text: &str) -> Option<u32> {
        if let Some((id, _)) = self.table(table).iter().find(|(_, name)| *name == text) {
            return Some(*id);
        }
        match strtoul(text, if table.hexadecimal() { 16 } else { 0 })? {
            (id, "") if id <= table.limit() => Some(id as u32),
            _ => None,
        }
    }

    fn table(&mut self, table: Table) -> &BTreeMap<u32, String> {
        let shell = &mut self.shell;
        self.names.tables.entry(table).or_insert_with(|| {
            let mut names: BTreeMap<u32, String> =
                table.built_in().iter().map(|(id, name)| (*id, (*name).to_owned())).collect();
            let mut text = String::new();
            if let Ok(mut file) = shell.open(table.file()) {
                // A file that cannot be read leaves the names that are built in.
                let _ = file.read_to_string(&mut text);
            }
            names.extend(text.lines().filter_map(entry));
            names
        })
    }
}

/// A line `NUMBER NAME`.
fn entry(line: &str) -> Option<(u32, String)> {
    let line = line.trim_start_matches([' ', '\t']);
    if line.starts_with('#') {
        return None;
    }
    let mut words = line.split_whitespace();
    let (id, rest) = strtoul(words.next()?, if line.starts_with("0x") { 16 } else { 10 })?;
    let id = u32::try_from(id).ok().filter(|_| rest.is_empty())?;
    Some((id, words.next()?.to_owned()))
}
