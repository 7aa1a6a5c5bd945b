//! The counters of a link (`-s`, `-s -s`).

use hairpin_netlink::route::link::{LinkAttribute, LinkMessage, Stats64};

use crate::iproute2::{Context, find};

/// Prints the counters of a link, if it has any.
pub(in crate::ip) fn print_counters(context: &mut Context<'_>, link: &LinkMessage) {
    let transitions = find!(link.attributes, LinkAttribute::CarrierChanges).copied();
    if let Some(stats) = find!(link.attributes, LinkAttribute::Stats64) {
        if context.print.is_json() {
            print_json(context, "stats64", stats, transitions);
        } else {
            print_text(context, stats, transitions);
        }
    }
}

fn print_json(context: &mut Context<'_>, key: &str, stats: &Stats64, transitions: Option<u32>) {
    let more = context.options.stats > 1;
    let print = &mut context.print;
    print.open_object(Some(key));
    print.open_object(Some("rx"));
    print.json("bytes", stats.rx_bytes);
    print.json("packets", stats.rx_packets);
    print.json("errors", stats.rx_errors);
    print.json("dropped", stats.rx_dropped);
    print.json("over_errors", stats.rx_over_errors);
    print.json("multicast", stats.multicast);
    if stats.rx_compressed != 0 {
        print.json("compressed", stats.rx_compressed);
    }
    if more {
        print.json("length_errors", stats.rx_length_errors);
        print.json("crc_errors", stats.rx_crc_errors);
        print.json("frame_errors", stats.rx_frame_errors);
        print.json("fifo_errors", stats.rx_fifo_errors);
        print.json("missed_errors", stats.rx_missed_errors);
        if stats.rx_nohandler != 0 {
            print.json("nohandler", stats.rx_nohandler);
        }
        if stats.rx_otherhost_dropped != 0 {
            print.json("otherhost", stats.rx_otherhost_dropped);
        }
    }
    print.close_object();
    print.open_object(Some("tx"));
    print.json("bytes", stats.tx_bytes);
    print.json("packets", stats.tx_packets);
    print.json("errors", stats.tx_errors);
    print.json("dropped", stats.tx_dropped);
    print.json("carrier_errors", stats.tx_carrier_errors);
    print.json("collisions", stats.collisions);
    if stats.tx_compressed != 0 {
        print.json("compressed", stats.tx_compressed);
    }
    if more {
        print.json("aborted_errors", stats.tx_aborted_errors);
        print.json("fifo_errors", stats.tx_fifo_errors);
        print.json("window_errors", stats.tx_window_errors);
        print.json("heartbeat_errors", stats.tx_heartbeat_errors);
        if let Some(transitions) = transitions {
            print.json("carrier_changes", transitions);
        }
    }
    print.close_object();
    print.close_object();
}

/// One line of counters below a line of titles, in columns.
struct Columns {
    widths: [usize; 8],
    human: bool,
    iec: bool,
}

impl Columns {
    /// Makes the columns wide enough for a line.
    fn fit(&mut self, values: [u64; 8]) {
        if !self.human {
            for (width, value) in self.widths.iter_mut().zip(values) {
                *width = (*width).max(value.to_string().len());
            }
        }
    }

    fn number(&self, column: usize, value: u64) -> String {
        format!("{:>width$} ", self.scaled(value), width = self.widths[column])
    }

    /// A count, or with `-human` three digits and a unit prefix.
    fn scaled(&self, value: u64) -> String {
        let base: u64 = if self.iec { 1024 } else { 1000 };
        if !self.human || value < base {
            return value.to_string();
        }
        let mut prefixes = "kMGTPE".chars().peekable();
        let mut prefix = prefixes.next().unwrap_or('k');
        let mut unit = base;
        while value / base >= unit {
            let Some(next) = prefixes.next() else { break };
            prefix = next;
            unit = unit.saturating_mul(base);
        }
        let mut precision = 2;
        let mut bound = 10;
        while precision > 0 && value / unit >= bound {
            precision -= 1;
            bound *= 10;
        }
        let iec = if self.iec { "i" } else { "" };
        format!("{:.precision$}{prefix}{iec}", value as f64 / unit as f64)
    }
}

