//! One server: the store, the doors, the pages and SQL, wired together.

pub mod backup;
mod door;
mod erase;
pub mod identity;
mod notes;
mod pauses;
mod scribe;
mod sound;
mod sources;
mod status;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use callboard_dashboards as dashboards;
use callboard_ingest::clockwork::{self, Periods};
use callboard_ingest::doors::http::{Doors, Readiness};
use callboard_ingest::doors::kafka::{self, KafkaOptions};
use callboard_ingest::doors::limits::Limits as DoorLimits;
use callboard_ingest::doors::mapping::Mappings;
use callboard_ingest::doors::platform::source::SourceOptions;
use callboard_ingest::doors::platform::{Platforms, SourceDefaults};
use callboard_ingest::doors::recordings::Recordings;
use callboard_ingest::doors::recordings::watch::Watch;
use callboard_ingest::live;
use callboard_ingest::pipeline::Pipeline;
use callboard_query::{Engine, Principal};
use callboard_sources::registry::Registry;
use callboard_store::audio::{AudioOptions, AudioStore};
use callboard_store::snapshot::Snapshots;
use callboard_store::store::{Clock, Store, StoreOptions, WallClock};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use scribe::ScribeOptions;

use crate::config::Tls;
use crate::config::users::User;
use crate::places::Places;

/// How a server is set up.
pub struct ServerOptions {
    /// The store.
    pub store: StoreOptions,
    /// Where pages and doors listen.
    pub http: SocketAddr,
    /// Where the Postgres wire listens; `None` = nowhere.
    pub pg: Option<callboard_query::pgwire::PgOptions>,
    /// Connections to pages and doors at once, at most.
    pub connections: usize,
    /// Bounds of the doors.
    pub doors: DoorLimits,
    /// Bounds of queries.
    pub query: callboard_query::Limits,
    /// How often things happen by themselves.
    pub periods: Periods,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// How fast that clock runs.
    pub speed: f64,
    /// Zone in which days begin on pages.
    pub zone: chrono_tz::Tz,
    /// Users' own reports.
    pub reports: Option<PathBuf>,
    /// Folder of mapping files.
    pub mappings: Option<PathBuf>,
    /// Instances of platforms, as configured.
    pub instances: HashMap<String, SourceDefaults>,
    /// Sources with names, as configured.
    pub sources: Vec<SourceOptions>,
    /// Folders in which recordings appear.
    pub watch: Vec<Watch>,
    /// Topics that are read.
    pub kafka: Vec<KafkaOptions>,
    /// Connections that the server opens.
    pub live: Vec<live::Opened>,
    /// Who may use HTTP; none = anyone on this machine.
    pub users: Vec<User>,
    /// Certificate; without one HTTP is not encrypted.
    pub tls: Option<Tls>,
    /// Transcription; `None` = off.
    pub scribe: Option<ScribeOptions>,
    /// Who is who across platforms; `None` = as the platforms say.
    pub identity: Option<identity::IdentityOptions>,
    /// Configuration as shown on the status page.
    pub shown: Vec<(String, String)>,
}

impl ServerOptions {
    /// The defaults on that folder and address.
    pub fn new(data: impl Into<PathBuf>, http: SocketAddr) -> Self {
        ServerOptions {
            store: StoreOptions::new(data),
            http,
            pg: None,
            connections: crate::config::CONNECTIONS,
            doors: DoorLimits::default(),
            query: callboard_query::Limits::default(),
            periods: Periods::default(),
            clock: Arc::new(WallClock),
            speed: 1.0,
            zone: chrono_tz::UTC,
            reports: None,
            mappings: None,
            instances: HashMap::new(),
            sources: Vec::new(),
            watch: Vec::new(),
            kafka: Vec::new(),
            live: Vec::new(),
            users: Vec::new(),
            tls: None,
            scribe: None,
            identity: None,
            shown: Vec::new(),
        }
    }
}

/// A running server.
pub struct Server {
    /// Where pages and doors listen.
    pub http: SocketAddr,
    /// Where the Postgres wire listens.
    pub pg: Option<SocketAddr>,
    /// What doors hand to.
    pub pipeline: Arc<Pipeline>,
    /// Takes recordings.
    pub recordings: Recordings,
    /// Ends it.
    pub stop: CancellationToken,
    /// The work of transcription, where it is on.
    pub scribe: Option<Arc<scribe::Scribe>>,
    serving: Vec<tokio::task::JoinHandle<()>>,
}

struct Ready(Arc<Pipeline>);

impl Readiness for Ready {
    fn ready(&self) -> Result<(), String> {
        self.0.failure().map_or(Ok(()), Err)
    }
}

