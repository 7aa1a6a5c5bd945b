//! Names and indices of links (iproute2's `ll_map`).

use std::collections::BTreeMap;

use hairpin_netlink::Message;
use hairpin_netlink::route::link::{LinkAttribute, LinkExtentMask, LinkMessage, Prop};

use super::number::strtoul;
use super::{Context, Stop};

/// `IFF_UP`
pub(crate) const IFF_UP: u32 = 1;

/// What is remembered of a link.
#[derive(Clone, Debug)]
pub(crate) struct KnownLink {
    pub name: String,
    pub altnames: Vec<String>,
    /// It goes by another name now.
    pub renamed: bool,
    /// `IFF_*`
    pub flags: u32,
    /// `ARPHRD_*`
    pub layer: u16,
}

/// Links seen so far, by index.
#[derive(Debug, Default)]
pub(crate) struct LinkMap {
    known: BTreeMap<u32, KnownLink>,
}

impl LinkMap {
    /// `ll_remember_index`. Of a link that is known only the flags are new: it keeps the name by which it was seen first,
    /// but is found by that name no more.
    pub(crate) fn remember(&mut self, link: &LinkMessage) {
        let mut name = None;
        let mut altnames = Vec::new();
        for attribute in &link.attributes {
            match attribute {
                LinkAttribute::IfName(text) => name = Some(text.clone()),
                LinkAttribute::PropList(properties) => {
                    altnames.extend(properties.iter().filter_map(|property| match property {
                        Prop::AltIfName(text) => Some(text.clone()),
                        _ => None,
                    }));
                }
                _ => {}
            }
        }
        let (flags, layer) = (link.header.flags.bits(), u16::from(link.header.link_layer_type));
        let Some(name) = name else { return };
        match self.known.get_mut(&link.header.index) {
            Some(known) => {
                known.renamed = known.name != name;
                known.flags = flags;
            }
            None => {
                let link_seen = KnownLink { name, altnames, renamed: false, flags, layer };
                self.known.insert(link.header.index, link_seen);
            }
        }
    }

    /// Forgets a link that is gone.
    pub(crate) fn forget(&mut self, index: u32) {
        self.known.remove(&index);
    }

    /// Forgets everything: names may have changed.
    pub(crate) fn clear(&mut self) {
        self.known.clear();
    }

    pub(crate) fn get(&self, index: u32) -> Option<&KnownLink> {
        self.known.get(&index)
    }

    fn by_name(&self, name: &str) -> Option<u32> {
        let same = |link: &KnownLink| {
            link.name == name && !link.renamed || link.altnames.iter().any(|alt| alt == name)
        };
        self.known.iter().find(|(_, link)| same(link)).map(|(index, _)| *index)
    }
}

impl Context<'_> {
    /// The index of a link by name, alternative name or `ifN`; 0 if there is none.
    pub(crate) fn link_index(&mut self, name: &str) -> u32 {
        if let Some(index) = self.links.by_name(name) {
            return index;
        }
        let mut request = LinkMessage::default();
        request.attributes.push(ext_mask());
        request.attributes.push(if is_ifname(name) {
            LinkAttribute::IfName(name.to_owned())
        } else {
            alt_ifname(name)
        });
        match self.get_link(request) {
            Some(index) => index,
            None => if_index_name(name),
        }
    }

    /// The index of a link.
    ///
    /// # Errors
    /// There is none: `Cannot find device "NAME"`, exit code 1.
    pub(crate) fn require_link(&mut self, name: &str) -> Result<u32, Stop> {
        match self.link_index(name) {
            0 => Err(Stop::no_device(name)),
            index => Ok(index),
        }
    }

    /// The name of a link by index: `ifN` if there is none, `*` for 0.
    pub(crate) fn link_name(&mut self, index: u32) -> String {
        if index == 0 {
            return "*".to_owned();
        }
        if let Some(link) = self.links.get(index) {
            return link.name.clone();
        }
        let mut request = LinkMessage::default();
        request.header.index = index;
        request.attributes.push(ext_mask());
        self.get_link(request);
        self.links.get(index).map_or_else(|| format!("if{index}"), |link| link.name.clone())
    }

    /// `IFF_*` of a link that has been seen; none set if it has not.
    pub(crate) fn link_flags(&self, index: u32) -> Option<u32> {
        self.links.get(index).map(|link| link.flags)
    }

    /// Learns every link of the namespace.
    ///
    /// # Errors
    /// The kernel refuses the dump.
    pub(crate) fn learn_links(&mut self) -> Result<(), Stop> {
        let mut request = LinkMessage::default();
        request.attributes.push(LinkAttribute::ExtMask(vec![LinkExtentMask::Vf]));
        for message in self.dump(&Message::GetLink(request))? {
            if let Message::NewLink(link) = message {
                self.links.remember(&link);
            }
        }
        Ok(())
    }

    fn get_link(&mut self, request: LinkMessage) -> Option<u32> {
        let answer = self.talk_quietly(&Message::GetLink(request), 0).ok()?;
        answer.into_iter().find_map(|message| match message {
            Message::NewLink(link) => {
                self.links.remember(&link);
                Some(link.header.index)
            }
            _ => None,
        })
    }
}

/// Whether a text can be a link's name (`dev_valid_name`, less the names of directories).
pub(crate) fn is_ifname(name: &str) -> bool {
    name.len() < 16 && is_altname(name)
}

/// Whether a text can be a link's alternative name.
pub(crate) fn is_altname(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c == '/' || c.is_ascii_whitespace() || c == '\x0b')
}

/// A message that asks for one link leaves statistics out.
fn ext_mask() -> LinkAttribute {
    LinkAttribute::ExtMask(vec![LinkExtentMask::Vf, LinkExtentMask::SkipStats])
}

/// `IFLA_ALT_IFNAME` outside of the property list, as a request for a link by name has it.
pub(crate) fn alt_ifname(name: &str) -> LinkAttribute {
    const IFLA_ALT_IFNAME: u16 = 53;
    let mut value = name.as_bytes().to_vec();
    value.push(0);
    LinkAttribute::Other(hairpin_netlink::core::DefaultNla::new(IFLA_ALT_IFNAME, value))
}

fn if_index_name(name: &str) -> u32 {
    let number = name.strip_prefix("if").filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    number.and_then(|rest| strtoul(rest, 10)).map_or(0, |(index, _)| index as u32)
}
