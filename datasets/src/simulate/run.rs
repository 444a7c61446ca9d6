//! The whole: days of sites made by threads, put together in one order, written with the truth.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};

use super::calendar::{DAY, MINUTE, weekday, write_date};
use super::cell::{CellOut, Row, cell};
use super::chance::Chance;
use super::floor::Day;
use super::manifest::{Counts, Manifest};
use super::native::{Platform, ToldFiles};
use super::poison::DeadLetter;
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

/// Weight of a weekday, Monday first.
const WEEK: [u64; 7] = [115, 108, 102, 100, 98, 55, 45];

/// How many contacts begin at each site on each day, days first.
fn shares(options: &Options, scale: &Scale) -> Vec<u64> {
    let mut weights = Vec::new();
    for day in 0..scale.days {
        for site in 0..scale.sites {
            let mut chance =
                Chance::of(options.seed, "day", &[site, options.skip_days + day as u64]);
            let week = WEEK[weekday(options.first_day + day) as usize];
            weights.push(week * (850 + chance.below(301)));
        }
    }
    let all = u128::from(weights.iter().sum::<u64>());
    let upto = |sum: u64| (u128::from(options.contacts) * u128::from(sum) / all) as u64;
    let mut sum = 0;
    weights
        .iter()
        .map(|weight| {
            let before = upto(sum);
            sum += weight;
            upto(sum) - before
        })
        .collect()
}

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
    options.check()?;
    if options.platform.is_some() && stream.is_some() {
        return Err(SimulateError::NoDisorder);
    }
    let scale = Scale::of(options);
    let sites = sites(options, &scale);
    let shares = shares(options, &scale);
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
    whole.finish(options, &scale)
}

/// Where events go.
enum Outlet<'a> {
    Files(Vec<Lines>),
    Stream(&'a mut dyn Write),
}

/// Lines that wait for their time, by it and by the order in which they were made.
type Waiting = BTreeMap<(i64, u64, u64), Vec<u8>>;

/// Everything under way.
struct Whole<'a> {
    outlet: Outlet<'a>,
    setup: Option<Lines>,
    waiting: Vec<Waiting>,
    serial: u64,
    rows: Vec<Shelf>,
    quarters: Quarters,
    queues: Shelf,
    agents: Vec<Vec<AgentLine>>,
    intervals: Shelf,
    dead: Vec<DeadLetter>,
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
        let (outlet, setup) = match stream {
            Some(stream) => (Outlet::Stream(stream), None),
            // A platform writes files of its own.
            None if options.platform.is_some() => (Outlet::Files(Vec::new()), None),
            None => {
                let file =
                    |site: &Site| Lines::create(out, &format!("events/{}.ndjson", site.name));
                let files = sites.iter().map(file).collect::<Result<_, _>>()?;
                (
                    Outlet::Files(files),
                    Some(Lines::create(out, "events/setup.ndjson")?),
                )
            }
        };
        // A platform keeps recordings or does not, and none is told of answers.
        let tables = match options.platform {
            Some(_) => &TABLES[..4],
            None => &TABLES[..],
        };
        let mut whole = Whole {
            outlet,
            setup,
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
            dead: Vec::new(),
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
            match (&mut self.setup, &mut self.outlet) {
                (Some(file), _) => file.line(&line)?,
                (None, outlet) => outlet.line(0, &line)?,
            }
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
        self.counts.conflicts += out.conflicts;
        self.counts.blank += out.blank;
        self.counts.refused += out.dead.len() as u64;
        self.counts.lines += out.lines.len() as u64;
        for dead in out.dead {
            *self.counts.dead_letters.entry(dead.class).or_default() += 1;
            self.dead.push(dead);
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

    fn finish(mut self, options: &Options, scale: &Scale) -> Result<Manifest, SimulateError> {
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
        self.dead.sort();
        let mut dead = Lines::create(&options.out, "truth/dead_letters.ndjson")?;
        for letter in &self.dead {
            dead.line(&serde_json::to_vec(letter)?)?;
        }
        let mut files = Vec::new();
        if let Some(setup) = self.setup {
            files.push(setup.finish()?);
        }
        match self.outlet {
            Outlet::Files(all) => {
                for file in all {
                    files.push(file.finish()?);
                }
            }
            Outlet::Stream(stream) => stream.flush().map_err(SimulateError::Output)?,
        }
        for shelf in self.rows.into_iter().chain([self.queues, self.intervals]) {
            files.extend(shelf.finish()?);
        }
        if let Some(told) = self.told {
            files.extend(told.finish()?);
        }
        files.push(dead.finish()?);
        let manifest = Manifest {
            version: VERSION,
            seed: options.seed,
            contacts: options.contacts,
            first_day: write_date(options.first_day),
            days: scale.days,
            skip_days: (options.skip_days > 0).then_some(options.skip_days),
            handle_permille: (options.handle_permille != 1_000).then_some(options.handle_permille),
            sites: scale.sites,
            disorder: options.disorder.as_str(),
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

impl Outlet<'_> {
    fn line(&mut self, site: usize, line: &[u8]) -> Result<(), SimulateError> {
        match self {
            Outlet::Files(files) => files[site].line(line),
            Outlet::Stream(stream) => stream
                .write_all(line)
                .and_then(|()| stream.write_all(b"\n"))
                .map_err(SimulateError::Output),
        }
    }
}

/// Makes the folder; one that holds something is left alone.
fn empty(out: &Path) -> Result<(), SimulateError> {
    let wrong = |source| SimulateError::File {
        path: out.to_owned(),
        source,
    };
    std::fs::create_dir_all(out).map_err(wrong)?;
    if std::fs::read_dir(out).map_err(wrong)?.next().is_some() {
        let why = std::io::Error::new(
            std::io::ErrorKind::AlreadyExists,
            "is not empty; name another folder, or empty it",
        );
        return Err(wrong(why));
    }
    Ok(())
}
