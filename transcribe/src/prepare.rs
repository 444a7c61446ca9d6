//! A recording's files to one 16 kHz sound a leg.

use crate::Leg;
use crate::audio::{
    AudioFacts, Decoded, Limits, RawFormat, StereoMap, decode, is_dead, raise_quiet, same_sound,
    to_engine_rate,
};
use crate::error::{AudioError, TranscribeError};
use bytes::Bytes;

/// One file of a recording.
#[derive(Debug, Clone)]
pub struct LegInput {
    /// Whose sound it is; [`Leg::Both`] for a stereo or a mixed file.
    pub leg: Leg,
    /// The file as it was received.
    pub bytes: Bytes,
    /// Its form when it has no header.
    pub raw: Option<RawFormat>,
    /// Where it begins on the recording's time axis, in milliseconds (0 unless the legs began at
    /// different times).
    pub offset_ms: u64,
}

impl LegInput {
    /// A file with a header that begins at 0.
    pub fn new(leg: Leg, bytes: impl Into<Bytes>) -> Self {
        LegInput {
            leg,
            bytes: bytes.into(),
            raw: None,
            offset_ms: 0,
        }
    }
}

/// A recording: one file for each leg, or one for both.
#[derive(Debug, Clone)]
pub struct RecordingInput {
    /// Its files.
    pub legs: Vec<LegInput>,
    /// Whose channel is left in a file for both.
    pub stereo: StereoMap,
}

impl RecordingInput {
    /// One file for both legs (left is the customer), or one for each.
    pub fn new(legs: Vec<LegInput>) -> Self {
        RecordingInput {
            legs,
            stereo: StereoMap::CustomerLeft,
        }
    }
}

/// One sound ready for the recogniser.
#[derive(Debug, Clone)]
pub struct PreparedLeg {
    /// Who is heard.
    pub leg: Leg,
    /// 16 kHz mono; empty when the leg is silent throughout.
    pub samples: Vec<f32>,
    /// Where it begins on the recording's time axis.
    pub offset_ms: u64,
}

/// Decodes, splits and resamples. A file that cannot be read does not hide the other leg: its
/// error is returned beside what could be read, and only when nothing could be read is it the
/// result.
pub struct Prepared {
    /// Sounds to recognise.
    pub legs: Vec<PreparedLeg>,
    /// One entry a file that was read.
    pub audio: Vec<AudioFacts>,
    /// Files that could not be read.
    pub failed: Vec<(Leg, AudioError)>,
}

/// See [`Prepared`].
///
/// # Errors
/// [`TranscribeError::Input`] for no file, or two for the same leg; [`TranscribeError::Audio`]
/// when no file could be read.
pub fn prepare(input: &RecordingInput, limits: &Limits) -> Result<Prepared, TranscribeError> {
    check(input)?;
    let mut prepared = Prepared {
        legs: Vec::new(),
        audio: Vec::new(),
        failed: Vec::new(),
    };
    let mut native: Vec<(Leg, Vec<f32>, u32, u64)> = Vec::new();
    for file in &input.legs {
        match decode(&file.bytes, file.raw, limits) {
            Ok(decoded) => {
                let (facts, sounds) = split(file, decoded, input.stereo);
                prepared.audio.push(facts);
                native.extend(sounds);
            }
            Err(error) => prepared.failed.push((file.leg, error)),
        }
    }
    if native.is_empty() {
        let (leg, source) = prepared.failed.swap_remove(0);
        return Err(TranscribeError::Audio {
            file: format!("leg {leg}"),
            source,
        });
    }
    merge_equal(&mut native, &mut prepared.audio);
    for (leg, samples, rate, offset_ms) in native {
        let audio_error = |source| TranscribeError::Audio {
            file: format!("leg {leg}"),
            source,
        };
        let samples = if is_dead(&samples) {
            Vec::new()
        } else {
            let mut samples = to_engine_rate(&samples, rate).map_err(audio_error)?;
            raise_quiet(&mut samples, crate::audio::ENGINE_RATE);
            samples
        };
        prepared.legs.push(PreparedLeg {
            leg,
            samples,
            offset_ms,
        });
    }
    Ok(prepared)
}

fn check(input: &RecordingInput) -> Result<(), TranscribeError> {
    let wrong = |text: &str| Err(TranscribeError::Input(text.into()));
    let count = |leg: Leg| input.legs.iter().filter(|l| l.leg == leg).count();
    match (count(Leg::Agent), count(Leg::Customer), count(Leg::Both)) {
        (0, 0, 0) => wrong("a recording needs at least one file"),
        (_, _, 1) if input.legs.len() > 1 => {
            wrong("a file for both legs and one for a single leg exclude each other")
        }
        (2.., _, _) | (_, 2.., _) | (_, _, 2..) => wrong("two files for the same leg"),
        _ => Ok(()),
    }
}

type Sound = (Leg, Vec<f32>, u32, u64);

