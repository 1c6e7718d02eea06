//! The results for programs, with every round and not only the medians.

use serde_json::{Value, json};

use super::machine::Machine;
use crate::arguments::Arguments;
use crate::engines::{Class, Contestant};
use crate::failure::Result;
use crate::results::Results;
use crate::workloads::{Suite, Unit, Workload};

pub(crate) fn render(machine: &Machine, arguments: &Arguments, results: &[Results]) -> Result<String> {
    let engines: Vec<_> = arguments.contestants().iter().map(|contestant| engine(machine, contestant)).collect();
    let sizes: Vec<_> = results.iter().map(|results| size(arguments, results)).collect();
    let report = json!({
        "machine": machine,
        "rounds": arguments.rounds,
        "limit_seconds": arguments.limit().as_secs(),
        "engines": engines,
        "sizes": sizes,
    });
    Ok(serde_json::to_string_pretty(&report)?)
}

fn engine(machine: &Machine, contestant: &Contestant) -> Value {
    json!({
        "name": contestant.name,
        "package": contestant.package,
        "version": machine.version(contestant.package),
        "class": class(contestant.class),
        "is_limit": contestant.is_limit,
        "settings": contestant.settings,
    })
}

fn size(arguments: &Arguments, results: &Results) -> Value {
    let workloads = Suite::MEASURED.into_iter().flat_map(Suite::workloads);
    let measured = workloads.filter(|workload| workload.is_named_by(&arguments.only));
    let workloads: Vec<_> = measured.map(|measured| workload(arguments, results, &measured)).collect();
    json!({ "entries": results.entries, "workloads": workloads })
}

fn workload(arguments: &Arguments, results: &Results, workload: &Workload) -> Value {
    let engines = arguments.contestants().into_iter().filter_map(|contestant| {
        let outcome = results.outcome(workload, contestant.name)?;
        let rounds = results.outcomes(workload, contestant.name);
        Some((contestant.name.to_owned(), json!({ "median": outcome, "rounds": rounds })))
    });
    let ratios = [Class::Memory, Class::Log].into_iter().filter_map(|kind| {
        let ratio = results.ratio(workload, kind)?;
        Some((class(kind).to_owned(), json!({ "selkie_to_best_rival": ratio.value, "rival": ratio.rival })))
    });
    json!({
        "name": workload.name,
        "unit": unit(workload.unit),
        "engines": engines.collect::<serde_json::Map<_, _>>(),
        "ratios": ratios.collect::<serde_json::Map<_, _>>(),
    })
}

fn class(class: Class) -> &'static str {
    match class {
        Class::Memory => "memory",
        Class::Log => "log",
    }
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::PerSecond => "per second",
        Unit::Milliseconds => "milliseconds",
        Unit::Microseconds => "microseconds",
        Unit::Bytes => "bytes",
    }
}
