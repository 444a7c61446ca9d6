//! The member of the consumer group. One thread polls, hands in and commits, so that a rebalance,
//! which is served by polling, never falls between what was read and its acknowledgement.

use std::sync::Arc;
use std::time::Duration;

use callboard_store::positions::Position;
use parking_lot::Mutex;
use rdkafka::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext, RebalanceProtocol};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::figures::Figures;
use super::mapped::Mapper;
use super::reading::Assignment;
use super::{From, KafkaOptions};
use crate::doors::intake::Numbered;
use member::Member;

mod member;
mod polled;

/// How long the broker is asked for where a partition begins and ends.
const ASK: Duration = Duration::from_secs(5);
/// Wait before a consumer that failed is made anew.
const AGAIN: Duration = Duration::from_secs(5);

/// What the library's callbacks need.
struct Context {
    options: Arc<KafkaOptions>,
    intake: Arc<dyn Numbered>,
    figures: Arc<Figures>,
    assignment: Mutex<Assignment>,
    /// Partitions that begin at what comes from now on, until that is written down.
    begun: Mutex<Vec<Position>>,
    fault: Mutex<Option<String>>,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // What matters is said by ourselves, once; the library repeats itself.
        tracing::debug!(?level, facility, "librdkafka: {message}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, "librdkafka: {reason}");
    }
}

impl ConsumerContext for Context {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        kind: RDKafkaRespErr,
        list: &mut TopicPartitionList,
    ) {
        let places: Vec<(String, i32)> = list
            .elements()
            .iter()
            .map(|e| (e.topic().to_owned(), e.partition()))
            .collect();
        let cooperative = matches!(
            consumer.rebalance_protocol(),
            RebalanceProtocol::Cooperative
        );
        let done = if kind == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            self.figures.rebalanced("assigned");
            for (topic, partition) in &places {
                let offset = self.begin(consumer, topic, *partition);
                if let Err(error) = list.set_partition_offset(topic, *partition, offset) {
                    *self.fault.lock() = Some(error.to_string());
                }
            }
            match cooperative {
                true => consumer.incremental_assign(list),
                false => consumer.assign(list),
            }
        } else {
            self.figures.rebalanced("revoked");
            for (topic, partition) in &places {
                self.assignment.lock().lose(topic, *partition);
                self.figures.lost(topic, *partition);
            }
            match cooperative {
                true => consumer.incremental_unassign(list),
                false => consumer.unassign(),
            }
        };
        if let Err(error) = done {
            *self.fault.lock() = Some(format!("the group's assignment failed: {error}"));
        }
    }
}

impl Context {
    /// Where a partition that was just assigned is read from: behind what is durable here. What the
    /// group committed does not matter.
    fn begin(&self, consumer: &BaseConsumer<Self>, topic: &str, partition: i32) -> Offset {
        let name = &self.options.name;
        let mut next = self.intake.position(name, topic, partition);
        if next.is_none() && self.options.from == From::Latest {
            match consumer.fetch_watermarks(topic, partition, ASK) {
                Ok((_, high)) => {
                    self.begun.lock().push(Position {
                        source: name.clone(),
                        topic: topic.to_owned(),
                        partition,
                        next: high,
                    });
                    next = Some(high);
                }
                Err(error) => *self.fault.lock() = Some(error.to_string()),
            }
        }
        self.assignment.lock().gain(topic, partition, next);
        next.map_or(Offset::Beginning, Offset::Offset)
    }
}

fn config(options: &KafkaOptions) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("client.id", "callboard")
        // A server that was killed is missed after so long; then its successor gets the partitions.
        .set("session.timeout.ms", "10000")
        .set("queued.min.messages", "2000")
        .set("isolation.level", "read_committed");
    for (name, value) in &options.settings {
        config.set(name, value);
    }
    config
        .set("bootstrap.servers", options.brokers.join(","))
        .set("group.id", &options.group)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "error")
        .set("allow.auto.create.topics", "false")
        .set("queued.max.messages.kbytes", "16384")
        .set("fetch.message.max.bytes", "1048576")
        .set("fetch.max.bytes", "8388608");
    config
}

/// Whether the library takes these settings.
///
/// # Errors
/// What it says against them.
pub fn check(options: &KafkaOptions) -> Result<(), String> {
    let tls = cfg!(feature = "kafka-tls");
    config(options)
        .create_native_config()
        .map(|_| ())
        .map_err(|error| {
            let hint = match tls {
                true => "",
                false => "; for TLS and SASL build with --features kafka-tls",
            };
            format!(
                "source {}: [[source]] settings: {error}{hint}",
                options.name
            )
        })
}

/// Reads until it is stopped; a consumer that fails is made anew.
pub fn run(
    options: &Arc<KafkaOptions>,
    mapper: Option<Mapper>,
    intake: &Arc<dyn Numbered>,
    figures: &Arc<Figures>,
    runtime: &Handle,
    stop: &CancellationToken,
) {
    while !stop.is_cancelled() {
        let context = Context {
            options: options.clone(),
            intake: intake.clone(),
            figures: figures.clone(),
            assignment: Mutex::default(),
            begun: Mutex::default(),
            fault: Mutex::default(),
        };
        // A group is not joined for messages that nobody could read.
        let read = mapper.as_ref().map_or(Ok(()), Mapper::ready);
        let joined = read.and_then(|()| Member::join(context, mapper.clone(), runtime.clone()));
        match joined.and_then(|mut m| m.read(stop)) {
            Ok(()) => return,
            Err(_) if stop.is_cancelled() => return,
            Err(what) => {
                figures.trouble(&what);
                let wait = async { tokio::time::timeout(AGAIN, stop.cancelled()).await };
                // Over when it is stopped, or when the time is.
                let _ = runtime.block_on(wait);
            }
        }
    }
}
