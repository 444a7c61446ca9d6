//! A prefix of an object store that is followed: listed every so often; each object that is new, or
//! is another than it was, is read once. Objects are never changed, moved or removed here.
//!
//! An object that cannot be read (it is gone, its gzip is broken, it is too large) is named with the
//! reason, counted, and tried again at growing intervals for as long as it is there. What is inside
//! and cannot be read is a dead letter like any other.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use callboard_sources::adapter::{Declared, of_platform};
use callboard_sources::lines::{HEAD_BYTES, Kind, LineReader, NewLine, detect};
use callboard_sources::mapping::PREFIX;
use flate2::read::MultiGzDecoder;
use futures::StreamExt as _;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt as _};
use tokio::time::Instant;
use url::Url;

use super::Given;
use super::hand::{candidates, submit};
use super::objects::{Memory, Seen};
use crate::doors::mapping::PATIENCE as TO_MAP;
use crate::doors::split::sha256_hex;

/// Most objects below one prefix.
const OBJECTS: usize = 1_000_000;
/// Largest object, as it lies there, bytes.
const PACKED: u64 = 256 * 1024 * 1024;
/// Largest object, unpacked, bytes.
const UNPACKED: u64 = 256 * 1024 * 1024;
/// Largest object that a mapping reads, unpacked, bytes: as over HTTP.
const MAPPED: u64 = crate::doors::documents::MOST_BYTES as u64;
/// Longest time for one object.
const PATIENCE: Duration = Duration::from_secs(300);
/// First and longest wait before a broken object is tried again.
const AGAIN: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(3600));
/// Broken objects named in the state of a prefix.
const NAMED: usize = 3;

/// A prefix that is followed.
#[derive(Debug, Clone)]
pub struct PrefixOptions {
    /// Name of the source; may be empty.
    pub source: String,
    /// Who reads the objects: a platform, `asterisk`, `events` or `mapping:NAME`.
    pub adapter: String,
    /// Instance of the platform.
    pub instance: String,
    /// IANA zone of local times; empty = UTC.
    pub zone: String,
    /// Order of columns by feed, for Asterisk.
    pub columns: HashMap<String, Vec<String>>,
    /// Where: `s3://bucket/connect/`, `file:///srv/exports/`.
    pub url: Url,
    /// What that store needs to know, by the names of `object_store`. May hold secrets.
    pub options: BTreeMap<String, super::ami::Hidden>,
    /// How often it is listed.
    pub every: Duration,
}

/// An object that could not be read.
struct Broken {
    seen: Seen,
    times: u32,
    next: Instant,
    why: String,
}

/// Why an object was not read.
enum Unread {
    /// As it is, it cannot be.
    Broken(String),
    /// Told to stop.
    Stopped,
}

struct Following {
    options: PrefixOptions,
    given: Given,
    name: String,
    store: Arc<dyn ObjectStore>,
    root: Path,
    memory: Memory,
    broken: BTreeMap<String, Broken>,
    /// Objects of the last look: on local disk one may still be being written.
    last: HashMap<String, Seen>,
}

/// Follows it until told to stop.
pub async fn run(options: PrefixOptions, given: Given) {
    let name = format!("prefix {}", options.url);
    let every = options.every;
    let mut following = loop {
        match open(options.clone(), given.clone(), name.clone()) {
            Ok(following) => break following,
            Err(why) => {
                tracing::error!(
                    prefix = name,
                    why,
                    "the prefix is not followed; tried again"
                );
                given.links.change(&name, |l| l.trouble = Some(why));
            }
        }
        if !pause(&given, every.max(AGAIN.0)).await {
            return;
        }
    };
    loop {
        if following.look().await.is_none() || !pause(&given, every).await {
            return;
        }
    }
}

async fn pause(given: &Given, wait: Duration) -> bool {
    tokio::select! {
        () = given.stop.cancelled() => false,
        () = tokio::time::sleep(wait) => true,
    }
}

