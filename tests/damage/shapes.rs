//! The shapes of database that are damaged everywhere.

use selkie::Durability;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::everywhere::{every_bit, one_bit};
use crate::workshop::{Settings, Workshop};

#[test]
fn a_log_copied_while_open() {
    Workshop::new(Durability::Immediate)
        .commits(4, 10)
        .keyspaces()
        .crashed()
        .damage_everything("log, crashed", every_bit);
}

#[test]
fn a_log_copied_while_open_and_never_synced() {
    let workshop = Workshop::new(Durability::Buffered).commits(4, 10).keyspaces();
    workshop.crashed().damage_everything("log, crashed, not synced", every_bit);
}

#[test]
fn a_log_closed_cleanly() {
    Workshop::new(Durability::Immediate)
        .commits(4, 10)
        .keyspaces()
        .closed()
        .damage_everything("log, closed", every_bit);
}

#[test]
fn a_log_never_synced_and_closed_cleanly() {
    let workshop = Workshop::new(Durability::Queued).commits(4, 10).keyspaces();
    workshop.closed().damage_everything("log, queued, closed", every_bit);
}

#[test]
fn a_snapshot_and_log_copied_while_open() {
    let workshop = Workshop::new(Durability::Immediate).commits(4, 10).keyspaces().snapshot().commits(3, 10);
    workshop.crashed().damage_everything("snapshot and log, crashed", every_bit);
}

#[test]
fn a_snapshot_and_log_closed_cleanly() {
    let workshop = Workshop::new(Durability::Immediate).commits(4, 10).keyspaces().snapshot().commits(3, 10);
    workshop.closed().damage_everything("snapshot and log, closed", every_bit);
}

#[test]
fn a_snapshot_alone_closed_cleanly() {
    let workshop = Workshop::new(Durability::Immediate).commits(2, 10).keyspaces().snapshot();
    workshop.closed().damage_everything("snapshot, closed", every_bit);
}

/// Several versions of keys in three keyspaces, of which one is dropped, before a snapshot and after it.
fn history_with_keyspaces() -> Workshop {
    let before = Workshop::new(Durability::Immediate).commits(4, 6).keyspaces().set_in("users", "ada", "1816");
    let before = before.set_in("brief", "k", "v").drop_keyspace("brief").set_in("later", "k", "one");
    let after = before.snapshot().commits(2, 6).set_in("later", "k", "two").set_in("users", "bea", "1900");
    after.set_in("short", "k", "v").drop_keyspace("short").commit(|tx| selkie::Writable::remove(tx, "key 2"))
}

#[test]
fn a_history_with_keyspaces_copied_while_open() {
    history_with_keyspaces().crashed().damage_everything("history with keyspaces, crashed", every_bit);
}

#[test]
fn a_history_with_keyspaces_closed_cleanly() {
    history_with_keyspaces().closed().damage_everything("history with keyspaces, closed", every_bit);
}

#[test]
fn two_snapshots_closed_cleanly() {
    let settings = Settings { retained_snapshots: 2, ..Settings::of(Durability::Immediate) };
    let workshop = Workshop::with(settings).commits(2, 10).snapshot().commits(2, 10).snapshot().commits(2, 10);
    workshop.closed().damage_everything("two snapshots, closed", one_bit);
}

#[test]
fn several_segments_copied_while_open() {
    let workshop = Workshop::new(Durability::Immediate).commits(5, 1500);
    workshop.crashed().damage_everything("segments, crashed", one_bit);
}

#[test]
fn several_segments_closed_cleanly() {
    let workshop = Workshop::new(Durability::Immediate).commits(5, 1500);
    workshop.closed().damage_everything("segments, closed", one_bit);
}

#[test]
fn a_log_copied_while_open_after_a_crash() {
    let workshop = Workshop::new(Durability::Immediate).commits(2, 10).crash().commits(2, 10);
    workshop.crashed().damage_everything("log, crashed twice", every_bit);
}

#[test]
fn a_log_closed_cleanly_after_a_crash() {
    let workshop = Workshop::new(Durability::Immediate).commits(2, 10).crash().commits(2, 10);
    workshop.closed().damage_everything("log, crashed and closed", every_bit);
}

#[test]
fn a_log_copied_right_after_reopening_a_crashed_one() {
    let workshop = Workshop::new(Durability::Immediate).commits(2, 10).crash();
    workshop.crashed().damage_everything("log, crashed and reopened", every_bit);
}
