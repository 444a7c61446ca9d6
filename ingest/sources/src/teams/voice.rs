//! Rows of the voice-application analytics, one per call: an auto attendant's, a queue's, an
//! agent's, or one row that holds several of them.

use std::sync::Arc;

use callboard_model::record::{Provenance, Record, Refusal, rank};

use super::feed::{AA_RESULT, AGENT, CQ_LEGEND, CQ_RESULT, Feed};
use super::read::{At, Length, clock, day, id, seconds, short, yes};
use super::row::Row;
use super::words;

/// A row.
#[derive(Debug, Clone)]
pub struct VoiceRow {
    /// Who says so; recorded at the time the service wrote the row, where it was asked for.
    pub by: Arc<Provenance>,
    /// Ids of the call: conference, dialog, document.
    pub ids: Vec<String>,
    /// Id of the document, of which a later row is a later version.
    pub document: String,
    /// Start of the call.
    pub start: Option<At>,
    /// End of the call.
    pub end: Option<At>,
    /// Length of the call, or of the agent's part.
    pub length: Option<Length>,
    /// Tenant.
    pub tenant: Option<String>,
    /// External or Internal, as the service sees the last leg.
    pub call_type: Option<String>,
    /// How the call came in.
    pub connectivity: Option<String>,
    /// Minutes of telephone network.
    pub pstn_minutes: Option<String>,
    /// The caller's sign-in name, where the caller has one.
    pub caller: Option<String>,
    /// Calls that the row stands for.
    pub count: i64,
    /// What it tells of an auto attendant.
    pub menu: Option<Menu>,
    /// What it tells of a queue.
    pub stay: Option<Stay>,
    /// The agent, where it is an agent's row.
    pub agent: Option<String>,
}

/// An auto attendant in a call.
#[derive(Debug, Clone, Default)]
pub struct Menu {
    /// Its id.
    pub id: Option<String>,
    /// Its resource account.
    pub name: Option<String>,
    /// State at the end.
    pub flow: Option<String>,
    /// Result.
    pub result: Option<String>,
    /// Action of a transfer.
    pub action: Option<String>,
    /// How the directory was searched.
    pub search: Option<String>,
    /// What the caller did, counted.
    pub actions: Option<i64>,
    /// When the caller came to it.
    pub start: Option<At>,
    /// How long the caller was in it.
    pub length: Option<Length>,
    /// Place in the chain.
    pub index: i64,
    /// Auto attendants in the call.
    pub count: Option<i64>,
}

/// A queue in a call.
#[derive(Debug, Clone, Default)]
pub struct Stay {
    /// Its id.
    pub id: Option<String>,
    /// Its resource account, or the queue's name.
    pub name: Option<String>,
    /// Result.
    pub result: Option<String>,
    /// Kind of the target; `None` when it was not asked for.
    pub target: Option<String>,
    /// What was done at last.
    pub action: Option<String>,
    /// Time in the queue.
    pub length: Option<Length>,
    /// Agents of the queue.
    pub agents: Option<i64>,
    /// Agents who had opted in.
    pub opted_in: Option<i64>,
    /// Whether the queue connects by conference.
    pub conference: Option<bool>,
    /// The queue from which the call came.
    pub from: Option<String>,
}

const MENU_NAME: &[&str] = &[
    "autoattendantidentity",
    "aaraname",
    "aaname",
    "autoattendantname",
];
const QUEUE_NAME: &[&str] = &["callqueueidentity", "cqraname", "cqname", "callqueuename"];
const START: &[&str] = &[
    "userstarttimeutc",
    "callstarttimeutc",
    "callstarttime",
    "starttime",
];
const START_LOCAL: &[&str] = &["callstarttimelocal", "datetime"];
const END: &[&str] = &["endtime", "callendtimeutc", "callendtime", "userendtimeutc"];
const END_LOCAL: &[&str] = &["callendtimelocal"];

impl VoiceRow {
    /// Reads a record of one of the three feeds.
    ///
    /// # Errors
    /// A refusal when the bytes are no row.
    pub fn of(record: &Record, feed: Feed) -> Result<VoiceRow, Refusal> {
        let row = Row::of(record)?;
        let written = row.time(&["timestamp"], &[]);
        let start = row.time(START, START_LOCAL).or_else(|| in_parts(&row));
        let end = row.time(END, END_LOCAL);
        let ids: Vec<String> = ["conferenceid", "dialogid", "documentid"]
            .iter()
            .filter_map(|n| row.get(&[n]).and_then(id))
            .collect();
        let first_calls = row.get(&["firstiscaller"]).and_then(yes);
        let (one, other) = (row.text(&["firstupn"]), row.text(&["secondupn"]));
        let (caller, called) = match first_calls {
            Some(false) => (other, one),
            _ => (one, other),
        };
        let agent = row
            .text(AGENT)
            .or_else(|| (feed == Feed::AgentTimeline).then_some(called).flatten());
        let is_agents = feed == Feed::AgentTimeline && agent.is_some();
        let (menu, stay) = (menu(&row), stay(&row));
        Ok(VoiceRow {
            by: record.provenance(rank::RECORD, written.or(end).or(start).map(|t| t.0)),
            document: row.get(&["documentid"]).and_then(id).unwrap_or_default(),
            ids,
            start,
            end,
            length: length(&row),
            tenant: row.get(&["tenantid"]).and_then(id),
            call_type: row.text(&["pstncalltype", "aacalltype", "cqcalltype"]),
            connectivity: row
                .get(&[
                    "pstnconnectivitytype",
                    "aaconnectivitytype",
                    "cqconnectivitytyperaw",
                    "cqconnectivitytype",
                    "cqconnectivitytypecode",
                ])
                .map(words::connectivity),
            pstn_minutes: row.text(&["pstntotalminutes", "pstnminutes"]),
            caller: caller.filter(|c| agent.as_deref().is_none_or(|a| short(a) != short(c))),
            count: row.int(&["totalcallcount", "callcount"]).unwrap_or(1),
            menu,
            stay,
            agent: if is_agents { agent } else { None },
        })
    }

