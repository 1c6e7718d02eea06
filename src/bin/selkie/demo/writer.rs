//! The process that is killed: it commits without end and says what was acknowledged.

use std::io::Write;
use std::path::Path;

use selkie::{Readable, Writable};

use crate::database;
use crate::failure::Result;

/// The keyspace that it writes to.
pub(crate) const STREAM: &str = "stream";
/// The key, in the default keyspace, of the last commit's number.
pub(crate) const LAST: &str = "last";

/// Commits number after number, two keys in two keyspaces each, and prints each number once it is acknowledged.
pub(crate) fn run(path: &Path, first: u64) -> Result<bool> {
    let db = database::open_existing(path)?;
    let stream = db.keyspace(STREAM)?;
    let mut output = std::io::stdout().lock();
    for number in first.. {
        db.update(|tx| {
            tx.insert(LAST, number.to_string())?;
            tx.keyspace_mut(&stream).insert(key(number), value(number))
        })?;
        writeln!(output, "{number}")?;
        output.flush()?;
    }
    Ok(true)
}

fn key(number: u64) -> String {
    format!("{number:012}")
}

fn value(number: u64) -> String {
    format!("commit {number}, {:016x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// Whether the stream is exactly the commits from 1 to a last one, and which that is.
pub(crate) fn check(view: &selkie::View, stream: &selkie::Keyspace) -> Result<u64> {
    let mut count = 0;
    for entry in view.keyspace(stream).iter() {
        let (found, content) = entry?;
        count += 1;
        if found != key(count) || content != value(count) {
            return Err(format!("commit {count} is missing or wrong: found {found:?}").into());
        }
    }
    let last = view.get(LAST)?.unwrap_or_default();
    let expected = if count > 0 { count.to_string() } else { String::new() };
    if last != expected {
        return Err(format!("half of a commit: the stream ends with {count}, the last commit is {last:?}").into());
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(numbers: &[u64], last: u64) -> Result<u64> {
        let db = selkie::Database::in_memory();
        let stream = db.keyspace(STREAM)?;
        for number in numbers {
            stream.insert(key(*number), value(*number))?;
        }
        db.insert(LAST, last.to_string())?;
        check(&db.begin_read()?, &stream)
    }

    #[test]
    fn a_stream_with_a_gap_or_half_a_commit_is_noticed() {
        assert_eq!(checked(&[1, 2, 3], 3).unwrap(), 3);
        assert!(checked(&[1, 3], 3).is_err());
        assert!(checked(&[2, 3], 3).is_err());
        assert!(checked(&[1, 2], 3).is_err());
        assert!(checked(&[1, 2, 3], 2).is_err());
        assert!(checked(&[], 1).is_err());
    }
}
