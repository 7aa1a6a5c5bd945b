//! `/proc/net/fib_trie` (`fib_trie_seq_show`): the trie in which Linux keeps a table's routes, with the shape that its
//! level compression would give it had the routes been added in the order of their addresses. How large it is:
//! [`statistics`].

mod statistics;

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::sync::Arc;

use super::{
    fib::Fib,
    model::{Route, RouteKind, Scope, TABLE_LOCAL, TABLE_MAIN},
};

pub use statistics::proc_net_fib_triestat;

/// Percentages of children at which a node grows (of twice as many) and shrinks, and those for the root
/// (`inflate_threshold`, …).
const INFLATE: usize = 50;
const INFLATE_ROOT: usize = 30;
const HALVE: usize = 25;
const HALVE_ROOT: usize = 15;
/// How often a node may grow or shrink at a time (`MAX_WORK`).
const WORK_MAX: u32 = 10;
/// Tables with more routes than that are shown without them: the file would take a minute.
const ROUTES_MAX: usize = 100_000;

/// The text of `/proc/net/fib_trie`: every table that has routes.
pub fn proc_net_fib_trie(fib: &Fib) -> String {
    let mut text = String::new();
    for id in tables(fib) {
        let routes = fib.stored_with(id);
        if routes.is_empty() {
            continue;
        }
        write_title(&mut text, id);
        if routes.len() <= ROUTES_MAX {
            let trie = Trie::of(routes.iter().map(|route| route.prefix.address));
            Shown { trie, routes: &routes, text: &mut text }.show();
        }
    }
    text
}

/// The tables by their hash.
fn tables(fib: &Fib) -> Vec<u32> {
    let mut ids: Vec<u32> = fib.table_ids().collect();
    ids.sort_by_key(|id| (id & 255, *id));
    ids
}

/// `fib_table_print`
fn write_title(text: &mut String, table: u32) {
    // Writing to a string cannot fail.
    let _ = match table {
        TABLE_LOCAL => writeln!(text, "Local:"),
        TABLE_MAIN => writeln!(text, "Main:"),
        id => writeln!(text, "Id {id}:"),
    };
}

type NodeId = usize;

enum Node {
    Leaf { key: u32 },
    Inner(Inner),
}

/// `struct tnode`: its children stand for the values of `bits` bits above bit `pos`.
struct Inner {
    key: u32,
    pos: u32,
    bits: u32,
    children: Vec<Option<NodeId>>,
    parent: Option<NodeId>,
    empty: usize,
    full: usize,
}

impl Inner {
    fn index(&self, key: u32) -> usize {
        let index = u64::from(key ^ self.key) >> self.pos;
        usize::try_from(index).unwrap_or(usize::MAX)
    }
}

#[derive(Default)]
struct Trie {
    nodes: Vec<Node>,
    root: Option<NodeId>,
}

impl Trie {
    /// With these addresses, in their order; the same one may follow itself.
    fn of(addresses: impl Iterator<Item = Ipv4Addr>) -> Trie {
        let mut trie = Trie::default();
        let mut last = None;
        for address in addresses {
            if last.replace(address) != Some(address) {
                trie.insert(address.into());
            }
        }
        trie
    }

    fn inner(&self, id: NodeId) -> Option<&Inner> {
        match self.nodes.get(id) {
            Some(Node::Inner(inner)) => Some(inner),
            _ => None,
        }
    }

    fn inner_mut(&mut self, id: NodeId) -> Option<&mut Inner> {
        match self.nodes.get_mut(id) {
            Some(Node::Inner(inner)) => Some(inner),
            _ => None,
        }
    }

    fn key(&self, id: NodeId) -> u32 {
        match self.nodes.get(id) {
            Some(Node::Leaf { key }) => *key,
            Some(Node::Inner(inner)) => inner.key,
            None => 0,
        }
    }

