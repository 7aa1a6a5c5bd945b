//! `ss -s`: counts, as `/proc/net/sockstat` and `/proc/net/snmp` have them.

use crate::Program;

/// The numbers of a line `NAME: key value key value …`.
fn line<'a>(text: &'a str, name: &str) -> Vec<(&'a str, u64)> {
    let start = format!("{name}:");
    let Some(rest) = text.lines().find_map(|line| line.strip_prefix(&start)) else { return Vec::new() };
    let words: Vec<&str> = rest.split_whitespace().collect();
    words.chunks_exact(2).filter_map(|pair| Some((*pair.first()?, pair.get(1)?.parse().ok()?))).collect()
}

fn value(of: &[(&str, u64)], key: &str) -> u64 {
    of.iter().find(|(known, _)| *known == key).map_or(0, |(_, value)| *value)
}

pub(super) fn show(program: &mut Program<'_>) -> Result<(), String> {
    let mut read = |path: &str| {
        let bytes = program.system.read_file(path).map_err(|errno| format!("{path}: {}", errno.text()))?;
        Ok::<_, String>(String::from_utf8_lossy(&bytes).into_owned())
    };
    let stat = read("/proc/net/sockstat")?;
    // A kernel without IPv6 has no such file.
    let stat6 = read("/proc/net/sockstat6").unwrap_or_default();
    let snmp = read("/proc/net/snmp")?;
    let tcp = line(&stat, "TCP");
    let (in_use, orphans, waiting, allocated) =
        (value(&tcp, "inuse"), value(&tcp, "orphan"), value(&tcp, "tw"), value(&tcp, "alloc"));
    let established = established(&snmp);
    let in_use6 = value(&line(&stat6, "TCP6"), "inuse");
    let hashed = in_use + in_use6;
    let closed = (allocated + waiting).saturating_sub(hashed);
    let sockets = value(&line(&stat, "sockets"), "used");
    let count = |name: &str| {
        let of4 = value(&line(&stat, name), "inuse");
        let of6 = value(&line(&stat6, &format!("{name}6")), "inuse");
        (of4 + of6, of4, of6)
    };
    let (raw, udp, frag, tcps) = (count("RAW"), count("UDP"), count("FRAG"), (hashed, in_use, in_use6));
    let inet = (raw.0 + udp.0 + tcps.0, raw.1 + udp.1 + tcps.1, raw.2 + udp.2 + tcps.2);
    let mut text = format!(
        "Total: {sockets}\nTCP:   {} (estab {established}, closed {closed}, orphaned {orphans}, timewait {waiting})\n\n\
         Transport Total     IP        IPv6\n",
        allocated + waiting
    );
    for (name, (total, of4, of6)) in
        [("RAW", raw), ("UDP", udp), ("TCP", tcps), ("INET", inet), ("FRAG", frag)]
    {
        text.push_str(&format!("{name}\t  {total:<9} {of4:<9} {of6:<9}\n"));
    }
    text.push('\n');
    let _ = program.shell.out().write_all(text.as_bytes());
    Ok(())
}

/// `CurrEstab` of the lines of TCP.
fn established(snmp: &str) -> u64 {
    let mut lines = snmp.lines().filter(|line| line.starts_with("Tcp:"));
    let (Some(names), Some(values)) = (lines.next(), lines.next()) else { return 0 };
    let at = names.split_whitespace().position(|name| name == "CurrEstab");
    at.and_then(|at| values.split_whitespace().nth(at)?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_found_by_name() {
        let text = "sockets: used 14\nTCP: inuse 2 orphan 0 tw 1 alloc 3 mem 0\n";
        assert_eq!(value(&line(text, "TCP"), "tw"), 1);
        assert_eq!(value(&line(text, "sockets"), "used"), 14);
        assert_eq!(established("Tcp: A CurrEstab B\nTcp: 1 4 2\n"), 4);
    }
}
