//! What a case does: random operations, and the keys, values and bounds they use.

use std::ops::Bound;

use proptest::collection::vec;
use proptest::prelude::*;
use selkie::{Durability, Isolation, Retention};

use crate::places::Kind;

pub(crate) type Bounds = (Bound<Vec<u8>>, Bound<Vec<u8>>);

/// Which of the keyspaces: the default one and two that come and go.
pub(crate) const SLOTS: usize = 3;

#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) kind: Kind,
    /// Whether the asynchronous twins are called instead of the methods that wait.
    pub(crate) twins: bool,
    pub(crate) retention: Retention,
    pub(crate) durability: Durability,
    pub(crate) operations: Vec<Operation>,
}

#[derive(Debug, Clone)]
pub(crate) enum Operation {
    Begin { isolation: Isolation, write_only: bool },
    Change { transaction: usize, slot: usize, change: Change },
    Read { transaction: usize, slot: usize, read: Read },
    Savepoint(usize),
    RollbackTo(usize, usize),
    Release(usize, usize),
    Commit(usize),
    Rollback(usize),
    BeginRead,
    At(usize),
    AsOf(usize),
    View { view: usize, slot: usize, read: Read },
    History { view: usize, slot: usize, key: Vec<u8> },
    HistoryRange { view: usize, slot: usize, bounds: Bounds },
    CloseView(usize),
    Set { slot: usize, key: Vec<u8>, value: Option<Vec<u8>> },
    Get { slot: usize, key: Vec<u8> },
    CreateKeyspace(usize),
    DropKeyspace(usize),
    CollectGarbage,
    Snapshot,
    Crash(Option<Retention>),
    Reopen(Option<Retention>),
}

#[derive(Debug, Clone)]
pub(crate) enum Change {
    Insert(Vec<u8>, Vec<u8>),
    Remove(Vec<u8>),
    InsertIfAbsent(Vec<u8>, Vec<u8>),
    CompareAndSet(Vec<u8>, Expectation, Vec<u8>),
    CompareAndRemove(Vec<u8>, Expectation),
    GetForUpdate(Vec<u8>),
    RemoveRange(Bounds),
    /// Many keys of one prefix at once, so that leaves split.
    Fill {
        family: usize,
        from: usize,
        count: usize,
        value: Vec<u8>,
    },
    /// Many removals at once, so that leaves merge.
    Clear {
        family: usize,
        from: usize,
        count: usize,
    },
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Expectation {
    Right,
    Wrong,
    Absent,
}

#[derive(Debug, Clone)]
pub(crate) enum Read {
    Get(Vec<u8>),
    GetWith(Vec<u8>),
    Contains(Vec<u8>),
    GetMany(Vec<Vec<u8>>),
    Range(Bounds, Vec<Step>),
    Keys(Bounds, Vec<Step>),
    Prefix(Vec<u8>, Vec<Step>),
    First,
    Last,
    Count(Bounds),
    Scan(Bounds, usize),
    Cursor(Vec<Move>),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    Next,
    NextBack,
    Nth(usize),
    NthBack(usize),
    AllForward,
    AllBackward,
}

#[derive(Debug, Clone)]
pub(crate) enum Move {
    Seek(Vec<u8>),
    SeekBack(Vec<u8>),
    First,
    Last,
    Next,
    Previous,
}

/// Keys around every boundary of the index: empty, eight bytes of inline prefix, 22 bytes of inline key.
const EDGES: [&[u8]; 22] = [
    b"",
    b"\0",
    b"\0\0",
    b"a",
    b"a\0",
    b"a\xff",
    b"ab",
    b"abcdefg",
    b"abcdefg\0",
    b"abcdefgh",
    b"abcdefgh\0",
    b"abcdefghi",
    b"abcdefghijklmnopqrstu",
    b"abcdefghijklmnopqrstuv",
    b"abcdefghijklmnopqrstuvw",
    b"abcdefghijklmnopqrstuvwx",
    b"b",
    b"zz",
    b"\xfe\xff\xff",
    b"\xff",
    b"\xff\xff",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff",
];

const FAMILIES: [&str; 3] = ["k", "user:", "a-prefix-longer-than-22-bytes:"];
const FAMILY_SIZE: usize = 260;

pub(crate) fn family_key(family: usize, number: usize) -> Vec<u8> {
    format!("{}{:04}", FAMILIES[family % FAMILIES.len()], number % FAMILY_SIZE).into_bytes()
}

fn key() -> BoxedStrategy<Vec<u8>> {
    prop_oneof![
        3 => (0..EDGES.len()).prop_map(|edge| EDGES[edge].to_vec()),
        2 => (0..FAMILIES.len(), 0..FAMILY_SIZE).prop_map(|(family, number)| family_key(family, number)),
    ]
    .boxed()
}

fn value() -> impl Strategy<Value = Vec<u8>> + Clone {
    (any::<u8>(), prop_oneof![Just(1), Just(0), Just(8), Just(22), Just(23), Just(70)])
        .prop_map(|(byte, length)| vec![byte; length])
}

fn bound() -> impl Strategy<Value = Bound<Vec<u8>>> + Clone {
    prop_oneof![
        2 => Just(Bound::Unbounded),
        3 => key().prop_map(Bound::Included),
        2 => key().prop_map(Bound::Excluded),
    ]
}

fn bounds() -> BoxedStrategy<Bounds> {
    (bound(), bound()).boxed()
}

fn prefix() -> impl Strategy<Value = Vec<u8>> {
    (key(), 0..10_usize).prop_map(|(mut key, length)| {
        key.truncate(length);
        key
    })
}

fn steps() -> BoxedStrategy<Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::Next),
        4 => Just(Step::NextBack),
        2 => (0..90_usize).prop_map(Step::Nth),
        2 => (0..90_usize).prop_map(Step::NthBack),
        1 => Just(Step::AllForward),
        1 => Just(Step::AllBackward),
    ];
    vec(step, 1..8).boxed()
}

