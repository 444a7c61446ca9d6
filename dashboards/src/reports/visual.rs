//! Visuals: cells become tiles, tables and charts, each with the table behind it.

use maud::{Markup, html};

use super::compare::{self, Comparison};
use super::draw::{bars, dots, heat, matrix, timeline};
use super::file::{DimKind, Measure, Visual, VisualKind};
use super::run::{Cell, Grid, Key, Run};
use super::show;
use crate::data::{Data, DataError, Rows, Value};
use crate::view;
use crate::view::table::{Head, table};

/// Most spans drawn in one timeline.
pub(super) const MOST_SPANS: usize = 3_000;
/// Most intervals on one axis.
const MOST_BUCKETS: usize = 700;

/// A visual with its data.
pub struct Made {
    /// Cells by dimensions.
    pub grid: Grid,
    /// Spans, for a timeline.
    pub spans: Option<std::sync::Arc<Rows>>,
    /// For a comparison.
    pub compared: Option<Comparison>,
}

/// The dimensions of a visual, rows first.
pub fn dims(visual: &Visual) -> Vec<&str> {
    visual
        .rows
        .iter()
        .chain(&visual.columns)
        .map(String::as_str)
        .collect()
}

/// The measures that a visual shows as numbers, with the line's.
pub fn measures(visual: &Visual) -> Vec<&str> {
    visual
        .measures
        .iter()
        .chain(&visual.line)
        .map(String::as_str)
        .collect()
}

/// The measures that a visual asks for: those it shows, and the goal of its line.
pub fn asked(visual: &Visual) -> Vec<&str> {
    visual.asked().map(String::as_str).collect()
}

/// Asks for the data of one visual.
///
/// # Errors
/// When a query fails.
pub async fn make(run: &Run, visual: &Visual, data: &dyn Data) -> Result<Made, DataError> {
    let total = super::gather::totalled(visual);
    let grid = run.grid(data, &dims(visual), &asked(visual), total).await?;
    finish(run, visual, data, grid).await
}

/// Adds to a visual's cells what else it shows: empty rows, spans.
///
/// # Errors
/// When a query fails.
pub async fn finish(
    run: &Run,
    visual: &Visual,
    data: &dyn Data,
    mut grid: Grid,
) -> Result<Made, DataError> {
    fill(run, visual, &mut grid);
    let spans = match visual.kind {
        VisualKind::Timeline => {
            let m = &run.report.measures[&visual.measures[0]];
            Some(run.list(data, m, MOST_SPANS, 0).await?)
        }
        _ => None,
    };
    let compared = match visual.kind {
        VisualKind::Compare => Some(compare::make(run, visual, data).await?),
        _ => None,
    };
    Ok(Made {
        grid,
        spans,
        compared,
    })
}

/// Adds the rows on which nothing falls, where they are to be seen.
fn fill(run: &Run, visual: &Visual, grid: &mut Grid) {
    let Some(name) = &visual.rows else { return };
    let dim = &run.report.dims[name];
    let measures = asked(visual);
    if visual.columns.is_none() && !dim.values.is_empty() {
        for (i, value) in dim.values.iter().enumerate() {
            let key = vec![Value::Text(value.clone())];
            match grid.rows.iter().position(|(k, _)| *k == key) {
                Some(at) if at >= i => {
                    let row = grid.rows.remove(at);
                    grid.rows.insert(i, row);
                }
                Some(_) => {}
                None => grid
                    .rows
                    .insert(i.min(grid.rows.len()), (key, run.blank(&measures))),
            }
        }
    }
    if dim.kind == DimKind::Bucket && visual.kind == VisualKind::Bars {
        let (Some(first), Some(last)) = (
            grid.rows.iter().filter_map(|r| r.0[0].int()).min(),
            grid.rows.iter().filter_map(|r| r.0[0].int()).max(),
        ) else {
            return;
        };
        let buckets = run.choice.range.buckets(run.grain.width());
        let inside: Vec<i64> = buckets
            .into_iter()
            .filter(|b| (first..=last).contains(b))
            .collect();
        if inside.len() <= MOST_BUCKETS {
            for b in inside {
                let key = vec![Value::Int(b)];
                if let Err(at) = grid
                    .rows
                    .binary_search_by_key(&b, |(k, _)| k[0].int().unwrap_or(i64::MAX))
                {
                    grid.rows.insert(at, (key, run.blank(&measures)));
                }
            }
        }
    }
}

