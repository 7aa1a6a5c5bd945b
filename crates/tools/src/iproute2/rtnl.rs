//! Requests to the kernel, and what is said when it refuses (iproute2's libnetlink).

use hairpin_netlink::codec::{
    Header, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NLMSG_DONE, encode, encode_raw, messages,
};
use hairpin_netlink::core::NetlinkSerializable;
use hairpin_netlink::{Call, Errno, Failure, Message, Reply};

use super::{Context, Stop};

/// The longest request in bytes.
const MESSAGE_MAX: usize = 32 * 1024;

impl Context<'_> {
    /// Sends a request with `NLM_F_REQUEST | flags` and returns what came before the acknowledgement.
    /// A warning of the kernel is printed.
    ///
    /// # Errors
    /// The refusal as libnetlink words it, exit code 2.
    pub(crate) fn talk(&mut self, message: &Message, flags: u16) -> Result<Vec<Message>, Stop> {
        self.talk_quietly(message, flags).map_err(|failure| Stop::fail(2, refusal(&failure)))
    }

    /// As [`Context::talk`], with the refusal itself.
    ///
    /// # Errors
    /// What the kernel answered.
    pub(crate) fn talk_quietly(&mut self, message: &Message, flags: u16) -> Result<Vec<Message>, Failure> {
        let answer = self.exchange(message, flags | NLM_F_ACK)?;
        let mut found = Vec::new();
        for decoded in messages(&answer) {
            match decoded.outcome() {
                Some(Ok(())) => {
                    if let Some(text) = decoded.text() {
                        self.complain(&notice("Warning", &text));
                    }
                }
                Some(Err(failure)) => return Err(failure),
                None => found.extend(decoded.message().ok()),
            }
        }
        Ok(found)
    }

    /// Asks for a dump.
    ///
    /// # Errors
    /// The refusal as libnetlink words it with `Dump terminated`, exit code 1.
    pub(crate) fn dump(&mut self, message: &Message) -> Result<Vec<Message>, Stop> {
        self.dump_or_text(message).map_err(|text| Stop::exit(1, format!("{text}Dump terminated\n")))
    }

    /// As [`Context::dump`].
    ///
    /// # Errors
    /// The refusal as libnetlink words it; empty where it says nothing.
    pub(crate) fn dump_or_text(&mut self, message: &Message) -> Result<Vec<Message>, String> {
        self.dump_quietly(message).map_err(|refused| refused.text)
    }

    /// As [`Context::dump_or_text`], with the error number at the dump's end.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn dump_quietly(&mut self, message: &Message) -> Result<Vec<Message>, RefusedDump> {
        let answer = match self.exchange(message, NLM_F_DUMP) {
            Ok(answer) => answer,
            Err(errno) => {
                return Err(RefusedDump { text: format!("Cannot send dump request: {errno}\n"), end: None });
            }
        };
        let mut found = Vec::new();
        for decoded in messages(&answer) {
            match decoded.outcome() {
                Some(Ok(())) => {
                    if let Some(text) = decoded.text() {
                        self.complain(&notice("Warning", &text));
                    }
                }
                Some(Err(failure)) => {
                    let text = dump_refusal(&failure, decoded.header.kind);
                    let end = Some(failure.errno).filter(|_| decoded.header.kind == NLMSG_DONE);
                    return Err(RefusedDump { text, end });
                }
                None => found.extend(decoded.message().ok()),
            }
        }
        Ok(found)
    }

    /// As [`Context::talk`] with a message that has no typed form: its type and payload. What came before the
    /// acknowledgement is not looked at.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn talk_raw(&mut self, kind: u16, payload: &[u8], flags: u16) -> Result<(), Stop> {
        let refused = |failure: Failure| Stop::fail(2, refusal(&failure));
        let answer =
            self.exchange_raw(kind, payload, flags | NLM_F_ACK).map_err(|errno| refused(errno.into()))?;
        for decoded in messages(&answer) {
            match decoded.outcome() {
                Some(Ok(())) => {
                    if let Some(text) = decoded.text() {
                        self.complain(&notice("Warning", &text));
                    }
                }
                Some(Err(failure)) => return Err(refused(failure)),
                None => {}
            }
        }
        Ok(())
    }

    /// As [`Context::dump`] with a message that has no typed form; types and payloads of the answer.
    ///
    /// # Errors
    /// The refusal as libnetlink words it; empty where it says nothing.
    pub(crate) fn dump_raw(&mut self, kind: u16, payload: &[u8]) -> Result<Vec<(u16, Vec<u8>)>, String> {
        let answer = self
            .exchange_raw(kind, payload, NLM_F_DUMP)
            .map_err(|errno| format!("Cannot send dump request: {errno}\n"))?;
        let mut found = Vec::new();
        for decoded in messages(&answer) {
            match decoded.outcome() {
                Some(Ok(())) => {}
                Some(Err(failure)) => return Err(dump_refusal(&failure, decoded.header.kind)),
                None => found.push((decoded.header.kind, decoded.payload.to_vec())),
            }
        }
        Ok(found)
    }

    /// Asks for one object with a message that has no typed form; types and payloads of what came before the acknowledgement.
    ///
    /// # Errors
    /// What the kernel answered.
    pub(crate) fn ask_raw(&mut self, kind: u16, payload: &[u8]) -> Result<Vec<(u16, Vec<u8>)>, Failure> {
        let answer = self.exchange_raw(kind, payload, 0)?;
        let mut found = Vec::new();
        for decoded in messages(&answer) {
            match decoded.outcome() {
                Some(Ok(())) => {}
                Some(Err(failure)) => return Err(failure),
                None => found.push((decoded.header.kind, decoded.payload.to_vec())),
            }
        }
        Ok(found)
    }

    fn exchange(&mut self, message: &Message, flags: u16) -> Result<Vec<u8>, Errno> {
        // The length of an attribute has 16 bits.
        if message.buffer_len() > MESSAGE_MAX {
            return Err(Errno::EMSGSIZE);
        }
        self.exchange_bytes(encode(message, NLM_F_REQUEST | flags, 1, 0))
    }

    fn exchange_raw(&mut self, kind: u16, payload: &[u8], flags: u16) -> Result<Vec<u8>, Errno> {
        if payload.len() > MESSAGE_MAX {
            return Err(Errno::EMSGSIZE);
        }
        let header = Header { kind, flags: NLM_F_REQUEST | flags, sequence: 1, port: 0 };
        self.exchange_bytes(encode_raw(header, payload))
    }

    fn exchange_bytes(&mut self, request: Vec<u8>) -> Result<Vec<u8>, Errno> {
        match self.system.call(Call::Netlink(request))? {
            Reply::Bytes(bytes) => Ok(bytes),
            _ => Err(Errno::EPROTO),
        }
    }
}

