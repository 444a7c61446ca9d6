//! Pauses of a recording: the platform says of the call when recording was muted, and the file says
//! nothing. Once a recording is read, the spans become its gaps, a record like any other.

use std::sync::Arc;

use arrow::array::AsArray;
use callboard_ingest::doors::intake::Intake;
use callboard_ingest::pipeline::Pipeline;
use callboard_model::cloudevents::CloudEvent;
use callboard_model::cloudevents::data::{Gap, RecordingData};
use callboard_model::cloudevents::words::Leg;
use callboard_model::tables::{Instant, RecordingRow};
use callboard_model::time::parse_rfc3339;
use callboard_query::{Engine, Param, Principal};
use callboard_sources::asterisk::contact::{ATTR_RECORDING_ANNOUNCED, ATTR_RECORDING_MUTED};
use serde::Deserialize;

use super::scribe::say;

/// Source of the events that state gaps.
const SOURCE: &str = "/callboard/pauses";

/// A day in microseconds.
const DAY: i64 = 86_400_000_000;

/// States the gaps of recordings.
pub struct Pauses {
    /// Where events go.
    pub pipeline: Arc<Pipeline>,
    /// For the contact's own words.
    pub engine: Engine,
}

impl Pauses {
    /// States the gaps of a recording of that length, where its contact tells of any.
    ///
    /// # Errors
    /// A sentence: what could not be asked or written.
    pub async fn state(&self, row: &RecordingRow, duration_ms: i64) -> Result<(), String> {
        let Some(attributes) = self.attributes(row).await? else {
            return Ok(());
        };
        let gaps = gaps(&attributes, row.started_at, duration_ms);
        if gaps.is_empty() {
            return Ok(());
        }
        let now = self.pipeline.now();
        let said = serde_json::to_string(&gaps).map_err(|e| e.to_string())?;
        let hash = callboard_ingest::doors::split::sha256_hex(said.as_bytes());
        let id = format!("{}@{}", row.recording_id, &hash[..16]);
        let data = RecordingData {
            recording_id: Some(row.recording_id.clone()),
            contact_id: Some(row.contact_id.clone()),
            leg: Leg::ALL.iter().copied().find(|l| l.as_str() == row.leg),
            gaps: Some(gaps),
            ..RecordingData::default()
        };
        let event = CloudEvent::new(SOURCE, &id, "callboard.recording.changed", now, data);
        say(&self.pipeline, &[event], now).await
    }

    /// Attributes of the recording's contact, JSON.
    async fn attributes(&self, row: &RecordingRow) -> Result<Option<String>, String> {
        let session = self.engine.session(Principal::local());
        let named =
            "SELECT min(id) FROM callboard.aliases WHERE entity = 'contact' AND native = $1";
        let id = self
            .text(&session, named, vec![Param::Text(row.contact_id.clone())])
            .await?
            .unwrap_or_else(|| row.contact_id.clone());
        let mut sql = "SELECT attributes FROM callboard.contacts WHERE contact_id = $1".to_owned();
        let mut params = vec![Param::Text(id)];
        if let Some(Instant(start)) = row.started_at {
            // A contact begins on the day of its recordings or the day before.
            sql.push_str(" AND started_at >= $2 AND started_at <= $3");
            params.extend([Param::Time(start - DAY), Param::Time(start + DAY)]);
        }
        self.text(&session, &sql, params).await
    }

    async fn text(
        &self,
        session: &callboard_query::Session,
        sql: &str,
        params: Vec<Param>,
    ) -> Result<Option<String>, String> {
        let answer = session
            .collect(sql, params)
            .await
            .map_err(|e| format!("the contact of a recording cannot be read: {e}"))?;
        Ok(answer.batches.iter().find_map(|batch| {
            let texts = batch.column(0).as_string_opt::<i32>()?;
            texts.iter().flatten().next().map(str::to_owned)
        }))
    }
}

#[derive(Deserialize)]
struct Muted {
    start: String,
    end: Option<String>,
    reason: String,
}

/// The muted spans within a recording, by its own beginning: where that is not known, when the
/// platform announced it.
fn gaps(attributes: &str, started_at: Option<Instant>, duration_ms: i64) -> Vec<Gap> {
    let told: serde_json::Value = serde_json::from_str(attributes).unwrap_or_default();
    let time = |text: &str| parse_rfc3339(text).map(|(us, _)| us);
    let announced = || time(told[ATTR_RECORDING_ANNOUNCED].as_str()?);
    let (Some(begin), Some(spans)) = (
        started_at.map(|t| t.0).or_else(announced),
        told[ATTR_RECORDING_MUTED].as_str(),
    ) else {
        return Vec::new();
    };
    let spans: Vec<Muted> = serde_json::from_str(spans).unwrap_or_default();
    let offset = |us: i64| ((us - begin) / 1000).clamp(0, duration_ms);
    spans
        .iter()
        .filter_map(|s| {
            let start_ms = offset(time(&s.start)?);
            let end_ms = match &s.end {
                Some(end) => offset(time(end)?),
                None => duration_ms,
            };
            (end_ms > start_ms).then(|| Gap {
                start_ms,
                end_ms,
                reason: s.reason.clone(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = r#"{"recording_announced":"2026-11-21T09:41:00Z","recording_muted":"[
        {\"start\":\"2026-11-21T09:40:50Z\",\"end\":\"2026-11-21T09:40:58Z\",\"reason\":\"muted\"},
        {\"start\":\"2026-11-21T09:41:13.5Z\",\"end\":\"2026-11-21T09:41:28.25Z\",\"reason\":\"muted\"},
        {\"start\":\"2026-11-21T09:41:40Z\",\"end\":null,\"reason\":\"muted\"}]"}"#;

    fn spans(gaps: &[Gap]) -> Vec<(i64, i64)> {
        gaps.iter().map(|g| (g.start_ms, g.end_ms)).collect()
    }

    #[test]
    fn muted_spans_are_counted_from_the_recordings_beginning() {
        let text = TOLD.replace('\n', "");
        assert_eq!(
            spans(&gaps(&text, None, 60_000)),
            [(13_500, 28_250), (40_000, 60_000)]
        );
        let (later, _) = parse_rfc3339("2026-11-21T09:41:20Z").unwrap();
        assert_eq!(
            spans(&gaps(&text, Some(Instant(later)), 10_000)),
            [(0, 8_250)]
        );
        assert!(gaps("{}", Some(Instant(later)), 10_000).is_empty());
        assert!(gaps("no JSON", None, 10_000).is_empty());
    }
}
