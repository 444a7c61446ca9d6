//! Graph call records: who was connected to whom and when, as far as the service tells.
//!
//! One version of a record comes in parts (bare, with sessions, with participants, further pages);
//! together they are one call. Of what two versions tell differently the greater version holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use callboard_model::record::{Provenance, Record, Refusal, rank};
use serde_json::Value;

use super::feed::{Feed, page_of};
use super::read::{At, at, id, list, member, says_nothing, scalar, text};
use super::streams;

/// What kind of thing stands at an end of a session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// A user of the organisation.
    User,
    /// A telephone number.
    Phone,
    /// A user of Azure Communication Services: a customer in an app or on a web page.
    App,
    /// A guest or an anonymous visitor.
    Guest,
    /// A resource account: an auto attendant or a queue.
    Resource,
    /// Something else.
    #[default]
    Other,
}

/// Somebody, or something, that took part.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Person {
    /// What it is.
    pub who: Who,
    /// Its id; a number for a telephone.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its sign-in name.
    pub upn: String,
}

impl Person {
    /// The name by which a user is told apart: sign-in name, else id.
    pub fn agent(&self) -> String {
        if self.upn.is_empty() {
            self.id.clone()
        } else {
            self.upn.to_lowercase()
        }
    }

    /// Whether it is somebody from outside.
    pub fn is_outside(&self) -> bool {
        matches!(self.who, Who::Phone | Who::App | Who::Guest)
    }
}

/// One end of a session.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct End {
    /// Role of a service: voicemail, skypeForBusinessAutoAttendant ...
    pub role: String,
    /// Who it is, if told.
    pub person: Option<Person>,
    /// What the person thought of the call's quality.
    pub rating: Option<String>,
}

/// A session of a call.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Session {
    /// Its id; the same as the call's where there is one.
    pub id: String,
    /// Start; may be missing.
    pub start: Option<At>,
    /// End.
    pub end: Option<At>,
    /// Who began it.
    pub caller: End,
    /// Who was called.
    pub callee: End,
    /// Modalities.
    pub modalities: Vec<String>,
    /// Reason and stage of a failure.
    pub failure: Option<(String, String)>,
    /// Worst figures of its streams.
    pub quality: BTreeMap<&'static str, f64>,
    /// All figures of its streams.
    pub streams: Vec<streams::Figure>,
}

/// A record, or a page of one.
#[derive(Debug, Clone)]
pub struct CallRecord {
    /// Who says so; a greater version is the later one.
    pub by: Arc<Provenance>,
    /// Id of the call.
    pub id: String,
    /// Version.
    pub version: i64,
    /// peerToPeer, groupCall.
    pub kind: String,
    /// It has an address to join at: a meeting.
    pub meeting: bool,
    /// Modalities.
    pub modalities: Vec<String>,
    /// Start.
    pub start: Option<At>,
    /// End.
    pub end: Option<At>,
    /// Tenant.
    pub tenant: Option<String>,
    /// Who organised it.
    pub organizer: Option<Person>,
    /// Who took part.
    pub people: Vec<Person>,
    /// Sessions.
    pub sessions: Vec<Session>,
}

