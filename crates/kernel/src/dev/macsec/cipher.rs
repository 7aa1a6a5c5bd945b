//! AES-GCM as MACsec uses it (IEEE 802.1AE-2018 clause 14): 128 and 256 bits, check values of 8 and 12 to 16 bytes.

use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::{AeadInOut, Aes128Gcm, Aes256Gcm, KeyInit, Nonce, Tag};

/// Bytes of a whole integrity check value.
pub const ICV_LEN: usize = 16;
/// Bytes of an initialization vector.
pub const IV_LEN: usize = 12;

/// A key, ready for use.
#[derive(Clone)]
pub enum Cipher {
    Aes128(Box<Aes128Gcm>),
    Aes256(Box<Aes256Gcm>),
}

impl std::fmt::Debug for Cipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Cipher::Aes128(_) => "Cipher::Aes128",
            Cipher::Aes256(_) => "Cipher::Aes256",
        })
    }
}

impl Cipher {
    /// A cipher with this key; none unless that has 16 or 32 bytes.
    pub fn new(key: &[u8]) -> Option<Cipher> {
        match key.len() {
            16 => Aes128Gcm::new_from_slice(key).ok().map(|cipher| Cipher::Aes128(Box::new(cipher))),
            32 => Aes256Gcm::new_from_slice(key).ok().map(|cipher| Cipher::Aes256(Box::new(cipher))),
            _ => None,
        }
    }

    /// Whether check values may have this length (`crypto_gcm_setauthsize`).
    pub fn takes_icv_len(len: u8) -> bool {
        matches!(len, 4 | 8 | 12..=16)
    }

    /// Encrypts `data` in place and gives the whole check value over it and over `header`.
    pub fn seal(&self, iv: &[u8; IV_LEN], header: &[u8], data: &mut [u8]) -> Option<[u8; ICV_LEN]> {
        let (iv, data) = (Nonce::from(*iv), InOutBuf::from(data));
        let tag = match self {
            Cipher::Aes128(cipher) => cipher.encrypt_inout_detached(&iv, header, data),
            Cipher::Aes256(cipher) => cipher.encrypt_inout_detached(&iv, header, data),
        };
        tag.ok().map(Into::into)
    }

    /// Decrypts `data` in place if its check value, which may be a shortened one, is right; else leaves it alone.
    pub fn open(&self, iv: &[u8; IV_LEN], header: &[u8], data: &mut [u8], icv: &[u8]) -> bool {
        if let Some(whole) = icv.first_chunk::<ICV_LEN>() {
            let (iv, tag, data) = (Nonce::from(*iv), Tag::from(*whole), InOutBuf::from(data));
            let opened = match self {
                Cipher::Aes128(cipher) => cipher.decrypt_inout_detached(&iv, header, data, &tag),
                Cipher::Aes256(cipher) => cipher.decrypt_inout_detached(&iv, header, data, &tag),
            };
            return opened.is_ok();
        }
        // The key stream is the same both ways: sealing decrypts, and sealing what that gives makes the check value.
        let sealed = self.seal(iv, header, data).and_then(|_| self.seal(iv, header, data));
        let right = sealed.is_some_and(|whole| !icv.is_empty() && whole.get(..icv.len()) == Some(icv));
        right && self.seal(iv, header, data).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame that Linux 6.1 sent with this key, and what it carried: an ARP request.
    #[test]
    fn ciphertext_is_that_of_linux() {
        let Some(cipher) = Cipher::new(&[9; 16]) else { panic!("16 bytes are a key") };
        let header = [
            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 10, 0x88, 0xe5, 0x2c, 0x1e, 0, 0, 0, 1, 2, 0,
            0, 0, 0, 10, 0, 1,
        ];
        let mut data = vec![8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 10, 10, 3, 0, 1];
        data.extend([0, 0, 0, 0, 0, 0, 10, 3, 0, 2]);
        let clear = data.clone();
        let iv = [2, 0, 0, 0, 0, 10, 0, 1, 0, 0, 0, 1];
        let icv = cipher.seal(&iv, &header, &mut data);
        let sent = [
            0xf6, 0xac, 0xa8, 0x58, 0xb2, 0xd4, 0x5f, 0x40, 0xa2, 0x87, 0x5b, 0x0f, 0x8f, 0x93, 0x96, 0x31,
            0xf8, 0x35, 0xc2, 0x4f, 0x1f, 0x2f, 0x49, 0xa7, 0x15, 0x10, 0xee, 0x5d, 0x6e, 0x72,
        ];
        let check =
            [0xab, 0xb8, 0x9b, 0xd1, 0xb0, 0x52, 0x5d, 0x01, 0x1a, 0xd2, 0x13, 0xfc, 0xf8, 0x17, 0xc8, 0x7b];
        assert_eq!((data.as_slice(), icv), (sent.as_slice(), Some(check)));
        for len in [16, 13, 8] {
            let mut data = sent.to_vec();
            assert!(cipher.open(&iv, &header, &mut data, &check[..len]), "{len} bytes");
            assert_eq!(data, clear, "{len} bytes");
        }
    }

    #[test]
    fn what_was_touched_stays_closed() {
        let Some(cipher) = Cipher::new(&[7; 32]) else { panic!("32 bytes are a key") };
        let mut data = *b"some secret";
        let Some(icv) = cipher.seal(&[1; 12], b"header", &mut data) else { panic!("it is short") };
        for len in [16, 12] {
            let mut touched = data;
            touched[3] ^= 1;
            let before = touched;
            assert!(!cipher.open(&[1; 12], b"header", &mut touched, &icv[..len]));
            assert_eq!(touched, before);
            assert!(!cipher.open(&[1; 12], b"Header", &mut data.clone(), &icv[..len]));
            assert!(!cipher.open(&[2; 12], b"header", &mut data.clone(), &icv[..len]));
        }
        assert!(cipher.open(&[1; 12], b"header", &mut data, &icv));
        assert_eq!(&data, b"some secret");
    }

    #[test]
    fn keys_have_two_lengths() {
        assert!(Cipher::new(&[0; 24]).is_none());
        assert!(Cipher::new(&[]).is_none());
        assert!(!Cipher::takes_icv_len(9));
    }
}
