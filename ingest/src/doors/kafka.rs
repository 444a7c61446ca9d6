//! Kafka topics as a door: every message becomes what the body of a request would become, and how
//! far a partition was read becomes durable together with what was read. The group's own offsets
//! are a hint for people; nothing here is decided by them.
//!
//! [`message`] knows what a message means, [`reading`] who owns which partition and what is on its
//! way, `consumer` alone the library.

#[cfg(feature = "kafka")]
mod consumer;
pub mod figures;
#[cfg_attr(not(feature = "kafka"), allow(dead_code))]
mod mapped;
#[cfg_attr(not(feature = "kafka"), allow(dead_code))]
pub mod message;
#[cfg_attr(not(feature = "kafka"), allow(dead_code))]
mod reading;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::intake::Numbered;
use super::mapping::Mappings;
use figures::Figures;
#[cfg(feature = "kafka")]
use mapped::Mapper;
use message::Adapted;

/// Where a partition begins of which nothing was read yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum From {
    /// At the oldest message that the topic has.
    #[default]
    Earliest,
    /// At what comes from now on.
    Latest,
}

/// What happens when messages that were not read yet are gone from a topic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnGap {
    /// The partition is not read until somebody decides; others go on.
    #[default]
    Stop,
    /// A dead letter says what is missing, and reading goes on at the oldest message there is.
    Continue,
}

/// Topics that are read.
#[derive(Clone)]
pub struct KafkaOptions {
    /// Name of the source, part of its positions: a renamed one begins anew.
    pub name: String,
    /// Servers to begin with, `host:port`.
    pub brokers: Vec<String>,
    /// Topics.
    pub topics: Vec<String>,
    /// Consumer group.
    pub group: String,
    /// Who reads what the messages hold.
    pub adapter: Adapted,
    /// Instance of the platform that is stamped on records.
    pub instance: String,
    /// IANA zone of times that are given without one; empty = UTC.
    pub zone: String,
    /// After so long without a record it is silent.
    pub silent_after: Duration,
    /// Where to begin.
    pub from: From,
    /// What to do about messages that are gone.
    pub on_gap: OnGap,
    /// More settings of librdkafka; they may hold secrets and are never shown.
    pub settings: Vec<(String, String)>,
    /// Longest record, bytes.
    pub record_bytes: usize,
    /// Deepest nesting of JSON.
    pub nesting: usize,
}

impl std::fmt::Debug for KafkaOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self
            .settings
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        f.debug_struct("KafkaOptions")
            .field("name", &self.name)
            .field("brokers", &self.brokers)
            .field("topics", &self.topics)
            .field("group", &self.group)
            .field("settings", &names)
            .finish_non_exhaustive()
    }
}

/// Settings that are ours: with others nothing would be read exactly once, or memory would have no
/// bound.
pub const OWN_SETTINGS: [&str; 12] = [
    "bootstrap.servers",
    "metadata.broker.list",
    "group.id",
    "enable.auto.commit",
    "auto.commit.enable",
    "enable.auto.offset.store",
    "auto.offset.reset",
    "queued.max.messages.kbytes",
    "fetch.message.max.bytes",
    "fetch.max.bytes",
    "max.partition.fetch.bytes",
    "plugin.library.paths",
];

/// Reads topics until it is stopped; the task ends when everything that was read is acknowledged or
/// given back. Call it inside a runtime.
///
/// # Errors
/// A sentence that says which setting is not usable.
#[cfg(feature = "kafka")]
pub fn start(
    options: KafkaOptions,
    intake: Arc<dyn Numbered>,
    mappings: Arc<Mappings>,
    stop: CancellationToken,
) -> Result<(Arc<Figures>, JoinHandle<()>), String> {
    consumer::check(&options)?;
    let figures = Arc::new(Figures::new(&options));
    let (told, runtime) = (figures.clone(), tokio::runtime::Handle::current());
    let (done, ended) = tokio::sync::oneshot::channel();
    // A thread of its own, which the end of the process need not wait for: the library may hang on
    // a broker that is gone.
    std::thread::Builder::new()
        .name(format!("kafka {}", options.name))
        .spawn(move || {
            let mapper = Mapper::of(&options, &mappings, &runtime, &stop);
            consumer::run(&Arc::new(options), mapper, &intake, &told, &runtime, &stop);
            let _ = done.send(());
        })
        .map_err(|e| format!("a thread cannot be started: {e}"))?;
    let task = tokio::spawn(async move {
        // It also ends when the thread is gone.
        let _ = ended.await;
    });
    Ok((figures, task))
}

/// As with the feature `kafka`, without which there is no such door.
///
/// # Errors
/// Always.
#[cfg(not(feature = "kafka"))]
pub fn start(
    options: KafkaOptions,
    _intake: Arc<dyn Numbered>,
    _mappings: Arc<Mappings>,
    _stop: CancellationToken,
) -> Result<(Arc<Figures>, JoinHandle<()>), String> {
    Err(format!(
        "source {}: this program was built without Kafka; build it with --features kafka",
        options.name
    ))
}
