//! FLAC, MP3, OGG and ADPCM by the general decoder, packet by packet, bounded.

use super::decode::Decoded;
use super::limits::Limits;
use super::wav::clean;
use crate::error::AudioError;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;
use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;

/// Decodes a whole stream. A panic inside the decoder on hostile bytes is an error like others.
pub(super) fn decode(
    bytes: Vec<u8>,
    container: &'static str,
    limits: &Limits,
) -> Result<Decoded, AudioError> {
    match catch_unwind(AssertUnwindSafe(|| run(bytes, container, limits))) {
        Ok(result) => result,
        Err(_) => Err(AudioError::Decoder {
            detail: format!("the {container} decoder stopped on these bytes; the file is damaged"),
        }),
    }
}

fn run(bytes: Vec<u8>, container: &'static str, limits: &Limits) -> Result<Decoded, AudioError> {
    let started = Instant::now();
    let size = bytes.len() as u64;
    let cut = |detail: String| AudioError::NoSamples { detail };
    let source = MediaSourceStream::new(Box::new(Cursor::new(bytes)), Default::default());
    let mut hint = Hint::new();
    hint.with_extension(container);
    let mut reader = symphonia::default::get_probe()
        .probe(
            &hint,
            source,
            FormatOptions::default(),
            MetadataOptions::default(),
        )
        .map_err(|error| match error {
            Error::Unsupported(what) => AudioError::UnsupportedCodec {
                container: container.to_uppercase(),
                codec: what.into(),
                advice: "convert it to WAV, FLAC, MP3 or OGG Vorbis".into(),
            },
            other => cut(format!(
                "the {container} file ends or breaks inside its header ({other})"
            )),
        })?;
    let track = reader
        .default_track(TrackType::Audio)
        .ok_or_else(|| cut(format!("the {container} file has no audio track")))?;
    let track_id = track.id;
    let expected = track.num_frames;
    let params = track
        .codec_params
        .as_ref()
        .and_then(|p| p.audio())
        .ok_or_else(|| {
            cut(format!(
                "the {container} file does not say what its audio track is"
            ))
        })?
        .clone();
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(&params, &AudioDecoderOptions::default())
        .map_err(|error| AudioError::UnsupportedCodec {
            container: container.to_uppercase(),
            codec: error.to_string(),
            advice: "convert it to WAV, FLAC, MP3 or OGG Vorbis".into(),
        })?;
    let mut out = Decoded {
        channels: Vec::new(),
        rate: 0,
        container,
        codec: decoder.codec_info().short_name.to_owned(),
        truncated: false,
        header_size_wrong: false,
        bad_packets: 0,
        notes: Vec::new(),
    };
    let mut interleaved: Vec<f32> = Vec::new();
    loop {
        let packet = match reader.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => break,
            Err(Error::ResetRequired) => {
                out.truncated = true;
                out.notes.push(
                    "the stream changes its form midway; only its first part was taken".into(),
                );
                break;
            }
            Err(error) => {
                out.truncated = true;
                out.notes.push(format!(
                    "the file breaks off ({error}); what came before was taken"
                ));
                break;
            }
        };
        if packet.track_id != track_id {
            continue;
        }
        match decoder.decode(&packet) {
            Ok(buffer) => {
                let spec = buffer.spec();
                let (rate, channels) = (spec.rate(), spec.channels().count());
                if out.channels.is_empty() {
                    check_form(rate, channels, limits)?;
                    out.rate = rate;
                    out.channels = vec![Vec::new(); channels];
                } else if rate != out.rate || channels != out.channels.len() {
                    out.truncated = true;
                    out.notes.push(
                        "rate or channels change midway; only the first part was taken".into(),
                    );
                    break;
                }
                buffer.copy_to_vec_interleaved(&mut interleaved);
                for (channel, samples) in out.channels.iter_mut().enumerate() {
                    samples.extend(
                        interleaved
                            .iter()
                            .skip(channel)
                            .step_by(channels)
                            .map(|s| clean(*s)),
                    );
                }
            }
            Err(Error::DecodeError(_)) => out.bad_packets = out.bad_packets.saturating_add(1),
            Err(error) => {
                out.truncated = true;
                out.notes.push(format!(
                    "the file breaks off ({error}); what came before was taken"
                ));
                break;
            }
        }
        check_growth(&out, size, started, limits)?;
    }
    finish(out, expected)
}

fn check_form(rate: u32, channels: usize, limits: &Limits) -> Result<(), AudioError> {
    if channels == 0 || channels > limits.max_channels as usize {
        return Err(AudioError::Limit {
            detail: format!(
                "{channels} channels; 1 to {} are taken",
                limits.max_channels
            ),
        });
    }
    if rate < limits.rates.0 || rate > limits.rates.1 {
        return Err(AudioError::Limit {
            detail: format!(
                "{rate} Hz; {} to {} Hz are taken",
                limits.rates.0, limits.rates.1
            ),
        });
    }
    Ok(())
}

fn check_growth(
    out: &Decoded,
    size: u64,
    started: Instant,
    limits: &Limits,
) -> Result<(), AudioError> {
    let limit = |detail: String| Err(AudioError::Limit { detail });
    let samples = out.channels.len() * out.channels.first().map_or(0, Vec::len);
    let seconds = out.duration_ms() / 1000;
    if samples > limits.max_samples {
        return limit(format!(
            "more than {} samples over all channels",
            limits.max_samples
        ));
    }
    if seconds > limits.max_seconds {
        return limit(format!("more than {} s of sound", limits.max_seconds));
    }
    if seconds > 600 && seconds * limits.min_bytes_per_second > size {
        return limit(format!(
            "{size} bytes swell to more than {seconds} s of sound, as no recording does"
        ));
    }
    if started.elapsed() > limits.decode_budget {
        return limit(format!(
            "decoding took longer than {} s",
            limits.decode_budget.as_secs()
        ));
    }
    Ok(())
}

fn finish(mut out: Decoded, expected: Option<u64>) -> Result<Decoded, AudioError> {
    let got = out.channels.first().map_or(0, Vec::len) as u64;
    if got == 0 {
        return Err(AudioError::NoSamples {
            detail: format!(
                "the {} header is whole, but no packet could be decoded ({} damaged); it was cut off or is damaged",
                out.container, out.bad_packets
            ),
        });
    }
    // A tenth of a second less than promised is what encoders' padding explains.
    if let Some(expected) = expected
        && got + u64::from(out.rate) / 10 < expected
        && !out.truncated
    {
        out.truncated = true;
        out.header_size_wrong = true;
        out.notes.push(format!(
            "the header promises {:.1} s, the file holds {:.1} s",
            expected as f64 / f64::from(out.rate),
            got as f64 / f64::from(out.rate)
        ));
    }
    if out.bad_packets > 0 {
        out.notes
            .push(format!("{} damaged packets were left out", out.bad_packets));
    }
    Ok(out)
}
