//! Any rate to the recogniser's.

use super::wav::clean;
use crate::error::AudioError;
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler};

/// Samples per second the recogniser and the voice detector work at. Feeding them another rate
/// gives fluent, wrong text, so nothing else reaches them.
pub const ENGINE_RATE: u32 = 16_000;

/// One channel at `rate` Hz as 16 kHz, without delay: second `t` stays second `t`.
pub fn to_engine_rate(samples: &[f32], rate: u32) -> Result<Vec<f32>, AudioError> {
    if rate == ENGINE_RATE || samples.is_empty() {
        return Ok(samples.to_vec());
    }
    let failed = |error: &dyn std::fmt::Display| AudioError::Decoder {
        detail: format!("resampling from {rate} Hz to {ENGINE_RATE} Hz failed: {error}"),
    };
    let mut resampler = Fft::<f32>::new(
        rate as usize,
        ENGINE_RATE as usize,
        2048,
        1,
        FixedSync::Both,
    )
    .map_err(|e| failed(&e))?;
    let input = InterleavedSlice::new(samples, 1, samples.len()).map_err(|e| failed(&e))?;
    let mut out = resampler
        .process_all(&input, samples.len(), None)
        .map_err(|e| failed(&e))?
        .take_data();
    for sample in &mut out {
        *sample = clean(*sample);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::{ENGINE_RATE, to_engine_rate};

    #[test]
    fn a_tone_keeps_its_length_pitch_and_place() {
        for rate in [8_000u32, 11_025, 44_100] {
            // One second of 440 Hz, silent in its first half.
            let input: Vec<f32> = (0..rate)
                .map(|i| {
                    let t = f64::from(i) / f64::from(rate);
                    if t < 0.5 {
                        0.0
                    } else {
                        (t * 440.0 * std::f64::consts::TAU).sin() as f32 * 0.5
                    }
                })
                .collect();
            let output = to_engine_rate(&input, rate).unwrap();
            assert!(
                (output.len() as i64 - i64::from(ENGINE_RATE)).abs() <= 2,
                "{rate}: {}",
                output.len()
            );
            let loud = output.iter().position(|s| s.abs() > 0.1).unwrap();
            assert!((7_900..8_100).contains(&loud), "{rate}: starts at {loud}");
            let crossings = output[8_200..15_800]
                .windows(2)
                .filter(|w| (w[0] < 0.0) != (w[1] < 0.0))
                .count();
            assert!(
                (415..422).contains(&crossings),
                "{rate}: {crossings} crossings"
            );
        }
    }
}
