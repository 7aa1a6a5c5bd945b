//! BusyBox's `ip`: what it prints of links, addresses and routes (networking/libiproute), made from the text of iproute2.

/// A text of iproute2's as BusyBox has it.
pub(crate) fn text(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(line).collect();
    lines.join("\n")
}

fn line(line: &str) -> String {
    if let Some((head, rest)) = line.split_once(": <")
        && head.starts_with(|first: char| first.is_ascii_digit())
    {
        return link(head, rest);
    }
    if line.starts_with("    link/") {
        // Where the other end is it does not say.
        return line.split(" link-netns").next().unwrap_or(line).to_owned();
    }
    let is_route = line.contains(" dev ") && !line.starts_with(' ') && !line.contains(" lladdr ");
    if is_route { route(line) } else { line.to_owned() }
}

/// `2: eth0@if5: <FLAGS> mtu … qdisc … state … qlen …`
fn link(head: &str, rest: &str) -> String {
    let (flags, rest) = rest.split_once('>').unwrap_or((rest, ""));
    // Of a link in another namespace it does not know that it is up (`ll_index_to_flags`).
    let unknown =
        head.split_once("@if").is_some_and(|(_, index)| index.bytes().all(|byte| byte.is_ascii_digit()));
    let down = if unknown && !flags.contains("M-DOWN") { ",M-DOWN" } else { "" };
    format!("{head}: <{flags}{down}>{}", without(rest, &["mode", "group"]))
}

/// `10.0.0.0/24 dev eth0 scope link  src 10.0.0.2 `
fn route(line: &str) -> String {
    let line = without(line, &["proto"]);
    line.replacen(" src ", "  src ", 1).replacen(" metric ", "  metric ", 1)
}

/// A line without some of its keywords and their values.
fn without(line: &str, keywords: &[&str]) -> String {
    let mut text = String::new();
    let mut words = line.split(' ').peekable();
    while let Some(word) = words.next() {
        if keywords.contains(&word) {
            words.next();
            continue;
        }
        text.push_str(word);
        if words.peek().is_some() {
            text.push(' ');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::text;

    /// The lines that containers of Alpine Linux print.
    #[test]
    fn lines_of_busybox() {
        for (iproute2, busybox) in [
            (
                "4: eth0@if5: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default \n    \
                 link/ether 02:42:ac:11:00:02 brd ff:ff:ff:ff:ff:ff link-netnsid 0\n    inet 172.17.0.2/16 brd \
                 172.17.255.255 scope global eth0\n",
                "4: eth0@if5: <BROADCAST,MULTICAST,UP,LOWER_UP,M-DOWN> mtu 1500 qdisc noqueue state UP \n    \
                 link/ether 02:42:ac:11:00:02 brd ff:ff:ff:ff:ff:ff\n    inet 172.17.0.2/16 brd 172.17.255.255 scope \
                 global eth0\n",
            ),
            (
                "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN mode DEFAULT group default qlen \
                 1000",
                "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN qlen 1000",
            ),
            ("default via 172.17.0.1 dev eth0 ", "default via 172.17.0.1 dev eth0 "),
            (
                "172.17.0.0/16 dev eth0 proto kernel scope link src 172.17.0.2 ",
                "172.17.0.0/16 dev eth0 scope link  src 172.17.0.2 ",
            ),
            (
                "10.0.0.1 dev eth0 lladdr 02:00:00:00:00:01 STALE ",
                "10.0.0.1 dev eth0 lladdr 02:00:00:00:00:01 STALE ",
            ),
        ] {
            assert_eq!(text(iproute2), busybox);
        }
    }
}