/// A file's channels as legs.
fn split(file: &LegInput, decoded: Decoded, stereo: StereoMap) -> (AudioFacts, Vec<Sound>) {
    let mut facts = AudioFacts {
        leg: file.leg,
        container: decoded.container.into(),
        codec: decoded.codec.clone(),
        rate: decoded.rate,
        channels: decoded.channels.len() as u16,
        duration_ms: decoded.duration_ms(),
        bytes: file.bytes.len() as u64,
        identical_channels: false,
        truncated: decoded.truncated,
        header_size_wrong: decoded.header_size_wrong,
        bad_packets: decoded.bad_packets,
        silent: decoded.channels.iter().all(|c| is_dead(c)),
        notes: decoded.notes,
    };
    if facts.silent {
        facts.notes.push(
            "nothing but silence: the tap was not connected, or the recording was muted throughout"
                .into(),
        );
    }
    let rate = decoded.rate;
    let mut channels = decoded.channels;
    if channels.len() > 1 && channels[1..].iter().all(|c| same_sound(&channels[0], c)) {
        facts.identical_channels = true;
        facts.notes.push(format!(
            "all {} channels hold the same sound: this is mono sold as stereo; it is transcribed once and who speaks is not known",
            channels.len()
        ));
        channels.truncate(1);
    }
    let at = file.offset_ms;
    let sounds = match (file.leg, channels.len()) {
        (_, 1) => vec![(file.leg, channels.swap_remove(0), rate, at)],
        (Leg::Both, 2) => stereo
            .legs()
            .into_iter()
            .zip(channels)
            .map(|(leg, c)| (leg, c, rate, at))
            .collect(),
        (leg, n) => {
            facts.notes.push(format!(
                "{n} channels where one was expected; they were mixed"
            ));
            let frames = channels[0].len();
            let mixed = (0..frames)
                .map(|i| channels.iter().map(|c| c[i]).sum::<f32>() / n as f32)
                .collect();
            vec![(leg, mixed, rate, at)]
        }
    };
    (facts, sounds)
}

/// Two legs' files with one and the same sound are one mixed sound.
fn merge_equal(native: &mut Vec<Sound>, audio: &mut [AudioFacts]) {
    if let [
        (_, left, left_rate, left_at),
        (_, right, right_rate, right_at),
    ] = native.as_slice()
        && left_rate == right_rate
        && left_at == right_at
        && same_sound(left, right)
    {
        native.truncate(1);
        native[0].0 = Leg::Both;
        for facts in audio {
            facts.identical_channels = true;
            facts.notes.push(
                "both legs hold the same sound: this is mono sold as two legs; it is transcribed once and who speaks is not known"
                    .into(),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::encode_pcm16;

    fn tone(step: f32) -> Vec<f32> {
        (0..8_000).map(|i| (i as f32 * step).sin() * 0.4).collect()
    }

    fn both(bytes: Vec<u8>) -> RecordingInput {
        RecordingInput::new(vec![LegInput::new(Leg::Both, bytes)])
    }

    #[test]
    fn mono_disguised_as_stereo() {
        let (a, b) = (tone(0.2), tone(0.3));
        let two = prepare(&both(encode_pcm16(&[&a, &b], 8_000)), &Limits::default()).unwrap();
        let legs: Vec<_> = two.legs.iter().map(|l| (l.leg, l.samples.len())).collect();
        assert_eq!(legs, [(Leg::Customer, 16_000), (Leg::Agent, 16_000)]);
        assert!(!two.audio[0].identical_channels);
        let one = prepare(&both(encode_pcm16(&[&a, &a], 8_000)), &Limits::default()).unwrap();
        assert_eq!(
            one.legs.iter().map(|l| l.leg).collect::<Vec<_>>(),
            [Leg::Both]
        );
        assert!(
            one.audio[0].identical_channels
                && one.audio[0].notes[0].contains("mono sold as stereo")
        );
        let same = encode_pcm16(&[&a], 8_000);
        let files = vec![
            LegInput::new(Leg::Agent, same.clone()),
            LegInput::new(Leg::Customer, same),
        ];
        let merged = prepare(&RecordingInput::new(files), &Limits::default()).unwrap();
        assert_eq!(
            merged.legs.iter().map(|l| l.leg).collect::<Vec<_>>(),
            [Leg::Both]
        );
        assert!(merged.audio.iter().all(|f| f.identical_channels));
    }

    #[test]
    fn one_bad_leg_does_not_hide_the_other() {
        let good = encode_pcm16(&[&tone(0.2)], 8_000);
        let files = vec![
            LegInput::new(Leg::Agent, good),
            LegInput::new(Leg::Customer, Vec::new()),
        ];
        let prepared = prepare(&RecordingInput::new(files), &Limits::default()).unwrap();
        assert_eq!(prepared.legs.len(), 1);
        assert_eq!(prepared.failed, [(Leg::Customer, AudioError::Empty)]);
        let nothing = prepare(&both(Vec::new()), &Limits::default());
        assert!(matches!(
            nothing,
            Err(TranscribeError::Audio {
                source: AudioError::Empty,
                ..
            })
        ));
        assert!(prepare(&RecordingInput::new(Vec::new()), &Limits::default()).is_err());
    }

    #[test]
    fn a_dead_leg_is_said_to_be_silent_and_not_recognised() {
        let files = encode_pcm16(&[&tone(0.2), &vec![0.0; 8_000]], 8_000);
        let prepared = prepare(&both(files), &Limits::default()).unwrap();
        assert!(prepared.legs[1].samples.is_empty() && !prepared.legs[0].samples.is_empty());
        let dead = prepare(
            &both(encode_pcm16(&[&vec![0.0; 8_000]], 8_000)),
            &Limits::default(),
        )
        .unwrap();
        assert!(dead.audio[0].silent);
    }
}
