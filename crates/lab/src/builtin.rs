//! The worlds that are always there.

use crate::error::Errors;
use crate::load;
use crate::model::World;

/// Name and text of each, in the form of any other world file.
pub const BUILT_IN: &[(&str, &str)] =
    &[("nat", include_str!("../worlds/nat.yaml")), ("bare", include_str!("../worlds/bare.yaml"))];

/// The built-in world `name`, if there is one.
///
/// # Errors
/// None in practice: a test reads them all.
pub fn builtin(name: &str) -> Option<Result<World, Errors>> {
    text(name).map(|text| load::parse(name, text))
}

pub(crate) fn text(name: &str) -> Option<&'static str> {
    BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

pub(crate) fn names() -> impl Iterator<Item = &'static str> + Clone {
    BUILT_IN.iter().map(|(name, _)| *name)
}
