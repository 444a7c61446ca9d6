//! One life of the program: from its start to a clean stop, a crash, or the end of the shift.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use callboard_ingest::clockwork::say_silence;
use callboard_ingest::doors::http::{Doors, Readiness, router};
use callboard_ingest::doors::limits::Limits;
use callboard_ingest::pipeline::Pipeline;
use callboard_model::tables::TABLES;
use callboard_store::sim::shaking::{REFUSALS, When};
use callboard_store::sim::{Power, Rng};
use parking_lot::Mutex;

use crate::machine::{Counts, Machine, NOW, Running};
use crate::rows::{identities, letters};
use crate::sender::{Reply, Sender, again, lines, send};
use crate::world::World;

/// How a life ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The power went.
    Cut,
    /// The process was killed; the machine went on.
    Killed,
    /// It was stopped.
    Stopped,
    /// It did not begin: the lake was away, or the disk failed.
    Refused,
    /// Everything was sent and acknowledged.
    Done,
}

struct Ready;

impl Readiness for Ready {
    fn ready(&self) -> Result<(), String> {
        Ok(())
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.running.lake.calm();
    }
}

/// A program that serves.
pub struct Life {
    pub running: Running,
    pub pipeline: Arc<Pipeline>,
    app: Router,
    world: Arc<World>,
    sender: Arc<Mutex<Sender>>,
    /// Calls that the lake had refused before what is done now.
    met: AtomicU64,
    /// Calls that the disk had failed then.
    broken: AtomicU64,
}

impl Life {
    pub async fn begin(
        machine: &Machine,
        running: Running,
        world: &Arc<World>,
        sender: &Arc<Mutex<Sender>>,
    ) -> Result<Life, String> {
        let pipeline = Pipeline::start(running.store.clone());
        let doors = Doors::new(pipeline.clone(), Arc::new(Ready), Limits::default());
        let life = Life {
            running,
            pipeline,
            app: router(doors),
            world: world.clone(),
            sender: sender.clone(),
            met: AtomicU64::new(0),
            broken: AtomicU64::new(0),
        };
        machine.clock.later(1);
        life.nothing_is_lost().await?;
        Ok(life)
    }

    /// What was ever acknowledged is there, once.
    async fn nothing_is_lost(&self) -> Result<(), String> {
        let there = identities(&self.running.store).await?;
        for identity in &self.sender.lock().acknowledged {
            match there.get(identity) {
                Some(1) => {}
                Some(n) => return Err(format!("{} {} is there {n} times", identity.0, identity.1)),
                None => {
                    return Err(format!(
                        "{} {} was acknowledged and is lost",
                        identity.0, identity.1
                    ));
                }
            }
        }
        let kept = letters(&self.running.store).await?;
        let mut by_hash: BTreeMap<&String, u64> = BTreeMap::new();
        for ((hash, _), n) in &kept {
            *by_hash.entry(hash).or_default() += n;
        }
        let sender = self.sender.lock();
        for (hash, told) in &sender.refused {
            let n = by_hash.get(hash).copied().unwrap_or(0);
            if n < told.acknowledged || n > told.sent {
                return Err(format!("dead letter {hash} is there {n} times: {told:?}"));
            }
        }
        Ok(())
    }

    /// Acts by lot until the life ends.
    pub async fn live(
        &self,
        machine: &Machine,
        rng: &mut Rng,
        patience: u32,
    ) -> Result<End, String> {
        for _ in 0..patience {
            if self.sender.lock().upto == self.world.lines.len() {
                return Ok(End::Done);
            }
            self.act(machine, rng).await?;
            if self.running.power.gone() || self.running.store.log.failure().is_some() {
                return Ok(End::Cut);
            }
        }
        if rng.below(3) == 0 {
            self.stop().await?;
            return Ok(End::Stopped);
        }
        // From here on nothing of this process reaches the disk.
        self.running.power.cut();
        Ok(End::Killed)
    }

    async fn act(&self, machine: &Machine, rng: &mut Rng) -> Result<(), String> {
        let store = &self.running.store;
        let lake = &self.running.lake;
        self.watch();
        match rng.below(24) {
            0..=9 => self.send(machine, lines(rng)).await.map(|_| ()),
            10..=12 => {
                if rng.below(2) == 0 {
                    self.send_amid_flush(rng);
                }
                if rng.below(4) == 0 {
                    self.running.lake.fail_after(rng.below(10) as i64);
                }
                let flushed = store.flush(rng.below(8) == 0).await;
                self.excuse(flushed.map(|_| ()))
            }
            13..=14 => self.excuse(store.resolve().await.map(|_| ())),
            15 => {
                say_silence(&self.pipeline).await;
                Ok(())
            }
            16 => {
                for _ in 0..if machine.traits.vacuums { 8 } else { 1 } {
                    let table = TABLES[rng.below(TABLES.len())].name;
                    self.look_after(machine, table).await?;
                }
                Ok(())
            }
            17 => {
                // Sent again, though it was acknowledged.
                let upto = self.sender.lock().upto;
                let from = upto.saturating_sub(rng.below(60));
                again(&self.app, &self.world, &self.sender, from..upto).await;
                Ok(())
            }
            18 => {
                Counts::one(&machine.counts.away);
                let when = [When::Before, When::After][rng.below(2)];
                lake.away(REFUSALS[rng.below(4)], when, 1 + rng.below(60) as u64);
                Ok(())
            }
            19 => self.flush_slowly(machine, rng).await,
            20 => {
                machine.break_disk(rng);
                Ok(())
            }
            21 => {
                match rng.below(3) {
                    0 => machine.clock.earlier(),
                    _ => machine.clock.later(3_700),
                }
                Ok(())
            }
            _ => {
                machine.clock.later(rng.below(90) as i64);
                Ok(())
            }
        }
    }

