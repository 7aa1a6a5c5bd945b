//! `-m comment`

use hairpin_netlink::netfilter::Match;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;

use super::super::text::quoted;

/// Characters with the final zero (`XT_MAX_COMMENT_LEN`).
const LENGTH_MAX: usize = 255;

#[derive(Default)]
pub(super) struct Comment(String);

impl Reader<Match> for Comment {
    fn name(&self) -> &'static str {
        "comment"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[opt("comment").required()];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        self.0 = given.value.chars().take(LENGTH_MAX).collect();
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        Ok(Match::Comment(std::mem::take(&mut self.0)))
    }
}

pub(super) fn saved(text: &str) -> String {
    format!(" -m comment --comment {}", quoted(text))
}

pub(super) fn listed(text: &str) -> String {
    format!(" /* {text} */")
}
