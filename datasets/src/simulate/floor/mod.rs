//! One site on one day: customers arrive, wait, give up or are answered; agents log in, serve, rest
//! and log out. A queue of moments, the earliest first; nothing reaches over to another day.

mod arrivals;
mod desks;
mod outside;
mod queueing;
mod talking;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use callboard_model::cloudevents::words::{
    AgentState, Channel, Direction, EndedBy, LinkKind, SegmentKind,
};

use super::calendar::MINUTE;
use super::chance::Chance;
use super::story::{DayStory, Link, Part, Point, Story};
use super::ways::Turns;
use super::world::{OPEN, Site};

/// Which day of which site, and how many contacts begin there.
#[derive(Debug, Clone, Copy)]
pub struct Day {
    /// Days since 1970, local.
    pub day: i64,
    /// Number of the day among all, for chance.
    pub number: u64,
    /// Contacts.
    pub contacts: u64,
}

/// When a team that serves one queue meets, minutes of the local day, and for how many; and what is said
/// of those who sit there. Its queue has nobody then: callers find no agents.
const MEETING: (i64, i64) = (10 * 60 + 30, 60);
const TEAM_MEETING: &str = "team meeting";

/// How a waiting customer leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Exit {
    Abandon,
    Timeout,
    NoAgents,
    Overflow,
    Refused,
    Key,
    Callback,
    Voicemail,
    Withdrawn,
}

/// What an agent is to do once his hands are free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Pause(&'static str, i64),
    Leave,
}

/// What happens at a moment. Calls, agents and queues by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    Login(usize),
    Due(usize, Due),
    Back(usize),
    Free(usize),
    Arrive(usize),
    Enter(usize, usize),
    Leave(usize, u32, Exit),
    Ring(usize, usize),
    Consult(usize, usize),
    Join(usize, usize),
    Dial(usize, u32),
    Close,
}

/// A contact under way.
struct Call {
    story: Story,
    chance: Chance,
    /// Grows with every entry into and exit from a queue: what was planned for an earlier one is void.
    stay: u32,
    stays: u32,
    queue: usize,
    part: usize,
    deadline: i64,
    ringing: Option<(usize, usize)>,
    /// Calls that are to be dialled, and how often that was tried.
    dials: u32,
    /// Begins in a queue, without a menu.
    direct: Option<usize>,
}

/// An agent at work.
struct Desk {
    on: bool,
    load: u8,
    paused: bool,
    /// In the meeting of his team.
    meets: bool,
    due: VecDeque<Due>,
    points: Vec<Point>,
    since: i64,
}

/// A site on one day.
pub struct Floor<'a> {
    site: &'a Site,
    prefix: String,
    seed: Chance,
    moments: BinaryHeap<Reverse<(i64, u64, Moment)>>,
    planned: u64,
    calls: Vec<Call>,
    desks: Vec<Desk>,
    waiting: Vec<VecDeque<usize>>,
    turns: Turns,
    close: i64,
}

impl<'a> Floor<'a> {
    /// Lets the day happen.
    pub fn run(seed: u64, site: &'a Site, day: &Day) -> DayStory {
        let own = Chance::of(seed, "floor", &[site.number, day.number]);
        let mut floor = Floor {
            site,
            prefix: format!(
                "s{}-{}",
                site.number + 1,
                super::write_date(day.day).replace('-', "")
            ),
            seed: own.clone(),
            moments: BinaryHeap::new(),
            planned: 0,
            calls: Vec::new(),
            desks: Vec::new(),
            waiting: vec![VecDeque::new(); site.queues.len()],
            turns: Turns::of(site.number, day.number),
            close: site.moment(day.day, site.close() * MINUTE),
        };
        floor.staff(
            day,
            &mut Chance::of(seed, "shifts", &[site.number, day.number]),
        );
        floor.customers(
            day,
            &mut Chance::of(seed, "arrivals", &[site.number, day.number]),
        );
        floor.at(floor.close, Moment::Close);
        while let Some(Reverse((t, _, moment))) = floor.moments.pop() {
            floor.happen(t, moment);
        }
        DayStory {
            stories: floor.calls.into_iter().map(|c| c.story).collect(),
            points: floor
                .desks
                .into_iter()
                .enumerate()
                .filter(|(_, d)| !d.points.is_empty())
                .map(|(a, d)| (a, d.points))
                .collect(),
        }
    }

    fn at(&mut self, t: i64, moment: Moment) {
        self.planned += 1;
        self.moments.push(Reverse((t, self.planned, moment)));
    }

    fn happen(&mut self, t: i64, moment: Moment) {
        match moment {
            Moment::Login(a) => self.login(a, t),
            Moment::Due(a, due) => self.due(a, due, t),
            Moment::Back(a) => self.back(a, t),
            Moment::Free(a) => self.free(a, t),
            Moment::Arrive(c) => self.arrive(c, t),
            Moment::Enter(c, q) => self.enter(c, q, t),
            Moment::Leave(c, stay, exit) => self.leave(c, stay, exit, t),
            Moment::Ring(c, part) => self.rang(c, part, t),
            Moment::Consult(c, part) => self.consult(c, part, t),
            Moment::Join(c, part) => self.join(c, part, t),
            Moment::Dial(c, attempt) => self.dial(c, attempt, t),
            Moment::Close => self.closed(t),
        }
    }

