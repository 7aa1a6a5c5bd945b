//! `-I`, `-U`, `-G`: connections made, changed and asked for by a program.

use hairpin_netlink::Errno;
use hairpin_netlink::netfilter::NetfilterCall;
use hairpin_netlink::netfilter::conntrack::{Connection, Update};

use super::filter::Filter;
use super::{Conntrack, Fail, show, title};

impl Conntrack<'_> {
    pub(super) fn create(&mut self, filter: &Filter) -> Result<i32, Fail> {
        let wanted: Connection = filter.wanted()?;
        let call = NetfilterCall::CreateConnection(Box::new(wanted));
        self.system.netfilter(call).map_err(|errno| match errno {
            Errno::EEXIST => Fail {
                text: "Operation failed: Such conntrack exists, try -U to update".to_owned(),
                hint: false,
            },
            errno => Fail::refused(errno),
        })?;
        let title = title();
        let _ = writeln!(self.shell.err(), "{title}: 1 flow entries have been created.");
        Ok(0)
    }

    pub(super) fn update(&mut self, filter: &Filter) -> Result<i32, Fail> {
        let asked = filter.without_changes();
        let changes = filter.timeout_s.is_some() || filter.mark.is_some() || filter.status != 0;
        let mut found = if changes { self.connections(&asked)? } else { Vec::new() };
        // What would be the same is left alone.
        found.retain(|connection| {
            let mark = filter.mark.map_or(connection.mark, |(value, mask)| connection.mark & !mask | value);
            filter.timeout_s.is_some() || mark != connection.mark || filter.status & !connection.status != 0
        });
        // Its family takes the place of the connection's: of none the kernel knows nothing
        // (`ctnetlink_parse_tuple_filter`).
        if !filter.tells_family() && !found.is_empty() {
            let _ = writeln!(self.shell.err(), "Operation failed: {}", Errno::EOPNOTSUPP.text());
            return Err(Fail::refused(Errno::EOPNOTSUPP));
        }
        for connection in &mut found {
            let update = Update {
                timeout_s: filter.timeout_s,
                mark: filter.mark.map(|(value, mask)| connection.mark & !mask | value),
                status: filter.status,
                tcp: None,
                zero: false,
            };
            self.call(NetfilterCall::UpdateConnection { number: connection.id, update })?;
            connection.timeout_s = filter.timeout_s.unwrap_or(connection.timeout_s);
            connection.mark = update.mark.unwrap_or(connection.mark);
            connection.status |= filter.status;
            let line = show::held(connection, filter.output);
            let _ = writeln!(self.shell.out(), "{line}");
        }
        let title = title();
        let _ = writeln!(self.shell.err(), "{title}: {} flow entries have been updated.", found.len());
        Ok(i32::from(found.is_empty()))
    }

    pub(super) fn get(&mut self, filter: &Filter) -> Result<i32, Fail> {
        if !filter.has_protocol() {
            return Err(Fail::usage("You need to supply the `--protonum' option for this command"));
        }
        let found = self.connections(filter)?;
        let missing =
            || Fail { text: "Operation failed: such conntrack doesn't exist".to_owned(), hint: false };
        let connection = found.first().ok_or_else(missing)?;
        let line = show::held(connection, filter.output);
        let _ = writeln!(self.shell.out(), "{line}");
        let title = title();
        let _ = writeln!(self.shell.err(), "{title}: 1 flow entries have been shown.");
        Ok(0)
    }
}
