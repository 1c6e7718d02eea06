// Opens a database, writes, reads back, closes it and finds everything again.
//
//     cargo run --example quickstart

use selkie::{Database, Readable, Writable};

fn main() -> selkie::Result<()> {
    let directory = tempfile::tempdir().map_err(selkie::Error::aborted)?;
    let path = directory.path().join("notes");

    // The directory is created when it does not exist.
    let db = Database::open(&path)?;
    assert!(db.recovery().created);

    // Single operations commit by themselves. By default they survive a power loss once they return.
    db.insert("city/oslo", "Oslo")?;
    db.insert("city/paris", "Paris")?;
    db.insert("river/seine", "Seine")?;
    assert_eq!(db.get("city/oslo")?, Some("Oslo".into()));
    assert_eq!(db.get("city/rome")?, None);

    // Several operations become one commit: all of them, or none.
    db.update(|tx| {
        tx.insert("city/rome", "Rome")?;
        tx.remove("city/oslo")
    })?;

    // A view reads one moment, whatever is committed meanwhile.
    let view = db.begin_read()?;
    db.insert("city/vienna", "Vienna")?;
    assert_eq!(view.prefix("city/").count(), 2);

    // Ranges go by the order of the bytes, from both ends.
    let mut names = Vec::new();
    for entry in db.begin_read()?.prefix("city/").rev() {
        let (_key, value) = entry?;
        names.push(String::from_utf8_lossy(&value).into_owned());
    }
    assert_eq!(names, ["Vienna", "Rome", "Paris"]);
    println!("cities: {}", names.join(", "));

    // A view is a handle too, but closing ends them all.
    db.close()?;
    assert!(view.get("city/paris").is_err());

    let db = Database::open(&path)?;
    assert_eq!(db.get("city/rome")?, Some("Rome".into()));
    assert_eq!(db.begin_read()?.iter().count(), 4);
    println!("opened again: {} commits replayed from the log", db.recovery().frames_replayed);
    db.close()
}
