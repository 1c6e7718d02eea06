//! All that views of the past show.

use bytes::Bytes;
use selkie::{Database, Readable, Version};

/// The entries of each keyspace at each version; none of those that were not there.
pub(crate) type Past = Vec<(Version, String, Option<Vec<(Bytes, Bytes)>>)>;

pub(crate) fn past(db: &Database) -> Past {
    let keyspaces: Vec<_> = db.keyspaces().iter().map(|name| db.keyspace(name).unwrap()).collect();
    let mut past = Past::new();
    for version in 0..=db.version() {
        let view = db.at(version).unwrap();
        for keyspace in &keyspaces {
            let entries: selkie::Result<Vec<_>> = view.keyspace(keyspace).iter().collect();
            past.push((version, keyspace.name().to_owned(), entries.ok()));
        }
    }
    past
}
