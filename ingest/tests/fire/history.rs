//! A history: lives after lives on one machine, until a whole shift is in and right.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use callboard_model::time::EARLIEST;
use callboard_store::sim::shaking::{REFUSALS, When};
use callboard_store::sim::{Power, Rng};
use parking_lot::Mutex;

use crate::lies::Lie;
use crate::life::{End, Life, power};
use crate::machine::{AtStart, Machine, Traits};
use crate::rows::equal;
use crate::sender::Sender;
use crate::world::{KEPT, World};

/// What happened.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    pub histories: u64,
    /// Of these, with the lake in Delta tables.
    pub in_delta: u64,
    pub events: u64,
    pub lives: u64,
    pub cuts: u64,
    /// Cuts before the start was through.
    pub cuts_in_recovery: u64,
    pub kills: u64,
    /// Of these, before the start was through.
    pub kills_in_recovery: u64,
    pub requests: u64,
    pub amid_flush: u64,
    /// Times that the lake refused for a while.
    pub away: u64,
    /// Starts that were refused because it or the disk did.
    pub refused: u64,
    /// Calls of the disk that failed.
    pub broken: u64,
    /// Flushes into a slow lake.
    pub slow: u64,
    /// Files of the lake that vacuums removed.
    pub vacuumed: u64,
    /// Rows of the truth in each of the tables that every history compares.
    pub rows: [u64; KEPT.len()],
}

impl Tally {
    /// A process died amid a call, and the machine with it or not.
    fn died(&mut self, cut: bool, in_recovery: bool) {
        match cut {
            true => self.cuts += 1,
            false => self.kills += 1,
        }
        self.cuts_in_recovery += u64::from(cut && in_recovery);
        self.kills_in_recovery += u64::from(!cut && in_recovery);
    }

    pub fn add(&mut self, other: &Tally) {
        self.histories += other.histories;
        self.in_delta += other.in_delta;
        self.events += other.events;
        self.lives += other.lives;
        self.cuts += other.cuts;
        self.cuts_in_recovery += other.cuts_in_recovery;
        self.kills += other.kills;
        self.kills_in_recovery += other.kills_in_recovery;
        self.requests += other.requests;
        self.amid_flush += other.amid_flush;
        self.away += other.away;
        self.refused += other.refused;
        self.broken += other.broken;
        self.slow += other.slow;
        self.vacuumed += other.vacuumed;
        for (rows, more) in self.rows.iter_mut().zip(other.rows) {
            *rows += more;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} histories ({} of them with Delta tables), {} lines, {} lives: {} power cuts ({} of them in a recovery), {} kills ({} of them in a recovery); {} requests, {} of them amid a flush; the lake refused for a while {} times and was slow {} times; {} calls of the disk failed; {} starts were refused for either; {} files vacuumed",
            self.histories,
            self.in_delta,
            self.events,
            self.lives,
            self.cuts,
            self.cuts_in_recovery,
            self.kills,
            self.kills_in_recovery,
            self.requests,
            self.amid_flush,
            self.away,
            self.slow,
            self.broken,
            self.refused,
            self.vacuumed
        )
    }
}

/// Lives after which the machine becomes a good one, so that every history ends.
const LIVES: u64 = 14;

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// A lake that is away at one start in twelve.
fn at_start(rng: &mut Rng) -> AtStart {
    let away = rng.below(12) == 0;
    away.then(|| (REFUSALS[rng.below(4)], 1 + rng.below(30) as u64))
}

/// A life after all others, from what lies there.
async fn once_more(
    machine: &Machine,
    world: &Arc<World>,
    sender: &Arc<Mutex<Sender>>,
) -> Result<Life, String> {
    let running = machine
        .start(Power::lasting(), When::Before, None)
        .await
        .map_err(|error| format!("the last start is refused: {error}"))?;
    Life::begin(machine, running, world, sender).await
}

