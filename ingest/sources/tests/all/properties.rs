//! Generated histories: 5 to 60 records of queue_log, CEL and AMI over two contacts and an agent,
//! with ids that join the two. However they arrive (any order, repeated, in any batches, with
//! contacts that had settled reopened), the rows are those of the set. And three bugs that people
//! write are caught by the same property.

use std::collections::BTreeSet;
use std::sync::Arc;

use callboard_model::ids::{Key, PlatformId};
use callboard_model::record::{Interpreter, Record, Refusal, RouteKey, Routing};
use callboard_model::statement::{F, Statement, Thing, Value};
use callboard_sources::asterisk::Feed::{self, Ami, Cel, QueueLog};
use callboard_sources::registry::Registry;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::pipeline::{Rows, records, rows_by};

const T: i64 = 1_795_253_000;
const HORIZON: i64 = (T + 100_000) * 1_000_000;
const CASES: u32 = 10_000;

/// Something that happens: what, in which call, when (quarters of a second), to which member.
type Act = (usize, usize, u32, usize);

const QUEUE_LOG: &[&str] = &[
    "C|NONE|NONE|DID|5550100",
    "C|NONE|NONE|IVR|main|1|Q",
    "C|Q|NONE|ENTERQUEUE||5551|2|Ann",
    "C|Q|M|CONNECT|3|CmN|2",
    "C|Q|M|COMPLETECALLER|3|9|2",
    "C|Q|M|COMPLETEAGENT|3|9|2",
    "C|Q|M|BLINDTRANSFER|7003|internal|3|9|2",
    "C|Q|M|ATTENDEDTRANSFER|BRIDGE|b9|3|9|2",
    "C|Q|NONE|ABANDON|1|2|7",
    "C|Q|NONE|EXITWITHTIMEOUT|1|2|7",
    "C|Q|NONE|EXITEMPTY|1|2|7",
    "C|Q|NONE|EXITWITHKEY|9|1|2|7",
    "C|Q|M|RINGNOANSWER|4000",
    "C|Q|M|RINGCANCELED|1200",
    "C|Q|NONE|OVERFLOW|other",
    "C|Q|NONE|CALLBACKREQUEST|5551",
    "MANAGER|Q|Anna|ADDMEMBER|",
    "MANAGER|Q|Anna|REMOVEMEMBER|",
    "NONE|Q|Anna|PAUSE|Tea",
    "NONE|Q|Anna|UNPAUSE|",
    "NONE|NONE|Anna|PAUSEALL|Tea",
    "NONE|NONE|NONE|QUEUESTART|",
];

/// Event, application, data, uniqueid, linkedid, extra.
const CEL: &[[&str; 6]] = &[
    ["CHAN_START", "", "", "C", "C", ""],
    ["APP_START", "Queue", "Q,t,,,45", "C", "C", ""],
    ["APP_END", "Queue", "Q,t,,,45", "C", "C", ""],
    ["APP_START", "VoiceMail", "200@default", "C", "C", ""],
    ["APP_END", "VoiceMail", "200@default", "C", "C", ""],
    ["CHAN_START", "", "", "CmN", "C", ""],
    ["ANSWER", "AppQueue", "", "CmN", "C", ""],
    [
        "BRIDGE_ENTER",
        "AppQueue",
        "",
        "CmN",
        "C",
        "{\"bridge_id\":\"Cb\"}",
    ],
    [
        "BRIDGE_ENTER",
        "Queue",
        "",
        "C",
        "C",
        "{\"bridge_id\":\"Cb\"}",
    ],
    [
        "BRIDGE_EXIT",
        "AppQueue",
        "",
        "CmN",
        "C",
        "{\"bridge_id\":\"Cb\"}",
    ],
    [
        "BRIDGE_EXIT",
        "Queue",
        "",
        "C",
        "C",
        "{\"bridge_id\":\"Cb\"}",
    ],
    ["DTMF", "BackGround", "", "C", "C", "{\"digit\":\"1\"}"],
    [
        "HANGUP",
        "AppQueue",
        "",
        "CmN",
        "C",
        "{\"hangupcause\":26,\"hangupsource\":\"\"}",
    ],
    [
        "HANGUP",
        "",
        "",
        "C",
        "C",
        "{\"hangupcause\":16,\"hangupsource\":\"SIP/C-1\"}",
    ],
    ["CHAN_END", "", "", "CmN", "C", ""],
    ["CHAN_END", "", "", "C", "C", ""],
    ["LINKEDID_END", "", "", "C", "C", ""],
    // The ids that make one contact of two.
    ["BRIDGE_ENTER", "", "", "D", "C", "{\"bridge_id\":\"Cb\"}"],
    [
        "ATTENDEDTRANSFER",
        "AppQueue",
        "",
        "CmN",
        "C",
        "{\"transferee_channel_uniqueid\":\"C\",\"transfer_target_channel_uniqueid\":\"D\"}",
    ],
];

