//! An object store that fails on demand, before or after the effect, for tests.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// The write does not happen.
    Before,
    /// The write happens, its answer is lost.
    After,
}

#[derive(Debug)]
pub(super) struct Faulty {
    inner: Arc<dyn ObjectStore>,
    /// Writes still to succeed; negative for never failing.
    left: Arc<AtomicI64>,
    when: When,
}

impl Faulty {
    pub(super) fn new(inner: Arc<dyn ObjectStore>, when: When) -> Self {
        Self {
            inner,
            left: Arc::new(AtomicI64::new(-1)),
            when,
        }
    }

    /// Lets `n` writes succeed and the next one fail, once.
    pub(super) fn fail_after(&self, n: i64) {
        self.left.store(n, Ordering::SeqCst);
    }

    /// True when the fault has not met a write.
    pub(super) fn pending(&self) -> bool {
        self.left.load(Ordering::SeqCst) >= 0
    }
}

fn turn(left: &AtomicI64) -> bool {
    left.load(Ordering::SeqCst) >= 0 && left.fetch_sub(1, Ordering::SeqCst) == 0
}

fn error() -> object_store::Error {
    object_store::Error::Generic {
        store: "Faulty",
        source: "the storage failed, as the test asked".into(),
    }
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faulty")
    }
}

#[derive(Debug)]
struct FaultyUpload {
    inner: Box<dyn MultipartUpload>,
    left: Arc<AtomicI64>,
    when: When,
}

#[async_trait]
impl MultipartUpload for FaultyUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.inner.put_part(data)
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let fail = turn(&self.left);
        if fail && self.when == When::Before {
            return Err(error());
        }
        let result = self.inner.complete().await;
        if fail { Err(error()) } else { result }
    }

    async fn abort(&mut self) -> Result<()> {
        self.inner.abort().await
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, at: &Path, data: PutPayload, opts: PutOptions) -> Result<PutResult> {
        let fail = turn(&self.left);
        if fail && self.when == When::Before {
            return Err(error());
        }
        let result = self.inner.put_opts(at, data, opts).await;
        if fail { Err(error()) } else { result }
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Ok(Box::new(FaultyUpload {
            inner: self.inner.put_multipart_opts(at, opts).await?,
            left: Arc::clone(&self.left),
            when: self.when,
        }))
    }

    async fn get_opts(&self, at: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(at, options).await
    }

    async fn get_ranges(&self, at: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(at, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
