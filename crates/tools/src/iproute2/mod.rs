//! What `ip` and `bridge` have in common: the grammar of their arguments, output as text or JSON, requests
//! with their error texts, names of links and of numbers.

pub(crate) mod args;
pub(crate) mod context;
pub(crate) mod genl;
pub(crate) mod inet;
pub(crate) mod json;
pub(crate) mod layer;
pub(crate) mod link_flags;
pub(crate) mod links;
pub(crate) mod names;
pub(crate) mod nsid;
pub(crate) mod number;
pub(crate) mod print;
pub(crate) mod rtnl;
pub(crate) mod stop;

/// The value of the first attribute of a kind: `find!(link.attributes, LinkAttribute::Mtu)`.
macro_rules! find {
    ($list:expr, $variant:path) => {
        $list.iter().find_map(|attribute| match attribute {
            $variant(value) => Some(value),
            _ => None,
        })
    };
}

pub(crate) use find;

/// Runs `ip` or `bridge` to its exit code.
pub(crate) fn start(
    program: &mut Program<'_>,
    run: fn(&mut Context<'_>, Args<'_>) -> Result<(), Stop>,
) -> i32 {
    let (mut context, words) = Context::new(program);
    let outcome = run(&mut context, Args::new(words));
    // What was printed before an error is printed all the same, as at exit() in C.
    context.flush();
    match outcome {
        Ok(()) => 0,
        Err(stop) => {
            context.complain(&stop.text);
            stop.code
        }
    }
}

use crate::Program;

pub(crate) use args::{Args, matches};
pub(crate) use context::Context;
pub(crate) use print::{Color, Value};
pub(crate) use stop::Stop;
