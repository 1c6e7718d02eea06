//! All outcomes for one number of entries, with medians and ratios.

use crate::engines::{CONTESTANTS, Class, Contestant};
use crate::pace::median;
use crate::recorder::{Measurement, Outcome};
use crate::workloads::{Unit, Workload};

pub(crate) struct Results {
    pub(crate) entries: usize,
    cells: Vec<Cell>,
}

/// What one engine did in one workload, round by round.
struct Cell {
    workload: String,
    engine: &'static str,
    outcomes: Vec<Outcome>,
}

/// How Selkie compares: above one it is better.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ratio {
    pub(crate) value: f64,
    pub(crate) rival: &'static str,
}

impl Results {
    pub(crate) fn new(entries: usize) -> Self {
        Self { entries, cells: Vec::new() }
    }

    pub(crate) fn add(&mut self, contestant: &Contestant, measurements: Vec<Measurement>) {
        for Measurement { workload, outcome } in measurements {
            let place = self.cells.iter().position(|cell| cell.engine == contestant.name && cell.workload == workload);
            if let Some(place) = place {
                self.cells[place].outcomes.push(outcome);
            } else {
                self.cells.push(Cell { workload, engine: contestant.name, outcomes: vec![outcome] });
            }
        }
    }

    /// The rounds one by one.
    pub(crate) fn outcomes(&self, workload: &Workload, engine: &str) -> &[Outcome] {
        let mut cells = self.cells.iter();
        let cell = cells.find(|cell| cell.engine == engine && cell.workload == workload.name);
        cell.map_or(&[], |cell| &cell.outcomes)
    }

    /// The median, or why there is none: an engine that failed in one round has no number, since it cannot be relied on.
    pub(crate) fn outcome(&self, workload: &Workload, engine: &str) -> Option<Outcome> {
        let outcomes = self.outcomes(workload, engine);
        let failed = outcomes.iter().find(|outcome| matches!(outcome, Outcome::Nothing { .. }));
        if let Some(failed) = failed {
            return Some(failed.clone());
        }
        let value = median(outcomes.iter().filter_map(number).collect())?;
        let share = outcomes.iter().map(share).fold(1.0, f64::min);
        let remark = outcomes.iter().rev().find_map(|outcome| match outcome {
            Outcome::Number { remark, .. } => remark.clone(),
            Outcome::Nothing { .. } => None,
        });
        Some(Outcome::Number { value, share, remark })
    }

    pub(crate) fn number(&self, workload: &Workload, engine: &str) -> Option<f64> {
        self.outcome(workload, engine).as_ref().and_then(number)
    }

    /// Selkie against the best rival of a class. What is measured beside the engines is no contest, and limits are no rivals.
    pub(crate) fn ratio(&self, workload: &Workload, class: Class) -> Option<Ratio> {
        if !workload.is_contest() {
            return None;
        }
        let goodness = |value: f64| if workload.unit == Unit::PerSecond { value } else { 1.0 / value };
        let of_class = CONTESTANTS.iter().filter(|contestant| contestant.class == class && !contestant.is_limit);
        let (own, rivals): (Vec<_>, Vec<_>) = of_class.partition(|contestant| contestant.package == "selkie");
        let selkie = own.first().and_then(|selkie| self.number(workload, selkie.name)).map(goodness)?;
        let scored = rivals.iter().filter_map(|rival| Some((goodness(self.number(workload, rival.name)?), rival.name)));
        let (best, rival) = scored.max_by(|(one, _), (other, _)| one.total_cmp(other))?;
        let value = selkie / best;
        value.is_finite().then_some(Ratio { value, rival })
    }
}

fn number(outcome: &Outcome) -> Option<f64> {
    match outcome {
        Outcome::Number { value, .. } => Some(*value),
        Outcome::Nothing { .. } => None,
    }
}

fn share(outcome: &Outcome) -> f64 {
    match outcome {
        Outcome::Number { share, .. } => *share,
        Outcome::Nothing { .. } => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(values: &[(&str, Outcome)]) -> Results {
        let mut results = Results::new(1_000);
        for (engine, outcome) in values {
            let contestant = CONTESTANTS.iter().find(|contestant| contestant.name == *engine).unwrap();
            results.add(contestant, vec![Measurement { workload: "work".into(), outcome: outcome.clone() }]);
        }
        results
    }

    #[test]
    fn the_ratio_is_to_the_best_rival_of_the_class() {
        let values = [("selkie", 6.0), ("surrealmx", 3.0), ("skipdb", 2.0), ("a map", 7.0), ("redb", 50.0)];
        let results = results(&values.map(|(engine, value)| (engine, Outcome::number(value))));
        let more = Workload { name: "work", unit: Unit::PerSecond };
        let ratio = results.ratio(&more, Class::Memory).unwrap();
        assert_eq!((ratio.value, ratio.rival), (2.0, "surrealmx"));
        let less = Workload { name: "work", unit: Unit::Bytes };
        let ratio = results.ratio(&less, Class::Memory).unwrap();
        assert_eq!((ratio.value, ratio.rival), (1.0 / 3.0, "skipdb"));
        assert!(results.ratio(&more, Class::Log).is_none());
    }

    #[test]
    fn a_failure_in_one_round_leaves_no_number() {
        let failed = Outcome::Nothing { reason: "lost updates".into() };
        let results = results(&[("selkie", Outcome::number(1.0)), ("selkie", failed.clone())]);
        let work = Workload { name: "work", unit: Unit::PerSecond };
        assert_eq!(results.outcome(&work, "selkie"), Some(failed));
    }
}
