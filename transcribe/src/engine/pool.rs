//! The threads that recognise.

use super::pieces::{Piece, pack};
use super::threads::{be_background, thread_cpu_ms};
use super::vad::{Vad, VadConfig};
use super::whisper::{Decoding, WhisperModel, WhisperWorker};
use super::words::RawSegment;
use super::{Cancel, Recognise};
use crate::error::TranscribeError;
use crate::models;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Which models, and how they are used.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// A ggml Whisper model.
    pub model: PathBuf,
    /// The ggml Silero voice detector.
    pub vad_model: PathBuf,
    /// Recogniser threads; each holds a state of about 130 MB.
    pub threads: usize,
    /// Search.
    pub decoding: Decoding,
    /// Spoken language for models that know several, as `en`.
    pub language: String,
    /// Voice detection.
    pub vad: VadConfig,
    /// Longest piece in milliseconds (at most 28,000).
    pub piece_ms: u64,
    /// Longer pauses inside a piece are shortened to this.
    pub max_gap_ms: u64,
    /// Longest wall clock for one leg, as a multiple of its length, beside two minutes.
    pub time_factor: f64,
}

impl EngineConfig {
    /// The measured defaults for these model files, with a thread for each core but one.
    pub fn new(model: impl Into<PathBuf>, vad_model: impl Into<PathBuf>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        EngineConfig {
            model: model.into(),
            vad_model: vad_model.into(),
            threads: cores.saturating_sub(1).max(1),
            decoding: Decoding::Beam(3),
            language: "en".into(),
            vad: VadConfig::default(),
            piece_ms: 28_000,
            max_gap_ms: 200,
            time_factor: 60.0,
        }
    }
}

/// What made a transcript; stored with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineFacts {
    /// A known model's name, else the file's name.
    pub model: String,
    /// SHA-256 of the model file in hex.
    pub model_sha256: String,
    /// SHA-256 of the voice detector's file in hex.
    pub vad_sha256: String,
    /// `whisper.cpp` and its version.
    pub engine: String,
    /// `greedy` or `beam5`.
    pub decoding: String,
}

/// One leg to be recognised.
pub struct LegJob {
    /// 16 kHz mono.
    pub samples: Vec<f32>,
    /// Stops it.
    pub cancel: Cancel,
    /// Where progress and the result go.
    pub reply: Sender<LegMessage>,
    /// Handed back with every message.
    pub tag: usize,
}

/// What a worker says about a job.
pub enum LegMessage {
    /// So many milliseconds of speech of so many are recognised.
    Progress {
        /// The job's tag.
        tag: usize,
        /// Recognised.
        done_ms: u64,
        /// Found by voice detection.
        speech_ms: u64,
    },
    /// The end of it.
    Done {
        /// The job's tag.
        tag: usize,
        /// What was recognised, or why not.
        result: Result<LegSpeech, TranscribeError>,
    },
}

/// What the recogniser made of one leg.
#[derive(Debug, Clone)]
pub struct LegSpeech {
    /// Each piece with its segments (times in the piece).
    pub pieces: Vec<(Piece, Vec<RawSegment>)>,
    /// Stretches of speech in ms.
    pub speech: Vec<(u64, u64)>,
    /// Processor time in ms, where the system tells it.
    pub cpu_ms: Option<u64>,
}

/// The pool. Dropping it stops what runs and ends its threads.
pub struct Engine {
    queue: Option<Sender<LegJob>>,
    workers: Vec<JoinHandle<()>>,
    stop: Cancel,
    facts: EngineFacts,
}

struct Shared {
    model: WhisperModel,
    config: EngineConfig,
    language: &'static str,
    stop: Cancel,
}

impl Engine {
    /// Checks and loads the models and starts the threads; each makes its state before this
    /// returns, so that a lack of memory shows here.
    ///
    /// # Errors
    /// [`TranscribeError::Model`] or [`TranscribeError::Engine`].
    pub fn start(mut config: EngineConfig) -> Result<Engine, TranscribeError> {
        let model_sum = models::verify(&config.model)?;
        let vad_sum = models::verify(&config.vad_model)?;
        config.threads = config.threads.clamp(1, 64);
        config.piece_ms = config.piece_ms.clamp(1_000, 28_000);
        let model = WhisperModel::load(&config.model)?;
        if model.facts().english_only() && config.language != "en" {
            return Err(TranscribeError::Model {
                path: config.model.display().to_string(),
                detail: format!(
                    "it knows English only and would turn '{}' into fluent wrong English; use a model without '.en'",
                    config.language
                ),
            });
        }
        let facts = EngineFacts {
            model: model_sum.name,
            model_sha256: model_sum.sha256,
            vad_sha256: vad_sum.sha256,
            engine: format!("whisper.cpp {}", whisper_rs::WHISPER_CPP_VERSION),
            decoding: match config.decoding {
                Decoding::Greedy => "greedy".into(),
                Decoding::Beam(n) => format!("beam{n}"),
            },
        };
        let stop = Cancel::default();
        // One leak of a few bytes an engine: the library wants the language for ever.
        let language: &'static str = Box::leak(config.language.clone().into_boxed_str());
        let threads = config.threads;
        let shared = Arc::new(Shared {
            model,
            config,
            language,
            stop: stop.clone(),
        });
        let (queue, jobs) = channel::<LegJob>();
        let jobs = Arc::new(parking_lot::Mutex::new(jobs));
        let (ready, started) = channel();
        let mut workers = Vec::new();
        for n in 0..threads {
            let (shared, jobs, ready) = (Arc::clone(&shared), Arc::clone(&jobs), ready.clone());
            let worker = std::thread::Builder::new()
                .name(format!("whisper-{n}"))
                .spawn(move || work(&shared, &jobs, &ready))
                .map_err(|e| TranscribeError::Engine {
                    what: "starting a thread".into(),
                    detail: e.to_string(),
                })?;
            workers.push(worker);
        }
        drop(ready);
        let engine = Engine {
            queue: Some(queue),
            workers,
            stop,
            facts,
        };
        for _ in 0..threads {
            started.recv().map_err(|_| TranscribeError::Engine {
                what: "starting a thread".into(),
                detail: "it ended at once".into(),
            })??;
        }
        Ok(engine)
    }

