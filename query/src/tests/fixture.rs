//! Snapshots over rows in memory, and short ways to write rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use callboard_model::tables::{
    AgentStateRow, ContactRow, Day, Instant, OfferRow, QueueTargetRow, RecordingRow, Row,
    SegmentRow, TABLES, TurnRow,
};
use callboard_store::snapshot::{AsOfError, Snapshot, Snapshots, TableSnapshot};
use parking_lot::Mutex;
use tokio::sync::watch;

/// 2026-03-02T09:00:00Z in seconds: a Monday, the start of an hour.
pub const T0: i64 = 1_772_442_000;

/// T0 plus these seconds.
pub fn at(seconds: i64) -> Instant {
    Instant((T0 + seconds) * 1_000_000)
}

/// Snapshots that tests change by hand.
pub struct Memory {
    current: Mutex<Arc<Snapshot>>,
    past: Mutex<Vec<Arc<Snapshot>>>,
    changes: watch::Sender<u64>,
}

impl Memory {
    /// All tables empty, now = T0 + 1 h.
    pub fn new() -> Arc<Self> {
        let tables: BTreeMap<_, _> = TABLES
            .iter()
            .map(|spec| {
                let table = TableSnapshot {
                    spec,
                    lake: None,
                    live: Vec::new(),
                    hidden: None,
                    only: None,
                };
                (spec.name, table)
            })
            .collect();
        Arc::new(Memory {
            current: Mutex::new(Arc::new(Snapshot {
                version: 1,
                flush: 0,
                now: at(3600).0,
                as_of: None,
                tables,
            })),
            past: Mutex::default(),
            changes: watch::Sender::new(1),
        })
    }

    /// The snapshot as it stands.
    pub fn current(&self) -> Arc<Snapshot> {
        self.current.lock().clone()
    }

    /// Changes the snapshot into the next version.
    pub fn change(&self, edit: impl FnOnce(&mut Snapshot)) {
        let mut current = self.current.lock();
        let mut next = Snapshot::clone(&current);
        next.version += 1;
        edit(&mut next);
        self.past.lock().push(Arc::new(next.clone()));
        self.changes.send_replace(next.version);
        *current = Arc::new(next);
    }

    /// Adds live rows.
    pub fn add<R: Row>(&self, rows: &[R]) {
        let batch: RecordBatch = R::batch(rows).unwrap();
        self.change(|s| {
            let table = s.tables.get_mut(R::spec().name).unwrap();
            table.live.push(batch);
        });
    }
}

#[async_trait::async_trait]
impl Snapshots for Memory {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.current()
    }
    /// The newest of its pictures whose present is not later.
    async fn as_of(&self, at: i64) -> Result<Arc<Snapshot>, AsOfError> {
        let now = self.current().now;
        if at > now {
            return Err(AsOfError::Future { at, now });
        }
        let past = self.past.lock();
        let then = past.iter().rev().find(|s| s.now <= at);
        let mut then = Snapshot::clone(then.unwrap_or(&self.current()));
        (then.now, then.as_of) = (at, Some(at));
        Ok(Arc::new(then))
    }
    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

fn owned(s: &str) -> Option<String> {
    (!s.is_empty()).then(|| s.to_owned())
}

/// A closed contact, or an open one when `end` is `None`.
pub fn contact(id: &str, start: i64, end: Option<i64>, talk_ms: i64, agent: &str) -> ContactRow {
    ContactRow {
        contact_id: id.to_owned(),
        source: "/test/one".to_owned(),
        channel: "voice".to_owned(),
        direction: owned("inbound"),
        queue: owned("support"),
        agent: owned(agent),
        customer: owned("+4930123"),
        customer_name: None,
        dialled: None,
        tenant: None,
        site: None,
        line_of_business: None,
        campaign: None,
        language: None,
        started_at: Some(at(start)),
        ended_at: end.map(at),
        outcome: owned(if talk_ms > 0 { "answered" } else { "abandoned" }),
        raw_outcome: None,
        ended_by: None,
        end_reason: None,
        end_basis: None,
        wait_ms: Some(1000),
        talk_ms: Some(talk_ms),
        hold_ms: None,
        wrap_ms: None,
        transfers: 0,
        queues: vec!["support".to_owned()],
        agents: owned(agent).into_iter().collect(),
        state: if end.is_some() { "closed" } else { "open" }.to_owned(),
        attributes: None,
        corrected_at: None,
        day: at(start).day(),
    }
}

