//! What happens by itself: flushes, upkeep of the lake, and saying of contacts that nothing was
//! heard of them.

use std::sync::Arc;
use std::time::Duration;

use callboard_model::cloudevents::CloudEvent;
use callboard_model::cloudevents::data::SilenceData;
use callboard_model::tables::TABLES;
use callboard_model::time::format_rfc3339;
use tokio_util::sync::CancellationToken;

use crate::doors::intake::{Candidate, Intake};
use crate::pipeline::Pipeline;

/// How often things happen.
#[derive(Debug, Clone)]
pub struct Periods {
    /// Between flushes, and between looks for days of which intervals are to be made.
    pub flush: Duration,
    /// Between rounds of joining late records with what has settled, at least.
    pub late: Duration,
    /// Between rounds of upkeep over the lake's tables.
    pub upkeep: Duration,
    /// Between looks for contacts of which nothing was heard.
    pub silence: Duration,
}

impl Default for Periods {
    fn default() -> Self {
        Periods {
            flush: Duration::from_secs(30),
            late: Duration::from_secs(2),
            upkeep: Duration::from_secs(300),
            silence: Duration::from_secs(60),
        }
    }
}

/// Starts the clockwork; it ends with the token.
pub fn start(pipeline: &Arc<Pipeline>, periods: Periods, stop: &CancellationToken) {
    flush(pipeline.clone(), periods.flush, stop.clone());
    let joining = pipeline.clone();
    every(periods.late, LATE_REST, stop, move || {
        let pipeline = joining.clone();
        async move {
            if let Err(error) = pipeline.store().resolve().await {
                tracing::error!(%error, "late records could not be joined; it is tried again");
            }
        }
    });
    let deriving = pipeline.clone();
    every(periods.flush, 0, stop, move || {
        let pipeline = deriving.clone();
        async move {
            if let Err(error) = pipeline.store().derive_due().await {
                metrics::counter!("callboard_derive_failures_total").increment(1);
                tracing::error!(%error, "tables of intervals are not up to date; it is tried again");
            }
        }
    });
    let tidying = pipeline.clone();
    every(periods.upkeep, 0, stop, move || {
        let pipeline = tidying.clone();
        async move {
            if let Err(error) = pipeline.store().finish_erasure().await {
                tracing::error!(%error, "an erasure could not be finished; it is tried again");
            }
            if let Err(error) = pipeline.store().retain().await {
                tracing::error!(%error, "old days could not be let go of; it is tried again");
            }
            for spec in TABLES {
                if let Err(error) = pipeline.store().lake.maintain(spec.name).await {
                    tracing::error!(table = spec.name, %error, "upkeep failed");
                }
            }
        }
    });
    let listening = pipeline.clone();
    every(periods.silence, 0, stop, move || {
        let pipeline = listening.clone();
        async move { say_silence(&pipeline).await }
    });
}

/// Flushes in its period, and before it when too much is held.
fn flush(pipeline: Arc<Pipeline>, period: Duration, stop: CancellationToken) {
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(period) => {}
                () = pipeline.store().pressed() => {}
            }
            let store = pipeline.store().clone();
            let flushed = tokio::spawn(async move { store.flush(false).await });
            let failed = match flushed.await {
                Ok(Ok(_)) => None,
                Ok(Err(error)) => Some(error.to_string()),
                Err(fault) => Some(fault.to_string()),
            };
            if let Some(error) = failed {
                metrics::counter!("callboard_flush_failures_total").increment(1);
                tracing::error!(%error, "a flush failed; it is tried again");
                // Pressure does not end by trying at once.
                tokio::time::sleep(period.min(Duration::from_secs(1))).await;
            }
        }
    });
}

/// Of the time at most a tenth goes into late records: what comes in has the machine for most of it.
const LATE_REST: u32 = 9;

/// Rounds in this period, or `rest` times as long after one as it took. One that ends by a fault of
/// ours is said, and the next is tried.
fn every<F, Fut>(period: Duration, rest: u32, stop: &CancellationToken, mut act: F)
where
    F: FnMut() -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let stop = stop.clone();
    tokio::spawn(async move {
        let mut pause = period;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
            let begun = tokio::time::Instant::now();
            if let Err(fault) = tokio::spawn(act()).await {
                tracing::error!(%fault, "a round of upkeep ended by a fault; the next is tried");
            }
            pause = period.max(begun.elapsed().saturating_mul(rest));
        }
    });
}

/// Says of every contact that was quiet for longer than it can be that nothing was heard of it:
/// a record like any other, so that rows stay a function of records.
pub async fn say_silence(pipeline: &Pipeline) {
    let now = pipeline.store().now();
    let events: Vec<Candidate> = pipeline
        .store()
        .silent()
        .into_iter()
        .filter_map(|(contact, last_sign)| {
            // One a contact and hour is enough, and makes repeats recognisable.
            let until = now - now.rem_euclid(3_600_000_000);
            if until <= last_sign {
                return None;
            }
            let data = SilenceData {
                contact_id: Some(contact.clone()),
                until: Some(format_rfc3339(until)),
            };
            let id = format!("{contact}@{until}");
            let mut event = CloudEvent::new(
                "/callboard/closer",
                &id,
                "callboard.silence.recorded",
                until,
                data,
            );
            event.rank = Some(callboard_model::record::rank::INFERRED);
            event.record(now).ok().map(Candidate::Record)
        })
        .collect();
    if events.is_empty() {
        return;
    }
    let n = events.len();
    match pipeline.submit(events).await {
        Ok(_) => tracing::info!(contacts = n, "nothing was heard of them for too long"),
        Err(error) => tracing::warn!(%error, "could not write down that contacts are silent"),
    }
}
