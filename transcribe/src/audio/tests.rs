//! Whole files, good and bad: real recordings in every form, and what recorders leave when they die.

use super::*;
use crate::error::AudioError;
use std::path::Path;

fn read(bytes: &[u8]) -> Result<Decoded, AudioError> {
    decode(bytes, None, &Limits::default())
}

fn tone(seconds: usize) -> Vec<f32> {
    (0..seconds * 8_000)
        .map(|i| (i as f32 * 0.3).sin() * 0.5)
        .collect()
}

fn recorded(path: &str) -> Vec<u8> {
    let path = Path::new("../datasets/shift-asterisk").join(path);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// A WAV file with a `fmt ` chunk of 16 bytes and these data.
fn wav(tag: u16, bits: u16, align: u16, size: u32, data: &[u8]) -> Vec<u8> {
    let mut out = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0".to_vec();
    out.extend_from_slice(&tag.to_le_bytes());
    out.extend_from_slice(&1u16.to_le_bytes());
    out.extend_from_slice(&8_000u32.to_le_bytes());
    out.extend_from_slice(&(8_000 * u32::from(align)).to_le_bytes());
    out.extend_from_slice(&align.to_le_bytes());
    out.extend_from_slice(&bits.to_le_bytes());
    out.extend_from_slice(b"data");
    out.extend_from_slice(&size.to_le_bytes());
    out.extend_from_slice(data);
    out
}

#[test]
fn every_form_of_the_recorded_shift_is_read() {
    for (path, codec, channels, ms) in [
        ("recordings/billing-1795253963.9-rx.flac", "flac", 1, 33_900),
        (
            "recordings/billing-1795254002.28-stereo.flac",
            "flac",
            2,
            24_060,
        ),
        (
            "recordings/billing-1795254078.81-rx.wav",
            "mulaw",
            1,
            22_980,
        ),
        (
            "recordings/sales-1795254040.56-rx.wav",
            "pcm_s16le",
            1,
            39_760,
        ),
        ("recordings/support-1795253982.23-rx.mp3", "mp3", 1, 41_260),
    ] {
        let bytes = recorded(path);
        let decoded = read(&bytes).unwrap_or_else(|e| panic!("{path}: {e}"));
        assert_eq!(
            (decoded.codec.as_str(), decoded.channels.len(), decoded.rate),
            (codec, channels, 8_000),
            "{path}"
        );
        assert!(
            decoded.duration_ms().abs_diff(ms) <= 250,
            "{path}: {} ms",
            decoded.duration_ms()
        );
        assert!(
            !decoded.truncated && !decoded.header_size_wrong && decoded.bad_packets == 0,
            "{path}"
        );
    }
}

#[test]
fn samples_of_every_wav_coding() {
    let one = |bytes: Vec<u8>| read(&bytes).unwrap().channels[0][0];
    assert_eq!(one(wav(1, 16, 2, 2, &0x4000i16.to_le_bytes())), 0.5);
    assert_eq!(one(wav(1, 8, 1, 1, &[64])), -0.5);
    assert_eq!(one(wav(1, 24, 3, 3, &[0, 0, 0xC0])), -0.5);
    assert_eq!(one(wav(1, 32, 4, 4, &(1i32 << 30).to_le_bytes())), 0.5);
    assert_eq!(one(wav(3, 32, 4, 4, &0.25f32.to_le_bytes())), 0.25);
    assert_eq!(one(wav(3, 32, 4, 4, &f32::NAN.to_le_bytes())), 0.0);
    assert_eq!(one(wav(3, 64, 8, 8, &7.5f64.to_le_bytes())), 1.0);
    assert_eq!(one(wav(7, 8, 1, 1, &[0x80])), 32_124.0 / 32_768.0);
    assert_eq!(one(wav(6, 8, 1, 1, &[0xAA])), 32_256.0 / 32_768.0);
}

#[test]
fn a_header_that_lies_gives_the_sound_that_is_there() {
    let whole = encode_pcm16(&[&tone(2)], 8_000);
    // The recorder died before it wrote the length; or wrote the largest number meanwhile.
    for size in [0u32, u32::MAX, 99_999_999] {
        let mut bytes = whole.clone();
        bytes[40..44].copy_from_slice(&size.to_le_bytes());
        let decoded = read(&bytes).unwrap();
        assert_eq!(decoded.channels[0].len(), 16_000, "{size}");
        assert!(
            decoded.header_size_wrong && decoded.notes[0].contains("32000 bytes"),
            "{:?}",
            decoded.notes
        );
        assert_eq!(decoded.truncated, size == 99_999_999);
    }
    let cut = read(&whole[..20_045]).unwrap();
    assert!(cut.truncated && cut.channels[0].len() == 10_000);
}

#[test]
fn a_stream_cut_in_the_middle_keeps_what_came() {
    for path in [
        "recordings/billing-1795253963.9-rx.flac",
        "recordings/support-1795253982.23-rx.mp3",
    ] {
        let bytes = recorded(path);
        let whole = read(&bytes).unwrap().duration_ms();
        let cut = read(&bytes[..bytes.len() / 2]).unwrap_or_else(|e| panic!("{path}: {e}"));
        assert!(cut.truncated, "{path}: {:?}", cut.notes);
        assert!(
            (whole / 5..whole * 4 / 5).contains(&cut.duration_ms()),
            "{path}: {} of {whole}",
            cut.duration_ms()
        );
    }
}

#[test]
fn bad_files_are_refused_by_class_with_advice() {
    let tar_like: Vec<u8> = (0..600u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8 & 0x7F | 0x80)
        .collect();
    let pcm = encode_pcm16(&[&tone(1)], 8_000);
    let mut bad_align = pcm.clone();
    bad_align[32] = 3;
    let mut huge_chunk = b"RIFF\0\0\0\0WAVELIST\xFF\xFF\xFF\x7F".to_vec();
    huge_chunk.extend_from_slice(&[0; 64]);
    let mut opus = b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x13OpusHead".to_vec();
    opus.extend_from_slice(&[0; 64]);
    for (bytes, class, says) in [
        (Vec::new(), "empty", "0 bytes"),
        (b"{\"an\": \"event\"}".to_vec(), "not_audio", "begins with"),
        (vec![0; 5_000], "not_audio", "zero bytes"),
        (tar_like, "not_audio", "first bytes"),
        (pcm[..8].to_vec(), "no_samples", "WAV header"),
        (pcm[..44].to_vec(), "no_samples", "no sound follows"),
        (bad_align, "bad_header", "block align"),
        (huge_chunk, "bad_header", "LIST"),
        (
            wav(0x31, 0, 65, 65, &[0; 65]),
            "unsupported_codec",
            "GSM 6.10",
        ),
        (wav(0x4321, 0, 1, 9, &[0; 9]), "unsupported_codec", "0x4321"),
        (opus, "unsupported_codec", "Opus"),
        (b"\0\0\0\x20ftypM4A ".to_vec(), "unsupported_codec", "AAC"),
        (
            recorded("recordings/billing-1795253963.9-rx.flac")[..30].to_vec(),
            "no_samples",
            "flac",
        ),
    ] {
        match read(&bytes) {
            Err(error) => {
                assert_eq!(error.class(), class, "{error}");
                assert!(error.to_string().contains(says), "{error}");
            }
            Ok(decoded) => panic!("{class}: {} samples", decoded.channels[0].len()),
        }
    }
}

#[test]
fn limits_hold() {
    let bytes = encode_pcm16(&[&tone(3)], 8_000);
    let with = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        decode(&bytes, None, &limits)
            .map(|d| d.duration_ms())
            .map_err(|e| e.class())
    };
    assert_eq!(with(|_| {}), Ok(3_000));
    assert_eq!(with(|l| l.max_bytes = 1_000), Err("limit"));
    assert_eq!(with(|l| l.max_seconds = 2), Err("limit"));
    assert_eq!(with(|l| l.max_samples = 20_000), Err("limit"));
    // The same for a stream, where the length is only known by decoding.
    let flac = recorded("recordings/billing-1795253963.9-rx.flac");
    let limits = Limits {
        max_seconds: 5,
        ..Limits::default()
    };
    assert_eq!(
        decode(&flac, None, &limits)
            .map(|_| ())
            .unwrap_err()
            .class(),
        "limit"
    );
}

