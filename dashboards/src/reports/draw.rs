//! The charts of a report, out of its cells.

use maud::{Markup, html};

use super::file::{DimKind, Measure, MeasureKind, Unit, Visual};
use super::run::{Cell, Grid, Key, Run};
use super::show;
use super::visual::{MOST_SPANS, Made, dims, measure, pins, words};
use crate::charts::bars::{Bars, Line, Series};
use crate::charts::dots::{Dot, Dots, wilson};
use crate::charts::heat::{Heat, HeatCell};
use crate::charts::timeline::{Span, Timeline};
use crate::data::Value;
use crate::view::format;
use crate::view::table::{Head, table};

fn tick(unit: Unit) -> fn(f64) -> String {
    match unit {
        Unit::Ms => |v| format::duration(v),
        Unit::Share => |v| format!("{:.0} %", v * 100.0),
        _ => |v| format::number(v),
    }
}

pub fn bars(run: &Run, id: &str, visual: &Visual, made: &Made) -> Result<Markup, String> {
    let dims = dims(visual);
    let rows = &made.grid.rows;
    let labels: Vec<String> = rows
        .iter()
        .map(|(k, _)| words(run, dims[0], &k[0]))
        .collect();
    let tip = |i: usize, m: &Measure, c: &Cell| {
        format!("{}: {} {}", labels[i], m.title, show::cell_text(m, c))
    };
    let series = |k: usize, name: &String| {
        let m = measure(run, name);
        Series {
            name: m.title.clone(),
            values: rows
                .iter()
                .map(|(_, c)| c[k].value.unwrap_or(0.0))
                .collect(),
            hrefs: rows
                .iter()
                .map(|(key, _)| run.filtered(&pins(&dims, key)))
                .collect(),
            tips: rows
                .iter()
                .enumerate()
                .map(|(i, (_, c))| tip(i, m, &c[k]))
                .collect(),
        }
    };
    let line = visual.line.as_ref().map(|name| {
        let (m, k) = (measure(run, name), visual.measures.len());
        let told = |c: &Vec<Cell>| visual.goal.as_ref().and_then(|_| c[k + 1].value);
        let mut goals: Vec<Option<f64>> = rows.iter().map(|(_, c)| told(c)).collect();
        if goals.iter().all(Option::is_none) {
            goals.fill(m.goal);
        }
        Line {
            name: format!("{} in %", m.title),
            values: rows.iter().map(|(_, c)| c[k].value).collect(),
            tips: rows
                .iter()
                .enumerate()
                .map(|(i, (_, c))| tip(i, m, &c[k]))
                .collect(),
            goals,
        }
    });
    let first = measure(run, &visual.measures[0]);
    Bars {
        id: id.to_owned(),
        title: visual.title.clone(),
        finding: finding(&labels, rows, first),
        x_title: format!(
            "{}, {}",
            run.report.dims[dims[0]].title, run.choice.range.zone
        ),
        y_title: match (first.unit, visual.measures.len()) {
            (Unit::Count, _) => "Number".to_owned(),
            (unit, 1) => format!("{} in {}", first.title, show::unit(unit)),
            (unit, _) => show::unit(unit).to_owned(),
        },
        whole: first.unit != Unit::Share,
        tick: tick(first.unit),
        series: visual
            .measures
            .iter()
            .enumerate()
            .map(|(k, n)| series(k, n))
            .collect(),
        line,
        labels,
    }
    .draw()
}

/// What stands out, in a sentence.
fn finding(labels: &[String], rows: &[(Key, Vec<Cell>)], m: &Measure) -> String {
    let most = rows
        .iter()
        .enumerate()
        .filter_map(|(i, (_, c))| Some((i, c.first()?.value?)));
    match most.max_by(|a, b| a.1.total_cmp(&b.1)) {
        None => "Nothing to show.".to_owned(),
        Some((i, v)) => format!(
            "{} is greatest at {}: {}.",
            m.title,
            labels[i],
            show::value_text(m, v, 0)
        ),
    }
}

