//! Where docker's state is kept: with its host, outside of every program.

use hairpin_netlink::{Call, Errno, Reply, System};

use super::model::State;

const NAME: &str = "docker";

/// Other programs may have changed the state so often between reading and writing before it is given up.
const TRIES_MAX: usize = 100;

/// The state, where docker has been used on this host.
///
/// # Errors
/// `ENOSYS`: this is no host of a world.
pub(super) fn load(system: &mut dyn System) -> Result<Option<State>, Errno> {
    Ok(read(system)?.1)
}

/// Changes the state: `change` sees it as it is and may be called again where another program was faster. What it
/// returns an error for is not kept.
///
/// # Errors
/// What `change` returns, or why nothing can be kept.
pub(super) fn update<T>(
    system: &mut dyn System,
    mut change: impl FnMut(&mut State) -> Result<T, String>,
) -> Result<T, String> {
    let failed = |errno: Errno| format!("state of this host: {errno}");
    for _ in 0..TRIES_MAX {
        let (version, state) = read(system).map_err(failed)?;
        let mut state = state.unwrap_or_default();
        let result = change(&mut state)?;
        let data = serde_json::to_vec(&state).map_err(|error| error.to_string())?;
        match system.call(Call::StoreSave { name: NAME.to_owned(), version, data }) {
            Ok(_) => return Ok(result),
            Err(Errno::EAGAIN) => {}
            Err(errno) => return Err(failed(errno)),
        }
    }
    Err("state of this host: too many programs change it".to_owned())
}

fn read(system: &mut dyn System) -> Result<(u64, Option<State>), Errno> {
    match system.call(Call::StoreLoad(NAME.to_owned()))? {
        Reply::Stored { version: 0, .. } => Ok((0, None)),
        Reply::Stored { version, data } => {
            Ok((version, Some(serde_json::from_slice(&data).map_err(|_| Errno::EIO)?)))
        }
        _ => Err(Errno::EPROTO),
    }
}

/// So many random bytes as hexadecimal digits.
///
/// # Errors
/// As [`load`].
pub(super) fn random_hex(system: &mut dyn System, bytes: u32) -> Result<String, Errno> {
    let random = random(system, bytes)?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// # Errors
/// As [`load`].
pub(super) fn random(system: &mut dyn System, bytes: u32) -> Result<Vec<u8>, Errno> {
    match system.call(Call::Random(bytes))? {
        Reply::Bytes(bytes) => Ok(bytes),
        _ => Err(Errno::EPROTO),
    }
}
