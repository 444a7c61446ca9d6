//! One membership in the group, from its joining to its end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use callboard_model::record::Refusal;
use callboard_sources::adapter::Declared;
use callboard_store::positions::Position;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::polled::{count, failed, out_of_reach, take};
use super::{ASK, Context, config};
use crate::doors::event::dead;
use crate::doors::intake::{Candidate, Unavailable};
use crate::doors::kafka::OnGap;
use crate::doors::kafka::mapped::Mapper;
use crate::doors::kafka::message::MessageReader;
use crate::doors::kafka::reading::{Held, Place, gap};

/// Longest wait for a message: a stop is noticed so late.
const TICK: Duration = Duration::from_millis(100);
/// How often lags are looked at.
const LOOK: Duration = Duration::from_secs(5);
/// How often the group is told how far we are.
const HINT: Duration = Duration::from_secs(1);
/// A partition out of range is silent for so long before it is said that messages are gone: what
/// was fetched before comes first.
const SILENT: Duration = Duration::from_secs(1);

/// A member of the group.
pub(super) struct Member {
    consumer: BaseConsumer<Context>,
    runtime: Handle,
    reader: MessageReader,
    held: Held,
    /// Acknowledged, and not yet told to the group.
    hints: BTreeMap<Place, i64>,
    hinted: Instant,
    looked: Option<Instant>,
    /// When a partition was said to be out of range.
    suspected: Option<Instant>,
    /// Until when nothing is handed in, and the generation for which all was paused.
    paused: Option<(Instant, u64)>,
}

impl Member {
    /// Joins the group.
    pub(super) fn join(
        context: Context,
        mapper: Option<Mapper>,
        runtime: Handle,
    ) -> Result<Self, String> {
        let options = context.options.clone();
        let declared = Declared {
            instance: options.instance.clone(),
            zone: options.zone.clone(),
            name: String::new(),
        };
        let reader = MessageReader::new(
            &options.name,
            options.adapter.clone(),
            declared,
            options.record_bytes,
            options.nesting,
        )
        .with_mapper(mapper);
        let consumer: BaseConsumer<Context> = config(&options)
            .create_with_context(context)
            .map_err(|e| e.to_string())?;
        let topics: Vec<&str> = options.topics.iter().map(String::as_str).collect();
        consumer.subscribe(&topics).map_err(|e| e.to_string())?;
        Ok(Member {
            consumer,
            runtime,
            reader,
            held: Held::default(),
            hints: BTreeMap::new(),
            hinted: Instant::now(),
            looked: None,
            suspected: None,
            paused: None,
        })
    }

    fn context(&self) -> Arc<Context> {
        self.consumer.context().clone()
    }

    /// Reads until it is stopped.
    pub(super) fn read(&mut self, stop: &CancellationToken) -> Result<(), String> {
        while !stop.is_cancelled() {
            match self.gather() {
                Err(_) if stop.is_cancelled() => break,
                gathered => gathered?,
            }
            let context = self.context();
            if let Some(what) = context.fault.lock().take() {
                return Err(what);
            }
            let begun = std::mem::take(&mut *context.begun.lock());
            if !begun.is_empty() {
                let written = context.intake.submit_read(Vec::new(), begun);
                self.runtime.block_on(written).map_err(|e| e.to_string())?;
            }
            if !self.hand_in() {
                return Ok(());
            }
            self.hint(CommitMode::Async);
            self.look()?;
        }
        self.hint(CommitMode::Sync);
        Ok(())
    }

    /// Polls until there is enough, or nothing more at the moment. Callbacks run in here.
    fn gather(&mut self) -> Result<(), String> {
        let begun = Instant::now();
        let mut wait = TICK;
        let Member {
            consumer,
            reader,
            held,
            suspected,
            ..
        } = self;
        let context = consumer.context();
        while let Some(polled) = consumer.poll(wait) {
            wait = Duration::ZERO;
            match polled {
                Ok(message) => take(context, reader, held, &message)?,
                Err(error) => failed(context, suspected, &error)?,
            }
            if held.is_full() || begun.elapsed() > 2 * TICK {
                break;
            }
        }
        let lost = held.drop_lost(&context.assignment.lock());
        for (topic, n) in lost {
            context.figures.messages(&topic, "revoked", n);
        }
        Ok(())
    }

    /// Hands in what was gathered, if there is room for it. False when the server stops.
    fn hand_in(&mut self) -> bool {
        let context = self.context();
        if let Some((until, generation)) = self.paused
            && Instant::now() < until
        {
            // Partitions that came meanwhile are not paused yet.
            let now = context.assignment.lock().generation();
            if now != generation {
                self.pause(until);
            }
            return true;
        }
        if self.held.is_empty() {
            self.go_on();
            return true;
        }
        let positions = self.held.positions(&context.options.name);
        let mut turns = self.held.turns();
        let last = turns.pop().unwrap_or_default();
        let mut verdicts = Vec::new();
        for (batch, read) in turns
            .into_iter()
            .map(|turn| (turn, Vec::new()))
            .chain([(last, positions.clone())])
        {
            let submitted = context.intake.submit_read(batch, read);
            match self.runtime.block_on(submitted) {
                Ok(more) => verdicts.extend(more),
                Err(Unavailable::Stopping) => return false,
                Err(error) => {
                    if let Unavailable::Poisoned(_) | Unavailable::TooMuch(_) = &error {
                        context.figures.trouble(&error.to_string());
                    }
                    let wait = u64::from(error.retry_after_s().unwrap_or(30));
                    self.pause(Instant::now() + Duration::from_secs(wait));
                    return true;
                }
            }
        }
        for (topic, n) in self.held.messages() {
            context.figures.messages(&topic, "read", n);
        }
        count(&verdicts);
        context.figures.taken(&verdicts, context.intake.now());
        self.held.clear();
        let told = positions.into_iter();
        self.hints
            .extend(told.map(|p| ((p.topic, p.partition), p.next)));
        self.go_on();
        context.figures.well();
        true
    }

