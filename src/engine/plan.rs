//! What snapshots, backups and checkpoints are taken of: one point of the history, held in memory meanwhile.

use std::sync::Arc;

use super::Engine;
use super::catalog::Catalog;
use super::commit::{Head, Ticket};
use super::readers::{PinGuard, Term};
use crate::codec::SnapshotHeader;
use crate::index::Index;
use crate::options::Retention;
use crate::progress::Stage;
use crate::snapshot::{self, Sink, Summary};
use crate::storage::Storage;
use crate::{Result, Version};

/// One point of the history with everything that is committed up to it.
pub(crate) struct Plan<'a> {
    engine: &'a Engine,
    pub(crate) header: SnapshotHeader,
    /// The keyspaces of the header in its order.
    contents: Vec<(u32, Arc<Index>)>,
    _pin: PinGuard<'a>,
}

impl Engine {
    /// Plans at the last commit. The caller holds the commit lock, so that nothing is committed meanwhile.
    pub(super) fn plan_at(&self, head: &Head, segment: u64) -> Plan<'_> {
        let catalog = self.catalog.read();
        let retention = *self.retention.read();
        let header = header_of(&catalog, self.database, segment, (head.version, head.time), retention);
        let contents = contents_of(&catalog);
        let pin = self.readers.pin(Term::Unlimited, || head.version);
        Plan { engine: self, header, contents, _pin: self.readers.guard(pin) }
    }

    /// Plans at the last commit and waits until it is visible. The log goes on in its segment.
    pub(crate) async fn plan_backup(&self) -> Result<Plan<'_>> {
        self.check_open()?;
        let plan = {
            let head = self.head.lock();
            self.plan_at(&head, 0)
        };
        let SnapshotHeader { version, time, .. } = plan.header;
        self.wait_for(Ticket { version, time, stage: Stage::Applied }).await?;
        Ok(plan)
    }
}

impl Plan<'_> {
    /// Writes everything in the format of a snapshot, with the history that is kept.
    pub(crate) async fn write<S: Sink>(&self, sink: &mut S) -> Result<Summary> {
        let compression = self.engine.options.compression;
        snapshot::write(sink, &self.header, &self.contents, compression, &|| self.forgotten()).await
    }

    /// Writes it to a file of its own.
    pub(crate) async fn write_file(&self, storage: &Arc<dyn Storage>) -> Result<Summary> {
        let compression = self.engine.options.compression;
        snapshot::write_file(storage, &self.header, &self.contents, compression, &|| self.forgotten()).await
    }

    fn forgotten(&self) -> (Version, u64) {
        self.engine.collector.position().forgotten
    }
}

pub(crate) fn header_of(
    catalog: &Catalog,
    database: u64,
    segment: u64,
    (version, time): (Version, u64),
    retention: Retention,
) -> SnapshotHeader {
    SnapshotHeader {
        database,
        segment,
        version,
        time,
        retention,
        next_keyspace: catalog.next_number,
        keyspaces: catalog.iter().map(|keyspace| (keyspace.number, keyspace.name.to_string())).collect(),
    }
}

pub(crate) fn contents_of(catalog: &Catalog) -> Vec<(u32, Arc<Index>)> {
    catalog.iter().map(|keyspace| (keyspace.number, Arc::clone(&keyspace.index))).collect()
}
