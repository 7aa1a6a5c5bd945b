//! Sets that rules ask (net/netfilter/ipset): [`element`] is how one is kept and found, [`packet`] what a packet's
//! element is; here are the sets by name and what programs do with them.

mod element;
mod packet;

use hairpin_netlink::Errno;
use hairpin_netlink::netfilter::ipset::{
    Element, Part, Place, Set as Shown, SetCall, SetOptions, SetType, Storage, error,
};
use hairpin_netlink::netfilter::{Match, NetfilterReply, Target};
use rustc_hash::FxHashMap;

use super::Netfilter;
use crate::time::Time;
use element::{Keep, Kept};

/// Sets that a namespace may have (`IP_SET_INC` times its growth).
const SETS_MAX: usize = 65534;
/// Bytes of a name, with its end (`IPSET_MAXNAMELEN`).
const NAME_MAX: usize = 31;

/// The sets of a namespace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sets {
    by_name: FxHashMap<String, Set>,
    /// The number of the newest set.
    numbers: u64,
}

/// A set.
#[derive(Clone, Debug)]
struct Set {
    kind: &'static SetType,
    options: SetOptions,
    /// The order in which sets are listed.
    number: u64,
    elements: Keep,
    /// Of a list: its sets in their order, with what [`Kept`] says of each.
    list: Vec<(String, Kept)>,
}

/// Lists that have sets as elements.
const LIST_ENTRY_BYTES: u64 = 48;

impl Netfilter {
    /// Performs what a program wants of the sets.
    ///
    /// # Errors
    /// See [`SetCall`].
    pub(super) fn set_call(&mut self, call: SetCall, now: Time) -> Result<Option<NetfilterReply>, Errno> {
        match call {
            SetCall::Create { name, kind, options, exist } => {
                self.sets.create(name, &kind, *options, exist)?
            }
            SetCall::Destroy(None) => {
                // All or nothing: what rules or lists hold stays (`ip_set_destroy`).
                let names: Vec<String> = self.sets.by_name.keys().cloned().collect();
                if names.iter().any(|name| self.references(name) > 0) {
                    return Err(error::BUSY);
                }
                self.sets.by_name.clear();
            }
            SetCall::Destroy(Some(name)) => {
                self.sets.get(&name)?;
                if self.references(&name) > 0 {
                    return Err(error::BUSY);
                }
                self.sets.by_name.remove(&name);
            }
            SetCall::Flush(None) => self.sets.by_name.values_mut().for_each(Set::flush),
            SetCall::Flush(Some(name)) => self.sets.get_mut(&name)?.flush(),
            SetCall::Rename { from, to } => {
                self.sets.get(&from)?;
                if self.references(&from) > 0 {
                    return Err(error::REFERENCED);
                }
                if self.sets.by_name.contains_key(&to) {
                    return Err(error::EXIST_SETNAME2);
                }
                if to.is_empty() || to.len() > NAME_MAX {
                    return Err(Errno::EINVAL);
                }
                if let Some(set) = self.sets.by_name.remove(&from) {
                    self.sets.by_name.insert(to, set);
                }
            }
            SetCall::Swap { one, other } => {
                let (a, b) = (self.sets.get(&one)?, self.sets.by_name.get(&other));
                let b = b.ok_or(error::EXIST_SETNAME2)?;
                if a.kind.name != b.kind.name || a.options.family != b.options.family {
                    return Err(error::TYPE_MISMATCH);
                }
                let (Some(mut a), Some(mut b)) =
                    (self.sets.by_name.remove(&one), self.sets.by_name.remove(&other))
                else {
                    return Err(Errno::ENOENT);
                };
                // The names keep their places.
                std::mem::swap(&mut a.number, &mut b.number);
                self.sets.by_name.insert(one, b);
                self.sets.by_name.insert(other, a);
            }
            SetCall::List(name) => return self.list_sets(name.as_deref(), now).map(Some),
            SetCall::Add { set, elements, exist } => {
                for element in elements {
                    self.sets.add(&set, &element, exist, now)?;
                }
            }
            SetCall::Delete { set, elements, exist } => {
                for element in elements {
                    match self.sets.get_mut(&set)?.delete(&element, now) {
                        Err(errno) if exist && errno == error::EXIST => {}
                        other => other?,
                    }
                }
            }
            SetCall::Test { set, element } => {
                let found = self.sets.get(&set)?.has(&element, now)?;
                return Ok(Some(NetfilterReply::Tested(found)));
            }
        }
        Ok(None)
    }

