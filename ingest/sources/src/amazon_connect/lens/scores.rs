//! What Contact Lens measured in a file: the mood of each side as its own score, and how the time
//! was shared. The platform publishes no formula: its figures stand beside ours.

use callboard_model::statement::{F, Statement, Thing, UNTIMED};

use super::super::doc::Doc;
use super::super::{Read, instance_source};
use crate::payload::measured::Measured;

/// Whether a file measured anything.
pub(in crate::amazon_connect) fn has_any(doc: Doc<'_>) -> bool {
    doc.get("ConversationCharacteristics").is_there()
}

/// What a file measured.
pub(in crate::amazon_connect) fn tell(read: &Read<'_>, contact: &str) -> Vec<Statement> {
    let doc = read.doc();
    let found = doc.get("ConversationCharacteristics");
    let items = doc.get("Transcript").list();
    let last = items.filter_map(|i| i.get("AbsoluteTime").time()).max();
    // A call's file tells no time but that in its name.
    let last = last.map(|t| t.0);
    let (at, by) = (last.unwrap_or(UNTIMED), read.whole(last));
    let source = instance_source(read.instance());
    let of = |who| Measured {
        source: &source,
        who,
        at,
        by: &by,
    };
    let mut out = Vec::new();
    for (role, who) in [("AGENT", "agent"), ("CUSTOMER", "customer")] {
        let overall = found.at(&["Sentiment", "OverallSentiment"]);
        let score = overall
            .get(role)
            .float()
            .or_else(|| overall.at(&["DetailsByParticipantRole", role]).float());
        out.extend(of(who).says("sentiment", score));
        let quarters = found.at(&["Sentiment", "SentimentByPeriod", "QUARTER", role]);
        for (n, quarter) in (1..=8).zip(quarters.list()) {
            let name = format!("sentiment quarter {n}");
            out.extend(of(who).says_in(&name, "score", quarter.get("Score").float()));
        }
        let shift = found.at(&["Sentiment", "SentimentShift"]);
        for (name, field) in [
            ("sentiment begin", "BeginScore"),
            ("sentiment end", "EndScore"),
        ] {
            let score = shift.get(role).get(field).float();
            out.extend(of(who).says_in(name, "score", score));
        }
        for (name, unit, path) in [
            (
                "talk_ms",
                "ms",
                ["TalkTime", "DetailsByParticipant", role, "TotalTimeMillis"],
            ),
            (
                "talk_speed",
                "words/min",
                [
                    "TalkSpeed",
                    "DetailsByParticipant",
                    role,
                    "AverageWordsPerMinute",
                ],
            ),
        ] {
            out.extend(of(who).says_in(name, unit, found.at(&path).float()));
        }
        let spoke = found.at(&["Interruptions", "InterruptionsByInterrupter", role]);
        if spoke.is_there() {
            let count = spoke.list().count() as f64;
            out.extend(of(who).says_in("interruptions", "count", Some(count)));
        }
    }
    for (name, path) in [
        ("non_talk_ms", ["NonTalkTime", "TotalTimeMillis"]),
        ("interruptions_ms", ["Interruptions", "TotalTimeMillis"]),
        ("talk_ms", ["TalkTime", "TotalTimeMillis"]),
        (
            "agent_greeting_ms",
            ["ResponseTime", "AgentGreetingTimeMillis"],
        ),
    ] {
        out.extend(of("").says_in(name, "ms", found.at(&path).float()));
    }
    if !out.is_empty() {
        let whole = Statement::new(Thing::Item("".into()), &by);
        out.push(whole.text(F::Contact, contact));
    }
    out
}
