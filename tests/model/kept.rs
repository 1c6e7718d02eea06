//! Sequences of operations as bytes: those that a fuzzer makes, and those of them that are kept in `fuzz/corpus`.
//!
//! The first two bytes say how the database is opened. Each two that follow are the number of an operation: the
//! strategy that makes random cases makes one for each number, the same each time. One case in eight ends with what every
//! random case ends with, a crash and a reopening.

use std::sync::OnceLock;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use selkie::{Durability, Retention};

use crate::common::events::block_on;
use crate::operations::{self, Case, Operation};
use crate::places::Kind;
use crate::session::Session;

/// How many operations there are to choose from.
const OPERATIONS: usize = 1 << 14;

/// Plays the case that the bytes stand for.
pub(crate) fn play(bytes: &[u8]) {
    let Some((head, operations)) = bytes.split_first_chunk() else { return };
    let case = case(*head);
    let reopens = head[1] >= 7 << 5;
    block_on(async {
        let mut session = Session::new(&case).await;
        for number in operations.chunks_exact(2) {
            session.run(operation(usize::from(number[0]) << 8 | usize::from(number[1]))).await;
        }
        if reopens { session.finish().await } else { session.compare().await }
    });
}

fn case([place, history]: [u8; 2]) -> Case {
    let kind = match place % 16 {
        0 => Kind::MemoryThatAnswersLater,
        1..4 => Kind::Nowhere,
        _ => Kind::Memory,
    };
    let durability = match place / 16 % 4 {
        0 => Durability::Buffered,
        1 => Durability::Queued,
        2 => Durability::None,
        _ => Durability::Immediate,
    };
    let retention = match history % 4 {
        0 => Retention::None,
        1 => Retention::Versions(1 + u32::from(history / 4 % 4)),
        _ => Retention::Forever,
    };
    Case { kind, twins: place >= 128, retention, durability, operations: Vec::new() }
}

/// The operation of a number, which is made when it is wanted for the first time.
fn operation(number: usize) -> &'static Operation {
    static MADE: OnceLock<Vec<OnceLock<Operation>>> = OnceLock::new();
    let number = number % OPERATIONS;
    let made = MADE.get_or_init(|| (0..OPERATIONS).map(|_| OnceLock::new()).collect());
    made[number].get_or_init(|| {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&(number as u64).to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        operations::operation().new_tree(&mut runner).unwrap().current()
    })
}
