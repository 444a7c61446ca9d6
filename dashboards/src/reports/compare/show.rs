//! A comparison as a table, as fields of the page's form, and as CSV.

use callboard_query::compare::{
    By, Figure, Finding, LEAST_COUNT, LEAST_DAYS, METHOD, MOST_GROUPS, Statement, Verdict,
};
use callboard_query::metrics::Metric;
use maud::{Markup, html};

use super::super::file::Visual;
use super::super::run::{PIN, Run};
use super::{Compared, Comparison, Made, Platform};
use crate::view::icon::{Level, badge};
use crate::view::table::{Head, table};
use crate::view::{self, format};
use crate::zone::Range;

/// How a number of a metric reads.
#[derive(Clone, Copy, PartialEq)]
enum Scale {
    PerDay,
    Share,
    PerContact,
    Ms,
}

fn scale(metric: &Metric) -> Scale {
    match (metric.unit.as_str(), metric.quotient()) {
        ("ms", _) => Scale::Ms,
        // Several transfers of one contact make more than a whole.
        ("ratio", _) if metric.name == "transfer_rate" => Scale::PerContact,
        ("ratio", _) => Scale::Share,
        _ => Scale::PerDay,
    }
}

fn value(metric: &Metric, v: f64) -> String {
    match scale(metric) {
        Scale::Ms if v < 60_000.0 => format!("{:.1}\u{202f}s", v / 1_000.0),
        Scale::Ms => format::duration(v),
        Scale::Share => format!("{:.1}\u{202f}%", v * 100.0),
        Scale::PerContact => format!("{v:.3}"),
        Scale::PerDay => format!("{v:.1}"),
    }
}

/// A difference, with its sign and in a unit that needs no heading.
fn change(metric: &Metric, v: f64) -> String {
    let text = match scale(metric) {
        Scale::Ms => format!("{:+.1}\u{202f}s", v / 1_000.0),
        Scale::Share => format!("{:+.1}\u{202f}pp", v * 100.0),
        Scale::PerContact => format!("{v:+.3}"),
        Scale::PerDay => format!("{v:+.1}"),
    };
    text.replace('-', "\u{2212}")
}

/// The same without a sign.
fn size(metric: &Metric, v: f64) -> String {
    change(metric, v.abs()).replace('+', "")
}

fn level(verdict: &Verdict) -> Level {
    match verdict {
        Verdict::Differs(_) => Level::Warn,
        Verdict::NotShown(_) => Level::Plain,
        Verdict::TooLittle(_) | Verdict::CannotSay(_) => Level::Unknown,
    }
}

fn chance(p: f64) -> String {
    match p {
        ..0.001 => "p < 0.001".to_owned(),
        _ => format!("p = {p:.3}"),
    }
}

/// The fields of the form: which platforms, which days, by what.
pub fn fields(c: &Comparison) -> Markup {
    let names = |n: usize| {
        let made = c.made.as_ref().map(|m| m.names[n].clone());
        made.or_else(|| c.choice.platforms[n].clone())
    };
    html! {
        (platform("Platform A", "a", &c.platforms, names(0)))
        (platform("Platform B", "b", &c.platforms, names(1)))
        label { "A until" input type="date" name="a_to" value=[c.choice.a_to]; }
        label { "B from" input type="date" name="b_from" value=[c.choice.b_from]; }
        label { "Grouped by"
            select name="group" {
                @for by in By::ALL {
                    option value=(by.name()) selected[c.choice.by.unwrap_or(By::Whole) == by] { (by.words()) }
                }
            }
        }
    }
}

fn platform(title: &str, name: &str, all: &[Platform], chosen: Option<String>) -> Markup {
    let stranger = chosen
        .as_ref()
        .filter(|c| !all.iter().any(|p| p.name == **c));
    html! {
        label { (title)
            select name=(name) {
                @if let Some(stranger) = stranger { option value=(stranger) selected { (stranger) } }
                @if chosen.is_none() { option value="" selected { "(none)" } }
                @for p in all {
                    option value=(p.name) selected[chosen.as_ref() == Some(&p.name)] { (p.name) }
                }
            }
        }
    }
}

