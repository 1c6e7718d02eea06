//! The names that files of a storage may have.

use crate::{Error, Result};

/// The name of the file that carries the lock of a storage kept in a directory.
pub(super) const LOCK: &str = "lock";

/// Whether a storage can hold a file of this name.
///
/// A name that differs from `lock` only in case is refused too: some file systems hold it for the same file.
pub(super) fn is_valid(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    !name.is_empty() && !name.starts_with('.') && !name.eq_ignore_ascii_case(LOCK) && name.bytes().all(allowed)
}

pub(super) fn check(name: &str) -> Result<()> {
    if is_valid(name) { Ok(()) } else { Err(Error::invalid(format!("`{name}` is not a name for a file of a storage"))) }
}
