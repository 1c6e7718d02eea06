//! The system's package manager: it brings what Cargo and npm do not.

use std::process::Command;

use crate::Result;
use crate::process::{answer, command, find, quiet};

pub(crate) struct Manager {
    program: &'static str,
    refresh: Option<&'static str>,
    install: &'static [&'static str],
    pub(crate) chromium: &'static [&'static str],
    pub(crate) firefox: &'static [&'static str],
    pub(crate) webkit: &'static [&'static str],
    pub(crate) valgrind: &'static [&'static str],
    needs_root: bool,
}

const MANAGERS: [Manager; 4] = [
    Manager {
        program: "apt-get",
        refresh: Some("update"),
        install: &["install", "--yes", "--no-install-recommends"],
        chromium: &["chromium", "chromium-driver"],
        firefox: &["firefox-esr"],
        webkit: &["webkit2gtk-driver", "xvfb", "xauth"],
        valgrind: &["valgrind"],
        needs_root: true,
    },
    Manager {
        program: "dnf",
        refresh: None,
        install: &["install", "--assumeyes"],
        chromium: &["chromium", "chromedriver"],
        firefox: &["firefox"],
        webkit: &[],
        valgrind: &["valgrind"],
        needs_root: true,
    },
    Manager {
        program: "pacman",
        refresh: None,
        install: &["-S", "--noconfirm", "--needed"],
        chromium: &["chromium"],
        firefox: &["firefox"],
        webkit: &[],
        valgrind: &["valgrind"],
        needs_root: true,
    },
    Manager {
        program: "brew",
        refresh: None,
        install: &["install", "--cask"],
        chromium: &["google-chrome", "chromedriver"],
        firefox: &["firefox"],
        webkit: &[],
        valgrind: &[],
        needs_root: false,
    },
];

/// Installs packages, each under the name that the system's package manager has for it.
pub(crate) fn install(name: &str, packages: impl Fn(&Manager) -> &'static [&'static str]) -> Result {
    let manager = MANAGERS
        .iter()
        .find(|manager| find(manager.program).is_some())
        .ok_or("no known package manager here (apt-get, dnf, pacman, brew)")?;
    let packages = packages(manager);
    if packages.is_empty() {
        return Err(format!("no package of {} is known for it", manager.program));
    }
    if let Some(refresh) = manager.refresh {
        quiet("refreshing the package lists", &mut manager.command(&[refresh]))?;
    }
    let arguments = [manager.install, packages].concat();
    quiet(&format!("installing {name} by {}", manager.program), &mut manager.command(&arguments)).map(drop)
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
