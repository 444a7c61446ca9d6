//! The board's parts as HTML: for the page, and one by one for the event stream.

use maud::{Markup, html};

use super::feed::{Told, feed};
use super::state::{Agent, Board, MEASURES};
use crate::data::{DataError, Value};
use crate::reports::run::Cell;
use crate::reports::show;
use crate::url::{self, Params};
use crate::view::icon::{self, Level, badge, icon};
use crate::view::{self, format};

/// A duration that goes on: the browser ticks it from `since`; `now` gives the text for readers
/// without scripts, None leaves it to the browser.
pub(super) fn ticking(since: Option<i64>, now: Option<i64>) -> Markup {
    match since {
        None => html! { (format::UNKNOWN) },
        Some(us) => html! {
            span class="since" data-since=(us / 1000) {
                @if let Some(now) = now { (format::duration((now - us) as f64 / 1000.0)) }
            }
        },
    }
}

/// The board's parts for the event stream: identity and HTML, in order. Durations that go on are
/// left to the browser, so that a part changes only when something happened.
pub fn parts(told: &Told, board: &Board, now: i64) -> Vec<(String, String)> {
    let mut out = vec![
        (
            "feed".to_owned(),
            feed(told, now, board.run.choice.range.zone, None).into_string(),
        ),
        (
            "summary".to_owned(),
            summary(board, now, None).into_string(),
        ),
    ];
    out.extend(
        queue_rows(board, now, None)
            .into_iter()
            .map(|(id, m)| (id, m.into_string())),
    );
    out.extend(
        agent_rows(board, now, None)
            .into_iter()
            .map(|(id, m)| (id, m.into_string())),
    );
    out
}

/// The whole board as it stands in the page; of an earlier moment nothing is told of the sources.
pub fn whole(told: Option<&Told>, board: &Board, now: i64) -> Markup {
    let range = &board.run.choice.range;
    html! {
        @if let Some(told) = told { (feed(told, now, range.zone, Some(now))) }
        div class="live" {
            (summary(board, now, Some(now)))
            section class="panel" aria-labelledby="hq" {
                header class="panel-head" {
                    h2 id="hq" { "Queues" }
                    span class="quiet" { "now, and today since 00:00 " (range.zone) }
                }
                div class="scroll" tabindex="0" role="region" aria-label="Queues" {
                    table class="board" {
                        caption { "Queues now and today" }
                        thead { tr {
                            th scope="col" { "Queue" }
                            th scope="col" class="num" { "Waiting " span class="unit" { "now" } }
                            th scope="col" class="num" { "Longest wait " span class="unit" { "now, h:mm:ss" } }
                            th scope="col" class="num" { "Offered" }
                            th scope="col" class="num" { "Answered" }
                            th scope="col" class="num" { "Abandoned" }
                            th scope="col" class="num" title=(about(board, "left")) { "Left" }
                            th scope="col" title=(about(board, "service_level")) { "Service level " span class="unit" { "%" } }
                            th scope="col" class="num" title=(about(board, "asa")) { "Speed of answer " span class="unit" { "h:mm:ss" } }
                        } }
                        tbody id="queues" { @for (_, row) in queue_rows(board, now, Some(now)) { (row) } }
                    }
                }
            }
            section class="panel" aria-labelledby="ha" {
                header class="panel-head" { h2 id="ha" { "Agents" } span class="quiet" { "now" } }
                div class="scroll" tabindex="0" role="region" aria-label="Agents" {
                    table class="board" {
                        caption { "Agents now" }
                        thead { tr {
                            th scope="col" { "Agent" }
                            th scope="col" { "State" }
                            th scope="col" class="num" { "For " span class="unit" { "h:mm:ss" } }
                            th scope="col" { "Reason" }
                            th scope="col" { "Queue" }
                            th scope="col" { "Contact" }
                        } }
                        tbody id="agents" { @for (_, row) in agent_rows(board, now, Some(now)) { (row) } }
                    }
                }
            }
        }
    }
}

