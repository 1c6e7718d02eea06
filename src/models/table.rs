//! The table of records under readers and writers: what it has is the newest record of its key.

use std::sync::Arc;

use loom::thread;

use super::split::set;
use crate::Version;
use crate::index::{Index, ReadPoint};

fn version(index: &Index) -> Version {
    index.read(&[1], ReadPoint::version(Version::MAX), |record| record.unwrap().version())
}

#[test]
fn a_record_that_is_entered_while_it_is_replaced_does_not_stay() {
    loom::model(|| {
        let index = Arc::new(Index::new());
        set(&index, 1, 1);
        let writer = {
            let index = Arc::clone(&index);
            thread::spawn(move || set(&index, 1, 2))
        };
        assert!((1..=2).contains(&version(&index)));
        writer.join().unwrap();
        assert_eq!(version(&index), 2);
        assert_eq!(index.newest(&[1]), 2);
    });
}
