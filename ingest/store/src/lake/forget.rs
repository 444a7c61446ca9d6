//! Taking rows out of a table's past: out of the files of its older versions, and out of its log,
//! which names least and greatest values of every file; and searching what is left.

use std::collections::HashSet;
use std::sync::Arc;

use callboard_model::tables::AUDIO;
use futures::TryStreamExt as _;
use object_store::ObjectStoreExt as _;
use object_store::path::Path;

use super::erase::{Goes, bytes_of, open};
use super::table::{LakeTable, Writer, delta};
use super::{Lake, LakeError};
use crate::erase::needles::Needles;
use crate::erase::{Hit, Proof, decoded};

/// What was removed of its past.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Forgotten {
    /// Data files that no version needs and that held such rows.
    pub files: u64,
    /// Files of the table's log.
    pub log_files: u64,
}

/// Folder of a table's log.
const LOG: &str = "_delta_log";

impl Lake {
    /// Removes such rows from a table's past: files of older versions that hold any, and all of its
    /// log before a version of this moment. Older versions cannot be read afterwards.
    ///
    /// # Errors
    /// [`LakeError`]; it can be begun again.
    pub(crate) async fn forget(&self, table: &str, goes: Goes) -> Result<Forgotten, LakeError> {
        let table = Arc::clone(self.table(table)?);
        let mut writer = table.writer.lock().await;
        table.settle_doubt(&mut writer).await?;
        let done = table.forget(&mut writer, &goes).await;
        table.reload(&mut writer).await?;
        table.publish(&writer.table, None);
        done.map_err(|e| table.failed(e))
    }

    /// Looks for texts in every file of a table: in its bytes, and in what Parquet files hold.
    ///
    /// # Errors
    /// [`LakeError`].
    pub(crate) async fn search(
        &self,
        table: &str,
        needles: &Needles,
        proof: &mut Proof,
    ) -> Result<(), LakeError> {
        let table = self.table(table)?;
        let store = table.published().object_store();
        let fail = |source| delta(table.spec, "searching", source);
        let listed: Vec<_> = store
            .list(None)
            .try_collect()
            .await
            .map_err(|e| fail(e.into()))?;
        for object in listed {
            let bytes = match bytes_of(store.as_ref(), &object.location).await {
                Ok(bytes) => bytes,
                // It went meanwhile: upkeep, or a newer version.
                Err(object_store::Error::NotFound { .. }) => continue,
                Err(error) => return Err(fail(error.into())),
            };
            let place = format!("lake/{}/{}", table.spec.name, object.location);
            proof.files += 1;
            proof.bytes += bytes.len() as u64;
            proof.hit(&place, needles.count(&bytes));
            if place.ends_with(".parquet") {
                let reader = open(bytes, table.spec.name == AUDIO.name).map_err(fail)?;
                for batch in reader {
                    let batch = batch.map_err(|e| fail(e.into()))?;
                    let schema = batch.schema();
                    for (field, column) in schema.fields().iter().zip(batch.columns()) {
                        let (values, times) = decoded::search(column.as_ref(), needles);
                        proof.values += values;
                        proof.hit(&format!("{place} column {}", field.name()), times);
                    }
                }
            }
        }
        Ok(())
    }
}

impl Proof {
    /// Notes that something is left.
    pub(crate) fn hit(&mut self, place: &str, times: u64) {
        match self.found.iter_mut().find(|h| h.place == place) {
            Some(hit) => hit.times += times,
            None if times > 0 => self.found.push(Hit {
                place: place.to_owned(),
                times,
            }),
            None => {}
        }
    }
}

impl LakeTable {
    async fn forget(&self, writer: &mut Writer, goes: &Goes) -> Result<Forgotten, LakeError> {
        let fail = |action| move |source| delta(self.spec, action, source);
        let present: HashSet<Path> = self.present(writer)?.into_iter().map(|f| f.path).collect();
        let store = writer.table.object_store();
        let listed: Vec<_> = store
            .list(None)
            .try_collect()
            .await
            .map_err(|e| fail("listing files")(e.into()))?;
        let mut done = Forgotten::default();
        for object in &listed {
            let path = &object.location;
            let log = path.parts().next().is_some_and(|p| p.as_ref() == LOG);
            if log || present.contains(path) || path.extension() != Some("parquet") {
                continue;
            }
            // One that cannot be read is of no use to any version.
            if self
                .any_goes(store.as_ref(), path, 0, goes)
                .await
                .unwrap_or(true)
            {
                gone(store.delete(path).await).map_err(|e| fail("removing files")(e.into()))?;
                done.files += 1;
            }
        }
        // The last commit may name in its predicate whose rows it replaced: it must not be the
        // one that stays.
        self.commit(writer, Vec::new()).await?;
        self.reload(writer).await?;
        let version = writer.table.version().unwrap_or_default();
        deltalake::checkpoints::create_checkpoint(&writer.table, None)
            .await
            .map_err(fail("writing a checkpoint"))?;
        crate::steps::pass("erase.checkpoint");
        let log: Vec<_> = store
            .list(Some(&Path::from(LOG)))
            .try_collect()
            .await
            .map_err(|e| fail("listing the log")(e.into()))?;
        for object in log {
            let name = object.location.filename().unwrap_or_default();
            let of = name.get(..20).and_then(|digits| digits.parse::<u64>().ok());
            if of.is_some_and(|of| of < version) {
                let removed = store.delete(&object.location).await;
                gone(removed).map_err(|e| fail("cutting the table's log")(e.into()))?;
                done.log_files += 1;
            }
        }
        Ok(done)
    }
}

/// What is not there any more needs no removing.
fn gone(removed: object_store::Result<()>) -> object_store::Result<()> {
    match removed {
        Err(object_store::Error::NotFound { .. }) => Ok(()),
        other => other,
    }
}
