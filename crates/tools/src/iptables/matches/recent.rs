//! `-m recent`

use std::net::IpAddr;

use hairpin_netlink::netfilter::Match;
use hairpin_netlink::netfilter::counting::{Recent, RecentAction};

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;
use super::super::names::mask_of;
use super::not;

#[derive(Default)]
pub(super) struct Reading {
    action: Option<(RecentAction, bool)>,
    seconds: u32,
    hits: u32,
    reap: bool,
    ttl: bool,
    name: Option<String>,
    mask: Option<IpAddr>,
    destination: bool,
}

impl Reader<Match> for Reading {
    fn name(&self) -> &'static str {
        "recent"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[
            opt("set").flag().invertible().exclusive(1),
            opt("rcheck").flag().invertible().exclusive(1),
            opt("update").flag().invertible().exclusive(1),
            opt("remove").flag().invertible().exclusive(1),
            opt("seconds"),
            opt("reap").flag().also("seconds"),
            opt("hitcount"),
            opt("rttl").flag(),
            opt("name"),
            opt("rsource").flag(),
            opt("rdest").flag(),
            opt("mask"),
        ];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, rest: &mut Rest<'_, '_>) -> Result<(), Fail> {
        let max = u64::from(u32::MAX);
        match given.id {
            "set" => self.action = Some((RecentAction::Set, given.invert)),
            "rcheck" => self.action = Some((RecentAction::Check, given.invert)),
            "update" => self.action = Some((RecentAction::Update, given.invert)),
            "remove" => self.action = Some((RecentAction::Remove, given.invert)),
            "seconds" => self.seconds = given.number(1, max)? as u32,
            "reap" => self.reap = true,
            "hitcount" => self.hits = given.number(0, max)? as u32,
            "rttl" => self.ttl = true,
            "rsource" => self.destination = false,
            "rdest" => self.destination = true,
            "mask" => self.mask = Some(rest.names.one_host(given.value)?),
            _ => self.name = Some(given.value.to_owned()),
        }
        Ok(())
    }

    fn first(&mut self) -> Result<(), Fail> {
        match self.action {
            Some(_) => Ok(()),
            None => Err(Fail::parameter(
                "recent: you must specify one of `--set', `--rcheck' `--update' or `--remove'",
            )),
        }
    }

    fn finish(&mut self, rest: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        let (action, invert) = self.action.unwrap_or((RecentAction::Set, false));
        Ok(Match::Recent(Box::new(Recent {
            action,
            invert,
            seconds: self.seconds,
            hits: self.hits,
            reap: self.reap,
            ttl: self.ttl,
            name: self.name.take().unwrap_or_else(|| "DEFAULT".to_owned()),
            mask: self.mask.unwrap_or_else(|| mask_of(rest.family(), 128)),
            destination: self.destination,
        })))
    }
}

pub(super) fn saved(found: &Recent) -> String {
    let action = match found.action {
        RecentAction::Set => "set",
        RecentAction::Check => "rcheck",
        RecentAction::Update => "update",
        RecentAction::Remove => "remove",
    };
    let mut text = format!(" -m recent{} --{action}", not(found.invert));
    if found.seconds != 0 {
        text += &format!(" --seconds {}", found.seconds);
    }
    if found.reap {
        text += " --reap";
    }
    if found.hits != 0 {
        text += &format!(" --hitcount {}", found.hits);
    }
    if found.ttl {
        text += " --rttl";
    }
    let side = if found.destination { "rdest" } else { "rsource" };
    text + &format!(" --name {} --mask {} --{side}", found.name, found.mask)
}

pub(super) fn listed(found: &Recent) -> String {
    let action = match found.action {
        RecentAction::Set => "SET",
        RecentAction::Check => "CHECK",
        RecentAction::Update => "UPDATE",
        RecentAction::Remove => "REMOVE",
    };
    let mut text = format!("{} recent: {action}", not(found.invert));
    if found.seconds != 0 {
        text += &format!(" seconds: {}", found.seconds);
    }
    if found.reap {
        text += " reap";
    }
    if found.hits != 0 {
        text += &format!(" hit_count: {}", found.hits);
    }
    if found.ttl {
        text += " TTL-Match";
    }
    let side = if found.destination { "dest" } else { "source" };
    text + &format!(" name: {} side: {side} mask: {}", found.name, found.mask)
}
