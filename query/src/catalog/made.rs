//! Views whose rows are made once for a picture and kept while it stands: several parts of one
//! question read them, and each part would make them anew.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, TableType};
use datafusion::physical_plan::{ExecutionPlan, collect};
use parking_lot::Mutex;

use super::matched::matched;
use super::table::Bound;
use crate::stop;
use crate::views::Finish;

/// Pictures of which the rows are kept.
const KEPT: usize = 4;
/// Most bytes that are kept of one picture.
const BYTES: usize = 32 << 20;
/// Most rows that are made.
const MOST: usize = 1_000_000;
/// For how long rows are the same while nothing has changed but the clock, microseconds.
const FRESH: i64 = 1_000_000;

/// The picture that rows were made of: version, earlier moment, number of the identities.
type Picture = (u64, Option<i64>, u64);

/// Rows with the present of their picture.
type Kept = (i64, Vec<RecordBatch>);

/// A view that is made once for a picture.
pub struct MadeTable {
    name: &'static str,
    plan: LogicalPlan,
    schema: SchemaRef,
    /// What is made of the plan's rows.
    finish: Finish,
    kept: Mutex<BTreeMap<Picture, Kept>>,
}

impl std::fmt::Debug for MadeTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MadeTable({})", self.name)
    }
}

impl MadeTable {
    /// The rows of this plan, or what is made of them: of groups each thing of the pairs with the
    /// least of those that it is connected to.
    pub fn new(name: &'static str, plan: LogicalPlan, finish: Finish) -> Self {
        let schema = match finish {
            Finish::Groups => Arc::new(Schema::new(vec![
                Field::new("contact_id", DataType::Utf8, true),
                Field::new("root", DataType::Utf8, true),
            ])),
            _ => Arc::new(plan.schema().as_arrow().clone()),
        };
        MadeTable {
            name,
            plan,
            schema,
            finish,
            kept: Mutex::default(),
        }
    }

    async fn made(&self, state: &SessionState) -> Result<Vec<RecordBatch>> {
        let physical = state.create_physical_plan(&self.plan).await?;
        let physical = stop::tame(physical)?;
        let batches = collect(physical, state.task_ctx()).await?;
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        if rows > MOST {
            return Err(DataFusionError::ResourcesExhausted(format!(
                "{} has more than {MOST} rows, the limit",
                self.name
            )));
        }
        if self.finish == Finish::Groups {
            return Ok(vec![groups(&batches, &self.schema)?]);
        }
        // Types may have been refined by the optimiser.
        let rows: Result<Vec<RecordBatch>> = batches.iter().map(|b| self.shaped(b)).collect();
        match self.finish {
            Finish::Matched => Ok(vec![matched(&rows?, &self.schema)?]),
            _ => rows,
        }
    }

    fn shaped(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let columns = batch.columns().iter().zip(self.schema.fields());
        let columns = columns
            .map(|(c, f)| arrow::compute::cast(c, f.data_type()))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(RecordBatch::try_new(self.schema.clone(), columns)?)
    }
}

/// Things that pairs connect, each with the least of its group.
fn groups(pairs: &[RecordBatch], schema: &SchemaRef) -> Result<RecordBatch> {
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let mut names: Vec<&str> = Vec::new();
    let mut parents: Vec<usize> = Vec::new();
    for batch in pairs {
        let column = |n: usize| {
            batch
                .columns()
                .get(n)
                .and_then(|c| c.as_string_opt::<i32>())
        };
        let (Some(left), Some(right)) = (column(0), column(1)) else {
            continue;
        };
        for (a, b) in left.iter().zip(right.iter()) {
            let (Some(a), Some(b)) = (a, b) else { continue };
            let mut number = |name| {
                *numbers.entry(name).or_insert_with(|| {
                    names.push(name);
                    parents.push(parents.len());
                    parents.len() - 1
                })
            };
            let (a, b) = (number(a), number(b));
            let (a, b) = (root(&mut parents, a), root(&mut parents, b));
            // The lesser name leads, so that the order of pairs does not matter.
            let (least, other) = if names.get(a) <= names.get(b) {
                (a, b)
            } else {
                (b, a)
            };
            if let Some(parent) = parents.get_mut(other) {
                *parent = least;
            }
        }
    }
    let roots: StringArray = (0..names.len())
        .map(|n| names.get(root(&mut parents, n)).copied())
        .collect();
    let names: StringArray = names.into_iter().map(Some).collect();
    Ok(RecordBatch::try_new(
        schema.clone(),
        vec![Arc::new(names), Arc::new(roots)],
    )?)
}

