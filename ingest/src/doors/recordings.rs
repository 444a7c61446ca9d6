//! Recordings come in: `PUT /v1/recordings/{contact}/{leg}` and a [`watch`]ed folder, both by way
//! of [`Recordings::put`], which stores the bytes before the event that names them is submitted.
//! What the sound holds is found later; here it is only seen that it can be sound.

mod http;
pub mod names;
pub mod watch;

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::put;
use bytes::Bytes;
use callboard_model::cloudevents::data::RecordingData;
use callboard_model::cloudevents::words::{Leg, RecordingState};
use callboard_model::cloudevents::{CloudEvent, MAX_NAME_BYTES};
use callboard_model::record::Refusal;
use callboard_model::time::format_rfc3339;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::event::dead;
use super::http::Doors;
use super::intake::{Candidate, Verdict};
use super::problem::Problem;
use super::split::sha256_hex;

/// Source of the events that name recordings.
pub const SOURCE: &str = "/callboard/recordings";

/// Keeps the original bytes of recordings.
#[async_trait]
pub trait AudioStore: Send + Sync {
    /// Stores the bytes as the audio of that recording; returns when they are durable. Storing
    /// the same again is right, and replaces. Gives whether other bytes stood there before.
    ///
    /// # Errors
    /// Why not, in one sentence.
    async fn put(
        &self,
        recording_id: &str,
        contact: &str,
        leg: &str,
        bytes: Bytes,
    ) -> Result<bool, String>;
}

/// A recording as it is brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Brought {
    /// Contact: its id, or the platform's.
    pub contact: String,
    /// agent, customer, both or mixed.
    pub leg: String,
    /// Start of the recording, UTC microseconds.
    pub started_at: Option<i64>,
    /// When it was written, UTC microseconds; with it a repeat is recognised byte by byte.
    pub recorded_at: Option<i64>,
    /// Queue.
    pub queue: Option<String>,
    /// Agent.
    pub agent: Option<String>,
    /// A message left in a mailbox.
    pub voicemail: bool,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// taken or repeated.
    pub status: String,
    /// Identity: contact, leg, and the queue if one was named.
    pub recording_id: String,
    /// Contact.
    pub contact: String,
    /// Leg.
    pub leg: String,
    /// Size, bytes.
    pub bytes: u64,
    /// SHA-256, hex.
    pub sha256: String,
}

/// Takes recordings.
#[derive(Clone)]
pub struct Recordings {
    doors: Doors,
    store: Arc<dyn AudioStore>,
    /// One permit per MiB of audio held in memory.
    room: Arc<Semaphore>,
}

const MIB: u64 = 1024 * 1024;

impl Recordings {
    /// Recordings go to that store, their events through these doors.
    pub fn new(doors: Doors, store: Arc<dyn AudioStore>) -> Self {
        let room = Arc::new(Semaphore::new(mebibytes(doors.limits.recording_bytes)));
        Recordings { doors, store, room }
    }

    /// Route: `PUT /v1/recordings/{contact}/{leg}`.
    pub fn router(self) -> Router {
        Router::new()
            .route("/v1/recordings/{contact}/{leg}", put(http::put_recording))
            .with_state(self)
    }

    /// Stores one recording and submits the event that names it.
    ///
    /// # Errors
    /// A [`Problem`] that says what is wrong with it, or why it cannot be taken now. One that can
    /// never be taken is kept as a dead letter.
    pub async fn put(&self, brought: Brought, bytes: Bytes) -> Result<Stored, Problem> {
        let leg = match check(&brought, &bytes) {
            Ok(leg) => leg,
            Err(refusal) => return Err(self.refuse(refusal, &bytes).await),
        };
        // One contact can be recorded once in each queue it was in.
        let recording_id = match &brought.queue {
            Some(queue) => format!("{}/{leg}/{queue}", brought.contact),
            None => format!("{}/{leg}", brought.contact),
        };
        let sha256 = sha256_hex(&bytes);
        let size = bytes.len() as u64;
        let stored = Stored {
            status: String::new(),
            recording_id,
            contact: brought.contact.clone(),
            leg: leg.as_str().to_owned(),
            bytes: size,
            sha256,
        };
        if let Some(refusal) = self.erased(&brought, leg, &stored) {
            metrics::counter!("callboard_recordings_refused_total", "class" => refusal.class)
                .increment(1);
            return Err(Problem::new(
                StatusCode::GONE,
                refusal.class,
                refusal.reason,
            ));
        }
        let replaced = self
            .store
            .put(&stored.recording_id, &brought.contact, leg.as_str(), bytes)
            .await
            .map_err(|e| {
                let mut problem = Problem::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "audio_not_stored",
                    format!("the audio could not be stored: {e}"),
                );
                problem.retry_after_s = Some(10);
                problem
            })?;
        self.announce(&brought, leg, stored, replaced).await
    }

    /// Why its sound must not be kept: its contact was erased.
    fn erased(&self, brought: &Brought, leg: Leg, stored: &Stored) -> Option<Refusal> {
        let now = self.doors.intake.now();
        let record = event(brought, leg, stored, false, now).record(now).ok()?;
        self.doors.intake.refuses(&record)
    }

    async fn announce(
        &self,
        brought: &Brought,
        leg: Leg,
        mut stored: Stored,
        replaced: bool,
    ) -> Result<Stored, Problem> {
        let now = self.doors.intake.now();
        let event = event(brought, leg, &stored, replaced, now);
        let record = event.record(now).map_err(|e| {
            Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "event_not_written",
                format!("the recording's event could not be written: {e}"),
            )
        })?;
        let verdicts = self
            .doors
            .intake
            .submit(vec![Candidate::Record(record)])
            .await?;
        stored.status = match verdicts.into_iter().next() {
            Some(Verdict::Taken) => "taken".into(),
            // The same bytes at another time: nothing new was said.
            Some(Verdict::Repeated | Verdict::Conflict) => "repeated".into(),
            Some(Verdict::Refused(refusal)) => {
                return Err(Problem::bad(refusal.class, refusal.reason));
            }
            None => {
                return Err(Problem::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "no_verdict",
                    "the pipeline gave no verdict; send it again",
                ));
            }
        };
        metrics::counter!("callboard_recordings_taken_total").increment(1);
        metrics::counter!("callboard_recordings_bytes_total").increment(stored.bytes);
        Ok(stored)
    }

    async fn refuse(&self, refusal: Refusal, bytes: &[u8]) -> Problem {
        metrics::counter!("callboard_recordings_refused_total", "class" => refusal.class)
            .increment(1);
        let letter = Candidate::Dead(dead(SOURCE, refusal.clone(), bytes));
        if let Err(unavailable) = self.doors.intake.submit(vec![letter]).await {
            return unavailable.into();
        }
        match refusal.class {
            "not_audio" => Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                refusal.class,
                refusal.reason,
            ),
            _ => Problem::bad(refusal.class, refusal.reason),
        }
    }
}

