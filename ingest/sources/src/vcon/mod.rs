//! vCon: conversations as the IETF's draft writes them, plain or signed (JWS; the signature is not
//! checked), in the older spelling of the vcon-server project too.
//!
//! A later version of a conversation (`amended`, `appended`, `redacted`) names the one it was made
//! from: both are one contact, whose dialogs keep their numbers.

mod analysis;
mod dialog;
mod parties;

use std::borrow::Cow;
use std::sync::Arc;

use callboard_model::ids::{Key, PlatformId};
use callboard_model::record::{Provenance, Record, Refusal, RouteKey, Routing, rank};
use callboard_model::statement::Statement;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::adapter::{Adapter, Declared};
use crate::lines::NewLine;
use crate::payload::value::{as_text, either, field, items, text, time};
use crate::payload::{self, Piece, documents, encoded, fingerprint, object};
use parties::Parties;

/// Name of the platform.
const PLATFORM: &str = "vcon";

/// A conversation.
const VCON: &str = "vcon/vcon";

/// Reads vCons.
#[derive(Debug, Clone, Copy)]
pub struct Vcon;

impl Adapter for Vcon {
    fn platform(&self) -> &'static str {
        PLATFORM
    }

    fn split(&self, bytes: &[u8], declared: &Declared) -> Vec<NewLine> {
        let pieces = documents(bytes).into_iter();
        pieces
            .map(|piece| match piece {
                Piece::Json(raw) => document(raw, declared),
                Piece::Broken(part, reason) => payload::dead("/vcon", "not_json", reason, part),
            })
            .collect()
    }

    fn route(&self, record: &Record) -> Result<Routing, Refusal> {
        let v = plain(&record.bytes)?;
        let instance = &*record.stamp.instance;
        let ids = ids(&v)
            .iter()
            .map(|id| PlatformId::new(PLATFORM, instance, id))
            .collect();
        let mut keys = vec![RouteKey::Contact(ids)];
        for (n, _) in dialog::recordings(&v) {
            let id = recording_id(instance, &v, n);
            keys.push(RouteKey::Direct(Key::Recording(id.into())));
        }
        Ok(Routing {
            keys,
            statements: None,
            time: recorded_at(&v),
        })
    }

    fn interpret(&self, key: &Key, set: &[&Record]) -> Vec<Statement> {
        let mut out = Vec::new();
        for record in set {
            let Ok(v) = plain(&record.bytes) else {
                continue;
            };
            let instance = &*record.stamp.instance;
            let by = version(record, &v);
            let parties = Parties::of(&v);
            match key {
                Key::Contact(_) => dialog::tell(instance, &v, &parties, &by, &mut out),
                Key::Recording(id) => {
                    for (n, d) in dialog::recordings(&v) {
                        if recording_id(instance, &v, n) == **id {
                            let contact = contact_id(instance, &v);
                            let of = (n, d);
                            out.push(analysis::recording(
                                instance, &contact, of, &v, &parties, &by,
                            ));
                        }
                    }
                }
                _ => {}
            }
        }
        out
    }
}

fn document(raw: &RawValue, declared: &Declared) -> NewLine {
    let bytes = raw.get().as_bytes();
    let dead = |class, reason: &str| payload::dead("/vcon", class, reason.to_owned(), bytes);
    let Some(fields) = object(raw) else {
        return dead("not_object", "a document that is no object; send vCons");
    };
    if fields.contains_key("ciphertext") {
        return dead(
            "encrypted",
            "an encrypted vCon: decrypt it before it is sent",
        );
    }
    let v = match plain(bytes) {
        Ok(v) => v,
        Err(refusal) => return payload::dead("/vcon", refusal.class, refusal.reason, bytes),
    };
    if !["parties", "dialog", "vcon"]
        .iter()
        .any(|n| v.get(n).is_some())
    {
        return dead(
            "unknown_document",
            "neither parties nor dialog: this is no vCon",
        );
    }
    let uuid = text(&v, "uuid");
    if uuid.is_empty() {
        return dead(
            "missing_attribute",
            "a vCon without uuid cannot be told from others",
        );
    }
    let id = format!("{uuid}@{}", fingerprint(bytes));
    payload::record(VCON, &declared.instance, declared, &id, bytes)
}

