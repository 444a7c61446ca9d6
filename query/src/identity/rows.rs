//! Names in rows: which columns of which table hold them, and what they become.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, ListBuilder, RecordBatch, StringArray, StringBuilder,
};
use arrow::datatypes::{DataType, Date32Type, Field, TimestampMicrosecondType};
use callboard_model::tables::{
    AGENT_STATES, CONTACTS, OFFERS, QUEUE_TARGETS, RECORDINGS, SEGMENTS, SURVEYS,
};

use super::{Identity, Name, Names};

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

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
}

impl Role {
    /// Whether the files say anything of it.
    pub(crate) fn is_told(self, by: &Identity) -> bool {
        let of = |role: &Role| match role {
            Role::Agent | Role::Agents => !by.agents.is_empty(),
            Role::Queue | Role::Queues => !by.queues.is_empty(),
            Role::Target => !by.agents.is_empty() || !by.queues.is_empty(),
            Role::Site => !by.sites.is_empty() || sited(by, |n| n.site.is_some()),
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
enum Told {
    /// By the id of the contact.
    Contact,
    /// By `/platform/instance`.
    Source,
}

/// The columns of a table that hold names.
#[derive(Debug)]
pub(crate) struct Shape {
    table: &'static str,
    told: Told,
    /// The time at which a name counts.
    at: Option<&'static str>,
    /// Columns with what they hold.
    pub(crate) columns: &'static [(&'static str, Role)],
}

static SHAPES: [Shape; 7] = [
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
        all.push(match self.told {
            Told::Contact => "contact_id",
            Told::Source => "source",
        });
        all.extend(self.at);
        for role in roles {
            all.extend(role.needs());
        }
        all
    }

    /// The column as the files tell it.
    pub(crate) fn resolve(
        &self,
        batch: &RecordBatch,
        column: &ArrayRef,
        role: Role,
        by: &Identity,
    ) -> ArrayRef {
        let rows = Rows::new(self, batch);
        match role {
            Role::Agents => lists(column, |row, one| rows.name(&by.agents, one, row)),
            Role::Queues => lists(column, |row, one| rows.name(&by.queues, one, row)),
            _ => {
                let own = column.as_string_opt::<i32>();
                let told = (0..batch.num_rows()).map(|row| {
                    let own = own.and_then(|c| at(c, row));
                    rows.told(role, own, row, by)
                });
                Arc::new(told.collect::<StringArray>())
            }
        }
    }
}

fn at(column: &StringArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

fn lists<'a>(
    column: &ArrayRef,
    told: impl for<'b> Fn(usize, &'b str) -> Option<&'a Name>,
) -> ArrayRef {
    let Some(all) = column.as_list_opt::<i32>() else {
        return column.clone();
    };
    let element = match column.data_type() {
        DataType::List(field) => field.clone(),
        _ => Arc::new(Field::new("element", DataType::Utf8, true)),
    };
    let mut out = ListBuilder::new(StringBuilder::new()).with_field(element);
    for row in 0..all.len() {
        if all.is_null(row) {
            out.append(false);
            continue;
        }
        let values = all.value(row);
        let names = values.as_string_opt::<i32>();
        for one in names.into_iter().flat_map(StringArray::iter) {
            let ours = one.and_then(|one| told(row, one)).map(|n| n.id.as_str());
            out.values().append_option(ours.or(one));
        }
        out.append(true);
    }
    Arc::new(out.finish())
}

/// The rows of a batch, by the columns that names are told by.
struct Rows<'a> {
    batch: &'a RecordBatch,
    told: Told,
    place: Option<&'a StringArray>,
    at: Option<&'a arrow::array::PrimitiveArray<TimestampMicrosecondType>>,
    day: Option<&'a arrow::array::PrimitiveArray<Date32Type>>,
}

impl<'a> Rows<'a> {
    fn new(shape: &Shape, batch: &'a RecordBatch) -> Self {
        let column = |name: &str| batch.column_by_name(name);
        let place = match shape.told {
            Told::Contact => column("contact_id"),
            Told::Source => column("source"),
        };
        let at = shape.at.and_then(column);
        Rows {
            batch,
            told: shape.told,
            place: place.and_then(|c| c.as_string_opt()),
            at: at.and_then(|c| c.as_primitive_opt()),
            day: column("day").and_then(|c| c.as_primitive_opt()),
        }
    }

    fn text(&self, column: &str, row: usize) -> Option<&'a str> {
        let column = self.batch.column_by_name(column)?.as_string_opt::<i32>()?;
        at(column, row)
    }

    /// When: the row's own time, else its day.
    fn moment(&self, row: usize) -> i64 {
        let known = self.at.filter(|a| a.is_valid(row)).map(|a| a.value(row));
        let day = || self.day.filter(|d| d.is_valid(row)).map(|d| d.value(row));
        known.unwrap_or_else(|| i64::from(day().unwrap_or(0)) * DAY)
    }

    fn name<'n>(&self, names: &'n Names, native: &str, row: usize) -> Option<&'n Name> {
        if names.is_empty() {
            return None;
        }
        let place = self.place.and_then(|p| at(p, row));
        match (self.told, place) {
            (Told::Contact, Some(id)) => names.of_contact(id, native, self.moment(row)),
            (Told::Source, Some(source)) => names.of_source(source, native, self.moment(row)),
            (_, None) => None,
        }
    }

    fn told<'n>(
        &self,
        role: Role,
        own: Option<&'n str>,
        row: usize,
        by: &'n Identity,
    ) -> Option<&'n str>
    where
        'a: 'n,
    {
        let ours = |names: &'n Names| {
            let found = own.and_then(|one| self.name(names, one, row));
            found.map(|n| n.id.as_str()).or(own)
        };
        match role {
            Role::Agent | Role::Agents => ours(&by.agents),
            Role::Queue | Role::Queues => ours(&by.queues),
            Role::Target => match self.text("target_kind", row) {
                Some("queue" | "voice_app") => ours(&by.queues),
                Some("agent" | "person") => ours(&by.agents),
                _ => own,
            },
            Role::Site => self.of_place(own, row, by, &by.sites, |n| n.site.as_deref()),
            Role::Line => self.of_place(own, row, by, &by.lines, |n| n.line.as_deref()),
            Role::CustomerName => {
                let customer = self.text("customer", row);
                let found = customer.and_then(|c| self.name(&by.customers, c, row));
                found.map(|n| n.id.as_str()).or(own)
            }
        }
    }

    /// Site or line: by the platform's own word, by the number dialled, by agent, by queue.
    fn of_place<'n>(
        &self,
        own: Option<&'n str>,
        row: usize,
        by: &'n Identity,
        names: &'n Names,
        of: fn(&'n Name) -> Option<&'n str>,
    ) -> Option<&'n str> {
        let named =
            |text: Option<&str>, names: &'n Names| text.and_then(|t| self.name(names, t, row));
        if own.is_some() {
            return named(own, names).map(|n| n.id.as_str()).or(own);
        }
        named(self.text("dialled", row), names)
            .map(|n| n.id.as_str())
            .or_else(|| named(self.text("agent", row), &by.agents).and_then(of))
            .or_else(|| named(self.text("queue", row), &by.queues).and_then(of))
    }
}
