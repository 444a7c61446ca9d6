//! One life of the program: from its start to a clean stop, a crash, or the end of the shift.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use callboard_ingest::clockwork::say_silence;
use callboard_ingest::doors::answer::Answer;
use callboard_ingest::doors::http::{Doors, Readiness, router};
use callboard_ingest::doors::limits::Limits;
use callboard_ingest::pipeline::Pipeline;
use callboard_model::tables::TABLES;
use callboard_store::sim::{Power, Rng};
use parking_lot::Mutex;
use tower::ServiceExt as _;

use crate::machine::{Machine, Running};
use crate::rows::{Identity, identities};
use crate::world::World;

/// Most lines of a request.
const MOST_LINES: usize = 40;

/// How a life ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The power went.
    Cut,
    /// The process was killed; the machine went on.
    Killed,
    /// It was stopped.
    Stopped,
    /// Everything was sent and acknowledged.
    Done,
}

/// What the sender knows.
#[derive(Default)]
pub struct Sender {
    /// Lines up to here are acknowledged.
    pub upto: usize,
    /// Acknowledged records, which must be there ever after.
    pub acknowledged: BTreeSet<Identity>,
    /// Requests that were answered with 200.
    pub requests: u64,
    /// Of these, while a flush was writing.
    pub amid_flush: u64,
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
        };
        machine.clock.later(1);
        life.nothing_is_lost().await?;
        Ok(life)
    }

    /// What was ever acknowledged is there, once.
    async fn nothing_is_lost(&self) -> Result<(), String> {
        let there = identities(&self.running.store).await?;
        let sender = self.sender.lock();
        for identity in &sender.acknowledged {
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
        match rng.below(20) {
            0..=9 => send(&self.app, &self.world, &self.sender, lines(rng), false).await,
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
                let spec = TABLES[rng.below(TABLES.len())];
                self.excuse(store.lake.maintain(spec.name).await.map(|_| ()))
            }
            17 => {
                // Sent again, though it was acknowledged.
                let upto = self.sender.lock().upto;
                let from = upto.saturating_sub(rng.below(60));
                again(&self.app, &self.world.lines[from..upto]).await;
                Ok(())
            }
            18 => {
                machine.clock.later(3_700);
                Ok(())
            }
            _ => {
                machine.clock.later(rng.below(90) as i64);
                Ok(())
            }
        }
    }

    /// An error is right where something was made to fail.
    fn excuse<E: std::fmt::Display>(&self, result: Result<(), E>) -> Result<(), String> {
        match result {
            Err(error) if !self.running.power.gone() => {
                let text = error.to_string();
                if text.contains("as the test asked") || self.running.store.log.failure().is_some()
                {
                    return Ok(());
                }
                Err(format!("failed without a cause: {text}"))
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
        let flushed = self.running.store.flush(true).await;
        self.excuse(flushed.map(|_| ()))?;
        self.excuse(self.running.store.log.close())
    }

    /// Lets everything settle.
    pub async fn settle(&self, machine: &Machine) -> Result<(), String> {
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

fn lines(rng: &mut Rng) -> usize {
    1 + rng.below(MOST_LINES)
}

async fn post(app: &Router, body: Vec<u8>) -> (StatusCode, Answer) {
    let request = Request::post("/v1/events?detail=all")
        .header(header::CONTENT_TYPE, "application/x-ndjson")
        .body(Body::from(body))
        .unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

async fn again(app: &Router, lines: &[Vec<u8>]) {
    post(app, lines.concat()).await;
}

/// Sends the next lines; what is acknowledged is remembered.
async fn send(
    app: &Router,
    world: &World,
    sender: &Mutex<Sender>,
    count: usize,
    amid_flush: bool,
) -> Result<(), String> {
    let from = sender.lock().upto;
    let upto = (from + count).min(world.lines.len());
    let own = &world.lines[from..upto];
    let (status, answer) = post(app, own.concat()).await;
    if status != StatusCode::OK {
        // Sent again later.
        return Ok(());
    }
    let mut sender = sender.lock();
    for line in &answer.lines {
        let bytes = own[line.line as usize - 1].trim_ascii_end();
        if line.status == "taken" || line.status == "conflict" {
            let event: serde_json::Value =
                serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
            let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
            let identity = (text("source"), text("id"), bytes.to_vec());
            sender.acknowledged.insert(identity);
        }
    }
    sender.upto = sender.upto.max(upto);
    sender.requests += 1;
    sender.amid_flush += u64::from(amid_flush);
    Ok(())
}

/// Power for a life: mostly some, sometimes hardly any, sometimes enough.
pub fn power(rng: &mut Rng) -> Power {
    match rng.below(8) {
        0 | 1 => Power::lasting(),
        2 => Power::of(rng.below(12) as i64),
        _ => Power::of(12 + rng.below(240) as i64),
    }
}
