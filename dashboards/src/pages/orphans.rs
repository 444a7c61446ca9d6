//! Recordings whose contact no event has told of: they stand on no contact's page, so they stand
//! here.

use chrono_tz::Tz;
use maud::{Markup, html};

use super::talk::unreadable;
use crate::audio;
use crate::data::{self, Data, DataError, Row, Rows};
use crate::url::{self, Params};
use crate::view::filters::Choice;
use crate::view::icon::{Level, badge};
use crate::view::table::{Head, cards};
use crate::view::{self, format};

/// Most of them listed.
const MOST: usize = 200;

/// The recordings of a choice without a contact.
pub struct Orphans {
    all: i64,
    rows: std::sync::Arc<Rows>,
}

impl Orphans {
    /// Reads them: those that began in the choice, and those whose start nobody told.
    ///
    /// # Errors
    /// When a query fails.
    pub async fn read(from: &dyn Data, choice: &Choice) -> Result<Self, DataError> {
        let which = format!(
            "FROM callboard.recordings r \
             LEFT JOIN (SELECT contact_id FROM callboard.contacts) c ON c.contact_id = r.contact_id \
             WHERE c.contact_id IS NULL \
             AND (r.started_at IS NULL OR (r.started_at >= {} AND r.started_at < {}))",
            data::time(choice.range.from),
            data::time(choice.range.to)
        );
        let count = format!("SELECT count(*) AS n {which}");
        let list = format!(
            "SELECT r.recording_id, r.contact_id, r.leg, r.queue, r.agent, r.started_at, \
             r.duration_ms, r.state, r.reason, r.transcript_state, r.transcript_reason {which} \
             ORDER BY r.started_at DESC NULLS LAST, r.recording_id LIMIT {MOST}"
        );
        let (count, rows) = futures::try_join!(from.rows(&count), from.rows(&list))?;
        let all = count.first().and_then(|r| r.int("n")).unwrap_or(0);
        Ok(Orphans { all, rows })
    }

    /// The section; nothing where there is none.
    pub fn section(&self, zone: Tz) -> Markup {
        if self.rows.is_empty() {
            return html! {};
        }
        html! {
            section class="panel" aria-labelledby="ho" id="orphans" {
                header class="panel-head" {
                    h2 id="ho" { "Recordings without a contact" }
                    span class="count" data-count=(self.all) { (format::count(self.all)) }
                }
                p class="about" {
                    "No event has told of the contact that these were sent for: its events have not arrived, or the "
                    "recording was sent under an id that the platform does not use. They join their contact as soon as it is told of."
                }
                (list(&self.rows, zone))
                @if self.all > self.rows.len() as i64 {
                    p class="note" { "Only the latest " (self.rows.len()) " are listed." }
                }
            }
        }
    }
}

fn list(rows: &Rows, zone: Tz) -> Markup {
    let heads = [
        Head::words("Sent for"),
        Head::words("Leg"),
        Head::words("Began"),
        Head::numbers("Length", "h:mm:ss"),
        Head::words("Queue"),
        Head::words("Agent"),
        Head::prose("State"),
        Head::words("Hear or read"),
    ];
    let lines: Vec<Vec<Markup>> = rows
        .iter()
        .map(|r| {
            vec![
                html! { code { (r.text("contact_id").unwrap_or_default()) } },
                view::or_dash(r.text("leg")),
                began(&r, zone),
                view::millis(r.int("duration_ms")),
                view::or_dash(r.text("queue")),
                view::or_dash(r.text("agent")),
                state(&r),
                links(&r),
            ]
        })
        .collect();
    cards("Recordings without a contact", &heads, &lines)
}

fn began(r: &Row<'_>, zone: Tz) -> Markup {
    match r.int("started_at") {
        Some(at) => view::time(zone, Some(at)),
        None => {
            html! { span class="none" title="Not known: it was sent without its start." { (format::UNKNOWN) } }
        }
    }
}

fn state(r: &Row<'_>) -> Markup {
    let why = |column: &str| {
        let why = r.text(column).filter(|w| !w.is_empty());
        why.map(|w| format!(" {w}")).unwrap_or_default()
    };
    if let Some(why) = unreadable(r) {
        return html! { (badge(Level::Alert, "failed")) " " (why) };
    }
    match (r.text("state"), r.text("transcript_state")) {
        (Some("ready"), None) => html! {
            (badge(Level::Warn, "waiting")) " for transcription; it can be heard afterwards, since spoken card numbers are silenced first"
        },
        (Some("ready"), Some("done")) => badge(Level::Ok, "transcribed"),
        (Some("ready"), Some(other)) => html! {
            (badge(Level::Warn, &format!("transcript {}", format::word(other)))) (why("transcript_reason"))
        },
        (other, _) => html! {
            (badge(Level::Alert, &format::word(other.unwrap_or("unknown")))) (why("reason"))
        },
    }
}

fn links(r: &Row<'_>) -> Markup {
    let (id, contact) = (
        r.text("recording_id").unwrap_or_default(),
        r.text("contact_id").unwrap_or_default(),
    );
    let name = audio::track(id, r.text("leg").unwrap_or_default());
    let track = Params::default().with("track", &name);
    let heard = r.text("state") == Some("ready")
        && r.text("transcript_state").is_some()
        && unreadable(r).is_none();
    html! {
        @if heard {
            a href=(track.href(&format!("/audio/{}.wav", url::segment(contact)))) { "Listen" }
            @if r.text("transcript_state") == Some("done") {
                " \u{b7} " a href=(track.href(&format!("{}/transcript.vtt", url::contact(contact)))) { "Transcript" }
            }
        } @else { (format::UNKNOWN) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Value;

    fn shown(transcript: Option<&str>, reason: &str) -> String {
        let text = |t: &str| Value::Text(t.to_owned());
        let pairs = [
            ("recording_id", text("nobody-1/agent")),
            ("contact_id", text("nobody-1")),
            ("leg", text("agent")),
            ("state", text("ready")),
            ("duration_ms", Value::Int(61_000)),
            ("transcript_state", transcript.map_or(Value::Null, text)),
            ("transcript_reason", text(reason)),
        ];
        let rows = Rows {
            columns: pairs.iter().map(|p| p.0.to_owned()).collect(),
            rows: vec![pairs.map(|p| p.1).to_vec()],
            ..Rows::default()
        };
        let rows = std::sync::Arc::new(rows);
        Orphans { all: 1, rows }.section(Tz::UTC).into_string()
    }

    #[test]
    fn sound_is_offered_once_card_numbers_are_found() {
        let page = shown(Some("done"), "");
        assert!(
            page.contains("/audio/nobody-1.wav?track=nobody-1"),
            "{page}"
        );
        assert!(page.contains("transcript.vtt") && page.contains("1:01"));
        for page in [
            shown(None, ""),
            shown(Some("failed"), "bad_header: no rate"),
        ] {
            assert!(!page.contains("/audio/"), "{page}");
        }
    }

    #[test]
    fn without_any_nothing_is_shown() {
        let none = Orphans {
            all: 0,
            rows: std::sync::Arc::default(),
        };
        assert!(none.section(Tz::UTC).into_string().is_empty());
    }
}
