//! Segments of a call beside its talks: holds, invitations, hand-overs to Teams, the bot's part.

use callboard_model::statement::F;

use super::parties::BESIDE;
use super::result_text;
use crate::acs::ids::{self, Who, who};
use crate::acs::parts::{Part, When};
use crate::acs::roster::{Roster, Span};
use crate::acs::{Event, turns};

/// Holds, each inside the talk that it interrupts.
pub fn holds(roster: &Roster, talks: &[&Part]) -> Vec<Part> {
    let part = |span: &Span| {
        let talk = talks.iter().find(|t| t.covers(span.start.at))?;
        let id = format!("hold/{}", span.start.at);
        let mut hold = Part::new(id, "hold", &span.start);
        hold.start = Some(span.start.clone());
        hold.end.clone_from(&span.end);
        hold.text(F::Parent, &talk.id)
            .text(F::Agent, talk.get(&F::Agent))
            .text(F::Queue, talk.get(&F::Queue))
            .text(F::RawOutcome, "isOnHold");
        if let Some(end) = &span.end {
            let over = talk.end.as_ref().is_some_and(|t| t.at <= end.at);
            let outcome = match (over, talk.get(&F::Outcome)) {
                (false, _) => "resumed",
                (true, "transferred") => "transferred",
                (true, _) => "hangup",
            };
            hold.text(F::Outcome, outcome);
        }
        Some(hold)
    };
    roster.holds.iter().filter_map(part).collect()
}

/// Invitations and calls that nobody took, and those that were called back.
pub fn invitations(events: &[Event]) -> Vec<Part> {
    let mut out = Vec::new();
    for event in events {
        let d = event.data();
        let result = d.first(&["resultInformation", "resultInfo"]);
        let outcome = match event.kind.as_str() {
            "AddParticipantFailed" | "CreateCallFailed" | "CallTransferFailed" => {
                let code = result.int("code").unwrap_or(0);
                let sub = result.int("subCode").unwrap_or(0) % 1_000;
                match (code, sub) {
                    (486 | 600, _) | (_, 486) => "busy",
                    (408 | 480, _) | (_, 408 | 480) => "no_answer",
                    (487, _) | (_, 487) => "canceled",
                    _ => "failed",
                }
            }
            "CancelAddParticipantSucceeded" => "canceled",
            _ => continue,
        };
        let when = &event.when;
        let mut dial = Part::new(format!("dial/{}", when.by.id), "dial", when);
        dial.end = Some(when.clone());
        let raw = ids::raw_id(d.first(&["participant", "transferTarget"]));
        dial.text(F::Outcome, outcome)
            .text(
                F::RawOutcome,
                format!("{} {}", event.kind, result_text(d)).trim_end(),
            )
            .text(F::Target, ids::address(&raw))
            .text(F::Name, &d.text("operationContext"));
        out.push(dial);
    }
    out
}

/// A resource account of Teams in the call: the caller was handed to an auto attendant or a call
/// queue there. Which of the two, its own records tell.
pub fn voice_apps(roster: &Roster) -> Vec<Part> {
    let apps = roster
        .present
        .iter()
        .filter(|(raw, _)| who(raw) == Who::TeamsApp);
    let part = |raw: &String, span: &Span| {
        let mut dial = Part::new(format!("dial/{raw}/{}", span.start.at), "dial", &span.start);
        dial.start = Some(span.start.clone());
        dial.end.clone_from(&span.end);
        dial.text(F::Outcome, "answered")
            .text(F::TargetKind, "voice_app")
            .text(F::Target, raw);
        dial
    };
    apps.flat_map(|(raw, spans)| spans.iter().map(move |s| part(raw, s)))
        .collect()
}

/// The application as an auto attendant or voice bot: from its answer until a queue or an agent
/// takes over, or the end; `alone` is its outcome where none did.
pub fn bot(
    events: &[Event],
    own: &[Part],
    routed: &[Part],
    end: Option<&When>,
    alone: &str,
) -> Option<Part> {
    let speaks = events.iter().any(|e| turns::is_turn(&e.kind));
    let answer = events.iter().find(|e| e.kind == "CallConnected")?;
    if !speaks {
        return None;
    }
    let queued = events.iter().find(|e| e.kind == "RouterJobQueued");
    let taken = own.iter().chain(routed).filter_map(|t| t.start.clone());
    let next = taken
        .chain(queued.map(|e| e.when.clone()))
        .filter(|w| w.at >= answer.when.at)
        .reduce(When::min);
    if next
        .as_ref()
        .is_some_and(|n| n.at - answer.when.at < BESIDE)
    {
        return None;
    }
    let mut bot = Part::new("bot/call-automation".to_owned(), "bot", &answer.when);
    bot.start = Some(answer.when.clone());
    bot.text(F::Name, "call-automation");
    let (over, outcome) = match (&next, end) {
        (Some(next), _) => (Some(next.clone()), "escalated"),
        (None, Some(end)) => (Some(end.clone()), alone),
        (None, None) => (None, ""),
    };
    bot.end = over;
    bot.text(F::Outcome, outcome);
    Some(bot)
}
