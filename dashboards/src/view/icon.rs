//! Small drawn icons: every state that has a colour has a shape and a word as well.

use maud::{Markup, PreEscaped, html};

/// The icon of that name, 16 by 16, in the colour of the text; unknown names give a dot.
pub fn icon(name: &str) -> Markup {
    let shape = match name {
        "ok" => {
            r#"<path d="M3 8.5l3.2 3.2L13 4.9" fill="none" stroke="currentColor" stroke-width="2.2"/>"#
        }
        "warn" => {
            r#"<path d="M8 1.8L15 14H1z" fill="none" stroke="currentColor" stroke-width="1.6"/><path d="M8 6v4M8 11.4v1.2" stroke="currentColor" stroke-width="1.6"/>"#
        }
        "alert" => {
            r#"<path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z" fill="currentColor"/><path d="M8 4v5M8 10.6v1.6" stroke="var(--surface)" stroke-width="1.8"/>"#
        }
        "unknown" => {
            r#"<path d="M5.5 6a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.9-1.1 1.8M8 12v1.4" fill="none" stroke="currentColor" stroke-width="1.7"/>"#
        }
        "available" => {
            r#"<circle cx="8" cy="8" r="5.5" fill="none" stroke="currentColor" stroke-width="2"/>"#
        }
        "ringing" => {
            r#"<path d="M8 2a4 4 0 0 0-4 4v3l-1.5 2.5h11L12 9V6a4 4 0 0 0-4-4zM6.5 13h3" fill="none" stroke="currentColor" stroke-width="1.6"/>"#
        }
        "talk" => r#"<path d="M2 3h12v8H8l-3.5 3V11H2z" fill="currentColor"/>"#,
        "hold" => r#"<path d="M4 3h3v10H4zM9 3h3v10H9z" fill="currentColor"/>"#,
        "wrapup" => {
            r#"<path d="M3 13l1-3.4L11 2.5l2.4 2.4-7 7z" fill="none" stroke="currentColor" stroke-width="1.6"/>"#
        }
        "paused" => {
            r#"<path d="M3 5h8v5a3 3 0 0 1-3 3H6a3 3 0 0 1-3-3zM11 6h2v3h-2" fill="none" stroke="currentColor" stroke-width="1.6"/>"#
        }
        "offline" => {
            r#"<circle cx="8" cy="8" r="5.5" fill="none" stroke="currentColor" stroke-width="1.6"/><path d="M4 12L12 4" stroke="currentColor" stroke-width="1.6"/>"#
        }
        "up" => {
            r#"<circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" stroke-width="1.5"/><path d="M5 9.4c1.6 2 4.4 2 6 0M5.8 6h.1M10.1 6h.1" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round"/>"#
        }
        "down" => {
            r#"<circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" stroke-width="1.5"/><path d="M5 11c1.6-2 4.4-2 6 0M5.8 6h.1M10.1 6h.1" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round"/>"#
        }
        "level" => {
            r#"<circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" stroke-width="1.5"/><path d="M5 10h6M5.8 6h.1M10.1 6h.1" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round"/>"#
        }
        "play" => r#"<path d="M4 2.5v11l9-5.5z" fill="currentColor"/>"#,
        "note" => {
            r#"<path d="M3 2h10v8l-3 4H3zM10 14v-4h3" fill="none" stroke="currentColor" stroke-width="1.5"/>"#
        }
        "close" => r#"<path d="M4 4l8 8M12 4l-8 8" stroke="currentColor" stroke-width="2"/>"#,
        _ => r#"<circle cx="8" cy="8" r="2.5" fill="currentColor"/>"#,
    };
    html! {
        svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false" {
            (PreEscaped(shape))
        }
    }
}

/// A level of concern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing to say.
    Plain,
    /// As it should be.
    Ok,
    /// Look at it.
    Warn,
    /// Act.
    Alert,
    /// Cannot be told.
    Unknown,
}

impl Level {
    /// Class and icon name.
    pub fn name(self) -> &'static str {
        match self {
            Level::Plain => "plain",
            Level::Ok => "ok",
            Level::Warn => "warn",
            Level::Alert => "alert",
            Level::Unknown => "unknown",
        }
    }

    /// The level of a value where more is worse.
    pub fn above(value: f64, warn: f64, alert: f64) -> Self {
        if value >= alert {
            Level::Alert
        } else if value >= warn {
            Level::Warn
        } else {
            Level::Plain
        }
    }
}

/// A badge: colour, icon and text.
pub fn badge(level: Level, text: &str) -> Markup {
    html! {
        span class={ "badge " (level.name()) } { (icon(level.name())) (text) }
    }
}

/// An agent's state: colour, icon and word.
pub fn state(name: &str) -> Markup {
    html! { span class={ "state s-" (class_word(name)) } { (icon(name)) (super::format::word(name)) } }
}

/// A word of data as part of a class name: letters, digits and dashes only.
pub fn class_word(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .take(30)
        .collect()
}

/// Mood as icon and words: VADER compound, with its usual limits at 0.05.
pub fn mood(score: Option<f64>) -> Markup {
    let Some(v) = score else {
        return html! { span class="mood none" { (super::format::UNKNOWN) } };
    };
    let (name, word) = match v {
        v if v >= 0.05 => ("up", "positive"),
        v if v <= -0.05 => ("down", "negative"),
        _ => ("level", "neutral"),
    };
    let shown = format!("{v:+.2}").replace('-', "\u{2212}");
    html! { span class={ "mood " (name) } { (icon(name)) (word) " " span class="n" { (shown) } } }
}
