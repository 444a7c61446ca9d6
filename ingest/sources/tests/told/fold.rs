//! From bytes to rows.

use std::collections::BTreeMap;

use callboard_model::ids::Key;
use callboard_model::record::Record;
use callboard_model::rows::{ContactRows, agent_rows, recording_rows};
use callboard_model::tables::{AgentStateRow, RecordingRow};
use callboard_sources::adapter::{Declared, of_platform};
use callboard_sources::asterisk::Feed;
use callboard_sources::lines::{Kind, LineReader, NewLine};

use crate::day::{Dice, Sheet};
use crate::gather::gather;

/// Rows of contacts, agents and recordings.
#[derive(Default)]
pub struct Rows {
    pub contacts: Vec<ContactRows>,
    pub agents: Vec<AgentStateRow>,
    pub recordings: Vec<RecordingRow>,
}

/// The records of what arrives; nothing may be dead.
pub fn records(platform: &str, arrives: &[Sheet]) -> Vec<Record> {
    if platform == "asterisk" {
        return log(arrives);
    }
    let adapter = of_platform(platform).unwrap();
    let mut all = Vec::new();
    for sheet in arrives {
        let declared = Declared {
            // Where the bytes name the instance, that is read.
            instance: match platform {
                "amazon-connect" => String::new(),
                _ => sheet.site.clone(),
            },
            zone: String::new(),
            name: sheet.file.clone(),
        };
        for line in adapter.split(&sheet.bytes, &declared) {
            match line {
                NewLine::Record(r) => all.push(r.received(0)),
                NewLine::Dead(d) => panic!("{}: {}: {}", d.class, d.reason, show(&d.bytes)),
                NewLine::Event(e) => panic!("an event of ours: {e:?}"),
            }
        }
    }
    all
}

/// The logs of each site: files are read in their order, and their records then come in any.
fn log(arrives: &[Sheet]) -> Vec<Record> {
    let mut logs: BTreeMap<(&str, &str), Vec<&Sheet>> = BTreeMap::new();
    for sheet in arrives {
        let log = (&*sheet.site, &*sheet.file);
        logs.entry(log).or_default().push(sheet);
    }
    let mut all = Vec::new();
    for ((site, file), sheets) in logs {
        let feed = match file {
            "queue_log" => Feed::QueueLog,
            "cel.csv" => Feed::Cel,
            other => panic!("nobody reads {other}"),
        };
        let mut reader = LineReader::new(Kind::Asterisk(feed), site, "", &[]);
        let mut lines = Vec::new();
        for sheet in sheets {
            lines.extend(reader.push(&[sheet.bytes.as_slice(), b"\n"].concat()));
        }
        lines.extend(reader.finish());
        all.extend(lines.into_iter().map(|line| match line {
            NewLine::Record(r) => r.received(0),
            other => panic!("not a record: {other:?}"),
        }));
    }
    let mut dice = Dice::new(7);
    for n in (1..all.len()).rev() {
        all.swap(n, dice.below(n + 1));
    }
    all
}

/// The beginning of bytes, to be read.
pub fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().take(1_500).collect()
}

/// Rows of records, in the order in which they come; none of them may be refused. Agents' states are
/// told until `horizon`.
pub fn rows(records: &[Record], horizon: i64) -> Rows {
    let gathered = gather(records);
    assert!(gathered.refused.is_empty(), "{:?}", gathered.refused);
    let mut out = Rows {
        contacts: gathered.contact_rows().into_values().collect(),
        ..Rows::default()
    };
    for (key, state) in &gathered.direct {
        match key {
            Key::Agent(source, agent) => {
                out.agents
                    .extend(agent_rows(source, agent, state, &[], horizon));
            }
            Key::Recording(id) => out.recordings.extend(recording_rows(id, state).recording),
            _ => {} // surveys, notes: of no table of the truth
        }
    }
    out
}
