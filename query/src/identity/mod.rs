//! Identity across systems: who an agent, a queue, a site, a line of business and a customer of one
//! platform is to us, and from when to when. Read from CSV files, applied when rows are read, and
//! never written into rows: another file tells the past anew.

mod batches;
mod exec;
mod read;
mod rows;
mod shapes;
mod sheet;
mod sites;

use std::collections::{HashMap, HashSet};

use arrow::array::RecordBatch;
use callboard_model::tables::{AGENT_INTERVALS, QUEUE_INTERVALS};

pub use batches::Given;
pub(crate) use exec::ResolveExec;
pub use read::{FILES, Settings};
pub(crate) use shapes::{Role, Shape};
pub use sites::{SourceSite, SourceSites};

use crate::say;

/// What a name is the name of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Entity {
    /// A person who takes contacts.
    Agent,
    /// A queue.
    Queue,
    /// A site.
    Site,
    /// A line of business.
    Line,
    /// A customer.
    Customer,
}

impl Entity {
    /// The word of `aliases.entity`.
    pub fn word(self) -> &'static str {
        match self {
            Entity::Agent => "agent",
            Entity::Queue => "queue",
            Entity::Site => "site",
            Entity::Line => "line_of_business",
            Entity::Customer => "customer",
        }
    }
}

/// One platform's name of something, and what it is to us in a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// Our name.
    pub id: String,
    /// Platform, e.g. `teams`.
    pub platform: String,
    /// Instance of it; empty where the platform's ids name none.
    pub instance: String,
    /// The platform's name.
    pub native: String,
    /// From when, UTC microseconds; `i64::MIN` = always.
    pub from: i64,
    /// Until when (not included), UTC microseconds; `i64::MAX` = still.
    pub to: i64,
    /// Site.
    pub site: Option<String>,
    /// Line of business.
    pub line: Option<String>,
    /// Team.
    pub team: Option<String>,
    /// The line of its file.
    pub at_line: u64,
}

impl Name {
    /// `/platform/instance`, as `contacts.source` says it.
    pub fn source(&self) -> String {
        match self.instance.as_str() {
            "" => format!("/{}", self.platform),
            instance => format!("/{}/{instance}", self.platform),
        }
    }

    /// How ids of that instance's contacts begin.
    fn prefix(&self) -> String {
        let first = match self.instance.as_str() {
            "" => &self.platform,
            instance => instance,
        };
        format!("{first}-")
    }

    fn holds(&self, at: i64) -> bool {
        self.from <= at && at < self.to
    }
}

/// All names of one entity.
#[derive(Debug, Clone, Default)]
pub struct Names {
    by_native: HashMap<String, Vec<(String, Name)>>,
    /// How contacts' ids begin of whose instances the file says anything.
    prefixes: HashSet<String>,
    /// Sources of which the file says anything.
    sources: HashSet<String>,
    /// Our names.
    ours: HashSet<String>,
}

impl Names {
    fn new(names: Vec<Name>) -> Self {
        let mut by_native: HashMap<String, Vec<(String, Name)>> = HashMap::new();
        let (mut prefixes, mut sources) = (HashSet::new(), HashSet::new());
        let mut ours = HashSet::new();
        for name in names {
            let one = (name.prefix(), name);
            prefixes.insert(one.0.clone());
            sources.insert(one.1.source());
            ours.insert(one.1.id.clone());
            by_native.entry(one.1.native.clone()).or_default().push(one);
        }
        for all in by_native.values_mut() {
            // The longest prefix first: `pbx-1-` before `pbx-`.
            all.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then(a.1.from.cmp(&b.1.from)));
        }
        Names {
            by_native,
            prefixes,
            sources,
            ours,
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_native.is_empty()
    }

    /// All of them, in order of platform, name and time.
    pub fn all(&self) -> Vec<&Name> {
        let mut all: Vec<&Name> = self.by_native.values().flatten().map(|(_, n)| n).collect();
        all.sort_by(|a, b| {
            let key = |n: &Name| (n.id.clone(), n.source(), n.native.clone(), n.from);
            key(a).cmp(&key(b))
        });
        all
    }

    /// By the contact in which the platform used the name.
    pub fn of_contact(&self, contact: &str, native: &str, at: i64) -> Option<&Name> {
        let all = self.by_native.get(native)?;
        let found = all
            .iter()
            .find(|(prefix, n)| contact.starts_with(prefix) && n.holds(at));
        found.map(|(_, n)| n)
    }

    /// By `/platform/instance`.
    pub fn of_source(&self, source: &str, native: &str, at: i64) -> Option<&Name> {
        let all = self.by_native.get(native)?;
        let (platform, instance) = parts(source);
        let found = all
            .iter()
            .find(|(_, n)| n.platform == platform && n.instance == instance && n.holds(at));
        found.map(|(_, n)| n)
    }

    /// Of something that stands beside contacts: a plan, a measurement, a figure, a score. By the
    /// contact, by the source where a platform told it. A planner or a table is no platform: there
    /// our own name is nobody else's, and a platform's name is who bears it wherever it is known.
    pub fn beside(
        &self,
        contact: Option<&str>,
        source: &str,
        native: &str,
        at: i64,
    ) -> Option<&Name> {
        let all = self.by_native.get(native)?;
        let near = contact.and_then(|id| self.of_contact(id, native, at));
        let near = near.or_else(|| self.of_source(source, native, at));
        if near.is_some() {
            return near;
        }
        let (platform, instance) = parts(source);
        let is_platform = self.is_of_platform(platform, instance);
        let of_known = |id: &str| self.prefixes.iter().any(|p| id.starts_with(p.as_str()));
        // Another instance's name is somebody else's.
        if (is_platform && !instance.is_empty()) || contact.is_some_and(of_known) {
            return None;
        }
        if self.ours.contains(native) {
            return None;
        }
        let here = |n: &&Name| n.holds(at) && (!is_platform || n.platform == platform);
        let mut found = all.iter().map(|(_, n)| n).filter(here);
        let first = found.next()?;
        found.all(|n| n.id == first.id).then_some(first)
    }

