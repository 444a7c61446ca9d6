//! `callboard send`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use super::To;

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceKind {
    /// Asterisk's queue_log, CEL, CDR and AMI events as JSON lines.
    Asterisk,
    /// CloudEvents, one a line.
    Events,
    /// Documents for the source of that name.
    Documents(String),
}

impl FromStr for SourceKind {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        match word {
            "asterisk" => Ok(SourceKind::Asterisk),
            "events" => Ok(SourceKind::Events),
            "" => Err("the name of a source is missing".to_owned()),
            name if name.chars().all(plain) => Ok(SourceKind::Documents(name.to_owned())),
            _ => Err(
                "a source is a platform such as teams, or a name in the server's configuration"
                    .to_owned(),
            ),
        }
    }
}

/// `callboard send`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Files, folders and gzip are read; what each file holds is found by its content. What was\nacknowledged is remembered, so that the same command again goes on where it was. Documents of the\nother platforms go whole, one file a request (long tables in parts), and the server knows those that\nit has.\n\nExamples:\n  callboard send --source asterisk --instance pbx1 --follow /var/log/asterisk/queue_log\n  callboard send --source asterisk --zone Europe/Berlin /var/log/asterisk\n  callboard send --source events --to http://callboard.example:8080 events.ndjson.gz\n  callboard send --source amazon-connect --instance emea ./exports\n  callboard send --source sheet --instance planner --zone Europe/Berlin shifts.csv\n  CALLBOARD_SECRET=... callboard send --source flex --to https://callboard.example taskrouter.json"
)]
pub struct SendArgs {
    /// What the files are: asterisk, events, acs, amazon-connect, freeswitch, genesys, sheet,
    /// siprec, teams, twilio, vcon, mapping:NAME, or the name of a source that the server has.
    #[arg(long, value_name = "SOURCE")]
    pub source: SourceKind,
    /// The server.
    #[command(flatten)]
    pub to: To,
    /// Name of the platform's instance; it becomes part of contact ids [default: `default` for
    /// asterisk, else what the documents name].
    #[arg(long, value_name = "NAME")]
    pub instance: Option<String>,
    /// IANA zone of local times in the files [default: the server's configuration, else UTC].
    #[arg(long, value_name = "ZONE", default_value = "")]
    pub zone: String,
    /// What all named files hold, instead of looking: queue_log, cel, cdr, ami, ari.
    #[arg(long, value_name = "FEED")]
    pub feed: Option<String>,
    /// Order of columns of a CSV that was configured otherwise, comma-separated.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub columns: Vec<String>,
    /// Go on as the files grow, through rotation and truncation, until ctrl-c or SIGTERM.
    #[arg(long)]
    pub follow: bool,
    /// Send from the beginning, whatever is remembered; the server knows repeats.
    #[arg(long)]
    pub again: bool,
    /// Folder in which is remembered what was acknowledged.
    #[arg(long, value_name = "DIR", env = "CALLBOARD_STATE")]
    pub state: Option<PathBuf>,
    /// Give up when the server takes nothing for so long, seconds; with --follow never.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub patience: u64,
    /// File that holds the secret of a source that has one; else CALLBOARD_SECRET does.
    #[arg(long, value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
    /// Files and folders.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

impl SendArgs {
    /// The instance of feeds that are read line by line.
    pub fn line_instance(&self) -> &str {
        self.instance.as_deref().unwrap_or("default")
    }
}
