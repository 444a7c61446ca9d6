//! Commands of those who look after a data folder.

use std::path::PathBuf;

use clap::Args;

/// `callboard doctor`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "The server of that folder must be stopped. Nothing is changed. The exit code is 0 when nothing is\ndamaged, else 1.\n\nExamples:\n  callboard doctor --data ./data\n  callboard doctor --data ./data --quick"
)]
pub struct DoctorArgs {
    /// Data folder.
    #[arg(long, value_name = "DIR", env = "CALLBOARD_DATA")]
    pub data: PathBuf,
    /// Configuration file, where it says that the lake is elsewhere.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Read every file, but do not make every row anew to compare it with the records, which takes
    /// as much memory as the records.
    #[arg(long)]
    pub quick: bool,
}

/// `callboard backup`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "The server goes on meanwhile. What it acknowledged before the command is in the backup. Downloaded\nmodels are not, nor a lake that is not in a folder.\n\nExamples:\n  callboard backup /backups/callboard-2026-03-02.tar\n  callboard backup --to https://ana:PASSWORD@callboard.example --replace latest.tar"
)]
pub struct BackupArgs {
    /// File to write.
    pub file: PathBuf,
    /// Replace the file if it is there.
    #[arg(long)]
    pub replace: bool,
    /// The server.
    #[command(flatten)]
    pub to: super::To,
}

/// `callboard restore`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Every file is held against the backup's own list before the folder gets its name.\n\nExample:\n  callboard restore /backups/callboard-2026-03-02.tar --data ./data"
)]
pub struct RestoreArgs {
    /// A file that `callboard backup` wrote.
    pub file: PathBuf,
    /// Data folder to make; must not be there, or be empty.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
}

/// `callboard erase`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Records, rows, recordings, transcripts, dead letters, older versions of the tables and the log are\nrid of it while the server goes on; then everything is searched. The exit code is 1 when something\nis found. Backups made before still hold it.\n\nExamples:\n  callboard erase --customer +4930123 --dry-run\n  callboard erase --customer +4930123 --customer \"Anna Weber\"\n  callboard erase --contact pbx1-1795253950.1 --to https://ana:PASSWORD@callboard.example"
)]
pub struct EraseArgs {
    /// An address or a name of the customer, as the platforms write it; may be given again.
    #[arg(long = "customer", value_name = "TEXT", allow_hyphen_values = true)]
    pub customers: Vec<String>,
    /// A contact, or the platform's id of it; may be given again.
    #[arg(long = "contact", value_name = "ID")]
    pub contacts: Vec<String>,
    /// Only say what would go.
    #[arg(long)]
    pub dry_run: bool,
    /// Print the server's report as JSON.
    #[arg(long)]
    pub json: bool,
    /// The server.
    #[command(flatten)]
    pub to: super::To,
}