    /// Upkeep of a table.
    async fn look_after(&self, machine: &Machine, table: &str) -> Result<(), String> {
        let done = self.running.store.lake.maintain(table).await;
        let removed = done.as_ref().map_or(0, |done| done.removed as u64);
        let count = &machine.counts.vacuumed;
        count.fetch_add(removed, Ordering::SeqCst);
        self.excuse(done.map(|_| ()))
    }

    /// Upkeep of all tables.
    pub async fn vacuum(&self, machine: &Machine) -> Result<(), String> {
        self.watch();
        for spec in TABLES {
            self.look_after(machine, spec.name).await?;
        }
        Ok(())
    }

    /// Sends the next lines; the clock shows that what they tell of has happened.
    pub async fn send(&self, machine: &Machine, count: usize) -> Result<Reply, String> {
        let upto = self.sender.lock().upto + count;
        let last = upto.min(self.world.times.len()) - 1;
        machine.clock.reach(self.world.times[last]);
        send(&self.app, &self.world, &self.sender, count, false).await
    }

    /// Flushes into a slow lake; requests come in and time goes on meanwhile.
    async fn flush_slowly(&self, machine: &Machine, rng: &mut Rng) -> Result<(), String> {
        Counts::one(&machine.counts.slow);
        let lake = &self.running.lake;
        match machine.traits.delta {
            // Delta writes by threads of its own, for which turns are nothing.
            true => lake.slow(Duration::from_millis(1 + rng.below(2) as u64)),
            false => lake.slow_by_turns(1 + rng.below(12) as u64),
        }
        let requests: Vec<(usize, i64)> = (0..rng.below(8))
            .map(|_| (lines(rng), rng.below(900) as i64))
            .collect();
        let meanwhile = async {
            for (count, seconds) in requests {
                self.send(machine, count).await?;
                machine.clock.later(seconds);
            }
            Ok::<(), String>(())
        };
        let all = rng.below(8) == 0;
        let (flushed, sent) = tokio::join!(self.running.store.flush(all), meanwhile);
        lake.quick();
        self.excuse(flushed.map(|_| ()))?;
        sent
    }

    /// From here on what the lake refuses and the disk fails is an excuse.
    fn watch(&self) {
        self.met.store(self.running.lake.met(), Ordering::SeqCst);
        let broken = self.running.disk.failed();
        self.broken.store(broken, Ordering::SeqCst);
    }

    /// An error is right where something was made to fail.
    fn excuse<E: std::fmt::Display>(&self, result: Result<(), E>) -> Result<(), String> {
        match result {
            Err(error) if !self.running.power.gone() => {
                let refused = self.running.lake.met() > self.met.load(Ordering::SeqCst);
                let broken = self.running.disk.failed() > self.broken.load(Ordering::SeqCst);
                if refused || broken || self.running.store.log.failure().is_some() {
                    return Ok(());
                }
                Err(format!("failed without a cause: {error}"))
            }
            _ => Ok(()),
        }
    }

    /// Lets a request come in at some write of the next flush.
    fn send_amid_flush(&self, rng: &mut Rng) {
        let (app, world, sender) = (self.app.clone(), self.world.clone(), self.sender.clone());
        let count = lines(rng);
        let meanwhile = async move {
            // What it answers is seen by what is acknowledged.
            let _ = send(&app, &world, &sender, count, true).await;
        };
        let at = rng.below(12) as u32;
        self.running.lake.meanwhile(at, Box::pin(meanwhile));
    }

    /// Stops as SIGTERM does.
    pub async fn stop(&self) -> Result<(), String> {
        self.watch();
        let flushed = self.running.store.flush(true).await;
        self.excuse(flushed.map(|_| ()))?;
        self.excuse(self.running.store.log.close())
    }

    /// Lets everything settle, in a lake that is there.
    pub async fn settle(&self, machine: &Machine) -> Result<(), String> {
        self.running.lake.back();
        machine.mend_disk();
        self.watch();
        machine.clock.reach(NOW);
        for _ in 0..3 {
            machine.clock.later(3_700);
            say_silence(&self.pipeline).await;
            let flushed = self.running.store.flush(false).await;
            self.excuse(flushed.map(|_| ()))?;
        }
        self.running
            .store
            .resolve()
            .await
            .map_err(|e| e.to_string())?;
        self.nothing_is_lost().await
    }
}

/// Power for a life: mostly some, sometimes hardly any, sometimes enough.
pub fn power(rng: &mut Rng) -> Power {
    match rng.below(8) {
        0 | 1 => Power::lasting(),
        2 => Power::of(rng.below(12) as i64),
        _ => Power::of(12 + rng.below(240) as i64),
    }
}
