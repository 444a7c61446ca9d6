//! One module per command. A command gives `Ok` or a [`Failure`]: a sentence that says what,
//! where and what to do, and the exit code: 1 when it could not be done, 2 when it was asked
//! wrongly.

pub mod backup;
pub mod client;
pub mod config;
pub mod demo;
pub mod doctor;
pub mod erase;
pub mod explain;
pub mod export;
pub mod map;
pub mod model;
pub mod rebuild;
pub mod recording;
pub mod send;
pub mod serve;
pub mod simulate;
pub mod sources;
pub mod sql;
pub mod transcribe;
pub mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::{Cli, Command, DemoArgs, ServeArgs};

/// Why a command did not do what it was asked.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    /// Exit code.
    pub code: u8,
    /// What, where, and what to do.
    pub message: String,
}

impl Failure {
    /// It could not be done.
    pub fn failed(message: impl Into<String>) -> Self {
        Failure {
            code: 1,
            message: message.into(),
        }
    }

    /// It was asked wrongly.
    pub fn usage(message: impl Into<String>) -> Self {
        Failure {
            code: 2,
            message: message.into(),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure::failed(error.to_string())
    }
}

/// The commands that run a server in this process; wired elsewhere.
pub struct Servers {
    /// `callboard serve`.
    pub serve: fn(ServeArgs) -> Result<(), Failure>,
    /// `callboard demo`.
    pub demo: fn(DemoArgs) -> Result<(), Failure>,
    /// `callboard rebuild`.
    pub rebuild: fn(PathBuf, Option<PathBuf>) -> Result<(), Failure>,
}

/// Does what was asked; gives the exit code.
pub fn run(cli: Cli, servers: &Servers) -> ExitCode {
    let result = match cli.command {
        Command::Serve(args) => (servers.serve)(*args),
        Command::Demo(args) => (servers.demo)(args),
        Command::Rebuild { data, config } => (servers.rebuild)(data, config),
        Command::Backup(args) => backup::run(&args),
        Command::Restore(args) => backup::put_back(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Erase(args) => erase::run(&args),
        Command::Send(args) => send::run(*args),
        Command::Recording(command) => recording::run(command),
        Command::Sql(args) => sql::run(&args),
        Command::Sources(args) => sources::run(&args),
        Command::Transcribe(args) => transcribe::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Export(command) => export::run(&command),
        Command::Simulate(args) => simulate::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Model(command) => model::run(command),
        Command::Map(command) => map::run(command),
        Command::Config(command) => config::run(command),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("callboard: {}", failure.message);
            ExitCode::from(failure.code)
        }
    }
}

/// Runs a command's future to its end.
///
/// # Errors
/// When the runtime cannot be started; else what the command gives.
pub fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::failed(format!("cannot start: {e}")))?
        .block_on(work)
}

/// Writes to the standard output; a reader that went away (`| head`) is no failure.
///
/// # Errors
/// When it cannot be written.
pub fn print(text: &str) -> Result<(), Failure> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(e.into()),
        _ => Ok(()),
    }
}
