//! The lake is away for long beside a feed: nothing that was acknowledged is lost, what may be held
//! without it is bounded, whoever sends is told when to come back, and nobody has to do anything
//! once it is there again.

use std::sync::Arc;

use axum::http::StatusCode;
use callboard_store::sim::shaking::{Refusal, When};
use callboard_store::sim::{Power, Rng};
use callboard_store::store::StoreOptions;
use parking_lot::Mutex;

use crate::history::runtime;
use crate::life::Life;
use crate::machine::{Machine, Traits};
use crate::rows::equal;
use crate::sender::Sender;
use crate::world::World;

/// Lines of a request.
const LINES: usize = 40;

/// What bounds how much is held while nothing goes into the lake.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Bound {
    Memory,
    Log,
}

/// Bytes that the log may hold.
const LOG: u64 = 288 << 10;

fn little_memory(options: &mut StoreOptions) {
    options.unflushed_bytes = 96 << 10;
}

fn little_log(options: &mut StoreOptions) {
    options.log.max_bytes = LOG;
    options.log.reserve_bytes = 0;
}

impl Bound {
    fn set(self) -> fn(&mut StoreOptions) {
        match self {
            Bound::Memory => little_memory,
            Bound::Log => little_log,
        }
    }
}

struct Case {
    says: Refusal,
    when: When,
    bound: Bound,
    /// The process is killed while the lake is away, and cannot start until it is back.
    dies: bool,
}

static CASES: [Case; 5] = [
    Case {
        says: Refusal::Busy,
        when: When::Before,
        bound: Bound::Memory,
        dies: false,
    },
    Case {
        says: Refusal::Broken,
        when: When::After,
        bound: Bound::Log,
        dies: true,
    },
    Case {
        says: Refusal::Denied,
        when: When::Before,
        bound: Bound::Memory,
        dies: true,
    },
    Case {
        says: Refusal::Broken,
        when: When::Before,
        bound: Bound::Log,
        dies: false,
    },
    Case {
        says: Refusal::Conflict,
        when: When::Before,
        bound: Bound::Log,
        dies: false,
    },
];

/// A shift on a machine, and who sends it.
struct Scene {
    machine: Machine,
    world: Arc<World>,
    sender: Arc<Mutex<Sender>>,
}

impl Scene {
    async fn begin(&self) -> Result<Life, String> {
        let start = self.machine.start(Power::lasting(), When::Before, None);
        let running = start.await.map_err(|e| e.to_string())?;
        Life::begin(&self.machine, running, &self.world, &self.sender).await
    }

    async fn equal(&self, life: &Life) -> Result<(), String> {
        equal(&life.running.store, &self.world, &self.sender, true).await
    }

    fn acknowledged(&self) -> usize {
        self.sender.lock().upto
    }

    /// Sends up to a line of the shift, with flushes between.
    async fn feed(&self, life: &Life, upto: usize) -> Result<(), String> {
        let mut requests = 0;
        while self.acknowledged() < upto {
            let reply = life.send(&self.machine, LINES).await?;
            requests += 1;
            if reply.status != StatusCode::OK || requests % 3 == 0 {
                self.machine.clock.later(60);
                let flushed = life.running.store.flush(false).await;
                flushed.map_err(|e| format!("a flush failed: {e}"))?;
            }
        }
        Ok(())
    }

    /// Sends while nothing goes into the lake, until it is told to come back, and again then.
    async fn feed_until_refused(&self, life: &Life) -> Result<(), String> {
        let before = self.acknowledged();
        for request in 1.. {
            if self.acknowledged() == self.world.lines.len() {
                return Err("it took everything while the lake was away".into());
            }
            if life.send(&self.machine, LINES).await?.status != StatusCode::OK {
                break;
            }
            if request % 3 == 0 {
                if let Ok(flushed) = life.running.store.flush(false).await {
                    return Err(format!("{flushed:?} counts, though the lake is away"));
                }
                if life.running.store.health().failing.is_none() {
                    return Err("the store does not say that flushes fail".into());
                }
            }
        }
        let taken = self.acknowledged();
        if taken == before {
            return Err("nothing was taken while the lake was away".into());
        }
        let again = life.send(&self.machine, LINES).await?;
        let told = again.retry_after.unwrap_or(0) > 0;
        if again.status != StatusCode::SERVICE_UNAVAILABLE || !told || self.acknowledged() > taken {
            let (status, after) = (again.status, again.retry_after);
            return Err(format!("told {status}, to come back after {after:?} s"));
        }
        Ok(())
    }
}

/// Plays a case; gives how many lines were acknowledged while the lake was away.
fn play(case: &Case, seed: u64) -> Result<usize, String> {
    let mut machine = Machine::new(Traits {
        delta: true,
        ..Traits::default()
    });
    machine.bounds = case.bound.set();
    let mut scene = Scene {
        machine,
        world: Arc::new(World::with(seed, 130, 5_000)),
        sender: Arc::default(),
    };
    let all = scene.world.lines.len();
    let held = runtime().block_on(async {
        let life = scene.begin().await?;
        scene.feed(&life, all / 4).await?;
        let before = scene.acknowledged();
        life.running.lake.away(case.says, case.when, u64::MAX);
        scene.feed_until_refused(&life).await?;
        let held = scene.acknowledged() - before;
        let log = life.running.store.health().log_bytes;
        if case.bound == Bound::Log && log > LOG {
            return Err(format!("the log holds {log} bytes"));
        }
        if !case.dies {
            life.running.lake.back();
            let back = life.running.store.flush(false).await;
            back.map_err(|e| format!("the lake is back: {e}"))?;
            if life.send(&scene.machine, LINES).await?.status != StatusCode::OK {
                return Err("the lake is back, and nothing is taken".into());
            }
            scene.feed(&life, all).await?;
            life.settle(&scene.machine).await?;
            scene.equal(&life).await?;
            life.stop().await?;
        }
        life.running.power.cut();
        Ok(held)
    })?;
    if case.dies {
        // With what was synced: the power went.
        scene.machine.cut(&mut Rng(seed));
    }
    runtime().block_on(async {
        if case.dies {
            let away = Some((case.says, u64::MAX));
            let start = scene.machine.start(Power::lasting(), When::Before, away);
            if start.await.is_ok() || !scene.machine.lake_failed() {
                return Err("it starts without its lake".to_owned());
            }
        }
        let life = scene.begin().await?;
        if case.dies {
            let flushed = life.running.store.flush(false).await;
            flushed.map_err(|e| format!("the lake is back: {e}"))?;
            scene.feed(&life, all).await?;
            life.settle(&scene.machine).await?;
        }
        scene.equal(&life).await?;
        life.stop().await
    })?;
    Ok(held)
}

#[test]
fn a_lake_that_is_away_pushes_back_and_loses_nothing() {
    std::thread::scope(|scope| {
        for (case, seed) in CASES.iter().zip(9_001..) {
            scope.spawn(move || {
                let Case {
                    says, when, bound, ..
                } = case;
                let what = format!("seed {seed}, {says:?} {when:?}, bound by {bound:?}");
                match play(case, seed) {
                    Ok(held) => println!("{what}: {held} lines held without it, equal"),
                    Err(why) => panic!(
                        "{what}: {why}\nrepeat it: cargo test --workspace --test fire away -- --nocapture"
                    ),
                }
            });
        }
    });
}
