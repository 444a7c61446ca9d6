//! A contact: what its calls, chats, jobs and messages say together.

use callboard_model::statement::{F, Statement, Thing, Value};

use super::parts::{About, Part, When};
use super::{Event, call, chat, instance_source, message, route, router};

/// A job that is cancelled this soon after the customer had gone was cancelled because he had,
/// microseconds.
const GONE: i64 = 60_000_000;

/// What a contact's events say, in their order.
pub fn interpret(events: &[Event]) -> Vec<Statement> {
    let mut out = Vec::new();
    let Some(first) = events.first() else {
        return out;
    };
    let mut about = About::default();
    about.text(F::Source, &instance_source(&first.instance), &first.when);
    channel(events, &mut about);

    let mut jobs = router::read(events, &mut about);
    let workers: Vec<String> = jobs
        .talks
        .iter()
        .map(|t| t.get(&F::Agent).to_owned())
        .collect();
    let chats = chat::read(events, &mut about, &workers, jobs.any);
    let calls = call::read(
        events,
        &mut about,
        &mut jobs.talks,
        chats.customer.as_deref(),
    );
    let messages = message::read(events, &mut about);
    let customer = about.find_text(&F::Customer);
    call::ending(events, customer.as_deref(), &mut about);
    if let Some((who, when)) = &calls.left_first {
        about.text(F::EndedBy, who, when);
    }
    for (other, when) in &calls.links {
        let link = Thing::Link("transfer".into(), other.0.clone());
        out.push(Statement::new(link, &when.by).time(F::At, when.at, when.precision));
    }

    // The call is over when it is over; what a job or a chat tells of its end is later or earlier.
    let end = match (calls.any, calls.end, jobs.any) {
        (true, Some(end), _) => Some(match chats.end.clone() {
            Some(chat) => When::max(end, chat),
            None => end,
        }),
        (true, None, _) if calls.followed => None,
        (_, _, true) => jobs.end.clone().or_else(|| chats.end.clone()),
        (_, _, false) => chats.end.clone(),
    };
    let hung_up = end.clone().filter(|_| calls.any);
    let gone = [hung_up, chats.left];
    let gone = gone.into_iter().flatten().reduce(When::min);
    abandoned(&mut jobs.parts, gone.as_ref());
    if calls.any || chats.any || jobs.any {
        about.set(F::EndsAreStated, Value::Bool(true), &first.when);
    }
    if let Some(end) = end {
        about.time(F::End, &end);
    }
    if let Some((by, ms)) = call::stated_length(events) {
        about.attr("call_duration_ms", &ms.to_string(), &by);
    }
    about.state(&mut out);
    out.extend(call::measured(events));
    let parts = [jobs.parts, jobs.talks, chats.parts, calls.parts, messages];
    for part in parts.into_iter().flatten() {
        part.state(&mut out);
    }
    out
}

/// How the customer came: by what was first.
fn channel(events: &[Event], about: &mut About) {
    for event in events {
        let word = if chat::is_chat(event) {
            "chat"
        } else if call::is_call(event) {
            "voice"
        } else if route::is_message(&event.kind) {
            // Messages say which.
            return;
        } else {
            continue;
        };
        // A job that came before both says it itself.
        if !events.first().is_some_and(|e| e.kind.starts_with("Router")) {
            about.text(F::Channel, word, &event.when);
        }
        return;
    }
}

/// Job Router says only that a job was cancelled. Where the customer had gone by then, he abandoned.
fn abandoned(parts: &mut [Part], gone: Option<&When>) {
    let Some(gone) = gone else { return };
    let stays = parts.iter_mut().filter(|p| p.kind == "queue");
    for stay in stays.filter(|s| s.get(&F::Outcome) == "withdrawn") {
        let Some(end) = &stay.end else { continue };
        let ruled = !stay.get(&F::TargetKind).is_empty();
        let after = end.at - gone.at;
        if !ruled && (-GONE / 30..=GONE).contains(&after) {
            let end = When::min(end.clone(), gone.clone());
            stay.end = Some(end);
            stay.text(F::Outcome, "abandoned")
                .text(F::EndedBy, "customer");
        }
    }
}
