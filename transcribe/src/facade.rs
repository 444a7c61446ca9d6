//! The door: a recording in, a conversation out.

use crate::Leg;
use crate::audio::{AudioFacts, Limits, SilenceSpan};
use crate::engine::{Cancel, Engine, EngineConfig, EngineFacts, LegJob, LegMessage, LegSpeech};
use crate::error::TranscribeError;
use crate::prepare::{PreparedLeg, RecordingInput, prepare};
use crate::tags::RULE_VERSION;
use crate::tags::keywords::{KeywordError, KeywordList, Keywords, Tag};
use crate::tags::redact::{Redaction, redact};
use crate::tags::sentiment::{CallSentiment, call_sentiment};
use crate::turns::{Dropped, Turn, build, heard_words};
use serde::{Deserialize, Serialize};
use std::sync::mpsc::channel;
use std::time::Instant;

/// What a [`Transcriber`] works with.
#[derive(Debug, Clone)]
pub struct TranscriberConfig {
    /// Models, threads, search.
    pub engine: EngineConfig,
    /// Bounds on recordings.
    pub limits: Limits,
    /// Keyword lists.
    pub keywords: Vec<KeywordList>,
}

/// A recording understood. No card number and no security code is left in any of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conversation {
    /// What was said, both legs, in order of time.
    pub turns: Vec<Turn>,
    /// Keywords that were said.
    pub tags: Vec<Tag>,
    /// Mood by speaker and quarter, and of the whole.
    pub sentiment: CallSentiment,
    /// What must be silent when it is played, for each leg.
    pub redactions: Vec<Redaction>,
    /// Stretches of speech of each leg that was recognised, in ms (for talk time and silence).
    pub speech: Vec<(Leg, Vec<(u64, u64)>)>,
    /// What was noticed about each file that could be read.
    pub audio: Vec<AudioFacts>,
    /// Files that could not be read, with class and reason; the other leg was transcribed.
    pub failed: Vec<(Leg, String, String)>,
    /// What the recogniser invented and the guards dropped.
    pub dropped: Dropped,
    /// Models and engine.
    pub engine: EngineFacts,
    /// Version of the rules for turns, tags and redaction.
    pub rule_version: String,
    /// What it cost.
    pub timings: Timings,
}

impl Conversation {
    /// What must be silent in a leg's file; for [`Leg::Both`] (a stereo or mixed file), in any.
    pub fn silent_spans(&self, leg: Leg) -> Vec<SilenceSpan> {
        let mut spans: Vec<SilenceSpan> = self
            .redactions
            .iter()
            .filter(|r| leg == Leg::Both || r.leg == leg || r.leg == Leg::Both)
            .map(|r| r.span)
            .collect();
        spans.sort_by_key(|s| (s.start_ms, s.end_ms));
        spans.dedup();
        spans
    }
}

/// Cost of one recording, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timings {
    /// Length of all legs' sound that was given to the recogniser.
    pub audio_ms: u64,
    /// Speech in it.
    pub speech_ms: u64,
    /// Wall clock for reading the files.
    pub decode_ms: u64,
    /// Wall clock for everything.
    pub wall_ms: u64,
    /// Processor time of the recogniser's threads; 0 where the system does not tell.
    pub cpu_ms: u64,
}

/// How far a recording is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Speech recognised, in ms.
    pub done_ms: u64,
    /// Speech found so far, in ms; grows until all legs were looked at.
    pub speech_ms: u64,
}

/// The pipeline. Share it (`Arc`); calls from several threads share the recogniser's threads.
pub struct Transcriber {
    engine: Engine,
    limits: Limits,
    keywords: Keywords,
}

impl Transcriber {
    /// Checks and loads models and starts the recogniser's threads.
    ///
    /// # Errors
    /// [`TranscribeError::Model`] or [`TranscribeError::Engine`]; a wrong keyword list is
    /// [`TranscribeError::Input`].
    pub fn start(config: TranscriberConfig) -> Result<Transcriber, TranscribeError> {
        let wrong = |e: KeywordError| TranscribeError::Input(e.to_string());
        let keywords = Keywords::new(&config.keywords).map_err(wrong)?;
        Ok(Transcriber {
            engine: Engine::start(config.engine)?,
            limits: config.limits,
            keywords,
        })
    }

    /// What stands behind its results.
    pub fn engine_facts(&self) -> &EngineFacts {
        self.engine.facts()
    }

