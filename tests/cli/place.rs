//! A place to run the program in, and what a run gave.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A directory with the path of a database in it.
pub(crate) struct Place {
    directory: TempDir,
}

pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) output: String,
    pub(crate) error: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs a command on the database named `db`.
    pub(crate) fn run(&self, command: &str, arguments: &[&str]) -> Ran {
        self.run_on("db", command, arguments)
    }

    pub(crate) fn run_on(&self, database: &str, command: &str, arguments: &[&str]) -> Ran {
        let mut selkie = selkie();
        selkie.current_dir(self.directory.path()).arg(command).arg(database).args(arguments);
        ran(&selkie.stdin(Stdio::null()).output().unwrap())
    }

    pub(crate) fn load(&self, text: impl AsRef<[u8]>, arguments: &[&str]) -> Ran {
        let mut selkie = selkie();
        selkie.arg("load").arg(self.path("db")).arg("-").args(arguments);
        let mut child = selkie.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_ref()).unwrap();
        ran(&child.wait_with_output().unwrap())
    }
}

impl Ran {
    /// The output of a command that has to succeed.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "{}", self.error);
        self.output
    }

    /// The one line of an error.
    #[track_caller]
    pub(crate) fn error(self) -> String {
        assert_eq!(self.code, 2, "{}", self.output);
        assert_eq!(self.error.lines().count(), 1, "{}", self.error);
        self.error
    }
}

pub(crate) fn selkie() -> Command {
    Command::new(env!("CARGO_BIN_EXE_selkie"))
}

pub(crate) fn ran(output: &Output) -> Ran {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Ran { code: output.status.code().unwrap(), output: text(&output.stdout), error: text(&output.stderr) }
}
