//! The pages' data out of the query engine.

use std::sync::Arc;

use async_trait::async_trait;
use callboard_query::{Answer, Class, Engine, Principal, QueryError, Session};
use futures::future::BoxFuture;

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

type Asked = BoxFuture<'static, Result<Arc<Answer>, QueryError>>;

/// Data of one snapshot.
struct Pinned {
    ask: Box<dyn Fn(String) -> Asked + Send + Sync>,
    session: Session,
}

#[async_trait]
impl Data for EngineData {
    async fn rows(&self, sql: &str) -> Result<Arc<Rows>, DataError> {
        rows(&*self.session.cached(sql).await.map_err(failed)?)
    }

    fn pin(&self) -> Arc<dyn Data> {
        let (session, snapshot) = (self.session.clone(), self.session.engine().snapshot());
        let ask = move |sql: String| -> Asked {
            let (session, snapshot) = (session.clone(), snapshot.clone());
            Box::pin(async move { session.cached_on(snapshot, &sql).await })
        };
        Arc::new(Pinned {
            ask: Box::new(ask),
            session: self.session.clone(),
        })
    }
}

#[async_trait]
impl Data for Pinned {
    async fn rows(&self, sql: &str) -> Result<Arc<Rows>, DataError> {
        rows(&*(self.ask)(sql.to_owned()).await.map_err(failed)?)
    }

    fn pin(&self) -> Arc<dyn Data> {
        EngineData {
            session: self.session.clone(),
        }
        .pin()
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
        | Class::Busy
        | Class::TooManyRows
        | Class::TooComplex => DataError::Limited(e.message),
        Class::Internal | Class::Stopping => DataError::Failed(e.message),
        _ => DataError::Refused(e.message),
    }
}
