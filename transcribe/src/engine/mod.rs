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
pub struct Cancel {
    own: Arc<AtomicBool>,
    parent: Option<Arc<AtomicBool>>,
}

impl Cancel {
    /// Asks everything that carries this (or a clone) to stop; it does within a fraction of a second.
    pub fn cancel(&self) {
        self.own.store(true, Ordering::Relaxed);
    }

    /// Whether [`Cancel::cancel`] was called here, or where this was made from.
    pub fn is_cancelled(&self) -> bool {
        self.own.load(Ordering::Relaxed)
            || self
                .parent
                .as_ref()
                .is_some_and(|p| p.load(Ordering::Relaxed))
    }

    /// One that follows this one but can be cancelled alone: a leg that fails stops its own
    /// conversation, not its caller. It is for one level: a child's child follows the child only.
    pub fn child(&self) -> Cancel {
        Cancel {
            own: Arc::default(),
            parent: Some(Arc::clone(&self.own)),
        }
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

#[cfg(test)]
mod tests {
    use super::Cancel;

    #[test]
    fn a_child_follows_its_parent_and_not_the_other_way() {
        let parent = Cancel::default();
        let (one, two) = (parent.child(), parent.child());
        one.cancel();
        assert!(one.is_cancelled() && !two.is_cancelled() && !parent.is_cancelled());
        parent.cancel();
        assert!(two.is_cancelled() && two.clone().is_cancelled());
    }
}
