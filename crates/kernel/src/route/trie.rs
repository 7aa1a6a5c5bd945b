//! Prefixes to the routes of each: a path-compressed binary trie in one vector.
//!
//! Linux keeps a level-compressed trie (`fib_trie.c`); what shows of it outside is the order of a dump, which
//! [`Trie::walk`] follows.

const NONE: u32 = u32::MAX;

/// An address as a number of so many bits.
pub(crate) trait Bits: Copy + Eq {
    const LENGTH: u8;
    /// The bits of `self` up to `length`, the others cleared.
    fn front(self, length: u8) -> Self;
    /// How many bits at the front are alike.
    fn common(self, other: Self) -> u8;
    /// The bit right behind a prefix of `length`, which is below [`Bits::LENGTH`].
    fn bit(self, length: u8) -> usize;
}

macro_rules! bits {
    ($type:ty) => {
        impl Bits for $type {
            const LENGTH: u8 = <$type>::BITS as u8;

            #[inline]
            fn front(self, length: u8) -> Self {
                self & <$type>::MAX.checked_shl(<$type>::BITS - u32::from(length)).unwrap_or(0)
            }

            #[inline]
            fn common(self, other: Self) -> u8 {
                (self ^ other).leading_zeros() as u8
            }

            #[inline]
            fn bit(self, length: u8) -> usize {
                (self << length >> (<$type>::BITS - 1)) as usize
            }
        }
    };
}

bits!(u32);
bits!(u128);

/// A prefix as a key.
pub(crate) trait Keyed: Copy {
    type Bits: Bits;
    fn key(self) -> Self::Bits;
    fn length(self) -> u8;
    fn from_key(key: Self::Bits, length: u8) -> Self;
}

/// Routes of type `R` by prefix. The routes of one prefix are a list whose order the caller keeps.
#[derive(Clone, Debug)]
pub(crate) struct Trie<P: Keyed, R> {
    nodes: Vec<Node<P::Bits, R>>,
    root: u32,
    free: Vec<u32>,
}

#[derive(Clone, Debug)]
struct Node<K, R> {
    key: K,
    length: u8,
    children: [u32; 2],
    /// Empty where two branches merely part.
    routes: Vec<R>,
}

impl<P: Keyed, R> Default for Trie<P, R> {
    fn default() -> Self {
        Trie { nodes: Vec::new(), root: NONE, free: Vec::new() }
    }
}

impl<P: Keyed, R> Trie<P, R> {
    /// The routes of exactly this prefix.
    pub fn get(&self, prefix: P) -> &[R] {
        self.find(prefix).map_or(&[], |at| &self.nodes[at as usize].routes)
    }

    /// The list of a prefix for change, made if missing. Call [`Trie::prune`] if it may have become empty.
    pub fn get_mut(&mut self, prefix: P) -> &mut Vec<R> {
        let at = self.make(prefix.key(), prefix.length());
        &mut self.nodes[at as usize].routes
    }

    /// Drops the place of a prefix whose list is empty.
    pub fn prune(&mut self, prefix: P) {
        let key = prefix.key();
        // Where the node hangs, and where its parent hangs.
        let (mut grandparent, mut parent, mut at) = (NONE, NONE, self.root);
        loop {
            let Some(node) = self.nodes.get(at as usize) else { return };
            if node.length > prefix.length() || node.key.common(key) < node.length {
                return;
            }
            if node.length == prefix.length() {
                break;
            }
            grandparent = parent;
            parent = at;
            at = node.children[key.bit(node.length)];
        }
        self.splice(parent, at);
        if parent != NONE {
            self.splice(grandparent, parent);
        }
    }

