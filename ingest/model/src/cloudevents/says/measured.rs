//! What is measured, judged, counted elsewhere, known of customers, planned and taken for hand-overs.

use std::collections::BTreeMap;

use super::super::data::{
    CustomerData, EvaluationData, FigureData, LeaseData, MeasurementData, ScheduleData,
};
use super::super::read_time;
use super::super::words::PlanClass;
use super::{Said, Says, bounded, direct, missing, required};
use crate::ids::{Beside, Key};
use crate::measures;
use crate::record::Refusal;
use crate::statement::{F, Statement, Thing, Value};

/// Most values, questions or attributes of one event.
const MOST_VALUES: usize = 500;
/// Longest text of an answer or a remark, bytes.
const MAX_TEXT_BYTES: usize = 8_192;

type Units = Option<BTreeMap<String, String>>;

impl Says<'_> {
    fn whole(&self) -> Statement {
        self.about(Thing::Item("".into()))
            .text(F::Source, self.source)
    }

    /// A time of the data, else the event's own.
    fn moment(&self, field: &str, text: Option<&String>) -> Result<(i64, u32), Refusal> {
        match text {
            Some(t) => read_time(field, t, self.precision),
            None => Ok(self.time),
        }
    }

    pub(super) fn measurement(&self, d: &MeasurementData) -> Said {
        let contact = required("contact_id", d.contact_id.as_deref())?;
        let who = bounded("participant", d.participant.as_deref())?;
        let (at, _) = self.moment("at", d.at.as_ref())?;
        let given = d.values.as_ref().ok_or_else(|| missing("values"))?;
        let mut values: BTreeMap<&str, (f64, &str)> = BTreeMap::new();
        for (name, value) in checked("values", given)? {
            let unit = unit_of(&d.units, name)?;
            match measures::of_stat(name) {
                Some((m, factor)) => values.insert(m.name, (value * factor, m.unit)),
                None => values.insert(
                    name,
                    (value, measures::of_name(name).map_or(unit, |m| m.unit)),
                ),
            };
        }
        let of = |name: &str| values.get(name).map(|v| v.0);
        if let (None, Some(lost), Some(received)) = (
            of("packet_loss_ratio"),
            of("packets_lost"),
            of("packets_received"),
        ) && let Some(ratio) = measures::loss_ratio(lost, received)
        {
            values.insert("packet_loss_ratio", (ratio, "ratio"));
        }
        let mut said = vec![self.whole().text(F::Contact, contact)];
        for (name, (value, unit)) in values {
            let thing = Thing::Measurement(self.source.into(), who.into(), name.into(), at);
            let mut s = self
                .about(thing)
                .with(F::Number, Value::Float(value))
                .text(F::Unit, unit)
                .text(F::Parent, bounded("segment_id", d.segment_id.as_deref())?);
            for (name, text) in [
                ("client", &d.client),
                ("device", &d.device),
                ("network", &d.network),
                ("vdi", &d.vdi),
            ] {
                s = s.text(F::Attr(name.into()), bounded(name, text.as_deref())?);
            }
            said.push(s);
        }
        Ok(direct(
            Key::Beside(Beside::Measurements, contact.into()),
            said,
        ))
    }

    pub(super) fn figure(&self, d: &FigureData) -> Said {
        let scope = bounded("scope", d.scope.as_deref())?;
        let start = match &d.start {
            Some(t) => Some(read_time("start", t, self.precision)?),
            None => None,
        };
        let end = self.moment("end", d.end.as_ref())?;
        if start.is_some_and(|start| start.0 > end.0) {
            return Err(backwards());
        }
        let given = d.values.as_ref().ok_or_else(|| missing("values"))?;
        let mut said = Vec::new();
        for (name, value) in checked("values", given)? {
            let mut s = self
                .about(Thing::Item(name.into()))
                .text(F::Source, self.source)
                .text(F::Scope, scope)
                .with(F::Number, Value::Float(value))
                .text(F::Unit, unit_of(&d.units, name)?)
                .time(F::End, end.0, end.1);
            if let Some((us, p)) = start {
                s = s.time(F::Start, us, p);
            }
            said.push(s);
        }
        let id = figures_id(self.source, scope, start.map(|t| t.0), Some(end.0));
        Ok(direct(
            Key::Beside(Beside::Figures, id.as_str().into()),
            said,
        ))
    }

    pub(super) fn evaluation(&self, d: &EvaluationData) -> Said {
        let id = required("evaluation_id", d.evaluation_id.as_deref())?;
        let (at, precision) = self.moment("at", d.at.as_ref())?;
        let mut whole = self.whole().time(F::At, at, precision);
        for (f, field, value) in [
            (F::Contact, "contact_id", &d.contact_id),
            (F::Agent, "agent", &d.agent),
            (F::Author, "evaluator", &d.evaluator),
            (F::Name, "form", &d.form),
        ] {
            whole = whole.text(f, bounded(field, value.as_deref())?);
        }
        whole = whole.text(F::Text, long("remark", d.remark.as_deref())?);
        let mut said = vec![scored(whole, d.score, d.max)?];
        let answers = d.answers.as_deref().unwrap_or_default();
        if answers.len() > MOST_VALUES {
            return Err(too_many("answers", answers.len()));
        }
        for a in answers {
            let question = required("answers.question_id", Some(&a.question_id))?;
            let mut s = self.about(Thing::Item(question.into())).text(
                F::Section,
                bounded("answers.section", a.section.as_deref())?,
            );
            for (f, field, value) in [
                (F::Question, "answers.question", &a.question),
                (F::Input, "answers.answer", &a.answer),
                (F::Text, "answers.remark", &a.remark),
            ] {
                s = s.text(f, long(field, value.as_deref())?);
            }
            said.push(scored(s, a.score, a.max)?);
        }
        Ok(direct(Key::Beside(Beside::Evaluation, id.into()), said))
    }

    pub(super) fn customer(&self, d: &CustomerData) -> Said {
        let customer = required("customer", d.customer.as_deref())?;
        let given = d.attributes.as_ref().ok_or_else(|| missing("attributes"))?;
        if given.len() > MOST_VALUES {
            return Err(too_many("attributes", given.len()));
        }
        let mut whole = self.whole().text(F::Customer, customer);
        whole = self.at(whole, F::ValidFrom, "valid_from", d.valid_from.as_ref(), "")?;
        let from = whole.facts.iter().find_map(|(f, v)| match v {
            Value::Time(us, _) if *f == F::ValidFrom => Some(*us),
            _ => None,
        });
        let mut said = vec![whole];
        for (name, value) in given {
            let name = required("attributes", Some(name))?;
            let text = match value {
                serde_json::Value::String(t) => t.clone(),
                serde_json::Value::Null => String::new(),
                other => other.to_string(),
            };
            let s = self
                .about(Thing::Item(name.into()))
                .text(F::Source, self.source)
                .with(F::Text, Value::text(long("attributes", Some(&text))?))
                .time(F::At, self.time.0, self.time.1);
            said.push(self.at(s, F::ValidTo, "valid_to", d.valid_to.as_ref(), "")?);
        }
        let id = match from {
            Some(us) => format!("{customer} {}", crate::time::format_rfc3339(us)),
            None => format!("{customer} always"),
        };
        Ok(direct(
            Key::Beside(Beside::Customer, id.as_str().into()),
            said,
        ))
    }

    pub(super) fn schedule(&self, d: &ScheduleData) -> Said {
        let agent = required("agent", d.agent.as_deref())?;
        let start = d.start.as_ref().ok_or_else(|| missing("start"))?;
        let end = d.end.as_ref().ok_or_else(|| missing("end"))?;
        let start = read_time("start", start, self.precision)?;
        let end = read_time("end", end, self.precision)?;
        if start.0 >= end.0 {
            return Err(backwards());
        }
        let id = match d.schedule_id.as_deref() {
            Some(id) => required("schedule_id", Some(id))?.to_owned(),
            None => {
                let from = crate::time::format_rfc3339(start.0);
                format!("{} {agent} {from}", self.source)
            }
        };
        let mut s = self
            .whole()
            .text(F::Agent, agent)
            .text(F::Name, bounded("activity", d.activity.as_deref())?)
            .text(F::Kind, d.class.unwrap_or(PlanClass::Available).as_str())
            .time(F::Start, start.0, start.1)
            .time(F::End, end.0, end.1)
            .flag(F::Withdrawn, d.withdrawn.unwrap_or(false));
        if let Some(paid) = d.paid {
            s = s.flag(F::Paid, paid);
        }
        Ok(direct(
            Key::Beside(Beside::Schedule, id.as_str().into()),
            vec![s],
        ))
    }

    pub(super) fn lease(&self, d: &LeaseData) -> Said {
        let number = required("number", d.number.as_deref())?;
        let allocated = d.allocated_at.as_ref();
        let allocated = allocated.ok_or_else(|| missing("allocated_at"))?;
        let allocated = read_time("allocated_at", allocated, self.precision)?;
        let id = match d.lease_id.as_deref() {
            Some(id) => required("lease_id", Some(id))?.to_owned(),
            None => {
                let from = crate::time::format_rfc3339(allocated.0);
                format!("{} {number} {from}", self.source)
            }
        };
        let mut s = self
            .whole()
            .text(F::Dialled, number)
            .text(F::Contact, bounded("contact_id", d.contact_id.as_deref())?)
            .text(F::Customer, bounded("customer", d.customer.as_deref())?)
            .time(F::Start, allocated.0, allocated.1);
        for (f, field, value) in [
            (F::At, "transferred_at", &d.transferred_at),
            (F::End, "released_at", &d.released_at),
            (F::ValidTo, "expires_at", &d.expires_at),
        ] {
            s = self.at(s, f, field, value.as_ref(), "")?;
        }
        Ok(direct(
            Key::Beside(Beside::Lease, id.as_str().into()),
            vec![s],
        ))
    }
}

