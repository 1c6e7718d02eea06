//! A client: transactions one after the other, each checked against the model.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use selkie::storage::sim::SimStorage;
use selkie::{
    Database, Durability, Error, ErrorKind, Isolation, Keyspace, Readable, Result, Simulation, Transaction,
    TransactionOptions, Version, View, Writable,
};

use crate::model::{Changes, Key, Model, State};

const KEYS: u64 = 24;
/// The keyspace that comes and goes, and its place in the model.
pub(crate) const PASSING: &str = "passing";
pub(crate) const PASSING_PLACE: usize = 2;

/// What clients share.
pub(crate) struct World {
    pub(crate) simulation: Simulation,
    pub(crate) storage: SimStorage,
    pub(crate) database: Database,
    pub(crate) keyspaces: Vec<Keyspace>,
    pub(crate) durability: Durability,
    /// Whether a limit may end transactions.
    pub(crate) ends_readers: bool,
    /// Whether transactions have levels of their own.
    pub(crate) varies: bool,
    /// Whether what can be seen survives whatever the database's level names.
    pub(crate) shows_only_durable: bool,
    pub(crate) model: Rc<RefCell<Model>>,
    pub(crate) operations: RefCell<u64>,
}

/// A transaction, and what it has seen and done.
struct Open {
    transaction: Transaction,
    since: Version,
    isolation: Isolation,
    durability: Durability,
    changes: Changes,
    read: Vec<Key>,
}

pub(crate) fn level(simulation: &Simulation) -> Durability {
    match simulation.below(6) {
        0 => Durability::None,
        1 => Durability::Queued,
        2 => Durability::Buffered,
        3 => Durability::Interval { time: Duration::from_millis(5), commits: 10, bytes: 4000 },
        _ => Durability::Immediate,
    }
}

/// Transactions until the storage fails, or the database is closed.
pub(crate) async fn run(world: Rc<World>, transactions: u64) {
    for _ in 0..transactions {
        let Err(error) = transaction(&world).await else { continue };
        match error.kind() {
            ErrorKind::ReaderEnded { .. } if world.ends_readers => {}
            ErrorKind::Closed | ErrorKind::Poisoned { .. } | ErrorKind::DurabilityUnknown { .. } => return,
            _ => panic!("{error}"),
        }
    }
}

/// A keyspace that is created, written to and dropped, until the storage fails or the database is closed.
pub(crate) async fn pass(world: Rc<World>, rounds: u64) {
    for _ in 0..rounds {
        // Whatever fails here fails for the clients as well.
        if world.pass_once().await.is_err() {
            return;
        }
    }
}

/// A view that is read again and again, until a limit ends it or the database is closed.
pub(crate) async fn look(world: Rc<World>, times: u64) {
    let since = world.database.version();
    let Ok(view) = world.database.begin_read() else { return };
    for _ in 0..times {
        world.pause().await;
        match world.check_view(&view, since).err().as_ref().map(Error::kind) {
            None => {}
            Some(ErrorKind::ReaderEnded { .. }) if world.ends_readers => return,
            Some(ErrorKind::Closed) => return,
            Some(kind) => panic!("{kind:?}"),
        }
    }
}

async fn transaction(world: &World) -> Result<()> {
    let mut open = world.begin()?;
    for _ in 0..world.simulation.below(6) {
        world.step(&mut open)?;
        if world.simulation.below(8) == 0 {
            world.pause().await;
        }
    }
    world.commit(open).await?;
    if world.simulation.below(4) == 0 {
        world.pause().await;
    }
    Ok(())
}

impl World {
    async fn pause(&self) {
        self.simulation.sleep(Duration::from_micros(self.simulation.below(3000))).await;
    }

    fn begin(&self) -> Result<Open> {
        let isolation = if self.simulation.below(3) == 0 { Isolation::Snapshot } else { Isolation::Serializable };
        let durability =
            if self.varies && self.simulation.below(2) == 0 { level(&self.simulation) } else { self.durability };
        let since = self.database.version();
        self.note_what_is_seen();
        let options = TransactionOptions::new().isolation(isolation).durability(durability);
        let transaction = self.database.begin_with(options)?;
        Ok(Open { transaction, since, isolation, durability, changes: Changes::new(), read: Vec::new() })
    }

    fn key(&self) -> Key {
        let keyspace = self.simulation.below(self.keyspaces.len() as u64) as usize;
        (keyspace, format!("key {:02}", self.simulation.below(KEYS)).into_bytes())
    }

    fn step(&self, open: &mut Open) -> Result<()> {
        *self.operations.borrow_mut() += 1;
        let key = self.key();
        let mut part = open.transaction.keyspace_mut(&self.keyspaces[key.0]);
        match self.simulation.below(8) {
            0..3 => {
                let value = vec![self.simulation.below(256) as u8; self.simulation.below(300) as usize];
                part.insert(&key.1, &value)?;
                open.changes.insert(key, Some(value));
            }
            3 => {
                part.remove(&key.1)?;
                open.changes.insert(key, None);
            }
            4 => self.check_range(open, key.0)?,
            _ => self.check_key(open, key)?,
        }
        Ok(())
    }

