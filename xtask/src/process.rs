//! Running other programs: silently with progress, or with their output shown.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use crate::Result;
use crate::ui::Progress;

const TAIL_LINES: usize = 400;

/// The workspace's root folder, as cargo says when it runs this program: the checkout may have moved since it was built.
pub(crate) fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let xtask = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        Path::new(&xtask).parent().unwrap_or(Path::new(".")).to_owned()
    });
    &ROOT
}

/// A program that runs in the workspace's root and finds what cargo installs, even where the shell's PATH does not name that folder.
pub(crate) fn command<'a>(program: &str, arguments: impl AsRef<[&'a str]>) -> Command {
    let mut command = Command::new(program);
    command.args(arguments.as_ref()).current_dir(root()).stdin(Stdio::null()).env("PATH", search_path());
    command
}

fn search_path() -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let Some(cargo_home) = cargo_home() else {
        return path;
    };
    let folders = std::iter::once(cargo_home.join("bin")).chain(std::env::split_paths(&path));
    std::env::join_paths(folders).unwrap_or(path)
}

fn cargo_home() -> Option<PathBuf> {
    let set = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    set.or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))
}

/// Where the search path has a program of this name.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    std::env::split_paths(&search_path())
        .map(|folder| folder.join(format!("{program}{}", std::env::consts::EXE_SUFFIX)))
        .find(|file| file.is_file())
}

/// What a program that answers at once prints, or nothing where it is missing or fails.
pub(crate) fn answer(program: &str, arguments: &[&str]) -> Option<String> {
    let output = command(program, arguments).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| text.trim().to_owned())
}

/// Runs a program with its output shown.
pub(crate) fn show(command: &mut Command) -> Result {
    let status = command.status().map_err(|error| not_started(command, &error))?;
    if status.success() {
        return Ok(());
    }
    Err(format!("`{}` ended with {status}", described(command)))
}

/// Runs a program silently but for a progress line, and returns what it printed. A failure carries its last lines.
pub(crate) fn quiet(name: &str, command: &mut Command) -> Result<String> {
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(|error| not_started(command, &error))?;
    let (sender, lines) = channel();
    read_lines(child.stdout.take(), true, sender.clone());
    read_lines(child.stderr.take(), false, sender);
    let (printed, tail) = follow(name, &lines);
    let status = child.wait().map_err(|error| format!("{name}: waiting for it failed: {error}"))?;
    if status.success() {
        return Ok(printed);
    }
    let described = described(command);
    Err(format!("{name} failed: `{described}` ended with {status}; its last lines:\n{tail}"))
}

fn read_lines(stream: Option<impl Read + Send + 'static>, keep: bool, sender: Sender<(bool, String)>) {
    let Some(stream) = stream else { return };
    std::thread::spawn(move || {
        let mut lines = BufReader::new(stream).split(b'\n');
        while let Some(Ok(line)) = lines.next() {
            let line = String::from_utf8_lossy(&line).into_owned();
            if sender.send((keep, line)).is_err() {
                return;
            }
        }
    });
}

/// Collects lines until both streams end: all of the standard output, and the last lines of both.
fn follow(name: &str, lines: &Receiver<(bool, String)>) -> (String, String) {
    let mut progress = Progress::new(name);
    let mut printed = String::new();
    let mut tail: VecDeque<String> = VecDeque::new();
    loop {
        match lines.recv_timeout(Duration::from_secs(1)) {
            Ok((keep, line)) => {
                if keep {
                    printed.push_str(&line);
                    printed.push('\n');
                }
                if tail.len() == TAIL_LINES {
                    tail.pop_front();
                }
                tail.push_back(format!("    {line}"));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        progress.tick(tail.back().map_or("", String::as_str));
    }
    (printed, Vec::from(tail).join("\n"))
}

fn not_started(command: &Command, error: &std::io::Error) -> String {
    let program = command.get_program().to_string_lossy();
    format!("`{program}` could not be started: {error}; install it or put it on the PATH")
}

fn described(command: &Command) -> String {
    let arguments = command.get_args().map(|argument| argument.to_string_lossy());
    std::iter::once(command.get_program().to_string_lossy()).chain(arguments).collect::<Vec<_>>().join(" ")
}