fn moves() -> BoxedStrategy<Vec<Move>> {
    let step = prop_oneof![
        2 => key().prop_map(Move::Seek),
        2 => key().prop_map(Move::SeekBack),
        1 => Just(Move::First),
        1 => Just(Move::Last),
        5 => Just(Move::Next),
        5 => Just(Move::Previous),
    ];
    vec(step, 1..12).boxed()
}

fn read() -> BoxedStrategy<Read> {
    prop_oneof![
        4 => key().prop_map(Read::Get),
        1 => key().prop_map(Read::GetWith),
        1 => key().prop_map(Read::Contains),
        1 => vec(key(), 0..4).prop_map(Read::GetMany),
        4 => (bounds(), steps()).prop_map(|(bounds, steps)| Read::Range(bounds, steps)),
        1 => (bounds(), steps()).prop_map(|(bounds, steps)| Read::Keys(bounds, steps)),
        2 => (prefix(), steps()).prop_map(|(prefix, steps)| Read::Prefix(prefix, steps)),
        1 => Just(Read::First),
        1 => Just(Read::Last),
        1 => bounds().prop_map(Read::Count),
        1 => (bounds(), 1..100_usize).prop_map(|(bounds, limit)| Read::Scan(bounds, limit)),
        2 => moves().prop_map(Read::Cursor),
    ]
    .boxed()
}

fn expectation() -> impl Strategy<Value = Expectation> {
    prop_oneof![Just(Expectation::Right), Just(Expectation::Wrong), Just(Expectation::Absent)]
}

fn change() -> BoxedStrategy<Change> {
    let many = || (0..FAMILIES.len(), 0..FAMILY_SIZE, 1..FAMILY_SIZE);
    prop_oneof![
        6 => (key(), value()).prop_map(|(key, value)| Change::Insert(key, value)),
        3 => key().prop_map(Change::Remove),
        1 => (key(), value()).prop_map(|(key, value)| Change::InsertIfAbsent(key, value)),
        1 => (key(), expectation(), value()).prop_map(|(key, old, new)| Change::CompareAndSet(key, old, new)),
        1 => (key(), expectation()).prop_map(|(key, old)| Change::CompareAndRemove(key, old)),
        1 => key().prop_map(Change::GetForUpdate),
        1 => bounds().prop_map(Change::RemoveRange),
        2 => (many(), value()).prop_map(|((family, from, count), value)| Change::Fill { family, from, count, value }),
        1 => many().prop_map(|(family, from, count)| Change::Clear { family, from, count }),
    ]
    .boxed()
}

