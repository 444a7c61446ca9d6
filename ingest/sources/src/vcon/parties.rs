//! Who took part, and who of them is the customer. A vCon need not say: then the one who began is
//! taken for the customer, and what follows from that is marked as concluded.

use serde_json::Value;

use super::bare;
use crate::payload::value::{as_int, field, items, path, text};

/// One party.
#[derive(Debug, Clone, Default)]
pub(super) struct Party {
    pub name: String,
    /// Number, else mail address.
    pub address: String,
    /// How he is called as an agent: mail address, else id, name, number.
    pub handle: String,
    pub role: String,
}

/// All parties.
#[derive(Debug, Default)]
pub(super) struct Parties {
    pub all: Vec<Party>,
    pub customer: Option<usize>,
    /// Whether roles are stated.
    pub stated: bool,
}

fn party(v: &Value) -> Party {
    let first = |names: &[&str]| {
        let mut all = names.iter().map(|n| bare(&text(v, n)).into_owned());
        all.find(|t| !t.is_empty()).unwrap_or_default()
    };
    let role = path(v, &["meta", "role"])
        .and_then(crate::payload::value::as_text)
        .unwrap_or_default();
    let role = match text(v, "role") {
        own if own.is_empty() => role,
        own => own,
    };
    Party {
        name: text(v, "name"),
        address: first(&["tel", "mailto", "email", "sip"]),
        handle: first(&["mailto", "id", "name", "tel", "sip"]),
        role: role.to_ascii_lowercase(),
    }
}

fn is_customer(role: &str) -> bool {
    ["customer", "client", "caller", "contact", "lead"].contains(&role)
}

fn is_agent(role: &str) -> bool {
    ["agent", "ai", "bot", "supervisor", "representative"].contains(&role)
}

impl Parties {
    pub(super) fn of(v: &Value) -> Parties {
        let all: Vec<Party> = items(v, "parties").iter().map(party).collect();
        let stated = all.iter().position(|p| is_customer(&p.role));
        let lone = || {
            let agent = |p: &Party| is_agent(&p.role);
            let of = all.iter().position(|p| !agent(p));
            of.filter(|_| all.iter().any(agent))
        };
        let by_role = stated.or_else(lone);
        let began = items(v, "dialog").first().map_or(0, originator);
        Parties {
            customer: by_role.or_else(|| (began < all.len()).then_some(began)),
            stated: by_role.is_some(),
            all,
        }
    }

    pub(super) fn get(&self, n: usize) -> Option<&Party> {
        self.all.get(n)
    }

    pub(super) fn the_customer(&self) -> Option<&Party> {
        self.customer.and_then(|n| self.get(n))
    }

    /// The first of these who is not the customer.
    pub(super) fn agent_of(&self, of: &[usize]) -> Option<&Party> {
        let agents = of.iter().filter(|n| Some(**n) != self.customer);
        agents.filter_map(|n| self.get(*n)).next()
    }

    /// Leg of a party's words.
    pub(super) fn leg(&self, n: usize) -> &'static str {
        match self.customer {
            Some(c) if c == n => "customer",
            Some(_) if n < self.all.len() => "agent",
            _ => "mixed",
        }
    }
}

/// The parties of a dialog: one, a list, or a list for each channel.
pub(super) fn indices(d: &Value) -> Vec<usize> {
    fn add(v: &Value, out: &mut Vec<usize>) {
        match v {
            Value::Array(all) => all.iter().for_each(|v| add(v, out)),
            one => out.extend(as_int(one).and_then(|n| usize::try_from(n).ok())),
        }
    }
    let mut out = Vec::new();
    if let Some(v) = field(d, "parties") {
        add(v, &mut out);
    }
    out
}

/// Who began a dialog: the one it names, else the first of its parties.
pub(super) fn originator(d: &Value) -> usize {
    let stated = field(d, "originator").and_then(as_int);
    stated
        .and_then(|n| usize::try_from(n).ok())
        .or_else(|| indices(d).first().copied())
        .unwrap_or(0)
}
