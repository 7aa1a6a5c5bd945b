//! `ip link add`, `set`, `change`, `replace`, `delete` (iproute2's `iplink_parse`, `iplink_modify`).

use hairpin_netlink::codec::{NLM_F_CREATE, NLM_F_ECHO};
use hairpin_netlink::route::link::{
    AfSpecInet6, AfSpecUnspec, In6AddrGenMode, InfoKind, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
    LinkProtocolDownReason, State,
};
use hairpin_netlink::{Fd, Message};

use super::print::{operational_state, print_link};
use super::{garbage, kind, lladdr, on_off, parse_on_off, usage};
use crate::ip::filter::Filter;
use crate::iproute2::links::{is_altname, is_ifname};
use crate::iproute2::names::Table;
use crate::iproute2::number::{atoi, get_i32, get_u32};
use crate::iproute2::{Args, Context, Stop, find, matches};

/// The most bytes an alias may have, with its end.
const IFALIASZ: usize = 256;

/// What the words before `type KIND` come to.
pub(super) struct Parsed {
    pub message: LinkMessage,
    pub kind: Option<String>,
}

/// Creates or changes a link with the given `NLM_F_*`, or with `None` deletes it.
pub(super) fn modify(context: &mut Context<'_>, mut args: Args<'_>, flags: Option<u16>) -> Result<(), Stop> {
    let mut opened = Vec::new();
    let outcome = request(context, &mut args, flags, &mut opened);
    for fd in opened {
        // A descriptor that cannot be closed does no harm.
        let _ = context.system.close(fd);
    }
    context.forget();
    outcome
}

fn request(
    context: &mut Context<'_>,
    args: &mut Args<'_>,
    flags: Option<u16>,
    opened: &mut Vec<Fd>,
) -> Result<(), Stop> {
    let create = flags.is_some_and(|flags| flags & NLM_F_CREATE != 0);
    let Parsed { mut message, kind } = Parser::new(create, opened).parse(context, args)?;
    if let Some(kind) = kind {
        let mut info = vec![LinkInfo::Kind(InfoKind::from(kind.as_str()))];
        if !args.is_empty() {
            let existing = (!create).then_some(message.header.index);
            info.push(match kind::parse(context, &kind, args, existing, opened)? {
                kind::Data::Link(data) => LinkInfo::Data(data),
                kind::Data::Port(data) => LinkInfo::PortData(data),
            });
        }
        message.attributes.push(LinkAttribute::LinkInfo(info));
    } else if create {
        return Err(Stop::fail(1, "Not enough information: \"type\" argument is required\n"));
    }
    let echo = if context.options.echo { NLM_F_ECHO } else { 0 };
    let answer = match flags {
        Some(flags) => context.talk(&Message::NewLink(message), flags | echo)?,
        None => context.talk(&Message::DelLink(message), echo)?,
    };
    if context.options.echo {
        context.begin();
        // The links that change with it are not echoed.
        if let Some(message) = answer.first() {
            context.print.open_object(None);
            match message {
                Message::NewLink(link) => print_link(context, &Filter::default(), link, false),
                Message::DelLink(link) => print_link(context, &Filter::default(), link, true),
                _ => super::Shown::Skipped,
            };
            context.print.close_object();
        }
        context.end();
    }
    Ok(())
}

/// Reads the arguments of one link.
pub(super) struct Parser<'p> {
    /// The link is being made, not changed.
    create: bool,
    /// Descriptors that the message refers to.
    opened: &'p mut Vec<Fd>,
    message: LinkMessage,
    name: Option<String>,
    device: Option<String>,
    /// `name` was given first and stands for the device too.
    device_is_name: bool,
    link: Option<String>,
    address_length: Option<usize>,
    index: i32,
    moves: bool,
    group: bool,
    link_netnsid: bool,
}

impl<'p> Parser<'p> {
    pub(super) fn new(create: bool, opened: &'p mut Vec<Fd>) -> Self {
        Parser {
            create,
            opened,
            message: LinkMessage::default(),
            name: None,
            device: None,
            device_is_name: false,
            link: None,
            address_length: None,
            index: 0,
            moves: false,
            group: false,
            link_netnsid: false,
        }
    }

