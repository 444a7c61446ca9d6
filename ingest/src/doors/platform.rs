//! `POST /v1/sources/{source}`: a platform's own bytes, as its files hold them.
//!
//! A body that is a part of a file begins, with `Content-Type: application/vnd.callboard.resumed`,
//! with one line of JSON: the [`ReaderState`] at which the part begins. By it a line's identity is
//! the same in whatever parts a file arrives, and the server needs to remember no sender.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{Path, Query, RawQuery, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::post;
use callboard_sources::adapter::{ADAPTERS, of_platform};
use callboard_sources::mapping::PREFIX;
use parking_lot::Mutex;

use super::batch::Batch;
use super::body::Chunks;
use super::documents;
use super::handshake::allowed;
use super::http::{Doors, counts, sender};
use super::mapping::{Mappings, unknown};
use super::problem::Problem;
use super::proof::{Shown, Trusted};
pub(crate) use lines::candidate;
pub(super) use lines::empty;
use lines::read;
use query::{SourceQuery, declared, how};
use source::{Source, SourceOptions};

pub mod answers;
mod lines;
mod query;
pub mod source;

/// Content type of a part of a file.
pub const RESUMED: &str = "application/vnd.callboard.resumed";

/// What to look at where many lines or documents of a request cannot be read.
pub(super) const FLOOD_ADVICE: &str = "is it the feed that was named?";

/// Where sources are, by their names.
pub const PATH: &str = "/v1/sources/";

/// Adapters that read line by line.
pub const LINES: [&str; 2] = ["asterisk", "events"];

/// What is known of an instance from the configuration, for requests that do not say it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceDefaults {
    /// IANA zone of local times; empty = UTC.
    pub zone: String,
    /// Order of columns of a feed that has none of its own, by feed.
    pub columns: HashMap<String, Vec<String>>,
}

/// The door for platforms' own bytes.
#[derive(Clone)]
pub struct Platforms {
    doors: Doors,
    instances: Arc<HashMap<String, SourceDefaults>>,
    sources: Arc<BTreeMap<String, Arc<Source>>>,
    mappings: Option<Arc<Mappings>>,
    /// Sources by the names of mappings, which are made when something first comes for them.
    mapped: Arc<Mutex<BTreeMap<String, Arc<Source>>>>,
}

impl Platforms {
    /// A door with these instances' defaults, and a source of each adapter's name.
    pub fn new(doors: Doors, instances: HashMap<String, SourceDefaults>) -> Self {
        let platforms = ADAPTERS.iter().map(|a| a.platform());
        let sources = platforms.chain(LINES).map(|name| {
            let source = Source::new(SourceOptions::new(name, name));
            (name.to_owned(), Arc::new(source))
        });
        Platforms {
            doors,
            instances: Arc::new(instances),
            sources: Arc::new(sources.collect()),
            mappings: None,
            mapped: Arc::default(),
        }
    }

    /// The same door with systems that mapping files tell, `mapping:NAME`.
    #[must_use]
    pub fn with_mappings(mut self, mappings: Arc<Mappings>) -> Self {
        self.mappings = Some(mappings);
        self
    }

    /// Who reads the documents of an adapter's name; nothing where it reads line by line.
    fn reader(&self, adapter: &str) -> Option<documents::Reader> {
        match (adapter.strip_prefix(PREFIX), &self.mappings) {
            (Some(name), Some(mappings)) => Some(documents::Reader::Mapping(
                mappings.clone(),
                name.to_owned(),
            )),
            _ => of_platform(adapter).map(documents::Reader::Adapter),
        }
    }

    /// The same door with the sources of a configuration.
    #[must_use]
    pub fn with_sources(mut self, configured: Vec<SourceOptions>) -> Self {
        let mut sources = (*self.sources).clone();
        for options in configured {
            sources.insert(options.name.clone(), Arc::new(Source::new(options)));
        }
        self.sources = Arc::new(sources);
        self
    }

    /// All sources, by name.
    pub fn sources(&self) -> Vec<Arc<Source>> {
        let mapped = self.mapped.lock();
        self.sources
            .values()
            .chain(mapped.values())
            .cloned()
            .collect()
    }

    /// The source of a mapping's name, which stays the same from request to request; nothing where
    /// there is no such mapping, so that names from outside do not add up.
    fn mapped(&self, name: &str) -> Option<Arc<Source>> {
        let (mappings, mapping) = (self.mappings.as_ref()?, name.strip_prefix(PREFIX)?);
        let mut mapped = self.mapped.lock();
        if !mapped.contains_key(name) && mappings.has(mapping) {
            let source = Source::new(SourceOptions::new(name, name));
            mapped.insert(name.to_owned(), Arc::new(source));
        }
        mapped.get(name).cloned()
    }

    /// Whether a path is that of a source that knows its sender by a secret, so that nobody else
    /// needs to know him.
    pub fn knows_its_sender(&self, path: &str) -> bool {
        let name = path.strip_prefix(PATH).unwrap_or_default();
        let name = callboard_sources::payload::encoded::percent(name);
        let source = self.sources.get(&name);
        source.is_some_and(|s| s.options.proof.is_wanted())
    }

    /// Route: `POST /v1/sources/{source}`.
    pub fn router(self) -> Router {
        Router::new()
            .route("/v1/sources/{source}", post(post_source).options(asked))
            .with_state(self)
    }

