//! How much memory a record takes above its key and value.

#![allow(clippy::unwrap_used, clippy::cast_precision_loss, reason = "a benchmark stops at the first surprise")]

mod common;

use std::alloc::System;

use common::{load, records};
use selkie::{Database, Options, SnapshotPolicy};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn held(region: &Region<'_, System>) -> usize {
    let change = region.change();
    change.bytes_allocated - change.bytes_deallocated
}

fn report(name: &str, bytes: usize) {
    let each = bytes as f64 / records() as f64 - 116.0;
    println!("memory/{name}: {each:.1} bytes per record above key (16) and value (100), as asked of the allocator");
}

fn main() {
    let region = Region::new(ALLOCATOR);
    let db = Database::in_memory();
    load(&db, records());
    db.collect_garbage().unwrap();
    report("inserted in random order", held(&region));
    drop(db);

    let directory = tempfile::tempdir().unwrap();
    let options = || Options::new().snapshots(SnapshotPolicy::Never);
    let db = options().open(directory.path()).unwrap();
    load(&db, records());
    db.snapshot().unwrap();
    db.close().unwrap();
    let region = Region::new(ALLOCATOR);
    let db = options().open(directory.path()).unwrap();
    report("loaded from a snapshot", held(&region));
    drop(db);
}
