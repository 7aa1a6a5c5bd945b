//! `/proc/net/fib_triestat` (`fib_triestat_seq_show`): how deep and how large the tries of the routing tables are.

use std::fmt::Write as _;

use super::super::fib::Fib;
use super::{Node, ROUTES_MAX, Trie, tables, write_title};

/// Bytes of a leaf, of a node without its children, of a route and of a pointer on a machine of 64 bits
/// (`LEAF_SIZE`, `TNODE_SIZE(0)`, `struct fib_alias`).
const LEAF_SIZE: usize = 48;
const NODE_SIZE: usize = 40;
const ALIAS_SIZE: usize = 56;
const POINTER_SIZE: usize = 8;
/// Nodes of more bits are counted as nodes alone (`MAX_STAT_DEPTH`).
const BITS_MAX: usize = 32;

/// `struct trie_stat`
#[derive(Default)]
struct Statistics {
    depth_sum: usize,
    depth_max: usize,
    nodes: usize,
    leaves: usize,
    prefixes: usize,
    empty: usize,
    /// How many nodes there are of so many bits.
    of_bits: [usize; BITS_MAX],
}

/// The text of `/proc/net/fib_triestat`: every table, those without routes too.
pub fn proc_net_fib_triestat(fib: &Fib) -> String {
    let mut text =
        format!("Basic info: size of leaf: {LEAF_SIZE} bytes, size of tnode: {NODE_SIZE} bytes.\n");
    for id in tables(fib) {
        let routes = fib.stored_with(id);
        write_title(&mut text, id);
        if routes.len() <= ROUTES_MAX {
            let trie = Trie::of(routes.iter().map(|route| route.prefix.address));
            Statistics::of(&trie, routes.len()).show(&mut text);
        }
    }
    text
}

impl Statistics {
    /// `trie_collect_stats`
    fn of(trie: &Trie, prefixes: usize) -> Statistics {
        let mut found = Statistics { prefixes, ..Statistics::default() };
        let mut pending: Vec<_> = trie.root.map(|root| (root, 0)).into_iter().collect();
        while let Some((id, depth)) = pending.pop() {
            match trie.nodes.get(id) {
                Some(Node::Leaf { .. }) => {
                    found.leaves += 1;
                    found.depth_sum += depth;
                    found.depth_max = found.depth_max.max(depth);
                }
                Some(Node::Inner(inner)) => {
                    found.nodes += 1;
                    found.empty += inner.empty;
                    if let Some(count) = found.of_bits.get_mut(inner.bits as usize) {
                        *count += 1;
                    }
                    pending.extend(inner.children.iter().flatten().map(|child| (*child, depth + 1)));
                }
                None => {}
            }
        }
        found
    }

    /// `trie_show_stats`
    fn show(&self, text: &mut String) {
        let average = (self.depth_sum * 100).checked_div(self.leaves).unwrap_or(0);
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\tAver depth:     {}.{:02}\n\tMax depth:      {}\n\tLeaves:         {}\n\tPrefixes:       {}\n\
             \tInternal nodes: {}\n\t",
            average / 100,
            average % 100,
            self.depth_max,
            self.leaves,
            self.prefixes,
            self.nodes
        );
        let mut pointers = 0;
        for (bits, count) in self.of_bits.iter().enumerate().skip(1).filter(|(_, count)| **count > 0) {
            let _ = write!(text, "  {bits}: {count}");
            pointers += (1usize << bits) * count;
        }
        let bytes = LEAF_SIZE * self.leaves
            + ALIAS_SIZE * self.prefixes
            + NODE_SIZE * self.nodes
            + POINTER_SIZE * pointers;
        let _ = writeln!(
            text,
            "\n\tPointers: {pointers}\nNull ptrs: {}\nTotal size: {}  kB",
            self.empty,
            bytes.div_ceil(1024)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    /// Those of a host with one address on a network and its loopback device, as Linux 6.1 tells them.
    #[test]
    fn sizes_are_linux_s() {
        let addresses = [
            [10, 0, 0, 0],
            [10, 0, 0, 2],
            [10, 0, 0, 255],
            [127, 0, 0, 0],
            [127, 0, 0, 1],
            [127, 255, 255, 255],
        ];
        let trie = Trie::of(addresses.into_iter().map(Ipv4Addr::from));
        let mut text = String::new();
        Statistics::of(&trie, 6).show(&mut text);
        let expected = "\tAver depth:     2.66\n\tMax depth:      3\n\tLeaves:         6\n\tPrefixes:       6\n\
             \tInternal nodes: 5\n\t  1: 1  2: 4\n\tPointers: 18\nNull ptrs: 8\nTotal size: 1  kB\n";
        assert_eq!(text, expected);
        let mut nothing = String::new();
        Statistics::of(&Trie::default(), 0).show(&mut nothing);
        assert!(nothing.starts_with("\tAver depth:     0.00\n") && nothing.contains("\n\t\n\tPointers: 0\n"));
    }
}
