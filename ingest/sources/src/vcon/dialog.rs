//! Dialogs: a recording is a talk, a text a message, an incomplete one a dial or a voicemail that
//! was not left; a transfer says what became of another.

use std::sync::Arc;

use callboard_model::record::{Provenance, rank};
use callboard_model::statement::{F, Statement, Thing};
use callboard_model::time::MILLI;
use serde_json::Value;

use super::parties::{Parties, indices, originator};
use super::{contact_id, instance_source, media, milliseconds};
use crate::payload::value::{as_int, as_text, either, field, items, path, text, time};

/// The dialogs that hold sound, with their numbers.
pub(super) fn recordings(v: &Value) -> impl Iterator<Item = (usize, &Value)> {
    let all = items(v, "dialog").iter().enumerate();
    all.filter(|(_, d)| {
        text(d, "type") == "recording" && (field(d, "url").is_some() || field(d, "body").is_some())
    })
}

pub(super) fn tell(
    instance: &str,
    v: &Value,
    parties: &Parties,
    by: &Arc<Provenance>,
    out: &mut Vec<Statement>,
) {
    // What rests on a guess of who is who is said as such.
    let guess = match parties.stated {
        true => by.clone(),
        false => {
            let mut by = (**by).clone();
            by.rank = rank::INFERRED;
            Arc::new(by)
        }
    };
    whole(instance, v, parties, (by, &guess), out);
    for (n, d) in items(v, "dialog").iter().enumerate() {
        let id = format!("dialog/{n}");
        match text(d, "type").as_str() {
            "recording" => talk(&id, v, d, parties, (by, &guess), out),
            "text" => message(&id, d, parties, (by, &guess), out),
            "incomplete" => incomplete(&id, d, parties, by, out),
            "transfer" => transfer(d, parties, by, out),
            _ => {}
        }
    }
}

fn direction(v: &Value) -> &'static str {
    let of = |v: &Value| {
        path(v, &["meta", "direction"])
            .and_then(as_text)
            .unwrap_or_default()
    };
    let first = items(v, "dialog").iter().map(of).find(|d| !d.is_empty());
    match first.unwrap_or_else(|| of(v)).to_ascii_lowercase().as_str() {
        "in" | "inbound" => "inbound",
        "out" | "outbound" => "outbound",
        "internal" => "internal",
        _ => "",
    }
}

fn channel(v: &Value, parties: &Parties) -> &'static str {
    let dialogs = items(v, "dialog");
    let is = |kind: &str| dialogs.iter().any(|d| text(d, "type") == kind);
    if dialogs.iter().any(|d| media(d).starts_with("video/")) {
        "video"
    } else if is("recording") || is("incomplete") {
        "voice"
    } else if is("text") {
        let mail = |d: &Value| media(d).starts_with("multipart/");
        let addressed = parties.all.iter().all(|p| p.address.contains('@'));
        if dialogs.iter().any(mail) || (addressed && !parties.all.is_empty()) {
            "email"
        } else {
            "chat"
        }
    } else {
        ""
    }
}

fn whole(
    instance: &str,
    v: &Value,
    parties: &Parties,
    (by, guess): (&Arc<Provenance>, &Arc<Provenance>),
    out: &mut Vec<Statement>,
) {
    let dialogs = items(v, "dialog");
    let starts = || dialogs.iter().filter_map(|d| time(d, "start"));
    let length = |d: &Value| milliseconds(d, "duration");
    let known = dialogs
        .iter()
        .all(|d| text(d, "type") != "recording" || length(d).is_some());
    let ends = dialogs.iter().filter_map(|d| {
        let (us, p) = time(d, "start")?;
        Some((us + length(d).unwrap_or(0) * MILLI, p))
    });
    let mut s = Statement::new(Thing::Contact, by)
        .text(F::Source, &instance_source(instance))
        .text(F::Channel, channel(v, parties))
        .text(F::Direction, direction(v))
        .text(F::Attr("subject".into()), &text(v, "subject"));
    if let Some((us, p)) = starts().min() {
        s = s.time(F::Start, us, p);
    }
    // Of a recording without a length nobody knows when it ended.
    if let Some((us, p)) = ends.max().filter(|_| known) {
        s = s.time(F::End, us, p);
    }
    for name in ["disposition", "tenant_id"] {
        let of_dialog = dialogs.iter().find_map(|d| path(d, &["meta", name]));
        let given = of_dialog.or_else(|| path(v, &["meta", name]));
        s = s.text(
            F::Attr(name.into()),
            &given.and_then(as_text).unwrap_or_default(),
        );
    }
    out.push(s);
    if let Some(c) = parties.the_customer() {
        out.push(
            Statement::new(Thing::Contact, guess)
                .text(F::Customer, &c.address)
                .text(F::CustomerName, &c.name),
        );
    }
    for group in items(v, "group") {
        let other = text(group, "uuid");
        if !other.is_empty() {
            let mut of = serde_json::Map::new();
            of.insert("uuid".to_owned(), Value::String(other));
            let to = contact_id(instance, &Value::Object(of));
            out.push(Statement::new(
                Thing::Link("conference".into(), to.into()),
                by,
            ));
        }
    }
}

fn about(id: &str, kind: &str, d: &Value, by: &Arc<Provenance>) -> Statement {
    let s = Statement::new(Thing::Segment(id.into()), by)
        .text(F::Kind, kind)
        .text(F::Queue, &text(d, "skill"));
    match time(d, "start") {
        Some((us, p)) => s.time(F::Start, us, p),
        None => s,
    }
}

