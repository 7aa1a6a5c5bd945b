//! `cansend` and `candump`, in the manner of can-utils 2020.11: CAN frames by hand.
//!
//! * [`send`] `cansend`
//! * [`dump`] `candump`
//! * [`text`] a frame as they read and write it

pub(crate) mod dump;
pub(crate) mod send;
mod text;

/// Bits of an identifier (`CAN_EFF_FLAG`, `CAN_RTR_FLAG`, `CAN_ERR_FLAG`), and of a filter's (`CAN_INV_FILTER`).
const EXTENDED: u32 = 0x8000_0000;
const REMOTE: u32 = 0x4000_0000;
const ERROR: u32 = 0x2000_0000;
const INVERTED: u32 = ERROR;
/// `CAN_SFF_MASK`, `CAN_EFF_MASK`, `CAN_ERR_MASK`
const STANDARD_MASK: u32 = 0x7ff;
const EXTENDED_MASK: u32 = 0x1fff_ffff;

/// Most bytes of data.
const CAN_DATA: usize = 8;
const CANFD_DATA: usize = 64;
/// `CAN_MTU`, `CANFD_MTU`
const CAN_MTU: usize = 16;
const CANFD_MTU: usize = 72;

/// `struct can_frame`, `struct canfd_frame`
#[derive(Clone, Debug, PartialEq, Eq)]
struct Frame {
    id: u32,
    /// What it says of its length.
    len: u8,
    /// Of CAN FD.
    flags: u8,
    /// Of CAN FD.
    is_fd: bool,
    data: [u8; CANFD_DATA],
}

impl Frame {
    fn new(id: u32, is_fd: bool) -> Frame {
        Frame { id, len: 0, flags: 0, is_fd, data: [0; CANFD_DATA] }
    }

    fn data_max(&self) -> usize {
        if self.is_fd { CANFD_DATA } else { CAN_DATA }
    }

    /// The data that it says it has.
    fn data(&self) -> &[u8] {
        self.data.get(..usize::from(self.len).min(self.data_max())).unwrap_or(&self.data)
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.id.to_ne_bytes().to_vec();
        bytes.extend([self.len, self.flags, 0, 0]);
        bytes.extend(&self.data);
        bytes.truncate(if self.is_fd { CANFD_MTU } else { CAN_MTU });
        bytes
    }

    fn of_bytes(bytes: &[u8]) -> Option<Frame> {
        let is_fd = match bytes.len() {
            CAN_MTU => false,
            CANFD_MTU => true,
            _ => return None,
        };
        let mut frame = Frame::new(u32::from_ne_bytes(*bytes.first_chunk()?), is_fd);
        (frame.len, frame.flags) = (*bytes.get(4)?, *bytes.get(5)?);
        for (place, byte) in frame.data.iter_mut().zip(bytes.get(8..)?) {
            *place = *byte;
        }
        Some(frame)
    }
}