    /// Reads nothing more until then; the group is still served.
    fn pause(&mut self, until: Instant) {
        let context = self.context();
        let generation = context.assignment.lock().generation();
        self.paused = Some((until, generation));
        if let Err(error) = self
            .consumer
            .assignment()
            .and_then(|all| self.consumer.pause(&all))
        {
            tracing::debug!(%error, "partitions cannot be paused");
        }
    }

    fn go_on(&mut self) {
        if self.paused.take().is_some()
            && let Err(error) = self
                .consumer
                .assignment()
                .and_then(|all| self.consumer.resume(&all))
        {
            tracing::warn!(%error, "Kafka partitions cannot be read on");
        }
    }

    /// Tells the group how far we are, of partitions that are ours: a hint for those who look at
    /// its lag.
    fn hint(&mut self, mode: CommitMode) {
        let due = self.hinted.elapsed() >= HINT || matches!(mode, CommitMode::Sync);
        if self.hints.is_empty() || !due {
            return;
        }
        self.hinted = Instant::now();
        let hints = std::mem::take(&mut self.hints);
        if self.consumer.assignment_lost() {
            return;
        }
        let mut list = TopicPartitionList::new();
        let context = self.context();
        let mut assignment = context.assignment.lock();
        for (place, next) in hints {
            if assignment.get_mut(&place).is_none() {
                continue;
            }
            let at = Offset::Offset(next);
            if let Err(error) = list.add_partition_offset(&place.0, place.1, at) {
                tracing::debug!(%error, "a position cannot be told to the group");
            }
        }
        drop(assignment);
        if list.count() > 0
            && let Err(error) = self.consumer.commit(&list, mode)
        {
            tracing::debug!(%error, "positions cannot be told to the group");
        }
    }

    /// Looks how much there is to read, and whether something is gone.
    fn look(&mut self) -> Result<(), String> {
        let suspect = self.suspected.filter(|at| at.elapsed() >= SILENT);
        let due = self.looked.is_none_or(|at| at.elapsed() >= LOOK);
        if self.paused.is_some() || !(due || suspect.is_some()) {
            return Ok(());
        }
        self.looked = Some(Instant::now());
        let context = self.context();
        let all: Vec<_> = {
            let assignment = context.assignment.lock();
            assignment.all().map(|(p, o)| (p.clone(), *o)).collect()
        };
        let (some, mut missing) = (!all.is_empty(), false);
        for ((topic, partition), owned) in all {
            let asked = self.consumer.fetch_watermarks(&topic, partition, ASK);
            let (low, high) = match asked {
                Ok(known) => known,
                Err(_) => {
                    context.figures.trouble(&out_of_reach(&context.options));
                    return Ok(());
                }
            };
            let next = owned.next.unwrap_or(low);
            context
                .figures
                .lags(&topic, partition, (high - next).max(0));
            let silent = |at: Instant| owned.heard.is_none_or(|heard| heard < at);
            if (owned.gap || suspect.is_some_and(silent))
                && let Some(what) = gap(&topic, partition, next, low, high)
            {
                missing = true;
                self.missing(&topic, partition, low, &what)?;
            }
        }
        if suspect.is_some() {
            self.suspected = None;
            if !missing {
                // The library has stopped reading it, whatever the reason was.
                return Err("a partition was out of range; it is read anew".to_owned());
            }
        }
        if some && self.held.is_empty() {
            context.figures.well();
        }
        Ok(())
    }

    /// Messages are gone: says so, and stops or goes on as the operator wants.
    fn missing(&self, topic: &str, partition: i32, low: i64, what: &str) -> Result<(), String> {
        let context = self.context();
        let place = (topic.to_owned(), partition);
        if let Some(owned) = context.assignment.lock().get_mut(&place) {
            owned.gap = true;
        }
        let name = &context.options.name;
        if context.options.on_gap == OnGap::Stop {
            let what = format!(
                "{what}; nothing more of it is read until on_gap = \"continue\" says to go on"
            );
            context.figures.gap(topic, partition, &what);
            return Ok(());
        }
        context.figures.gap(topic, partition, what);
        let letter = dead(
            &format!("/callboard/kafka/{name}"),
            Refusal::new("gap", what),
            b"",
        );
        let position = Position {
            source: name.clone(),
            topic: topic.to_owned(),
            partition,
            next: low,
        };
        let written = context
            .intake
            .submit_read(vec![Candidate::Dead(letter)], vec![position]);
        let verdicts = self.runtime.block_on(written).map_err(|e| e.to_string())?;
        context.figures.taken(&verdicts, context.intake.now());
        // A consumer made anew begins behind the gap.
        Err(format!("{what}; reading goes on at offset {low}"))
    }
}
