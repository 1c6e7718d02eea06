// One counter, many threads: no increment is lost, and every acknowledged one is there.
//
//     cargo run --example counters

use std::thread;

use selkie::{Database, Error, ErrorKind, Options, Readable, Retention, Writable};

const THREADS: u64 = 8;
const INCREMENTS: u64 = 200;

fn decode(value: &[u8]) -> u64 {
    value.try_into().map_or(0, u64::from_le_bytes)
}

/// Adds one and returns the new count. The closure runs again when another thread was faster.
fn increment(db: &Database, name: &str) -> selkie::Result<u64> {
    db.update(|tx| {
        let count = tx.get_with(name, decode)?.unwrap_or(0) + 1;
        tx.insert(name, count.to_le_bytes())?;
        Ok(count)
    })
}

fn main() -> selkie::Result<()> {
    // History is kept here only to show below that every increment was a commit of its own.
    let db = Options::new().history(Retention::Forever).in_memory()?;

    let counts = thread::scope(|scope| {
        let work = || (0..INCREMENTS).map(|_| increment(&db, "visits")).collect::<selkie::Result<Vec<u64>>>();
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        let mut counts = Vec::new();
        for thread in threads {
            counts.extend(thread.join().unwrap_or(Err(Error::new(ErrorKind::Closed)))?);
        }
        Ok::<_, Error>(counts)
    })?;

    // Every thread got counts that nobody else got, without a gap.
    let mut sorted = counts;
    sorted.sort_unstable();
    assert!(sorted.iter().copied().eq(1..=THREADS * INCREMENTS));
    assert_eq!(db.get_with("visits", decode)?, Some(THREADS * INCREMENTS));

    let versions = db.history("visits")?;
    assert_eq!(versions.len() as u64, THREADS * INCREMENTS);
    assert!(versions.windows(2).all(|pair| pair[0].version > pair[1].version));
    println!("{THREADS} threads, {} increments, none lost", versions.len());

    // Where many add to one counter, a part for each thread avoids the conflicts; the sum is read in one view.
    thread::scope(|scope| {
        let add = |part: u64| {
            let name = format!("parts/{part}");
            (0..INCREMENTS).try_for_each(|_| increment(&db, &name).map(drop))
        };
        let threads: Vec<_> = (0..THREADS).map(|part| scope.spawn(move || add(part))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or(Err(Error::new(ErrorKind::Closed))))
    })?;
    let mut sum = 0;
    for entry in db.begin_read()?.prefix("parts/") {
        sum += decode(&entry?.1);
    }
    assert_eq!(sum, THREADS * INCREMENTS);
    println!("in {THREADS} parts: {sum}");
    db.close()
}