const AMI: &[&str] = &[
    "\"Event\":\"Newchannel\",\"Uniqueid\":\"C\",\"Linkedid\":\"C\",\"Context\":\"from-trunk\",\"Exten\":\"5550100\"",
    "\"Event\":\"QueueCallerJoin\",\"Uniqueid\":\"C\",\"Linkedid\":\"C\",\"Queue\":\"Q\",\"Position\":\"2\",\"CallerIDNum\":\"5551\"",
    "\"Event\":\"AgentCalled\",\"Uniqueid\":\"C\",\"Linkedid\":\"C\",\"Queue\":\"Q\",\"MemberName\":\"M\",\"Interface\":\"SIP/M\",\"DestUniqueid\":\"CmN\",\"DestChannel\":\"SIP/M-1\"",
    "\"Event\":\"AgentConnect\",\"Uniqueid\":\"C\",\"Linkedid\":\"C\",\"Queue\":\"Q\",\"MemberName\":\"M\",\"Interface\":\"SIP/M\",\"DestUniqueid\":\"CmN\",\"HoldTime\":\"3\",\"RingTime\":\"2\"",
    "\"Event\":\"AgentComplete\",\"Uniqueid\":\"C\",\"Linkedid\":\"C\",\"Queue\":\"Q\",\"MemberName\":\"M\",\"DestUniqueid\":\"CmN\",\"HoldTime\":\"3\",\"TalkTime\":\"9\",\"Reason\":\"agent\"",
    "\"Event\":\"AgentRingNoAnswer\",\"Uniqueid\":\"C\",\"Linkedid\":\"C\",\"Queue\":\"Q\",\"MemberName\":\"M\",\"DestUniqueid\":\"CmN\",\"RingTime\":\"4000\"",
    "\"Event\":\"QueueCallerAbandon\",\"Uniqueid\":\"C\",\"Linkedid\":\"C\",\"Queue\":\"Q\",\"Position\":\"1\",\"OriginalPosition\":\"2\",\"HoldTime\":\"7\"",
    "\"Event\":\"QueueCallerLeave\",\"Uniqueid\":\"C\",\"Linkedid\":\"C\",\"Queue\":\"Q\",\"Position\":\"1\"",
    "\"Event\":\"Hold\",\"Uniqueid\":\"CmN\",\"Linkedid\":\"C\",\"Channel\":\"SIP/M-1\"",
    "\"Event\":\"Unhold\",\"Uniqueid\":\"CmN\",\"Linkedid\":\"C\",\"Channel\":\"SIP/M-1\"",
    "\"Event\":\"Hangup\",\"Uniqueid\":\"CmN\",\"Linkedid\":\"C\",\"Cause\":\"26\"",
    "\"Event\":\"Hangup\",\"Uniqueid\":\"C\",\"Linkedid\":\"C\",\"Cause\":\"16\"",
    "\"Event\":\"UserEvent\",\"UserEvent\":\"IvrChoice\",\"Menu\":\"main\",\"Digit\":\"1\",\"Target\":\"Q\",\"Uniqueid\":\"C\",\"Linkedid\":\"C\"",
    "\"Event\":\"QueueMemberAdded\",\"Queue\":\"Q\",\"MemberName\":\"Anna\",\"Interface\":\"SIP/Anna\",\"Paused\":\"0\",\"Status\":\"1\"",
    "\"Event\":\"QueueMemberPause\",\"Queue\":\"Q\",\"MemberName\":\"Anna\",\"Interface\":\"SIP/Anna\",\"Paused\":\"1\",\"PausedReason\":\"Tea\",\"Status\":\"1\"",
    "\"Event\":\"QueueMemberStatus\",\"Queue\":\"Q\",\"MemberName\":\"Anna\",\"Interface\":\"SIP/Anna\",\"Paused\":\"0\",\"Status\":\"6\"",
    "\"Event\":\"QueueMember\",\"Queue\":\"Q\",\"Name\":\"Anna\",\"Location\":\"SIP/Anna\",\"Paused\":\"1\",\"LoginTime\":\"1795252000\",\"Status\":\"2\"",
];

