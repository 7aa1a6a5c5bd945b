//! `-m owner`

use hairpin_netlink::netfilter::Match;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;

use super::super::names::{Names, number};
use super::not;

type Ids = Option<(u32, u32, bool)>;

#[derive(Default)]
pub(super) struct Owner {
    user: Ids,
    group: Ids,
    socket: Option<bool>,
    supplementary: bool,
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
            opt("suppl-groups").flag(),
        ];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, rest: &mut Rest<'_, '_>) -> Result<(), Fail> {
        let of_name = match given.id {
            "uid-owner" => rest.names.user_id(given.value),
            "gid-owner" => rest.names.group_id(given.value),
            _ => None,
        };
        let (low, high) = given.value.split_once('-').unwrap_or((given.value, given.value));
        let id = |text: &str| of_name.or_else(|| number(text, u64::from(u32::MAX) - 1).map(|id| id as u32));
        match given.id {
            "socket-exists" => self.socket = Some(!given.invert),
            "suppl-groups" => self.supplementary = true,
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
        Ok(Match::Owner {
            user: self.user,
            group: self.group,
            socket: self.socket,
            supplementary: self.supplementary,
        })
    }
}

fn text(low: u32, high: u32) -> String {
    if low == high { low.to_string() } else { format!("{low}-{high}") }
}

pub(super) fn saved(user: Ids, group: Ids, socket: Option<bool>, supplementary: bool) -> String {
    let mut parts = " -m owner".to_owned();
    if let Some(wanted) = socket {
        parts += &format!("{} --socket-exists", not(!wanted));
    }
    for (title, ids) in [("uid", user), ("gid", group)] {
        if let Some((low, high, invert)) = ids {
            parts += &format!("{} --{title}-owner {}", not(invert), text(low, high));
        }
    }
    if supplementary {
        parts += " --suppl-groups";
    }
    parts
}

pub(super) fn listed(
    user: Ids,
    group: Ids,
    socket: Option<bool>,
    supplementary: bool,
    names: &mut Names<'_>,
    numeric: bool,
) -> String {
    let mut parts = String::new();
    if let Some(wanted) = socket {
        parts += &format!("{} owner socket exists", not(!wanted));
    }
    for (title, ids) in [("UID", user), ("GID", group)] {
        if let Some((low, high, invert)) = ids {
            let name = match title {
                _ if numeric || low != high => None,
                "UID" => names.user(low),
                _ => names.group(low),
            };
            let shown = name.unwrap_or_else(|| text(low, high));
            parts += &format!("{} owner {title} match {shown}", not(invert));
        }
    }
    if supplementary {
        parts += " incl. suppl. groups";
    }
    parts
}
