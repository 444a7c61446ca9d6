//! A local folder as an object store whose writes are on stable storage when they return.
//!
//! The usual local store leaves syncing to the operating system, and the Delta writer above it
//! does not sync either: after a power cut a commit may then name Parquet files that are empty.
//! Here every object is written beside its place, synced, given its name, and the folder synced,
//! in this order; so a commit that can be read names only files that can be read. What is read is
//! compared with what was written (`sums`).

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions,
    Result,
};
use url::Url;

use super::LakeError;
use super::sums::{self, Sums};
use crate::datafolder::{create_dir_synced, sync_dir, sync_file};
use crate::steps;

mod behind;
mod upload;

use upload::Upload;

const NAME: &str = "SyncedFiles";
/// Bytes of a file that are read, and checked, in one go.
const STEP: u64 = 1 << 20;

/// Local files, rooted at `/`, with every write synced and, below the lake's root, every read
/// checked.
#[derive(Debug)]
pub(super) struct SyncedFiles {
    files: LocalFileSystem,
    sums: Arc<Sums>,
}

impl SyncedFiles {
    /// For the lake in this folder.
    pub(super) fn new(lake: &FsPath) -> Self {
        Self {
            files: LocalFileSystem::new(),
            sums: Arc::new(Sums::new(lake)),
        }
    }

    async fn forget(&self, location: &Path) -> Result<()> {
        let sums = Arc::clone(&self.sums);
        let path = self.files.path_to_filesystem(location)?;
        blocking(path, move |path| sums.forget(path)).await
    }

    /// Gives a copy or a renamed file its checksums.
    async fn named(&self, path: PathBuf) -> Result<()> {
        let sums = Arc::clone(&self.sums);
        blocking(path, move |path| {
            sync_named(path)?;
            sums.put(path, sums::of(path)?);
            Ok(())
        })
        .await
    }
}

impl fmt::Display for SyncedFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)
    }
}

fn failed(path: &FsPath, error: io::Error) -> object_store::Error {
    let path_text = path.display().to_string();
    match error.kind() {
        io::ErrorKind::AlreadyExists => object_store::Error::AlreadyExists {
            path: path_text,
            source: Box::new(error),
        },
        io::ErrorKind::NotFound => object_store::Error::NotFound {
            path: path_text,
            source: Box::new(error),
        },
        _ => object_store::Error::Generic {
            store: NAME,
            source: Box::new(io::Error::new(
                error.kind(),
                format!("{path_text}: {error}"),
            )),
        },
    }
}

/// Runs file calls where they may block.
async fn blocking<T: Send + 'static>(
    path: PathBuf,
    work: impl FnOnce(&FsPath) -> io::Result<T> + Send + 'static,
) -> Result<T> {
    let joined = tokio::task::spawn_blocking(move || work(&path).map_err(|e| failed(&path, e)));
    match joined.await {
        Ok(result) => result,
        Err(error) => Err(object_store::Error::Generic {
            store: NAME,
            source: Box::new(error),
        }),
    }
}