/// The vCon, taken out of its signature where it has one.
fn plain(bytes: &[u8]) -> Result<Value, Refusal> {
    let not_json = |e: serde_json::Error| Refusal::new("not_json", format!("no JSON: {e}"));
    let v: Value = serde_json::from_slice(bytes).map_err(not_json)?;
    let Some(Value::String(payload)) = v.get("payload").filter(|_| v.get("signatures").is_some())
    else {
        return Ok(v);
    };
    let inner = encoded::base64(payload)
        .ok_or_else(|| Refusal::new("bad_value", "the payload of the signature is no base64url"))?;
    serde_json::from_slice(&inner).map_err(not_json)
}

/// Its own id, and that of the version it was made from.
fn ids(v: &Value) -> Vec<String> {
    let mut all = vec![text(v, "uuid")];
    for name in ["amended", "appended", "redacted"] {
        let earlier = field(v, name)
            .map(|of| text(of, "uuid"))
            .unwrap_or_default();
        if !earlier.is_empty() && !all.contains(&earlier) {
            all.push(earlier);
        }
    }
    all
}

/// When this version was written: changed, made, else the end of its last dialog.
fn recorded_at(v: &Value) -> Option<i64> {
    let written = ["updated_at", "created_at"];
    let own = written.iter().filter_map(|n| time(v, n)).max();
    let dialogs = items(v, "dialog").iter().filter_map(|d| time(d, "start"));
    own.or_else(|| dialogs.max()).map(|t| t.0)
}

/// Who says it. Dialogs and analyses are added to a vCon, and some writers leave its time as it was:
/// of versions of one moment the fuller one is the later.
fn version(record: &Record, v: &Value) -> Arc<Provenance> {
    let count = |name| items(v, name).len() as u64;
    let mut by = (*record.provenance(rank::RECORD, recorded_at(v))).clone();
    by.sequence = (count("dialog") << 32) + count("analysis");
    Arc::new(by)
}

fn contact_id(instance: &str, v: &Value) -> String {
    PlatformId::new(PLATFORM, instance, &text(v, "uuid")).contact_id()
}

/// Recordings are named by the first version of the conversation that is known.
fn recording_id(instance: &str, v: &Value, dialog: usize) -> String {
    let all = ids(v);
    let first = all.last().map_or("", String::as_str);
    format!("{PLATFORM}/{instance}/{first}/{dialog}")
}

/// The instance as a source.
fn instance_source(instance: &str) -> Arc<str> {
    match instance {
        "" => format!("/{PLATFORM}").into(),
        _ => format!("/{PLATFORM}/{instance}").into(),
    }
}

/// The media type, by its new or old name, in lower case and without parameters.
fn media(d: &Value) -> String {
    let given = either(d, &["mediatype", "mimetype"]).and_then(as_text);
    let given = given.unwrap_or_default().to_ascii_lowercase();
    let bare = given.split(';').next().unwrap_or_default().trim();
    bare.to_owned()
}

/// Seconds as milliseconds; what is no length is none.
fn milliseconds(v: &Value, name: &str) -> Option<i64> {
    let seconds = crate::payload::value::float(v, name)?;
    (0.0..1e8)
        .contains(&seconds)
        .then(|| (seconds * 1_000.0).round() as i64)
}

/// An address without its scheme.
fn bare<'t>(address: &'t str) -> Cow<'t, str> {
    let mut rest = address;
    for scheme in ["tel:", "mailto:", "sip:"] {
        rest = rest.strip_prefix(scheme).unwrap_or(rest);
    }
    Cow::Borrowed(rest)
}
