//! What the engine relies on of a storage, checked on every backend.
//!
//! A case is an async function over a way to open the same place again. To check another backend, write a function
//! that makes such a way and add one `conformance!` line.

#![allow(clippy::unwrap_used)]

mod backends;
mod cases;
mod memory_only;
#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(all(target_arch = "wasm32", feature = "js", not(feature = "web")))]
mod node;
#[cfg(all(target_arch = "wasm32", feature = "web"))]
mod web;

use std::io::ErrorKind;
use std::pin::Pin;

use bytes::Bytes;
use selkie::Result;
use selkie::storage::{Flush, Storage};

type Opening = Pin<Box<dyn Future<Output = Box<dyn Storage>>>>;
type Open = dyn Fn() -> Opening;

macro_rules! conformance {
    ($backend:ident) => {
        conformance! { $backend:
            lock_is_exclusive
            lock_is_free_after_unlock
            lock_is_free_after_drop
            unlock_of_another_handle_does_nothing
            create_refuses_an_existing_file
            missing_files_are_errors
            reads_end_with_the_file
            writes_land_at_their_offsets
            truncated_file_is_written_at_its_new_end
            truncation_never_grows_a_file
            truncation_to_nothing_leaves_an_empty_file
            truncation_cuts_between_and_within_writes
            operations_submitted_at_once_keep_their_order
            values_larger_than_a_message_fit
            reserved_space_is_zeros_and_can_be_written
            reserve_never_shrinks_a_file
            removed_file_can_be_created_again
            list_has_every_file_with_its_length
            bad_names_are_refused
            errors_name_the_operation_and_the_file
            second_handle_sees_the_bytes
            files_replaced_by_another_holder_are_seen
        }
    };
    ($backend:ident: $($case:ident)*) => {
        mod $backend {
            $(
                #[cfg(target_arch = "wasm32")]
                #[wasm_bindgen_test::wasm_bindgen_test]
                async fn $case() {
                    crate::cases::$case(&crate::backends::$backend()).await.unwrap();
                }

                #[cfg(not(target_arch = "wasm32"))]
                #[test]
                fn $case() {
                    crate::native::block_on(crate::cases::$case(&crate::backends::$backend())).unwrap();
                }
            )*
        }
    };
}

conformance!(memory);
#[cfg(feature = "testing")]
conformance!(simulated);
#[cfg(not(target_arch = "wasm32"))]
conformance!(file);
#[cfg(all(target_arch = "wasm32", feature = "web"))]
conformance!(opfs);
#[cfg(all(target_arch = "wasm32", feature = "web"))]
conformance!(indexed_db);

#[cfg(all(target_arch = "wasm32", feature = "js", not(feature = "web")))]
conformance!(node_files);

async fn open_locked(open: &Open) -> Result<Box<dyn Storage>> {
    let storage = open().await;
    storage.lock().await?;
    Ok(storage)
}

async fn append(storage: &dyn Storage, name: &str, offset: u64, data: &'static str) -> Result<()> {
    storage.write(name, offset, data.into(), Flush::No).await
}

async fn create_with(storage: &dyn Storage, name: &str, data: &'static str) -> Result<()> {
    storage.create(name).await?;
    append(storage, name, 0, data).await
}

async fn read_all(storage: &dyn Storage, name: &str) -> Result<Bytes> {
    storage.read(name, 0, 1000).await
}

fn assert_io<T: std::fmt::Debug>(result: Result<T>, expected: ErrorKind) {
    let error = result.unwrap_err();
    let is_expected = matches!(error.kind(), selkie::ErrorKind::Io { source, .. } if source.kind() == expected);
    assert!(is_expected, "expected {expected:?}, got {error}");
}
