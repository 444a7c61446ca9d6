//! The agent event stream. Each event is a snapshot of an agent, beside the one before: his status
//! is his own and becomes a state of his; what changed of a contact he has (it rang, he took it, put
//! it on hold, was done with it) is the contact's. That there was an event is a sign of life: where
//! heartbeats come, a state lasts no longer than they do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use callboard_model::closing::SIGNS;
use callboard_model::ids::Key;
use callboard_model::record::{Provenance, Refusal, RouteKey, Routing, rank};
use callboard_model::statement::{F, Statement, Thing};
use callboard_model::time::SECOND;

use super::doc::{Doc, clip, plain, resource};
use super::words::{agent_state, channel as channel_word, dials, direction};
use super::{Read, alone, instance_source, missing};

/// Contacts of an agent's snapshot; he can have no more than a dozen.
const MOST_CONTACTS: usize = 100;

/// Signs of life are kept by the hour, microseconds.
const HOUR: i64 = 3_600 * SECOND;

/// Who says that an agent was heard of: any event as well as another. It is one for all of them,
/// since the names of the records would be most of what is kept of thirty heartbeats an hour.
static HEARD: LazyLock<Arc<Provenance>> = LazyLock::new(|| {
    Arc::new(Provenance {
        rank: rank::LIVE,
        recorded_at: None,
        sequence: 0,
        source: "".into(),
        id: "".into(),
        hash: 0,
    })
});

/// The agent's id.
fn agent_id(doc: Doc<'_>) -> Option<String> {
    let arn = doc.get("AgentARN").owned()?;
    Some(resource(&arn, "/agent/").to_owned())
}

/// States of the agent's own.
pub(super) fn route(read: &Read<'_>) -> Result<Routing, Refusal> {
    let doc = read.doc();
    let agent = agent_id(doc).ok_or_else(|| missing("AgentARN"))?;
    let at = doc.get("EventTimestamp").time();
    let by = read.live(at.map(|t| t.0));
    let mut out = Vec::new();
    let statuses = ["PreviousAgentSnapshot", "CurrentAgentSnapshot"]
        .map(|name| doc.get(name).get("AgentStatus"));
    for status in statuses {
        // Since when it is so stands in the status; when the event was says less.
        if let Some(since) = status.get("StartTimestamp").time() {
            out.push(point(status, since, &by));
        }
    }
    let [_, current] = statuses;
    if let Some((us, precision)) = at {
        let what = doc.get("EventType").word().unwrap_or_default();
        let state = state(current);
        if what == "LOGOUT" && state != "offline" {
            out.push(
                at_point(us, precision, &by)
                    .text(F::State, "offline")
                    .text(F::NativeState, "LOGOUT"),
            );
        } else if current.is_there() && !current.get("StartTimestamp").is_there() {
            out.push(point(current, (us, precision), &by));
        }
        if !out.is_empty() {
            out.push(sign(us, what == "HEART_BEAT"));
        }
    }
    let key = Key::Agent(instance_source(read.instance()), agent.as_str().into());
    Ok(Routing {
        keys: vec![RouteKey::Direct(key)],
        statements: Some(out),
        time: at.map(|t| t.0),
    })
}