/// Draws a visual.
pub fn show(run: &Run, index: usize, visual: &Visual, made: &Made) -> Markup {
    let id = format!("v{index}");
    let drawn = match visual.kind {
        VisualKind::Tiles => Ok(tiles(run, visual, made)),
        VisualKind::Table => return behind(run, visual, made),
        VisualKind::Bars => bars(run, &id, visual, made),
        VisualKind::Heat => heat(run, &id, visual, made),
        VisualKind::Matrix => return matrix(run, visual, made),
        VisualKind::Dots => dots(run, &id, visual, made),
        VisualKind::Timeline => timeline(run, &id, visual, made),
        VisualKind::Compare => {
            return html! {
                @if let Some(compared) = &made.compared { (compare::show::show(run, visual, compared)) }
            };
        }
    };
    html! {
        @match drawn {
            Ok(drawn) => (drawn),
            Err(why) => (view::trouble("This chart is missing.", &why)),
        }
        @if made.grid.cut {
            p class="note" { "Only the first " (super::run::MOST_ROWS) " rows are shown; choose fewer days or a wider interval." }
        }
        @if !matches!(visual.kind, VisualKind::Tiles) {
            details class="behind" { summary { "The table behind it" } (behind(run, visual, made)) }
        }
    }
}

pub(super) fn measure<'a>(run: &'a Run, name: &str) -> &'a Measure {
    &run.report.measures[name]
}

pub(super) fn words(run: &Run, dim: &str, value: &Value) -> String {
    show::dim_text(&run.report.dims[dim], run.grain, &run.choice.range, value)
}

pub(super) fn pins<'a>(dims: &[&'a str], key: &'a Key) -> Vec<(&'a str, &'a Value)> {
    dims.iter().copied().zip(key).collect()
}

fn tiles(run: &Run, visual: &Visual, made: &Made) -> Markup {
    html! {
        div class="tiles" {
            @for (name, cell) in measures(visual).iter().zip(&made.grid.total) {
                div class="tile" title=(measure(run, name).about) {
                    div class="tile-title" { (measure(run, name).title) @if measure(run, name).unit != super::file::Unit::Count { " " span class="unit" { (show::unit(measure(run, name).unit)) } } }
                    div class="tile-value" { (show::cell_link(run, name, cell, &[])) }
                }
            }
        }
    }
}

/// The table of a visual's cells: one line per key, one column per measure.
pub fn behind(run: &Run, visual: &Visual, made: &Made) -> Markup {
    let (dims, names) = (dims(visual), measures(visual));
    let mut heads: Vec<Head> = dims
        .iter()
        .map(|d| Head::words(&run.report.dims[*d].title))
        .collect();
    heads.extend(names.iter().map(|n| show::head(measure(run, n))));
    let line = |key: &Key, cells: &[Cell]| -> Vec<Markup> {
        let pinned = pins(&dims, key);
        let mut line: Vec<Markup> = pinned
            .iter()
            .map(|(d, v)| {
                html! { a class="dim" href=(run.filtered(&pinned)) title="Filter the page by this" { (words(run, d, v)) } }
            })
            .collect();
        line.extend(
            names
                .iter()
                .zip(cells)
                .map(|(n, c)| show::cell_link(run, n, c, &pinned)),
        );
        line
    };
    let lines: Vec<Vec<Markup>> = made.grid.rows.iter().map(|(k, c)| line(k, c)).collect();
    let total = (visual.kind == VisualKind::Table && !dims.is_empty()).then(|| {
        let mut total = vec![html! { "All" }];
        total.resize(dims.len(), html! {});
        total.extend(
            names
                .iter()
                .zip(&made.grid.total)
                .map(|(n, c)| show::cell_link(run, n, c, &[])),
        );
        total
    });
    if dims.is_empty() {
        let total = names
            .iter()
            .zip(&made.grid.total)
            .map(|(n, c)| show::cell_link(run, n, c, &[]));
        return table(&visual.title, &heads, &[total.collect()], None);
    }
    table(&visual.title, &heads, &lines, total.as_deref())
}
