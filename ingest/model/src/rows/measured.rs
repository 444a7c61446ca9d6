//! Rows of measurements, of platforms' own figures, evaluations, customers' attributes, schedules and
//! leases of numbers.

use crate::measures;
use crate::merge::{Facts, State};
use crate::statement::{F, Thing, UNTIMED, Value};
use crate::tables::{
    CustomerAttributeRow, Day, EvaluationRow, Instant, LeaseRow, MeasurementRow, ScheduleRow,
    VendorMetricRow,
};

/// So many rows of measurements a set has at most; those beyond are counted in one row more.
pub const MOST_MEASUREMENTS: usize = 10_000;

/// The measurements of a state, the earliest first. `day` is the partition of all of them; without
/// it each lies on the day on which it was measured.
pub fn measurement_rows(
    set_id: &str,
    contact_id: &str,
    state: &State,
    day: Option<Day>,
) -> Vec<MeasurementRow> {
    let told = state.get(&Thing::Item("".into()));
    let contact_id = told.and_then(|f| f.text(&F::Contact)).unwrap_or(contact_id);
    let mut found: Vec<(i64, &str, &str, &str, &Facts)> = state
        .iter()
        .filter_map(|(thing, f)| match thing {
            Thing::Measurement(source, who, name, at) => Some((*at, &**who, &**name, &**source, f)),
            _ => None,
        })
        .filter(|(.., f)| f.float(&F::Number).is_some())
        .collect();
    // Identities are all different, so that this order is one only.
    found.sort_by_key(|(at, who, name, source, _)| (*at, *who, *name, *source));
    let beyond = found.len().saturating_sub(MOST_MEASUREMENTS);
    found.truncate(MOST_MEASUREMENTS);
    let mut rows: Vec<MeasurementRow> = found
        .into_iter()
        .map(|(at, who, name, source, f)| {
            let attr = |name: &str| f.owned(&F::Attr(name.into()));
            let at = (at != UNTIMED).then_some(Instant(at));
            MeasurementRow {
                contact_id: contact_id.to_owned(),
                participant: (!who.is_empty()).then(|| who.to_owned()),
                at,
                name: name.to_owned(),
                value: f.float(&F::Number).unwrap_or_default(),
                unit: f.owned(&F::Unit),
                source: source.to_owned(),
                segment_id: f.owned(&F::Parent),
                client: attr("client"),
                device: attr("device"),
                network: attr("network"),
                vdi: attr("vdi"),
                set_id: set_id.to_owned(),
                day: day.or(at.map(Instant::day)).unwrap_or(Day(0)),
            }
        })
        .collect();
    if let Some(last) = rows.last().filter(|_| beyond > 0).cloned() {
        rows.push(MeasurementRow {
            participant: None,
            name: measures::LEFT_OUT.to_owned(),
            value: beyond as f64,
            unit: Some("count".to_owned()),
            segment_id: None,
            client: None,
            device: None,
            network: None,
            vdi: None,
            ..last
        });
    }
    rows
}

/// All items of a state by their names.
fn items(state: &State) -> impl Iterator<Item = (&str, &Facts)> {
    state.iter().filter_map(|(thing, f)| match thing {
        Thing::Item(name) => Some((&**name, f)),
        _ => None,
    })
}

fn instant(f: &Facts, of: &F) -> Option<Instant> {
    f.time(of).map(|t| Instant(t.0))
}

/// The figures of one source, scope and span.
pub fn figure_rows(figures_id: &str, state: &State) -> Vec<VendorMetricRow> {
    items(state)
        .filter_map(|(metric, f)| {
            let (started_at, ended_at) = (instant(f, &F::Start), instant(f, &F::End));
            Some(VendorMetricRow {
                source: f.owned(&F::Source).unwrap_or_default(),
                metric: metric.to_owned(),
                scope: f.owned(&F::Scope).unwrap_or_default(),
                started_at,
                ended_at,
                value: f.float(&F::Number)?,
                unit: f.owned(&F::Unit),
                figures_id: figures_id.to_owned(),
                day: started_at.or(ended_at).map_or(Day(0), Instant::day),
            })
        })
        .collect()
}

