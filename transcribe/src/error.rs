//! What can go wrong, by class. Every sentence says what, where and what to do.

use thiserror::Error;

/// Why a recording could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AudioError {
    /// No bytes at all.
    #[error(
        "the file is empty (0 bytes): the recorder wrote nothing; send it again once it is complete"
    )]
    Empty,
    /// Bytes that are no sound.
    #[error("the file is not audio: {detail}; send WAV, FLAC, MP3 or OGG Vorbis")]
    NotAudio {
        /// What the bytes look like.
        detail: String,
    },
    /// Sound in a form that is not read here.
    #[error("{container} with codec {codec} cannot be read: {advice}")]
    UnsupportedCodec {
        /// The file's container.
        container: String,
        /// Name of the codec.
        codec: String,
        /// What to do about it.
        advice: String,
    },
    /// A valid beginning without a single sample.
    #[error("the file holds no sound: {detail}")]
    NoSamples {
        /// Why there is none.
        detail: String,
    },
    /// A header that contradicts itself.
    #[error("the file's header is broken: {detail}")]
    BadHeader {
        /// Which field, and its value.
        detail: String,
    },
    /// Beyond one of the [`Limits`](crate::audio::Limits).
    #[error("the recording is beyond a limit: {detail}")]
    Limit {
        /// Which limit, what was found, and the bound.
        detail: String,
    },
    /// The decoder failed in a way it should not.
    #[error("the decoder gave up: {detail}")]
    Decoder {
        /// What it said.
        detail: String,
    },
}

impl AudioError {
    /// A short stable name of the class, for counters and the coverage ledger.
    pub fn class(&self) -> &'static str {
        match self {
            AudioError::Empty => "empty",
            AudioError::NotAudio { .. } => "not_audio",
            AudioError::UnsupportedCodec { .. } => "unsupported_codec",
            AudioError::NoSamples { .. } => "no_samples",
            AudioError::BadHeader { .. } => "bad_header",
            AudioError::Limit { .. } => "limit",
            AudioError::Decoder { .. } => "decoder",
        }
    }
}

/// Why a recording was not transcribed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TranscribeError {
    /// The sound itself.
    #[error("{file}: {source}")]
    Audio {
        /// Which file (a leg's name, or a path).
        file: String,
        /// The reason.
        source: AudioError,
    },
    /// Nothing to transcribe was given, or legs that exclude each other.
    #[error("wrong input: {0}")]
    Input(String),
    /// A model file is missing, damaged or of an unknown form.
    #[error("model {path}: {detail}")]
    Model {
        /// The model's path.
        path: String,
        /// What is wrong with it and what to do.
        detail: String,
    },
    /// The recogniser failed.
    #[error("the recogniser failed on {what}: {detail}")]
    Engine {
        /// Which leg and piece.
        what: String,
        /// What it reported.
        detail: String,
    },
    /// The caller cancelled, or the time budget was used up.
    #[error("stopped: {0}")]
    Stopped(String),
}

impl TranscribeError {
    /// A short stable name of the class, for counters and the coverage ledger.
    pub fn class(&self) -> &'static str {
        match self {
            TranscribeError::Audio { source, .. } => source.class(),
            TranscribeError::Input(_) => "input",
            TranscribeError::Model { .. } => "model",
            TranscribeError::Engine { .. } => "engine",
            TranscribeError::Stopped(_) => "stopped",
        }
    }

    /// Whether the same bytes may succeed at another time.
    pub fn may_pass_later(&self) -> bool {
        matches!(
            self,
            TranscribeError::Engine { .. }
                | TranscribeError::Stopped(_)
                | TranscribeError::Model { .. }
        )
    }
}
