//! What can be named in SQL, made once at start: internal tables that read whatever snapshot
//! the session is bound to, the views over them, and the documentation as tables.

mod fixed;
mod given;
mod lake;
mod made;
mod matched;
mod observed;
mod ranged;
mod table;
mod wall;

use std::sync::Arc;

use callboard_model::tables::{AGENT_INTERVALS, AUDIO, QUEUE_INTERVALS, TABLES};
use datafusion::catalog::{
    CatalogProvider, MemoryCatalogProvider, MemorySchemaProvider, SchemaProvider, TableProvider,
};
use datafusion::common::config::Dialect;
use datafusion::datasource::ViewTable;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;

pub use fixed::FixedTable;
pub use lake::LakeCache;
use table::Reach;
pub use table::{Bound, SnapshotRef};

use crate::metrics;
use crate::views::{self, ViewFile};

/// Name of the database.
pub const DATABASE: &str = "callboard";
/// Name of the public schema.
pub const SCHEMA: &str = "callboard";
/// Name of the schema that only views can read.
const INTERNAL: &str = "internal";

/// One documented column of a public view.
#[derive(Debug, Clone)]
pub struct ColumnDoc {
    /// View.
    pub table: String,
    /// Column.
    pub column: String,
    /// Type as PostgreSQL names it.
    pub kind: &'static str,
    /// Unit; empty where there is none.
    pub unit: String,
    /// What it says.
    pub comment: String,
}

/// One documented public view.
#[derive(Debug, Clone)]
pub struct ViewDoc {
    /// View.
    pub name: String,
    /// What a row is.
    pub comment: String,
}

/// Everything that was made.
#[derive(Debug)]
pub struct Catalog {
    /// The catalogue that sessions see: schema `callboard`.
    pub public: Arc<MemoryCatalogProvider>,
    /// Documentation of views.
    pub views: Vec<ViewDoc>,
    /// Documentation of columns, in order.
    pub columns: Vec<ColumnDoc>,
}

/// Makes tables and views. `base` supplies functions and configuration.
///
/// # Errors
/// When a view's SQL does not plan, which a test excludes.
pub fn build(base: &SessionState) -> Result<Catalog> {
    let ctx = SessionContext::new_with_state(base.clone());
    let internal = Arc::new(MemorySchemaProvider::new());
    for spec in TABLES {
        // Audio is no matter for SQL; what is made of other tables is a view of its own.
        if [AUDIO.name, QUEUE_INTERVALS.name, AGENT_INTERVALS.name].contains(&spec.name) {
            continue;
        }
        for (suffix, reach) in [
            ("", Reach::Seen),
            ("_recent", Reach::Recent),
            ("_whole", Reach::Whole),
        ] {
            let made: Arc<dyn TableProvider> = Arc::new(table::SlotTable::new(spec, reach));
            internal.register_table(format!("{}{suffix}", spec.name), made)?;
        }
    }
    internal.register_table("clock".to_owned(), Arc::new(fixed::Clock::new()))?;
    for (name, table) in given::GivenTable::all() {
        internal.register_table(name, Arc::new(table))?;
    }

    let schema = Arc::new(MemorySchemaProvider::new());
    let workshop = Arc::new(MemoryCatalogProvider::new());
    workshop.register_schema(INTERNAL, internal.clone())?;
    workshop.register_schema(SCHEMA, schema.clone())?;
    ctx.register_catalog(DATABASE, workshop);

    let mut docs = Vec::new();
    let mut columns = Vec::new();
    for file in views::files() {
        if let Some(finish) = file.made {
            let plan = logical(&ctx, file.name, &file.sql)?;
            let made = Arc::new(made::MadeTable::new(file.name, plan, finish));
            internal.register_table(file.name.to_owned(), made)?;
            continue;
        }
        let view: Arc<dyn TableProvider> = match file.ranged {
            None => plan(&ctx, file.name, &file.sql)?,
            Some(column) => {
                let plan = logical(&ctx, file.name, &file.sql)?;
                Arc::new(ranged::RangedTable::new(column, plan))
            }
        };
        if file.hidden {
            internal.register_table(file.name.to_owned(), view)?;
        } else {
            describe(&file, view.as_ref(), &mut columns);
            docs.push(ViewDoc {
                name: file.name.to_owned(),
                comment: file.comment.clone(),
            });
            schema.register_table(file.name.to_owned(), view)?;
        }
        if file.recent {
            let name = format!("{}_recent", file.name);
            let view = plan(&ctx, &name, &file.recent_sql())?;
            internal.register_table(name, view)?;
        }
    }
    let observed = observed::table(&mut docs, &mut columns)?;
    schema.register_table(observed::NAME.to_owned(), Arc::new(observed))?;
    document(&schema, &mut docs, &mut columns)?;

    let public = Arc::new(MemoryCatalogProvider::new());
    public.register_schema(SCHEMA, schema.clone())?;
    Ok(Catalog {
        public,
        views: docs,
        columns,
    })
}

