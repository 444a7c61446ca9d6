//! One loop per zone while the board is watched: query when the data changed, render, compare
//! with what was sent last, publish the difference.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use chrono_tz::Tz;
use parking_lot::Mutex;
use serde_json::json;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::feed::Told;
use super::show;
use super::state::Board;
use crate::app::App;

/// Shortest time between two changes of the board: what comes just after one waits so long, and for
/// the making of the next, and should be seen within 300 ms.
const SHORTEST: Duration = Duration::from_millis(150);
/// How often the board looks at the clock though no data changed (thresholds, ages).
const LONGEST: Duration = Duration::from_secs(1);
/// Most zones watched at once; more share nothing and are refused a live stream of their own.
const MOST_ZONES: usize = 24;

/// What is published: everything, and the difference to the one before.
#[derive(Debug, Default)]
pub struct Frame {
    /// Grows by one with every frame.
    pub seq: u64,
    /// Everything, JSON.
    pub all: String,
    /// The difference to frame `seq - 1`, JSON.
    pub change: String,
    /// The parts as they stand, to compare the next frame with.
    parts: Vec<(String, String)>,
}

/// A board with the version and the start of the day it was made for.
type Kept = (u64, i64, Arc<Board>);

/// The board's loops.
pub struct Hub {
    stop: CancellationToken,
    loops: Mutex<HashMap<Tz, watch::Sender<Arc<Frame>>>>,
    /// The latest board per zone with the version it was made from.
    kept: tokio::sync::Mutex<HashMap<Tz, Kept>>,
}

impl Hub {
    /// No loop runs until someone watches; all end when `stop` is cancelled.
    pub fn new(stop: CancellationToken) -> Self {
        Hub {
            stop,
            loops: Mutex::default(),
            kept: tokio::sync::Mutex::default(),
        }
    }

    /// The token that ends streams.
    pub fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Frames of the board in a zone; starts its loop if nobody watched so far.
    pub fn watch(app: &Arc<App>, zone: Tz) -> watch::Receiver<Arc<Frame>> {
        let mut loops = app.hub.loops.lock();
        if let Some(sender) = loops.get(&zone) {
            return sender.subscribe();
        }
        let (sender, receiver) = watch::channel(Arc::new(Frame::default()));
        if loops.len() < MOST_ZONES {
            loops.insert(zone, sender.clone());
        }
        let (app, stop) = (Arc::downgrade(app), app.hub.stop.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = run(&app, zone, &sender) => {}
                () = stop.cancelled() => {}
            }
        });
        receiver
    }

    /// Ends the loop of a zone that nobody watches; decided under the lock, so that nobody joins
    /// a loop that is about to end.
    fn leave(&self, zone: Tz, sender: &watch::Sender<Arc<Frame>>) -> bool {
        let mut loops = self.loops.lock();
        let own = loops.get(&zone).is_some_and(|s| s.same_channel(sender));
        let alone = sender.receiver_count() == 0;
        if alone && own {
            loops.remove(&zone);
        }
        alone
    }

    /// The board as of the newest snapshot, from memory when nothing changed.
    ///
    /// # Errors
    /// When a query fails.
    pub async fn board(app: &App, zone: Tz) -> Result<Arc<Board>, crate::data::DataError> {
        if app.as_of.is_some() {
            return Ok(Arc::new(Board::read(app, zone).await?));
        }
        let version = *app.changes.version.borrow();
        let today = crate::zone::Range::today(zone, app.now()).from;
        let mut kept = app.hub.kept.lock().await;
        if let Some((v, day, board)) = kept.get(&zone)
            && (*v, *day) == (version, today)
        {
            return Ok(board.clone());
        }
        let board = Arc::new(Board::read(app, zone).await?);
        if kept.len() > MOST_ZONES {
            kept.clear();
        }
        kept.insert(zone, (version, today, board.clone()));
        Ok(board)
    }
}

async fn run(app: &Weak<App>, zone: Tz, sender: &watch::Sender<Arc<Frame>>) {
    loop {
        let began = Instant::now();
        let mut version = {
            let Some(app) = app.upgrade() else { return };
            let mut version = app.changes.version.clone();
            version.mark_unchanged();
            let last = sender.borrow().clone();
            let next = frame(&app, zone, &last).await;
            sender.send_replace(Arc::new(next));
            version
        };
        // A board that takes long to make leaves the machine some time to others.
        let took = began.elapsed();
        let rest = SHORTEST.saturating_sub(took).max((took / 4).min(LONGEST));
        tokio::time::sleep(rest).await;
        if app.upgrade().is_none_or(|app| app.hub.leave(zone, sender)) {
            return;
        }
        tokio::select! {
            changed = version.changed() => if changed.is_err() { tokio::time::sleep(LONGEST).await },
            () = tokio::time::sleep(LONGEST) => {}
        }
    }
}

/// The next frame. One without changes is sent as well: it carries the clock, and its coming
/// tells the browser that the connection lives.
async fn frame(app: &App, zone: Tz, last: &Frame) -> Frame {
    let now = app.now();
    // The clock is watched while the queries run.
    let (told, board) = futures::join!(Told::now(app), Hub::board(app, zone));
    let parts = match board {
        Ok(board) => show::parts(&told, &board, now),
        Err(e) => vec![("trouble".to_owned(), show::trouble(&e))],
    };
    let clock = json!({ "now": now / 1000, "speed": told.pace() });
    let order: Vec<&str> = parts.iter().map(|(id, _)| id.as_str()).collect();
    let before: HashMap<&str, &str> = last
        .parts
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    let changed: HashMap<&str, &str> = parts
        .iter()
        .filter(|(id, html)| before.get(id.as_str()) != Some(&html.as_str()))
        .map(|(id, html)| (id.as_str(), html.as_str()))
        .collect();
    let same_order = last
        .parts
        .iter()
        .map(|(id, _)| id.as_str())
        .eq(order.iter().copied());
    let all: HashMap<&str, &str> = parts
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    let all = json!({ "clock": clock, "order": order, "parts": all }).to_string();
    let change = match same_order {
        true => json!({ "clock": clock, "parts": changed }),
        false => json!({ "clock": clock, "order": order, "parts": changed }),
    };
    Frame {
        seq: last.seq + 1,
        all,
        change: change.to_string(),
        parts,
    }
}
