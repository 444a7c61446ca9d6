//! Manager events, one JSON object a line: header names to texts (a header that came more than
//! once is a list), with the capturing client's time of receipt as `recv`.

use std::borrow::Cow;
use std::fmt;

use callboard_model::record::Refusal;
use callboard_model::time::{SECOND, parse_rfc3339};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use super::cel::epoch;
use super::whole;

/// One event.
#[derive(Debug)]
pub struct Event<'a> {
    /// Time, UTC microseconds: the event's own, else the client's receipt.
    pub at: i64,
    /// Its precision, microseconds.
    pub precision: u32,
    headers: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Event<'a> {
    /// An event of these headers.
    pub fn new(at: i64, precision: u32, headers: Vec<(Cow<'a, str>, Cow<'a, str>)>) -> Self {
        Event {
            at,
            precision,
            headers,
        }
    }
}

impl Event<'_> {
    /// A header; empty when missing or one of the two spellings of no value.
    pub fn get(&self, name: &str) -> &str {
        match self.headers.iter().find(|(n, _)| n == name) {
            Some((_, v)) if v != "<unknown>" && v != "unknown" => v,
            _ => "",
        }
    }

    /// The caller's name; the manager writes quotes and backslashes in it behind a backslash.
    pub fn caller_name(&self) -> Cow<'_, str> {
        let name = self.get("CallerIDName");
        if !name.contains('\\') {
            return Cow::Borrowed(name);
        }
        let mut plain = String::with_capacity(name.len());
        let mut chars = name.chars();
        while let Some(c) = chars.next() {
            if c == '\\' {
                plain.extend(chars.next());
            } else {
                plain.push(c);
            }
        }
        Cow::Owned(plain)
    }

    /// A header as a whole number.
    pub fn int(&self, name: &str) -> Option<i64> {
        whole(self.get(name))
    }

    /// Name of the event.
    pub fn name(&self) -> &str {
        self.get("Event")
    }

    /// Unique ids of all channels it names, in all groups of headers, and their calls' ids.
    pub fn channel_ids(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().filter_map(|(n, v)| {
            let n: &str = n;
            let is_id = n.ends_with("Linkedid")
                || (n.ends_with("Uniqueid") && !n.contains("Bridge") && n != "SwapUniqueid");
            (is_id && !v.is_empty() && v != "<unknown>").then_some(&**v)
        })
    }

    /// Whether the event says something that a contact's rows are made of.
    pub fn is_about_contact(&self) -> bool {
        match self.name() {
            "Newchannel" | "Hangup" | "BridgeEnter" | "BridgeLeave" | "QueueCallerJoin"
            | "QueueCallerLeave" | "QueueCallerAbandon" | "QueueEntry" | "AgentCalled"
            | "AgentConnect" | "AgentComplete" | "AgentRingNoAnswer" | "AgentDump" | "Hold"
            | "Unhold" | "BlindTransfer" | "AttendedTransfer" | "MixMonitorStart"
            | "MixMonitorStop" | "MixMonitorMute" | "DTMFEnd" | "DialBegin" | "MessageWaiting"
            | "StasisStart" | "ParkedCall" | "UnParkedCall" | "ParkedCallTimeOut"
            | "ParkedCallGiveUp" => true,
            "UserEvent" => self.get("UserEvent") == "IvrChoice" || !self.get("Menu").is_empty(),
            _ => false,
        }
    }

    /// The queue member it tells the state of: his name, else his interface.
    pub fn member(&self) -> Option<&str> {
        let name = match self.name() {
            "QueueMemberAdded" | "QueueMemberRemoved" | "QueueMemberPause"
            | "QueueMemberStatus" => self.get("MemberName"),
            "QueueMember" => self.get("Name"),
            _ => return None,
        };
        let interface = ["Interface", "Location"].map(|h| self.get(h));
        [name, interface[0], interface[1]]
            .into_iter()
            .find(|n| !n.is_empty())
    }
}

/// Reads one event.
///
/// # Errors
/// A refusal when it is not a flat JSON object with `Event`, or has no time.
pub fn parse(text: &str) -> Result<Event<'_>, Refusal> {
    let Headers(headers) = serde_json::from_str(text).map_err(|e| {
        Refusal::new(
            "not_json",
            format!("not a manager event as a JSON object of texts: {e}"),
        )
    })?;
    let mut event = Event {
        at: 0,
        precision: 1,
        headers,
    };
    if event.name().is_empty() {
        return Err(Refusal::new(
            "not_ami",
            "the object has no Event; each line must be one manager event",
        ));
    }
    let own = epoch(event.get("Timestamp"));
    let received = parse_rfc3339(event.get("recv")).map(|(at, p)| (at, p.max(1)));
    (event.at, event.precision) = own.or(received).ok_or_else(|| {
        Refusal::new(
            "no_time",
            "neither Timestamp nor recv; set timestampevents=yes in manager.conf, or let the client add recv",
        )
    })?;
    if event.at / SECOND == 0 {
        return Err(Refusal::new("no_time", "Timestamp is 0"));
    }
    Ok(event)
}

