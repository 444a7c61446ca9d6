//! Looking at a lake without changing it: every file against its checksum, every table's files
//! against what its log says of them.

use std::io;
use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;

use callboard_model::tables::TableSpec;
use deltalake::arrow::array::RecordBatch;
use deltalake::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use deltalake::{DeltaTable, DeltaTableError};
use object_store::ObjectStore;
use object_store::ObjectStoreExt as _;
use object_store::path::Path;

use super::localstore::SyncedFiles;
use super::sums::{self, Sums};
use super::table::{applied_in, builder};
use super::{ASIDE, LakeError, LakeOptions, locate, remote, scan, table_url};
use crate::backup::LINKS;

/// What is wrong with a file or table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The table it belongs to, where it belongs to one.
    pub table: Option<&'static str>,
    /// File or table, as a path or URL.
    pub place: String,
    /// What is wrong.
    pub what: String,
}

/// What was found of the files of a local lake.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilesLook {
    /// Files that were read.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Of these, files without checksums.
    pub unsummed: usize,
    /// Those that are damaged.
    pub faults: Vec<Fault>,
    /// Where tables were put aside; what lies there is not looked at.
    pub aside: Option<PathBuf>,
}

/// What was found of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableLook {
    /// Whether it can be opened.
    pub opens: bool,
    /// Version of the table.
    pub version: i64,
    /// Last flush that it has; -1 when none.
    pub applied: i64,
    /// Data files.
    pub files: usize,
    /// Rows in them.
    pub rows: usize,
    /// What is wrong.
    pub faults: Vec<Fault>,
}

/// A lake that is only looked at.
pub struct Looking {
    url: url::Url,
    folder: Option<PathBuf>,
    store: Arc<dyn ObjectStore>,
    options: LakeOptions,
}

impl Looking {
    /// At the lake of this folder or URL.
    ///
    /// # Errors
    /// [`LakeError::Place`].
    pub fn open(place: &str, options: LakeOptions) -> Result<Self, LakeError> {
        let (url, folder) = locate(place)?;
        let store: Arc<dyn ObjectStore> = match &folder {
            Some(folder) => Arc::new(SyncedFiles::new(folder)),
            None => remote::store(place, &url, &options.storage_options)?,
        };
        Ok(Looking {
            url,
            folder,
            store,
            options,
        })
    }

