//! Documents of platforms: each file is one request, whole, under its own name, since some platforms
//! say only there which contact a file is of; but for long tables, which are cut between rows.
//! Nothing is remembered here: the server knows what it has.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use callboard_ingest::doors::answer::Answer;
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::Method;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::super::client::{Client, Trouble};
use super::super::recording::with_query;
use super::super::{Failure, print};
use super::BACKOFF;
use super::look::{Look, look};
use super::table::Table;
use super::tally::Tally;
use crate::cli::SendArgs;

/// Deepest folder below a named one, and most files of one command.
const DEPTH: usize = 16;
const FILES: usize = 1_000_000;
/// Longest file, bytes: a server takes no longer body.
const LONGEST: u64 = 64 * 1024 * 1024;
/// Files of a folder of which is said that they are passed over.
const SHOWN: usize = 3;

/// Sends all files to that source.
///
/// # Errors
/// When a path is not there, there is nothing to send, or a file cannot be read or was not taken.
pub async fn send(
    args: &SendArgs,
    source: &str,
    client: &Client,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    if args.follow || args.feed.is_some() || !args.columns.is_empty() {
        return Err(Failure::usage(
            "--follow, --feed and --columns go with --source asterisk; documents are sent whole, and again when they have changed",
        ));
    }
    let mut failures = Vec::new();
    let files = files(&args.paths, &mut failures)?;
    let bar = ProgressBar::new(files.iter().map(|f| f.1).sum());
    if let Ok(style) =
        ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta} {msg}")
    {
        bar.set_style(style);
    }
    let mut sending = Sending {
        args,
        source,
        client,
        stop,
        bar,
        said: String::new(),
    };
    let mut tally = Tally::default();
    let mut outcome = Ok(());
    for (path, size) in &files {
        match sending.file(path, &mut tally).await {
            Ok(true) => {}
            Ok(false) => break,
            Err(Unsent::File(why)) => failures.push(why),
            Err(Unsent::All(failure)) => {
                outcome = Err(failure);
                break;
            }
        }
        sending.bar.inc(*size);
        sending
            .bar
            .set_message(format!("{} records", tally.lines()));
    }
    sending.bar.finish_and_clear();
    let stopped = stop.is_cancelled();
    let whole = outcome.is_ok() && failures.is_empty();
    print(&tally.summary(client.url(), stopped, whole))?;
    outcome?;
    match failures.is_empty() {
        true => Ok(()),
        false => Err(Failure::failed(failures.join("\ncallboard: "))),
    }
}

/// Why a file was not acknowledged.
enum Unsent {
    /// This one cannot go; others can.
    File(String),
    /// Nothing can.
    All(Failure),
}

/// What a source answers.
#[derive(Deserialize)]
#[serde(untagged)]
enum Told {
    /// What became of the records.
    Answer(Answer),
    /// The file holds nothing but a question of the platform: Event Grid's, whether it may send.
    Question {
        #[serde(rename = "validationResponse")]
        _code: String,
    },
}

struct Sending<'a> {
    args: &'a SendArgs,
    source: &'a str,
    client: &'a Client,
    stop: &'a CancellationToken,
    bar: ProgressBar,
    said: String,
}

