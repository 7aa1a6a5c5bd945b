//! `netstat -g`: groups of `/proc/net/igmp` and `/proc/net/igmp6` (net-tools' `igmp_info`).

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::Program;

/// Both families unless one is asked for.
pub(super) fn show(program: &mut Program<'_>, ipv4: bool, ipv6: bool) -> i32 {
    let (ipv4, ipv6) = if ipv4 || ipv6 { (ipv4, ipv6) } else { (true, true) };
    let families = match (ipv4, ipv6) {
        (true, true) => "IPv6/IPv4",
        (false, true) => "IPv6",
        _ => "IPv4",
    };
    let mut out = format!(
        "{families} Group Memberships\nInterface       RefCnt Group\n--------------- ------ ---------------------\n"
    );
    let mut read = |name: &str| {
        // A kernel without IPv6 has no such file.
        let bytes = program.system.read_file(&format!("/proc/net/{name}")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    if ipv4 {
        lines4(&mut out, &read("igmp"));
    }
    if ipv6 {
        lines6(&mut out, &read("igmp6"));
    }
    let _ = program.shell.out().write_all(out.as_bytes());
    0
}

/// A line of the device, then its groups.
fn lines4(out: &mut String, text: &str) {
    let mut device = "";
    for line in text.lines().skip(1) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [_, name, ..] if !line.starts_with('\t') => device = name.trim_end_matches(':'),
            [group, users, ..] => {
                let Ok(group) = u32::from_str_radix(group, 16) else { continue };
                let group = Ipv4Addr::from(group.to_ne_bytes());
                out.push_str(&format!("{device:<15} {users:<6} {group}\n"));
            }
            _ => {}
        }
    }
}

fn lines6(out: &mut String, text: &str) {
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, device, group, users, ..] = words.as_slice() else { continue };
        let Ok(group) = u128::from_str_radix(group, 16) else { continue };
        out.push_str(&format!("{device:<15} {users:<6} {}\n", Ipv6Addr::from(group)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_both_families() {
        let mut out = String::new();
        let igmp = "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n1\tlo        :     1      V3\n\
                    \t\t\t\t010000E0     1 0:00000000\t\t0\n";
        lines4(&mut out, igmp);
        lines6(&mut out, "1    lo              ff020000000000000000000000000001     2 0000000C 0\n");
        assert_eq!(out, "lo              1      224.0.0.1\nlo              2      ff02::1\n");
    }
}
