//! An object store in the hands of a test: it fails before or after the effect, loses its power,
//! and lets something happen at a write that nobody expects.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::shaking::{FAILED, Shaking, When};
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt as _};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart,
};

fn said(what: &'static str) -> object_store::Error {
    object_store::Error::Generic {
        store: "Faulty",
        source: what.into(),
    }
}

/// The store.
pub struct Faulty {
    inner: Arc<dyn ObjectStore>,
    /// What shakes it.
    pub shaking: Arc<Shaking>,
}

impl Faulty {
    /// Over another store; nothing fails yet.
    pub fn new(inner: Arc<dyn ObjectStore>, when: When) -> Self {
        Self {
            inner,
            shaking: Arc::new(Shaking::new(when)),
        }
    }
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faulty")
    }
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faulty")
    }
}

struct FaultyUpload {
    inner: Box<dyn MultipartUpload>,
    shaking: Arc<Shaking>,
}

impl fmt::Debug for FaultyUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FaultyUpload")
    }
}

#[async_trait]
impl MultipartUpload for FaultyUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.inner.put_part(data)
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let fail = self.shaking.turn().await.map_err(said)?;
        let result = self.inner.complete().await;
        if fail { Err(said(FAILED)) } else { result }
    }

    async fn abort(&mut self) -> Result<()> {
        self.inner.abort().await
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, at: &Path, data: PutPayload, opts: PutOptions) -> Result<PutResult> {
        let fail = self.shaking.turn().await.map_err(said)?;
        let result = self.inner.put_opts(at, data, opts).await;
        if fail { Err(said(FAILED)) } else { result }
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Ok(Box::new(FaultyUpload {
            inner: self.inner.put_multipart_opts(at, opts).await?,
            shaking: Arc::clone(&self.shaking),
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
        let shaking = Arc::clone(&self.shaking);
        let powered = locations.map(move |location| shaking.powered().map_err(said).and(location));
        self.inner.delete_stream(powered.boxed())
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let fail = self.shaking.turn().await.map_err(said)?;
        let result = self.inner.copy_opts(from, to, options).await;
        if fail { Err(said(FAILED)) } else { result }
    }
}