impl Server {
    /// Opens the store and serves.
    ///
    /// # Errors
    /// A sentence that says what, where and what to do.
    pub async fn start(options: ServerOptions, metrics: PrometheusHandle) -> Result<Self, String> {
        // The addresses first: a port in use is found before anything is touched.
        let listener = TcpListener::bind(options.http).await.map_err(|e| {
            format!(
                "cannot listen on {}: {e}; stop what listens there, or choose another with --http",
                options.http
            )
        })?;
        let http = listener.local_addr().map_err(|e| e.to_string())?;
        let registry = Arc::new(Registry);
        let state = options.store.data.join("state");
        let picture = options.store.as_of.time;
        let store = Store::open(options.store, registry, options.clock.clone())
            .await
            .map_err(|e| e.to_string())?;
        let stop = CancellationToken::new();
        let pipeline = Pipeline::start(store.clone());
        clockwork::start(&pipeline, options.periods, &stop);

        // A page may have to wait for the picture of an earlier moment and for two queries, one after
        // the other, before it says a word.
        let queries = 2 * (options.query.time + options.query.wait);
        let patience = options.doors.idle + picture + queries;
        let engine = Engine::new(store.clone() as Arc<dyn Snapshots>, options.query)
            .map_err(|e| format!("SQL cannot start: {e}"))?;
        store.set_derive(callboard_query::deriver(&engine));
        let keeper =
            (options.identity).map(|of| identity::Keeper::start(of, engine.clone(), stop.clone()));
        // Before anybody sees what should be gone; else upkeep tries again.
        if let Err(error) = store.retain().await {
            tracing::error!(%error, "old days could not be let go of; it is tried again");
        }
        if let Err(error) = store.finish_erasure().await {
            tracing::error!(%error, "an erasure that was cut off could not be finished; it is tried again");
        }
        let audio = Arc::new(AudioStore::new(store.lake.clone(), AudioOptions::default()));
        let program = std::env::current_exe().map_err(|e| format!("who am I? {e}"))?;
        let mappings = Mappings::new(program, options.mappings);
        tokio::spawn(mappings.clone().watch(stop.clone()));
        let links = live::link::Links::default();
        let given_live = live::Given {
            intake: pipeline.clone(),
            limits: options.doors.clone(),
            mappings: mappings.clone(),
            state,
            links: links.clone(),
            stop: stop.clone(),
        };
        let doors = Doors::new(
            pipeline.clone(),
            Arc::new(Ready(pipeline.clone())),
            options.doors,
        );
        let recordings = Recordings::new(doors.clone(), Arc::new(sound::Kept(audio.clone())));
        for watch in options.watch {
            let watched = callboard_ingest::doors::recordings::watch::run(
                watch,
                recordings.clone(),
                stop.clone(),
            );
            tokio::spawn(watched);
        }
        let (mut serving, mut topics) = (Vec::new(), Vec::new());
        for source in options.kafka {
            let (figures, reading) =
                kafka::start(source, pipeline.clone(), mappings.clone(), stop.clone())?;
            topics.push(figures);
            serving.push(reading);
        }
        let scribe = match options.scribe {
            Some(options) => Some(scribe::Scribe::start(
                options,
                pipeline.clone(),
                audio.clone(),
                engine.clone(),
                stop.clone(),
            )?),
            None => None,
        };
        let platforms = Platforms::new(doors.clone(), options.instances)
            .with_mappings(mappings)
            .with_sources(options.sources);
        let clock = options.clock.clone();
        let listed = sources::Listed {
            platforms: platforms.clone(),
            topics: topics.clone(),
            links: links.clone(),
            pipeline: pipeline.clone(),
            engine: engine.clone(),
        };
        let given = dashboards::Given {
            data: Arc::new(dashboards::EngineData::new(&engine, Principal::local())),
            audio: Arc::new(sound::Played {
                audio,
                store: store.clone(),
            }),
            notes: Arc::new(notes::Written(pipeline.clone())),
            status: Arc::new(status::Reported {
                pipeline: pipeline.clone(),
                engine: engine.clone(),
                scribe: scribe.clone(),
                topics,
                identity: keeper,
                shown: options.shown,
                started: WallClock.now(),
                links,
                sources: listed.clone(),
            }),
            changes: dashboards::Changes {
                version: store.changes(),
                clock: Arc::new(move || clock.now()),
                speed: options.speed,
            },
            zone: options.zone,
            reports: options.reports,
            stop: stop.clone(),
        };
        let app = dashboards::router(dashboards::App::new(given))
            .merge(callboard_ingest::doors::http::router(doors))
            .merge(recordings.clone().router())
            .merge(platforms.clone().router())
            .merge(sources::router(listed))
            .merge(callboard_query::router(engine.clone()))
            .merge(backup::router(store.clone()))
            .merge(erase::router(store.clone()))
            .route(
                "/metrics",
                axum::routing::get(move || {
                    let text = metrics.render();
                    async move { text }
                }),
            );
        // With users, or beyond this machine, credentials decide; else only this machine may ask.
        let app = if options.http.ip().is_loopback() && options.users.is_empty() {
            door::local(app, platforms)
        } else {
            door::guarded(app, options.users, platforms)
        };

        let mut pg = None;
        if let Some(options) = options.pg {
            let wire = callboard_query::pgwire::serve(engine, options, stop.clone())
                .await
                .map_err(|e| e.to_string())?;
            pg = Some(wire.addr);
            serving.push(tokio::spawn(wire.stopped()));
        }
        serving.push(crate::tls::serve(
            listener,
            options.tls.as_ref(),
            app,
            patience,
            Places::new(options.connections),
            stop.clone(),
        )?);
        live::start(options.live, &given_live);
        Ok(Server {
            http,
            pg,
            pipeline,
            recordings,
            stop,
            scribe,
            serving,
        })
    }

    /// Stops cleanly: doors close, everything goes to the lake, the log is closed.
    ///
    /// # Errors
    /// When the last flush failed; what is acknowledged is in the log all the same.
    pub async fn stop(self) -> Result<(), String> {
        self.stop.cancel();
        for task in self.serving {
            // A client that does not let go must not hold up the stop.
            let _ = tokio::time::timeout(std::time::Duration::from_secs(5), task).await;
        }
        if let Some(scribe) = &self.scribe {
            scribe.stop().await;
        }
        let store = self.pipeline.store().clone();
        let flushed = store.flush(true).await.map_err(|e| {
            format!("the last flush failed ({e}); the log keeps everything for the next start")
        });
        let closed = store.log.close().map_err(|e| e.to_string());
        flushed?;
        closed
    }
}
