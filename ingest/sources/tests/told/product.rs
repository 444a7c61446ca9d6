//! The product's rows of contacts, agents and recordings, under the simulator's names.

use std::collections::BTreeSet;

use callboard_model::rows::ContactRows;
use callboard_model::tables::Instant;
use callboard_model::time::format_rfc3339;

use crate::compare::Row;
use crate::day::Told;
use crate::fold::Rows;
use crate::sides::Sides;

impl Sides {
    pub fn read_product(&mut self, day: &Told, rows: &Rows) {
        let names = |entity: &str, native: &str| -> String {
            let known = day.names.get(entity).and_then(|n| n.get(native));
            known.cloned().unwrap_or_else(|| native.to_owned())
        };
        for contact in &rows.contacts {
            let own = contact.contact.as_ref().unwrap();
            let natives = std::iter::once(own.contact_id.as_str())
                .chain(contact.aliases.iter().map(|a| a.native.as_str()));
            let known = &day.names["contact"];
            let ids: BTreeSet<&String> = natives.filter_map(|n| known.get(n)).collect();
            assert!(ids.len() <= 1, "one contact of several: {ids:?}");
            let id = ids
                .first()
                .map_or(own.contact_id.clone(), |id| (*id).clone());
            for (table, rows) in product(contact, &names) {
                let all = self.product.entry(table).or_default();
                all.entry(id.clone()).or_default().extend(rows);
            }
        }
        for of in self.product.get_mut("links").into_iter().flatten() {
            of.1.sort_by_key(|r| (r.text("at"), r.text("to_contact")));
        }
        let all = self.product.entry("agent_states").or_default();
        for state in rows.agents.iter().filter(|s| s.track == "presence") {
            let mut row = Row::default();
            row.set("state", Some(state.state.clone()));
            row.set("reason", state.reason.clone());
            row.set("started_at", time(Some(state.started_at)));
            row.set("ended_at", time(state.ended_at));
            all.entry(names("agent", &state.agent))
                .or_default()
                .push(row);
        }
        let all = self.product.entry("recordings").or_default();
        for recording in &rows.recordings {
            let mut row = Row::default();
            row.set("leg", Some(recording.leg.clone()));
            row.set("state", Some(recording.state.clone()));
            row.set("started_at", time(recording.started_at));
            row.set("ended_at", time(recording.ended_at));
            let ms = recording.duration_ms.map(|ms| ms.to_string());
            row.set("duration_ms", ms);
            all.entry(names("contact", &recording.contact_id))
                .or_default()
                .push(row);
        }
    }
}

fn time(at: Option<Instant>) -> Option<String> {
    at.map(|t| format_rfc3339(t.0))
}

/// The product's rows of a contact, with the simulator's names of queues, agents and contacts.
fn product(
    rows: &ContactRows,
    names: &dyn Fn(&str, &str) -> String,
) -> Vec<(&'static str, Vec<Row>)> {
    let named = |entity: &str, v: &Option<String>| v.as_ref().map(|v| names(entity, v));
    let number = |n: Option<i64>| n.map(|n| n.to_string());
    let row = |cells: Vec<(&str, Option<String>)>| {
        let mut row = Row::default();
        for (column, value) in cells {
            row.set(column, value);
        }
        row
    };
    let own = rows.contact.iter().map(|c| {
        row(vec![
            ("source", Some(names("source", &c.source))),
            ("channel", Some(c.channel.clone())),
            ("direction", c.direction.clone()),
            ("queue", named("queue", &c.queue)),
            ("agent", named("agent", &c.agent)),
            ("customer", named("customer", &c.customer)),
            ("started_at", time(c.started_at)),
            ("ended_at", time(c.ended_at)),
            ("outcome", c.outcome.clone()),
            ("raw_outcome", c.raw_outcome.clone()),
            ("wait_ms", number(c.wait_ms)),
            ("talk_ms", number(c.talk_ms)),
            ("hold_ms", number(c.hold_ms)),
            ("wrap_ms", number(c.wrap_ms)),
            ("state", Some(c.state.clone())),
        ])
    });
    let segments = rows.segments.iter().map(|s| {
        let target = s.target.as_ref().map(|t| match s.target_kind.as_deref() {
            Some("queue") => names("queue", t),
            Some("agent") => names("agent", t),
            _ => t.clone(),
        });
        row(vec![
            ("kind", Some(s.kind.clone())),
            ("queue", named("queue", &s.queue)),
            ("agent", named("agent", &s.agent)),
            ("started_at", time(s.started_at)),
            ("ended_at", time(s.ended_at)),
            ("outcome", s.outcome.clone()),
            ("target_kind", s.target_kind.clone()),
            ("target", target),
        ])
    });
    let offers = rows.offers.iter().map(|o| {
        row(vec![
            ("queue", named("queue", &o.queue)),
            ("agent", named("agent", &o.agent)),
            ("offered_at", time(o.offered_at)),
            ("ring_ms", number(o.ring_ms)),
            ("outcome", o.outcome.clone()),
        ])
    });
    let links = rows.links.iter().map(|l| {
        row(vec![
            ("to_contact", Some(names("contact", &l.to_contact))),
            ("kind", Some(l.kind.clone())),
            ("at", time(l.at)),
        ])
    });
    vec![
        ("contacts", own.collect()),
        ("segments", segments.collect()),
        ("offers", offers.collect()),
        ("links", links.collect()),
    ]
}
