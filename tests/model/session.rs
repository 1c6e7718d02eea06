//! A database beside its model, with everything that is open on both.

use std::sync::Arc;

use selkie::storage::{MemoryStorage, Storage};
use selkie::{
    Database, Durability, Error, Isolation, KeyVersion, Keyspace, Options, Retention, SnapshotPolicy, SystemTime,
    TransactionOptions, Version,
};

use crate::common::pending::PendingStorage;
use crate::model::{Changes, Model, Number, Seen, promised_by};
use crate::operations::{Case, Operation, SLOTS};
use crate::transactions::OpenTransaction;
use crate::views::OpenView;

const NAMES: [&str; SLOTS] = ["default", "one", "two"];
const OPEN_AT_ONCE: usize = 6;

pub(crate) struct Session {
    pub(crate) database: Database,
    pub(crate) model: Model,
    /// The handles by keyspace number; none for the default keyspace and for those gone before a reopening.
    pub(crate) handles: Vec<Option<Keyspace>>,
    storage: Option<Arc<MemoryStorage>>,
    answers_later: bool,
    durability: Durability,
    transactions: Vec<OpenTransaction>,
    views: Vec<OpenView>,
}

fn options(durability: Durability, retention: Option<Retention>) -> Options {
    let options = Options::new().durability(durability).snapshots(SnapshotPolicy::Never).segment_bytes(8 << 10);
    match retention {
        Some(retention) => options.history(retention),
        None => options,
    }
}

/// The storage as the database gets it.
fn place(files: &Arc<MemoryStorage>, answers_later: bool) -> Arc<dyn Storage> {
    if answers_later { PendingStorage::by_itself(files.clone()) } else { files.clone() }
}

impl Session {
    pub(crate) fn new(case: &Case) -> Self {
        let storage = case.stored.then(|| Arc::new(MemoryStorage::new()));
        let options = options(case.durability, Some(case.retention));
        let database = match &storage {
            Some(storage) => options.open_storage(place(storage, case.answers_later)).unwrap(),
            None => options.in_memory().unwrap(),
        };
        let model = Model::new(case.retention);
        let Case { answers_later, durability, .. } = *case;
        let (handles, transactions, views) = (vec![None], Vec::new(), Vec::new());
        let mut session = Self { database, model, handles, storage, answers_later, durability, transactions, views };
        session.follow_version();
        session
    }

    /// Follows a commit that the database made by itself, to persist a new retention.
    fn follow_version(&mut self) {
        let version = self.database.version();
        assert!(version <= self.model.version() + 1);
        if version > self.model.version() {
            self.model.commit(version, Changes::new());
        }
    }

    pub(crate) fn run(&mut self, operation: &Operation) {
        match operation {
            Operation::Begin { isolation, write_only } => self.begin(*isolation, *write_only),
            Operation::Commit(place) => self.commit(*place),
            Operation::Change { .. }
            | Operation::Read { .. }
            | Operation::Savepoint(_)
            | Operation::RollbackTo(..)
            | Operation::Release(..)
            | Operation::Rollback(_) => self.run_in_transaction(operation),
            Operation::View { .. }
            | Operation::History { .. }
            | Operation::HistoryRange { .. }
            | Operation::CloseView(_) => self.run_in_view(operation),
            Operation::BeginRead => {
                let view = self.database.begin_read().unwrap();
                assert_eq!(view.version(), self.model.version());
                self.add_view(OpenView::now(view));
            }
            Operation::At(choice) => self.view_at(*choice),
            Operation::AsOf(choice) => self.view_as_of(*choice),
            Operation::Set { slot, key, value } => self.set(*slot, key, value.as_deref()),
            Operation::Get { slot, key } => self.get(*slot, key),
            Operation::CreateKeyspace(slot) => self.create_keyspace(*slot),
            Operation::DropKeyspace(slot) => self.drop_keyspace(*slot),
            Operation::CollectGarbage => self.database.collect_garbage().unwrap(),
            Operation::Snapshot => self.snapshot(),
            Operation::Crash(retention) => self.crash(*retention),
            Operation::Reopen(retention) => self.reopen(*retention),
        }
        assert_eq!(self.database.version(), self.model.version());
    }