    /// Calls `visit` with the routes of each prefix that holds the address `key`, the longest first, until it
    /// returns something.
    #[inline]
    pub fn longest_first<'a, F>(
        &'a self,
        key: P::Bits,
        mut visit: impl FnMut(&'a [R]) -> Option<F>,
    ) -> Option<F> {
        // Prefixes of this length and longer had nothing for the caller. That is rare: so the walk starts
        // anew rather than keep what it passed.
        let mut limit = P::Bits::LENGTH + 1;
        loop {
            let mut best: Option<&Node<P::Bits, R>> = None;
            let mut at = self.root;
            while let Some(node) = self.nodes.get(at as usize) {
                if node.key.common(key) < node.length || node.length >= limit {
                    break;
                }
                if !node.routes.is_empty() {
                    best = Some(node);
                }
                if node.length == P::Bits::LENGTH {
                    break;
                }
                at = node.children[key.bit(node.length)];
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
    pub fn walk(&self) -> Vec<(P, &[R])> {
        let mut found: Vec<(P, &[R])> = Vec::new();
        let mut pending = vec![self.root];
        while let Some(at) = pending.pop() {
            let Some(node) = self.nodes.get(at as usize) else { continue };
            pending.extend([node.children[1], node.children[0]]);
            if !node.routes.is_empty() {
                found.push((P::from_key(node.key, node.length), &node.routes));
            }
        }
        // The walk gave shorter prefixes of one address first.
        for same in found.chunk_by_mut(|a, b| a.0.key() == b.0.key()) {
            same.reverse();
        }
        found
    }

    /// Every prefix with routes, longer ones before those that hold them: the order of `fib6_walk`.
    pub fn walk_up(&self) -> Vec<(P, &[R])> {
        let mut found = Vec::new();
        let mut pending = vec![(self.root, false)];
        while let Some((at, children_done)) = pending.pop() {
            let Some(node) = self.nodes.get(at as usize) else { continue };
            if !children_done {
                pending.extend([(at, true), (node.children[1], false), (node.children[0], false)]);
            } else if !node.routes.is_empty() {
                found.push((P::from_key(node.key, node.length), node.routes.as_slice()));
            }
        }
        found
    }

    /// Calls `change` with every list, in no particular order.
    pub fn for_each_mut(&mut self, mut change: impl FnMut(&mut Vec<R>)) {
        self.nodes.iter_mut().filter(|node| !node.routes.is_empty()).for_each(|n| change(&mut n.routes));
    }

    fn find(&self, prefix: P) -> Option<u32> {
        let key = prefix.key();
        let mut at = self.root;
        loop {
            let node = self.nodes.get(at as usize)?;
            if node.length > prefix.length() || node.key.common(key) < node.length {
                return None;
            }
            if node.length == prefix.length() {
                return Some(at);
            }
            at = node.children[key.bit(node.length)];
        }
    }

    /// The node of a prefix, made if missing.
    fn make(&mut self, key: P::Bits, length: u8) -> u32 {
        let mut parent = NONE;
        let mut at = self.root;
        loop {
            let Some(node) = self.nodes.get(at as usize) else {
                let leaf = self.allocate(key, length, [NONE; 2]);
                self.hang(parent, key, leaf);
                return leaf;
            };
            let (node_key, node_length) = (node.key, node.length);
            let common = node_key.common(key).min(node_length).min(length);
            if common == node_length {
                if length == node_length {
                    return at;
                }
                parent = at;
                at = node.children[key.bit(node_length)];
                continue;
            }
            let mut children = [NONE; 2];
            children[node_key.bit(common)] = at;
            let fork = self.allocate(key.front(common), common, children);
            self.hang(parent, key, fork);
            if common == length {
                return fork;
            }
            let leaf = self.allocate(key, length, [NONE; 2]);
            self.nodes[fork as usize].children[key.bit(common)] = leaf;
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

    fn hang(&mut self, parent: u32, key: P::Bits, child: u32) {
        match self.nodes.get_mut(parent as usize) {
            Some(node) => node.children[key.bit(node.length)] = child,
            None => self.root = child,
        }
    }

    fn allocate(&mut self, key: P::Bits, length: u8, children: [u32; 2]) -> u32 {
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