    /// The recogniser's threads, for measurements.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Transcribes one recording. Blocks for as long as it takes (a fraction of its length):
    /// not for an async thread.
    ///
    /// # Errors
    /// [`TranscribeError`]; a single bad file of two is no error, see [`Conversation::failed`].
    pub fn transcribe(&self, input: &RecordingInput) -> Result<Conversation, TranscribeError> {
        self.transcribe_with(input, &Cancel::default(), &mut |_| {})
    }

    /// As [`Transcriber::transcribe`], to be stopped by `cancel` and telling how far it is.
    ///
    /// # Errors
    /// [`TranscribeError`].
    pub fn transcribe_with(
        &self,
        input: &RecordingInput,
        cancel: &Cancel,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Conversation, TranscribeError> {
        let started = Instant::now();
        let prepared = prepare(input, &self.limits)?;
        let mut timings = Timings {
            decode_ms: millis(started),
            ..Timings::default()
        };
        timings.audio_ms = prepared
            .legs
            .iter()
            .map(|l| l.samples.len() as u64 / 16)
            .sum();
        let legs: Vec<(Leg, u64)> = prepared.legs.iter().map(|l| (l.leg, l.offset_ms)).collect();
        let speech = self.recognise(prepared.legs, cancel, progress)?;
        let mut heard = Vec::new();
        let mut dropped = Dropped::default();
        let mut stretches = Vec::new();
        for ((leg, offset_ms), speech) in legs.iter().zip(&speech) {
            let (words, own) = heard_words(*leg, *offset_ms, speech);
            heard.extend(words);
            dropped.add(own);
            let spans: Vec<(u64, u64)> = speech
                .speech
                .iter()
                .map(|(s, e)| (s + offset_ms, e + offset_ms))
                .collect();
            timings.speech_ms += spans.iter().map(|(s, e)| e - s).sum::<u64>();
            timings.cpu_ms += speech.cpu_ms.unwrap_or(0);
            stretches.push((*leg, spans));
        }
        // From here on nothing holds what was masked.
        let (heard, redactions) = redact(heard, &stretches);
        let turns = build(heard);
        timings.wall_ms = millis(started);
        Ok(Conversation {
            tags: self.keywords.find(&turns),
            sentiment: call_sentiment(&turns),
            turns,
            redactions,
            speech: stretches,
            audio: prepared.audio,
            failed: prepared
                .failed
                .into_iter()
                .map(|(leg, e)| (leg, e.class().into(), e.to_string()))
                .collect(),
            dropped,
            engine: self.engine.facts().clone(),
            rule_version: RULE_VERSION.into(),
            timings,
        })
    }

    /// All legs at once through the engine's threads, results in the legs' order.
    fn recognise(
        &self,
        legs: Vec<PreparedLeg>,
        cancel: &Cancel,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Vec<LegSpeech>, TranscribeError> {
        let (reply, messages) = channel();
        let count = legs.len();
        // The caller's own stays as it is when a leg fails.
        let cancel = cancel.child();
        for (tag, leg) in legs.into_iter().enumerate() {
            self.engine.submit(LegJob {
                samples: leg.samples,
                cancel: cancel.clone(),
                reply: reply.clone(),
                tag,
            });
        }
        drop(reply);
        let mut results: Vec<Option<LegSpeech>> = vec![None; count];
        let mut marks = vec![(0, 0); count];
        let mut failed = None;
        for message in messages {
            match message {
                LegMessage::Progress {
                    tag,
                    done_ms,
                    speech_ms,
                } => {
                    marks[tag] = (done_ms, speech_ms);
                    progress(Progress {
                        done_ms: marks.iter().map(|m| m.0).sum(),
                        speech_ms: marks.iter().map(|m| m.1).sum(),
                    });
                }
                LegMessage::Done {
                    tag,
                    result: Ok(speech),
                } => results[tag] = Some(speech),
                LegMessage::Done {
                    result: Err(error), ..
                } => {
                    // One leg alone would be half a conversation: the other one stops too.
                    cancel.cancel();
                    failed.get_or_insert(error);
                }
            }
        }
        if let Some(error) = failed {
            return Err(error);
        }
        results
            .into_iter()
            .map(|r| {
                r.ok_or_else(|| TranscribeError::Engine {
                    what: "a leg".into(),
                    detail: "the recogniser's thread ended without an answer".into(),
                })
            })
            .collect()
    }
}

fn millis(since: Instant) -> u64 {
    since.elapsed().as_millis() as u64
}

#[cfg(test)]
mod tests;
