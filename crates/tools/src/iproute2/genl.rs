//! Requests to generic netlink families (iproute2's libgenl).

use hairpin_netlink::codec::{Header, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, encode_raw, messages};
use hairpin_netlink::{Call, Errno, Reply};

use super::rtnl::{dump_refusal, refusal};
use super::{Context, Stop};

/// `GENL_HDRLEN`
const HEADER_LEN: usize = 4;

/// A generic netlink family.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Family {
    pub name: &'static str,
    pub version: u8,
}

impl Context<'_> {
    /// Sends a command with its attributes.
    ///
    /// # Errors
    /// The refusal as libnetlink words it, exit code 2; 1 where there is no such family.
    pub(crate) fn talk_generic(
        &mut self,
        family: Family,
        command: u8,
        attributes: &[u8],
    ) -> Result<(), Stop> {
        let answer = self.exchange_generic(family, command, attributes, NLM_F_ACK)?;
        for decoded in messages(&answer) {
            if let Some(Err(failure)) = decoded.outcome() {
                return Err(Stop::fail(2, refusal(&failure)));
            }
        }
        Ok(())
    }

    /// Asks for a dump: the attributes of its messages.
    ///
    /// # Errors
    /// The refusal as libnetlink words it, exit code 1.
    pub(crate) fn dump_generic(&mut self, family: Family, command: u8) -> Result<Vec<Vec<u8>>, Stop> {
        let answer = self.exchange_generic(family, command, &[], NLM_F_DUMP)?;
        let mut found = Vec::new();
        for decoded in messages(&answer) {
            match decoded.outcome() {
                Some(Ok(())) => {}
                Some(Err(failure)) => {
                    let text = dump_refusal(&failure, decoded.header.kind);
                    return Err(Stop::exit(1, format!("{text}Dump terminated\n")));
                }
                None => found.push(decoded.payload.get(HEADER_LEN..).unwrap_or(&[]).to_vec()),
            }
        }
        Ok(found)
    }

    fn exchange_generic(
        &mut self,
        family: Family,
        command: u8,
        attributes: &[u8],
        flags: u16,
    ) -> Result<Vec<u8>, Stop> {
        let payload = [&[command, family.version, 0, 0], attributes].concat();
        let header = Header { kind: 0, flags: NLM_F_REQUEST | flags, sequence: 1, port: 0 };
        let request = encode_raw(header, &payload);
        // `genl_resolve_family`
        let refused =
            |errno: Errno| Stop::exit(1, format!("{}Error talking to the kernel\n", refusal(&errno.into())));
        match self.system.call(Call::GenericNetlink { family: family.name.to_owned(), request }) {
            Ok(Reply::Bytes(bytes)) => Ok(bytes),
            Ok(_) => Err(refused(Errno::EPROTO)),
            Err(errno) => Err(refused(errno)),
        }
    }
}
