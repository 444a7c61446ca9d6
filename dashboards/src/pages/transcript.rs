//! What was said: turns by speaker with their words, keywords, mood and notes, beside a player;
//! and the same as WebVTT.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use chrono_tz::Tz;
use maud::{Markup, html};
use serde::Deserialize;

use crate::app::App;
use crate::data::Row;
use crate::error::PageError;
use crate::pages::talk::{Talk, Track};
use crate::pages::{self, notes};
use crate::url::{self, Params};
use crate::view::icon::{icon, mood};
use crate::view::{self, format};

/// A word of a turn with its time in the recording, milliseconds.
#[derive(Debug, Clone, Deserialize, PartialEq)]
struct Word {
    w: String,
    s: i64,
    e: i64,
    #[serde(default)]
    p: Option<f64>,
}

/// The players and transcripts of a contact; `at` is the second to begin at.
pub fn section(talk: &Talk, id: &str, zone: Tz, at: Option<f64>) -> Markup {
    html! {
        @if talk.tracks.is_empty() {
            section class="panel" aria-labelledby="ht" {
                header class="panel-head" { h2 id="ht" { "What was said" } }
                (view::empty("There is no recording.", &html! { "The reason stands above, if one is known." }))
            }
        }
        @for (i, track) in talk.tracks.iter().enumerate() {
            (one(talk, track, i, id, zone, at.filter(|_| i == 0)))
        }
    }
}

fn one(talk: &Talk, track: &Track, index: usize, id: &str, zone: Tz, at: Option<f64>) -> Markup {
    let params = Params::default().with("track", &track.name);
    let sound = params.href(&format!("/audio/{}.wav", url::segment(id)));
    let vtt = params.href(&format!("{}/transcript.vtt", url::contact(id)));
    let start = at.map(|t| format!("#t={t}")).unwrap_or_default();
    let turns: Vec<Row<'_>> = talk.turns_of(track).collect();
    html! {
        section class="panel talk" aria-labelledby={ "ht" (index) } data-track {
            header class="panel-head" {
                h2 id={ "ht" (index) } {
                    @if track.voicemail { "Voicemail message" } @else { "What was said" }
                    @if let Some(agent) = &track.agent { " with " (agent) }
                }
                span class="quiet" {
                    @if let Some(q) = &track.queue { (q) ", " }
                    (view::time(zone, track.started_at)) ", " (view::millis(track.duration_ms))
                }
            }
            @if track.ready && !track.waiting {
                div class="player" {
                    audio controls preload="metadata" src={ (sound) (start) } data-start=[at] {}
                    div class="player-tools" hidden {
                        button type="button" data-jump="-10" { "\u{2212}10\u{202f}s" }
                        button type="button" data-jump="10" { "+10\u{202f}s" }
                        label { "Speed"
                            select data-speed {
                                @for v in ["0.5", "0.75", "1", "1.25", "1.5", "1.75", "2"] { option value=(v) selected[v == "1"] { (v) "\u{d7}" } }
                            }
                        }
                        label class="check" { input type="checkbox" data-follow checked; "Follow" }
                    }
                    p class="quiet-link" { a href=(vtt) { "Transcript as WebVTT" } " \u{b7} " a href=(sound) { "WAV" } " \u{b7} where both were recorded apart: customer left, agent right" }
                }
            }
            @for gap in &track.gaps { p class="note gap" { (icon("warn")) " " (gap) } }
            @if turns.is_empty() {
                @if track.gaps.is_empty() { (view::empty("No speech was found in this recording.", &html! { "It can be played all the same." })) }
            } @else {
                (summary(&turns))
                ol class="turns" {
                    @for turn in &turns { (said(talk, track, turn, id, zone)) }
                }
            }
        }
    }
}

