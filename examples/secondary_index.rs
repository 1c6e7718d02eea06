// A secondary index by hand: users by number, and their numbers by city, in two keyspaces that one
// transaction keeps consistent.
//
//     cargo run --example secondary_index

use selkie::{Database, Error, ErrorKind, Keyspace, Readable, Writable};

struct Users {
    db: Database,
    by_number: Keyspace,
    by_city: Keyspace,
}

/// The index has no values: its keys are the city, a byte that no city contains, and the user's number.
fn index_key(city: &str, number: u32) -> Vec<u8> {
    [city.as_bytes(), &[0], &number.to_be_bytes()].concat()
}

impl Users {
    fn new(db: Database) -> selkie::Result<Self> {
        Ok(Self { by_number: db.keyspace("users")?, by_city: db.keyspace("users-by-city")?, db })
    }

    /// Sets where a user lives, and moves the index entry along in the same commit.
    fn set_city(&self, number: u32, city: &str) -> selkie::Result<()> {
        if city.contains('\0') {
            return Err(Error::aborted("a city's name has no zero byte"));
        }
        self.db.update(|tx| {
            let before = tx.keyspace(&self.by_number).get(number.to_be_bytes())?;
            if let Some(before) = before {
                let before = String::from_utf8_lossy(&before);
                tx.keyspace_mut(&self.by_city).remove(index_key(&before, number))?;
            }
            tx.keyspace_mut(&self.by_number).insert(number.to_be_bytes(), city)?;
            tx.keyspace_mut(&self.by_city).insert(index_key(city, number), "")
        })
    }

    /// The numbers of those who live in a city, in ascending order.
    fn living_in(&self, city: &str) -> selkie::Result<Vec<u32>> {
        let view = self.db.begin_read()?;
        let prefix = [city.as_bytes(), &[0]].concat();
        let keys = view.keyspace(&self.by_city);
        let numbers = keys.prefix(&prefix).map(|entry| {
            let (key, _) = entry?;
            let number = key[prefix.len()..].try_into().map_err(Error::aborted)?;
            Ok(u32::from_be_bytes(number))
        });
        numbers.collect()
    }
}

fn main() -> selkie::Result<()> {
    let users = Users::new(Database::in_memory())?;
    for (number, city) in [(1, "Oslo"), (2, "Paris"), (3, "Oslo"), (300, "Oslo")] {
        users.set_city(number, city)?;
    }
    assert_eq!(users.living_in("Oslo")?, [1, 3, 300]);

    users.set_city(3, "Paris")?;
    assert_eq!(users.living_in("Oslo")?, [1, 300]);
    assert_eq!(users.living_in("Paris")?, [2, 3]);
    assert!(users.living_in("Os")?.is_empty());
    assert!(users.set_city(4, "O\0slo").is_err());

    // Index and data agree in every view, however many threads move users about.
    std::thread::scope(|scope| {
        let mover = |number: u32| (0..50).try_for_each(|turn| users.set_city(number, ["Oslo", "Paris"][turn % 2]));
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(move || mover(1))).collect();
        let view = users.db.begin_read()?;
        assert_eq!(view.keyspace(&users.by_number).iter().count(), 4);
        assert_eq!(view.keyspace(&users.by_city).iter().count(), 4);
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or(Err(Error::new(ErrorKind::Closed))))
    })?;
    let total = users.living_in("Oslo")?.len() + users.living_in("Paris")?.len();
    assert_eq!(total, 4);
    println!("Oslo {:?}, Paris {:?}", users.living_in("Oslo")?, users.living_in("Paris")?);
    users.db.close()
}
