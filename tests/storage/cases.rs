//! What every storage has to do.

use std::io::ErrorKind;

use bytes::Bytes;
use selkie::Result;
use selkie::storage::Flush;

use crate::{Open, append, assert_io, create_with, open_locked, read_all};

pub(crate) async fn lock_is_exclusive(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    let location = storage.location();
    for again in [storage.lock().await, open().await.lock().await] {
        assert!(matches!(again.unwrap_err().kind(), selkie::ErrorKind::Locked { path } if *path == location));
    }
    Ok(())
}

pub(crate) async fn lock_is_free_after_unlock(open: &Open) -> Result<()> {
    let (first, second) = (open().await, open().await);
    first.unlock();
    first.lock().await?;
    first.unlock();
    second.lock().await?;
    second.unlock();
    first.lock().await
}

pub(crate) async fn lock_is_free_after_drop(open: &Open) -> Result<()> {
    drop(open_locked(open).await?);
    open().await.lock().await
}

pub(crate) async fn unlock_of_another_handle_does_nothing(open: &Open) -> Result<()> {
    let _holder = open_locked(open).await?;
    let other = open().await;
    assert!(other.lock().await.is_err());
    other.unlock();
    assert!(matches!(other.lock().await.unwrap_err().kind(), selkie::ErrorKind::Locked { .. }));
    Ok(())
}

pub(crate) async fn create_refuses_an_existing_file(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    create_with(&*storage, "log-1", "kept").await?;
    assert_io(storage.create("log-1").await, ErrorKind::AlreadyExists);
    assert_eq!(read_all(&*storage, "log-1").await?, "kept");
    Ok(())
}

pub(crate) async fn missing_files_are_errors(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    assert_io(storage.read("log-1", 0, 1).await, ErrorKind::NotFound);
    assert_io(append(&*storage, "log-1", 0, "x").await, ErrorKind::NotFound);
    assert_io(storage.truncate("log-1", 0).await, ErrorKind::NotFound);
    assert_io(storage.sync("log-1").await, ErrorKind::NotFound);
    assert_io(storage.remove("log-1").await, ErrorKind::NotFound);
    assert_eq!(storage.list().await?, []);
    Ok(())
}

pub(crate) async fn reads_end_with_the_file(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    create_with(&*storage, "log-1", "0123456789").await?;
    assert_eq!(storage.read("log-1", 3, 4).await?, "3456");
    assert_eq!(storage.read("log-1", 7, 4).await?, "789");
    assert_eq!(storage.read("log-1", 7, usize::MAX).await?, "789");
    assert_eq!(storage.read("log-1", 10, 1).await?, "");
    assert_eq!(storage.read("log-1", u64::MAX, 1).await?, "");
    assert_eq!(storage.read("log-1", 0, 0).await?, "");
    Ok(())
}

pub(crate) async fn writes_land_at_their_offsets(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    create_with(&*storage, "log-1", "one").await?;
    create_with(&*storage, "log-2", "other").await?;
    storage.write("log-1", 3, "two".into(), Flush::Yes).await?;
    append(&*storage, "log-1", 6, "").await?;
    append(&*storage, "log-1", 6, "three").await?;
    storage.sync("log-1").await?;
    storage.sync_directory().await?;
    assert_eq!(read_all(&*storage, "log-1").await?, "onetwothree");
    assert_eq!(read_all(&*storage, "log-2").await?, "other");
    Ok(())
}

pub(crate) async fn truncated_file_is_written_at_its_new_end(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    create_with(&*storage, "log-1", "0123456789").await?;
    storage.truncate("log-1", 4).await?;
    assert_eq!(read_all(&*storage, "log-1").await?, "0123");
    append(&*storage, "log-1", 4, "new").await?;
    assert_eq!(read_all(&*storage, "log-1").await?, "0123new");
    Ok(())
}

pub(crate) async fn truncation_never_grows_a_file(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    create_with(&*storage, "log-1", "0123").await?;
    storage.truncate("log-1", 100).await?;
    assert_eq!(read_all(&*storage, "log-1").await?, "0123");
    Ok(())
}

pub(crate) async fn truncation_to_nothing_leaves_an_empty_file(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    create_with(&*storage, "log-1", "0123").await?;
    storage.truncate("log-1", 0).await?;
    assert_eq!(read_all(&*storage, "log-1").await?, "");
    append(&*storage, "log-1", 0, "new").await?;
    assert_eq!(read_all(&*storage, "log-1").await?, "new");
    Ok(())
}

pub(crate) async fn truncation_cuts_between_and_within_writes(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    for length in [0, 2, 3, 4, 6, 9, 10] {
        create_with(&*storage, "log-1", "abc").await?;
        append(&*storage, "log-1", 3, "def").await?;
        append(&*storage, "log-1", 6, "ghi").await?;
        storage.truncate("log-1", length).await?;
        let expected = &"abcdefghi"[..9.min(length as usize)];
        assert_eq!(read_all(&*storage, "log-1").await?, expected);
        assert_eq!(storage.list().await?[0].length, expected.len() as u64);
        storage.remove("log-1").await?;
    }
    Ok(())
}

