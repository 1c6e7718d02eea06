// A queue that survives restarts: producers append, workers take, and every item is taken once.
//
//     cargo run --example queue

use std::thread;

use selkie::{Database, Durability, Error, ErrorKind, Keyspace, Options, Readable, Writable};

struct Queue {
    db: Database,
    items: Keyspace,
}

impl Queue {
    fn new(db: Database) -> selkie::Result<Self> {
        Ok(Self { items: db.keyspace("queue")?, db })
    }

    /// Appends an item. Numbers ascend in their big-endian bytes, so that the first key is the oldest item.
    fn push(&self, item: &str) -> selkie::Result<()> {
        self.db.update(|tx| {
            let mut items = tx.keyspace_mut(&self.items);
            let last = items.last_key_value()?.map_or(Ok(0), |(key, _)| number(&key))?;
            items.insert((last + 1).to_be_bytes(), item)
        })
    }

    /// Takes the oldest item. Two workers that reach for the same one conflict, and one of them tries again.
    fn pop(&self) -> selkie::Result<Option<String>> {
        self.db.update(|tx| {
            let mut items = tx.keyspace_mut(&self.items);
            let Some((key, value)) = items.first_key_value()? else { return Ok(None) };
            items.remove(&key)?;
            Ok(Some(String::from_utf8_lossy(&value).into_owned()))
        })
    }
}

fn number(key: &[u8]) -> selkie::Result<u64> {
    key.try_into().map(u64::from_be_bytes).map_err(Error::aborted)
}

fn main() -> selkie::Result<()> {
    let directory = tempfile::tempdir().map_err(Error::aborted)?;
    let path = directory.path().join("jobs");

    // What is acknowledged survives a crash of the process; a power loss may take the last commits.
    let options = Options::new().durability(Durability::Buffered);
    let queue = Queue::new(options.clone().open(&path)?)?;
    for job in 0..40 {
        queue.push(&format!("job {job:02}"))?;
    }
    assert_eq!(queue.pop()?, Some("job 00".to_owned()));
    queue.db.close()?;

    let queue = Queue::new(options.open(&path)?)?;
    let mut taken = thread::scope(|scope| {
        let work = || {
            let mut taken = Vec::new();
            while let Some(job) = queue.pop()? {
                taken.push(job);
            }
            Ok::<_, Error>(taken)
        };
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        let mut all = Vec::new();
        for worker in workers {
            all.extend(worker.join().unwrap_or(Err(Error::new(ErrorKind::Closed)))?);
        }
        Ok::<_, Error>(all)
    })?;

    taken.sort_unstable();
    assert!(taken.iter().cloned().eq((1..40).map(|job| format!("job {job:02}"))));
    assert_eq!(queue.pop()?, None);
    println!("{} jobs taken by 4 workers, each once", taken.len());
    queue.db.close()
}
