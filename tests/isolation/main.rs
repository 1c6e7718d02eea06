//! Isolation, anomaly by anomaly: interleaved transactions, with the outcome that each level promises.
//!
//! The names g0 to g2 are Adya's. The cases are those of the Hermitage suite, in the form that it has for
//! `FoundationDB`, whose conflicts show at the commit as here. Every case begins with 1 = 10 and 2 = 20.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conflicts;
mod dirty;
mod ranges;
mod skew;
mod snapshots;
mod views;

use Isolation::{Serializable, Snapshot};
use bytes::Bytes;
use selkie::{Database, ErrorKind, Isolation, Readable, Result, Transaction, TransactionOptions, Writable};

const LEVELS: [Isolation; 2] = [Serializable, Snapshot];

fn database() -> Database {
    let db = Database::in_memory();
    db.update(|tx| {
        tx.insert("1", "10")?;
        tx.insert("2", "20")
    })
    .unwrap();
    db
}

fn begin(db: &Database, isolation: Isolation) -> Transaction {
    db.begin_with(TransactionOptions::new().isolation(isolation)).unwrap()
}

fn get(reader: &impl Readable, key: &str) -> String {
    let value = reader.get(key).unwrap().unwrap_or_default();
    String::from_utf8(value.to_vec()).unwrap()
}

fn values(reader: &impl Readable) -> Vec<String> {
    reader.iter().map(|entry| String::from_utf8(entry.unwrap().1.to_vec()).unwrap()).collect()
}

/// How many values can be divided, as the predicates of the suite ask.
fn divisible_by(reader: &impl Readable, divisor: u32) -> usize {
    values(reader).iter().filter(|value| value.parse::<u32>().unwrap().is_multiple_of(divisor)).count()
}

/// The keys whose value this is, as a predicate finds them.
fn keys_of(reader: &impl Readable, wanted: &str) -> Vec<Bytes> {
    reader.iter().map(Result::unwrap).filter(|(_, value)| value == wanted).map(|(key, _)| key).collect()
}

/// What an `update` in SQL does, which finds the row before it writes it.
fn update(tx: &mut Transaction, key: &str, value: &str) {
    assert!(tx.contains_key(key).unwrap());
    tx.insert(key, value).unwrap();
}

/// What the database holds now.
fn held(db: &Database) -> Vec<String> {
    values(&db.begin_read().unwrap())
}

fn commits(tx: Transaction) -> bool {
    match tx.commit() {
        Ok(_) => true,
        Err(error) if error.is_retryable() => false,
        Err(error) => panic!("{error}"),
    }
}

#[track_caller]
fn assert_conflict<T: std::fmt::Debug>(outcome: Result<T>, key: &str) {
    let error = outcome.unwrap_err();
    assert!(error.is_retryable());
    assert!(matches!(error.kind(), ErrorKind::Conflict { key: found, .. } if found == key.as_bytes()), "{error}");
}
