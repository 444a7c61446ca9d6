//! From a body to records: which document is what, and its identity.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::{CONVERSATION, EVALUATION, EVENT, FIGURES, OBSERVATION, RECORDING, USER};
use crate::adapter::Declared;
use crate::lines::NewLine;
use crate::payload::{self, Piece, documents, fingerprint, list, object};

type Fields<'a> = BTreeMap<String, &'a RawValue>;

pub(super) fn split(bytes: &[u8], declared: &Declared) -> Vec<NewLine> {
    let mut out = Vec::new();
    for piece in documents(bytes) {
        match piece {
            Piece::Json(raw) => document(raw, true, declared, &mut out),
            Piece::Broken(part, reason) => {
                out.push(payload::dead("/genesys", "not_json", reason, part));
            }
        }
    }
    out
}

/// A document; only an outermost one may hold a list of others.
fn document(raw: &RawValue, outermost: bool, declared: &Declared, out: &mut Vec<NewLine>) {
    let bytes = raw.get().as_bytes();
    let Some(fields) = object(raw) else {
        let reason = "a document that is no object; send conversation details, events of \
                      EventBridge or frames of notifications";
        out.push(payload::dead(
            "/genesys",
            "not_object",
            reason.to_owned(),
            bytes,
        ));
        return;
    };
    let has = |name: &str| fields.contains_key(name);
    let new = |format, id: &str| payload::record(format, &declared.instance, declared, id, bytes);
    // Answers of queries hold a list of what we want.
    for name in ["conversations", "userDetails", "entities"] {
        let within = fields.get(name).filter(|_| outermost);
        if let Some(all) = within.and_then(|raw| list(raw)) {
            for one in all {
                document(one, false, declared, out);
            }
            return;
        }
    }
    // Each result of an aggregate query is of one group; an observation's tell no time.
    if let Some(all) = fields
        .get("results")
        .and_then(|raw| list(raw))
        .filter(|_| outermost)
    {
        let timed = |raw: &&RawValue| raw.get().contains("\"interval\"");
        if !all.is_empty() && all.iter().all(timed) {
            for one in all {
                document(one, false, declared, out);
            }
            return;
        }
    }
    let line = if has("detail-type") || has("detail") {
        let instance = match declared.instance.as_str() {
            "" => organisation(&words(&fields, "source")),
            given => given.to_owned(),
        };
        payload::record(EVENT, &instance, declared, &words(&fields, "id"), bytes)
    } else if has("topicName") {
        if words(&fields, "topicName") == "channel.metadata" {
            // The heartbeat of the channel.
            return;
        }
        new(EVENT, "")
    } else if has("participants") {
        match words(&fields, "conversationId").as_str() {
            "" => payload::dead(
                "/genesys/conversation",
                "missing_attribute",
                "a conversation without conversationId cannot be told from others".to_owned(),
                bytes,
            ),
            // It has no version: what it says now is one.
            id => new(CONVERSATION, &format!("{id}@{}", fingerprint(bytes))),
        }
    } else if has("conversationId") && (has("fileState") || has("mediaUris") || has("media")) {
        let id = words(&fields, "id");
        new(RECORDING, &format!("{id}@{}", fingerprint(bytes)))
    } else if has("userId") && (has("primaryPresence") || has("routingStatus")) {
        new(USER, "")
    } else if has("evaluationForm") && has("id") {
        let id = words(&fields, "id");
        new(EVALUATION, &format!("{id}@{}", fingerprint(bytes)))
    } else if has("group") && has("data") {
        new(FIGURES, "")
    } else if has("results") {
        new(OBSERVATION, "")
    } else {
        let reason = "none of: conversation detail, EventBridge event, frame of a notification \
                      channel, recording, user detail, queue observation";
        payload::dead("/genesys", "unknown_document", reason.to_owned(), bytes)
    };
    out.push(line);
}

fn words(fields: &Fields<'_>, name: &str) -> String {
    fields
        .get(name)
        .and_then(|raw| serde_json::from_str::<String>(raw.get()).ok())
        .unwrap_or_default()
}

/// The organisation in `aws.partner/genesys.com/cloud/ORGANISATION/SUFFIX`.
fn organisation(source: &str) -> String {
    let mut parts = source.split('/').skip_while(|part| *part != "cloud");
    parts.next();
    parts.next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_instance_is_the_organisation() {
        let source = "aws.partner/genesys.com.test/cloud/32aa07aa/test-event-bus";
        assert_eq!(organisation(source), "32aa07aa");
        assert_eq!(organisation("elsewhere"), "");
    }
}