const CALLS: [&str; 2] = ["100.1", "100.25"];
const MEMBERS: [&str; 3] = ["Anna", "Ben", "Zoë"];

fn fill(template: &str, (_, call, _, member): Act) -> String {
    template
        .replace('C', "\u{1}")
        .replace('D', "\u{2}")
        .replace('Q', "\u{3}")
        .replace('M', "\u{4}")
        .replace('N', "\u{5}")
        .replace("\u{1}ALL", "CALL")
        .replace('\u{1}', CALLS[call])
        .replace('\u{2}', CALLS[1 - call])
        .replace('\u{3}', if member == 2 { "sales" } else { "support" })
        .replace('\u{4}', MEMBERS[member])
        .replace('\u{5}', ["1", "2", "3"][member])
}

/// Words in capitals keep their letters: only a whole field is filled in a queue_log line.
fn queue_log_line(act: Act) -> String {
    let fields: Vec<String> = QUEUE_LOG[act.0]
        .split('|')
        .map(|f| {
            if ["C", "Q", "M", "CmN"].contains(&f) {
                fill(f, act)
            } else {
                f.to_owned()
            }
        })
        .collect();
    format!("{}|{}\n", T + i64::from(act.2) / 4, fields.join("|"))
}

fn cel_line(act: Act) -> String {
    let [event, app, data, unique, linked, extra] = CEL[act.0 - QUEUE_LOG.len()];
    let data = match data.strip_prefix('Q') {
        Some(rest) => fill("Q", act) + rest,
        None => data.to_owned(),
    };
    let (unique, linked) = (fill(unique, act), fill(linked, act));
    let extra = extra
        .replace("\"Cb\"", &format!("\"bridge{}\"", act.1))
        .replace("\"C\"", &format!("\"{}\"", CALLS[act.1]))
        .replace("\"D\"", &format!("\"{}\"", CALLS[1 - act.1]))
        .replace("SIP/C-1", &format!("SIP/{unique}-1"))
        .replace('"', "\"\"");
    format!(
        "\"{event}\",\"{}.{:06}\",\"Ann\",\"5551\",\"\",\"\",\"\",\"5550100\",\"from-trunk\",\"SIP/{unique}-1\",\"{app}\",\"{data}\",\"3\",\"\",\"{unique}\",\"{linked}\",\"\",\"\",\"\",\"{extra}\"\n",
        T + i64::from(act.2) / 4,
        (act.2 % 4) * 250_000 + 137
    )
}

fn ami_line(act: Act) -> String {
    let template = AMI[act.0 - QUEUE_LOG.len() - CEL.len()];
    let body = template
        .replace("\"C\"", &format!("\"{}\"", CALLS[act.1]))
        .replace("\"CmN\"", &format!("\"{}\"", fill("CmN", act)))
        .replace("\"Q\"", &format!("\"{}\"", fill("Q", act)))
        .replace("\"M\"", &format!("\"{}\"", MEMBERS[act.3]))
        .replace("SIP/M", &format!("SIP/{}", MEMBERS[act.3]));
    let stamp = if template.contains("\"QueueMember\"") {
        let at = callboard_model::time::format_rfc3339((T + i64::from(act.2) / 4) * 1_000_000);
        format!("\"recv\":\"{at}\"")
    } else {
        format!(
            "\"Timestamp\":\"{}.{:06}\"",
            T + i64::from(act.2) / 4,
            (act.2 % 4) * 250_000 + 53
        )
    };
    format!("{{{stamp},{body}}}\n")
}

