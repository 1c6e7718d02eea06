//! The command line program, run as a user runs it.

#![cfg(all(not(target_arch = "wasm32"), feature = "cli"))]
#![allow(clippy::unwrap_used)]

mod place;

use std::path::{Path, PathBuf};
use std::process::Stdio;

use place::{Place, ran, selkie};

fn letters(place: &Place) {
    for key in ["a", "ab", "abc", "b", "c"] {
        place.run("set", &[key, &format!("value of {key}")]).ok();
    }
}

const RECORDS: &str = r#"{"key":"a","value":"text\twith \"quotes\""}
{"key":"b","value":{"z": 1.50, "a": [1, null]}}

{"key_base64":"/wA=","value_base64":"AP8="}
"#;

#[test]
fn what_is_dumped_loads_again() {
    let place = Place::new();
    let loaded = place.load(RECORDS, &[]);
    assert!(loaded.error.starts_with("loaded 3 records in "), "{}", loaded.error);
    loaded.ok();
    assert_eq!(place.run("get", &["b"]).ok(), "{\"z\":1.50,\"a\":[1,null]}\n");
    assert_eq!(place.run("get", &["a", "--raw"]).ok(), "text\twith \"quotes\"");
    let binary = selkie().arg("get").arg(place.path("db")).args(["/wA=", "--base64", "--raw"]).output().unwrap();
    assert_eq!(binary.stdout, [0, 0xff]);
    for format in ["jsonl", "tsv"] {
        let dump = place.run("dump", &["--format", format]).ok();
        assert_eq!(dump.lines().count(), 3);
        let again = Place::new();
        again.load(&dump, &["--format", format, "--keyspace", "other"]).ok();
        assert_eq!(again.run("dump", &["--format", format, "--keyspace", "other"]).ok(), dump);
        assert_eq!(again.run("count", &[]).ok(), "0\n");
    }
}

#[test]
fn a_file_is_loaded_by_its_name() {
    let place = Place::new();
    std::fs::write(place.path("records.tsv"), "a\tone\\ttwo\r\nb\t\n").unwrap();
    place.run("load", &["records.tsv"]).ok();
    assert_eq!(place.run("scan", &[]).ok(), "a\tone\\ttwo\nb\t\n");
    let error = place.run_on("other", "load", &["missing.jsonl"]).error();
    assert!(error.contains("missing.jsonl"), "{error}");
    assert!(!place.path("other").exists());
}

#[test]
fn a_bad_line_is_named_and_its_batch_is_not_written() {
    let place = Place::new();
    let line = |number| format!("{{\"key\":\"{number:02}\",\"value\":{number}}}");
    let lines: Vec<_> = (1..=25).map(line).chain(["{\"key\":\"no value\"}".to_owned()]).collect();
    let text = lines.join("\n");
    let error = place.load(&text, &["--batch", "10"]).error();
    assert!(error.starts_with("selkie: -:26: ") && error.contains("20 records were loaded before"), "{error}");
    assert_eq!(place.run("count", &[]).ok(), "20\n");
    for bad in ["not json", "{\"key\":\"a\",\"key_base64\":\"YQ==\",\"value\":1}", "{\"key_base64\":\"?\",\"value\":1}"]
    {
        assert!(place.load(bad, &[]).error().starts_with("selkie: -:1: "));
    }
    assert!(place.load("x", &[]).error().contains("expected value at column 1"));
    assert!(place.load("no tab", &["--format", "tsv"]).error().contains("no tab"));
}

#[test]
fn single_keys_are_set_read_and_removed() {
    let place = Place::new();
    place.run("set", &["key", "value"]).ok();
    assert_eq!(place.run("get", &["key"]).ok(), "value\n");
    assert_eq!(place.run("remove", &["key"]).code, 0);
    assert_eq!(place.run("remove", &["key"]).code, 1);
    let absent = place.run("get", &["key"]);
    assert_eq!((absent.code, absent.output.as_str(), absent.error.as_str()), (1, "", ""));
    place.run("set", &["key", "other", "--keyspace", "other"]).ok();
    assert_eq!(place.run("get", &["key"]).code, 1);
    assert_eq!(place.run("get", &["key", "--keyspace", "other"]).ok(), "other\n");
    assert!(place.run("get", &["key", "--keyspace", "missing"]).error().contains("no keyspace `missing`"));
}

