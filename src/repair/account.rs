//! The account of the commits: which follow without a gap, which are lost, and where those were.

use std::mem;

use crate::{Corruption, Version};

use super::report::{Loss, LossCause, LostData};

/// A damaged place, before it is known which commits it held.
#[derive(Debug, Clone)]
pub(super) struct Damaged {
    pub(super) file: String,
    pub(super) offset: u64,
    pub(super) bytes: u64,
    pub(super) kind: Corruption,
}

/// The commits in the order of their versions, as far as the files tell of them.
#[derive(Debug)]
pub(super) struct Account {
    /// The last commit that follows without a gap.
    pub(super) version: Version,
    pub(super) losses: Vec<Loss>,
    /// The commit that is to come next.
    expected: Version,
    is_whole: bool,
    /// The damage since the last commit: it held those that are missing before the next.
    damaged: Vec<Damaged>,
    /// Whether that damage ends what is kept even if it held no commit.
    is_end: bool,
}

impl Account {
    /// Begins after a version. What is damaged may have held the commits that follow.
    pub(super) fn new(version: Version, damaged: Vec<Damaged>) -> Self {
        Self {
            version,
            losses: Vec::new(),
            expected: version.saturating_add(1),
            is_whole: true,
            damaged,
            is_end: false,
        }
    }

    pub(super) fn expected(&self) -> Version {
        self.expected
    }

    /// Whether nothing was lost so far.
    pub(super) fn is_whole(&self) -> bool {
        self.is_whole
    }

    pub(super) fn damage(&mut self, damaged: Damaged) {
        self.damaged.push(damaged);
    }

    /// Adds damage behind which nothing is kept.
    pub(super) fn end(&mut self, damaged: Damaged) {
        self.is_end |= self.is_whole;
        self.is_whole = false;
        self.damage(damaged);
    }

    /// Says which commit an intact place holds next, so that those before it, if any are missing, are lost.
    pub(super) fn reach(&mut self, version: Version, file: &str, offset: u64) {
        if version > self.expected {
            if self.damaged.is_empty() {
                self.damage(Damaged { file: file.to_owned(), offset, bytes: 0, kind: Corruption::Sequence });
            }
            self.lose(Some(version - 1));
            self.is_whole = false;
        } else if self.is_end {
            self.lose(None);
        }
        // Other damage that held no commit has cost nothing.
        self.damaged.clear();
        self.is_end = false;
        self.expected = version;
    }

    /// Adds an intact commit.
    pub(super) fn commit(&mut self, version: Version, file: &str, offset: u64, bytes: u64) {
        self.reach(version, file, offset);
        self.expected = self.expected.saturating_add(1);
        if self.is_whole {
            self.version = version;
        } else {
            self.add_behind(version, file, offset, bytes);
        }
    }

    fn add_behind(&mut self, version: Version, in_file: &str, at: u64, length: u64) {
        if let Some(Loss { file, offset, bytes, cause: LossCause::Behind, data }) = self.losses.last_mut()
            && let LostData::Commits { last: Some(last), .. } = data
            && *file == in_file
            && *offset + *bytes == at
        {
            *bytes += length;
            *last = version;
            return;
        }
        let data = LostData::Commits { first: version, last: Some(version) };
        self.losses.push(Loss { file: in_file.to_owned(), offset: at, bytes: length, cause: LossCause::Behind, data });
    }

    /// Adds what a crash left at the end.
    pub(super) fn torn_tail(&mut self, file: &str, offset: u64, bytes: u64) {
        self.losses.push(torn_tail(self.expected, file, offset, bytes));
    }

    /// All losses, when nothing more comes.
    pub(super) fn finish(mut self) -> (Version, Vec<Loss>) {
        self.lose(None);
        (self.version, self.losses)
    }

    fn lose(&mut self, last: Option<Version>) {
        let first = self.expected;
        for Damaged { file, offset, bytes, kind } in mem::take(&mut self.damaged) {
            let (cause, data) = (LossCause::Damage(kind), LostData::Commits { first, last });
            self.losses.push(Loss { file, offset, bytes, cause, data });
        }
    }
}

pub(super) fn torn_tail(expected: Version, file: &str, offset: u64, bytes: u64) -> Loss {
    let data = LostData::Commits { first: expected, last: None };
    Loss { file: file.to_owned(), offset, bytes, cause: LossCause::TornTail, data }
}
