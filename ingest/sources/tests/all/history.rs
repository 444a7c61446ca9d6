//! Generated histories: lines of queue_log, CEL and AMI about two calls and their members.

use callboard_model::record::Record;
use callboard_sources::asterisk::Feed::{self, Ami, Cel, QueueLog};

use crate::pipeline::records;

const T: i64 = 1_795_253_000;
pub const HORIZON: i64 = (T + 100_000) * 1_000_000;

/// Something that happens: what, in which call, when (quarters of a second), to which member.
pub type Act = (usize, usize, u32, usize);

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

pub const CALLS: [&str; 2] = ["100.1", "100.25"];
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
pub fn history(acts: &[Act]) -> Vec<Record> {
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

/// How many kinds of things happen.
pub fn kinds() -> usize {
    QUEUE_LOG.len() + CEL.len() + AMI.len()
}
