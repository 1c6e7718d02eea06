// Reads of the past: as of a version, as of a time, the history of a key, and how long it is kept.
//
//     cargo run --example time_travel

use std::time::Duration;

use selkie::{Error, ErrorKind, Options, Readable, Retention, SystemTime};

fn main() -> selkie::Result<()> {
    let directory = tempfile::tempdir().map_err(Error::aborted)?;
    let path = directory.path().join("prices");

    // The retention is stored with the data: opening without naming one keeps it.
    let db = Options::new().history(Retention::Versions(3)).open(&path)?;
    let first = db.insert("tea", "2.10")?.version();
    db.insert("coffee", "3.00")?;
    std::thread::sleep(Duration::from_millis(2));
    let noon = SystemTime::now();
    std::thread::sleep(Duration::from_millis(2));
    db.insert("tea", "2.40")?;
    db.remove("coffee")?;

    // As of a version and as of a time: views of the past read like views of the present.
    assert_eq!(db.at(first)?.get("tea")?, Some("2.10".into()));
    assert_eq!(db.at(first)?.iter().count(), 1);
    let then = db.as_of(noon)?;
    assert_eq!(then.get("tea")?, Some("2.10".into()));
    assert_eq!(then.get("coffee")?, Some("3.00".into()));
    assert_eq!(db.get("coffee")?, None);

    // The history of a key, newest first. A removal is a version without a value.
    let coffee = db.history("coffee")?;
    assert_eq!(coffee.len(), 2);
    assert_eq!(coffee[0].value, None);
    for version in db.history("tea")? {
        println!("tea {:?} since commit {}", version.value, version.version);
    }

    // History survives closing, and so does the retention.
    db.close()?;
    let db = Options::new().open(&path)?;
    assert_eq!(db.retention(), Retention::Versions(3));
    assert_eq!(db.as_of(noon)?.get("tea")?, Some("2.10".into()));

    // Three versions of each key are kept. A read that needs an older one says so instead of guessing.
    for price in ["2.50", "2.60", "2.70"] {
        db.insert("tea", price)?;
    }
    db.collect_garbage()?;
    assert_eq!(db.history("tea")?.len(), 3);
    match db.at(first)?.get("tea") {
        Err(error) if matches!(error.kind(), ErrorKind::HistoryCollected { .. }) => println!("{error}"),
        other => unreachable!("a version that was collected: {other:?}"),
    }
    db.close()
}
