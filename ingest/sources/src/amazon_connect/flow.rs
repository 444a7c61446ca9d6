//! Flow logs: one line for each block of a flow that ran, where logging is switched on in the flow.
//! What the customer chose becomes the input of the time he spent in flows; attributes that a flow
//! set are the contact's.

use std::sync::Arc;

use callboard_model::record::{Provenance, Refusal, Routing, rank};
use callboard_model::statement::{F, Statement, Thing};

use super::doc::{Doc, clip, resource};
use super::{Read, alone, instance_source, missing};

/// What one block says.
pub(super) fn route(read: &Read<'_>) -> Result<Routing, Refusal> {
    let doc = read.doc();
    let id = doc
        .get("ContactId")
        .owned()
        .ok_or_else(|| missing("ContactId"))?;
    let at = doc.get("Timestamp").time();
    let by = read.live(at.map(|t| t.0));
    let flow = doc.get("ContactFlowId").owned().unwrap_or_default();
    let flow = resource(&flow, "/contact-flow/").to_owned();
    let name = doc.get("ContactFlowName").owned().unwrap_or(flow);
    let mut contact = Statement::new(Thing::Contact, &by)
        .text(F::Source, &instance_source(read.instance()))
        .text(attr("aws:flow"), &name);
    let module = doc.get("ContactFlowModuleType").owned().unwrap_or_default();
    let parameters = doc.get("Parameters");
    let mut out = Vec::new();
    match &*module {
        "GetUserInput" | "GetCustomerInput" | "ConnectParticipantWithLexBot" => {
            let results = results(doc);
            let step = doc.get("Identifier").owned().unwrap_or(name);
            contact = contact.text(attr(&format!("aws:input/{step}")), &results);
            out.extend(chosen(&id, &step, &results, parameters, at, &by));
        }
        "SetAttributes" | "UpdateContactAttributes" => {
            let pair = (
                parameters.get("Key").owned(),
                parameters.get("Value").owned(),
            );
            if let (Some(key), Some(value)) = pair {
                contact = contact.text(attr(&key), &value);
            }
        }
        m if m.contains("PhoneNumber") || m == "TransferParticipantToThirdParty" => {
            // The other side's call begins here: what joins the two by the number needs both.
            let number = parameters
                .any(&["PhoneNumber", "ThirdPartyPhoneNumber"])
                .owned();
            contact = contact
                .text(
                    attr("aws:transfer_block_number"),
                    &number.unwrap_or_default(),
                )
                .text(
                    attr("aws:transfer_block_at"),
                    &doc.get("Timestamp").owned().unwrap_or_default(),
                );
        }
        _ => {}
    }
    out.push(contact);
    Ok(alone(read.contact(&id), at.map(|t| t.0), out))
}

fn attr(name: &str) -> F {
    F::Attr(clip(name).into())
}

/// What a block came to; a number that the customer entered to be stored is in another block, which
/// is left alone: it may be a card's.
fn results(doc: Doc<'_>) -> String {
    let results = doc.get("Results");
    let named = results.any(&["IntentName", "Value"]).owned();
    results.owned().or(named).unwrap_or_default()
}

/// The choice, as the input of the leg's time in flows.
fn chosen(
    id: &str,
    step: &str,
    results: &str,
    parameters: Doc<'_>,
    at: Option<(i64, u32)>,
    by: &Arc<Provenance>,
) -> Vec<Statement> {
    if results.is_empty() {
        return Vec::new();
    }
    let thing = Thing::Segment(format!("{id}/flow").into());
    let keys = |c: char| c.is_ascii_digit() || c == '*' || c == '#';
    let bot = parameters
        .fields()
        .any(|(name, _)| name.contains("Bot") || name.contains("Lex"));
    let how = if results.chars().all(keys) {
        "dtmf"
    } else if bot {
        "speech"
    } else {
        ""
    };
    let said = Statement::new(thing.clone(), by)
        .text(F::Kind, "menu")
        .text(F::Name, step)
        .text(F::Input, results)
        .text(F::InputType, how);
    let mut out = vec![said];
    if let Some((us, precision)) = at {
        // Where nothing else says when it began: with the first choice, which therefore has to win.
        let first = Arc::new(Provenance {
            rank: rank::INFERRED,
            recorded_at: Some(-us),
            ..(**by).clone()
        });
        out.push(Statement::new(thing, &first).time(F::Start, us, precision));
    }
    out
}
