//! An open transaction beside what the model knows of it.

use std::collections::BTreeMap;
use std::rc::Rc;

use selkie::{Error, ErrorKind, Isolation, Keyspace, Outcome, Result, Savepoint, Transaction, Version, Writable};

use crate::model::{Changes, Entries, Model, Number, Seen, is_empty};
use crate::operations::{Change, Expectation, Read, family_key};
use crate::reading::{self, Noted, select};

#[derive(Debug)]
pub(crate) struct OpenTransaction {
    pub(crate) transaction: Transaction,
    pub(crate) since: Version,
    pub(crate) isolation: Isolation,
    pub(crate) write_only: bool,
    pub(crate) changes: Changes,
    pub(crate) seen: Vec<Seen>,
    savepoints: Vec<(Savepoint, Changes)>,
}

impl OpenTransaction {
    pub(crate) fn new(transaction: Transaction, since: Version, isolation: Isolation, write_only: bool) -> Self {
        let (changes, seen, savepoints) = (BTreeMap::new(), Vec::new(), Vec::new());
        Self { transaction, since, isolation, write_only, changes, seen, savepoints }
    }

    /// What the transaction sees in a keyspace: its snapshot under its own changes.
    fn entries(&self, model: &Model, number: Number) -> Rc<Entries> {
        let mut entries = model.entries(self.since, number);
        for ((_, key), value) in self.changes.iter().filter(|((other, _), _)| *other == number) {
            let own = Rc::make_mut(&mut entries);
            match value {
                Some(value) => drop(own.insert(key.clone(), value.clone())),
                None => drop(own.remove(key)),
            }
        }
        entries
    }

    /// The error that reads are to give, if any.
    fn refuses_reads(&self, model: &Model, number: Number, error: &Error) -> bool {
        match error.kind() {
            ErrorKind::InvalidArgument { .. } => self.write_only,
            ErrorKind::KeyspaceNotFound { .. } => model.is_dropped(number, self.since),
            _ => false,
        }
    }

    fn can_read(&self, model: &Model, number: Number) -> bool {
        !self.write_only && !model.is_dropped(number, self.since)
    }

    pub(crate) fn read(&mut self, model: &Model, number: Number, keyspace: Option<&Keyspace>, read: &Read) {
        let entries = self.entries(model, number);
        let mut noted = Noted::default();
        let checked = match keyspace {
            Some(keyspace) => reading::check(&self.transaction.keyspace(keyspace), &entries, read, &mut noted),
            None => reading::check(&self.transaction, &entries, read, &mut noted),
        };
        match checked {
            Ok(()) => assert!(self.can_read(model, number), "a read that had to be refused: {read:?}"),
            Err(error) => assert!(self.refuses_reads(model, number, &error), "{read:?}: {error}"),
        }
        self.note(number, noted);
    }

    fn note(&mut self, number: Number, noted: Noted) {
        if self.isolation == Isolation::Snapshot {
            return;
        }
        let read: Vec<Vec<u8>> =
            noted.keys.into_iter().filter(|key| !self.changes.contains_key(&(number, key.clone()))).collect();
        self.seen.extend(read.iter().map(|key| Seen::key(number, key)));
        self.seen
            .extend(noted.ranges.into_iter().filter(|bounds| !is_empty(bounds)).map(|bounds| Seen { number, bounds }));
    }

    pub(crate) fn change(&mut self, model: &Model, number: Number, keyspace: Option<&Keyspace>, change: &Change) {
        let entries = self.entries(model, number);
        // A write-only transaction stands nowhere in the history: only its commit can tell.
        let stands = self.write_only || !model.is_dropped(number, self.since);
        let outcome = match keyspace {
            Some(keyspace) => apply(&mut self.transaction.keyspace_mut(keyspace), change, &entries),
            None => apply(&mut self.transaction, change, &entries),
        };
        let is_blind =
            matches!(change, Change::Insert(..) | Change::Remove(_) | Change::Fill { .. } | Change::Clear { .. });
        match outcome {
            Ok(written) => {
                let allowed = is_blind && stands || self.can_read(model, number);
                assert!(allowed, "a change that had to be refused: {change:?}");
                self.note_change(number, change);
                self.changes.extend(written.into_iter().map(|(key, value)| ((number, key), value)));
            }
            Err(error) if is_blind => assert!(!stands, "{change:?}: {error}"),
            Err(error) => assert!(self.refuses_reads(model, number, &error), "{change:?}: {error}"),
        }
        let bytes =
            |(_, key): &(Number, Vec<u8>), value: &Option<Vec<u8>>| key.len() + value.as_ref().map_or(0, Vec::len);
        let size: usize = self.changes.iter().map(|(place, value)| bytes(place, value)).sum();
        assert_eq!(self.transaction.size_bytes(), size as u64);
    }

