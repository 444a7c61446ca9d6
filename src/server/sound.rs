//! Sound: kept whole in the lake, decoded and silenced on the way out.

use std::sync::Arc;

use bytes::Bytes;
use callboard_dashboards::AudioError;
use callboard_model::tables::{Instant, RecordingRow};
use callboard_store::audio::{Audio, AudioStore, Stored};
use callboard_store::store::{Clock, Store, WallClock};
use callboard_transcribe::audio::{Decoded, Limits, SilenceSpan, decode, encode_pcm16, silence};

use super::scribe::told::is_file_of;

/// Keeps what doors bring.
pub struct Kept(pub Arc<AudioStore>);

#[async_trait::async_trait]
impl callboard_ingest::doors::recordings::AudioStore for Kept {
    async fn put(
        &self,
        recording_id: &str,
        contact: &str,
        leg: &str,
        bytes: Bytes,
    ) -> Result<bool, String> {
        let audio = Audio {
            recording_id: recording_id.to_owned(),
            contact_id: contact.to_owned(),
            leg: leg.to_owned(),
            day: Instant(WallClock.now()).day().0,
            bytes,
        };
        let stored = self.0.put(audio).await.map_err(|e| e.to_string())?;
        Ok(stored == Stored::Replaced)
    }
}

/// Plays what is kept.
pub struct Played {
    /// The bytes.
    pub audio: Arc<AudioStore>,
    /// What is known of the recordings.
    pub store: Arc<Store>,
}

#[async_trait::async_trait]
impl callboard_dashboards::Audio for Played {
    async fn wav(&self, contact_id: &str, recordings: &[String]) -> Result<Bytes, AudioError> {
        let mut legs: Vec<(RecordingRow, Decoded)> = Vec::new();
        for id in recordings {
            let row = self
                .store
                .recording(id)
                .await
                .map_err(|e| AudioError::Failed(e.to_string()))?;
            let Some(row) = row else {
                return Err(AudioError::Absent(format!("there is no recording {id}")));
            };
            let bytes = self
                .audio
                .get(id)
                .await
                .map_err(|e| AudioError::Failed(e.to_string()))?
                .ok_or_else(|| AudioError::Absent(format!("the audio of {id} is gone")))?;
            let spans = spans_of(&row).ok_or_else(|| {
                AudioError::Failed(format!(
                    "{id} is not transcribed yet, so nobody knows where card numbers are spoken; \
                     it can be heard once it is"
                ))
            })?;
            let replaced = format!(
                "the file of {id} was replaced and the new one is not transcribed yet, so nobody \
                 knows where card numbers are spoken in it; it can be heard once it is"
            );
            let heard = row.clone();
            let decoded = tokio::task::spawn_blocking(move || {
                // The spans to silence belong to the file that was transcribed, and to no other.
                if !is_file_of(&heard, &bytes) {
                    return Err(AudioError::Failed(replaced));
                }
                let failed =
                    |e: callboard_transcribe::AudioError| AudioError::Failed(e.to_string());
                let mut decoded = decode(&bytes, None, &Limits::default()).map_err(failed)?;
                for channel in &mut decoded.channels {
                    silence(channel, decoded.rate, &spans);
                }
                Ok(decoded)
            })
            .await
            .map_err(|e| AudioError::Failed(e.to_string()))??;
            legs.push((row, decoded));
        }
        if legs.is_empty() {
            return Err(AudioError::Absent(format!(
                "contact {contact_id} has no recording"
            )));
        }
        // Customer left, agent right; one leg or one file alone as it is.
        legs.sort_by_key(|(row, _)| u8::from(row.leg == "agent"));
        let wav = match legs.as_slice() {
            [(_, one)] => {
                let channels: Vec<&[f32]> = one.channels.iter().map(Vec::as_slice).collect();
                encode_pcm16(&channels, one.rate)
            }
            [(_, left), (_, right), ..] if left.rate == right.rate => {
                let n = first_len(left).max(first_len(right));
                let (l, r) = (padded(left, n), padded(right, n));
                encode_pcm16(&[&l, &r], left.rate)
            }
            _ => {
                return Err(AudioError::Failed(
                    "the legs have different sample rates and cannot be played together".into(),
                ));
            }
        };
        Ok(wav.into())
    }
}

fn first_len(d: &Decoded) -> usize {
    d.channels.first().map_or(0, Vec::len)
}

fn padded(d: &Decoded, n: usize) -> Vec<f32> {
    let mut samples = d.channels.first().cloned().unwrap_or_default();
    samples.resize(n, 0.0);
    samples
}

/// Spans that must not be heard: muted by the platform and found by us. `None` while a
/// transcription is still to come, since only that finds them.
fn spans_of(row: &RecordingRow) -> Option<Vec<SilenceSpan>> {
    #[derive(serde::Deserialize)]
    struct Span {
        start_ms: u64,
        end_ms: u64,
    }
    row.transcript_state.as_ref()?;
    let mut spans = Vec::new();
    for json in [&row.silenced, &row.gaps].into_iter().flatten() {
        let list: Vec<Span> = serde_json::from_str(json).ok()?;
        spans.extend(list.into_iter().map(|s| SilenceSpan {
            start_ms: s.start_ms,
            end_ms: s.end_ms,
        }));
    }
    Some(spans)
}
