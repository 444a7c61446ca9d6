//! What lies in a folder behind a name. The Delta writer asks this of a table's log at each commit
//! and wants the one or two newest files; the usual local store makes a path of every file there is,
//! so that each commit would cost more than the one before.

use std::io;
use std::path::Path as FsPath;

use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore as _, ObjectStoreExt as _, Result};

use super::blocking;

/// More files than this are left to the usual store, which reads their facts in one go.
const FEW: usize = 64;

/// Whether Delta's hint leads to a checkpoint. One whose bytes changed is as good as none: the
/// checkpoints are found without it, and behind a version that is not there nothing would be.
///
/// # Errors
/// Not found, when it does not.
pub(super) fn leads(hint: &FsPath) -> io::Result<()> {
    #[derive(serde::Deserialize)]
    struct Hint {
        version: u64,
    }
    let nowhere = || io::Error::from(io::ErrorKind::NotFound);
    let read: std::result::Result<Hint, _> = serde_json::from_slice(&std::fs::read(hint)?);
    let Hint { version } = read.map_err(|_| nowhere())?;
    let folder = hint.parent().ok_or_else(nowhere)?;
    let start = format!("{version:020}.checkpoint");
    if folder.join(format!("{start}.parquet")).exists() {
        return Ok(());
    }
    // In parts, as other writers do.
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.starts_with(&start) && name.ends_with(".parquet") {
            return Ok(());
        }
    }
    Err(nowhere())
}

/// The objects below `prefix` whose paths come behind `offset`, in no order.
pub(super) fn list(
    files: LocalFileSystem,
    prefix: Option<&Path>,
    offset: &Path,
) -> BoxStream<'static, Result<ObjectMeta>> {
    let usual = files.list_with_offset(prefix, offset);
    let Some((folder, after)) = prefix.and_then(|p| Some((p.clone(), last(p, offset)?))) else {
        return usual;
    };
    stream::once(async move {
        let place = files.path_to_filesystem(&folder)?;
        let names = blocking(place, move |place| few(place, &after)).await?;
        let Some(names) = names else {
            return Ok(usual);
        };
        let found = stream::iter(names).filter_map(move |name| {
            let (files, at) = (files.clone(), folder.clone().join(name));
            async move {
                match files.head(&at).await {
                    // It went between the two looks, as in any listing.
                    Err(object_store::Error::NotFound { .. }) => None,
                    found => Some(found),
                }
            }
        });
        Ok(found.boxed())
    })
    .flat_map(|opened| match opened {
        Ok(found) => found,
        Err(error) => stream::once(async { Err(error) }).boxed(),
    })
    .boxed()
}

/// The name in the folder `prefix` that `offset` is, when it is one.
fn last(prefix: &Path, offset: &Path) -> Option<String> {
    let mut parts = offset.prefix_match(prefix)?;
    let name = parts.next()?.as_ref().to_owned();
    (parts.next().is_none() && is_plain(&name)).then_some(name)
}

/// Names that mean the same as a path of an object and as a file's name.
fn is_plain(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    !name.is_empty() && !name.starts_with("..") && name != "." && name.bytes().all(plain)
}

/// The files of a folder behind a name; `None` when they are many, or one is no plain file.
fn few(folder: &std::path::Path, after: &str) -> std::io::Result<Option<Vec<String>>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Some(Vec::new())),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        // Most of a log lies before. What is in a folder of such a name does too, unless the name
        // is the beginning of `after`.
        let bytes = name.as_encoded_bytes();
        if bytes < after.as_bytes() && !after.as_bytes().starts_with(bytes) {
            continue;
        }
        let plain = name.to_str().filter(|name| is_plain(name));
        match plain {
            // A write that is under way: its name is none yet.
            None if name.to_str().is_some_and(is_staged) => {}
            _ if !entry.file_type()?.is_file() => return Ok(None),
            None => return Ok(None),
            Some(name) if name > after => names.push(name.to_owned()),
            Some(_) => {}
        }
        if names.len() > FEW {
            return Ok(None);
        }
    }
    Ok(Some(names))
}

/// Whether a file was not given its name yet.
pub(super) fn is_staged(name: &str) -> bool {
    name.rsplit_once('#')
        .is_some_and(|(_, n)| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}
