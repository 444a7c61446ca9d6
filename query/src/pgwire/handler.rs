//! Statements of a connection, answered. What depends on the socket's type stays thin here;
//! the work is done behind plain types.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::ParamValues;
use datafusion_postgres::pgwire::api::portal::{Format, Portal};
use datafusion_postgres::pgwire::api::query::{ExtendedQueryHandler, SimpleQueryHandler};
use datafusion_postgres::pgwire::api::results::{FieldInfo, Response, Tag};
use datafusion_postgres::pgwire::api::stmt::QueryParser;
use datafusion_postgres::pgwire::api::store::PortalStore;
use datafusion_postgres::pgwire::api::{
    ClientInfo, ClientPortalStore, ConnectionHandle, METADATA_USER, Type,
};
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};
use datafusion_postgres::pgwire::messages::PgWireBackendMessage;
use datafusion_postgres::pgwire::messages::startup::ParameterStatus;
use futures::channel::oneshot;
use futures::stream::{self, StreamExt};
use futures::{Sink, SinkExt};
use parking_lot::Mutex;

use super::parameters::{bound, parameters};
use super::rewrite;
use super::rows::{fail, fields, respond, show, show_schema};
use super::settings::{self, Change};
use super::statement::{self, Statement};
use super::transaction::{self, Act, Transaction};
use super::zones::Zone;
use crate::cache::Kept;
use crate::error::{Class, QueryError};
use crate::{Engine, Principal, QueryResult, Session};

/// Most statements of one text.
const MAX_STATEMENTS: usize = 100;

/// A prepared statement.
#[derive(Clone)]
pub(super) struct Prepared {
    statement: Statement,
    kept: Option<Kept>,
    /// The zone in which it was read.
    zone: Zone,
}

/// What a connection brings to a statement.
struct Caller {
    session: Session,
    timeout: Option<Duration>,
    zone: Zone,
    metadata: HashMap<String, String>,
    transaction: Arc<Mutex<Transaction>>,
    failed: bool,
}

impl Caller {
    /// Reads and plans a question; `None` when there is none in the text.
    async fn plan(&self, text: &str) -> Result<Option<Kept>, QueryError> {
        let longest = self.session.engine().limits().text;
        let zone = elsewhere(self.zone);
        match rewrite::rewrite(text, longest, zone.as_deref())? {
            None => Ok(None),
            Some(text) => self.session.prepare(&text).await.map(Some),
        }
    }

    /// What a SET changes. A moment whose picture cannot be made is refused here already.
    async fn set(&self, name: &str, value: &str) -> Result<Change, QueryError> {
        let change = settings::set(name, value, self.zone)?;
        let mut after = self.metadata.clone();
        change.clone().make(&mut after);
        let as_of = settings::as_of(&after);
        if as_of != settings::as_of(&self.metadata) {
            self.session.clone().at(as_of).snapshot().await?;
        }
        Ok(change)
    }

    async fn changes(&self, name: &str, value: &str, local: bool) -> Result<Reply, QueryError> {
        if local {
            self.transaction.lock().allows_local(name)?;
        }
        let change = self.set(name, value).await?;
        Ok(Reply::Act(Act::Set { change, local }, "SET"))
    }
}

/// The zone's name where it is not UTC.
fn elsewhere(zone: Zone) -> Option<Arc<str>> {
    (zone != Zone::UTC).then(|| zone.name().into())
}

/// Answers statements.
pub(super) struct Wire {
    pub(super) engine: Engine,
    /// Whether user names have been verified.
    pub(super) verified: bool,
}

impl Wire {
    fn caller<C: ClientInfo>(&self, client: &C) -> Caller {
        let metadata = client.metadata().clone();
        let principal = match metadata.get(METADATA_USER) {
            Some(user) if self.verified => Principal::user(user.clone()),
            _ => Principal::local(),
        };
        let zone = settings::zone(&metadata);
        Caller {
            session: self
                .engine
                .session(principal)
                .in_zone(elsewhere(zone))
                .at(settings::as_of(&metadata)),
            timeout: settings::statement_timeout(&metadata),
            zone,
            metadata,
            transaction: transaction::of(client),
            failed: transaction::failed(client),
        }
    }

