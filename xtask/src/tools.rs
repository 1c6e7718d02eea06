//! Programs that `cargo install` brings, each at one version.

use std::time::Instant;

use crate::process::{answer, command, quiet, root};
use crate::{Result, ui};

pub(crate) struct Tool {
    package: &'static str,
    program: &'static str,
    version: String,
    /// Whether to build with the dependencies that its authors locked. The lock file of wasm-bindgen-cli does not resolve everywhere.
    locked: bool,
}

impl Tool {
    /// The command line program and the library speak a private format, so that their versions must be the same.
    pub(crate) fn wasm_bindgen() -> Result<Self> {
        let lock = root().join("Cargo.lock");
        let text =
            std::fs::read_to_string(&lock).map_err(|error| format!("{} cannot be read: {error}", lock.display()))?;
        let version = locked_version(&text, "wasm-bindgen")
            .ok_or("Cargo.lock names no version of wasm-bindgen: restore it from the repository")?;
        Ok(Self { package: "wasm-bindgen-cli", program: "wasm-bindgen", version: version.to_owned(), locked: false })
    }

    pub(crate) fn wasm_pack() -> Self {
        Self::named("wasm-pack", "0.15.1", false)
    }

    pub(crate) fn geckodriver() -> Self {
        Self::named("geckodriver", "0.37.1", false)
    }

    pub(crate) fn cargo_deny() -> Self {
        Self::named("cargo-deny", "0.20.2", true)
    }

    pub(crate) fn cargo_fuzz() -> Self {
        Self::named("cargo-fuzz", "0.13.1", true)
    }

    pub(crate) fn cargo_mutants() -> Self {
        Self::named("cargo-mutants", "27.1.0", true)
    }

    fn named(package: &'static str, version: &str, locked: bool) -> Self {
        Self { package, program: package, version: version.to_owned(), locked }
    }

    /// Installs the program unless the search path already has this version of it.
    pub(crate) fn ensure(&self) -> Result {
        let name = format!("{} {}", self.program, self.version);
        if self.is_present() {
            ui::ok(&name);
            return Ok(());
        }
        let start = Instant::now();
        self.install(&name)?;
        if !self.is_present() {
            let message = "was installed, but another version is found first: remove that one from the PATH";
            return Err(format!("{name} {message}"));
        }
        ui::ok(&format!("{name}, installed in {}", ui::seconds(start.elapsed())));
        Ok(())
    }

    fn is_present(&self) -> bool {
        // A subcommand of Cargo's may know its version only under its name.
        let asked: &[&str] = if self.program == "cargo-mutants" { &["mutants", "--version"] } else { &["--version"] };
        let line = answer(self.program, asked).unwrap_or_default();
        line.split_whitespace().nth(1) == Some(&self.version)
    }

    /// The tools do little work here, so that compiling them fast counts for more than their speed.
    fn install(&self, name: &str) -> Result {
        let mut install = command("cargo", ["install", self.package, "--version", &self.version]);
        if self.locked {
            install.arg("--locked");
        }
        install
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
        quiet(&format!("installing {name}"), &mut install)
            .map(drop)
            .map_err(|error| {
                format!(
                    "{error}\nIt needs the crates registry and a C compiler. Or install it yourself: cargo install {} --version {}",
                    self.package, self.version
                )
            })
    }
}

fn locked_version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    lines.nth(1)?.strip_prefix("version = \"")?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::locked_version;

    #[test]
    fn the_version_is_that_of_the_whole_name() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen"), Some("0.2.130"));
        assert_eq!(locked_version(lock, "wasm-pack"), None);
    }
}
