//! Job Router: queue stays, offers, talks and wrap-up of the jobs of a contact.

use std::collections::BTreeMap;

use callboard_model::statement::{F, Value};

use self::words::{describe, hinted};
use super::Event;
use super::ids::text;
use super::parts::{About, Part, When};

mod words;

/// A revoked offer belongs to a cancelled job when both lie no further apart, microseconds.
const TOGETHER: i64 = 5_000_000;

/// The jobs of a contact.
#[derive(Debug, Default)]
pub struct Jobs {
    /// Queue stays, offers and wrap-ups.
    pub parts: Vec<Part>,
    /// Talks, in order of their starts.
    pub talks: Vec<Part>,
    /// When the last job was done, unless one is still open.
    pub end: Option<When>,
    /// Whether there is any.
    pub any: bool,
}

/// One job being read.
#[derive(Debug, Default)]
struct Job {
    id: String,
    stays: Vec<Part>,
    offers: BTreeMap<String, Part>,
    talks: Vec<Part>,
    wraps: Vec<Part>,
    /// A rule that struck in the stay that is open: its key.
    exception: Option<String>,
    /// The last stay was concluded from an offer, its beginning was not told.
    inferred: bool,
    received: Option<When>,
    cancelled: Option<When>,
    over: Option<When>,
}

/// Reads the events of Job Router among a contact's.
pub fn read(events: &[Event], about: &mut About) -> Jobs {
    let mut jobs: BTreeMap<String, Job> = BTreeMap::new();
    for event in events.iter().filter(|e| e.kind.starts_with("Router")) {
        let id = event.data().text("jobId");
        let job = jobs.entry(id.clone()).or_insert_with(|| Job {
            id,
            ..Job::default()
        });
        describe(event, about);
        job.take(event);
    }
    let mut all = Jobs {
        any: !jobs.is_empty(),
        ..Jobs::default()
    };
    let mut open = false;
    for mut job in jobs.into_values() {
        job.finish();
        open |= job.over.is_none();
        all.end = match (all.end.take(), job.over) {
            (Some(a), Some(b)) => Some(When::max(a, b)),
            (a, b) => a.or(b),
        };
        all.parts.extend(job.stays);
        all.parts.extend(job.offers.into_values());
        all.parts.extend(job.wraps);
        all.talks.extend(job.talks);
    }
    if open {
        all.end = None;
    }
    let start = |p: &Part| p.start.as_ref().map_or(i64::MAX, |w| w.at);
    all.talks
        .sort_by(|a, b| (start(a), &a.id).cmp(&(start(b), &b.id)));
    all
}

impl Job {
    fn open_stay(&mut self) -> Option<&mut Part> {
        self.stays.last_mut().filter(|s| s.end.is_none())
    }

    fn open_talk(&mut self, assignment: &str, worker: &str) -> Option<&mut Part> {
        let id = talk_id(&self.id, assignment, worker);
        let mut open: Vec<&mut Part> = self.talks.iter_mut().filter(|t| t.end.is_none()).collect();
        let at = open.iter().position(|t| t.id == id);
        // Closing events of some examples name no assignment.
        let at = at.or(if assignment.is_empty() {
            open.len().checked_sub(1)
        } else {
            None
        })?;
        Some(open.swap_remove(at))
    }

    fn take(&mut self, event: &Event) {
        let d = event.data();
        let (when, queue) = (&event.when, d.text("queueId"));
        let (assignment, worker) = (d.text("assignmentId"), d.text("workerId"));
        match event.kind.as_str() {
            "RouterJobReceived" => self.received = Some(when.clone()),
            "RouterJobQueued" => self.enter(&queue, when),
            "RouterJobExceptionTriggered" => {
                let rule = d.first(&["ruleKey", "exceptionRuleId"]).as_text();
                self.exception = Some(rule);
            }
            "RouterWorkerOfferIssued" => self.offer(event, &queue, &worker),
            "RouterWorkerOfferAccepted" => {
                self.infer_stay(&queue, when);
                self.answer(event, &queue, &worker, &assignment);
            }
            "RouterWorkerOfferDeclined" => self.offer_ends(event, &queue, &worker, "declined"),
            "RouterWorkerOfferExpired" => self.offer_ends(event, &queue, &worker, "no_answer"),
            "RouterWorkerOfferRevoked" => {
                self.offer_ends(event, &queue, &worker, "taken_elsewhere");
            }
            "RouterJobUnassigned" => {
                if let Some(talk) = self.open_talk(&assignment, &worker) {
                    talk.end = Some(when.clone());
                    talk.text(F::Outcome, "left")
                        .text(F::RawOutcome, &event.kind);
                }
            }
            "RouterJobCompleted" => {
                if let Some(talk) = self.open_talk(&assignment, &worker) {
                    talk.end = Some(when.clone());
                    talk.text(F::Outcome, "completed");
                    let wrap = wrap_of(talk, when);
                    self.wraps.push(wrap);
                }
                self.over = Some(when.clone());
            }
            "RouterJobClosed" => self.close(event, &assignment, &worker),
            "RouterJobCancelled" => {
                self.cancelled = Some(when.clone());
                self.leave(
                    when,
                    &d.text("dispositionCode"),
                    &d.text("note"),
                    &event.kind,
                );
            }
            "RouterJobSchedulingFailed" | "RouterJobDeleted" => {
                self.leave(when, "", &d.text("failureReason"), &event.kind);
            }
            _ => {}
        }
    }