    fn begin(&mut self, isolation: Isolation, write_only: bool) {
        let options = TransactionOptions::new().isolation(isolation);
        let options = if write_only { options.write_only() } else { options };
        let transaction = self.database.begin_with(options).unwrap();
        let open = OpenTransaction::new(transaction, self.model.version(), isolation, write_only);
        self.transactions.push(open);
        if self.transactions.len() > OPEN_AT_ONCE {
            self.commit(0);
        }
    }

    fn run_in_transaction(&mut self, operation: &Operation) {
        let Self { transactions, model, handles, .. } = self;
        let (Operation::Change { transaction: place, .. }
        | Operation::Read { transaction: place, .. }
        | Operation::Savepoint(place)
        | Operation::RollbackTo(place, _)
        | Operation::Release(place, _)
        | Operation::Rollback(place)) = operation
        else {
            return;
        };
        let Some(open) = transactions.get_mut(*place) else { return };
        match operation {
            Operation::Change { slot, change, .. } => {
                let Some(number) = model.find(NAMES[*slot]) else { return };
                open.change(model, number, handles[number].as_ref(), change);
            }
            Operation::Read { slot, read, .. } => {
                let Some(number) = model.find(NAMES[*slot]) else { return };
                open.read(model, number, handles[number].as_ref(), read);
            }
            Operation::Savepoint(_) => open.add_savepoint(),
            Operation::RollbackTo(_, savepoint) => open.rollback_to(*savepoint),
            Operation::Release(_, savepoint) => open.release(*savepoint),
            _ => drop(transactions.remove(*place)),
        }
    }

    fn run_in_view(&mut self, operation: &Operation) {
        let Self { views, model, handles, .. } = self;
        match operation {
            Operation::View { view, slot, read } => {
                let (Some(view), Some(number)) = (views.get(*view), model.find(NAMES[*slot])) else { return };
                view.read(model, number, handles[number].as_ref(), read);
            }
            Operation::History { view, slot, key } => {
                let (Some(view), Some(number)) = (views.get(*view), model.find(NAMES[*slot])) else { return };
                view.history(model, number, handles[number].as_ref(), key);
            }
            Operation::HistoryRange { view, slot, bounds } => {
                let (Some(view), Some(number)) = (views.get(*view), model.find(NAMES[*slot])) else { return };
                view.history_range(model, number, handles[number].as_ref(), bounds);
            }
            Operation::CloseView(view) if *view < views.len() => drop(views.remove(*view)),
            _ => {}
        }
    }

    fn add_view(&mut self, view: OpenView) {
        self.views.push(view);
        if self.views.len() > OPEN_AT_ONCE {
            self.views.remove(0);
        }
    }

    fn view_at(&mut self, choice: usize) {
        assert!(self.database.at(self.model.version() + 1).is_err());
        let version = choice as u64 % (self.model.version() + 1);
        match self.database.at(version) {
            Ok(view) => self.add_view(OpenView::past(view, version)),
            Err(error) => self.check_collected(version, &error),
        }
    }

    fn view_as_of(&mut self, choice: usize) {
        let times: Vec<_> = self.model.commits.iter().filter_map(|commit| commit.time).collect();
        let Some(time) = times.get(choice % times.len().max(1)) else { return };
        let version = self.model.version_at(*time);
        match self.database.as_of(*time) {
            Ok(view) => self.add_view(OpenView::past(view, version)),
            Err(error) => self.check_collected(version, &error),
        }
    }

    fn check_collected(&self, version: Version, error: &Error) {
        let allowed = !self.model.keeps_everything() && version < self.model.version();
        assert!(allowed && matches!(error, Error::HistoryCollected { .. }), "version {version}: {error}");
    }

    fn set(&mut self, slot: usize, key: &[u8], value: Option<&[u8]>) {
        let Some(number) = self.model.find(NAMES[slot]) else { return };
        let written = match (&self.handles[number], value) {
            (Some(keyspace), Some(value)) => keyspace.insert(key, value),
            (Some(keyspace), None) => keyspace.remove(key),
            (None, Some(value)) => self.database.insert(key, value),
            (None, None) => self.database.remove(key),
        };
        if self.model.is_dropped(number, self.model.version()) {
            assert!(matches!(written, Err(Error::KeyspaceNotFound { .. })));
            return;
        }
        let version = written.unwrap().version();
        assert_eq!(version, self.model.version() + 1);
        self.model.commit(version, [((number, key.to_vec()), value.map(<[u8]>::to_vec))].into());
        self.learn_time();
    }

