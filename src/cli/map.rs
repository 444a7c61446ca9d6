//! Arguments of the commands about mapping files.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `callboard map`.
#[derive(Debug, Subcommand)]
pub enum MapCommand {
    /// Try a mapping file with a sample: events, errors, parts that nothing reads.
    Try(TryArgs),
    /// List the mappings that come with callboard, and how sure each is.
    #[command(after_help = "Examples:\n  callboard map list\n  callboard map list --json")]
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print a mapping that comes with callboard, to change it.
    #[command(after_help = "Example:\n  callboard map show landis > data/mappings/landis.toml")]
    Show {
        /// Its name.
        name: String,
    },
    /// Propose a mapping file for a CSV export.
    Guess(GuessArgs),
    /// Run mappings for a server, which asks by the standard input.
    #[command(hide = true, after_help = "Example:\n  callboard map run")]
    Run,
}

/// `callboard map try`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Exit status 1 when the file cannot be used, a test in it fails, an item cannot be read, or\nnothing in the sample is an item: then all that stands there is told as unread.\nA part of an item counts as unread when no event changes while it is left out or changed.\n\nExamples:\n  callboard map try my.toml sample.json\n  callboard map try landis webhook.json --instance north --json\n  callboard map try my.toml                 only the tests in the file"
)]
pub struct TryArgs {
    /// The mapping file, or the name of one that comes with callboard.
    #[arg(value_name = "FILE")]
    pub mapping: PathBuf,
    /// What the system sent or exported; `-` for the standard input.
    #[arg(value_name = "SAMPLE")]
    pub sample: Option<PathBuf>,
    /// Instance that a source would declare.
    #[arg(long, value_name = "NAME", default_value = "")]
    pub instance: String,
    /// IANA zone that a source would declare of times that have none.
    #[arg(long, value_name = "ZONE", default_value = "")]
    pub zone: String,
    /// Everything as one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// `callboard map guess`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "The proposal goes to the standard output. Look it over, above all the lines that begin with #.\n\nExample:\n  callboard map guess calls.csv > my.toml && callboard map try my.toml calls.csv"
)]
pub struct GuessArgs {
    /// The export, with a line of names.
    #[arg(value_name = "FILE.csv")]
    pub file: PathBuf,
    /// Name of the mapping [default: the file's].
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
}
