//! Payloads: whatever decodes is encoded to what decodes to the same.

use crate::codec::{
    BlockHeader, EntryHeader, Operation, RevisionRecord, SnapshotFooter, SnapshotHeader, Undecodable, decode, encode,
};

/// Decodes values of one type until one does not.
macro_rules! decode_all {
    ($type:ty, $input:expr) => {{
        let mut input: &[u8] = $input;
        let mut buffer = Vec::new();
        while let Ok(value) = decode::<$type>(&mut input) {
            buffer.clear();
            encode(&value, &mut buffer);
            let mut encoded = &buffer[..];
            let again = decode::<$type>(&mut encoded).ok();
            assert!(again.as_ref() == Some(&value) && encoded.is_empty(), "{value:?} became {again:?}");
        }
    }};
}

/// The first byte chooses what the others are to be.
pub fn codec(input: &[u8]) -> usize {
    let Some((kind, payload)) = input.split_first() else { return 0 };
    match kind % 7 {
        0 => decode_all!(Operation<'_>, payload),
        1 => decode_all!(SnapshotHeader, payload),
        2 => decode_all!(BlockHeader, payload),
        3 => decode_all!(EntryHeader<'_>, payload),
        4 => decode_all!(RevisionRecord<'_>, payload),
        5 => decode_all!(SnapshotFooter, payload),
        _ => drop(commit(payload)),
    }
    input.len()
}

/// The payload of a commit, as a replay decodes it. Says how many operations there are.
pub(super) fn commit(mut payload: &[u8]) -> Result<u64, Undecodable> {
    let operations: u64 = decode(&mut payload)?;
    for _ in 0..operations {
        let _operation: Operation<'_> = decode(&mut payload)?;
    }
    if payload.is_empty() { Ok(operations) } else { Err(Undecodable) }
}
