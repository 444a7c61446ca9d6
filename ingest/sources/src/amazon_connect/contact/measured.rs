//! What the platform measured on a leg: how well the sound came through on each side, and how a chat
//! went.

use callboard_model::statement::{F, Statement};

use super::super::doc::Doc;
use super::super::instance_source;
use super::super::leg::{Leg, Moment, agent};
use crate::payload::measured::Measured;

/// Figures of a chat that one leg has at most.
const MOST_FIGURES: usize = 100;

/// What is said of a leg.
pub(super) fn tell(leg: &Leg, instance: &str, out: &mut Vec<Statement>) {
    let ended = leg.at(Moment::Disconnected).or(leg.at(Moment::Initiated));
    let (Some(at), Some(by)) = (ended, leg.by()) else {
        return;
    };
    let source = instance_source(instance);
    let agent_id = leg.agent().unwrap_or_else(|| "agent".to_owned());
    let client = leg.stands(|d| {
        let about = agent(d).get("DeviceInfo");
        let name = about.get("PlatformName").owned()?;
        let version = about.get("PlatformVersion").owned().unwrap_or_default();
        let system = about.get("OperatingSystem").owned();
        let system = system.map(|s| format!(" ({s})")).unwrap_or_default();
        Some(format!("{name} {version}{system}"))
    });
    let client = client.unwrap_or_default();
    for (side, who) in [("Agent", agent_id.as_str()), ("Customer", "customer")] {
        let of = Measured {
            source: &source,
            who,
            at,
            by,
        };
        let with = |s: Statement| {
            let s = s.text(F::Parent, &leg.id);
            match side {
                "Agent" => s.text(F::Attr("client".into()), &client),
                _ => s,
            }
        };
        let audio =
            |d| Some(Doc::at(d, &["QualityMetrics", side, "Audio"])).filter(|a| a.is_there());
        let score = leg.stands(|d| audio(d)?.get("QualityScore").float());
        out.extend(of.says("quality_score", score).map(with));
        let issues = leg.stands(|d| {
            let named = audio(d)?.get("PotentialQualityIssues");
            Some(named.list().filter_map(Doc::owned).collect::<Vec<_>>())
        });
        for issue in issues.into_iter().flatten().take(MOST_FIGURES) {
            let name = format!("issue {issue}");
            out.extend(of.says_in(&name, "flag", Some(1.0)).map(with));
        }
        let chat = leg.stands(|d| {
            let figures = d.at(&["ChatMetrics", &format!("{side}Metrics")]);
            Some(
                figures
                    .fields()
                    .filter_map(|(n, v)| Some((n, v.float()?)))
                    .collect::<Vec<_>>(),
            )
        });
        for (name, value) in chat.into_iter().flatten().take(MOST_FIGURES) {
            let unit = if name.contains("Millis") {
                "ms"
            } else {
                "count"
            };
            out.extend(of.says_in(&spelt(name), unit, Some(value)).map(with));
        }
    }
    let of = Measured {
        source: &source,
        who: "",
        at,
        by,
    };
    let chat = leg.stands(|d| {
        let figures = d.at(&["ChatMetrics", "ContactMetrics"]);
        Some(
            figures
                .fields()
                .filter_map(|(n, v)| Some((n, v.float()?)))
                .collect::<Vec<_>>(),
        )
    });
    for (name, value) in chat.into_iter().flatten().take(MOST_FIGURES) {
        let unit = if name.contains("Millis") {
            "ms"
        } else {
            "count"
        };
        let s = of.says_in(&spelt(name), unit, Some(value));
        out.extend(s.map(|s| s.text(F::Parent, &leg.id)));
    }
}

/// A field's name as contact records spell it; events begin it with a small letter.
fn spelt(name: &str) -> String {
    let mut rest = name.chars();
    match rest.next() {
        Some(first) => first.to_ascii_uppercase().to_string() + rest.as_str(),
        None => String::new(),
    }
}
