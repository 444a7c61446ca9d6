//! Rows of keys, and their Arrow batches by table.

use std::collections::BTreeMap;

use callboard_model::ids::{Beside, Key, PlatformId};
use callboard_model::merge::State;
use callboard_model::rows;
use callboard_model::tables::{
    AgentStateRow, AliasRow, ContactRow, CustomerAttributeRow, EvaluationRow, LeaseRow, LinkRow,
    MeasurementRow, NoteRow, OfferRow, QueueTargetRow, RecordingRow, Row, ScheduleRow, SegmentRow,
    SurveyRow, TagRow, TurnRow, VendorMetricRow,
};
use deltalake::arrow::array::RecordBatch;
use deltalake::arrow::error::ArrowError;

/// Batches by table name.
pub type Batches = BTreeMap<&'static str, RecordBatch>;

macro_rules! key_rows {
    ($( $field:ident : $row:ty ),+ $(,)?) => {
        /// Rows of one key or of many, by table.
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct KeyRows {
            $( #[doc = concat!("Rows of the table ", stringify!($field), ".")] pub $field: Vec<$row>, )+
        }

        impl KeyRows {
            /// Adds another key's rows.
            pub fn extend(&mut self, other: &KeyRows) {
                $( self.$field.extend_from_slice(&other.$field); )+
            }

            /// Number of rows of each table.
            pub fn counts(&self) -> impl Iterator<Item = (&'static str, usize)> {
                [$( (<$row as Row>::spec().name, self.$field.len()) ),+].into_iter()
            }

            /// Leaves out rows that are not kept: told by table and day.
            pub fn keep(&mut self, keeps: impl Fn(&str, i32) -> bool) {
                $( self.$field.retain(|r| keeps(<$row as Row>::spec().name, r.day.0)); )+
            }

            /// Whether there is no row at all.
            pub fn is_empty(&self) -> bool {
                true $( && self.$field.is_empty() )+
            }

            /// Arrow batches of the tables that have rows.
            ///
            /// # Errors
            /// When a row type and its table disagree, which a test excludes.
            pub fn batches(&self) -> Result<Batches, ArrowError> {
                let mut all = Batches::new();
                $( if !self.$field.is_empty() {
                    all.insert(<$row as Row>::spec().name, <$row as Row>::batch(&self.$field)?);
                } )+
                Ok(all)
            }

            /// Days in which the rows of a table lie.
            pub fn days(&self, table: &str) -> Vec<i32> {
                let mut days: Vec<i32> = Vec::new();
                $( if table == <$row as Row>::spec().name {
                    days.extend(self.$field.iter().map(|r| r.day.0));
                } )+
                days.sort_unstable();
                days.dedup();
                days
            }
        }

        /// Tables whose rows are made from keys.
        pub const KEYED: &[fn() -> &'static callboard_model::tables::TableSpec] =
            &[$( <$row as Row>::spec ),+];
    };
}

key_rows! {
    contacts: ContactRow,
    segments: SegmentRow,
    offers: OfferRow,
    links: LinkRow,
    aliases: AliasRow,
    agent_states: AgentStateRow,
    queue_targets: QueueTargetRow,
    recordings: RecordingRow,
    turns: TurnRow,
    tags: TagRow,
    notes: NoteRow,
    surveys: SurveyRow,
    measurements: MeasurementRow,
    vendor_metrics: VendorMetricRow,
    evaluations: EvaluationRow,
    customer_attributes: CustomerAttributeRow,
    schedules: ScheduleRow,
    leases: LeaseRow,
}

/// Makes the rows of a key. `restarts` are those of its instance; `horizon` the snapshot's now.
pub fn rows_of(
    key: &Key,
    ids: &[PlatformId],
    state: &State,
    restarts: &[i64],
    horizon: i64,
) -> KeyRows {
    let mut out = KeyRows::default();
    match key {
        Key::Contact(_) => {
            let made = rows::contact_rows(ids, state, restarts);
            if made.contact.is_some() {
                out.contacts.extend(made.contact);
                out.segments = made.segments;
                out.offers = made.offers;
                out.links = made.links;
                out.aliases = made.aliases;
                out.measurements = made.measurements;
            }
        }
        Key::Agent(source, agent) => {
            out.agent_states = rows::agent_rows(source, agent, state, restarts, horizon);
        }
        Key::Recording(id) => {
            let made = rows::recording_rows(id, state);
            out.recordings.extend(made.recording);
            out.turns = made.turns;
            out.tags = made.tags;
        }
        Key::Note(id) => out.notes = rows::note_rows(id, state),
        Key::Survey(id) => out.surveys = rows::survey_rows(id, state),
        Key::Target(id) => out.queue_targets = rows::target_rows(id, state),
        Key::Instance(_) => {}
        Key::Beside(what, id) => match what {
            Beside::Measurements => {
                out.measurements = rows::measurement_rows(&row_id(*what, key, id), id, state, None);
            }
            Beside::Figures => out.vendor_metrics = rows::figure_rows(id, state),
            Beside::Customer => out.customer_attributes = rows::customer_rows(id, state),
            Beside::Schedule => out.schedules = rows::schedule_rows(id, state),
            Beside::Evaluation => out.evaluations = rows::evaluation_rows(id, state),
            Beside::Lease => out.leases = rows::lease_rows(id, state),
        },
    }
    out
}

/// By what the rows of such a key are found. A contact's own measurements stand in the same table
/// under its id, so that those which others told need another.
fn row_id(what: Beside, key: &Key, id: &str) -> String {
    match what {
        Beside::Measurements => key.text(),
        _ => id.to_owned(),
    }
}

/// Tables that hold rows of this kind of key, with the ids by which its rows are found there.
pub fn tables_of(key: &Key, ids: &[PlatformId]) -> Vec<(&'static str, Vec<String>)> {
    let one = |names: &[&'static str], id: String| {
        names
            .iter()
            .map(|n| (*n, vec![id.clone()]))
            .collect::<Vec<_>>()
    };
    match key {
        Key::Contact(_) => {
            // Every contact id that it had or could have had before its ids were joined.
            let mut former: Vec<String> = ids.iter().map(PlatformId::contact_id).collect();
            former.sort();
            former.dedup();
            let tables = [
                "contacts",
                "segments",
                "offers",
                "links",
                "aliases",
                "measurements",
            ];
            tables.iter().map(|n| (*n, former.clone())).collect()
        }
        Key::Agent(source, agent) => one(&["agent_states"], AgentStateRow::key_of(source, agent)),
        Key::Recording(id) => one(&["recordings", "turns", "tags"], id.to_string()),
        Key::Note(id) => one(&["notes"], id.to_string()),
        Key::Survey(id) => one(&["surveys"], id.to_string()),
        Key::Target(id) => one(&["queue_targets"], id.to_string()),
        Key::Instance(_) => Vec::new(),
        Key::Beside(what, id) => one(&[what.table()], row_id(*what, key, id)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_keyed_table_makes_a_batch() {
        // An empty batch of each row type proves that row and description agree.
        assert!(RecordBatch::num_rows(&ContactRow::batch(&[]).unwrap()) == 0);
        assert_eq!(
            SegmentRow::batch(&[]).unwrap().num_columns(),
            SegmentRow::spec().columns.len()
        );
        assert_eq!(KEYED.len(), 18);
        for what in Beside::ALL {
            let spec = callboard_model::tables::table(what.table()).unwrap();
            assert_eq!(spec.id, what.column());
        }
        for spec in KEYED {
            assert!(callboard_model::tables::table(spec().name).is_some());
        }
    }
}
