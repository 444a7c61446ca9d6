//! What stands beside contacts: evaluations and matched rules, as notes that never reopen a contact;
//! messages of outbound campaigns.

mod scores;

use callboard_model::ids::Key;
use callboard_model::record::{Refusal, RouteKey, Routing};
use callboard_model::statement::{F, Statement, Thing};

use super::doc::{Doc, plain, resource};
use super::{Read, alone, instance_source, missing};

/// A note of this platform.
fn note(read: &Read<'_>, id: &str, at: Option<i64>, s: Statement) -> Routing {
    let id = format!("{}-{}", read.instance(), plain(id));
    Routing {
        keys: vec![RouteKey::Direct(Key::Note(id.into()))],
        statements: Some(vec![s]),
        time: at,
    }
}

/// An evaluation that was handed in: form, score, and every question with its answer. Handed in
/// again it replaces the former.
pub(super) fn evaluation(read: &Read<'_>) -> Result<Routing, Refusal> {
    let doc = read.doc();
    let id = doc
        .get("evaluationId")
        .owned()
        .ok_or_else(|| missing("evaluationId"))?;
    let about = doc.get("metadata");
    let contact = about
        .get("contactId")
        .owned()
        .ok_or_else(|| missing("metadata.contactId"))?;
    let at = about
        .get("evaluationSubmitTimestamp")
        .time()
        .or(about.get("evaluationStartTimestamp").time());
    let by = read.whole(at.map(|t| t.0));
    let text = |d: Doc<'_>| d.owned().unwrap_or_default();
    let mut lines = vec![format!(
        "{} (version {}): {}",
        text(about.get("evaluationDefinitionTitle")),
        text(about.get("evaluationDefinitionVersion")),
        score(about.get("score")),
    )];
    let agent = text(about.get("agentId"));
    if !agent.is_empty() {
        lines.push(format!("Agent: {}", resource(&agent, "/agent/")));
    }
    for (name, field) in [
        ("Source", "evaluationSource"),
        ("Type", "evaluationType"),
        ("Calibration", "calibrationSessionId"),
        ("Acknowledged by", "evaluationAcknowledgedByUserId"),
    ] {
        let value = text(about.get(field));
        if !value.is_empty() {
            lines.push(format!("{name}: {value}"));
        }
    }
    for section in doc.get("sections").list() {
        let title = text(section.get("sectionTitle"));
        let notes = text(section.get("notes"));
        lines.push(noted(
            format!("[{title}] {}", score(section.get("score"))),
            &notes,
        ));
    }
    for question in doc.get("questions").list() {
        let answer = question.get("answer");
        let line = format!(
            "{} {} ({})",
            text(question.get("questionText")),
            answered(answer),
            score(question.get("score")),
        );
        lines.push(noted(line, &text(answer.get("notes"))));
    }
    let author = text(about.get("evaluator"));
    let mut s = Statement::new(Thing::Note, &by)
        .text(F::Contact, &read.contact(&contact).contact_id())
        .text(
            F::Author,
            if author.is_empty() {
                "Amazon Connect"
            } else {
                &author
            },
        )
        .text(F::Text, &lines.join("\n"));
    if let Some((us, precision)) = at {
        s = s.time(F::At, us, precision);
    }
    let mut routing = note(read, &id, at.map(|t| t.0), s);
    let (key, scores) = scores::tell(read, &id, &by, at);
    routing.keys.push(RouteKey::Direct(key));
    routing.statements.get_or_insert_default().extend(scores);
    Ok(routing)
}

fn noted(line: String, notes: &str) -> String {
    if notes.is_empty() {
        line
    } else {
        format!("{line}; note: {notes}")
    }
}

fn score(score: Doc<'_>) -> String {
    if score.get("notApplicable").flag() == Some(true) {
        return "not applicable".to_owned();
    }
    let failed = if score.get("automaticFail").flag() == Some(true) {
        ", automatic fail"
    } else {
        ""
    };
    match score.get("percentage").float() {
        Some(percent) => format!("{percent} %{failed}"),
        None => format!("no score{failed}"),
    }
}

fn answered(answer: Doc<'_>) -> String {
    if answer.at(&["metadata", "notApplicable"]).flag() == Some(true) {
        return "not applicable".to_owned();
    }
    let chosen: Vec<String> = answer
        .get("values")
        .list()
        .filter(|v| v.get("selected").flag() == Some(true))
        .filter_map(|v| v.get("valueText").owned())
        .collect();
    if chosen.is_empty() {
        answer.get("value").owned().unwrap_or_default()
    } else {
        chosen.join(", ")
    }
}