fn open(options: PrefixOptions, given: Given, name: String) -> Result<Following, String> {
    let own = options
        .options
        .iter()
        .map(|(k, v)| (k.as_str(), v.0.as_str()));
    let (store, root) = object_store::parse_url_opts(&options.url, own).map_err(|e| {
        format!("{e}; known are local folders and the object stores this was built with (features s3, azure, gcs)")
    })?;
    let what = format!(
        "{}\u{0}{}\u{0}{}",
        options.adapter, options.instance, options.url
    );
    let hash = sha256_hex(what.as_bytes());
    let file: PathBuf = given
        .state
        .join(format!("prefix-{}.jsonl", hash.get(..16).unwrap_or(&hash)));
    let memory = Memory::open(&file).map_err(|e| format!("{}: {e}", file.display()))?;
    given
        .links
        .change(&name, |l| l.source.clone_from(&options.source));
    Ok(Following {
        options,
        given,
        name,
        store: Arc::from(store),
        root,
        memory,
        broken: BTreeMap::new(),
        last: HashMap::new(),
    })
}

impl Following {
    /// Lists the prefix and reads what is new; `None` when told to stop.
    async fn look(&mut self) -> Option<()> {
        let listed = match self.list().await {
            Ok(listed) => listed,
            Err(why) => {
                tracing::warn!(prefix = self.name, why, "cannot be read; tried again");
                self.given.links.change(&self.name, |l| {
                    (l.up, l.trouble) = (false, Some(why));
                });
                return Some(());
            }
        };
        let local = self.options.url.scheme() == "file";
        let before = std::mem::take(&mut self.last);
        for meta in &listed {
            let (name, seen) = (meta.location.to_string(), Seen::of(meta));
            if self.memory.knows(&name, &seen) {
                continue;
            }
            let stands = !local || before.get(&name) == Some(&seen);
            self.last.insert(name.clone(), seen.clone());
            let waits = self
                .broken
                .get(&name)
                .is_some_and(|b| b.seen == seen && b.next > Instant::now());
            if !stands || waits {
                continue;
            }
            match self.read(meta, &name).await {
                Ok(()) => {
                    self.broken.remove(&name);
                    if let Err(error) = self.memory.put(&name, &seen) {
                        tracing::error!(%error, "what was read of a prefix cannot be remembered");
                    }
                }
                Err(Unread::Stopped) => return None,
                Err(Unread::Broken(why)) => self.broke(name, seen, why),
            }
        }
        let there: HashSet<&str> = listed.iter().map(|m| m.location.as_ref()).collect();
        self.broken.retain(|name, _| there.contains(name.as_str()));
        if let Err(error) = self.memory.keep(&|name| there.contains(name)) {
            tracing::error!(%error, "what was read of a prefix cannot be remembered");
        }
        self.say(listed.len());
        Some(())
    }

    /// All objects, oldest first; none where nobody could read them now.
    async fn list(&self) -> Result<Vec<ObjectMeta>, String> {
        if let Some(mapping) = self.options.adapter.strip_prefix(PREFIX) {
            self.given.mappings.ready(mapping).await?;
        }
        let mut all = Vec::new();
        let mut stream = self.store.list(Some(&self.root));
        while let Some(meta) = stream.next().await {
            all.push(meta.map_err(|e| e.to_string())?);
            if all.len() > OBJECTS {
                return Err(format!(
                    "there are more than {OBJECTS} objects; follow a narrower prefix, or let old ones expire"
                ));
            }
        }
        all.sort_by(|a, b| (a.last_modified, &a.location).cmp(&(b.last_modified, &b.location)));
        Ok(all)
    }

    async fn read(&self, meta: &ObjectMeta, name: &str) -> Result<(), Unread> {
        if meta.size > PACKED {
            return Err(Unread::Broken(format!(
                "it has {} bytes; at most {PACKED} are read",
                meta.size
            )));
        }
        let got = tokio::time::timeout(PATIENCE, async {
            self.store.get(&meta.location).await?.bytes().await
        });
        let bytes = tokio::select! {
            () = self.given.stop.cancelled() => return Err(Unread::Stopped),
            got = got => match got {
                Err(_) => return Err(Unread::Broken(format!("it did not come within {PATIENCE:?}"))),
                Ok(Err(e)) => return Err(Unread::Broken(e.to_string())),
                Ok(Ok(bytes)) => bytes,
            },
        };
        let lines = match self.options.adapter.strip_prefix(PREFIX) {
            Some(mapping) => tokio::select! {
                () = self.given.stop.cancelled() => return Err(Unread::Stopped),
                lines = self.mapped(mapping, name, bytes) => lines,
            },
            None => {
                let (options, name) = (self.options.clone(), name.to_owned());
                apart(move || lines(&options, &name, &bytes)).await
            }
        };
        let lines = lines.map_err(Unread::Broken)?;
        let given = &self.given;
        let all = candidates(lines, given.intake.now(), &given.limits);
        let tally = submit(&*given.intake, all, &given.limits, &given.stop)
            .await
            .ok_or(Unread::Stopped)?;
        given.links.change(&self.name, |l| {
            l.since = given.intake.now();
            l.taken += tally.taken;
            l.repeated += tally.repeated;
            l.refused += tally.refused;
        });
        Ok(())
    }

