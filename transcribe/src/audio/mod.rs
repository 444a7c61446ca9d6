//! From a recording's bytes to samples, and back to sound for the player.
//!
//! Everything here is bounded and judges the bytes themselves: neither a file name nor a length
//! written in a header is trusted (see [`Limits`]).

mod channels;
mod decode;
mod g711;
mod limits;
mod mp3;
mod peaks;
mod playback;
mod resample;
mod stream;
mod wav;

pub use channels::{StereoMap, is_dead, raise_quiet, same_sound};
pub use decode::{Decoded, RawFormat, decode, raw_format_of_name};
pub use g711::{alaw, mulaw};
pub use limits::Limits;
pub use peaks::peaks;
pub use playback::{SilenceSpan, playback_wav, silence};
pub use resample::{ENGINE_RATE, to_engine_rate};
pub use wav::encode_pcm16;

use crate::Leg;
use serde::{Deserialize, Serialize};

/// What is known about one file of sound after it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioFacts {
    /// Which leg the file was given as.
    pub leg: Leg,
    /// `wav`, `flac`, `mp3`, `ogg` or `raw`.
    pub container: String,
    /// `pcm_s16le`, `mulaw`, `alaw`, `flac`, `mp3`, `vorbis`, ...
    pub codec: String,
    /// Samples per second in the file.
    pub rate: u32,
    /// Channels in the file.
    pub channels: u16,
    /// Length of what could be decoded, in milliseconds.
    pub duration_ms: u64,
    /// Length of the file in bytes.
    pub bytes: u64,
    /// The file has several channels (or the legs' files have) with one and the same sound:
    /// mono sold as stereo. It is transcribed once, without knowing who speaks.
    pub identical_channels: bool,
    /// The file ends before its own end; what could be decoded was kept.
    pub truncated: bool,
    /// The header tells a length that is not there; the bytes that are there were taken.
    pub header_size_wrong: bool,
    /// Packets that could not be decoded and were left out.
    pub bad_packets: u32,
    /// Nothing but silence (below -70 dBFS throughout): not transcribed.
    pub silent: bool,
    /// Sentences for a person, one for each oddity.
    pub notes: Vec<String>,
}

#[cfg(test)]
mod tests;
