//! `callboard config check|default|password`.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::{Failure, print};
use crate::cli::ConfigCommand;
use crate::config::{self, Config, users::Hash};

/// Does it.
///
/// # Errors
/// Exit code 2 when the configuration cannot be used.
pub fn run(command: ConfigCommand) -> Result<(), Failure> {
    match command {
        ConfigCommand::Default => print(config::EXAMPLE),
        ConfigCommand::Password => password(),
        ConfigCommand::Check { config } => {
            let path = config.or_else(beside);
            let read = read(path.as_deref())?;
            read.check_exposure()
                .map_err(|missing| Failure::usage(missing.join("\n")))?;
            read.source_options()
                .map_err(|wrong| Failure::usage(wrong.join("\n")))?;
            print(&summary(path.as_deref(), &read))
        }
    }
}

/// The file that is there without being named.
fn beside() -> Option<PathBuf> {
    Some(PathBuf::from("callboard.toml")).filter(|p| p.exists())
}

/// Reads a configuration and what the environment adds.
///
/// # Errors
/// Exit code 2, with what is wrong.
pub fn read(path: Option<&Path>) -> Result<Config, Failure> {
    // A variable that is no text cannot be one of ours.
    let environment = std::env::vars_os()
        .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
    config::load(path, environment).map_err(|e| Failure::usage(e.to_string()))
}

fn summary(path: Option<&Path>, config: &Config) -> String {
    let name = path.map_or("defaults".to_owned(), |p| p.display().to_string());
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    format!(
        "{name}: good\n  data        {}\n  http        {}\n  pg          {}\n  lake        {}\n  who         {}\n  sources     {}\n  recordings  {}\n  targets     {}\n  transcribe  {}\n",
        config.data.display(),
        config.http.listen,
        config.pg.listen,
        config.lake.url.as_deref().unwrap_or("in the data folder"),
        if config.users.is_empty() {
            "anyone on this machine".to_owned()
        } else {
            count(config.users.len(), "user")
        },
        count(config.sources.count(), "source"),
        count(config.watch.len(), "watched folder"),
        count(config.queues.len(), "queue target"),
        if config.transcribe.enabled {
            format!(
                "{} on {}",
                config
                    .transcribe
                    .model
                    .as_ref()
                    .map_or("the model that comes with callboard".to_owned(), |m| m
                        .display()
                        .to_string()),
                count(config.transcribe.threads, "thread"),
            )
        } else {
            "off".to_owned()
        },
    )
}

fn password() -> Result<(), Failure> {
    let mut text = String::new();
    std::io::stdin().take(1024).read_to_string(&mut text)?;
    let password = text.trim_end_matches(['\n', '\r']);
    if password.is_empty() {
        return Err(Failure::usage(
            "no password came; write it to the standard input: printf %s \"$PASSWORD\" | callboard config password",
        ));
    }
    let hash = Hash::new(password).map_err(Failure::failed)?;
    print(&format!("password = \"{}\"\n", hash.text()))
}
