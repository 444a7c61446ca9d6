//! The feeds, and how one is told by what it holds.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::read::plain;
use super::row::Row;

/// What Microsoft's cloud gives of Teams telephony.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Feed {
    /// Rows of auto attendants, one per call.
    AutoAttendant,
    /// Rows of call queues, one per call.
    CallQueue,
    /// Rows of agents, one per call and agent.
    AgentTimeline,
    /// Rows that sum up many calls (per day, per hour), and lists of what one may see. They say
    /// nothing of one call.
    Sums,
    /// Graph call records, with or without sessions.
    CallRecord,
    /// Pages of a call record's sessions or participants.
    CallRecordPage,
    /// Graph change notifications: they name a call record and say nothing of it.
    Notification,
    /// Rows of the PSTN usage report.
    Pstn,
    /// Rows of the Direct Routing report.
    DirectRouting,
    /// A user's presence.
    Presence,
    /// What Graph tells of a recording.
    Recording,
    /// Settings of a call queue, as the administrator's shell prints them.
    QueueSettings,
}

impl Feed {
    /// Every feed.
    pub const ALL: [Feed; 12] = [
        Feed::AutoAttendant,
        Feed::CallQueue,
        Feed::AgentTimeline,
        Feed::Sums,
        Feed::CallRecord,
        Feed::CallRecordPage,
        Feed::Notification,
        Feed::Pstn,
        Feed::DirectRouting,
        Feed::Presence,
        Feed::Recording,
        Feed::QueueSettings,
    ];

    /// Format of its records.
    pub const fn format(self) -> &'static str {
        match self {
            Feed::AutoAttendant => "teams/auto-attendant",
            Feed::CallQueue => "teams/call-queue",
            Feed::AgentTimeline => "teams/agent-timeline",
            Feed::Sums => "teams/sums",
            Feed::CallRecord => "teams/call-record",
            Feed::CallRecordPage => "teams/call-record-page",
            Feed::Notification => "teams/notification",
            Feed::Pstn => "teams/pstn-call",
            Feed::DirectRouting => "teams/direct-routing-call",
            Feed::Presence => "teams/presence",
            Feed::Recording => "teams/call-recording",
            Feed::QueueSettings => "teams/queue-settings",
        }
    }

    /// The feed whose records have that format.
    pub fn of_format(format: &str) -> Option<Feed> {
        Feed::ALL.into_iter().find(|f| f.format() == format)
    }

    /// Last part of the source.
    pub fn name(self) -> &'static str {
        self.format().split('/').next_back().unwrap_or_default()
    }

    /// Whether its records are rows of the voice-application analytics.
    pub fn is_voice(self) -> bool {
        matches!(
            self,
            Feed::AutoAttendant | Feed::CallQueue | Feed::AgentTimeline
        )
    }
}

/// Columns by which a row names an agent.
pub const AGENT: &[&str] = &[
    "agentname",
    "agentupn",
    "agentuserprincipalname",
    "callqueueagentupn",
];
/// Columns of the result of a queue.
pub const CQ_RESULT: &[&str] = &[
    "callqueuecallresult",
    "cqcallresultraw",
    "cqcallresult",
    "callresult",
];
/// Columns that codes of a queue's result stand in.
pub const CQ_LEGEND: &[&str] = &[
    "callqueuecallresultlegend",
    "cqcallresultlegendcode",
    "cqcallresultlegendstring",
    "cqcallresultlegend",
];
/// Columns of the result of an auto attendant.
pub const AA_RESULT: &[&str] = &["autoattendantcallresult", "aacallresultraw", "aacallresult"];
/// Columns of the ids of a call.
pub const CALL_IDS: &[&str] = &["conferenceid", "dialogid", "documentid"];

/// The feed of a row by its columns.
pub fn of_columns(row: &Row) -> Option<Feed> {
    if row.has(&[
        "trunkfullyqualifieddomainname",
        "finalsipcode",
        "invitedatetime",
        "successfulcall",
    ]) {
        return Some(Feed::DirectRouting);
    }
    if row.has(&["calltype"])
        && row.has(&["calleenumber", "callernumber", "callid", "inventorytype"])
    {
        return Some(Feed::Pstn);
    }
    if row.has(&[
        "overflowthreshold",
        "timeoutthreshold",
        "servicelevelthresholdresponsetimeinsecond",
    ]) {
        return Some(Feed::QueueSettings);
    }
    if row.has(&["autoattendantdetails", "callqueuedetails", "agentdetails"]) {
        return Some(Feed::Sums);
    }
    let agent = row.has(AGENT);
    let aa =
        row.has_any("autoattendant") || row.has_any("aacall") || row.has(&["aaname", "aaraname"]);
    let queue = row.has_any("callqueue") || row.has_any("cq") || row.has(&["hascq"]);
    if !agent && !aa && !queue {
        return None;
    }
    let sums = row.has(&["averagecalldurationseconds", "averagecallqueuedurationsec"])
        || row.has_any("avg")
        || row.has(&["agenttimelineanalyticslink", "callqueuefinalstateaction"]);
    if sums && !row.has(CALL_IDS) && !row.has(&["userstarttimeutc"]) {
        return Some(Feed::Sums);
    }
    let second = row.has(&["secondupn"]) && !row.has(CQ_RESULT) && !row.has(AA_RESULT);
    Some(match () {
        () if agent || second => Feed::AgentTimeline,
        () if row.has(CQ_RESULT) || row.has(CQ_LEGEND) || (queue && !row.has(AA_RESULT)) => {
            Feed::CallQueue
        }
        () => Feed::AutoAttendant,
    })
}

/// The feed of an object by its members.
pub fn of_object(map: &BTreeMap<String, &RawValue>) -> Option<Feed> {
    let row = Row::of_names(map.keys().map(String::as_str));
    if row.has(&["subscriptionid", "lifecycleevent"]) {
        return Some(Feed::Notification);
    }
    if row.has(&["availability"]) && row.has(&["activity"]) {
        return Some(Feed::Presence);
    }
    if row.has(&["recordingcontenturl"]) {
        return Some(Feed::Recording);
    }
    let whole = [
        "modalities",
        "sessions",
        "organizer",
        "organizerv2",
        "participants",
        "participantsv2",
    ];
    if row.has(&["id"]) && row.has(&whole) && !row.has(&["caller", "callee"]) {
        return Some(Feed::CallRecord);
    }
    of_columns(&row)
}

/// The call record that a page of its sessions or participants belongs to, by the context that the
/// service writes on it.
pub fn page_of(context: &str) -> Option<String> {
    let (_, rest) = context.split_once("callRecords('")?;
    let (id, what) = rest.split_once("')")?;
    let what = plain(what);
    (what.starts_with("sessions") || what.starts_with("participants")).then(|| id.to_owned())
}
