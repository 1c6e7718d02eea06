//! Repairing a damaged database, and comparing everything with what is said of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use selkie::storage::{MemoryStorage, Storage};
use selkie::{Database, ErrorKind, LostData, Options, Readable, Repair, Verification, Version};

use crate::common::Random;
use crate::shape::{Files, Shape};
use crate::state::State;

/// What became of a damaged database.
pub(crate) struct Examined {
    pub(crate) verification: Verification,
    pub(crate) repair: Repair,
}

/// Is told when the test fails.
pub(crate) struct Told(pub(crate) String);

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.0);
        }
    }
}

/// Repairs the files of a shape that were damaged, and checks all that holds of every repair.
pub(crate) fn examine(shape: &Shape, files: &Files, random: &mut Random) -> Examined {
    let storage = MemoryStorage::from_files(files.clone());
    let source: Arc<dyn Storage> = Arc::new(storage.clone());
    let verification = wait(selkie::verify_storage(&source)).unwrap();
    let destination = MemoryStorage::new();
    let repair = wait(selkie::repair_storage(&source, Arc::new(destination.clone()))).unwrap();
    let _told = Told(format!("what was reported as lost: {:?}", repair.losses));
    assert_eq!(&storage.files(), files, "the damaged files were changed");
    assert_eq!(verification.repair.as_ref().unwrap(), &repair, "verification said something else");

    let target: Arc<dyn Storage> = Arc::new(destination.clone());
    let again = wait(selkie::verify_storage(&target)).unwrap();
    assert!(again.is_intact(), "{again:?}");
    let report = again.repair.unwrap();
    assert_eq!((report.version, report.losses.len()), (repair.version, 0));
    assert_eq!((report.keys, &report.keyspaces, report.bytes), (repair.keys, &repair.keyspaces, repair.bytes));

    let db = open(&destination);
    check_state(shape, &repair, &db, random);
    check_commits(shape, &repair);
    if verification.opening.is_ok() {
        assert!(repair.is_lossless(), "it opens, but a repair loses {:?}", repair.losses);
    }
    check_goes_on(db, &destination);
    Examined { verification, repair }
}

/// The state is that after the reported version, but for the keys that are reported.
fn check_state(shape: &Shape, repair: &Repair, db: &Database, random: &mut Random) {
    let found = State::of(db);
    let before = &shape.states[repair.version as usize];
    let expected = before.without(repair, Some(&found));
    found.assert_is(&expected);
    assert_eq!(repair.keys, found.live_keys());
    assert_eq!(repair.keyspaces, db.keyspaces());
    if repair.past_from > 0 {
        let refused = db.at(repair.past_from - 1).unwrap_err();
        assert!(matches!(refused.kind(), ErrorKind::HistoryCollected { .. }), "{refused}");
    }
    let past = repair.past_from + random.below(repair.version - repair.past_from + 1);
    let values: BTreeMap<_, _> = db.at(past).unwrap().iter().map(Result::unwrap).collect();
    assert!(values == shape.states[past as usize].without(repair, None).values(), "as of version {past}");
}

/// The commits that are lost are named, and no others.
fn check_commits(shape: &Shape, repair: &Repair) {
    let mut next = repair.version + 1;
    for (first, last) in lost_commits(repair) {
        assert!(first > repair.version && first <= next, "{:?}", repair.losses);
        assert!(last.is_none_or(|last| first <= last && last <= shape.last_version()), "{:?}", repair.losses);
        next = next.max(last.unwrap_or(shape.last_version()) + 1);
    }
    if shape.closed {
        assert_eq!(next, shape.last_version() + 1, "not all are told: {:?}", repair.losses);
    }
}

pub(crate) fn lost_commits(repair: &Repair) -> Vec<(Version, Option<Version>)> {
    let commits = |data: &LostData| match data {
        LostData::Commits { first, last } => Some((*first, *last)),
        _ => None,
    };
    repair.losses.iter().filter_map(|loss| commits(&loss.data)).collect()
}

/// A commit is taken and survives.
fn check_goes_on(db: Database, storage: &MemoryStorage) {
    let mut expected = State::of(&db);
    db.insert("after the repair", "value").unwrap();
    db.close().unwrap();
    let db = open(storage);
    let mut found = State::of(&db);
    let added = found.keyspaces.get_mut("default").unwrap().remove(&b"after the repair"[..]).unwrap();
    assert_eq!(added[0].value.as_deref(), Some(&b"value"[..]));
    expected.version += 1;
    assert_eq!(added[0].version, expected.version);
    found.assert_is(&expected);
}

fn open(storage: &MemoryStorage) -> Database {
    Options::new().open_storage(Arc::new(storage.clone())).unwrap()
}

/// The storage in memory answers at once.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("a storage in memory did not answer"),
    }
}
