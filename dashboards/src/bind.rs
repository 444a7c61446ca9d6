//! The pages' data out of the query engine.

use std::sync::Arc;

use async_trait::async_trait;
use callboard_query::{Answer, Class, Engine, Principal, QueryError, Session, Snapshot};
use tokio::sync::Semaphore;

use crate::data::{Data, DataError, Rows};

/// Data of one principal's session.
pub struct EngineData {
    session: Session,
}

impl EngineData {
    /// The data that this principal may see.
    pub fn new(engine: &Engine, principal: Principal) -> Self {
        EngineData {
            session: engine.session(principal),
        }
    }
}

/// Data of one snapshot.
struct Pinned {
    session: Session,
    snapshot: Arc<Snapshot>,
    turns: Turns,
}

impl Pinned {
    fn new(session: &Session, snapshot: Arc<Snapshot>) -> Arc<Self> {
        Arc::new(Pinned {
            turns: Turns::of(session.engine().limits().running),
            session: session.clone(),
            snapshot,
        })
    }
}

/// How many queries of one page are under way at once: half of what may run. A page that asks ten
/// things would else take every place, and the pages after it would wait for all ten.
struct Turns(Semaphore);

impl Turns {
    fn of(running: usize) -> Self {
        Turns(Semaphore::new((running / 2).max(1)))
    }

    /// The answer, once it is this query's turn.
    async fn take<T>(&self, asked: impl Future<Output = T>) -> T {
        // Never closed; without a turn the engine's own limit still holds.
        let _turn = self.0.acquire().await;
        asked.await
    }
}

#[async_trait]
impl Data for EngineData {
    async fn rows(&self, sql: &str) -> Result<Arc<Rows>, DataError> {
        rows(&*self.session.cached(sql).await.map_err(failed)?)
    }

    fn pin(&self) -> Arc<dyn Data> {
        Pinned::new(&self.session, self.session.engine().snapshot())
    }

    async fn at(&self, as_of: i64) -> Result<Arc<dyn Data>, DataError> {
        let then = self.session.clone().at(Some(as_of));
        let snapshot = then.snapshot().await.map_err(failed)?;
        Ok(Pinned::new(&then, snapshot))
    }
}

#[async_trait]
impl Data for Pinned {
    async fn rows(&self, sql: &str) -> Result<Arc<Rows>, DataError> {
        let asked = self.session.cached_on(self.snapshot.clone(), sql);
        rows(&*self.turns.take(asked).await.map_err(failed)?)
    }

    fn pin(&self) -> Arc<dyn Data> {
        match self.snapshot.as_of {
            Some(_) => Pinned::new(&self.session, self.snapshot.clone()),
            None => Pinned::new(&self.session, self.session.engine().snapshot()),
        }
    }

    async fn at(&self, as_of: i64) -> Result<Arc<dyn Data>, DataError> {
        let session = self.session.clone();
        EngineData { session }.at(as_of).await
    }
}

fn rows(answer: &Answer) -> Result<Arc<Rows>, DataError> {
    Ok(Arc::new(Rows::from_batches(
        &answer.batches,
        answer.version,
        answer.now,
    )?))
}

/// Longest reason shown: a planner may print its whole plan.
const LONGEST: usize = 600;

fn failed(mut e: QueryError) -> DataError {
    if e.message.chars().count() > LONGEST {
        e.message = e
            .message
            .chars()
            .take(LONGEST)
            .chain(['\u{2026}'])
            .collect();
    }
    match e.class {
        Class::Timeout
        | Class::Cancelled
        | Class::Memory
        | Class::TooManyRows
        | Class::TooComplex => DataError::Limited(e.message),
        Class::Busy => DataError::Busy(e.message),
        Class::Internal | Class::Stopping => DataError::Failed(e.message),
        _ => DataError::Refused(e.message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test]
    async fn a_page_takes_half_of_the_places_at_most() {
        for (running, most) in [(4, 2), (1, 1), (9, 4)] {
            let turns = Turns::of(running);
            let (now, peak) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let query = || async {
                peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                for _ in 0..3 {
                    tokio::task::yield_now().await;
                }
                now.fetch_sub(1, Ordering::SeqCst);
            };
            futures::future::join_all((0..10).map(|_| turns.take(query()))).await;
            assert_eq!(peak.load(Ordering::SeqCst), most);
        }
    }

    #[test]
    fn who_finds_no_place_is_told_when_to_come_back() {
        use axum::response::IntoResponse as _;
        let busy = failed(QueryError::new(Class::Busy, "4 queries are running"));
        let response = crate::error::PageError::from(busy).into_response();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["retry-after"], "5");
    }
}
