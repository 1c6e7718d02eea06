//! Databases: opened, verified, repaired, and opened for writing.
//!
//! An input is a list of files: a byte for the kind of file, one for its number, two for its length, and its contents.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::mend;
use crate::files::DATABASE_FILE;
use crate::log::frame::u64_at;
use crate::log::segment::{SegmentHeader, segment_name};
use crate::options::Options;
use crate::recovery::recover;
use crate::runtime::block_on;
use crate::snapshot::file_name;
use crate::storage::{MemoryStorage, Storage};
use crate::{Verification, repair_storage, verify_storage};

const MEND: u8 = 0x80;
const MEND_SEQUENCES: u8 = 0x40;

/// Opens what is said to be a database.
pub fn database(input: &[u8]) -> usize {
    let (files, weight) = files(input);
    let storage = MemoryStorage::from_files(files.clone());
    let shared: Arc<dyn Storage> = Arc::new(storage.clone());
    if let Ok(verification) = block_on(verify_storage(&shared)) {
        if let Ok(repair) = verification.repair {
            let destination = MemoryStorage::new();
            let repaired = block_on(repair_storage(&shared, Arc::new(destination.clone())));
            assert!(repaired.as_ref().is_ok_and(|done| *done == repair), "{repaired:?} where {repair:?} was planned");
            check_whole(&destination);
        }
        assert_eq!(storage.files(), files, "reading changed the files");
        if let Ok(opening) = verification.opening {
            open_for_writing(&shared, opening.frames_replayed);
        }
    }
    weight
}

/// What a repair leaves is intact.
fn check_whole(storage: &MemoryStorage) {
    let shared: Arc<dyn Storage> = Arc::new(storage.clone());
    let verified = block_on(verify_storage(&shared));
    assert!(verified.as_ref().is_ok_and(Verification::is_intact), "a repair is not whole: {verified:?}");
}

/// What can be read can be written on, and is the same afterwards.
fn open_for_writing(storage: &Arc<dyn Storage>, frames: u64) {
    let opened = block_on(recover(storage, &Options::new()));
    let again = block_on(recover(storage, &Options::new().read_only(true)));
    match (&opened, &again) {
        (Ok(opened), Ok(again)) => {
            assert_eq!((opened.version, opened.time, opened.retention), (again.version, again.time, again.retention));
            assert_eq!((opened.report.frames_replayed, again.report.frames_replayed), (frames, frames));
            assert_eq!(again.report.bytes_cut, 0);
        }
        _ => panic!("it opens to be read: {:?}, {:?}", opened.err(), again.err()),
    }
}

fn files(mut input: &[u8]) -> (BTreeMap<String, Vec<u8>>, usize) {
    let (mut files, mut weight, mut database) = (BTreeMap::new(), input.len(), None);
    while let Some(([flags, number, low, high], rest)) = input.split_first_chunk() {
        let length = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
        let (bytes, rest) = rest.split_at(length);
        let mut bytes = bytes.to_vec();
        input = rest;
        // The last of all numbers has no successor.
        let number = if *number == u8::MAX { u64::MAX } else { u64::from(*number) };
        let name = match flags % 4 {
            0 => {
                database = (bytes.len() >= 20).then(|| u64_at(&bytes, 12));
                DATABASE_FILE.to_owned()
            }
            1 | 2 => {
                if flags & MEND != 0 {
                    mend_segment(&mut bytes, number, database, flags & MEND_SEQUENCES != 0);
                }
                segment_name(number)
            }
            _ => {
                if flags & MEND != 0 {
                    mend::snapshot(&mut bytes);
                }
                weight += mend::weight(&bytes);
                file_name(number)
            }
        };
        files.insert(name, bytes);
    }
    (files, weight)
}

fn mend_segment(bytes: &mut [u8], segment: u64, database: Option<u64>, in_sequence: bool) {
    mend::segment_header(bytes, |header| {
        let database = database.unwrap_or(header.database);
        SegmentHeader { database, segment, ..header }
    });
    mend::frames(bytes, in_sequence);
}
