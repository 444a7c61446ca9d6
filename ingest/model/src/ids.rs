//! Identities: platform ids, keys, and the contact id that follows from the least of its ids.

use std::cmp::Ordering;
use std::sync::Arc;

/// A platform's own id of a contact, as `platform/instance/native`; our own events use
/// `callboard//CONTACT`.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct PlatformId(pub Arc<str>);

impl PlatformId {
    /// The id that `platform`'s `instance` uses.
    pub fn new(platform: &str, instance: &str, native: &str) -> Self {
        PlatformId(format!("{platform}/{instance}/{native}").into())
    }

    /// The parts: platform, instance, native.
    pub fn parts(&self) -> (&str, &str, &str) {
        let mut it = self.0.splitn(3, '/');
        (
            it.next().unwrap_or(""),
            it.next().unwrap_or(""),
            it.next().unwrap_or(""),
        )
    }

    /// The native id.
    pub fn native(&self) -> &str {
        self.parts().2
    }

    /// The contact id that follows when this is the least id of the component: our own ids stand
    /// as given, a platform's are prefixed with the instance, which keeps them readable and apart.
    pub fn contact_id(&self) -> String {
        match self.parts() {
            ("callboard", _, native) => native.to_owned(),
            (platform, "", native) => format!("{platform}-{native}"),
            (_, instance, native) => format!("{instance}-{native}"),
        }
    }

    /// The order in which "least" is meant: runs of digits compare as numbers, so that an older
    /// serial number comes before a younger one.
    pub fn order(&self, other: &Self) -> Ordering {
        natural(&self.0, &other.0).then_with(|| self.0.cmp(&other.0))
    }
}

impl std::fmt::Display for PlatformId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Compares texts with runs of digits as numbers.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        match (a.first(), b.first()) {
            (None, None) => return Ordering::Equal,
            (None, _) => return Ordering::Less,
            (_, None) => return Ordering::Greater,
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let (na, ra) = digits(a);
                let (nb, rb) = digits(b);
                let by = na.len().cmp(&nb.len()).then_with(|| na.cmp(nb));
                if by != Ordering::Equal {
                    return by;
                }
                (a, b) = (ra, rb);
            }
            (Some(x), Some(y)) => {
                let by = x.cmp(y);
                if by != Ordering::Equal {
                    return by;
                }
                (a, b) = (&a[1..], &b[1..]);
            }
        }
    }
}

/// The leading digits without leading zeros, and the rest.
fn digits(s: &[u8]) -> (&[u8], &[u8]) {
    let end = s
        .iter()
        .position(|c| !c.is_ascii_digit())
        .unwrap_or(s.len());
    let (run, rest) = s.split_at(end);
    let zeros = run
        .iter()
        .take_while(|c| **c == b'0')
        .count()
        .min(run.len().saturating_sub(1));
    (&run[zeros..], rest)
}

/// What stands beside contacts under keys of its own.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum Beside {
    /// Measurements on a contact that somebody else than its own records told, by the contact as
    /// he names it.
    Measurements,
    /// Figures that a platform computed itself, by source, scope and span.
    Figures,
    /// What is known of a customer since some time.
    Customer,
    /// A planned activity of an agent.
    Schedule,
    /// An evaluation of a contact or an agent, with its questions.
    Evaluation,
    /// A number of a pool that was taken to hand a contact over.
    Lease,
}

impl Beside {
    /// All of them.
    pub const ALL: [Beside; 6] = [
        Beside::Measurements,
        Beside::Figures,
        Beside::Customer,
        Beside::Schedule,
        Beside::Evaluation,
        Beside::Lease,
    ];

    /// The word by which its keys begin.
    pub fn as_str(self) -> &'static str {
        match self {
            Beside::Measurements => "measurements",
            Beside::Figures => "figures",
            Beside::Customer => "customer",
            Beside::Schedule => "schedule",
            Beside::Evaluation => "evaluation",
            Beside::Lease => "lease",
        }
    }

    /// The table that its rows stand in.
    pub fn table(self) -> &'static str {
        match self {
            Beside::Measurements => "measurements",
            Beside::Figures => "vendor_metrics",
            Beside::Customer => "customer_attributes",
            Beside::Schedule => "schedules",
            Beside::Evaluation => "evaluations",
            Beside::Lease => "leases",
        }
    }

    /// The column of that table which holds the key's id.
    pub fn column(self) -> &'static str {
        match self {
            Beside::Measurements => "set_id",
            Beside::Figures => "figures_id",
            Beside::Customer => "attribute_id",
            Beside::Schedule => "schedule_id",
            Beside::Evaluation => "evaluation_id",
            Beside::Lease => "lease_id",
        }
    }

    /// Whether it can tell of one customer, and goes when he is erased.
    pub fn is_of_customers(self) -> bool {
        !matches!(self, Beside::Figures | Beside::Schedule)
    }
}

/// What a set of records speaks of.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum Key {
    /// A contact, named by the least platform id of its component.
    Contact(PlatformId),
    /// An agent of one platform instance: (`/platform/instance`, agent).
    Agent(Arc<str>, Arc<str>),
    /// A recording with its transcript, tags and redactions, by recording id.
    Recording(Arc<str>),
    /// A reviewer's note.
    Note(Arc<str>),
    /// A survey answer.
    Survey(Arc<str>),
    /// A target of a queue.
    Target(Arc<str>),
    /// An instance of a platform: restarts, gaps. (`/platform/instance`)
    Instance(Arc<str>),
    /// Something else that stands beside contacts: what it is, and its id.
    Beside(Beside, Arc<str>),
}

impl Key {
    /// A text that names this key, unique over all kinds; used as `key` in the records table.
    pub fn text(&self) -> String {
        match self {
            Key::Contact(id) => format!("contact:{id}"),
            Key::Agent(source, agent) => format!("agent:{source}:{agent}"),
            Key::Recording(id) => format!("recording:{id}"),
            Key::Note(id) => format!("note:{id}"),
            Key::Survey(id) => format!("survey:{id}"),
            Key::Target(id) => format!("target:{id}"),
            Key::Instance(source) => format!("instance:{source}"),
            Key::Beside(what, id) => format!("{}:{id}", what.as_str()),
        }
    }

    /// The name under which an open key is found: the id of a contact, else the key as text.
    pub fn name(&self) -> String {
        match self {
            Key::Contact(id) => id.to_string(),
            key => key.text(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_serials_come_first() {
        let id = |n: &str| PlatformId::new("asterisk", "pbx1", n);
        let mut all = [id("1795253950.10"), id("1795253950.9"), id("999.1")];
        all.sort_by(PlatformId::order);
        assert_eq!(
            all.map(|p| p.native().to_owned()),
            ["999.1", "1795253950.9", "1795253950.10"]
        );
    }

    #[test]
    fn contact_ids_stay_readable() {
        assert_eq!(
            PlatformId::new("asterisk", "pbx1", "17.3").contact_id(),
            "pbx1-17.3"
        );
        assert_eq!(PlatformId::new("callboard", "", "c-9").contact_id(), "c-9");
    }
}
