//! The work of transcription: recordings that have no transcript, one conversation at a time, on
//! threads of low priority; results are records like any other.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use callboard_ingest::doors::intake::{Candidate, Intake};
use callboard_ingest::pipeline::Pipeline;
use callboard_model::cloudevents::CloudEvent;
use callboard_model::cloudevents::data::TranscriptData;
use callboard_model::tables::RecordingRow;
use callboard_query::Engine;
use callboard_store::audio::AudioStore;
use callboard_transcribe::engine::Cancel;
use callboard_transcribe::{
    Conversation, LegInput, RecordingInput, Transcriber, TranscriberConfig,
};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::pauses::Pauses;

pub(super) mod told;

/// Source of the events that carry transcripts.
const SOURCE: &str = "/callboard/transcribe";

/// How long one leg waits for the other before it is transcribed alone.
const PATIENCE: Duration = Duration::from_secs(3);

/// A recording that was begun so often without an end took the process down.
const ATTEMPTS: i64 = 2;

/// Classes of files in which there is no sound to be had: such a recording is not ready.
const NO_SOUND: [&str; 5] = ["empty", "not_audio", "no_samples", "bad_header", "decoder"];

/// What legs of one recording share: start, contact, queue.
type Group = (Option<i64>, String, Option<String>);

/// How transcription is set up.
#[derive(Debug, Clone)]
pub struct ScribeOptions {
    /// Models, threads, keyword lists.
    pub transcriber: TranscriberConfig,
}

/// The worker.
pub struct Scribe {
    pipeline: Arc<Pipeline>,
    audio: Arc<AudioStore>,
    pauses: Pauses,
    transcriber: Transcriber,
    cancel: Cancel,
    running: AtomicBool,
    done_ms: AtomicU64,
}

impl Scribe {
    /// Loads the models and begins.
    ///
    /// # Errors
    /// A sentence: which model, what is wrong with it, what to do.
    pub fn start(
        options: ScribeOptions,
        pipeline: Arc<Pipeline>,
        audio: Arc<AudioStore>,
        engine: Engine,
        stop: CancellationToken,
    ) -> Result<Arc<Self>, String> {
        let transcriber = Transcriber::start(options.transcriber).map_err(|e| e.to_string())?;
        let pauses = Pauses {
            pipeline: pipeline.clone(),
            engine,
        };
        let scribe = Arc::new(Scribe {
            pipeline,
            pauses,
            audio,
            transcriber,
            cancel: Cancel::default(),
            running: AtomicBool::new(false),
            done_ms: AtomicU64::new(0),
        });
        let worker = scribe.clone();
        tokio::spawn(async move { worker.run(stop).await });
        Ok(scribe)
    }

    /// Stops what is running, and waits until that is written down; it is begun anew at the next
    /// start.
    pub async fn stop(&self) {
        self.cancel.cancel();
        for _ in 0..200 {
            if !self.running.load(Ordering::Relaxed) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        tracing::warn!("a transcription did not stop in ten seconds; it counts as an attempt");
    }

    /// Waiting, running, seconds of audio done, and why nothing is done.
    pub fn figures(&self) -> (u64, u64, f64, Option<String>) {
        let running = u64::from(self.running.load(Ordering::Relaxed));
        let waiting = self.pipeline.store().untranscribed().len() as u64;
        let seconds = self.done_ms.load(Ordering::Relaxed) as f64 / 1000.0;
        (waiting.saturating_sub(running), running, seconds, None)
    }

    async fn run(&self, stop: CancellationToken) {
        let mut first_seen: HashMap<String, Instant> = HashMap::new();
        let mut failing: HashMap<String, u32> = HashMap::new();
        while !stop.is_cancelled() {
            let Some(job) = self.next(&mut first_seen) else {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(Duration::from_millis(250)) => {}
                }
                continue;
            };
            self.running.store(true, Ordering::Relaxed);
            let name = job
                .first()
                .map(|r| r.contact_id.clone())
                .unwrap_or_default();
            if let Err(error) = self.conversation(job).await {
                let times = failing.entry(name.clone()).or_default();
                *times += 1;
                tracing::warn!(contact = name, error, "a transcript could not be written");
                tokio::time::sleep(Duration::from_secs(u64::from((*times).min(30)))).await;
            }
            self.running.store(false, Ordering::Relaxed);
        }
    }

