//! What a crash may leave, opened again: a prefix of the commits, with everything that was promised.

use std::collections::BTreeMap;
use std::sync::Arc;

use selkie::storage::sim::{CrashPoint, Recording, SimStorage};
use selkie::{Database, Durability, Options, Readable, Simulation, SnapshotPolicy, Version};

use crate::client::{PASSING, PASSING_PLACE};
use crate::model::{Model, State};

pub(crate) type Files = BTreeMap<String, Vec<u8>>;

const NAMES: [&str; 3] = ["default", "other", PASSING];
/// One image in so many is crashed again while it recovers.
const CRASHED_AGAIN: u64 = 8;

pub(crate) struct Crash<'a> {
    pub(crate) recording: &'a Recording,
    pub(crate) model: &'a Model,
    pub(crate) keeps_history: bool,
    /// Whether the database was closed: then the last image has everything.
    pub(crate) closed: bool,
}

/// What the next process finds.
pub(crate) struct Left {
    pub(crate) storage: SimStorage,
    pub(crate) version: Version,
    /// What of it a loss of power cannot take any more.
    pub(crate) durable: Version,
    /// How many images were checked.
    pub(crate) images: u64,
}

/// What an image must hold.
#[derive(Debug, Clone, Copy)]
struct Expected {
    at_least: Version,
    at_most: Version,
}

impl Crash<'_> {
    /// Checks images of crashes, and chooses what to go on with.
    pub(crate) fn check(&self, simulation: &Simulation, images: u64) -> Left {
        let mut points = 0;
        self.recording.crash_points(|_| points += 1);
        let chosen = if self.closed { points - 1 } else { simulation.below(points) };
        let mut place = 0;
        let mut left = Left { storage: SimStorage::new(), version: 0, durable: 0, images: 1 };
        self.recording.crash_points(|point| {
            let share = images / points + u64::from(simulation.below(points) < images % points);
            for _ in 0..share {
                self.check_image(&point, point.random_image(simulation.below(u64::MAX)), true, simulation);
                left.images += 1;
            }
            if place == chosen {
                left = Left { images: left.images, ..self.leave(&point, simulation) };
            }
            place += 1;
        });
        left
    }

    /// A loss of power, a crash of the process, or a database that was closed.
    fn leave(&self, point: &CrashPoint<'_>, simulation: &Simulation) -> Left {
        let power_loss = !self.closed && simulation.below(2) == 0;
        let image = if power_loss { point.random_image(simulation.below(u64::MAX)) } else { point.everything() };
        let version = self.check_image(point, image.clone(), power_loss, simulation);
        assert!(!self.closed || version == self.model.version(), "{version} after closing");
        if power_loss {
            Left { storage: SimStorage::from_files(image), version, durable: version, images: 0 }
        } else {
            let durable = if self.closed { version } else { self.model.promised(point.calls(), true).min(version) };
            Left { storage: point.restart(), version, durable, images: 0 }
        }
    }

    fn check_image(&self, point: &CrashPoint<'_>, image: Files, power_loss: bool, simulation: &Simulation) -> Version {
        let at_least = self.model.promised(point.calls(), power_loss);
        let expected = Expected { at_least, at_most: self.model.version() };
        let again = simulation.below(CRASHED_AGAIN) == 0;
        let storage = SimStorage::from_files(image);
        let version = self.open(&storage, expected);
        if again {
            let recovery = storage.recording();
            // What was found once is found again, wherever the recovery was cut off.
            let same = Expected { at_least: version, at_most: version };
            recovery.crash_points(|point| {
                let image = SimStorage::from_files(point.random_image(simulation.below(u64::MAX)));
                self.open(&image, same);
            });
        }
        version
    }

    /// Opens, compares with the model, and goes through one more commit and one more crash.
    fn open(&self, storage: &SimStorage, expected: Expected) -> Version {
        let recovered = SimStorage::from_files(storage.files());
        let version = Simulation::new(0).run(async {
            let database = open(storage);
            let version = database.version();
            assert!((expected.at_least..=expected.at_most).contains(&version), "{version} instead of {expected:?}");
            self.compare(&database, version);
            storage.die();
            drop(database);
            version
        });
        Simulation::new(0).run(async {
            let database = open(&recovered);
            database.insert("after the crash", "1").unwrap();
            recovered.die();
            drop(database);
        });
        let mut lost = SimStorage::new();
        recovered.recording().last_crash_point(|point| lost = SimStorage::from_files(point.nothing_unsynced()));
        Simulation::new(0).run(async {
            let database = open(&lost);
            assert!(database.contains_key("after the crash").unwrap(), "a commit after a crash is lost");
            lost.die();
            drop(database);
        });
        version
    }

    fn compare(&self, database: &Database, version: Version) {
        assert_eq!(contents(database, version), *self.model.state(version), "at version {version}");
        if self.keeps_history {
            for past in (1..version).step_by(3) {
                // What was in a keyspace that was dropped cannot be read any more.
                let [found, expected] =
                    [contents(database, past), State::clone(&self.model.state(past))].map(|state| {
                        state.into_iter().filter(|((place, _), _)| *place != PASSING_PLACE).collect::<State>()
                    });
                assert_eq!(found, expected, "as of version {past}");
            }
        }
    }
}

fn open(storage: &SimStorage) -> Database {
    // Small segments: every byte that is prepared for the log is copied with each image.
    let options = Options::new().segment_bytes(4096).durability(Durability::Immediate).snapshots(SnapshotPolicy::Never);
    options.open_storage(Arc::new(storage.clone())).unwrap_or_else(|error| panic!("after a crash: {error}"))
}

fn contents(database: &Database, version: Version) -> State {
    let view = database.at(version).unwrap();
    let mut state = State::new();
    let names = database.keyspaces();
    for (place, name) in NAMES.iter().enumerate().filter(|(_, name)| names.iter().any(|known| known == *name)) {
        let keyspace = database.keyspace(name).unwrap();
        // As of a version before there was the keyspace, nothing is in it.
        let part = view.keyspace(&keyspace);
        let entries = part.iter().map(Result::unwrap);
        state.extend(entries.map(|(key, value)| ((place, key.to_vec()), value.to_vec())));
    }
    state
}