/// The whole.
pub fn show(run: &Run, visual: &Visual, c: &Comparison) -> Markup {
    match &c.made {
        Some(made) => compared(run, visual, made, c.choice.by.unwrap_or(By::Whole)),
        None => alone(c),
    }
}

fn alone(c: &Comparison) -> Markup {
    let [a, b] = &c.choice.platforms;
    match c.platforms.as_slice() {
        _ if a.is_some() && a == b => view::empty(
            "A platform is not compared with itself.",
            &html! { "Choose another as A or B; or, for one platform before and after a change, say "
            "until which day A goes and from which day B does." },
        ),
        [only] => view::empty(
            "A comparison needs two platforms.",
            &html! { "Of these days there are contacts of " strong { (only.name) } " alone. "
            "Choose days that hold both: those before and after the cut-over." },
        ),
        _ => view::empty(
            "There is nothing to compare.",
            &html! { "There are no contacts in these days." },
        ),
    }
}

fn compared(run: &Run, visual: &Visual, made: &Made, by: By) -> Markup {
    let grouped = by != By::Whole;
    let mut heads = Vec::new();
    if grouped {
        heads.push(Head::words(&capital(by.words())));
    }
    heads.push(Head::words("Metric"));
    heads.push(Head::numbers(&made.names[0], "A"));
    heads.push(Head::numbers(&made.names[1], "B"));
    heads.push(Head::numbers("Difference", "B \u{2212} A"));
    heads.push(Head::words("95 % interval"));
    heads.push(Head::prose("What may be said"));
    let lines: Vec<Vec<Markup>> = made
        .statements
        .iter()
        .zip(visual.metrics.iter().cycle())
        .map(|(s, own)| line(run, made, by, own, s))
        .collect();
    let days = |n: usize| period(&made.ranges[n]);
    html! {
        p { "A is " strong { (made.names[0]) } ", " (days(0)) "; B is " strong { (made.names[1]) } ", "
            (days(1)) "; days of " (run.choice.range.zone) ". Both by the same definitions." }
        (table(&visual.title, &heads, &lines, None))
        @if made.statements.len() >= MOST_GROUPS * visual.metrics.len() {
            p class="note" { "Only the " (MOST_GROUPS) " greatest groups are compared." }
        }
        @if made.uneven {
            p class="note" { "The days of the week occur unequally often in A and B: what differs between weekdays "
                "may show as a difference between the platforms. Choose whole weeks." }
        }
        p class="note" { (made.comparisons) " comparisons. " (METHOD) " At least " (LEAST_DAYS) " days and "
            (LEAST_COUNT) " contacts (or hours of agents) a side; with less it is too little to say. "
            "The least difference is the one that would have been claimed four times out of five." }
        p class="note" { "A difference is one of these days: season, staffing and who calls differ too. "
            "No difference shown is not the same as none." }
    }
}

fn period(of: &Range) -> String {
    match of.first == of.last {
        true => of.first.to_string(),
        false => format!("{} to {}", of.first, of.last),
    }
}

fn line(run: &Run, made: &Made, by: By, own: &Compared, s: &Statement) -> Vec<Markup> {
    let mut line = Vec::new();
    if by != By::Whole {
        line.push(html! { @match &s.group { Some(group) => (group), None => em { "all" } } });
    }
    let about = format!("{}. {}.", s.metric.meaning, s.metric.source);
    let per_day = scale(s.metric) == Scale::PerDay;
    line.push(html! {
        span title=(about) { (s.metric.title) @if per_day { " a day" } }
    });
    for n in [0, 1] {
        line.push(figure(run, made, by, own, s, n));
    }
    line.push(match s.verdict.finding() {
        Some(f) => html! { span data-difference=(f.difference.value) { (change(s.metric, f.difference.value)) } },
        None => html! { span class="none" { (format::UNKNOWN) } },
    });
    line.push(match s.verdict.finding() {
        Some(f) => html! {
            span data-low=(f.difference.low) data-high=(f.difference.high) {
                (change(s.metric, f.difference.low)) " to " (change(s.metric, f.difference.high))
            }
        },
        None => html! { span class="none" { (format::UNKNOWN) } },
    });
    line.push(said(s));
    line
}

