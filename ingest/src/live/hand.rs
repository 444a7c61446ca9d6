//! Handing in: lines and documents become candidates, and a server that is busy is waited for.

use std::time::Duration;

use callboard_model::record::Refusal;
use callboard_sources::lines::NewLine;
use tokio_util::sync::CancellationToken;

use crate::doors::event::EventReader;
use crate::doors::intake::{Candidate, DEAD_PREFIX_BYTES, DeadInput, Intake, Unavailable, Verdict};
use crate::doors::limits::Limits;
use crate::doors::platform::candidate;
use crate::doors::split::sha256_hex;

/// What became of what was handed in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub taken: u64,
    pub repeated: u64,
    pub refused: u64,
}

impl Tally {
    fn count(&mut self, verdicts: &[Verdict]) {
        for verdict in verdicts {
            match verdict {
                Verdict::Taken | Verdict::Conflict => self.taken += 1,
                Verdict::Repeated => self.repeated += 1,
                Verdict::Refused(_) => self.refused += 1,
            }
        }
    }

    /// Adds another.
    pub fn add(&mut self, other: Tally) {
        self.taken += other.taken;
        self.repeated += other.repeated;
        self.refused += other.refused;
    }
}

/// Something that came and can be no record.
pub(super) fn dead(source: &str, class: &'static str, reason: String, bytes: &[u8]) -> Candidate {
    Candidate::Dead(DeadInput {
        source: source.to_owned(),
        refusal: Refusal::new(class, reason),
        bytes: bytes[..bytes.len().min(DEAD_PREFIX_BYTES)].to_vec(),
        length: bytes.len() as u64,
        sha256: sha256_hex(bytes),
    })
}

/// What lines or documents are as candidates.
pub(super) fn candidates(all: Vec<NewLine>, received_at: i64, limits: &Limits) -> Vec<Candidate> {
    let mut events = EventReader::new(received_at, limits.record_bytes, limits.nesting);
    all.into_iter()
        .map(|one| candidate(one, received_at, &mut events))
        .collect()
}

/// Hands in until all is durable, in bounded batches; `None` when told to stop before.
pub(super) async fn submit(
    intake: &dyn Intake,
    all: Vec<Candidate>,
    limits: &Limits,
    stop: &CancellationToken,
) -> Option<Tally> {
    let mut tally = Tally::default();
    let mut batch = Vec::new();
    let mut bytes = 0;
    for candidate in all {
        bytes += candidate.weight();
        batch.push(candidate);
        if batch.len() >= limits.batch_records || bytes >= limits.batch_bytes {
            tally.add(one(intake, std::mem::take(&mut batch), stop).await?);
            bytes = 0;
        }
    }
    if !batch.is_empty() {
        tally.add(one(intake, batch, stop).await?);
    }
    Some(tally)
}

async fn one(
    intake: &dyn Intake,
    batch: Vec<Candidate>,
    stop: &CancellationToken,
) -> Option<Tally> {
    loop {
        match intake.submit(batch.clone()).await {
            Ok(verdicts) => {
                let mut tally = Tally::default();
                tally.count(&verdicts);
                return Some(tally);
            }
            Err(Unavailable::Stopping) => return None,
            Err(why) => {
                tracing::warn!(%why, "what a connection brought waits");
                let pause = Duration::from_secs(u64::from(why.retry_after_s().unwrap_or(30)));
                tokio::select! {
                    () = stop.cancelled() => return None,
                    () = tokio::time::sleep(pause) => {}
                }
            }
        }
    }
}
