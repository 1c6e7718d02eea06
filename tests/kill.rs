//! A process is killed at random moments, again and again, over one directory.
//!
//! The child commits in two threads, writes snapshots in a third, and reports each acknowledgement through a pipe. The
//! parent kills it and looks: nothing acknowledged is missing, no transaction is there in part, and what is there is a
//! prefix of the order of commits. `SELKIE_KILLS` sets how often, `SELKIE_SEED` repeats a run.

#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use common::Random;
use common::campaign::{Campaign, count, variable};
use selkie::{Durability, Options, Readable, SnapshotPolicy, Transaction, Writable};

const DIRECTORY: &str = "SELKIE_TEST_KILL_DIRECTORY";
const LEVEL: &str = "SELKIE_TEST_KILL_LEVEL";
const LEVELS: usize = 5;
/// From this level on, what was acknowledged may be lost.
const QUEUED: usize = 3;

/// How many of the last commits are kept by their place in the order.
const RING: u64 = 64;

fn level(number: usize) -> Durability {
    let interval = Durability::Interval { time: Duration::from_millis(5), commits: 100, bytes: 1 << 16 };
    let levels: [Durability; LEVELS] =
        [Durability::Immediate, Durability::Buffered, interval, Durability::Queued, Durability::None];
    levels[number]
}

fn options(durability: Durability) -> Options {
    Options::new().durability(durability).segment_bytes(16 << 10).snapshots(SnapshotPolicy::Never)
}

fn number(value: Option<bytes::Bytes>) -> u64 {
    value.map_or(0, |value| u64::from_le_bytes(value[..].try_into().unwrap()))
}

/// What a writer's transaction with this number writes, in parts of different lengths.
fn parts(writer: u64, sequence: u64) -> Vec<Vec<u8>> {
    let mut random = Random(writer << 32 | sequence);
    (0..4).map(|_| (0..random.below(200)).map(|_| random.next() as u8).collect()).collect()
}

fn checksum(parts: &[Vec<u8>]) -> u64 {
    u64::from(crc32fast::hash(&parts.concat()))
}

/// One transaction: it takes the next place in the order of all commits, and returns it.
fn commit(tx: &mut Transaction, writer: u64) -> selkie::Result<u64> {
    let place = number(tx.get("count")?) + 1;
    let sequence = number(tx.get(format!("{writer} sequence"))?) + 1;
    let parts = parts(writer, sequence);
    tx.insert("count", place.to_le_bytes())?;
    tx.insert(format!("{writer} sequence"), sequence.to_le_bytes())?;
    for (index, part) in parts.iter().enumerate() {
        tx.insert(format!("{writer} part {index}"), part)?;
    }
    tx.insert(format!("{writer} checksum"), checksum(&parts).to_le_bytes())?;
    tx.insert(format!("ring {}", place % RING), [place.to_le_bytes(), writer.to_le_bytes()].concat())?;
    Ok(place)
}

fn say(line: &str) {
    // Without anybody to listen there is no use in going on.
    if std::io::stdout().write_all(format!("{line}\n").as_bytes()).is_err() {
        std::process::exit(1);
    }
}

/// Does nothing unless it is the process that is to be killed.
#[test]
fn child() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let durability = level(std::env::var(LEVEL).unwrap().parse().unwrap());
    say("\nopening");
    let db = options(durability).open(directory).unwrap();
    say("opened");
    let end = Instant::now() + Duration::from_secs(10);
    thread::scope(|scope| {
        for writer in 0..2 {
            let db = &db;
            scope.spawn(move || {
                while Instant::now() < end {
                    let place = db.update(|tx| commit(tx, writer)).unwrap();
                    say(&format!("committed {place}"));
                }
            });
        }
        while Instant::now() < end {
            say("snapshot begins");
            db.snapshot().unwrap();
            say("snapshot ends");
            thread::sleep(Duration::from_millis(3));
        }
    });
}

/// What the child reported before it was killed.
#[derive(Debug, Default)]
struct Reports {
    acknowledged: u64,
    commits: u64,
    opening: bool,
    opened: bool,
    in_snapshot: bool,
}