fn state(status: Doc<'_>) -> &'static str {
    let kind = status.get("Type").word().unwrap_or_default();
    let name = status.get("Name").owned().unwrap_or_default();
    agent_state(&kind, &name)
}

fn at_point(us: i64, precision: u32, by: &Arc<Provenance>) -> Statement {
    let thing = Thing::AgentPoint("presence".into(), "".into(), us.to_string().into());
    Statement::new(thing, by).time(F::At, us, precision)
}

fn point(status: Doc<'_>, (us, precision): (i64, u32), by: &Arc<Provenance>) -> Statement {
    let name = status.get("Name").owned().unwrap_or_default();
    let state = state(status);
    // A break that he chose is told apart by its name.
    let reason = if state == "paused" { name.as_str() } else { "" };
    at_point(us, precision, by)
        .text(F::State, state)
        .text(F::NativeState, &name)
        .text(F::Reason, reason)
}

/// That something was heard of the agent then. A heartbeat comes two minutes after the last event, so
/// that silence tells something too.
fn sign(us: i64, is_beat: bool) -> Statement {
    let hour = us - us.rem_euclid(HOUR);
    let thing = Thing::AgentPoint(SIGNS.into(), "".into(), hour.to_string().into());
    Statement::new(thing, &HEARD)
        .time(F::At, us, 1)
        .flag(F::Attr(us.to_string().into()), is_beat)
}

/// Contacts that the event tells something new of.
pub(super) fn changed(doc: Doc<'_>) -> BTreeSet<String> {
    let before = contacts(doc.get("PreviousAgentSnapshot"));
    let now = contacts(doc.get("CurrentAgentSnapshot"));
    let stands = |of: &BTreeMap<String, Doc<'_>>, id: &str| {
        let contact = of.get(id)?;
        Some((
            contact.get("State").word(),
            contact.get("StateStartTimestamp").time(),
        ))
    };
    let all = before.keys().chain(now.keys());
    all.filter(|id| stands(&before, id) != stands(&now, id))
        .cloned()
        .collect()
}

fn contacts(snapshot: Doc<'_>) -> BTreeMap<String, Doc<'_>> {
    let list = snapshot.get("Contacts").list().take(MOST_CONTACTS);
    list.filter_map(|c| Some((plain(&c.get("ContactId").text()?), c)))
        .collect()
}

/// What an event says of one contact: the record's id ends with the contact's.
pub(super) fn route_contact(read: &Read<'_>) -> Result<Routing, Refusal> {
    let doc = read.doc();
    let agent = agent_id(doc).ok_or_else(|| missing("AgentARN"))?;
    let (_, id) = read
        .record
        .id
        .rsplit_once('/')
        .ok_or_else(|| missing("the contact in the record's id"))?;
    let at = doc.get("EventTimestamp").time();
    let by = read.live(at.map(|t| t.0));
    let before = contacts(doc.get("PreviousAgentSnapshot")).remove(id);
    let now = contacts(doc.get("CurrentAgentSnapshot")).remove(id);
    let change = Change {
        id,
        agent: &agent,
        before: Moment::of(before),
        now: Moment::of(now),
        any: now.or(before).unwrap_or(Doc::of(&serde_json::Value::Null)),
        at,
        by: &by,
    };
    Ok(alone(read.contact(id), at.map(|t| t.0), change.tell()))
}

/// In which state a contact is with the agent, and since when.
#[derive(Debug, Default)]
struct Moment {
    state: String,
    since: Option<(i64, u32)>,
}

impl Moment {
    fn of(contact: Option<Doc<'_>>) -> Moment {
        contact.map_or_else(Moment::default, |c| Moment {
            state: c.get("State").word().unwrap_or_default(),
            since: c.get("StateStartTimestamp").time(),
        })
    }
}

struct Change<'c> {
    id: &'c str,
    agent: &'c str,
    before: Moment,
    now: Moment,
    any: Doc<'c>,
    at: Option<(i64, u32)>,
    by: &'c Arc<Provenance>,
}