fn print_text(context: &mut Context<'_>, s: &Stats64, transitions: Option<u32>) {
    let more = context.options.stats > 1;
    let widths = [10, 7, 6, 7, 7, 7, 10, 9];
    let mut columns = Columns { widths, human: context.options.human, iec: context.options.iec };
    columns.fit([
        s.rx_bytes,
        s.rx_packets,
        s.rx_errors,
        s.rx_dropped,
        s.rx_missed_errors,
        s.multicast,
        s.rx_compressed,
        0,
    ]);
    if more {
        columns.fit([
            0,
            s.rx_length_errors,
            s.rx_crc_errors,
            s.rx_frame_errors,
            s.rx_fifo_errors,
            s.rx_over_errors,
            s.rx_nohandler,
            s.rx_otherhost_dropped,
        ]);
    }
    columns.fit([
        s.tx_bytes,
        s.tx_packets,
        s.tx_errors,
        s.tx_dropped,
        s.tx_carrier_errors,
        s.collisions,
        s.tx_compressed,
        0,
    ]);
    if more {
        columns.fit([
            0,
            0,
            s.tx_aborted_errors,
            s.tx_fifo_errors,
            s.tx_window_errors,
            s.tx_heartbeat_errors,
            transitions.unwrap_or(0).into(),
            0,
        ]);
    }
    let bytes = [s.rx_bytes, s.tx_bytes];
    let rx = [s.rx_packets, s.rx_errors, s.rx_dropped, s.rx_missed_errors, s.multicast];
    let rx_titles = ["packets", "errors", "dropped", "missed", "mcast"];
    print_row(context, &columns, "RX", (bytes[0], rx, rx_titles, s.rx_compressed));
    if more {
        print_receive_errors(context, &columns, s);
    }
    context.print.line();
    let tx = [s.tx_packets, s.tx_errors, s.tx_dropped, s.tx_carrier_errors, s.collisions];
    let tx_titles = ["packets", "errors", "dropped", "carrier", "collsns"];
    print_row(context, &columns, "TX", (bytes[1], tx, tx_titles, s.tx_compressed));
    if more {
        print_transmit_errors(context, &columns, s, transitions);
    }
}

/// Bytes, five further counters with their titles, and compressed packets if there are any.
type Row<'a> = (u64, [u64; 5], [&'a str; 5], u64);

fn print_row(context: &mut Context<'_>, columns: &Columns, direction: &str, row: Row<'_>) {
    let (bytes, values, titles, compressed) = row;
    let widths = &columns.widths;
    let print = &mut context.print;
    print.text(format_args!("    {direction}: {:>width$}", "bytes", width = widths[0].saturating_sub(4)));
    for (title, width) in titles.iter().zip(&widths[1..]) {
        print.text(format_args!(" {title:>width$}"));
    }
    let title = if compressed != 0 { "compressed" } else { "" };
    print.text(format_args!(" {title:>width$}", width = widths[6]));
    print.line();
    print.text(format_args!("    {}", columns.number(0, bytes)));
    for (at, value) in values.into_iter().enumerate() {
        print.text(format_args!("{}", columns.number(at + 1, value)));
    }
    if compressed != 0 {
        print.text(format_args!("{}", columns.number(6, compressed)));
    }
}

fn print_receive_errors(context: &mut Context<'_>, columns: &Columns, s: &Stats64) {
    let widths = &columns.widths;
    let print = &mut context.print;
    print.line();
    print.text(format_args!("    RX errors:{:width$}", "", width = widths[0].saturating_sub(10)));
    for (title, width) in ["length", "crc", "frame", "fifo", "overrun"].iter().zip(&widths[1..]) {
        print.text(format_args!(" {title:>width$}"));
    }
    for (value, title, width) in
        [(s.rx_nohandler, " nohandler", widths[6]), (s.rx_otherhost_dropped, " otherhost", widths[7])]
    {
        if value != 0 {
            print.text(format_args!("{title:>width$}", width = width + 1));
        }
    }
    print.line();
    print.text(format_args!("{:width$}", "", width = widths[0] + 5));
    let values = [s.rx_length_errors, s.rx_crc_errors, s.rx_frame_errors, s.rx_fifo_errors, s.rx_over_errors];
    for (at, value) in values.into_iter().enumerate() {
        print.text(format_args!("{}", columns.number(at + 1, value)));
    }
    for (at, value) in [(6, s.rx_nohandler), (7, s.rx_otherhost_dropped)] {
        if value != 0 {
            print.text(format_args!("{}", columns.number(at, value)));
        }
    }
}

fn print_transmit_errors(
    context: &mut Context<'_>,
    columns: &Columns,
    s: &Stats64,
    transitions: Option<u32>,
) {
    let widths = &columns.widths;
    let print = &mut context.print;
    print.line();
    print.text(format_args!("    TX errors:{:width$}", "", width = widths[0].saturating_sub(10)));
    let last = if transitions.is_some() { "transns" } else { "" };
    for (title, width) in ["aborted", "fifo", "window", "heartbt", last].iter().zip(&widths[1..]) {
        print.text(format_args!(" {title:>width$}"));
    }
    print.line();
    print.text(format_args!("{:width$}", "", width = widths[0] + 5));
    let values = [s.tx_aborted_errors, s.tx_fifo_errors, s.tx_window_errors, s.tx_heartbeat_errors];
    for (at, value) in values.into_iter().enumerate() {
        print.text(format_args!("{}", columns.number(at + 1, value)));
    }
    if let Some(transitions) = transitions {
        print.text(format_args!("{}", columns.number(5, transitions.into())));
    }
}
