//! A browser and its driver, from the system's package manager. The tests that run today do without: what is missing is a warning.

use std::path::PathBuf;
use std::process::Command;

use crate::process::{answer, command, find, quiet, root};
use crate::{Result, ui};

const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
const DRIVER: &str = "chromedriver";

/// Whether to try again what failed before: a machine where it cannot work should not wait for it at every start.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Retry {
    Always,
    Never,
}

struct Manager {
    program: &'static str,
    refresh: Option<&'static str>,
    install: &'static [&'static str],
    needs_root: bool,
}

const MANAGERS: [Manager; 4] = [
    Manager {
        program: "apt-get",
        refresh: Some("update"),
        install: &["install", "--yes", "--no-install-recommends", "chromium", "chromium-driver"],
        needs_root: true,
    },
    Manager {
        program: "dnf",
        refresh: None,
        install: &["install", "--assumeyes", "chromium", "chromedriver"],
        needs_root: true,
    },
    Manager {
        program: "pacman",
        refresh: None,
        install: &["-S", "--noconfirm", "--needed", "chromium"],
        needs_root: true,
    },
    Manager {
        program: "brew",
        refresh: None,
        install: &["install", "--cask", "google-chrome", "chromedriver"],
        needs_root: false,
    },
];

pub(crate) fn ensure(retry: Retry) {
    if let Some(found) = present() {
        return ui::ok(&found);
    }
    if retry == Retry::Never && failed_before().exists() {
        return ui::warning(
            "no Chromium with chromedriver: installing them failed before (`cargo xtask setup` tries again)",
        );
    }
    match install() {
        Ok(found) => ui::ok(&format!("{found}, installed")),
        Err(error) => {
            remember_failure();
            ui::warning(&format!("no Chromium with chromedriver, which these tests do not need yet: {error}"));
        }
    }
}

fn present() -> Option<String> {
    let browser = BROWSERS.into_iter().find(|name| find(name).is_some()).or_else(mac_browser)?;
    find(DRIVER).map(|_| format!("{browser} and {DRIVER}"))
}

fn mac_browser() -> Option<&'static str> {
    let application = PathBuf::from("/Applications/Google Chrome.app");
    application.is_dir().then_some("Google Chrome")
}

fn install() -> Result<String> {
    let manager = MANAGERS
        .iter()
        .find(|manager| find(manager.program).is_some())
        .ok_or("no known package manager here (apt-get, dnf, pacman, brew); install both by hand")?;
    if let Some(refresh) = manager.refresh {
        quiet("refreshing the package lists", &mut manager.command(&[refresh]))?;
    }
    let name = format!("installing Chromium and chromedriver by {}", manager.program);
    quiet(&name, &mut manager.command(manager.install))?;
    present().ok_or_else(|| format!("{} installed them, but they are not on the PATH", manager.program))
}

impl Manager {
    /// Nothing may ask for a password here: without root, and without a sudo that needs none, the step fails.
    fn command(&self, arguments: &[&str]) -> Command {
        let is_root = answer("id", &["-u"]).is_some_and(|user| user == "0");
        let mut command = if self.needs_root && !is_root {
            let mut sudo = command("sudo", ["-n", self.program]);
            sudo.args(arguments);
            sudo
        } else {
            command(self.program, arguments)
        };
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    }
}

fn failed_before() -> PathBuf {
    root().join("target/xtask/browser-failed")
}

fn remember_failure() {
    let file = failed_before();
    // When this cannot be written the only loss is that the next run tries once more.
    let _ = std::fs::create_dir_all(root().join("target/xtask"));
    let _ = std::fs::write(file, "");
}
