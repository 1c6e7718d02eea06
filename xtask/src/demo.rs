//! The main job on real data: natively (load, query, crash in the middle of a stream of commits, recover, verify), then in the browser.

use std::path::Path;

use crate::process::{command, quiet, root, show};
use crate::{Result, dataset, package, page, setup, ui};

const RELEASE: [&str; 5] = ["--release", "--features", "cli", "--bin", "selkie"];

/// What comes after the native demonstration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Page {
    Serve,
    Check,
}

impl Page {
    pub(crate) fn parse(arguments: &[&str]) -> Result<Self> {
        match arguments {
            [] => Ok(Self::Serve),
            ["--check"] => Ok(Self::Check),
            _ => Err(format!("`{}` is not an argument of demo: [--check]", arguments.join(" "))),
        }
    }
}

pub(crate) fn run(page: Page) -> Result {
    setup::npm()?;
    let folder = root().join("target/demo");
    let data = dataset::ensure(&folder)?;
    native(&folder, &data)?;
    println!();
    package::run(package::Build::Published)?;
    page::build()?;
    match page {
        Page::Serve => page::serve(),
        Page::Check => page::check(),
    }
}

fn native(folder: &Path, data: &Path) -> Result {
    let arguments = [&["build"], &RELEASE[..]].concat();
    quiet("building selkie", &mut command("cargo", arguments))?;
    ui::ok("selkie built (release)");
    let database = folder.join("db");
    remove_earlier(&database)?;
    let arguments = [&["run", "--quiet"], &RELEASE[..], &["--", "demo", "--data"]].concat();
    let mut selkie = command("cargo", arguments);
    show(selkie.arg(data).arg("--directory").arg(database))
}

/// Each demonstration starts from an empty database.
fn remove_earlier(database: &Path) -> Result {
    if !database.exists() {
        return Ok(());
    }
    std::fs::remove_dir_all(database)
        .map_err(|error| format!("removing {} failed: {error}; remove it by hand", database.display()))
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn the_page_is_served_or_checked() {
        assert_eq!(Page::parse(&[]), Ok(Page::Serve));
        assert_eq!(Page::parse(&["--check"]), Ok(Page::Check));
        assert!(Page::parse(&["--fast"]).is_err());
    }
}
