//! Generic netlink: one request to a family, and its answer (`genl_rcv_msg`).

use hairpin_netlink::codec::{self, NLM_F_DUMP};
use hairpin_netlink::{Answer, Errno, macsec};

use super::macsec::MacsecRequest;
use crate::netns::NsId;
use crate::world::World;

/// `GENL_HDRLEN`
const HEADER_LEN: usize = 4;

impl World {
    /// Answers a request of a namespace to the family of this name.
    ///
    /// # Errors
    /// `ENOENT`: there is no such family. `EINVAL`: no message.
    pub(crate) fn generic_netlink(
        &mut self,
        ns: NsId,
        family: &str,
        request: &[u8],
    ) -> Result<Vec<u8>, Errno> {
        if family != macsec::FAMILY {
            return Err(Errno::ENOENT);
        }
        let decoded = codec::messages(request).next().ok_or(Errno::EINVAL)?;
        let mut answer = Answer::new(decoded.header);
        let Some((&[command, ..], attributes)) = decoded.payload.split_first_chunk::<HEADER_LEN>() else {
            return Ok(answer.end(Err(Errno::EINVAL.into())));
        };
        if command == macsec::command::GET_TXSC {
            if decoded.header.flags & NLM_F_DUMP != NLM_F_DUMP {
                return Ok(answer.end(Err(Errno::EOPNOTSUPP.into())));
            }
            self.dump_macsecs(ns, &mut answer);
            return Ok(answer.done());
        }
        let outcome = MacsecRequest::read(command, attributes)
            .and_then(|request| self.change_macsec_channels(ns, &request).map_err(Into::into));
        if outcome.is_ok() {
            self.changed();
        }
        self.run();
        Ok(answer.end(outcome))
    }
}