/// A new file beside `dest`. Names ending in `#` and digits are never listed as objects.
fn stage(dest: &FsPath) -> io::Result<(File, PathBuf)> {
    let parent = dest.parent().ok_or(io::ErrorKind::InvalidInput)?;
    create_dir_synced(parent)?;
    let name = dest.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    for number in 1u32.. {
        let mut staged = name.to_owned();
        staged.push(format!("#{number}"));
        let staged = parent.join(staged);
        match OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&staged)
        {
            Ok(file) => return Ok((file, staged)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Makes the folder of a table. A commit or a day's folder that somebody made who was killed may not
/// have its name stored: it is before anything is built on it. Checksums of commits and checkpoints
/// that somebody removed are gone for good, before others get their names.
///
/// # Errors
/// Whatever the disk reports.
pub(super) fn take_over(table: &FsPath) -> io::Result<()> {
    const LOG: &str = "_delta_log";
    create_dir_synced(table)?;
    sync_dir(table)?;
    let name = table.file_name().unwrap_or_default();
    let sums = table.with_file_name(sums::FOLDER).join(name);
    for log in [table.join(LOG), sums.join(LOG)] {
        match sync_dir(&log) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            stored => stored?,
        }
    }
    Ok(())
}

/// Sees to it that every name in the folder of a table is stored, where it lies in one.
///
/// # Errors
/// [`LakeError::Place`] when one is not.
pub(super) async fn taken_over(location: &Url) -> Result<(), LakeError> {
    let folder = location.to_file_path().ok();
    let Some(folder) = folder.filter(|_| location.scheme() == "file") else {
        return Ok(());
    };
    let stored = tokio::task::spawn_blocking(move || take_over(&folder));
    let stored = stored.await.map_err(io::Error::other);
    stored.flatten().map_err(|error| LakeError::Place {
        place: location.to_string(),
        reason: error.to_string(),
    })
}

/// Syncs a staged file and gives it its name; on error the staged file goes.
fn publish(
    file: &File,
    staged: &FsPath,
    dest: &FsPath,
    create: bool,
    sums: &Sums,
) -> io::Result<()> {
    let named = file.sync_all().and_then(|()| {
        let table = sums::of(staged)?;
        steps::pass("lake.staged");
        if create {
            if !dest.exists() {
                sums.forget(dest)?;
            }
            // A link refuses a name that is taken: the loser of a race for a version learns it.
            std::fs::hard_link(staged, dest)?;
        } else {
            // A crash between the two leaves a file without checksums, never one with others'.
            sums.forget(dest)?;
            std::fs::rename(staged, dest)?;
        }
        Ok(table)
    });
    if create || named.is_err() {
        let _ = std::fs::remove_file(staged);
    }
    let table = named?;
    steps::pass("lake.named");
    sums.put(dest, table);
    sync_dir(dest.parent().ok_or(io::ErrorKind::InvalidInput)?)
}

/// Removes what crashed writes left below `root`; called while nobody writes.
pub(super) fn remove_staged(root: &FsPath) -> io::Result<usize> {
    let mut removed = 0;
    for entry in std::fs::read_dir(root)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            removed += remove_staged(&entry.path())?;
        } else if behind::is_staged(&entry.file_name().to_string_lossy()) {
            std::fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

#[async_trait]
impl ObjectStore for SyncedFiles {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        let create = match opts.mode {
            PutMode::Overwrite => false,
            PutMode::Create => true,
            PutMode::Update(_) => {
                return Err(object_store::Error::NotSupported {
                    source: "a local folder cannot update conditionally".into(),
                });
            }
        };
        let dest = self.files.path_to_filesystem(location)?;
        let sums = Arc::clone(&self.sums);
        blocking(dest, move |dest| {
            let (mut file, staged) = stage(dest)?;
            let written = payload.iter().try_for_each(|part| file.write_all(part));
            if let Err(error) = written {
                let _ = std::fs::remove_file(&staged);
                return Err(error);
            }
            publish(&file, &staged, dest, create, &sums)
        })
        .await?;
        Ok(PutResult {
            e_tag: None,
            version: None,
        })
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        _opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let dest = self.files.path_to_filesystem(location)?;
        let (file, staged) = blocking(dest.clone(), stage).await?;
        Ok(Box::new(Upload::new(
            file,
            staged,
            dest,
            Arc::clone(&self.sums),
        )))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let head = options.head;
        let mut result = self.files.get_opts(location, options).await?;
        let path = self.files.path_to_filesystem(location)?;
        if location.filename() == Some(sums::HINT) {
            blocking(path.clone(), behind::leads).await?;
        }
        let Some(table) = self.sums.get(&path).filter(|_| !head) else {
            return Ok(result);
        };
        let sums = Arc::clone(&self.sums);
        let end = result.range.end;
        let pieces = futures::stream::try_unfold(result.range.start, move |at| {
            let (path, table, sums) = (path.clone(), Arc::clone(&table), Arc::clone(&sums));
            async move {
                if at >= end {
                    return Ok(None);
                }
                let next = at.saturating_add(STEP).min(end);
                let one = std::iter::once(at..next).collect::<Vec<_>>();
                let piece = blocking(path, move |p| sums.read(p, &table, &one)).await?;
                let piece: Bytes = piece.into_iter().next().unwrap_or_default();
                Ok(Some((piece, next)))
            }
        });
        result.payload = GetResultPayload::Stream(pieces.boxed());
        Ok(result)
    }

    async fn get_ranges(
        &self,
        location: &Path,
        ranges: &[std::ops::Range<u64>],
    ) -> Result<Vec<Bytes>> {
        let path = self.files.path_to_filesystem(location)?;
        let Some(table) = self.sums.get(&path) else {
            return self.files.get_ranges(location, ranges).await;
        };
        let (ranges, sums) = (ranges.to_vec(), Arc::clone(&self.sums));
        blocking(path, move |path| sums.read(path, &table, &ranges)).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let (files, sums) = (self.files.clone(), Arc::clone(&self.sums));
        let gone = self.files.delete_stream(locations);
        gone.then(move |result| {
            let (files, sums) = (files.clone(), Arc::clone(&sums));
            async move {
                let location = result?;
                let path = files.path_to_filesystem(&location)?;
                sums.gone(&path);
                // What was removed for good must not come back with the power.
                blocking(path, |path| sync_dir(path.parent().unwrap_or(path))).await?;
                Ok(location)
            }
        })
        .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.files.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        behind::list(self.files.clone(), prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.files.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.forget(to).await?;
        self.files.copy_opts(from, to, options).await?;
        self.named(self.files.path_to_filesystem(to)?).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.forget(from).await?;
        self.forget(to).await?;
        self.files.rename_opts(from, to, options).await?;
        self.named(self.files.path_to_filesystem(to)?).await
    }
}

fn sync_named(path: &FsPath) -> io::Result<()> {
    sync_file(path)?;
    sync_dir(path.parent().ok_or(io::ErrorKind::InvalidInput)?)
}

#[cfg(test)]
mod tests;
