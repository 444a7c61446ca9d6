//! `callboard rebuild`: all rows anew from the records.

use std::path::PathBuf;
use std::sync::Arc;

use callboard_sources::registry::Registry;
use callboard_store::store::{WallClock, rebuild};

use super::Failure;
use super::serve::{runtime, store_options};

/// Does it.
///
/// # Errors
/// When the folder is in use or cannot be read.
pub fn run(data: PathBuf, config: Option<PathBuf>) -> Result<(), Failure> {
    super::serve::logs();
    if !data.exists() {
        return Err(Failure::usage(format!(
            "{} is not there; name the data folder of a server with --data",
            data.display()
        )));
    }
    let mut config = super::config::read(config.as_deref())?;
    config.data = data;
    let done = runtime()?
        .block_on(rebuild(
            store_options(&config),
            Arc::new(Registry),
            Arc::new(WallClock),
        ))
        .map_err(|e| Failure::failed(e.to_string()))?;
    println!(
        "{} records read, rows of {} keys made anew",
        done.records, done.keys
    );
    Ok(())
}
