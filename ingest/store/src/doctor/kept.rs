//! The log and the state: whole, and fitting each other.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::sync::Arc;

use callboard_model::record::Interpreter;

use super::{Examined, Level, RESTORE, size};
use crate::datafolder::DataFolder;
use crate::live::codec::{
    DEAD_LETTER, POSITION, RECORD, decode_dead_letter, decode_position, decode_record,
};
use crate::live::natives;
use crate::live::seen::SeenIds;
use crate::log::{Log, LogError, Recovery};
use crate::storage::Disk;
use crate::store::StoreOptions;
use crate::store::checkpoint::{Commit, Intent, StateFiles};
use crate::store::erase::ledger;
use crate::store::remake;
use crate::store::retention::{self, Horizons};
use crate::store::settled;

/// What the log and the state say that the lake is held against.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Everything up to this entry is in the lake.
    pub upto: u64,
    /// The log ends with it.
    pub last_seq: u64,
    /// Number of the last flush that counts or was begun.
    pub attempt: i64,
    /// Whether log and state could be read.
    pub readable: bool,
    /// Names of keys whose rows in the lake may still change: open ones.
    pub open: BTreeSet<String>,
    /// Days of which no rows are kept.
    pub horizons: Arc<Horizons>,
    /// Hashes of the names of which records were told that are kept no more.
    pub gone: HashSet<u64>,
    /// Why the rows need not be what the records say yet.
    pub unsettled: Option<String>,
}

pub(super) fn examine(
    folder: &DataFolder,
    options: &StoreOptions,
    interpreter: &dyn Interpreter,
    found: &mut Examined,
) -> Kept {
    let mut kept = Kept {
        readable: true,
        ..Kept::default()
    };
    let commit = state(folder, &mut kept, found);
    kept.upto = commit.upto;
    match Log::look(folder.log(), options.log.clone(), Arc::new(Disk)) {
        Ok(None) => missing_log(folder, &commit, &mut kept, found),
        Ok(Some((recovery, entries))) => {
            let mut after = (0_usize, 0_usize);
            for entry in entries {
                match entry
                    .map_err(Into::into)
                    .and_then(|(seq, kind, bytes)| read(seq, kind, &bytes, interpreter, &commit))
                {
                    Ok(Entry::Flushed) => {}
                    Ok(Entry::Record(names)) => {
                        after.0 += 1;
                        kept.open.extend(names);
                    }
                    Ok(Entry::Dead) => after.1 += 1,
                    Err(Trouble { place, what }) => {
                        kept.readable = false;
                        let log = folder.log().display().to_string();
                        found.find(Level::Damage, place.unwrap_or(log), what, RESTORE);
                        break;
                    }
                }
            }
            kept.last_seq = recovery.last_seq;
            log(folder, &recovery, &commit, after, &mut kept, found);
        }
        Err(error) => {
            kept.readable = false;
            let Trouble { place, what } = error.into();
            let log = folder.log().display().to_string();
            found.find(Level::Damage, place.unwrap_or(log), what, RESTORE);
        }
    }
    kept
}

fn missing_log(folder: &DataFolder, commit: &Commit, kept: &mut Kept, found: &mut Examined) {
    found.saw("log", "none");
    if commit.attempt > 0 {
        kept.readable = false;
        found.find(
            Level::Damage,
            folder.log().display().to_string(),
            "there is no log, although a flush counts: what was acknowledged after it is gone",
            RESTORE,
        );
    }
}

/// What is said of the log, and whether it goes on where the state stops.
fn log(
    folder: &DataFolder,
    recovery: &Recovery,
    commit: &Commit,
    (records, dead): (usize, usize),
    kept: &mut Kept,
    found: &mut Examined,
) {
    let place = folder.log().display().to_string();
    found.saw(
        "log",
        format!(
            "{} segments, {}, entries {} to {}; {records} records and {dead} dead letters are not in the lake yet",
            recovery.segments,
            size(recovery.bytes),
            recovery.first_seq,
            recovery.last_seq
        ),
    );
    if let Some((file, bytes)) = &recovery.cut {
        found.find(
            Level::Notice,
            file.display().to_string(),
            format!("a torn end of {bytes} bytes, which nobody was told of"),
            "nothing: the next start cuts it off",
        );
    }
    if recovery.first_seq > commit.replay_from.max(1) {
        kept.readable = false;
        found.find(
            Level::Damage,
            &place,
            format!(
                "it begins at entry {}, a restart needs entry {}",
                recovery.first_seq, commit.replay_from
            ),
            "segments are missing: restore the folder from a backup",
        );
    }
    if recovery.last_seq < commit.upto {
        kept.readable = false;
        found.find(
            Level::Damage,
            &place,
            format!(
                "it ends at entry {}, the state counts up to {}",
                recovery.last_seq, commit.upto
            ),
            "log and state are of different times: restore both from the same backup",
        );
    }
    if records + dead > 0 {
        kept.unsettled = Some("the log holds records that no flush has taken yet".into());
    }
}

