//! What a repair is going to keep: the state itself, and the report of it.

use std::sync::Arc;

use crate::Result;
use crate::log::segment::segment_name;
use crate::recovery::Recovered;
use crate::recovery::replay::Replay;
use crate::storage::Storage;

use super::account::torn_tail;
use super::base::{self, Base};
use super::log::{self, Start, Walked};
use super::report::{Loss, Repair};
use super::survey::Survey;

/// The state that is kept, and what there is to say of it.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) recovered: Recovered,
    pub(crate) repair: Repair,
}

/// Plans what to keep of a database, once it is known what opening it to read comes to. Its lock is held.
///
/// # Errors
///
/// Those of opening but for damage, and those of the storage.
pub(crate) async fn plan(storage: &Arc<dyn Storage>, opened: Result<Recovered>) -> Result<Plan> {
    match opened {
        Ok(recovered) => {
            let losses = torn_tail_of(&recovered).into_iter().collect();
            Ok(Plan::new(recovered, losses))
        }
        Err(error) if error.is_corruption() => salvage(storage).await,
        Err(error) => Err(error),
    }
}

impl Plan {
    fn new(recovered: Recovered, losses: Vec<Loss>) -> Self {
        let repair = Repair { losses, ..Repair::keeping(&recovered) };
        Self { recovered, repair }
    }
}

fn torn_tail_of(recovered: &Recovered) -> Option<Loss> {
    let bytes = recovered.report.bytes_cut;
    let end = recovered.position.filter(|_| bytes > 0)?;
    Some(torn_tail(recovered.version + 1, &segment_name(end.header.segment), end.offset, bytes))
}

async fn salvage(storage: &Arc<dyn Storage>) -> Result<Plan> {
    let survey = Survey::new(storage).await?;
    let (mut base, mut start) = base::whole(&survey);
    let mut walked = log::walk(storage.as_ref(), &survey.segments, &start, None).await?;
    if walked.version == 0
        && let Some(remains) = base::remains(storage.as_ref(), &survey).await?
    {
        (base, start) = remains;
        walked = log::walk(storage.as_ref(), &survey.segments, &start, None).await?;
    }
    build(storage, &survey, base, &start, walked).await
}

/// Builds the state that is kept.
async fn build(
    storage: &Arc<dyn Storage>,
    survey: &Survey,
    base: Base,
    start: &Start,
    mut walked: Walked,
) -> Result<Plan> {
    loop {
        let (mut recovered, mut losses) = base::load(storage, &base).await?;
        let mut replay = Replay::new(&mut recovered, Some(walked.version));
        match replay.run_parts(storage.as_ref(), &walked.parts).await {
            Ok(()) => {
                losses.append(&mut walked.losses);
                return Ok(Plan::new(recovered, losses));
            }
            // The state has a part of that commit already: it is built anew, up to the one before.
            Err(error) if error.is_corruption() => {
                let undecodable = recovered.version + 1;
                walked = log::walk(storage.as_ref(), &survey.segments, start, Some(undecodable)).await?;
                walked.version = walked.version.min(recovered.version);
            }
            Err(error) => return Err(error),
        }
    }
}