    /// Takes the words up to and with `type KIND`.
    pub(super) fn parse(mut self, context: &mut Context<'_>, args: &mut Args<'_>) -> Result<Parsed, Stop> {
        self.message.header.interface_family = context.options.family.into();
        let mut kind = None;
        while let Some(word) = args.take() {
            if self.parse_flag(word, args)? || self.parse_exact(context, word, args)? {
                continue;
            }
            if matches(word, "type") && !is_earlier(word) {
                kind = Some(args.value()?.to_owned());
                break;
            }
            if !self.parse_abbreviated(context, word, args)? {
                self.parse_device(word, args)?;
            }
        }
        self.finish(context, args, kind)
    }

    /// `up`, `arp off` and the like, which cannot be abbreviated but for `dynamic`.
    fn parse_flag(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        // The flag, and whether `on` sets it.
        let (flag, sets) = match word {
            "up" | "down" => {
                self.set_flag(LinkFlags::Up, word == "up");
                return Ok(true);
            }
            "multicast" => (LinkFlags::Multicast, true),
            "allmulticast" => (LinkFlags::Allmulti, true),
            "promisc" => (LinkFlags::Promisc, true),
            "trailers" => (LinkFlags::Notrailers, false),
            "arp" => (LinkFlags::Noarp, false),
            _ => return Ok(false),
        };
        self.switch_flag(word, flag, sets, args)?;
        Ok(true)
    }

    fn switch_flag(
        &mut self,
        name: &str,
        flag: LinkFlags,
        sets: bool,
        args: &mut Args<'_>,
    ) -> Result<(), Stop> {
        match args.value()? {
            "on" => self.set_flag(flag, sets),
            "off" => self.set_flag(flag, !sets),
            other => return Err(on_off(name, other)),
        }
        Ok(())
    }

    fn set_flag(&mut self, flag: LinkFlags, on: bool) {
        self.message.header.change_mask.insert(flag);
        self.message.header.flags.set(flag, on);
    }

