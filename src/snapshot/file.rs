//! Writing a snapshot to a file of a storage.

use std::sync::Arc;

use super::{StorageSink, StorageSource, Summary, file_name, verify, write};
use crate::codec::SnapshotHeader;
use crate::index::Index;
use crate::storage::Storage;
use crate::{Compression, Result, Version};

/// Writes a snapshot to a file that is not there yet, makes all but its name durable, and reads it back in full.
pub(crate) async fn write_file(
    storage: &Arc<dyn Storage>,
    header: &SnapshotHeader,
    contents: &[(u32, Arc<Index>)],
    compression: Compression,
    forgotten: &(dyn Fn() -> (Version, u64) + Sync),
) -> Result<Summary> {
    let name = file_name(header.segment);
    storage.create(&name).await?;
    let mut sink = StorageSink::new(Arc::clone(storage), &name);
    let summary = write(&mut sink, header, contents, compression, forgotten).await?;
    storage.sync(&name).await?;
    verify(&mut StorageSource::new(Arc::clone(storage), &name), &name).await?;
    Ok(summary)
}
