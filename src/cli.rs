//! The command line: what can be said, with an example for each. What it does is in `commands`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

mod ask;
mod map;
mod send;
mod simulate;
mod upkeep;

pub use ask::{ExplainArgs, ExportCommand, ExportVconArgs, Format, SourcesArgs, SqlArgs};
pub use map::{GuessArgs, MapCommand, TryArgs};
pub use send::{SendArgs, SourceKind};
pub use simulate::{DisorderArg, SimulateArgs, VerifyArgs};
pub use upkeep::{BackupArgs, DoctorArgs, EraseArgs, RestoreArgs};

/// Contact-centre analytics: telephone events and recordings in; board, transcripts, reports and
/// SQL out.
#[derive(Debug, Parser)]
#[command(
    name = "callboard",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = "Begin with:\n  callboard demo                       a recorded shift, replayed in your browser\n  callboard serve --data ./data        a server of your own\n  callboard send --source asterisk /var/log/asterisk"
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve: take events, show pages, answer SQL.
    Serve(Box<ServeArgs>),
    /// Send files of a platform, or events, to a server.
    Send(Box<SendArgs>),
    /// Recordings.
    #[command(subcommand)]
    Recording(RecordingCommand),
    /// Ask a server in SQL.
    Sql(SqlArgs),
    /// Show a server's sources: which one is live, silent, or was never heard.
    Sources(SourcesArgs),
    /// Transcribe recordings here, without a server.
    Transcribe(TranscribeArgs),
    /// Show which records made a contact, and what became of them.
    Explain(ExplainArgs),
    /// Write contacts in another form.
    #[command(subcommand)]
    Export(ExportCommand),
    /// Make all rows anew from the records of a data folder, with today's adapters.
    #[command(
        after_help = "The server of that folder must be stopped.\n\nExample:\n  callboard rebuild --data ./data"
    )]
    Rebuild {
        /// Data folder.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Configuration file, where it says that the lake is elsewhere
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Copy a server's data folder while the server goes on.
    Backup(BackupArgs),
    /// Put a backup back as a data folder.
    Restore(RestoreArgs),
    /// Say what is wrong with a data folder, and what to do.
    Doctor(DoctorArgs),
    /// Erase everything of one customer, and prove it.
    Erase(EraseArgs),
    /// Serve a recorded real shift, replayed as if it happened now.
    Demo(DemoArgs),
    /// Write the events of a contact centre that never was, and the truth beside them.
    Simulate(SimulateArgs),
    /// Hold a server's tables against the truth of a simulation.
    Verify(VerifyArgs),
    /// Speech models.
    #[command(subcommand)]
    Model(ModelCommand),
    /// Mapping files, which say how any other system is read.
    #[command(subcommand)]
    Map(MapCommand),
    /// The configuration file.
    #[command(subcommand)]
    Config(ConfigCommand),
}

/// `callboard serve`.
#[derive(Debug, Clone, Default, Args)]
#[command(
    after_help = "Examples:\n  callboard serve --data ./data\n  callboard serve --config /etc/callboard.toml\n  callboard serve --data ./data --http 127.0.0.1:9000 --pg 127.0.0.1:5434\n\nThen open http://127.0.0.1:8080, and ask: psql -h 127.0.0.1 -p 5433 callboard\nSIGTERM or ctrl-c stops it cleanly."
)]
pub struct ServeArgs {
    /// Data folder; made when it is not there.
    #[arg(long, value_name = "DIR", env = "CALLBOARD_DATA")]
    pub data: Option<PathBuf>,
    /// Where pages and doors listen [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDRESS", env = "CALLBOARD_HTTP")]
    pub http: Option<SocketAddr>,
    /// Where the PostgreSQL wire listens [default: 127.0.0.1:5433].
    #[arg(long, value_name = "ADDRESS", env = "CALLBOARD_PG")]
    pub pg: Option<SocketAddr>,
    /// Configuration file; see `callboard config default`.
    #[arg(long, value_name = "FILE", env = "CALLBOARD_CONFIG")]
    pub config: Option<PathBuf>,
}

/// Where a server is.
#[derive(Debug, Clone, Args)]
pub struct To {
    /// The server; a user and password may stand in the URL.
    #[arg(
        long = "to",
        value_name = "URL",
        env = "CALLBOARD_URL",
        default_value = "http://127.0.0.1:8080"
    )]
    pub url: String,
}

/// `callboard recording`.
#[derive(Debug, Subcommand)]
pub enum RecordingCommand {
    /// Send one recording of a contact.
    Put(PutArgs),
}

/// Leg of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LegArg {
    /// The agent.
    Agent,
    /// The customer.
    Customer,
    /// Two channels: customer left, agent right.
    Both,
    /// One channel that holds both.
    Mixed,
}

/// `callboard recording put`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  callboard recording put --contact pbx1-1795253950.1 --leg agent out.wav\n  callboard recording put --contact c-17 --leg both --started-at 2026-03-02T09:15:04Z call.flac"
)]
pub struct PutArgs {
    /// The contact, or the platform's id of it.
    #[arg(long, value_name = "ID")]
    pub contact: String,
    /// Who is heard.
    #[arg(long, value_enum)]
    pub leg: LegArg,
    /// Start of the recording, RFC 3339 or seconds since 1970.
    #[arg(long, value_name = "TIME")]
    pub started_at: Option<String>,
    /// Queue.
    #[arg(long)]
    pub queue: Option<String>,
    /// Agent.
    #[arg(long)]
    pub agent: Option<String>,
    /// It is a message left in a mailbox.
    #[arg(long)]
    pub voicemail: bool,
    /// The server.
    #[command(flatten)]
    pub to: To,
    /// WAV, FLAC, MP3 or OGG.
    pub file: PathBuf,
}

