//! Lakes that are not on local disk. Which stores are known is a matter of how the program was
//! built: `memory` always, `s3`, `azure` and `gcs` with the features of these names.

use std::collections::HashMap;
use std::sync::Arc;

use deltalake::DeltaResult;
use deltalake::logstore::{
    LogStore, LogStoreFactory, ObjectStoreRef, StorageConfig, default_logstore, logstore_factories,
};
use object_store::ObjectStore;
use url::Url;

use super::{LakeError, bad_place};

/// Commits by writing a numbered object that must not exist yet, which every store that the
/// `object_store` crate knows can do.
struct PutIfAbsent;

impl LogStoreFactory for PutIfAbsent {
    fn with_options(
        &self,
        prefixed: ObjectStoreRef,
        root: ObjectStoreRef,
        location: &Url,
        options: &StorageConfig,
    ) -> DeltaResult<Arc<dyn LogStore>> {
        Ok(default_logstore(prefixed, root, location, options))
    }
}

/// The store behind a URL, rooted at `/`.
pub(super) fn store(
    place: &str,
    url: &Url,
    options: &HashMap<String, String>,
) -> Result<Arc<dyn ObjectStore>, LakeError> {
    let (store, _) = object_store::parse_url_opts(url, options).map_err(|error| {
        bad_place(
            place,
            format!("{error}; known are local folders and the object stores this was built with"),
        )
    })?;
    let scheme = Url::parse(&format!("{}://", url.scheme()))
        .map_err(|error| bad_place(place, error.to_string()))?;
    logstore_factories()
        .entry(scheme)
        .or_insert_with(|| Arc::new(PutIfAbsent));
    Ok(Arc::from(store))
}
