//! The public views, each a file: what a row is, what each column says, and the SQL.

use std::collections::BTreeMap;

use callboard_model::tables;

use crate::{metrics, say};

/// What is made of the rows of a view that is made once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// Nothing: they are the rows.
    AsIs,
    /// They are pairs, of which the groups are wanted.
    Groups,
    /// They are pairs of which each side may keep one: column `fate` says what became of each.
    Matched,
}

/// One view as its file states it.
#[derive(Debug, Clone)]
pub struct ViewFile {
    /// Name.
    pub name: &'static str,
    /// What a row is.
    pub comment: String,
    /// Only for other views; users cannot name it.
    pub hidden: bool,
    /// Also made over today's and yesterday's rows alone, as `NAME_recent`, for the live board.
    pub recent: bool,
    /// Made once for a picture and kept, which implies hidden; and what is made of the SQL's rows.
    pub made: Option<Finish>,
    /// The column of a time whose asked range the SQL takes as `$1` and `$2`, UTC microseconds.
    pub ranged: Option<&'static str>,
    /// Comments of columns: (unit or empty, comment).
    pub columns: BTreeMap<String, (String, String)>,
    /// The SQL; `{metric NAME}` in the file is the metric's own expression, `{platforms}` the names
    /// of platforms that have contacts.
    pub sql: String,
}

macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../views/", $name, ".sql")))),+]
    };
}

/// The files in an order in which each needs only those before it.
static FILES: &[(&str, &str)] = files![
    "snapshot",
    "contact_names",
    "agent_names",
    "lease_windows",
    "lease_slots",
    "contacts",
    "segments",
    "offers",
    "agent_states",
    "queue_targets",
    "target_spans",
    "links",
    "aliases",
    "journey_leases",
    "journey_carried",
    "journey_transfers",
    "journey_arrivals",
    "journey_pairs",
    "journey_edges",
    "journey_roots",
    "journey_members",
    "journey_outside",
    "journeys",
    "journey_steps",
    "corrections",
    "dead_letters",
    "records",
    "recordings",
    "turns",
    "tags",
    "notes",
    "surveys",
    "measurements",
    "vendor_metrics",
    "evaluations",
    "customer_attributes",
    "schedules",
    "leases",
    "queue_stays",
    "queue_intervals",
    "migration_units",
    "platform_intervals",
    "platform_contacts",
    "agent_spans",
    "agent_steps",
    "agent_known",
    "agent_intervals",
    "agent_time",
    "platform_agent_time",
    "adherence",
    "vendor_beside_ours",
    "now_queues",
    "now_agents",
    "coverage",
];

/// Every view, in an order in which each needs only those before it.
pub fn files() -> Vec<ViewFile> {
    FILES.iter().map(|(name, text)| parse(name, text)).collect()
}

fn parse(name: &'static str, text: &'static str) -> ViewFile {
    let mut view = ViewFile {
        name,
        comment: String::new(),
        hidden: false,
        recent: false,
        made: None,
        ranged: None,
        columns: BTreeMap::new(),
        sql: String::new(),
    };
    let mut header = 0;
    for line in text.lines() {
        let Some(rest) = line.strip_prefix("--") else {
            break;
        };
        header += line.len() + 1;
        let rest = rest.trim();
        if rest == "hidden" {
            view.hidden = true;
        } else if rest == "recent" {
            view.recent = true;
        } else if let Some(finish) = finish(rest) {
            view.made = Some(finish);
            view.hidden = true;
        } else if let Some(column) = rest.strip_prefix("ranged: ") {
            view.ranged = Some(column);
        } else if let Some(table) = rest.strip_prefix("table: ") {
            view.inherit(table);
        } else if let Some(column) = rest.strip_prefix("column ") {
            view.column(column);
        } else {
            if !view.comment.is_empty() {
                view.comment.push(' ');
            }
            view.comment.push_str(rest);
        }
    }
    view.sql = with_metrics(text.get(header..).unwrap_or("").trim_end());
    view
}

fn finish(line: &str) -> Option<Finish> {
    match line {
        "made" => Some(Finish::AsIs),
        "made groups" => Some(Finish::Groups),
        "made matched" => Some(Finish::Matched),
        _ => None,
    }
}