/// Mood of each side and how much each spoke.
fn summary(turns: &[Row<'_>]) -> Markup {
    let side = |leg: &str| {
        let own: Vec<_> = turns
            .iter()
            .filter(|t| t.text("leg") == Some(leg))
            .collect();
        let ms: i64 = own
            .iter()
            .map(|t| t.int("end_ms").unwrap_or(0) - t.int("start_ms").unwrap_or(0))
            .sum();
        let scores: Vec<f64> = own.iter().filter_map(|t| t.number("sentiment")).collect();
        let mean = (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64);
        (own.len(), ms, mean)
    };
    html! {
        ul class="sides" {
            @for (leg, name) in [("customer", "Customer"), ("agent", "Agent"), ("mixed", "Both")] {
                @let (n, ms, mean) = side(leg);
                @if n > 0 {
                    li class={ "side " (leg) } { strong { (name) } " " (n) " turns, " (format::duration(ms as f64)) " of speech, mood " (mood(mean)) }
                }
            }
        }
    }
}

fn said(talk: &Talk, track: &Track, turn: &Row<'_>, id: &str, zone: Tz) -> Markup {
    let leg = turn.text("leg").unwrap_or("mixed");
    let seq = turn.int("seq").unwrap_or(0);
    let (start, end) = (
        turn.int("start_ms").unwrap_or(0),
        turn.int("end_ms").unwrap_or(0),
    );
    let seconds = format!("{:.1}", start as f64 / 1000.0);
    let here = |t: &Row<'_>| {
        t.int("turn_seq") == Some(seq) && t.get("recording_id") == turn.get("recording_id")
    };
    let tags: Vec<Row<'_>> = talk.tags.iter().filter(here).collect();
    let notes: Vec<Row<'_>> = talk
        .notes
        .iter()
        .filter(|n| n.int("turn_seq") == Some(seq))
        .collect();
    let keywords: Vec<&str> = {
        let mut names: Vec<&str> = tags
            .iter()
            .filter(|t| t.text("kind") == Some("keyword"))
            .filter_map(|t| t.text("name"))
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    html! {
        li class={ "turn " (leg) } id={ "turn-" (seq) } data-s=(start) data-e=(end) {
            div class="turn-head" {
                span class="speaker" { (talk.speaker(track, leg)) }
                a class="turn-time" href=(Params::default().with("t", &seconds).href(&url::contact(id)) + &format!("#turn-{seq}")) title="Play from here" {
                    (icon("play")) (format::duration(start as f64))
                }
                (mood(turn.number("sentiment")))
                @for name in &keywords { a class="keyword" href=(Params::default().with("keyword", name).href("/contacts")) title="Contacts with this keyword" { (format::word(name)) } }
            }
            p class="words" { (words(turn, &tags)) }
            @for n in &notes { (note(n, zone)) }
            details class="add-note" { summary { (icon("note")) "Note" } (note_form(id, Some((leg, seq, start)))) }
        }
    }
}

/// The words of a turn, each with its time; the plain text where the words are not known.
fn words(turn: &Row<'_>, tags: &[Row<'_>]) -> Markup {
    let text = turn.text("text").unwrap_or_default();
    let words: Vec<Word> = turn
        .text("words")
        .and_then(|w| serde_json::from_str(w).ok())
        .unwrap_or_default();
    if words.is_empty() {
        return html! { (text) };
    }
    let hit = |w: &Word, kind: &str| {
        tags.iter().find(|t| {
            let (s, e) = (
                t.int("start_ms").unwrap_or(i64::MAX),
                t.int("end_ms").unwrap_or(i64::MIN),
            );
            t.text("kind") == Some(kind) && w.s < e.max(s + 1) && w.e > s
        })
    };
    html! {
        @for word in &words {
            @let keyword = hit(word, "keyword");
            @let masked = hit(word, "redaction");
            span class={ "w"
                @if word.p.is_some_and(|p| p < 0.5) { " unsure" }
                @if keyword.is_some() { " kw" }
                @if masked.is_some() { " masked" } }
                data-s=(word.s) data-e=(word.e)
                title=[keyword.or(masked).and_then(|t| t.text("name")).map(format::word)] { (word.w.trim()) }
            " "
        }
    }
}

