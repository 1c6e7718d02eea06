//! What a loss of power may leave: every unsynced change for itself may have reached the medium, wholly, in part, or
//! not at all, and in any order.

use std::collections::BTreeMap;

use super::SimStorage;
use super::medium::{Change, Files, Medium, put};
use super::random::Random;
use super::recording::Call;

/// The units in which a medium writes: the sector of a disk, and the page of a file system.
const UNITS: [usize; 2] = [512, 4096];

/// Zeros, and what was in that place before the file.
const FILLERS: [u8; 2] = [0, 0xa5];

/// A moment at which the power may fail, after a number of calls.
///
/// # Examples
///
/// ```
/// use selkie::storage::sim::SimStorage;
/// use selkie::storage::{Flush, Storage};
///
/// let storage = SimStorage::new();
/// storage.create("file").try_take().unwrap()?;
/// storage.write("file", 0, "hello".into(), Flush::No).try_take().unwrap()?;
/// storage.recording().crash_points(|point| {
///     assert!(point.nothing_unsynced().is_empty());
///     assert!(point.images().all(|image| image.get("file").is_none_or(|bytes| bytes.len() <= 5)));
/// });
/// # Ok::<(), selkie::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct CrashPoint<'a> {
    calls: usize,
    medium: &'a Medium,
    last: Option<&'a Call>,
}

/// Which unsynced changes have reached the medium.
struct Choice<'a> {
    name: &'a mut dyn FnMut(usize) -> bool,
    /// For a file and one of its changes, and for a piece of it: bytes from an offset within the change.
    piece: &'a mut dyn FnMut(usize, usize, usize) -> bool,
    unit: usize,
    /// Whether the changes of a file reached the medium backwards.
    backwards: bool,
    /// What bytes read as of which only the length of the file has reached the medium, where that came before them.
    filler: Option<u8>,
}

impl<'a> CrashPoint<'a> {
    pub(super) fn new(calls: usize, medium: &'a Medium, last: Option<&'a Call>) -> Self {
        Self { calls, medium, last }
    }

    /// How many calls were answered before.
    pub fn calls(&self) -> usize {
        self.calls
    }

    /// The call before, as it is told in a trace.
    pub fn last_call(&self) -> Option<String> {
        self.last.map(ToString::to_string)
    }

    /// The files when everything has reached the medium: what a crash of the process leaves.
    pub fn everything(&self) -> BTreeMap<String, Vec<u8>> {
        self.medium.current()
    }

    /// What the next process finds when this one crashes and the machine goes on: all of it, and as much of it durable as
    /// is durable now.
    pub fn restart(&self) -> SimStorage {
        SimStorage::over(self.medium.clone())
    }

    /// The files when nothing has reached the medium but what was synced.
    pub fn nothing_unsynced(&self) -> BTreeMap<String, Vec<u8>> {
        self.pick(&mut |_| false, &mut |_, _, _| false)
    }

    /// Files that the crash may leave, each change taken or not by chance. The same seed gives the same.
    pub fn random_image(&self, seed: u64) -> BTreeMap<String, Vec<u8>> {
        let mut random = Random(seed);
        // Each part of the medium is early, late, or in between.
        let [names, changes, pieces] = [0, 1, 2].map(|_| random.below(5));
        let lean = |likely: u64, random: &mut Random| random.below(4) < likely;
        let unit = UNITS[random.below(2) as usize];
        let backwards = random.below(2) == 0;
        let filler = FILLERS.get(random.below(4) as usize).copied();
        let kept_names: Vec<_> = self.medium.unsynced_names.iter().map(|_| lean(names, &mut random)).collect();
        let kept_changes: Vec<Vec<_>> = self
            .medium
            .files
            .iter()
            .map(|file| file.unsynced.iter().map(|_| lean(changes, &mut random)).collect())
            .collect();
        image(
            self.medium,
            Choice {
                name: &mut |entry| kept_names[entry],
                piece: &mut |file, change, _| kept_changes[file][change] && lean(pieces, &mut random),
                unit,
                backwards,
                filler,
            },
        )
    }

