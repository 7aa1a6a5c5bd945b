//! On which device something came in, for sockets that are bound to one.

/// The device of a packet's arrival; within a VRF that is the VRF, and its port stands beside it (`inet_iif`, `inet_sdif`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CameIn {
    pub iif: u32,
    /// 0 outside VRFs.
    pub vrf_port: u32,
    /// Sockets that are bound to no device hear what comes in in VRFs (`net.ipv4.tcp_l3mdev_accept` and its like).
    pub accepts: bool,
}

impl CameIn {
    /// `inet_bound_dev_eq`: whether it is for a socket bound to this device, 0 for none.
    pub fn fits(self, bound: u32) -> bool {
        match bound {
            0 => self.vrf_port == 0 || self.accepts,
            bound => bound == self.iif || bound == self.vrf_port,
        }
    }

    /// The VRF that it came in in, 0 for none.
    pub fn vrf(self) -> u32 {
        if self.vrf_port == 0 { 0 } else { self.iif }
    }
}

#[cfg(test)]
mod tests {
    use super::CameIn;

    #[test]
    fn a_vrf_keeps_its_own() {
        let outside = CameIn { iif: 3, vrf_port: 0, accepts: false };
        assert!(outside.fits(0) && outside.fits(3) && !outside.fits(7));
        let within = CameIn { iif: 7, vrf_port: 3, accepts: false };
        assert!(!within.fits(0) && within.fits(3) && within.fits(7));
        assert!(CameIn { accepts: true, ..within }.fits(0));
        assert_eq!((outside.vrf(), within.vrf()), (0, 7));
    }
}
