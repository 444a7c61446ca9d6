//! A ggml Whisper file read through, without its weights: is it whole, and what is it?
//!
//! whisper.cpp ends the whole process on some damaged files, so none is handed to it unseen.

use crate::error::TranscribeError;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// What a model file says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GgmlFacts {
    /// Length of the file in bytes.
    pub bytes: u64,
    /// Entries in its vocabulary; 51864 for English-only models.
    pub vocabulary: u32,
    /// Layers of the encoder: 4 tiny, 6 base, 12 small, 24 medium, 32 large.
    pub encoder_layers: u32,
    /// Layers of the decoder (4 in a large-v3-turbo).
    pub decoder_layers: u32,
    /// Mel bands: 80, or 128 since large-v3.
    pub mel_bands: u32,
    /// Number of tensors.
    pub tensors: u32,
}

impl GgmlFacts {
    /// Whether it knows English only.
    pub fn english_only(&self) -> bool {
        self.vocabulary < 51_865
    }
}

/// Bytes and elements of one block of each tensor type of ggml.
fn block(kind: u32) -> Option<(u64, u64)> {
    Some(match kind {
        0 => (4, 1),      // f32
        1 => (2, 1),      // f16
        2 => (18, 32),    // q4_0
        3 => (20, 32),    // q4_1
        6 => (22, 32),    // q5_0
        7 => (24, 32),    // q5_1
        8 => (34, 32),    // q8_0
        10 => (84, 256),  // q2_k
        11 => (110, 256), // q3_k
        12 => (144, 256), // q4_k
        13 => (176, 256), // q5_k
        14 => (210, 256), // q6_k
        _ => return None,
    })
}

struct Reader {
    inner: BufReader<File>,
    at: u64,
    size: u64,
}

impl Reader {
    fn u32(&mut self) -> Result<u32, String> {
        let mut bytes = [0u8; 4];
        self.inner
            .read_exact(&mut bytes)
            .map_err(|_| format!("it ends at byte {}, too early", self.size))?;
        self.at += 4;
        Ok(u32::from_le_bytes(bytes))
    }

    fn skip(&mut self, bytes: u64) -> Result<(), String> {
        if self.at + bytes > self.size {
            return Err(format!(
                "it ends at byte {}, too early: download it again",
                self.size
            ));
        }
        self.inner
            .seek_relative(bytes as i64)
            .map_err(|e| e.to_string())?;
        self.at += bytes;
        Ok(())
    }
}

/// Walks through a model file from head to end: its parameters are possible, and every tensor it
/// announces is there to its last byte.
///
/// # Errors
/// [`TranscribeError::Model`] with what is wrong.
pub fn inspect(path: &Path) -> Result<GgmlFacts, TranscribeError> {
    walk(path).map_err(|detail| TranscribeError::Model {
        path: path.display().to_string(),
        detail,
    })
}

fn walk(path: &Path) -> Result<GgmlFacts, String> {
    let file = File::open(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => {
            "there is no such file; 'callboard model list' shows models, 'callboard model download NAME' fetches one".into()
        }
        _ => format!("it cannot be opened ({e})"),
    })?;
    let size = file.metadata().map_err(|e| e.to_string())?.len();
    let mut r = Reader {
        inner: BufReader::with_capacity(1 << 16, file),
        at: 0,
        size,
    };
    if size < 1 << 16 || r.u32()? != 0x6767_6d6c {
        r.inner
            .seek(SeekFrom::Start(0))
            .map_err(|e| e.to_string())?;
        let mut head = [0u8; 4];
        let read = r.inner.read(&mut head).unwrap_or(0);
        return Err(match &head[..read] {
            b"GGUF" => {
                "it is a GGUF file; whisper.cpp's own ggml format is needed (ggml-*.bin)".into()
            }
            b"PK\x03\x04" => {
                "it is a PyTorch or zip file; whisper.cpp's ggml format is needed (ggml-*.bin)"
                    .into()
            }
            _ => format!("it is no ggml Whisper model ({size} bytes)"),
        });
    }
    let mut h = [0u32; 11];
    for field in &mut h {
        *field = r.u32()?;
    }
    let [
        vocabulary,
        audio_ctx,
        audio_state,
        _,
        encoder_layers,
        text_ctx,
        text_state,
        _,
        decoder_layers,
        mel_bands,
        _,
    ] = h;
    let possible = (50_000..=60_000).contains(&vocabulary)
        && audio_ctx == 1_500
        && (128..=4_096).contains(&audio_state)
        && audio_state == text_state
        && text_ctx == 448
        && (1..=64).contains(&encoder_layers)
        && (1..=64).contains(&decoder_layers)
        && (mel_bands == 80 || mel_bands == 128);
    if !possible {
        return Err(format!(
            "its parameters {h:?} are those of no Whisper model"
        ));
    }
    let (bands, bins) = (r.u32()?, r.u32()?);
    if bands != mel_bands || bins != 201 {
        return Err(format!(
            "its filter bank of {bands} x {bins} is not Whisper's"
        ));
    }
    r.skip(u64::from(bands) * u64::from(bins) * 4)?;
    let words = r.u32()?;
    if words > vocabulary {
        return Err(format!(
            "its vocabulary has {words} words where at most {vocabulary} fit"
        ));
    }
    for _ in 0..words {
        let length = r.u32()?;
        if length > 1_024 {
            return Err("its vocabulary is damaged".into());
        }
        r.skip(u64::from(length))?;
    }
    let tensors = tensors(&mut r)?;
    // Two for the convolutions' weights and biases, positions and norms; about 15 and 24 a layer.
    let least = 15 * encoder_layers + 20 * decoder_layers;
    if tensors < least {
        return Err(format!(
            "it has {tensors} tensors where at least {least} belong: it is not whole"
        ));
    }
    Ok(GgmlFacts {
        bytes: size,
        vocabulary,
        encoder_layers,
        decoder_layers,
        mel_bands,
        tensors,
    })
}

fn tensors(r: &mut Reader) -> Result<u32, String> {
    let mut count = 0;
    while r.at < r.size {
        let (dimensions, name, kind) = (r.u32()?, r.u32()?, r.u32()?);
        if dimensions == 0 || dimensions > 4 || name > 256 {
            return Err(format!(
                "its tensor {count} is damaged (near byte {})",
                r.at
            ));
        }
        let (block_bytes, block_elements) =
            block(kind).ok_or_else(|| format!("its tensor {count} has the unknown type {kind}"))?;
        let mut elements = 1u64;
        for _ in 0..dimensions {
            elements = elements.saturating_mul(u64::from(r.u32()?));
        }
        r.skip(u64::from(name))?;
        r.skip(
            elements
                .div_ceil(block_elements)
                .saturating_mul(block_bytes),
        )
        .map_err(|e| format!("tensor {count} is not whole; {e}"))?;
        count += 1;
    }
    Ok(count)
}
