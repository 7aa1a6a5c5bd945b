//! What `arp`, `ifconfig` and `route` of net-tools 2.10 have in common: names of hosts and networks, hardware
//! types, address families, and the requests that they make by `ioctl` on Linux.

pub(crate) mod family;
pub(crate) mod hardware;
pub(crate) mod ioctl;
pub(crate) mod resolve;

/// `E_OPTERR`
pub(crate) const OPTION_ERROR: i32 = 3;
/// `E_LOOKUP`
pub(crate) const LOOKUP_ERROR: i32 = 6;
/// `E_SOCK`
pub(crate) const SOCKET_ERROR: i32 = 7;

/// Columns of a list of names and titles, three a line.
fn list<'a>(names: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    for (count, (name, title)) in names.enumerate() {
        if count % 3 == 0 {
            text += if count == 0 { "    " } else { "\n    " };
        }
        text += &format!("{name} ({title}) ");
    }
    text + "\n"
}
