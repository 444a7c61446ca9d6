//! What a file is, judged by its bytes, and its samples.

use super::limits::Limits;
use super::wav::{self, Coding};
use super::{mp3, stream};
use crate::error::AudioError;

/// Form of a file without a header; only the caller can know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RawFormat {
    /// 8 kHz mono µ-law.
    Mulaw,
    /// 8 kHz mono A-law.
    Alaw,
    /// 16-bit little-endian mono at this rate (Asterisk's `.sln` is 8000, `.sln16` 16000).
    Slin(u32),
}

/// What Asterisk's file endings say about headerless files. Files with a header are recognised
/// by their bytes whatever their name.
pub fn raw_format_of_name(name: &str) -> Option<RawFormat> {
    match name.rsplit('.').next()?.to_ascii_lowercase().as_str() {
        "ulaw" | "ul" | "mu" | "pcm" | "mulaw" => Some(RawFormat::Mulaw),
        "alaw" | "al" => Some(RawFormat::Alaw),
        "sln" | "raw" => Some(RawFormat::Slin(8_000)),
        "sln16" => Some(RawFormat::Slin(16_000)),
        "sln48" => Some(RawFormat::Slin(48_000)),
        _ => None,
    }
}

/// A file's samples at its own rate, and what was noticed.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// One vector a channel, of equal length, samples between -1 and 1.
    pub channels: Vec<Vec<f32>>,
    /// Samples per second.
    pub rate: u32,
    /// `wav`, `flac`, `mp3`, `ogg` or `raw`.
    pub container: &'static str,
    /// Name of the codec.
    pub codec: String,
    /// The file ends before its own end.
    pub truncated: bool,
    /// The header's length is not that of the sound.
    pub header_size_wrong: bool,
    /// Packets left out because they could not be decoded.
    pub bad_packets: u32,
    /// Sentences for a person.
    pub notes: Vec<String>,
}

impl Decoded {
    /// Length in milliseconds.
    pub fn duration_ms(&self) -> u64 {
        self.channels
            .first()
            .map_or(0, |c| c.len() as u64 * 1000 / u64::from(self.rate.max(1)))
    }
}

/// Reads a whole file. `raw` says what the bytes are if they have no header of their own.
///
/// # Errors
/// One [`AudioError`] class for each kind of bad file; a file that ends early is no error while
/// any sound can be had from it.
pub fn decode(
    bytes: &[u8],
    raw: Option<RawFormat>,
    limits: &Limits,
) -> Result<Decoded, AudioError> {
    if bytes.is_empty() {
        return Err(AudioError::Empty);
    }
    if bytes.len() as u64 > limits.max_bytes {
        return Err(AudioError::Limit {
            detail: format!(
                "{} bytes; at most {} are taken",
                bytes.len(),
                limits.max_bytes
            ),
        });
    }
    let decoded = match sniff(bytes)? {
        Kind::Wav => decode_wav(bytes, limits)?,
        Kind::Stream(container) => stream::decode(bytes.to_vec(), container, limits)?,
        Kind::Unknown => match raw {
            Some(format) => decode_raw(bytes, format)?,
            None => {
                return Err(AudioError::NotAudio {
                    detail: describe(bytes),
                });
            }
        },
    };
    if decoded.channels.first().is_none_or(Vec::is_empty) {
        return Err(AudioError::NoSamples {
            detail: format!("the {} stream gave no sample", decoded.container),
        });
    }
    check_length(&decoded, limits)?;
    Ok(decoded)
}