    fn source(&self, name: &str, trusted: bool) -> Result<Arc<Source>, Problem> {
        let source = self.sources.get(name).cloned();
        let Some(source) = source.or_else(|| self.mapped(name)) else {
            if let (Some(mapping), Some(_)) = (name.strip_prefix(PREFIX), &self.mappings) {
                return Err(unknown(mapping));
            }
            let known: Vec<&str> = self.sources.keys().map(String::as_str).collect();
            return Err(Problem::new(
                StatusCode::NOT_FOUND,
                "unknown_source",
                format!(
                    "source \"{}\" is not known; known are {}",
                    query::short(name),
                    known.join(", ")
                ),
            ));
        };
        // What its own sources are guarded against must not come in beside them.
        let beside = !(trusted || source.options.configured);
        let guarded = self.sources.values().find(|other| {
            beside
                && other.options.adapter == source.options.adapter
                && other.options.proof.is_wanted()
        });
        match guarded {
            None => Ok(source),
            Some(other) => Err(Problem::new(
                StatusCode::NOT_FOUND,
                "unknown_source",
                format!(
                    "{name} has sources of its own with secrets, such as {}; send there",
                    other.options.name
                ),
            )),
        }
    }
}

/// Instance of those who name none.
pub const DEFAULT_INSTANCE: &str = "default";

/// CloudEvents' question whether events may be sent here, and how many.
async fn asked(
    State(door): State<Platforms>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    match door.source(&name, true) {
        Ok(source) => allowed(&headers, source.per_minute()),
        Err(problem) => problem.into_response(),
    }
}

async fn post_source(
    State(door): State<Platforms>,
    Path(name): Path<String>,
    Query(query): Query<SourceQuery>,
    RawQuery(asked): RawQuery,
    request: Request,
) -> Response {
    let began = Instant::now();
    let (parts, body) = request.into_parts();
    let trusted = parts.extensions.get::<Trusted>().is_some();
    let result = match door.source(&name, trusted) {
        Err(problem) => {
            if let Ok(mut chunks) = Chunks::new(&parts.headers, body, &door.doors.limits) {
                chunks.drain().await;
            }
            Err(problem)
        }
        Ok(source) => {
            let shown = Presented {
                source: &source,
                parts: &parts,
                asked: asked.as_deref().unwrap_or_default(),
                trusted,
            };
            let result = shown.enter(&door, query, body).await;
            if let Err(problem) = &result {
                source.refused(problem.class);
            }
            result
        }
    };
    metrics::histogram!("callboard_request_seconds", "door" => "sources")
        .record(began.elapsed().as_secs_f64());
    answers::answer(&parts.headers, result, door.doors.intake.now())
}

/// A request at its source.
struct Presented<'a> {
    source: &'a Source,
    parts: &'a Parts,
    asked: &'a str,
    /// Whether it is a user's, who needs to prove nothing more.
    trusted: bool,
}

impl Presented<'_> {
    async fn enter(
        &self,
        door: &Platforms,
        query: SourceQuery,
        body: axum::body::Body,
    ) -> Result<Response, Problem> {
        let limits = self.source.limits(&door.doors.limits);
        let mut chunks = Chunks::new(&self.parts.headers, body, &limits)?;
        let result = self.take(door, query, &mut chunks).await;
        if result.is_err() {
            chunks.drain().await;
        }
        result
    }

    async fn take(
        &self,
        door: &Platforms,
        query: SourceQuery,
        chunks: &mut Chunks,
    ) -> Result<Response, Problem> {
        let (doors, source, headers) = (&door.doors, self.source, &self.parts.headers);
        let proof = &source.options.proof;
        source.has_room()?;
        let shown = match self.trusted {
            true => Shown::Proven,
            false => proof.of_head(headers, self.asked, doors.intake.now())?,
        };
        if shown == Shown::Proven {
            source.take_room()?;
        }
        let list_all = query.detail == "all";
        let who = sender(&query.sender, &self.parts.extensions);
        let gate = |instance: &str| format!("{} {instance} {who}", source.options.name);
        if let Some(reader) = door.reader(&source.options.adapter) {
            let declared = declared(door, source, query)?;
            let _pass = doors.gate.enter(&gate(&declared.instance)).await?;
            let how = documents::How {
                source,
                shown,
                headers,
                reader,
                declared,
                asked: self.asked,
                list_all,
            };
            return documents::take(doors, how, chunks).await;
        }
        let how = how(door, source, query, headers)?;
        let _pass = doors.gate.enter(&gate(&how.instance)).await?;
        let mut whole;
        let (chunks, _weight) = match shown {
            Shown::Proven => (chunks, None),
            Shown::InBody => {
                let of = (headers, self.asked);
                let (body, weight) = documents::proven(doors, source, of, chunks).await?;
                whole = body;
                (&mut whole, Some(weight))
            }
        };
        let mut batch = Batch::new(doors.intake.clone(), "sources", &doors.limits, list_all);
        match read(doors, source, &how, chunks, &mut batch).await {
            Ok(()) => {
                source.served(Some(&batch.answer), doors.intake.now());
                Ok(Json(batch.answer).into_response())
            }
            Err(problem) => {
                source.half_served(&batch.answer, doors.intake.now());
                Err(problem.with(counts(&batch.answer)))
            }
        }
    }
}

#[cfg(test)]
mod tests;
