//! What a transaction does to the settings of a connection: SET LOCAL holds until its end, and what
//! was set in one that is rolled back was never set. Nothing else here is changed by a statement.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion_postgres::pgwire::api::ClientInfo;
use datafusion_postgres::pgwire::api::results::{Response, Tag};
use datafusion_postgres::pgwire::error::PgWireError;
use datafusion_postgres::pgwire::messages::response::TransactionStatus;
use parking_lot::Mutex;

use super::rows::fail;
use super::settings::{self, Change};
use crate::error::{Class, QueryError};

/// A connection's own settings.
type Own = HashMap<String, String>;

/// Most savepoints of a transaction whose settings are remembered.
const MOST: usize = 1_000;

/// A step of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// BEGIN.
    Begin,
    /// COMMIT.
    Commit,
    /// ROLLBACK.
    Rollback,
    /// SAVEPOINT: name.
    Savepoint(String),
    /// ROLLBACK TO: name.
    RollbackTo(String),
    /// RELEASE: name.
    Release(String),
}

impl Step {
    /// What it does, and its tag; a transaction that failed is only rolled back.
    pub(super) fn act(&self, failed: bool) -> (Act, &'static str) {
        match self {
            Step::Begin => (Act::Begin, "BEGIN"),
            Step::Commit if !failed => (Act::End { commit: true }, "COMMIT"),
            Step::Commit | Step::Rollback => (Act::End { commit: false }, "ROLLBACK"),
            Step::Savepoint(name) => (Act::Savepoint(name.clone()), "SAVEPOINT"),
            Step::RollbackTo(name) => (Act::RollbackTo(name.clone()), "ROLLBACK"),
            Step::Release(name) => (Act::Release(name.clone()), "RELEASE"),
        }
    }
}

/// What a statement does to the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    /// BEGIN.
    Begin,
    /// COMMIT, or else ROLLBACK.
    End { commit: bool },
    /// SET and RESET; SET LOCAL.
    Set { change: Change, local: bool },
    /// SAVEPOINT.
    Savepoint(String),
    /// ROLLBACK TO.
    RollbackTo(String),
    /// RELEASE.
    Release(String),
}

impl Act {
    /// What is answered.
    pub(super) fn answer(&self, tag: &'static str) -> Response {
        match self {
            Act::Begin => Response::TransactionStart(Tag::new(tag)),
            Act::End { .. } => Response::TransactionEnd(Tag::new(tag)),
            _ => Response::Execution(Tag::new(tag)),
        }
    }
}

/// A connection's transaction, if one is under way.
#[derive(Debug, Default)]
pub(super) struct Transaction(Option<Begun>);

#[derive(Debug)]
struct Begun {
    /// The settings before it.
    before: Own,
    /// Those after it, if it is committed.
    after: Own,
    /// The settings at each savepoint, and those after a commit there.
    points: Vec<(String, Own, Own)>,
}

/// The transaction of a connection.
pub(super) fn of<C: ClientInfo>(client: &C) -> Arc<Mutex<Transaction>> {
    let all = client.session_extensions();
    all.get_or_insert_with(Mutex::<Transaction>::default)
}

/// Whether a statement of it failed, so that it can only be rolled back.
pub(super) fn failed<C: ClientInfo>(client: &C) -> bool {
    matches!(client.transaction_status(), TransactionStatus::Error)
}

/// What is told where a statement of a text failed. A transaction that began in the same text ends:
/// the client was never told of it.
pub(super) fn failing<C: ClientInfo>(client: &mut C, error: QueryError) -> PgWireError {
    if matches!(client.transaction_status(), TransactionStatus::Idle) {
        let transaction = of(client);
        let end = Act::End { commit: false };
        transaction.lock().act(end, client.metadata_mut());
    }
    fail(error)
}

impl Transaction {
    /// Refuses SET LOCAL where it would have no effect and matters.
    ///
    /// # Errors
    /// When a moment is asked for outside of a transaction.
    pub(super) fn allows_local(&self, name: &str) -> Result<(), QueryError> {
        if self.0.is_some() || !name.eq_ignore_ascii_case(settings::AS_OF) {
            return Ok(());
        }
        Err(QueryError::new(
            Class::Setting,
            format!(
                "SET LOCAL {name} holds until the end of a transaction, and none is under way; \
                 BEGIN one first, or use SET"
            ),
        ))
    }

    /// Does it to the settings among a connection's metadata.
    pub(super) fn act(&mut self, act: Act, metadata: &mut Own) {
        match (act, &mut self.0) {
            (Act::Begin, begun @ None) => {
                let before = settings::own(metadata);
                let after = before.clone();
                let points = Vec::new();
                *begun = Some(Begun {
                    before,
                    after,
                    points,
                });
            }
            (Act::End { commit }, begun) => {
                if let Some(Begun { before, after, .. }) = begun.take() {
                    settings::put_own(metadata, if commit { after } else { before });
                }
            }
            (Act::Set { change, local }, Some(begun)) => {
                if !local {
                    change.clone().make(&mut begun.after);
                }
                change.make(metadata);
            }
            // Without a transaction SET LOCAL ends as it begins.
            (Act::Set { local: true, .. }, None) => {}
            (Act::Set { change, .. }, None) => change.make(metadata),
            (Act::Savepoint(name), Some(begun)) if begun.points.len() < MOST => {
                let now = settings::own(metadata);
                begun.points.push((name, now, begun.after.clone()));
            }
            (Act::RollbackTo(name), Some(begun)) => {
                if let Some(at) = begun.points.iter().rposition(|(n, ..)| *n == name) {
                    begun.points.truncate(at + 1);
                    if let Some((_, now, after)) = begun.points.last().cloned() {
                        settings::put_own(metadata, now);
                        begun.after = after;
                    }
                }
            }
            (Act::Release(name), Some(begun)) => {
                if let Some(at) = begun.points.iter().rposition(|(n, ..)| *n == name) {
                    begun.points.truncate(at);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::zones::Zone;
    use super::*;

    #[test]
    fn settings_end_with_their_transaction() {
        let (mut transaction, mut metadata) = (Transaction::default(), Own::new());
        let set = |value: &str, local| Act::Set {
            change: settings::set("search_path", value, Zone::UTC).unwrap(),
            local,
        };
        let shown = |metadata: &Own| settings::show("search_path", metadata).unwrap();
        let point = || "p".to_owned();
        let mut play = |acts: Vec<Act>| {
            for act in acts {
                transaction.act(act, &mut metadata);
            }
            shown(&metadata)
        };
        let end = |commit| Act::End { commit };
        assert_eq!(play(vec![set("a", false), set("b", true)]), "a");
        assert_eq!(play(vec![Act::Begin, set("b", true)]), "b");
        assert_eq!(play(vec![end(true)]), "a");
        let both = vec![Act::Begin, set("b", false), set("c", true)];
        assert_eq!(play(both.clone()), "c");
        assert_eq!(play(vec![end(true)]), "b");
        assert_eq!(play(vec![Act::Begin, set("d", false), end(false)]), "b");
        assert_eq!(play(both), "c");
        assert_eq!(play(vec![Act::Savepoint(point()), set("d", true)]), "d");
        assert_eq!(play(vec![set("e", false), Act::RollbackTo(point())]), "c");
        assert_eq!(play(vec![Act::Release(point()), end(true)]), "b");
        assert_eq!(play(vec![end(false), end(true)]), "b");
    }
}
