//! What jobs say of their contact, in the application's own words: labels, tags, channels,
//! dispositions.

use callboard_model::statement::F;

use crate::acs::Event;
use crate::acs::parts::About;

/// What an event says of the contact as a whole.
pub fn describe(event: &Event, about: &mut About) {
    let (d, by) = (event.data(), &event.when);
    let channel = d.text("channelId");
    about.text(F::Channel, channel_of(&channel), by);
    about.attr("channel_id", &channel, by);
    about.attr("channel_reference", &d.text("channelReference"), by);
    let details = d.first(&["queueDetails", "queueInfo"]);
    about.attr("queue_name", &details.text("name"), by);
    let mut priority = d.first(&["priority", "jobPriority"]).as_text();
    // Zero is what a job has before it was classified.
    if priority == "0" {
        priority.clear();
    }
    about.attr("priority", &priority, by);
    about.attr("disposition", &d.text("dispositionCode"), by);
    about.attr("note", &d.text("note"), by);
    about.attr("failure", &d.text("failureReason"), by);
    for (prefix, names) in [
        ("label.", ["labels", "jobLabels"]),
        ("tag.", ["tags", "jobTags"]),
    ] {
        // A worker's own labels stand beside the job's in an offer and are not the contact's.
        for name in names {
            for (key, value) in d.fields(name).take(50) {
                let key: String = key.chars().filter(|c| !c.is_control()).take(80).collect();
                about.attr(&format!("{prefix}{key}"), &value.as_text(), by);
            }
        }
    }
    for locale in ["locale", "language"] {
        let said = d.first(&["labels", "jobLabels"]).text(locale);
        about.text(F::Language, &said, by);
    }
    if let Some((at, precision)) = d.time("scheduledOn") {
        let at = callboard_model::time::format_rfc3339(at - at % i64::from(precision.max(1)));
        about.attr("scheduled_on", &at, by);
    }
    if event.kind == "RouterJobClassificationFailed" {
        let first = d.list("errors").next();
        let said = first.map_or(String::new(), |e| e.text("message"));
        about.attr("classification_failed", &said, by);
    }
    if event.kind == "RouterJobReceived" {
        about.time(F::Start, by);
    }
}

/// Our word for a channel of Job Router, whose ids are free text.
fn channel_of(id: &str) -> &'static str {
    let id = id.to_ascii_lowercase();
    let words = [
        ("voice", "voice"),
        ("call", "voice"),
        ("phone", "voice"),
        ("video", "video"),
        ("chat", "chat"),
        ("whatsapp", "whatsapp"),
        ("sms", "sms"),
        ("mail", "email"),
        ("task", "task"),
    ];
    let found = words.iter().find(|(part, _)| id.contains(part));
    found.map_or("", |(_, word)| word)
}

/// The outcome of a stay that the application's own words hint at: Job Router itself says only that
/// a job was cancelled or that a rule struck.
pub fn hinted(word: &str) -> Option<&'static str> {
    let word: String = word
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let hints = [
        ("noagent", "no_agents"),
        ("noworker", "no_agents"),
        ("abandon", "abandoned"),
        ("hangup", "abandoned"),
        ("hungup", "abandoned"),
        ("customerleft", "abandoned"),
        ("callerleft", "abandoned"),
        ("voicemail", "voicemail"),
        ("callback", "callback"),
        ("overflow", "overflow"),
        ("queuelength", "overflow"),
        ("queuefull", "overflow"),
        ("timeout", "timeout"),
        ("timedout", "timeout"),
        ("waittime", "timeout"),
        ("maxwait", "timeout"),
        ("transfer", "transferred"),
    ];
    let found = hints.iter().find(|(part, _)| word.contains(part));
    found.map(|(_, outcome)| *outcome)
}