impl Sending<'_> {
    /// One file, all of it; false when told to stop.
    async fn file(&mut self, path: &Path, tally: &mut Tally) -> Result<bool, Unsent> {
        let named = |why: String| Unsent::File(format!("{}: {why}", path.display()));
        let Some(mut table) = Table::open(path).map_err(named)? else {
            let bytes = read(path).map_err(named)?;
            let told = self.part(path, bytes).await?;
            if let Some(told) = &told {
                self.count(path, told, tally);
            }
            return Ok(told.is_some());
        };
        while let Some(bytes) = table.take_part().map_err(named)? {
            match self.part(path, bytes).await? {
                Some(told) => self.count(path, &told, tally),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Counts what was acknowledged.
    fn count(&self, path: &Path, told: &Told, tally: &mut Tally) {
        match told {
            Told::Answer(answer) => tally.add(path, self.source, answer),
            Told::Question { .. } => tally.question(),
        }
    }

    /// One request, until it is acknowledged; `None` when told to stop.
    async fn part(&mut self, path: &Path, bytes: bytes::Bytes) -> Result<Option<Told>, Unsent> {
        let named = |why: &str| Unsent::File(format!("{}: {why}", path.display()));
        let patience = Duration::from_secs(self.args.patience);
        let began = Instant::now();
        let mut wait = BACKOFF.0;
        loop {
            let trouble = match self.post(path, bytes.clone()).await {
                Ok(told) => return Ok(Some(told)),
                Err(trouble) => trouble,
            };
            let after = match trouble {
                Trouble::Never(why) => return Err(named(&why)),
                Trouble::Later { what, .. } if began.elapsed() > patience => {
                    return Err(Unsent::All(Failure::failed(format!(
                        "{}: {what}. Gave up after {} s; the same command sends it again",
                        path.display(),
                        self.args.patience
                    ))));
                }
                Trouble::Later { what, after } => {
                    self.waiting(&what);
                    after
                }
            };
            let pause = after.unwrap_or(wait).min(Duration::from_secs(60));
            tokio::select! {
                () = self.stop.cancelled() => return Ok(None),
                () = tokio::time::sleep(pause) => {}
            }
            wait = (wait * 2).min(BACKOFF.1);
        }
    }

    async fn post(&self, path: &Path, bytes: bytes::Bytes) -> Result<Told, Trouble> {
        let unwritten = |e: &dyn std::fmt::Display| Trouble::Never(format!("cannot be sent: {e}"));
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let instance = self.args.instance.clone().unwrap_or_default();
        let mut query = vec![
            ("sender", format!("send {instance}")),
            ("name", name.trim_end_matches(".gz").to_owned()),
        ];
        for (key, value) in [("instance", instance), ("zone", self.args.zone.clone())] {
            if !value.is_empty() {
                query.push((key, value));
            }
        }
        let packed = bytes.starts_with(&[0x1f, 0x8b]);
        let request = self
            .client
            .request(Method::POST, &["v1", "sources", self.source])
            .header(CONTENT_TYPE, "application/octet-stream")
            .body(bytes);
        let request = match packed {
            true => request.header(CONTENT_ENCODING, "gzip"),
            false => request,
        };
        let request = with_query(request, &query).map_err(|e| unwritten(&e.message))?;
        let response = self.client.send(request).await?;
        let text = self.client.text(response).await?;
        serde_json::from_str(&text).map_err(|_| {
            unwritten(&format!(
                "{} gave no answer of a callboard's source",
                self.client.url()
            ))
        })
    }

    /// The server takes nothing now; without a terminal it is said once, not at each try.
    fn waiting(&mut self, why: &str) {
        if self.bar.is_hidden() && self.said != why {
            eprintln!("callboard: {why}; trying again");
            why.clone_into(&mut self.said);
        }
        self.bar.set_message(format!("waiting: {why}"));
    }
}

fn read(path: &Path) -> Result<bytes::Bytes, String> {
    let size = std::fs::metadata(path).map_err(|e| e.to_string())?.len();
    if size > LONGEST {
        return Err(format!(
            "{} MiB, and one request takes {}; cut it into smaller files",
            size >> 20,
            LONGEST >> 20
        ));
    }
    std::fs::read(path)
        .map(bytes::Bytes::from)
        .map_err(|e| e.to_string())
}

/// All files that are meant, oldest first, with their sizes. What lies in a folder and is empty or no
/// text is passed over; what was named is not. What cannot be read goes into `failures`.
fn files(named: &[PathBuf], failures: &mut Vec<String>) -> Result<Vec<(PathBuf, u64)>, Failure> {
    let mut found = Vec::new();
    let mut passed_over = Vec::new();
    for path in named {
        let gone = |e: std::io::Error| Failure::usage(format!("{}: {e}", path.display()));
        let data = std::fs::metadata(path).map_err(gone)?;
        if !data.is_dir() {
            found.push((data.modified().ok(), path.clone(), data.len()));
            continue;
        }
        let mut within = Vec::new();
        walk(path, DEPTH, &mut within, failures).map_err(gone)?;
        for file in within {
            let Ok(data) = std::fs::metadata(&file) else {
                continue;
            };
            match look(&file) {
                Look::Text => found.push((data.modified().ok(), file, data.len())),
                Look::Empty => passed_over.push((file, "it is empty")),
                Look::Other => passed_over.push((file, "it is no text")),
                Look::Broken(why) => failures.push(format!("{}: {why}", file.display())),
            }
        }
    }
    for (file, why) in passed_over.iter().take(SHOWN) {
        eprintln!("callboard: {} passed over: {why}", file.display());
    }
    if passed_over.len() > SHOWN {
        eprintln!("callboard: {} more passed over", passed_over.len() - SHOWN);
    }
    if found.is_empty() && failures.is_empty() {
        return Err(Failure::failed(
            "nothing to send: no file there is a text that a platform may have written",
        ));
    }
    found.sort();
    found.dedup_by(|a, b| a.1 == b.1);
    Ok(found
        .into_iter()
        .map(|(_, path, size)| (path, size))
        .collect())
}

fn walk(
    folder: &Path,
    depth: usize,
    files: &mut Vec<PathBuf>,
    failures: &mut Vec<String>,
) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)?.flatten() {
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if kind.is_dir() && depth > 0 {
            // A folder that may not be read does not keep the others from being sent.
            if let Err(error) = walk(&entry.path(), depth - 1, files, failures) {
                failures.push(format!("{}: {error}", entry.path().display()));
            }
        } else if kind.is_file() && files.len() < FILES {
            files.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn folders_are_looked_through_for_texts() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir(at("deep")).unwrap();
        std::fs::write(at("deep/one.json"), "{}").unwrap();
        std::fs::write(at("call.wav"), b"RIFF\0\0\0\0").unwrap();
        std::fs::write(at("README.md"), "about").unwrap();
        std::fs::write(at(".hidden.json"), "{}").unwrap();
        std::fs::write(at("empty.json"), "").unwrap();
        let packed = std::fs::File::create(at("two.json.gz")).unwrap();
        let mut packed = flate2::write::GzEncoder::new(packed, flate2::Compression::fast());
        packed.write_all(b"{\"a\":1}").unwrap();
        packed.finish().unwrap();
        let mut failures = Vec::new();
        let mut files = |named: &[PathBuf]| super::files(named, &mut failures);
        let found = files(&[dir.path().to_owned(), at("two.json.gz")]).unwrap();
        let mut names: Vec<_> = found
            .iter()
            .map(|(p, _)| p.file_name().unwrap().to_str().unwrap())
            .collect();
        names.sort_unstable();
        assert_eq!(names, ["one.json", "two.json.gz"]);
        // What is named is meant, whatever it is.
        assert_eq!(files(&[at("call.wav")]).unwrap().len(), 1);
        assert_eq!(files(&[at("gone")]).unwrap_err().code, 2);
        let empty = tempfile::tempdir().unwrap();
        assert_eq!(files(&[empty.path().to_owned()]).unwrap_err().code, 1);
        assert!(failures.is_empty(), "{failures:?}");

        // What cannot be read keeps no other from being sent, and is told in the end.
        std::fs::write(at("deep/three.json.gz"), b"\x1f\x8b\x08\0").unwrap();
        let found = super::files(&[at("deep")], &mut failures).unwrap();
        assert_eq!((found.len(), failures.len()), (1, 1));
        assert!(failures[0].contains("three.json.gz: its gzip is broken"));
        std::fs::remove_file(at("deep/one.json")).unwrap();
        assert!(
            super::files(&[at("deep")], &mut failures)
                .unwrap()
                .is_empty()
        );
    }
}
