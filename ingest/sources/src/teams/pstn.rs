//! Rows of the PSTN usage report and of the Direct Routing report: one leg of a call on the
//! telephone network. Legs of one call share a correlation where the report has one, and a call
//! record may bear the same id. `callId` is not unique and joins nothing.

use std::sync::Arc;

use callboard_model::record::{Provenance, Record, Refusal, rank};
use callboard_model::statement::{F, Statement, Thing};

use super::feed::Feed;
use super::instance_source;
use super::read::{At, Length, after, id, plain, seconds, yes};
use super::row::Row;
use super::story::ranked;

/// What kind of leg a call type names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Leg {
    /// inbound or outbound.
    direction: &'static str,
    /// A voice application stands at our end.
    application: bool,
    /// It carries on a call: transferred or forwarded to a number.
    onward: bool,
    /// It is a leg of a conference.
    conference: bool,
}

fn leg(call_type: &str) -> Leg {
    let word = plain(call_type);
    let has = |part: &str| word.contains(part);
    Leg {
        direction: if has("out") {
            "outbound"
        } else if has("in") {
            "inbound"
        } else {
            ""
        },
        application: has("ucap"),
        onward: has("transfer") || has("forward"),
        conference: has("conf"),
    }
}

/// A leg as far as the call record of the same call needs it.
#[derive(Debug, Clone)]
pub struct Line {
    /// The user at our end: sign-in name, else id; empty where an application stands there.
    pub user: String,
    /// The segment of the dialling, if the row tells of any.
    pub dial: Option<String>,
    /// The segment of the talk, if the row tells of any.
    pub talk: Option<String>,
    /// When it was taken up.
    pub start: Option<At>,
    /// When it ended.
    pub end: Option<At>,
    /// What the row says.
    pub said: Vec<Statement>,
}

/// Which call a row speaks of: its ids, and the earliest time in it.
///
/// # Errors
/// A refusal when the bytes are no row, or the row has neither an id nor a time.
pub fn ids(record: &Record) -> Result<(Vec<String>, Option<i64>), Refusal> {
    let row = Row::of(record)?;
    let mut ids: Vec<String> = ["sharedcorrelationid", "correlationid", "id", "usageid"]
        .iter()
        .filter_map(|n| row.get(&[n]).and_then(id))
        .collect();
    let begin = Times::of(&row).begin().map(|t| t.0);
    if ids.is_empty() {
        let Some(us) = begin else {
            let reason =
                "a row without id and without time; export the columns Id and Start time too";
            return Err(Refusal::new("missing_attribute", reason));
        };
        ids.push(format!("row-{us}-{}", record.id));
    }
    Ok((ids, begin))
}

/// What a row says of its call.
///
/// # Errors
/// A refusal when the bytes are no row.
pub fn line(record: &Record, feed: Feed) -> Result<Line, Refusal> {
    let row = Row::of(record)?;
    let times = Times::of(&row);
    let begin = times.begin();
    let call_type = row.text(&["calltype"]).unwrap_or_default();
    let told = Told {
        by: record.provenance(rank::RECORD, times.end.or(begin).map(|t| t.0)),
        id: row.get(&["id", "usageid"]).and_then(id).unwrap_or_default(),
        leg: leg(&call_type),
        call_type,
        invite: times.invite,
        start: times.start,
        end: times.end,
        length: times.length,
        failed: row.get(&["successfulcall", "success"]).and_then(yes) == Some(false),
        code: row.int(&["finalsipcode"]),
    };
    let mut said = vec![told.contact(&row, record, feed, begin)];
    if let Some((us, p)) = told.end {
        // However the call was led on: it ended when its last leg did.
        said.push(Statement::new(Thing::Contact, &told.by).time(F::End, us, p));
    }
    let user = row
        .get(&["userprincipalname", "upn"])
        .map(str::to_lowercase);
    let user = user
        .or_else(|| row.get(&["userid"]).and_then(id))
        .unwrap_or_default();
    let mut line = Line {
        user: if told.leg.application {
            String::new()
        } else {
            user.clone()
        },
        dial: None,
        talk: None,
        start: told.start,
        end: told.end,
        said,
    };
    told.parts(&row, &user, &mut line);
    Ok(line)
}

/// The times of a row.
struct Times {
    invite: Option<At>,
    start: Option<At>,
    end: Option<At>,
    length: Option<Length>,
}

impl Times {
    fn of(row: &Row) -> Times {
        let start = row.time(&["startdatetime", "starttime"], &["startdatetimelocal"]);
        let failed_at = row.time(&["failuredatetime", "failuretime"], &[]);
        let length = row.get(&["duration", "durationseconds"]).and_then(seconds);
        let end = row
            .time(&["enddatetime", "endtime"], &[])
            .or(failed_at)
            .or_else(|| Some(after(start?, length?)));
        Times {
            invite: row.time(&["invitedatetime", "invitetime"], &[]),
            start,
            end,
            length,
        }
    }

    fn begin(&self) -> Option<At> {
        let all = [self.invite, self.start, self.end];
        all.into_iter().flatten().min_by_key(|t| t.0)
    }
}

struct Told {
    by: Arc<Provenance>,
    id: String,
    leg: Leg,
    call_type: String,
    invite: Option<At>,
    start: Option<At>,
    end: Option<At>,
    length: Option<Length>,
    failed: bool,
    code: Option<i64>,
}

