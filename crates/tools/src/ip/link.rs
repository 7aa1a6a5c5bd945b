//! `ip link`

use crate::iproute2::{Args, Context, Stop};

pub(super) fn main(_: &mut Context<'_>, _: Args<'_>) -> Result<(), Stop> {
    Err(Stop::fail(1, "ip link: not built yet\n"))
}
