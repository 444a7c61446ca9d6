//! Recordings of dialogs, and transcripts among the analyses. Where a redacted transcript is there,
//! it alone is read.

use std::sync::Arc;

use callboard_model::cloudevents::data::{TranscriptData, TurnData};
use callboard_model::record::Provenance;
use callboard_model::statement::{F, Statement, Thing};
use callboard_model::time::MILLI;
use serde_json::Value;

use super::parties::{Parties, indices};
use super::{instance_source, media, milliseconds};
use crate::payload::value::{as_int, either, field, float, items, path, text, time};

/// No transcript has more turns.
const MOST_TURNS: usize = 20_000;

/// Longest place in a recording that is believed, milliseconds.
const LONGEST: i64 = 100_000_000_000;

/// What a vCon says of the recording of a dialog.
pub(super) fn recording(
    instance: &str,
    contact: &str,
    (n, d): (usize, &Value),
    v: &Value,
    parties: &Parties,
    by: &Arc<Provenance>,
) -> Statement {
    let here = indices(d);
    let agent = parties.agent_of(&here).filter(|_| parties.stated);
    let kind = media(d);
    let mut s = Statement::new(Thing::Recording, by)
        .text(F::Source, &instance_source(instance))
        .text(F::Contact, contact)
        .text(F::Leg, "both")
        .text(F::State, "ready")
        .text(F::Codec, &kind)
        .text(F::Agent, agent.map_or("", |a| &a.handle))
        .text(F::Queue, &text(d, "skill"))
        .text(F::Attr("url".into()), &text(d, "url"));
    let length = milliseconds(d, "duration");
    if let Some((us, p)) = time(d, "start") {
        s = s.time(F::Start, us, p);
        if let Some(ms) = length {
            s = s.time(F::End, us + ms * MILLI, p);
        }
    }
    if let Some(ms) = length {
        s = s.millis(F::Duration, ms, 1_000);
    }
    let transcript = transcript(n, d, v, parties);
    match transcript.and_then(|t| serde_json::to_string(&t).ok()) {
        Some(t) => s.text(F::Transcript, &t),
        None => s,
    }
}

/// The transcript of a dialog that may be shown.
fn transcript(n: usize, d: &Value, v: &Value, parties: &Parties) -> Option<TranscriptData> {
    let of_dialog = |a: &&Value| match field(a, "dialog") {
        Some(Value::Array(all)) => all.iter().any(|x| as_int(x) == i64::try_from(n).ok()),
        Some(one) => as_int(one) == i64::try_from(n).ok(),
        None => n == 0,
    };
    let named = |kind: &str| {
        let all = items(v, "analysis").iter();
        all.filter(of_dialog).find(|a| text(a, "type") == kind)
    };
    let a = named("transcript-redacted").or_else(|| named("transcript"))?;
    let start = time(d, "start").map(|t| t.0);
    let body = field(a, "body")?;
    // A body may be JSON in a text.
    let inner: Value;
    let body = match body {
        Value::String(s) => {
            inner = serde_json::from_str(s).unwrap_or_else(|_| Value::String(s.clone()));
            &inner
        }
        other => other,
    };
    let mut turns = turns(body, start, parties);
    turns.truncate(MOST_TURNS);
    if turns.is_empty() {
        return None;
    }
    for (n, turn) in turns.iter_mut().enumerate() {
        turn.seq = i64::try_from(n).ok().map(|n| n + 1);
    }
    let made = [text(a, "vendor"), text(a, "product")];
    let made: Vec<&str> = made
        .iter()
        .map(String::as_str)
        .filter(|t| !t.is_empty())
        .collect();
    Some(TranscriptData {
        state: Some("done".to_owned()),
        model: (!made.is_empty()).then(|| made.join(" ")),
        turns: Some(turns),
        ..TranscriptData::default()
    })
}

fn turns(body: &Value, start: Option<i64>, parties: &Parties) -> Vec<TurnData> {
    match body {
        Value::Array(all) => all.iter().filter_map(|t| turn(t, start, parties)).collect(),
        Value::String(s) if !s.trim().is_empty() => vec![said("mixed", 0, 0, s.clone())],
        Value::Object(_) => {
            let first = |v: &Value, name: &str| items(v, name).first().cloned();
            let paragraphs = field(body, "results")
                .and_then(|r| first(r, "channels"))
                .and_then(|c| first(&c, "alternatives"))
                .and_then(|a| path(&a, &["paragraphs"]).cloned());
            let paragraphs = paragraphs.unwrap_or(Value::Null);
            let sentences = items(&paragraphs, "paragraphs")
                .iter()
                .flat_map(|p| items(p, "sentences"));
            sentences.filter_map(|s| turn(s, start, parties)).collect()
        }
        _ => Vec::new(),
    }
}

fn said(leg: &str, start_ms: i64, end_ms: i64, text: String) -> TurnData {
    TurnData {
        leg: leg.to_owned(),
        start_ms,
        end_ms,
        text,
        ..TurnData::default()
    }
}

/// One thing that was said: by a party's number or by a word for the speaker; its time as a place
/// in the recording or by the clock.
fn turn(t: &Value, start: Option<i64>, parties: &Parties) -> Option<TurnData> {
    let words = either(t, &["text", "message", "transcript"])?
        .as_str()?
        .trim();
    if words.is_empty() {
        return None;
    }
    let party = either(t, &["parties", "party"]);
    let party = party.and_then(|p| as_int(p.as_array().and_then(|a| a.first()).unwrap_or(p)));
    let speaker = text(t, "speaker").to_ascii_lowercase();
    let leg = match party.and_then(|n| usize::try_from(n).ok()) {
        Some(n) => parties.leg(n),
        None if speaker == "agent" => "agent",
        None if speaker == "customer" => "customer",
        None => "mixed",
    };
    let offset = match field(t, "start") {
        Some(Value::Number(_)) => float(t, "start").map(|s| (s * 1_000.0).round() as i64),
        Some(_) => time(t, "start").and_then(|at| Some((at.0 - start?) / MILLI)),
        None => None,
    };
    let begin = offset.unwrap_or(0).clamp(0, LONGEST);
    let end = match float(t, "end") {
        Some(s) => (s * 1_000.0).round() as i64,
        None => begin + milliseconds(t, "duration").unwrap_or(0),
    };
    Some(said(
        leg,
        begin,
        end.clamp(begin, LONGEST),
        words.to_owned(),
    ))
}
