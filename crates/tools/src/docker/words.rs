//! Names for containers that nobody named.

use super::engine::{Docker, go_text};
use super::store;

const LEFT: &[&str] = &[
    "agile", "amber", "brave", "calm", "clever", "cosmic", "curious", "daring", "eager", "gentle", "happy",
    "honest", "jolly", "keen", "lively", "lucid", "mellow", "nimble", "patient", "quiet", "rapid", "serene",
    "silent", "solid", "steady", "sunny", "swift", "tidy", "vivid", "wise", "witty", "zesty",
];

const RIGHT: &[&str] = &[
    "baran",
    "berners",
    "bolot",
    "cerf",
    "clark",
    "comer",
    "crocker",
    "davies",
    "deering",
    "dijkstra",
    "estrin",
    "floyd",
    "hopper",
    "jacobson",
    "kahn",
    "kleinrock",
    "licklider",
    "lovelace",
    "lynch",
    "metcalfe",
    "mills",
    "mockapetris",
    "nagle",
    "perlman",
    "postel",
    "pouzin",
    "ritchie",
    "roberts",
    "shannon",
    "stevens",
    "thompson",
    "turing",
];

/// # Errors
/// No random bytes here, in words.
pub(super) fn name(docker: &mut Docker<'_>) -> Result<String, String> {
    let random = store::random(docker.system, 2).map_err(go_text)?;
    let pick = |list: &[&'static str], at: usize| {
        let number = random.get(at).copied().map_or(0, usize::from);
        list.get(number % list.len().max(1)).copied().unwrap_or("some")
    };
    Ok(format!("{}_{}", pick(LEFT, 0), pick(RIGHT, 1)))
}