impl Change<'_> {
    fn tell(&self) -> Vec<Statement> {
        let method = self.any.get("InitiationMethod").word().unwrap_or_default();
        if method == "MONITOR" {
            return Vec::new(); // the contact's own records tell of it
        }
        let mut out = vec![self.contact(&method)];
        let dialled = dials(&method, "voice") && method != "API";
        for moment in [&self.before, &self.now] {
            let Some((start, precision)) = moment.since else {
                continue;
            };
            // What began last goes on; what was before ended when the next began.
            let end = if std::ptr::eq(moment, &self.before) {
                self.now.since.filter(|t| t.0 >= start).or(self.at)
            } else {
                None
            };
            let rings = match &*moment.state {
                "INCOMING" => true,
                "CONNECTING" => !dialled,
                _ => false,
            };
            let (what, s) = if rings {
                ("offer", self.offer(start, end.is_some()))
            } else if moment.state == "CONNECTED_ONHOLD" {
                ("hold", self.hold(start, end.is_some()))
            } else if moment.state == "ENDED" && self.connected().is_some() {
                ("wrapup", self.wrap_up(end.is_some()))
            } else {
                continue;
            };
            let mut s =
                s.text(F::Kind, what)
                    .text(F::Agent, self.agent)
                    .time(F::Start, start, precision);
            if let Some((us, p)) = end {
                s = s.time(F::End, us, p);
            }
            out.push(s);
        }
        out.extend(self.talk(dialled));
        out
    }

    /// What the contact is, in case nothing else tells.
    fn contact(&self, method: &str) -> Statement {
        let channel = self.any.get("Channel").word().unwrap_or_default();
        let channel = channel_word(&channel, "");
        let by = Arc::new(Provenance {
            rank: rank::INFERRED,
            ..(**self.by).clone()
        });
        Statement::new(Thing::Contact, &by)
            .text(F::Source, &instance_source_of(self.by))
            .text(F::Channel, channel)
            .text(F::Direction, direction(method, channel, ""))
    }

    /// When the agent was connected.
    fn connected(&self) -> Option<(i64, u32)> {
        self.any.get("ConnectedToAgentTimestamp").time()
    }

    fn segment(&self, id: String) -> Statement {
        let queue = self.any.at(&["Queue", "ARN"]).owned().unwrap_or_default();
        Statement::new(Thing::Segment(id.into()), self.by).text(
            F::Queue,
            if queue.is_empty() {
                ""
            } else {
                resource(&queue, "/queue/")
            },
        )
    }

    /// The id of something that one agent does several times in a contact.
    fn several(&self, what: &str, start: i64) -> String {
        format!("{}/{what}/{}@{start}", self.id, clip(self.agent))
    }

    fn offer(&self, start: i64, over: bool) -> Statement {
        let mut s = self.segment(self.several("offer", start));
        if self.any.get("QueueTimestamp").is_there() || self.any.get("Queue").is_there() {
            s = s.text(F::Parent, &format!("{}/queue", self.id));
        }
        if !over {
            return s;
        }
        let outcome = match &*self.now.state {
            "MISSED" => "no_answer",
            "REJECTED" => "declined",
            "ERROR" => "error",
            // It went away while it rang.
            "" => "caller_left",
            _ => "accepted",
        };
        s.text(F::Outcome, outcome)
            .text(F::RawOutcome, &self.now.state)
    }

    fn hold(&self, start: i64, over: bool) -> Statement {
        let s = self
            .segment(self.several("hold", start))
            .text(F::Parent, &format!("{}/talk", self.id));
        match (over, &*self.now.state) {
            (false, _) => s,
            (true, "CONNECTED") => s.text(F::Outcome, "resumed"),
            (true, _) => s.text(F::Outcome, "hangup"),
        }
    }

    /// No event says when wrap-up ended: the contact goes from the agent's list then.
    fn wrap_up(&self, over: bool) -> Statement {
        self.segment(format!("{}/wrapup", self.id))
            .text(F::Parent, &format!("{}/talk", self.id))
            .text(F::Outcome, if over { "completed" } else { "" })
    }

    /// The talk, where the customer was there when the agent was connected.
    fn talk(&self, dialled: bool) -> Option<Statement> {
        let (start, precision) = self.connected().filter(|_| !dialled)?;
        let s = self
            .segment(format!("{}/talk", self.id))
            .text(F::Kind, "talk")
            .text(F::Agent, self.agent)
            .time(F::Start, start, precision);
        let ended = [&self.now, &self.before]
            .into_iter()
            .find(|m| m.state == "ENDED");
        let end = ended.and_then(|m| m.since).or(match &*self.now.state {
            // Gone without wrap-up.
            "" => self.at,
            _ => None,
        });
        Some(match end {
            Some((us, p)) => s.time(F::End, us, p),
            None => s,
        })
    }
}

/// `/amazon-connect/INSTANCE` of a record's source.
fn instance_source_of(by: &Provenance) -> String {
    let end = by.source.rfind('/').unwrap_or(by.source.len());
    by.source.get(..end).unwrap_or("").to_owned()
}
