//! `-E`: what happens to connections, until the program is ended.

use hairpin_netlink::netfilter::conntrack::{Change, Event};
use hairpin_netlink::{Errno, Received, SocketKind};

use super::filter::Filter;
use super::{Conntrack, Fail, show, title};

/// Changes taken at once.
const BATCH: u32 = 64;
const NS: u64 = 1_000_000_000;

impl Conntrack<'_> {
    pub(super) fn listen(&mut self, filter: &Filter) -> Result<i32, Fail> {
        let socket = self.system.socket(SocketKind::ConntrackEvents).map_err(Fail::refused)?;
        let mut count = 0u64;
        loop {
            match self.system.wait(&[socket], None, false) {
                Ok(_) => {}
                Err(Errno::EINTR) if self.shell.take_signal().is_some() => break,
                Err(Errno::EINTR) => continue,
                Err(errno) => return Err(Fail::refused(errno)),
            }
            let items = match self.system.receive(socket, BATCH) {
                Ok(items) => items,
                Err(Errno::EINTR | Errno::EAGAIN) => continue,
                Err(errno) => return Err(Fail::refused(errno)),
            };
            for item in items {
                let Received::Connection { event, realtime_ns } = item else { continue };
                let wanted = filter.events.is_none_or(|wanted| wanted.contains(&event.change));
                if wanted && filter.accepts(&event.connection) {
                    count += 1;
                    let line = line(&event, filter, realtime_ns);
                    let _ = writeln!(self.shell.out(), "{line}");
                    let _ = self.shell.out().flush();
                }
            }
        }
        let title = title();
        let _ = writeln!(self.shell.err(), "{title}: {count} flow events have been shown.");
        Ok(0)
    }
}

fn line(event: &Event, filter: &Filter, realtime_ns: u64) -> String {
    let mut text = String::new();
    if filter.output.timestamp {
        text += &format!("[{}.{:06}]\t", realtime_ns / NS, realtime_ns % NS / 1000);
    }
    text += match event.change {
        Change::New => "    [NEW] ",
        Change::Update => " [UPDATE] ",
        Change::Destroy => "[DESTROY] ",
    };
    text += &show::event(event, filter.output);
    if let Some(port) = event.by_program {
        // Nothing else here changes connections.
        text += &format!(" [USERSPACE] portid={port} progname=conntrack");
    }
    text
}
