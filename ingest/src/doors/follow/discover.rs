//! Which files are meant by the paths that were named, and what each of them holds.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use callboard_sources::lines::{HEAD_BYTES, Kind, detect};
use flate2::read::MultiGzDecoder;

/// Deepest folder below a named one.
const DEPTH: usize = 8;
/// Most files of one command.
const FILES: usize = 100_000;

/// A file to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its path.
    pub path: PathBuf,
    /// What it holds.
    pub kind: Kind,
}

/// What the named paths mean.
#[derive(Debug, Default)]
pub struct Discovery {
    /// Files that can be sent, oldest first.
    pub files: Vec<Found>,
    /// Files passed over, with the reason.
    pub passed_over: Vec<(PathBuf, String)>,
}

/// Looks at the named files and folders. `wanted` tells whether a kind is meant; `forced` is the
/// kind of all files named themselves.
///
/// # Errors
/// When a named path is not there or cannot be read.
pub fn discover(
    paths: &[PathBuf],
    forced: Option<Kind>,
    wanted: &dyn Fn(Kind) -> bool,
) -> io::Result<Discovery> {
    let mut out = Discovery::default();
    let mut seen = HashSet::new();
    let mut dated = Vec::new();
    for named in paths {
        let mut files = Vec::new();
        let is_folder = fs::metadata(named)
            .map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", named.display())))?
            .is_dir();
        if is_folder {
            walk(named, DEPTH, &mut files)?;
        } else {
            files.push(named.clone());
        }
        for path in files {
            let full = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
            if !seen.insert(full) {
                continue;
            }
            match kind_of(&path, forced) {
                Ok(Some(kind)) if wanted(kind) => {
                    let changed = fs::metadata(&path).and_then(|m| m.modified()).ok();
                    dated.push((changed, Found { path, kind }));
                }
                Ok(Some(kind)) => out.passed_over.push((
                    path,
                    format!("holds {}, which was not asked for", kind.name()),
                )),
                Ok(None) => out.passed_over.push((
                    path,
                    "holds nothing that is known; name its --feed if it should".to_owned(),
                )),
                Err(e) => out.passed_over.push((path, e.to_string())),
            }
        }
    }
    dated.sort_by(|a, b| (a.0, &a.1.path).cmp(&(b.0, &b.1.path)));
    out.files = dated.into_iter().map(|(_, found)| found).collect();
    Ok(out)
}

fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", folder.display())))?
        .flatten()
        .collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if kind.is_dir() && depth > 0 {
            // A folder that may not be read does not keep the others from being sent.
            if let Err(error) = walk(&entry.path(), depth - 1, files) {
                tracing::warn!(%error, "a folder is passed over");
            }
        } else if kind.is_file() && files.len() < FILES {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// What a file holds, by its beginning (after decompression) and its name.
fn kind_of(path: &Path, forced: Option<Kind>) -> io::Result<Option<Kind>> {
    if forced.is_some() {
        return Ok(forced);
    }
    let mut file = fs::File::open(path)?;
    let mut head = Vec::new();
    (&mut file).take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    if head.starts_with(&[0x1f, 0x8b]) {
        let mut plain = Vec::new();
        // The head of a gzip is cut off somewhere: what came out before the cut is enough.
        let _ = MultiGzDecoder::new(&head[..])
            .take(HEAD_BYTES as u64)
            .read_to_end(&mut plain);
        head = plain;
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(detect(name.trim_end_matches(".gz"), &head))
}
