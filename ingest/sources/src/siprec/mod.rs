//! SIPREC: metadata of recording sessions (RFC 7865), as the body of an INVITE (multipart with the
//! SDP) or alone. Senders differ from the standard in namespaces, attribute names and order, so
//! elements are taken by their local names and either spelling.

mod tell;
mod xml;

use callboard_model::ids::{Key, PlatformId};
use callboard_model::record::{Record, Refusal, RouteKey, Routing};
use callboard_model::statement::Statement;

use crate::adapter::{Adapter, Declared};
use crate::lines::NewLine;
use crate::payload::{self, fingerprint};
use xml::Node;

/// Name of the platform.
const PLATFORM: &str = "siprec";

/// Metadata of a recording session.
const METADATA: &str = "siprec/metadata";

/// Reads SIPREC metadata.
#[derive(Debug, Clone, Copy)]
pub struct Siprec;

impl Adapter for Siprec {
    fn platform(&self) -> &'static str {
        PLATFORM
    }

    fn split(&self, bytes: &[u8], declared: &Declared) -> Vec<NewLine> {
        if bytes.trim_ascii().is_empty() {
            return Vec::new();
        }
        let read = metadata(bytes).and_then(|root| sessions(&root));
        vec![match read {
            Ok(sessions) => {
                let first = sessions.first().map_or("", String::as_str);
                let id = format!("{first}@{}", fingerprint(bytes));
                payload::record(METADATA, &declared.instance, declared, &id, bytes)
            }
            Err(refusal) => payload::dead("/siprec", refusal.class, refusal.reason, bytes),
        }]
    }

    fn route(&self, record: &Record) -> Result<Routing, Refusal> {
        let root = metadata(&record.bytes)?;
        let instance = &*record.stamp.instance;
        let keys = sessions(&root)?
            .iter()
            .map(|s| RouteKey::Contact(vec![PlatformId::new(PLATFORM, instance, s)]))
            .collect();
        Ok(Routing {
            keys,
            statements: None,
            time: tell::recorded_at(&root, &record.stamp.zone),
        })
    }

    fn interpret(&self, key: &Key, set: &[&Record]) -> Vec<Statement> {
        let Key::Contact(id) = key else {
            return Vec::new();
        };
        let mut read: Vec<(Option<i64>, &Record, Node)> = set
            .iter()
            .filter_map(|r| {
                let root = metadata(&r.bytes).ok()?;
                Some((tell::recorded_at(&root, &r.stamp.zone), *r, root))
            })
            .collect();
        read.sort_by(|a, b| (a.0, &a.1.source, &a.1.id).cmp(&(b.0, &b.1.source, &b.1.id)));
        // Updates name only what changed: who called is told by the first that names all.
        let caller = read.iter().find_map(|r| tell::caller(id.native(), &r.2));
        let mut out = Vec::new();
        for (_, record, root) in &read {
            tell::tell(id.native(), root, caller.as_ref(), record, &mut out);
        }
        out
    }
}

/// The `recording` element of a body.
fn metadata(bytes: &[u8]) -> Result<Node, Refusal> {
    let text = std::str::from_utf8(bytes)
        .map_err(|e| Refusal::new("invalid_utf8", format!("not UTF-8: {e}")))?;
    let part = part(text).ok_or_else(|| {
        Refusal::new(
            "unknown_document",
            "no part with rs-metadata; send the INVITE's whole body or the metadata alone",
        )
    })?;
    let root = xml::parse(part)
        .map_err(|e| Refusal::new("bad_xml", format!("the metadata is no XML: {e}")))?;
    Ok(root)
}

/// The part that holds the metadata: the whole where it begins as XML, else the first part of a
/// multipart body that does and is said to be metadata, or just does.
fn part(text: &str) -> Option<&str> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.starts_with('<') {
        return Some(text);
    }
    let boundary = text
        .lines()
        .map(str::trim_end)
        .find(|l| l.starts_with("--"))?;
    let mut found = None;
    for part in text.split(boundary) {
        let part = part.trim_start_matches("--");
        let Some((head, body)) = head_and_body(part) else {
            continue;
        };
        let body = body.trim();
        if !body.starts_with('<') {
            continue;
        }
        if head.to_ascii_lowercase().contains("rs-metadata") {
            return Some(body);
        }
        found = found.or(Some(body));
    }
    found
}

fn head_and_body(part: &str) -> Option<(&str, &str)> {
    let part = part.trim_start_matches(['\r', '\n']);
    part.split_once("\r\n\r\n")
        .or_else(|| part.split_once("\n\n"))
}

/// Ids of the sessions in it; metadata without one cannot be told from others.
fn sessions(root: &Node) -> Result<Vec<String>, Refusal> {
    let mut all: Vec<String> = Vec::new();
    let own = root
        .all("session")
        .map(|n| n.attribute(&["session_id", "id"]));
    // An update may name a session without telling it again.
    let named = root
        .children
        .iter()
        .map(|n| n.attribute(&["session_id", "session"]));
    for id in own.chain(named) {
        if !id.is_empty() && !all.iter().any(|known| known == id) {
            all.push(id.to_owned());
        }
    }
    if all.is_empty() {
        return Err(Refusal::new(
            "no_session",
            "the metadata holds no session with an id: its elements were lost on the way",
        ));
    }
    Ok(all)
}