/// Identity of the figures of one source, scope and span.
pub fn figures_id(source: &str, scope: &str, start: Option<i64>, end: Option<i64>) -> String {
    let at = |t: Option<i64>| t.map(crate::time::format_rfc3339).unwrap_or_default();
    format!("{source} {scope} {}/{}", at(start), at(end))
}

/// Values by name, none of them too long, too many or no number.
fn checked<'v>(
    field: &str,
    values: &'v BTreeMap<String, f64>,
) -> Result<Vec<(&'v str, f64)>, Refusal> {
    if values.len() > MOST_VALUES {
        return Err(too_many(field, values.len()));
    }
    let mut all = Vec::with_capacity(values.len());
    for (name, value) in values {
        let name = required(field, Some(name))?;
        if !value.is_finite() {
            return Err(Refusal::new(
                "bad_value",
                format!("data.{field}.{name} is no finite number"),
            ));
        }
        all.push((name, *value));
    }
    Ok(all)
}

fn unit_of<'u>(units: &'u Units, name: &str) -> Result<&'u str, Refusal> {
    let unit = units.as_ref().and_then(|u| u.get(name));
    bounded("units", unit.map(String::as_str))
}

fn scored(s: Statement, score: Option<f64>, max: Option<f64>) -> Result<Statement, Refusal> {
    let mut s = s;
    for (f, field, n) in [(F::Number, "score", score), (F::ScaleMax, "max", max)] {
        if let Some(n) = n {
            if !n.is_finite() {
                return Err(Refusal::new(
                    "bad_value",
                    format!("data.{field} is no finite number"),
                ));
            }
            s = s.with(f, Value::Float(n));
        }
    }
    Ok(s)
}

fn long<'v>(field: &str, value: Option<&'v str>) -> Result<&'v str, Refusal> {
    let value = value.unwrap_or("");
    if value.len() > MAX_TEXT_BYTES {
        return Err(Refusal::new(
            "too_long",
            format!(
                "data.{field} has {} bytes; at most {MAX_TEXT_BYTES}",
                value.len()
            ),
        ));
    }
    Ok(value)
}

fn too_many(field: &str, count: usize) -> Refusal {
    Refusal::new(
        "too_long",
        format!(
            "data.{field} holds {count}; at most {MOST_VALUES}, send the rest as another event"
        ),
    )
}

fn backwards() -> Refusal {
    Refusal::new("bad_value", "data.end is not later than data.start")
}
