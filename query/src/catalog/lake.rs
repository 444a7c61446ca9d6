//! The lake's side of a table: Delta providers, made once per table version and kept.

use std::collections::HashMap;
use std::sync::Arc;

use callboard_model::tables::TableSpec;
use callboard_store::snapshot::TableSnapshot;
use datafusion::catalog::TableProvider;
use datafusion::error::Result;
use datafusion::execution::SessionState;
use parking_lot::Mutex;

type Made = HashMap<&'static str, (u64, Arc<dyn TableProvider>)>;

/// Providers by table, each with the version it was made of.
#[derive(Default)]
pub struct LakeCache {
    made: Mutex<Made>,
}

impl std::fmt::Debug for LakeCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LakeCache")
    }
}

impl LakeCache {
    /// The provider of this table at the snapshot's version; `None` while it has none.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn provider(
        &self,
        table: &TableSnapshot,
        state: &SessionState,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        let Some(lake) = &table.lake else {
            return Ok(None);
        };
        let Some(version) = lake.version() else {
            return Ok(None);
        };
        let spec: &'static TableSpec = table.spec;
        if let Some((v, made)) = self.made.lock().get(spec.name)
            && *v == version
        {
            return Ok(Some(made.clone()));
        }
        callboard_store::lake::read_by_own_store(lake, state.runtime_env());
        let provider = lake
            .table_provider()
            .with_session(Arc::new(state.clone()))
            .await?;
        // An older snapshot's version is not kept over a newer one.
        let mut made = self.made.lock();
        if made.get(spec.name).is_none_or(|(v, _)| *v <= version) {
            made.insert(spec.name, (version, provider.clone()));
        }
        Ok(Some(provider))
    }
}
