//! Calls that go out and calls between users: rows of the Direct Routing report, and Graph's call
//! records. The report bears the id of the call record as its correlation. A record of two parties
//! begins when the first of them joined, who is the caller: what he waited is in it.

use callboard_model::cloudevents::words::SegmentKind;
use serde_json::{Value, json};

use super::records::{person, phone, record};
use super::{upn, user};
use crate::simulate::native::{Dial, Pen, dials, millis};
use crate::simulate::story::Story;

/// The report comes a day later, milliseconds.
const REPORTED: i64 = 86_400_000;

/// What stands where there is no time.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// The number that the called see.
const OWN: &str = "+999000000100";

/// Each try to reach a customer is a call of its own.
pub(super) fn dialled(pen: &mut Pen<'_>, story: &Story) {
    for dial in dials(story) {
        let call = pen.uuid(&["call", &story.id, &dial.n.to_string()]);
        pen.name("contact", call.clone(), &story.id);
        let row = row(pen, story, &dial, &call);
        pen.json("direct-routing.ndjson", dial.end + REPORTED, &row);
        // A machine takes a call as a person does; then the agent hangs up.
        let failure = failure(dial.part.outcome).map(|f| f.3);
        let ends = (person(pen, dial.agent), phone(&story.customer));
        record(pen, &call, (dial.part.start, dial.end), ends, failure);
    }
}

/// SIP code, the service's own code, their phrase, and the words of the call record.
fn failure(outcome: &str) -> Option<(i64, i64, &'static str, &'static str)> {
    match outcome {
        "busy" => Some((486, 560_486, "Busy Here", "The callee was busy.")),
        "no_answer" => Some((
            480,
            560_480,
            "Temporarily Unavailable",
            "The callee did not answer.",
        )),
        "failed" => Some((
            503,
            560_503,
            "Service Unavailable",
            "The call was not set up.",
        )),
        _ => None,
    }
}

/// A row of the report.
fn row(pen: &Pen<'_>, story: &Story, dial: &Dial<'_>, call: &str) -> Value {
    let Dial {
        part, agent, end, ..
    } = *dial;
    let failed = failure(part.outcome);
    let (code, sub, phrase) = failed.map_or((0, 540_000, "BYE"), |f| (f.0, f.1, f.2));
    let (over, broke) = match failed {
        None => (millis(end), NEVER.to_owned()),
        Some(_) => (NEVER.to_owned(), millis(end)),
    };
    json!({
        "id": pen.uuid(&["leg", call]),
        "correlationId": call,
        "userId": user(pen, agent),
        "userPrincipalName": upn(pen, agent),
        "userDisplayName": pen.agent_name(agent),
        "inviteDateTime": millis(part.start),
        "startDateTime": millis(part.end),
        "failureDateTime": broke,
        "endDateTime": over,
        "duration": (end - part.end) / 1_000,
        "callType": "dr_out",
        "successfulCall": failed.is_none(),
        "callerNumber": OWN,
        "calleeNumber": story.customer,
        "mediaPathLocation": "EUNO",
        "signalingLocation": "EUNO",
        "finalSipCode": code,
        "callEndSubReason": sub,
        "finalSipCodePhrase": phrase,
        "trunkFullyQualifiedDomainName": format!("sbc1.{}.example.com", pen.site.name),
        "mediaBypassEnabled": true,
    })
}

/// A call from one user to another; it is in no report of the telephone network.
pub(super) fn between(pen: &mut Pen<'_>, story: &Story) {
    let mut talks = story.parts.iter().filter(|p| p.kind == SegmentKind::Talk);
    let mut next = || talks.next().and_then(|t| t.agent);
    let (Some(first), Some(second)) = (next(), next()) else {
        return;
    };
    let call = pen.uuid(&["call", &story.id, "0"]);
    pen.name("contact", call.clone(), &story.id);
    let ends = (person(pen, first), person(pen, second));
    record(pen, &call, (story.start, story.end), ends, None);
}
