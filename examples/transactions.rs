// Transfers between accounts: conflicts and retries, errors of one's own, savepoints.
//
//     cargo run --example transactions

use selkie::{Database, Error, ErrorKind, Isolation, Readable, TransactionOptions, Writable};

fn balance(reader: &impl Readable, account: &str) -> selkie::Result<u64> {
    let value = reader.get(account)?.ok_or_else(|| Error::aborted(format!("no account {account}")))?;
    let bytes = value[..].try_into().map_err(Error::aborted)?;
    Ok(u64::from_le_bytes(bytes))
}

/// Moves money, or fails and moves nothing. `update` runs the closure again when another commit was faster.
fn transfer(db: &Database, from: &str, to: &str, amount: u64) -> selkie::Result<()> {
    db.update(|tx| {
        let left = balance(tx, from)?.checked_sub(amount).ok_or_else(|| Error::aborted("not enough money"))?;
        tx.insert(from, left.to_le_bytes())?;
        let total = balance(tx, to)? + amount;
        tx.insert(to, total.to_le_bytes())
    })
}

fn main() -> selkie::Result<()> {
    let db = Database::in_memory();
    for account in ["ada", "bea", "cleo"] {
        db.insert(account, 100_u64.to_le_bytes())?;
    }

    transfer(&db, "ada", "bea", 30)?;
    if let Err(refused) = transfer(&db, "ada", "bea", 1_000) {
        assert!(matches!(refused.kind(), ErrorKind::Aborted { .. }));
        println!("refused: {refused}");
    }

    // By hand: the second of two transactions that read the same finds out at its commit, and nothing is written.
    let mut first = db.begin_write()?;
    let mut second = db.begin_write()?;
    let (seen_first, seen_second) = (balance(&first, "ada")?, balance(&second, "ada")?);
    first.insert("ada", (seen_first + 1).to_le_bytes())?;
    second.insert("ada", (seen_second + 1).to_le_bytes())?;
    first.commit()?;
    match second.commit() {
        Err(error) if error.is_retryable() => println!("second transaction: {error}"),
        other => unreachable!("a lost update: {other:?}"),
    }

    // Serializable also means that what was only read must not have changed. Snapshot isolation asks this of
    // the keys that are written, and of those read with `get_for_update`.
    let mut careless = db.begin_with(TransactionOptions::new().isolation(Isolation::Snapshot))?;
    let seen = balance(&careless, "ada")?;
    transfer(&db, "ada", "cleo", 1)?;
    careless.insert("report", seen.to_le_bytes())?;
    careless.commit()?;

    // A savepoint takes back a part of a transaction.
    let mut tx = db.begin_write()?;
    tx.insert("log", "kept")?;
    let savepoint = tx.savepoint();
    tx.insert("log", "taken back")?;
    tx.rollback_to(savepoint)?;
    tx.commit()?;
    assert_eq!(db.get("log")?, Some("kept".into()));

    // Eight threads at once: nothing is lost and nothing is made.
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| transfer(&db, "bea", "cleo", 5))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or(Err(Error::new(ErrorKind::Closed))))
    })?;
    let view = db.begin_read()?;
    let (ada, bea, cleo) = (balance(&view, "ada")?, balance(&view, "bea")?, balance(&view, "cleo")?);
    assert_eq!((ada, bea, cleo), (70, 90, 141));
    println!("ada {ada}, bea {bea}, cleo {cleo}");
    db.close()
}
