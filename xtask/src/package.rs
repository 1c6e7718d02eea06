//! The npm package: the engine compiled to wasm, its glue by wasm-bindgen, and the rest by pkg-templates/build.

use std::path::Path;

use crate::process::{command, quiet, root, show};
use crate::setup::WASM;
use crate::{Result, setup, ui};

/// How the engine is compiled: as it is published, or as fast as it can be.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Build {
    Published,
    Quick,
}

impl Build {
    pub(crate) fn parse(arguments: &[&str]) -> Result<Self> {
        match arguments {
            [] => Ok(Self::Published),
            ["--dev"] => Ok(Self::Quick),
            _ => Err(format!("`{}` is not an argument of package: [--dev]", arguments.join(" "))),
        }
    }

    fn profile(self) -> &'static str {
        match self {
            Self::Published => "web",
            Self::Quick => "web-dev",
        }
    }

    fn flag(self) -> Option<&'static str> {
        (self == Self::Quick).then_some("--dev")
    }
}

/// Builds `pkg/` and the tarball in `target/package`.
pub(crate) fn run(build: Build) -> Result {
    setup::for_package()?;
    if build == Build::Published {
        setup::standard_library()?;
    }
    let tools = root().join("pkg-templates/build");
    node_modules(&tools)?;
    ui::timed("engine compiled to wasm", || compile(build))?;
    ui::timed("wasm-bindgen", || {
        bind(build, "core", &[])?;
        // The names tell which function the linker means.
        if build == Build::Published { bind(build, "mangled", &["--no-demangle"]) } else { Ok(()) }
    })?;
    let mut node = command("node", ["pkg-templates/build/build.mjs"]);
    show(node.args(build.flag()))
}

/// What a panic would say goes nowhere on wasm, and neither does what Debug writes. A standard library that is compiled
/// without both, and to be small, takes options that are not stable; the compiler is the stable one all the same.
const STANDARD_LIBRARY: [&str; 2] = ["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"];
const UNSTABLE: &str = "-Zunstable-options -Cpanic=immediate-abort -Zfmt-debug=none -Zlocation-detail=none";
/// Loops whose counters LLVM splits up to compute addresses are longer.
const SMALL: &str = "-Cllvm-args=-disable-lsr";

/// The target folder is named, because the programs after this one look for the result there.
fn compile(build: Build) -> Result {
    let arguments = ["rustc", "--package", "selkie", "--lib", "--crate-type", "cdylib", "--features", "js"];
    let place = ["--target", WASM, "--target-dir", "target", "--profile", build.profile()];
    let mut cargo = command("cargo", [&arguments[..], &place].concat());
    if build == Build::Published {
        cargo.args(STANDARD_LIBRARY).args(["--", "-Clink-arg=--emit-relocs"]);
        cargo.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", format!("{UNSTABLE} {SMALL}"));
    }
    quiet("compiling the engine to wasm", &mut cargo).map(drop)
}

fn bind(build: Build, folder: &str, form: &[&str]) -> Result {
    let module = format!("target/{WASM}/{}/selkie.wasm", build.profile());
    let folder = format!("target/package/{folder}");
    let place = ["--out-dir", &folder, "--out-name", "selkie", "--target", "web", "--omit-default-module-path"];
    let arguments = [&[module.as_str()][..], &place, form].concat();
    quiet("wasm-bindgen", &mut command("wasm-bindgen", arguments)).map(drop)
}

/// Installs what a folder's package-lock.json names, unless that was done since the lock file last changed.
pub(crate) fn node_modules(folder: &Path) -> Result {
    let name = folder.strip_prefix(root()).unwrap_or(folder).display().to_string();
    let installed = folder.join("node_modules/.package-lock.json");
    if modified(&installed) >= modified(&folder.join("package-lock.json")) {
        ui::ok(&format!("{name}/node_modules"));
        return Ok(());
    }
    let mut npm = command("npm", ["ci", "--no-audit", "--no-fund", "--prefer-offline"]);
    ui::timed(&format!("{name}/node_modules installed"), || {
        quiet(&format!("npm ci in {name}"), npm.current_dir(folder)).map(drop)
    })
}

fn modified(file: &Path) -> Option<std::time::SystemTime> {
    file.metadata().and_then(|metadata| metadata.modified()).ok()
}
