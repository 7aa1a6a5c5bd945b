//! Where a session's emulated kernel comes from.

use hairpin_host::session::{Emulator, WorldSource};

/// Builds the world that the user named.
///
/// # Errors
/// This version has no emulated kernel.
pub fn load(source: &WorldSource) -> Result<Box<dyn Emulator>, String> {
    Err(format!("cannot build world '{}': this hairpin has no emulated kernel yet", source.world))
}
