//! TaskRouter: what a task's events say together.

mod whole;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use callboard_model::record::Provenance;
use callboard_model::statement::{F, Statement, Thing};

use super::fields::Fields;
use super::{Seen, attribute, legs, own};
use crate::payload::value::{as_text, path, tidy};

/// A talk with a worker, for what calls and conferences add.
#[derive(Debug, Clone)]
pub(super) struct Talk {
    pub id: String,
    pub worker: String,
    pub queue: String,
    pub start: i64,
    pub end: Option<i64>,
}

/// What tasks say, and what calls need to know of them.
#[derive(Default)]
pub(super) struct Told {
    pub out: Vec<Statement>,
    pub talks: Vec<Talk>,
    /// Legs of customers and of workers, by the tasks' attributes.
    pub customers: BTreeSet<String>,
    pub workers: BTreeSet<String>,
}

/// Ids that are one contact with this event: the task, the customer's call and conversation, the
/// conference and the workers' calls in it.
pub(super) fn ids(fields: &Fields) -> Vec<String> {
    let attributes = fields.json("taskattributes");
    let (customer, workers) = legs(&attributes);
    let of = |names: &[&str]| {
        path(&attributes, names)
            .and_then(as_text)
            .unwrap_or_default()
    };
    let conference = of(&["conference", "sid"]);
    let conversation = of(&["conversations", "conversation_id"]);
    let mut all = vec![fields.get("tasksid"), &conference, &conversation];
    all.extend(customer.iter().chain(&workers).map(String::as_str));
    match fields.get("tasksid") {
        "" => Vec::new(),
        _ => own(&all),
    }
}

/// Which of two events of one second came first, by what causes what.
fn cause(kind: &str) -> u8 {
    match kind {
        "task.created" => 0,
        "workflow.entered" => 1,
        "task-queue.timeout" | "task-queue.moved" | "workflow.target-matched" => 2,
        "task-queue.entered" => 3,
        "reservation.created" => 4,
        "reservation.rejected"
        | "reservation.timeout"
        | "reservation.rescinded"
        | "reservation.canceled"
        | "reservation.failed" => 5,
        "task.transfer-initiated" => 5,
        "reservation.accepted" => 6,
        "reservation.wrapup" | "task.wrapup" | "workflow.timeout" => 8,
        "task.transfer-completed" => 8,
        "reservation.completed" => 9,
        "task.completed" | "task.canceled" => 10,
        "task.deleted" | "task.system-deleted" => 11,
        _ => 7,
    }
}

pub(super) fn tell(mut seen: Vec<Seen>) -> Told {
    seen.sort_by(|a, b| {
        let key = |s: &Seen| (s.at.0, cause(s.fields.get("eventtype")));
        key(a).cmp(&key(b)).then_with(|| a.by.tail_cmp(&b.by))
    });
    let mut told = Told::default();
    let mut tasks: BTreeMap<&str, Walk> = BTreeMap::new();
    for event in &seen {
        whole::contact(event, &mut told);
        let sid = event.fields.get("tasksid");
        let walk = tasks.entry(sid).or_insert_with(|| Walk::new(sid));
        walk.step(event, &mut told.out);
    }
    for walk in tasks.into_values() {
        told.talks.extend(walk.talks.into_values());
    }
    told
}

/// A stay that goes on.
struct Stay {
    id: String,
    queue: String,
    timed_out: bool,
}

/// Goes through a task's events.
struct Walk {
    task: String,
    stay: Option<Stay>,
    /// The last stay, from which reservations come.
    last: Option<Stay>,
    talks: BTreeMap<String, Talk>,
    wrapping: BTreeSet<String>,
}

impl Walk {
    fn new(task: &str) -> Self {
        Walk {
            task: task.to_owned(),
            stay: None,
            last: None,
            talks: BTreeMap::new(),
            wrapping: BTreeSet::new(),
        }
    }