enum Kind {
    Wav,
    Stream(&'static str),
    Unknown,
}

fn sniff(bytes: &[u8]) -> Result<Kind, AudioError> {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    let unsupported = |container: &str, codec: &str, advice: &str| {
        Err(AudioError::UnsupportedCodec {
            container: container.into(),
            codec: codec.into(),
            advice: advice.into(),
        })
    };
    const TO_FLAC: &str = "convert it with 'ffmpeg -i IN -c:a flac OUT.flac', or have the recorder write WAV, FLAC, MP3 or OGG Vorbis";
    if (starts(b"RIFF") || starts(b"RF64")) && bytes.get(8..12).is_none_or(|kind| kind == b"WAVE") {
        if bytes.len() < 12 {
            return Err(AudioError::NoSamples {
                detail: "the file was cut off inside its WAV header".into(),
            });
        }
        return Ok(Kind::Wav);
    }
    if starts(b"fLaC") {
        return Ok(Kind::Stream("flac"));
    }
    if starts(b"OggS") {
        let head = &bytes[..bytes.len().min(512)];
        for (mark, codec) in [
            (&b"OpusHead"[..], "Opus"),
            (b"Speex   ", "Speex"),
            (b"\x80theora", "Theora video"),
        ] {
            if head.windows(mark.len()).any(|w| w == mark) {
                return unsupported("OGG", codec, TO_FLAC);
            }
        }
        return Ok(Kind::Stream("ogg"));
    }
    if starts(b"ID3") || mp3::starts_here(bytes, 0) {
        return Ok(Kind::Stream("mp3"));
    }
    match bytes.get(4..8) {
        Some(b"ftyp") => return unsupported("MP4", "AAC or another", TO_FLAC),
        _ if starts(&[0x1A, 0x45, 0xDF, 0xA3]) => {
            return unsupported("Matroska/WebM", "Opus or another", TO_FLAC);
        }
        _ if starts(b".snd") => return unsupported("AU", "any", TO_FLAC),
        _ if starts(b"FORM") => return unsupported("AIFF", "any", TO_FLAC),
        _ if starts(b"#!AMR") => return unsupported("AMR", "AMR", TO_FLAC),
        _ if starts(b"caff") => return unsupported("CAF", "any", TO_FLAC),
        _ if starts(b"#!SILK") => return unsupported("SILK", "SILK", TO_FLAC),
        _ => {}
    }
    if bytes.len() >= 99
        && bytes
            .chunks_exact(33)
            .take(32)
            .all(|frame| frame[0] >> 4 == 0xD)
    {
        return unsupported(
            "raw GSM",
            "GSM 6.10",
            "let Asterisk record as wav or ulaw instead of gsm",
        );
    }
    Ok(Kind::Unknown)
}

/// What bytes that are not sound look like, for the person who sent them.
fn describe(bytes: &[u8]) -> String {
    let head = &bytes[..bytes.len().min(16)];
    let text = bytes[..bytes.len().min(256)]
        .iter()
        .filter(|b| !(b.is_ascii_graphic() || b.is_ascii_whitespace()))
        .count();
    if text == 0 {
        let line: String = String::from_utf8_lossy(&bytes[..bytes.len().min(40)])
            .escape_debug()
            .collect();
        return format!("it is text that begins with \"{line}\"");
    }
    if bytes.iter().take(4096).all(|b| *b == 0) {
        return "it begins with nothing but zero bytes".into();
    }
    let hex: Vec<String> = head.iter().map(|b| format!("{b:02x}")).collect();
    format!(
        "its first bytes are {} and belong to no known sound file",
        hex.join(" ")
    )
}

fn decode_wav(bytes: &[u8], limits: &Limits) -> Result<Decoded, AudioError> {
    let layout = wav::layout(bytes, limits)?;
    let mut decoded = if layout.coding == Coding::Adpcm {
        let mut decoded = stream::decode(wav::rewrapped(bytes, &layout), "wav", limits)?;
        decoded.container = "wav";
        decoded
    } else {
        let samples = layout.data.len();
        if samples > limits.max_samples.saturating_mul(8) {
            return Err(too_many(samples, limits));
        }
        Decoded {
            channels: wav::samples(bytes, &layout),
            rate: layout.rate,
            container: "wav",
            codec: layout.coding.name().into(),
            truncated: false,
            header_size_wrong: false,
            bad_packets: 0,
            notes: Vec::new(),
        }
    };
    decoded.truncated |= layout.truncated;
    decoded.header_size_wrong = layout.header_size_wrong;
    if layout.header_size_wrong {
        decoded.notes.push(format!(
            "the WAV header's length is not true (the recorder did not finish the file, or it was cut); the {} bytes of sound that are there were taken",
            layout.data.len()
        ));
    }
    Ok(decoded)
}

fn decode_raw(bytes: &[u8], format: RawFormat) -> Result<Decoded, AudioError> {
    let (coding, rate) = match format {
        RawFormat::Mulaw => (Coding::Mulaw, 8_000),
        RawFormat::Alaw => (Coding::Alaw, 8_000),
        RawFormat::Slin(rate) => (Coding::S16, rate),
    };
    Ok(Decoded {
        channels: wav::deinterleave(bytes, coding, 1),
        rate,
        container: "raw",
        codec: coding.name().into(),
        truncated: false,
        header_size_wrong: false,
        bad_packets: 0,
        notes: vec!["the file has no header; its form was taken from its name".into()],
    })
}

fn check_length(decoded: &Decoded, limits: &Limits) -> Result<(), AudioError> {
    let samples: usize = decoded.channels.iter().map(Vec::len).sum();
    if samples > limits.max_samples {
        return Err(too_many(samples, limits));
    }
    if decoded.duration_ms() > limits.max_seconds * 1000 {
        return Err(AudioError::Limit {
            detail: format!(
                "{} s of sound; at most {} s are taken",
                decoded.duration_ms() / 1000,
                limits.max_seconds
            ),
        });
    }
    Ok(())
}

fn too_many(samples: usize, limits: &Limits) -> AudioError {
    AudioError::Limit {
        detail: format!(
            "{samples} samples over all channels; at most {} are taken",
            limits.max_samples
        ),
    }
}
