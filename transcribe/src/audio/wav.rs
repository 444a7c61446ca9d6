//! RIFF/WAVE, read by ourselves: recorders that die leave lengths of 0 or too much behind, and
//! such files must give the sound that is there.

use super::g711::{ALAW, MULAW};
use super::limits::Limits;
use crate::error::AudioError;

/// Largest chunk beside the sound that is accepted.
const MAX_SIDE_CHUNK: u32 = 1 << 20;

/// How the samples are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    U8,
    S16,
    S24,
    S32,
    F32,
    F64,
    Mulaw,
    Alaw,
    /// IMA or Microsoft ADPCM: decoded by the general decoder.
    Adpcm,
}

impl Coding {
    pub(super) fn name(self) -> &'static str {
        match self {
            Coding::U8 => "pcm_u8",
            Coding::S16 => "pcm_s16le",
            Coding::S24 => "pcm_s24le",
            Coding::S32 => "pcm_s32le",
            Coding::F32 => "pcm_f32le",
            Coding::F64 => "pcm_f64le",
            Coding::Mulaw => "mulaw",
            Coding::Alaw => "alaw",
            Coding::Adpcm => "adpcm",
        }
    }

    fn bytes(self) -> usize {
        match self {
            Coding::U8 | Coding::Mulaw | Coding::Alaw | Coding::Adpcm => 1,
            Coding::S16 => 2,
            Coding::S24 => 3,
            Coding::S32 | Coding::F32 => 4,
            Coding::F64 => 8,
        }
    }
}

/// A WAVE file's form and where its sound lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    pub coding: Coding,
    pub channels: u16,
    pub rate: u32,
    /// The body of the `fmt ` chunk.
    pub fmt: std::ops::Range<usize>,
    /// The bytes of sound that are there.
    pub data: std::ops::Range<usize>,
    /// The header promises more than there is.
    pub truncated: bool,
    /// The header's length is 0, unknown or beyond the file.
    pub header_size_wrong: bool,
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn header(detail: impl Into<String>) -> AudioError {
    AudioError::BadHeader {
        detail: detail.into(),
    }
}

/// Finds form and sound of a RIFF/WAVE or RF64 file.
pub(super) fn layout(bytes: &[u8], limits: &Limits) -> Result<Layout, AudioError> {
    let mut at = 12;
    let mut fmt: Option<std::ops::Range<usize>> = None;
    loop {
        let (Some(id), Some(size)) = (bytes.get(at..at + 4), u32_at(bytes, at + 4)) else {
            let detail = match fmt {
                Some(_) => {
                    "a WAV header, but no 'data' chunk follows: the file was cut off before its sound"
                }
                None => "a WAV header, but neither a 'fmt ' nor a 'data' chunk follows",
            };
            return Err(AudioError::NoSamples {
                detail: detail.into(),
            });
        };
        let body = at + 8;
        match id {
            b"fmt " => {
                if !(16..=256).contains(&size) {
                    return Err(header(format!(
                        "the WAV 'fmt ' chunk has {size} bytes (16 to 256 are possible)"
                    )));
                }
                let end = body + size as usize;
                if end > bytes.len() {
                    return Err(AudioError::NoSamples {
                        detail: "the file was cut off inside its WAV header".into(),
                    });
                }
                fmt = Some(body..end);
            }
            b"data" => {
                let fmt = fmt
                    .ok_or_else(|| header("the WAV 'data' chunk comes before the 'fmt ' chunk"))?;
                return sound(bytes, fmt, body, size, limits);
            }
            _ if size > MAX_SIDE_CHUNK => {
                return Err(header(format!(
                    "WAV chunk '{}' at byte {at} says {size} bytes (at most {MAX_SIDE_CHUNK} beside the sound)",
                    String::from_utf8_lossy(id).escape_default()
                )));
            }
            _ => {}
        }
        // Chunks are padded to even lengths.
        at = body + size as usize + (size as usize & 1);
    }
}

