//! Running mappings in a process of their own: what it is asked and what it says, a line of JSON
//! each. [`serve`] is that process; who asks can end it at any time and lose nothing but the item
//! that it was at.

use std::io::{self, BufRead, Read, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use callboard_model::record::Stamp;
use serde::{Deserialize, Serialize};

use super::item::Found;
use super::left::NO_ITEMS;
use super::{FORMAT, Mapping};
use crate::adapter::Declared;
use crate::lines::{DeadLine, NewLine, NewRecord};
use crate::payload;

/// Longest line of a question, bytes.
const LONGEST_ASK: u64 = 4 * super::MOST_BYTES as u64;

/// A question: this line, then `length` bytes of what was sent.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Ask {
    /// Text of the mapping file.
    pub mapping: String,
    /// Whether only the mapping is to be checked.
    pub check: bool,
    /// Declared instance.
    pub instance: String,
    /// Declared zone.
    pub zone: String,
    /// Declared name of the file.
    pub name: String,
    /// Items that were told before.
    pub skip: usize,
    /// Whether the item after them has ended such a process, and is to be refused unread.
    pub fatal: bool,
    /// Bytes that follow.
    pub length: usize,
}

/// What is said of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// The mapping cannot be used; nothing else follows.
    Faults(Vec<String>),
    /// So many items were found.
    Found(usize),
    /// A record.
    Record {
        /// Source.
        source: String,
        /// Identity within the source.
        id: String,
        /// Stamp.
        stamp: Stamp,
        /// JSON.
        bytes: String,
    },
    /// What cannot be one.
    Dead {
        /// Source.
        source: String,
        /// Class.
        class: String,
        /// Reason.
        reason: String,
        /// Bytes or their beginning, base64.
        bytes: String,
        /// Their full length.
        length: u64,
        /// SHA-256 of the whole, hex.
        sha256: String,
    },
    /// That item is done, and all that came of it was said before.
    Item(usize),
    /// All is done.
    Done,
}

/// Classes that dead letters of mappings have.
const CLASSES: &[&str] = &[
    "mapping_error",
    "mapping_limit",
    "mapped_event",
    "not_json",
    "bad_row",
    "too_long",
    NO_ITEMS,
];

impl Said {
    /// What is said of a line.
    fn of(line: NewLine) -> Option<Said> {
        Some(match line {
            NewLine::Record(record) => Said::Record {
                source: record.source.to_string(),
                id: record.id,
                stamp: record.stamp,
                bytes: String::from_utf8(record.bytes).ok()?,
            },
            NewLine::Dead(dead) => Said::Dead {
                source: dead.source.to_string(),
                class: dead.class.to_owned(),
                reason: dead.reason,
                bytes: STANDARD.encode(dead.bytes),
                length: dead.length,
                sha256: dead.sha256,
            },
            NewLine::Event(_) => return None,
        })
    }

    /// The record or dead letter that was said, if it is one.
    pub fn line(self) -> Option<NewLine> {
        Some(match self {
            Said::Record {
                source,
                id,
                stamp,
                bytes,
            } => NewLine::Record(NewRecord {
                source: source.into(),
                id,
                format: FORMAT,
                stamp,
                bytes: bytes.into_bytes(),
            }),
            Said::Dead {
                source,
                class,
                reason,
                bytes,
                length,
                sha256,
            } => NewLine::Dead(DeadLine {
                source: source.into(),
                class: CLASSES
                    .iter()
                    .find(|known| **known == class)
                    .copied()
                    .unwrap_or("mapping_error"),
                reason,
                bytes: STANDARD.decode(bytes).unwrap_or_default(),
                length,
                sha256,
            }),
            _ => return None,
        })
    }
}

/// A dead letter of bytes that could not be mapped because of a bound.
pub fn over_limit(reason: &str, bytes: &[u8]) -> NewLine {
    payload::dead("/mapping", "mapping_limit", reason.to_owned(), bytes)
}

/// Answers questions until the input ends. `at_work` is told `false` before
/// it waits for a question, and `true` before each piece of work.
///
/// # Errors
/// When the input is no question or the output is closed.
pub fn serve(
    mut input: impl BufRead,
    mut output: impl Write,
    at_work: &dyn Fn(bool),
) -> io::Result<()> {
    let mut known: Option<(String, Mapping)> = None;
    loop {
        at_work(false);
        let mut line = Vec::new();
        let read = input
            .by_ref()
            .take(LONGEST_ASK)
            .read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(());
        }
        let ask: Ask = serde_json::from_slice(&line)?;
        let mut body = vec![0; ask.length];
        input.read_exact(&mut body)?;
        at_work(true);
        if known.as_ref().is_none_or(|(text, _)| *text != ask.mapping) {
            known = match Mapping::parse(&ask.mapping) {
                Ok(mapping) => Some((ask.mapping.clone(), mapping)),
                Err(faults) => {
                    say(&mut output, &Said::Faults(faults))?;
                    output.flush()?;
                    continue;
                }
            };
        }
        if let Some((_, mapping)) = known.as_ref().filter(|_| !ask.check) {
            answer(mapping, &ask, &body, &mut output, at_work)?;
        }
        say(&mut output, &Said::Done)?;
        output.flush()?;
    }
}

fn say(output: &mut impl Write, said: &Said) -> io::Result<()> {
    let mut line = serde_json::to_vec(said)?;
    line.push(b'\n');
    output.write_all(&line)
}

fn answer(
    mapping: &Mapping,
    ask: &Ask,
    body: &[u8],
    output: &mut impl Write,
    at_work: &dyn Fn(bool),
) -> io::Result<()> {
    let declared = Declared {
        instance: ask.instance.clone(),
        zone: ask.zone.clone(),
        name: ask.name.clone(),
    };
    let items = mapping.items(body, &declared);
    say(output, &Said::Found(items.len()))?;
    output.flush()?;
    for (number, item) in items.into_iter().enumerate().skip(ask.skip) {
        at_work(true);
        let fatal = ask.fatal && number == ask.skip;
        for line in lines(mapping, item, fatal, &declared) {
            if let Some(said) = Said::of(line) {
                say(output, &said)?;
            }
        }
        say(output, &Said::Item(number + 1))?;
        // The next item may be the one at which this process is ended.
        output.flush()?;
    }
    Ok(())
}

fn lines(mapping: &Mapping, item: Found, fatal: bool, declared: &Declared) -> Vec<NewLine> {
    match item {
        Ok(item) if fatal => vec![over_limit(
            "the expressions took more memory or time with this item than a mapping may; look for what grows in them",
            &item,
        )],
        Ok(item) => mapping.records(&item, declared),
        Err((class, reason, bytes)) => vec![payload::dead("/mapping", class, reason, &bytes)],
    }
}