/// A dump that the kernel refused or broke off.
pub(crate) struct RefusedDump {
    /// What libnetlink says of it; may be empty.
    pub text: String,
    /// The error number of a dump that began (`NLMSG_DONE`).
    pub end: Option<Errno>,
}

/// How libnetlink reports a refused request.
pub(crate) fn refusal(failure: &Failure) -> String {
    match &failure.text {
        Some(text) if !text.is_empty() => notice("Error", text),
        _ => format!("RTNETLINK answers: {}\n", failure.errno),
    }
}

/// How libnetlink reports a dump that ended with an error (`rtnl_dump_done`, `rtnl_dump_error`).
pub(super) fn dump_refusal(failure: &Failure, kind: u16) -> String {
    if kind != NLMSG_DONE {
        return format!("RTNETLINK answers: {}\n", failure.errno);
    }
    match (&failure.text, failure.errno) {
        (Some(text), _) if !text.is_empty() => notice("Error", text),
        (_, Errno::ENOENT | Errno::EOPNOTSUPP) => String::new(),
        (_, Errno::EMSGSIZE) => "Error: Buffer too small for object.\n".to_owned(),
        _ => format!("RTNETLINK answers: {}\n", failure.errno),
    }
}

/// An extended-ack text, with a full stop if it has none.
fn notice(kind: &str, text: &str) -> String {
    let stop = if text.ends_with('.') { "" } else { "." };
    format!("{kind}: {text}{stop}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extended_texts_end_with_one_full_stop() {
        let failure = Failure::with_text(Errno::EINVAL, "Invalid gateway");
        assert_eq!(refusal(&failure), "Error: Invalid gateway.\n");
        let failure = Failure::with_text(Errno::EINVAL, "Invalid.");
        assert_eq!(refusal(&failure), "Error: Invalid.\n");
        assert_eq!(refusal(&Errno::EEXIST.into()), "RTNETLINK answers: File exists\n");
    }
}
