//! To which keys a record belongs.

use std::sync::Arc;

use callboard_model::ids::{Key, PlatformId};
use callboard_model::record::{Provenance, Record, Refusal, RouteKey, Routing, rank};
use callboard_model::statement::{F, Statement, Thing};

use super::{Body, Mark, ami, cel, instance_source, parse};
use crate::payload::measured::Figures;

/// What a record speaks of. Records that change no row have no keys; they are kept as records.
///
/// * Of a call: the contact of its callid, uniqueid and linkedid. A transfer names channels of
///   two calls and so joins them. The tone before a message also names the message.
/// * ADDMEMBER, REMOVEMEMBER, PAUSE.., AGENTLOGIN.. and the manager's QueueMember events: the
///   agent, by member name. PENALTY, RINGINUSE and notes carry an interface and change no row.
/// * QUEUESTART and FullyBooted: the instance. QueueParams: the target of its queue and
///   what the queue counted; QueueSummary: what it counts now.
///
/// # Errors
/// A [`Refusal`] when the record cannot be read.
pub fn route(record: &Record) -> Result<Routing, Refusal> {
    let parsed = parse(record)?;
    let instance = &record.stamp.instance;
    let mut keys = Vec::new();
    let mut statements = None;
    match &parsed.body {
        Body::QueueLog(line) => {
            if line.is_about_agent() {
                keys.extend(line.member().map(|m| agent(instance, m)));
            } else if line.event == "QUEUESTART" {
                keys.push(RouteKey::Direct(Key::Instance(instance_source(instance))));
            } else if line.is_about_contact() {
                keys.extend(line.call().map(|c| contact(instance, [c])));
            }
        }
        Body::Cel(row) => {
            if row.matters() {
                let ids = [cel_ids(row), row.messages()].concat();
                keys.push(contact(instance, ids.iter().map(String::as_str)));
            }
        }
        Body::Cdr(row) => keys.push(contact(instance, [&*row.linkedid, &*row.uniqueid])),
        Body::Ami(event) => match event.name() {
            "FullyBooted" => {
                keys.push(RouteKey::Direct(Key::Instance(instance_source(instance))));
            }
            "QueueParams" => {
                let (found, mut said) = figures(instance, event, &parsed.mark);
                keys.extend(found.map(RouteKey::Direct));
                if let Some((key, target)) = target(instance, event, &parsed.mark) {
                    keys.push(RouteKey::Direct(key));
                    said.push(target);
                }
                statements = Some(said).filter(|s| !s.is_empty());
            }
            "QueueSummary" => {
                let (found, said) = figures(instance, event, &parsed.mark);
                keys.extend(found.map(RouteKey::Direct));
                statements = Some(said);
            }
            _ if event.is_about_contact() => {
                let ids: Vec<&str> = event.channel_ids().collect();
                if !ids.is_empty() {
                    keys.push(contact(instance, ids));
                }
            }
            _ => keys.extend(event.member().map(|m| agent(instance, m))),
        },
    }
    Ok(Routing {
        keys,
        statements,
        time: Some(parsed.mark.at),
    })
}

fn contact<'a>(instance: &str, ids: impl IntoIterator<Item = &'a str>) -> RouteKey {
    let mut all: Vec<PlatformId> = Vec::new();
    for id in ids {
        let id = PlatformId::new("asterisk", instance, id);
        if !all.contains(&id) {
            all.push(id);
        }
    }
    RouteKey::Contact(all)
}

fn agent(instance: &str, member: &str) -> RouteKey {
    RouteKey::Direct(Key::Agent(instance_source(instance), member.into()))
}

/// Unique ids that a row of the channel event log names.
fn cel_ids(row: &cel::Row<'_>) -> Vec<String> {
    let mut ids = vec![row.linkedid.to_string(), row.uniqueid.to_string()];
    if matches!(&*row.event, "BLINDTRANSFER" | "ATTENDEDTRANSFER") {
        let extra = row.extra();
        for id in [
            extra.transferee_channel_uniqueid,
            extra.channel2_uniqueid,
            extra.transfer_target_channel_uniqueid,
        ] {
            if !id.is_empty() && id != "N/A" {
                ids.push(id);
            }
        }
    }
    ids
}

/// What the queue module counts itself, since it was loaded or reset.
const FIGURES: [(&str, &str); 14] = [
    ("LoggedIn", "count"),
    ("Available", "count"),
    ("Callers", "count"),
    ("Calls", "count"),
    ("Completed", "count"),
    ("Abandoned", "count"),
    ("HoldTime", "s"),
    ("Holdtime", "s"),
    ("TalkTime", "s"),
    ("LongestHoldTime", "s"),
    ("ServicelevelPerf", "percent"),
    ("ServiceLevelPerf", "percent"),
    ("ServicelevelPerf2", "percent"),
    ("ServiceLevelPerf2", "percent"),
];

/// The figures of a queue as they are now.
fn figures(instance: &str, event: &ami::Event<'_>, mark: &Mark) -> (Option<Key>, Vec<Statement>) {
    let queue = event.get("Queue");
    let mut figures = Figures {
        scope: format!("queue:{queue}"),
        end: Some((mark.at, 1)),
        ..Figures::default()
    };
    for (name, unit) in FIGURES {
        figures.add(name, unit, event.get(name).parse().ok());
    }
    if queue.is_empty() || figures.values.is_empty() {
        return (None, Vec::new());
    }
    let source = instance_source(instance);
    (Some(figures.key(&source)), figures.says(&source, &mark.by))
}

/// The service level that a queue has now, as a target. It holds from when it was first seen, and
/// another threshold is another target, so that a change does not restate the past.
fn target(instance: &str, event: &ami::Event<'_>, mark: &Mark) -> Option<(Key, Statement)> {
    let queue = event.get("Queue");
    let seconds = event.int("ServiceLevel").filter(|s| *s > 0)?;
    if queue.is_empty() {
        return None;
    }
    let key = Key::Target(format!("/asterisk/{instance}/{queue}/{seconds}s").into());
    let seen = &mark.by;
    let by = Arc::new(Provenance {
        rank: rank::GAUGE,
        // The merge keeps the greatest; here the first to be seen has to win.
        recorded_at: Some(-mark.at),
        ..(**seen).clone()
    });
    let said = Statement::new(Thing::Target, &by)
        .text(F::Source, &instance_source(instance))
        .text(F::Queue, queue)
        .text(F::Metric, "service_level")
        .text(F::Variant, "answered")
        .millis(F::Threshold, seconds * 1000, 0)
        .time(F::ValidFrom, mark.at, 0);
    Some((key, said))
}