/// A segment; `outcome` "lost" makes a lost one, `end` None an open one.
#[allow(clippy::too_many_arguments)]
pub fn segment(
    contact: &str,
    seq: i64,
    kind: &str,
    queue: &str,
    agent: &str,
    start: i64,
    end: Option<i64>,
    outcome: &str,
) -> SegmentRow {
    let lost = outcome == "lost";
    SegmentRow {
        contact_id: contact.to_owned(),
        seq,
        segment_id: format!("{contact}-{seq}"),
        kind: kind.to_owned(),
        queue: owned(queue),
        agent: owned(agent),
        started_at: Some(at(start)),
        ended_at: end.map(at),
        duration_ms: end.map(|e| (e - start) * 1000),
        outcome: owned(outcome).filter(|_| !lost),
        raw_outcome: None,
        target_kind: None,
        target: None,
        ended_by: None,
        start_basis: None,
        end_basis: None,
        state: match (lost, end) {
            (true, _) => "lost",
            (false, Some(_)) => "closed",
            (false, None) => "open",
        }
        .to_owned(),
        parent_seq: None,
        position_in: None,
        position_out: None,
        hold_ms: None,
        hold_count: None,
        ring_ms: None,
        name: None,
        input: None,
        input_type: None,
        mode: None,
        reason: None,
        day: at(start).day(),
    }
}

/// An offer.
pub fn offer(contact: &str, agent: &str, start: i64, end: Option<i64>, outcome: &str) -> OfferRow {
    OfferRow {
        contact_id: contact.to_owned(),
        seq: 1,
        segment_id: format!("{contact}-o-{start}"),
        queue: owned("support"),
        queue_seq: Some(1),
        agent: owned(agent),
        offered_at: Some(at(start)),
        ended_at: end.map(at),
        ring_ms: end.map(|e| (e - start) * 1000),
        outcome: owned(outcome),
        raw_outcome: None,
        end_basis: None,
        day: at(start).day(),
    }
}

/// A span of an agent's own state.
pub fn state(
    agent: &str,
    track: &str,
    queue: &str,
    word: &str,
    reason: &str,
    start: i64,
    end: Option<i64>,
) -> AgentStateRow {
    AgentStateRow {
        agent_key: AgentStateRow::key_of("/test/one", agent),
        agent: agent.to_owned(),
        source: "/test/one".to_owned(),
        track: track.to_owned(),
        queue: owned(queue),
        state: word.to_owned(),
        native_state: None,
        reason: owned(reason),
        started_at: at(start),
        ended_at: end.map(at),
        end_basis: None,
        device: None,
        day: at(start).day(),
    }
}

/// A target that holds in `from..to`.
pub fn target(
    id: &str,
    queue: &str,
    threshold_ms: i64,
    from: Option<i64>,
    to: Option<i64>,
) -> QueueTargetRow {
    QueueTargetRow {
        target_id: id.to_owned(),
        queue: queue.to_owned(),
        metric: "service_level".to_owned(),
        variant: "answered".to_owned(),
        threshold_ms,
        short_ms: 3000,
        goal: Some(0.8),
        valid_from: from.map(at),
        valid_to: to.map(at),
        source: None,
        day: Day(0),
    }
}

/// A recording of the agent's leg.
pub fn recording(contact: &str, word: &str, transcript: Option<&str>, why: &str) -> RecordingRow {
    RecordingRow {
        recording_id: format!("{contact}/agent"),
        contact_id: contact.to_owned(),
        leg: "agent".to_owned(),
        queue: None,
        agent: None,
        codec: owned("wav/pcm_s16"),
        rate: Some(8000),
        channels: Some(1),
        duration_ms: Some(5000),
        bytes: Some(80_044),
        sha256: None,
        state: word.to_owned(),
        reason: owned(if transcript.is_none() { why } else { "" }),
        started_at: Some(at(0)),
        ended_at: Some(at(5)),
        voicemail: false,
        gaps: None,
        silenced: None,
        transcript_state: transcript.map(str::to_owned),
        transcript_reason: owned(if transcript.is_some() { why } else { "" }),
        transcript_model: None,
        attempts: 0,
        day: at(0).day(),
    }
}

/// A turn.
pub fn turn(contact: &str, seq: i64, text: &str) -> TurnRow {
    TurnRow {
        recording_id: format!("{contact}/agent"),
        contact_id: contact.to_owned(),
        leg: "agent".to_owned(),
        seq,
        start_ms: seq * 1000,
        end_ms: seq * 1000 + 900,
        text: text.to_owned(),
        confidence: Some(0.9),
        sentiment: Some(0.1),
        words: None,
        model: None,
        started_at: None,
        day: at(0).day(),
    }
}

/// Presence of an agent, available since the beginning.
pub fn agent_states_of(source: &str, agent: &str) -> Vec<AgentStateRow> {
    vec![AgentStateRow {
        agent_key: AgentStateRow::key_of(source, agent),
        source: source.to_owned(),
        ..state(agent, "presence", "", "available", "", 0, None)
    }]
}
