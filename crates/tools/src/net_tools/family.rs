//! Address families by the names of net-tools.

/// Names, titles, and whether they can be routed.
const FAMILIES: &[(&str, &str, bool)] = &[
    ("unix", "UNIX Domain", false),
    ("inet", "DARPA Internet", true),
    ("inet6", "IPv6", true),
    ("ax25", "AMPR AX.25", true),
    ("netrom", "AMPR NET/ROM", true),
    ("rose", "AMPR ROSE", true),
    ("ipx", "Novell IPX", true),
    ("ddp", "Appletalk DDP", true),
    ("ec", "Econet", false),
    ("ash", "Ash", false),
    ("x25", "CCITT X.25", true),
];

pub(crate) fn is_known(name: &str) -> bool {
    FAMILIES.iter().any(|family| family.0 == name)
}

/// `print_aflist`
pub(crate) fn list(routable: bool) -> String {
    let shown = FAMILIES.iter().filter(|family| family.2 || !routable);
    super::list(shown.map(|(name, title, _)| (*name, *title)))
}
