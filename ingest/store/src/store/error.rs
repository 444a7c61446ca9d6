//! Why the store does not open, or a flush fails.

/// What can go wrong below.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The data folder.
    #[error(transparent)]
    Folder(#[from] crate::datafolder::DataFolderError),
    /// The log.
    #[error(transparent)]
    Log(#[from] crate::log::LogError),
    /// The lake.
    #[error(transparent)]
    Lake(#[from] crate::lake::LakeError),
    /// A file of the store.
    #[error("the data folder cannot be read or written: {0}")]
    Io(#[from] std::io::Error),
    /// Log, state and lake are of different times: what comes next would be taken for known.
    #[error("{0}; restore log, state and lake from the same backup")]
    Ages(String),
    /// A rebuild has put these tables aside and has not made them anew yet.
    #[error(
        "a rebuild was cut off before it had made all rows of {0} anew; run `callboard rebuild` again"
    )]
    Unfinished(String),
    /// Why rows cannot be made anew.
    #[error("{0}")]
    Rebuild(String),
    /// Why tables that are queries over others could not be made.
    #[error("tables of intervals could not be made: {0}")]
    Derive(String),
    /// An entry of the log that this program cannot read.
    #[error(transparent)]
    Codec(#[from] crate::live::codec::CodecError),
    /// Records were taken in by halves: only a restart, which reads them again, tells what they say.
    #[error("a fault in the program ended the reading of records; restart")]
    Torn,
    /// Rows that do not fit their table.
    #[error("rows do not fit their table: {0}")]
    Rows(#[from] deltalake::arrow::error::ArrowError),
}
