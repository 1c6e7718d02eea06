//! A database beside its model, with everything that is open on both.

use std::sync::Arc;

use selkie::{
    Database, Durability, Error, ErrorKind, Isolation, KeyVersion, Keyspace, Options, Retention, SnapshotPolicy,
    SystemTime, TransactionOptions, Version,
};

use crate::model::{Changes, Model, Number, Seen, promised_by};
use crate::operations::{Case, Operation, SLOTS};
use crate::places::Place;
use crate::transactions::OpenTransaction;
use crate::views::OpenView;

const NAMES: [&str; SLOTS] = ["default", "one", "two"];
const OPEN_AT_ONCE: usize = 6;

pub(crate) struct Session {
    pub(crate) database: Database,
    pub(crate) model: Model,
    /// The handles by keyspace number; none for the default keyspace and for those gone before a reopening.
    pub(crate) handles: Vec<Option<Keyspace>>,
    place: Option<Place>,
    twins: bool,
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

/// Calls a method that waits, or its asynchronous twin.
macro_rules! call {
    ($twins:expr, $target:ident.$method:ident | $twin:ident($($argument:expr),*)) => {
        if $twins { $target.$twin($($argument),*).await } else { $target.$method($($argument),*) }
    };
}

impl Session {
    pub(crate) async fn new(case: &Case) -> Self {
        let Case { kind, twins, durability, retention, .. } = *case;
        let place = Place::new(kind).await;
        let options = options(durability, Some(retention));
        let database = match &place {
            Some(place) => call!(twins, options.open_storage | open_storage_async(place.storage())).unwrap(),
            None => options.in_memory().unwrap(),
        };
        let model = Model::new(retention);
        let (handles, transactions, views) = (vec![None], Vec::new(), Vec::new());
        let mut session = Self { database, model, handles, place, twins, durability, transactions, views };
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

    pub(crate) async fn run(&mut self, operation: &Operation) {
        match operation {
            Operation::Begin { isolation, write_only } => self.begin(*isolation, *write_only).await,
            Operation::Commit(place) => self.commit(*place).await,
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
            Operation::Set { slot, key, value } => self.set(*slot, key, value.as_deref()).await,
            Operation::Get { slot, key } => self.get(*slot, key),
            Operation::CreateKeyspace(slot) => self.create_keyspace(*slot).await,
            Operation::DropKeyspace(slot) => self.drop_keyspace(*slot).await,
            Operation::CollectGarbage => self.database.collect_garbage().unwrap(),
            Operation::Snapshot => self.snapshot().await,
            Operation::Crash(retention) => self.crash(*retention).await,
            Operation::Reopen(retention) => self.reopen(*retention).await,
        }
        assert_eq!(self.database.version(), self.model.version());
    }

    async fn begin(&mut self, isolation: Isolation, write_only: bool) {
        let options = TransactionOptions::new().isolation(isolation);
        let options = if write_only { options.write_only() } else { options };
        let transaction = self.database.begin_with(options).unwrap();
        let open = OpenTransaction::new(transaction, self.model.version(), isolation, write_only);
        self.transactions.push(open);
        if self.transactions.len() > OPEN_AT_ONCE {
            self.commit(0).await;
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
        assert!(allowed && matches!(error.kind(), ErrorKind::HistoryCollected { .. }), "version {version}: {error}");
    }

    async fn set(&mut self, slot: usize, key: &[u8], value: Option<&[u8]>) {
        let Some(number) = self.model.find(NAMES[slot]) else { return };
        let Self { database, twins, handles, .. } = self;
        let written = match (&handles[number], value) {
            (Some(keyspace), Some(value)) => call!(*twins, keyspace.insert | insert_async(key, value)),
            (Some(keyspace), None) => call!(*twins, keyspace.remove | remove_async(key)),
            (None, Some(value)) => call!(*twins, database.insert | insert_async(key, value)),
            (None, None) => call!(*twins, database.remove | remove_async(key)),
        };
        if self.model.is_dropped(number, self.model.version()) {
            assert!(matches!(written.unwrap_err().kind(), ErrorKind::KeyspaceNotFound { .. }));
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
            assert!(matches!(found.unwrap_err().kind(), ErrorKind::KeyspaceNotFound { .. }));
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

    async fn commit(&mut self, place: usize) {
        if place >= self.transactions.len() {
            return;
        }
        let open = self.transactions.remove(place);
        let conditions = if open.write_only { Vec::new() } else { open.conditions() };
        let OpenTransaction { transaction, since, changes, write_only, .. } = open;
        let head = self.model.version();
        let outcome = call!(self.twins, transaction.commit | commit_async());
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
            Err(error) => match error.kind() {
                ErrorKind::KeyspaceNotFound { .. } => assert!(meets_dropped),
                ErrorKind::Conflict { keyspace, key, version } => {
                    assert!(conflicts, "there was no conflict with {key:?} of {keyspace} since {since}");
                    self.check_conflict(since, &conditions, keyspace, key, *version);
                }
                _ => panic!("{error}"),
            },
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

    async fn create_keyspace(&mut self, slot: usize) {
        let version = self.model.version();
        let existing = self.model.find(NAMES[slot]).filter(|number| !self.model.is_dropped(*number, version));
        let Self { database, .. } = self;
        let handle = call!(self.twins, database.keyspace | keyspace_async(NAMES[slot])).unwrap();
        if let Some(number) = existing {
            assert_eq!(self.handles[number].as_ref(), Some(&handle));
            return;
        }
        let version = version + 1;
        self.model.commit(version, Changes::new());
        self.model.keyspaces.push(crate::model::Keyspace { name: NAMES[slot], created: version, dropped: None });
        self.handles.push(Some(handle));
    }

    async fn drop_keyspace(&mut self, slot: usize) {
        let version = self.model.version();
        let existing = self.model.find(NAMES[slot]).filter(|number| !self.model.is_dropped(*number, version));
        self.outlast_clock();
        let Self { database, .. } = self;
        let outcome = call!(self.twins, database.drop_keyspace | drop_keyspace_async(NAMES[slot]));
        let Some(number) = existing else {
            assert!(matches!(outcome.unwrap_err().kind(), ErrorKind::KeyspaceNotFound { .. }));
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

    async fn snapshot(&self) {
        let Self { database, .. } = self;
        match call!(self.twins, database.snapshot | snapshot_async()) {
            Ok(info) => assert_eq!(info.version, self.model.version()),
            Err(error) if matches!(error.kind(), ErrorKind::InvalidArgument { .. }) => assert!(self.place.is_none()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Opens what a crash at this moment would leave, instead of the database.
    async fn crash(&mut self, retention: Option<Retention>) {
        let Some(place) = &self.place else { return };
        let files = place.copy().await;
        self.place = Some(place.another(files).await);
        self.forget_open();
        self.open(retention).await;
    }

    async fn reopen(&mut self, retention: Option<Retention>) {
        if self.place.is_none() {
            return;
        }
        self.forget_open();
        let database = self.database.clone();
        call!(self.twins, database.close | close_async()).unwrap();
        let Self { database, .. } = self;
        assert!(matches!(database.begin_read().unwrap_err().kind(), ErrorKind::Closed));
        let late = call!(self.twins, database.insert | insert_async("late", ""));
        assert!(matches!(late.unwrap_err().kind(), ErrorKind::Closed));
        self.open(retention).await;
    }

    fn forget_open(&mut self) {
        self.transactions.clear();
        self.views.clear();
    }

    /// Opens the place anew, after looking at its files.
    async fn open(&mut self, retention: Option<Retention>) {
        let Some(place) = &self.place else { return };
        let files = place.copy().await;
        let closed = self.database.begin_read().is_err_and(|error| matches!(error.kind(), ErrorKind::Closed));
        let before = self.database.retention();
        let reader = Options::new().read_only(true).open_storage(Arc::new(files)).unwrap();
        let recovered = reader.version();
        let all_written = closed || !matches!(self.durability, Durability::Queued | Durability::None);
        assert!(recovered == self.model.version() || !all_written && recovered < self.model.version());
        self.model.crash_to(recovered);
        let kept = reader.retention();
        assert!(kept == before || !all_written);
        drop(reader);
        let options = options(self.durability, retention);
        self.database = call!(self.twins, options.open_storage | open_storage_async(place.storage())).unwrap();
        let retention = retention.unwrap_or(kept);
        assert_eq!(self.database.retention(), retention);
        self.model.promised = self.model.promised.min(promised_by(kept)).min(promised_by(retention));
        self.follow_version();
        self.find_keyspaces().await;
    }

    /// Takes new handles for the keyspaces that stand.
    async fn find_keyspaces(&mut self) {
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
                let Self { database, .. } = self;
                let handle = call!(self.twins, database.keyspace | keyspace_async(keyspace.name));
                self.handles[number] = Some(handle.unwrap());
            }
        }
        names.sort();
        assert_eq!(self.database.keyspaces(), names);
    }

    /// Commits what is open and compares everything that can still be seen.
    pub(crate) async fn compare(&mut self) {
        while !self.transactions.is_empty() {
            self.commit(0).await;
        }
        self.compare_past();
    }

    /// Compares everything that can still be seen, now and after a crash.
    pub(crate) async fn finish(mut self) {
        self.compare().await;
        self.crash(None).await;
        self.compare_past();
        self.database.collect_garbage().unwrap();
        self.snapshot().await;
        self.reopen(None).await;
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
