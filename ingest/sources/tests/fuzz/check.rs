//! What holds for any bytes: nothing panics, equal bytes give equal records, what is refused says
//! why, and what comes out is bounded by what went in.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use callboard_model::ids::Key;
use callboard_model::record::{Interpreter, MAX_REASON_BYTES, MAX_RECORD_BYTES, Record, RouteKey};
use callboard_sources::adapter::{Declared, of_platform};
use callboard_sources::asterisk::Feed;
use callboard_sources::lines::{HEAD_BYTES, Kind, LineReader, NewLine, detect};
use callboard_sources::registry::Registry;

use super::{Parser, mapped, mutate};
use crate::fold::{Chance, Rows, fold};

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What: of equal faults one is kept. A panic's place, or the name of the property.
    pub kind: String,
    /// The particulars.
    pub detail: String,
}

impl Fault {
    fn new(kind: &str, detail: impl Into<String>) -> Fault {
        Fault {
            kind: kind.to_owned(),
            detail: detail.into(),
        }
    }
}

/// Bytes of records for a byte of input. An event of many contacts is a record of each.
const MOST_BYTES_OF_A_BYTE: usize = 64;
/// The same of a mapping: a short row is kept as an object of all columns, with an event for each part.
const MOST_BYTES_OF_A_MAPPED_BYTE: usize = 512;
/// What may come out of next to nothing.
const ANYWAY: usize = 4_096;

thread_local! {
    static LAST: RefCell<Option<(String, String)>> = const { RefCell::new(None) };
}

/// Panics are noted where they happen, and not printed.
fn note_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !FUZZING.with(|f| *f.borrow()) {
                return usual(info);
            }
            let place = info.location().map_or_else(String::new, |l| {
                format!("{}:{}:{}", l.file(), l.line(), l.column())
            });
            LAST.with(|l| *l.borrow_mut() = Some((place, info.to_string())));
        }));
    });
}

thread_local! {
    static FUZZING: RefCell<bool> = const { RefCell::new(false) };
}

/// The first thing wrong with what becomes of these bytes.
pub fn fault(parser: &Parser, bytes: &[u8], declared: &Declared, thorough: bool) -> Option<Fault> {
    note_panics();
    FUZZING.with(|f| *f.borrow_mut() = true);
    let found = catch_unwind(AssertUnwindSafe(|| all(parser, bytes, declared, thorough)));
    FUZZING.with(|f| *f.borrow_mut() = false);
    match found {
        Ok(Ok(())) => None,
        Ok(Err(fault)) => Some(fault),
        Err(_) => {
            let last = LAST.with(|l| l.borrow_mut().take());
            let (place, text) = last.unwrap_or_default();
            Some(Fault::new(&format!("panic at {place}"), text))
        }
    }
}

/// What a door may have stamped on a source.
pub fn declared(chance: &mut Chance) -> Declared {
    let of = |n: usize, words: [&str; 3]| words.get(n).copied().unwrap_or("").to_owned();
    Declared {
        instance: of(chance.below(2), ["t1", "", ""]),
        zone: of(chance.below(4), ["", "Europe/Berlin", "Nowhere/At all"]),
        name: of(
            chance.below(3),
            ["", "c-1_analysis_2026-03-02T09:01:10Z.json", "queue_log"],
        ),
    }
}

fn lines(parser: &Parser, bytes: &[u8], declared: &Declared, cut: usize) -> Vec<NewLine> {
    let read = |kind| {
        let mut reader = LineReader::new(kind, &declared.instance, &declared.zone, &[]);
        let (a, b) = bytes.split_at(cut.min(bytes.len()));
        let mut out = reader.push(a);
        out.extend(reader.push(b));
        out.extend(reader.finish());
        out
    };
    if parser.name == "mapping" {
        return mapped::lines(bytes, declared);
    }
    if let Some(adapter) = of_platform(parser.name) {
        return adapter.split(bytes, declared);
    }
    if parser.name == "lines" {
        let head = &bytes[..bytes.len().min(HEAD_BYTES)];
        return detect(&declared.name, head).map_or_else(Vec::new, read);
    }
    let feed = Feed::ALL.into_iter().find(|f| f.name() == parser.name);
    read(feed.map_or(Kind::Events, Kind::Asterisk))
}

