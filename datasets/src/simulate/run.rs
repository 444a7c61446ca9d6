//! The whole: days of sites made by threads, put together in one order, written with the truth.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::mpsc::{Receiver, sync_channel};

use super::calendar::{DAY, MINUTE, write_date};
use super::cell::{CellOut, Row, cell};
use super::floor::Day;
use super::manifest::{CONFLICTS, Counts, Manifest};
use super::native::{Platform, ToldFiles};
use super::outlet::{Outlet, empty};
use super::shares::shares;
use super::tell::target;
use super::truth::agents::AgentLine;
use super::truth::queues::Quarters;
use super::truth::rows::AgentIntervalRow;
use super::world::{OPEN, Scale, Site, sites};
use super::write::{Lines, Shelf};
use super::{Options, SimulateError, VERSION};

/// Source of what is known before anything happens.
const SETUP: &str = "/sim/setup";

/// Tables whose rows come with contacts, in the order in which a day of a site gives them.
const TABLES: [&str; 6] = [
    "contacts",
    "segments",
    "offers",
    "links",
    "surveys",
    "recordings",
];

/// Simulates. Events go into files below the folder, or into `stream`; `progress` is told how many
/// of the contacts asked for are done.
///
/// # Errors
/// [`SimulateError`].
pub fn run(
    options: &Options,
    stream: Option<&mut dyn Write>,
    progress: &mut dyn FnMut(u64),
) -> Result<Manifest, SimulateError> {
    run_until(options, None, stream, progress)
}

/// The same, but only the first days are played and written, events and truth: those that the whole
/// simulation begins with. The truth is that of a centre of which nothing is heard afterwards.
///
/// # Errors
/// [`SimulateError`].
pub fn run_until(
    options: &Options,
    until_day: Option<i64>,
    stream: Option<&mut dyn Write>,
    progress: &mut dyn FnMut(u64),
) -> Result<Manifest, SimulateError> {
    options.check()?;
    if options.platform.is_some() && stream.is_some() {
        return Err(SimulateError::NoDisorder);
    }
    let scale = Scale::of(options);
    if until_day.is_some_and(|n| !(1..=scale.days).contains(&n)) {
        return Err(SimulateError::Until(scale.days));
    }
    let sites = sites(options, &scale);
    let shares = shares(options, &scale, until_day);
    let mut whole = Whole::create(options, &scale, &sites, stream)?;
    let threads = options.threads.clamp(1, 64).min(shares.len());
    std::thread::scope(|scope| {
        let mut made: Vec<Receiver<_>> = Vec::new();
        for thread in 0..threads {
            // One ahead: memory stays bounded however unequal the days are.
            let (give, take) = sync_channel(1);
            made.push(take);
            let (sites, shares) = (&sites, &shares);
            scope.spawn(move || {
                for n in (thread..shares.len()).step_by(threads) {
                    let number = (n / sites.len()) as u64;
                    let day = Day {
                        day: options.first_day + number as i64,
                        number: options.skip_days + number,
                        contacts: shares[n],
                    };
                    if give
                        .send(cell(options, &sites[n % sites.len()], &day))
                        .is_err()
                    {
                        return; // nobody wants more
                    }
                }
            });
        }
        let mut done = 0;
        for n in 0..shares.len() {
            let out = made[n % threads]
                .recv()
                .map_err(|_| SimulateError::Broken)??;
            let site = &sites[n % sites.len()];
            let day = options.first_day + (n / sites.len()) as i64;
            whole.take(site, day, out)?;
            if (n + 1) % sites.len() == 0 {
                whole.day_complete(day)?;
            }
            done += shares[n];
            progress(done);
        }
        Ok::<(), SimulateError>(())
    })?;
    whole.finish(options, &scale, until_day)
}

/// Lines that wait for their time, by it and by the order in which they were made.
type Waiting = BTreeMap<(i64, u64, u64), Vec<u8>>;

/// Everything under way.
struct Whole<'a> {
    outlet: Outlet<'a>,
    waiting: Vec<Waiting>,
    serial: u64,
    rows: Vec<Shelf>,
    quarters: Quarters,
    queues: Shelf,
    agents: Vec<Vec<AgentLine>>,
    intervals: Shelf,
    conflicts: Lines,
    dead: Lines,
    told: Option<ToldFiles>,
    counts: Counts,
}

impl<'a> Whole<'a> {
    fn create(
        options: &Options,
        scale: &Scale,
        sites: &[Site],
        stream: Option<&'a mut dyn Write>,
    ) -> Result<Self, SimulateError> {
        let out = &options.out;
        empty(out)?;
        // A platform keeps recordings or does not, and none is told of answers.
        let tables = match options.platform {
            Some(_) => &TABLES[..4],
            None => &TABLES[..],
        };
        let mut whole = Whole {
            outlet: Outlet::create(options, sites, stream)?,
            waiting: vec![Waiting::new(); scale.sites as usize],
            serial: 0,
            rows: tables
                .iter()
                .map(|table| Shelf::create(out, table))
                .collect::<Result<_, _>>()?,
            quarters: Quarters::default(),
            queues: Shelf::create(out, "queue_intervals")?,
            agents: sites
                .iter()
                .map(|s| s.agents.iter().map(|a| AgentLine::new(&a.name)).collect())
                .collect(),
            intervals: Shelf::create(out, "agent_intervals")?,
            conflicts: Lines::create(out, CONFLICTS)?,
            dead: Lines::create(out, "truth/dead_letters.ndjson")?,
            told: options
                .platform
                .map(|_| ToldFiles::create(out))
                .transpose()?,
            counts: Counts::default(),
        };
        if options.platform.is_none() {
            whole.targets(options, sites)?;
        }
        Ok(whole)
    }

