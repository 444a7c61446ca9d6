//! An agent's own states: membership of queues, pauses, presence, and the device's state. What he
//! does with calls is the contacts' to tell.
//!
//! * `membership`, per queue: `member` or `offline`.
//! * `pause`, per queue: `paused` or `available`; `offline` when he left the queue paused.
//! * `presence`: `available` from his first membership (or AGENTLOGIN) to the end of his last.
//! * `device`: `available`, `reserved` (ringing), `busy`, `offline`; a phone without registration
//!   state says 0, unknown, when it is free.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use callboard_model::record::rank;
use callboard_model::rows::AGENT_DEVICE;
use callboard_model::statement::{F, Statement, Thing, Value};
use callboard_model::time::{SECOND, believable};

use super::ami::Event;
use super::queue_log::Line;
use super::{Body, Claims, Feed, Mark, Parsed, TOLERANCE, WHOLE_SECOND};

/// One change, as one record tells it.
#[derive(Debug, Clone)]
struct Point {
    feed: Feed,
    track: &'static str,
    queue: String,
    state: &'static str,
    reason: Option<String>,
    native: String,
    /// Device by which he is reached; empty where the feed does not tell.
    device: String,
    mark: Mark,
    /// A snapshot: it tells what is so, not that it became so then.
    since: Option<(i64, u32)>,
    gauge: bool,
}

/// What an agent's records say together.
pub(super) fn interpret(_agent: &str, lines: &[Parsed<'_>]) -> Vec<Statement> {
    let mut points = Vec::new();
    for line in lines {
        match &line.body {
            Body::QueueLog(l) => from_queue_log(l, &line.mark, lines, &mut points),
            Body::Ami(e) => from_ami(e, &line.mark, &mut points),
            _ => {}
        }
    }
    let groups = same_points(points);
    let mut out = Vec::new();
    let mut walk = Walk {
        presence_is_stated: groups.iter().any(|g| g[0].track == "presence"),
        ..Walk::default()
    };
    for group in groups {
        walk.step(group, &mut out);
    }
    out
}

fn from_queue_log(line: &Line<'_>, mark: &Mark, all: &[Parsed<'_>], points: &mut Vec<Point>) {
    let mut add = |track, queue: &str, state, reason: Option<&str>| {
        points.push(Point {
            feed: Feed::QueueLog,
            track,
            queue: queue.to_owned(),
            state,
            reason: reason.map(str::to_owned),
            native: line.event.to_owned(),
            device: String::new(),
            mark: mark.clone(),
            since: None,
            gauge: false,
        });
    };
    let reason = Some(line.data(0));
    match line.event {
        "ADDMEMBER" => {
            add("membership", line.queue, "member", None);
            if line.data(0) == "PAUSED" {
                add("pause", line.queue, "paused", None);
            }
        }
        "REMOVEMEMBER" => add("membership", line.queue, "offline", None),
        "PAUSE" => add("pause", line.queue, "paused", reason),
        "UNPAUSE" => add("pause", line.queue, "available", reason),
        "PAUSEALL" | "UNPAUSEALL" => {
            // The same action is logged again, queue by queue; only where those lines are missing
            // does this one count, for every queue he is then a member of.
            let each = line.event.trim_end_matches("ALL");
            let repeated = all.iter().any(|p| {
                matches!(&p.body, Body::QueueLog(l) if l.event == each)
                    && (0..=SECOND).contains(&(p.mark.at - mark.at))
            });
            if !repeated {
                let state = if each == "PAUSE" {
                    "paused"
                } else {
                    "available"
                };
                for queue in queues_at(mark, all) {
                    add("pause", queue, state, reason);
                }
            }
        }
        "AGENTLOGIN" | "AGENTCALLBACKLOGIN" => add("presence", "", "available", None),
        "AGENTLOGOFF" | "AGENTCALLBACKLOGOFF" => add("presence", "", "offline", None),
        _ => {}
    }
}

