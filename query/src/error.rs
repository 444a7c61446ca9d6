//! What a query can fail with: a class that every door answers in its own way, and a sentence.

use datafusion::error::DataFusionError;

/// Why a query was refused or stopped. Each has a SQLSTATE and an HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// The text is not SQL.
    Syntax,
    /// SQL that names something unknown or does not fit together.
    Invalid,
    /// A value that cannot be computed, e.g. a text that is not a number.
    Value,
    /// A value that a setting cannot have.
    Setting,
    /// Anything but reading.
    ReadOnly,
    /// Nested too deeply, too long, or a join without an equality over too many rows.
    TooComplex,
    /// More rows than the row limit.
    TooManyRows,
    /// Longer than the time limit.
    Timeout,
    /// Cancelled by the one who asked.
    Cancelled,
    /// More memory than the memory limit.
    Memory,
    /// As many queries as allowed are running.
    Busy,
    /// Known in PostgreSQL and not offered here.
    Unsupported,
    /// The server is stopping.
    Stopping,
    /// A fault of ours.
    Internal,
}

impl Class {
    /// The five characters that PostgreSQL clients know.
    pub fn sqlstate(self) -> &'static str {
        match self {
            Class::Syntax => "42601",
            Class::Invalid => "42P01",
            Class::Value => "22000",
            Class::Setting => "22023",
            Class::ReadOnly => "25006",
            Class::TooComplex => "54001",
            Class::TooManyRows => "54000",
            Class::Timeout | Class::Cancelled => "57014",
            Class::Memory => "53200",
            Class::Busy => "53300",
            Class::Unsupported => "0A000",
            Class::Stopping => "57P01",
            Class::Internal => "XX000",
        }
    }

    /// The status that HTTP answers with.
    pub fn status(self) -> u16 {
        match self {
            Class::Syntax | Class::Invalid | Class::Value | Class::Setting | Class::Unsupported => {
                400
            }
            Class::ReadOnly => 403,
            Class::TooComplex | Class::TooManyRows | Class::Memory => 422,
            Class::Timeout => 504,
            Class::Cancelled => 499,
            Class::Busy => 429,
            Class::Stopping => 503,
            Class::Internal => 500,
        }
    }

    /// One word, for counting and for problem documents.
    pub fn word(self) -> &'static str {
        match self {
            Class::Syntax => "syntax",
            Class::Invalid => "invalid",
            Class::Value => "value",
            Class::Setting => "setting",
            Class::ReadOnly => "read_only",
            Class::TooComplex => "too_complex",
            Class::TooManyRows => "too_many_rows",
            Class::Timeout => "timeout",
            Class::Cancelled => "cancelled",
            Class::Memory => "memory",
            Class::Busy => "busy",
            Class::Unsupported => "unsupported",
            Class::Stopping => "stopping",
            Class::Internal => "internal",
        }
    }
}

/// A refused or stopped query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// Which kind.
    pub class: Class,
    /// What, where, and what to do.
    pub message: String,
}

impl QueryError {
    /// An error of that class.
    pub fn new(class: Class, message: impl Into<String>) -> Self {
        QueryError {
            class,
            message: message.into(),
        }
    }

    /// The five characters that PostgreSQL clients know; finer than the class where the text
    /// of the planner tells more.
    pub fn sqlstate(&self) -> &'static str {
        if self.class == Class::Invalid {
            let m = &self.message;
            if m.contains("No field named") || m.contains("column '") {
                return "42703";
            }
            if m.contains("Invalid function") {
                return "42883";
            }
        }
        self.class.sqlstate()
    }
}

/// What the engine says when the disk that a query may spill to is used up, as an error of the disk.
const SPILL_LIMIT: &str = "max_temp_directory_size";

impl From<DataFusionError> for QueryError {
    fn from(error: DataFusionError) -> Self {
        // What we stopped ourselves comes back as we said it.
        if let DataFusionError::External(inner) = error.find_root()
            && let Some(own) = inner.downcast_ref::<QueryError>()
        {
            return own.clone();
        }
        let class = classify(&error);
        let mut message = error.strip_backtrace();
        if message.contains(SPILL_LIMIT) {
            return QueryError::new(
                Class::Memory,
                "the query needs more memory than the limit, and more disk beside it than its limit; \
                 narrow it",
            );
        }
        for noise in [
            "Error during planning: ",
            "SQL error: ",
            "Schema error: ",
            "External error: ",
        ] {
            if let Some(rest) = message.strip_prefix(noise) {
                message = rest.to_owned();
            }
        }
        QueryError { class, message }
    }
}

fn classify(error: &DataFusionError) -> Class {
    match error {
        DataFusionError::SQL(..) => Class::Syntax,
        DataFusionError::Plan(_) | DataFusionError::SchemaError(..) => Class::Invalid,
        DataFusionError::NotImplemented(_) => Class::Unsupported,
        DataFusionError::ResourcesExhausted(_) => Class::Memory,
        DataFusionError::ArrowError(..) | DataFusionError::Execution(_) => Class::Value,
        DataFusionError::Diagnostic(_, inner) | DataFusionError::Context(_, inner) => {
            classify(inner)
        }
        DataFusionError::Shared(inner) => classify(inner),
        DataFusionError::Collection(all) => all.first().map_or(Class::Internal, classify),
        _ => Class::Internal,
    }
}