/// The records of a history: each feed's lines in its own order of time.
fn history(acts: &[Act]) -> Vec<Record> {
    let mut acts = acts.to_vec();
    acts.sort_by_key(|a| a.2);
    let mut texts: [(Feed, String); 3] = [
        (QueueLog, String::new()),
        (Cel, String::new()),
        (Ami, String::new()),
    ];
    for act in acts {
        let (n, line) = match act.0 {
            n if n < QUEUE_LOG.len() => (0, queue_log_line(act)),
            n if n < QUEUE_LOG.len() + CEL.len() => (1, cel_line(act)),
            _ => (2, ami_line(act)),
        };
        texts[n].1 += &line;
    }
    texts
        .iter()
        .flat_map(|(feed, text)| records(*feed, text.as_bytes()))
        .collect()
}

/// Bugs that people write.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Bug {
    None,
    /// What was said first stays, whatever comes later.
    FirstWins,
    /// Time of receipt stands in for the platform's own.
    ReceiptCounts,
    /// Two keys that prove to be one keep the records of one of them.
    JoinForgets,
}

struct Buggy(Bug);

impl Interpreter for Buggy {
    fn route(&self, record: &Record) -> Result<Routing, Refusal> {
        Registry.route(record)
    }

    fn interpret(&self, key: &Key, set: &[&Record]) -> Vec<Statement> {
        let said = Registry.interpret(key, set);
        match self.0 {
            Bug::FirstWins => {
                let place = |s: &Statement| {
                    set.iter()
                        .position(|r| r.source == s.by.source && r.id == s.by.id)
                };
                let mut said = said;
                said.sort_by_key(|s| place(s));
                let mut seen: Vec<(Thing, F)> = Vec::new();
                for s in &mut said {
                    let about = s.about.clone();
                    s.facts.retain(|(f, _)| {
                        let known = seen.contains(&(about.clone(), f.clone()));
                        seen.push((about.clone(), f.clone()));
                        !known
                    });
                }
                said
            }
            Bug::ReceiptCounts => said
                .into_iter()
                .map(|mut s| {
                    let received = set
                        .iter()
                        .find(|r| r.source == s.by.source && r.id == s.by.id)
                        .map(|r| r.received_at);
                    let mut by = (*s.by).clone();
                    by.recorded_at = received;
                    s.by = Arc::new(by);
                    s
                })
                .collect(),
            _ => said,
        }
    }
}

/// Keys as they live: joined when a record proves them one, settled and reopened.
struct Live {
    bug: Bug,
    contacts: Vec<(BTreeSet<PlatformId>, Vec<Record>)>,
    others: Vec<Record>,
}

impl Live {
    fn take(&mut self, record: Record) {
        let known = |r: &Record| r.source == record.source && r.id == record.id;
        if self.others.iter().any(known) {
            return;
        }
        let routing = Registry.route(&record).unwrap();
        let Some(RouteKey::Contact(ids)) = routing.keys.first() else {
            self.others.push(record);
            return;
        };
        let mut all: BTreeSet<PlatformId> = ids.iter().cloned().collect();
        let mut set: Vec<Record> = Vec::new();
        let (joined, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.contacts)
            .into_iter()
            .partition(|(theirs, _)| theirs.iter().any(|id| all.contains(id)));
        self.contacts = rest;
        for (n, (ids, records)) in joined.into_iter().enumerate() {
            all.extend(ids);
            if self.bug != Bug::JoinForgets || n == 0 {
                set.extend(records);
            }
        }
        if !set.iter().any(known) {
            set.push(record);
        }
        self.contacts.push((all, set));
    }

    /// Rows of what is known now.
    fn rows(&self) -> Rows {
        let all: Vec<Record> = self
            .contacts
            .iter()
            .flat_map(|(_, set)| set.clone())
            .chain(self.others.iter().cloned())
            .collect();
        rows_by(&Buggy(self.bug), &all, HORIZON)
    }
}

/// A small generator for the order of arrival.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }
}

