//! The nightly toolchain, for the fuzzer and for tests under sanitizers.

use std::env;
use std::path::Path;
use std::process::Command;

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

/// The toolchain's cargo, with the commands that the toolchain adds to it: rustup has a proxy for some of them only.
pub(crate) fn cargo(arguments: &[&str]) -> Result<Command> {
    let found =
        answer("rustup", &["which", "--toolchain", "nightly", "cargo"]).ok_or("rustup does not find nightly")?;
    let folder = Path::new(&found).parent().ok_or("cargo of nightly is in no folder")?.to_owned();
    let others = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([folder].into_iter().chain(env::split_paths(&others)));
    let mut cargo = command("rustup", [&["run", "nightly", "cargo"], arguments].concat());
    cargo.env("PATH", path.map_err(|error| format!("PATH: {error}"))?);
    Ok(cargo)
}
