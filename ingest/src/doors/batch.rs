//! Gathers candidates of one request, submits them in bounded batches, and writes the answer.

use std::sync::Arc;

use super::answer::{Answer, Listing};
use super::intake::{Candidate, Intake, Unavailable, Verdict};
use super::limits::Limits;
use super::problem::Problem;

/// The candidates of one request on their way.
pub struct Batch {
    intake: Arc<dyn Intake>,
    door: &'static str,
    listing: Listing,
    most_records: usize,
    most_bytes: usize,
    most_refused: u64,
    pending: Vec<Candidate>,
    places: Vec<Place>,
    bytes: usize,
    refused_waiting: u64,
    /// What became of those already submitted.
    pub answer: Answer,
}

/// Where a candidate stands in the request; and the door's own verdict, if it has one.
struct Place {
    line: u64,
    id: Option<Arc<str>>,
    refused: Option<Verdict>,
}

impl Batch {
    /// An empty one for this door (a word for the counters).
    pub fn new(
        intake: Arc<dyn Intake>,
        door: &'static str,
        limits: &Limits,
        list_all: bool,
    ) -> Self {
        Batch {
            intake,
            door,
            listing: Listing {
                all: list_all,
                most: limits.listed_lines,
            },
            most_records: limits.batch_records,
            most_bytes: limits.batch_bytes,
            most_refused: limits.refused_lines,
            pending: Vec::new(),
            places: Vec::new(),
            bytes: 0,
            refused_waiting: 0,
            answer: Answer::default(),
        }
    }

    /// Adds what stands at that line.
    pub fn push(&mut self, line: u64, candidate: Candidate) {
        let (id, refused) = match &candidate {
            Candidate::Record(record) => (Some(record.id.clone()), None),
            Candidate::Dead(dead) => (None, Some(Verdict::Refused(dead.refusal.clone()))),
        };
        self.bytes += candidate.weight();
        self.refused_waiting += u64::from(refused.is_some());
        self.places.push(Place { line, id, refused });
        self.pending.push(candidate);
    }

    /// Submits what is gathered when it is time; a request of which too many lines were refused ends
    /// there, with this advice.
    ///
    /// # Errors
    /// 400 for such a request; else as [`Batch::submit`].
    pub async fn pace(&mut self, advice: &str) -> Result<(), Problem> {
        let flood = self.answer.refused + self.refused_waiting > self.most_refused;
        if flood || self.pending.len() >= self.most_records || self.bytes >= self.most_bytes {
            self.submit().await?;
        }
        if flood {
            return Err(Problem::bad(
                "too_many_refused",
                format!(
                    "more than {} lines of this request cannot be read; {advice}",
                    self.most_refused
                ),
            ));
        }
        Ok(())
    }

    /// Submits what is gathered; returns when it is durable.
    ///
    /// # Errors
    /// [`Unavailable`]: nothing can be said of this batch; earlier ones stand in the answer.
    pub async fn submit(&mut self) -> Result<(), Unavailable> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let batch = std::mem::take(&mut self.pending);
        let places = std::mem::take(&mut self.places);
        self.bytes = 0;
        self.refused_waiting = 0;
        let before = self.answer.clone_counts();
        let verdicts = self.intake.submit(batch).await?;
        for (place, verdict) in places.iter().zip(&verdicts) {
            let verdict = place.refused.as_ref().unwrap_or(verdict);
            if let Verdict::Refused(refusal) = verdict {
                metrics::counter!("callboard_events_refused_total",
                    "door" => self.door, "class" => refusal.class)
                .increment(1);
            }
            self.answer
                .add(place.line, place.id.as_ref(), verdict, &self.listing);
        }
        self.count(before);
        Ok(())
    }

    fn count(&self, (taken, repeated, conflicts): (u64, u64, u64)) {
        let now = &self.answer;
        metrics::counter!("callboard_events_taken_total", "door" => self.door)
            .increment(now.taken - taken);
        metrics::counter!("callboard_events_repeated_total", "door" => self.door)
            .increment(now.repeated - repeated);
        metrics::counter!("callboard_events_conflicting_total", "door" => self.door)
            .increment(now.conflicts - conflicts);
    }
}

impl Answer {
    fn clone_counts(&self) -> (u64, u64, u64) {
        (self.taken, self.repeated, self.conflicts)
    }
}