    /// What every queue aims at, under each of its names; a queue that several sites have is one.
    fn targets(&mut self, options: &Options, sites: &[Site]) -> Result<(), SimulateError> {
        let at = (options.first_day - 2) * DAY;
        let queues = sites.iter().flat_map(|s| &s.queues);
        let named: BTreeMap<&str, _> = queues
            .flat_map(|q| q.names().map(move |name| (name, q)))
            .collect();
        for (name, queue) in &named {
            let line = target(SETUP, name, queue, at)?;
            self.outlet.setup(&line)?;
            self.counts.taken += 1;
            self.counts.lines += 1;
        }
        Ok(())
    }

    /// Takes in a day of a site; days of a site come in their order.
    fn take(&mut self, site: &Site, day: i64, out: CellOut) -> Result<(), SimulateError> {
        let s = site.number as usize;
        self.counts.contacts += out.contacts;
        self.counts.taken += out.events;
        self.counts.repeated += out.repeated;
        self.counts.conflicts += out.conflicts.len() as u64;
        self.counts.blank += out.blank;
        self.counts.refused += out.dead.len() as u64;
        self.counts.lines += out.lines.len() as u64;
        for conflict in out.conflicts {
            self.conflicts.line(&serde_json::to_vec(&conflict)?)?;
        }
        for dead in out.dead {
            *self.counts.dead_letters.entry(dead.class).or_default() += 1;
            self.dead.line(&serde_json::to_vec(&dead)?)?;
        }
        if let Some(told) = &mut self.told {
            self.counts.lines += out.native.sheets.len() as u64;
            self.counts.taken += out.native.sheets.len() as u64;
            told.take(&site.name, out.native, &out.states, &out.recordings)?;
        }
        for line in out.lines {
            self.serial += 1;
            self.waiting[s].insert((line.place.0, line.place.1, self.serial), line.bytes);
        }
        // Who logs in early is there ten minutes before the doors open.
        let next = site.clock(site.zone.utc(day + 1, OPEN * MINUTE) - 10 * MINUTE);
        self.release(s, next)?;
        for (shelf, rows) in self.rows.iter_mut().zip(out.rows) {
            for row in &rows {
                shelf.add(row)?;
            }
        }
        for stay in &out.stays {
            self.quarters.count(stay);
        }
        for (agent, own) in out.agents {
            let rows = self.agents[s][agent].day(own);
            self.spans(&rows)?;
        }
        Ok(())
    }

    fn release(&mut self, site: usize, before: i64) -> Result<(), SimulateError> {
        let rest = self.waiting[site].split_off(&(before, 0, 0));
        for line in std::mem::replace(&mut self.waiting[site], rest).into_values() {
            self.outlet.line(site, &line)?;
        }
        Ok(())
    }

    fn spans(&mut self, rows: &[AgentIntervalRow]) -> Result<(), SimulateError> {
        for row in rows {
            self.intervals.add(&Row::new(row.started_at, row)?)?;
        }
        Ok(())
    }

    /// All sites' days of that number are in: what is older than any that comes is complete. The
    /// next local day begins less than a UTC day before its own.
    fn day_complete(&mut self, day: i64) -> Result<(), SimulateError> {
        for shelf in &mut self.rows {
            shelf.before(day)?;
        }
        if let Some(told) = &mut self.told {
            told.before(day)?;
        }
        self.quarter_rows(day * DAY)?;
        self.queues.before(day)?;
        let open = self
            .agents
            .iter()
            .flatten()
            .filter_map(AgentLine::open_since);
        let first = open.min().unwrap_or(day * DAY);
        self.intervals.before(first.min(day * DAY).div_euclid(DAY))
    }

    fn quarter_rows(&mut self, before: i64) -> Result<(), SimulateError> {
        for row in self.quarters.before(before) {
            self.queues.add(&Row::new(row.interval_start, &row)?)?;
        }
        Ok(())
    }

    fn finish(
        mut self,
        options: &Options,
        scale: &Scale,
        until_day: Option<i64>,
    ) -> Result<Manifest, SimulateError> {
        for site in 0..self.waiting.len() {
            self.release(site, i64::MAX)?;
        }
        self.quarter_rows(i64::MAX)?;
        for site in 0..self.agents.len() {
            for agent in 0..self.agents[site].len() {
                let rows = self.agents[site][agent].finish();
                self.spans(&rows)?;
            }
        }
        let mut files = self.outlet.finish()?;
        for shelf in self.rows.into_iter().chain([self.queues, self.intervals]) {
            files.extend(shelf.finish()?);
        }
        if let Some(told) = self.told {
            files.extend(told.finish()?);
        }
        files.push(self.conflicts.finish()?);
        files.push(self.dead.finish()?);
        let manifest = Manifest {
            version: VERSION,
            seed: options.seed,
            contacts: options.contacts,
            first_day: write_date(options.first_day),
            days: scale.days,
            until_day,
            skip_days: (options.skip_days > 0).then_some(options.skip_days),
            handle_permille: (options.handle_permille != 1_000).then_some(options.handle_permille),
            open_late: options.open_late,
            sites: scale.sites,
            disorder: options.disorder.as_str(),
            dials: options.dials,
            poison_ppm: options.poison,
            skew_ms: options.skew,
            platform: options.platform.map(Platform::as_str),
            counts: self.counts,
            files,
        };
        manifest.write(&options.out)?;
        Ok(manifest)
    }
}