/// Form of a transcript.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TranscriptFormat {
    /// For people.
    Text,
    /// Everything that was found.
    Json,
    /// WebVTT captions.
    Vtt,
}

/// `callboard transcribe`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Two files whose names end in -rx and -tx, or -customer and -agent, are legs of one conversation;\nany other file is a recording of its own. Card numbers are masked.\n\nExamples:\n  callboard transcribe call.wav\n  callboard transcribe --format vtt sales-1795253950.1-rx.flac sales-1795253950.1-tx.flac\n  callboard transcribe --model ggml-base.en.bin --format json *.mp3"
)]
pub struct TranscribeArgs {
    /// A ggml Whisper model; the one that comes with callboard when left away.
    #[arg(long, value_name = "PATH", env = "CALLBOARD_MODEL")]
    pub model: Option<PathBuf>,
    /// Form of the transcript.
    #[arg(long, value_enum, default_value_t = TranscriptFormat::Text)]
    pub format: TranscriptFormat,
    /// Threads.
    #[arg(long, default_value_t = 1)]
    pub threads: usize,
    /// Recordings.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// `callboard demo`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Example:\n  callboard demo --speed 20\n\nThe shift took 22 minutes; at speed 20 it takes about one."
)]
pub struct DemoArgs {
    /// How much faster than it happened.
    #[arg(long, default_value_t = 20.0)]
    pub speed: f64,
    /// Where pages and doors listen.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub http: SocketAddr,
    /// Where the PostgreSQL wire listens.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5433")]
    pub pg: SocketAddr,
    /// Data folder; a fresh one that is removed at the end when left away.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// `callboard model`.
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// List the models whose bytes are known.
    #[command(after_help = "Example:\n  callboard model list")]
    List {
        /// Folder in which downloads lie.
        #[arg(long, value_name = "DIR", env = "CALLBOARD_MODELS")]
        models: Option<PathBuf>,
    },
    /// Download a model; goes on where it stopped, and checks its hash.
    #[command(
        after_help = "Example:\n  callboard model download base.en\n  callboard transcribe --model ~/.local/share/callboard/models/ggml-base.en.bin call.wav"
    )]
    Download {
        /// Name, as listed.
        name: String,
        /// Folder to put it in.
        #[arg(long, value_name = "DIR", env = "CALLBOARD_MODELS")]
        models: Option<PathBuf>,
    },
}

/// `callboard config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Say what is wrong with a configuration, without starting anything.
    #[command(after_help = "Example:\n  callboard config check --config callboard.toml")]
    Check {
        /// The file [default: callboard.toml if it is there].
        #[arg(long, value_name = "FILE", env = "CALLBOARD_CONFIG")]
        config: Option<PathBuf>,
    },
    /// Print a file with every key and its default.
    #[command(after_help = "Example:\n  callboard config default > callboard.toml")]
    Default,
    /// Hash a password from the standard input, for [[user]].
    #[command(after_help = "Example:\n  printf %s \"$PASSWORD\" | callboard config password")]
    Password,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definitions_hold_together_and_every_command_has_an_example() {
        Cli::command().debug_assert();
        let mut open: Vec<clap::Command> = Cli::command().get_subcommands().cloned().collect();
        while let Some(command) = open.pop() {
            let below: Vec<_> = command.get_subcommands().cloned().collect();
            if below.is_empty() {
                let help = command
                    .get_after_help()
                    .map(ToString::to_string)
                    .unwrap_or_default();
                assert!(
                    help.contains("callboard "),
                    "{} has no example",
                    command.get_name()
                );
            }
            open.extend(below);
        }
    }

    #[test]
    fn the_promised_forms_are_read() {
        for line in [
            "serve --data d --http 127.0.0.1:8080 --pg 127.0.0.1:5433 --config f",
            "send --source asterisk --to http://h --follow a b",
            "send --source events FILE.ndjson",
            "send --source amazon-connect --instance i-1 --to http://h folder",
            "send --source mapping:cxone export.csv",
            "sources --to http://h --json",
            "recording put --contact c --leg customer --to http://h f.wav",
            "sql --to http://h --format json SELECT",
            "transcribe --model m --format vtt a.wav b.wav",
            "explain c --to http://h",
            "explain c --as-of 2026-11-22T10:00:00Z",
            "explain --queue sales --at 2026-11-22T09:15:00Z",
            "explain --queue sales --at 2026-11-22T09:15:00Z --as-of 2026-11-22T10:00:00Z",
            "sql --as-of 2026-11-22T10:00:00Z SELECT",
            "rebuild --data d",
            "doctor --data d --quick",
            "backup --to http://h d.tar",
            "restore d.tar --data d",
            "erase --customer +4930123 --contact c-1 --to http://h --dry-run",
            "demo --speed 20",
            "simulate --seed 42 --contacts 1000 --out d --disorder wild --poison 0.01 --stream",
            "simulate --contacts 10000000 --until-day 41 --stream --out d",
            "verify --truth d --to http://h",
            "model list",
            "model download base.en",
            "config check",
        ] {
            let words = std::iter::once("callboard").chain(line.split(' '));
            assert!(Cli::try_parse_from(words).is_ok(), "{line}");
        }
    }
}