    async fn prepare(&self, caller: &Caller, sql: &str) -> Result<Option<Prepared>, QueryError> {
        let mut all = statement::split(sql)?;
        if all.len() > 1 {
            return Err(QueryError::new(
                Class::Syntax,
                "cannot insert multiple commands into a prepared statement",
            ));
        }
        let Some(statement) = all.pop() else {
            return Ok(None);
        };
        let kept = match &statement {
            Statement::Ask(text) => match caller.plan(text).await? {
                None => return Ok(None),
                kept => kept,
            },
            _ => None,
        };
        let zone = caller.zone;
        Ok(Some(Prepared {
            statement,
            kept,
            zone,
        }))
    }

    /// Begins a prepared statement.
    async fn begin(
        &self,
        caller: &Caller,
        prepared: &Prepared,
        params: Option<ParamValues>,
    ) -> Result<Reply, QueryError> {
        Ok(match &prepared.statement {
            Statement::Step(step) => {
                let (act, tag) = step.act(caller.failed);
                Reply::Act(act, tag)
            }
            Statement::Courtesy(tag) => Reply::Tag(tag),
            Statement::Set(name, value) => caller.changes(name, value, false).await?,
            Statement::SetLocal(name, value) => caller.changes(name, value, true).await?,
            Statement::Reset(name, tag) => {
                let change = settings::reset(name)?;
                let local = false;
                Reply::Act(Act::Set { change, local }, tag)
            }
            Statement::Show(name) => Reply::Row(show(name, &caller.metadata)?),
            Statement::Ask(text) => {
                // What was prepared in another zone is another question.
                let kept = if prepared.zone == caller.zone {
                    prepared.kept.clone()
                } else {
                    caller.plan(text).await?
                };
                match kept {
                    Some(kept) => Reply::Rows(
                        caller
                            .session
                            .execute(&kept, params, caller.timeout)
                            .await?,
                    ),
                    None => Reply::Empty,
                }
            }
        })
    }
}

/// An answer before it is written to the wire.
enum Reply {
    Empty,
    Act(Act, &'static str),
    Tag(&'static str),
    Row(RecordBatch),
    Rows(QueryResult),
}

/// Does something to the settings, and tells the client its zone where that has changed: drivers turn times into
/// it.
async fn act<C>(client: &mut C, act: Act) -> PgWireResult<()>
where
    C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
    PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
{
    let before = settings::zone(client.metadata());
    let transaction = transaction::of(client);
    transaction.lock().act(act, client.metadata_mut());
    let zone = settings::zone(client.metadata());
    if zone != before {
        let told = ParameterStatus::new("TimeZone".to_owned(), zone.name());
        client
            .feed(PgWireBackendMessage::ParameterStatus(told))
            .await?;
    }
    Ok(())
}

async fn cancel_of<C: ClientInfo>(client: &C) -> Option<oneshot::Receiver<()>> {
    let handle = client.session_extensions().get::<Arc<ConnectionHandle>>()?;
    Some(handle.start_query().await)
}

/// An answer as the protocol has it; the last thing that happens in a statement.
async fn write<C>(
    client: &mut C,
    reply: Reply,
    format: &Format,
    zone: Zone,
) -> PgWireResult<Response>
where
    C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
    PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
{
    Ok(match reply {
        Reply::Empty => Response::EmptyQuery,
        Reply::Act(what, tag) => {
            let answer = what.answer(tag);
            act(client, what).await?;
            answer
        }
        Reply::Tag(tag) => Response::Execution(Tag::new(tag)),
        Reply::Row(batch) => {
            let schema = batch.schema();
            let rows = stream::iter([Ok(batch)]).boxed();
            respond(&schema, rows, format, zone, None)?
        }
        Reply::Rows(result) => {
            let schema = result.schema.clone();
            let cancel = cancel_of(client).await;
            respond(&schema, result.into_stream(), format, zone, cancel)?
        }
    })
}

#[async_trait]
impl SimpleQueryHandler for Wire {
    async fn do_query<C>(&self, client: &mut C, query: &str) -> PgWireResult<Vec<Response>>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let all = statement::split(query).map_err(fail)?;
        if all.len() > MAX_STATEMENTS {
            return Err(fail(QueryError::new(
                Class::TooComplex,
                format!("at most {MAX_STATEMENTS} statements in one text"),
            )));
        }
        if all.is_empty() {
            return Ok(vec![Response::EmptyQuery]);
        }
        let only = all.len() == 1;
        let mut responses = Vec::with_capacity(all.len());
        for statement in all {
            let caller = self.caller(client);
            let reply = simple(self, &caller, statement).await;
            let reply = reply.map_err(|e| transaction::failing(client, e))?;
            // Of several statements each is finished before the next begins.
            let reply = match reply {
                Reply::Rows(result) if !only => {
                    let answer = result.collect().await;
                    let answer = answer.map_err(|e| transaction::failing(client, e))?;
                    let rows = stream::iter(answer.batches.into_iter().map(Ok)).boxed();
                    let format = &Format::UnifiedText;
                    responses.push(respond(&answer.schema, rows, format, caller.zone, None)?);
                    continue;
                }
                other => other,
            };
            responses.push(write(client, reply, &Format::UnifiedText, caller.zone).await?);
        }
        Ok(responses)
    }
}

async fn simple(wire: &Wire, caller: &Caller, statement: Statement) -> Result<Reply, QueryError> {
    let kept = match &statement {
        Statement::Ask(text) => caller.plan(text).await?,
        _ => None,
    };
    let prepared = Prepared {
        statement,
        kept,
        zone: caller.zone,
    };
    wire.begin(caller, &prepared, None).await
}

/// Parses and plans statements of the extended protocol.
pub(super) struct Planner {
    pub(super) wire: Arc<Wire>,
}

#[async_trait]
impl QueryParser for Planner {
    type Statement = Prepared;

