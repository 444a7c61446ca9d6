//! vCon: a container for each call in which somebody was spoken with or dialled, written after its
//! end. There is no queue in it, nobody who waited, nothing an agent did beside talking.

use callboard_model::cloudevents::words::{Channel, Direction, SegmentKind, TargetKind};
use serde_json::{Value, json};

use super::{Pen, children, millis};
use crate::simulate::story::Story;

/// Tells a day.
pub(super) fn tell(pen: &mut Pen<'_>) {
    let site = pen.site;
    pen.name("source", format!("/vcon/{}", site.name), &site.source);
    let day = pen.day;
    for story in &day.stories {
        if story.channel == Channel::Voice && story.direction != Direction::Internal {
            container(pen, story);
        }
    }
}

fn container(pen: &mut Pen<'_>, story: &Story) {
    let mut agents: Vec<usize> = Vec::new();
    let own = story
        .parts
        .iter()
        .filter(|p| matches!(p.kind, SegmentKind::Talk | SegmentKind::Dial));
    for part in own {
        agents.extend(part.agent.filter(|a| !agents.contains(a)));
    }
    let mut parties = vec![json!({"tel": story.customer, "name": story.name, "role": "customer"})];
    for a in &agents {
        parties.push(json!({"name": pen.agent_name(*a), "role": "agent"}));
    }
    let party = |agent: Option<usize>| {
        let at = agents.iter().position(|a| Some(*a) == agent);
        at.map_or(0, |n| n + 1)
    };
    let direction = match story.direction {
        Direction::Outbound => "out",
        _ => "in",
    };
    let mut dialogs: Vec<Value> = Vec::new();
    let mut handed = Vec::new();
    for (place, part) in story.parts.iter().enumerate() {
        let agent = party(part.agent);
        match part.kind {
            SegmentKind::Talk => {
                let mut history = Vec::new();
                for hold in children(story, place).filter(|p| p.kind == SegmentKind::Hold) {
                    history.push(json!({"party": 0, "event": "hold", "time": millis(hold.start)}));
                    history.push(json!({"party": 0, "event": "unhold", "time": millis(hold.end)}));
                }
                if let Some((TargetKind::Agent, name)) = &part.target {
                    let to = party(pen.agent_of(name));
                    handed.push(json!({
                        "type": "transfer",
                        "original": dialogs.len(),
                        "transferor": agent,
                        "transferee": 0,
                        "transfer-target": to,
                    }));
                }
                dialogs.push(json!({
                    "type": "recording",
                    "start": millis(part.start),
                    "duration": (part.end - part.start) as f64 / 1_000.0,
                    "parties": [0, agent],
                    "skill": part.queue.map(|q| pen.queue_name(q)),
                    "meta": {"direction": direction},
                    "party_history": history,
                }));
            }
            SegmentKind::Dial if part.agent.is_some() => {
                let disposition = match part.outcome {
                    "answered" => continue, // the talk tells
                    "busy" => "busy",
                    "no_answer" => "no-answer",
                    _ => "failed",
                };
                dialogs.push(json!({
                    "type": "incomplete",
                    "start": millis(part.start),
                    "duration": (part.end - part.start) as f64 / 1_000.0,
                    "originator": agent,
                    "parties": [agent, 0],
                    "disposition": disposition,
                    "meta": {"direction": direction},
                }));
            }
            _ => {}
        }
    }
    if dialogs.is_empty() {
        return;
    }
    dialogs.extend(handed);
    let uuid = pen.uuid(&["vcon", &story.id]);
    pen.name("contact", uuid.clone(), &story.id);
    let written = story.end + 30_000;
    let body = json!({
        "vcon": "0.3.0",
        "uuid": uuid,
        "created_at": millis(written),
        "parties": parties,
        "dialog": dialogs,
        "analysis": [],
        "attachments": [],
    });
    pen.json("conversations.ndjson", written, &body);
}
