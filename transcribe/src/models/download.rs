//! Fetching a model: resumed where it broke off, checked before it bears its name.

use super::known::{KnownModel, list};
use super::sha256_of;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

/// Where models come from unless `CALLBOARD_MODEL_URL` or an argument says otherwise: the model
/// repository of whisper.cpp. The file's name is put behind it.
pub const BASE_URL: &str = "https://huggingface.co/ggerganov/whisper.cpp/resolve/main/";

/// Largest file that is fetched.
const MAX_BYTES: u64 = 4 << 30;

/// Why a model was not fetched.
#[derive(Debug, Error)]
pub enum DownloadError {
    /// No known model has this name.
    #[error("no model is called '{0}'; 'callboard model list' shows which there are")]
    Unknown(String),
    /// It is part of the program.
    #[error("'{0}' comes with callboard and is not downloaded")]
    Shipped(String),
    /// The network or the server.
    #[error("{url}: {detail}; run the same command again to go on where it stopped")]
    Http {
        /// What was asked for.
        url: String,
        /// What came of it.
        detail: String,
    },
    /// The disk.
    #[error("{path}: {detail}")]
    Disk {
        /// Which file.
        path: String,
        /// The system's reason.
        detail: String,
    },
    /// Other bytes than the known ones; they were thrown away.
    #[error(
        "{url} gave {bytes} bytes with SHA-256 {got}, but {name} has {want}: the file was thrown away; try again, or another --url"
    )]
    Checksum {
        /// What was asked for.
        url: String,
        /// The model.
        name: String,
        /// Bytes received.
        bytes: u64,
        /// Their sum.
        got: String,
        /// The right sum.
        want: String,
    },
}

/// How far a download is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes on disk, those of an earlier try included.
    pub done: u64,
    /// Bytes of the whole file, where they are known.
    pub total: Option<u64>,
}

/// Fetches a known model into a folder and returns its path. A right file that is already there
/// is kept. `base_url` stands in for the model repository ([`BASE_URL`], or the environment's
/// `CALLBOARD_MODEL_URL`). Blocks: not for an async thread.
///
/// # Errors
/// [`DownloadError`]; what was received before a failure stays for the next try.
pub fn download(
    name: &str,
    dir: &Path,
    base_url: Option<&str>,
    progress: &mut dyn FnMut(Progress),
) -> Result<PathBuf, DownloadError> {
    let model = list()
        .iter()
        .find(|m| m.name == name)
        .ok_or_else(|| DownloadError::Unknown(name.into()))?;
    if !model.download {
        return Err(DownloadError::Shipped(name.into()));
    }
    let base = base_url
        .map(str::to_owned)
        .or_else(|| std::env::var("CALLBOARD_MODEL_URL").ok())
        .unwrap_or_else(|| BASE_URL.to_owned());
    download_from(model, dir, &base, progress)
}

/// As [`download`], for a model's description and a base URL.
///
/// # Errors
/// [`DownloadError`].
pub fn download_from(
    model: &KnownModel,
    dir: &Path,
    base_url: &str,
    progress: &mut dyn FnMut(Progress),
) -> Result<PathBuf, DownloadError> {
    let disk = |path: &Path, e: std::io::Error| DownloadError::Disk {
        path: path.display().to_string(),
        detail: e.to_string(),
    };
    fs::create_dir_all(dir).map_err(|e| disk(dir, e))?;
    let target = dir.join(model.file);
    if target.exists() && sha256_of(&target).is_ok_and(|(sum, _)| sum == model.sha256) {
        progress(Progress {
            done: model.bytes,
            total: Some(model.bytes),
        });
        return Ok(target);
    }
    let part = dir.join(format!("{}.part", model.file));
    let url = format!("{}/{}", base_url.trim_end_matches('/'), model.file);
    let file = fetch(model, &url, &part, progress)?;
    file.sync_all().map_err(|e| disk(&part, e))?;
    drop(file);
    let (got, bytes) = sha256_of(&part).map_err(|e| disk(&part, e))?;
    if got != model.sha256 {
        let _ = fs::remove_file(&part);
        return Err(DownloadError::Checksum {
            url,
            name: model.name.into(),
            bytes,
            got,
            want: model.sha256.into(),
        });
    }
    fs::rename(&part, &target).map_err(|e| disk(&target, e))?;
    File::open(dir)
        .and_then(|d| d.sync_all())
        .map_err(|e| disk(dir, e))?;
    Ok(target)
}

fn fetch(
    model: &KnownModel,
    url: &str,
    part: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<File, DownloadError> {
    let http = |detail: String| DownloadError::Http {
        url: url.to_owned(),
        detail,
    };
    let disk = |e: std::io::Error| DownloadError::Disk {
        path: part.display().to_string(),
        detail: e.to_string(),
    };
    let mut have = fs::metadata(part).map_or(0, |m| m.len());
    if model.bytes > 0 && have > model.bytes {
        have = 0;
    }
    let open = |append: bool| {
        OpenOptions::new()
            .create(true)
            .write(true)
            .append(append)
            .truncate(!append)
            .open(part)
            .map_err(disk)
    };
    if model.bytes > 0 && have == model.bytes {
        return open(true);
    }
    let client = reqwest::blocking::Client::builder()
        .user_agent(concat!("callboard/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(20))
        .timeout(None)
        .build()
        .map_err(|e| http(e.to_string()))?;
    let mut request = client.get(url);
    if have > 0 {
        request = request.header("Range", format!("bytes={have}-"));
    }
    let mut response = request.send().map_err(|e| http(reason(&e)))?;
    let status = response.status();
    // A server that does not know ranges, or whose file is shorter, begins anew.
    let resumed = status.as_u16() == 206;
    if status.as_u16() == 416 {
        fs::remove_file(part).map_err(disk)?;
        return Err(http(
            "the part received earlier does not fit the file and was thrown away".into(),
        ));
    }
    if !status.is_success() {
        return Err(http(format!("the server answered {status}")));
    }
    if !resumed {
        have = 0;
    }
    let total = match model.bytes {
        0 => response.content_length().map(|n| n + have),
        known => Some(known),
    };
    let limit = if model.bytes > 0 {
        model.bytes
    } else {
        MAX_BYTES
    };
    let mut file = open(resumed)?;
    let mut buffer = vec![0u8; 1 << 16];
    progress(Progress { done: have, total });
    loop {
        let n = match response.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(e) => {
                return Err(http(format!(
                    "the connection broke after {have} bytes ({e})"
                )));
            }
        };
        if have + n as u64 > limit {
            drop(file);
            fs::remove_file(part).map_err(disk)?;
            return Err(http(format!(
                "more than the {limit} bytes of {} came; what came was thrown away",
                model.name
            )));
        }
        file.write_all(&buffer[..n]).map_err(disk)?;
        have += n as u64;
        progress(Progress { done: have, total });
    }
    if model.bytes > 0 && have < model.bytes {
        return Err(http(format!(
            "the connection ended after {have} of {} bytes",
            model.bytes
        )));
    }
    Ok(file)
}

/// The innermost reason; the outer ones only repeat the URL.
fn reason(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(next) = inner.source() {
        inner = next;
    }
    inner.to_string()
}

#[cfg(test)]
mod tests;