    /// The next conversation: all its legs, once both are there or one has waited long enough.
    fn next(&self, first_seen: &mut HashMap<String, Instant>) -> Option<Vec<RecordingRow>> {
        let mut groups: BTreeMap<Group, Vec<RecordingRow>> = BTreeMap::new();
        let waiting = self.pipeline.store().untranscribed();
        first_seen.retain(|id, _| waiting.iter().any(|r| r.recording_id == *id));
        for row in waiting {
            first_seen
                .entry(row.recording_id.clone())
                .or_insert_with(Instant::now);
            // Legs of one recording share contact and start.
            let start = row.started_at.map(|t| t.0);
            let group = (start, row.contact_id.clone(), row.queue.clone());
            groups.entry(group).or_default().push(row);
        }
        groups.into_values().find(|rows| {
            let whole = rows.iter().any(|r| r.leg == "both" || r.leg == "mixed")
                || ["agent", "customer"]
                    .iter()
                    .all(|leg| rows.iter().any(|r| r.leg == *leg));
            whole
                || rows.iter().all(|r| {
                    first_seen
                        .get(&r.recording_id)
                        .is_some_and(|t| t.elapsed() > PATIENCE)
                })
        })
    }

    async fn conversation(&self, rows: Vec<RecordingRow>) -> Result<(), String> {
        // A file for both beside files for each: the separate legs say more.
        let (legs, rest): (Vec<_>, Vec<_>) = rows
            .into_iter()
            .partition(|r| r.leg == "agent" || r.leg == "customer");
        let (rows, beside) = if legs.is_empty() {
            (rest, Vec::new())
        } else {
            (legs, rest)
        };
        for row in &beside {
            let why = "the same conversation has a file for each leg, and these were transcribed";
            self.tell(row, "skipped", why, None).await?;
        }
        let attempts = rows.iter().map(|r| r.attempts).max().unwrap_or(0);
        if attempts >= ATTEMPTS {
            let why = format!("begun {attempts} times and never ended: it took the process down");
            for row in &rows {
                self.tell(row, "failed", &why, None).await?;
            }
            return Ok(());
        }
        let attempt = self.begin(&rows).await?;
        let mut inputs = Vec::new();
        for row in &rows {
            let bytes = match self.audio.get(&row.recording_id).await {
                Ok(bytes) => bytes,
                Err(error) => {
                    self.attempt(&rows, attempt, "changed", Some("stopped"))
                        .await?;
                    return Err(error.to_string());
                }
            };
            match bytes {
                Some(bytes) if told::is_file_of(row, &bytes) => {
                    inputs.push(LegInput::new(told::leg_of(row), bytes));
                }
                Some(_) => {
                    let why = "its audio was replaced and nobody said by what; send the file again";
                    self.tell(row, "failed", why, None).await?;
                }
                None => {
                    self.tell(row, "failed", "its audio is not in the lake", None)
                        .await?
                }
            }
        }
        if inputs.is_empty() {
            return Ok(());
        }
        let transcribed = tokio::task::block_in_place(|| {
            self.transcriber.transcribe_with(
                &RecordingInput::new(inputs),
                &self.cancel,
                &mut |_| {},
            )
        });
        match transcribed {
            Ok(conversation) => {
                self.done_ms
                    .fetch_add(conversation.timings.audio_ms, Ordering::Relaxed);
                metrics::counter!("callboard_transcribed_audio_milliseconds_total")
                    .increment(conversation.timings.audio_ms);
                // Legs that hold one and the same sound were heard once, by nobody knows whom.
                let alike = conversation.audio.iter().any(|a| a.identical_channels);
                for (nth, row) in rows.iter().enumerate() {
                    let length = told::facts(row, &conversation).duration_ms.unwrap_or(0);
                    if let Err(error) = self.pauses.state(row, length).await {
                        tracing::warn!(
                            recording = row.recording_id,
                            error,
                            "its pauses stay unknown"
                        );
                    }
                    if alike && nth > 0 {
                        let why = "both legs hold the same sound (mono sold as stereo): \
                                   transcribed once, with the other leg";
                        self.tell(row, "skipped", why, Some(&conversation)).await?;
                    } else {
                        self.done(row, &conversation).await?;
                    }
                }
            }
            Err(_) if self.cancel.is_cancelled() => {
                self.attempt(&rows, attempt, "changed", Some("stopped"))
                    .await?;
            }
            Err(error) => {
                let why = error.to_string();
                for row in &rows {
                    let data = TranscriptData {
                        state: Some("failed".to_owned()),
                        reason: Some(why.clone()),
                        unreadable: NO_SOUND.contains(&error.class()).then_some(true),
                        ..told::of(row)
                    };
                    self.write(row, data).await?;
                }
            }
        }
        Ok(())
    }

