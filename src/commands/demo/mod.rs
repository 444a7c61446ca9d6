//! `callboard demo`: a server on a fresh folder, and a recorded real shift replayed into it.

mod journey;
mod leftover;
mod replay;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use callboard_store::store::Clock;

use super::Failure;
use super::serve::{logs, runtime, start, state_targets, told_to_stop};
use crate::cli::DemoArgs;
use crate::config;

/// The replay's clock: the first stamp of the shift plus what has passed since, times the speed.
/// After the shift's end it goes on as clocks do, so that the board keeps showing that day.
pub struct ReplayClock {
    first: i64,
    last: i64,
    began: Instant,
    speed: f64,
}

/// So long after the last event the replay is at an end, in its own time: contacts have settled.
const AFTER: i64 = 120_000_000;

impl Clock for ReplayClock {
    fn now(&self) -> i64 {
        let passed = self.began.elapsed().as_micros() as f64;
        let at = self.first + (passed * self.speed) as i64;
        let end = self.last + AFTER;
        if at <= end {
            return at;
        }
        end + (passed - (end - self.first) as f64 / self.speed) as i64
    }
}

/// The folder of the recorded shift.
fn shift() -> Result<PathBuf, Failure> {
    let mut places: Vec<PathBuf> = Vec::new();
    places.extend(std::env::var_os("CALLBOARD_SHIFT").map(PathBuf::from));
    if let Some(beside) = std::env::current_exe()
        .ok()
        .and_then(|exe| exe.parent().map(Path::to_path_buf))
    {
        places.push(beside.join("../share/callboard/shift-asterisk"));
        places.push(beside.join("../../datasets/shift-asterisk"));
    }
    places.push(PathBuf::from("datasets/shift-asterisk"));
    places.iter().find(|p| p.join("queue_log").exists()).cloned().ok_or_else(|| {
        Failure::failed(
            "the recorded shift, which comes with callboard, is not found; set CALLBOARD_SHIFT to \
             the folder that holds its queue_log",
        )
    })
}

/// Replays the shift until it is told to stop.
///
/// # Errors
/// What keeps it from starting.
pub fn run(args: DemoArgs) -> Result<(), Failure> {
    logs();
    if !(args.speed > 0.0 && args.speed <= 10_000.0) {
        return Err(Failure::usage(
            "--speed must be more than 0 and at most 10000",
        ));
    }
    let shift = shift()?;
    let mut config = config::load(Some(&shift.join("demo.toml")), std::env::vars())
        .map_err(|e| Failure::usage(e.to_string()))?;
    let fresh = args.data.is_none();
    leftover::sweep();
    config.data = args
        .data
        .clone()
        .unwrap_or_else(|| leftover::folder(std::process::id()));
    config.http.listen = args.http;
    config.pg.listen = args.pg;
    let data = config.data.clone();
    let result = runtime()?.block_on(async {
        let tape = replay::Tape::read(&shift)?;
        let clock =
            Arc::new(ReplayClock { first: tape.first(), last: tape.last(), began: Instant::now(), speed: args.speed });
        let file = shift.join("demo.toml");
        let server = start(&config, Some(&file), clock.clone(), args.speed).await?;
        state_targets(&server, &config, tape.first()).await;
        let (queue, minutes) = ("sales", tape.minutes());
        eprintln!(
            "A real shift of {minutes} minutes is replayed at {} times its speed.\n\n  \
             Open     http://{http}          the live board\n           \
             http://{http}/contacts  finished calls: transcript, sound, keywords, mood\n           \
             http://{http}/reports   queue by interval, heat map, exceptions, agents\n           \
             http://{http}/journeys  a journey across four systems (made by hand)\n           \
             http://{http}/coverage  what became of every call\n\n  \
             Ask      psql -h 127.0.0.1 -p {pg} callboard\n           \
             \\dv callboard.*\n           \
             select * from queue_intervals where queue = '{queue}' order by interval_start;\n           \
             select contact_id, leg, text from turns where text ilike '%refund%';\n\n  \
             ctrl-c stops it{gone}.\n",
            args.speed,
            http = server.http,
            pg = server.pg.map_or(0, |p| p.port()),
            gone = if fresh { " and removes its data folder" } else { "" },
        );
        let player = tape.play(&server, clock);
        tokio::select! {
            played = player => {
                played?;
                eprintln!("The shift is over; transcription goes on, and the pages stay. ctrl-c stops.");
                told_to_stop().await;
            }
            () = told_to_stop() => {}
        }
        server.stop().await.map_err(Failure::failed)
    });
    if fresh && let Err(error) = std::fs::remove_dir_all(&data) {
        tracing::warn!(%error, path = %data.display(), "the demo's data folder stays");
    }
    result
}