pub(crate) async fn operations_submitted_at_once_keep_their_order(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    for _ in 0..3 {
        let mut done = vec![
            storage.create("log-1"),
            storage.write("log-1", 0, "abc".into(), Flush::No),
            storage.write("log-1", 3, "def".into(), Flush::Yes),
            storage.truncate("log-1", 4),
            storage.write("log-1", 4, "".into(), Flush::Yes),
            storage.write("log-1", 4, "xyz".into(), Flush::No),
        ];
        let read = storage.read("log-1", 1, 100);
        done.extend([storage.sync("log-1"), storage.remove("log-1"), storage.create("log-1")]);
        done.push(storage.write("log-1", 0, "new".into(), Flush::No));
        let read_again = storage.read("log-1", 0, 100);
        done.extend([storage.sync("log-1"), storage.sync("log-1"), storage.remove("log-1")]);
        for operation in done {
            operation.await?;
        }
        assert_eq!(read.await?, "bcdxyz");
        assert_eq!(read_again.await?, "new");
        assert_eq!(storage.list().await?, []);
    }
    Ok(())
}

pub(crate) async fn values_larger_than_a_message_fit(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    let large: Bytes = (0..(64_u32 << 20)).map(|place| (place >> 7) as u8 ^ place as u8).collect::<Vec<_>>().into();
    storage.create("log-1").await?;
    append(&*storage, "log-1", 0, "before").await?;
    storage.write("log-1", 6, large.clone(), Flush::No).await?;
    append(&*storage, "log-1", 6 + large.len() as u64, "after").await?;
    for offset in [0, 16 << 20, (16 << 20) - 3, (64 << 20) - 10] {
        assert_eq!(storage.read("log-1", 6 + offset as u64, 10).await?, large[offset..offset + 10]);
    }
    assert!(storage.read("log-1", 6, large.len()).await? == large);
    storage.remove("log-1").await
}

pub(crate) async fn reserved_space_is_zeros_and_can_be_written(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    create_with(&*storage, "log-1", "0123").await?;
    storage.reserve("log-1", 100).await?;
    assert!(storage.read("log-1", 4, 1000).await?.iter().all(|byte| *byte == 0));
    append(&*storage, "log-1", 4, "456").await?;
    assert!(read_all(&*storage, "log-1").await?.starts_with(b"0123456"));
    storage.truncate("log-1", 7).await?;
    assert_eq!(read_all(&*storage, "log-1").await?, "0123456");
    Ok(())
}

pub(crate) async fn reserve_never_shrinks_a_file(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    create_with(&*storage, "log-1", "0123").await?;
    storage.reserve("log-1", 0).await?;
    storage.reserve("log-1", 2).await?;
    assert_eq!(read_all(&*storage, "log-1").await?, "0123");
    Ok(())
}

pub(crate) async fn removed_file_can_be_created_again(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    create_with(&*storage, "log-1", "old").await?;
    storage.remove("log-1").await?;
    assert_io(read_all(&*storage, "log-1").await, ErrorKind::NotFound);
    storage.create("log-1").await?;
    assert_eq!(read_all(&*storage, "log-1").await?, "");
    append(&*storage, "log-1", 0, "new").await?;
    assert_eq!(read_all(&*storage, "log-1").await?, "new");
    Ok(())
}

pub(crate) async fn list_has_every_file_with_its_length(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    assert_eq!(storage.list().await?, []);
    create_with(&*storage, "log-1", "one").await?;
    create_with(&*storage, "snapshot-1.new", "").await?;
    let mut listed = storage.list().await?;
    listed.sort_by(|left, right| left.name.cmp(&right.name));
    let listed: Vec<_> = listed.iter().map(|entry| (entry.name.as_str(), entry.length)).collect();
    assert_eq!(listed, [("log-1", 3), ("snapshot-1.new", 0)]);
    Ok(())
}

pub(crate) async fn bad_names_are_refused(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    for name in ["", "lock", "Lock", ".", "..", ".hidden", "a/b", "a\\b", "a b", "a_b", "é", "a\0"] {
        for result in [
            storage.create(name).await,
            storage.read(name, 0, 1).await.map(drop),
            append(&*storage, name, 0, "x").await,
            storage.reserve(name, 1).await,
            storage.truncate(name, 0).await,
            storage.sync(name).await,
            storage.remove(name).await,
        ] {
            assert!(matches!(result.unwrap_err().kind(), selkie::ErrorKind::InvalidArgument { .. }), "{name:?}");
        }
    }
    assert_eq!(storage.list().await?, []);
    Ok(())
}

pub(crate) async fn errors_name_the_operation_and_the_file(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    storage.create("log-1").await?;
    let message = storage.create("log-1").await.unwrap_err().to_string();
    assert!(message.starts_with("cannot create `") && message.contains("log-1`"), "{message}");
    let message = storage.remove("log-2").await.unwrap_err().to_string();
    assert!(message.starts_with("cannot remove `") && message.contains("log-2`"), "{message}");
    Ok(())
}

pub(crate) async fn second_handle_sees_the_bytes(open: &Open) -> Result<()> {
    let first = open_locked(open).await?;
    create_with(&*first, "log-1", "kept").await?;
    first.sync("log-1").await?;
    first.sync_directory().await?;
    first.unlock();
    let second = open_locked(open).await?;
    assert_eq!(read_all(&*second, "log-1").await?, "kept");
    append(&*second, "log-1", 4, " on").await?;
    assert_eq!(read_all(&*second, "log-1").await?, "kept on");
    Ok(())
}

pub(crate) async fn files_replaced_by_another_holder_are_seen(open: &Open) -> Result<()> {
    let first = open_locked(open).await?;
    create_with(&*first, "log-1", "old").await?;
    first.unlock();
    let second = open_locked(open).await?;
    second.remove("log-1").await?;
    create_with(&*second, "log-1", "new").await?;
    second.unlock();
    first.lock().await?;
    assert_eq!(read_all(&*first, "log-1").await?, "new");
    Ok(())
}