    /// The job enters a queue. Told once more without having left it, that changes nothing; told a
    /// little late, it tells when the stay began that an offer had shown.
    fn enter(&mut self, queue: &str, when: &When) {
        let inferred = std::mem::take(&mut self.inferred);
        let ruled = self.exception.is_some();
        if let Some(stay) = self.stays.last_mut().filter(|s| s.get(&F::Queue) == queue) {
            let late = stay.end.as_ref().is_none_or(|e| when.at - e.at <= TOGETHER);
            if inferred && late {
                let begun = stay
                    .end
                    .clone()
                    .map_or_else(|| when.clone(), |e| When::min(e, when.clone()));
                stay.start = Some(begun);
                return;
            }
            if stay.end.is_none() && !ruled {
                return;
            }
        }
        let rule = self.exception.take();
        if let Some(stay) = self.open_stay() {
            stay.end = Some(when.clone());
            stay.text(F::TargetKind, "queue").text(F::Target, queue);
            let hint = rule.as_deref().and_then(hinted);
            stay.text(F::Outcome, hint.unwrap_or("transferred"));
            if let Some(rule) = rule {
                stay.text(
                    F::RawOutcome,
                    &format!("RouterJobExceptionTriggered {rule}"),
                );
            }
        }
        // Who talked before has handed the job on.
        if let Some(talk) = self
            .talks
            .last_mut()
            .filter(|t| !t.get(&F::Outcome).is_empty())
        {
            if talk.get(&F::Outcome) == "left" {
                talk.text(F::Outcome, "transferred");
            }
            if talk.get(&F::Outcome) == "transferred" {
                talk.text(F::TargetKind, "queue").text(F::Target, queue);
            }
        }
        self.stays
            .push(stay(&self.id, self.stays.len(), queue, when));
        self.over = None;
    }

    /// An offer or an answer in a queue of which no entry was told.
    fn infer_stay(&mut self, queue: &str, when: &When) {
        if self.open_stay().is_some() {
            return;
        }
        let begun = match (&self.received, self.stays.is_empty()) {
            (Some(received), true) if received.at <= when.at => {
                received.told((received.at, received.precision))
            }
            _ => when.clone(),
        };
        self.stays
            .push(stay(&self.id, self.stays.len(), queue, &begun.guess()));
        self.inferred = true;
    }

    fn offer(&mut self, event: &Event, queue: &str, worker: &str) {
        let d = event.data();
        let offered = d.time("offeredOn").map(|t| event.when.told(t));
        let offered = offered.unwrap_or_else(|| event.when.clone());
        let key = d.text("offerId");
        if self.offers.get(&key).is_none_or(|o| o.end.is_none()) {
            self.infer_stay(queue, &event.when);
        }
        let offer = self.offer_of(&key, queue, worker, &event.when);
        offer.start = Some(offered);
    }

    fn offer_of(&mut self, key: &str, queue: &str, worker: &str, when: &When) -> &mut Part {
        let parent = self.stays.last().map_or(String::new(), |s| s.id.clone());
        let id = format!("{}/offer/{key}", self.id);
        let offer = self
            .offers
            .entry(key.to_owned())
            .or_insert_with(|| Part::new(id, "offer", when));
        if offer.get(&F::Parent).is_empty() {
            offer.text(F::Parent, &parent);
        }
        offer.text(F::Queue, queue).text(F::Agent, worker);
        offer
    }

    fn offer_ends(&mut self, event: &Event, queue: &str, worker: &str, outcome: &str) {
        let key = event.data().text("offerId");
        let offer = self.offer_of(&key, queue, worker, &event.when);
        offer.end = Some(event.when.clone());
        offer
            .text(F::Outcome, outcome)
            .text(F::RawOutcome, &event.kind);
    }

