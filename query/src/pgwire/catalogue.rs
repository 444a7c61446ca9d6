//! `pg_catalog` as clients expect it: the crate's, with our comments in `pg_description` and no
//! system's keys in `pg_constraint` and `pg_index`.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{AsArray, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int32Type, Schema};
use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, SchemaProvider, TableProvider};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::TableType;
use datafusion::prelude::SessionContext;
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::context::EmptyContextProvider;
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::setup_pg_catalog;
use parking_lot::RwLock;

use super::functions::{self, Comments};
use super::settings;
use crate::catalog::{Catalog, DATABASE, FixedTable, SCHEMA};

const PG_CATALOG: &str = "pg_catalog";
/// The oid of `pg_class` in a real server.
const PG_CLASS: i32 = 1259;

/// The crate's `pg_catalog` with some tables replaced.
#[derive(Debug)]
struct Overlay {
    base: Arc<dyn SchemaProvider>,
    own: RwLock<HashMap<&'static str, Arc<dyn TableProvider>>>,
}

#[async_trait]
impl SchemaProvider for Overlay {
    fn table_names(&self) -> Vec<String> {
        self.base.table_names()
    }
    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let own = self.own.read().get(name).cloned();
        match own {
            Some(table) => Ok(Some(table)),
            None => self.base.table(name).await,
        }
    }
    fn table_exist(&self, name: &str) -> bool {
        self.base.table_exist(name)
    }
}

/// What is filled in once the runtime stands.
#[derive(Clone)]
pub struct Pending {
    comments: Comments,
    overlay: Arc<Overlay>,
}

/// Installs `pg_catalog` and PostgreSQL's functions.
///
/// # Errors
/// When a table cannot be made.
pub fn install(ctx: &SessionContext, public: &Arc<dyn CatalogProvider>) -> Result<Pending> {
    setup_pg_catalog(ctx, DATABASE, EmptyContextProvider).map_err(|e| *e)?;
    let base = public
        .schema(PG_CATALOG)
        .ok_or_else(|| DataFusionError::Internal("pg_catalog was not registered".to_owned()))?;
    let mut own: HashMap<&'static str, Arc<dyn TableProvider>> = HashMap::new();
    let rows: Vec<Vec<Option<String>>> = settings::all()
        .map(|(n, v)| vec![Some(n.to_owned()), Some(v.to_owned())])
        .collect();
    own.insert(
        "pg_settings",
        Arc::new(FixedTable::texts(&["name", "setting"], &rows)?),
    );
    let overlay = Arc::new(Overlay {
        base,
        own: RwLock::new(own),
    });
    public.register_schema(PG_CATALOG, overlay.clone())?;
    let comments = Comments::default();
    functions::register(ctx, &comments);
    Ok(Pending { comments, overlay })
}

/// Looks up the oids that the catalogue has given to the views, and puts the comments there;
/// empties the tables of keys, which speak of a system that is not ours.
///
/// # Errors
/// When the catalogue cannot be read.
pub async fn fill(ctx: SessionContext, pending: Pending, catalog: &Catalog) -> Result<()> {
    let sql = format!(
        "SELECT c.oid, c.relname FROM pg_catalog.pg_class c \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = '{SCHEMA}' OR c.relname = 'pg_class'"
    );
    let mut oids: HashMap<String, i32> = HashMap::new();
    for batch in ctx.sql(&sql).await?.collect().await? {
        let oid = arrow::compute::cast(batch.column(0), &DataType::Int32)?;
        let name = arrow::compute::cast(batch.column(1), &DataType::Utf8)?;
        for (oid, name) in oid
            .as_primitive::<Int32Type>()
            .iter()
            .zip(name.as_string::<i32>())
        {
            if let (Some(oid), Some(name)) = (oid, name) {
                oids.insert(name.to_owned(), oid);
            }
        }
    }
    // Where relations live: clients look it up by name in the same catalogue.
    let home = oids.get("pg_class").copied().unwrap_or(PG_CLASS);
    let mut rows: Vec<(i32, i32, String)> = Vec::new();
    for view in &catalog.views {
        if let Some(oid) = oids.get(&view.name) {
            rows.push((*oid, 0, view.comment.clone()));
        }
    }
    let mut number: HashMap<&str, i32> = HashMap::new();
    for column in &catalog.columns {
        let n = number.entry(column.table.as_str()).or_insert(0);
        *n += 1;
        if let Some(oid) = oids.get(&column.table) {
            let unit = match column.unit.as_str() {
                "" | "UTC" => String::new(),
                unit => format!(" [{unit}]"),
            };
            rows.push((*oid, *n, format!("{}{unit}", column.comment)));
        }
    }
    let comments = rows
        .iter()
        .map(|(oid, n, text)| ((i64::from(*oid), i64::from(*n)), text.clone()))
        .collect();
    // Filled once; a second engine has its own.
    let _ = pending.comments.set(comments);
    let batch = RecordBatch::try_new(
        Arc::new(Schema::new(vec![
            Field::new("objoid", DataType::Int32, false),
            Field::new("classoid", DataType::Int32, false),
            Field::new("objsubid", DataType::Int32, false),
            Field::new("description", DataType::Utf8, false),
        ])),
        vec![
            Arc::new(Int32Array::from_iter_values(rows.iter().map(|r| r.0))),
            Arc::new(Int32Array::from_iter_values(rows.iter().map(|_| home))),
            Arc::new(Int32Array::from_iter_values(rows.iter().map(|r| r.1))),
            Arc::new(StringArray::from_iter_values(rows.iter().map(|r| &r.2))),
        ],
    )?;
    let mut own: Vec<(&'static str, Arc<dyn TableProvider>)> = vec![(
        "pg_description",
        Arc::new(FixedTable::new(batch, TableType::Base)),
    )];
    for name in ["pg_constraint", "pg_index", "pg_inherits", "pg_rewrite"] {
        if let Some(table) = pending.overlay.base.table(name).await? {
            let empty = RecordBatch::new_empty(table.schema());
            own.push((name, Arc::new(FixedTable::new(empty, TableType::Base))));
        }
    }
    // Of databases there is one.
    let sql = format!("SELECT * FROM pg_catalog.pg_database WHERE datname = '{DATABASE}'");
    if let Some(batch) = ctx.sql(&sql).await?.collect().await?.pop() {
        let table = FixedTable::new(batch, TableType::Base);
        own.push(("pg_database", Arc::new(table)));
    }
    pending.overlay.own.write().extend(own);
    Ok(())
}
