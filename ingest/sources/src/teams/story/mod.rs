//! One call out of all that is told of it: rows of the analytics, call records, telephone reports.
//!
//! The analytics know the verdicts (result, target, wait) and tell times in whole seconds, of the
//! call's beginning and end alone. The call record knows who was connected when, finely, and no
//! verdict. So verdicts and waits are the analytics', people and their times are refined by the
//! call record, and what only it has (a second auto attendant, a second queue, a mailbox, a screen
//! that was shared, an expert who joined) is added. A telephone report tells one leg on the telephone
//! network whole; what the call record tells of that leg is added to it.

mod legs;
mod menus;
mod stays;
mod talks;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use callboard_model::measures;
use callboard_model::record::{Provenance, Record, rank};
use callboard_model::statement::{F, Statement, Thing};

use super::callrecord::{CallRecord, Who};
use super::feed::Feed;
use super::instance_source;
use super::pstn::{self, Line};
use super::read::{At, after, plain, short};
use super::voice::VoiceRow;
use crate::payload::measured::Measured;
use legs::{Leg, Legs};

/// A part of the call, as far as the next parts need it.
#[derive(Debug, Clone, Default)]
pub(super) struct Part {
    /// Segment id.
    pub id: String,
    /// Start.
    pub start: Option<At>,
    /// End.
    pub end: Option<At>,
    /// Queue or auto attendant.
    pub name: String,
    /// Our outcome.
    pub outcome: String,
}

/// What is told of a call.
pub(super) struct Call {
    /// Rows, the last version of each, in order.
    pub rows: Vec<VoiceRow>,
    /// Call records, each whole.
    pub calls: Vec<CallRecord>,
    /// Who was connected to what.
    pub legs: Legs,
    /// Legs on the telephone network.
    pub lines: Vec<Line>,
    /// Full sign-in names by their beginnings.
    names: BTreeMap<String, String>,
    /// End of the call.
    pub end: Option<At>,
}

/// What a set of records says of a call.
pub fn tell(set: &[&Record]) -> Vec<Statement> {
    let mut rows = Vec::new();
    let mut parts: BTreeMap<String, Vec<CallRecord>> = BTreeMap::new();
    let mut lines = Vec::new();
    let mut instance = String::new();
    for record in set {
        let Some(feed) = Feed::of_format(&record.format) else {
            continue;
        };
        if instance.is_empty() || record.stamp.instance < instance {
            instance = record.stamp.instance.clone();
        }
        if feed.is_voice() {
            rows.extend(VoiceRow::of(record, feed).ok());
        } else if matches!(feed, Feed::Pstn | Feed::DirectRouting) {
            lines.extend(pstn::line(record, feed).ok());
        } else if let Ok(call) = CallRecord::of(record, feed) {
            parts.entry(call.id.clone()).or_default().push(call);
        }
    }
    let calls: Vec<CallRecord> = parts.into_values().filter_map(CallRecord::whole).collect();
    let legs = legs::of(&calls);
    let rows = latest(rows);
    let mut said: Vec<Statement> = Vec::new();
    for line in &mut lines {
        said.append(&mut line.said);
    }
    if rows.is_empty() && !legs.is_contact() {
        return said;
    }
    let names = full_names(&rows, &legs);
    let ends = rows
        .iter()
        .filter_map(|r| r.end.or_else(|| Some(after(r.start?, r.length?))));
    let ends = ends.chain(calls.iter().filter_map(|c| c.end));
    let call = Call {
        end: ends.max_by_key(|e| e.0),
        rows,
        calls,
        legs,
        lines,
        names,
    };
    let menus = menus::tell(&call, &mut said);
    let stays = stays::tell(&call, &menus, &mut said);
    talks::tell(&call, &stays, &mut said);
    call.contact(&instance, &mut said);
    said
}

/// Whether the queue connected by conference: as it was set, or as the result says.
fn conference_mode(row: &VoiceRow) -> Option<String> {
    let stay = row.stay.as_ref()?;
    let result = stay.result.as_ref().map(|r| r.to_ascii_lowercase());
    let by_result = match result.as_deref() {
        Some("agent_joined_conference") => Some(true),
        Some("transferred_to_agent") => Some(false),
        _ => None,
    };
    stay.conference.or(by_result).map(|c| c.to_string())
}

