//! `-p [[IP:][HOST_PORT]:]CONTAINER_PORT[/PROTOCOL]`, with ranges (go-connections' `nat.ParsePortSpec`).

use std::net::IpAddr;

use super::super::model::Port;

/// # Errors
/// What is wrong with it.
pub(super) fn parse(text: &str) -> Result<Vec<Port>, String> {
    let (rest, protocol) = match text.rsplit_once('/') {
        Some((rest, protocol)) => (rest, protocol.to_lowercase()),
        None => (text, "tcp".to_owned()),
    };
    let (ip, host, container) = split(rest);
    if container.is_empty() {
        return Err(format!("no port specified: {text}<empty>"));
    }
    if !ip.is_empty() && ip.parse::<IpAddr>().is_err() {
        return Err(format!("invalid IP address: {ip}"));
    }
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return Err(format!("invalid proto: {protocol}"));
    }
    let wrong = |kind: &str, port: &str| format!("invalid {kind}: {port}");
    let (first, last) = range(container).ok_or_else(|| wrong("containerPort", container))?;
    let (host_first, host_last) = match host {
        "" => (0, 0),
        host => range(host).ok_or_else(|| wrong("hostPort", host))?,
    };
    let (count, host_count) = (last - first, host_last - host_first);
    // One port may be published on any of a range; else the ranges are as long as each other.
    if !host.is_empty() && count != host_count && count != 0 {
        return Err(format!("invalid ranges specified for container and host Ports: {container} and {host}"));
    }
    let port = |offset: u16| {
        let (host_first, host_last) = match (host.is_empty(), count) {
            (true, _) => (0, 0),
            (false, 0) => (host_first, host_last),
            (false, _) => (host_first + offset, host_first + offset),
        };
        let (protocol, host_ip) = (protocol.clone(), ip.to_owned());
        Port { private: first + offset, protocol, host_ip, host_first, host_last, bound: None }
    };
    Ok((0..=count).map(port).collect())
}

/// Address, host's port and container's port; an IPv6 address stands in brackets.
fn split(text: &str) -> (&str, &str, &str) {
    let (rest, container) = match text.rsplit_once(':') {
        Some((rest, container)) => (rest, container),
        None => return ("", "", text),
    };
    match rest.rsplit_once(':') {
        Some((ip, host)) => (ip.trim_start_matches('[').trim_end_matches(']'), host, container),
        None => ("", rest, container),
    }
}

/// `80` or `80-90`
fn range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last && first > 0).then_some((first, last))
}

/// `--expose PORT[/PROTOCOL]`, with ranges.
///
/// # Errors
/// What is wrong with it.
pub(super) fn exposed(text: &str) -> Result<Vec<(u16, String)>, String> {
    let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let (first, last) = range(ports)
        .ok_or_else(|| format!("invalid range format for --expose: {text}, error: invalid port: {ports}"))?;
    Ok((first..=last).map(|port| (port, protocol.to_lowercase())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Result<Vec<String>, String> {
        let show = |port: Port| {
            let Port { private, protocol, host_ip, host_first, host_last, .. } = port;
            format!("{host_ip}:{host_first}-{host_last}->{private}/{protocol}")
        };
        parse(text).map(|ports| ports.into_iter().map(show).collect())
    }

    #[test]
    fn every_form() {
        for (text, ports) in [
            ("80", vec![":0-0->80/tcp"]),
            ("8080:80", vec![":8080-8080->80/tcp"]),
            ("127.0.0.1:8080:80/udp", vec!["127.0.0.1:8080-8080->80/udp"]),
            ("127.0.0.1::80", vec!["127.0.0.1:0-0->80/tcp"]),
            ("[::1]:8080:80", vec!["::1:8080-8080->80/tcp"]),
            ("8080-8081:80-81", vec![":8080-8080->80/tcp", ":8081-8081->81/tcp"]),
            ("8080-8090:80", vec![":8080-8090->80/tcp"]),
        ] {
            assert_eq!(shown(text), Ok(ports.into_iter().map(str::to_owned).collect()), "{text}");
        }
    }

    #[test]
    fn wrong_ones_are_told() {
        for (text, error) in [
            ("a:80", "invalid hostPort: a"),
            ("80:a", "invalid containerPort: a"),
            ("1.2.3:80:80", "invalid IP address: 1.2.3"),
            ("80:80/xyz", "invalid proto: xyz"),
            ("80-81:90-99", "invalid ranges specified for container and host Ports: 90-99 and 80-81"),
            ("70000:80", "invalid hostPort: 70000"),
        ] {
            assert_eq!(shown(text), Err(error.to_owned()), "{text}");
        }
    }
}
