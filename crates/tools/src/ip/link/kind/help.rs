//! Help texts of kinds (`ip link help KIND`).

/// The help of a kind, if iproute2 knows it.
pub(in crate::ip::link) fn help(kind: &str) -> Option<&'static str> {
    macro_rules! texts {
        ($($kind:literal)*) => {
            match kind {
                $($kind => Some(include_str!(concat!("../../usage/kind/", $kind, ".txt"))),)*
                _ => None,
            }
        };
    }
    texts!(
        "amt"
        "bareudp"
        "batadv"
        "bond"
        "bond_slave"
        "bridge"
        "bridge_slave"
        "can"
        "dsa"
        "dummy"
        "erspan"
        "geneve"
        "gre"
        "gretap"
        "gtp"
        "hsr"
        "ifb"
        "ip6erspan"
        "ip6gre"
        "ip6gretap"
        "ip6tnl"
        "ipip"
        "ipoib"
        "ipvlan"
        "ipvtap"
        "macsec"
        "macvlan"
        "macvtap"
        "netdevsim"
        "nlmon"
        "rmnet"
        "sit"
        "team"
        "team_slave"
        "vcan"
        "veth"
        "virt_wifi"
        "vlan"
        "vrf"
        "vti"
        "vti6"
        "vxcan"
        "vxlan"
        "wwan"
        "xfrm"
    )
}