    fn get(&self, slot: usize, key: &[u8]) {
        let Some(number) = self.model.find(NAMES[slot]) else { return };
        let found = match &self.handles[number] {
            Some(keyspace) => keyspace.get(key),
            None => self.database.get(key),
        };
        if self.model.is_dropped(number, self.model.version()) {
            assert!(matches!(found, Err(Error::KeyspaceNotFound { .. })));
        } else {
            let entries = self.model.entries(self.model.version(), number);
            assert_eq!(found.unwrap().as_deref(), entries.get(key).map(|value| &value[..]));
        }
    }

    /// Asks the history of one key for the time of the last commit.
    fn learn_time(&mut self) {
        let version = self.model.version();
        let ((number, key), value) = self.model.commits.last().unwrap().changes.iter().next().unwrap();
        let view = self.database.begin_read().unwrap();
        let history = match &self.handles[*number] {
            Some(keyspace) => view.keyspace(keyspace).history(key).unwrap(),
            None => self.database.history(key).unwrap(),
        };
        let Some(newest) = history.first() else {
            // A removal may be collected at once.
            assert!(value.is_none());
            return;
        };
        let KeyVersion { version: newest_version, time, .. } = newest;
        assert_eq!(*newest_version, version);
        let earlier = self.model.commits.iter().filter_map(|commit| commit.time).next_back();
        assert!(earlier.is_none_or(|earlier| earlier <= *time));
        self.model.commits.last_mut().unwrap().time = Some(*time);
    }