    /// Shifts and breaks of those who work.
    fn staff(&mut self, day: &Day, chance: &mut Chance) {
        for (a, agent) in self.site.agents.iter().enumerate() {
            self.desks.push(Desk {
                on: false,
                load: 0,
                paused: false,
                meets: false,
                due: VecDeque::new(),
                points: Vec::new(),
                since: 0,
            });
            // Somebody must be there, however small the site.
            if !agent.works(day.day) && a > 1 {
                continue;
            }
            let begins = self.site.zone.utc(day.day, agent.begins * MINUTE);
            let late = chance.between(-3 * MINUTE, 5 * MINUTE);
            let login = begins
                + late.max(if agent.begins == OPEN {
                    -2 * MINUTE
                } else {
                    late
                });
            let ends =
                (begins + agent.lasts * MINUTE + chance.between(0, 6 * MINUTE)).min(self.close);
            self.at(login, Moment::Login(a));
            let span = ends - login;
            let mut pause = |share: i64, reason, low: i64, high: i64| {
                let at = login + span * share / 100 + chance.between(0, 12 * MINUTE);
                (
                    at,
                    Due::Pause(reason, chance.between(low * MINUTE, high * MINUTE)),
                )
            };
            let mut pauses = vec![pause(22, "break", 12, 17), pause(74, "break", 12, 17)];
            if agent.lasts > 300 {
                pauses.push(pause(46, "lunch", 30, 45));
                if a % 3 == 0 {
                    let reason = ["training", "meeting", "coaching"][a / 3 % 3];
                    pauses.push(pause(60, reason, 5, 25));
                }
            }
            let meets = self.site.zone.utc(day.day, MEETING.0 * MINUTE);
            let team = self.site.team.is_some_and(|q| agent.skills.contains(&q));
            // Who comes later has missed it, and who has gone by then does not come back.
            if team && (login + 1..ends).contains(&meets) {
                pauses.push((meets, Due::Pause(TEAM_MEETING, MEETING.1 * MINUTE)));
            }
            for (at, due) in pauses {
                self.at(at, Moment::Due(a, due));
            }
            self.at(ends, Moment::Due(a, Due::Leave));
        }
    }

    /// Opens a contact.
    fn call(
        &mut self,
        id: String,
        channel: Channel,
        direction: Direction,
        start: i64,
        mut chance: Chance,
    ) -> usize {
        const NAMES: [&str; 8] = [
            "",
            "",
            "",
            "María José",
            "Søren",
            "محمد",
            "דוד",
            "J. \"Bob\" \\ O'Hara",
        ];
        let customer = match channel {
            Channel::Email => format!("c{}@example.org", chance.below(50_000)),
            Channel::Chat => format!("visitor-{}", chance.below(90_000)),
            _ => format!("+999{:09}", chance.below(400_000_000)),
        };
        let story = Story {
            id,
            channel,
            direction,
            customer,
            name: chance.pick::<&'static str>(&NAMES),
            start,
            end: start,
            ended_by: EndedBy::Customer,
            raw: "",
            parts: Vec::new(),
            links: Vec::new(),
            recorded: false,
            survey: chance.percent(4).then(|| chance.between(1, 5)),
            changed: false,
        };
        self.calls.push(Call {
            story,
            chance,
            stay: 0,
            stays: 0,
            queue: 0,
            part: 0,
            deadline: 0,
            ringing: None,
            dials: 0,
            direct: None,
        });
        self.calls.len() - 1
    }

    /// Opens a contact that comes of another, linked with it.
    fn child(
        &mut self,
        of: usize,
        kind: LinkKind,
        direction: Direction,
        start: i64,
        link_at: i64,
    ) -> usize {
        let parent = &mut self.calls[of];
        let id = format!("{}x{}", parent.story.id, parent.story.links.len() + 1);
        let chance = Chance::of(parent.chance.next(), "child", &[]);
        parent.story.links.push(Link {
            to: id.clone(),
            kind,
            at: link_at,
        });
        let (channel, customer, name) = (
            parent.story.channel,
            parent.story.customer.clone(),
            parent.story.name,
        );
        let c = self.call(id, channel, direction, start, chance);
        self.calls[c].story.customer = customer;
        self.calls[c].story.name = name;
        c
    }

    fn add(&mut self, c: usize, part: Part) -> usize {
        let parts = &mut self.calls[c].story.parts;
        parts.push(part);
        parts.len() - 1
    }

    /// The contact is over.
    fn over(&mut self, c: usize, t: i64, by: EndedBy) {
        let call = &mut self.calls[c];
        let story = &mut call.story;
        story.end = t;
        story.ended_by = by;
        let had = |kind: SegmentKind| story.parts.iter().any(|p| p.kind == kind);
        let (queued, talked) = (had(SegmentKind::Queue), had(SegmentKind::Talk));
        if !queued {
            story.raw = "NORMAL_CLEARING";
        }
        story.recorded = talked && story.channel == Channel::Voice && call.chance.percent(60);
    }
}

/// The point that is said of an agent, strictly after the one before.
fn say(points: &mut Vec<Point>, at: i64, state: AgentState, reason: &'static str) -> i64 {
    let at = points.last().map_or(at, |p| at.max(p.at + 1));
    points.push(Point { at, state, reason });
    at
}