/// What is counted of stays in a group of them; each view that groups them takes it from here.
const STAY_COUNTS: &str = include_str!("../views/stay_counts.part.sql");

/// Puts metrics' expressions where a view names them, so that no figure is computed in two ways. A
/// name that is none of a metric stays, and the view does not plan.
fn with_metrics(sql: &str) -> String {
    let counts = STAY_COUNTS.lines().filter(|l| !l.starts_with("--"));
    let counts: Vec<&str> = counts.map(str::trim).collect();
    let sql = sql.replace("{stay_counts}", &counts.join("\n       "));
    let platforms: Vec<String> = say::of_contacts().map(|p| format!("('{p}')")).collect();
    let sql = sql.replace("{platforms}", &platforms.join(", "));
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql.as_str();
    while let Some((before, after)) = rest.split_once("{metric ") {
        out.push_str(before);
        let (name, behind) = after.split_once('}').unwrap_or((after, ""));
        match metrics::metric(name) {
            Some(metric) => out.push_str(&format!("({})", metric.expr)),
            None => out.push_str(&format!("{{metric {name}}}")),
        }
        rest = behind;
    }
    out + rest
}

impl ViewFile {
    fn inherit(&mut self, table: &str) {
        for column in tables::table(table).map_or(&[][..], |t| t.columns) {
            let unit = unit_of(column.name, column.kind);
            self.columns.insert(
                column.name.to_owned(),
                (unit.to_owned(), column.comment.to_owned()),
            );
        }
    }

    /// `NAME (UNIT): COMMENT` or `NAME: COMMENT`.
    fn column(&mut self, text: &str) {
        let Some((head, comment)) = text.split_once(": ") else {
            return;
        };
        let (name, unit) = match head.split_once(" (") {
            Some((name, unit)) => (name, unit.trim_end_matches(')')),
            None => (head, ""),
        };
        self.columns
            .insert(name.to_owned(), (unit.to_owned(), comment.to_owned()));
    }

    /// The SQL over today's and yesterday's rows.
    pub fn recent_sql(&self) -> String {
        let mut sql = self.sql.clone();
        for base in ["segments", "offers", "agent_states"] {
            sql = sql.replace(
                &format!("internal.{base}\n"),
                &format!("internal.{base}_recent\n"),
            );
        }
        sql = sql.replace("internal.agent_names\n", "internal.agent_names_recent\n");
        for view in ["queue_stays", "agent_spans"] {
            sql = sql.replace(
                &format!("callboard.{view}\n"),
                &format!("internal.{view}_recent\n"),
            );
        }
        sql
    }
}

/// The unit that a column's name and kind tell.
pub fn unit_of(name: &str, kind: tables::Kind) -> &'static str {
    if name.ends_with("_ms") || name.contains("_ms_") || name == "ms" {
        "ms"
    } else if kind == tables::Kind::Time {
        "UTC"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read() {
        let all = files();
        let stays = all.iter().find(|v| v.name == "queue_stays").unwrap();
        assert!(stays.recent && !stays.hidden);
        assert_eq!(stays.columns["wait_ms"].0, "ms");
        assert!(stays.comment.starts_with("One row per stay"));
        assert!(stays.sql.starts_with("WITH"));
        assert!(stays.recent_sql().contains("internal.segments_recent\n"));
        let contacts = all.iter().find(|v| v.name == "contacts").unwrap();
        assert!(
            contacts.columns["customer"]
                .1
                .starts_with("Customer's address")
        );
    }

    #[test]
    fn recent_views_read_recent_tables_only() {
        for view in files().iter().filter(|v| v.recent) {
            let sql = view.recent_sql();
            for base in ["segments", "offers", "agent_states", "agent_names"] {
                let all = sql.matches(&format!("internal.{base}")).count();
                let recent = sql.matches(&format!("internal.{base}_recent")).count();
                assert_eq!(all, recent, "{} reads all of {base}", view.name);
            }
            // Targets are few, and one may have begun long ago.
            let sql = sql.replace("callboard.target_spans", "");
            assert!(!sql.contains("callboard."), "{}", view.name);
        }
    }
}