    /// What a mapping makes of an object.
    async fn mapped(
        &self,
        mapping: &str,
        name: &str,
        bytes: Bytes,
    ) -> Result<Vec<NewLine>, String> {
        let plain = apart(move || Ok(unpack(&bytes, MAPPED)?.map_or(bytes, Bytes::from))).await?;
        if plain.len() as u64 > MAPPED {
            return Err(format!(
                "it has {} bytes; a mapping reads at most {MAPPED}: cut it into smaller ones",
                plain.len()
            ));
        }
        let declared = declared(&self.options, name);
        let mappings = &self.given.mappings;
        let split = mappings.split(mapping, &plain, &declared, TO_MAP).await;
        split.map_err(|problem| problem.detail)
    }

    fn broke(&mut self, name: String, seen: Seen, why: String) {
        tracing::warn!(
            prefix = self.name,
            object = name,
            why,
            "an object cannot be read"
        );
        metrics::counter!("callboard_objects_broken_total").increment(1);
        let known = self.broken.get(&name).filter(|b| b.seen == seen);
        let times = known.map_or(0, |b| b.times);
        let wait = AGAIN.0 * 2u32.saturating_pow(times.min(16));
        let broken = Broken {
            seen,
            times: times + 1,
            next: Instant::now() + wait.min(AGAIN.1),
            why,
        };
        self.broken.insert(name, broken);
    }

    fn say(&self, listed: usize) {
        let read = self.memory.len();
        let trouble = (!self.broken.is_empty()).then(|| {
            let named = self.broken.iter().take(NAMED);
            let named: Vec<String> = named.map(|(n, b)| format!("{n}: {}", b.why)).collect();
            format!(
                "{} of {listed} objects cannot be read and are tried again: {}",
                self.broken.len(),
                named.join("; ")
            )
        });
        tracing::debug!(prefix = self.name, listed, read, "looked");
        self.given.links.change(&self.name, |l| {
            (l.up, l.trouble) = (true, trouble);
        });
    }
}

/// Work that others need not wait for.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err("it could not be taken apart".to_owned()))
}

fn declared(options: &PrefixOptions, name: &str) -> Declared {
    Declared {
        instance: options.instance.clone(),
        zone: options.zone.clone(),
        name: name.to_owned(),
    }
}

/// What a gzip holds, at most so many bytes; `None` of what is none.
fn unpack(bytes: &[u8], most: u64) -> Result<Option<Vec<u8>>, String> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(None);
    }
    let mut plain = Vec::new();
    MultiGzDecoder::new(bytes)
        .take(most + 1)
        .read_to_end(&mut plain)
        .map_err(|e| format!("its gzip is broken: {e}"))?;
    if plain.len() as u64 > most {
        return Err(format!("unpacked it has more than {most} bytes"));
    }
    Ok(Some(plain))
}

/// What an object holds, line by line or document by document.
fn lines(options: &PrefixOptions, name: &str, bytes: &[u8]) -> Result<Vec<NewLine>, String> {
    let unpacked = unpack(bytes, UNPACKED)?;
    let bytes = unpacked.as_deref().unwrap_or(bytes);
    if let Some(adapter) = of_platform(&options.adapter) {
        return Ok(adapter.split(bytes, &declared(options, name)));
    }
    let head = bytes.get(..bytes.len().min(HEAD_BYTES)).unwrap_or_default();
    let kind = match (
        &*options.adapter,
        detect(name.trim_end_matches(".gz"), head),
    ) {
        ("events", _) => Kind::Events,
        ("asterisk", Some(kind @ Kind::Asterisk(_))) => kind,
        _ => return Err("it is none of the logs that are known".to_owned()),
    };
    let columns = options
        .columns
        .get(kind.name())
        .cloned()
        .unwrap_or_default();
    let mut reader = LineReader::new(kind, &options.instance, &options.zone, &columns);
    let mut all = reader.push(bytes);
    all.extend(reader.finish());
    Ok(all)
}

#[cfg(test)]
#[path = "prefix_tests.rs"]
mod tests;
