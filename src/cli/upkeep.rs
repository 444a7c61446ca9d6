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