    fn add(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// `tnode_new`
    fn add_inner(&mut self, key: u32, pos: u32, bits: u32) -> NodeId {
        let shift = pos + bits;
        let key = if shift < 32 { key >> shift << shift } else { 0 };
        let children = vec![None; 1 << bits];
        let empty = children.len();
        self.add(Node::Inner(Inner { key, pos, bits, children, parent: None, empty, full: 0 }))
    }

    /// `tnode_full`: a child that looks at the very next bits.
    fn is_full(&self, parent: &Inner, child: Option<NodeId>) -> bool {
        child.and_then(|child| self.inner(child)).is_some_and(|child| child.pos + child.bits == parent.pos)
    }

    /// `put_child`, `node_set_parent`
    fn put_child(&mut self, parent: NodeId, index: usize, child: Option<NodeId>) {
        let Some(inner) = self.inner(parent) else { return };
        let old = inner.children.get(index).copied().flatten();
        let (was_full, is_full) = (self.is_full(inner, old), self.is_full(inner, child));
        if let Some(inner) = self.inner_mut(parent)
            && let Some(slot) = inner.children.get_mut(index)
        {
            *slot = child;
            inner.empty = inner.empty + usize::from(child.is_none()) - usize::from(old.is_none());
            inner.full = inner.full + usize::from(is_full) - usize::from(was_full);
        }
        if let Some(child) = child.and_then(|child| self.inner_mut(child)) {
            child.parent = Some(parent);
        }
    }

    fn put(&mut self, parent: Option<NodeId>, key: u32, child: Option<NodeId>) {
        match parent {
            Some(parent) => {
                let index = self.inner(parent).map_or(0, |inner| inner.index(key));
                self.put_child(parent, index, child);
            }
            None => {
                self.root = child;
                if let Some(child) = child.and_then(|child| self.inner_mut(child)) {
                    child.parent = None;
                }
            }
        }
    }

    /// `fib_insert_node`
    fn insert(&mut self, key: u32) {
        let leaf = self.add(Node::Leaf { key });
        let (mut parent, mut at) = (None, self.root);
        while let Some(id) = at {
            let Some(inner) = self.inner(id) else { break };
            let index = inner.index(key);
            if index >= inner.children.len() {
                break;
            }
            parent = Some(id);
            at = inner.children.get(index).copied().flatten();
        }
        if let Some(other) = at {
            // What they differ in first becomes a node of two.
            let pos = 31 - (key ^ self.key(other)).leading_zeros().min(31);
            let node = self.add_inner(key, pos, 1);
            self.put(parent, key, Some(node));
            let side = usize::from(key >> pos & 1 == 1);
            self.put_child(node, side ^ 1, Some(other));
            self.put_child(node, side, Some(leaf));
            parent = Some(node);
        } else {
            self.put(parent, key, Some(leaf));
        }
        while let Some(id) = parent {
            parent = self.resize(id);
        }
    }

    /// `resize`: the node that the next look is for.
    fn resize(&mut self, mut id: NodeId) -> Option<NodeId> {
        let parent = self.inner(id)?.parent;
        let mut work = WORK_MAX;
        while work > 0 && self.should_inflate(id) {
            id = self.inflate(id);
            work -= 1;
        }
        if work != WORK_MAX {
            return parent;
        }
        while work > 0 && self.should_halve(id) {
            id = self.halve(id);
            work -= 1;
        }
        let inner = self.inner(id)?;
        if inner.children.len() - inner.empty < 2 {
            let only = inner.children.iter().copied().flatten().next();
            let key = inner.key;
            self.put(parent, key, only);
        }
        parent
    }

    fn should_inflate(&self, id: NodeId) -> bool {
        let Some(inner) = self.inner(id) else { return false };
        let size = inner.children.len();
        let threshold = size * if inner.parent.is_none() { INFLATE_ROOT } else { INFLATE };
        let used = size - inner.empty + inner.full;
        used > 1 && inner.pos > 0 && 50 * used >= threshold
    }

    fn should_halve(&self, id: NodeId) -> bool {
        let Some(inner) = self.inner(id) else { return false };
        let size = inner.children.len();
        let threshold = size * if inner.parent.is_none() { HALVE_ROOT } else { HALVE };
        let used = size - inner.empty;
        used > 1 && inner.bits > 1 && 100 * used < threshold
    }

    /// `inflate`: one bit more.
    fn inflate(&mut self, id: NodeId) -> NodeId {
        let Some((old, parent)) = self.taken(id) else { return id };
        let new = self.add_inner(old.key, old.pos - 1, old.bits + 1);
        for (i, child) in old.children.iter().enumerate() {
            let Some(child) = *child else { continue };
            if !self.is_full(&old, Some(child)) {
                let index = self.inner(new).map_or(0, |inner| inner.index(self.key(child)));
                self.put_child(new, index, Some(child));
                continue;
            }
            let Some((split, _)) = self.taken(child) else { continue };
            if split.bits == 1 {
                for (side, grandchild) in split.children.iter().enumerate() {
                    self.put_child(new, 2 * i + side, *grandchild);
                }
                continue;
            }
            let half = split.children.len() / 2;
            let middle = 1 << (old.pos - 1);
            for (side, grandchildren) in split.children.chunks(half.max(1)).enumerate() {
                let node = self.add_inner(split.key, split.pos, split.bits - 1);
                if let Some(inner) = self.inner_mut(node)
                    && side == 1
                {
                    inner.key = split.key | middle;
                }
                for (j, grandchild) in grandchildren.iter().enumerate() {
                    self.put_child(node, j, *grandchild);
                }
                self.put_child(new, 2 * i + side, Some(node));
            }
        }
        self.replace(parent, old.key, new)
    }

    /// `halve`: one bit less.
    fn halve(&mut self, id: NodeId) -> NodeId {
        let Some((old, parent)) = self.taken(id) else { return id };
        let new = self.add_inner(old.key, old.pos + 1, old.bits - 1);
        for (i, pair) in old.children.chunks(2).enumerate() {
            let child = match pair {
                [Some(left), Some(right)] => {
                    let node = self.add_inner(self.key(*left), old.pos, 1);
                    self.put_child(node, 0, Some(*left));
                    self.put_child(node, 1, Some(*right));
                    Some(node)
                }
                pair => pair.iter().copied().flatten().next(),
            };
            self.put_child(new, i, child);
        }
        self.replace(parent, old.key, new)
    }

    /// A node's content, out of it; it is replaced.
    fn taken(&mut self, id: NodeId) -> Option<(Inner, Option<NodeId>)> {
        let key = self.key(id);
        match std::mem::replace(self.nodes.get_mut(id)?, Node::Leaf { key }) {
            Node::Inner(inner) => {
                let parent = inner.parent;
                Some((inner, parent))
            }
            Node::Leaf { .. } => None,
        }
    }

    /// `replace`: a node takes the place of another, and its children are looked at.
    fn replace(&mut self, parent: Option<NodeId>, key: u32, new: NodeId) -> NodeId {
        self.put(parent, key, Some(new));
        let count = self.inner(new).map_or(0, |inner| inner.children.len());
        for i in (0..count).rev() {
            let Some(inner) = self.inner(new) else { break };
            let child = inner.children.get(i).copied().flatten();
            if self.is_full(inner, child)
                && let Some(child) = child
            {
                self.resize(child);
            }
        }
        new
    }
}

struct Shown<'a> {
    trie: Trie,
    routes: &'a [Arc<Route>],
    text: &'a mut String,
}