/// The line that an event from the wire is: its headers in their order, those that came more than
/// once as a list in the first one's place. `recv` is put in front where the event has no time of
/// its own.
///
/// ```
/// # use callboard_sources::asterisk::ami::line;
/// let headers = [("Event", "Hold"), ("V", "a=1"), ("Timestamp", "17.5"), ("V", "b=2")];
/// assert_eq!(
///     line(&headers, "2026-03-02T09:15:04Z"),
///     r#"{"Event":"Hold","V":["a=1","b=2"],"Timestamp":"17.5"}"#
/// );
/// ```
pub fn line<N: AsRef<str>, V: AsRef<str>>(headers: &[(N, V)], recv: &str) -> String {
    let mut names: Vec<&str> = Vec::with_capacity(headers.len());
    let mut values: Vec<Vec<&str>> = Vec::with_capacity(headers.len());
    for (name, value) in headers {
        let (name, value) = (name.as_ref(), value.as_ref());
        match names.iter().position(|n| *n == name) {
            Some(n) => values[n].push(value),
            None => {
                names.push(name);
                values.push(vec![value]);
            }
        }
    }
    let text = |s: &str| serde_json::Value::from(s).to_string();
    let mut members = Vec::with_capacity(names.len() + 1);
    let timed = |(n, v): (&&str, &Vec<&str>)| *n == "Timestamp" && v != &[""];
    if !names.iter().zip(&values).any(timed) {
        members.push(format!("\"recv\":{}", text(recv)));
    }
    for (name, values) in names.iter().zip(&values) {
        let value = match values[..] {
            [one] => text(one),
            _ => serde_json::Value::from(values.clone()).to_string(),
        };
        members.push(format!("{}:{value}", text(name)));
    }
    format!("{{{}}}", members.join(","))
}

struct Headers<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'de> Deserialize<'de> for Headers<'de> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Headers<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::with_capacity(32);
                while let Some((Text(name), Text(value))) = map.next_entry()? {
                    pairs.push((name, value));
                }
                Ok(Headers(pairs))
            }
        }
        d.deserialize_map(Pairs)
    }
}

/// A text, or what can stand for one: a number, yes or no, null, the first of a list.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Scalar;
        impl<'de> Visitor<'de> for Scalar {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(v)))
            }
            fn visit_str<E>(self, v: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(v.to_owned())))
            }
            fn visit_u64<E>(self, v: u64) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(v.to_string())))
            }
            fn visit_i64<E>(self, v: i64) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(v.to_string())))
            }
            fn visit_f64<E>(self, v: f64) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(v.to_string())))
            }
            fn visit_bool<E>(self, v: bool) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(if v { "1" } else { "0" })))
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed("")))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut first = None;
                while let Some(text) = seq.next_element::<Text<'de>>()? {
                    first.get_or_insert(text);
                }
                Ok(first.unwrap_or(Text(Cow::Borrowed(""))))
            }
        }
        d.deserialize_any(Scalar)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_no_value_read_as_none() {
        let e = parse(r#"{"Event":"Hold","Timestamp":"1795254005.976222","A":"<unknown>","B":"unknown","Linkedid":"1.2","BridgeUniqueid":"x"}"#).unwrap();
        assert_eq!(
            (e.get("A"), e.get("B"), e.at),
            ("", "", 1_795_254_005_976_222)
        );
        assert_eq!(e.channel_ids().collect::<Vec<_>>(), ["1.2"]);
    }

    #[test]
    fn without_timestamp_the_receipt_counts() {
        let e = parse(r#"{"recv":"2026-11-21T09:40:56.914287Z","Event":"QueueParams","Queue":"q","N":3,"L":["a","b"]}"#).unwrap();
        assert_eq!(e.at, 1_795_254_056_914_287);
        assert_eq!((e.get("N"), e.get("L")), ("3", "a"));
        assert_eq!(parse(r#"{"Event":"Hold"}"#).unwrap_err().class, "no_time");
        assert_eq!(parse(r#"{"a":"b"}"#).unwrap_err().class, "not_ami");
        assert_eq!(parse(&"[".repeat(10_000)).unwrap_err().class, "not_json");
        let deep = format!("{{\"Event\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
        assert_eq!(parse(&deep).unwrap_err().class, "not_json");
    }
}
