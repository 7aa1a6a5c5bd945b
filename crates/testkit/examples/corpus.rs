//! Writes every fuzz target's seeds to `DIRECTORY/TARGET/NUMBER`, where cargo-fuzz looks for them:
//! `cargo run -p hairpin-testkit --example corpus -- fuzz/corpus`.
#![allow(clippy::disallowed_methods, reason = "it writes files")]

use std::path::Path;

use hairpin_testkit::fuzz::TARGETS;

fn main() -> std::io::Result<()> {
    let Some(directory) = std::env::args().nth(1) else {
        eprintln!("usage: corpus DIRECTORY");
        std::process::exit(2);
    };
    for target in TARGETS {
        let directory = Path::new(&directory).join(target.name);
        std::fs::create_dir_all(&directory)?;
        for (number, seed) in (target.seeds)().iter().enumerate() {
            std::fs::write(directory.join(format!("seed-{number}")), seed)?;
        }
    }
    Ok(())
}
