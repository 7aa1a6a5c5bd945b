//! `-m owner`

use hairpin_netlink::netfilter::Match;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;

use super::super::names::number;
use super::not;

type Ids = Option<(u32, u32, bool)>;

#[derive(Default)]
pub(super) struct Owner {
    user: Ids,
    group: Ids,
    socket: Option<bool>,
}

impl Reader<Match> for Owner {
    fn name(&self) -> &'static str {
        "owner"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[
            opt("uid-owner").invertible(),
            opt("gid-owner").invertible(),
            opt("socket-exists").flag().invertible(),
        ];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        let (low, high) = given.value.split_once('-').unwrap_or((given.value, given.value));
        let id = |text: &str| match text {
            // The only user of a world.
            "root" => Some(0),
            text => number(text, u64::from(u32::MAX) - 1).map(|id| id as u32),
        };
        match given.id {
            "socket-exists" => self.socket = Some(!given.invert),
            which => {
                let (low, high) = id(low).zip(id(high)).ok_or_else(|| {
                    let (name, value) = (given.name, given.value);
                    Fail::parameter(format!("owner: Bad value for \"--{name}\" option: \"{value}\""))
                })?;
                let ids = Some((low, high, given.invert));
                match which {
                    "uid-owner" => self.user = ids,
                    _ => self.group = ids,
                }
            }
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        if self.user.is_none() && self.group.is_none() && self.socket.is_none() {
            return Err(Fail::parameter(
                "owner: At least one of --uid-owner, --gid-owner or --socket-exists is required",
            ));
        }
        Ok(Match::Owner { user: self.user, group: self.group, socket: self.socket })
    }
}

fn text(low: u32, high: u32) -> String {
    if low == high { low.to_string() } else { format!("{low}-{high}") }
}

pub(super) fn saved(user: Ids, group: Ids, socket: Option<bool>) -> String {
    let mut parts = " -m owner".to_owned();
    if let Some(wanted) = socket {
        parts += &format!("{} --socket-exists", not(!wanted));
    }
    for (title, ids) in [("uid", user), ("gid", group)] {
        if let Some((low, high, invert)) = ids {
            parts += &format!("{} --{title}-owner {}", not(invert), text(low, high));
        }
    }
    parts
}

pub(super) fn listed(user: Ids, group: Ids, socket: Option<bool>, numeric: bool) -> String {
    let mut parts = String::new();
    if let Some(wanted) = socket {
        parts += &format!("{} owner socket exists", not(!wanted));
    }
    for (title, ids) in [("UID", user), ("GID", group)] {
        if let Some((low, high, invert)) = ids {
            let shown = match (low, high) {
                (0, 0) if !numeric => "root".to_owned(),
                (low, high) => text(low, high),
            };
            parts += &format!("{} owner {title} match {shown}", not(invert));
        }
    }
    parts
}
