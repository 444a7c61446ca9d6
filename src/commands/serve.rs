//! `callboard serve`.

use std::path::Path;
use std::sync::Arc;

use callboard_ingest::doors::intake::{Candidate, Intake};
use callboard_query::pgwire::{PgOptions, PgTls};
use callboard_store::store::{Clock, StoreOptions, WallClock};
use callboard_transcribe::TranscriberConfig;
use callboard_transcribe::audio::Limits as AudioLimits;
use callboard_transcribe::engine::EngineConfig;
use callboard_transcribe::tags::keywords::KeywordList;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use super::Failure;
use super::transcribe::{SILERO, WHISPER, shipped};
use crate::cli::ServeArgs;
use crate::config::{self, Config};
use crate::server::{ScribeOptions, Server, ServerOptions};

/// Serves until SIGTERM or ctrl-c.
///
/// # Errors
/// What keeps it from starting, or from stopping cleanly.
pub fn run(args: ServeArgs) -> Result<(), Failure> {
    logs();
    let mut config = config::load(args.config.as_deref(), std::env::vars())
        .map_err(|e| Failure::usage(e.to_string()))?;
    if let Some(data) = args.data {
        config.data = data;
    }
    if let Some(http) = args.http {
        config.http.listen = http;
    }
    if let Some(pg) = args.pg {
        config.pg.listen = pg;
    }
    config
        .check_exposure()
        .map_err(|missing| Failure::usage(missing.join("\ncallboard: ")))?;
    let changed = args.config.as_deref().map_or(0, changed_at);
    runtime()?.block_on(async {
        let of = args.config.as_deref();
        let server = start(&config, of, Arc::new(WallClock), 1.0).await?;
        state_targets(&server, &config, changed).await;
        eprintln!(
            "callboard serves http://{}{}\ndata in {}",
            server.http,
            server.pg.map_or(String::new(), |pg| format!(
                "\n         psql -h {} -p {} callboard",
                pg.ip(),
                pg.port()
            )),
            config.data.display()
        );
        told_to_stop().await;
        eprintln!("callboard stops: what is live goes to the lake ...");
        server.stop().await.map_err(Failure::failed)
    })
}

/// The runtime of a server: ingest at normal priority.
///
/// # Errors
/// When threads cannot be started.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .map_err(|e| Failure::failed(format!("threads cannot be started: {e}")))
}

/// Structured logs on the standard error, as `RUST_LOG` says; JSON when it is no terminal.
pub fn logs() {
    use std::io::IsTerminal as _;
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| "warn,callboard=info,callboard_store=info".into());
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A second call (in tests) keeps the first.
    let _ = if std::io::stderr().is_terminal() {
        builder.try_init()
    } else {
        builder.json().try_init()
    };
}

/// For a command that somebody waits for: what went wrong, in words.
pub fn warnings() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter.unwrap_or_else(|_| "warn".into()))
        .with_writer(std::io::stderr)
        .without_time()
        .with_target(false);
    // A second call (in tests) keeps the first.
    let _ = builder.try_init();
}

fn metrics() -> Result<PrometheusHandle, Failure> {
    PrometheusBuilder::new()
        .install_recorder()
        .map_err(|e| Failure::failed(format!("metrics cannot be kept: {e}")))
}

/// Where data and lake are, and how the lake's store is reached.
pub fn store_options(config: &Config) -> StoreOptions {
    let mut options = StoreOptions::new(&config.data);
    options.lake = config.lake.url.clone();
    options.keep = config.keep();
    options.as_of = config.as_of_limits();
    options.transcribes = config.transcribe.enabled;
    let given = config.lake.options.iter();
    options.lake_options.storage_options = given.map(|(k, v)| (k.clone(), v.clone())).collect();
    options
}

