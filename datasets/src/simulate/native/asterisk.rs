//! Asterisk: the queue log and the channel event log. The queue log counts whole seconds and tells of queues, of whom they rang and who answered,
//! and of members who come, pause and go; of menus, holds, wrap-up and calls that go out it has no
//! word, and after a transfer nothing of the rest of the talk.

mod cel;

use callboard_model::cloudevents::words::{
    AgentState, Channel, Direction, EndedBy, SegmentKind, TargetKind,
};

use super::Pen;
use crate::simulate::story::{Part, Story};

/// Tells a day.
pub(super) fn tell(pen: &mut Pen<'_>) {
    let site = pen.site;
    pen.name("source", format!("/asterisk/{}", site.name), &site.source);
    for (q, queue) in site.queues.iter().enumerate() {
        pen.name("queue", queue_name(pen, q), &queue.name);
    }
    for (a, agent) in site.agents.iter().enumerate() {
        pen.name("agent", member(pen, a), &agent.name);
        // Where no line of a queue names him, he goes by his telephone.
        pen.name("agent", format!("PJSIP/{}", member(pen, a)), &agent.name);
    }
    let day = pen.day;
    for (n, story) in day.stories.iter().enumerate() {
        if story.channel == Channel::Voice && story.direction == Direction::Inbound {
            call(pen, n, story);
            cel::tell(pen, n, story);
        }
    }
    for (agent, points) in &day.points {
        let mut paused = false;
        for (n, point) in points.iter().enumerate() {
            for q in &site.agents[*agent].skills {
                let mut say = |event: &str, data: &str| {
                    let (queue, member) = (queue_name(pen, *q), member(pen, *agent));
                    line(pen, point.at, "NONE", (&queue, &member), event, data);
                };
                match point.state {
                    AgentState::Paused => say("PAUSE", point.reason),
                    AgentState::Available if n == 0 => say("ADDMEMBER", ""),
                    AgentState::Available => say("UNPAUSE", ""),
                    _ => {
                        if paused {
                            say("UNPAUSE", "");
                        }
                        say("REMOVEMEMBER", "");
                    }
                }
            }
            paused = point.state == AgentState::Paused;
        }
    }
}

fn queue_name(pen: &Pen<'_>, queue: usize) -> String {
    format!("{}-queue{}", pen.site.name, queue + 1)
}

fn member(pen: &Pen<'_>, agent: usize) -> String {
    format!("{}-agent{}", pen.site.name, agent + 1)
}

fn line(
    pen: &mut Pen<'_>,
    at: i64,
    call: &str,
    (queue, agent): (&str, &str),
    event: &str,
    data: &str,
) {
    let text = format!("{}|{call}|{queue}|{agent}|{event}|{data}", at / 1_000);
    pen.sheet("queue_log", at, text);
}

/// Whole seconds between two times, as the log counts.
fn lasted(start: i64, end: i64) -> i64 {
    end.div_euclid(1_000) - start.div_euclid(1_000)
}

fn call(pen: &mut Pen<'_>, n: usize, story: &Story) {
    let waits = |p: &&Part| p.kind == SegmentKind::Queue && p.outcome != "refused";
    for (place, part) in story.parts.iter().enumerate() {
        if waits(&part) {
            stay(pen, n, story, (place, part));
        }
    }
}

/// The unique id of a customer's channel.
fn customer_id(number: usize, story: &Story) -> String {
    format!("{}.{}", story.start / 1_000, 2 * number + 1)
}

/// That of the channel of an agent's telephone, for a part of a call.
fn channel_id(number: usize, place: usize, part: &Part) -> String {
    let serial = 1_000_000 + number * 1_000 + place;
    format!("{}.{serial}", part.start / 1_000)
}

/// A stay: in, rung, out.
fn stay(pen: &mut Pen<'_>, number: usize, story: &Story, (place, part): (usize, &Part)) {
    let id = &customer_id(number, story);
    let queue = part.queue.map(|q| queue_name(pen, q)).unwrap_or_default();
    let waited = lasted(part.start, part.end);
    let name = story.name.replace('|', " ");
    let members: Vec<String> = (0..pen.site.agents.len()).map(|a| member(pen, a)).collect();
    let mut say = |at: i64, agent: &str, event: &str, data: String| {
        line(pen, at, id, (&queue, agent), event, &data);
    };
    say(
        part.start,
        "NONE",
        "ENTERQUEUE",
        format!("|{}|1|{name}", story.customer),
    );
    let mut taken = None;
    let mut channel = String::new();
    let all = story.parts.iter().enumerate();
    let offers = all.filter(|(_, p)| p.kind == SegmentKind::Offer && p.parent == Some(place));
    for (n, offer) in offers {
        let Some(a) = offer.agent.map(|a| members[a].clone()) else {
            continue;
        };
        let ms = offer.end - offer.start;
        match offer.outcome {
            "accepted" => {
                channel = channel_id(number, n, offer);
                taken = Some((a, lasted(offer.start, offer.end)));
            }
            // The log calls it canceled where the caller left while it rang.
            "caller_left" => say(offer.end, &a, "RINGCANCELED", ms.to_string()),
            _ => say(offer.end, &a, "RINGNOANSWER", ms.to_string()),
        }
    }
    let (Some((agent, rang)), "answered") = (taken, part.outcome) else {
        let (event, data) = match part.outcome {
            "abandoned" => ("ABANDON", format!("1|1|{waited}")),
            "no_agents" => ("EXITEMPTY", format!("1|1|{waited}")),
            "key_exit" | "callback" | "voicemail" => ("EXITWITHKEY", format!("9|1|1|{waited}")),
            "withdrawn" => ("WITHDRAW", format!("1|1|{waited}|closed")),
            _ => ("EXITWITHTIMEOUT", format!("1|1|{waited}")),
        };
        return say(part.end, "NONE", event, data);
    };
    say(
        part.end,
        &agent,
        "CONNECT",
        format!("{waited}|{channel}|{rang}"),
    );
    let talk = story
        .parts
        .iter()
        .find(|p| p.kind == SegmentKind::Talk && p.parent == Some(place) && p.mode == "serve");
    let Some(talk) = talk else { return };
    let times = format!("{waited}|{}|1", lasted(talk.start, talk.end));
    match (talk.outcome, &talk.target) {
        ("transferred", Some((TargetKind::Agent, to))) => {
            let to = pen_member(pen, to);
            let data = format!("BRIDGE|{to}|{times}");
            line(
                pen,
                talk.end,
                id,
                (&queue, &agent),
                "ATTENDEDTRANSFER",
                &data,
            );
        }
        ("transferred", Some((_, to))) => {
            let to = match pen.queue_of(to) {
                Some(q) => queue_name(pen, q),
                None => to.clone(),
            };
            let data = format!("{to}|default|{times}");
            line(pen, talk.end, id, (&queue, &agent), "BLINDTRANSFER", &data);
        }
        _ => {
            let event = match story.ended_by {
                EndedBy::Customer => "COMPLETECALLER",
                _ => "COMPLETEAGENT",
            };
            line(pen, talk.end, id, (&queue, &agent), event, &times);
        }
    }
}

/// The member of that name.
fn pen_member(pen: &Pen<'_>, name: &str) -> String {
    pen.agent_of(name)
        .map(|a| member(pen, a))
        .unwrap_or_default()
}
