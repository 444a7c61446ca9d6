//! Objects in parts: a Parquet file while it is written.

use std::fmt;
use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use object_store::{MultipartUpload, PutPayload, PutResult, Result, UploadPart};
use parking_lot::Mutex;

use super::{Sums, blocking, publish};

/// An object that arrives in parts; it has no name until it is complete and synced.
pub(super) struct Upload {
    file: Arc<Mutex<File>>,
    staged: PathBuf,
    dest: PathBuf,
    sums: Arc<Sums>,
    length: u64,
    done: bool,
}

impl Upload {
    /// Into this file, which gets the name of `dest` in the end.
    pub(super) fn new(file: File, staged: PathBuf, dest: PathBuf, sums: Arc<Sums>) -> Self {
        Upload {
            file: Arc::new(Mutex::new(file)),
            staged,
            dest,
            sums,
            length: 0,
            done: false,
        }
    }
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
        let sums = Arc::clone(&self.sums);
        blocking(self.dest.clone(), move |dest| {
            publish(&file.lock(), &staged, dest, false, &sums)
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
