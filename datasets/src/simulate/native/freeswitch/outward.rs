//! Call records of calls that agents make: the agent's own leg, by which his telephone calls the
//! server, and the leg by which the server calls the customer.

use callboard_model::cloudevents::words::EndedBy;
use serde_json::{Value, json};

use crate::simulate::native::{Dial, Pen, dials};
use crate::simulate::story::{Part, Story};

/// Each try to reach a customer is a call of its own.
pub(super) fn dialled(pen: &mut Pen<'_>, story: &Story) {
    for dial in dials(story) {
        let Dial { part, end, .. } = dial;
        let n = dial.n.to_string();
        let own = pen.uuid(&["channel", &story.id, &n, "agent"]);
        let other = pen.uuid(&["channel", &story.id, &n, "customer"]);
        pen.name("contact", own.clone(), &story.id);
        let user = (1_001 + dial.agent).to_string();
        let legs = [
            leg(story, part, (&own, &own), ("inbound", &user)),
            leg(story, part, (&other, &own), ("outbound", &user)),
        ];
        for mut variables in legs {
            variables["end_uepoch"] = (end * 1_000).to_string().into();
            if variables["direction"] == "inbound" {
                variables["user_name"] = user.clone().into();
                variables["domain_name"] = pen.site.name.clone().into();
            }
            let body = json!({
                "core-uuid": pen.uuid(&["core", &pen.site.name]),
                "switchname": pen.site.name,
                "variables": variables,
                "callflow": [{"caller_profile": {
                    "caller_id_number": user,
                    "destination_number": story.customer,
                    "uuid": variables["uuid"],
                }}],
            });
            pen.json("call-records.ndjson", end + 200, &body);
        }
    }
}

/// The variables of a leg, without its end.
fn leg(
    story: &Story,
    dial: &Part,
    (id, call): (&str, &str),
    (direction, user): (&str, &str),
) -> Value {
    let answered = matches!(dial.outcome, "answered" | "machine");
    let cause = match dial.outcome {
        "busy" => "USER_BUSY",
        "no_answer" => "NO_ANSWER",
        "failed" => "NORMAL_TEMPORARY_FAILURE",
        _ => "NORMAL_CLEARING",
    };
    // Who hangs up takes leave of the server, and the server of the other.
    let customer = story.ended_by == EndedBy::Customer && dial.outcome != "machine";
    let ended = match (answered, customer == (direction == "outbound")) {
        (false, _) => "",
        (true, true) => "recv_bye",
        (true, false) => "send_bye",
    };
    let mut variables = json!({
        "uuid": id,
        "call_uuid": call,
        "direction": direction,
        "sip_from_user": user,
        "start_uepoch": (dial.start * 1_000).to_string(),
        "answer_uepoch": "0",
        "hangup_cause": cause,
        "sip_hangup_disposition": ended,
    });
    if answered {
        variables["answer_uepoch"] = (dial.end * 1_000).to_string().into();
    }
    variables
}
