//! All visuals of a report with as few queries as can be: visuals that divide the same facts in
//! the same way share one.

use futures::future::join_all;

use super::file::{Visual, VisualKind};
use super::run::{Cell, Grid, Run};
use super::visual::{self, Made};
use crate::data::{Data, DataError};

/// Measures asked for together.
struct Want<'a> {
    dims: Vec<&'a str>,
    facts: Vec<&'a str>,
    measures: Vec<&'a str>,
}

/// The data of every visual of the report, in order.
pub async fn all(run: &Run, data: &dyn Data) -> Vec<Result<Made, DataError>> {
    let visuals = &run.report.visuals;
    let mut wants: Vec<Want<'_>> = Vec::new();
    for v in visuals {
        let dims = visual::dims(v);
        if v.kind == VisualKind::Compare {
            continue;
        }
        if totalled(v) {
            want(run, &mut wants, Vec::new(), v);
        }
        if !dims.is_empty() {
            want(run, &mut wants, dims, v);
        }
    }
    let asked = wants
        .iter()
        .map(|w| run.grid(data, &w.dims, &w.measures, false));
    let grids = join_all(asked).await;
    join_all(visuals.iter().map(|v| one(run, data, &wants, &grids, v))).await
}

/// Whether a visual shows measures over everything.
pub fn totalled(v: &Visual) -> bool {
    v.kind == VisualKind::Table || v.rows.is_none()
}

fn want<'a>(run: &'a Run, wants: &mut Vec<Want<'a>>, dims: Vec<&'a str>, v: &'a Visual) {
    let measures = visual::asked(v);
    let facts = facts(run, &measures, &dims);
    let at = wants
        .iter()
        .position(|w| w.dims == dims && w.facts == facts);
    let at = at.unwrap_or_else(|| {
        wants.push(Want {
            dims,
            facts,
            measures: Vec::new(),
        });
        wants.len() - 1
    });
    for m in measures {
        if !wants[at].measures.contains(&m) {
            wants[at].measures.push(m);
        }
    }
}

/// The facts of measures, which decide what rows there are; without dimensions there is but one.
fn facts<'a>(run: &'a Run, measures: &[&str], dims: &[&str]) -> Vec<&'a str> {
    if dims.is_empty() {
        return Vec::new();
    }
    let mut facts: Vec<&str> = measures
        .iter()
        .map(|m| run.report.measures[*m].facts.as_str())
        .collect();
    facts.sort_unstable();
    facts.dedup();
    facts
}

async fn one(
    run: &Run,
    data: &dyn Data,
    wants: &[Want<'_>],
    grids: &[Result<Grid, DataError>],
    v: &Visual,
) -> Result<Made, DataError> {
    if v.kind == VisualKind::Compare {
        return visual::finish(run, v, data, Grid::default()).await;
    }
    let (dims, measures) = (visual::dims(v), visual::asked(v));
    let find = |dims: &[&str]| {
        let facts = facts(run, &measures, dims);
        let at = wants
            .iter()
            .position(|w| w.dims == dims && w.facts == facts)?;
        Some((&wants[at].measures, grids[at].as_ref().ok()?))
    };
    let pick = |from: &[&str], cells: &[Cell]| -> Vec<Cell> {
        let of = |m: &&str| {
            from.iter()
                .position(|x| x == m)
                .and_then(|i| cells.get(i).copied())
        };
        measures.iter().map(|m| of(m).unwrap_or_default()).collect()
    };
    let mut grid = Grid {
        total: vec![Cell::default(); measures.len()],
        ..Grid::default()
    };
    if totalled(v) {
        match find(&[]) {
            Some((from, found)) => grid.total = pick(from, &found.total),
            None => return visual::make(run, v, data).await,
        }
    }
    if !dims.is_empty() {
        match find(&dims) {
            Some((from, found)) => {
                grid.cut = found.cut;
                let rows = found.rows.iter();
                grid.rows = rows.map(|(k, c)| (k.clone(), pick(from, c))).collect();
            }
            // One wrong measure must not take other visuals with it: ask for this one alone.
            None => return visual::make(run, v, data).await,
        }
    }
    visual::finish(run, v, data, grid).await
}
