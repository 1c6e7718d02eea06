//! The playground: built from the package, with the demonstration's data, then served or checked.

use std::path::PathBuf;

use crate::process::{command, quiet, root, show};
use crate::{Result, browser, package, ui};

/// Builds the page. The package and the data set must be there.
pub(crate) fn build() -> Result {
    package::node_modules(&folder())?;
    for (name, script) in [("the page's data", "data"), ("the page", "build")] {
        let mut npm = command("npm", ["run", script]);
        ui::timed(name, || quiet(name, npm.current_dir(folder())))?;
    }
    Ok(())
}

/// Serves the built page until it is interrupted.
pub(crate) fn serve() -> Result {
    println!("\nThe playground is at the address below. Ctrl-C ends it.");
    show(command("npm", ["run", "--silent", "preview"]).current_dir(folder()))
}

/// Opens the built page in a headless Chromium: loads the data, searches, kills the worker, recovers.
pub(crate) fn check() -> Result {
    browser::ensure()?;
    show(&mut command("node", ["tests/page/run.mjs", "--browser", "chromium", "demonstration"]))
}

fn folder() -> PathBuf {
    root().join("www")
}