/// An entry of the log.
enum Entry {
    /// It is in the lake.
    Flushed,
    /// A record that is not, or that waits, with the names that it speaks of.
    Record(Vec<String>),
    /// A dead letter that is not.
    Dead,
}

/// What cannot be read, and where.
struct Trouble {
    place: Option<String>,
    what: String,
}

impl From<LogError> for Trouble {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Corrupt { file, offset, what } => Trouble {
                place: Some(file.display().to_string()),
                what: format!("damaged at offset {offset}: {what}"),
            },
            other => Trouble {
                place: None,
                what: other.to_string(),
            },
        }
    }
}

fn read(
    seq: u64,
    kind: u8,
    bytes: &[u8],
    interpreter: &dyn Interpreter,
    commit: &Commit,
) -> Result<Entry, Trouble> {
    let odd = |e: crate::live::codec::CodecError| Trouble {
        place: None,
        what: format!("entry {seq}: {e}"),
    };
    match kind {
        RECORD => {
            let record = decode_record(bytes).map_err(odd)?;
            if seq <= commit.upto && !commit.late.contains(&seq) {
                return Ok(Entry::Flushed);
            }
            let routing = interpreter.route(&record);
            Ok(Entry::Record(
                routing.map(|r| natives(&r)).unwrap_or_default(),
            ))
        }
        DEAD_LETTER => {
            decode_dead_letter(bytes).map_err(odd)?;
            Ok(match seq > commit.upto {
                true => Entry::Dead,
                false => Entry::Flushed,
            })
        }
        POSITION => {
            decode_position(bytes).map_err(odd)?;
            Ok(Entry::Flushed)
        }
        other => Err(Trouble {
            place: None,
            what: format!("entry {seq} is of kind {other}, which this program does not know"),
        }),
    }
}

/// The files under `state/`.
fn state(folder: &DataFolder, kept: &mut Kept, found: &mut Examined) -> Commit {
    let dir = folder.state();
    let files = StateFiles::at(&dir);
    let commit = files.commit().unwrap_or_else(|error| {
        bad(&dir.join("commit.json"), &error, kept, found);
        Commit::default()
    });
    let intent = files.intent().unwrap_or_else(|error| {
        bad(&dir.join("intent.json"), &error, kept, found);
        Intent::default()
    });
    let open = match files.read_open(&commit) {
        Ok(open) => open,
        Err(error) => {
            bad(&dir, &error, kept, found);
            Vec::new()
        }
    };
    for entry in &open {
        kept.open.extend(entry.natives());
    }
    match retention::horizons(&dir) {
        Ok(horizons) => kept.horizons = Arc::new(horizons),
        Err(error) => bad(&dir.join("retention.json"), &error, kept, found),
    }
    let mut seen = SeenIds::new();
    for name in &commit.seen {
        if let Err(error) = files.read_seen(name, commit.sealed, &mut seen) {
            bad(&dir.join(name), &error, kept, found);
        }
    }
    for (day, length) in &commit.settled {
        let path = settled::path_of(&dir.join("settled"), *day);
        let sum = commit.settled_sums.get(day).copied();
        match settled::whole(&Disk, &path, *length, sum) {
            Ok(bytes) if *day < kept.horizons.of("records") => {
                kept.gone.extend(settled::hashes(&bytes));
            }
            Ok(_) => {}
            Err(error) => bad(&path, &error, kept, found),
        }
    }
    match ledger::read(&dir) {
        Ok(ledger) if ledger.pending.is_some() => {
            let why = "an erasure was cut off";
            kept.unsettled = Some(why.into());
            let place = dir.join("erasures.json").display().to_string();
            found.find(
                Level::Notice,
                place,
                why,
                "nothing: the next start finishes it",
            );
        }
        Ok(_) => {}
        Err(error) => bad(&dir.join("erasures.json"), &error, kept, found),
    }
    let path = dir.join(remake::FILE);
    match remake::read(&dir) {
        Ok(remaking) if !remaking.tables.is_empty() => {
            let what = format!(
                "a rebuild was cut off before it had made all rows of {} anew",
                remaking.tables.join(", ")
            );
            let place = path.display().to_string();
            found.find(Level::Damage, place, what, "run `callboard rebuild` again");
        }
        Ok(_) => {}
        Err(error) => bad(&path, &error, kept, found),
    }
    kept.attempt = commit.attempt.max(intent.attempt);
    if intent.attempt > commit.attempt && !intent.keys.is_empty() {
        kept.open.extend(intent.keys.into_keys());
        kept.unsettled = Some("the last flush was cut off".into());
    }
    if !commit.late.is_empty() {
        kept.unsettled = Some("late records wait for the keys of which they speak".into());
    }
    found.saw(
        "state",
        match commit.attempt {
            0 => "no flush counts yet".to_owned(),
            n => format!(
                "flush {n} counts, up to entry {}; {} keys are open",
                commit.upto,
                open.len()
            ),
        },
    );
    commit
}

fn bad(path: &Path, error: &std::io::Error, kept: &mut Kept, found: &mut Examined) {
    kept.readable = false;
    found.find(
        Level::Damage,
        path.display().to_string(),
        error.to_string(),
        RESTORE,
    );
}