    /// What stands behind its results.
    pub fn facts(&self) -> &EngineFacts {
        &self.facts
    }

    /// Queues a leg; its messages arrive at the job's own sender.
    pub fn submit(&self, job: LegJob) {
        if let Some(queue) = &self.queue
            && let Err(refused) = queue.send(job)
        {
            let job = refused.0;
            let error = TranscribeError::Stopped("the recogniser's threads have ended".into());
            let _ = job.reply.send(LegMessage::Done {
                tag: job.tag,
                result: Err(error),
            });
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop.cancel();
        self.queue = None;
        for worker in self.workers.drain(..) {
            let _ = worker.join();
        }
    }
}

fn work(
    shared: &Shared,
    jobs: &parking_lot::Mutex<Receiver<LegJob>>,
    ready: &Sender<Result<(), TranscribeError>>,
) {
    be_background();
    let made = WhisperWorker::new(&shared.model, shared.config.decoding, shared.language).and_then(
        |worker| {
            Ok((
                worker,
                Vad::load(&shared.config.vad_model, shared.config.vad)?,
            ))
        },
    );
    let (mut worker, mut vad) = match made {
        Ok(made) => made,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    let _ = ready.send(Ok(()));
    loop {
        let job = match jobs.lock().recv() {
            Ok(job) => job,
            Err(_) => return,
        };
        let result = if shared.stop.is_cancelled() || job.cancel.is_cancelled() {
            Err(TranscribeError::Stopped("cancelled before it began".into()))
        } else {
            leg(shared, &mut worker, &mut vad, &job)
        };
        let _ = job.reply.send(LegMessage::Done {
            tag: job.tag,
            result,
        });
    }
}

fn leg(
    shared: &Shared,
    worker: &mut WhisperWorker,
    vad: &mut Vad,
    job: &LegJob,
) -> Result<LegSpeech, TranscribeError> {
    let config = &shared.config;
    let cpu = thread_cpu_ms();
    let length = job.samples.len() as f64 / f64::from(crate::audio::ENGINE_RATE);
    let deadline = Instant::now()
        + Duration::from_secs(120)
        + Duration::from_secs_f64(length * config.time_factor);
    worker.watch(job.cancel.clone(), Some(deadline));
    let speech = vad.speech(&job.samples)?;
    let pieces = pack(&job.samples, &speech, config.piece_ms, config.max_gap_ms);
    let speech_ms: u64 = pieces.iter().map(Piece::speech_ms).sum();
    let mut done_ms = 0;
    let mut out = Vec::with_capacity(pieces.len());
    for piece in pieces {
        if shared.stop.is_cancelled() {
            return Err(TranscribeError::Stopped(
                "the recogniser is shutting down".into(),
            ));
        }
        let segments = worker.recognise(&piece.samples)?;
        let missed = missed(&piece, &segments);
        done_ms += piece.speech_ms();
        out.push((piece, segments));
        // Speech without words is tried once more, alone.
        for again in missed {
            let segments = worker.recognise(&again.samples)?;
            out.push((again, segments));
        }
        let _ = job.reply.send(LegMessage::Progress {
            tag: job.tag,
            done_ms,
            speech_ms,
        });
    }
    let cpu_ms = thread_cpu_ms()
        .zip(cpu)
        .map(|(after, before)| after.saturating_sub(before));
    Ok(LegSpeech {
        pieces: out,
        speech: speech.iter().map(super::Span::ms).collect(),
        cpu_ms,
    })
}

/// Stretches of a piece's speech of 1.5 s and more in which no word was recognised, each as a
/// piece of its own. A piece of a single stretch is not tried again.
fn missed(piece: &Piece, segments: &[RawSegment]) -> Vec<Piece> {
    const LEAST_MS: u64 = 1_500;
    if piece.speech.len() < 2 {
        return Vec::new();
    }
    let words: Vec<(u64, u64)> = segments
        .iter()
        .flat_map(|s| &s.words)
        .map(|w| piece.to_leg_ms(w.start_ms, w.end_ms))
        .collect();
    let silent = piece.speech.iter().filter(|span| {
        let (start, end) = span.ms();
        end - start >= LEAST_MS && !words.iter().any(|(from, to)| *from < end && *to > start)
    });
    let before = |at: usize| -> usize {
        // Where a sample of the leg lies in the piece.
        let mut offset = 0;
        for part in &piece.parts {
            if at < part.end {
                return offset + at.saturating_sub(part.start);
            }
            offset += part.len();
        }
        offset
    };
    silent
        .map(|span| Piece {
            samples: piece.samples[before(span.start)..before(span.start) + span.len()].to_vec(),
            parts: vec![*span],
            speech: vec![*span],
        })
        .collect()
}
