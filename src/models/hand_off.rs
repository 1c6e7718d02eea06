//! The hand-off of a commit: whoever waits for it hears of it, or of the error, and sees what it was told of.

use std::sync::Arc;

use loom::future::block_on;
use loom::thread;

use crate::locks::atomic::{AtomicU64, Ordering};
use crate::progress::{Goal, Progress, Stage};
use crate::{Error, ErrorKind};

#[test]
fn whoever_waits_for_a_commit_is_woken_when_it_is_synced() {
    loom::model(|| {
        let progress = Arc::new(Progress::new(0));
        // What the leader has put into the index before it publishes.
        let applied = Arc::new(AtomicU64::new(0));
        let leader = {
            let (progress, applied) = (Arc::clone(&progress), Arc::clone(&applied));
            thread::spawn(move || {
                applied.store(1, Ordering::Relaxed);
                progress.publish(1);
                progress.set_synced(1);
                progress.notify();
            })
        };
        block_on(progress.wait(Goal::Commit(1, Stage::Synced))).unwrap();
        assert_eq!(applied.load(Ordering::Relaxed), 1, "it is told of a commit that it does not see");
        assert_eq!(progress.stage_of(1), Stage::Synced);
        leader.join().unwrap();
    });
}

#[test]
fn two_who_wait_for_different_stages_are_both_woken() {
    loom::model(|| {
        let progress = Arc::new(Progress::new(0));
        let other = {
            let progress = Arc::clone(&progress);
            thread::spawn(move || block_on(progress.wait(Goal::Published(1))))
        };
        let leader = {
            let progress = Arc::clone(&progress);
            thread::spawn(move || {
                progress.publish(1);
                progress.notify();
                progress.set_written(1);
                progress.notify();
            })
        };
        block_on(progress.wait(Goal::Commit(1, Stage::Written))).unwrap();
        other.join().unwrap().unwrap();
        leader.join().unwrap();
    });
}

#[test]
fn an_error_reaches_whoever_waits_and_nothing_is_acknowledged_after_it() {
    loom::model(|| {
        let progress = Arc::new(Progress::new(0));
        let leader = {
            let progress = Arc::clone(&progress);
            thread::spawn(move || {
                progress.publish(1);
                progress.poison(Error::invalid("the medium fails"));
            })
        };
        let outcome = block_on(progress.wait(Goal::Commit(1, Stage::Synced)));
        assert!(matches!(outcome.unwrap_err().kind(), ErrorKind::DurabilityUnknown { version: 1, .. }));
        leader.join().unwrap();
    });
}
