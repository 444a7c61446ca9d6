//! Evaluations: in a conversation's detail record their totals, in an evaluation of the quality
//! service every question too.

use callboard_model::ids::{Beside, Key};
use callboard_model::record::{Record, rank};
use callboard_model::statement::{F, Statement, Thing, Value as Fact};
use serde_json::Value;

use super::recorded_at;
use crate::genesys::{CONVERSATION, EVALUATION, contact_id, instance_source};
use crate::payload::value::{float, items, path, text, time};

/// Questions that an evaluation has at most.
const MOST_QUESTIONS: usize = 500;

fn key(instance: &str, id: &str) -> Key {
    Key::Beside(Beside::Evaluation, format!("{instance}-{id}").into())
}

/// Keys of the evaluations that a record tells of.
pub(in crate::genesys) fn keys<'v>(
    instance: &'v str,
    v: &'v Value,
) -> impl Iterator<Item = Key> + 'v {
    let own = text(v, "id");
    let own = v.get("evaluationForm").map(|_| own);
    let listed = items(v, "evaluations")
        .iter()
        .map(|e| text(e, "evaluationId"));
    listed
        .chain(own)
        .filter(|id| !id.is_empty())
        .map(move |id| key(instance, &id))
}

/// What a record says of one evaluation.
pub(in crate::genesys) fn evaluation(wanted: &Key, record: &Record, v: &Value) -> Vec<Statement> {
    let instance = &*record.stamp.instance;
    match &*record.format {
        EVALUATION if key(instance, &text(v, "id")) == *wanted => of_service(instance, record, v),
        CONVERSATION => {
            let by = record.provenance(rank::RECORD, recorded_at(v));
            items(v, "evaluations")
                .iter()
                .filter(|e| key(instance, &text(e, "evaluationId")) == *wanted)
                .map(|e| {
                    let mut s = Statement::new(Thing::Item("".into()), &by)
                        .text(F::Source, &instance_source(instance))
                        .text(
                            F::Contact,
                            &contact_id(instance, &text(v, "conversationId")),
                        )
                        .text(F::Agent, &text(e, "userId"))
                        .text(F::Author, &text(e, "evaluatorId"))
                        .text(F::Name, &text(e, "formName"));
                    if let Some((us, p)) = time(e, "eventTime").or(time(v, "conversationEnd")) {
                        s = s.time(F::At, us, p);
                    }
                    scored(s, float(e, "oTotalScore"), 100.0)
                })
                .collect()
        }
        _ => Vec::new(),
    }
}

/// An evaluation as the quality service answers it.
fn of_service(instance: &str, record: &Record, v: &Value) -> Vec<Statement> {
    let of = |names: &[&str]| {
        path(v, names)
            .and_then(crate::payload::value::as_text)
            .unwrap_or_default()
    };
    let at = ["releaseDate", "changedDate", "assignedDate"]
        .iter()
        .find_map(|name| time(v, name));
    let by = record.provenance(rank::RECORD, at.map(|t| t.0));
    let item = |name: &str| Statement::new(Thing::Item(name.into()), &by);
    let answers = v.get("answers").unwrap_or(&Value::Null);
    let conversation = of(&["conversation", "id"]);
    let mut whole = item("")
        .text(F::Source, &instance_source(instance))
        .text(F::Agent, &of(&["agent", "id"]))
        .text(F::Author, &of(&["evaluator", "id"]))
        .text(F::Name, &of(&["evaluationForm", "name"]))
        .text(F::Text, &text(answers, "comments"));
    if !conversation.is_empty() {
        whole = whole.text(F::Contact, &contact_id(instance, &conversation));
    }
    if let Some((us, p)) = at {
        whole = whole.time(F::At, us, p);
    }
    let mut out = vec![scored(whole, float(answers, "totalScore"), 100.0)];
    let form = v.get("evaluationForm").unwrap_or(&Value::Null);
    let groups = items(form, "questionGroups");
    let named = |all: &'_ [Value], id: &str| all.iter().find(|g| text(g, "id") == *id).cloned();
    for scores in items(answers, "questionGroupScores") {
        let group = named(groups, &text(scores, "questionGroupId")).unwrap_or_default();
        for score in items(scores, "questionScores") {
            let id = text(score, "questionId");
            if id.is_empty() || out.len() > MOST_QUESTIONS {
                continue;
            }
            let question = named(items(&group, "questions"), &id).unwrap_or_default();
            let options = items(&question, "answerOptions");
            let chosen = named(options, &text(score, "answerId")).unwrap_or_default();
            let most = options
                .iter()
                .filter_map(|o| float(o, "value"))
                .reduce(f64::max);
            let s = item(&id)
                .text(F::Section, &text(&group, "name"))
                .text(F::Question, &text(&question, "text"))
                .text(F::Input, &text(&chosen, "text"))
                .text(F::Text, &text(score, "comments"));
            let value = float(score, "score");
            out.push(match most {
                Some(most) => scored(s, value, most),
                None => value.map_or(s.clone(), |n| s.with(F::Number, Fact::Float(n))),
            });
        }
    }
    out
}

fn scored(s: Statement, score: Option<f64>, most: f64) -> Statement {
    match score {
        Some(score) => s
            .with(F::Number, Fact::Float(score))
            .with(F::ScaleMax, Fact::Float(most)),
        None => s,
    }
}
