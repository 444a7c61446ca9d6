//! A local folder as an object store whose writes are on stable storage when they return.
//!
//! The usual local store leaves syncing to the operating system, and the Delta writer above it
//! does not sync either: after a power cut a commit may then name Parquet files that are empty.
//! Here every object is written beside its place, synced, given its name, and the folder synced,
//! in this order; so a commit that can be read names only files that can be read.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
    UploadPart,
};
use parking_lot::Mutex;

use crate::datafolder::{create_dir_synced, sync_dir, sync_file};

const NAME: &str = "SyncedFiles";

/// Local files, rooted at `/`, with every write synced.
#[derive(Debug)]
pub(super) struct SyncedFiles {
    files: LocalFileSystem,
}

impl SyncedFiles {
    pub(super) fn new() -> Self {
        Self {
            files: LocalFileSystem::new(),
        }
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

/// Syncs a staged file and gives it its name; on error the staged file goes.
fn publish(file: &File, staged: &FsPath, dest: &FsPath, create: bool) -> io::Result<()> {
    let named = file.sync_all().and_then(|()| {
        if create {
            // A link refuses a name that is taken: the loser of a race for a version learns it.
            std::fs::hard_link(staged, dest)
        } else {
            std::fs::rename(staged, dest)
        }
    });
    if create || named.is_err() {
        let _ = std::fs::remove_file(staged);
    }
    named?;
    sync_dir(dest.parent().ok_or(io::ErrorKind::InvalidInput)?)
}

/// Removes what crashed writes left below `root`; called while nobody writes.
pub(super) fn remove_staged(root: &FsPath) -> io::Result<usize> {
    let mut removed = 0;
    for entry in std::fs::read_dir(root)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            removed += remove_staged(&entry.path())?;
        } else if let Some((_, number)) = entry.file_name().to_string_lossy().rsplit_once('#')
            && !number.is_empty()
            && number.bytes().all(|b| b.is_ascii_digit())
        {
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
        blocking(dest, move |dest| {
            let (mut file, staged) = stage(dest)?;
            let written = payload.iter().try_for_each(|part| file.write_all(part));
            if let Err(error) = written {
                let _ = std::fs::remove_file(&staged);
                return Err(error);
            }
            publish(&file, &staged, dest, create)
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
        Ok(Box::new(Upload {
            file: Arc::new(Mutex::new(file)),
            staged,
            dest,
            length: 0,
            done: false,
        }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.files.get_opts(location, options).await
    }

    async fn get_ranges(
        &self,
        location: &Path,
        ranges: &[std::ops::Range<u64>],
    ) -> Result<Vec<Bytes>> {
        self.files.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.files.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.files.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.files.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.files.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.files.copy_opts(from, to, options).await?;
        blocking(self.files.path_to_filesystem(to)?, sync_named).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.files.rename_opts(from, to, options).await?;
        blocking(self.files.path_to_filesystem(to)?, sync_named).await
    }
}

fn sync_named(path: &FsPath) -> io::Result<()> {
    sync_file(path)?;
    sync_dir(path.parent().ok_or(io::ErrorKind::InvalidInput)?)
}

/// An object that arrives in parts; it has no name until it is complete and synced.
struct Upload {
    file: Arc<Mutex<File>>,
    staged: PathBuf,
    dest: PathBuf,
    length: u64,
    done: bool,
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("dest", &self.dest).finish()
    }
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        // Parts may run at the same time, so each knows its place beforehand.
        let at = self.length;
        self.length += data.content_length() as u64;
        let file = Arc::clone(&self.file);
        let dest = self.dest.clone();
        Box::pin(blocking(dest, move |_| {
            let mut file = file.lock();
            file.seek(SeekFrom::Start(at))?;
            data.iter().try_for_each(|part| file.write_all(part))
        }))
    }

    async fn complete(&mut self) -> Result<PutResult> {
        self.done = true;
        let file = Arc::clone(&self.file);
        let staged = self.staged.clone();
        blocking(self.dest.clone(), move |dest| {
            publish(&file.lock(), &staged, dest, false)
        })
        .await?;
        Ok(PutResult {
            e_tag: None,
            version: None,
        })
    }

    async fn abort(&mut self) -> Result<()> {
        self.done = true;
        blocking(self.staged.clone(), |staged| std::fs::remove_file(staged)).await
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if !self.done {
            let _ = std::fs::remove_file(&self.staged);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use object_store::ObjectStoreExt;

    fn path(dir: &FsPath, name: &str) -> Path {
        Path::from_absolute_path(dir.join(name)).unwrap()
    }

    #[tokio::test]
    async fn objects_are_written_whole_and_a_taken_name_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let store = SyncedFiles::new();
        let at = path(dir.path(), "deep/down/a.json");
        let create = PutOptions::from(PutMode::Create);
        store
            .put_opts(&at, "one".into(), create.clone())
            .await
            .unwrap();
        let error = store.put_opts(&at, "two".into(), create).await.unwrap_err();
        assert!(matches!(error, object_store::Error::AlreadyExists { .. }));
        assert_eq!(store.get(&at).await.unwrap().bytes().await.unwrap(), "one");
        store.put(&at, "three".into()).await.unwrap();
        assert_eq!(
            store.get(&at).await.unwrap().bytes().await.unwrap(),
            "three"
        );
        let files = std::fs::read_dir(dir.path().join("deep/down")).unwrap();
        assert_eq!(files.count(), 1, "nothing staged is left");
    }

    #[tokio::test]
    async fn parts_keep_their_order_and_an_abandoned_upload_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let store = SyncedFiles::new();
        let at = path(dir.path(), "b.parquet");
        let mut upload = store
            .put_multipart_opts(&at, PutMultipartOptions::default())
            .await
            .unwrap();
        let first = upload.put_part("first ".into());
        let second = upload.put_part("second".into());
        second.await.unwrap();
        first.await.unwrap();
        assert!(store.get(&at).await.is_err(), "no name before it is whole");
        upload.complete().await.unwrap();
        assert_eq!(
            store.get(&at).await.unwrap().bytes().await.unwrap(),
            "first second"
        );
        let mut upload = store
            .put_multipart_opts(&path(dir.path(), "c"), PutMultipartOptions::default())
            .await
            .unwrap();
        upload.put_part("x".into()).await.unwrap();
        drop(upload);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_crash_left_staged_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("day=1")).unwrap();
        for name in ["day=1/p.parquet#1", "x.json#12"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        std::fs::write(dir.path().join("keep#me"), "").unwrap();
        assert_eq!(remove_staged(dir.path()).unwrap(), 2);
        assert!(dir.path().join("keep#me").exists());
    }
}
