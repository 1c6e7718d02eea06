//! The plot: how many times better or worse than the best rival, for each workload and class.
//!
//! The axis is logarithmic, so that twice as fast and half as fast are equally far from the line of equals.

use std::path::Path;

use plotters::prelude::*;

use super::machine::Machine;
use super::text;
use crate::engines::Class;
use crate::failure::{Failure, Result};
use crate::results::{Ratio, Results};
use crate::workloads::Suite;

const WIDTH: u32 = 1_000;
const ROW: u32 = 18;
const MARGIN: u32 = 110;
const LABELS: u32 = 360;
const AHEAD: RGBColor = RGBColor(0x2a, 0x7f, 0x62);
const BEHIND: RGBColor = RGBColor(0xc8, 0x55, 0x3d);
/// Half of the height of a bar, of a row that is one high.
const HALF: f64 = 0.36;

struct Bar {
    label: String,
    ratio: Ratio,
}

pub(crate) fn draw(machine: &Machine, results: &Results, path: &Path) -> Result {
    let bars = bars(results);
    if bars.is_empty() {
        return Ok(());
    }
    let height = MARGIN + ROW * bars.len() as u32;
    let root = SVGBackend::new(path, (WIDTH, height)).into_drawing_area();
    paint(&root, machine, results, &bars).map_err(|error| Failure::Failed(error.to_string().into()))
}

fn bars(results: &Results) -> Vec<Bar> {
    let workloads: Vec<_> = Suite::MEASURED.into_iter().flat_map(Suite::workloads).collect();
    let of = |class, kind: &'static str| {
        workloads.iter().filter_map(move |workload| {
            let ratio = results.ratio(workload, class)?;
            Some(Bar { label: format!("{} ({kind})", workload.name), ratio })
        })
    };
    of(Class::Memory, "memory").chain(of(Class::Log, "files")).collect()
}

type Painted = std::result::Result<(), Box<dyn std::error::Error>>;

fn paint(
    root: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    machine: &Machine,
    results: &Results,
    bars: &[Bar],
) -> Painted {
    root.fill(&WHITE)?;
    let title = format!("Selkie to the best rival, {} entries, {}", text::entries(results.entries), machine.date);
    let least = bars.iter().map(|bar| bar.ratio.value).fold(0.5, f64::min);
    let most = bars.iter().map(|bar| bar.ratio.value).fold(2.0, f64::max);
    let rows = bars.len() as f64;
    let mut chart = ChartBuilder::on(root)
        .caption(title, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(LABELS)
        // Room at the right for the name of the rival.
        .build_cartesian_2d((least * 0.9..most * 8.0).log_scale(), 0.0..rows)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .y_labels(0)
        .x_desc("times better than the best rival, which is named; left of 1 Selkie is behind")
        .x_label_formatter(&|value| text::digits(*value))
        .draw()?;
    for (place, bar) in bars.iter().enumerate() {
        let middle = rows - place as f64 - 0.5;
        let Ratio { value, rival } = bar.ratio;
        let color = if value >= 1.0 { AHEAD } else { BEHIND };
        let corners = [(value.min(1.0), middle - HALF), (value.max(1.0), middle + HALF)];
        chart.draw_series([Rectangle::new(corners, color.filled())])?;
        let caption = format!(" {} x {rival}", text::digits(value));
        chart.draw_series([Text::new(caption, (value.max(1.0), middle + 0.3), ("sans-serif", 12))])?;
        let left = chart.backend_coord(&(least * 0.9, middle));
        root.draw(&Text::new(bar.label.clone(), (14, left.1 - 6), ("sans-serif", 12)))?;
    }
    chart.draw_series([PathElement::new([(1.0, 0.0), (1.0, rows)], BLACK)])?;
    root.present()?;
    Ok(())
}
