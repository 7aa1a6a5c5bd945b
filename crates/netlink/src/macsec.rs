//! Numbers of MACsec's netlink: attributes of its links, and its generic netlink family (include/uapi/linux/if_macsec.h).

/// The name of the generic netlink family.
pub const FAMILY: &str = "macsec";
pub const VERSION: u8 = 1;

/// Cipher suites (IEEE 802.1AE-2018 table 14-1).
pub const CIPHER_128: u64 = 0x0080_c200_0100_0001;
pub const CIPHER_256: u64 = 0x0080_c200_0100_0002;
pub const CIPHER_XPN_128: u64 = 0x0080_c200_0100_0003;
pub const CIPHER_XPN_256: u64 = 0x0080_c200_0100_0004;
/// What Linux calls the first of them since before the standard had a number for it.
pub const CIPHER_DEFAULT: u64 = 0x0080_0200_0100_0001;

/// Bytes of a key's identifier.
pub const KEY_ID_LEN: usize = 16;
/// `MACSEC_MAX_KEY_LEN`
pub const KEY_LEN_MAX: usize = 128;
pub const SALT_LEN: usize = 12;

/// `IFLA_MACSEC_*`
pub mod link {
    pub const SCI: u16 = 1;
    pub const PORT: u16 = 2;
    pub const ICV_LEN: u16 = 3;
    pub const CIPHER_SUITE: u16 = 4;
    pub const WINDOW: u16 = 5;
    pub const ENCODING_SA: u16 = 6;
    pub const ENCRYPT: u16 = 7;
    pub const PROTECT: u16 = 8;
    pub const INC_SCI: u16 = 9;
    pub const ES: u16 = 10;
    pub const SCB: u16 = 11;
    pub const REPLAY_PROTECT: u16 = 12;
    pub const VALIDATION: u16 = 13;
    pub const OFFLOAD: u16 = 15;
}

/// `MACSEC_CMD_*`
pub mod command {
    pub const GET_TXSC: u8 = 0;
    pub const ADD_RXSC: u8 = 1;
    pub const DEL_RXSC: u8 = 2;
    pub const UPD_RXSC: u8 = 3;
    pub const ADD_TXSA: u8 = 4;
    pub const DEL_TXSA: u8 = 5;
    pub const UPD_TXSA: u8 = 6;
    pub const ADD_RXSA: u8 = 7;
    pub const DEL_RXSA: u8 = 8;
    pub const UPD_RXSA: u8 = 9;
    pub const UPD_OFFLOAD: u8 = 10;
}

/// `MACSEC_ATTR_*`
pub mod attr {
    pub const IFINDEX: u16 = 1;
    pub const RXSC_CONFIG: u16 = 2;
    pub const SA_CONFIG: u16 = 3;
    pub const SECY: u16 = 4;
    pub const TXSA_LIST: u16 = 5;
    pub const RXSC_LIST: u16 = 6;
    pub const TXSC_STATS: u16 = 7;
    pub const SECY_STATS: u16 = 8;
    pub const OFFLOAD: u16 = 9;
}

/// `MACSEC_SECY_ATTR_*`
pub mod secy {
    pub const SCI: u16 = 1;
    pub const ENCODING_SA: u16 = 2;
    pub const WINDOW: u16 = 3;
    pub const CIPHER_SUITE: u16 = 4;
    pub const ICV_LEN: u16 = 5;
    pub const PROTECT: u16 = 6;
    pub const REPLAY: u16 = 7;
    pub const OPER: u16 = 8;
    pub const VALIDATE: u16 = 9;
    pub const ENCRYPT: u16 = 10;
    pub const INC_SCI: u16 = 11;
    pub const ES: u16 = 12;
    pub const SCB: u16 = 13;
}

/// `MACSEC_RXSC_ATTR_*`
pub mod rxsc {
    pub const SCI: u16 = 1;
    pub const ACTIVE: u16 = 2;
    pub const SA_LIST: u16 = 3;
    pub const STATS: u16 = 4;
}

/// `MACSEC_SA_ATTR_*`
pub mod sa {
    pub const AN: u16 = 1;
    pub const ACTIVE: u16 = 2;
    pub const PN: u16 = 3;
    pub const KEY: u16 = 4;
    pub const KEYID: u16 = 5;
    pub const STATS: u16 = 6;
    pub const SSCI: u16 = 8;
    pub const SALT: u16 = 9;
}

/// `MACSEC_OFFLOAD_ATTR_TYPE`
pub const OFFLOAD_TYPE: u16 = 1;

/// Counters by the numbers of their attributes, which start at 1, with the names that they have in the standard.
pub mod counters {
    /// `MACSEC_TXSC_STATS_ATTR_*`
    pub const TXSC: [&str; 4] =
        ["OutPktsProtected", "OutPktsEncrypted", "OutOctetsProtected", "OutOctetsEncrypted"];
    /// `MACSEC_SECY_STATS_ATTR_*`
    pub const SECY: [&str; 8] = [
        "OutPktsUntagged",
        "InPktsUntagged",
        "OutPktsTooLong",
        "InPktsNoTag",
        "InPktsBadTag",
        "InPktsUnknownSCI",
        "InPktsNoSCI",
        "InPktsOverrun",
    ];
    /// `MACSEC_RXSC_STATS_ATTR_*`
    pub const RXSC: [&str; 10] = [
        "InOctetsValidated",
        "InOctetsDecrypted",
        "InPktsUnchecked",
        "InPktsDelayed",
        "InPktsOK",
        "InPktsInvalid",
        "InPktsLate",
        "InPktsNotValid",
        "InPktsNotUsingSA",
        "InPktsUnusedSA",
    ];
    /// `MACSEC_SA_STATS_ATTR_*`: first those of receiving, then those of sending.
    pub const SA: [&str; 7] = [
        "InPktsOK",
        "InPktsInvalid",
        "InPktsNotValid",
        "InPktsNotUsingSA",
        "InPktsUnusedSA",
        "OutPktsProtected",
        "OutPktsEncrypted",
    ];
    /// How many of [`SA`] are of receiving.
    pub const SA_RECEIVE: usize = 5;
}
