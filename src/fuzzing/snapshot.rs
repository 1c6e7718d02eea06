//! Snapshots, which backups are as well: read in full, verified, and searched for all damage.

use super::mend;
use crate::runtime::block_on;
use crate::snapshot::{ReadSource, damaged_sections, load, verify};

const MEND: u8 = 1;

/// The first byte says whether it is mended; a snapshot follows.
pub fn snapshot(input: &[u8]) -> usize {
    let Some((flags, bytes)) = input.split_first() else { return 0 };
    let mut data = bytes.to_vec();
    if flags & MEND != 0 {
        mend::snapshot(&mut data);
    }
    let source = || ReadSource::new(&data[..], "snapshot");
    let loaded = block_on(load(&mut source(), "snapshot"));
    let verified = block_on(verify(&mut source(), "snapshot"));
    match (loaded, verified) {
        (Ok(loaded), Ok((header, summary))) => {
            assert_eq!((&loaded.header, loaded.summary), (&header, summary));
            assert_eq!(loaded.contents.len(), header.keyspaces.len());
            let damaged = block_on(damaged_sections(&mut source(), "snapshot"));
            assert!(damaged.is_ok_and(|damaged| damaged.is_empty()), "damage was found in what is intact");
        }
        (Err(one), Err(other)) => {
            assert_eq!(one.to_string(), other.to_string());
            // It may be of a later format.
            let _damaged = block_on(damaged_sections(&mut source(), "snapshot"));
        }
        (loaded, verified) => panic!("loading says {loaded:?}, and verifying {verified:?}"),
    }
    mend::weight(&data) + input.len()
}
