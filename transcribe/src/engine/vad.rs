//! Where somebody speaks: Silero's voice detector.

use super::pieces::Span;
use crate::audio::ENGINE_RATE;
use crate::error::TranscribeError;
use std::path::Path;
use whisper_rs::{WhisperVadContext, WhisperVadContextParams, WhisperVadParams};

/// How speech is told from silence. The defaults are for telephone calls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VadConfig {
    /// Probability from which a frame of 32 ms counts as speech.
    pub threshold: f32,
    /// Shorter speech is dropped; "yes" has 150 ms.
    pub min_speech_ms: i32,
    /// Shorter silence does not part two stretches.
    pub min_silence_ms: i32,
    /// Kept around each stretch.
    pub pad_ms: i32,
}

impl Default for VadConfig {
    fn default() -> Self {
        VadConfig {
            threshold: 0.5,
            min_speech_ms: 120,
            min_silence_ms: 300,
            pad_ms: 200,
        }
    }
}

/// One voice detector; one for each thread.
pub struct Vad {
    context: WhisperVadContext,
    config: VadConfig,
}

impl Vad {
    /// Loads the detector's model.
    ///
    /// # Errors
    /// [`TranscribeError::Model`] when the file cannot be loaded.
    pub fn load(path: &Path, config: VadConfig) -> Result<Vad, TranscribeError> {
        let failed = |detail: &str| TranscribeError::Model {
            path: path.display().to_string(),
            detail: detail.into(),
        };
        let name = path
            .to_str()
            .filter(|p| !p.contains('\0'))
            .ok_or_else(|| failed("the path is not UTF-8"))?;
        let mut params = WhisperVadContextParams::new();
        // The default of 4 threads makes them spin against each other: 22 s of sound then take
        // minutes on two busy cores instead of 50 ms.
        params.set_n_threads(1);
        let context = WhisperVadContext::new(name, params)
            .map_err(|e| failed(&format!("the voice detector cannot be loaded ({e})")))?;
        Ok(Vad { context, config })
    }

    /// Stretches of speech in order, without overlap, in samples.
    ///
    /// # Errors
    /// [`TranscribeError::Engine`] when the detector fails.
    pub fn speech(&mut self, samples: &[f32]) -> Result<Vec<Span>, TranscribeError> {
        if samples.len() < ENGINE_RATE as usize / 10 {
            return Ok(Vec::new());
        }
        let mut params = WhisperVadParams::new();
        params.set_threshold(self.config.threshold);
        params.set_min_speech_duration(self.config.min_speech_ms);
        params.set_min_silence_duration(self.config.min_silence_ms);
        params.set_speech_pad(self.config.pad_ms);
        let found = self
            .context
            .segments_from_samples(params, samples)
            .map_err(|e| TranscribeError::Engine {
                what: "voice detection".into(),
                detail: e.to_string(),
            })?;
        let mut spans: Vec<Span> = Vec::new();
        for segment in found {
            // Centiseconds here, samples everywhere else.
            let at = |cs: f32| {
                ((f64::from(cs.max(0.0)) * f64::from(ENGINE_RATE) / 100.0) as usize)
                    .min(samples.len())
            };
            let (start, end) = (at(segment.start), at(segment.end));
            match spans.last_mut() {
                Some(last) if start <= last.end => last.end = last.end.max(end),
                _ if start < end => spans.push(Span { start, end }),
                _ => {}
            }
        }
        Ok(spans)
    }
}
