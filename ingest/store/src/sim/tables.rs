//! A lake in memory: what its tables promise without what Delta makes of it, so that thousands of
//! histories take minutes. How Delta itself keeps the promises is tested beside it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use callboard_model::tables::{TableSpec, table};
use deltalake::arrow::array::RecordBatch;
use parking_lot::Mutex;

use super::shaking::{FAILED, Shaking};
use crate::lake::rows::{self, Replaced};
use crate::lake::{Instead, LakeError, WritePlan};

/// What is kept, whoever opens it.
pub type Kept = Arc<Mutex<BTreeMap<String, Table>>>;

/// One table.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<RecordBatch>,
    /// One more than the last flush in it.
    flushes: i64,
}

/// The tables as one process sees them.
pub struct MemoryTables {
    kept: Kept,
    /// The last flush in each table as far as this process knows; not there where it is in doubt.
    known: Mutex<HashMap<String, i64>>,
    shaking: Arc<Shaking>,
}

impl MemoryTables {
    /// Opens what is kept.
    pub fn open(kept: Kept, shaking: Arc<Shaking>) -> Self {
        MemoryTables {
            kept,
            known: Mutex::default(),
            shaking,
        }
    }

    fn look(&self, table: &str) -> i64 {
        let kept = self.kept.lock();
        kept.get(table).map_or(0, |t| t.flushes) - 1
    }
}

fn failed(table: &str) -> LakeError {
    LakeError::Broken {
        table: table.to_owned(),
        reason: FAILED.to_owned(),
    }
}

fn spec_of(name: &str) -> Result<&'static TableSpec, LakeError> {
    table(name).ok_or_else(|| LakeError::NoTable(name.to_owned()))
}

#[async_trait]
impl Instead for MemoryTables {
    fn applied(&self, table: &str) -> i64 {
        let mut known = self.known.lock();
        match known.get(table) {
            Some(applied) => *applied,
            None => {
                let applied = self.look(table);
                known.insert(table.to_owned(), applied);
                applied
            }
        }
    }

    async fn certain(&self, table: &str) -> Result<i64, LakeError> {
        self.shaking.look().await.map_err(|_| failed(table))?;
        let applied = self.look(table);
        self.known.lock().insert(table.to_owned(), applied);
        Ok(applied)
    }

    async fn write(&self, name: &str, flush_no: i64, plan: WritePlan) -> Result<bool, LakeError> {
        if self.certain(name).await? >= flush_no {
            return Ok(false);
        }
        let spec = spec_of(name)?;
        let bad = |source| LakeError::Rows {
            table: name.to_owned(),
            source,
        };
        let new = rows::sorted(spec, &plan.rows).map_err(bad)?;
        if new.num_rows() == 0 && plan.replace.is_none() {
            return Ok(false);
        }
        let lost = self.shaking.turn(true).await.map_err(|_| failed(name))?;
        {
            let mut kept = self.kept.lock();
            let table = kept.entry(name.to_owned()).or_default();
            if let Some(replace) = plan.replace {
                let replaced = Replaced::of(spec, &new, replace);
                for batch in &mut table.rows {
                    *batch = rows::without(spec, batch, &replaced).map_err(bad)?;
                }
            }
            table.rows.push(new);
            table.rows.retain(|batch| batch.num_rows() > 0);
            table.flushes = flush_no + 1;
        }
        if lost.is_some() {
            return Err(failed(name));
        }
        self.known.lock().insert(name.to_owned(), flush_no);
        Ok(true)
    }

    async fn scan(
        &self,
        name: &str,
        days: Option<&[i32]>,
        filter: Option<(&str, &[String])>,
    ) -> Result<Vec<RecordBatch>, LakeError> {
        let bad = |source| LakeError::Rows {
            table: name.to_owned(),
            source,
        };
        self.shaking.look().await.map_err(|_| failed(name))?;
        let kept = self.kept.lock();
        let mut found = Vec::new();
        for batch in kept.get(name).map(|t| &t.rows[..]).unwrap_or_default() {
            let mut batch = batch.clone();
            if let Some(days) = days {
                let days: BTreeSet<i32> = days.iter().copied().collect();
                batch = rows::on_days(&batch, &days).map_err(bad)?;
            }
            if let Some((column, values)) = filter {
                let values = values.iter().map(String::as_str).collect();
                batch = rows::holding(&batch, column, &values).map_err(bad)?;
            }
            if batch.num_rows() > 0 {
                found.push(batch);
            }
        }
        Ok(found)
    }
}
