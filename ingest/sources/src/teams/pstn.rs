//! Rows of the PSTN usage report and of the Direct Routing report: one leg of a call on the
//! telephone network. Each stands alone; legs of one call share a correlation where the report has
//! one. `callId` is not unique and joins nothing.

use std::sync::Arc;

use callboard_model::record::{Provenance, Record, Refusal, Routing, rank};
use callboard_model::statement::{F, Statement, Thing};

use super::feed::Feed;
use super::read::{At, Length, after, id, plain, seconds, yes};
use super::row::Row;
use super::story::ranked;
use super::{contact, instance_source};

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

/// What a row speaks of and says.
///
/// # Errors
/// A refusal when the bytes are no row, or the row has neither an id nor a time.
pub fn route(record: &Record, feed: Feed) -> Result<Routing, Refusal> {
    let row = Row::of(record)?;
    let mut ids: Vec<String> = ["sharedcorrelationid", "correlationid", "id", "usageid"]
        .iter()
        .filter_map(|n| row.get(&[n]).and_then(id))
        .collect();
    let start = row.time(&["startdatetime", "starttime"], &["startdatetimelocal"]);
    let invite = row.time(&["invitedatetime", "invitetime"], &[]);
    let failed_at = row.time(&["failuredatetime", "failuretime"], &[]);
    let length = row.get(&["duration", "durationseconds"]).and_then(seconds);
    let end = row
        .time(&["enddatetime", "endtime"], &[])
        .or(failed_at)
        .or_else(|| Some(after(start?, length?)));
    let begin = [invite, start, end]
        .into_iter()
        .flatten()
        .min_by_key(|t| t.0);
    if ids.is_empty() {
        let Some((us, _)) = begin else {
            let reason =
                "a row without id and without time; export the columns Id and Start time too";
            return Err(Refusal::new("missing_attribute", reason));
        };
        ids.push(format!("row-{us}-{}", record.id));
    }
    let call_type = row.text(&["calltype"]).unwrap_or_default();
    let told = Told {
        by: record.provenance(rank::RECORD, end.or(begin).map(|t| t.0)),
        id: row.get(&["id", "usageid"]).and_then(id).unwrap_or_default(),
        leg: leg(&call_type),
        call_type,
        invite,
        start,
        end,
        length,
        failed: row.get(&["successfulcall", "success"]).and_then(yes) == Some(false),
        code: row.int(&["finalsipcode"]),
    };
    let mut said = vec![told.contact(&row, record, feed, begin)];
    if let Some((us, p)) = end {
        // However the call was led on: it ended when its last leg did.
        said.push(Statement::new(Thing::Contact, &told.by).time(F::End, us, p));
    }
    said.extend(told.parts(&row));
    Ok(Routing {
        keys: vec![contact(&record.stamp.instance, &ids)],
        statements: Some(said),
        time: begin.map(|t| t.0),
    })
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

    fn parts(&self, row: &Row) -> Vec<Statement> {
        let user = row
            .get(&["userprincipalname", "upn"])
            .map(str::to_lowercase);
        let user = user
            .or_else(|| row.get(&["userid"]).and_then(id))
            .unwrap_or_default();
        let part = |name: &str| {
            let id = format!("{name}-{}", self.id);
            Statement::new(Thing::Segment(id.as_str().into()), &self.by)
        };
        let mut said = Vec::new();
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
            let mut s = part("dial")
                .text(F::Kind, "dial")
                .text(F::Agent, if self.leg.application { "" } else { &user })
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
            said.push(s);
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
            let mut s = part("talk")
                .text(F::Kind, "talk")
                .text(F::Agent, &user)
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
            said.push(s);
        }
        said
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
