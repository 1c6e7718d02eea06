//! The nightly toolchain, for the fuzzer and for tests under sanitizers.

use crate::process::{answer, command, quiet};
use crate::{Result, ui};

/// Sees to it that the toolchain is there with some components.
pub(crate) fn ensure(components: &[&str]) -> Result {
    if answer("rustup", &["run", "nightly", "rustc", "--version"]).is_none() {
        let mut install = command("rustup", ["toolchain", "install", "nightly", "--profile", "minimal"]);
        quiet("installing the nightly toolchain", &mut install)?;
    }
    let there = answer("rustup", &["component", "list", "--installed", "--toolchain", "nightly"]).unwrap_or_default();
    for component in components {
        if !there.lines().any(|line| line.starts_with(component)) {
            let mut add = command("rustup", ["component", "add", component, "--toolchain", "nightly"]);
            quiet(&format!("installing {component}"), &mut add)?;
        }
    }
    ui::ok(&["nightly toolchain"].iter().chain(components).copied().collect::<Vec<_>>().join(", "));
    Ok(())
}
