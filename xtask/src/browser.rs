//! The browsers that the tests drive, and their drivers, from the system's package manager.

use std::path::Path;
use std::process::Command;

use crate::process::{answer, command, find, quiet};
use crate::tools::Tool;
use crate::{Result, ui};

const CHROMIUM: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
const FIREFOX: [&str; 2] = ["firefox-esr", "firefox"];
const CHROMIUM_DRIVER: &str = "chromedriver";
const WEBKIT_DRIVER: &str = "WebKitWebDriver";
const DISPLAY: &str = "xvfb-run";

struct Manager {
    program: &'static str,
    refresh: Option<&'static str>,
    install: &'static [&'static str],
    chromium: &'static [&'static str],
    firefox: &'static [&'static str],
    webkit: &'static [&'static str],
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
        needs_root: true,
    },
    Manager {
        program: "dnf",
        refresh: None,
        install: &["install", "--assumeyes"],
        chromium: &["chromium", "chromedriver"],
        firefox: &["firefox"],
        webkit: &[],
        needs_root: true,
    },
    Manager {
        program: "pacman",
        refresh: None,
        install: &["-S", "--noconfirm", "--needed"],
        chromium: &["chromium"],
        firefox: &["firefox"],
        webkit: &[],
        needs_root: true,
    },
    Manager {
        program: "brew",
        refresh: None,
        install: &["install", "--cask"],
        chromium: &["google-chrome", "chromedriver"],
        firefox: &["firefox"],
        webkit: &[],
        needs_root: false,
    },
];

/// Chromium with its driver, Firefox with its driver; WebKitGTK where the system has it.
pub(crate) fn ensure_all() -> Result {
    ensure()?;
    Tool::geckodriver().ensure()?;
    if !has_webkit() {
        match install("WebKitGTK's driver", |manager| manager.webkit) {
            Ok(()) if has_webkit() => {}
            Ok(()) => ui::warning("no WebKitGTK: its driver was installed, but is not on the PATH"),
            Err(error) => ui::warning(&format!("no WebKitGTK, whose tests are left out: {error}")),
        }
    }
    if has_webkit() {
        ui::ok("WebKitGTK, its driver and a display");
    }
    Ok(())
}

/// Chromium and Firefox.
pub(crate) fn ensure() -> Result {
    require("Chromium with chromedriver", chromium, |manager| manager.chromium)?;
    require("Firefox", firefox, |manager| manager.firefox)
}

pub(crate) fn has_webkit() -> bool {
    find(WEBKIT_DRIVER).is_some() && find(DISPLAY).is_some()
}

fn chromium() -> Option<String> {
    let driver = find(CHROMIUM_DRIVER)?;
    let browser = first(&CHROMIUM).or_else(|| application("Google Chrome"))?;
    Some(format!("{browser} and {}", driver.file_name()?.display()))
}

fn firefox() -> Option<String> {
    first(&FIREFOX).or_else(|| application("Firefox"))
}

fn first(names: &[&str]) -> Option<String> {
    names.iter().find(|name| find(name).is_some()).map(ToString::to_string)
}

fn application(name: &str) -> Option<String> {
    Path::new("/Applications").join(format!("{name}.app")).is_dir().then(|| name.to_owned())
}

fn require(
    name: &str,
    present: impl Fn() -> Option<String>,
    packages: impl Fn(&Manager) -> &'static [&'static str],
) -> Result {
    if let Some(found) = present() {
        ui::ok(&found);
        return Ok(());
    }
    install(name, packages).map_err(|error| format!("{name} is missing: {error}\nInstall it, and run this again."))?;
    let found = present().ok_or_else(|| format!("{name} was installed, but is not on the PATH"))?;
    ui::ok(&format!("{found}, installed"));
    Ok(())
}

fn install(name: &str, packages: impl Fn(&Manager) -> &'static [&'static str]) -> Result {
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