fn note(n: &Row<'_>, zone: Tz) -> Markup {
    html! {
        @if n.text("text").is_some_and(|t| !t.is_empty()) {
            aside class="reviewed" aria-label="Reviewer's note" {
                (icon("note")) " " strong { (view::or_dash(n.text("author"))) } ", " (view::time(zone, n.int("created_at")))
                p { (view::or_dash(n.text("text"))) }
            }
        }
    }
}

fn note_form(id: &str, turn: Option<(&str, i64, i64)>) -> Markup {
    html! {
        form class="note-form" method="post" action={ (url::contact(id)) "/notes" } {
            @if let Some((leg, seq, at)) = turn {
                input type="hidden" name="leg" value=(leg);
                input type="hidden" name="turn_seq" value=(seq);
                input type="hidden" name="at_ms" value=(at);
            }
            label { "Your name" input name="author" required maxlength=(notes::LONGEST_AUTHOR) autocomplete="name"; }
            label { "Note" textarea name="text" required maxlength=(notes::LONGEST) rows="2" {} }
            button type="submit" { "Keep the note" }
        }
    }
}

/// Notes on the contact as a whole, and the form for one.
pub fn whole_notes(talk: &Talk, id: &str, zone: Tz) -> Markup {
    let whole: Vec<Row<'_>> = talk
        .notes
        .iter()
        .filter(|n| n.int("turn_seq").is_none())
        .collect();
    html! {
        section class="panel" id="notes" aria-labelledby="hn" {
            header class="panel-head" { h2 id="hn" { "Notes on the whole contact" } }
            @for n in &whole { (note(n, zone)) }
            @if whole.is_empty() { p class="quiet" { "None yet." } }
            details class="add-note" { summary { (icon("note")) "Add a note" } (note_form(id, None)) }
        }
    }
}

/// `GET /contacts/{id}/transcript.vtt?track=NAME`
///
/// # Errors
/// 404 when there is no transcript.
pub async fn vtt(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let (app, params) = pages::asked(app, query).await?;
    let talk = Talk::read(app.data.pin().as_ref(), &id).await?;
    let track = match params.get("track") {
        Some(name) => talk.tracks.iter().find(|t| t.name == name),
        None => talk
            .tracks
            .iter()
            .find(|t| talk.turns_of(t).next().is_some()),
    };
    let Some(track) = track else {
        return Err(PageError::missing(
            format!("The contact {id:?} has no such transcript."),
            "/contacts",
        ));
    };
    let mut out = String::from("WEBVTT\n");
    for turn in talk.turns_of(track) {
        let speaker = talk.speaker(track, turn.text("leg").unwrap_or_default());
        let (start, end) = (
            turn.int("start_ms").unwrap_or(0),
            turn.int("end_ms").unwrap_or(0),
        );
        out += &format!(
            "\n{} --> {}\n<v {}>{}\n",
            stamp(start),
            stamp(end.max(start + 1)),
            escape(&speaker).replace('>', ""),
            escape(turn.text("text").unwrap_or_default())
        );
    }
    Ok(([(header::CONTENT_TYPE, "text/vtt; charset=utf-8")], out).into_response())
}

fn stamp(ms: i64) -> String {
    format!(
        "{:02}:{:02}:{:02}.{:03}",
        ms / 3_600_000,
        ms / 60_000 % 60,
        ms / 1000 % 60,
        ms % 1000
    )
}

/// Text of a cue: markup characters escaped, blank lines (which would end the cue) taken out.
fn escape(text: &str) -> String {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    flat.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace("-->", "--&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cues_cannot_be_broken() {
        assert_eq!(stamp(3_725_042), "01:02:05.042");
        assert_eq!(escape("a\n\n<b> --> & c"), "a &lt;b> --&gt; &amp; c");
    }

    #[test]
    fn words_are_read_from_their_json() {
        let words: Vec<Word> = serde_json::from_str(
            r#"[{"w":"hello","s":10,"e":300,"p":0.9},{"w":"you","s":300,"e":400}]"#,
        )
        .unwrap();
        assert_eq!(
            words[1],
            Word {
                w: "you".into(),
                s: 300,
                e: 400,
                p: None
            }
        );
    }
}