impl Shown<'_> {
    fn show(mut self) {
        let Some(root) = self.trie.root else { return };
        let mut pending = vec![(root, 0)];
        while let Some((id, depth)) = pending.pop() {
            let indent = "   ".repeat(depth);
            match self.trie.nodes.get(id) {
                Some(Node::Leaf { key }) => {
                    let key = *key;
                    self.show_leaf(key, &indent);
                }
                Some(Node::Inner(inner)) => {
                    let length = 32 - (inner.pos + inner.bits).min(32);
                    let _ = writeln!(
                        self.text,
                        "{indent}  +-- {}/{length} {} {} {}",
                        Ipv4Addr::from(inner.key),
                        inner.bits,
                        inner.full,
                        inner.empty
                    );
                    let children = inner.children.iter().rev().copied().flatten();
                    pending.extend(children.map(|child| (child, depth + 1)));
                }
                None => {}
            }
        }
    }

    fn show_leaf(&mut self, key: u32, indent: &str) {
        let address = Ipv4Addr::from(key);
        let _ = writeln!(self.text, "{indent}  |-- {address}");
        let first = self.routes.partition_point(|route| u32::from(route.prefix.address) < key);
        let here = self.routes.iter().skip(first).take_while(|route| route.prefix.address == address);
        for route in here {
            let tos = if route.tos == 0 { String::new() } else { format!(" tos={}", route.tos) };
            let (scope, kind) = (scope_name(route.scope), kind_name(route.kind));
            let _ = writeln!(self.text, "{indent}     /{} {scope} {kind}{tos}", route.prefix.length);
        }
    }
}

