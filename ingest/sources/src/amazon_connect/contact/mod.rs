//! A contact: the chain of legs through which one customer's call, chat, task or e-mail went. Legs
//! that a transfer, a move between queues or a disconnect flow made belong to it; a callback is a
//! contact of its own, linked to the one that asked for it.

mod aside;
mod chain;
mod measured;
mod own;
mod parts;
mod target;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use callboard_model::ids::PlatformId;
use callboard_model::record::{Provenance, Refusal, RouteKey, Routing};
use callboard_model::statement::{F, Statement, Thing};

use super::doc::{Doc, clip};
use super::leg::{Leg, Moment, View, last_time};
use super::words::{Kin, kin};
use super::{Feed, Read, contact_id, missing, recording};
use chain::Chain;

/// Keys of a contact event or record.
pub(super) fn route(feed: Feed, read: &Read<'_>) -> Result<Routing, Refusal> {
    let doc = read.detail();
    let id = doc
        .get("ContactId")
        .owned()
        .ok_or_else(|| missing("ContactId"))?;
    let mut ids = vec![read.contact(&id)];
    let mut keys = Vec::new();
    if let Some((previous, kin)) = before(doc, &id) {
        let previous = read.contact(&previous);
        match kin {
            Kin::Same => ids.push(previous),
            // The contact that asked for it has to know of it, and stays apart.
            Kin::Callback => keys.push(RouteKey::Contact(vec![previous])),
            Kin::Apart => {}
        }
    }
    keys.insert(0, RouteKey::Contact(ids));
    if feed == Feed::ContactRecord {
        keys.extend(recording::of_record(read).map(RouteKey::Direct));
    }
    Ok(Routing {
        keys,
        statements: None,
        time: last_time(doc),
    })
}

/// The leg before, and how this one belongs to it.
fn before(doc: Doc<'_>, id: &str) -> Option<(String, Kin)> {
    let previous = doc.get("PreviousContactId").owned().filter(|p| p != id)?;
    let method = doc.get("InitiationMethod").word().unwrap_or_default();
    Some((previous, kin(&method)))
}

/// What a contact's events and records say together.
pub(super) fn interpret(key: &PlatformId, all: Vec<(Feed, Read<'_>)>) -> Vec<Statement> {
    let (_, instance, native) = key.parts();
    let mut views: BTreeMap<String, Vec<View>> = BTreeMap::new();
    let mut joined: Vec<(String, String)> = Vec::new();
    for (feed, read) in all {
        if !matches!(feed, Feed::ContactEvent | Feed::ContactRecord) {
            continue;
        }
        let Some((id, view)) = View::of(feed, read) else {
            continue;
        };
        if let Some((previous, Kin::Same)) = before(view.doc(), &id) {
            joined.push((id.clone(), previous));
        }
        views.entry(id).or_default().push(view);
    }
    let ours = component(native, &joined);
    let mut legs = Vec::new();
    let mut callbacks = Vec::new();
    for (id, views) in views {
        let own = ours.contains(&id);
        if let Some(leg) = Leg::of(id, views) {
            if own {
                legs.push(leg);
            } else if leg.previous().is_some_and(|p| ours.contains(&p)) {
                callbacks.push(leg);
            }
        }
    }
    legs.sort_by_key(|leg| (leg.at(Moment::Initiated), leg.id.clone()));
    let (legs, others) = aside::divide(legs);
    callbacks.retain(|leg| !aside::is_aside(leg));
    if legs.is_empty() {
        // Only a callback tells of it: that makes no contact of it. Nor does what no customer made,
        // whatever else tells of it.
        let said = others.iter().filter_map(|(leg, _)| leg.by());
        return said.map(withdrawn).collect();
    }
    let chain = Chain::new(&legs, &callbacks);
    let mut out = Vec::new();
    own::tell(&chain, instance, &mut out);
    for leg in &legs {
        parts::tell(&chain, leg, &mut out);
        measured::tell(leg, instance, &mut out);
    }
    for callback in &callbacks {
        tell_callback(callback, instance, &mut out);
    }
    for (leg, what) in &others {
        let name = F::Attr(format!("aws:aside/{}", clip(&leg.id)).into());
        let by = leg.by();
        out.extend(by.map(|by| Statement::new(Thing::Contact, by).text(name, what)));
    }
    out
}

/// That there is no contact.
fn withdrawn(by: &Arc<Provenance>) -> Statement {
    Statement::new(Thing::Contact, by).flag(F::Withdrawn, true)
}

/// The ids that are one with this one.
fn component(id: &str, joined: &[(String, String)]) -> BTreeSet<String> {
    let mut beside: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (a, b) in joined {
        beside.entry(a).or_default().push(b);
        beside.entry(b).or_default().push(a);
    }
    let mut found = BTreeSet::from([id.to_owned()]);
    let mut open = vec![id];
    while let Some(id) = open.pop() {
        for next in beside.get(id).into_iter().flatten() {
            if found.insert((*next).to_owned()) {
                open.push(next);
            }
        }
    }
    found
}

/// A callback, in the contact that asked for it: the promise, and the link to what became of it.
fn tell_callback(leg: &Leg, instance: &str, out: &mut Vec<Statement>) {
    let Some(by) = leg.by() else { return };
    let to = contact_id(instance, &leg.id).contact_id();
    let mut link = Statement::new(Thing::Link("callback".into(), to.into()), by);
    let id = format!("{}/callback", leg.id);
    let mut promise = Statement::new(Thing::Segment(id.into()), by)
        .text(F::Kind, "callback")
        .text(F::Queue, &leg.queue().unwrap_or_default());
    if let Some((us, precision)) = leg.time(Moment::Initiated) {
        link = link.time(F::At, us, precision);
        promise = promise.time(F::Start, us, precision);
    }
    let dialled = leg.time(Moment::ConnectedToAgent);
    if let Some((us, precision)) = dialled.or(leg.time(Moment::Disconnected)) {
        let outcome = match (dialled, &*leg.reason()) {
            (Some(_), _) => "dialled",
            (None, "EXPIRED") => "expired",
            _ => "canceled",
        };
        promise = promise
            .time(F::End, us, precision)
            .text(F::Outcome, outcome)
            .text(F::RawOutcome, &leg.reason());
    }
    out.push(link);
    out.push(promise);
}
