//! The parts of one leg: its time in flows, its stay in a queue, dialling, the talk, wrap-up, or the
//! listening of a supervisor.

use callboard_model::statement::{F, Statement, Thing};

use super::super::doc::Doc;
use super::super::leg::{Leg, Moment, agent, queue};
use super::super::words::{dialled, dials, dropped, ended_by, left_flow, left_queue};
use super::chain::{Call, Chain};
use super::target::Target;

/// A record states whole seconds, microseconds.
const WHOLE: u32 = 1_000_000;

type At = Option<(i64, u32)>;

/// States the parts of a leg.
pub(super) fn tell(chain: &Chain<'_>, leg: &Leg, out: &mut Vec<Statement>) {
    if leg.method() == "MONITOR" {
        out.extend(monitor(leg));
        return;
    }
    let part = Part {
        chain,
        leg,
        method: leg.method(),
        reason: leg.reason(),
        dials: dials(&leg.method(), channel(leg)),
    };
    out.extend(part.flow());
    out.extend(part.queue());
    out.extend(part.dial());
    out.extend(part.talk());
    out.extend(part.wrap_up());
}

fn channel(leg: &Leg) -> &'static str {
    super::own::channel(leg)
}

fn times(s: Statement, start: At, end: At) -> Statement {
    let s = match start {
        Some((us, p)) => s.time(F::Start, us, p),
        None => s,
    };
    match end {
        Some((us, p)) => s.time(F::End, us, p),
        None => s,
    }
}

/// A time; where another moment lies within its precision and is finer, that.
fn finer(time: At, other: At) -> At {
    let (us, precision) = time?;
    let within = us..us + i64::from(precision);
    other
        .filter(|(at, fine)| *fine < precision && within.contains(at))
        .or(time)
}

fn statement(leg: &Leg, what: &str) -> Option<Statement> {
    let thing = Thing::Segment(format!("{}/{what}", leg.id).into());
    Some(Statement::new(thing, leg.by()?))
}

/// A supervisor who listened, or spoke in between.
fn monitor(leg: &Leg) -> Option<Statement> {
    let barged = leg.find(|d| {
        let states = [agent(d).get("StateTransitions"), d.get("StateTransitions")];
        let found = states.into_iter().flat_map(Doc::list);
        let mut words = found.filter_map(|s| s.get("state").word());
        words.find(|w| w == "BARGE")
    });
    let mode = if barged.is_some() { "barge" } else { "listen" };
    let start = leg
        .time(Moment::ConnectedToAgent)
        .or(leg.time(Moment::Initiated));
    let end = leg.time(Moment::Disconnected);
    let talk = leg.previous().map(|p| format!("{p}/talk"));
    let s = statement(leg, "monitor")?
        .text(F::Kind, "monitor")
        .text(F::Agent, &leg.agent().unwrap_or_default())
        .text(F::Parent, &talk.unwrap_or_default())
        .text(F::Mode, mode)
        .text(F::Outcome, if end.is_some() { "ended" } else { "" });
    Some(times(s, start, end))
}

struct Part<'c> {
    chain: &'c Chain<'c>,
    leg: &'c Leg,
    method: String,
    reason: String,
    dials: bool,
}

