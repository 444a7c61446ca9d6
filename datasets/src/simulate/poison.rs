//! Lines that are no events, each with the class under which it must be found again.

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::calendar::{TimeForm, Zone, write_time};
use super::chance::Chance;
use super::world::Site;

/// Source of what has none that could be read.
const NOBODY: &str = "/callboard/http";

/// What must be kept of a line that is no event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct DeadLetter {
    /// Hash of its bytes, hex.
    pub sha256: String,
    /// Source, as far as it can be known.
    pub source: String,
    /// Class of the reason.
    pub class: &'static str,
    /// Bytes.
    pub length: i64,
}

/// Makes one, of an event's line where it takes one to spoil.
pub fn poison(chance: &mut Chance, site: &Site, at: i64, line: &[u8]) -> (Vec<u8>, DeadLetter) {
    let (bytes, class, known) = if chance.percent(2) {
        (too_long(chance, site), "too_long", false)
    } else {
        spoilt(chance, site, at, line)
    };
    let digest = Sha256::digest(&bytes);
    let dead = DeadLetter {
        sha256: digest.iter().map(|b| format!("{b:02x}")).collect(),
        source: if known {
            site.source.clone()
        } else {
            NOBODY.to_owned()
        },
        class,
        length: bytes.len() as i64,
    };
    (bytes, dead)
}

/// More than a record may have.
fn too_long(chance: &mut Chance, site: &Site) -> Vec<u8> {
    let length = 1_100_000 + chance.below(900_000) as usize;
    let head = format!(
        r#"{{"specversion":"1.0","source":"{}","id":"big","data":""#,
        site.source
    );
    let mut bytes = head.into_bytes();
    bytes.resize(length, b'x');
    bytes.extend_from_slice(b"\"}");
    bytes
}