    fn step(&mut self, event: &Seen, out: &mut Vec<Statement>) {
        let f = &event.fields;
        let kind = f.get("eventtype");
        match kind {
            "task-queue.entered" => {
                self.leave(event, "", kind, out);
                self.enter(event, out);
            }
            "task-queue.timeout" => {
                if let Some(stay) = &mut self.stay {
                    stay.timed_out = true;
                }
            }
            "task-queue.moved" => {
                let left = f.get("taskqueuesid");
                // With a queue named, it is the one that was left.
                let of = self
                    .stay
                    .as_ref()
                    .map(|s| s.queue.clone())
                    .unwrap_or_default();
                if left.is_empty() || of == queue(f) {
                    self.leave(event, "", kind, out);
                }
            }
            "workflow.timeout" => self.leave(event, "timeout", kind, out),
            "task.canceled" => {
                let reason = f.get("taskcanceledreason");
                let outcome = if reason.to_ascii_lowercase().contains("timeout") {
                    "timeout"
                } else {
                    "abandoned"
                };
                self.leave(
                    event,
                    outcome,
                    if reason.is_empty() { kind } else { reason },
                    out,
                );
                self.end_all(event, out);
            }
            "task.deleted" | "task.system-deleted" => {
                self.leave(event, "withdrawn", kind, out);
                self.end_all(event, out);
            }
            "task.wrapup" => self.wrap_up(event, None, out),
            "task.completed" => self.end_all(event, out),
            "task.transfer-completed" | "task.transfer-initiated" => self.transfer(event, out),
            _ if kind.starts_with("reservation.") => self.reservation(event, kind, out),
            _ => {}
        }
    }

    fn enter(&mut self, event: &Seen, out: &mut Vec<Statement>) {
        let queue = queue(&event.fields).to_owned();
        let (us, p) = event.at;
        let id = format!("queue/{}/{us}/{queue}", self.task);
        out.push(
            about(&id, &event.by, "queue")
                .text(F::Queue, &tidy(&queue))
                .time(F::Start, us, p),
        );
        self.stay = Some(Stay {
            id,
            queue,
            timed_out: false,
        });
    }

    /// The stay ends. Without a word for it, it went on to another queue, by its timeout or moved.
    fn leave(&mut self, event: &Seen, outcome: &str, raw: &str, out: &mut Vec<Statement>) {
        let Some(stay) = self.stay.take() else { return };
        let outcome = match outcome {
            "" if stay.timed_out => "timeout",
            "" => "transferred",
            word => word,
        };
        let raw = if stay.timed_out && outcome == "timeout" {
            "task-queue.timeout"
        } else {
            raw
        };
        let (us, p) = event.at;
        let mut said = about(&stay.id, &event.by, "queue")
            .time(F::End, us, p)
            .text(F::Outcome, outcome)
            .text(F::RawOutcome, &tidy(raw));
        if outcome == "abandoned" {
            said = said.text(F::EndedBy, "customer");
        }
        out.push(said);
        self.last = Some(stay);
    }

    fn from(&self) -> (&str, &str) {
        let stay = self.stay.as_ref().or(self.last.as_ref());
        stay.map_or(("", ""), |s| (&s.id, &s.queue))
    }

    fn reservation(&mut self, event: &Seen, kind: &str, out: &mut Vec<Statement>) {
        let f = &event.fields;
        let sid = f.get("reservationsid").to_owned();
        if sid.is_empty() {
            return;
        }
        let worker = f.first(&["workername", "workersid"]).to_owned();
        let (us, p) = event.at;
        let named = queue(f);
        let (parent, from) = self.from();
        let of = if named.is_empty() { from } else { named };
        let offer = about(&format!("offer/{sid}"), &event.by, "offer")
            .text(F::Agent, &tidy(&worker))
            .text(F::Queue, &tidy(of))
            .text(F::Parent, parent);
        let over = |outcome: &str| {
            offer
                .clone()
                .time(F::End, us, p)
                .text(F::Outcome, outcome)
                .text(F::RawOutcome, kind)
        };
        match kind {
            "reservation.created" => out.push(offer.time(F::Start, us, p)),
            "reservation.rejected" => out.push(over("declined")),
            "reservation.timeout" => out.push(over("no_answer")),
            "reservation.canceled" => out.push(over("caller_left")),
            "reservation.rescinded" => out.push(over("taken_elsewhere")),
            "reservation.failed" => out.push(over("error")),
            "reservation.accepted" => {
                out.push(over("accepted"));
                let id = format!("talk/{sid}");
                let attributes = f.json("taskattributes");
                let outbound = attribute(&attributes, &["direction"]).starts_with("outbound");
                out.push(
                    about(&id, &event.by, "talk")
                        .text(F::Agent, &tidy(&worker))
                        .text(F::Queue, &tidy(of))
                        .text(F::Parent, parent)
                        .text(F::Mode, if outbound { "outbound" } else { "serve" })
                        .time(F::Start, us, p),
                );
                let talk = Talk {
                    id,
                    worker,
                    queue: of.to_owned(),
                    start: us,
                    end: None,
                };
                self.talks.insert(sid, talk);
                self.leave(event, "answered", kind, out);
            }
            "reservation.wrapup" => self.wrap_up(event, Some(&sid), out),
            "reservation.completed" => self.end(event, &sid, out),
            _ => {}
        }
    }