    /// Whether a platform speaks, and not a planner or a table. Without an instance all of the
    /// platform's are meant.
    fn is_of_platform(&self, platform: &str, instance: &str) -> bool {
        let told = |source: &String| {
            let (p, i) = parts(source);
            p == platform && (i == instance || instance.is_empty())
        };
        say::of_contacts().any(|name| name == platform) || self.sources.iter().any(told)
    }
}

/// Platform and instance of `/platform/instance`; empty where they are not told.
fn parts(source: &str) -> (&str, &str) {
    let mut parts = source.trim_start_matches('/').split('/');
    (parts.next().unwrap_or(""), parts.next().unwrap_or(""))
}

/// A number by which one system hands a contact over to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// Digits of the number, in the form of [`number_key`].
    pub key: String,
    /// The number as the file writes it.
    pub number: String,
    /// What for; only `handover` joins.
    pub purpose: String,
    /// Platform that transfers to it; any when missing.
    pub from_platform: Option<String>,
    /// Queue from which it is transferred to; any when missing.
    pub from_queue: Option<String>,
    /// Platform where it arrives; any other when missing.
    pub to_platform: Option<String>,
    /// Queue in which it arrives; any when missing.
    pub to_queue: Option<String>,
    /// From when, UTC microseconds; `i64::MIN` = always.
    pub from: i64,
    /// Until when (not included), UTC microseconds; `i64::MAX` = still.
    pub to: i64,
    /// The line of its file.
    pub at_line: u64,
}

/// What a person said of two contacts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// One contact.
    pub contact_a: String,
    /// The other.
    pub contact_b: String,
    /// Whether they belong to one journey; else they are taken apart.
    pub together: bool,
    /// Who said so.
    pub who: String,
    /// When, as written.
    pub when: String,
    /// Why.
    pub why: String,
    /// The line of its file.
    pub at_line: u64,
}

/// Everything that the folder says.
#[derive(Debug, Default)]
pub struct Identity {
    pub(crate) agents: Names,
    pub(crate) queues: Names,
    pub(crate) sites: Names,
    pub(crate) lines: Names,
    pub(crate) customers: Names,
    pub(crate) source_sites: SourceSites,
    numbers: Vec<Number>,
    verdicts: Vec<Verdict>,
    /// How long after a transfer its contact may begin on the other side, microseconds.
    window: i64,
}

impl Identity {
    /// The same, with what the configuration says of sources.
    #[must_use]
    pub fn with_sites(self, source_sites: SourceSites) -> Self {
        Identity {
            source_sites,
            ..self
        }
    }

    /// The names of an entity.
    pub fn names(&self, entity: Entity) -> &Names {
        match entity {
            Entity::Agent => &self.agents,
            Entity::Queue => &self.queues,
            Entity::Site => &self.sites,
            Entity::Line => &self.lines,
            Entity::Customer => &self.customers,
        }
    }

    /// How many rows each file has, by the file's name; files without rows are left out.
    pub fn counts(&self) -> Vec<(&'static str, usize)> {
        let names = |names: &Names| names.by_native.values().map(Vec::len).sum();
        let all = [
            ("agents.csv", names(&self.agents)),
            ("queues.csv", names(&self.queues)),
            ("sites.csv", names(&self.sites)),
            ("lines.csv", names(&self.lines)),
            ("customers.csv", names(&self.customers)),
            ("numbers.csv", self.numbers.len()),
            ("joins.csv", self.verdicts.len()),
        ];
        all.into_iter().filter(|(_, n)| *n > 0).collect()
    }

    /// Whether names of this table's columns are told otherwise than the platform does.
    pub(crate) fn shape(&self, table: &str) -> Option<&'static Shape> {
        // What is made of other tables reads them, names and all.
        if [QUEUE_INTERVALS.name, AGENT_INTERVALS.name].contains(&table) {
            return None;
        }
        Shape::of(table).filter(|s| s.columns.iter().any(|(_, role)| role.is_told(self)))
    }

    /// A table of what is given: names, numbers or verdicts.
    pub(crate) fn batch(&self, given: Given) -> Result<RecordBatch, arrow::error::ArrowError> {
        batches::batch(self, given)
    }
}

/// A number or address as it is compared: its digits without a leading 00. Text without digits
/// enough to be a number has no key.
pub fn number_key(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_prefix("tel:").unwrap_or(text);
    // A SIP address is known by its user; parameters say nothing of who it is.
    let user = text.strip_prefix("sips:").or(text.strip_prefix("sip:"));
    let user = user.map_or(text, |u| u.split(['@', ';']).next().unwrap_or(u));
    let user = user.strip_prefix("4:").unwrap_or(user);
    if user.chars().any(|c| c.is_alphabetic()) {
        return None;
    }
    let digits: String = user.chars().filter(char::is_ascii_digit).collect();
    let digits = match user.starts_with('+') {
        true => digits.as_str(),
        false => digits.strip_prefix("00").unwrap_or(&digits),
    };
    ((3..=20).contains(&digits.len())).then(|| digits.to_owned())
}

#[cfg(test)]
mod tests;
