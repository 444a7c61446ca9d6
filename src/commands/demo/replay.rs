//! The recorded shift as a tape: every record and recording with the time at which it was
//! written, played on the replay's clock.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use callboard_ingest::doors::intake::{Candidate, Intake, Unavailable};
use callboard_ingest::doors::recordings::Brought;
use callboard_ingest::doors::recordings::names::voicemail;
use callboard_model::record::{Interpreter as _, Record};
use callboard_sources::lines::{HEAD_BYTES, LineReader, NewLine, detect};
use callboard_sources::registry::Registry;
use callboard_store::store::Clock;
use serde::Deserialize;

use super::journey;
use crate::commands::Failure;
use crate::server::Server;

/// Instance under which the shift is replayed.
pub const INSTANCE: &str = "pbx1";

/// How often the tape is looked at.
const TICK: Duration = Duration::from_millis(50);

/// Most records handed over at once.
const BATCH: usize = 500;

#[derive(Debug, Deserialize)]
struct Recorded {
    queue: String,
    uniqueid: String,
    agent: String,
    start_epoch: f64,
    duration_s: f64,
    files: Vec<File>,
}

#[derive(Debug, Deserialize)]
struct File {
    leg: String,
    path: String,
}

struct Sound {
    at: i64,
    brought: Brought,
    path: PathBuf,
}

/// The tape.
pub struct Tape {
    records: Vec<(i64, Record)>,
    sounds: Vec<Sound>,
}

pub(super) fn unreadable(path: &Path, why: impl std::fmt::Display) -> Failure {
    Failure::failed(format!(
        "the recorded shift's {} cannot be read: {why}",
        path.display()
    ))
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = std::fs::read(path).map_err(|e| unreadable(path, e))?;
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(&bytes[..])
        .read_to_end(&mut plain)
        .map_err(|e| unreadable(path, e))?;
    Ok(plain)
}

impl Tape {
    /// Reads the shift's four logs and its list of recordings.
    ///
    /// # Errors
    /// When a file is missing or damaged.
    pub fn read(folder: &Path) -> Result<Self, Failure> {
        let registry = Registry;
        let mut records = Vec::new();
        for name in ["queue_log", "cel.csv", "cdr.csv", "ami.jsonl.gz"] {
            let path = folder.join(name);
            let bytes = bytes_of(&path)?;
            let kind = detect(name, &bytes[..bytes.len().min(HEAD_BYTES)])
                .ok_or_else(|| unreadable(&path, "nobody knows what it holds"))?;
            let mut reader = LineReader::new(kind, INSTANCE, "", &[]);
            let mut lines = reader.push(&bytes);
            lines.extend(reader.finish());
            let mut last = 0;
            for line in lines {
                let NewLine::Record(new) = line else { continue };
                let record = new.received(0);
                // A line without a time of its own was written when its neighbour was.
                last = registry
                    .route(&record)
                    .ok()
                    .and_then(|r| r.time)
                    .unwrap_or(last);
                records.push((last, record));
            }
        }
        records.extend(journey::documents(&folder.join("journey"))?);
        records.sort_by_key(|(at, _)| *at);
        let path = folder.join("recordings.jsonl");
        let text = std::fs::read_to_string(&path).map_err(|e| unreadable(&path, e))?;
        let mut sounds = Vec::new();
        for line in text.lines().filter(|l| !l.trim().is_empty()) {
            let r: Recorded = serde_json::from_str(line).map_err(|e| unreadable(&path, e))?;
            let start = (r.start_epoch * 1e6) as i64;
            let separate = r.files.iter().any(|f| f.leg == "agent");
            for file in &r.files {
                let leg = match file.leg.as_str() {
                    "caller" => "customer",
                    "agent" => "agent",
                    "mix" | "mixed" => "mixed",
                    _ => "both",
                };
                // Asterisk's own mix of a call whose legs are there says nothing more.
                if separate && leg == "mixed" {
                    continue;
                }
                sounds.push(Sound {
                    at: start + (r.duration_s * 1e6) as i64,
                    brought: Brought {
                        contact: format!("{INSTANCE}-{}", r.uniqueid),
                        leg: leg.to_owned(),
                        started_at: Some(start),
                        recorded_at: Some(start),
                        queue: Some(r.queue.clone()),
                        agent: Some(r.agent.clone()),
                        voicemail: false,
                    },
                    path: folder.join(&file.path),
                });
            }
        }
        sounds.extend(voicemails(folder));
        sounds.sort_by_key(|s| s.at);
        Ok(Tape { records, sounds })
    }