    /// Keywords that cannot be abbreviated.
    fn parse_exact(
        &mut self,
        context: &mut Context<'_>,
        word: &str,
        args: &mut Args<'_>,
    ) -> Result<bool, Stop> {
        match word {
            "name" => {
                let name = args.value()?;
                if self.name.is_some() {
                    return Err(Stop::duparg("name", name));
                }
                if !is_ifname(name) {
                    return Err(Stop::invarg("\"name\" not a valid ifname", name));
                }
                self.name = Some(name.to_owned());
                if self.device.is_none() {
                    self.device = self.name.clone();
                    self.device_is_name = true;
                }
            }
            "index" => {
                let word = args.value()?;
                if self.index != 0 {
                    return Err(Stop::duparg("index", word));
                }
                self.index = atoi(word);
                if self.index <= 0 {
                    return Err(Stop::invarg("Invalid \"index\" value", word));
                }
            }
            "mtu" => {
                let word = args.value()?;
                if find!(self.message.attributes, LinkAttribute::Mtu).is_some() {
                    return Err(Stop::duparg("mtu", word));
                }
                let mtu = get_i32(word, 0).ok_or_else(|| Stop::invarg("Invalid \"mtu\" value\n", word))?;
                self.push(LinkAttribute::Mtu(mtu as u32));
            }
            "netns" => self.parse_netns(context, args)?,
            "carrier" => {
                let on = parse_on_off("carrier", args.value()?).map_err(einval)?;
                self.push(LinkAttribute::Carrier(on.into()));
            }
            "vrf" => {
                let word = args.value()?;
                let index = match context.link_index(word) {
                    index if index != 0 && is_vrf(context, index) => index,
                    _ => return Err(Stop::invarg("Not a valid VRF name\n", word)),
                };
                self.push(LinkAttribute::Controller(index));
            }
            "group" => {
                let word = args.value()?;
                if self.group {
                    return Err(Stop::duparg("group", word));
                }
                let group = context.id_of(Table::Group, word).filter(|group| *group <= i32::MAX as u32);
                let group = group.ok_or_else(|| Stop::invarg("Invalid \"group\" value\n", word))?;
                self.group = true;
                self.push(LinkAttribute::Group(group));
            }
            "mode" => {
                let word = args.value()?;
                let mode = ["default", "dormant"].iter().position(|mode| word.eq_ignore_ascii_case(mode));
                let mode = mode.ok_or_else(|| Stop::invarg("Invalid link mode\n", word))?;
                self.push(LinkAttribute::Mode((mode as u8).into()));
            }
            "state" => {
                let word = args.value()?;
                let state =
                    operational_state(word).ok_or_else(|| Stop::invarg("Invalid operstate\n", word))?;
                self.push(LinkAttribute::OperState(State::from(state)));
            }
            "protodown" => {
                let on = parse_on_off("protodown", args.value()?).map_err(einval)?;
                self.push(LinkAttribute::ProtoDown(on.into()));
            }
            "protodown_reason" => self.parse_protodown_reason(args)?,
            "gso_max_size" => {
                let size = number(args, "Invalid \"gso_max_size\" value\n", u32::MAX)?;
                self.push(LinkAttribute::GsoMaxSize(size));
            }
            "gso_max_segs" => {
                let segments = number(args, "Invalid \"gso_max_segs\" value\n", 65535)?;
                self.push(LinkAttribute::GsoMaxSegs(segments));
            }
            "gro_max_size" => {
                let size = number(args, "Invalid \"gro_max_size\" value\n", u32::MAX)?;
                self.push(LinkAttribute::GroMaxSize(size));
            }
            "parentdev" => self.push(LinkAttribute::ParentDevName(args.value()?.to_owned())),
            // There are no programs to take off.
            "xdp" if args.peek() == Some("off") => {
                args.take();
            }
            "xdp" | "xdpgeneric" | "xdpdrv" | "xdpoffload" | "vf" => {
                return Err(Stop::fail(1, format!("ip link set {word} is not supported by hairpin yet\n")));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Keywords that can be abbreviated, in the order in which they are tried.
    fn parse_abbreviated(
        &mut self,
        context: &mut Context<'_>,
        word: &str,
        args: &mut Args<'_>,
    ) -> Result<bool, Stop> {
        let is = |name| matches(word, name);
        if is("link") {
            self.link = Some(args.value()?.to_owned());
        } else if is("address") {
            let address = lladdr(args.value()?)?;
            self.address_length = Some(address.len());
            self.push(LinkAttribute::Address(address));
        } else if is("broadcast") || word == "brd" {
            self.push(LinkAttribute::Broadcast(lladdr(args.value()?)?));
        } else if is("txqueuelen") || word == "qlen" || is("txqlen") {
            let word = args.value()?;
            if find!(self.message.attributes, LinkAttribute::TxQueueLen).is_some() {
                return Err(Stop::duparg("txqueuelen", word));
            }
            let length =
                get_i32(word, 0).ok_or_else(|| Stop::invarg("Invalid \"txqueuelen\" value\n", word))?;
            self.push(LinkAttribute::TxQueueLen(length as u32));
        } else if is("master") {
            let word = args.value()?;
            match context.link_index(word) {
                0 => return Err(Stop::invarg("Device does not exist\n", word)),
                index => self.push(LinkAttribute::Controller(index)),
            }
        } else if is("nomaster") {
            self.push(LinkAttribute::Controller(0));
        } else if is("dynamic") {
            self.switch_flag("dynamic", LinkFlags::Dynamic, true, args)?;
        } else if is("alias") {
            let alias = args.value()?;
            if alias.len() >= IFALIASZ {
                return Err(Stop::invarg("alias too long\n", alias));
            }
            self.push(alias_attribute(alias));
        } else if is("numtxqueues") {
            let word = args.value()?;
            if find!(self.message.attributes, LinkAttribute::NumTxQueues).is_some() {
                return Err(Stop::duparg("numtxqueues", word));
            }
            let count =
                get_i32(word, 0).ok_or_else(|| Stop::invarg("Invalid \"numtxqueues\" value\n", word))?;
            self.push(LinkAttribute::NumTxQueues(count as u32));
        } else if is("numrxqueues") {
            let word = args.value()?;
            if find!(self.message.attributes, LinkAttribute::NumRxQueues).is_some() {
                return Err(Stop::duparg("numrxqueues", word));
            }
            let count =
                get_i32(word, 0).ok_or_else(|| Stop::invarg("Invalid \"numrxqueues\" value\n", word))?;
            self.push(LinkAttribute::NumRxQueues(count as u32));
        } else if is("addrgenmode") {
            let word = args.value()?;
            let mode = [
                ("eui64", In6AddrGenMode::Eui64),
                ("none", In6AddrGenMode::None),
                ("stable_secret", In6AddrGenMode::StablePrivacy),
                ("random", In6AddrGenMode::Random),
            ]
            .into_iter()
            .find(|(name, _)| word.eq_ignore_ascii_case(name));
            let (_, mode) = mode.ok_or_else(|| Stop::invarg("Invalid address generation mode\n", word))?;
            self.push(LinkAttribute::AfSpecUnspec(vec![AfSpecUnspec::Inet6(vec![
                AfSpecInet6::AddrGenMode(mode),
            ])]));
        } else if is("link-netns") {
            let name = args.value()?;
            if self.link_netnsid {
                return Err(Stop::duparg("link-netns/link-netnsid", name));
            }
            if context.nsid_of(name).is_none() {
                context.assign_nsid(name);
            }
            let id = context.nsid_of(name);
            let id = id.ok_or_else(|| Stop::invarg("Invalid \"link-netns\" value\n", name))?;
            self.link_netnsid = true;
            self.push(LinkAttribute::LinkNetNsId(id));
        } else if is("link-netnsid") {
            let word = args.value()?;
            if self.link_netnsid {
                return Err(Stop::duparg("link-netns/link-netnsid", word));
            }
            let id =
                get_i32(word, 0).ok_or_else(|| Stop::invarg("Invalid \"link-netnsid\" value\n", word))?;
            self.link_netnsid = true;
            self.push(LinkAttribute::LinkNetNsId(id));
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// `netns NAME`, or else the id of a process.
    fn parse_netns(&mut self, context: &mut Context<'_>, args: &mut Args<'_>) -> Result<(), Stop> {
        let word = args.value()?;
        if self.moves {
            return Err(Stop::duparg("netns", word));
        }
        self.moves = true;
        match context.system.netns_open(word) {
            Ok(fd) => {
                self.opened.push(fd);
                self.push(LinkAttribute::NetNsFd(fd.0 as i32));
            }
            Err(_) => {
                let process = get_i32(word, 0);
                let process = process.ok_or_else(|| Stop::invarg("Invalid \"netns\" value\n", word))?;
                self.push(LinkAttribute::NetNsPid(process as u32));
            }
        }
        Ok(())
    }

    fn parse_protodown_reason(&mut self, args: &mut Args<'_>) -> Result<(), Stop> {
        let word = args.value()?;
        let bit = get_u32(word, 0).filter(|bit| *bit < u32::BITS);
        let mask = 1 << bit.ok_or_else(|| Stop::invarg("invalid protodown reason\n", word))?;
        let word = args.value()?;
        let value = if matches(word, "on") {
            mask
        } else if matches(word, "off") {
            0
        } else {
            return Err(on_off("protodown_reason", word));
        };
        self.push(LinkAttribute::ProtoDownReason(vec![
            LinkProtocolDownReason::Mask(mask),
            LinkProtocolDownReason::Value(value),
        ]));
        Ok(())
    }

    fn parse_device(&mut self, word: &str, args: &mut Args<'_>) -> Result<(), Stop> {
        if matches(word, "help") {
            return Err(usage());
        }
        let word = if word == "dev" { args.value()? } else { word };
        if self.device.is_some() && !self.device_is_name || self.device.is_none() && self.name.is_some() {
            return Err(Stop::duparg2("dev", word));
        }
        if !is_altname(word) {
            return Err(Stop::invarg("\"dev\" not a valid ifname", word));
        }
        self.device = Some(word.to_owned());
        self.device_is_name = false;
        Ok(())
    }

    /// What can only be said when every word is known.
    fn finish(
        mut self,
        context: &mut Context<'_>,
        args: &mut Args<'_>,
        kind: Option<String>,
    ) -> Result<Parsed, Stop> {
        let device = self.device.clone();
        let name = self.name.clone().or_else(|| device.clone());
        if let (Some(device), Some(length), false) = (&device, self.address_length, self.create)
            && let Some(expected) = address_length(context, device)?
            && expected != length
        {
            return Err(Stop::fail(
                1,
                format!("Invalid address length {length} - must be {expected} bytes\n"),
            ));
        }
        if self.index != 0 && !self.create && !self.moves {
            return Err(Stop::exit(
                255,
                "index can be used only when creating devices or when moving device to another netns.\n",
            ));
        }
        let Some(device) = device else {
            if self.group {
                return self.finish_group(args);
            }
            if self.create {
                return self.finish_create(context, name, None, kind);
            }
            return Err(Stop::exit(255, "Not enough information: \"dev\" argument is required.\n"));
        };
        if self.create {
            return self.finish_create(context, name, Some(device), kind);
        }
        self.message.header.index = context.require_link(&device)?;
        if self.index != 0 {
            self.push(LinkAttribute::NewIfIndex(self.index));
        }
        // Not renaming to the same name.
        if let Some(name) = name.filter(|name| *name != device) {
            self.push(LinkAttribute::IfName(name));
        }
        Ok(Parsed { message: self.message, kind })
    }

    fn finish_create(
        mut self,
        context: &mut Context<'_>,
        name: Option<String>,
        device: Option<String>,
        kind: Option<String>,
    ) -> Result<Parsed, Stop> {
        if name != device {
            return Err(Stop::exit(255, "both \"name\" and \"dev\" cannot be used when creating devices.\n"));
        }
        if let Some(link) = self.link.take() {
            let index = context.require_link(&link)?;
            self.push(LinkAttribute::Link(index));
        }
        self.message.header.index = self.index as u32;
        if let Some(name) = name {
            self.push(LinkAttribute::IfName(name));
        }
        Ok(Parsed { message: self.message, kind })
    }

    /// `ip link set group G ...`: every link of a group.
    fn finish_group(self, args: &mut Args<'_>) -> Result<Parsed, Stop> {
        if let Some(word) = args.peek() {
            return Err(Stop { exit: true, code: 255, ..garbage(word) });
        }
        if self.create {
            return Err(Stop::exit(255, "group cannot be used when creating devices.\n"));
        }
        Ok(Parsed { message: self.message, kind: None })
    }

    fn push(&mut self, attribute: LinkAttribute) {
        self.message.attributes.push(attribute);
    }
}

/// Whether a word that abbreviates `type` means a keyword that is tried before it.
fn is_earlier(word: &str) -> bool {
    ["txqueuelen", "txqlen"].iter().any(|name| matches(word, name))
}

/// iproute2 returns `-EINVAL` here, which becomes the exit code.
fn einval(text: String) -> Stop {
    Stop::fail(22, text)
}

fn number(args: &mut Args<'_>, message: &str, max: u32) -> Result<u32, Stop> {
    let word = args.value()?;
    get_u32(word, 0).filter(|value| *value <= max).ok_or_else(|| Stop::invarg(message, word))
}

/// An alias goes without the terminating zero, so that an empty one removes it.
fn alias_attribute(alias: &str) -> LinkAttribute {
    const IFLA_IFALIAS: u16 = 20;
    LinkAttribute::Other(hairpin_netlink::core::DefaultNla::new(IFLA_IFALIAS, alias.as_bytes().to_vec()))
}

/// How many bytes the address of a link has, if it can be known (`nl_get_ll_addr_len`).
fn address_length(context: &mut Context<'_>, device: &str) -> Result<Option<usize>, Stop> {
    let index = context.link_index(device);
    if index == 0 {
        return Ok(None);
    }
    let mut request = LinkMessage::default();
    request.header.interface_family = context.options.family.into();
    request.header.index = index;
    let answer = match context.talk(&Message::GetLink(request), 0) {
        Ok(answer) => answer,
        Err(stop) => {
            context.complain(&stop.text);
            return Ok(None);
        }
    };
    Ok(answer.iter().find_map(|message| match message {
        Message::NewLink(link) => find!(link.attributes, LinkAttribute::Address).map(Vec::len),
        _ => None,
    }))
}

/// Whether a link is a VRF.
pub(in crate::ip) fn is_vrf(context: &mut Context<'_>, index: u32) -> bool {
    let mut request = LinkMessage::default();
    request.header.index = index;
    let answer = context.talk_quietly(&Message::GetLink(request), 0).unwrap_or_default();
    answer.iter().any(|message| match message {
        Message::NewLink(link) => find!(link.attributes, LinkAttribute::LinkInfo)
            .and_then(|info| find!(info, LinkInfo::Kind))
            .is_some_and(|kind| *kind == InfoKind::Vrf),
        _ => false,
    })
}
