//! The ways in which a call of a storage fails.

use std::fmt;
use std::io;

use super::medium::Effect;

/// What goes wrong with one call of a [`SimStorage`](super::SimStorage).
///
/// # Examples
///
/// ```
/// use selkie::storage::sim::{Fault, SimStorage};
/// use selkie::storage::Storage;
///
/// let storage = SimStorage::new();
/// storage.inject(0, Fault::Full);
/// assert!(storage.create("file").try_take().unwrap().is_err());
/// assert!(storage.create("file").try_take().unwrap().is_ok());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The medium fails (EIO): nothing is done. Of any call.
    Io,
    /// There is no space (ENOSPC): nothing is done. Of what creates, writes or reserves.
    Full,
    /// A part of a write is done, and then there is no space.
    Short,
    /// A sync fails, what it should have written is lost, and the next sync succeeds as if nothing had happened
    /// ([fsync failures, ATC 2020](https://www.usenix.org/conference/atc20/presentation/rebello)).
    LostSync,
    /// A sync of the directory fails in this way: the names it should have written can be found until the power fails, and
    /// are lost then, whatever is synced later.
    LostNames,
    /// One bit of a write is wrong, and nobody is told.
    Wrong,
    /// The call is not done, and not answered, before [`SimStorage::release`](super::SimStorage::release).
    Stall,
}

impl Fault {
    /// Whether a call can fail in this way.
    pub(super) fn can_strike(self, effect: &Effect) -> bool {
        match self {
            Self::Io | Self::Stall => true,
            Self::Full => matches!(effect, Effect::Create | Effect::Write { .. } | Effect::Reserve(_)),
            Self::Short => matches!(effect, Effect::Write { data, .. } if data.len() > 1),
            Self::Wrong => matches!(effect, Effect::Write { data, .. } if !data.is_empty()),
            Self::LostSync => *effect == Effect::Sync,
            Self::LostNames => *effect == Effect::SyncDirectory,
        }
    }

    /// What is done of a call that fails.
    pub(super) fn rest_of(self, effect: Effect) -> Effect {
        match (self, effect) {
            (Self::Stall, effect) => effect,
            (Self::Short, Effect::Write { offset, data }) => {
                Effect::Write { offset, data: data.slice(..data.len() / 2) }
            }
            (Self::Wrong, Effect::Write { offset, data }) => {
                let mut data = data.to_vec();
                let middle = data.len() / 2;
                data[middle] ^= 1;
                Effect::Write { offset, data: data.into() }
            }
            (Self::LostSync, Effect::Sync) => Effect::LoseUnsynced,
            (Self::LostNames, Effect::SyncDirectory) => Effect::LoseNames,
            _ => Effect::Nothing,
        }
    }

    pub(super) fn error(self) -> Option<io::Error> {
        match self {
            Self::Io | Self::LostSync | Self::LostNames => Some(io::Error::other("the medium fails")),
            Self::Full | Self::Short => Some(io::ErrorKind::StorageFull.into()),
            Self::Wrong | Self::Stall => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Io => "input/output error",
            Self::Full => "no space",
            Self::Short => "no space after a part",
            Self::LostSync => "failed sync that loses",
            Self::LostNames => "failed sync that loses names",
            Self::Wrong => "a wrong bit",
            Self::Stall => "stalled",
        })
    }
}
