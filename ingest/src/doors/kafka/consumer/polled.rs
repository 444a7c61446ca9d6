//! What a poll brings: messages and errors.

use std::time::Instant;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};

use super::Context;
use crate::doors::intake::Verdict;
use crate::doors::kafka::KafkaOptions;
use crate::doors::kafka::message::{Arrived, MessageReader};
use crate::doors::kafka::reading::Held;

/// Takes a message in, if it is ours to read and was not read before.
///
/// # Errors
/// When nobody can read it now: it is to be read again by a consumer made anew.
pub(super) fn take(
    context: &Context,
    reader: &mut MessageReader,
    held: &mut Held,
    message: &BorrowedMessage<'_>,
) -> Result<(), String> {
    let place = (message.topic().to_owned(), message.partition());
    let offset = message.offset();
    let accepted = context.assignment.lock().accept(&place, offset);
    match accepted {
        Ok(generation) => {
            let arrived = detached(message);
            let candidates = reader.read(&arrived, context.intake.now())?;
            if candidates.is_empty() {
                context.figures.messages(&place.0, "empty", 1);
            }
            held.push(place, generation, offset, candidates);
        }
        Err(why) => context.figures.messages(&place.0, why, 1),
    }
    Ok(())
}

/// The message as ours.
fn detached(message: &BorrowedMessage<'_>) -> Arrived {
    let mut arrived = Arrived {
        topic: message.topic().to_owned(),
        partition: message.partition(),
        offset: message.offset(),
        key: message.key().map(<[u8]>::to_vec),
        headers: Vec::new(),
        value: message.payload().map(<[u8]>::to_vec),
        broken: None,
    };
    // The library panics at a header whose name is not UTF-8.
    let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let headers = message.headers().into_iter().flat_map(|all| all.iter());
        headers
            .map(|h| (h.key.to_owned(), h.value.unwrap_or_default().to_vec()))
            .collect()
    }));
    match read {
        Ok(headers) => arrived.headers = headers,
        Err(_) => arrived.broken = Some("a header's name is not UTF-8".to_owned()),
    }
    arrived
}

/// The library says that something is wrong; what heals by itself is only told.
pub(super) fn failed(
    context: &Context,
    suspected: &mut Option<Instant>,
    error: &KafkaError,
) -> Result<(), String> {
    use RDKafkaErrorCode as Code;
    match error {
        KafkaError::MessageConsumption(
            Code::AutoOffsetReset | Code::OffsetOutOfRange | Code::LogTruncation,
        ) => {
            suspected.get_or_insert_with(Instant::now);
        }
        KafkaError::MessageConsumption(Code::UnknownTopicOrPartition | Code::UnknownTopic) => {
            context.figures.trouble(&format!(
                "a topic of {} is not there; make it, or correct the name",
                context.options.topics.join(", ")
            ));
        }
        KafkaError::MessageConsumption(
            Code::AllBrokersDown | Code::BrokerTransportFailure | Code::Resolve,
        ) => context.figures.trouble(&out_of_reach(&context.options)),
        KafkaError::MessageConsumptionFatal(code) => {
            return Err(format!("the group refuses this member: {code}"));
        }
        other => context.figures.trouble(&format!(
            "brokers {}: {other}",
            context.options.brokers.join(", ")
        )),
    }
    Ok(())
}

/// Nobody answers.
pub(super) fn out_of_reach(options: &KafkaOptions) -> String {
    format!(
        "brokers {} cannot be reached; it is tried again",
        options.brokers.join(", ")
    )
}

/// Counts as every door does.
pub(super) fn count(verdicts: &[Verdict]) {
    const DOOR: &str = "kafka";
    for verdict in verdicts {
        let counter = match verdict {
            Verdict::Taken => metrics::counter!("callboard_events_taken_total", "door" => DOOR),
            Verdict::Repeated => {
                metrics::counter!("callboard_events_repeated_total", "door" => DOOR)
            }
            Verdict::Conflict => {
                metrics::counter!("callboard_events_conflicting_total", "door" => DOOR)
            }
            Verdict::Refused(refusal) => metrics::counter!(
                "callboard_events_refused_total", "door" => DOOR, "class" => refusal.class),
        };
        counter.increment(1);
    }
}