    /// Writes the attempt down before it begins; gives its number.
    async fn begin(&self, rows: &[RecordingRow]) -> Result<u32, String> {
        // Seconds of the clock: a number that no other attempt of these recordings has.
        let attempt = u32::try_from(self.pipeline.now() / 1_000_000).unwrap_or(u32::MAX);
        self.attempt(rows, attempt, "started", None).await?;
        Ok(attempt)
    }

    async fn attempt(
        &self,
        rows: &[RecordingRow],
        attempt: u32,
        verb: &str,
        state: Option<&str>,
    ) -> Result<(), String> {
        let now = self.pipeline.now();
        let mut events = Vec::new();
        for row in rows {
            let data = TranscriptData {
                attempt: Some(attempt),
                state: state.map(str::to_owned),
                ..told::of(row)
            };
            let id = format!("{}@{attempt}@{verb}", row.recording_id);
            let kind = format!("callboard.transcript.{verb}");
            events.push(CloudEvent::new(SOURCE, &id, &kind, now, data));
        }
        say(&self.pipeline, &events, now).await
    }

    async fn done(&self, row: &RecordingRow, c: &Conversation) -> Result<(), String> {
        let own = told::leg_of(row);
        if let Some((_, class, reason)) = c.failed.iter().find(|(leg, _, _)| *leg == own) {
            return self
                .tell(row, "failed", &format!("{class}: {reason}"), Some(c))
                .await;
        }
        self.write(row, told::told(row, c)).await
    }

    /// Writes an outcome without turns.
    async fn tell(
        &self,
        row: &RecordingRow,
        state: &str,
        why: &str,
        c: Option<&Conversation>,
    ) -> Result<(), String> {
        let mut data = match c {
            Some(c) => told::facts(row, c),
            None => told::of(row),
        };
        data.state = Some(state.to_owned());
        data.reason = Some(why.to_owned());
        self.write(row, data).await
    }

    async fn write(&self, row: &RecordingRow, data: TranscriptData) -> Result<(), String> {
        let now = self.pipeline.now();
        let model = data.model.clone().unwrap_or_default();
        let id = format!(
            "{}@{}@{model}@{now}",
            row.recording_id,
            data.state.as_deref().unwrap_or("")
        );
        let event = CloudEvent::new(SOURCE, &id, "callboard.transcript.recorded", now, data);
        say(&self.pipeline, &[event], now).await
    }
}

/// Sends events of our own down the way of all others.
///
/// # Errors
/// A sentence: what could not be written.
pub(super) async fn say<D: Serialize>(
    pipeline: &Pipeline,
    events: &[CloudEvent<D>],
    now: i64,
) -> Result<(), String> {
    let records = events
        .iter()
        .map(|event| event.record(now).map(Candidate::Record))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| e.to_string())?;
    match pipeline.submit(records).await {
        Ok(_) => Ok(()),
        Err(e) => Err(e.to_string()),
    }
}
