//! Faults that nobody chose: places of the code where a rule can be flipped, found by the looks of it, as rustfmt writes
//! it. A condition is negated, one of its parts left out, a comparison takes its limit or not, a statement is left out, an
//! arm of a match does what the next one does or is not there, a number is one more.
//!
//! A flip is woven in by insertions alone (`weave`), so that thousands fit into one build.

mod code;
mod find;
mod unseen;

use std::fs;
use std::ops::Range;
use std::path::Path;

pub use find::find;
pub use unseen::{Unseen, unseen};

/// The code of devices, of what they share, and of neighbours: where flips are looked for.
pub const FILES: &[&str] = &[
    "crates/kernel/src/control/address.rs",
    "crates/kernel/src/control/ipvlan.rs",
    "crates/kernel/src/control/link_watch.rs",
    "crates/kernel/src/control/lists.rs",
    "crates/kernel/src/control/master.rs",
    "crates/kernel/src/control/register.rs",
    "crates/kernel/src/control/state.rs",
    "crates/kernel/src/control/wiring.rs",
    "crates/kernel/src/dev/bridge/arp_proxy.rs",
    "crates/kernel/src/dev/bridge/fdb.rs",
    "crates/kernel/src/dev/bridge/forward.rs",
    "crates/kernel/src/dev/bridge/mdb.rs",
    "crates/kernel/src/dev/bridge/mod.rs",
    "crates/kernel/src/dev/bridge/port.rs",
    "crates/kernel/src/dev/bridge/snoop/members.rs",
    "crates/kernel/src/dev/bridge/snoop/mod.rs",
    "crates/kernel/src/dev/bridge/snoop/queries.rs",
    "crates/kernel/src/dev/bridge/snoop/routers.rs",
    "crates/kernel/src/dev/bridge/stp/clock.rs",
    "crates/kernel/src/dev/bridge/stp/messages.rs",
    "crates/kernel/src/dev/bridge/stp/mod.rs",
    "crates/kernel/src/dev/bridge/stp/procedures.rs",
    "crates/kernel/src/dev/bridge/stp/timers.rs",
    "crates/kernel/src/dev/bridge/vlan.rs",
    "crates/kernel/src/dev/ipvlan.rs",
    "crates/kernel/src/dev/macvlan.rs",
    "crates/kernel/src/dev/mod.rs",
    "crates/kernel/src/dev/veth.rs",
    "crates/kernel/src/dev/vlan.rs",
    "crates/kernel/src/neigh/arp.rs",
    "crates/kernel/src/neigh/mod.rs",
    "crates/kernel/src/neigh/output.rs",
    "crates/kernel/src/neigh/state.rs",
    "crates/kernel/src/path/bridge.rs",
    "crates/kernel/src/path/rx.rs",
    "crates/kernel/src/path/tx.rs",
];

/// Something that goes into the code at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Insertion {
    pub at: usize,
    pub text: String,
    /// It begins something, or it ends something, of this length: what is longer goes around.
    pub begins: bool,
    pub length: usize,
}

/// A place where a rule can be flipped.
#[derive(Clone, Debug)]
pub struct Flip {
    pub file: String,
    pub function: String,
    pub how: &'static str,
    /// What is flipped, in one line.
    pub text: String,
    edit: Edit,
}

/// What goes around a piece of the code; `#` stands for the question whether this flip is the chosen one.
#[derive(Clone, Debug)]
struct Edit {
    range: Range<usize>,
    before: String,
    after: String,
}

impl Flip {
    /// A number for its file, its function, its text and what is done with it: it stays when other code changes.
    pub fn hash(&self, seed: u64) -> u64 {
        // FNV-1a, and the end of splitmix64.
        let mut hash = 0xCBF2_9CE4_8422_2325 ^ seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for byte in [self.file.as_str(), &self.function, self.how, &self.text].join("\n").bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        }
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        hash ^ (hash >> 31)
    }

    /// What weaves it in under a number.
    pub fn insertions(&self, number: usize) -> Vec<Insertion> {
        let question = format!("crate::planted::is({number})");
        let Edit { range, before, after } = &self.edit;
        let length = range.len();
        let of =
            |at, text: &String, begins| Insertion { at, text: text.replace('#', &question), begins, length };
        vec![of(range.start, before, true), of(range.end, after, false)]
    }
}

/// Every flip of [`FILES`], from the root of the repository.
///
/// # Errors
/// A file cannot be read; the text is for the user.
pub fn all(root: &Path) -> Result<Vec<Flip>, String> {
    let mut flips = Vec::new();
    for file in FILES {
        let path = root.join(file);
        let code = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        flips.extend(find(file, &code));
    }
    Ok(flips)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agree::weave;

    const CODE: &str = "\
impl Port {
    fn deliver(&mut self, port: &Egress, from: Option<u8>) -> bool {
        // if this { is a comment }
        if from == Some(port.dev) && !port.hairpin {
            return false;
        }
        self.count += 1;
        match port.state {
            State::Blocked => self.drop(\"if\"),
            State::Open if self.up => self.send(),
            _ => {}
        }
        port.list.iter().any(|one| one.age < 5)
    }
}
";

    /// What is listed as unseen is there.
    #[test]
    fn the_list_fits_the_code() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let flips = super::all(&here.join("../..")).expect("the code");
        assert!(flips.len() > 1000, "{} flips", flips.len());
        let unseen = unseen(&here.join("mutants/unseen")).expect("lists");
        let stale: Vec<_> = unseen.iter().filter(|one| !flips.iter().any(|flip| one.is(flip))).collect();
        assert!(stale.is_empty(), "{stale:#?}");
    }

    #[test]
    fn rules_are_found_where_they_stand() {
        let of = |how, text: &str| (how, text.to_owned());
        let mut found: Vec<_> = find("file.rs", CODE).into_iter().map(|flip| (flip.how, flip.text)).collect();
        found.sort();
        let mut wanted = vec![
            of("negated", "from == Some(port.dev) && !port.hairpin"),
            of("left out", "from == Some(port.dev)"),
            of("left out", "!port.hairpin"),
            of("negated", "false in return false;"),
            of("left out", "self.count += 1;"),
            of("one more", "1 in self.count += 1;"),
            of("no such arm", "State::Blocked"),
            of("negated", "self.up"),
            of("as another arm", "State::Open if self.up => self.send()"),
            of("negated", "one.age < 5"),
            of("the limit", "one.age < 5"),
            of("one more", "5 in port.list.iter().any(|one| one.age < 5)"),
            of("negated", "port.list.iter().any(|one| one.age < 5)"),
        ];
        wanted.sort();
        let missing: Vec<_> = wanted.iter().filter(|flip| !found.contains(flip)).collect();
        assert!(missing.is_empty(), "{missing:?} of {found:#?}");
    }

    #[test]
    fn what_is_woven_in_is_balanced_and_asks_for_its_number() {
        let flips = find("file.rs", CODE);
        let numbered: Vec<(usize, &Flip)> = flips.iter().enumerate().collect();
        let woven = weave::weave(CODE, &[], &numbered).expect("it fits");
        for number in 0..flips.len() {
            assert_eq!(woven.matches(&format!("crate::planted::is({number})")).count(), 1, "{woven}");
        }
        assert!(woven.contains("if (crate::planted::is(0) != ((from == Some(port.dev) || crate::planted::is(1)) && (!port.hairpin || crate::planted::is(2)))) {"), "{woven}");
        for (open, close) in [('(', ')'), ('{', '}')] {
            assert_eq!(woven.matches(open).count(), woven.matches(close).count(), "{woven}");
        }
    }
}