    fn commit(&mut self, place: usize) {
        if place >= self.transactions.len() {
            return;
        }
        let open = self.transactions.remove(place);
        let conditions = if open.write_only { Vec::new() } else { open.conditions() };
        let OpenTransaction { transaction, since, changes, write_only, .. } = open;
        let head = self.model.version();
        let outcome = transaction.commit();
        if changes.is_empty() {
            assert_eq!(outcome.unwrap().version(), if write_only { head } else { since });
            return;
        }
        let mut numbers = changes.keys().map(|(number, _)| *number).chain(conditions.iter().map(|seen| seen.number));
        let meets_dropped = numbers.any(|number| self.model.is_dropped(number, head));
        let conflicts = self.model.conflicts(since, &conditions);
        match outcome {
            Ok(info) => {
                assert!(!conflicts, "a conflict was missed: {conditions:?} since {since}");
                assert!(!meets_dropped, "a dropped keyspace was not noticed since {since}");
                assert_eq!(info.version(), head + 1);
                self.model.commit(head + 1, changes);
                self.learn_time();
            }
            Err(Error::KeyspaceNotFound { .. }) => assert!(meets_dropped),
            Err(Error::Conflict { keyspace, key, version }) => {
                assert!(conflicts, "there was no conflict with {key:?} of {keyspace} since {since}");
                self.check_conflict(since, &conditions, &keyspace, &key, version);
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// A conflict names a key that was read or written, and the commit that changed it last.
    fn check_conflict(&self, since: Version, conditions: &[Seen], keyspace: &str, key: &[u8], version: Version) {
        let named = conditions.iter().filter(|seen| self.model.keyspaces[seen.number].name == keyspace);
        let mut changed = named
            .filter(|seen| seen.covers(seen.number, key))
            .filter_map(|seen| self.model.changed_since(since, seen.number, key));
        assert!(changed.any(|changed| changed == version), "{key:?} of {keyspace} at {version}");
    }

    fn create_keyspace(&mut self, slot: usize) {
        let version = self.model.version();
        let existing = self.model.find(NAMES[slot]).filter(|number| !self.model.is_dropped(*number, version));
        let handle = self.database.keyspace(NAMES[slot]).unwrap();
        if let Some(number) = existing {
            assert_eq!(self.handles[number].as_ref(), Some(&handle));
            return;
        }
        let version = version + 1;
        self.model.commit(version, Changes::new());
        self.model.keyspaces.push(crate::model::Keyspace { name: NAMES[slot], created: version, dropped: None });
        self.handles.push(Some(handle));
    }

    fn drop_keyspace(&mut self, slot: usize) {
        let version = self.model.version();
        let existing = self.model.find(NAMES[slot]).filter(|number| !self.model.is_dropped(*number, version));
        self.outlast_clock();
        let outcome = self.database.drop_keyspace(NAMES[slot]);
        let Some(number) = existing else {
            assert!(matches!(outcome, Err(Error::KeyspaceNotFound { .. })));
            return;
        };
        outcome.unwrap();
        self.model.commit(version + 1, Changes::new());
        self.model.keyspaces[number].dropped = Some(version + 1);
    }

    /// Waits for a time after that of the last commit whose time is known. A commit of the catalog does not tell its
    /// own, and clocks may tell no more than milliseconds.
    fn outlast_clock(&self) {
        let known = self.model.commits.iter().filter_map(|commit| commit.time).next_back();
        while known.is_some_and(|known| SystemTime::now() <= known) {}
    }

    fn snapshot(&self) {
        match self.database.snapshot() {
            Ok(info) => assert_eq!(info.version, self.model.version()),
            Err(Error::InvalidArgument { .. }) => assert!(self.storage.is_none()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Opens what a crash at this moment would leave, instead of the database.
    fn crash(&mut self, retention: Option<Retention>) {
        let Some(storage) = &self.storage else { return };
        let copy = Arc::new(storage.copy());
        self.forget_open();
        self.open(copy, retention);
    }

    fn reopen(&mut self, retention: Option<Retention>) {
        let Some(storage) = &self.storage else { return };
        let storage = Arc::clone(storage);
        self.forget_open();
        self.database.clone().close().unwrap();
        assert!(matches!(self.database.begin_read(), Err(Error::Closed)));
        assert!(matches!(self.database.insert("late", ""), Err(Error::Closed)));
        self.open(storage, retention);
    }

    fn forget_open(&mut self) {
        self.transactions.clear();
        self.views.clear();
    }

    fn open(&mut self, storage: Arc<MemoryStorage>, retention: Option<Retention>) {
        let closed = matches!(self.database.begin_read(), Err(Error::Closed));
        let before = self.database.retention();
        let reader = Options::new().read_only(true).open_storage(Arc::new(storage.copy())).unwrap();
        let recovered = reader.version();
        let all_written = closed || !matches!(self.durability, Durability::Queued | Durability::None);
        assert!(recovered == self.model.version() || !all_written && recovered < self.model.version());
        self.model.crash_to(recovered);
        let kept = reader.retention();
        assert!(kept == before || !all_written);
        drop(reader);
        self.database = options(self.durability, retention).open_storage(place(&storage, self.answers_later)).unwrap();
        self.storage = Some(storage);
        let retention = retention.unwrap_or(kept);
        assert_eq!(self.database.retention(), retention);
        self.model.promised = self.model.promised.min(promised_by(kept)).min(promised_by(retention));
        self.follow_version();
        self.find_keyspaces();
    }

    /// Takes new handles for the keyspaces that stand.
    fn find_keyspaces(&mut self) {
        let mut names: Vec<_> = Vec::new();
        for (number, keyspace) in self.model.keyspaces.iter_mut().enumerate() {
            self.handles[number] = None;
            if keyspace.dropped.is_some() {
                keyspace.name = "";
            }
            if keyspace.name.is_empty() {
                continue;
            }
            names.push(keyspace.name.to_owned());
            if number > 0 {
                self.handles[number] = Some(self.database.keyspace(keyspace.name).unwrap());
            }
        }
        names.sort();
        assert_eq!(self.database.keyspaces(), names);
    }

    /// Compares everything that can still be seen, now and after a crash.
    pub(crate) fn finish(mut self) {
        while !self.transactions.is_empty() {
            self.commit(0);
        }
        self.compare_past();
        self.crash(None);
        self.compare_past();
        self.database.collect_garbage().unwrap();
        self.snapshot();
        self.reopen(None);
        self.compare_past();
    }

    fn compare_past(&self) {
        let version = self.model.version();
        let numbers: Vec<Number> = (0..self.handles.len()).collect();
        let versions = self.model.commits.iter().map(|commit| commit.version).filter(|v| version - v < 12);
        for version in versions {
            let view = match self.database.at(version) {
                Ok(view) => OpenView::past(view, version),
                Err(error) => {
                    self.check_collected(version, &error);
                    continue;
                }
            };
            for number in numbers.iter().filter(|number| !self.model.keyspaces[**number].name.is_empty()) {
                view.compare(&self.model, *number, self.handles[*number].as_ref());
            }
        }
    }
}