/// An evaluation: the whole first, then its questions.
pub fn evaluation_rows(evaluation_id: &str, state: &State) -> Vec<EvaluationRow> {
    let none = Facts::default();
    let whole = state.get(&Thing::Item("".into())).unwrap_or(&none);
    let at = instant(whole, &F::At);
    items(state)
        .map(|(question, f)| EvaluationRow {
            evaluation_id: evaluation_id.to_owned(),
            contact_id: whole.owned(&F::Contact),
            agent: whole.owned(&F::Agent),
            evaluator: whole.owned(&F::Author),
            form: whole.owned(&F::Name),
            section: f.owned(&F::Section),
            question_id: (!question.is_empty()).then(|| question.to_owned()),
            question: f.owned(&F::Question),
            score: f.float(&F::Number).filter(|_| !f.flag(&F::Withdrawn)),
            max_score: f.float(&F::ScaleMax),
            answer: f.owned(&F::Input),
            remark: f.owned(&F::Text).filter(|t| !t.is_empty()),
            at,
            source: whole.owned(&F::Source).unwrap_or_default(),
            day: at.map_or(Day(0), Instant::day),
        })
        .collect()
}

/// The attributes of a customer since one time.
pub fn customer_rows(attribute_id: &str, state: &State) -> Vec<CustomerAttributeRow> {
    let none = Facts::default();
    let whole = state.get(&Thing::Item("".into())).unwrap_or(&none);
    items(state)
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, f)| {
            let valid_from = instant(whole, &F::ValidFrom);
            let told_at = instant(f, &F::At);
            CustomerAttributeRow {
                customer: whole.owned(&F::Customer).unwrap_or_default(),
                name: name.to_owned(),
                value: f.owned(&F::Text).unwrap_or_default(),
                valid_from,
                valid_to: instant(f, &F::ValidTo),
                source: f.owned(&F::Source).unwrap_or_default(),
                told_at,
                attribute_id: attribute_id.to_owned(),
                day: valid_from.or(told_at).map_or(Day(0), Instant::day),
            }
        })
        .collect()
}

/// A planned activity; none where it was withdrawn.
pub fn schedule_rows(schedule_id: &str, state: &State) -> Vec<ScheduleRow> {
    let row = || {
        let f = state.get(&Thing::Item("".into()))?;
        if f.flag(&F::Withdrawn) {
            return None;
        }
        let (started_at, ended_at) = (instant(f, &F::Start)?, instant(f, &F::End)?);
        Some(ScheduleRow {
            schedule_id: schedule_id.to_owned(),
            agent: f.owned(&F::Agent)?,
            activity: f.owned(&F::Name).unwrap_or_default(),
            class: f.owned(&F::Kind).unwrap_or_default(),
            started_at,
            ended_at,
            paid: match f.value(&F::Paid) {
                Some(Value::Bool(paid)) => Some(*paid),
                _ => None,
            },
            source: f.owned(&F::Source).unwrap_or_default(),
            day: started_at.day(),
        })
    };
    row().into_iter().collect()
}

/// A number that was taken; none where nobody told which, or when.
pub fn lease_rows(lease_id: &str, state: &State) -> Vec<LeaseRow> {
    let row = || {
        let f = state.get(&Thing::Item("".into()))?;
        let allocated_at = instant(f, &F::Start)?;
        Some(LeaseRow {
            lease_id: lease_id.to_owned(),
            number: f.owned(&F::Dialled)?,
            contact_id: f.owned(&F::Contact),
            customer: f.owned(&F::Customer),
            allocated_at,
            transferred_at: instant(f, &F::At),
            released_at: instant(f, &F::End),
            expires_at: instant(f, &F::ValidTo),
            source: f.owned(&F::Source).unwrap_or_default(),
            day: allocated_at.day(),
        })
    };
    row().into_iter().collect()
}
