//! Who takes part, in which class, and with which settings.

use super::{fjall, fluxmap, lmdb, map, redb, selkie, skipdb, sqlite, surrealkv, surrealmx};
use crate::failure::Result;
use crate::recorder::Recorder;
use crate::task::Task;
use crate::workloads;

/// Engines are compared within a class only, whose members promise the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Memory,
    Log,
}

pub(crate) struct Contestant {
    pub(crate) name: &'static str,
    /// As Cargo.lock names it.
    pub(crate) package: &'static str,
    pub(crate) class: Class,
    pub(crate) settings: &'static str,
    /// It is no engine and no rival, but shows what the machine allows.
    pub(crate) is_limit: bool,
    pub(crate) run: fn(&Task, &mut Recorder) -> Result,
}

const fn memory(
    name: &'static str,
    package: &'static str,
    settings: &'static str,
    run: fn(&Task, &mut Recorder) -> Result,
) -> Contestant {
    Contestant { name, package, class: Class::Memory, settings, is_limit: false, run }
}

const fn log(
    name: &'static str,
    package: &'static str,
    settings: &'static str,
    run: fn(&Task, &mut Recorder) -> Result,
) -> Contestant {
    Contestant { name, package, class: Class::Log, settings, is_limit: false, run }
}

const fn limit(name: &'static str, class: Class, settings: &'static str) -> Contestant {
    Contestant { name, package: "std", class, settings, is_limit: true, run: workloads::run::<map::Map> }
}

pub(crate) const CONTESTANTS: [Contestant; 15] = [
    memory("selkie", "selkie", "defaults, no files", workloads::run::<selkie::Selkie>),
    memory("surrealmx", "surrealmx", "defaults, no files", workloads::run::<surrealmx::SurrealMx>),
    memory(
        "skipdb",
        "skipdb",
        "its serializable database and transactions; keys as arrays, values as boxes",
        workloads::run::<skipdb::SkipDb>,
    ),
    memory(
        "fluxmap",
        "fluxmap",
        "serializable, no files; keys as strings of 32 hexadecimal digits, since it takes strings only",
        workloads::run::<fluxmap::FluxMap>,
    ),
    log(
        "selkie-log",
        "selkie",
        "`Buffered`, synced commits `Immediate`; snapshots only when asked for",
        workloads::run::<selkie::Selkie>,
    ),
    log(
        "surrealmx-log",
        "surrealmx",
        "`SynchronousOnCommit`, `FsyncMode::Never`, synced commits `EveryAppend`; snapshots only when asked for",
        workloads::run::<surrealmx::SurrealMx>,
    ),
    log(
        "surrealkv",
        "surrealkv",
        "`Eventual`, synced commits `Immediate`; 1 GiB of cache; multi-threaded tokio runtime",
        workloads::run::<surrealkv::SurrealKv>,
    ),
    log(
        "redb",
        "redb",
        "`Durability::None`, which a crash of the process takes back, synced commits `Immediate`; 1 GiB of cache",
        workloads::run::<redb::Redb>,
    ),
    log(
        "fjall",
        "fjall",
        "optimistic transactions; `PersistMode::Buffer`, synced commits `SyncData`; 1 GiB of cache; loads sorted",
        workloads::run::<fjall::Fjall>,
    ),
    log(
        "lmdb",
        "heed",
        "`NO_SYNC`, synced commits without it; the page cache is its cache; loads sorted with `APPEND`",
        workloads::run::<lmdb::Lmdb<false>>,
    ),
    log(
        "lmdb-map",
        "heed",
        "the same with `WRITE_MAP`: it writes into its map of the file",
        workloads::run::<lmdb::Lmdb<true>>,
    ),
    log(
        "sqlite",
        "rusqlite",
        "WAL, `synchronous = OFF`, synced commits `FULL`; 1 GiB of cache and of map for each connection, one a thread",
        workloads::run::<sqlite::Sqlite>,
    ),
    log(
        "fluxmap-log",
        "fluxmap",
        "relaxed with a sync each second, synced commits `Full`; four log segments of 16 MiB",
        workloads::run::<fluxmap::FluxMap>,
    ),
    limit("a map", Class::Memory, "a `BTreeMap` of the standard library under a lock: no versions, no transactions"),
    limit("a map with a file", Class::Log, "the same, and each write is appended to a file"),
];
