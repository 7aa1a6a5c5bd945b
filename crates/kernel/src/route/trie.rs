//! Prefixes to the routes of each: a path-compressed binary trie in one vector.
//!
//! Linux keeps a level-compressed trie (`fib_trie.c`); what shows of it outside is the order of a dump, which
//! [`Trie::walk`] follows.

use std::{net::Ipv4Addr, sync::Arc};

use super::model::{Prefix, Route, mask};

const NONE: u32 = u32::MAX;

/// Routes by prefix. The routes of one prefix are a list whose order the caller keeps.
#[derive(Clone, Debug)]
pub(super) struct Trie {
    nodes: Vec<Node>,
    root: u32,
    free: Vec<u32>,
}

#[derive(Clone, Debug)]
struct Node {
    key: u32,
    length: u8,
    children: [u32; 2],
    /// Empty where two branches merely part.
    routes: Vec<Arc<Route>>,
}

impl Default for Trie {
    fn default() -> Self {
        Trie { nodes: Vec::new(), root: NONE, free: Vec::new() }
    }
}

impl Trie {
    /// The routes of exactly this prefix.
    pub fn get(&self, prefix: Prefix) -> &[Arc<Route>] {
        self.find(prefix).map_or(&[], |at| &self.nodes[at as usize].routes)
    }

    /// The list of a prefix for change, made if missing. Call [`Trie::prune`] if it may have become empty.
    pub fn get_mut(&mut self, prefix: Prefix) -> &mut Vec<Arc<Route>> {
        let at = self.make(u32::from(prefix.address), prefix.length);
        &mut self.nodes[at as usize].routes
    }

    /// Drops the place of a prefix whose list is empty.
    pub fn prune(&mut self, prefix: Prefix) {
        let key = u32::from(prefix.address);
        // Where the node hangs, and where its parent hangs.
        let (mut grandparent, mut parent, mut at) = (NONE, NONE, self.root);
        loop {
            let Some(node) = self.nodes.get(at as usize) else { return };
            if node.length > prefix.length || (node.key ^ key) & mask(node.length) != 0 {
                return;
            }
            if node.length == prefix.length {
                break;
            }
            grandparent = parent;
            parent = at;
            at = node.children[bit(key, node.length)];
        }
        self.splice(parent, at);
        if parent != NONE {
            self.splice(grandparent, parent);
        }
    }

    /// Calls `visit` with the routes of each prefix that holds `address`, the longest first, until it
    /// returns something.
    #[inline]
    pub fn longest_first<'a, R>(
        &'a self,
        address: Ipv4Addr,
        mut visit: impl FnMut(&'a [Arc<Route>]) -> Option<R>,
    ) -> Option<R> {
        let key = u32::from(address);
        // Prefixes of this length and longer had nothing for the caller. That is rare: so the walk starts
        // anew rather than keep what it passed.
        let mut limit = 33;
        loop {
            let mut best: Option<&Node> = None;
            let mut at = self.root;
            while let Some(node) = self.nodes.get(at as usize) {
                if (node.key ^ key) & mask(node.length) != 0 || node.length >= limit {
                    break;
                }
                if !node.routes.is_empty() {
                    best = Some(node);
                }
                if node.length == 32 {
                    break;
                }
                at = node.children[bit(key, node.length)];
            }
            let best = best?;
            let found = visit(&best.routes);
            if found.is_some() {
                return found;
            }
            limit = best.length;
        }
    }

    /// Every prefix with routes in the order of a dump: by address, and of one address the longest first.
    /// That is the order of the kernel's leaves, each of which holds an address with all its prefix lengths
    /// (`leaf_walk_rcu`, `fn_trie_dump_leaf`).
    pub fn walk(&self) -> Vec<(Prefix, &[Arc<Route>])> {
        let mut found: Vec<(Prefix, &[Arc<Route>])> = Vec::new();
        let mut pending = vec![self.root];
        while let Some(at) = pending.pop() {
            let Some(node) = self.nodes.get(at as usize) else { continue };
            pending.extend([node.children[1], node.children[0]]);
            if !node.routes.is_empty() {
                found.push((Prefix::new(node.key.into(), node.length), &node.routes));
            }
        }
        // The walk gave shorter prefixes of one address first.
        for same in found.chunk_by_mut(|a, b| a.0.address == b.0.address) {
            same.reverse();
        }
        found
    }

    /// Calls `change` with every list, in no particular order.
    pub fn for_each_mut(&mut self, mut change: impl FnMut(&mut Vec<Arc<Route>>)) {
        self.nodes.iter_mut().filter(|node| !node.routes.is_empty()).for_each(|n| change(&mut n.routes));
    }

    fn find(&self, prefix: Prefix) -> Option<u32> {
        let key = u32::from(prefix.address);
        let mut at = self.root;
        loop {
            let node = self.nodes.get(at as usize)?;
            if node.length > prefix.length || (node.key ^ key) & mask(node.length) != 0 {
                return None;
            }
            if node.length == prefix.length {
                return Some(at);
            }
            at = node.children[bit(key, node.length)];
        }
    }

    /// The node of a prefix, made if missing.
    fn make(&mut self, key: u32, length: u8) -> u32 {
        let mut parent = NONE;
        let mut at = self.root;
        loop {
            let Some(node) = self.nodes.get(at as usize) else {
                let leaf = self.allocate(key, length, [NONE; 2]);
                self.hang(parent, key, leaf);
                return leaf;
            };
            let (node_key, node_length) = (node.key, node.length);
            let common = ((node_key ^ key).leading_zeros() as u8).min(node_length).min(length);
            if common == node_length {
                if length == node_length {
                    return at;
                }
                parent = at;
                at = node.children[bit(key, node_length)];
                continue;
            }
            let mut children = [NONE; 2];
            children[bit(node_key, common)] = at;
            let fork = self.allocate(key & mask(common), common, children);
            self.hang(parent, key, fork);
            if common == length {
                return fork;
            }
            let leaf = self.allocate(key, length, [NONE; 2]);
            self.nodes[fork as usize].children[bit(key, common)] = leaf;
            return leaf;
        }
    }

    /// Takes `at` out from below `parent` if it holds nothing and parts nothing.
    fn splice(&mut self, parent: u32, at: u32) {
        let node = &self.nodes[at as usize];
        if !node.routes.is_empty() {
            return;
        }
        let child = match node.children {
            [NONE, child] | [child, NONE] => child,
            _ => return,
        };
        let key = node.key;
        self.hang(parent, key, child);
        self.nodes[at as usize].children = [NONE; 2];
        self.nodes[at as usize].routes = Vec::new();
        self.free.push(at);
    }

    fn hang(&mut self, parent: u32, key: u32, child: u32) {
        match self.nodes.get_mut(parent as usize) {
            Some(node) => node.children[bit(key, node.length)] = child,
            None => self.root = child,
        }
    }

    fn allocate(&mut self, key: u32, length: u8, children: [u32; 2]) -> u32 {
        let node = Node { key, length, children, routes: Vec::new() };
        match self.free.pop() {
            Some(at) => {
                self.nodes[at as usize] = node;
                at
            }
            None => {
                self.nodes.push(node);
                (self.nodes.len() - 1) as u32
            }
        }
    }
}

/// The bit of `key` right behind a prefix of `length`, which is below 32.
#[inline]
fn bit(key: u32, length: u8) -> usize {
    (key << length >> 31) as usize
}