/// Keys of one dimension of a grid in order: all that can be for hours and weekdays, else those
/// that occur with those the report names.
fn axis_values(run: &Run, dim: &str, at: usize, grid: &Grid) -> Vec<Value> {
    let d = &run.report.dims[dim];
    let mut found: Vec<Value> = Vec::new();
    for (key, _) in &grid.rows {
        if !found.contains(&key[at]) {
            found.push(key[at].clone());
        }
    }
    match d.kind {
        DimKind::Weekday => (0..7).map(Value::Int).collect(),
        DimKind::Hour => {
            let hours: Vec<i64> = found.iter().filter_map(Value::int).collect();
            let (low, high) = (
                hours.iter().min().copied().unwrap_or(0),
                hours.iter().max().copied().unwrap_or(23),
            );
            (low..=high).map(Value::Int).collect()
        }
        _ => {
            let mut all: Vec<Value> = d.values.iter().map(|v| Value::Text(v.clone())).collect();
            all.extend(found.into_iter().filter(|v| !d.values.contains(&v.plain())));
            all
        }
    }
}

fn at<'a>(grid: &'a Grid, row: &Value, column: &Value) -> Option<&'a Vec<Cell>> {
    grid.rows
        .iter()
        .find(|(k, _)| k[0] == *row && k[1] == *column)
        .map(|(_, c)| c)
}

pub fn heat(run: &Run, id: &str, visual: &Visual, made: &Made) -> Result<Markup, String> {
    let dims = dims(visual);
    let m = measure(run, &visual.measures[0]);
    let rows = axis_values(run, dims[0], 0, &made.grid);
    let columns = axis_values(run, dims[1], 1, &made.grid);
    let cell = |r: &Value, c: &Value| {
        let cell = at(&made.grid, r, c)
            .map(|cells| cells[0])
            .unwrap_or_default();
        let name = format!("{} {}", words(run, dims[0], r), words(run, dims[1], c));
        HeatCell {
            value: cell.value,
            text: if cell.value.is_some() {
                show::cell_text(m, &cell)
            } else {
                String::new()
            },
            n: cell.n,
            href: if cell.value.is_some() {
                run.filtered(&[(dims[0], r), (dims[1], c)])
            } else {
                String::new()
            },
            tip: format!(
                "{name}: {} {} (n = {})",
                m.title,
                show::cell_text(m, &cell),
                cell.n
            ),
        }
    };
    let best = made
        .grid
        .rows
        .iter()
        .filter_map(|(k, c)| Some((k, c[0].value?)));
    let best = best.max_by(|a, b| a.1.total_cmp(&b.1));
    Heat {
        id: id.to_owned(),
        title: visual.title.clone(),
        finding: best.map_or("Nothing to show.".to_owned(), |(k, v)| {
            let (row, column) = (words(run, dims[0], &k[0]), words(run, dims[1], &k[1]));
            format!(
                "{} is greatest on {row} at {column}: {}.",
                m.title,
                show::value_text(m, v, 0)
            )
        }),
        cells: rows
            .iter()
            .map(|r| columns.iter().map(|c| cell(r, c)).collect())
            .collect(),
        rows: rows.iter().map(|r| words(run, dims[0], r)).collect(),
        columns: columns.iter().map(|c| words(run, dims[1], c)).collect(),
        few: if matches!(m.kind, MeasureKind::Count | MeasureKind::Sum) {
            0
        } else {
            20
        },
    }
    .draw()
}

pub fn matrix(run: &Run, visual: &Visual, made: &Made) -> Markup {
    let dims = dims(visual);
    let name = visual.measures[0].as_str();
    let rows = axis_values(run, dims[0], 0, &made.grid);
    let columns = axis_values(run, dims[1], 1, &made.grid);
    let mut heads = vec![Head::words(&run.report.dims[dims[0]].title)];
    heads.extend(
        columns
            .iter()
            .map(|c| Head::numbers(&words(run, dims[1], c), "")),
    );
    let blank = run.blank(&[name])[0];
    let lines: Vec<Vec<Markup>> = rows
        .iter()
        .map(|r| {
            let mut line = vec![html! { a class="dim" href=(run.filtered(&[(dims[0], r)])) { (words(run, dims[0], r)) } }];
            line.extend(columns.iter().map(|c| {
                let cell = at(&made.grid, r, c).map_or(blank, |cells| cells[0]);
                show::cell_link(run, name, &cell, &[(dims[0], r), (dims[1], c)])
            }));
            line
        })
        .collect();
    table(&visual.title, &heads, &lines, None)
}

