//! Model files: which are known, whether a file is what it says, and how to fetch one.

mod download;
mod known;

pub use download::{BASE_URL, DownloadError, Progress, download, download_from};
pub use known::{KnownModel, list};

use crate::error::TranscribeError;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// A file's identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksum {
    /// The known model's name, else the file's name.
    pub name: String,
    /// SHA-256 in hex.
    pub sha256: String,
    /// Length in bytes.
    pub bytes: u64,
    /// Whether the sum is that of a known model.
    pub known: bool,
}

/// SHA-256 of a file in hex, and its length.
///
/// # Errors
/// What the system says about the file.
pub fn sha256_of(path: &Path) -> std::io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let mut sum = Sha256::new();
    let mut buffer = vec![0u8; 1 << 20];
    let mut bytes = 0;
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return Ok((hex(&sum.finalize()), bytes));
        }
        sum.update(&buffer[..n]);
        bytes += n as u64;
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Checks a model file before it is loaded. A file that bears a known model's name must have
/// that model's bytes; any other name is taken as it is, its sum noted.
///
/// # Errors
/// [`TranscribeError::Model`] when the file is missing, or bears a known name and other bytes.
pub fn verify(path: &Path) -> Result<Checksum, TranscribeError> {
    let failed = |detail: String| TranscribeError::Model {
        path: path.display().to_string(),
        detail,
    };
    let (sha256, bytes) = sha256_of(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => failed(
            "there is no such file; 'callboard model list' shows models, 'callboard model download NAME' fetches one".into(),
        ),
        _ => failed(format!("it cannot be read ({e})")),
    })?;
    if let Some(model) = list().iter().find(|m| m.sha256 == sha256) {
        return Ok(Checksum {
            name: model.name.into(),
            sha256,
            bytes,
            known: true,
        });
    }
    let file = path
        .file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default();
    let same_name: Vec<&KnownModel> = list().iter().filter(|m| m.file == file).collect();
    if let Some(model) = same_name.first() {
        return Err(failed(format!(
            "its SHA-256 is {sha256} ({bytes} bytes), but {file} has {} ({} bytes): it is damaged or another file; fetch it again with 'callboard model download {}', or rename it if you made it yourself",
            model.sha256, model.bytes, model.name
        )));
    }
    Ok(Checksum {
        name: file,
        sha256,
        bytes,
        known: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_name_with_other_bytes_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ggml-base.en.bin");
        std::fs::write(&path, b"not a model").unwrap();
        let error = verify(&path).unwrap_err().to_string();
        assert!(
            error.contains("model download base.en") && error.contains("11 bytes"),
            "{error}"
        );
        let own = dir.path().join("my-own.bin");
        std::fs::rename(&path, &own).unwrap();
        let sum = verify(&own).unwrap();
        assert_eq!(
            (sum.name.as_str(), sum.bytes, sum.known),
            ("my-own.bin", 11, false)
        );
        assert!(
            verify(&path)
                .unwrap_err()
                .to_string()
                .contains("no such file")
        );
    }
}
