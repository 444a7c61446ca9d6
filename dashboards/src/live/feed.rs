//! What the board says of its sources: whether they live, how old their last word is, whether a
//! recorded time is replayed.

use std::time::{Duration, Instant};

use chrono_tz::Tz;
use maud::{Markup, html};

use super::show::ticking;
use crate::app::App;
use crate::ports::FeedStatus;
use crate::view::format;
use crate::view::icon::{Level, badge};

/// A source that sent nothing for so long is called silent, microseconds.
const SILENT: i64 = 120_000_000;

/// How long the clock is watched to see how fast it runs.
const LOOK: Duration = Duration::from_millis(20);

/// The sources of the board, and how fast the clock runs in which they tell.
pub struct Told {
    feeds: Vec<FeedStatus>,
    /// How fast a recorded time is played; None where the time is the present.
    replay: Option<f64>,
    /// How fast the clock runs now: a replay that has ended goes on as clocks do.
    speed: f64,
}

impl Told {
    /// What is told now. What the program says to itself is no sign of life of a platform.
    pub async fn now(app: &App) -> Self {
        let mut feeds = app.status.feeds().await;
        feeds.retain(|f| !f.source.starts_with("/callboard/"));
        let set = app.changes.speed;
        let replay = ((set - 1.0).abs() > 1e-9).then_some(set);
        let speed = match replay {
            None => set,
            Some(set) => running(app, set).await,
        };
        Told {
            feeds,
            replay,
            speed,
        }
    }

    /// When the last of the sources had ended; None while one goes on.
    fn finished(&self) -> Option<i64> {
        let ended = self.feeds.iter().filter_map(|f| f.ended_at).max();
        ended.filter(|_| self.feeds.iter().all(|f| f.ended_at.is_some()))
    }

    /// The speed of a replay that goes on.
    fn replaying(&self) -> Option<f64> {
        let set = self.replay?;
        let over = (self.speed - set).abs() > 1e-9 || self.finished().is_some();
        (!over).then_some(set)
    }

    /// When the last of the sources of a replay had ended, once it is over.
    fn replay_ended(&self) -> Option<i64> {
        let over = self.replay.is_some() && self.replaying().is_none();
        let ended = self.feeds.iter().filter_map(|f| f.ended_at).max();
        ended.filter(|_| over)
    }

    /// How fast the board's clock runs.
    pub fn pace(&self) -> f64 {
        self.speed
    }
}

/// How fast the clock of a replay of that speed runs: so fast, or as clocks do after its end.
async fn running(app: &App, set: f64) -> f64 {
    let (began, from) = (Instant::now(), app.now());
    tokio::time::sleep(LOOK).await;
    let ran = (app.now() - from) as f64 / began.elapsed().as_micros().max(1) as f64;
    if (ran - 1.0).abs() < (ran - set).abs() {
        1.0
    } else {
        set
    }
}

/// The sources and how old their last word is. `data-stale` greys everything after it.
pub(super) fn feed(told: &Told, now: i64, zone: Tz, text: Option<i64>) -> Markup {
    let (feeds, finished) = (&told.feeds, told.finished());
    let quiet = |f: &&FeedStatus| f.last_received_at.is_none_or(|at| now - at > SILENT);
    let going: Vec<&FeedStatus> = feeds.iter().filter(|f| f.ended_at.is_none()).collect();
    let stale = !going.is_empty() && going.iter().all(quiet);
    let latest = feeds.iter().filter_map(|f| f.last_received_at).max();
    let late = going.iter().filter(|f| quiet(f)).count();
    html! {
        div id="feed" class="feed" data-stale=(stale || finished.is_some()) {
            @if feeds.is_empty() {
                (badge(Level::Unknown, "No source has sent anything yet"))
            } @else if let (Some(at), Some(_)) = (told.replay_ended(), finished) {
                (badge(Level::Unknown, &format!("The replay ended at {}: this is how it stood then", format::clock(zone, at))))
            } @else if let Some(at) = finished {
                (badge(Level::Unknown, &format!("Every source had ended by {}: this is how it stood then", format::clock(zone, at))))
            } @else if stale {
                (badge(Level::Alert, "Every source is silent: do not trust these numbers"))
            } @else if late > 0 {
                (badge(Level::Warn, &format!("{late} of {} sources silent for two minutes", feeds.len())))
            } @else {
                @let over = feeds.iter().filter(|f| f.ended_at.is_some()).count();
                @let live = feeds.len() - over;
                (badge(Level::Ok, &format!("{live} {} live", if live == 1 { "source" } else { "sources" })))
                @if over > 0 { span class="quiet" { (over) " ended" } }
            }
            @if let Some(speed) = told.replaying() {
                span class="quiet" { "replayed at " (format::number(speed)) " times its speed" }
            } @else if let (Some(at), None) = (told.replay_ended(), finished) {
                span class="quiet" { "the replay ended at " (format::clock(zone, at)) }
            }
            @if let Some(at) = latest {
                span class="quiet" {
                    "last event " (format::clock(zone, at)) " (" (ticking(Some(at), text)) " ago)"
                }
            }
            a class="quiet-link" href="/status" { "Sources" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;

    fn source(name: &str, heard: i64, ended_at: Option<i64>) -> FeedStatus {
        FeedStatus {
            source: name.to_owned(),
            last_received_at: Some(heard),
            last_event_at: None,
            taken: 1,
            repeated: 0,
            refused: 0,
            per_minute: 0.0,
            ended_at,
        }
    }

    fn shown(feeds: &[FeedStatus]) -> String {
        told(feeds, None, 1.0)
    }

    fn told(feeds: &[FeedStatus], replay: Option<f64>, speed: f64) -> String {
        let told = Told {
            feeds: feeds.to_vec(),
            replay,
            speed,
        };
        feed(&told, 100 * MINUTE, Tz::UTC, None).into_string()
    }

    #[test]
    fn a_replay_says_its_speed_until_it_ended() {
        let live = source("/t/1", 100 * MINUTE, None);
        let ended = source("/t/2", MINUTE, Some(2 * MINUTE));
        let text = told(std::slice::from_ref(&live), Some(20.0), 20.0);
        assert!(text.contains("replayed at 20 times"), "{text}");
        let text = told(std::slice::from_ref(&ended), Some(20.0), 20.0);
        assert!(text.contains("The replay ended at 00:02"), "{text}");
        assert!(!text.contains("20 times"), "{text}");
        // Something else may be sent once the replay is over.
        let text = told(&[live.clone(), ended], Some(20.0), 1.0);
        assert!(
            text.contains("1 source live") && text.contains("the replay ended at 00:02"),
            "{text}"
        );
        assert!(!text.contains("20 times"), "{text}");
        assert!(!shown(&[live]).contains("replay"));
    }

    #[test]
    fn a_source_that_ended_is_no_alarm() {
        let ended = source("/t/1", MINUTE, Some(2 * MINUTE));
        let text = shown(std::slice::from_ref(&ended));
        assert!(text.contains("had ended by 00:02"), "{text}");
        assert!(!text.contains("silent"), "{text}");
        let text = shown(&[ended.clone(), source("/t/2", 100 * MINUTE, None)]);
        assert!(text.contains("1 source live"), "{text}");
        let text = shown(&[ended, source("/t/2", MINUTE, None)]);
        assert!(text.contains("silent"), "{text}");
    }
}