pub fn dots(run: &Run, id: &str, visual: &Visual, made: &Made) -> Result<Markup, String> {
    let dims = dims(visual);
    let m = measure(run, &visual.measures[0]);
    let dot = |(key, cells): &(Key, Vec<Cell>)| {
        let cell = cells[0];
        let value = cell.value?;
        let interval = match (m.kind, &m.of, cell.sum) {
            (MeasureKind::Share, None, Some(k)) => wilson(k, cell.n as f64),
            _ => None,
        };
        let name = words(run, dims[0], &key[0]);
        let range = interval.map_or(String::new(), |(a, b)| {
            format!(
                ", 95 % interval {} to {}",
                show::value_text(m, a, cell.n),
                show::value_text(m, b, cell.n)
            )
        });
        Some(Dot {
            tip: format!(
                "{name}: {} {}{range} (n = {})",
                m.title,
                show::cell_text(m, &cell),
                cell.n
            ),
            href: run.filtered(&pins(&dims, key)),
            name,
            value,
            interval,
        })
    };
    let dots: Vec<Dot> = made.grid.rows.iter().filter_map(dot).collect();
    Dots {
        id: id.to_owned(),
        title: visual.title.clone(),
        finding: format!("{} of {} rows against their median.", m.title, dots.len()),
        x_title: format!("{} in {}", m.title, show::unit(m.unit)),
        whole: !matches!(m.unit, Unit::Share | Unit::Mood),
        tick: tick(m.unit),
        dots,
    }
    .draw()
}

pub fn timeline(run: &Run, id: &str, visual: &Visual, made: &Made) -> Result<Markup, String> {
    let (Some(columns), Some(rows)) = (&visual.span, &made.spans) else {
        return Err("There are no spans to draw.".to_owned());
    };
    let dim = visual.rows.as_deref().unwrap_or_default();
    let column = &run.report.dims[dim].sql;
    let mut names: Vec<String> = rows.iter().map(|r| r.get(column).plain()).collect();
    names.sort_by_key(|n| n.to_lowercase());
    names.dedup();
    let range = &run.choice.range;
    let mut spans = Vec::new();
    for row in rows.iter() {
        let Some(start) = row.int(&columns.start) else {
            continue;
        };
        let end = row.int(&columns.end).unwrap_or(run.choice.now).max(start);
        let name = row.get(column).plain();
        let state = row.get(&columns.state).plain();
        let detail = columns
            .detail
            .as_ref()
            .map(|d| row.get(d).plain())
            .filter(|d| !d.is_empty());
        let detail = detail.map(|d| format!(" ({d})")).unwrap_or_default();
        spans.push(Span {
            row: names.iter().position(|n| *n == name).unwrap_or(0),
            start,
            end,
            text: String::new(),
            tip: format!(
                "{name}: {}{detail}, {} to {}, {}",
                format::word(&state),
                format::clock(range.zone, start),
                format::clock(range.zone, end),
                format::duration((end - start) as f64 / 1000.0)
            ),
            href: row.text("contact_id").map_or_else(
                || run.filtered(&[(dim, row.get(column))]),
                crate::url::contact,
            ),
            state,
        });
    }
    let from = spans.iter().map(|s| s.start).min().unwrap_or(range.from);
    let to = spans.iter().map(|s| s.end).max().unwrap_or(range.to);
    let states = [
        "available",
        "ringing",
        "talk",
        "hold",
        "wrapup",
        "paused",
        "offline",
        "unknown",
    ];
    let used: Vec<_> = states
        .into_iter()
        .filter(|s| spans.iter().any(|span| span.state == *s))
        .map(|s| {
            let ink = crate::charts::state_ink(s);
            (ink, "box", if s == "wrapup" { "wrap-up" } else { s })
        })
        .collect();
    let more = rows.len() == MOST_SPANS;
    let drawn = Timeline {
        id: id.to_owned(),
        title: visual.title.clone(),
        finding: format!("{} spans of {} agents.", spans.len(), names.len()),
        rows: names,
        spans,
        from,
        to,
        zone: range.zone,
    }
    .draw()?;
    Ok(html! {
        (crate::charts::legend(&used))
        (drawn)
        @if more { p class="note" { "Only the first " (MOST_SPANS) " spans are drawn; choose fewer days or agents." } }
    })
}
