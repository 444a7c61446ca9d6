//! Whisper: one model shared by all threads, one state a thread.

use super::ggml::{self, GgmlFacts};
use super::words::{RawSegment, Token, join};
use super::{Cancel, Recognise};
use crate::audio::ENGINE_RATE;
use crate::error::TranscribeError;
use parking_lot::Mutex;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use whisper_rs::{
    FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters, WhisperState,
};

/// How words are searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decoding {
    /// The most likely token each time.
    Greedy,
    /// So many alternatives are followed (2 to 8).
    Beam(u8),
}

impl Decoding {
    fn strategy(self) -> SamplingStrategy {
        match self {
            Decoding::Greedy => SamplingStrategy::Greedy { best_of: 1 },
            Decoding::Beam(size) => SamplingStrategy::BeamSearch {
                beam_size: i32::from(size.clamp(2, 8)),
                patience: -1.0,
            },
        }
    }
}

/// A loaded model: read only, shared by all states.
pub struct WhisperModel {
    context: WhisperContext,
    facts: GgmlFacts,
}

impl WhisperModel {
    /// Loads a ggml Whisper model whose file was found sound by [`ggml::inspect`]; a damaged
    /// file would otherwise end the process inside the library.
    ///
    /// # Errors
    /// [`TranscribeError::Model`] with what is wrong with the file.
    pub fn load(path: &Path) -> Result<WhisperModel, TranscribeError> {
        // Without hooks the library writes its log, recognised words among it, to stderr.
        whisper_rs::install_logging_hooks();
        let facts = ggml::inspect(path)?;
        let context = WhisperContext::new_with_params(path, WhisperContextParameters::default())
            .map_err(|e| TranscribeError::Model {
                path: path.display().to_string(),
                detail: format!(
                    "the file looks right but cannot be loaded ({e}); is there enough memory?"
                ),
            })?;
        Ok(WhisperModel { context, facts })
    }

    /// What the file says about itself.
    pub fn facts(&self) -> &GgmlFacts {
        &self.facts
    }
}

/// What may stop a running recognition.
#[derive(Default)]
struct Watch {
    cancel: Cancel,
    deadline: Option<Instant>,
}

impl Watch {
    fn fired(&self) -> bool {
        self.cancel.is_cancelled() || self.deadline.is_some_and(|d| Instant::now() >= d)
    }
}

/// One thread's recogniser; made and used on that thread.
pub struct WhisperWorker {
    state: WhisperState,
    template: FullParams<'static, 'static>,
    watch: Arc<Mutex<Watch>>,
    eot: i32,
}

impl WhisperWorker {
    /// Makes a state (about 130 MB).
    ///
    /// # Errors
    /// [`TranscribeError::Engine`] when there is not enough memory.
    pub fn new(
        model: &WhisperModel,
        decoding: Decoding,
        language: &'static str,
    ) -> Result<Self, TranscribeError> {
        let state = model
            .context
            .create_state()
            .map_err(|e| TranscribeError::Engine {
                what: "making a recogniser".into(),
                detail: format!("{e}; is there enough memory?"),
            })?;
        let watch = Arc::new(Mutex::new(Watch::default()));
        let mut template = FullParams::new(decoding.strategy());
        template.set_n_threads(1);
        template.set_language(Some(if model.context.is_multilingual() {
            language
        } else {
            "en"
        }));
        template.set_no_context(true);
        template.set_print_progress(false);
        template.set_print_realtime(false);
        template.set_print_timestamps(false);
        template.set_print_special(false);
        template.set_token_timestamps(true);
        template.set_suppress_blank(true);
        template.set_suppress_nst(true);
        // The library keeps what it is given for ever, so this template is made once a thread
        // and copied for each call. The explicit box is needed: with another closure type it
        // would call the wrong address.
        let watched = Arc::clone(&watch);
        let abort: Box<dyn FnMut() -> bool> = Box::new(move || watched.lock().fired());
        template.set_abort_callback_safe::<_, Box<dyn FnMut() -> bool>>(abort);
        Ok(WhisperWorker {
            state,
            template,
            watch,
            eot: model.context.token_eot(),
        })
    }

    /// Sets what may stop the next recognitions.
    pub fn watch(&mut self, cancel: Cancel, deadline: Option<Instant>) {
        *self.watch.lock() = Watch { cancel, deadline };
    }

    fn segments(&self, piece_ms: u32) -> Vec<RawSegment> {
        let mut out = Vec::new();
        for segment in self.state.as_iter() {
            // Centiseconds, and up to 30 s whatever the piece's length.
            let ms = |t: i64| (t.clamp(0, 6_000) as u32 * 10).min(piece_ms);
            let tokens: Vec<_> = (0..segment.n_tokens())
                .filter_map(|i| segment.get_token(i))
                .collect();
            let texts: Vec<Token<'_>> = tokens
                .iter()
                .filter(|t| t.token_id() < self.eot)
                .filter_map(|t| {
                    let data = t.token_data();
                    Some(Token {
                        bytes: t.to_bytes().ok()?,
                        t0: data.t0,
                        t1: data.t1,
                        p: data.p,
                        plog: data.plog,
                    })
                })
                .collect();
            let mut joined = join(
                &texts,
                ms(segment.start_timestamp()),
                ms(segment.end_timestamp()),
            );
            joined.no_speech = segment.no_speech_probability();
            if !joined.words.is_empty() {
                out.push(joined);
            }
        }
        out
    }
}

/// Encoder positions for a piece (50 a second): a shorter piece costs less, and a little more
/// room than its length keeps its end.
fn audio_ctx(samples: usize) -> i32 {
    let positions = samples.div_ceil(ENGINE_RATE as usize / 50) + 64;
    positions.clamp(384, 1500).next_multiple_of(64).min(1500) as i32
}

impl Recognise for WhisperWorker {
    fn recognise(&mut self, samples: &[f32]) -> Result<Vec<RawSegment>, TranscribeError> {
        let piece_ms = (samples.len() as u64 * 1000 / u64::from(ENGINE_RATE)) as u32;
        let mut params = self.template.clone();
        params.set_audio_ctx(audio_ctx(samples.len()));
        // Shorter sound than a second is not recognised; silence behind it is harmless.
        let padded;
        let sound = if samples.len() < ENGINE_RATE as usize {
            padded = [samples, &vec![0.0; ENGINE_RATE as usize - samples.len()]].concat();
            &padded
        } else {
            samples
        };
        match self.state.full(params, sound) {
            Ok(()) => Ok(self.segments(piece_ms)),
            Err(_) if self.watch.lock().fired() => Err(TranscribeError::Stopped(
                "recognition was cancelled or took too long".into(),
            )),
            Err(e) => Err(TranscribeError::Engine {
                what: format!("a piece of {piece_ms} ms"),
                detail: e.to_string(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::audio_ctx;

    #[test]
    fn encoder_room_follows_the_length() {
        assert_eq!(
            [1, 5, 8, 20, 28, 30].map(|s| audio_ctx(s * 16_000)),
            [384, 384, 512, 1088, 1472, 1500]
        );
    }
}