/// With its end by the stated length.
fn lasting(s: Statement, d: &Value) -> Statement {
    match (time(d, "start"), milliseconds(d, "duration")) {
        (Some((us, p)), Some(ms)) => s.time(F::End, us + ms * MILLI, p),
        _ => s,
    }
}

fn talk(
    id: &str,
    v: &Value,
    d: &Value,
    parties: &Parties,
    (by, guess): (&Arc<Provenance>, &Arc<Provenance>),
    out: &mut Vec<Statement>,
) {
    let mode = if direction(v) == "outbound" {
        "outbound"
    } else {
        "serve"
    };
    let raw = path(d, &["meta", "disposition"]).and_then(as_text);
    let mut s = lasting(about(id, "talk", d, by), d)
        .text(F::Mode, mode)
        .text(F::RawOutcome, &raw.unwrap_or_default());
    if milliseconds(d, "duration").is_some() {
        s = s.text(F::Outcome, "completed");
    }
    out.push(s);
    let here = indices(d);
    let here = if here.is_empty() {
        (0..parties.all.len()).collect()
    } else {
        here
    };
    let thing = || Thing::Segment(id.into());
    let agent = parties.agent_of(&here).map(|a| a.handle.clone());
    if let Some(agent) = &agent {
        out.push(Statement::new(thing(), guess).text(F::Agent, agent));
    }
    holds(id, d, agent.as_deref().unwrap_or(""), by, out);
}

/// Holds, by what happened to the parties.
fn holds(id: &str, d: &Value, agent: &str, by: &Arc<Provenance>, out: &mut Vec<Statement>) {
    let mut open: Vec<(Option<i64>, String)> = Vec::new();
    for h in items(d, "party_history") {
        let Some((us, p)) = time(h, "time") else {
            continue;
        };
        let party = field(h, "party").and_then(as_int);
        match text(h, "event").as_str() {
            "hold" => {
                let hold = format!("hold/{id}/{us}");
                out.push(
                    Statement::new(Thing::Segment(hold.as_str().into()), by)
                        .text(F::Kind, "hold")
                        .text(F::Queue, &text(d, "skill"))
                        .text(F::Agent, agent)
                        .text(F::Parent, id)
                        .time(F::Start, us, p),
                );
                open.push((party, hold));
            }
            "unhold" => {
                let Some(at) = open.iter().position(|(of, _)| *of == party) else {
                    continue;
                };
                let (_, hold) = open.remove(at);
                let said = Statement::new(Thing::Segment(hold.into()), by);
                out.push(said.time(F::End, us, p).text(F::Outcome, "resumed"));
            }
            _ => {}
        }
    }
}

fn message(
    id: &str,
    d: &Value,
    parties: &Parties,
    (by, guess): (&Arc<Provenance>, &Arc<Provenance>),
    out: &mut Vec<Statement>,
) {
    let from = originator(d);
    let to = indices(d).into_iter().find(|n| *n != from);
    let to = to.and_then(|n| parties.get(n)).map(|p| p.address.clone());
    let mut s = about(id, "message", d, by)
        .text(F::Target, &to.unwrap_or_default())
        .text(F::Name, &text(d, "message_id"))
        .text(F::Outcome, "sent");
    if let Some((us, p)) = time(d, "start") {
        s = s.time(F::End, us, p);
    }
    out.push(s);
    if Some(from) != parties.customer
        && let Some(agent) = parties.get(from)
    {
        let said = Statement::new(Thing::Segment(id.into()), guess);
        out.push(said.text(F::Agent, &agent.handle));
    }
}

fn incomplete(
    id: &str,
    d: &Value,
    parties: &Parties,
    by: &Arc<Provenance>,
    out: &mut Vec<Statement>,
) {
    let raw = text(d, "disposition");
    let (kind, outcome) = match raw.as_str() {
        "voicemail-no-message" => ("voicemail", "empty"),
        "no-answer" => ("dial", "no_answer"),
        "busy" => ("dial", "busy"),
        "hung-up" => ("dial", "canceled"),
        "congestion" | "failed" => ("dial", "failed"),
        _ => ("dial", ""),
    };
    let from = originator(d);
    let to = indices(d).into_iter().find(|n| *n != from);
    let to = to.and_then(|n| parties.get(n)).map(|p| p.address.clone());
    let mut s = about(id, kind, d, by)
        .text(F::Target, &to.unwrap_or_default())
        .text(F::Outcome, outcome)
        .text(F::RawOutcome, &raw);
    if parties.stated
        && Some(from) != parties.customer
        && let Some(agent) = parties.get(from)
    {
        s = s.text(F::Agent, &agent.handle);
    }
    let at = time(d, "start");
    s = match (milliseconds(d, "duration"), at) {
        (None, Some((us, p))) => s.time(F::End, us, p),
        _ => lasting(s, d),
    };
    out.push(s);
}

/// The dialog that was handed on, and to whom.
fn transfer(d: &Value, parties: &Parties, by: &Arc<Provenance>, out: &mut Vec<Statement>) {
    let index = |names: &[&str]| {
        let v = either(d, names)?;
        let one = v.as_array().and_then(|all| all.first()).unwrap_or(v);
        as_int(one).and_then(|n| usize::try_from(n).ok())
    };
    let Some(original) = index(&["original"]) else {
        return;
    };
    let to = index(&["transfer-target", "transfer_target"]).and_then(|n| parties.get(n));
    let said = Statement::new(Thing::Segment(format!("dialog/{original}").into()), by)
        .text(F::Outcome, "transferred")
        .text(F::TargetKind, "person")
        .text(F::Target, to.map_or("", |p| &p.handle));
    out.push(said);
}