impl CallRecord {
    /// Reads a record of one of the two feeds.
    ///
    /// # Errors
    /// A refusal when it is not JSON or names no call.
    pub fn of(record: &Record, feed: Feed) -> Result<CallRecord, Refusal> {
        let value: Value = serde_json::from_slice(&record.bytes).map_err(|e| {
            Refusal::new("not_json", format!("a call record that is not JSON: {e}"))
        })?;
        let is_page = feed == Feed::CallRecordPage;
        let named = if is_page {
            text(&value, "@odata.context").and_then(|c| page_of(&c))
        } else {
            text(&value, "id")
        };
        let call = named.and_then(|t| id(&t)).ok_or_else(|| {
            Refusal::new(
                "missing_attribute",
                "a call record without id; ask for it again whole",
            )
        })?;
        let version = text(&value, "version")
            .and_then(|t| t.parse().ok())
            .unwrap_or(0);
        let written = at(&value, "lastModifiedDateTime");
        let (start, end) = (at(&value, "startDateTime"), at(&value, "endDateTime"));
        let mut by = (*record.provenance(rank::RECORD, written.or(end).map(|t| t.0))).clone();
        by.sequence = u64::try_from(version).unwrap_or(0);
        let items = |name| list(&value, if is_page { "value" } else { name });
        let mut people: Vec<Person> = Vec::new();
        let mut sessions: Vec<Session> = Vec::new();
        for item in items("participants_v2").chain(list(&value, "participants")) {
            if member(item, "caller").is_none() && member(item, "callee").is_none() {
                people.extend(person(member(item, "identity").unwrap_or(item)));
            }
        }
        for item in items("sessions") {
            let test = text(item, "isTest").is_some_and(|t| t == "true");
            if !test && (member(item, "caller").is_some() || member(item, "callee").is_some()) {
                sessions.push(session(item));
            }
        }
        people.sort();
        people.dedup();
        let organizer = member(&value, "organizer_v2").or_else(|| member(&value, "organizer"));
        let organizer = organizer.and_then(|o| person(member(o, "identity").unwrap_or(o)));
        Ok(CallRecord {
            by: Arc::new(by),
            id: call,
            version,
            kind: text(&value, "type").unwrap_or_default(),
            meeting: text(&value, "joinWebUrl").is_some(),
            modalities: words(&value),
            start,
            end,
            tenant: member(&value, "organizer")
                .or_else(|| member(&value, "organizer_v2"))
                .and_then(|o| tenant(o, 0)),
            organizer,
            people,
            sessions,
        })
    }

    /// One call of all its records, versions and pages; `None` of none.
    pub fn whole(mut parts: Vec<CallRecord>) -> Option<CallRecord> {
        parts.sort_by(|a, b| (b.version, &b.by.id).cmp(&(a.version, &a.by.id)));
        let mut parts = parts.into_iter();
        let mut whole = parts.next()?;
        for part in parts {
            if whole.kind.is_empty() {
                // A page has no head: the record itself tells when it was.
                (whole.kind, whole.by) = (part.kind, part.by);
            }
            whole.meeting |= part.meeting;
            whole.start = whole.start.or(part.start);
            whole.end = whole.end.or(part.end);
            whole.tenant = whole.tenant.or(part.tenant);
            whole.organizer = whole.organizer.or(part.organizer);
            if whole.modalities.is_empty() {
                whole.modalities = part.modalities;
            }
            for person in part.people {
                if !whole.people.contains(&person) {
                    whole.people.push(person);
                }
            }
            for session in part.sessions {
                let same = |s: &Session| s.id == session.id && s.caller.role == session.caller.role;
                if !whole.sessions.iter().any(same) {
                    whole.sessions.push(session);
                }
            }
        }
        whole.people.sort();
        whole.sessions.sort_by(|a, b| {
            (a.start.or(a.end), a.end, &a.id).cmp(&(b.start.or(b.end), b.end, &b.id))
        });
        Some(whole)
    }

    /// Everybody whom the call names.
    pub fn everybody(&self) -> impl Iterator<Item = &Person> {
        let of_sessions = self.sessions.iter().flat_map(|s| [&s.caller, &s.callee]);
        self.people
            .iter()
            .chain(of_sessions.filter_map(|e| e.person.as_ref()))
            .chain(&self.organizer)
    }
}

fn words(value: &Value) -> Vec<String> {
    list(value, "modalities").filter_map(scalar).collect()
}

fn session(value: &Value) -> Session {
    let end = |name| member(value, name).map(endpoint).unwrap_or_default();
    let failure = member(value, "failureInfo").filter(|f| f.is_object());
    let mut quality = BTreeMap::new();
    for segment in list(value, "segments") {
        for stream in list(segment, "media").flat_map(|m| list(m, "streams")) {
            for (name, of) in [
                ("jitter_ms", "averageJitter"),
                ("round_trip_ms", "averageRoundTripTime"),
            ] {
                worst(
                    &mut quality,
                    name,
                    text(stream, of).and_then(|t| iso_millis(&t)),
                );
            }
            let loss = text(stream, "averagePacketLossRate").and_then(|t| t.parse().ok());
            worst(&mut quality, "packet_loss", loss);
        }
    }
    Session {
        id: text(value, "id").and_then(|t| id(&t)).unwrap_or_default(),
        start: at(value, "startDateTime"),
        end: at(value, "endDateTime"),
        caller: end("caller"),
        callee: end("callee"),
        modalities: words(value),
        failure: failure.map(|f| {
            let word = |name| text(f, name).unwrap_or_default();
            (word("reason"), word("stage"))
        }),
        quality,
        streams: streams::of(value),
    }
}