fn start(directory: &Path, level: usize) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child", "--nocapture", "--test-threads", "1"]);
    command.env(DIRECTORY, directory).env(LEVEL, level.to_string());
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Reads until the pipe ends, and tells `opened` when the database was opened. The last line may be cut short.
fn listen(output: ChildStdout, opened: &AtomicBool) -> Reports {
    let mut reports = Reports::default();
    let mut lines = BufReader::new(output);
    let mut line = String::new();
    while lines.read_line(&mut line).unwrap() > 0 {
        match line.strip_suffix('\n').unwrap_or_default() {
            "opening" => reports.opening = true,
            "opened" => {
                reports.opened = true;
                opened.store(true, Ordering::SeqCst);
            }
            "snapshot begins" => reports.in_snapshot = true,
            "snapshot ends" => reports.in_snapshot = false,
            whole => {
                if let Some(place) = whole.strip_prefix("committed ") {
                    reports.acknowledged = reports.acknowledged.max(place.parse().unwrap());
                    reports.commits += 1;
                }
            }
        }
        line.clear();
    }
    reports
}

/// Runs a child and kills it: some time after it opened the database, or shortly after it was started.
fn run_and_kill(directory: &Path, level: usize, early: bool, delay: Duration) -> Reports {
    let mut child = start(directory, level);
    let opened = AtomicBool::new(false);
    let output = child.stdout.take().unwrap();
    let reports = thread::scope(|scope| {
        let listener = scope.spawn(|| listen(output, &opened));
        let patience = Instant::now() + Duration::from_secs(10);
        while !early && !opened.load(Ordering::SeqCst) && Instant::now() < patience {
            thread::sleep(Duration::from_micros(200));
        }
        thread::sleep(delay);
        child.kill().unwrap();
        child.wait().unwrap();
        listener.join().unwrap()
    });
    assert!(early || reports.opened, "the child did not open the database");
    reports
}

/// Checks that the state is what some number of whole transactions left, and returns that number.
fn check(directory: &Path) -> u64 {
    let db = options(Durability::Buffered).open(directory).unwrap();
    let view = db.begin_read().unwrap();
    let count = number(view.get("count").unwrap());
    let mut sum = 0;
    for writer in 0..2 {
        let sequence = number(view.get(format!("{writer} sequence")).unwrap());
        sum += sequence;
        if sequence > 0 {
            let expected = parts(writer, sequence);
            for (index, part) in expected.iter().enumerate() {
                assert_eq!(view.get(format!("{writer} part {index}")).unwrap().unwrap(), part);
            }
            assert_eq!(number(view.get(format!("{writer} checksum")).unwrap()), checksum(&expected));
        }
    }
    assert_eq!(sum, count, "the writers' transactions and the order of all of them");
    for place in count.saturating_sub(RING - 1).max(1)..=count {
        let entry = view.get(format!("ring {}", place % RING)).unwrap().unwrap();
        assert_eq!(entry[..8], place.to_le_bytes(), "commit {place} of {count} is missing");
    }
    count
}

#[test]
fn a_killed_process_loses_nothing_it_acknowledged() {
    let campaign = Campaign::of(variable("SELKIE_KILLS", 100));
    let now = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos() as u64;
    let seed = variable("SELKIE_SEED", now());
    println!("SELKIE_SEED={seed}");
    let (mut random, started) = (Random(seed), Instant::now());
    let directory = tempfile::tempdir().unwrap();
    let (mut required, mut commits, mut in_recovery, mut in_snapshot) = (0, 0, 0, 0);
    let mut kills = 0;
    while campaign.goes_on(kills) {
        let kill = kills;
        kills += 1;
        let level = kill as usize % LEVELS;
        let early = random.below(4) == 0;
        let delay = Duration::from_micros(random.below(if early { 10_000 } else { 150_000 }));
        let reports = run_and_kill(directory.path(), level, early, delay);
        commits += reports.commits;
        in_recovery += u64::from(reports.opening && !reports.opened);
        in_snapshot += u64::from(reports.in_snapshot);
        if level < QUEUED {
            required = required.max(reports.acknowledged);
        }
        // Without a look in between, the next child recovers, and may be killed in the midst of that.
        if level >= QUEUED || random.below(2) == 0 {
            let found = check(directory.path());
            assert!(found >= required, "kill {kill}, level {level}: {found} commits, {required} were acknowledged");
            required = found;
        }
    }
    assert!(check(directory.path()) >= required);
    let files = std::fs::read_dir(directory.path()).unwrap().count();
    println!(
        "{kills} kills in {:.1?}: {in_recovery} in recovery, {in_snapshot} in a snapshot; \
         {commits} commits acknowledged, {required} in the end, {files} files",
        started.elapsed()
    );
    count(kills, "kills of a process");
    assert!(commits > 0);
    assert!(kills < 100 || (in_recovery > 0 && in_snapshot > 0), "none was killed in recovery, or none in a snapshot");
}