fn plan(ctx: &SessionContext, name: &str, sql: &str) -> Result<Arc<dyn TableProvider>> {
    let plan = logical(ctx, name, sql)?;
    Ok(Arc::new(ViewTable::new(plan, Some(sql.to_owned()))))
}

fn logical(ctx: &SessionContext, name: &str, sql: &str) -> Result<LogicalPlan> {
    let state = ctx.state();
    // Nothing here waits for anything outside memory.
    state
        .sql_to_statement(sql, &Dialect::Generic)
        .and_then(|s| futures::executor::block_on(state.statement_to_plan(s)))
        .map_err(|e| DataFusionError::Context(format!("view {name}"), Box::new(e)))
}

fn describe(file: &ViewFile, view: &dyn TableProvider, columns: &mut Vec<ColumnDoc>) {
    for field in view.schema().fields() {
        let (unit, comment) = file.columns.get(field.name()).cloned().unwrap_or_default();
        columns.push(ColumnDoc {
            table: file.name.to_owned(),
            column: field.name().clone(),
            kind: pg_name(field.data_type()),
            unit,
            comment,
        });
    }
}

/// A table, what a row is, and its columns with what they say.
type Documented<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

/// The tables `columns` and `metrics`.
fn document(
    schema: &MemorySchemaProvider,
    docs: &mut Vec<ViewDoc>,
    columns: &mut Vec<ColumnDoc>,
) -> Result<()> {
    let own: &[Documented] = &[
        (
            "columns",
            "One row per column of every public view: this documentation.",
            &[
                ("table", "View"),
                ("column", "Column"),
                ("type", "Type, as PostgreSQL names it"),
                (
                    "unit",
                    "ms = milliseconds, UTC = a point in time; NULL = none",
                ),
                ("comment", "What the column says"),
            ],
        ),
        (
            "metrics",
            "One row per metric: what it means and how it is counted.",
            &[
                ("name", "Name of the metric"),
                ("title", "Title"),
                ("meaning", "What it says"),
                ("unit", "Unit"),
                ("formula", "Formula over its base view"),
                ("source", "Where the definition comes from"),
                ("attribution", "To which interval a contact counts"),
                ("base", "View that it is counted over"),
            ],
        ),
    ];
    for (table, comment, cols) in own {
        docs.push(ViewDoc {
            name: (*table).to_owned(),
            comment: (*comment).to_owned(),
        });
        for (column, comment) in *cols {
            columns.push(ColumnDoc {
                table: (*table).to_owned(),
                column: (*column).to_owned(),
                kind: "text",
                unit: String::new(),
                comment: (*comment).to_owned(),
            });
        }
    }
    let some = |s: &str| (!s.is_empty()).then(|| s.to_owned());
    let rows: Vec<Vec<Option<String>>> = columns
        .iter()
        .map(|c| {
            vec![
                some(&c.table),
                some(&c.column),
                some(c.kind),
                some(&c.unit),
                some(&c.comment),
            ]
        })
        .collect();
    let names = ["table", "column", "type", "unit", "comment"];
    schema.register_table(
        "columns".to_owned(),
        Arc::new(FixedTable::texts(&names, &rows)?),
    )?;
    let rows: Vec<Vec<Option<String>>> = metrics::all()
        .iter()
        .map(|m| {
            vec![
                some(m.name),
                some(&m.title),
                some(&m.meaning),
                some(&m.unit),
                some(&m.expr),
                some(&m.source),
                some(&m.attribution),
                some(&m.base),
            ]
        })
        .collect();
    let names = [
        "name",
        "title",
        "meaning",
        "unit",
        "formula",
        "source",
        "attribution",
        "base",
    ];
    schema.register_table(
        "metrics".to_owned(),
        Arc::new(FixedTable::texts(&names, &rows)?),
    )?;
    Ok(())
}

/// The type as PostgreSQL names it.
fn pg_name(kind: &arrow::datatypes::DataType) -> &'static str {
    use arrow::datatypes::DataType::{
        Binary, BinaryView, Boolean, Date32, Float64, Int64, LargeBinary, List, Timestamp,
    };
    match kind {
        Boolean => "boolean",
        Int64 => "bigint",
        Float64 => "double precision",
        Date32 => "date",
        Timestamp(..) => "timestamp with time zone",
        Binary | LargeBinary | BinaryView => "bytea",
        List(_) => "text[]",
        _ => "text",
    }
}