fn sound(
    bytes: &[u8],
    fmt: std::ops::Range<usize>,
    body: usize,
    size: u32,
    limits: &Limits,
) -> Result<Layout, AudioError> {
    let field = |at: usize| u16_at(bytes, fmt.start + at).unwrap_or(0);
    let mut tag = field(0);
    let (channels, align, bits) = (field(2), field(12), field(14));
    let rate = u32_at(bytes, fmt.start + 4).unwrap_or(0);
    if tag == 0xFFFE && fmt.len() >= 26 {
        tag = field(24);
    }
    let coding = match (tag, bits) {
        (1, 8) => Coding::U8,
        (1, 16) => Coding::S16,
        (1, 24) => Coding::S24,
        (1, 32) => Coding::S32,
        (3, 32) => Coding::F32,
        (3, 64) => Coding::F64,
        (6, _) => Coding::Alaw,
        (7, _) => Coding::Mulaw,
        (0x0002 | 0x0011, _) => Coding::Adpcm,
        (1 | 3, _) => {
            return Err(header(format!(
                "WAV PCM with {bits} bits a sample (8, 16, 24, 32 are possible)"
            )));
        }
        _ => return Err(unsupported(tag)),
    };
    if channels == 0 || channels > limits.max_channels {
        return Err(header(format!(
            "WAV with {channels} channels (1 to {} are read)",
            limits.max_channels
        )));
    }
    if rate < limits.rates.0 || rate > limits.rates.1 {
        return Err(header(format!(
            "WAV at {rate} Hz ({} to {} are read)",
            limits.rates.0, limits.rates.1
        )));
    }
    let frame = coding.bytes() * channels as usize;
    if coding != Coding::Adpcm && align as usize != frame {
        return Err(header(format!(
            "WAV block align is {align}, but {channels} channels of {} need {frame}",
            coding.name()
        )));
    }
    let there = bytes.len() - body;
    let promised = size as usize;
    // 0 and the largest number are what recorders write before they know the length.
    let unknown = (size == 0 && there > 0) || size == u32::MAX;
    let too_much = !unknown && promised > there;
    let take = if unknown || too_much { there } else { promised };
    let take = if coding == Coding::Adpcm {
        take
    } else {
        take - take % frame
    };
    if take == 0 {
        return Err(AudioError::NoSamples {
            detail:
                "the WAV header is whole, but no sound follows it: the recorder stopped at once"
                    .into(),
        });
    }
    Ok(Layout {
        coding,
        channels,
        rate,
        fmt,
        data: body..body + take,
        truncated: too_much,
        header_size_wrong: unknown || too_much,
    })
}

fn unsupported(tag: u16) -> AudioError {
    let (codec, advice) = match tag {
        0x0031 => (
            "GSM 6.10 (wav49)",
            "let Asterisk record as wav or ulaw instead of wav49, or convert it with 'sox in.wav -e signed out.wav'",
        ),
        0x0014 | 0x0040 | 0x0045 | 0x0064 | 0x0065 => (
            "G.721/G.726 ADPCM",
            "convert it with 'ffmpeg -i in.wav -c:a pcm_s16le out.wav'",
        ),
        0x0028 | 0x028F => (
            "G.722",
            "convert it with 'ffmpeg -i in.wav -c:a pcm_s16le out.wav'",
        ),
        0x0083 | 0x0133 => (
            "G.729",
            "record with a free codec (PCM, µ-law) or convert it at the source",
        ),
        0x0042 | 0x0111 => ("G.723.1", "record with PCM or µ-law instead"),
        0x0022 => (
            "TrueSpeech",
            "convert it with 'ffmpeg -i in.wav -c:a pcm_s16le out.wav'",
        ),
        0x0017 | 0x0010 => (
            "OKI/Dialogic ADPCM",
            "convert it with 'sox in.wav -e signed out.wav'",
        ),
        0x0050 | 0x0055 => (
            "MPEG audio inside WAV",
            "send the bare MP3 stream, or convert it with 'ffmpeg -i in.wav -c:a pcm_s16le out.wav'",
        ),
        0xA109 => (
            "Speex",
            "convert it with 'ffmpeg -i in.wav -c:a pcm_s16le out.wav'",
        ),
        0x704F => (
            "Opus",
            "convert it with 'ffmpeg -i in.wav -c:a pcm_s16le out.wav'",
        ),
        _ => ("", ""),
    };
    let (codec, advice) = if codec.is_empty() {
        (
            format!("0x{tag:04X}"),
            "convert it with 'ffmpeg -i in.wav -c:a pcm_s16le out.wav'",
        )
    } else {
        (codec.to_owned(), advice)
    };
    AudioError::UnsupportedCodec {
        container: "WAV".into(),
        codec,
        advice: advice.into(),
    }
}

