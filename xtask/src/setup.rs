//! What each command needs on the machine. Every step first looks whether its work is already done.

use std::path::Path;

use crate::process::{answer, command, quiet};
use crate::tools::Tool;
use crate::{Result, browser, ui};

pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// Everything, for a machine that is to be ready before it goes offline.
pub(crate) fn all() -> Result {
    for_wasm_tests()?;
    Tool::cargo_deny().ensure()?;
    standard_library()?;
    npm()?;
    browser::ensure_all()
}

pub(crate) fn for_tests() -> Result {
    for_wasm_tests()?;
    browser::ensure_all()
}

fn for_wasm_tests() -> Result {
    wasm_target()?;
    node()?;
    Tool::wasm_bindgen()?.ensure()?;
    Tool::wasm_pack().ensure()
}

pub(crate) fn for_checks() -> Result {
    wasm_target()?;
    Tool::cargo_deny().ensure()
}

pub(crate) fn for_package() -> Result {
    wasm_target()?;
    node()?;
    npm()?;
    Tool::wasm_bindgen()?.ensure()
}

pub(crate) fn npm() -> Result {
    present("npm", &["--version"], "npm")
}

fn node() -> Result {
    present("node", &["--version"], "Node.js")
}

fn present(program: &str, arguments: &[&str], name: &str) -> Result {
    let version = answer(program, arguments)
        .ok_or_else(|| format!("{name} is missing: install Node.js 20 or later, which brings node and npm"))?;
    ui::ok(&format!("{name} {}", version.trim_start_matches('v')));
    Ok(())
}

fn wasm_target() -> Result {
    if !has_wasm_target() {
        let name = format!("installing the target {WASM}");
        quiet(&name, &mut command("rustup", ["target", "add", WASM])).map_err(|error| {
            format!("{error}\nInstall the standard library for {WASM} of this toolchain, then run this again.")
        })?;
    }
    ui::ok(&format!("target {WASM}"));
    Ok(())
}

/// The source of the standard library, which the npm package compiles for itself.
pub(crate) fn standard_library() -> Result {
    if !has_standard_library() {
        quiet("installing rust-src", &mut command("rustup", ["component", "add", "rust-src"])).map_err(|error| {
            format!("{error}\nInstall the source of this toolchain's standard library, then run this again.")
        })?;
    }
    ui::ok("source of the standard library");
    Ok(())
}

fn has_standard_library() -> bool {
    let library = |sysroot: String| Path::new(&sysroot).join("lib/rustlib/src/rust/library/std").is_dir();
    answer("rustc", &["--print", "sysroot"]).is_some_and(library)
}

/// Asks the compiler and not rustup, because a toolchain from elsewhere may have the target too.
fn has_wasm_target() -> bool {
    answer("rustc", &["--print", "target-libdir", "--target", WASM]).is_some_and(|folder| Path::new(&folder).is_dir())
}