fn mebibytes(bytes: u64) -> usize {
    usize::try_from(bytes.div_ceil(MIB))
        .unwrap_or(usize::MAX)
        .clamp(1, Semaphore::MAX_PERMITS)
}

/// What can be seen from outside: names, leg, and whether the bytes begin like sound.
fn check(brought: &Brought, bytes: &[u8]) -> Result<Leg, Refusal> {
    let contact = &brought.contact;
    if contact.is_empty() || contact.len() > MAX_NAME_BYTES || contact.chars().any(char::is_control)
    {
        return Err(Refusal::new(
            "bad_contact",
            format!("the contact must have 1 to {MAX_NAME_BYTES} bytes and no control characters"),
        ));
    }
    let leg = leg(&brought.leg).ok_or_else(|| {
        Refusal::new(
            "bad_leg",
            format!(
                "leg \"{}\" is none of agent, customer, both (two channels), mixed (one channel of both)",
                brought.leg.chars().take(40).collect::<String>()
            ),
        )
    })?;
    if bytes.is_empty() {
        return Err(Refusal::new(
            "empty_recording",
            "the recording is empty (0 bytes); send it once the recorder has written it",
        ));
    }
    if container(bytes).is_none() {
        return Err(Refusal::new(
            "not_audio",
            format!(
                "the recording does not begin like WAV, FLAC, MP3 or OGG (first bytes {}); send one of these",
                super::split::hex(&bytes[..bytes.len().min(8)])
            ),
        ));
    }
    Ok(leg)
}

/// The leg of that name.
pub fn leg(name: &str) -> Option<Leg> {
    [Leg::Agent, Leg::Customer, Leg::Both, Leg::Mixed]
        .into_iter()
        .find(|l| l.as_str() == name)
}

/// The container that the first bytes show.
pub fn container(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [b'R', b'I', b'F', b'F' | b'X', ..] | [b'R', b'F', b'6', b'4', ..] => Some("wav"),
        [b'f', b'L', b'a', b'C', ..] => Some("flac"),
        [b'O', b'g', b'g', b'S', ..] => Some("ogg"),
        [b'I', b'D', b'3', ..] => Some("mp3"),
        [0xff, b, ..] if b & 0xe0 == 0xe0 && b & 0x06 != 0 => Some("mp3"),
        _ => None,
    }
}

/// The event that names a stored recording. Its id follows from what it says, so that the same
/// recording sent again is a repeat. One that took another's place is news of this moment, however
/// old its file: what is announced last must be what is kept.
fn event(
    brought: &Brought,
    leg: Leg,
    stored: &Stored,
    replaced: bool,
    now: i64,
) -> CloudEvent<RecordingData> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let said = [
        stored.recording_id.clone(),
        stored.sha256.clone(),
        brought.started_at.unwrap_or_default().to_string(),
        text(&brought.queue),
        text(&brought.agent),
        brought.voicemail.to_string(),
        if replaced {
            now.to_string()
        } else {
            String::new()
        },
    ];
    let id = &sha256_hex(said.join("\u{0}").as_bytes())[..32];
    let time = brought.recorded_at.or(brought.started_at).unwrap_or(now);
    let data = RecordingData {
        recording_id: Some(stored.recording_id.clone()),
        contact_id: Some(brought.contact.clone()),
        leg: Some(leg),
        queue: brought.queue.clone(),
        agent: brought.agent.clone(),
        state: Some(RecordingState::Ready),
        start: brought.started_at.map(format_rfc3339),
        bytes: i64::try_from(stored.bytes).ok(),
        sha256: Some(stored.sha256.clone()),
        voicemail: brought.voicemail.then_some(true),
        ..RecordingData::default()
    };
    let mut event = CloudEvent::new(SOURCE, id, "callboard.recording.recorded", time, data);
    event.recordedtime = replaced.then(|| format_rfc3339(now));
    event
}

#[cfg(test)]
mod tests;
