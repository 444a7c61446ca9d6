//! Statements of a connection, answered. What depends on the socket's type stays thin here;
//! the work is done behind plain types.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use async_trait::async_trait;
use datafusion::common::ParamValues;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion_postgres::arrow_pg::datatypes::df::deserialize_parameters_with_server_types;
use datafusion_postgres::arrow_pg::datatypes::into_pg_type;
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
use futures::Sink;
use futures::channel::oneshot;
use futures::stream::{self, StreamExt};

use super::rewrite;
use super::rows::{fail, fields, respond, show, show_schema};
use super::settings;
use super::statement::{self, Statement};
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
}

/// What a connection brings to a statement.
struct Caller {
    session: Session,
    timeout: Option<Duration>,
    metadata: HashMap<String, String>,
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
        Caller {
            session: self.engine.session(principal),
            timeout: settings::statement_timeout(&metadata),
            metadata,
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
            Statement::Ask(text) => {
                let longest = self.engine.limits().text;
                match rewrite::rewrite(text, longest)? {
                    None => return Ok(None),
                    Some(text) => Some(caller.session.prepare(&text).await?),
                }
            }
            _ => None,
        };
        Ok(Some(Prepared { statement, kept }))
    }

    /// Begins a prepared statement.
    async fn begin(
        &self,
        caller: &Caller,
        prepared: &Prepared,
        params: Option<ParamValues>,
    ) -> Result<Reply, QueryError> {
        Ok(match &prepared.statement {
            Statement::Begin => Reply::Begin,
            Statement::End(tag) => Reply::End(tag),
            Statement::Courtesy(tag) => Reply::Tag(tag),
            Statement::Set(name, value) => Reply::Set(settings::set(name, value)?),
            Statement::Show(name) => Reply::Row(show(name, &caller.metadata)?),
            Statement::Ask(_) => match &prepared.kept {
                Some(kept) => {
                    Reply::Rows(caller.session.execute(kept, params, caller.timeout).await?)
                }
                None => Reply::Empty,
            },
        })
    }
}

/// An answer before it is written to the wire.
enum Reply {
    Empty,
    Begin,
    End(&'static str),
    Tag(&'static str),
    Set(Option<(String, String)>),
    Row(RecordBatch),
    Rows(QueryResult),
}

fn keep<C: ClientInfo>(client: &mut C, setting: Option<(String, String)>) {
    if let Some((key, value)) = setting {
        client.metadata_mut().insert(key, value);
    }
}

async fn cancel_of<C: ClientInfo>(client: &C) -> Option<oneshot::Receiver<()>> {
    let handle = client.session_extensions().get::<Arc<ConnectionHandle>>()?;
    Some(handle.start_query().await)
}

/// An answer as the protocol has it; the last thing that happens in a statement.
async fn write<C: ClientInfo>(
    client: &mut C,
    reply: Reply,
    format: &Format,
) -> PgWireResult<Response> {
    Ok(match reply {
        Reply::Empty => Response::EmptyQuery,
        Reply::Begin => Response::TransactionStart(Tag::new("BEGIN")),
        Reply::End(tag) => Response::TransactionEnd(Tag::new(tag)),
        Reply::Tag(tag) => Response::Execution(Tag::new(tag)),
        Reply::Set(setting) => {
            keep(client, setting);
            Response::Execution(Tag::new("SET"))
        }
        Reply::Row(batch) => {
            let schema = batch.schema();
            respond(&schema, stream::iter([Ok(batch)]).boxed(), format, None)?
        }
        Reply::Rows(result) => {
            let schema = result.schema.clone();
            let cancel = cancel_of(client).await;
            respond(&schema, result.into_stream(), format, cancel)?
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
            let reply = simple(self, &caller, statement).await.map_err(fail)?;
            // Of several statements each is finished before the next begins.
            let reply = match reply {
                Reply::Rows(result) if !only => {
                    let answer = result.collect().await.map_err(fail)?;
                    let rows = stream::iter(answer.batches.into_iter().map(Ok)).boxed();
                    responses.push(respond(&answer.schema, rows, &Format::UnifiedText, None)?);
                    continue;
                }
                other => other,
            };
            responses.push(write(client, reply, &Format::UnifiedText).await?);
        }
        Ok(responses)
    }
}

async fn simple(wire: &Wire, caller: &Caller, statement: Statement) -> Result<Reply, QueryError> {
    let kept = match &statement {
        Statement::Ask(text) => match rewrite::rewrite(text, wire.engine.limits().text)? {
            None => None,
            Some(text) => Some(caller.session.prepare(&text).await?),
        },
        _ => None,
    };
    let prepared = Prepared { statement, kept };
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

/// Types of the parameters in order: the engine's, where known, and the wire's.
fn parameters(kept: &Kept) -> Result<(Vec<Option<DataType>>, Vec<Type>), QueryError> {
    let mut types = kept.logical.get_parameter_types()?;
    for id in counts(&kept.logical) {
        types.entry(id).or_default().get_or_insert(DataType::Int64);
    }
    let most = types
        .keys()
        .filter_map(|k| k.trim_start_matches('$').parse::<usize>().ok())
        .max()
        .unwrap_or(0);
    let ours: Vec<Option<DataType>> = (1..=most)
        .map(|n| types.get(&format!("${n}")).cloned().flatten())
        .collect();
    let wire = ours
        .iter()
        .map(|t| match t {
            Some(t) => into_pg_type(t).unwrap_or(Type::UNKNOWN),
            None => Type::UNKNOWN,
        })
        .collect();
    Ok((ours, wire))
}

/// Parameters that stand as LIMIT or OFFSET, whose type the engine does not tell.
fn counts(plan: &LogicalPlan) -> Vec<String> {
    let mut found = Vec::new();
    // Looking cannot fail.
    let _ = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::Limit(limit) = node {
            for expr in [&limit.skip, &limit.fetch].into_iter().flatten() {
                let mut expr: &Expr = expr;
                while let Expr::Cast(cast) = expr {
                    expr = &cast.expr;
                }
                if let Expr::Placeholder(p) = expr {
                    found.push(p.id.clone());
                }
            }
        }
        Ok(TreeNodeRecursion::Continue)
    });
    found
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
        write(client, reply, &portal.result_column_format).await
    }
}

fn bound(portal: &Portal<Prepared>, kept: &Kept) -> PgWireResult<Option<ParamValues>> {
    let (ours, wire) = parameters(kept).map_err(fail)?;
    if ours.is_empty() {
        return Ok(None);
    }
    let ours: Vec<Option<&DataType>> = ours.iter().map(Option::as_ref).collect();
    let wire: Vec<Option<&Type>> = wire.iter().map(Some).collect();
    deserialize_parameters_with_server_types(portal, &ours, &wire).map(Some)
}