    fn answer(&mut self, event: &Event, queue: &str, worker: &str, assignment: &str) {
        let when = &event.when;
        self.offer_ends(event, queue, worker, "accepted");
        let key = event.data().text("offerId");
        let rung = self.offers.get(&key).and_then(|o| o.start.clone());
        let mut parent = String::new();
        if let Some(stay) = self.open_stay() {
            stay.end = Some(when.clone());
            stay.text(F::Outcome, "answered")
                .text(F::RawOutcome, &event.kind);
            parent = stay.id.clone();
        }
        self.exception = None;
        let mut talk = Part::new(talk_id(&self.id, assignment, worker), "talk", when);
        talk.start = Some(when.clone());
        talk.text(F::Queue, queue)
            .text(F::Agent, worker)
            .text(F::Parent, &parent)
            .text(F::Mode, "serve");
        if let Some(rung) = rung.filter(|r| r.at <= when.at) {
            let ms = (when.at - rung.at) / 1_000;
            talk.set(F::Ring, Value::Millis(ms, 1_000));
        }
        self.talks.push(talk);
        self.over = None;
    }

    fn close(&mut self, event: &Event, assignment: &str, worker: &str) {
        let when = &event.when;
        // Closed without having been completed: the talk ended by then at the latest.
        if let Some(talk) = self.open_talk(assignment, worker) {
            talk.end = Some(when.guess());
            talk.text(F::Outcome, "completed");
        }
        self.over.get_or_insert_with(|| when.clone());
        let disposition = event.data().text("dispositionCode");
        let id = wrap_id(&talk_id(&self.id, assignment, worker));
        let mut open: Vec<&mut Part> = self.wraps.iter_mut().filter(|w| w.end.is_none()).collect();
        let named = open.iter().position(|w| w.id == id);
        let at = named.or(if assignment.is_empty() {
            open.len().checked_sub(1)
        } else {
            None
        });
        if let Some(at) = at {
            let wrap = open.swap_remove(at);
            wrap.end = Some(when.clone());
            wrap.text(F::Outcome, "completed")
                .text(F::Reason, &disposition);
        }
    }

    /// The job is over without having been completed.
    fn leave(&mut self, when: &When, disposition: &str, note: &str, kind: &str) {
        let rule = self.exception.take();
        let raw = [disposition, note, kind];
        let raw = raw.iter().find(|t| !t.is_empty()).copied().unwrap_or(kind);
        if let Some(stay) = self.open_stay() {
            stay.end = Some(when.clone());
            let told = hinted(disposition).or_else(|| hinted(note));
            let ruled = rule.as_deref().map(|r| hinted(r).unwrap_or("withdrawn"));
            let other = match kind {
                "RouterJobSchedulingFailed" => "error",
                _ => "withdrawn",
            };
            stay.text(F::Outcome, told.or(ruled).unwrap_or(other))
                .text(F::RawOutcome, raw);
            if rule.is_some() {
                stay.text(F::TargetKind, "disconnect");
            }
        }
        for talk in self.talks.iter_mut().filter(|t| t.end.is_none()) {
            talk.end = Some(when.clone());
            talk.text(F::Outcome, "completed").text(F::RawOutcome, raw);
        }
        if self.over.is_none() {
            self.over = Some(when.clone());
        }
    }

    fn finish(&mut self) {
        let answered = !self.talks.is_empty();
        for offer in self.offers.values_mut() {
            let revoked = offer.get(&F::RawOutcome) == "RouterWorkerOfferRevoked";
            let cancelled = match (&self.cancelled, &offer.end) {
                (Some(c), Some(end)) => (c.at - end.at).abs() <= TOGETHER,
                _ => false,
            };
            if revoked && cancelled && !answered {
                offer.text(F::Outcome, "caller_left");
            }
        }
    }
}

fn stay(job: &str, before: usize, queue: &str, when: &When) -> Part {
    let mut stay = Part::new(format!("{job}/queue/{}", before + 1), "queue", when);
    stay.start = Some(when.clone());
    stay.set(F::Queue, text(queue));
    if queue.is_empty() {
        stay.drop_fact(&F::Queue);
    }
    stay
}

fn talk_id(job: &str, assignment: &str, worker: &str) -> String {
    let of = if assignment.is_empty() {
        worker
    } else {
        assignment
    };
    format!("{job}/talk/{of}")
}

fn wrap_id(talk: &str) -> String {
    format!("{talk}/wrapup")
}

fn wrap_of(talk: &Part, when: &When) -> Part {
    let mut wrap = Part::new(wrap_id(&talk.id), "wrapup", when);
    wrap.start = Some(when.clone());
    wrap.text(F::Parent, &talk.id)
        .text(F::Queue, talk.get(&F::Queue))
        .text(F::Agent, talk.get(&F::Agent));
    wrap
}