/// Queues the log says he is a member of at that time.
fn queues_at<'a>(mark: &Mark, all: &'a [Parsed<'_>]) -> BTreeSet<&'a str> {
    let mut queues = BTreeSet::new();
    for parsed in all.iter().take_while(|p| p.mark.at <= mark.at) {
        if let Body::QueueLog(l) = &parsed.body {
            match l.event {
                "ADDMEMBER" => {
                    queues.insert(l.queue);
                }
                "REMOVEMEMBER" => {
                    queues.remove(l.queue);
                }
                _ => {}
            }
        }
    }
    queues
}

fn from_ami(event: &Event<'_>, mark: &Mark, points: &mut Vec<Point>) {
    let queue = event.get("Queue");
    let gauge = event.name() == "QueueMember";
    let mark = if gauge {
        let mut by = (*mark.by).clone();
        by.rank = rank::GAUGE;
        Mark {
            by: Arc::new(by),
            ..mark.clone()
        }
    } else {
        mark.clone()
    };
    let since = |header: &str| {
        event
            .int(header)
            .map(|s| (s * SECOND, WHOLE_SECOND))
            .filter(|(at, _)| believable(*at))
    };
    // The phone, under whose name calls show where no feed names the agent; a member that is a
    // phone itself has no other.
    let device = match event.get("StateInterface") {
        "" => event.get("Interface"),
        phone => phone,
    };
    let device = device.strip_suffix("/n").unwrap_or(device);
    let mut add = |track, queue: &str, state, reason: Option<&str>, native: &str, since| {
        points.push(Point {
            feed: Feed::Ami,
            track,
            queue: queue.to_owned(),
            state,
            reason: reason.map(str::to_owned),
            native: native.to_owned(),
            device: device.to_owned(),
            mark: mark.clone(),
            since,
            gauge,
        });
    };
    let paused = event.get("Paused") == "1";
    let reason = Some(event.get("PausedReason"));
    match event.name() {
        "QueueMemberAdded" => {
            add("membership", queue, "member", None, event.name(), None);
            if paused {
                add("pause", queue, "paused", reason, event.name(), None);
            }
        }
        "QueueMemberRemoved" => add("membership", queue, "offline", None, event.name(), None),
        "QueueMemberPause" => {
            let state = if paused { "paused" } else { "available" };
            add("pause", queue, state, reason, event.name(), None);
        }
        "QueueMember" => {
            add(
                "membership",
                queue,
                "member",
                None,
                event.name(),
                since("LoginTime"),
            );
            let state = if paused { "paused" } else { "available" };
            let from = since("LastPause").filter(|_| paused);
            add("pause", queue, state, reason, event.name(), from);
        }
        _ => {}
    }
    if event.name() != "QueueMemberRemoved"
        && let Some(state) = device_state(event.get("Status"))
    {
        add("device", "", state, None, event.get("Status"), None);
    }
}

fn device_state(status: &str) -> Option<&'static str> {
    Some(match status {
        "0" | "1" => "available",
        "2" | "3" | "7" | "8" => "busy",
        "4" | "5" => "offline",
        "6" => "reserved",
        _ => return None,
    })
}

/// Points of the same change: same track, queue and state, told by different feeds, close in time.
/// In order of time, by the finest clock.
fn same_points(mut points: Vec<Point>) -> Vec<Vec<Point>> {
    points.sort_by(|a, b| {
        let key = |p: &Point| (p.mark.at, p.feed, p.mark.by.sequence);
        key(a)
            .cmp(&key(b))
            .then_with(|| a.mark.by.id.cmp(&b.mark.by.id))
    });
    let mut groups: Vec<Vec<Point>> = Vec::new();
    for point in points {
        let found = groups.iter_mut().rev().take(64).find(|g| {
            !point.gauge
                && point.track != "device"
                && g[0].track == point.track
                && g[0].queue == point.queue
                && g[0].state == point.state
                && (point.mark.at - g[0].mark.at).abs() <= TOLERANCE
                && g.iter().all(|p| p.feed != point.feed && !p.gauge)
        });
        match found {
            Some(group) => group.push(point),
            None => groups.push(vec![point]),
        }
    }
    groups.sort_by_key(|g| finest(g));
    groups
}