fn all(parser: &Parser, bytes: &[u8], declared: &Declared, thorough: bool) -> Result<(), Fault> {
    let found = lines(parser, bytes, declared, bytes.len());
    if thorough {
        // The same bytes, in other parts where the reader takes parts.
        if lines(parser, bytes, declared, bytes.len() / 3) != found {
            return Err(Fault::new("ids", "the same bytes gave other records"));
        }
        if let Some(adapter) = of_platform(parser.name) {
            let query = String::from_utf8_lossy(&bytes[..bytes.len().min(300)]);
            let _ = adapter.handshake(&query, bytes);
        }
    }
    let mut records = Vec::new();
    let (mut of_records, mut of_dead) = (0, 0);
    for line in found {
        match line {
            NewLine::Record(r) => {
                of_records += r.bytes.len();
                if r.id.is_empty() || !r.source.starts_with('/') {
                    return Err(Fault::new("identity", format!("{:?} {:?}", r.source, r.id)));
                }
                records.push(r.received(0));
            }
            NewLine::Event(line) => {
                let event = event(&line);
                of_records += line.len();
                records.push(event);
            }
            NewLine::Dead(d) => {
                of_dead += 1;
                let is_word = |w: &str| {
                    !w.is_empty()
                        && w.bytes()
                            .all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit())
                };
                if !is_word(d.class) || d.reason.is_empty() || d.reason.len() > MAX_REASON_BYTES {
                    let told = format!("class {:?}, reason {:?}", d.class, d.reason);
                    return Err(Fault::new("dead letter", told));
                }
                if d.bytes.len() > MAX_RECORD_BYTES
                    || d.length < d.bytes.len() as u64
                    || d.sha256.len() != 64
                {
                    let told = format!("{} {} {}", d.bytes.len(), d.length, d.sha256);
                    return Err(Fault::new("dead letter's bytes", told));
                }
            }
        }
    }
    let of_a_byte = match parser.name {
        "mapping" => MOST_BYTES_OF_A_MAPPED_BYTE,
        _ => MOST_BYTES_OF_A_BYTE,
    };
    let most = bytes.len() * of_a_byte + ANYWAY;
    if of_records > most || records.len() + of_dead > bytes.len() + 1 {
        let told = format!(
            "{} bytes became {} records of {of_records} bytes and {of_dead} dead letters",
            bytes.len(),
            records.len()
        );
        return Err(Fault::new("too much", told));
    }
    if thorough {
        statements(bytes.len(), &records)?;
    }
    let rows = fold(&records);
    bounded(bytes.len(), &rows)?;
    if thorough && unique(&records) {
        records.reverse();
        let back = fold(&records);
        if back != rows && format!("{back:?}") != format!("{rows:?}") {
            return Err(Fault::new(
                "order",
                "records in reverse order made other rows",
            ));
        }
    }
    Ok(())
}

/// An event of ours as a door makes a record of it.
fn event(line: &[u8]) -> Record {
    let value: serde_json::Value = serde_json::from_slice(line).unwrap_or_default();
    let text = |name: &str| value[name].as_str().unwrap_or("").to_owned();
    Record {
        source: text("source").into(),
        id: text("id").into(),
        format: "event".into(),
        received_at: 0,
        stamp: std::sync::Arc::default(),
        bytes: line.to_vec().into(),
    }
}

fn unique(records: &[Record]) -> bool {
    let ids: BTreeSet<(&str, &str)> = records.iter().map(|r| (&*r.source, &*r.id)).collect();
    ids.len() == records.len()
}

/// What records say is bounded by their bytes, and who refuses says why.
fn statements(length: usize, records: &[Record]) -> Result<(), Fault> {
    let mut said = 0;
    let mut keys = 0;
    for record in records {
        match Registry.route(record) {
            Ok(routing) => {
                keys += routing.keys.len();
                for key in &routing.keys {
                    if let RouteKey::Contact(ids) = key
                        && ids.is_empty()
                    {
                        return Err(Fault::new("no key", "a contact without an id"));
                    }
                }
                match &routing.statements {
                    Some(list) => said += list.len(),
                    None => {
                        for key in &routing.keys {
                            let key = match key {
                                RouteKey::Direct(key) => key.clone(),
                                RouteKey::Contact(ids) => Key::Contact(ids[0].clone()),
                            };
                            said += Registry.interpret(&key, &[record]).len();
                        }
                    }
                }
            }
            Err(why) => {
                if why.class.is_empty()
                    || why.reason.is_empty()
                    || why.reason.len() > MAX_REASON_BYTES
                {
                    return Err(Fault::new("refusal", format!("{why:?}")));
                }
            }
        }
    }
    if said > 4 * length + ANYWAY || keys > length + ANYWAY {
        let told = format!("{length} bytes said {said} things of {keys} keys");
        return Err(Fault::new("too many statements", told));
    }
    Ok(())
}

/// Rows are bounded by the bytes, too; states of agents by the days that they last.
fn bounded(length: usize, rows: &Rows) -> Result<(), Fault> {
    let of_contacts: usize = rows
        .contacts
        .values()
        .map(|c| c.segments.len() + c.offers.len() + c.links.len() + c.aliases.len())
        .sum();
    let turns: usize = rows.turns.values().map(Vec::len).sum();
    if of_contacts + turns > 4 * length + ANYWAY {
        let told = format!("{length} bytes made {of_contacts} rows and {turns} turns");
        return Err(Fault::new("too many rows", told));
    }
    Ok(())
}

/// The input of a seed, and what is declared beside it.
pub fn of_seed(parser: &Parser, captures: &[super::Capture], seed: u64) -> (Vec<u8>, Declared) {
    let mut chance = mutate::chance(seed ^ u64::from(parser.salt));
    let mut declared = declared(&mut chance);
    let (bytes, mapping) = mutate::input(captures, &mut chance);
    if !mapping.is_empty() {
        // Mappings do not ask for a file's name: here it says which of them reads.
        declared.name = mapping.to_owned();
    }
    (bytes, declared)
}

/// The least part of the bytes of which the same is so, found by leaving out ever smaller parts.
pub fn least(bytes: &[u8], same: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut kept = bytes.to_vec();
    let mut part = kept.len() / 2;
    while part > 0 {
        let mut at = 0;
        while at < kept.len() {
            let mut less = kept.clone();
            less.drain(at..(at + part).min(kept.len()));
            match same(&less) {
                true => kept = less,
                false => at += part,
            }
        }
        part /= 2;
    }
    kept
}