    fn list_sets(&self, name: Option<&str>, now: Time) -> Result<NetfilterReply, Errno> {
        let mut wanted: Vec<(&String, &Set)> = match name {
            Some(name) => {
                let found = self.sets.by_name.get_key_value(name).ok_or(Errno::ENOENT)?;
                vec![found]
            }
            None => self.sets.by_name.iter().collect(),
        };
        // Lists last: restored in this order, what they name is there (`ip_set_dump_do`).
        wanted.sort_by_key(|(_, set)| (set.kind.storage == Storage::List, set.number));
        let shown = wanted.into_iter().map(|(name, set)| Shown {
            name: name.clone(),
            kind: set.kind.name.to_owned(),
            options: set.options.clone(),
            memory: set.memory(now),
            references: self.references(name),
            elements: set.shown(now),
        });
        Ok(NetfilterReply::Sets(shown.collect()))
    }

    /// How many rules and lists name a set.
    fn references(&self, name: &str) -> u32 {
        let lists = self.sets.by_name.values().flat_map(|set| &set.list).filter(|(known, _)| known == name);
        self.rules_naming(name) + u32::try_from(lists.count()).unwrap_or(u32::MAX)
    }

    fn rules_naming(&self, name: &str) -> u32 {
        let mut count = 0;
        let tables = self.tables.iter().flatten().flatten();
        for armed in tables.flat_map(|table| &table.chains).flat_map(|chain| &chain.rules) {
            let matches = armed.rule.matches.iter();
            count +=
                matches.filter(|found| matches!(found, Match::Set(set) if set.sides.set == name)).count();
            if let Target::Set(change) = &armed.rule.target {
                let named = change.add.iter().chain(&change.delete);
                count += named.filter(|sides| sides.set == name).count();
            }
        }
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}

impl Sets {
    fn get(&self, name: &str) -> Result<&Set, Errno> {
        self.by_name.get(name).ok_or(Errno::ENOENT)
    }

    fn get_mut(&mut self, name: &str) -> Result<&mut Set, Errno> {
        self.by_name.get_mut(name).ok_or(Errno::ENOENT)
    }

    pub fn contains(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// `ip_set_create`
    fn create(&mut self, name: String, kind: &str, options: SetOptions, exist: bool) -> Result<(), Errno> {
        let kind = SetType::by_name(kind).ok_or(error::FIND_TYPE)?;
        if name.is_empty() || name.len() > NAME_MAX {
            return Err(Errno::EINVAL);
        }
        if let Some(known) = self.by_name.get(&name) {
            let alike = known.kind.name == kind.name
                && SetOptions { initial: 0, ..known.options.clone() }
                    == SetOptions { initial: 0, ..options.clone() };
            return if exist && alike { Ok(()) } else { Err(Errno::EEXIST) };
        }
        if self.by_name.len() >= SETS_MAX {
            return Err(Errno(4099));
        }
        self.numbers += 1;
        let elements = Keep::new(kind, &options)?;
        self.by_name.insert(name, Set { kind, options, number: self.numbers, elements, list: Vec::new() });
        Ok(())
    }

    fn add(&mut self, name: &str, element: &Element, exist: bool, now: Time) -> Result<(), Errno> {
        let set = self.get(name)?;
        if set.kind.storage == Storage::List {
            let Some(Part::Set(member)) = element.parts.first() else { return Err(Errno::EINVAL) };
            match self.by_name.get(member) {
                None => return Err(error::LIST_NAME),
                Some(member) if member.kind.storage == Storage::List => return Err(error::LIST_LOOP),
                Some(_) => {}
            }
        }
        self.get_mut(name)?.add(element, exist, now)
    }
}

impl Set {
    fn flush(&mut self) {
        self.elements.clear();
        self.list.clear();
    }

    fn check(&self, element: &Element) -> Result<(), Errno> {
        if element.timeout_s.is_some() && self.options.timeout_s.is_none() {
            return Err(error::TIMEOUT);
        }
        if element.counters.is_some() && !self.options.counters {
            return Err(error::COUNTER);
        }
        if element.comment.is_some() && !self.options.comment {
            return Err(error::COMMENT);
        }
        Ok(())
    }

    fn kept(&self, element: &Element, now: Time) -> Kept {
        let timeout_s = element.timeout_s.or(self.options.timeout_s);
        Kept {
            nomatch: element.nomatch,
            expires: element::expiry(timeout_s, now),
            counters: element.counters.unwrap_or_default(),
            comment: element.comment.clone(),
            number: 0,
        }
    }

