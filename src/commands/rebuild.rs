//! `callboard rebuild`: all rows anew from the records.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use callboard_query::Engine;
use callboard_sources::registry::Registry;
use callboard_store::lake::Fault;
use callboard_store::snapshot::Snapshots;
use callboard_store::store::{Derive, Rebuilt, Store, WallClock, rebuild};

use super::serve::{runtime, store_options};
use super::{Failure, print};

/// Does it.
///
/// # Errors
/// When the folder is in use or cannot be read, and when something in it stays damaged.
pub fn run(data: PathBuf, config: Option<PathBuf>) -> Result<(), Failure> {
    super::serve::warnings();
    if !data.exists() {
        return Err(Failure::usage(format!(
            "{} is not there; name the data folder of a server with --data",
            data.display()
        )));
    }
    let mut config = super::config::read(config.as_deref())?;
    config.data = data;
    let limits = config.query_limits();
    let derive = move |store: &Arc<Store>| -> Result<Arc<dyn Derive>, String> {
        let snapshots: Arc<dyn Snapshots> = store.clone();
        let engine = Engine::new(snapshots, limits.clone()).map_err(|e| e.to_string())?;
        Ok(callboard_query::deriver(&engine))
    };
    let done = runtime()?
        .block_on(rebuild(
            store_options(&config),
            Arc::new(Registry),
            Arc::new(WallClock),
            Some(&derive),
        ))
        .map_err(|e| Failure::failed(e.to_string()))?;
    print(&said(&done))?;
    if done.stays.is_empty() {
        return Ok(());
    }
    Err(Failure::failed(format!(
        "the rows are made anew, but this is damaged and not made of records: restore it from a \
         backup{}",
        listed(&done.stays)
    )))
}

fn listed(faults: &[Fault]) -> String {
    let each = faults
        .iter()
        .map(|f| format!("\n  {}: {}", f.place, f.what));
    each.collect()
}

fn said(done: &Rebuilt) -> String {
    let mut text = format!(
        "{} records read, rows of {} keys made anew\n",
        done.records, done.keys
    );
    // Writing to a text cannot fail.
    if !done.mended.is_empty() {
        let what = listed(&done.mended);
        let _ = writeln!(text, "could not be read, and is made anew:{what}");
    }
    if let Some(aside) = &done.aside {
        let _ = writeln!(
            text,
            "what was there lies in {} and is not looked at any more: remove it when nobody needs it",
            aside.display()
        );
    }
    for lost in &done.lost {
        let _ = writeln!(text, "not made anew: {lost}");
    }
    text
}
