//! Metadata of recordings, `GET /api/v2/conversations/{id}/recordings`.

use callboard_model::ids::Key;
use callboard_model::record::{Record, Refusal, RouteKey, Routing, rank};
use callboard_model::statement::{F, Statement, Thing};
use serde_json::Value;

use super::topic::recording_id;
use super::{contact_id, instance_source};
use crate::payload::value::{int, text, time};

pub(super) fn route(instance: &str, v: &Value, record: &Record) -> Result<Routing, Refusal> {
    let own = text(v, "id");
    // Events name the session, whose recording this is.
    let id = match text(v, "sessionId") {
        session if session.is_empty() => own.clone(),
        session => session,
    };
    if id.is_empty() {
        return Err(Refusal::new(
            "missing_attribute",
            "a recording with neither id nor sessionId cannot be told from others",
        ));
    }
    let names = [
        "startTime",
        "endTime",
        "creationTime",
        "archiveDate",
        "deleteDate",
    ];
    let latest = names.iter().filter_map(|n| time(v, n)).max();
    let by = record.provenance(rank::RECORD, latest.map(|t| t.0));
    let file = text(v, "fileState");
    let (state, reason) = match file.to_ascii_uppercase().as_str() {
        "AVAILABLE" | "RESTORED" => ("ready", ""),
        "ARCHIVED" | "RESTORING" => ("ready", &*file),
        "UPLOADING" => ("active", &*file),
        "DELETED" => ("deleted", ""),
        "ERROR" => ("failed", "ERROR"),
        _ => ("", &*file),
    };
    let mut said = Statement::new(Thing::Recording, &by)
        .text(F::Source, &instance_source(instance))
        .text(
            F::Contact,
            &contact_id(instance, &text(v, "conversationId")),
        )
        .text(F::Leg, "both")
        .text(F::State, state)
        .text(F::NativeState, &file)
        .text(F::Reason, reason)
        .text(F::Codec, &text(v, "mediaSubtype"))
        .text(F::Attr("recording_id".into()), &own);
    for (f, name) in [(F::Start, "startTime"), (F::End, "endTime")] {
        if let Some((us, p)) = time(v, name) {
            said = said.time(f, us, p);
        }
    }
    if let Some(ms) = int(v, "outputDurationMs").filter(|ms| *ms >= 0) {
        said = said.millis(F::Duration, ms, 1_000);
    }
    if let Some(n) = int(v, "outputSizeInBytes").filter(|n| *n >= 0) {
        said = said.int(F::Bytes, n);
    }
    let key = Key::Recording(recording_id(instance, &id).into());
    Ok(Routing {
        keys: vec![RouteKey::Direct(key)],
        statements: Some(vec![said]),
        time: latest.map(|t| t.0),
    })
}