impl Part<'_> {
    fn time(&self, moment: Moment) -> At {
        self.leg.time(moment)
    }

    fn has(&self, moment: Moment) -> bool {
        self.leg.at(moment).is_some()
    }

    fn queue_name(&self) -> String {
        self.leg.queue().unwrap_or_default()
    }

    fn agent_name(&self) -> String {
        self.leg.agent().unwrap_or_default()
    }

    /// From when it is in the hands of a flow until it enters a queue, is led on, or ends.
    fn flow(&self) -> Option<Statement> {
        let start = match &*self.method {
            "INBOUND" => self.time(Moment::Initiated),
            "API" if self.dials => self.time(Moment::ConnectedToSystem),
            "TRANSFER" | "QUEUE_TRANSFER" | "API" | "WEBRTC_API" | "DISCONNECT" | "FLOW" => {
                let initiated = self.time(Moment::Initiated);
                finer(self.time(Moment::ConnectedToSystem), initiated).or(initiated)
            }
            _ => None,
        }?;
        let served = self.has(Moment::Enqueued) || self.has(Moment::ConnectedToAgent);
        let end = self
            .time(Moment::Enqueued)
            .or(self.time(Moment::ConnectedToAgent))
            .or(self.time(Moment::TransferCompleted))
            .or(self.time(Moment::Disconnected));
        if end.is_some_and(|(end, _)| end <= start.0) {
            return None;
        }
        let bot = self.leg.find(|d| {
            let count = d.at(&["ChatMetrics", "ContactMetrics", "TotalBotMessages"]);
            count.int().filter(|n| *n > 0)
        });
        let (onward, target) = self.led_on();
        let outcome = match (end, served || onward == Some("callback")) {
            (None, _) => "",
            (_, true) => "selected",
            _ if onward.is_some() => "transferred",
            _ => left_flow(&self.reason),
        };
        let (kind, outcome) = match (bot, outcome) {
            (None, o) => ("menu", o),
            (Some(_), "selected") if served => ("bot", "escalated"),
            (Some(_), "transferred") => ("bot", "escalated"),
            (Some(_), "selected") => ("bot", "contained"),
            (Some(_), o) => ("bot", o),
        };
        let mut s = statement(self.leg, "flow")?
            .text(F::Kind, kind)
            .text(F::Outcome, outcome);
        if !served && end.is_some() {
            s = s.text(F::RawOutcome, &self.reason);
            s = target.on(s);
        }
        Some(times(s, Some(start), end))
    }

    /// The stay in the queue.
    fn queue(&self) -> Option<Statement> {
        let start = self.time(Moment::Enqueued)?;
        let answered = self.time(Moment::ConnectedToAgent);
        let end = finer(self.time(Moment::Dequeued), answered)
            .or(answered)
            .or(self.time(Moment::TransferCompleted))
            .or(self.time(Moment::Disconnected));
        let mut s = statement(self.leg, "queue")?
            .text(F::Kind, "queue")
            .text(F::Queue, &self.queue_name());
        if end.is_some() {
            let (onward, target) = self.led_on();
            let outcome = match (answered, onward) {
                (Some(_), _) => "answered",
                (None, Some(outcome)) => outcome,
                (None, None) => left_queue(&self.reason),
            };
            s = s.text(F::Outcome, outcome);
            if answered.is_none() {
                s = target.on(s.text(F::RawOutcome, &self.reason));
            }
            // A callback's own figure contains the delay before it was due.
            let waited = self.leg.find(|d| queue(d).get("Duration").seconds());
            if let Some(ms) = waited.filter(|_| !self.method.starts_with("CALLBACK")) {
                s = s.millis(F::Duration, ms, WHOLE);
            }
        }
        Some(times(s, Some(start), end))
    }

    /// Where it was led without an agent: the word for a stay in a queue, and the target.
    fn led_on(&self) -> (Option<&'static str>, Target) {
        if self.has(Moment::ConnectedToAgent) {
            return (None, Target::default());
        }
        if let Some(child) = self.chain.children(self.leg).last() {
            return (Some("transferred"), Target::of(child));
        }
        if self.chain.callback(self.leg).is_some() {
            return (Some("callback"), Target::default());
        }
        if self.has(Moment::TransferCompleted) {
            return (Some("transferred"), Target::stated(self.leg));
        }
        match self.leg.text("NextContactId") {
            Some(_) if self.reason == "CONTACT_FLOW_DISCONNECT" => {
                (Some("callback"), Target::default())
            }
            Some(_) => (Some("transferred"), Target::default()),
            None => (None, Target::default()),
        }
    }

    /// Dialling a customer, or somebody outside.
    fn dial(&self) -> Option<Statement> {
        if !self.dials {
            return None;
        }
        let start = match &*self.method {
            // The agent comes first, then the customer is dialled.
            "CALLBACK" => self.time(Moment::ConnectedToAgent),
            _ => self
                .time(Moment::RingStarted)
                .or(self.time(Moment::Initiated)),
        }?;
        let reached = self
            .time(Moment::ConnectedToSystem)
            .filter(|(us, p)| us + i64::from(*p) > start.0);
        let end = reached.or(self.time(Moment::Disconnected));
        let heard = self.leg.word("AnsweringMachineDetectionStatus");
        let outcome = match end {
            Some(_) => {
                let reached = reached.is_some() || self.spoke();
                dialled(reached, &self.reason, &heard.clone().unwrap_or_default())
            }
            None => "",
        };
        let raw = heard.unwrap_or_else(|| self.reason.clone());
        let number = self
            .leg
            .stands(|d| d.at(&["CustomerEndpoint", "Address"]).owned());
        let campaign = self.leg.find(|d| d.at(&["Campaign", "CampaignId"]).owned());
        let mut s = statement(self.leg, "dial")?
            .text(F::Kind, "dial")
            .text(F::Outcome, outcome)
            .text(F::RawOutcome, if end.is_some() { &raw } else { "" })
            .text(F::Name, &campaign.unwrap_or_default())
            .text(F::TargetKind, "external")
            .text(F::Target, &number.unwrap_or_default());
        if matches!(&*self.method, "OUTBOUND" | "CALLBACK" | "CAMPAIGN_PREVIEW") {
            s = s.text(F::Agent, &self.agent_name());
        }
        Some(times(s, Some(start), end))
    }

    /// Whether a customer who was dialled spoke with anybody, where nothing says when he answered.
    fn spoke(&self) -> bool {
        let heard = self.leg.word("AnsweringMachineDetectionStatus");
        let machine = heard.is_some_and(|h| dialled(true, "", &h) == "machine");
        self.reason == "CUSTOMER_DISCONNECT" && !machine
    }

    /// The agent's talk with the customer.
    fn talk(&self) -> Option<Statement> {
        let connected = self.time(Moment::ConnectedToAgent)?;
        let reached = self.time(Moment::ConnectedToSystem);
        if self.dials && reached.is_none() && !self.spoke() {
            return None; // he dialled, and nobody answered
        }
        // Who dials by hand is connected before the customer is.
        let start = match reached {
            Some(at) if self.dials && at.0 > connected.0 => at,
            _ => connected,
        };
        let called = self.chain.called(self.leg);
        let mode = match called {
            Some(Call::Consult) => "consult",
            Some(Call::Conference) => "conference",
            _ if self.dials => "outbound",
            _ => "serve",
        };
        let end = self.talk_end();
        let handed = self.chain.handed_to(self.leg);
        let transferred = handed.is_some() || self.has(Moment::TransferCompleted);
        let outcome = match end {
            None => "",
            Some(_) if transferred => "transferred",
            Some(_) if dropped(&self.reason) => "dropped",
            Some(_) if matches!(called, Some(Call::Conference | Call::Consult)) => "left",
            Some(_) => "completed",
        };
        let parent = if self.has(Moment::Enqueued) {
            format!("{}/queue", self.leg.id)
        } else if self.dials {
            format!("{}/dial", self.leg.id)
        } else {
            String::new()
        };
        let mut s = statement(self.leg, "talk")?
            .text(F::Kind, "talk")
            .text(F::Queue, &self.queue_name())
            .text(F::Agent, &self.agent_name())
            .text(F::Parent, &parent)
            .text(F::Mode, mode)
            .text(F::Outcome, outcome);
        let hold = self
            .leg
            .agent_ms(&["CustomerHoldDuration", "AgentInitiatedHoldDuration"]);
        if let Some(ms) = hold {
            s = s.millis(F::Hold, ms, WHOLE);
        }
        if let Some(n) = self.leg.find(|d| agent(d).get("NumberOfHolds").int()) {
            s = s.int(F::HoldCount, n.max(0));
        }
        if end.is_some() {
            let issue = |d: Doc<'_>| {
                d.at(&["DisconnectDetails", "PotentialDisconnectIssue"])
                    .owned()
            };
            s = s
                .text(F::RawOutcome, &self.reason)
                .text(F::EndedBy, ended_by(&self.reason, self.dials))
                .text(F::Reason, &self.leg.find(issue).unwrap_or_default());
            if transferred {
                s = match handed {
                    Some(child) => Target::of(child),
                    None => Target::stated(self.leg),
                }
                .on(s);
            }
            if let Some(ms) = self.spoken().filter(|_| !self.dials) {
                s = s.millis(F::Duration, ms + hold.unwrap_or(0), WHOLE);
            }
        }
        Some(times(s, Some(start), end))
    }

    /// Seconds with the customer, pauses of a task included.
    fn spoken(&self) -> Option<i64> {
        let spoken = self.leg.agent_ms(&["AgentInteractionDuration"])?;
        Some(spoken + self.leg.agent_ms(&["AgentPauseDuration"]).unwrap_or(0))
    }

    /// The agent leaves when his wrap-up begins; a transfer that he completed ends his part before
    /// the leg ends, which stays while others speak.
    fn talk_end(&self) -> At {
        let disconnected = self.time(Moment::Disconnected);
        self.time(Moment::WrapStarted)
            // A record alone tells of the transfer, in whole seconds.
            .or(finer(self.time(Moment::TransferCompleted), disconnected))
            .or(disconnected)
    }

    /// Work after the talk.
    fn wrap_up(&self) -> Option<Statement> {
        self.time(Moment::ConnectedToAgent)?;
        let start = self.time(Moment::WrapStarted)?;
        let end = self.time(Moment::WrapEnded);
        let mut s = statement(self.leg, "wrapup")?
            .text(F::Kind, "wrapup")
            .text(F::Queue, &self.queue_name())
            .text(F::Agent, &self.agent_name())
            .text(F::Parent, &format!("{}/talk", self.leg.id))
            .text(F::Outcome, if end.is_some() { "completed" } else { "" });
        if let Some(ms) = self.leg.agent_ms(&["AfterContactWorkDuration"]) {
            s = s.millis(F::Duration, ms, WHOLE);
        }
        Some(times(s, Some(start), end))
    }
}
