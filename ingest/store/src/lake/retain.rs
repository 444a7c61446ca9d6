//! Whole days going out of a table. Their files stay for readers of older versions until they are
//! removed with others that no kept version needs.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use deltalake::arrow::array::{Array, AsArray, BooleanArray, RecordBatch};

use super::erase::{Goes, Take};
use super::{Lake, LakeError};
use crate::store::settled::hash;

/// How names of keys begin that never settle.
const FOR_GOOD: [&str; 3] = ["agent:", "target:", "instance:"];

impl Lake {
    /// Takes the rows of these days out of a table's present version, in one commit; those that
    /// `but` picks stay, and of day 0 those go that `timeless` picks. Gives how many went.
    ///
    /// # Errors
    /// [`LakeError`]; the table is as before or without them.
    pub(crate) async fn drop_days(
        &self,
        table: &str,
        days: Range<i32>,
        but: Option<Goes>,
        timeless: Option<Goes>,
    ) -> Result<u64, LakeError> {
        let others = but.map(|but| -> Goes {
            Arc::new(move |batch| but(batch).iter().map(|stays| stays.map(|s| !s)).collect())
        });
        let of = |day: i32| match (day, &timeless, &others) {
            (0, Some(goes), _) => Take::Rows(goes.clone()),
            (0, None, _) => Take::Nothing,
            (day, _, _) if !days.contains(&day) => Take::Nothing,
            (_, _, Some(goes)) => Take::Rows(goes.clone()),
            (_, _, None) => Take::All,
        };
        Ok(self.take(table, &of).await?.rows)
    }
}

/// Records that only speak of what never settles: agents, targets of queues, instances.
pub(crate) fn stays_for_good(batch: &RecordBatch) -> BooleanArray {
    let lists = batch
        .column_by_name("natives")
        .and_then(|c| c.as_list_opt::<i32>());
    (0..batch.num_rows())
        .map(|row| {
            let names = lists.map(|lists| lists.value(row));
            let names = names.as_ref().and_then(|n| n.as_string_opt::<i32>());
            let stays = names.is_some_and(|names| {
                let own = |name: &str| FOR_GOOD.iter().any(|kind| name.starts_with(kind));
                !names.is_empty() && names.iter().flatten().all(own)
            });
            Some(stays)
        })
        .collect()
}

/// Rows of recordings, notes and answers whose keys are among these hashes.
pub(crate) fn key_is_in(batch: &RecordBatch, keys: &HashSet<u64>) -> BooleanArray {
    let kinds = [
        ("recording_id", "recording:"),
        ("note_id", "note:"),
        ("survey_id", "survey:"),
        ("set_id", ""),
        ("figures_id", "figures:"),
        ("attribute_id", "customer:"),
        ("schedule_id", "schedule:"),
        ("evaluation_id", "evaluation:"),
    ];
    let found = kinds.iter().find_map(|(column, kind)| {
        let texts = batch.column_by_name(column)?.as_string_opt::<i32>()?;
        Some((texts, *kind))
    });
    (0..batch.num_rows())
        .map(|row| {
            let (texts, kind) = found?;
            Some(keys.contains(&hash(&format!("{kind}{}", texts.value(row)))))
        })
        .map(|goes| Some(goes.unwrap_or(false)))
        .collect()
}