    /// The talk is over and its wrap-up begins; of the whole task, that of every talk.
    fn wrap_up(&mut self, event: &Seen, only: Option<&str>, out: &mut Vec<Statement>) {
        let (us, p) = event.at;
        let of: Vec<String> = match only {
            Some(sid) => vec![sid.to_owned()],
            None => self.talks.keys().cloned().collect(),
        };
        for sid in of {
            if self.wrapping.contains(&sid) || self.talks.get(&sid).is_some_and(|t| t.end.is_some())
            {
                continue;
            }
            let (worker, queue) = match self.talks.get(&sid) {
                Some(talk) => (talk.worker.clone(), talk.queue.clone()),
                None => {
                    let worker = event.fields.first(&["workername", "workersid"]);
                    (worker.to_owned(), queue(&event.fields).to_owned())
                }
            };
            self.hang_up(event, &sid, out);
            self.wrapping.insert(sid.clone());
            out.push(
                about(&format!("wrapup/{sid}"), &event.by, "wrapup")
                    .text(F::Agent, &tidy(&worker))
                    .text(F::Queue, &tidy(&queue))
                    .text(F::Parent, &format!("talk/{sid}"))
                    .time(F::Start, us, p),
            );
        }
    }

    fn hang_up(&mut self, event: &Seen, sid: &str, out: &mut Vec<Statement>) {
        let Some(talk) = self.talks.get_mut(sid).filter(|t| t.end.is_none()) else {
            return;
        };
        let (us, p) = event.at;
        talk.end = Some(us);
        out.push(about(&talk.id, &event.by, "talk").time(F::End, us, p));
    }

    /// A reservation is over: its wrap-up, or its talk where none was told.
    fn end(&mut self, event: &Seen, sid: &str, out: &mut Vec<Statement>) {
        let (us, p) = event.at;
        self.hang_up(event, sid, out);
        if self.wrapping.remove(sid) {
            let attributes = event.fields.json("taskattributes");
            let code = path(&attributes, &["conversations", "outcome"]).and_then(as_text);
            out.push(
                about(&format!("wrapup/{sid}"), &event.by, "wrapup")
                    .time(F::End, us, p)
                    .text(F::Outcome, "completed")
                    .text(F::Reason, &code.unwrap_or_default()),
            );
        }
    }

    fn end_all(&mut self, event: &Seen, out: &mut Vec<Statement>) {
        let all: Vec<String> = self.talks.keys().cloned().collect();
        for sid in all.into_iter().chain(self.wrapping.clone()) {
            self.end(event, &sid, out);
        }
    }

    /// Who hands on is told by the reservation that began it.
    fn transfer(&mut self, event: &Seen, out: &mut Vec<Statement>) {
        let f = &event.fields;
        let sid = f.first(&[
            "transferinitiatingreservationsid",
            "initiatingreservationsid",
            "reservationsid",
        ]);
        let Some(talk) = self.talks.get(sid) else {
            return;
        };
        let to = f.get("transferto");
        let kind = match f.get("transfertype").to_ascii_uppercase().as_str() {
            "QUEUE" => "queue",
            "WORKER" => "agent",
            _ if to.starts_with("WQ") => "queue",
            _ if to.starts_with("WK") => "agent",
            _ => "",
        };
        let said = about(&talk.id, &event.by, "talk")
            .text(F::TargetKind, kind)
            .text(F::Target, &tidy(to));
        out.push(match f.get("eventtype") {
            "task.transfer-completed" => said.text(F::Outcome, "transferred").text(
                F::RawOutcome,
                &tidy(f.first(&["transfermode", "transferstatus"])),
            ),
            _ => said,
        });
    }
}

fn queue(f: &Fields) -> &str {
    f.first(&["taskqueuename", "taskqueuesid"])
}

fn about(id: &str, by: &Arc<Provenance>, kind: &str) -> Statement {
    Statement::new(Thing::Segment(id.into()), by).text(F::Kind, kind)
}
