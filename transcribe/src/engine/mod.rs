//! The recogniser: voice activity, pieces, Whisper, and the threads it works on.

mod ggml;
mod pieces;
mod pool;
mod threads;
mod vad;
mod whisper;
mod words;

pub use ggml::{GgmlFacts, inspect};
pub use pieces::{Piece, Span, pack};
pub use pool::{Engine, EngineConfig, EngineFacts, LegJob, LegMessage, LegSpeech};
pub use threads::{be_background, thread_cpu_ms};
pub use vad::{Vad, VadConfig};
pub use whisper::{Decoding, WhisperModel, WhisperWorker};
pub use words::{RawSegment, RawWord};

use crate::error::TranscribeError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Ends recognition early, from any thread.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Asks everything that carries this (or a clone) to stop; it does within a fraction of a second.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether [`Cancel::cancel`] was called.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What recognises: Whisper, or a stand-in in tests.
pub trait Recognise {
    /// Words of at most 30 s of 16 kHz mono, times in milliseconds from its start.
    ///
    /// # Errors
    /// The engine's reason, or [`TranscribeError::Stopped`] when it was cancelled.
    fn recognise(&mut self, samples: &[f32]) -> Result<Vec<RawSegment>, TranscribeError>;
}