fn about<'a>(board: &'a Board, measure: &str) -> &'a str {
    &board.run.report.measures[measure].about
}

fn summary(board: &Board, now: i64, text: Option<i64>) -> Markup {
    let total = |name: &str| {
        let at = MEASURES.iter().position(|m| *m == name).unwrap_or(0);
        board.queues.total.get(at).copied().unwrap_or_default()
    };
    let link = |name: &str| show::cell_link(&board.run, name, &total(name), &[]);
    let oldest = total("oldest").value.map(|v| v as i64);
    html! {
        div id="summary" class="tiles" {
            div class={ "tile l-" (waiting_level(total("waiting").n).name()) } {
                div class="tile-title" { "Waiting now" }
                div class="tile-value" { (link("waiting")) (level_icon(waiting_level(total("waiting").n), "many")) }
            }
            div class={ "tile l-" (wait_level(oldest, total("threshold").value, now).name()) } {
                div class="tile-title" { "Longest wait now" }
                div class="tile-value" { (ticking(oldest, text)) (level_icon(wait_level(oldest, total("threshold").value, now), "long")) }
            }
            div class="tile" { div class="tile-title" { "Offered today" } div class="tile-value" { (link("offered")) } }
            div class="tile" { div class="tile-title" { "Answered today" } div class="tile-value" { (link("answered")) } }
            div class="tile" { div class="tile-title" { "Abandoned today" } div class="tile-value" { (link("abandoned")) } }
            div class="tile" { div class="tile-title" { "Service level today" } div class="tile-value" { (link("service_level")) } }
            div class="tile wide" {
                div class="tile-title" { "Agents" }
                ul class="states" {
                    @for (key, cells) in &board.states.rows {
                        li { (icon::state(&key[0].plain())) " " (show::cell_link(&board.run, "agents", &cells[0], &[("state", &key[0])])) }
                    }
                    @if board.states.rows.is_empty() { li { (format::UNKNOWN) } }
                }
            }
        }
    }
}

fn waiting_level(n: i64) -> Level {
    Level::above(n as f64, 3.0, 6.0)
}

/// The longest wait against the service level threshold: at it to look, at three times to act.
fn wait_level(since: Option<i64>, threshold_ms: Option<f64>, now: i64) -> Level {
    let Some(since) = since else {
        return Level::Plain;
    };
    let limit = threshold_ms.unwrap_or(20_000.0);
    Level::above((now - since) as f64 / 1000.0, limit, limit * 3.0)
}

fn level_icon(level: Level, word: &str) -> Markup {
    match level {
        Level::Warn => html! { " " span class="tag warn" { (icon("warn")) (word) } },
        Level::Alert => html! { " " span class="tag alert" { (icon("alert")) "too " (word) } },
        _ => html! {},
    }
}

/// The name of a part of the board, safe in HTML: kind and a hash of the name.
fn part_id(kind: &str, name: &str) -> String {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
        (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3)
    });
    format!("{kind}-{hash:016x}")
}

fn queue_rows(board: &Board, now: i64, text: Option<i64>) -> Vec<(String, Markup)> {
    let row = |(key, cells): &(Vec<Value>, Vec<Cell>)| {
        let name = key[0].plain();
        let id = part_id("q", &name);
        let of = |m: &str| cells[MEASURES.iter().position(|x| *x == m).unwrap_or(0)];
        let link = |m: &str| show::cell_link(&board.run, m, &of(m), &[("queue", &key[0])]);
        let oldest = of("oldest").value.map(|v| v as i64);
        let (waiting, wait) = (
            waiting_level(of("waiting").n),
            wait_level(oldest, of("threshold").value, now),
        );
        let markup = html! {
            tr id=(id) {
                th scope="row" { a href=(Params::default().with("queue", &name).href("/reports/queue-interval")) { (name) } }
                td class={ "num l-" (waiting.name()) } { (level_icon(waiting, "many")) " " (link("waiting")) }
                td class={ "num l-" (wait.name()) } { (level_icon(wait, "long")) " " (ticking(oldest, text)) }
                td class="num" { (link("offered")) }
                td class="num" { (link("answered")) }
                td class="num" { (link("abandoned")) }
                td class="num" { (link("left")) }
                td { (service_level(board, &name, &of("service_level"), &of("goal"), &of("threshold"), &key[0])) }
                td class="num" { (link("asa")) }
            }
        };
        (id, markup)
    };
    board.queues.rows.iter().map(row).collect()
}

