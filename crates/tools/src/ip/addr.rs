//! `ip addr`

use crate::iproute2::{Args, Context, Stop};

pub(super) fn main(_: &mut Context<'_>, _: Args<'_>) -> Result<(), Stop> {
    Err(Stop::fail(1, "ip addr: not built yet\n"))
}
