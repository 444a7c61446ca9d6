//! Which columns of which table hold names, and by what they are told.

use callboard_model::tables::{
    AGENT_STATES, CONTACTS, EVALUATIONS, MEASUREMENTS, OFFERS, QUEUE_TARGETS, RECORDINGS,
    SCHEDULES, SEGMENTS, SURVEYS, VENDOR_METRICS,
};

use super::{Identity, Name, Names};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// An agent.
    Agent,
    /// A queue.
    Queue,
    /// A list of agents.
    Agents,
    /// A list of queues.
    Queues,
    /// Where a redirection led: an agent or a queue, as `target_kind` says.
    Target,
    /// The contact's site.
    Site,
    /// The contact's line of business.
    Line,
    /// The customer's name.
    CustomerName,
    /// What a figure is of: `queue:NAME`, `agent:NAME`, or both.
    Scope,
}

impl Role {
    /// Whether the files say anything of it.
    pub(crate) fn is_told(self, by: &Identity) -> bool {
        let of = |role: &Role| match role {
            Role::Agent | Role::Agents => !by.agents.is_empty(),
            Role::Queue | Role::Queues => !by.queues.is_empty(),
            Role::Target | Role::Scope => !by.agents.is_empty() || !by.queues.is_empty(),
            Role::Site => {
                !by.sites.is_empty()
                    || !by.source_sites.is_empty()
                    || sited(by, |n| n.site.is_some())
            }
            Role::Line => !by.lines.is_empty() || sited(by, |n| n.line.is_some()),
            Role::CustomerName => !by.customers.is_empty(),
        };
        of(&self)
    }

    /// Columns that it is told by, beside the contact or source and the time.
    fn needs(self) -> &'static [&'static str] {
        match self {
            Role::Target => &["target_kind"],
            Role::Site | Role::Line => &["dialled", "agent", "queue"],
            Role::CustomerName => &["customer"],
            _ => &[],
        }
    }
}

/// Whether any agent or queue has this.
fn sited(by: &Identity, has: fn(&Name) -> bool) -> bool {
    let any = |names: &Names| names.by_native.values().flatten().any(|(_, n)| has(n));
    any(&by.agents) || any(&by.queues)
}

/// How a table's rows tell which platform a name is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// By the id of the contact.
    Contact,
    /// By `/platform/instance`.
    Source,
    /// What stands beside contacts: by the contact where the row has one, by the source where that
    /// is a platform's, else by the name alone ([`Names::beside`]).
    Beside {
        /// Whether its rows have contacts.
        contact: bool,
    },
}

/// The columns of a table that hold names.
#[derive(Debug)]
pub(crate) struct Shape {
    table: &'static str,
    pub(super) told: Told,
    /// The time at which a name counts.
    pub(super) at: Option<&'static str>,
    /// Columns with what they hold.
    pub(crate) columns: &'static [(&'static str, Role)],
}

static SHAPES: [Shape; 11] = [
    Shape {
        table: CONTACTS.name,
        told: Told::Source,
        at: Some("started_at"),
        columns: &[
            ("queue", Role::Queue),
            ("agent", Role::Agent),
            ("queues", Role::Queues),
            ("agents", Role::Agents),
            ("site", Role::Site),
            ("line_of_business", Role::Line),
            ("customer_name", Role::CustomerName),
        ],
    },
    Shape {
        table: SEGMENTS.name,
        told: Told::Contact,
        at: Some("started_at"),
        columns: &[
            ("queue", Role::Queue),
            ("agent", Role::Agent),
            ("target", Role::Target),
        ],
    },
    Shape {
        table: OFFERS.name,
        told: Told::Contact,
        at: Some("offered_at"),
        columns: &[("queue", Role::Queue), ("agent", Role::Agent)],
    },
    Shape {
        table: AGENT_STATES.name,
        told: Told::Source,
        at: Some("started_at"),
        columns: &[("queue", Role::Queue), ("agent", Role::Agent)],
    },
    Shape {
        table: RECORDINGS.name,
        told: Told::Contact,
        at: Some("started_at"),
        columns: &[("queue", Role::Queue), ("agent", Role::Agent)],
    },
    Shape {
        table: SURVEYS.name,
        told: Told::Contact,
        at: Some("asked_at"),
        columns: &[("queue", Role::Queue), ("agent", Role::Agent)],
    },
    Shape {
        table: QUEUE_TARGETS.name,
        // Targets of the configuration name queues as they are shown, and tell no source.
        told: Told::Source,
        at: None,
        columns: &[("queue", Role::Queue)],
    },
    Shape {
        table: MEASUREMENTS.name,
        told: Told::Beside { contact: true },
        at: Some("at"),
        columns: &[("participant", Role::Agent)],
    },
    Shape {
        table: VENDOR_METRICS.name,
        told: Told::Beside { contact: false },
        at: Some("started_at"),
        columns: &[("scope", Role::Scope)],
    },
    Shape {
        table: EVALUATIONS.name,
        told: Told::Beside { contact: true },
        at: Some("at"),
        columns: &[("agent", Role::Agent), ("evaluator", Role::Agent)],
    },
    Shape {
        table: SCHEDULES.name,
        told: Told::Beside { contact: false },
        at: Some("started_at"),
        columns: &[("agent", Role::Agent)],
    },
];

impl Shape {
    /// That of a table, where it holds names at all.
    pub(crate) fn of(table: &str) -> Option<&'static Shape> {
        SHAPES.iter().find(|s| s.table == table)
    }

    /// What this column holds, where the files say anything of it.
    pub(crate) fn role(&self, column: &str, by: &Identity) -> Option<Role> {
        let found = self.columns.iter().find(|(name, _)| *name == column);
        found.map(|(_, role)| *role).filter(|role| role.is_told(by))
    }

    /// The columns that these roles need beside their own.
    pub(crate) fn needs(&self, roles: &[Role]) -> Vec<&'static str> {
        let mut all: Vec<&'static str> = vec!["day"];
        all.extend(match self.told {
            Told::Contact => &["contact_id"][..],
            Told::Source | Told::Beside { contact: false } => &["source"],
            Told::Beside { contact: true } => &["contact_id", "source"],
        });
        all.extend(self.at);
        for role in roles {
            all.extend(role.needs());
        }
        all
    }
}
