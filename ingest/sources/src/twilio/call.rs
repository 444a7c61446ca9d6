//! Calls and conferences: the customer's call is the contact's frame, dialled legs are dials or
//! talks, and a conference is the only witness of holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use callboard_model::record::Provenance;
use callboard_model::statement::{F, Statement, Thing};
use callboard_model::time::SECOND;

use super::fields::Fields;
use super::task::{Talk, Told};
use super::{Seen, instance_source};
use crate::payload::value::tidy;

/// What calls say, beside what tasks said.
pub(super) fn tell(mut seen: Vec<Seen>, told: Told) -> Vec<Statement> {
    seen.sort_by(|a, b| {
        let key = |s: &Seen| (s.at.0, s.fields.int("sequencenumber"));
        key(a).cmp(&key(b)).then_with(|| a.by.tail_cmp(&b.by))
    });
    let Told {
        mut out,
        mut talks,
        customers,
        workers,
    } = told;
    let by_tasks = !talks.is_empty();
    for event in seen.iter().filter(|s| !s.conference) {
        let f = &event.fields;
        let (call, parent) = (f.get("callsid"), f.get("parentcallsid"));
        if !parent.is_empty() && parent != call {
            leg(event, by_tasks, &mut talks, &mut out);
        } else if !workers.contains(call) {
            frame(event, by_tasks, &mut out);
        }
    }
    let mut held: BTreeMap<String, String> = BTreeMap::new();
    for event in seen.iter().filter(|s| s.conference) {
        let call = event.fields.get("callsid");
        match event.fields.get("statuscallbackevent") {
            "participant-hold" if !workers.contains(call) => {
                hold(event, &talks, &mut held, &mut out);
            }
            "participant-unhold" => resume(event, "resumed", &mut held, &mut out),
            "participant-leave" => {
                resume(event, "hangup", &mut held, &mut out);
                if customers.contains(call) {
                    let whole = Statement::new(Thing::Contact, &event.by);
                    let why = tidy(event.fields.get("reasonparticipantleft")).into_owned();
                    out.push(whole.text(F::Attr("reasonParticipantLeft".into()), &why));
                }
            }
            "conference-end" => over(event, &customers, &workers, &mut held, &mut out),
            _ => {}
        }
        let whole = Statement::new(Thing::Contact, &event.by);
        out.push(whole.text(F::Source, &instance_source(&event.instance)));
    }
    out
}

/// A call that nobody of ours dialled from another: the customer's.
fn frame(event: &Seen, by_tasks: bool, out: &mut Vec<Statement>) {
    let (f, (us, p)) = (&event.fields, event.at);
    let status = f.get("callstatus");
    let direction = f.get("direction");
    let outbound = direction.starts_with("outbound");
    let (from, to) = (f.get("from"), f.get("to"));
    if outbound && (to.starts_with("client:") || to.starts_with("sip:")) {
        // A worker's phone is rung: of which customer's call, the task's attributes tell.
        return;
    }
    let customer = if outbound { to } else { from };
    let mut s = Statement::new(Thing::Contact, &event.by)
        .text(F::Source, &instance_source(&event.instance))
        .flag(F::EndsAreStated, true)
        .text(F::Channel, "voice")
        .text(
            F::Direction,
            match direction {
                "" => "",
                _ if outbound => "outbound",
                _ => "inbound",
            },
        )
        .text(F::Customer, &tidy(customer))
        .text(F::Dialled, &tidy(to))
        .text(F::CustomerName, &tidy(f.get("callername")));
    let seconds = f.int("callduration").filter(|s| *s < 1_000_000);
    if is_over(status) {
        s = s.time(F::End, us, p).text(F::EndReason, &tidy(status));
        let begin = us - seconds.unwrap_or(0) * SECOND;
        if !by_tasks && seconds.is_some() && !outbound {
            s = s.time(F::Start, begin, p);
        }
    } else if matches!(status, "queued" | "initiated" | "ringing") {
        s = s.time(F::Start, us, p);
    }
    out.push(s);
    // An outbound call is a dial until somebody answers.
    if outbound {
        dial(event, seconds, out);
    }
}

fn is_over(status: &str) -> bool {
    matches!(
        status,
        "completed" | "busy" | "failed" | "no-answer" | "canceled"
    )
}

fn dial(event: &Seen, seconds: Option<i64>, out: &mut Vec<Statement>) {
    let (f, (us, p)) = (&event.fields, event.at);
    let status = f.get("callstatus");
    let s = about(&format!("dial/{}", f.get("callsid")), &event.by, "dial")
        .text(F::Target, &tidy(f.get("to")));
    out.push(match status {
        "queued" | "initiated" => s.time(F::Start, us, p),
        "ringing" => s,
        "in-progress" | "answered" => s.time(F::End, us, p).text(F::Outcome, "answered"),
        // The end of the call, not of the dial, which lies so many seconds before it.
        "completed" => match seconds {
            Some(n) => s
                .time(F::End, us - n * SECOND, p)
                .text(F::Outcome, "answered"),
            None => s.text(F::Outcome, "answered"),
        },
        over if is_over(over) => s
            .time(F::End, us, p)
            .text(F::Outcome, &over.replace('-', "_"))
            .text(F::RawOutcome, over),
        other => s.text(F::RawOutcome, &tidy(other)),
    });
}