fn said(s: &Statement) -> Markup {
    let of = |f: &Finding| {
        format!(
            "{} of all comparisons; least difference {}",
            chance(f.p),
            size(s.metric, f.least)
        )
    };
    html! {
        span data-metric=(s.metric.name) data-group=(s.group.as_deref().unwrap_or("")) data-verdict=(s.verdict.word()) {
            (badge(level(&s.verdict), s.verdict.word()))
        }
        " "
        span class="quiet" {
            @match &s.verdict {
                Verdict::Differs(f) | Verdict::NotShown(f) => (of(f)),
                Verdict::TooLittle(why) | Verdict::CannotSay(why) => (why),
            }
        }
    }
}

/// What the sides' figures are made of.
fn made_of(metric: &Metric, of: &Figure) -> String {
    let what = match metric.base.as_str() {
        "agent_time" => "hours of agents",
        "contacts" => "contacts",
        _ => "stays",
    };
    format!(
        "{} {what} in {} days",
        format::count(of.n.round() as i64),
        of.days
    )
}

fn figure(run: &Run, made: &Made, by: By, own: &Compared, s: &Statement, n: usize) -> Markup {
    let of = &s.sides[n];
    let Some(v) = of.value else {
        return html! { span class="none" title="Not known" { (format::UNKNOWN) } };
    };
    let text = value(s.metric, v);
    let about = made_of(s.metric, of);
    html! {
        @match own.rows.as_deref().map(|rows| behind(run, made, by, rows, s, n)) {
            Some(href) => a href=(href) title=(about) data-figure=(v) { (text) },
            None => span title=(about) data-figure=(v) { (text) },
        }
        " " span class="quiet" { "n\u{202f}" (format::count(of.n.round() as i64)) }
    }
}

/// The address of the list with the rows of a side of a statement.
fn behind(run: &Run, made: &Made, by: By, rows: &str, s: &Statement, n: usize) -> String {
    let range = &made.ranges[n];
    let mut params = run
        .params
        .only(|name| ["tz", "theme", "as_of"].contains(&name) || name.starts_with(PIN))
        .with("from", &range.first.to_string())
        .with("to", &range.last.to_string())
        .with("report", &run.report.name)
        .with("measure", rows)
        .with(&format!("{PIN}platform"), &made.names[n]);
    if let Some(group) = &s.group {
        params = params.with(&format!("{PIN}{}", by.name()), group);
    }
    params.href("/drill")
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |c| c.to_uppercase().chain(letters).collect())
}

/// Headings and lines of the CSV file.
pub fn lines(c: &Comparison) -> (Vec<String>, Vec<Vec<String>>) {
    let heads = [
        "group",
        "metric",
        "unit",
        "a",
        "a_n",
        "a_days",
        "b",
        "b_n",
        "b_days",
        "difference",
        "low",
        "high",
        "p",
        "least",
        "verdict",
        "why",
    ];
    let number = |v: Option<f64>| v.map(|v| v.to_string()).unwrap_or_default();
    let line = |s: &Statement| {
        let f = s.verdict.finding();
        let of = |part: fn(&Finding) -> f64| number(f.map(part));
        let mut line = vec![
            s.group.clone().unwrap_or_default(),
            s.metric.name.to_owned(),
            s.metric.unit.clone(),
        ];
        for side in &s.sides {
            line.extend([
                number(side.value),
                number(Some(side.n)),
                side.days.to_string(),
            ]);
        }
        line.extend([
            of(|f| f.difference.value),
            of(|f| f.difference.low),
            of(|f| f.difference.high),
            of(|f| f.p),
            of(|f| f.least),
            s.verdict.word().to_owned(),
            match &s.verdict {
                Verdict::TooLittle(why) | Verdict::CannotSay(why) => why.clone(),
                _ => String::new(),
            },
        ]);
        line
    };
    let all = c.made.iter().flat_map(|m| &m.statements);
    (heads.map(str::to_owned).to_vec(), all.map(line).collect())
}
