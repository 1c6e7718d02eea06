//! The comparison with other engines in browsers: builds the package, then benches/web measures.

use crate::process::{command, root, show};
use crate::{Result, browser, package};

const USAGE: &str = "[--quick] [--browsers a,b] [--peers a,b] [--records n,n] [--rounds n]";

/// The arguments go on as they are. They are looked at before the package is built, which takes a while.
pub(crate) fn run(arguments: &[&str]) -> Result {
    check(arguments)?;
    browser::ensure()?;
    package::run(package::Build::Published)?;
    let folder = root().join("benches/web");
    package::node_modules(&folder)?;
    show(command("node", ["run/main.js"]).args(arguments).current_dir(folder))
}

fn check(arguments: &[&str]) -> Result {
    match arguments {
        [] => Ok(()),
        ["--quick", rest @ ..] | ["--browsers" | "--peers" | "--records" | "--rounds", _, rest @ ..] => check(rest),
        [other, ..] => Err(format!("`{other}` is not an argument of compare-web: {USAGE}")),
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn arguments_are_known_before_the_build() {
        let all = ["--browsers", "firefox", "--peers", "idb,dexie", "--quick", "--records", "5000", "--rounds", "3"];
        assert!(check(&all).is_ok());
        assert!(check(&["--records"]).is_err());
        assert!(check(&["--fast"]).is_err());
    }
}
