//! A day of a site from chance to lines and rows: the piece of work that threads share.

use std::collections::BTreeMap;

use serde::Serialize;

use super::calendar::DAY;
use super::chance::Chance;
use super::disorder::{Line, arrive};
use super::fate::{Conflict, Heard, of_agent, of_contact};
use super::floor::{Day, Floor};
use super::native::{self, Native};
use super::poison::DeadLetter;
use super::tell::Teller;
use super::truth::agents::AgentDay;
use super::truth::queues::Stay;
use super::truth::rows::At;
use super::truth::{self, recording, states};
use super::world::Site;
use super::{Options, SimulateError};

/// A row of the truth: the UTC day it stands with, and its text.
pub struct Row {
    /// Days since 1970.
    pub day: i64,
    /// JSON.
    pub text: Vec<u8>,
}

impl Row {
    /// A row that stands with that moment.
    pub fn new(at: At, row: &impl Serialize) -> Result<Self, SimulateError> {
        Ok(Row {
            day: at.0.div_euclid(DAY),
            text: serde_json::to_vec(row)?,
        })
    }
}

/// What a day of a site gives.
#[derive(Default)]
pub struct CellOut {
    /// Lines in the order of their arrival.
    pub lines: Vec<Line>,
    /// Contacts, those that came of others among them.
    pub contacts: u64,
    /// Different events.
    pub events: u64,
    /// Lines that repeat an event.
    pub repeated: u64,
    /// Blank lines.
    pub blank: u64,
    /// Events told again with other words.
    pub conflicts: Vec<Conflict>,
    /// Lines that are no events, in the order of their hashes.
    pub dead: Vec<DeadLetter>,
    /// Rows of contacts, segments, offers, links, surveys and recordings that nobody kept.
    pub rows: [Vec<Row>; 6],
    /// Stays in queues.
    pub stays: Vec<Stay>,
    /// Agents' days, by their numbers.
    pub agents: BTreeMap<usize, AgentDay>,
    /// What a platform tells, instead of lines.
    pub native: Native,
    /// Rows of agents' own states, where a platform tells.
    pub states: Vec<Row>,
    /// Rows of recordings, where a platform keeps them.
    pub recordings: Vec<Row>,
}

impl CellOut {
    /// Adds the rows of a contact.
    fn truth(&mut self, site: &Site, heard: &Heard<'_>) -> Result<(), SimulateError> {
        let made = truth::of_contact(site, heard);
        let [contacts, segments, offers, links, surveys, recordings] = &mut self.rows;
        let began = made.contact.started_at;
        contacts.push(Row::new(began, &made.contact)?);
        for row in &made.segments {
            segments.push(Row::new(row.started_at, row)?);
        }
        for row in &made.offers {
            offers.push(Row::new(row.offered_at, row)?);
        }
        for row in &made.links {
            links.push(Row::new(row.at, row)?);
        }
        // These have no times: they stand with the beginning of their contact.
        if let Some(row) = truth::survey(heard) {
            surveys.push(Row::new(began, &row)?);
        }
        if let Some(row) = truth::unkept(heard) {
            recordings.push(Row::new(began, &row)?);
        }
        self.stays.extend(made.stays);
        for (agent, span) in made.spans {
            self.agents.entry(agent).or_default().spans.push(span);
        }
        Ok(())
    }
}

/// Makes it.
pub fn cell(options: &Options, site: &Site, day: &Day) -> Result<CellOut, SimulateError> {
    let rates = options.dials.on(options.disorder.rates());
    let index = [site.number, day.number];
    let mut happened = Floor::run(options.seed, site, day);
    happened.change(site);
    happened.tell_by(|at| site.clock(at));
    let teller = Teller { site };
    let fates = Chance::of(options.seed, "fate", &index);
    let mut out = CellOut {
        contacts: happened.stories.len() as u64,
        ..Default::default()
    };
    let mut sent = Vec::new();
    for (n, story) in happened.stories.iter().enumerate() {
        if let Some(platform) = options.platform {
            out.truth(site, &Heard::all(story))?;
            if let Some(row) = recording(story).filter(|_| platform.keeps_recordings()) {
                out.recordings.push(Row::new(row.started_at, &row)?);
            }
            continue;
        }
        let told = teller.story(story);
        let (lines, heard, conflicts) =
            of_contact(&mut fates.beside(n as u64), &rates, site, story, told)?;
        sent.extend(lines);
        out.conflicts.extend(conflicts);
        out.truth(site, &heard)?;
    }
    if let Some(platform) = options.platform {
        out.native = native::tell(platform, options.seed, site, &happened);
        for (agent, points) in happened.points {
            for row in states(&site.agents[agent].name, &points) {
                out.states.push(Row::new(row.started_at, &row)?);
            }
            out.agents.entry(agent).or_default().points = points;
        }
        return Ok(out);
    }
    let absences = Chance::of(options.seed, "absence", &index);
    for (agent, points) in happened.points {
        let kept = of_agent(&mut absences.beside(agent as u64), &rates, &points);
        for told in teller.agent(agent, &kept) {
            sent.push(super::fate::Sent {
                at: told.at,
                line: told.line()?,
                disputed: false,
            });
        }
        out.agents.entry(agent).or_default().points = kept;
    }
    out.events = (sent.len() - out.conflicts.len()) as u64;
    sent.sort_by_key(|s| s.at);
    let ways = Chance::of(options.seed, "ways", &index);
    let mut arriving = arrive(&ways, &rates, options.poison, site, sent);
    arriving.lines.sort_by_key(|line| line.place);
    arriving.dead.sort();
    out.lines = arriving.lines;
    out.repeated = arriving.repeated;
    out.blank = arriving.blank;
    out.dead = arriving.dead;
    Ok(out)
}