    /// Every file of a local lake against its checksums; None where the lake is elsewhere.
    ///
    /// # Errors
    /// When a folder cannot be listed.
    pub fn files(&self) -> io::Result<Option<FilesLook>> {
        let Some(root) = &self.folder else {
            return Ok(None);
        };
        let mut look = FilesLook::default();
        let sums = Sums::new(root);
        let mut open = vec![root.clone()];
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(&folder)? {
                let entry = entry?;
                let path = entry.path();
                let name = entry.file_name().to_string_lossy().into_owned();
                if entry.file_type()?.is_dir() {
                    match name.as_str() {
                        sums::FOLDER | LINKS => {}
                        ASIDE if folder == *root => look.aside = Some(path),
                        _ => open.push(path),
                    }
                    continue;
                }
                look.files += 1;
                look.bytes += entry.metadata()?.len();
                match sums.get(&path) {
                    None => look.unsummed += usize::from(name != sums::HINT),
                    Some(table) => {
                        if let Err(error) = table.check(&path) {
                            look.faults.push(Fault {
                                table: table_of(root, &path),
                                place: path.display().to_string(),
                                what: error.to_string(),
                            });
                        }
                    }
                }
            }
        }
        look.faults.sort_by(|a, b| a.place.cmp(&b.place));
        Ok(Some(look))
    }

    async fn table(&self, spec: &TableSpec) -> Result<(DeltaTable, i64), DeltaTableError> {
        let location =
            table_url(&self.url, spec.name).map_err(|e| DeltaTableError::generic(e.to_string()))?;
        let mut table = builder(&location, Some(&self.store), &self.options)?;
        table.load().await?;
        let applied = applied_in(&table, &self.options.application).await?;
        Ok((table, applied))
    }

    /// A table's files against what its log says of them; every row is read.
    pub async fn files_of(&self, spec: &'static TableSpec) -> TableLook {
        let mut look = TableLook {
            applied: -1,
            ..TableLook::default()
        };
        let place = self.place(spec.name);
        let (table, applied) = match self.table(spec).await {
            Ok(table) => table,
            Err(error) => {
                let what = format!("the table cannot be opened: {}", chain(&error));
                let table = Some(spec.name);
                look.faults.push(Fault { table, place, what });
                return look;
            }
        };
        look.opens = true;
        look.applied = applied;
        look.version = i64::try_from(table.version().unwrap_or_default()).unwrap_or(i64::MAX);
        let Ok(state) = table.snapshot() else {
            return look;
        };
        let store = table.object_store();
        for file in state.log_data().iter() {
            look.files += 1;
            let path = file.path().into_owned();
            let told = (file.size(), file.num_records());
            match read(store.as_ref(), &path, told).await {
                Ok(rows) => look.rows += rows,
                Err(what) => look.faults.push(Fault {
                    table: Some(spec.name),
                    place: format!("{place}/{path}"),
                    what,
                }),
            }
        }
        look
    }

    /// The lake's folder, where it is in one.
    pub(super) fn folder(&self) -> Option<&FsPath> {
        self.folder.as_deref()
    }

    fn place(&self, table: &str) -> String {
        match &self.folder {
            Some(folder) => folder.join(table).display().to_string(),
            None => format!("{}/{table}", self.url),
        }
    }

    /// All rows of a table, batch by batch.
    ///
    /// # Errors
    /// [`LakeError`]; a batch that `each` refuses ends it.
    pub async fn rows(
        &self,
        spec: &'static TableSpec,
        each: &(dyn Fn(RecordBatch) + Sync),
    ) -> Result<(), LakeError> {
        let (table, _) = self
            .table(spec)
            .await
            .map_err(|e| super::table::delta(spec, "opening", e))?;
        scan::read(spec, table, None, &|batch| {
            let none = batch.slice(0, 0);
            each(batch);
            Ok(none)
        })
        .await
        .map(|_| ())
    }
}

/// The table to which a file below the lake's folder belongs.
fn table_of(root: &FsPath, file: &FsPath) -> Option<&'static str> {
    let below = file.strip_prefix(root).ok()?;
    let first = below.components().next()?.as_os_str().to_str()?;
    callboard_model::tables::table(first).map(|spec| spec.name)
}

impl sums::Table {
    fn check(&self, path: &FsPath) -> io::Result<()> {
        const STEP: u64 = 4 << 20;
        let file = std::fs::File::open(path)?;
        let length = file.metadata()?.len();
        // At least once: an empty file may not have been empty.
        let mut at = 0;
        loop {
            let next = (at + STEP).min(length);
            sums::checked(&file, self, at..next)?;
            if next >= length {
                return Ok(());
            }
            at = next;
        }
    }
}

/// Reads one data file whole; gives its rows.
async fn read(
    store: &dyn ObjectStore,
    path: &str,
    told: (i64, Option<usize>),
) -> Result<usize, String> {
    let location = Path::parse(path).map_err(|e| e.to_string())?;
    let bytes = async { store.get(&location).await?.bytes().await };
    let bytes = bytes.await.map_err(|e| chain(&e))?;
    if bytes.len() as i64 != told.0 {
        return Err(format!(
            "it has {} bytes, the table's log says {}",
            bytes.len(),
            told.0
        ));
    }
    let counted = tokio::task::spawn_blocking(move || -> Result<usize, String> {
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes)
            .and_then(|b| b.build())
            .map_err(|e| e.to_string())?;
        let mut rows = 0;
        for batch in reader {
            rows += batch.map_err(|e| e.to_string())?.num_rows();
        }
        Ok(rows)
    });
    let rows = counted.await.map_err(|e| e.to_string())??;
    match told.1 {
        Some(should) if should != rows => {
            Err(format!("it has {rows} rows, the table's log says {should}"))
        }
        _ => Ok(rows),
    }
}

/// An error with all that caused it, once each.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        next = cause.source();
    }
    text
}
