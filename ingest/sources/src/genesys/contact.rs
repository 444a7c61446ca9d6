//! What a conversation's records say together, and what follows from all of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use callboard_model::merge::{Facts, State};
use callboard_model::record::{Provenance, Record, rank};
use callboard_model::statement::{F, Statement, Thing};
use callboard_model::time::SECOND;
use serde_json::Value;

use super::{CONVERSATION, detail, event, words};

/// A hold as a record tells it and as a topic told it begin no further apart, microseconds.
const TOLERANCE: i64 = 2 * SECOND;

/// What was gathered of one conversation.
#[derive(Default)]
pub(super) struct Told {
    /// What the records say.
    pub out: Vec<Statement>,
    /// Holds that are going on, as topics show them: session, start, statement.
    pub live_holds: Vec<(String, i64, Statement)>,
    /// Holds of detail records: session and start.
    pub holds: Vec<(String, i64)>,
    /// Stays that left the queue by a flow.
    pub flow_outs: BTreeSet<String>,
}

pub(super) fn interpret(read: &[(&Record, Value)]) -> Vec<Statement> {
    let mut told = Told::default();
    for (record, v) in read {
        match &*record.format {
            CONVERSATION => detail::tell(record, v, &mut told),
            _ => event::tell(record, v, &mut told),
        }
    }
    let Told {
        mut out,
        live_holds,
        holds,
        flow_outs,
    } = told;
    let mut kept: Vec<(String, i64)> = holds;
    let mut live_holds = live_holds;
    live_holds.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    for (session, at, statement) in live_holds {
        let near = |h: &&(String, i64)| h.0 == session && (h.1 - at).abs() <= TOLERANCE;
        let same = kept.iter().find(near).map(|h| h.1);
        if same.is_none_or(|known| known == at) {
            out.push(statement);
            kept.push((session, at));
        }
    }
    if let Some(by) = inferred(&out) {
        conclude(&mut out, &by, &flow_outs);
    }
    out
}

/// Says what follows in the name of the least of the records.
fn inferred(out: &[Statement]) -> Option<Arc<Provenance>> {
    let least = out.iter().map(|s| &s.by).min_by(|a, b| a.tail_cmp(b))?;
    let mut by = (**least).clone();
    by.rank = rank::INFERRED;
    Some(Arc::new(by))
}

/// A part of the conversation, as far as conclusions need it.
struct Part {
    id: Arc<str>,
    kind: String,
    start: i64,
    end: Option<i64>,
    queue: Option<String>,
    agent: Option<String>,
    target: Option<String>,
    transferred: bool,
    serves: bool,
}

fn parts(state: &State) -> Vec<Part> {
    let part = |id: &Arc<str>, f: &Facts| {
        Some(Part {
            id: id.clone(),
            kind: f.owned(&F::Kind)?,
            start: f.time(&F::Start).or_else(|| f.time(&F::End))?.0,
            end: f.time(&F::End).map(|t| t.0),
            queue: f.owned(&F::Queue),
            agent: f.owned(&F::Agent),
            target: f.owned(&F::Target),
            transferred: f.text(&F::Outcome) == Some("transferred"),
            serves: !matches!(f.text(&F::Mode), Some("internal" | "outbound" | "consult")),
        })
    };
    let mut all: Vec<Part> = state
        .iter()
        .filter_map(|(thing, f)| match thing {
            Thing::Segment(id) => part(id, f),
            _ => None,
        })
        .collect();
    all.sort_by(|a, b| (a.start, &a.id).cmp(&(b.start, &b.id)));
    all
}

fn conclude(out: &mut Vec<Statement>, by: &Arc<Provenance>, flow_outs: &BTreeSet<String>) {
    let state = State::of(out.iter());
    let parts = parts(&state);
    for part in &parts {
        let about = Statement::new(Thing::Segment(part.id.clone()), by);
        match part.kind.as_str() {
            "offer" | "talk" if part.serves => {
                // The stay it came from: the last of its queue before it.
                let stay = parts.iter().rev().find(|q| {
                    q.kind == "queue"
                        && q.start <= part.start + TOLERANCE
                        && (part.queue.is_none() || q.queue.is_none() || q.queue == part.queue)
                });
                if let Some(stay) = stay {
                    let queue = stay.queue.as_deref().unwrap_or("");
                    out.push(about.text(F::Parent, &stay.id).text(F::Queue, queue));
                }
            }
            "queue" if flow_outs.contains(&*part.id) => {
                let after = parts.iter().find(|next| {
                    next.start >= part.end.unwrap_or(part.start)
                        && next.id != part.id
                        && matches!(
                            &*next.kind,
                            "queue" | "voicemail" | "callback" | "talk" | "menu"
                        )
                });
                let outcome = match after.map(|next| next.kind.as_str()) {
                    Some("voicemail") => "voicemail",
                    Some("callback") => "callback",
                    _ => "transferred",
                };
                out.push(about.text(F::Outcome, outcome));
            }
            _ => {}
        }
        if part.kind == "talk" && part.transferred {
            let about = Statement::new(Thing::Segment(part.id.clone()), by);
            out.push(target(about, part, &parts));
        }
    }
}

/// Where a transfer led: what began last while he still talked, or right after.
fn target(about: Statement, talk: &Part, parts: &[Part]) -> Statement {
    let until = talk.end.unwrap_or(talk.start) + 5 * SECOND;
    let next = parts.iter().rfind(|p| {
        p.id != talk.id
            && p.start > talk.start
            && p.start <= until
            && (p.agent.is_none() || p.agent != talk.agent)
            && matches!(
                &*p.kind,
                "queue" | "talk" | "offer" | "dial" | "voicemail" | "menu" | "bot"
            )
    });
    let Some(next) = next else { return about };
    let agent = next.agent.as_deref().unwrap_or("");
    // An offer or talk that comes from a queue entered by this transfer leads to that queue.
    let of_queue = parts.iter().rev().find(|p| {
        p.kind == "queue" && p.start > talk.start && p.start <= until && p.start <= next.start
    });
    match (next.kind.as_str(), of_queue) {
        ("queue", _) => about
            .text(F::TargetKind, "queue")
            .text(F::Target, next.queue.as_deref().unwrap_or("")),
        ("talk" | "offer", Some(stay)) => about
            .text(F::TargetKind, "queue")
            .text(F::Target, stay.queue.as_deref().unwrap_or("")),
        ("talk" | "offer", None) => about.text(F::TargetKind, "agent").text(F::Target, agent),
        ("dial", _) => about
            .text(F::TargetKind, "external")
            .text(F::Target, next.target.as_deref().unwrap_or("")),
        ("voicemail", _) => about.text(F::TargetKind, "shared_voicemail"),
        ("bot", _) => about.text(F::TargetKind, "bot"),
        _ => about.text(F::TargetKind, "voice_app"),
    }
}

/// The word that a bot's flow bears, else a menu's.
pub(super) fn flow_kind(flow_type: &str, purpose: &str) -> &'static str {
    let bot = |w: &str| w.to_ascii_lowercase().contains("bot");
    if bot(flow_type) || bot(purpose) {
        "bot"
    } else {
        "menu"
    }
}

/// Facts of a flow's end.
pub(super) fn flow_end(s: Statement, kind: &str, reason: &str) -> Statement {
    s.text(F::Outcome, words::flow_end(kind == "bot", reason))
        .text(F::RawOutcome, reason)
}