/// The root of a thing; the way to it is halved.
fn root(parents: &mut [usize], mut at: usize) -> usize {
    while let Some(up) = parents.get(at).copied().filter(|up| *up != at) {
        let over = parents.get(up).copied().unwrap_or(up);
        if let Some(parent) = parents.get_mut(at) {
            *parent = over;
        }
        at = over;
    }
    at
}

#[async_trait]
impl TableProvider for MadeTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let outside = || DataFusionError::Internal("a view was read outside a session".to_owned());
        let bound = state
            .config()
            .get_extension::<Bound>()
            .ok_or_else(outside)?;
        let session = state
            .as_any()
            .downcast_ref::<SessionState>()
            .ok_or_else(outside)?;
        let of = &bound.snapshot.0;
        let picture = (of.version, of.as_of, bound.identity.0);
        let fresh = |k: &&Kept| (k.0 - of.now).abs() <= FRESH;
        let known = self.kept.lock().get(&picture).filter(fresh).cloned();
        let rows = match known {
            Some((_, rows)) => rows,
            None => {
                let rows = self.made(session).await?;
                let bytes: usize = rows.iter().map(RecordBatch::get_array_memory_size).sum();
                if bytes <= BYTES {
                    let mut kept = self.kept.lock();
                    while kept.len() >= KEPT && kept.pop_first().is_some() {}
                    kept.insert(picture, (of.now, rows.clone()));
                }
                rows
            }
        };
        let parts = [rows];
        let exec =
            MemorySourceConfig::try_new_exec(&parts, self.schema.clone(), projection.cloned())?;
        Ok(exec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
        let text = Field::new("t", DataType::Utf8, true);
        let schema = Schema::new(vec![text.clone().with_name("a"), text.with_name("b")]);
        let column = |of: fn(&(&str, &str)) -> String| -> StringArray {
            all.iter().map(|p| Some(of(p))).collect()
        };
        let batch = RecordBatch::try_new(
            Arc::new(schema.clone()),
            vec![
                Arc::new(column(|p| p.0.to_owned())),
                Arc::new(column(|p| p.1.to_owned())),
            ],
        );
        let made = groups(&[batch.unwrap()], &Arc::new(schema)).unwrap();
        let text = |n: usize, row: usize| {
            let column = made.column(n).as_string::<i32>();
            column.value(row).to_owned()
        };
        let mut rows: Vec<_> = (0..made.num_rows())
            .map(|r| (text(0, r), text(1, r)))
            .collect();
        rows.sort();
        rows
    }

    #[test]
    fn things_that_are_connected_have_one_root_whatever_the_order_of_the_pairs() {
        let mut all = vec![("d", "c"), ("b", "a"), ("x", "y"), ("c", "b"), ("z", "z")];
        let told = pairs(&all);
        let root_of = |name: &str| &told.iter().find(|(n, _)| n == name).unwrap().1;
        for name in ["a", "b", "c", "d"] {
            assert_eq!(root_of(name), "a");
        }
        assert_eq!((root_of("y").as_str(), root_of("z").as_str()), ("x", "z"));
        all.reverse();
        assert_eq!(pairs(&all), told);
        // A long chain is no deep recursion.
        let names: Vec<String> = (0..50_000).map(|n| format!("{n:06}")).collect();
        let chain: Vec<(&str, &str)> = names
            .windows(2)
            .map(|w| (w[1].as_str(), w[0].as_str()))
            .collect();
        let told = pairs(&chain);
        assert!(told.iter().all(|(_, root)| root == "000000"));
    }
}
