//! SIPREC: the metadata that a session border controller sends for each call that is recorded: at
//! first whole, then what changed, then the end. Who called is marked as the standard's extension
//! does; of queues, waits and outcomes nothing is said.

use callboard_model::cloudevents::words::{Channel, Direction, SegmentKind};

use super::{Pen, millis};
use crate::simulate::story::{Part, Story};

/// Tells a day.
pub(super) fn tell(pen: &mut Pen<'_>) {
    let site = pen.site;
    pen.name("source", format!("/siprec/{}", site.name), &site.source);
    for a in 0..site.agents.len() {
        pen.name("agent", handle(pen, a), pen.agent_name(a));
    }
    let day = pen.day;
    for story in &day.stories {
        let recorded = story.recorded && story.channel == Channel::Voice;
        if recorded && story.direction != Direction::Internal {
            session(pen, story);
        }
    }
}

fn handle(pen: &Pen<'_>, agent: usize) -> String {
    format!("agent{}@{}.example.com", agent + 1, pen.site.name)
}

/// Text as XML holds it.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

/// A recording session, document by document.
fn session(pen: &mut Pen<'_>, story: &Story) {
    let mut talks: Vec<&Part> = story
        .parts
        .iter()
        .filter(|p| p.kind == SegmentKind::Talk)
        .collect();
    talks.sort_by_key(|t| t.start);
    let (Some(first), Some(end)) = (talks.first(), talks.iter().map(|t| t.end).max()) else {
        return;
    };
    let id = pen.uuid(&["session", &story.id]);
    pen.name("contact", id.clone(), &story.id);
    let person = |n: usize| format!("{}-p{n}", &id[..8]);
    let associated = |n: usize, what: &str, at: i64| {
        format!(
            "<participantsessionassoc participant_id=\"{}\" session_id=\"{id}\">\
             <{what}>{}</{what}></participantsessionassoc>",
            person(n),
            millis(at)
        )
    };
    let agent = |n: usize, talk: &Part| {
        let aor = talk.agent.map(|a| handle(pen, a)).unwrap_or_default();
        format!(
            "<participant participant_id=\"{}\"><nameID aor=\"sip:{aor}\"/></participant>",
            person(n)
        )
    };
    let mut documents: Vec<(i64, String)> = Vec::new();
    let caller = format!(
        "<participant participant_id=\"{}\"><nameID aor=\"sip:{}@carrier.example.com\">\
         <name>{}</name></nameID><extensiondata><callingParty>true</callingParty></extensiondata>\
         </participant>",
        person(0),
        story.customer,
        escaped(story.name)
    );
    let whole = format!(
        "<datamode>complete</datamode><session session_id=\"{id}\"><start-time>{}</start-time>\
         </session>{caller}{}{}{}",
        millis(first.start),
        agent(1, first),
        associated(0, "associate-time", first.start),
        associated(1, "associate-time", first.start),
    );
    documents.push((first.start, whole));
    for (n, talk) in talks.iter().enumerate() {
        if n > 0 {
            let joined = format!(
                "<datamode>partial</datamode>{}{}",
                agent(n + 1, talk),
                associated(n + 1, "associate-time", talk.start)
            );
            documents.push((talk.start, joined));
        }
        if talk.end < end {
            // Who leaves is named again.
            let left = format!(
                "<datamode>partial</datamode>{}{}",
                agent(n + 1, talk),
                associated(n + 1, "disassociate-time", talk.end)
            );
            documents.push((talk.end, left));
        }
    }
    documents.push((
        end,
        format!(
            "<datamode>partial</datamode><session session_id=\"{id}\"><stop-time>{}</stop-time>\
             </session>",
            millis(end)
        ),
    ));
    for (n, (at, inner)) in documents.into_iter().enumerate() {
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <recording xmlns=\"urn:ietf:params:xml:ns:recording:1\">{inner}</recording>"
        );
        pen.sheet(format!("{id}-{}.xml", n + 1), at, text);
    }
}
