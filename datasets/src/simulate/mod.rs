//! A contact centre that never was: its events as any platform would send them, in any disorder
//! asked for, and beside them the truth, written from what was decided. Nothing here reads what
//! the product makes of events.

mod calendar;
mod cell;
mod chance;
mod disorder;
mod durations;
mod fate;
mod floor;
mod manifest;
mod native;
mod outlet;
mod poison;
mod run;
mod shares;
mod story;
mod tell;
mod truth;
mod ways;
mod world;
mod write;

use std::path::PathBuf;

use calendar::DAY;
use callboard_model::time::{EARLIEST, LATEST};
use world::Scale;

pub use calendar::{read_date, write_date};
pub use disorder::{Dials, Disorder};
pub use manifest::{Manifest, ManifestError, Written, WrittenCounts};
pub use native::Platform;
pub use run::{run, run_until};
pub use shares::contacts_until;
pub use truth::tables::{TABLES, TOLD_TABLES, Table};

/// Version of what is written: the same version, seed and options give the same bytes.
pub const VERSION: &str = "4";

/// First day when none is given: clocks change in America the day after.
pub const FIRST_DAY: &str = "2026-03-07";

/// What to simulate.
#[derive(Debug, Clone)]
pub struct Options {
    /// Seed.
    pub seed: u64,
    /// Contacts that customers and campaigns begin; transfers, callbacks and consultations add
    /// some.
    pub contacts: u64,
    /// First day, days since 1970.
    pub first_day: i64,
    /// Days; what suits the number of contacts when `None`.
    pub days: Option<i64>,
    /// Days of the same contact centre that went before and are not told: chance goes on where
    /// they ended, so that two runs can be one contact centre before and after a change.
    pub skip_days: u64,
    /// Talks and wrap-ups last so many thousandths of what they would; 1,000 changes nothing.
    pub handle_permille: i64,
    /// Doors close at four in the morning instead of two: contacts come while clocks change.
    pub open_late: bool,
    /// What goes wrong between the platform and us.
    pub disorder: Disorder,
    /// And how often, where that is not what belongs to the disorder.
    pub dials: Dials,
    /// Lines that are no events, in a million lines; blank ones are not counted.
    pub poison: u64,
    /// What sources' clocks are wrong by at most, milliseconds.
    pub skew: i64,
    /// Tells the day in this platform's format instead of our events; there is no disorder then.
    pub platform: Option<Platform>,
    /// Folder to write to; made when it is not there.
    pub out: PathBuf,
    /// Threads.
    pub threads: usize,
}

/// Days between the first believable time and the first day: targets are told before.
const DAYS_BEFORE: i64 = 3;

/// Days between the last day and the last believable time: what began then goes on.
const DAYS_AFTER: i64 = 5;

impl Options {
    /// What suits unit tests: few contacts, in the worst disorder, but without poison and with clocks
    /// that are right.
    #[cfg(test)]
    pub(crate) fn small(seed: u64) -> Self {
        Options {
            seed,
            contacts: 10,
            first_day: 20_000,
            days: None,
            skip_days: 0,
            handle_permille: 1_000,
            open_late: false,
            disorder: Disorder::Wild,
            dials: Dials::default(),
            poison: 0,
            skew: 0,
            platform: None,
            out: PathBuf::new(),
            threads: 1,
        }
    }

    /// Days of the whole simulation.
    pub fn all_days(&self) -> i64 {
        Scale::of(self).days
    }

    /// Whether this can be simulated.
    ///
    /// # Errors
    /// Days of which no event may tell, more poison than there can be, or disorder beside a platform's
    /// own format.
    pub fn check(&self) -> Result<(), SimulateError> {
        let day = |us: i64| us.div_euclid(1_000 * DAY);
        let (least, most) = (day(EARLIEST) + DAYS_BEFORE, day(LATEST) - 1 - DAYS_AFTER);
        let last = self.first_day + self.all_days() - 1;
        if self.first_day < least || last > most {
            return Err(SimulateError::Days {
                first: write_date(self.first_day),
                last: write_date(last),
                least: write_date(least),
                most: write_date(most),
            });
        }
        if self.poison > disorder::MOST_POISON {
            return Err(SimulateError::Poison);
        }
        let told = self.disorder == Disorder::None && self.dials.is_empty();
        let orderly = told && self.poison == 0 && self.skew == 0;
        if self.platform.is_some() && !orderly {
            return Err(SimulateError::NoDisorder);
        }
        Ok(())
    }
}

/// Why it could not be done.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// A file.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Something that cannot be written as JSON.
    #[error("cannot be written: {0}")]
    Json(#[from] serde_json::Error),
    /// The standard output.
    #[error("cannot write events: {0}")]
    Output(std::io::Error),
    /// A row of a day whose file is complete: a fault of the simulator.
    #[error("a row of {0} came after its day was complete")]
    TooLate(&'static str),
    /// Disorder that was asked for beside a platform's format.
    #[error("a platform's own format is written without disorder, poison and wrong clocks")]
    NoDisorder,
    /// Days of which no event may tell.
    #[error(
        "the days {first} to {last} do not lie within {least} to {most}; events of others are refused"
    )]
    Days {
        /// First day that was asked for.
        first: String,
        /// Last day.
        last: String,
        /// First day that can be simulated.
        least: String,
        /// Last one.
        most: String,
    },
    /// A last day that the simulation does not have.
    #[error("the simulation has {0} days; play those until a day from 1 to {0}")]
    Until(i64),
    /// More poison than there can be.
    #[error("at most 9 of 10 lines can be no events; write a share from 0 to 0.9, such as 0.01")]
    Poison,
    /// A thread that ended before its work.
    #[error("a part of the simulation broke off")]
    Broken,
}