#[test]
fn a_scan_has_bounds_a_direction_and_limits() {
    let place = Place::new();
    letters(&place);
    let keys = |arguments: &[&str]| {
        let output = place.run("scan", &[arguments, &["--keys-only"]].concat()).ok();
        output.lines().map(str::to_owned).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(keys(&[]), "a ab abc b c");
    assert_eq!(keys(&["--prefix", "ab"]), "ab abc");
    assert_eq!(keys(&["--from", "ab", "--to", "c"]), "ab abc b");
    assert_eq!(keys(&["--prefix", "a", "--from", "aa", "--to", "abb"]), "ab");
    assert_eq!(keys(&["--from", "c", "--to", "a"]), "");
    assert_eq!(keys(&["--reverse", "--limit", "2"]), "c b");
    assert_eq!(keys(&["--skip", "1", "--limit", "2"]), "ab abc");
    assert_eq!(keys(&["--reverse", "--skip", "3"]), "ab a");
    assert_eq!(keys(&["--skip", "9"]), "");
    assert_eq!(place.run("scan", &["--prefix", "c"]).ok(), "c\tvalue of c\n");
    assert_eq!(place.run("count", &["--prefix", "a"]).ok(), "3\n");
}

#[test]
fn the_past_is_read_as_far_as_it_is_kept() {
    let place = Place::new();
    place.run("set", &["key", "one", "--history", "forever"]).ok();
    place.run("set", &["key", "two"]).ok();
    place.run("remove", &["key"]).ok();
    let history = place.run("history", &["key"]).ok();
    let lines: Vec<Vec<_>> = history.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(lines.iter().map(|line| line[2..].join(" ")).collect::<Vec<_>>(), ["removed", "set two", "set one"]);
    assert!(lines[0][1].ends_with('Z'));
    let (two, one) = (lines[1][0], lines[2][0]);
    assert_eq!(place.run("get", &["key", "--at", two]).ok(), "two\n");
    assert_eq!(place.run("scan", &["--at", one]).ok(), "key\tone\n");
    assert_eq!(place.run("history", &["key", "--at", one]).ok().lines().count(), 1);
    assert!(place.run("get", &["key", "--at", "999"]).error().contains("not committed yet"));
    assert_eq!(place.run("history", &["nothing"]).code, 1);
    assert_eq!(place.run("set", &["key", "x", "--history", "often"]).code, 2);
}

#[test]
fn info_says_what_there_is() {
    let place = Place::new();
    letters(&place);
    place.run("set", &["key", "value", "--keyspace", "other", "--history", "3"]).ok();
    let info = place.run("info", &[]).ok();
    for expected in ["5 keys", "1 keys", "retention", "versions(3)", ".log", "torn tail"] {
        assert!(info.contains(expected), "{expected} in {info}");
    }
    let snapshot = place.run("snapshot", &[]).ok();
    assert!(snapshot.contains(": 6 keys, "), "{snapshot}");
    assert!(place.run("info", &[]).ok().contains(".snapshot, 6 keys"));
    assert_eq!(place.run("get", &["key", "--keyspace", "other"]).ok(), "value\n");
}

#[test]
fn verify_tells_damage_from_none() {
    let place = Place::new();
    letters(&place);
    place.run("snapshot", &[]).ok();
    place.run("set", &["key", "value"]).ok();
    assert!(place.run("verify", &[]).ok().contains("intact: "));
    for name in ["snapshot", "database"] {
        let file = file_of(&place.path("db"), name);
        let mut bytes = std::fs::read(&file).unwrap();
        bytes[20] ^= 1;
        std::fs::write(&file, bytes).unwrap();
    }
    let damaged = place.run("verify", &[]);
    assert_eq!((damaged.code, damaged.error.as_str()), (1, ""));
    assert_eq!(damaged.output.matches("DAMAGED").count(), 2, "{}", damaged.output);
    assert!(damaged.output.contains("damaged in 2 places; it does not open"), "{}", damaged.output);
    assert!(
        damaged.output.contains("\nwhat a repair would keep and lose:\nkept  commits to 6: 6 keys in 1 keyspaces, "),
        "{}",
        damaged.output
    );
    assert!(place.run("get", &["a"]).error().contains("corrupted file"));
}

#[test]
fn repair_says_what_it_kept_and_lost_and_verify_says_so_before() {
    let place = Place::new();
    let lines: Vec<_> = (0..10).map(|number| format!("key {number}\tvalue")).collect();
    place.load(lines.join("\n"), &["--format", "tsv", "--batch", "1"]).ok();
    let log = file_of(&place.path("db"), "01.log");
    let intact = std::fs::read(&log).unwrap();
    let mut bytes = intact.clone();
    bytes[72 + 4 * 64 + 50] ^= 1;
    std::fs::write(&log, &bytes).unwrap();

    let outlook = "kept  commits to 4: 4 keys in 1 keyspaces, 40 B, 4 versions\n\
        lost  file `0000000000000001.log` at offset 328, 64 bytes: a frame that was durable is damaged: commit 5\n\
        lost  file `0000000000000001.log` at offset 392, 320 bytes: intact, but behind what is lost: commits 6 to 10\n";
    let verified = place.run("verify", &[]);
    assert_eq!(verified.code, 1);
    assert!(
        verified.output.ends_with(&format!("what a repair would keep and lose:\n{outlook}")),
        "{}",
        verified.output
    );
    assert!(verified.output.contains("corrupted file `0000000000000001.log` at offset 328: a frame"));
    let repaired = place.run("repair", &["copy"]);
    assert_eq!((repaired.code, repaired.error.as_str()), (1, ""));
    assert_eq!(repaired.output, format!("{outlook}repaired, with losses in 2 places: `copy`\n"));
    assert_eq!(std::fs::read(&log).unwrap(), bytes);
    assert_eq!(place.run_on("copy", "count", &[]).ok(), "4\n");
    assert!(place.run_on("copy", "verify", &[]).ok().contains("intact: "));

    let refused = place.run("repair", &["copy"]).error();
    assert!(refused.starts_with("selkie: cannot create a database in `"), "{refused}");
    let refused = place.run("repair", &["db/copy"]).error();
    assert!(refused.contains("is within what is to be repaired"), "{refused}");
    std::fs::write(&log, intact).unwrap();
    let repaired = place.run("repair", &["other"]).ok();
    assert!(repaired.ends_with("repaired: nothing is lost: `other`\n"), "{repaired}");
    assert_eq!(place.run_on("other", "dump", &[]).ok(), place.run("dump", &[]).ok());
}

fn file_of(directory: &Path, ending: &str) -> PathBuf {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.into_iter().find(|path| path.to_str().unwrap().ends_with(ending)).unwrap()
}

#[test]
fn only_writing_creates_a_database() {
    let place = Place::new();
    for (command, arguments) in [
        ("dump", &[][..]),
        ("get", &["key"]),
        ("remove", &["key"]),
        ("scan", &[]),
        ("count", &[]),
        ("history", &["key"]),
        ("info", &[]),
        ("verify", &[]),
        ("repair", &["copy"]),
        ("snapshot", &[]),
    ] {
        let error = place.run(command, arguments).error();
        assert!(error.starts_with("selkie: no database at `db`"), "{command}: {error}");
        assert!(!place.path("db").exists() && !place.path("copy").exists());
    }
    std::fs::create_dir(place.path("db")).unwrap();
    std::fs::write(place.path("db").join("other.log"), "of another program").unwrap();
    assert!(place.run("info", &[]).error().contains("no database"));
    assert_eq!(std::fs::read_dir(place.path("db")).unwrap().count(), 1);
}

#[test]
fn a_database_that_is_open_is_locked() {
    let place = Place::new();
    let db = selkie::Database::open(place.path("db")).unwrap();
    assert!(place.run("get", &["key"]).error().contains("already open elsewhere"));
    db.close().unwrap();
    assert_eq!(place.run("get", &["key"]).code, 1);
}

#[test]
fn a_closed_pipe_ends_the_program_quietly() {
    let place = Place::new();
    let lines: Vec<_> = (0..20_000).map(|number| format!("{number}\tsome text")).collect();
    place.load(lines.join("\n"), &["--format", "tsv"]).ok();
    let mut selkie = selkie();
    selkie.arg("dump").arg(place.path("db")).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = selkie.spawn().unwrap();
    drop(child.stdout.take());
    let ran = ran(&child.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.error.as_str()), (0, ""));
}

#[test]
fn the_demonstration_runs_on_a_small_data_set() {
    let place = Place::new();
    let data = place.path("data.jsonl");
    let line = |number| format!("{{\"key\":\"{}/{number}\",\"value\":{{\"number\":{number}}}}}", number % 7);
    std::fs::write(&data, (0..500).map(line).collect::<Vec<_>>().join("\n")).unwrap();
    let mut selkie = selkie();
    selkie.arg("demo").arg("--data").arg(&data).arg("--directory").arg(place.path("db")).args(["--kills", "2"]);
    let output = ran(&selkie.output().unwrap()).ok();
    for step in ["load", "point", "prefix", "as of", "kill", "recover", "verify"] {
        assert!(output.contains(&format!("\n  {step}")), "{step} in {output}");
    }
    assert!(output.contains("Nothing that was acknowledged is gone after 2 kills"), "{output}");
    assert_eq!(ran(&selkie.output().unwrap()).code, 2);
}