fn retention() -> impl Strategy<Value = Retention> + Clone {
    prop_oneof![
        3 => Just(Retention::Forever),
        2 => Just(Retention::None),
        2 => (1..5_u32).prop_map(Retention::Versions),
    ]
}

fn new_retention() -> impl Strategy<Value = Option<Retention>> {
    prop_oneof![3 => Just(None), 1 => retention().prop_map(Some)]
}

fn durability() -> impl Strategy<Value = Durability> {
    prop_oneof![
        3 => Just(Durability::Immediate),
        1 => Just(Durability::Buffered),
        1 => Just(Durability::Queued),
        1 => Just(Durability::None),
    ]
}

fn slot() -> impl Strategy<Value = usize> + Clone {
    prop_oneof![4 => Just(0_usize), 2 => Just(1_usize), 1 => Just(2_usize)]
}

fn isolation() -> impl Strategy<Value = Isolation> {
    prop_oneof![3 => Just(Isolation::Serializable), 2 => Just(Isolation::Snapshot)]
}

fn in_transactions() -> BoxedStrategy<Operation> {
    let transaction = || 0..4_usize;
    prop_oneof![
        6 => (isolation(), prop::bool::weighted(0.1))
            .prop_map(|(isolation, write_only)| Operation::Begin { isolation, write_only }),
        14 => (transaction(), slot(), change())
            .prop_map(|(transaction, slot, change)| Operation::Change { transaction, slot, change }),
        8 => (transaction(), slot(), read())
            .prop_map(|(transaction, slot, read)| Operation::Read { transaction, slot, read }),
        4 => transaction().prop_map(Operation::Savepoint),
        4 => (transaction(), 0..3_usize).prop_map(|(transaction, place)| Operation::RollbackTo(transaction, place)),
        4 => (transaction(), 0..3_usize).prop_map(|(transaction, place)| Operation::Release(transaction, place)),
        6 => transaction().prop_map(Operation::Commit),
        1 => transaction().prop_map(Operation::Rollback),
    ]
    .boxed()
}

fn beside_transactions() -> BoxedStrategy<Operation> {
    let view = || 0..4_usize;
    prop_oneof![
        3 => Just(Operation::BeginRead),
        3 => any::<usize>().prop_map(Operation::At),
        2 => any::<usize>().prop_map(Operation::AsOf),
        8 => (view(), slot(), read()).prop_map(|(view, slot, read)| Operation::View { view, slot, read }),
        2 => (view(), slot(), key()).prop_map(|(view, slot, key)| Operation::History { view, slot, key }),
        1 => (view(), slot(), bounds())
            .prop_map(|(view, slot, bounds)| Operation::HistoryRange { view, slot, bounds }),
        3 => view().prop_map(Operation::CloseView),
        8 => (slot(), key(), proptest::option::weighted(0.7, value()))
            .prop_map(|(slot, key, value)| Operation::Set { slot, key, value }),
        2 => (slot(), key()).prop_map(|(slot, key)| Operation::Get { slot, key }),
        2 => (1..SLOTS).prop_map(Operation::CreateKeyspace),
        1 => (1..SLOTS).prop_map(Operation::DropKeyspace),
        3 => Just(Operation::CollectGarbage),
        2 => Just(Operation::Snapshot),
        1 => new_retention().prop_map(Operation::Crash),
        1 => new_retention().prop_map(Operation::Reopen),
    ]
    .boxed()
}

/// Kinds of places in memory, and no place at all.
pub(crate) fn in_memory() -> BoxedStrategy<Kind> {
    prop_oneof![
        3 => Just(Kind::Nowhere),
        12 => Just(Kind::Memory),
        5 => Just(Kind::MemoryThatAnswersLater),
    ]
    .boxed()
}

pub(crate) fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![in_transactions(), beside_transactions()]
}

pub(crate) fn case(kinds: BoxedStrategy<Kind>, length: usize) -> impl Strategy<Value = Case> {
    let twins = prop::bool::weighted(0.3);
    (kinds, twins, retention(), durability(), vec(operation(), 1..length)).prop_map(
        |(kind, twins, retention, durability, operations)| {
            let twins = twins || kind.needs_twins();
            Case { kind, twins, retention, durability, operations }
        },
    )
}
