//! The workloads, a file per idea, in suites that share a database.

mod deletes;
mod footprint;
mod large;
mod load;
mod medium;
mod mixed;
mod opening;
mod points;
mod processors;
mod scans;
mod synced;
mod updates;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::data::Data;
use crate::engines::Engine;
use crate::failure::Result;
use crate::recorder::Recorder;
use crate::task::Task;

/// What the number of a workload means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// More is better.
    PerSecond,
    /// Less is better, as for the following.
    Milliseconds,
    Microseconds,
    Bytes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) unit: Unit,
}

impl Workload {
    const fn per_second(name: &'static str) -> Self {
        Self { name, unit: Unit::PerSecond }
    }

    /// The medium and the processors are measured beside the engines and not by them.
    pub(crate) fn is_contest(&self) -> bool {
        ![medium::MEDIUM, medium::SHARED, processors::PROCESSORS].contains(self)
    }

    /// Whether its name has one of the words, or there are none.
    pub(crate) fn is_named_by(&self, words: &[String]) -> bool {
        words.is_empty() || words.iter().any(|word| self.name.contains(word.as_str()))
    }
}

/// Workloads on one database, in one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
pub(crate) enum Suite {
    Reading,
    Updating,
    /// Apart from other updates, since some engines come to a standstill here.
    Contending,
    Writing,
    Large,
    Synced,
    OpeningAfterClose,
    OpeningAfterExit,
    OpeningFromSnapshot,
    Footprint,
    /// No measurements: it leaves a database behind, closed, to be opened.
    FillAndClose,
    /// The same, but the process ends without closing it.
    FillAndExit,
    /// The same, with a snapshot before it is closed.
    FillAndSnapshot,
}

impl Suite {
    pub(crate) const MEASURED: [Self; 10] = [
        Self::Reading,
        Self::Updating,
        Self::Contending,
        Self::Writing,
        Self::Large,
        Self::Synced,
        Self::OpeningAfterClose,
        Self::OpeningAfterExit,
        Self::OpeningFromSnapshot,
        Self::Footprint,
    ];

    /// In the order of the tables.
    pub(crate) fn workloads(self) -> Vec<Workload> {
        match self {
            Self::Reading => [&[load::LOAD][..], &points::ALL, &scans::ALL].concat(),
            Self::Updating => [&[processors::PROCESSORS][..], &updates::DISJOINT].concat(),
            Self::Contending => updates::CONTENDED.to_vec(),
            Self::Writing => [&mixed::ALL[..], &[deletes::DELETE]].concat(),
            Self::Large => large::ALL.to_vec(),
            Self::Synced => [&[medium::MEDIUM, medium::SHARED][..], &synced::ALL].concat(),
            Self::OpeningAfterClose => opening::AFTER_CLOSE.to_vec(),
            Self::OpeningAfterExit => opening::AFTER_EXIT.to_vec(),
            Self::OpeningFromSnapshot => opening::FROM_SNAPSHOT.to_vec(),
            Self::Footprint => footprint::ALL.to_vec(),
            Self::FillAndClose | Self::FillAndExit | Self::FillAndSnapshot => Vec::new(),
        }
    }

    /// Suites about files leave the engines out that have none.
    pub(crate) fn needs_files(self) -> bool {
        self == Self::Synced || self.opens()
    }

    /// Whether it opens a database that another process fills.
    pub(crate) fn opens(self) -> bool {
        matches!(self, Self::OpeningAfterClose | Self::OpeningAfterExit | Self::OpeningFromSnapshot)
    }
}

/// Runs the suite of a task; the registry has one instance of this for each engine.
pub(crate) fn run<E: Engine>(task: &Task, recorder: &mut Recorder) -> Result {
    let data = Data::new(task.entries);
    match task.suite {
        Suite::Reading => reading::<E>(task, &data, recorder),
        Suite::Updating => updating::<E>(task, &data, recorder),
        Suite::Contending => updates::run::<E>(task, &data, recorder, &updates::CONTENDED),
        Suite::Writing => writing::<E>(task, &data, recorder),
        Suite::Large => large::run::<E>(task, &data, recorder),
        Suite::Synced => synced::run::<E>(task, &data, recorder),
        Suite::OpeningAfterClose => {
            opening::run::<E>(task, &data, recorder, Suite::FillAndClose, &opening::AFTER_CLOSE)
        }
        Suite::OpeningAfterExit => opening::run::<E>(task, &data, recorder, Suite::FillAndExit, &opening::AFTER_EXIT),
        Suite::OpeningFromSnapshot => {
            opening::run::<E>(task, &data, recorder, Suite::FillAndSnapshot, &opening::FROM_SNAPSHOT)
        }
        Suite::Footprint => footprint::run::<E>(task, &data, recorder),
        Suite::FillAndClose | Suite::FillAndExit | Suite::FillAndSnapshot => opening::fill::<E>(task, &data),
    }
}

fn reading<E: Engine>(task: &Task, data: &Data, recorder: &mut Recorder) -> Result {
    let engine = E::open(&task.directory, task.mode()?)?;
    load::run(&engine, data, recorder)?;
    points::run(&engine, task, data, recorder)?;
    scans::run(&engine, task, data, recorder)?;
    engine.close()
}

fn updating<E: Engine>(task: &Task, data: &Data, recorder: &mut Recorder) -> Result {
    recorder.measure(&processors::PROCESSORS, || Ok(processors::measure()))?;
    updates::run::<E>(task, data, recorder, &updates::DISJOINT)
}

fn writing<E: Engine>(task: &Task, data: &Data, recorder: &mut Recorder) -> Result {
    let engine = E::open(&task.directory, task.mode()?)?;
    engine.load(data)?;
    mixed::run(&engine, task, data, recorder)?;
    // The last one, since it leaves entries out.
    deletes::run(&engine, task, data, recorder)?;
    engine.close()
}
