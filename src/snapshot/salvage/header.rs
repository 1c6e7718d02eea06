//! The header of a snapshot that has lost it, as far as the blocks and the log tell.

use crate::codec::{BlockHeader, SnapshotHeader, decode};
use crate::engine::catalog::{DEFAULT_NAME, DEFAULT_NUMBER};
use crate::options::Retention;
use crate::snapshot::section::Kind;
use crate::{Result, Version};

use super::blocks::newest_time;
use super::places::{Place, Places};

/// What the log knows of a snapshot.
#[derive(Debug, Clone)]
pub(crate) struct Hint {
    pub(crate) database: u64,
    pub(crate) segment: u64,
    pub(crate) version: Version,
    /// The numbers of keyspaces that the log goes on in.
    pub(crate) keyspaces: Vec<u32>,
}

/// A header for the blocks from a place on, and which of its keyspaces have no block.
///
/// Names are made of numbers, and the retention keeps everything.
pub(super) async fn infer(
    places: &mut Places<'_>,
    mut place: Place,
    hint: &Hint,
) -> Result<(SnapshotHeader, Vec<String>)> {
    let (mut numbers, mut time) = (Vec::new(), 0);
    while place.offset < places.length {
        let Some((section, next)) = places.section(place).await? else {
            (_, place) = places.after_damage(place).await?;
            continue;
        };
        if section.kind == Kind::Block
            && let Ok(block) = decode::<BlockHeader>(&mut &section.payload[..])
        {
            add(&mut numbers, block.keyspace);
            time = time.max(newest_time(&section.payload, hint.version));
        }
        place = next;
    }
    let with_blocks = numbers.len();
    hint.keyspaces.iter().chain(&[DEFAULT_NUMBER]).for_each(|number| add(&mut numbers, *number));
    let unplaced = numbers[with_blocks..].iter().map(|number| name(*number)).collect();
    let header = SnapshotHeader {
        database: hint.database,
        segment: hint.segment,
        version: hint.version,
        time,
        retention: Retention::Forever,
        next_keyspace: numbers.iter().max().map_or(1, |last| last + 1),
        keyspaces: numbers.into_iter().map(|number| (number, name(number))).collect(),
    };
    Ok((header, unplaced))
}

fn add(numbers: &mut Vec<u32>, number: u32) {
    // No keyspace has the greatest number, because the next one could not have a greater one.
    if number < u32::MAX && !numbers.contains(&number) {
        numbers.push(number);
    }
}

fn name(number: u32) -> String {
    if number == DEFAULT_NUMBER { DEFAULT_NAME.to_owned() } else { format!("keyspace {number}") }
}
