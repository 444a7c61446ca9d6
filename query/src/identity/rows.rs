//! Names in rows: what the columns that hold them become.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, ListBuilder, RecordBatch, StringArray, StringBuilder,
};
use arrow::datatypes::{DataType, Date32Type, Field, TimestampMicrosecondType};

use super::shapes::{Role, Shape, Told};
use super::{Identity, Name, Names};

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

impl Shape {
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
                let own = |row: usize| own.and_then(|c| at(c, row));
                let all = 0..batch.num_rows();
                let told: StringArray = match role {
                    Role::Scope => all
                        .map(|row| own(row).map(|scope| rows.scope(scope, row, by)))
                        .collect(),
                    _ => all.map(|row| rows.told(role, own(row), row, by)).collect(),
                };
                Arc::new(told)
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
    contact: Option<&'a StringArray>,
    source: Option<&'a StringArray>,
    at: Option<&'a arrow::array::PrimitiveArray<TimestampMicrosecondType>>,
    day: Option<&'a arrow::array::PrimitiveArray<Date32Type>>,
}

impl<'a> Rows<'a> {
    fn new(shape: &Shape, batch: &'a RecordBatch) -> Self {
        let column = |name: &str| batch.column_by_name(name);
        let text = |name: &str| column(name).and_then(|c| c.as_string_opt());
        let at = shape.at.and_then(column);
        Rows {
            batch,
            told: shape.told,
            contact: text("contact_id"),
            source: text("source"),
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
        let contact = || self.contact.and_then(|c| at(c, row));
        let source = || self.source.and_then(|s| at(s, row));
        let when = self.moment(row);
        match self.told {
            Told::Contact => names.of_contact(contact()?, native, when),
            Told::Source => names.of_source(source()?, native, when),
            Told::Beside { .. } => names.beside(contact(), source()?, native, when),
        }
    }

    /// What a figure is of: of an agent, of a queue, or of an agent in a queue.
    fn scope(&self, scope: &str, row: usize, by: &Identity) -> String {
        let ours = |names: &Names, native: &str| {
            let found = self.name(names, native, row);
            found.map_or_else(|| native.to_owned(), |n| n.id.clone())
        };
        if let Some(queue) = scope.strip_prefix("queue:") {
            return format!("queue:{}", ours(&by.queues, queue));
        }
        let Some(rest) = scope.strip_prefix("agent:") else {
            return scope.to_owned();
        };
        match rest.split_once(" queue:") {
            Some((agent, queue)) => {
                let (agent, queue) = (ours(&by.agents, agent), ours(&by.queues, queue));
                format!("agent:{agent} queue:{queue}")
            }
            None => format!("agent:{}", ours(&by.agents, rest)),
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
            // Whoever sends all that an instance tells knows least of a single contact.
            Role::Site => self
                .of_place(own, row, by, &by.sites, |n| n.site.as_deref())
                .or_else(|| by.source_sites.of(self.source.and_then(|s| at(s, row))?)),
            Role::Line => self.of_place(own, row, by, &by.lines, |n| n.line.as_deref()),
            Role::CustomerName => {
                let customer = self.text("customer", row);
                let found = customer.and_then(|c| self.name(&by.customers, c, row));
                found.map(|n| n.id.as_str()).or(own)
            }
            // It is made of two names ([`Rows::scope`]).
            Role::Scope => own,
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