/// A rule that matched on a contact; one on figures or cases speaks of none.
pub(super) fn rule(read: &Read<'_>) -> Result<Routing, Refusal> {
    let doc = read.doc();
    let detail = read.detail();
    let at = doc.get("time").time();
    let Some(contact) = detail.any(&["contactArn", "contactId"]).owned() else {
        return Ok(Routing {
            statements: Some(Vec::new()),
            time: at.map(|t| t.0),
            ..Routing::default()
        });
    };
    let contact = resource(&contact, "/contact/").to_owned();
    let kind = doc.get("detail-type").owned().unwrap_or_default();
    let rule = detail.get("ruleName").owned().unwrap_or_default();
    let action = detail.get("actionName").owned().unwrap_or_default();
    let by = read.live(at.map(|t| t.0));
    let mut s = Statement::new(Thing::Note, &by)
        .text(F::Contact, &read.contact(&contact).contact_id())
        .text(F::Author, "Contact Lens")
        .text(F::Text, &format!("{kind}: {rule} ({action})"));
    if let Some((us, precision)) = at {
        s = s.time(F::At, us, precision);
    }
    let id = format!("rule-{}", read.record.id);
    Ok(note(read, &id, at.map(|t| t.0), s))
}

/// An event of a campaign: of a call it says the campaign; a message that was sent is a contact of
/// its own, by its attempt; what speaks of a person or of the campaign alone is kept only.
pub(super) fn campaign(read: &Read<'_>) -> Result<Routing, Refusal> {
    let doc = read.doc();
    let time = doc.any(&[
        "campaign_event_timestamp",
        "event_timestamp",
        "timestamp",
        "eventTimestamp",
    ]);
    let at = time.time();
    let by = read.live(at.map(|t| t.0));
    let word = |names: &[&str]| doc.any(names).owned().unwrap_or_default();
    let campaign = word(&["campaign_id", "campaignId"]);
    let event = word(&["campaign_event_type", "campaignEventType"]);
    let channel = word(&["channel"]).to_ascii_lowercase();
    let source = instance_source(read.instance());
    let about = Statement::new(Thing::Contact, &by)
        .text(F::Source, &source)
        .text(F::Campaign, resource(&campaign, "/campaign/"))
        .text(F::Attr("aws:campaign_event".into()), &event);
    if let Some(contact) = doc.any(&["contact_id", "contactId"]).owned() {
        return Ok(alone(read.contact(&contact), at.map(|t| t.0), vec![about]));
    }
    let attempt = word(&["delivery_attempt_id", "deliveryAttemptId"]);
    if attempt.is_empty() || !matches!(&*channel, "email" | "sms" | "whatsapp") {
        return Ok(Routing {
            statements: Some(Vec::new()),
            time: at.map(|t| t.0),
            ..Routing::default()
        });
    }
    let outcome = delivered(&event);
    let thing = Thing::Segment(format!("{attempt}/message").into());
    let mut s = Statement::new(thing, &by)
        .text(F::Kind, "message")
        .text(F::Name, resource(&campaign, "/campaign/"))
        .text(F::Outcome, outcome)
        .text(F::RawOutcome, &event);
    let mut about = about
        .text(F::Channel, &channel)
        .text(F::Direction, "outbound")
        .flag(F::EndsAreStated, true);
    if let Some((us, precision)) = at {
        if outcome == "sent" {
            s = s.time(F::Start, us, precision);
            about = about.time(F::Start, us, precision);
        }
        // The last that is heard of it ends it.
        s = s.time(F::End, us, precision);
        about = about.time(F::End, us, precision);
    }
    let id = read.contact(&format!("attempt-{}", plain(&attempt)));
    Ok(alone(id, at.map(|t| t.0), vec![about, s]))
}

/// What became of a message.
fn delivered(event: &str) -> &'static str {
    let event = event.to_ascii_lowercase();
    match event.strip_prefix("text_").unwrap_or(&event) {
        "send" | "sent" | "queued" | "buffered" => "sent",
        "delivery" | "delivered" | "successful" | "success" => "delivered",
        "open" | "click" | "read" | "opened" => "read",
        "" => "",
        _ => "failed",
    }
}
