//! The figures of the status page.

use std::sync::Arc;

use callboard_dashboards::{
    FeedStatus, LinkStatus, SourceStatus, Status, StatusReport, TableStatus,
};
use callboard_ingest::doors::kafka;
use callboard_ingest::live::link::Links;
use callboard_ingest::pipeline::Pipeline;
use callboard_query::{Engine, Principal};

use super::identity::Keeper;
use super::scribe::Scribe;
use super::sources::Listed;

/// A source that sent nothing for so long is silent, microseconds: as on the board.
const SILENT: i64 = 120_000_000;

/// Gathers the figures.
pub struct Reported {
    /// Doors' figures and the store.
    pub pipeline: Arc<Pipeline>,
    /// For counts.
    pub engine: Engine,
    /// Transcription, where it is on.
    pub scribe: Option<Arc<Scribe>>,
    /// Topics that are read.
    pub topics: Vec<Arc<kafka::figures::Figures>>,
    /// Who is who across platforms.
    pub identity: Option<Arc<Keeper>>,
    /// Configuration as shown.
    pub shown: Vec<(String, String)>,
    /// Start of the process, UTC microseconds.
    pub started: i64,
    /// Connections that the server opened.
    pub links: Links,
    /// Sources by their names.
    pub sources: Listed,
}

#[async_trait::async_trait]
impl Status for Reported {
    async fn report(&self) -> StatusReport {
        let store = self.pipeline.store();
        let health = store.health();
        let tables = store
            .lake
            .health()
            .into_iter()
            .map(|t| TableStatus {
                name: t.table.to_owned(),
                version: i64::try_from(t.version).unwrap_or(i64::MAX),
                files: t.files as u64,
                bytes: t.bytes,
                rows: t.rows.unwrap_or(0),
                problem: t.last_error,
            })
            .collect();
        let (waiting, running, seconds, problem) = match &self.scribe {
            Some(scribe) => scribe.figures(),
            None => (
                store.untranscribed().len() as u64,
                0,
                0.0,
                Some("transcription is off; give a model with [transcribe] model".to_owned()),
            ),
        };
        let feeds = self.feeds().await;
        let mut problems: Vec<String> = health.failing.into_iter().collect();
        if let Some(first) = health.faulty.first() {
            problems.push(format!(
                "a fault in the program keeps {} keys out of every figure, among them {first}; their \
                 records are kept, and a version without the fault makes their rows",
                health.faulty.len()
            ));
        }
        problems.extend(self.topics.iter().flat_map(|t| t.problems()));
        if self.scribe.is_some() {
            problems.extend(problem.clone());
        }
        let mut shown = self.shown.clone();
        if let Some(identity) = &self.identity {
            problems.extend(identity.problems());
            shown.push(identity.shown());
        }
        let now = store.now();
        let silent = |f: &&FeedStatus| {
            let last = f.last_received_at.is_none_or(|at| now - at > SILENT);
            last && f.ended_at.is_none() && !f.source.starts_with("/callboard/")
        };
        problems.extend(self.links.problems());
        for feed in feeds.iter().filter(silent) {
            problems.push(format!("{} has sent nothing for two minutes", feed.source));
        }
        StatusReport {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: self.started,
            feeds,
            links: self.links(),
            dead_letters: self.dead_letters().await,
            visible_lag_ms: self.pipeline.visible_after().map(|d| d.as_millis() as u64),
            pipeline_backlog: health.late as u64,
            log_bytes: health.log_bytes,
            live_keys: health.open_keys as u64,
            flush: health.flushes,
            flushed_at: health.last_flush,
            transcribe_waiting: waiting,
            transcribe_running: running,
            transcribed_seconds: seconds,
            transcribe_problem: problem,
            memory_bytes: resident(),
            tables,
            config: shown,
            problems,
        }
    }

    async fn sources(&self) -> Result<Vec<SourceStatus>, String> {
        self.sources.statuses().await
    }

    /// From memory alone: the board asks every second.
    async fn feeds(&self) -> Vec<FeedStatus> {
        let now = self.pipeline.store().now();
        self.pipeline
            .heard()
            .into_iter()
            .map(|(source, h)| FeedStatus {
                per_minute: h.per_minute(now) as f64,
                source,
                last_received_at: (h.last_received > 0).then_some(h.last_received),
                last_event_at: (h.last_event > 0).then_some(h.last_event),
                taken: h.taken,
                repeated: h.repeated,
                refused: h.refused,
                ended_at: h.ended,
            })
            .collect()
    }
}

impl Reported {
    fn links(&self) -> Vec<LinkStatus> {
        let all = self.links.all().into_iter();
        all.map(|(name, l)| LinkStatus {
            name,
            up: l.up,
            since: (l.since > 0).then_some(l.since),
            trouble: l.trouble,
            taken: l.taken,
            repeated: l.repeated,
            refused: l.refused,
            gaps: l.gaps.iter().map(|g| (g.from, g.until)).collect(),
        })
        .collect()
    }

    async fn dead_letters(&self) -> u64 {
        use arrow::array::AsArray;
        use arrow::datatypes::Int64Type;
        let session = self.engine.session(Principal::local());
        let answer = session
            .cached("select count(*) as n from callboard.dead_letters")
            .await;
        answer
            .ok()
            .and_then(|a| {
                let batch = a.batches.first()?.clone();
                let n = batch.column(0).as_primitive_opt::<Int64Type>()?.value(0);
                u64::try_from(n).ok()
            })
            .unwrap_or(0)
    }
}

/// Resident memory of this process, bytes.
pub fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}