    /// The files that are most telling, one after the other: nothing or everything unsynced, or lengths without bytes; the changes up to each of
    /// them, all but one of them, and only one; each write torn where a sector ends; names without their contents, and
    /// contents without their names.
    pub fn images(&self) -> impl Iterator<Item = BTreeMap<String, Vec<u8>>> + use<'a> {
        let medium = self.medium;
        let point = *self;
        let changes: Vec<(usize, usize)> = medium
            .files
            .iter()
            .enumerate()
            .flat_map(|(file, state)| (0..state.unsynced.len()).map(move |change| (file, change)))
            .collect();
        let names = medium.unsynced_names.len();
        let extremes = [(false, false), (true, true), (true, false), (false, true)]
            .into_iter()
            .map(move |(name, piece)| point.pick(&mut |_| name, &mut |_, _, _| piece))
            .chain(FILLERS.map(|filler| point.lengths_only(filler)));
        let by_name = (0..names).flat_map(move |chosen| {
            let all = |keeps: &dyn Fn(usize) -> bool| point.pick(&mut |name| keeps(name), &mut |_, _, _| true);
            [all(&|name| name <= chosen), all(&|name| name != chosen), all(&|name| name == chosen)]
        });
        let by_change = changes.clone().into_iter().flat_map(move |chosen| {
            let all = |keeps: &dyn Fn((usize, usize)) -> bool| {
                point.pick(&mut |_| true, &mut |file, change, _| keeps((file, change)))
            };
            let earlier = |(file, change): (usize, usize)| file != chosen.0 || change <= chosen.1;
            [all(&earlier), all(&|other| other != chosen), all(&|other| other == chosen)]
        });
        let torn = changes.into_iter().flat_map(move |chosen| point.torn(chosen));
        extremes.chain(by_name).chain(by_change).chain(torn)
    }

    /// Every name and every length, without the bytes.
    fn lengths_only(self, filler: u8) -> Files {
        let (name, piece) = (&mut |_| true, &mut |_, _, _| false);
        image(self.medium, Choice { name, piece, unit: UNITS[0], backwards: false, filler: Some(filler) })
    }

    /// One write torn at every sector: what comes before the cut has reached the medium, or only what comes after.
    fn torn(self, chosen: (usize, usize)) -> Vec<Files> {
        let Change::Write { offset, data } = &self.medium.files[chosen.0].unsynced[chosen.1] else { return Vec::new() };
        let cuts = (UNITS[0] - offset % UNITS[0]..data.len()).step_by(UNITS[0]);
        cuts.flat_map(|cut| {
            let keep = |before: bool| {
                self.pick(&mut |_| true, &mut |file, change, offset| {
                    (file, change) != chosen || (offset < cut) == before
                })
            };
            [keep(true), keep(false)]
        })
        .collect()
    }

    fn pick(self, name: &mut dyn FnMut(usize) -> bool, piece: &mut dyn FnMut(usize, usize, usize) -> bool) -> Files {
        image(self.medium, Choice { name, piece, unit: UNITS[0], backwards: false, filler: None })
    }
}

fn image(medium: &Medium, choice: Choice<'_>) -> Files {
    let Choice { name: has_name, piece: has_piece, unit, backwards, filler } = choice;
    let mut names = medium.durable_names.clone();
    for (place, entry) in medium.unsynced_names.iter().enumerate() {
        if has_name(place) {
            entry.apply(&mut names);
        }
    }
    let mut content = |number: usize| {
        let file = &medium.files[number];
        let mut bytes = file.durable.clone();
        let count = file.unsynced.len();
        for place in 0..count {
            let place = if backwards { count - 1 - place } else { place };
            let change = &file.unsynced[place];
            if let (Change::Write { offset, data }, Some(filler)) = (change, filler) {
                bytes.resize(bytes.len().max(offset + data.len()), filler);
            }
            apply_pieces(change, unit, &mut bytes, |offset| has_piece(number, place, offset));
        }
        bytes
    };
    names.into_iter().map(|(name, file)| (name, content(file))).collect()
}

/// Applies those pieces of a change that have reached the medium. Pieces end where the medium's units do.
fn apply_pieces(change: &Change, unit: usize, bytes: &mut Vec<u8>, mut has_piece: impl FnMut(usize) -> bool) {
    let Change::Write { offset, data } = change else {
        if has_piece(0) {
            change.apply(bytes);
        }
        return;
    };
    let mut start = 0;
    while start < data.len() {
        let end = (start + unit - (offset + start) % unit).min(data.len());
        if has_piece(start) {
            put(bytes, offset + start, &data[start..end]);
        }
        start = end;
    }
}