/// The service level with its level of concern against the goal, and its formula in words.
fn service_level(
    board: &Board,
    queue: &str,
    cell: &Cell,
    goal: &Cell,
    threshold: &Cell,
    key: &Value,
) -> Markup {
    let goal = goal
        .value
        .or(board.run.report.measures["service_level"].goal)
        .unwrap_or(0.8);
    let level = match cell.value {
        None => Level::Plain,
        Some(v) if v >= goal => Level::Ok,
        Some(v) if v >= goal - 0.1 => Level::Warn,
        Some(_) => Level::Alert,
    };
    let word = match level {
        Level::Ok => "met",
        Level::Warn => "near",
        Level::Alert => "missed",
        _ => "",
    };
    let seconds = format::number(threshold.value.unwrap_or(20_000.0) / 1000.0);
    html! {
        span class={ "sl l-" (level.name()) } {
            (show::cell_link(&board.run, "service_level", cell, &[("queue", key)]))
            @if level != Level::Plain { " " span class={ "tag " (level.name()) } { (icon(level.name())) (word) } }
        }
        span class="formula" {
            (formula(board.formulas.get(queue).map_or("answered", String::as_str)))
            " within " (seconds) "\u{202f}s, goal " (format::percent(goal, 0))
        }
    }
}

/// A variant of the service level in a few words.
pub fn formula(variant: &str) -> &'static str {
    match variant {
        "ans_abn" => "of answered and abandoned",
        "ans_abn_short" => "of answered and abandoned but short",
        "no_abandon" => "of offered but abandoned",
        "positive_abandon" => "abandons count as met",
        "offered" => "of offered",
        "ans_abn_flow" => "of all that left",
        "removed" => "removed, of offered",
        "mixed" => "by the formula in force at entry,",
        _ => "of answered",
    }
}

fn agent_rows(board: &Board, now: i64, text: Option<i64>) -> Vec<(String, Markup)> {
    let row = |a: &Agent| {
        let id = part_id("a", &a.name);
        let limits = match a.state.as_str() {
            "wrapup" => Some((60.0, 120.0)),
            "hold" => Some((60.0, 180.0)),
            "ringing" => Some((15.0, 30.0)),
            _ => None,
        };
        let seconds = a.since.map_or(0.0, |s| (now - s) as f64 / 1e6);
        let level = limits.map_or(Level::Plain, |(w, al)| Level::above(seconds, w, al));
        let markup = html! {
            tr id=(id) {
                th scope="row" { a href=(Params::default().with("agent", &a.name).href("/reports/agent-timeline")) { (a.name) } }
                td { (icon::state(&a.state)) }
                td class={ "num l-" (level.name()) } { (level_icon(level, "long")) " " (ticking(a.since, text)) }
                td { (view::or_dash(a.reason.as_deref())) }
                td { (view::or_dash(a.queue.as_deref())) }
                td { @match &a.contact {
                    Some(c) => { a href=(url::contact(c)) { (c) } }
                    None => (format::UNKNOWN),
                } }
            }
        };
        (id, markup)
    };
    board.agents.iter().map(row).collect()
}

/// What the stream says when the board cannot be read.
pub fn trouble(e: &DataError) -> String {
    html! { div id="feed" class="feed" data-stale="true" { (badge(Level::Alert, &format!("The board cannot be read: {e}"))) } }
        .into_string()
}
