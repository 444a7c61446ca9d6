//! Where a customer was led, or handed over to.

use callboard_model::statement::{F, Statement};

use super::super::doc::{Doc, resource};
use super::super::leg::Leg;

/// Where somebody was led.
#[derive(Debug, Default)]
pub(super) struct Target {
    kind: &'static str,
    name: String,
}

impl Target {
    /// To this leg: its queue, the agent whose own queue that is, or the number outside.
    pub fn of(leg: &Leg) -> Target {
        if leg.method() == "EXTERNAL_OUTBOUND" {
            let number = leg.stands(|d| d.at(&["CustomerEndpoint", "Address"]).owned());
            return Target {
                kind: "external",
                name: number.unwrap_or_default(),
            };
        }
        match (leg.queue(), leg.agent()) {
            (Some(q), _) if q.starts_with("agent/") => Target {
                kind: "agent",
                name: q.trim_start_matches("agent/").to_owned(),
            },
            (Some(q), _) => Target {
                kind: "queue",
                name: q,
            },
            (None, Some(a)) => Target {
                kind: "agent",
                name: a,
            },
            (None, None) => Target {
                kind: "voice_app",
                name: String::new(),
            },
        }
    }

    /// As the leg's own record states it.
    pub fn stated(leg: &Leg) -> Target {
        let end = |d: Doc<'_>, name| d.at(&["TransferredToEndpoint", name]).owned();
        let name = leg.find(|d| end(d, "Address")).unwrap_or_default();
        let kind = leg.find(|d| end(d, "Type")).unwrap_or_default();
        match &*kind.to_ascii_uppercase() {
            "TELEPHONE_NUMBER" | "VOIP" => Target {
                kind: "external",
                name,
            },
            "CONTACT_FLOW" => Target {
                kind: "voice_app",
                name: resource(&name, "/contact-flow/").to_owned(),
            },
            _ if name.starts_with('+') => Target {
                kind: "external",
                name,
            },
            _ => Target {
                kind: "other",
                name,
            },
        }
    }

    pub fn on(&self, s: Statement) -> Statement {
        s.text(F::TargetKind, self.kind).text(F::Target, &self.name)
    }
}