/// `rtn_scope`
fn scope_name(scope: Scope) -> String {
    match scope {
        Scope::UNIVERSE => "universe".to_owned(),
        Scope::SITE => "site".to_owned(),
        Scope::LINK => "link".to_owned(),
        Scope::HOST => "host".to_owned(),
        Scope::NOWHERE => "nowhere".to_owned(),
        Scope(number) => format!("scope={number}"),
    }
}

/// `rtn_type`
fn kind_name(kind: RouteKind) -> &'static str {
    match kind {
        RouteKind::Unspec => "UNSPEC",
        RouteKind::Unicast => "UNICAST",
        RouteKind::Local => "LOCAL",
        RouteKind::Broadcast => "BROADCAST",
        RouteKind::Anycast => "ANYCAST",
        RouteKind::Multicast => "MULTICAST",
        RouteKind::Blackhole => "BLACKHOLE",
        RouteKind::Unreachable => "UNREACHABLE",
        RouteKind::Prohibit => "PROHIBIT",
        RouteKind::Throw => "THROW",
        RouteKind::Nat => "NAT",
        RouteKind::XResolve => "XRESOLVE",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of a trie without its routes.
    fn shape(addresses: &[[u8; 4]]) -> Vec<String> {
        let trie = Trie::of(addresses.iter().map(|octets| Ipv4Addr::from(*octets)));
        let mut text = String::new();
        Shown { trie, routes: &[], text: &mut text }.show();
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_trie_has_the_shape_of_linux_s() {
        let mut addresses = vec![[10, 0, 0, 0], [10, 0, 0, 1], [10, 0, 0, 255]];
        assert_eq!(
            shape(&addresses),
            [
                "  +-- 10.0.0.0/24 2 0 2",
                "     +-- 10.0.0.0/31 1 0 0",
                "        |-- 10.0.0.0",
                "        |-- 10.0.0.1",
                "     |-- 10.0.0.255",
            ]
        );
        addresses.extend([[127, 0, 0, 0], [127, 0, 0, 1], [127, 255, 255, 255]]);
        assert_eq!(
            shape(&addresses),
            [
                "  +-- 0.0.0.0/1 2 0 2",
                "     +-- 10.0.0.0/24 2 0 2",
                "        +-- 10.0.0.0/31 1 0 0",
                "           |-- 10.0.0.0",
                "           |-- 10.0.0.1",
                "        |-- 10.0.0.255",
                "     +-- 127.0.0.0/8 2 0 2",
                "        +-- 127.0.0.0/31 1 0 0",
                "           |-- 127.0.0.0",
                "           |-- 127.0.0.1",
                "        |-- 127.255.255.255",
            ]
        );
        assert_eq!(shape(&[[0, 0, 0, 0]]), ["  |-- 0.0.0.0"]);
        assert!(shape(&[]).is_empty());
    }

    #[test]
    fn many_routes_share_one_node() {
        let addresses: Vec<[u8; 4]> = (0..=255).map(|i| [10, 0, i, 0]).collect();
        let lines = shape(&addresses);
        assert_eq!(lines.first().map(String::as_str), Some("  +-- 10.0.0.0/16 9 0 256"));
        assert_eq!(lines.len(), 257);
    }
}
