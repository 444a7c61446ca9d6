//! Examines a data folder without changing it: whether the log, the state and the lake are whole,
//! fit each other, and whether the rows are what the records say.

mod kept;
mod rows;

use std::sync::Arc;

use callboard_model::record::Interpreter;
use callboard_model::tables::TABLES;

use crate::datafolder::DataFolder;
use crate::lake::{Fault, Looking, is_made};
use crate::store::{Clock, StoreError, StoreOptions};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Worth knowing.
    Notice,
    /// Something that was kept is lost, or would be served wrong.
    Damage,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// Where: a file, a table.
    pub place: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub todo: String,
}

/// A part of the folder, and what was seen of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The part.
    pub part: &'static str,
    /// With figures.
    pub said: String,
}

/// What an examination gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Examined {
    /// Part by part.
    pub seen: Vec<Seen>,
    /// What is wrong, the order of the parts.
    pub findings: Vec<Finding>,
}

impl Examined {
    /// Whether anything is damaged.
    #[must_use]
    pub fn damaged(&self) -> bool {
        self.findings.iter().any(|f| f.level == Level::Damage)
    }

    fn saw(&mut self, part: &'static str, said: impl Into<String>) {
        self.seen.push(Seen {
            part,
            said: said.into(),
        });
    }

    fn find(
        &mut self,
        level: Level,
        place: impl Into<String>,
        what: impl Into<String>,
        todo: impl Into<String>,
    ) {
        self.findings.push(Finding {
            level,
            place: place.into(),
            what: what.into(),
            todo: todo.into(),
        });
    }
}

const RESTORE: &str = "restore the folder from a backup, or this file from a copy";
const SAME: &str = "log, state and lake are of different times: restore them from the same backup";
const REBUILD: &str = "`callboard rebuild` makes these rows anew from the records";
const ASIDE: &str =
    "`callboard rebuild` puts the table's folder aside and makes its rows anew from the records";
const UNREADABLE: &str = "mend or restore what is named above first";

/// Examines the folder. `deep` also compares every row with the records, which are then all in
/// memory. `tell` is called with the name of what comes next.
///
/// # Errors
/// When it cannot be looked at at all: it is not there, not a data folder, or in use.
pub async fn examine(
    options: &StoreOptions,
    interpreter: Arc<dyn Interpreter>,
    clock: &dyn Clock,
    deep: bool,
    tell: &(dyn Fn(&str) + Sync),
) -> Result<Examined, StoreError> {
    let (folder, unlocked) = DataFolder::looked_at(&options.data)?;
    let mut found = Examined::default();
    if let Some(why) = unlocked {
        found.saw("lock", format!("not taken, since the folder cannot be written ({why}): no server may write to it now"));
    }
    tell("the log and the state");
    let kept = kept::examine(&folder, options, interpreter.as_ref(), &mut found);
    let place = options
        .lake
        .clone()
        .unwrap_or_else(|| folder.lake().to_string_lossy().into_owned());
    let lake = Looking::open(&place, options.lake_options.clone())?;
    tell("the lake's files");
    if let Some(files) = lake.files()? {
        let without = match files.unsummed {
            0 => String::new(),
            n => format!(", {n} without a checksum"),
        };
        found.saw(
            "files",
            format!(
                "{} files, {}: every byte read{without}",
                files.files,
                size(files.bytes)
            ),
        );
        for fault in files.faults {
            found.find(
                Level::Damage,
                fault.place,
                plain(fault.what),
                todo_for_file(fault.table),
            );
        }
        if let Some(aside) = files.aside {
            let what = "holds tables that a rebuild has put aside; it was not looked at";
            found.saw("aside", format!("{} {what}", aside.display()));
        }
    }
    let mut counts = (0, 0, 0);
    let mut unreadable = false;
    let mut applied = -1;
    for spec in TABLES {
        tell(spec.name);
        let look = lake.files_of(spec).await;
        counts = (counts.0 + 1, counts.1 + look.files, counts.2 + look.rows);
        unreadable |= !look.faults.is_empty();
        if ["records", "dead_letters"].contains(&spec.name) {
            applied = applied.max(look.applied);
        } else if spec.name != "audio" && kept.readable && look.applied > kept.attempt {
            let what = format!(
                "the table {} has flush {}, the state knows flushes up to {}",
                spec.name, look.applied, kept.attempt
            );
            found.find(Level::Damage, &place, what, SAME);
        }
        for Fault { table, place, what } in look.faults {
            // Said once, by the checksum.
            if !found.findings.iter().any(|f| f.place == place) {
                found.find(Level::Damage, place, plain(what), todo_for_file(table));
            }
        }
    }
    found.saw(
        "tables",
        format!(
            "{} tables, {} data files, {} rows read",
            counts.0, counts.1, counts.2
        ),
    );
    if !unreadable && kept.readable && u64::try_from(applied).unwrap_or(0) < kept.upto {
        found.find(
            Level::Damage,
            &place,
            format!(
                "the lake has what was flushed up to entry {applied}, the state counts up to {}",
                kept.upto
            ),
            SAME,
        );
    }
    if kept.readable && u64::try_from(applied).unwrap_or(0) > kept.last_seq {
        let what = format!(
            "the lake has entries up to {applied}, the log ends at {}",
            kept.last_seq
        );
        found.find(Level::Damage, &place, what, SAME);
    }
    if deep {
        if !unreadable && kept.readable {
            tell("rows against records");
            rows::examine(&lake, interpreter, clock.now(), &kept, &mut found).await?;
        } else {
            found.saw("rows", "not compared with the records");
            found.find(
                Level::Notice,
                "rows",
                "not every table can be read",
                UNREADABLE,
            );
        }
    }
    Ok(found)
}

/// What helps a file of that table.
fn todo_for_file(table: Option<&str>) -> &'static str {
    match table {
        Some(table) if is_made(table) => ASIDE,
        _ => RESTORE,
    }
}

/// Without the advice that stands in the finding anyway.
pub(crate) fn plain(what: String) -> String {
    what.replace(
        "; restore this file from a copy, or ask `callboard doctor`",
        "",
    )
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} bytes"),
        1_024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1_024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
        _ => format!("{:.1} GiB", bytes as f64 / 1_073_741_824.0),
    }
}