/// Plays the history of a seed.
pub fn history(seed: u64, delta: bool, lie: Option<Lie>) -> Result<Tally, String> {
    told(seed, delta, lie, &mut Vec::new())
}

/// The same, and writes down every call of disk and lake.
pub fn told(
    seed: u64,
    delta: bool,
    lie: Option<Lie>,
    calls: &mut Vec<String>,
) -> Result<Tally, String> {
    let mut rng = Rng(seed);
    let world = Arc::new(World::of(seed, 8 + rng.below(60) as u64));
    let sender = Arc::new(Mutex::new(Sender::default()));
    let mut machine = Machine::new(Traits {
        seed,
        delta,
        vacuums: seed.is_multiple_of(2),
        lie,
    });
    // In half of the seeds it runs while the shift does, in the others long afterwards.
    if seed & 4 == 0 {
        machine.clock.set(world.times[0].max(EARLIEST));
    }
    let mut tally = Tally {
        histories: 1,
        in_delta: u64::from(delta),
        events: world.lines.len() as u64,
        rows: KEPT.map(|name| world.rows[name].len() as u64),
        ..Tally::default()
    };
    loop {
        tally.lives += 1;
        let power = match tally.lives > LIVES {
            true => Power::lasting(),
            false => power(&mut rng),
        };
        let when = match rng.below(2) {
            0 => When::Before,
            _ => When::After,
        };
        let away = match tally.lives > LIVES {
            true => None,
            false => at_start(&mut rng),
        };
        let patience = match tally.lives > LIVES {
            true => 100_000,
            false => 4 + rng.below(60) as u32,
        };
        // Its tasks end with it.
        let runtime = runtime();
        let end = runtime.block_on(async {
            let broken = machine.broken();
            let running = match machine.start(power.clone(), when, away).await {
                Ok(running) => running,
                Err(_) if power.gone() => return Ok(None),
                Err(_) if machine.lake_failed() || machine.broken() > broken => {
                    return Ok(Some(End::Refused));
                }
                Err(error) => return Err(format!("the start is refused: {error}")),
            };
            // Who looks at what is there reads the lake.
            running.lake.back();
            let life = Life::begin(&machine, running, &world, &sender).await?;
            let end = life.live(&machine, &mut rng, patience).await?;
            if end == End::Done {
                life.settle(&machine).await?;
                if !power.gone() {
                    equal(&life.running.store, &world, &sender, delta).await?;
                    life.stop().await?;
                }
            }
            Ok(Some(end))
        })?;
        drop(runtime);
        calls.push(format!("life {}", tally.lives));
        calls.extend(power.calls());
        match end {
            None => tally.died(machine.cut(&mut rng), true),
            Some(End::Cut) => tally.died(machine.cut(&mut rng), false),
            Some(End::Killed) => tally.kills += 1,
            Some(End::Refused) => tally.refused += 1,
            Some(End::Stopped) => {}
            Some(End::Done) if power.gone() => tally.died(machine.cut(&mut rng), false),
            Some(End::Done) => break,
        }
    }
    if delta && machine.traits.vacuums {
        // Every file goes that no present version needs: what is left must be enough.
        runtime().block_on(async {
            let life = once_more(&machine, &world, &sender).await?;
            life.vacuum(&machine).await?;
            life.stop().await
        })?;
    }
    runtime().block_on(async {
        let life = once_more(&machine, &world, &sender).await?;
        equal(&life.running.store, &world, &sender, delta).await?;
        life.stop().await
    })?;
    let sender = sender.lock();
    tally.requests = sender.requests;
    tally.amid_flush = sender.amid_flush;
    let count = |n: &std::sync::atomic::AtomicU64| n.load(Ordering::SeqCst);
    tally.away = count(&machine.counts.away);
    tally.slow = count(&machine.counts.slow);
    tally.broken = machine.broken();
    tally.vacuumed = count(&machine.counts.vacuumed);
    Ok(tally)
}