    async fn parse_sql<C>(
        &self,
        client: &C,
        sql: &str,
        _types: &[Option<Type>],
    ) -> PgWireResult<Option<Self::Statement>>
    where
        C: ClientInfo + Unpin + Send + Sync,
    {
        let caller = self.wire.caller(client);
        self.wire.prepare(&caller, sql).await.map_err(fail)
    }

    fn get_parameter_types(&self, stmt: &Self::Statement) -> PgWireResult<Vec<Type>> {
        match &stmt.kept {
            None => Ok(Vec::new()),
            Some(kept) => Ok(parameters(kept).map_err(fail)?.1),
        }
    }

    fn get_result_schema(
        &self,
        stmt: &Self::Statement,
        column_format: Option<&Format>,
    ) -> PgWireResult<Vec<FieldInfo>> {
        let format = column_format.unwrap_or(&Format::UnifiedText);
        match (&stmt.kept, &stmt.statement) {
            (Some(kept), _) => fields(kept.logical.schema().as_arrow(), format),
            (None, Statement::Show(name)) => fields(&show_schema(name), format),
            _ => Ok(Vec::new()),
        }
    }
}

/// The extended protocol.
pub(super) struct Extended {
    pub(super) wire: Arc<Wire>,
    pub(super) planner: Arc<Planner>,
}

#[async_trait]
impl ExtendedQueryHandler for Extended {
    type Statement = Prepared;
    type QueryParser = Planner;

    fn query_parser(&self) -> Arc<Self::QueryParser> {
        self.planner.clone()
    }

    async fn do_query<C>(
        &self,
        client: &mut C,
        portal: &Portal<Self::Statement>,
        _max_rows: usize,
    ) -> PgWireResult<Response>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Self::Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let prepared = &portal.statement.statement;
        let params = match &prepared.kept {
            Some(kept) => bound(portal, kept)?,
            None => None,
        };
        let caller = self.wire.caller(client);
        let reply = self
            .wire
            .begin(&caller, prepared, params)
            .await
            .map_err(fail)?;
        write(client, reply, &portal.result_column_format, caller.zone).await
    }
}