    /// Time of its first record, UTC microseconds.
    pub fn first(&self) -> i64 {
        self.records
            .iter()
            .map(|(at, _)| *at)
            .find(|at| *at > 0)
            .unwrap_or(0)
    }

    /// Time of the last record or sound, UTC microseconds.
    pub fn last(&self) -> i64 {
        let sound = self.sounds.iter().map(|s| s.at).max().unwrap_or(0);
        self.records.last().map_or(0, |(at, _)| *at).max(sound)
    }

    /// Its length in whole minutes.
    pub fn minutes(&self) -> i64 {
        (self.last() - self.first()) / 60_000_000
    }

    /// Hands everything over at its time.
    ///
    /// # Errors
    /// When the server takes nothing any more.
    pub async fn play(self, server: &Server, clock: Arc<dyn Clock>) -> Result<(), Failure> {
        let mut records = self.records.into_iter().peekable();
        let mut sounds = self.sounds.into_iter().peekable();
        while records.peek().is_some() || sounds.peek().is_some() {
            let now = clock.now();
            let mut batch = Vec::new();
            while batch.len() < BATCH
                && let Some((_, mut record)) = records.next_if(|(at, _)| *at <= now)
            {
                record.received_at = now;
                batch.push(record);
            }
            let full = batch.len() == BATCH;
            hand_over(server, batch).await?;
            if let Some(sound) = sounds.next_if(|s| s.at <= now) {
                let bytes = std::fs::read(&sound.path).map_err(|e| unreadable(&sound.path, e))?;
                if let Err(problem) = server.recordings.put(sound.brought, bytes.into()).await {
                    tracing::warn!(path = %sound.path.display(), ?problem, "a recording was refused");
                }
                continue;
            }
            if !full {
                tokio::time::sleep(TICK).await;
            }
        }
        let mut sources: Vec<String> = server.pipeline.heard().into_keys().collect();
        sources.retain(|s| s.starts_with("/asterisk/"));
        server.pipeline.ended(&sources);
        Ok(())
    }
}

async fn hand_over(server: &Server, batch: Vec<Record>) -> Result<(), Failure> {
    loop {
        let candidates = batch.iter().cloned().map(Candidate::Record).collect();
        match server.pipeline.submit(candidates).await {
            Ok(_) => return Ok(()),
            Err(Unavailable::Full { retry_after_s }) => {
                tokio::time::sleep(Duration::from_secs(u64::from(retry_after_s))).await;
            }
            Err(other) => return Err(Failure::failed(other.to_string())),
        }
    }
}

/// Messages left in the mailbox: `msgNNNN.wav` with `msgNNNN.txt`, which says when.
fn voicemails(folder: &Path) -> Vec<Sound> {
    let Ok(files) = std::fs::read_dir(folder.join("voicemail")) else {
        return Vec::new();
    };
    files
        .flatten()
        .map(|f| f.path())
        .filter(|p| p.extension().is_some_and(|e| e == "wav"))
        .filter_map(|path| {
            let text = std::fs::read_to_string(path.with_extension("txt")).ok()?;
            let brought = voicemail(&text, INSTANCE)?;
            let seconds: i64 = text
                .lines()
                .find_map(|l| l.strip_prefix("duration="))
                .and_then(|d| d.trim().parse().ok())?;
            Some(Sound {
                at: brought.started_at? + seconds * 1_000_000,
                brought,
                path,
            })
        })
        .collect()
}
