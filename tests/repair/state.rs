//! Everything that a database holds, to be compared.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use selkie::{Database, KeyVersion, LostData, Repair, Retention, Version};

type Keys = BTreeMap<Bytes, Vec<KeyVersion>>;

/// The keys of all keyspaces, each with its versions, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) version: Version,
    pub(crate) retention: Retention,
    pub(crate) keyspaces: BTreeMap<String, Keys>,
}

impl State {
    pub(crate) fn of(db: &Database) -> Self {
        let view = db.begin_read().unwrap();
        let mut keyspaces = BTreeMap::new();
        for name in db.keyspaces() {
            let mut keys = Keys::new();
            let keyspace = db.keyspace(&name).unwrap();
            for version in view.keyspace(&keyspace).history_range::<&[u8]>(..).unwrap().map(Result::unwrap) {
                keys.entry(version.key.clone()).or_default().push(version);
            }
            keyspaces.insert(name, keys);
        }
        Self { version: db.version(), retention: db.retention(), keyspaces }
    }

    /// How many keys have a value.
    pub(crate) fn live_keys(&self) -> u64 {
        let keys = self.keyspaces.values().flat_map(BTreeMap::values);
        keys.filter(|versions| versions[0].value.is_some()).count() as u64
    }

    /// How many versions the keys have.
    pub(crate) fn versions(&self) -> u64 {
        self.keyspaces.values().flat_map(BTreeMap::values).map(Vec::len).sum::<usize>() as u64
    }

    /// The values of the default keyspace.
    pub(crate) fn values(&self) -> BTreeMap<Bytes, Bytes> {
        let newest = self.keyspaces["default"].iter().map(|(key, versions)| (key, &versions[0].value));
        newest.filter_map(|(key, value)| Some((key.clone(), value.clone()?))).collect()
    }

    /// What has to be there, when this was there before and a repair says what it lost of a snapshot's keys.
    ///
    /// The last key before a lost range may have lost some of its older versions: it is as it was `found`.
    pub(crate) fn without(&self, repair: &Repair, found: Option<&Self>) -> Self {
        let mut expected = self.clone();
        if repair.losses.iter().any(|loss| loss.data == LostData::Names) {
            expected.lose_names(found);
        }
        for loss in &repair.losses {
            let LostData::Keys(ranges) = &loss.data else { continue };
            for range in ranges {
                let Some(keys) = expected.keyspaces.get_mut(&range.keyspace) else { continue };
                for (key, versions) in keys.iter_mut() {
                    if range.contains(key) {
                        versions.retain(|version| version.version > repair.past_from);
                    } else if range.after.as_ref() == Some(key)
                        && let Some(kept) = found.and_then(|found| found.keyspaces[&range.keyspace].get(key))
                    {
                        assert!(versions.starts_with(kept), "{versions:?}, but {kept:?} was kept");
                        versions.truncate(kept.len().max(1));
                    }
                }
                keys.retain(|_, versions| !versions.is_empty());
            }
        }
        expected
    }

    /// Names the keyspaces of the shapes by their numbers. Those of which nothing is left are not known any more.
    fn lose_names(&mut self, found: Option<&Self>) {
        for (name, number) in [("users", 1), ("gone", 2), ("a", 3)] {
            if let Some(keys) = self.keyspaces.remove(name) {
                self.keyspaces.insert(format!("keyspace {number}"), keys);
            }
        }
        self.keyspaces.retain(|name, _| found.is_none_or(|found| found.keyspaces.contains_key(name)));
    }

    /// The first difference, which is all that somebody wants to read.
    #[track_caller]
    pub(crate) fn assert_is(&self, expected: &Self) {
        assert_eq!((self.version, self.retention), (expected.version, expected.retention));
        let names = |state: &Self| state.keyspaces.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(self), names(expected));
        for ((name, found), expected) in self.keyspaces.iter().zip(expected.keyspaces.values()) {
            let keys: BTreeSet<_> = found.keys().chain(expected.keys()).collect();
            for key in keys {
                let versions = |keys: &Keys| keys.get(key).map(|it| it.iter().map(|it| it.version).collect::<Vec<_>>());
                assert_eq!(versions(found), versions(expected), "{key:?} of {name}");
            }
        }
        assert!(self == expected, "some value differs");
    }
}