fn worst(all: &mut BTreeMap<&'static str, f64>, name: &'static str, value: Option<f64>) {
    if let Some(value) = value.filter(|v| v.is_finite() && *v >= 0.0) {
        let held = all.entry(name).or_insert(value);
        *held = held.max(value);
    }
}

pub(super) fn endpoint(value: &Value) -> End {
    let agent = member(value, "userAgent");
    let identity = member(value, "identity").and_then(person);
    let other = member(value, "associatedIdentity").and_then(person);
    let person = match (identity, other) {
        (Some(mut one), Some(two)) => {
            if one.upn.is_empty() {
                one.upn = two.upn;
            }
            Some(one)
        }
        (one, two) => one.or(two),
    };
    End {
        role: agent.and_then(|a| text(a, "role")).unwrap_or_default(),
        person,
        rating: member(value, "feedback").and_then(|f| text(f, "rating")),
    }
}

/// Who an identity names: a set with one kind filled, or an identity alone.
fn person(value: &Value) -> Option<Person> {
    const KINDS: [(&str, Who); 13] = [
        ("user", Who::User),
        ("phone", Who::Phone),
        ("acsUser", Who::App),
        ("azureCommunicationServicesUser", Who::App),
        ("spoolUser", Who::App),
        ("guest", Who::Guest),
        ("applicationInstance", Who::Resource),
        ("acsApplicationInstance", Who::Resource),
        ("spoolApplicationInstance", Who::Resource),
        ("onPremises", Who::User),
        ("assertedIdentity", Who::Other),
        ("application", Who::Other),
        ("encrypted", Who::Other),
    ];
    let kinds = KINDS.iter().find_map(|(name, who)| {
        let one = member(value, name).filter(|v| v.is_object())?;
        Some((*who, one))
    });
    let (who, one) = kinds.unwrap_or_else(|| {
        let kind = text(value, "@odata.type").unwrap_or_default();
        let number = text(value, "id").is_some_and(|i| i.starts_with('+'));
        let who = match () {
            () if number || kind.contains("phone") => Who::Phone,
            () if kind.contains("ommunicationServices") || kind.contains("acs") => Who::App,
            () if kind.contains("pplicationInstance") => Who::Resource,
            () if kind.contains("guest") => Who::Guest,
            () => Who::User,
        };
        (who, value)
    });
    let word = |name| text(one, name).unwrap_or_default();
    let person = Person {
        who,
        id: word("id").to_lowercase(),
        name: word("displayName"),
        upn: word("userPrincipalName"),
    };
    let nobody = [&person.id, &person.name, &person.upn]
        .iter()
        .all(|t| says_nothing(t));
    (!nobody).then_some(person)
}

/// The first tenant named within a value.
fn tenant(value: &Value, depth: u8) -> Option<String> {
    if depth > 4 {
        return None;
    }
    let own = text(value, "tenantId").and_then(|t| id(&t));
    own.or_else(|| {
        value
            .as_object()?
            .values()
            .find_map(|v| tenant(v, depth + 1))
    })
}

/// A duration of ISO 8601 with hours, minutes and seconds, as milliseconds.
pub(super) fn iso_millis(text: &str) -> Option<f64> {
    let mut rest = text.strip_prefix("PT")?;
    let mut sum = 0.0;
    for (unit, seconds) in [('H', 3_600.0), ('M', 60.0), ('S', 1.0)] {
        if let Some((number, after)) = rest.split_once(unit) {
            sum += number.parse::<f64>().ok()? * seconds;
            rest = after;
        }
    }
    // Microseconds are more than a network's jitter is known to.
    rest.is_empty()
        .then(|| (sum * 1_000_000.0).round() / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_of_streams() {
        assert_eq!(iso_millis("PT0.016S"), Some(16.0));
        assert_eq!(iso_millis("PT1M2.5S"), Some(62_500.0));
        assert_eq!(iso_millis("16 ms"), None);
    }

    #[test]
    fn kinds_that_are_null_are_not_there() {
        let set: Value = serde_json::from_str(
            r#"{"acsUser":null,"phone":{"id":"+15550100","displayName":null},"user":null}"#,
        )
        .unwrap();
        let who = person(&set).unwrap();
        assert_eq!((who.who, who.id.as_str()), (Who::Phone, "+15550100"));
    }
}
