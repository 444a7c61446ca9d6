//! Questions: `callboard sql`, `callboard explain`, `callboard export` and `callboard sources`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::To;

/// Form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// An array of objects.
    Json,
    /// Comma-separated, with a heading.
    Csv,
}

/// `callboard sql`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  callboard sql \"SELECT queue, outcome, count(*) FROM contacts GROUP BY 1, 2 ORDER BY 1, 2\"\n  callboard sql --format csv \"SELECT * FROM queue_intervals\" > intervals.csv\n  echo \"SELECT now()\" | callboard sql -\n  callboard sql --as-of 2026-11-22T10:00:00Z \"SELECT count(*) FROM contacts\""
)]
pub struct SqlArgs {
    /// The server.
    #[command(flatten)]
    pub to: To,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Ask what was known at that moment: RFC 3339, or a time of UTC.
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<String>,
    /// The query; `-` reads it from the standard input.
    pub sql: String,
}

/// `callboard explain`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  callboard explain pbx1-1795253950.1\n  callboard explain --as-of 2026-11-22T10:00:00Z pbx1-1795253950.1\n  callboard explain --queue sales --at 2026-11-22T09:15:00Z --as-of 2026-11-22T10:00:00Z"
)]
pub struct ExplainArgs {
    /// The contact.
    #[arg(required_unless_present = "queue", conflicts_with = "queue")]
    pub contact: Option<String>,
    /// Explain the figures of this queue in an interval, instead of a contact.
    #[arg(long, value_name = "QUEUE", requires = "at")]
    pub queue: Option<String>,
    /// The interval: the quarter of an hour in which this moment lies, RFC 3339 or a time of UTC.
    #[arg(long, value_name = "INTERVAL", requires = "queue")]
    pub at: Option<String>,
    /// Show what was known at that moment, what changed since, and by which records: RFC 3339, or
    /// a time of UTC.
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<String>,
    /// The server.
    #[command(flatten)]
    pub to: To,
}

/// `callboard export`.
#[derive(Debug, Clone, Subcommand)]
pub enum ExportCommand {
    /// Contacts as vCons, one JSON document a line.
    #[command(
        after_help = "Examples:\n  callboard export vcon pbx1-1795253950.1 > call.vcon.json\n  callboard export vcon --out ./vcons pbx1-1795253950.1 pbx1-1795253950.9"
    )]
    Vcon(ExportVconArgs),
}

/// `callboard export vcon`.
#[derive(Debug, Clone, Args)]
pub struct ExportVconArgs {
    /// The contacts.
    #[arg(required = true, value_name = "CONTACT")]
    pub contacts: Vec<String>,
    /// Write each into this folder, as UUID.vcon.json; made when it is not there.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// As they were known at that moment: RFC 3339, or a time of UTC.
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<String>,
    /// The server.
    #[command(flatten)]
    pub to: To,
}

/// `callboard sources`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "A source is live, silent (nothing came for longer than its silent_after), or was never heard.\n\nExamples:\n  callboard sources\n  callboard sources --to https://ana:PASSWORD@callboard.example --json"
)]
pub struct SourcesArgs {
    /// The server.
    #[command(flatten)]
    pub to: To,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}