    /// What a change has read. A key that is read for update counts under either isolation.
    fn note_change(&mut self, number: Number, change: &Change) {
        match change {
            Change::InsertIfAbsent(key, _)
            | Change::CompareAndSet(key, ..)
            | Change::CompareAndRemove(key, _)
            | Change::GetForUpdate(key) => self.seen.push(Seen::key(number, key)),
            Change::RemoveRange(bounds) => {
                self.note(number, Noted { keys: Vec::new(), ranges: vec![bounds.clone()] });
            }
            _ => {}
        }
    }

    pub(crate) fn add_savepoint(&mut self) {
        self.savepoints.push((self.transaction.savepoint(), self.changes.clone()));
    }

    pub(crate) fn rollback_to(&mut self, choice: usize) {
        let place = choice % self.savepoints.len().max(1);
        let Some((savepoint, changes)) = self.savepoints.get(place).cloned() else { return };
        self.transaction.rollback_to(savepoint).unwrap();
        self.changes = changes;
        for (gone, _) in self.savepoints.drain(place + 1..) {
            assert!(self.transaction.release(gone).is_err());
        }
    }

    pub(crate) fn release(&mut self, choice: usize) {
        let place = choice % self.savepoints.len().max(1);
        let Some((savepoint, _)) = self.savepoints.get(place).cloned() else { return };
        self.transaction.release(savepoint).unwrap();
        for (gone, _) in self.savepoints.drain(place..) {
            assert!(self.transaction.rollback_to(gone).is_err());
        }
    }

    /// What has to be unchanged at the commit.
    pub(crate) fn conditions(&self) -> Vec<Seen> {
        let mut conditions = self.seen.clone();
        if self.isolation == Isolation::Snapshot {
            conditions.extend(self.changes.keys().map(|(number, key)| Seen::key(*number, key)));
        }
        conditions
    }
}

type Written = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// Applies a change and says what it has to have written, going by the entries that were there.
fn apply(target: &mut impl Writable, change: &Change, entries: &Entries) -> Result<Written> {
    let written = |key: &Vec<u8>, value: Option<&Vec<u8>>| vec![(key.clone(), value.cloned())];
    match change {
        Change::Insert(key, value) => {
            target.insert(key, value)?;
            Ok(written(key, Some(value)))
        }
        Change::Remove(key) => {
            target.remove(key)?;
            Ok(written(key, None))
        }
        Change::GetForUpdate(key) => {
            assert_eq!(target.get_for_update(key)?.as_deref(), entries.get(key).map(|value| &value[..]));
            Ok(Vec::new())
        }
        Change::InsertIfAbsent(key, value) => {
            let outcome = target.insert_if_absent(key, value)?;
            Ok(conditional(&outcome, entries.get(key), None, written(key, Some(value))))
        }
        Change::CompareAndSet(key, expectation, value) => {
            let expected = expected_value(*expectation, entries.get(key));
            let outcome = target.compare_and_set(key, expected.as_ref(), value)?;
            Ok(conditional(&outcome, entries.get(key), expected.as_ref(), written(key, Some(value))))
        }
        Change::CompareAndRemove(key, expectation) => {
            let expected = expected_value(*expectation, entries.get(key)).unwrap_or_default();
            let outcome = target.compare_and_remove(key, &expected)?;
            Ok(conditional(&outcome, entries.get(key), Some(&expected), written(key, None)))
        }
        Change::RemoveRange(bounds) => {
            let removed = select(entries, bounds);
            assert_eq!(target.remove_range(bounds.clone())?, removed.len());
            Ok(removed.into_iter().map(|(key, _)| (key, None)).collect())
        }
        Change::Fill { family, from, count, value } => {
            let keys = (*from..from + count).map(|number| family_key(*family, number));
            keys.map(|key| target.insert(&key, value).map(|()| (key, Some(value.clone())))).collect()
        }
        Change::Clear { family, from, count } => {
            let keys = (*from..from + count).map(|number| family_key(*family, number));
            keys.map(|key| target.remove(&key).map(|()| (key, None))).collect()
        }
    }
}

fn expected_value(expectation: Expectation, current: Option<&Vec<u8>>) -> Option<Vec<u8>> {
    match expectation {
        Expectation::Right => current.cloned(),
        Expectation::Wrong => Some(b"nobody wrote this".to_vec()),
        Expectation::Absent => None,
    }
}

fn conditional(outcome: &Outcome, current: Option<&Vec<u8>>, expected: Option<&Vec<u8>>, written: Written) -> Written {
    if current == expected {
        assert_eq!(*outcome, Outcome::Written);
        written
    } else {
        assert_eq!(*outcome, Outcome::Unchanged(current.cloned().map(Into::into)));
        Vec::new()
    }
}
