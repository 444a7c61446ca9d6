//! The scores of an evaluation, question by question: in percent, as the platform gives them.

use std::sync::Arc;

use callboard_model::ids::{Beside, Key};
use callboard_model::record::Provenance;
use callboard_model::statement::{F, Statement, Thing, Value};

use super::super::doc::{Doc, resource};
use super::super::{Read, instance_source};
use super::answered;

/// Questions and sections of one evaluation; the platform allows 100 of each.
const MOST_QUESTIONS: usize = 500;

/// The key of an evaluation and what is said of it.
pub(super) fn tell(
    read: &Read<'_>,
    id: &str,
    by: &Arc<Provenance>,
    at: Option<(i64, u32)>,
) -> (Key, Vec<Statement>) {
    let (doc, about) = (read.doc(), read.doc().get("metadata"));
    let text = |d: Doc<'_>| d.owned().unwrap_or_default();
    let form = match text(about.get("evaluationDefinitionVersion")) {
        version if version.is_empty() => text(about.get("evaluationDefinitionTitle")),
        version => format!(
            "{} v{version}",
            text(about.get("evaluationDefinitionTitle"))
        ),
    };
    let agent = text(about.get("agentId"));
    let contact = read.contact(&text(about.get("contactId"))).contact_id();
    let evaluator = match text(about.get("evaluator")) {
        none if none.is_empty() => text(about.get("evaluationSource")),
        evaluator => evaluator,
    };
    let item = |name: &str| Statement::new(Thing::Item(name.into()), by);
    let mut whole = item("")
        .text(F::Source, &instance_source(read.instance()))
        .text(F::Contact, &contact)
        .text(F::Agent, resource(&agent, "/agent/"))
        .text(F::Author, &evaluator)
        .text(F::Name, &form);
    if let Some((us, precision)) = at {
        whole = whole.time(F::At, us, precision);
    }
    let mut out = vec![scored(whole, about.get("score"), "")];
    let sections: Vec<(String, Doc<'_>)> = doc
        .get("sections")
        .list()
        .take(MOST_QUESTIONS)
        .map(|s| (text(s.get("sectionRefId")), s))
        .collect();
    for (name, section) in sections.iter().filter(|(name, _)| !name.is_empty()) {
        let s =
            item(&format!("section {name}")).text(F::Section, &text(section.get("sectionTitle")));
        out.push(scored(s, section.get("score"), &text(section.get("notes"))));
    }
    for question in doc.get("questions").list().take(MOST_QUESTIONS) {
        let name = text(question.get("questionRefId"));
        if name.is_empty() {
            continue;
        }
        let of = text(question.get("sectionRefId"));
        let section = sections.iter().find(|(name, _)| *name == of);
        let title = section.map(|(_, s)| text(s.get("sectionTitle")));
        let answer = question.get("answer");
        let s = item(&name)
            .text(F::Section, &title.unwrap_or_default())
            .text(F::Question, &text(question.get("questionText")))
            .text(F::Input, &answered(answer));
        out.push(scored(s, question.get("score"), &text(answer.get("notes"))));
    }
    let key = format!("{}-{}", read.instance(), super::plain(id));
    (Key::Beside(Beside::Evaluation, key.as_str().into()), out)
}

/// Percent, and what is remarked; a fail by rule is a remark too. Where the question does not apply
/// there is no score, whatever an earlier version gave.
fn scored(s: Statement, score: Doc<'_>, remark: &str) -> Statement {
    let failed = score.get("automaticFail").flag() == Some(true);
    let remark = match (failed, remark) {
        (true, "") => "automatic_fail".to_owned(),
        (true, remark) => format!("automatic_fail; {remark}"),
        (false, remark) => remark.to_owned(),
    };
    let percent = score.get("percentage").float();
    let percent = percent.filter(|_| score.get("notApplicable").flag() != Some(true));
    let s = s
        .with(F::Text, Value::text(&remark))
        .flag(F::Withdrawn, percent.is_none());
    match percent {
        Some(percent) => s
            .with(F::Number, Value::Float(percent))
            .with(F::ScaleMax, Value::Float(100.0)),
        None => s,
    }
}
