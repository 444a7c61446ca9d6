//! What the simulator decided of a contact or of an agent, before anybody tells of it.

use callboard_model::cloudevents::words::{
    AgentState, Channel, Direction, EndedBy, LinkKind, SegmentKind, TargetKind,
};

use super::world::Site;

/// One contact from first to last. Times are milliseconds, UTC.
#[derive(Debug, Clone)]
pub struct Story {
    /// Identity.
    pub id: String,
    /// Channel.
    pub channel: Channel,
    /// Direction.
    pub direction: Direction,
    /// Customer's address; empty for a call between agents.
    pub customer: String,
    /// Customer's name.
    pub name: &'static str,
    /// Start.
    pub start: i64,
    /// End, as the platform states it.
    pub end: i64,
    /// Who ended it.
    pub ended_by: EndedBy,
    /// The platform's word for the whole, where it was in no queue.
    pub raw: &'static str,
    /// Parts, offers among them, in the order in which they were decided.
    pub parts: Vec<Part>,
    /// Links to other contacts.
    pub links: Vec<Link>,
    /// Whether a recording is announced.
    pub recorded: bool,
    /// A customer's answer to a survey.
    pub survey: Option<i64>,
    /// Whether it is told in the platform's next version.
    pub changed: bool,
}

/// A part of a contact.
#[derive(Debug, Clone)]
pub struct Part {
    /// Kind.
    pub kind: SegmentKind,
    /// Queue, by its number at the site.
    pub queue: Option<usize>,
    /// Agent, by his number at the site.
    pub agent: Option<usize>,
    /// Start.
    pub start: i64,
    /// End.
    pub end: i64,
    /// Outcome.
    pub outcome: &'static str,
    /// The platform's word for the outcome.
    pub raw: &'static str,
    /// Where a redirection leads.
    pub target: Option<(TargetKind, String)>,
    /// The part it belongs to, by its place among the parts.
    pub parent: Option<usize>,
    /// Mode of a talk.
    pub mode: &'static str,
    /// Menu, mailbox or campaign.
    pub name: &'static str,
    /// What was pressed in a menu.
    pub input: &'static str,
    /// For a talk: the stay in a queue that it follows.
    pub stay: Option<usize>,
}

impl Part {
    /// A part of that kind that starts then.
    pub fn new(kind: SegmentKind, start: i64) -> Self {
        Part {
            kind,
            queue: None,
            agent: None,
            start,
            end: start,
            outcome: "",
            raw: "",
            target: None,
            parent: None,
            mode: "",
            name: "",
            input: "",
            stay: None,
        }
    }
}

/// A link from a contact to another.
#[derive(Debug, Clone)]
pub struct Link {
    /// The other contact.
    pub to: String,
    /// Relation.
    pub kind: LinkKind,
    /// When.
    pub at: i64,
}

/// A change of an agent's own state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// When.
    pub at: i64,
    /// State: available, paused or offline.
    pub state: AgentState,
    /// Reason of a pause.
    pub reason: &'static str,
}

/// What one site did on one day.
#[derive(Debug, Clone, Default)]
pub struct DayStory {
    /// Contacts.
    pub stories: Vec<Story>,
    /// States of the agents who worked, by their numbers.
    pub points: Vec<(usize, Vec<Point>)>,
}

impl DayStory {
    /// Contacts that begin once the platform was changed are told in its next version.
    pub fn change(&mut self, site: &Site) {
        let Some(changed) = site.changed else {
            return;
        };
        for story in self.stories.iter_mut().filter(|s| s.start >= changed) {
            story.changed = true;
            for (kind, to) in story.parts.iter_mut().filter_map(|p| p.target.as_mut()) {
                let queue = site.queues.iter().find(|q| q.name == *to);
                if let (TargetKind::Queue, Some(later)) =
                    (kind, queue.and_then(|q| q.later.as_ref()))
                {
                    to.clone_from(later);
                }
            }
        }
    }

    /// Everything at the time that a source tells whose clock is wrong.
    pub fn tell_by(&mut self, clock: impl Fn(i64) -> i64) {
        for story in &mut self.stories {
            story.start = clock(story.start);
            story.end = clock(story.end);
            for part in &mut story.parts {
                part.start = clock(part.start);
                part.end = clock(part.end);
            }
            for link in &mut story.links {
                link.at = clock(link.at);
            }
        }
        for point in self.points.iter_mut().flat_map(|(_, points)| points) {
            point.at = clock(point.at);
        }
    }
}
