//! An open view beside the version of the model that it has to show.

use std::ops::Bound;

use selkie::{Error, ErrorKind, KeyVersion, Keyspace, Result, Version, View};

use crate::model::{Model, Number, within};
use crate::operations::{Bounds, Read, Step};
use crate::reading::{self, Noted};

pub(crate) struct OpenView {
    view: View,
    version: Version,
    is_past: bool,
}

impl OpenView {
    pub(crate) fn now(view: View) -> Self {
        Self { version: view.version(), view, is_past: false }
    }

    pub(crate) fn past(view: View, version: Version) -> Self {
        Self { view, version, is_past: true }
    }

    /// Whether a read may give this error.
    fn may_fail(&self, model: &Model, number: Number, error: &Error) -> bool {
        match error.kind() {
            ErrorKind::KeyspaceNotFound { .. } => model.is_dropped(number, self.version),
            ErrorKind::HistoryCollected { .. } => self.is_past && !model.keeps_everything(),
            _ => false,
        }
    }

    pub(crate) fn read(&self, model: &Model, number: Number, keyspace: Option<&Keyspace>, read: &Read) {
        let entries = model.entries(self.version, number);
        let mut noted = Noted::default();
        let checked = match keyspace {
            Some(keyspace) => reading::check(&self.view.keyspace(keyspace), &entries, read, &mut noted),
            None => reading::check(&self.view, &entries, read, &mut noted),
        };
        match checked {
            Ok(()) => assert!(!model.is_dropped(number, self.version)),
            Err(error) => {
                assert!(self.may_fail(model, number, &error), "{read:?} at {}: {error}", self.version);
            }
        }
    }

    /// Compares all entries.
    pub(crate) fn compare(&self, model: &Model, number: Number, keyspace: Option<&Keyspace>) {
        let everything = (Bound::Unbounded, Bound::Unbounded);
        self.read(model, number, keyspace, &Read::Range(everything.clone(), vec![Step::AllForward]));
        self.read(model, number, keyspace, &Read::Keys(everything, vec![Step::AllBackward]));
    }

    pub(crate) fn history(&self, model: &Model, number: Number, keyspace: Option<&Keyspace>, key: &[u8]) {
        let history = match keyspace {
            Some(keyspace) => self.view.keyspace(keyspace).history(key),
            None => self.view.history(key),
        };
        if let Some(history) = self.accept(model, number, history) {
            self.check_history(model, number, key, &history);
        }
    }

    pub(crate) fn history_range(&self, model: &Model, number: Number, keyspace: Option<&Keyspace>, bounds: &Bounds) {
        let history: Result<Vec<KeyVersion>> = match keyspace {
            Some(keyspace) => self.view.keyspace(keyspace).history_range(bounds.clone()).and_then(Iterator::collect),
            None => self.view.history_range(bounds.clone()).and_then(Iterator::collect),
        };
        let Some(history) = self.accept(model, number, history) else { return };
        assert!(history.is_sorted_by_key(|entry| (entry.key.clone(), std::cmp::Reverse(entry.version))));
        assert!(history.iter().all(|entry| within(bounds, &entry.key)));
        let changed = model.commits.iter().flat_map(|commit| commit.changes.keys());
        let mut keys: Vec<_> =
            changed.filter(|(other, key)| *other == number && within(bounds, key)).map(|(_, key)| key).collect();
        keys.sort();
        keys.dedup();
        for key in keys {
            let of_key: Vec<_> = history.iter().filter(|entry| entry.key == key[..]).cloned().collect();
            self.check_history(model, number, key, &of_key);
        }
    }

    fn accept<T>(&self, model: &Model, number: Number, outcome: Result<T>) -> Option<T> {
        match outcome {
            Ok(value) => {
                assert!(!model.is_dropped(number, self.version));
                Some(value)
            }
            Err(error) => {
                assert!(self.may_fail(model, number, &error), "history at {}: {error}", self.version);
                None
            }
        }
    }

    /// A history is the newest part of what happened, and has at least what the retention promised.
    fn check_history(&self, model: &Model, number: Number, key: &[u8], history: &[KeyVersion]) {
        let expected = model.history(self.version, number, key);
        let found: Vec<_> =
            history.iter().map(|entry| (entry.version, entry.value.as_deref().map(<[u8]>::to_vec))).collect();
        assert!(expected.starts_with(&found), "{key:?} at {}: {found:?} is not of {expected:?}", self.version);
        let newest = model.history(model.version(), number, key).len();
        let superseded = newest - expected.len();
        let promised = (model.promised as usize).saturating_sub(superseded).min(expected.len());
        let spent = model.promised == 1 && expected.first().is_none_or(|(_, value)| value.is_none());
        assert!(spent || found.len() >= promised, "{key:?} at {}: {found:?} of {expected:?}", self.version);
        if model.keeps_everything() {
            assert_eq!(found, expected);
        }
        for entry in history {
            let commit = model.commits.iter().find(|commit| commit.version == entry.version).unwrap();
            assert!(commit.time.is_none_or(|time| time == entry.time));
        }
    }
}