/// A leg that was dialled from another. Of clients and phones of ours it is a talk, unless tasks
/// tell the talks; a number outside is dialled.
fn leg(event: &Seen, by_tasks: bool, talks: &mut Vec<Talk>, out: &mut Vec<Statement>) {
    let (f, (us, p)) = (&event.fields, event.at);
    let whole = Statement::new(Thing::Contact, &event.by);
    out.push(whole.text(F::Source, &instance_source(&event.instance)));
    let seconds = f.int("callduration").filter(|s| *s < 1_000_000);
    let to = f.get("to");
    let agent = to
        .strip_prefix("client:")
        .or_else(|| to.strip_prefix("sip:"));
    let Some(agent) = agent else {
        dial(event, seconds, out);
        return;
    };
    if by_tasks {
        return;
    }
    let agent = agent.split(['@', ';', '?']).next().unwrap_or(agent);
    let sid = f.get("callsid");
    let offer = about(&format!("offer/{sid}"), &event.by, "offer").text(F::Agent, &tidy(agent));
    let id = format!("leg/{sid}");
    let talk = about(&id, &event.by, "talk")
        .text(F::Agent, &tidy(agent))
        .text(F::Mode, "serve");
    let mut known = |start: i64, end: Option<i64>| match talks.iter_mut().find(|t| t.id == id) {
        Some(t) => t.end = end.or(t.end),
        None => talks.push(Talk {
            id: id.clone(),
            worker: agent.to_owned(),
            queue: String::new(),
            start,
            end,
        }),
    };
    match f.get("callstatus") {
        "queued" | "initiated" | "ringing" => out.push(offer.time(F::Start, us, p)),
        "in-progress" | "answered" => {
            known(us, None);
            out.push(offer.time(F::End, us, p).text(F::Outcome, "accepted"));
            out.push(talk.time(F::Start, us, p));
        }
        "completed" => {
            let start = us - seconds.unwrap_or(0) * SECOND;
            known(start, Some(us));
            let mut said = talk.time(F::End, us, p).text(F::Outcome, "completed");
            if let Some(n) = seconds {
                said = said.millis(F::Duration, n * 1_000, 1_000_000);
            }
            out.push(said);
        }
        over if is_over(over) => {
            let outcome = match over {
                "busy" => "busy",
                "no-answer" => "no_answer",
                "canceled" => "caller_left",
                _ => "error",
            };
            out.push(
                offer
                    .time(F::End, us, p)
                    .text(F::Outcome, outcome)
                    .text(F::RawOutcome, over),
            );
        }
        _ => {}
    }
}

/// A hold belongs to the talk that goes on then.
fn hold(
    event: &Seen,
    talks: &[Talk],
    held: &mut BTreeMap<String, String>,
    out: &mut Vec<Statement>,
) {
    let (f, (us, p)) = (&event.fields, event.at);
    let call = f.get("callsid");
    if held.contains_key(call) {
        return;
    }
    let id = format!("hold/{}/{call}/{us}", f.get("conferencesid"));
    let mut said = about(&id, &event.by, "hold").time(F::Start, us, p);
    let goes_on = |t: &&Talk| t.start <= us && t.end.is_none_or(|end| us <= end);
    if let Some(talk) = talks.iter().filter(goes_on).max_by_key(|t| t.start) {
        said = said
            .text(F::Parent, &talk.id)
            .text(F::Queue, &tidy(&talk.queue))
            .text(F::Agent, &tidy(&talk.worker));
    }
    held.insert(call.to_owned(), id);
    out.push(said);
}

fn resume(
    event: &Seen,
    outcome: &str,
    held: &mut BTreeMap<String, String>,
    out: &mut Vec<Statement>,
) {
    let Some(id) = held.remove(event.fields.get("callsid")) else {
        return;
    };
    let (us, p) = event.at;
    let said = about(&id, &event.by, "hold").time(F::End, us, p);
    out.push(said.text(F::Outcome, outcome));
}

/// The end of a conference says whose call ended it.
fn over(
    event: &Seen,
    customers: &std::collections::BTreeSet<String>,
    workers: &std::collections::BTreeSet<String>,
    held: &mut BTreeMap<String, String>,
    out: &mut Vec<Statement>,
) {
    let (us, p) = event.at;
    for id in std::mem::take(held).into_values() {
        let said = about(&id, &event.by, "hold").time(F::End, us, p);
        out.push(said.text(F::Outcome, "hangup"));
    }
    let f: &Fields = &event.fields;
    let by = f.first(&["callsidendingconference", "callsidendedconference"]);
    let who = if customers.contains(by) {
        "customer"
    } else if workers.contains(by) {
        "agent"
    } else {
        ""
    };
    let why = tidy(f.get("reasonconferenceended")).into_owned();
    out.push(
        Statement::new(Thing::Contact, &event.by)
            .text(F::EndedBy, who)
            .text(F::Attr("reasonConferenceEnded".into()), &why),
    );
}

fn about(id: &str, by: &Arc<Provenance>, kind: &str) -> Statement {
    Statement::new(Thing::Segment(id.into()), by).text(F::Kind, kind)
}