/// Samples of a plain (not ADPCM) layout, one vector a channel, between -1 and 1.
pub(super) fn samples(bytes: &[u8], layout: &Layout) -> Vec<Vec<f32>> {
    deinterleave(
        &bytes[layout.data.clone()],
        layout.coding,
        layout.channels as usize,
    )
}

/// Headerless or framed sample bytes as one vector a channel. Not-a-number becomes silence.
pub(super) fn deinterleave(data: &[u8], coding: Coding, channels: usize) -> Vec<Vec<f32>> {
    let width = coding.bytes();
    let frame = width * channels;
    let frames = data.len() / frame;
    let mut out: Vec<Vec<f32>> = (0..channels).map(|_| Vec::with_capacity(frames)).collect();
    for (channel, samples) in out.iter_mut().enumerate() {
        let own = data[channel * width..].chunks(frame).take(frames);
        match coding {
            Coding::Mulaw => samples.extend(own.map(|b| MULAW[b[0] as usize])),
            Coding::Alaw => samples.extend(own.map(|b| ALAW[b[0] as usize])),
            Coding::U8 | Coding::Adpcm => {
                samples.extend(own.map(|b| (f32::from(b[0]) - 128.0) / 128.0))
            }
            Coding::S16 => {
                samples.extend(own.map(|b| f32::from(i16::from_le_bytes([b[0], b[1]])) / 32768.0))
            }
            Coding::S24 => {
                samples.extend(own.map(|b| {
                    (i32::from_le_bytes([0, b[0], b[1], b[2]]) >> 8) as f32 / 8_388_608.0
                }));
            }
            Coding::S32 => {
                samples.extend(own.map(|b| {
                    i32::from_le_bytes([b[0], b[1], b[2], b[3]]) as f32 / 2_147_483_648.0
                }));
            }
            Coding::F32 => {
                samples.extend(own.map(|b| clean(f32::from_le_bytes([b[0], b[1], b[2], b[3]]))))
            }
            Coding::F64 => samples.extend(own.map(|b| {
                clean(f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]) as f32)
            })),
        }
    }
    out
}

/// A finite sample between -1 and 1.
pub(super) fn clean(sample: f32) -> f32 {
    if sample.is_finite() {
        sample.clamp(-1.0, 1.0)
    } else {
        0.0
    }
}

/// The same sound with an honest header, for the general decoder.
pub(super) fn rewrapped(bytes: &[u8], layout: &Layout) -> Vec<u8> {
    let (fmt, data) = (&bytes[layout.fmt.clone()], &bytes[layout.data.clone()]);
    let mut out = Vec::with_capacity(data.len() + 64);
    out.extend_from_slice(b"RIFF");
    out.extend_from_slice(&((4 + 8 + fmt.len() + 8 + data.len()) as u32).to_le_bytes());
    out.extend_from_slice(b"WAVEfmt ");
    out.extend_from_slice(&(fmt.len() as u32).to_le_bytes());
    out.extend_from_slice(fmt);
    out.extend_from_slice(b"data");
    out.extend_from_slice(&(data.len() as u32).to_le_bytes());
    out.extend_from_slice(data);
    out
}

/// A 16-bit PCM WAVE file of the channels (samples between -1 and 1; the shortest channel
/// decides the length).
pub fn encode_pcm16(channels: &[&[f32]], rate: u32) -> Vec<u8> {
    let frames = channels.iter().map(|c| c.len()).min().unwrap_or(0);
    let width = channels.len() * 2;
    let size = (frames * width) as u32;
    let mut out = Vec::with_capacity(44 + frames * width);
    out.extend_from_slice(b"RIFF");
    out.extend_from_slice(&(36 + size).to_le_bytes());
    out.extend_from_slice(b"WAVEfmt ");
    out.extend_from_slice(&16u32.to_le_bytes());
    out.extend_from_slice(&1u16.to_le_bytes());
    out.extend_from_slice(&(channels.len() as u16).to_le_bytes());
    out.extend_from_slice(&rate.to_le_bytes());
    out.extend_from_slice(&(rate * width as u32).to_le_bytes());
    out.extend_from_slice(&(width as u16).to_le_bytes());
    out.extend_from_slice(&16u16.to_le_bytes());
    out.extend_from_slice(b"data");
    out.extend_from_slice(&size.to_le_bytes());
    for frame in 0..frames {
        for channel in channels {
            let sample = (clean(channel[frame]) * 32768.0)
                .round()
                .clamp(-32768.0, 32767.0) as i16;
            out.extend_from_slice(&sample.to_le_bytes());
        }
    }
    out
}
