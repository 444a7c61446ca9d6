//! The course of a contact on a time axis, with the tables behind it.

use chrono_tz::Tz;
use maud::{Markup, html};

use super::contact::Contact;
use crate::charts::timeline::{Span, Timeline};
use crate::charts::{legend, state_ink};
use crate::data::Row;
use crate::view::table::{Head, table};
use crate::view::{self, format};

/// The segments and offers on a time axis with the table behind it.
pub fn course(contact: &Contact, now: i64, zone: Tz) -> Markup {
    let mut rows: Vec<String> = Vec::new();
    let mut spans: Vec<Span> = Vec::new();
    let ends = |r: &Row<'_>, start: i64| {
        r.int("ended_at")
            .unwrap_or(if r.text("state") == Some("lost") {
                start
            } else {
                now
            })
    };
    for s in contact.segments.iter() {
        let Some(start) = s.int("started_at") else {
            continue;
        };
        let kind = s.text("kind").unwrap_or("other");
        let agent = s
            .text("agent")
            .filter(|_| ["talk", "hold", "wrapup", "monitor", "share"].contains(&kind));
        let name = agent.map_or_else(|| "Customer".to_owned(), str::to_owned);
        let end = ends(&s, start).max(start);
        let place = s.text("queue").or(s.text("name")).unwrap_or_default();
        spans.push(span(
            &mut rows,
            name,
            start,
            end,
            kind,
            place,
            s.text("outcome"),
            zone,
        ));
    }
    for o in contact.offers.iter() {
        let Some(start) = o.int("offered_at") else {
            continue;
        };
        let end = o
            .int("ended_at")
            .or(o.int("ring_ms").map(|ms| start + ms * 1000))
            .unwrap_or(now)
            .max(start);
        let outcome = o.text("outcome");
        let kind = if outcome.is_none_or(|o| o == "accepted") {
            "offer"
        } else {
            "missed"
        };
        let name = o.text("agent").unwrap_or("Agent").to_owned();
        spans.push(span(
            &mut rows,
            name,
            start,
            end,
            kind,
            o.text("queue").unwrap_or_default(),
            outcome,
            zone,
        ));
    }
    for t in &contact.talk.tracks {
        if let (Some(start), Some(ms)) = (t.started_at, t.duration_ms) {
            let end = start + ms * 1000;
            spans.push(span(
                &mut rows,
                "Recording".to_owned(),
                start,
                end,
                "recording",
                "",
                None,
                zone,
            ));
        }
    }
    if spans.is_empty() {
        return view::empty(
            "Nothing is known of its course.",
            &html! { "No segment of this contact has a start." },
        );
    }
    // Talks are drawn first, so that the holds within them lie on top.
    spans.sort_by_key(|s| (s.state != "talk", s.start));
    let from = spans.iter().map(|s| s.start).min().unwrap_or(now);
    let to = spans
        .iter()
        .map(|s| s.end)
        .max()
        .unwrap_or(now)
        .max(from + 1_000_000);
    let kinds = [
        ("menu", "menu"),
        ("queue", "queue"),
        ("offer", "offer"),
        ("missed", "offer not taken"),
        ("talk", "talk"),
        ("hold", "hold"),
        ("wrapup", "wrap-up"),
        ("voicemail", "voicemail"),
        ("recording", "recording"),
        ("other", "other"),
    ];
    let used: Vec<_> = kinds
        .into_iter()
        .filter(|(k, _)| spans.iter().any(|s| s.state == *k))
        .map(|(k, word)| (state_ink(k), "box", word))
        .collect();
    let drawn = Timeline {
        id: "course".to_owned(),
        title: "The course of the contact".to_owned(),
        finding: format!(
            "{} parts in {}.",
            spans.len(),
            format::duration((to - from) as f64 / 1000.0)
        ),
        rows,
        spans,
        from,
        to,
        zone,
    }
    .draw();
    html! {
        @match drawn {
            Ok(drawn) => { (legend(&used)) (drawn) }
            Err(why) => (view::trouble("The time axis is missing.", &why)),
        }
        details class="behind" { summary { "The table behind it" } (segments(contact, zone)) (offers(contact, zone)) }
    }
}