/// Of each row the version that was written last: of one document, feed, agent, queue and place.
fn latest(mut rows: Vec<VoiceRow>) -> Vec<VoiceRow> {
    let place = |r: &VoiceRow| {
        let queue = r.stay.as_ref().and_then(|s| s.name.as_deref()).map(short);
        let agent = r.agent.as_deref().map(short);
        let call = if r.document.is_empty() {
            r.ids.first().cloned().unwrap_or_default()
        } else {
            r.document.clone()
        };
        let menu = r
            .menu
            .as_ref()
            .map(|m| (m.index, m.name.as_deref().map(short)));
        (call, r.by.source.clone(), agent, queue, menu)
    };
    rows.sort_by(|a, b| place(a).cmp(&place(b)).then_with(|| b.by.tail_cmp(&a.by)));
    rows.dedup_by(|later, first| place(later) == place(first));
    rows.sort_by(order);
    rows
}

fn order(a: &VoiceRow, b: &VoiceRow) -> Ordering {
    (a.start, a.end, &a.document, &a.agent)
        .cmp(&(b.start, b.end, &b.document, &b.agent))
        .then_with(|| a.by.tail_cmp(&b.by))
}

/// The name of a queue as rows show it: of a resource account what stands before the `@`.
pub fn queue_name(name: &str) -> &str {
    let name = name.trim();
    name.split('@').next().unwrap_or(name)
}

/// A sign-in name for each beginning of one, and for each written name, that the call tells of.
fn full_names(rows: &[VoiceRow], legs: &Legs) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    let of_rows = rows.iter().filter_map(|r| r.agent.as_deref());
    for upn in of_rows.filter(|a| a.contains('@')) {
        names.insert(plain(&short(upn)), upn.to_lowercase());
    }
    for person in legs.people() {
        let full = person.agent();
        for known in [
            plain(&short(&person.upn)),
            plain(&person.name),
            plain(&person.id),
        ] {
            if !known.is_empty() && !full.is_empty() {
                names.entry(known).or_insert_with(|| full.clone());
            }
        }
    }
    names
}

/// The same record's word under another rank.
pub(in crate::teams) fn ranked(by: &Arc<Provenance>, rank: u8) -> Arc<Provenance> {
    Arc::new(Provenance {
        rank,
        ..(**by).clone()
    })
}

/// A statement about a segment.
pub(super) fn segment(id: &str, kind: &str, by: &Arc<Provenance>) -> Statement {
    Statement::new(Thing::Segment(id.into()), by).text(F::Kind, kind)
}

/// Adds a time if there is one.
pub(super) fn timed(s: Statement, f: F, at: Option<At>) -> Statement {
    match at {
        Some((us, precision)) => s.time(f, us, precision),
        None => s,
    }
}

/// Says that a part has ended and that nobody tells when.
pub(super) fn untold(s: Statement) -> Statement {
    s.flag(F::Over, true)
}

impl Call {
    /// An agent as fully as the call names him.
    pub fn agent(&self, name: &str) -> String {
        let known = self.names.get(&plain(&short(name)));
        known.cloned().unwrap_or_else(|| match name.contains('@') {
            true => name.to_lowercase(),
            false => name.to_owned(),
        })
    }

    fn contact(&self, instance: &str, said: &mut Vec<Statement>) {
        let about =
            |by| Statement::new(Thing::Contact, by).text(F::Source, &instance_source(instance));
        let tenant = self.rows.iter().find_map(|r| r.tenant.clone());
        let tenant = tenant.or_else(|| self.calls.iter().find_map(|c| c.tenant.clone()));
        let starts = self.rows.iter().filter_map(|r| Some((r.start?, &r.by)));
        let starts = starts.chain(self.calls.iter().filter_map(|c| Some((c.start?, &c.by))));
        let start = starts.min_by_key(|(at, by)| (at.0, at.1, by.id.clone()));
        let any = self.rows.first().map(|r| &r.by);
        let Some(by) = any.or(self.calls.first().map(|c| &c.by)) else {
            return;
        };
        let mut s = about(by)
            .text(F::Channel, self.legs.channel())
            .text(
                F::Direction,
                if self.rows.is_empty() {
                    self.legs.direction
                } else {
                    "inbound"
                },
            )
            .text(F::Tenant, &tenant.unwrap_or_default());
        s = timed(s, F::Start, start.map(|(at, _)| at));
        s = timed(s, F::End, self.end);
        said.push(s);
        // A telephone report knows both numbers; here a name stands in where nobody else tells.
        let customer = self.legs.customer.as_ref();
        let called = self.rows.iter().find_map(|r| r.caller.clone());
        let of_customer = |f: fn(&super::callrecord::Person) -> String| customer.map(f);
        let address = of_customer(|p| match p.who {
            Who::User if !p.upn.is_empty() => p.upn.to_lowercase(),
            _ => p.id.clone(),
        });
        let first = self.rows.iter().find_map(|r| r.menu.as_ref()?.name.clone());
        let first = first.or_else(|| self.rows.iter().find_map(|r| r.stay.as_ref()?.name.clone()));
        let dialled = first
            .or_else(|| self.legs.dialled.clone())
            .unwrap_or_default();
        let live = ranked(by, rank::LIVE);
        said.push(
            about(&live)
                .text(F::Customer, &address.or(called).unwrap_or_default())
                .text(
                    F::CustomerName,
                    &of_customer(|p| p.name.clone()).unwrap_or_default(),
                )
                .text(F::Dialled, &dialled),
        );
        self.attributes(about(by), said);
        self.measurements(instance, said);
    }

