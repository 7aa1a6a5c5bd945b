//! Builds the clock that a User-Mode Linux gets (`crates/uml-clock`): a library to be preloaded into another program is
//! nothing that cargo makes of a dependency.
#![allow(clippy::disallowed_methods)]

use std::path::PathBuf;
use std::process::Command;

fn main() {
    let source = "../uml-clock/src/lib.rs";
    println!("cargo:rerun-if-changed={source}");
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let library = PathBuf::from(variable("OUT_DIR")).join("libhairpin_uml_clock.so");
    println!("cargo:rustc-env=HAIRPIN_UML_CLOCK={}", library.display());
    if variable("CARGO_CFG_TARGET_OS") != "linux" {
        return;
    }
    let built = Command::new(variable("RUSTC"))
        .args([
            "--crate-name=hairpin_uml_clock",
            "--crate-type=cdylib",
            "--edition=2024",
            "-O",
            "-Cstrip=symbols",
            "-Cpanic=abort",
        ])
        .args(["--target", &variable("TARGET"), source, "-o"])
        .arg(&library)
        .status();
    assert!(built.is_ok_and(|status| status.success()), "{source} does not build");
}
