//! Workers of Job Router: whether they are registered, and for which queues.

use std::collections::{BTreeMap, BTreeSet};

use callboard_model::statement::{F, Statement, Thing};

use super::Event;
use super::doc::Doc;
use super::parts::When;

/// States of a worker, from all events of him in their order.
///
/// Registered is available, unless the event says that he takes no offers; deregistered and deleted
/// are offline. The queues of an event are all that he is assigned to from then on.
pub fn interpret(events: &[Event]) -> Vec<Statement> {
    let mut out = Vec::new();
    let mut queues: BTreeMap<String, String> = BTreeMap::new();
    for event in events {
        let d = event.data();
        let when = &event.when;
        let leaves = matches!(
            event.kind.as_str(),
            "RouterWorkerDeregistered" | "RouterWorkerDeleted"
        );
        let open = available(d);
        let state = match (event.kind.as_str(), open) {
            _ if leaves => Some("offline"),
            (_, Some(false)) => Some("paused"),
            (_, Some(true)) | ("RouterWorkerRegistered", None) => Some("available"),
            _ => None,
        };
        if let Some(state) = state {
            out.push(point("presence", "", when, state, &native(event)));
        }
        let told = if leaves {
            Some(BTreeMap::new())
        } else {
            assignments(d)
        };
        let Some(told) = told else { continue };
        let names: BTreeSet<&String> = queues.keys().chain(told.keys()).collect();
        for queue in names {
            match (queues.contains_key(queue), told.contains_key(queue)) {
                (false, true) => {
                    let said = point("membership", queue, when, "member", &native(event));
                    out.push(said.text(
                        F::Attr("queue_name".into()),
                        told.get(queue).map_or("", String::as_str),
                    ));
                }
                (true, false) => {
                    out.push(point("membership", queue, when, "offline", &native(event)));
                }
                _ => {}
            }
        }
        queues = told;
    }
    out
}

/// The platform's word: the state that the event names, else its type.
fn native(event: &Event) -> String {
    match event.data().text("state") {
        state if state.is_empty() => event.kind.clone(),
        state => state,
    }
}

/// Whether he takes offers, where the event says so.
fn available(d: Doc<'_>) -> Option<bool> {
    d.flag("availableForOffers").or_else(|| {
        let state = d.text("state").to_ascii_lowercase();
        match state.as_str() {
            "active" => Some(true),
            "draining" | "inactive" => Some(false),
            _ => None,
        }
    })
}

/// Queues by id, with their names: a list of objects or of ids, or an object by id.
fn assignments(d: Doc<'_>) -> Option<BTreeMap<String, String>> {
    let given = d.first(&["queueAssignments", "queues"]);
    if !given.0.is_array() && !given.is_object() {
        return None;
    }
    let mut all = BTreeMap::new();
    for field in ["queueAssignments", "queues"] {
        for queue in d.list(field) {
            let bare = queue.as_text();
            let id = if bare.is_empty() {
                queue.first(&["id", "queueId"]).as_text()
            } else {
                bare
            };
            all.insert(id, queue.text("name"));
        }
        for (id, queue) in d.fields(field) {
            all.insert(id.to_owned(), queue.text("name"));
        }
    }
    all.remove("");
    Some(all)
}

fn point(track: &str, queue: &str, when: &When, state: &str, native: &str) -> Statement {
    // Two events of one moment are two points; the merge must not mix them.
    let id = format!("{}/{}", when.at, when.by.id);
    Statement::new(
        Thing::AgentPoint(track.into(), queue.into(), id.as_str().into()),
        &when.by,
    )
    .time(F::At, when.at, when.precision)
    .text(F::State, state)
    .text(F::NativeState, native)
}
