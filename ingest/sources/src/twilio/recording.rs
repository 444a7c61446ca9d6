//! Recordings, by their call-backs.

use callboard_model::ids::{Key, PlatformId};
use callboard_model::record::{Record, Refusal, RouteKey, Routing, rank};
use callboard_model::statement::{F, Statement, Thing};
use callboard_model::time::SECOND;

use super::fields::Fields;
use super::{PLATFORM, instance_source};
use crate::payload::value::{read_time, tidy};

pub(super) fn route(instance: &str, fields: &Fields, record: &Record) -> Result<Routing, Refusal> {
    let status = fields.get("recordingstatus");
    let (state, rank) = match status {
        "in-progress" => ("active", rank::LIVE),
        "paused" => ("paused", rank::LIVE),
        "completed" | "processing" | "stopped" => ("ready", rank::RECORD),
        "absent" => ("absent", rank::RECORD),
        "failed" => ("failed", rank::RECORD),
        "deleted" => ("deleted", rank::RECORD),
        // The call-back of <Record>'s action has no status: the file is there.
        "" if !fields.get("recordingurl").is_empty() => ("ready", rank::RECORD),
        _ => ("", rank::LIVE),
    };
    let start = read_time(fields.get("recordingstarttime"));
    let seconds = fields.int("recordingduration").filter(|s| *s < 1_000_000);
    let end = start.map(|(us, _)| us + seconds.unwrap_or(0) * SECOND);
    let time = fields.at().map(|t| t.0).or(end);
    let by = record.provenance(rank, time);
    // A conference's recording names its conference; a call's the call that was recorded, which
    // of a dial is the parent.
    let of = fields.first(&["callsid", "conferencesid"]);
    let contact = PlatformId::new(PLATFORM, instance, of).contact_id();
    let leg = match fields.get("recordingtrack") {
        "inbound" => "customer",
        "outbound" => "agent",
        _ if fields.get("recordingchannels") == "1" => "mixed",
        _ => "both",
    };
    let error = match fields.get("errorcode") {
        "" | "0" => "",
        "16101" => "16101: too short",
        "16102" => "16102: silent",
        code => code,
    };
    let mut said = Statement::new(Thing::Recording, &by)
        .text(F::Source, &instance_source(instance))
        .text(F::Contact, if of.is_empty() { "" } else { &contact })
        .text(F::Leg, leg)
        .text(F::State, state)
        .text(F::NativeState, status)
        .text(F::Reason, &tidy(error))
        .text(F::Attr("url".into()), &tidy(fields.get("recordingurl")));
    if let Some((us, p)) = start {
        said = said.time(F::Start, us, p);
        if seconds.is_some() && state == "ready" {
            said = said.time(F::End, us + seconds.unwrap_or(0) * SECOND, p);
        }
    }
    if let Some(s) = seconds {
        said = said.millis(F::Duration, s * 1_000, 1_000_000);
    }
    if let Some(n) = fields.int("recordingchannels") {
        said = said.int(F::Channels, n);
    }
    if fields
        .get("recordingsource")
        .eq_ignore_ascii_case("RecordVerb")
    {
        said = said.flag(F::Voicemail, true);
    }
    let id = format!("{PLATFORM}/{instance}/{}", fields.get("recordingsid"));
    Ok(Routing {
        keys: vec![RouteKey::Direct(Key::Recording(id.into()))],
        statements: Some(vec![said]),
        time,
    })
}
