//! `callboard doctor`: what is wrong with a data folder, and what to do.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use callboard_sources::registry::Registry;
use callboard_store::doctor::{Examined, Level, examine};
use callboard_store::store::WallClock;
use indicatif::ProgressBar;

use super::Failure;
use super::serve::{runtime, store_options};
use crate::cli::DoctorArgs;

/// Examines the folder and says what was found.
///
/// # Errors
/// When something is damaged, or the folder cannot be looked at.
pub fn run(args: &DoctorArgs) -> Result<(), Failure> {
    super::serve::warnings();
    if !args.data.exists() {
        return Err(Failure::usage(format!(
            "{} is not there; name the data folder of a server with --data",
            args.data.display()
        )));
    }
    let mut config = super::config::read(args.config.as_deref())?;
    config.data.clone_from(&args.data);
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(120));
    let tell = |next: &str| bar.set_message(format!("looking at {next}"));
    let found = runtime()?.block_on(examine(
        &store_options(&config),
        Arc::new(Registry),
        &WallClock,
        !args.quick,
        &tell,
    ));
    bar.finish_and_clear();
    let found = found.map_err(|e| Failure::failed(e.to_string()))?;
    super::print(&said(&found))?;
    if found.damaged() {
        return Err(Failure::failed(
            "the data folder is damaged, as said above; nothing was changed",
        ));
    }
    Ok(())
}

fn said(found: &Examined) -> String {
    let mut text = String::new();
    let widest = found.seen.iter().map(|s| s.part.len()).max().unwrap_or(0);
    for seen in &found.seen {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{:widest$}  {}", seen.part, seen.said);
    }
    for finding in &found.findings {
        let level = match finding.level {
            Level::Damage => "DAMAGE",
            Level::Notice => "notice",
        };
        let _ = writeln!(
            text,
            "\n{level}  {}\n        {}\n        to do: {}",
            finding.place, finding.what, finding.todo
        );
    }
    if found.findings.is_empty() {
        text.push_str("\nNothing is wrong.\n");
    }
    text
}
