//! A run: a database is opened, used by several clients at once, closed or crashed, and opened again from what is left.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use selkie::storage::sim::{Fault, SimStorage};
use selkie::{
    Compression, Database, Durability, ErrorKind, Limits, Options, Retention, Simulation, SnapshotPolicy, Visibility,
};

use crate::check;
use crate::client::{self, World};
use crate::model::Model;

const GENERATIONS: u64 = 3;
const NAMES: [&str; 2] = ["default", "other"];

/// What a run did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) operations: u64,
    pub(crate) commits: u64,
    pub(crate) faults: u64,
    /// Readers that a limit ended.
    pub(crate) ended: u64,
    pub(crate) images: u64,
    /// All calls of all storages.
    pub(crate) trace: String,
}

/// How a database is opened. It is opened in another way after each crash.
struct Settings {
    durability: Durability,
    visibility: Visibility,
    ends_readers: bool,
    options: Options,
}

fn settings(simulation: &Simulation, retention: Retention) -> Settings {
    let policy = match simulation.below(3) {
        0 => SnapshotPolicy::Never,
        1 => SnapshotPolicy::LogSize(3000),
        _ => SnapshotPolicy::Interval(Duration::from_millis(20)),
    };
    let compression = if simulation.below(2) == 0 { Compression::None } else { Compression::Lz4 };
    let visibility = if simulation.below(3) == 0 { Visibility::Applied } else { Visibility::Durable };
    let durability = client::level(simulation);
    let mut limits = Limits::default();
    if simulation.below(3) == 0 {
        limits.reader_time = Some(Duration::from_millis(1 + simulation.below(5)));
    }
    if simulation.below(3) == 0 {
        limits.reader_bytes = 1_000 + simulation.below(5_000);
    }
    let ends_readers = limits != Limits::default();
    let options = Options::new()
        .limits(limits)
        .durability(durability)
        .visibility(visibility)
        .history(retention)
        .snapshots(policy)
        .compression(compression)
        .segment_bytes(4096);
    Settings { durability, visibility, ends_readers, options }
}

fn any_retention(simulation: &Simulation) -> Retention {
    match simulation.below(4) {
        0 => Retention::Forever,
        1 => Retention::Versions(3),
        2 => Retention::Age(Duration::from_millis(10)),
        _ => Retention::None,
    }
}

pub(crate) fn run(seed: u64, images_per_crash: u64) -> Outcome {
    let simulation = Simulation::new(seed);
    let mut retention = any_retention(&simulation);
    let mut keeps_history = retention == Retention::Forever;
    let model = Rc::new(RefCell::new(Model::new()));
    let mut storage = SimStorage::new();
    let mut outcome = Outcome::default();
    for _ in 0..GENERATIONS {
        simulation.add_storage(&storage);
        let settings = settings(&simulation, retention);
        let closed = simulation.run(generation(&simulation, &storage, &model, settings, &mut outcome));
        simulation.clear();
        let recording = storage.recording();
        outcome.trace += &recording.to_string();
        outcome.faults += storage.struck() as u64;
        let left = {
            let model = &model.borrow();
            check::Crash { recording: &recording, model, keeps_history, closed }.check(&simulation, images_per_crash)
        };
        outcome.images += left.images;
        model.borrow_mut().return_to(left.version, left.durable);
        storage = left.storage;
        if simulation.below(3) == 0 {
            retention = any_retention(&simulation);
            keeps_history &= retention == Retention::Forever;
        }
    }
    outcome.commits = model.borrow().version();
    outcome
}

/// Opens, works, and closes or crashes. True when the database was closed and everything is durable.
async fn generation(
    simulation: &Simulation,
    storage: &SimStorage,
    model: &Rc<RefCell<Model>>,
    settings: Settings,
    outcome: &mut Outcome,
) -> bool {
    if simulation.below(2) == 0 {
        inject(simulation, storage);
    }
    let Settings { durability, visibility, ends_readers, options } = settings;
    let database = match options.open_storage_async(Arc::new(storage.clone())).await {
        Ok(database) => database,
        Err(error) => {
            let is_told = matches!(error.kind(), ErrorKind::Io { .. } | ErrorKind::DurabilityUnknown { .. });
            assert!(storage.struck() > 0 && is_told, "{error}");
            may_have_committed(model);
            storage.die();
            return false;
        }
    };
    let found = model.borrow().version();
    assert!(database.version() >= found);
    // Whoever has opened it has made sure of what he found.
    model.borrow_mut().promise(storage.calls(), found, Durability::Immediate);
    model.borrow_mut().follow(database.version());
    let Some(keyspaces) = keyspaces(&database, model).await else {
        assert!(storage.struck() > 0, "a keyspace is refused without any fault");
        storage.die();
        return false;
    };
    let varies = simulation.below(2) == 0;
    let world = Rc::new(World {
        simulation: simulation.clone(),
        storage: storage.clone(),
        database: database.clone(),
        keyspaces,
        durability,
        ends_readers,
        varies,
        // A commit of a lower level can be seen before it has the database's own.
        shows_only_durable: visibility == Visibility::Durable && !varies,
        model: Rc::clone(model),
        operations: RefCell::default(),
    });
    for _ in 0..=simulation.below(5) {
        simulation.spawn(client::run(Rc::clone(&world), 4 + simulation.below(12)));
    }
    if simulation.below(2) == 0 {
        simulation.spawn(client::pass(Rc::clone(&world), 1 + simulation.below(4)));
    }
    for _ in 0..simulation.below(3) {
        simulation.spawn(client::look(Rc::clone(&world), 1 + simulation.below(6)));
    }
    disturb(simulation, &database).await;
    outcome.operations += *world.operations.borrow();
    outcome.ended += database.stats().readers_ended;
    drop(world);
    let synced = database.sync_async().await;
    assert!(synced.is_ok() || storage.struck() > 0, "without any fault: {synced:?}");
    let closes = simulation.below(3) == 0;
    if !closes {
        storage.die();
    }
    database.close_async().await.is_ok() && closes
}

/// What the engine commits by itself may be in the storage although it failed.
fn may_have_committed(model: &RefCell<Model>) {
    let next = model.borrow().version() + 1;
    model.borrow_mut().follow(next);
}

/// A commit of a keyspace is in the model as any other.
async fn keyspaces(database: &Database, model: &Rc<RefCell<Model>>) -> Option<Vec<selkie::Keyspace>> {
    let mut keyspaces = Vec::new();
    for name in NAMES {
        let opening = database.keyspace_async(name).await;
        model.borrow_mut().follow(database.version());
        if opening.is_err() {
            may_have_committed(model);
        }
        keyspaces.push(opening.ok()?);
    }
    Some(keyspaces)
}

/// Several, because most calls cannot fail in most of the ways.
fn inject(simulation: &Simulation, storage: &SimStorage) {
    let faults = [Fault::Io, Fault::Full, Fault::Short, Fault::LostSync, Fault::LostNames];
    for _ in 0..4 {
        storage.inject(simulation.below(160), faults[simulation.below(faults.len() as u64) as usize]);
    }
}

/// What goes on beside the clients, for a while.
async fn disturb(simulation: &Simulation, database: &Database) {
    for _ in 0..simulation.below(8) {
        simulation.sleep(Duration::from_micros(simulation.below(8000))).await;
        match simulation.below(4) {
            // After a fault these fail as well, and that is no concern of theirs.
            0 => drop(database.snapshot_async().await),
            1 => drop(database.collect_garbage()),
            2 => drop(database.sync_async().await),
            _ => {}
        }
    }
}
