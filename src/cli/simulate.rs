//! Arguments of the simulator and of the check against its truth.

use std::path::PathBuf;

use callboard_datasets::simulate::{Platform, TABLES};
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};

use super::To;

/// What goes wrong between a platform and us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DisorderArg {
    /// Nothing.
    None,
    /// Late, repeated, shuffled and conflicting events and lost ends, as in a bad week.
    Mild,
    /// Ten times as much.
    Wild,
}

/// `callboard simulate`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "The folder gets events/SOURCE.ndjson to send, truth/TABLE/DAY.ndjson to compare with,\nand manifest.json with the hash of each file. The same seed gives the same bytes everywhere.\n\nExamples:\n  callboard simulate --seed 42 --contacts 1000 --out sim\n  callboard simulate --seed 7 --contacts 1000 --disorder wild --poison 0.01 --out sim\n  callboard simulate --seed 7 --contacts 1000 --late 0.5 --lost-ends 0.02 --out sim\n  callboard send --source events sim/events && callboard verify --truth sim\n  callboard simulate --seed 1 --contacts 1000000 --stream --out truth | zstd > events.ndjson.zst\n  callboard simulate --contacts 10000000 --until-day 41 --stream --out truth | zstd > events.ndjson.zst\n  callboard simulate --as amazon-connect --contacts 400 --out connect\n  curl --data-binary @connect/told/site1/contact-records.ndjson http://127.0.0.1:8080/v1/sources/amazon-connect"
)]
pub struct SimulateArgs {
    /// Seed.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Contacts that customers and campaigns begin; sites, queues, agents and days follow from it.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub contacts: u64,
    /// Folder to write to; it must be empty.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// What goes wrong on the way.
    #[arg(long, value_enum, default_value_t = DisorderArg::None)]
    pub disorder: DisorderArg,
    /// Share of lines that come late, one in 21 of them by up to 26 hours [default for this and the
    /// next four: what belongs to the disorder].
    #[arg(long, value_name = "RATE")]
    pub late: Option<f64>,
    /// Share of lines that come again, one in 16 of them after 24 to 30 hours.
    #[arg(long, value_name = "RATE")]
    pub repeated: Option<f64>,
    /// Share of events told again with other words, of those that can be.
    #[arg(long, value_name = "RATE")]
    pub conflicts: Option<f64>,
    /// Share of ends that never arrive.
    #[arg(long, value_name = "RATE")]
    pub lost_ends: Option<f64>,
    /// Lines among which one may stand anywhere.
    #[arg(long, value_name = "N")]
    pub shuffle: Option<u32>,
    /// Share of all lines that are no events, 0 to 0.9; blank lines are not counted [default: what
    /// belongs to the disorder].
    #[arg(long, value_name = "RATE")]
    pub poison: Option<f64>,
    /// What sources' clocks are wrong by at most, seconds; one is wrong by an hour [default: 0
    /// without disorder, else 3].
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub source_clock_skew: Option<u32>,
    /// Tells the day in this platform's own format instead of our events: its files in told/, what
    /// its ids stand for in names.ndjson.
    #[arg(
        long = "as",
        value_name = "PLATFORM",
        value_parser = PossibleValuesParser::new(Platform::ALL.iter().map(|p| p.as_str())),
        conflicts_with_all = ["disorder", "late", "repeated", "conflicts", "lost_ends", "shuffle", "poison", "source_clock_skew", "stream"]
    )]
    pub platform: Option<String>,
    /// First day. All days lie within 1990-01-04 to 2099-12-26: events of others are refused.
    #[arg(long, value_name = "DATE", default_value = callboard_datasets::simulate::FIRST_DAY)]
    pub first_day: String,
    /// Days [default: what suits the number of contacts].
    #[arg(long, value_name = "N")]
    pub days: Option<u16>,
    /// Play and write only the days up to the N-th, events and truth: the beginning of the simulation
    /// that --contacts and --days describe, whose contacts are shared out over all its days.
    #[arg(long, value_name = "N")]
    pub until_day: Option<u16>,
    /// Days of the same contact centre that went before and are not told: two runs with one seed
    /// are then one contact centre before and after.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub skip_days: u16,
    /// Talks and wrap-ups last so many times as long: a difference that is known.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    pub handle_time_factor: f64,
    /// Doors close at four in the morning instead of two, and a sixth of the customers come after
    /// midnight: contacts begin and end while clocks change.
    #[arg(long)]
    pub open_late: bool,
    /// Write events to the standard output instead of files.
    #[arg(long)]
    pub stream: bool,
    /// Threads [default: one a core].
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
}

/// `callboard verify`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "The server must hold what the simulation wrote and nothing else. The simulation must be whole: a\ntruth that is not as manifest.json says is refused. Ends that never came count as lost once the\nserver has noticed the silence, which takes about a minute: give it --wait.\n\nExamples:\n  callboard verify --truth sim\n  callboard verify --truth sim --to http://127.0.0.1:9000 --wait 120 --show 10\n  callboard verify --truth sim --only agent_intervals --only records"
)]
pub struct VerifyArgs {
    /// Folder that `callboard simulate` wrote.
    #[arg(long, value_name = "DIR")]
    pub truth: PathBuf,
    /// The server.
    #[command(flatten)]
    pub to: To,
    /// Look again for so long, seconds, until all is equal.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub wait: u64,
    /// Differing rows to show of each table.
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub show: usize,
    /// Only this table, or `records` for their counts; may be repeated.
    #[arg(long, value_name = "TABLE", value_parser = PossibleValuesParser::new(
        TABLES.iter().map(|table| table.name).chain(["records"])
    ))]
    pub only: Vec<String>,
}