impl Told {
    fn contact(&self, row: &Row, record: &Record, feed: Feed, begin: Option<At>) -> Statement {
        let word = |names: &[&str]| row.text(names).unwrap_or_default();
        let (caller, callee) = (
            word(&["callernumber", "callerid"]),
            word(&["calleenumber", "destinationnumber"]),
        );
        let customer = match self.leg.direction {
            "outbound" => &callee,
            _ => &caller,
        };
        // Of a call that was led on to a number, the leg that came first tells what the call was.
        let by = if self.leg.onward {
            ranked(&self.by, rank::LIVE)
        } else {
            self.by.clone()
        };
        let mut s = Statement::new(Thing::Contact, &by)
            .text(F::Source, &instance_source(&record.stamp.instance))
            .text(F::Channel, "voice")
            .text(F::Direction, self.leg.direction)
            .text(F::Customer, customer)
            .text(F::Dialled, &callee)
            .text(F::EndReason, &word(&["finalsipcodephrase"]))
            .text(F::Tenant, &word(&["tenantid"]));
        if self.failed {
            s = s.text(F::RawOutcome, &word(&["finalsipcode"]));
        }
        if let Some((us, p)) = begin {
            s = s.time(F::Start, us, p);
        }
        let connectivity = if feed == Feed::DirectRouting {
            "DirectRouting"
        } else {
            "CallingPlan"
        };
        s = s
            .text(F::Attr("pstn_connectivity".into()), connectivity)
            .text(F::Attr("pstn_call_type".into()), &self.call_type);
        for (name, columns) in ATTRIBUTES {
            s = s.text(F::Attr((*name).into()), &word(columns));
        }
        s
    }

    fn parts(&self, row: &Row, user: &str, line: &mut Line) {
        let part = |name: &str| {
            let id = format!("{name}-{}", self.id);
            (
                Statement::new(Thing::Segment(id.as_str().into()), &self.by),
                id,
            )
        };
        // Until somebody, or an application, takes it up; and all there is of a leg that failed or
        // that leads a call on to a number.
        let dialled = self.invite.is_some()
            || self.failed
            || self.leg.onward
            || (self.leg.application && self.leg.direction == "outbound");
        if dialled && !(self.leg.application && self.leg.direction == "inbound" && !self.failed) {
            let over = if self.failed || self.leg.onward || self.leg.application {
                self.end
            } else {
                self.start
            };
            let outcome = match (self.failed, self.code) {
                (false, _) => "answered",
                (true, Some(486 | 600)) => "busy",
                (true, Some(408 | 480)) => "no_answer",
                (true, Some(487)) => "canceled",
                (true, _) => "failed",
            };
            let code = self.code.map(|c| c.to_string()).unwrap_or_default();
            let (s, id) = part("dial");
            line.dial = Some(id);
            let mut s = s
                .text(F::Kind, "dial")
                .text(F::Agent, if self.leg.application { "" } else { user })
                .text(F::Outcome, outcome)
                .text(F::RawOutcome, &code)
                .text(
                    F::Reason,
                    if self.leg.onward { &self.call_type } else { "" },
                );
            if self.leg.direction == "outbound" {
                let callee = row.text(&["calleenumber"]).unwrap_or_default();
                s = s.text(F::TargetKind, "external").text(F::Target, &callee);
            }
            if let Some((us, p)) = self.invite.or(self.start) {
                s = s.time(F::Start, us, p);
            }
            if let Some((us, p)) = over {
                s = s.time(F::End, us, p);
            }
            line.said.push(s);
        }
        if !self.failed && !self.leg.onward && !self.leg.application {
            let mode = match self.leg {
                Leg {
                    conference: true, ..
                } => "conference",
                Leg {
                    direction: "outbound",
                    ..
                } => "outbound",
                _ => "serve",
            };
            let (s, id) = part("talk");
            line.talk = Some(id);
            let mut s = s
                .text(F::Kind, "talk")
                .text(F::Agent, user)
                .text(F::Mode, mode);
            if let Some((us, p)) = self.start {
                s = s.time(F::Start, us, p);
            }
            if let Some((us, p)) = self.end {
                s = s.time(F::End, us, p);
            }
            if let Some((ms, p)) = self.length {
                s = s.millis(F::Duration, ms, p);
            }
            if let (Some(invite), Some(start)) = (self.invite, self.start) {
                s = s.millis(F::Ring, (start.0 - invite.0) / 1_000, start.1.max(invite.1));
            }
            line.said.push(s);
        }
    }
}

/// What is kept of a row under its own name.
const ATTRIBUTES: &[(&str, &[&str])] = &[
    ("pstn_call_id", &["callid"]),
    ("pstn_conference_id", &["conferenceid"]),
    ("user_id", &["userid"]),
    ("charge", &["charge"]),
    ("connection_charge", &["connectioncharge"]),
    ("currency", &["currency"]),
    ("licence", &["licensecapability"]),
    ("inventory_type", &["inventorytype"]),
    ("operator", &["operator"]),
    ("duration_source", &["calldurationsource"]),
    ("destination", &["destinationname"]),
    ("usage_country", &["usagecountrycode"]),
    ("trunk", &["trunkfullyqualifieddomainname"]),
    ("media_bypass", &["mediabypassenabled"]),
    ("media_path", &["mediapathlocation"]),
    ("signalling", &["signalinglocation"]),
    ("sip_code", &["finalsipcode"]),
    ("sub_reason", &["callendsubreason"]),
];
