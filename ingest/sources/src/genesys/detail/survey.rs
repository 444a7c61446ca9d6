//! Surveys in a conversation's detail record, each answer a key of its own.

use callboard_model::ids::Key;
use callboard_model::record::{Record, rank};
use callboard_model::statement::{F, Statement, Thing, Value as Fact};
use serde_json::Value;

use super::recorded_at;
use crate::genesys::{CONVERSATION, PLATFORM, contact_id};
use crate::payload::value::{float, items, text, time};

/// Keys of the surveys in a record.
pub(in crate::genesys) fn keys<'v>(
    instance: &'v str,
    v: &'v Value,
) -> impl Iterator<Item = Key> + 'v {
    items(v, "surveys")
        .iter()
        .flat_map(move |s| answers(instance, s).map(|(id, ..)| Key::Survey(id.into())))
}

/// What a survey answers: id, kind, value and the scale's ends.
fn answers(
    instance: &str,
    s: &Value,
) -> impl Iterator<Item = (String, &'static str, Option<f64>, f64)> {
    let id = text(s, "surveyId");
    let base = format!("{PLATFORM}/{instance}/{id}");
    let nps = float(s, "surveyPromoterScore");
    let score = float(s, "oSurveyTotalScore");
    let mut all = Vec::new();
    if !id.is_empty() {
        if nps.is_some() {
            all.push((format!("{base}/nps"), "nps", nps, 10.0));
        }
        if score.is_some() || nps.is_none() {
            all.push((format!("{base}/score"), "csat", score, 100.0));
        }
    }
    all.into_iter()
}

/// What a record says of one answer.
pub(in crate::genesys) fn survey(wanted: &str, record: &Record, v: &Value) -> Vec<Statement> {
    if &*record.format != CONVERSATION {
        return Vec::new();
    }
    let instance = &*record.stamp.instance;
    let by = record.provenance(rank::RECORD, recorded_at(v));
    let contact = contact_id(instance, &text(v, "conversationId"));
    let mut out = Vec::new();
    for s in items(v, "surveys") {
        for (_, kind, value, most) in answers(instance, s).filter(|a| a.0 == wanted) {
            let raw = text(s, "surveyStatus");
            let status = match raw.to_ascii_lowercase().as_str() {
                "finished" => "answered",
                "optout" => "opted_out",
                "expired" => "expired",
                "pending" | "sent" | "inprogress" => "asked",
                _ => &raw,
            };
            let mut said = Statement::new(Thing::Survey, &by)
                .text(F::Contact, &contact)
                .text(F::Kind, kind)
                .text(F::State, status)
                .text(F::NativeState, &raw)
                .text(F::Queue, &text(s, "queueId"))
                .text(F::Agent, &text(s, "userId"))
                .text(F::Question, &text(s, "surveyFormName"))
                .with(F::ScaleMin, Fact::Float(0.0))
                .with(F::ScaleMax, Fact::Float(most));
            if let Some(n) = value {
                said = said.with(F::Number, Fact::Float(n));
            }
            if let Some((us, p)) = time(s, "surveyCompletedDate") {
                said = said.time(F::AnsweredAt, us, p);
            }
            if let Some((us, p)) = time(v, "conversationEnd").or(time(v, "conversationStart")) {
                said = said.time(F::At, us, p);
            }
            out.push(said);
        }
    }
    out
}