    /// Whether the row tells of one call: of something in it, and not of several added up.
    pub fn is_one_call(&self) -> bool {
        let tells = self.menu.is_some() || self.stay.is_some() || self.agent.is_some();
        let placed = !self.ids.is_empty() || (self.count <= 1 && self.time().is_some());
        tells && placed
    }

    /// The platform's own time of the row.
    pub fn time(&self) -> Option<i64> {
        self.start.or(self.end).map(|t| t.0)
    }
}

fn menu(row: &Row) -> Option<Menu> {
    let menu = Menu {
        id: row.get(&["autoattendantid", "aaguid", "aaid"]).and_then(id),
        name: row.text(MENU_NAME),
        flow: row.text(&["autoattendantcallflow", "aacallflow", "aacallflowraw"]),
        result: row.text(AA_RESULT),
        action: row.text(&["autoattendanttransferaction", "aatransferaction"]),
        search: row.text(&[
            "autoattendantdirectorysearchmethod",
            "aadirectorysearchmethod",
        ]),
        actions: row.int(&["autoattendantcalleractioncounts", "aacalleractioncount"]),
        start: row.time(
            &["autoattendantchainstarttime", "aastarttimeutc"],
            &["aastarttimelocal"],
        ),
        length: row
            .get(&[
                "autoattendantchaindurationinsecs",
                "aachainduration",
                "aachaindurationseconds",
            ])
            .and_then(seconds),
        index: row
            .int(&["autoattendantchainindex", "aachainindex"])
            .unwrap_or(0),
        count: row.int(&["autoattendantcount", "aacount"]),
    };
    (menu.id.is_some() || menu.name.is_some() || menu.result.is_some() || menu.flow.is_some())
        .then_some(menu)
}

fn stay(row: &Row) -> Option<Stay> {
    const TARGET: &[&str] = &["callqueuetargettype", "cqtargettype", "cqtargettyperaw"];
    let legend = || row.get(CQ_LEGEND).map(words::result_of_legend);
    let legend = || legend().filter(|w| !w.is_empty()).map(str::to_owned);
    let target = row
        .has(TARGET)
        .then(|| row.text(TARGET).unwrap_or_default());
    let stay = Stay {
        id: row.get(&["callqueueid", "cqguid", "cqid"]).and_then(id),
        name: row.text(QUEUE_NAME).filter(|n| !is_withheld(n)),
        result: row.text(CQ_RESULT).or_else(legend),
        target,
        action: row.text(&["callqueuefinalstateaction", "cqfinalstateaction"]),
        length: row
            .get(&[
                "callqueuedurationseconds",
                "cqcalldurationseconds",
                "averagecallqueuedurationsec",
                "avgcallqueuedurationseconds",
            ])
            .and_then(seconds),
        agents: row.int(&["callqueueagentcount", "cqagentcount"]),
        opted_in: row.int(&["callqueueagentoptincount", "cqagentoptincount"]),
        conference: row
            .get(&["isconferencemode", "callqueueisconferencemode"])
            .and_then(yes),
        from: row.text(&[
            "transferredfromcallqueueidentity",
            "transferredfromcqidentity",
        ]),
    };
    (stay.id.is_some() || stay.name.is_some() || stay.result.is_some()).then_some(stay)
}

/// What stands where the reader may not see the queue's name.
fn is_withheld(name: &str) -> bool {
    name.eq_ignore_ascii_case("NOTAUTHCQ") || name == "4999"
}

fn length(row: &Row) -> Option<Length> {
    row.get(&[
        "duration",
        "calldurationseconds",
        "calldurationsecond",
        "callduration",
    ])
    .and_then(|t| seconds(t).or_else(|| clock(t)))
    .or_else(|| row.get(&["calldurationhhmmss"]).and_then(clock))
    .or_else(|| {
        let minutes = row.get(&["calldurationminutes"]).and_then(seconds)?;
        Some((minutes.0 * 60, 60_000_000))
    })
    .or_else(|| {
        row.get(&["avgcallduration", "averagecalldurationseconds"])
            .and_then(seconds)
    })
}

/// A start that was asked for in parts: date, hour, minute, second.
fn in_parts(row: &Row) -> Option<At> {
    let date = day(row.get(&["date", "utcdate"])?)?;
    let part = |name| u32::try_from(row.int(&[name])?).ok();
    let (hour, minute) = (part("hour")?, part("minute")?);
    let second = part("second");
    let at = date.and_hms_opt(hour, minute, second.unwrap_or(0))?;
    let precision = if second.is_some() {
        1_000_000
    } else {
        60_000_000
    };
    Some((at.and_utc().timestamp_micros(), precision))
}
