//! From files to rows, in memory: lines, routing, keys joined by their ids, interpretation, merge.

use std::collections::BTreeMap;
use std::io::Read;

use callboard_model::ids::Key;
use callboard_model::record::{Interpreter, Record};
use callboard_model::rows::{ContactRows, agent_rows, contact_rows};
use callboard_model::statement::Thing;
use callboard_model::tables::AgentStateRow;
use callboard_sources::asterisk::Feed;
use callboard_sources::lines::{Kind, LineReader, NewLine};
use callboard_sources::registry::Registry;

use crate::gather::{gather_by, least};

/// Feeds of the recorded shift.
pub const RECORDED: [Feed; 4] = [Feed::QueueLog, Feed::Cel, Feed::Cdr, Feed::Ami];

/// Bytes of one file of the recorded shift.
pub fn shift_file(feed: Feed) -> Vec<u8> {
    let folder = "../../datasets/shift-asterisk";
    let name = match feed {
        Feed::QueueLog => "queue_log",
        Feed::Cel => "cel.csv",
        Feed::Cdr => "cdr.csv",
        Feed::Ami => "ami.jsonl.gz",
        Feed::Ari => panic!("the REST interface was not recorded"),
    };
    let bytes = std::fs::read(format!("{folder}/{name}")).unwrap();
    if name.ends_with(".gz") {
        let mut plain = Vec::new();
        flate2::read::MultiGzDecoder::new(&bytes[..])
            .read_to_end(&mut plain)
            .unwrap();
        plain
    } else {
        bytes
    }
}

/// Records of a text of a feed.
pub fn records(feed: Feed, bytes: &[u8]) -> Vec<Record> {
    let mut reader = LineReader::new(Kind::Asterisk(feed), "pbx1", "", &[]);
    let mut lines = reader.push(bytes);
    lines.extend(reader.finish());
    lines
        .into_iter()
        .map(|l| match l {
            NewLine::Record(r) => r.received(0),
            other => panic!("not a record: {other:?}"),
        })
        .collect()
}

/// Records of the shift.
pub fn shift(feeds: &[Feed]) -> Vec<Record> {
    feeds
        .iter()
        .flat_map(|f| records(*f, &shift_file(*f)))
        .collect()
}

/// All rows that a set of records gives.
#[derive(Debug, PartialEq)]
pub struct Rows {
    pub contacts: BTreeMap<String, ContactRows>,
    pub agents: BTreeMap<String, Vec<AgentStateRow>>,
    pub restarts: Vec<i64>,
}

/// Contacts are joined by their ids; every key's set is interpreted and merged. `horizon` is until
/// when states that last are told, UTC microseconds.
pub fn rows(records: &[Record], horizon: i64) -> Rows {
    rows_by(&Registry, records, horizon)
}

/// The same with another interpreter.
pub fn rows_by(by: &dyn Interpreter, records: &[Record], horizon: i64) -> Rows {
    let gathered = gather_by(by, records);
    assert!(gathered.refused.is_empty(), "{:?}", gathered.refused);
    let mut restarts = Vec::new();
    let mut agents = BTreeMap::new();
    for (key, state) in &gathered.direct {
        match key {
            Key::Instance(_) => restarts.extend(state.iter().filter_map(|(t, _)| match t {
                Thing::Restart(at) => Some(*at),
                _ => None,
            })),
            Key::Agent(source, agent) => {
                let rows = agent_rows(source, agent, state, &[], horizon);
                agents.insert(agent.to_string(), rows);
            }
            _ => {}
        }
    }
    restarts.sort_unstable();
    let mut contacts = BTreeMap::new();
    for (ids, state) in &gathered.contacts {
        let rows = contact_rows(ids, state, &restarts);
        if rows.contact.is_some() {
            contacts.insert(least(ids).contact_id(), rows);
        }
    }
    Rows {
        contacts,
        agents,
        restarts,
    }
}

/// Rows of texts of feeds.
pub fn told(texts: &[(Feed, &str)]) -> Rows {
    let all: Vec<Record> = texts
        .iter()
        .flat_map(|(feed, text)| records(*feed, text.as_bytes()))
        .collect();
    rows(&all, 1_795_300_000_000_000)
}
