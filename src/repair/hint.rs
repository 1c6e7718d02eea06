//! What the log says of a snapshot whose header may be lost: its version, and keyspaces that it must have.

use crate::Result;
use crate::codec::{Operation, Undecodable, decode};
use crate::files::read_file;
use crate::log::scan::{Scan, Step};
use crate::snapshot::Hint;
use crate::storage::Storage;

use super::log::{self, Start};
use super::survey::Survey;

/// What the segment of that number, and those after it, say of the snapshot before.
pub(super) async fn of_snapshot(storage: &dyn Storage, survey: &Survey, number: u64) -> Result<Option<Hint>> {
    let file = survey.segments.iter().find(|file| file.number == number);
    let Some(header) = file.and_then(|file| file.header.ok()) else { return Ok(None) };
    let version = header.first_sequence.saturating_sub(1);
    let start = Start { segment: number, version, damaged: Vec::new() };
    let walked = log::walk(storage, &survey.segments, &start, None).await?;
    let mut keyspaces = Keyspaces::default();
    for (segment, stated_end) in &walked.parts {
        let data = read_file(storage, &segment.name, segment.length).await?;
        let mut scan = Scan::new(&segment.name, segment.header, &data, *stated_end);
        while let Ok(Step::Commit(commit)) = scan.step() {
            // One that does not decode ends what is kept, and is found when it is replayed.
            let _undecodable = keyspaces.commit(commit.payload);
        }
    }
    Ok(Some(Hint { database: header.database, segment: number, version, keyspaces: keyspaces.used }))
}

#[derive(Default)]
struct Keyspaces {
    created: Vec<u32>,
    /// Those that were there before.
    used: Vec<u32>,
}

impl Keyspaces {
    fn commit(&mut self, mut payload: &[u8]) -> Result<(), Undecodable> {
        let operations: u64 = decode(&mut payload)?;
        for _ in 0..operations {
            match decode(&mut payload)? {
                Operation::CreateKeyspace { keyspace, .. } => self.created.push(keyspace),
                Operation::Set { keyspace, .. }
                | Operation::Remove { keyspace, .. }
                | Operation::DropKeyspace { keyspace } => self.add_used(keyspace),
                Operation::SetRetention(_) => {}
            }
        }
        Ok(())
    }

    fn add_used(&mut self, keyspace: u32) {
        if !self.created.contains(&keyspace) && !self.used.contains(&keyspace) {
            self.used.push(keyspace);
        }
    }
}