#[allow(clippy::too_many_arguments)]
fn span(
    rows: &mut Vec<String>,
    name: String,
    start: i64,
    end: i64,
    kind: &str,
    place: &str,
    outcome: Option<&str>,
    zone: Tz,
) -> Span {
    let row = rows.iter().position(|r| *r == name).unwrap_or_else(|| {
        rows.push(name.clone());
        rows.len() - 1
    });
    let known = [
        "menu",
        "queue",
        "offer",
        "missed",
        "talk",
        "hold",
        "wrapup",
        "voicemail",
        "recording",
    ];
    let state = if known.contains(&kind) { kind } else { "other" };
    let word = match kind {
        "missed" => "offer".to_owned(),
        "wrapup" => "wrap-up".to_owned(),
        k => format::word(k),
    };
    let text = if place.is_empty() {
        word
    } else {
        format!("{word} {place}")
    };
    let what = outcome
        .map(|o| format!(", {}", format::word(o)))
        .unwrap_or_default();
    let length = format::duration((end - start) as f64 / 1000.0);
    Span {
        row,
        start,
        end,
        state: state.to_owned(),
        tip: format!(
            "{name}: {text}{what}, {} to {}, {length}",
            format::clock(zone, start),
            format::clock(zone, end)
        ),
        text,
        href: String::new(),
    }
}

fn segments(contact: &Contact, zone: Tz) -> Markup {
    let heads = [
        Head::numbers("No.", ""),
        Head::words("Kind"),
        Head::words("Queue"),
        Head::words("Agent"),
        Head::words("From"),
        Head::words("To"),
        Head::numbers("Length", "h:mm:ss"),
        Head::words("Outcome"),
        Head::words("Platform's word"),
        Head::words("Led to"),
        Head::words("State"),
    ];
    let lines: Vec<Vec<Markup>> = contact
        .segments
        .iter()
        .map(|s| {
            let kind = s.text("target_kind").map(format::word);
            let target = [kind, s.text("target").map(str::to_owned)];
            let target = target.into_iter().flatten().collect::<Vec<_>>().join(": ");
            vec![
                html! { (s.int("seq").unwrap_or(0)) },
                html! { (s.text("kind").map(format::word).unwrap_or_default()) @if let Some(n) = s.text("name") { " " (n) } @if let Some(i) = s.text("input") { " (" (i) ")" } },
                view::or_dash(s.text("queue")),
                view::or_dash(s.text("agent")),
                view::time(zone, s.int("started_at")),
                view::time(zone, s.int("ended_at")),
                view::millis(s.int("duration_ms").or(s.int("ended_at").zip(s.int("started_at")).map(|(e, b)| (e - b) / 1000))),
                view::or_dash(s.text("outcome").map(format::word).as_deref()),
                html! { code { (view::or_dash(s.text("raw_outcome"))) } },
                view::or_dash(Some(target.as_str())),
                html! { (view::or_dash(s.text("state"))) @if let Some(b) = s.text("end_basis") { " (" (format::word(b)) ")" } },
            ]
        })
        .collect();
    table("Segments", &heads, &lines, None)
}

fn offers(contact: &Contact, zone: Tz) -> Markup {
    if contact.offers.is_empty() {
        return html! {};
    }
    let heads = [
        Head::numbers("No.", ""),
        Head::words("Agent"),
        Head::words("Queue"),
        Head::words("Rang"),
        Head::numbers("For", "h:mm:ss"),
        Head::words("Outcome"),
        Head::words("Platform's word"),
    ];
    let lines: Vec<Vec<Markup>> = contact
        .offers
        .iter()
        .map(|o| {
            vec![
                html! { (o.int("seq").unwrap_or(0)) },
                view::or_dash(o.text("agent")),
                view::or_dash(o.text("queue")),
                view::time(zone, o.int("offered_at")),
                view::millis(o.int("ring_ms")),
                view::or_dash(o.text("outcome").map(format::word).as_deref()),
                html! { code { (view::or_dash(o.text("raw_outcome"))) } },
            ]
        })
        .collect();
    table("Offers to agents", &heads, &lines, None)
}