/// The property: rows of the set in order, against rows after arriving in disorder, repeated and
/// in batches between which rows were made.
fn holds(acts: &[Act], seed: u64, bug: Bug) -> Result<(), TestCaseError> {
    let all = history(acts);
    let given = rows_by(&Buggy(bug), &all, HORIZON);
    let mut dice = Dice(seed);
    let mut arriving = all.clone();
    for _ in 0..all.len() / 3 {
        arriving.push(all[dice.below(all.len())].clone());
    }
    for n in (1..arriving.len()).rev() {
        let other = dice.below(n + 1);
        arriving.swap(n, other);
    }
    let mut live = Live {
        bug,
        contacts: Vec::new(),
        others: Vec::new(),
    };
    let batch = 1 + dice.below(arriving.len());
    for (n, mut record) in arriving.into_iter().enumerate() {
        record.received_at = i64::try_from(n).unwrap();
        live.take(record);
        if n % batch == batch - 1 {
            // What settles here has rows; the records that come later reopen it.
            let early = live.rows();
            prop_assert!(early.contacts.len() <= 2);
        }
    }
    let now = live.rows();
    prop_assert_eq!(&now.contacts, &given.contacts);
    prop_assert_eq!(&now.agents, &given.agents);
    prop_assert_eq!(&now.restarts, &given.restarts);
    Ok(())
}

fn run(cases: u32, bug: Bug) -> Result<(), String> {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    };
    let kinds = QUEUE_LOG.len() + CEL.len() + AMI.len();
    let act = (0..kinds, 0..2usize, 0..480u32, 0..3usize);
    let acts = proptest::collection::vec(act, 5..=60);
    TestRunner::new(config)
        .run(&(acts, any::<u64>()), |(acts, seed)| {
            holds(&acts, seed, bug)
        })
        .map_err(|e| e.to_string())
}

#[test]
fn rows_depend_on_the_set_alone() {
    run(CASES, Bug::None).unwrap();
}

#[test]
fn planted_bugs_are_caught() {
    for bug in [Bug::FirstWins, Bug::ReceiptCounts, Bug::JoinForgets] {
        assert!(run(CASES, bug).is_err(), "{bug:?} went unnoticed");
    }
}

/// The generated histories are no noise: most of them give contacts with talks, holds and joins.
#[test]
fn generated_histories_reach_what_they_are_for() {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut joined = 0;
    let mut dice = Dice(7);
    for _ in 0..300 {
        let kinds = QUEUE_LOG.len() + CEL.len() + AMI.len();
        let acts: Vec<Act> = (0..40)
            .map(|_| {
                let at = u32::try_from(dice.below(480)).unwrap();
                (dice.below(kinds), dice.below(2), at, dice.below(3))
            })
            .collect();
        let rows = rows_by(&Registry, &history(&acts), HORIZON);
        joined += usize::from(rows.contacts.len() == 1);
        for c in rows.contacts.values() {
            for s in &c.segments {
                seen.insert(format!("{} {}", s.kind, s.outcome.as_deref().unwrap_or("")));
            }
            for o in &c.offers {
                seen.insert(format!("offer {}", o.outcome.as_deref().unwrap_or("")));
            }
        }
    }
    assert!(joined > 100, "{joined}");
    for wanted in [
        "queue answered",
        "queue abandoned",
        "queue timeout",
        "queue no_agents",
        "queue key_exit",
        "talk completed",
        "talk transferred",
        "menu selected",
        "hold resumed",
        "offer accepted",
        "offer no_answer",
        "offer caller_left",
        "offer taken_elsewhere",
        "callback ",
    ] {
        assert!(seen.contains(wanted), "{wanted} is missing in {seen:?}");
    }
}

/// A value is never what arrived last: the statements themselves are the same, in any order.
#[test]
fn statements_are_the_same_in_any_order() {
    let mut dice = Dice(11);
    for _ in 0..200 {
        let kinds = QUEUE_LOG.len() + CEL.len() + AMI.len();
        let acts: Vec<Act> = (0..30)
            .map(|_| {
                let at = u32::try_from(dice.below(200)).unwrap();
                (dice.below(kinds), 0, at, dice.below(3))
            })
            .collect();
        let all = history(&acts);
        let key = Key::Contact(PlatformId::new("asterisk", "pbx1", CALLS[0]));
        let forward: Vec<&Record> = all.iter().collect();
        let backward: Vec<&Record> = all.iter().rev().collect();
        let first = Registry.interpret(&key, &forward);
        assert_eq!(first, Registry.interpret(&key, &backward));
        assert!(
            first
                .iter()
                .all(|s| s.facts.iter().all(|(_, v)| *v != Value::text("")))
        );
    }
}