fn finest(group: &[Point]) -> (i64, u64) {
    group
        .iter()
        .min_by_key(|p| p.mark.precision)
        .map_or((0, 0), |p| (p.mark.at, p.mark.by.sequence))
}

/// Goes through the changes in order.
#[derive(Default)]
struct Walk {
    presence_is_stated: bool,
    /// State now, by track and queue.
    now: BTreeMap<(&'static str, String), &'static str>,
    /// How many points of a track and queue were at the same time.
    same_time: BTreeMap<(&'static str, String, i64), usize>,
}

impl Walk {
    fn step(&mut self, group: Vec<Point>, out: &mut Vec<Statement>) {
        let (track, queue, state) = (group[0].track, group[0].queue.clone(), group[0].state);
        let before = self.now.get(&(track, queue.clone())).copied();
        let is_news = before != Some(state);
        if (group[0].gauge || track == "device") && !is_news {
            return;
        }
        if group[0].gauge && before.is_none() && state == "available" && track == "pause" {
            return;
        }
        self.now.insert((track, queue.clone()), state);
        let mut said = Claims::default();
        for p in &group {
            match p.since.filter(|_| before.is_none()) {
                Some((at, precision)) => {
                    said.say(&p.mark, F::At, Value::Time(at, precision));
                }
                None => {
                    said.at(&p.mark, F::At);
                }
            }
            said.text(&p.mark, F::State, p.state)
                .text(&p.mark, F::NativeState, &p.native)
                .text(&p.mark, F::Attr(AGENT_DEVICE.into()), &p.device)
                .text(&p.mark, F::Reason, p.reason.as_deref().unwrap_or(""));
        }
        let at = finest(&group).0;
        if track == "membership" {
            self.leave_paused(&group, &queue, state, at, out);
            self.presence(&group, at, out);
        }
        let id = self.id(track, &queue, at);
        said.state(&Thing::AgentPoint(track.into(), (*queue).into(), id), out);
    }

    /// Who leaves a queue paused is not paused there any more.
    fn leave_paused(
        &mut self,
        group: &[Point],
        queue: &str,
        state: &str,
        at: i64,
        out: &mut Vec<Statement>,
    ) {
        let key = ("pause", queue.to_owned());
        if state == "offline" && self.now.get(&key) == Some(&"paused") {
            self.now.insert(key, "offline");
            let id = self.id("pause", queue, at);
            let thing = Thing::AgentPoint("pause".into(), queue.into(), id);
            in_other_words(group, "offline", &thing, out);
        }
    }

    /// He is there while he is a member of any queue, unless log-ins are stated.
    fn presence(&mut self, group: &[Point], at: i64, out: &mut Vec<Statement>) {
        if self.presence_is_stated {
            return;
        }
        let member = self
            .now
            .iter()
            .any(|((track, _), state)| *track == "membership" && *state == "member");
        let state = if member { "available" } else { "offline" };
        let key = ("presence", String::new());
        if self.now.get(&key).copied() != Some(state) {
            self.now.insert(key, state);
            let id = self.id("presence", "", at);
            let thing = Thing::AgentPoint("presence".into(), "".into(), id);
            in_other_words(group, state, &thing, out);
        }
    }

    /// Identity of a point within its track and queue; equal times keep their order by number.
    fn id(&mut self, track: &'static str, queue: &str, at: i64) -> Arc<str> {
        let n = self
            .same_time
            .entry((track, queue.to_owned(), at))
            .or_default();
        *n += 1;
        format!("{at}-{n:03}").into()
    }
}

/// The same change, for another track.
fn in_other_words(group: &[Point], state: &str, thing: &Thing, out: &mut Vec<Statement>) {
    let mut said = Claims::default();
    for p in group {
        let (at, precision) = p.since.unwrap_or((p.mark.at, p.mark.precision));
        said.guess_at(&p.mark, F::At, at, precision)
            .guess_text(&p.mark, F::State, state)
            .guess_text(&p.mark, F::NativeState, &p.native)
            .guess_text(&p.mark, F::Attr(AGENT_DEVICE.into()), &p.device);
    }
    said.state(thing, out);
}
