//! Names of hosts and devices, and MAC addresses.

/// The kernel's IFNAMSIZ without the ending zero.
const MAX_DEVICE_NAME: usize = 15;
/// The kernel's ALTIFNAMSIZ without the ending zero.
const MAX_ALTNAME: usize = 127;
/// RFC 1035 section 2.3.4: a label.
const MAX_HOST_NAME: usize = 63;

/// Why `name` cannot be a device's, by the kernel's `dev_valid_name`.
pub(crate) fn device_trouble(name: &str) -> Option<String> {
    trouble(name, MAX_DEVICE_NAME)
}

/// Why `name` cannot be an alternative name of a device.
pub(crate) fn altname_trouble(name: &str) -> Option<String> {
    trouble(name, MAX_ALTNAME)
}

fn trouble(name: &str, max: usize) -> Option<String> {
    match name {
        "" => Some("it is empty".to_owned()),
        "." | ".." => Some("it means a directory".to_owned()),
        _ if name.len() > max => Some(format!("it has {} bytes, at most {max} are allowed", name.len())),
        _ => name
            .chars()
            .find(|c| matches!(c, '/' | ':') || c.is_whitespace() || c.is_control())
            .map(|c| format!("it must not contain {c:?}")),
    }
}

/// Why `name` cannot be a host's.
pub(crate) fn host_trouble(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("it is empty".to_owned());
    }
    if name.len() > MAX_HOST_NAME {
        return Some(format!("it has {} characters, at most {MAX_HOST_NAME} are allowed", name.len()));
    }
    if name.starts_with(['-', '.']) {
        return Some("it must begin with a letter, a digit or `_`".to_owned());
    }
    name.chars()
        .find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.'))
        .map(|c| format!("it must not contain {c:?}"))
}

/// Reads `02:00:00:00:00:01`, each byte with one or two digits as iproute2's `ll_addr_a2n` takes it.
pub(crate) fn parse_mac(text: &str) -> Option<[u8; 6]> {
    let mut mac = [0; 6];
    let mut parts = text.split(':');
    for byte in &mut mac {
        let part = parts.next()?;
        if part.is_empty() || part.len() > 2 || !part.bytes().all(|c| c.is_ascii_hexdigit()) {
            return None;
        }
        *byte = u8::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then_some(mac)
}

/// The MAC address of a NIC that has none in the file: locally administered, unicast, the same each time.
/// `attempt` gives others, for the case that the first is taken.
pub(crate) fn derive_mac(host: &str, nic: &str, attempt: u8) -> [u8; 6] {
    // 64-bit FNV-1a: stable over releases, which std's hashers do not promise.
    let hash = host
        .bytes()
        .chain([0])
        .chain(nic.bytes())
        .chain([0, attempt])
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    let [_, _, _, a, b, c, d, e] = (hash ^ (hash >> 29)).to_be_bytes();
    [0x02, a, b, c, d, e]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macs() {
        assert_eq!(parse_mac("ba:6b:8c:89:88:22"), Some([0xba, 0x6b, 0x8c, 0x89, 0x88, 0x22]));
        assert_eq!(parse_mac("2:0:0:0:0:a"), Some([2, 0, 0, 0, 0, 10]));
        for bad in
            ["", "02:00:00:00:00", "02:00:00:00:00:00:00", "02:00:00:00:00:", "+2:0:0:0:0:0", "g:0:0:0:0:0"]
        {
            assert_eq!(parse_mac(bad), None, "{bad}");
        }
    }

    #[test]
    fn derived_macs_are_local_unicast_and_differ() {
        let first = derive_mac("a", "eth0", 0);
        assert_eq!(first, derive_mac("a", "eth0", 0));
        assert_eq!(first[0] & 3, 2);
        assert_ne!(first, derive_mac("a", "eth1", 0));
        assert_ne!(first, derive_mac("ae", "th0", 0));
        assert_ne!(first, derive_mac("a", "eth0", 1));
    }

    #[test]
    fn names() {
        assert_eq!(device_trouble("br-9bf9aa158c15"), None);
        assert_eq!(device_trouble("eth0.100"), None);
        for bad in ["", "..", "a/b", "a:b", "a b", "sixteen-letters-"] {
            assert!(device_trouble(bad).is_some(), "{bad}");
        }
        assert_eq!(host_trouble("S3"), None);
        for bad in ["", "-a", "a b", "a/b", "ä", "a:b"] {
            assert!(host_trouble(bad).is_some(), "{bad}");
        }
    }
}
