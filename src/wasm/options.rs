//! The options of a database, as JavaScript gives them.

use std::time::Duration;

use crate::options::{Durability, Limits, Options, Retention, SnapshotPolicy, Visibility};

/// How many numbers the options are.
const SETTINGS: usize = 18;

/// Options out of their numbers, of which pkg-templates/src/options.ts says what they are.
pub(super) fn from_settings(settings: &[f64]) -> Options {
    let mut all = [0.0; SETTINGS];
    let count = settings.len().min(SETTINGS);
    all[..count].copy_from_slice(&settings[..count]);
    let [level, time, commits, bytes, visibility, history, keep, snapshots, pace, limits @ .., read_only, until] = all;
    let options = Options::new()
        .durability(durability(level as u32).unwrap_or_else(|| interval(time, commits, bytes)))
        .visibility(if visibility > 0.0 { Visibility::Durable } else { Visibility::Applied })
        .limits(limits_of(limits))
        .read_only(read_only > 0.0);
    let options = match history as u32 {
        1 => options.history(Retention::None),
        2 => options.history(Retention::Forever),
        3 => options.history(Retention::Versions(keep as u32)),
        4 => options.history(Retention::Age(from_ms(keep))),
        _ => options,
    };
    let options = match snapshots as u32 {
        1 => options.snapshots(SnapshotPolicy::Never),
        2 => options.snapshots(SnapshotPolicy::LogSize(pace as u64)),
        3 => options.snapshots(SnapshotPolicy::Interval(from_ms(pace))),
        _ => options,
    };
    if until >= 0.0 { options.read_until(until as u64) } else { options }
}

/// The level of a code; none for an interval.
fn durability(code: u32) -> Option<Durability> {
    match code {
        1 => Some(Durability::None),
        2 => Some(Durability::Queued),
        3 => Some(Durability::Buffered),
        4 => Some(Durability::Immediate),
        _ => None,
    }
}

/// A number below zero leaves a limit as it is.
fn limits_of(numbers: [f64; 7]) -> Limits {
    let [transaction_bytes, queue_bytes, history_bytes, watch_bytes, attempts, reader_bytes, reader_time] = numbers;
    let mut limits = Limits::default();
    let set = |limit: &mut u64, value: f64| {
        if value >= 0.0 {
            *limit = value as u64;
        }
    };
    set(&mut limits.transaction_bytes, transaction_bytes);
    set(&mut limits.queue_bytes, queue_bytes);
    set(&mut limits.history_bytes, history_bytes);
    set(&mut limits.watch_bytes, watch_bytes);
    set(&mut limits.reader_bytes, reader_bytes);
    if attempts >= 0.0 {
        limits.attempts = attempts as u32;
    }
    if reader_time >= 0.0 {
        limits.reader_time = Some(from_ms(reader_time));
    }
    limits
}

pub(super) fn interval(interval_ms: f64, commits: f64, bytes: f64) -> Durability {
    let commits = if commits < 0.0 { u32::MAX } else { commits as u32 };
    let bytes = if bytes < 0.0 { u64::MAX } else { bytes as u64 };
    Durability::Interval { time: from_ms(interval_ms), commits, bytes }
}

/// A time that is too long for a duration is for ever, as far as one database is concerned.
fn from_ms(ms: f64) -> Duration {
    Duration::try_from_secs_f64(ms / 1e3).unwrap_or(Duration::MAX)
}
