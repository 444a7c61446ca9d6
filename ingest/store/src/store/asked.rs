//! What the rest of the program asks the store for, key by key.

use callboard_model::ids::Key;
use callboard_model::tables::RecordingRow;

use super::{Store, StoreError};

/// Contacts whose rows are made under one lock, so that nobody waits long.
const TOGETHER: usize = 64;
/// Most contacts that are named in one round.
const MOST_SILENT: usize = 10_000;

impl Store {
    /// Recordings that are there and have no transcript yet, oldest first. They stay live until
    /// they have one.
    pub fn untranscribed(&self) -> Vec<RecordingRow> {
        let now = self.now();
        let mut inner = self.inner.lock();
        let births: Vec<u64> = inner
            .live
            .entries()
            .filter(|(_, e)| matches!(e.key, Key::Recording(_)))
            .map(|(birth, _)| birth)
            .collect();
        births
            .into_iter()
            .flat_map(|birth| inner.live.rows(birth, now).recordings.clone())
            .filter(|r| r.state == "ready" && r.transcript_state.is_none())
            .collect()
    }

    /// The row of a recording, live or in the lake.
    ///
    /// # Errors
    /// When the lake cannot be read.
    pub async fn recording(&self, id: &str) -> Result<Option<RecordingRow>, StoreError> {
        let key = Key::Recording(id.into());
        {
            let now = self.now();
            let mut inner = self.inner.lock();
            if let Some(birth) = inner.live.find(&key.text()) {
                return Ok(inner.live.rows(birth, now).recordings.first().cloned());
            }
        }
        let ids = [id.to_owned()];
        let batches = self
            .lake
            .scan("recordings", None, Some(("recording_id", &ids)))
            .await?;
        Ok(batches.iter().flat_map(RecordingRow::from_batch).next())
    }

    /// Open contacts that have been quiet for longer than they can be, with the time of their
    /// last sign: what the closer says of them is a record like any other.
    pub fn silent(&self) -> Vec<(String, i64)> {
        let now = self.now();
        let quiet: Vec<u64> = {
            let inner = self.inner.lock();
            let entries = inner.live.entries();
            entries
                .filter(|(_, e)| matches!(e.key, Key::Contact(_)) && e.silent_since(now))
                .map(|(birth, _)| birth)
                .collect()
        };
        let mut silent = Vec::new();
        for some in quiet.chunks(TOGETHER) {
            let inner = self.inner.lock();
            for birth in some {
                // It may have been heard of, or have settled, since.
                let entry = inner.live.entry(*birth);
                let Some(entry) = entry.filter(|e| e.silent_since(now)) else {
                    continue;
                };
                // Of one that has ended there is nothing more to say.
                let made = entry.made(inner.live.around(), now);
                if !made.rows.contacts.iter().any(|c| c.state == "open") {
                    continue;
                }
                let name = entry.ids.first();
                silent.extend(name.map(|id| (id.to_string(), entry.last_sign)));
            }
            if silent.len() >= MOST_SILENT {
                break;
            }
        }
        silent
    }
}