/// Starts a server as configured; `file` is the configuration's, where there is one.
///
/// # Errors
/// What keeps it from starting.
pub async fn start(
    config: &Config,
    file: Option<&Path>,
    clock: Arc<dyn Clock>,
    speed: f64,
) -> Result<Server, Failure> {
    let mut options = ServerOptions::new(&config.data, config.http.listen);
    options.store = store_options(config);
    if let Some(flush) = config.lake.flush {
        options.periods.flush = flush.0;
        options.periods.late = options.periods.late.min(flush.0);
    }
    if let Some(upkeep) = config.lake.upkeep {
        options.periods.upkeep = upkeep.0;
    }
    if let Some(silence) = config.lake.silence {
        options.periods.silence = silence.0;
    }
    if let Some(settle) = config.lake.settle {
        options.store.grace = settle.millis() * 1_000;
    }
    options.pg = Some(PgOptions {
        addr: config.pg.listen,
        users: config.users.iter().map(|u| u.for_postgres()).collect(),
        tls: config.tls.as_ref().map(|t| PgTls {
            certificate: t.cert.clone(),
            key: t.key.clone(),
        }),
        connections: 64,
    });
    options.users = config.users.clone();
    options.tls = config.tls.clone();
    options.connections = config.limits.connections;
    options.doors = config.door_limits();
    options.query = config.query_limits();
    options.clock = clock;
    options.speed = speed;
    options.zone = config.zone.parse().unwrap_or(chrono_tz::UTC);
    options.reports = config.reports.clone();
    let mappings = config.mapping.folder.clone();
    options.mappings = Some(mappings.unwrap_or_else(|| config.data.join("mappings")));
    options.instances = config.instances();
    options.sources = config
        .source_options()
        .map_err(|wrong| Failure::usage(wrong.join("\ncallboard: ")))?;
    options.watch = config.watches(&config.data);
    options.kafka = config.kafka().map_err(Failure::usage)?;
    options.live = config
        .live()
        .map_err(|wrong| Failure::usage(wrong.join("\ncallboard: ")))?;
    options.scribe = scribe(config)?;
    options.identity = Some(config.identities(file));
    options.shown = shown(config);
    Server::start(options, metrics()?)
        .await
        .map_err(Failure::failed)
}

fn scribe(config: &Config) -> Result<Option<ScribeOptions>, Failure> {
    if !config.transcribe.enabled {
        return Ok(None);
    }
    let model = match &config.transcribe.model {
        Some(model) => model.clone(),
        None => shipped(WHISPER)?,
    };
    let mut engine = EngineConfig::new(model, shipped(SILERO)?);
    engine.threads = config.transcribe.threads.max(1);
    let keywords = config
        .keywords
        .iter()
        .map(|k| KeywordList {
            name: k.name.clone(),
            phrases: k.phrases.clone(),
            leg: k.leg.as_deref().and_then(|l| l.parse().ok()),
        })
        .collect();
    let transcriber = TranscriberConfig {
        engine,
        limits: AudioLimits::default(),
        keywords,
    };
    Ok(Some(ScribeOptions { transcriber }))
}

fn shown(config: &Config) -> Vec<(String, String)> {
    let model = config.transcribe.model.as_ref().map_or_else(
        || "tiny.en q8_0, which comes with callboard".to_owned(),
        |m| m.display().to_string(),
    );
    vec![
        ("data".to_owned(), config.data.display().to_string()),
        (
            "lake".to_owned(),
            config
                .lake
                .url
                .clone()
                .unwrap_or_else(|| "in the data folder".into()),
        ),
        ("http".to_owned(), config.http.listen.to_string()),
        ("pg".to_owned(), config.pg.listen.to_string()),
        ("zone".to_owned(), config.zone.clone()),
        ("users".to_owned(), config.users.len().to_string()),
        (
            "transcription".to_owned(),
            if config.transcribe.enabled {
                model
            } else {
                "off".to_owned()
            },
        ),
        (
            "keyword lists".to_owned(),
            config.keywords.len().to_string(),
        ),
        ("queue targets".to_owned(), config.queues.len().to_string()),
        ("sources".to_owned(), config.sources.count().to_string()),
    ]
}

/// Says the targets of the configuration; the same file says the same again.
pub async fn state_targets(server: &Server, config: &Config, changed_at: i64) {
    let now = server.pipeline.now();
    let events: Vec<Candidate> = config
        .target_events(if changed_at > 0 { changed_at } else { now })
        .into_iter()
        .filter_map(|e| e.record(now).ok())
        .map(Candidate::Record)
        .collect();
    if let Err(error) = server.pipeline.submit(events).await {
        tracing::error!(%error, "the queues' targets could not be written down");
    }
}

fn changed_at(path: &Path) -> i64 {
    let changed = std::fs::metadata(path).and_then(|m| m.modified()).ok();
    changed
        .and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok())
        .and_then(|d| i64::try_from(d.as_micros()).ok())
        .unwrap_or(0)
}

/// Resolves at SIGTERM or ctrl-c.
pub async fn told_to_stop() {
    let term = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(error) => {
                tracing::warn!(%error, "SIGTERM cannot be heard");
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        () = term => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