    fn measurements(&self, instance: &str, said: &mut Vec<Statement>) {
        let source = instance_source(instance);
        for call in &self.calls {
            for figure in call.sessions.iter().flat_map(|s| &s.streams) {
                let of = Measured {
                    source: &source,
                    who: &figure.who,
                    at: figure.at,
                    by: &call.by,
                };
                let unit = measures::of_name(figure.name).map_or(figure.unit, |m| m.unit);
                let s = of.says_in(figure.name, unit, Some(figure.value));
                said.extend(s.map(|s| {
                    s.text(F::Parent, &figure.session)
                        .text(F::Attr("client".into()), &figure.client)
                        .text(F::Attr("device".into()), &figure.device)
                        .text(F::Attr("network".into()), &figure.network)
                }));
            }
        }
    }

    fn attributes(&self, mut s: Statement, said: &mut Vec<Statement>) {
        let row = |of: fn(&VoiceRow) -> Option<String>| self.rows.iter().find_map(of);
        let connectivity = row(|r| r.connectivity.clone());
        let clicked = connectivity.as_deref() == Some("ACS Call");
        let all = [
            ("entry_point", clicked.then(|| "click_to_call".to_owned())),
            ("pstn_connectivity", connectivity),
            (
                "caller_is",
                row(|r| r.call_type.clone()).map(|t| t.to_lowercase()),
            ),
            ("pstn_minutes", row(|r| r.pstn_minutes.clone())),
            ("conference_mode", row(conference_mode)),
            ("aa_id", row(|r| r.menu.as_ref()?.id.clone())),
            ("aa_call_flow", row(|r| r.menu.as_ref()?.flow.clone())),
            (
                "aa_transfer_action",
                row(|r| r.menu.as_ref()?.action.clone()),
            ),
            (
                "aa_directory_search",
                row(|r| r.menu.as_ref()?.search.clone()),
            ),
            (
                "aa_caller_actions",
                row(|r| Some(r.menu.as_ref()?.actions?.to_string())),
            ),
            (
                "aa_count",
                row(|r| Some(r.menu.as_ref()?.count?.to_string())),
            ),
            ("cq_id", row(|r| r.stay.as_ref()?.id.clone())),
            ("cq_target_type", row(|r| r.stay.as_ref()?.target.clone())),
            ("cq_final_action", row(|r| r.stay.as_ref()?.action.clone())),
            (
                "cq_agents",
                row(|r| Some(r.stay.as_ref()?.agents?.to_string())),
            ),
            (
                "cq_agents_opted_in",
                row(|r| Some(r.stay.as_ref()?.opted_in?.to_string())),
            ),
            ("modalities", self.legs.modalities()),
            ("rating", self.legs.rating()),
        ];
        for (name, value) in all {
            s = s.text(F::Attr(name.into()), &value.unwrap_or_default());
        }
        let mut kinds = self.calls.iter().map(|c| c.kind.as_str());
        let kind = kinds.find(|k| !k.is_empty()).unwrap_or_default();
        s = s.text(F::Attr("call_kind".into()), kind);
        for (name, value) in self.legs.quality() {
            s = s.text(F::Attr(format!("worst_{name}").into()), &value);
        }
        said.push(s);
    }

    /// The leg on the telephone network that this user had while a leg of the call record went on.
    pub fn line_of(&self, leg: &Leg) -> Option<&Line> {
        const APART: i64 = 2_000_000;
        let own = |user: &str| {
            !user.is_empty()
                && (user == leg.person.id
                    || plain(&short(user)) == plain(&short(&leg.person.agent())))
        };
        let before = |a: Option<At>, b: Option<At>| match (a, b) {
            (Some(a), Some(b)) => a.0 <= b.0 + APART,
            _ => true,
        };
        let mut all = self.lines.iter();
        all.find(|l| own(&l.user) && before(l.start, leg.end) && before(leg.start, l.end))
    }

    /// The legs of a kind.
    pub fn legs_of(&self, kind: legs::Kind) -> Vec<&Leg> {
        self.legs.all.iter().filter(|l| l.kind == kind).collect()
    }
}
