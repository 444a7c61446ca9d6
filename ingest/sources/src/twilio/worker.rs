//! Workers: their activity. Activities are named by the operator, so their names tell the state:
//! what is not known by its name is a pause with that name as its reason.

use callboard_model::ids::Key;
use callboard_model::record::{Record, Refusal, RouteKey, Routing, rank};
use callboard_model::statement::{F, Statement, Thing};

use super::fields::Fields;
use super::instance_source;

/// State of an activity.
fn state(activity: &str) -> &'static str {
    let word: String = activity
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    match word.as_str() {
        "offline" | "loggedout" => "offline",
        "available" | "idle" | "ready" | "online" => "available",
        "reserved" => "reserved",
        "busy" => "busy",
        "wrapup" | "aftercallwork" | "acw" => "wrapup",
        _ => "paused",
    }
}

pub(super) fn route(instance: &str, fields: &Fields, record: &Record) -> Result<Routing, Refusal> {
    let worker = fields.first(&["workername", "workersid"]);
    let kind = fields.get("eventtype");
    let activity = match kind {
        "worker.deleted" => "Offline",
        "worker.created" | "worker.activity.update" => fields.get("workeractivityname"),
        // Attributes and capacities change no row.
        _ => "",
    };
    let time = fields.at();
    if worker.is_empty() || activity.is_empty() {
        return Ok(Routing {
            time: time.map(|t| t.0),
            ..Routing::default()
        });
    }
    let Some((us, p)) = time else {
        let reason = format!("event {kind:?} has no Timestamp that can be read");
        return Err(Refusal::new("no_time", reason));
    };
    let by = record.provenance(rank::LIVE, Some(us));
    let state = state(activity);
    // Of two changes in one second the later one follows a state that lasted no time.
    let lasted = [
        "workertimeinpreviousactivityms",
        "workertimeinpreviousactivity",
    ];
    let after = lasted.iter().find_map(|n| fields.int(n)) == Some(0);
    let id = format!("{us}-{}-{activity}", u8::from(after));
    let thing = Thing::AgentPoint("presence".into(), "".into(), id.into());
    let said = Statement::new(thing, &by)
        .time(F::At, us, p)
        .text(F::State, state)
        .text(F::NativeState, activity)
        .text(F::Reason, if state == "paused" { activity } else { "" });
    let key = Key::Agent(instance_source(instance), worker.into());
    Ok(Routing {
        keys: vec![RouteKey::Direct(key)],
        statements: Some(vec![said]),
        time: Some(us),
    })
}
