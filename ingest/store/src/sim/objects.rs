//! An object store in the hands of a test: it fails before or after the effect, once or for long
//! and in the words of real ones, is slow, loses its power, and lets something happen at a write
//! that nobody expects.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::shaking::{FAILED, Refusal, Shaking, When};
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
    UploadPart,
};

/// What a call was to find.
#[derive(Clone, Copy, PartialEq)]
enum Condition {
    Nothing,
    /// No object of that name.
    Absent,
    /// An object that nobody has changed.
    Unchanged,
}

/// A refusal in the words of real stores' clients.
fn said(refusal: Refusal, at: &Path, condition: Condition) -> object_store::Error {
    let path = at.to_string();
    let status = |status: &str| format!("status {status}: {FAILED}").into();
    match (refusal, condition) {
        (Refusal::Denied, _) => object_store::Error::PermissionDenied {
            path,
            source: status("403 Forbidden"),
        },
        (Refusal::Conflict, Condition::Absent) => object_store::Error::AlreadyExists {
            path,
            source: status("409 Conflict"),
        },
        (Refusal::Conflict, Condition::Unchanged) => object_store::Error::Precondition {
            path,
            source: status("412 Precondition Failed"),
        },
        (Refusal::Busy, _) => object_store::Error::Generic {
            store: "Faulty",
            source: status("429 Too Many Requests"),
        },
        (Refusal::Broken | Refusal::Conflict, _) => object_store::Error::Generic {
            store: "Faulty",
            source: status("503 Service Unavailable"),
        },
    }
}

/// The store.
pub struct Faulty {
    inner: Arc<dyn ObjectStore>,
    /// What shakes it.
    pub shaking: Arc<Shaking>,
    /// How often everything below a prefix was asked for.
    pub listed: AtomicU64,
}

impl Faulty {
    /// Over another store; nothing fails yet.
    pub fn new(inner: Arc<dyn ObjectStore>, when: When) -> Self {
        Self {
            inner,
            shaking: Arc::new(Shaking::new(when)),
            listed: AtomicU64::new(0),
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
    at: Path,
}

impl fmt::Debug for FaultyUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FaultyUpload")
    }
}

#[async_trait]
impl MultipartUpload for FaultyUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let part = self.inner.put_part(data);
        let (shaking, at) = (Arc::clone(&self.shaking), self.at.clone());
        Box::pin(async move {
            let told = shaking.look().await;
            told.map_err(|says| said(says, &at, Condition::Nothing))?;
            part.await
        })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let told = |says| said(says, &self.at, Condition::Nothing);
        let lost = self.shaking.turn(false).await.map_err(told)?;
        let result = self.inner.complete().await;
        lost.map_or(result, |says| Err(said(says, &self.at, Condition::Nothing)))
    }

    async fn abort(&mut self) -> Result<()> {
        self.inner.abort().await
    }
}

impl Faulty {
    /// Comes to a read.
    async fn look(&self, at: &Path) -> Result<()> {
        let told = self.shaking.look().await;
        told.map_err(|says| said(says, at, Condition::Nothing))
    }

    /// A list, once it may be made.
    fn allowed(
        &self,
        prefix: Option<&Path>,
        found: BoxStream<'static, Result<ObjectMeta>>,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let (shaking, at) = (Arc::clone(&self.shaking), place(prefix));
        let allowed = async move {
            let told = shaking.look().await;
            told.map_err(|says| said(says, &at, Condition::Nothing))?;
            Ok::<_, object_store::Error>(found)
        };
        stream::once(allowed).try_flatten().boxed()
    }
}

/// A folder as it is named in an error.
fn place(prefix: Option<&Path>) -> Path {
    prefix.cloned().unwrap_or_default()
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, at: &Path, data: PutPayload, opts: PutOptions) -> Result<PutResult> {
        let condition = match &opts.mode {
            PutMode::Overwrite => Condition::Nothing,
            PutMode::Create => Condition::Absent,
            PutMode::Update(_) => Condition::Unchanged,
        };
        let told = |says| said(says, at, condition);
        let lost = self
            .shaking
            .turn(condition != Condition::Nothing)
            .await
            .map_err(told)?;
        let result = self.inner.put_opts(at, data, opts).await;
        lost.map_or(result, |says| Err(told(says)))
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.look(at).await?;
        Ok(Box::new(FaultyUpload {
            inner: self.inner.put_multipart_opts(at, opts).await?,
            shaking: Arc::clone(&self.shaking),
            at: at.clone(),
        }))
    }

    async fn get_opts(&self, at: &Path, options: GetOptions) -> Result<GetResult> {
        self.look(at).await?;
        self.inner.get_opts(at, options).await
    }

    async fn get_ranges(&self, at: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.look(at).await?;
        self.inner.get_ranges(at, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let shaking = Arc::clone(&self.shaking);
        let allowed = locations.and_then(move |at| {
            let shaking = Arc::clone(&shaking);
            async move {
                let told = shaking.look().await.and_then(|()| shaking.powered());
                told.map_err(|says| said(says, &at, Condition::Nothing))?;
                Ok(at)
            }
        });
        self.inner.delete_stream(allowed.boxed())
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listed.fetch_add(1, Ordering::Relaxed);
        self.allowed(prefix, self.inner.list(prefix))
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.allowed(prefix, self.inner.list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.look(&place(prefix)).await?;
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let condition = match options.mode {
            CopyMode::Create => Condition::Absent,
            CopyMode::Overwrite => Condition::Nothing,
        };
        let told = |says| said(says, to, condition);
        let lost = self
            .shaking
            .turn(condition != Condition::Nothing)
            .await
            .map_err(told)?;
        let result = self.inner.copy_opts(from, to, options).await;
        lost.map_or(result, |says| Err(told(says)))
    }
}
