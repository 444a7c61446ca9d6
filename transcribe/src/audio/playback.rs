//! Sound for the player: decoded, redacted, as plain WAV that every browser plays and can seek in.

use super::decode::{RawFormat, decode};
use super::limits::Limits;
use super::wav::encode_pcm16;
use crate::error::AudioError;
use serde::{Deserialize, Serialize};

/// A stretch of one recording that must not be heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilenceSpan {
    /// First millisecond that is silent.
    pub start_ms: u64,
    /// First millisecond that is heard again.
    pub end_ms: u64,
}

/// Makes the spans silent (digital zero). Spans beyond the end are cut.
pub fn silence(samples: &mut [f32], rate: u32, spans: &[SilenceSpan]) {
    for span in spans {
        let at = |ms: u64| {
            (u128::from(ms) * u128::from(rate) / 1000).min(samples.len() as u128) as usize
        };
        let (start, end) = (at(span.start_ms), at(span.end_ms));
        if start < end {
            samples[start..end].fill(0.0);
        }
    }
}

/// A recording's original bytes to a redacted 16-bit PCM WAV at its own rate, all its channels
/// silenced in the spans: for one leg's file that leg's spans, for a stereo or mixed file the
/// spans of both legs.
///
/// # Errors
/// As [`decode`].
pub fn playback_wav(
    bytes: &[u8],
    raw: Option<RawFormat>,
    spans: &[SilenceSpan],
    limits: &Limits,
) -> Result<Vec<u8>, AudioError> {
    let mut decoded = decode(bytes, raw, limits)?;
    for channel in &mut decoded.channels {
        silence(channel, decoded.rate, spans);
    }
    let channels: Vec<&[f32]> = decoded.channels.iter().map(Vec::as_slice).collect();
    Ok(encode_pcm16(&channels, decoded.rate))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::encode_pcm16;

    #[test]
    fn a_silenced_span_is_zero_and_nothing_else_changes() {
        let left: Vec<f32> = (0..8_000).map(|i| (i as f32 * 0.2).sin() * 0.5).collect();
        let right: Vec<f32> = left.iter().map(|s| -s).collect();
        let wav = encode_pcm16(&[&left, &right], 8_000);
        let spans = [
            SilenceSpan {
                start_ms: 250,
                end_ms: 500,
            },
            SilenceSpan {
                start_ms: 900,
                end_ms: 99_999,
            },
        ];
        let out = playback_wav(&wav, None, &spans, &Limits::default()).unwrap();
        let heard = decode(&out, None, &Limits::default()).unwrap();
        assert_eq!(
            (heard.rate, heard.channels.len(), heard.channels[0].len()),
            (8_000, 2, 8_000)
        );
        for channel in &heard.channels {
            assert!(
                channel[2_000..4_000]
                    .iter()
                    .chain(&channel[7_200..])
                    .all(|s| *s == 0.0)
            );
            assert!(
                channel[..2_000]
                    .iter()
                    .chain(&channel[4_000..7_200])
                    .filter(|s| **s != 0.0)
                    .count()
                    > 5_000
            );
        }
        let untouched = playback_wav(&wav, None, &[], &Limits::default()).unwrap();
        assert_eq!(untouched, wav);
    }
}