fn spoilt(chance: &mut Chance, site: &Site, at: i64, line: &[u8]) -> (Vec<u8>, &'static str, bool) {
    let mut event = Pieces::new(chance, site, at);
    match chance.below(26) {
        0 => (cut(chance, line), "not_json", false),
        1 => (with(line, 0xff), "invalid_utf8", false),
        2 => (with(line, 0), "not_json", false),
        3 => (deep(&event), "nested_too_deep", false),
        4 => {
            event.data = r#"{"contact_id":"p","segment_id":"p","duration_ms":1e400}"#.to_owned();
            event.kind = "segment.ended";
            (event.line(), "bad_data", true)
        }
        5 => {
            event.more = r#","id":"again""#.to_owned();
            (event.line(), "not_an_event", false)
        }
        6 => {
            event.data = r#"{"contact_id":"p","contact_id":"q"}"#.to_owned();
            (event.line(), "bad_data", true)
        }
        7 => {
            event.time = String::new();
            (event.line(), "no_time", true)
        }
        8 => {
            event.time = r#""9999-12-31T23:59:59Z""#.to_owned();
            (event.line(), "time_out_of_range", true)
        }
        9 => {
            event.time = r#""yesterday""#.to_owned();
            (event.line(), "bad_time", true)
        }
        10 => {
            event.kind = "weather.changed";
            (event.line(), "unknown_type", true)
        }
        11 => {
            event.id = String::new();
            (event.line(), "missing_attribute", false)
        }
        12 => {
            event.id = format!(r#""{}""#, "i".repeat(600));
            (event.line(), "too_long", false)
        }
        13 => {
            event.version = "0.3";
            (event.line(), "specversion", true)
        }
        14 => {
            event.kind = "segment.ended";
            event.data = r#"{"contact_id":"p","segment_id":"p","kind":"queue","outcome":"eaten"}"#
                .to_owned();
            (event.line(), "bad_value", true)
        }
        15 => {
            event.data = r#"{"customer":"somebody"}"#.to_owned();
            (event.line(), "missing_field", true)
        }
        16 => (b"[1,2,3]".to_vec(), "not_an_event", false),
        17 => {
            event.data = String::new();
            (event.line(), "no_data", true)
        }
        18 => {
            event.id = "17".to_owned();
            (event.line(), "not_an_event", false)
        }
        19 => {
            event.id = r#""bell\u0007""#.to_owned();
            (event.line(), "bad_attribute", false)
        }
        20 => {
            event.data = r#"{"contact_id":"p","channel":"telegraph"}"#.to_owned();
            (event.line(), "bad_data", true)
        }
        21 => (joined(line), "not_json", false),
        // What a type that changed from one version to the next comes to.
        22 => {
            event.data = r#"{"contact_id":"p","segment_id":"p","duration_ms":"250"}"#.to_owned();
            event.kind = "segment.ended";
            (event.line(), "bad_data", true)
        }
        23 => {
            event.time = at.to_string();
            (event.line(), "not_json", true)
        }
        24 => {
            let local = write_time(at, TimeForm::Utc, Zone::Utc);
            event.time = format!(r#""{}""#, local.trim_end_matches('Z'));
            (event.line(), "bad_time", true)
        }
        _ => (
            b"ERROR 1045 (28000): Access denied for user".to_vec(),
            "not_json",
            false,
        ),
    }
}

/// An event in pieces, to spoil one of them.
struct Pieces {
    version: &'static str,
    id: String,
    source: String,
    kind: &'static str,
    time: String,
    data: String,
    more: String,
}

impl Pieces {
    fn new(chance: &mut Chance, site: &Site, at: i64) -> Self {
        Pieces {
            version: "1.0",
            id: format!(r#""poison-{:016x}""#, chance.next()),
            source: site.source.clone(),
            kind: "contact.started",
            time: format!(r#""{}""#, write_time(at, TimeForm::Utc, Zone::Utc)),
            data: r#"{"contact_id":"p"}"#.to_owned(),
            more: String::new(),
        }
    }

    fn line(&self) -> Vec<u8> {
        let given = |name: &str, value: &str| match value {
            "" => String::new(),
            value => format!(r#","{name}":{value}"#),
        };
        format!(
            r#"{{"specversion":"{}","source":"{}","type":"callboard.{}"{}{}{}{}}}"#,
            self.version,
            self.source,
            self.kind,
            given("id", &self.id),
            given("time", &self.time),
            given("data", &self.data),
            self.more,
        )
        .into_bytes()
    }
}

/// The beginning of a line.
fn cut(chance: &mut Chance, line: &[u8]) -> Vec<u8> {
    let mut at = chance.between(1, line.len() as i64 - 1) as usize;
    // Between two characters: what is cut inside one is another kind of poison.
    while at > 1 && line[at] & 0xc0 == 0x80 {
        at -= 1;
    }
    line[..at].to_vec()
}

/// A line with a byte more, in the text of its first field.
fn with(line: &[u8], byte: u8) -> Vec<u8> {
    let mut out = line.to_vec();
    let at = line
        .windows(4)
        .position(|w| w == b"\"1.0")
        .map_or(1, |at| at + 2);
    out.insert(at, byte);
    out
}

/// Two files joined, of which the first had no end of line and the second a byte order mark. The mark
/// stands inside the line, since at the beginning of a request's first line it would be right.
fn joined(line: &[u8]) -> Vec<u8> {
    [line, b"\xef\xbb\xbf", line].concat()
}

fn deep(event: &Pieces) -> Vec<u8> {
    let deep = format!(r#","x":{}{}"#, "[".repeat(10_000), "]".repeat(10_000));
    let line = event.line();
    let mut out = line[..line.len() - 1].to_vec();
    out.extend_from_slice(deep.as_bytes());
    out.push(b'}');
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// By what kinds of one class are told from each other.
    const MARKS: [&[u8]; 22] = [
        b"\0",
        b"\xff",
        b"\xef\xbb\xbf",
        b"1e400",
        b"\"id\":\"again\"",
        b"\"contact_id\":\"p\",\"contact_id\":\"q\"",
        b"\"duration_ms\":\"250\"",
        b"\"9999-12-31",
        b"\"yesterday\"",
        b"weather.changed",
        b"iiiiiiii",
        b"\"0.3\"",
        b"\"eaten\"",
        b"{\"customer\":\"somebody\"}",
        b"[1,2,3]",
        b"\"id\":17,",
        b"\\u0007",
        b"telegraph",
        b"\"time\":1772874904250,",
        b"\"time\":\"2026-03-07T09:15:04.250\"",
        b"[[[[[[[[",
        b"ERROR 1045",
    ];

    /// Where a line stands in a request must not decide what becomes of it: a byte order mark at its
    /// beginning would be taken away from a first line, and white space from any.
    #[test]
    fn every_kind_comes_and_none_hangs_on_its_place() {
        let options = crate::simulate::Options::small(1);
        let scale = crate::simulate::world::Scale::of(&options);
        let sites = crate::simulate::world::sites(&options, &scale);
        let mut chance = Chance::of(1, "kinds", &[]);
        let line = br#"{"specversion":"1.0","id":"1","source":"/sim/site1"}"#;
        let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
        let mut marks = [0; MARKS.len()];
        for _ in 0..1_500 {
            let (bytes, dead) = poison(&mut chance, &sites[0], 1_772_874_904_250, line);
            assert!(!bytes.starts_with(b"\xef\xbb\xbf") && !bytes.contains(&b'\n'));
            assert_eq!(bytes.trim_ascii().len(), bytes.len());
            for (times, mark) in marks.iter_mut().zip(MARKS) {
                // The longest lines are one kind, and long to look through.
                let known = bytes.len() < 100_000 && bytes.windows(mark.len()).any(|w| w == mark);
                *times += u64::from(known);
            }
            *seen.entry(dead.class).or_default() += 1;
        }
        for (times, mark) in marks.iter().zip(MARKS) {
            assert!(*times > 10, "{times} of {}", mark.escape_ascii());
        }
        let classes: Vec<&str> = seen.keys().copied().collect();
        assert_eq!(
            classes,
            [
                "bad_attribute",
                "bad_data",
                "bad_time",
                "bad_value",
                "invalid_utf8",
                "missing_attribute",
                "missing_field",
                "nested_too_deep",
                "no_data",
                "no_time",
                "not_an_event",
                "not_json",
                "specversion",
                "time_out_of_range",
                "too_long",
                "unknown_type"
            ]
        );
    }
}