    fn add(&mut self, element: &Element, exist: bool, now: Time) -> Result<(), Errno> {
        self.check(element)?;
        let kept = self.kept(element, now);
        if self.kind.storage == Storage::List {
            return self.add_to_list(element, kept, exist, now);
        }
        let key = self.elements.key(&element.parts)?;
        self.elements.insert(key, kept, exist, now)
    }

    /// `list_set_uadd`
    fn add_to_list(&mut self, element: &Element, kept: Kept, exist: bool, now: Time) -> Result<(), Errno> {
        let Some(Part::Set(name)) = element.parts.first() else { return Err(Errno::EINVAL) };
        self.list.retain(|(_, kept)| !kept.has_expired(now));
        let at = self.list.iter().position(|(known, _)| known == name);
        if at.is_some() && !exist {
            return Err(error::EXIST);
        }
        let beside = match &element.beside {
            None => self.list.len(),
            Some((place, reference)) => {
                let found = self.list.iter().position(|(known, _)| known == reference);
                let found = found.ok_or(error::LIST_REFERENCE_IN_SET)?;
                found + usize::from(*place == Place::After)
            }
        };
        if let Some(at) = at {
            if let Some((_, known)) = self.list.get_mut(at) {
                *known = kept;
            }
            return Ok(());
        }
        if self.list.len() >= self.options.size as usize {
            return Err(error::LIST_FULL);
        }
        self.list.insert(beside.min(self.list.len()), (name.clone(), kept));
        Ok(())
    }

    fn delete(&mut self, element: &Element, now: Time) -> Result<(), Errno> {
        if self.kind.storage == Storage::List {
            let Some(Part::Set(name)) = element.parts.first() else { return Err(Errno::EINVAL) };
            let at = self.list.iter().position(|(known, kept)| known == name && !kept.has_expired(now));
            self.list.remove(at.ok_or(error::EXIST)?);
            return Ok(());
        }
        let key = self.elements.key(&element.parts)?;
        if self.elements.remove(&key, now) { Ok(()) } else { Err(error::EXIST) }
    }

    /// Whether a program finds an element, whole networks as such and single addresses by what covers them.
    fn has(&self, element: &Element, now: Time) -> Result<bool, Errno> {
        self.check(element)?;
        if self.kind.storage == Storage::List {
            let Some(Part::Set(name)) = element.parts.first() else { return Err(Errno::EINVAL) };
            let at = self.list.iter().position(|(known, kept)| known == name && !kept.has_expired(now));
            let beside = match (&element.beside, at) {
                (None, _) | (_, None) => true,
                (Some((place, reference)), Some(at)) => {
                    let other = self.list.iter().position(|(known, _)| known == reference);
                    match place {
                        Place::Before => other == Some(at + 1),
                        Place::After => other.is_some_and(|other| other + 1 == at),
                    }
                }
            };
            return Ok(at.is_some() && beside);
        }
        let key = self.elements.key(&element.parts)?;
        Ok(self.elements.test(&key, &element.parts, now) == Some(element.nomatch))
    }

    fn shown(&self, now: Time) -> Vec<Element> {
        let has_timeouts = self.options.timeout_s.is_some();
        let show = |parts: Vec<Part>, kept: &Kept| Element {
            parts,
            nomatch: kept.nomatch,
            timeout_s: has_timeouts.then(|| kept.timeout_s(now)),
            counters: self.options.counters.then_some(kept.counters),
            comment: kept.comment.clone(),
            beside: None,
        };
        if self.kind.storage == Storage::List {
            let alive = self.list.iter().filter(|(_, kept)| !kept.has_expired(now));
            return alive.map(|(name, kept)| show(vec![Part::Set(name.clone())], kept)).collect();
        }
        self.elements.all(now).into_iter().map(|(parts, kept)| show(parts, kept)).collect()
    }

    /// About what Linux says: it takes buckets by chance.
    fn memory(&self, now: Time) -> u64 {
        let more = u64::from(self.options.timeout_s.is_some()) * 8
            + u64::from(self.options.counters) * 16
            + u64::from(self.options.comment) * 8
            + u64::from(self.options.skbinfo) * 16;
        match self.kind.storage {
            Storage::List => 80 + self.list.len() as u64 * (LIST_ENTRY_BYTES + more),
            _ => self.elements.memory(&self.options, more, now),
        }
    }
}
