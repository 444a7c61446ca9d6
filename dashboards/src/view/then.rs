//! Pages of an earlier moment: the banner that says so, links and forms that stay there, and the
//! form in the foot that leads there.

use chrono::{DateTime, SecondsFormat};
use chrono_tz::Tz;
use maud::{Markup, html};

use super::format;
use super::icon::icon;
use crate::url::Params;
use crate::zone;

/// Of which moment a page tells, and how to ask for another.
#[derive(Debug, Clone)]
pub struct Moment {
    /// The earlier moment, UTC microseconds; `None` = now.
    pub at: Option<i64>,
    /// Zone of the page.
    pub zone: Tz,
    /// The rest of the page's address.
    pub params: Params,
}

/// A moment as addresses carry it.
pub fn address(at: i64) -> String {
    let at = DateTime::from_timestamp_micros(at).unwrap_or_default();
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

impl Moment {
    /// The banner of a page that does not tell of now.
    pub fn banner(&self) -> Markup {
        html! {
            @if let Some(at) = self.at {
                p class="then-banner" role="status" {
                    (icon("warn"))
                    span {
                        "As it was known at "
                        strong { time datetime=(address(at)) { (format::date_time(self.zone, at)) } }
                        " " (self.zone) ": what was received later is left out. "
                        // Without a path the address is that of the page itself.
                        a href={ "?" (self.params.href("").trim_start_matches('?')) } { "Go back to now" }
                    }
                }
            }
        }
    }

    /// The form that asks for the same page as of another moment.
    pub fn form(&self) -> Markup {
        let value = self.at.map(|at| {
            let there = zone::local(self.zone, at);
            there.format("%Y-%m-%dT%H:%M:%S").to_string()
        });
        html! {
            form class="as-of" method="get" {
                @for (name, text) in self.params.under("") {
                    input type="hidden" name=(name) value=(text);
                }
                label { "As of "
                    input type="datetime-local" name="as_of" step="1" value=[value];
                    " " (self.zone)
                }
                button type="submit" { "Show" }
            }
        }
    }
}

/// Where there is nothing of an earlier moment.
const ONLY_NOW: [&str; 6] = [
    "/assets/", "/status", "/sources", "/audio/", "/v1/", "/metrics",
];

/// The page with that moment in all links to other pages and in the forms that ask for them.
pub fn keep(page: &str, at: i64) -> String {
    let as_of = address(at);
    let mut out = String::with_capacity(page.len() + page.len() / 8);
    let mut rest = page;
    loop {
        // Quotes in texts are escaped, so that these words only stand where they mean it.
        let (link, form) = (rest.find("href=\"/"), rest.find("<form "));
        let (begin, end, is_link) = match (link, form) {
            (Some(l), f) if f.is_none_or(|f| l < f) => (l + "href=\"".len(), '"', true),
            (_, Some(f)) => (f, '>', false),
            _ => break,
        };
        let Some(length) = rest[begin..].find(end) else {
            break;
        };
        let (before, after) = rest.split_at(begin);
        let (found, after) = after.split_at(length);
        out += before;
        if is_link {
            out += &linked(found, &as_of);
            rest = after;
        } else {
            out += found;
            out.push('>');
            if !found.contains("method=\"post\"") && !found.contains("class=\"as-of\"") {
                out += &format!("<input type=\"hidden\" name=\"as_of\" value=\"{as_of}\">");
            }
            rest = &after[1..];
        }
    }
    out + rest
}

fn linked(link: &str, as_of: &str) -> String {
    if link.contains("as_of=") || ONLY_NOW.iter().any(|p| link.starts_with(p)) {
        return link.to_owned();
    }
    let (path, place) = link.split_at(link.find('#').unwrap_or(link.len()));
    let sign = if path.contains('?') { "&amp;" } else { "?" };
    format!("{path}{sign}as_of={as_of}{place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_forms_stay_at_the_moment() {
        let at = 1_795_341_600_000_000;
        let page = "<a href=\"/contacts\">c</a><a href=\"/drill?x=1&amp;y=2#top\">d</a>\
            <link href=\"/assets/1.css\"><a href=\"/status\">s</a><a href=\"#h\">h</a>\
            <a href=\"/r?as_of=1\">r</a><a href=\"?from=2\">now</a><p>href=&quot;/no</p>\
            <form method=\"get\" action=\"/contacts\">f</form><form method=\"post\">p</form>";
        let kept = keep(page, at);
        let wanted = "<a href=\"/contacts?as_of=2026-11-22T10:00:00Z\">c</a>\
            <a href=\"/drill?x=1&amp;y=2&amp;as_of=2026-11-22T10:00:00Z#top\">d</a>\
            <link href=\"/assets/1.css\"><a href=\"/status\">s</a><a href=\"#h\">h</a>\
            <a href=\"/r?as_of=1\">r</a><a href=\"?from=2\">now</a><p>href=&quot;/no</p>\
            <form method=\"get\" action=\"/contacts\"><input type=\"hidden\" name=\"as_of\" \
            value=\"2026-11-22T10:00:00Z\">f</form><form method=\"post\">p</form>";
        assert_eq!(kept, wanted);
    }

    #[test]
    fn the_way_back_keeps_the_rest_of_the_address() {
        let mut moment = Moment {
            at: Some(1_795_341_600_000_000),
            zone: Tz::Europe__Berlin,
            params: Params::parse("from=2026-11-22&queue=a").unwrap(),
        };
        let banner = moment.banner().into_string();
        assert!(banner.contains("2026-11-22 11:00:00"), "{banner}");
        assert!(
            banner.contains("href=\"?from=2026-11-22&amp;queue=a\""),
            "{banner}"
        );
        let form = moment.form().into_string();
        assert!(form.contains("value=\"2026-11-22T11:00:00\""), "{form}");
        assert!(form.contains("name=\"queue\" value=\"a\""), "{form}");
        (moment.at, moment.params) = (None, Params::default());
        assert_eq!(moment.banner().into_string(), "");
    }
}