    fn check_key(&self, open: &mut Open, key: Key) -> Result<()> {
        let found = open.transaction.keyspace(&self.keyspaces[key.0]).get(&key.1)?;
        let before = self.model.borrow().state(open.since);
        let expected = open.changes.get(&key).cloned().unwrap_or_else(|| before.get(&key).cloned());
        assert_eq!(found.as_deref(), expected.as_deref(), "{key:?} in a transaction since {}", open.since);
        if !open.changes.contains_key(&key) {
            open.read.push(key);
        }
        Ok(())
    }

    fn check_range(&self, open: &mut Open, keyspace: usize) -> Result<()> {
        let mut expected = self.model.borrow().state(open.since).as_ref().clone();
        for (key, value) in &open.changes {
            match value {
                Some(value) => drop(expected.insert(key.clone(), value.clone())),
                None => drop(expected.remove(key)),
            }
        }
        let found = entries(&open.transaction.keyspace(&self.keyspaces[keyspace]))?;
        assert_eq!(found, part_of(&expected, keyspace), "keyspace {keyspace} in a transaction since {}", open.since);
        let all = (0..KEYS).map(|number| (keyspace, format!("key {number:02}").into_bytes()));
        open.read.extend(all.filter(|key| !open.changes.contains_key(key)));
        Ok(())
    }

    fn check_view(&self, view: &View, since: Version) -> Result<()> {
        let expected = self.model.borrow().state(since);
        for (place, keyspace) in self.keyspaces.iter().enumerate() {
            let found = entries(&view.keyspace(keyspace))?;
            assert_eq!(found, part_of(&expected, place), "keyspace {place} in a view of {since}");
        }
        Ok(())
    }

    /// Commits. The model has the commit as soon as it is applied, and the promise once it is acknowledged.
    async fn commit(&self, open: Open) -> Result<()> {
        let Open { transaction, since, isolation, durability, changes, read } = open;
        let mut future = transaction.commit_async();
        let first = poll_once(Pin::new(&mut future)).await;
        if let Some(Err(error)) = &first {
            return match error.kind() {
                ErrorKind::Conflict { keyspace, key, .. } => {
                    let place = self.keyspaces.iter().position(|known| known.name() == keyspace.as_ref()).unwrap();
                    let last = self.model.borrow().last_change(&(place, key.to_vec()));
                    assert!(last > since, "a conflict over {key:?}, which did not change");
                    Ok(())
                }
                _ => Err(error.clone()),
            };
        }
        if changes.is_empty() {
            return Ok(());
        }
        self.check_serial(since, isolation, &changes, &read);
        let version = self.model.borrow_mut().commit(&changes);
        let acknowledged = match first {
            Some(outcome) => outcome,
            None if self.simulation.below(5) == 0 => return Ok(()),
            None => future.await,
        };
        assert_eq!(acknowledged?.version(), version);
        self.acknowledge(version, durability);
        Ok(())
    }

    async fn pass_once(&self) -> Result<()> {
        let is_there = self.database.keyspaces().iter().any(|name| name == PASSING);
        let keyspace = self.follow(self.database.keyspace_async(PASSING), !is_there, &Changes::new()).await?;
        for _ in 0..self.simulation.below(4) {
            let key = format!("key {:02}", self.simulation.below(4)).into_bytes();
            let changes = Changes::from([((PASSING_PLACE, key.clone()), Some(key.clone()))]);
            self.follow(keyspace.insert_async(&key, &key), true, &changes).await?;
            self.pause().await;
        }
        let state = self.model.borrow().state(self.model.borrow().version());
        let all = state.keys().filter(|(place, _)| *place == PASSING_PLACE);
        let changes = all.map(|key| (key.clone(), None)).collect();
        self.follow(self.database.drop_keyspace_async(PASSING), true, &changes).await?;
        self.pause().await;
        Ok(())
    }

    /// Waits for something that commits when it is polled first, if it does.
    async fn follow<T>(&self, future: impl Future<Output = Result<T>>, commits: bool, changes: &Changes) -> Result<T> {
        let mut future = pin!(future);
        let first = poll_once(future.as_mut()).await;
        if commits && !matches!(first, Some(Err(_))) {
            self.model.borrow_mut().commit(changes);
        }
        match first {
            Some(outcome) => outcome,
            None => future.await,
        }
    }

    fn check_serial(&self, since: Version, isolation: Isolation, changes: &Changes, read: &[Key]) {
        let model = self.model.borrow();
        let is_newer = |key: &&Key| model.last_change(key) > since;
        let lost = match isolation {
            Isolation::Snapshot => changes.keys().find(is_newer),
            _ => read.iter().find(is_newer),
        };
        assert_eq!(lost, None, "it changed since {since}, and the commit went through");
    }

    fn acknowledge(&self, version: Version, durability: Durability) {
        let calls = self.storage.calls();
        self.model.borrow_mut().promise(calls, version, durability);
        self.model.borrow_mut().promise(calls, self.database.durable_version(), Durability::Immediate);
        self.note_what_is_seen();
    }

    /// A reader never sees what a crash could take back, where that is promised.
    fn note_what_is_seen(&self) {
        if self.shows_only_durable {
            self.model.borrow_mut().promise(self.storage.calls(), self.database.version(), self.durability);
        }
    }
}

fn entries(part: &impl Readable) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    part.iter().map(|entry| entry.map(|(key, value)| (key.to_vec(), value.to_vec()))).collect()
}

fn part_of(state: &State, keyspace: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
    let part = state.iter().filter(|((place, _), _)| *place == keyspace);
    part.map(|((_, key), value)| (key.clone(), value.clone())).collect()
}

async fn poll_once<T>(mut future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