#[test]
fn headerless_files_need_a_name() {
    let bytes = [0x80u8, 0x00, 0xFF, 0x7F, 0x12, 0x34];
    assert_eq!(read(&bytes).map(|_| ()).unwrap_err().class(), "not_audio");
    let raw = raw_format_of_name("call.ulaw");
    assert_eq!(raw, Some(RawFormat::Mulaw));
    let decoded = decode(&bytes, raw, &Limits::default()).unwrap();
    assert_eq!(
        (
            decoded.channels[0].len(),
            decoded.rate,
            decoded.codec.as_str()
        ),
        (6, 8_000, "mulaw")
    );
    assert_eq!(raw_format_of_name("call.flac"), None);
}

#[test]
fn random_damage_never_panics() {
    let mut seed = 7u32;
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        seed
    };
    let short = encode_pcm16(&[&tone(1)], 8_000);
    let mp3 = recorded("recordings/support-1795253982.23-rx.mp3");
    let flac = recorded("recordings/billing-1795254002.28-stereo.flac");
    for original in [&short[..4_000], &mp3[..6_000], &flac[..12_000]] {
        for _ in 0..60 {
            let mut bytes = original.to_vec();
            for _ in 0..1 + next() % 20 {
                let at = next() as usize % bytes.len().min(2_000);
                bytes[at] = next() as u8;
            }
            // Any answer will do, but there must be one, and its samples must be sound.
            if let Ok(decoded) = read(&bytes) {
                assert!(decoded.channels.iter().flatten().all(|s| s.abs() <= 1.0));
            }
        }
    }
}
