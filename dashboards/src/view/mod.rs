//! The frame of every page: head, navigation, main, foot; and the parts that pages share.

pub mod filters;
pub mod format;
pub mod icon;
pub mod table;
pub mod then;

use chrono_tz::Tz;
use maud::{DOCTYPE, Markup, html};

use crate::app::App;
use crate::assets;
use crate::url::Params;
use then::Moment;

/// What the frame needs to know of a page.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    /// Title of the page.
    pub title: String,
    /// Path of the part of the navigation it belongs to.
    pub part: &'static str,
    /// Scripts it asks for, names in `assets`.
    pub scripts: Vec<&'static str>,
    /// `dark` or `light` when the address says so; else the browser's preference holds.
    pub theme: Option<String>,
    /// What the foot says: snapshot, zone.
    pub foot: Option<String>,
    /// The moment of which it tells; `None` where that cannot be chosen.
    pub moment: Option<Moment>,
}

impl Frame {
    /// A frame with a title within a part of the navigation.
    pub fn new(title: impl Into<String>, part: &'static str) -> Self {
        Frame {
            title: title.into(),
            part,
            ..Frame::default()
        }
    }

    /// With a script.
    #[must_use]
    pub fn script(mut self, name: &'static str) -> Self {
        self.scripts.push(name);
        self
    }

    /// With the theme that the address asks for.
    #[must_use]
    pub fn theme(mut self, params: &Params) -> Self {
        self.theme = params
            .get("theme")
            .filter(|t| ["dark", "light"].contains(t))
            .map(str::to_owned);
        self
    }

    /// With the theme and the moment that the address asks for.
    #[must_use]
    pub fn asked(self, app: &App, params: &Params) -> Self {
        let moment = Moment {
            at: app.as_of,
            zone: filters::read_zone(params, app.zone).unwrap_or(app.zone),
            params: params.without("as_of"),
        };
        let mut asked = self.theme(params);
        asked.moment = Some(moment);
        asked
    }

    /// With the snapshot's time in the foot.
    #[must_use]
    pub fn data_of(mut self, zone: Tz, now: i64) -> Self {
        self.foot = Some(format!(
            "Data as of {} {zone}.",
            format::date_time(zone, now)
        ));
        self
    }
}

/// The parts of the navigation: path and name.
const PARTS: [(&str, &str); 6] = [
    ("/", "Board"),
    ("/reports", "Reports"),
    ("/contacts", "Contacts"),
    ("/journeys", "Journeys"),
    ("/coverage", "Coverage"),
    ("/status", "Status"),
];

/// A whole page.
pub fn page(frame: &Frame, body: &Markup) -> String {
    let moment = frame.moment.as_ref();
    let then = moment.and_then(|m| m.at);
    let whole = html! {
        (DOCTYPE)
        html lang="en" data-theme=[frame.theme.as_deref()] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (frame.title) " \u{b7} Callboard" }
                link rel="stylesheet" href=(assets::href("callboard.css"));
                link rel="icon" type="image/svg+xml" href=(assets::href("icon.svg"));
                @for script in &frame.scripts {
                    script defer src=(assets::href(script)) {}
                }
            }
            body class=[then.map(|_| "then")] {
                a class="skip" href="#main" { "Skip to content" }
                header class="top" {
                    a class="brand" href="/" {
                        svg viewBox="0 0 16 16" width="20" height="20" aria-hidden="true" {
                            rect x="1" y="8" width="3" height="7" fill="currentColor" {}
                            rect x="6.5" y="4" width="3" height="11" fill="currentColor" {}
                            rect x="12" y="1" width="3" height="14" fill="currentColor" {}
                        }
                        span { "Callboard" }
                    }
                    nav aria-label="Parts" {
                        @for (path, name) in PARTS {
                            a href=(path) aria-current=[(path == frame.part).then_some("page")] { (name) }
                        }
                    }
                }
                main id="main" tabindex="-1" {
                    @if let Some(moment) = moment { (moment.banner()) }
                    (body)
                }
                footer class="foot" {
                    @if let Some(foot) = &frame.foot { span { (foot) } }
                    span { "Durations are h:mm:ss. \u{2014} means not known." }
                    @if let Some(moment) = moment { (moment.form()) }
                }
            }
        }
    };
    match then {
        Some(at) => then::keep(&whole.into_string(), at),
        None => whole.into_string(),
    }
}

/// An empty state: what is missing, why, and what to do.
pub fn empty(title: &str, why: &Markup) -> Markup {
    html! { div class="empty" role="note" { p class="empty-title" { (title) } p { (why) } } }
}

/// A box that says what went wrong in one part of a page.
pub fn trouble(what: &str, why: &str) -> Markup {
    html! {
        div class="trouble" role="alert" {
            (icon::icon("alert"))
            div { p { strong { (what) } } p { (why) } }
        }
    }
}

/// A point in time for people and machines.
pub fn time(zone: Tz, us: Option<i64>) -> Markup {
    match us {
        None => html! { (format::UNKNOWN) },
        Some(us) => html! {
            time datetime=(callboard_model::time::format_rfc3339(us)) { (format::date_time(zone, us)) }
        },
    }
}

/// A duration in milliseconds, or an em dash.
pub fn millis(ms: Option<i64>) -> Markup {
    match ms {
        None => html! { (format::UNKNOWN) },
        Some(ms) => html! { (format::duration(ms as f64)) },
    }
}

/// A text, or an em dash.
pub fn or_dash(text: Option<&str>) -> Markup {
    html! { (text.filter(|t| !t.is_empty()).unwrap_or(format::UNKNOWN)) }
}
