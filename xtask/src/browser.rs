//! The browsers that the tests drive, and their drivers, from the system's package manager.

use std::path::Path;

use crate::process::find;
use crate::system::{Manager, install};
use crate::tools::Tool;
use crate::{Result, ui};

const CHROMIUM: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
const FIREFOX: [&str; 2] = ["firefox-esr", "firefox"];
const CHROMIUM_DRIVER: &str = "chromedriver";
const WEBKIT_DRIVER: &str = "WebKitWebDriver";
const DISPLAY: &str = "xvfb-run";

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
