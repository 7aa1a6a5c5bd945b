//! Netfilter of the Linux kernel, by way of the programs that its users use: tables are exchanged as the text of
//! `iptables-save`.

use std::io::Write as _;
use std::process::{Command, Stdio};

use hairpin_netlink::netfilter::{Family, NetfilterCall, NetfilterReply, Table, TableKind};
use hairpin_netlink::{Errno, Reply};
use hairpin_tools::iptables;

/// Where the programs are.
const DIRECTORIES: &[&str] = &["/usr/sbin", "/sbin", "/usr/bin", "/bin"];

pub(super) fn call(call: NetfilterCall) -> Result<Reply, Errno> {
    let reply = match call {
        NetfilterCall::Tables(family) => NetfilterReply::Tables(tables(family)?),
        NetfilterCall::Table { family, kind } => NetfilterReply::Table(Box::new(table(family, kind)?)),
        NetfilterCall::Replace { family, table } => {
            restore(family, &table)?;
            return Ok(Reply::Done);
        }
        NetfilterCall::Connections(_)
        | NetfilterCall::DeleteConnections(_)
        | NetfilterCall::UpdateConnection { .. }
        | NetfilterCall::CreateConnection(_)
        | NetfilterCall::Statistics
        | NetfilterCall::Sets(_)
        | NetfilterCall::Nft(_) => {
            return Err(Errno::ENOSYS);
        }
    };
    Ok(Reply::Netfilter(reply))
}

fn tables(family: Family) -> Result<Vec<TableKind>, Errno> {
    let path = match family {
        Family::Ipv4 => "/proc/thread-self/net/ip_tables_names",
        Family::Ipv6 => "/proc/thread-self/net/ip6_tables_names",
    };
    let names = std::fs::read_to_string(path).unwrap_or_default();
    Ok(names.lines().filter_map(TableKind::by_name).collect())
}

fn table(family: Family, kind: TableKind) -> Result<Table, Errno> {
    let output =
        program(family, "save").args(["-c", "-t", kind.name()]).output().map_err(|_| Errno::ENOENT)?;
    if !output.status.success() {
        return Err(Errno::ENOENT);
    }
    let text = String::from_utf8(output.stdout).map_err(|_| Errno::EINVAL)?;
    match iptables::from_text(family, &text) {
        Ok(Some(table)) => Ok(table),
        Ok(None) => Ok(Table::empty(kind)),
        // A rule there that hairpin has no word for: nothing is changed.
        Err(_) => Err(Errno::EOPNOTSUPP),
    }
}

fn restore(family: Family, table: &Table) -> Result<(), Errno> {
    let text = iptables::to_text(family, table);
    let mut command = program(family, "restore");
    command.args(["-c"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|_| Errno::ENOENT)?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(text.as_bytes()).map_err(|_| Errno::EIO)?;
    }
    let output = child.wait_with_output().map_err(|_| Errno::EIO)?;
    if output.status.success() {
        return Ok(());
    }
    // The restoring program says only that a line failed.
    Err(if table.has_loop() { Errno::ELOOP } else { Errno::EINVAL })
}

/// `iptables-legacy-save` and the like; where those are missing, whatever `iptables-save` is.
fn program(family: Family, verb: &str) -> Command {
    let front = if family == Family::Ipv4 { "iptables" } else { "ip6tables" };
    let names = [format!("{front}-legacy-{verb}"), format!("{front}-{verb}")];
    let paths = names.iter().flat_map(|name| DIRECTORIES.iter().map(move |dir| format!("{dir}/{name}")));
    let found = paths.into_iter().find(|path| std::path::Path::new(path).exists());
    Command::new(found.unwrap_or_else(|| format!("/usr/sbin/{front}-{verb}")))
}
