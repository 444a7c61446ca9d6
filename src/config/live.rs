//! Connections that Callboard opens itself: what `[[source]]` says of Asterisk's manager and REST
//! interfaces, of files that are followed, and of prefixes of object stores.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use callboard_ingest::live::Opened;
use callboard_ingest::live::ami::{AmiOptions, EVENTS, Hidden};
use callboard_ingest::live::ari::AriOptions;
use callboard_ingest::live::files::FilesOptions;
use callboard_ingest::live::prefix::PrefixOptions;
use serde::Deserialize;
use url::Url;

use super::Config;
use super::source::Source;
use super::units::Span;

/// How often a connection is asked for a sign of life.
const PING: Duration = Duration::from_secs(15);
/// How often a prefix is listed.
const EVERY: Duration = Duration::from_secs(60);
/// Most bytes of a file that holds a secret.
const SECRET_BYTES: usize = 4096;

/// A secret as it stands in the file; never shown.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Written(String);

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// Asterisk's manager interface.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ami {
    /// `host:port`.
    pub address: String,
    /// User of `manager.conf`.
    pub user: String,
    /// His secret.
    pub secret: Option<Written>,
    /// A file that holds it.
    pub secret_file: Option<PathBuf>,
    /// An environment variable that holds it.
    pub secret_env: Option<String>,
    /// Classes of events.
    pub events: Option<String>,
    /// Whether the queues' present state is asked for after each log-in.
    pub snapshot: Option<bool>,
    /// How often a sign of life is asked for.
    pub ping: Option<Span>,
}

/// Asterisk's REST interface.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ari {
    /// `http://host:8088/ari`.
    pub url: String,
    /// Application as which everything is subscribed to.
    pub app: Option<String>,
    /// User of `ari.conf`.
    pub user: String,
    /// His password.
    pub secret: Option<Written>,
    /// A file that holds it.
    pub secret_file: Option<PathBuf>,
    /// An environment variable that holds it.
    pub secret_env: Option<String>,
    /// How often a sign of life is asked for.
    pub ping: Option<Span>,
}

/// A prefix of an object store.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prefix {
    /// `s3://bucket/connect/`, `file:///srv/exports/`.
    pub url: String,
    /// How often it is listed.
    pub every: Option<Span>,
    /// What that store needs to know, by the names of `object_store`.
    #[serde(default)]
    pub options: BTreeMap<String, Written>,
    /// The same out of environment variables: name of the option to name of the variable.
    #[serde(default)]
    pub options_env: BTreeMap<String, String>,
}

/// Where a secret stands.
struct Place<'a> {
    what: &'static str,
    written: Option<&'a Written>,
    file: Option<&'a PathBuf>,
    variable: Option<&'a String>,
}

impl Place<'_> {
    fn places(&self) -> usize {
        usize::from(self.written.is_some())
            + usize::from(self.file.is_some())
            + usize::from(self.variable.is_some())
    }

    fn read(&self, source: &str) -> Result<Hidden, String> {
        let at = format!("[[source]] {source}: {}", self.what);
        if let Some(written) = self.written {
            return Ok(Hidden(written.0.clone()));
        }
        if let Some(file) = self.file {
            let text = std::fs::read_to_string(file)
                .map_err(|e| format!("{at}.secret_file {}: {e}", file.display()))?;
            let secret = text.trim_end_matches(['\r', '\n']);
            if secret.is_empty() || text.len() > SECRET_BYTES {
                return Err(format!(
                    "{at}.secret_file {} must hold the secret and nothing else",
                    file.display()
                ));
            }
            return Ok(Hidden(secret.to_owned()));
        }
        match self.variable.map(|name| (name, std::env::var(name))) {
            Some((_, Ok(secret))) if !secret.is_empty() => Ok(Hidden(secret)),
            Some((name, _)) => Err(format!("{at}.secret_env: {name} is not set")),
            None => Err(format!("{at} has no secret")),
        }
    }
}

impl Ami {
    fn secret(&self) -> Place<'_> {
        Place {
            what: "ami",
            written: self.secret.as_ref(),
            file: self.secret_file.as_ref(),
            variable: self.secret_env.as_ref(),
        }
    }
}

impl Ari {
    fn secret(&self) -> Place<'_> {
        Place {
            what: "ari",
            written: self.secret.as_ref(),
            file: self.secret_file.as_ref(),
            variable: self.secret_env.as_ref(),
        }
    }
}

/// What cannot be meant by the connections of a source, one sentence each.
pub(super) fn faults(source: &Source, faults: &mut Vec<String>) {
    let name = source.shown();
    let asterisk = source.ami.is_some() || source.ari.is_some() || !source.files.is_empty();
    if asterisk && source.adapter != "asterisk" {
        faults.push(format!(
            "[[source]] {name}: ami, ari and files are for adapter \"asterisk\""
        ));
    }
    if (asterisk || source.prefix.is_some()) && source.tenant().is_empty() {
        faults.push(format!(
            "[[source]] {name}: ami, ari, files and prefix need an instance; add instance = \"NAME\""
        ));
    }
    let secrets = [
        source.ami.as_ref().map(Ami::secret),
        source.ari.as_ref().map(Ari::secret),
    ];
    for place in secrets.into_iter().flatten() {
        if place.places() != 1 {
            faults.push(format!(
                "[[source]] {name}: {} needs one of secret_file, secret_env and secret",
                place.what
            ));
        }
    }
    if let Some(ami) = &source.ami {
        let port = ami
            .address
            .rsplit_once(':')
            .map(|(_, port)| port.parse::<u16>());
        if !matches!(port, Some(Ok(_))) {
            faults.push(format!(
                "[[source]] {name}: ami.address \"{}\" must be host:port, such as 127.0.0.1:5038",
                ami.address
            ));
        }
    }
    if let Some(ari) = &source.ari
        && !matches!(Url::parse(&ari.url), Ok(url) if ["http", "https", "ws", "wss"].contains(&url.scheme()))
    {
        faults.push(format!(
            "[[source]] {name}: ari.url \"{}\" must be such as http://127.0.0.1:8088/ari",
            ari.url
        ));
    }
    if let Some(prefix) = &source.prefix
        && let Err(e) = Url::parse(&prefix.url)
    {
        faults.push(format!(
            "[[source]] {name}: prefix.url \"{}\": {e}; write such as file:///srv/exports/ or s3://bucket/connect/",
            prefix.url
        ));
    }
    for (what, span) in [
        ("ami.ping", source.ami.as_ref().and_then(|a| a.ping)),
        ("ari.ping", source.ari.as_ref().and_then(|a| a.ping)),
        ("prefix.every", source.prefix.as_ref().and_then(|p| p.every)),
    ] {
        if span.is_some_and(|s| s.0 < Duration::from_millis(100)) {
            faults.push(format!("[[source]] {name}: {what} must be at least 100ms"));
        }
    }
}

impl Config {
    /// The connections that the sources ask for, their secrets read.
    ///
    /// # Errors
    /// One sentence for each secret that cannot be read.
    pub fn live(&self) -> Result<Vec<Opened>, Vec<String>> {
        let (mut all, mut wrong) = (Vec::new(), Vec::new());
        for source in &self.sources {
            for opened in source.opened() {
                match opened {
                    Ok(opened) => all.push(opened),
                    Err(why) => wrong.push(why),
                }
            }
        }
        if wrong.is_empty() {
            Ok(all)
        } else {
            Err(wrong)
        }
    }
}

impl Source {
    fn opened(&self) -> Vec<Result<Opened, String>> {
        let parts = [self.open_ami(), self.open_ari(), self.open_prefix()];
        let mut all: Vec<Result<Opened, String>> = parts.into_iter().flatten().collect();
        if !self.files.is_empty() {
            all.push(Ok(Opened::Files(FilesOptions {
                instance: self.tenant(),
                paths: self.files.clone(),
                zone: self.zone.clone(),
                columns: self.columns.clone().into_iter().collect(),
            })));
        }
        all
    }

    fn open_ami(&self) -> Option<Result<Opened, String>> {
        let ami = self.ami.as_ref()?;
        let opened = |secret| {
            Opened::Ami(AmiOptions {
                instance: self.tenant(),
                address: ami.address.clone(),
                user: ami.user.clone(),
                secret,
                events: ami.events.clone().unwrap_or_else(|| EVENTS.to_owned()),
                snapshot: ami.snapshot.unwrap_or(true),
                ping: ami.ping.map_or(PING, |p| p.0),
            })
        };
        Some(ami.secret().read(self.shown()).map(opened))
    }

    fn open_ari(&self) -> Option<Result<Opened, String>> {
        let ari = self.ari.as_ref()?;
        let url = Url::parse(&ari.url).map_err(|e| format!("{}: {e}", ari.url));
        let opened = url.and_then(|url| {
            Ok(Opened::Ari(AriOptions {
                instance: self.tenant(),
                url,
                app: ari.app.clone().unwrap_or_else(|| "callboard".to_owned()),
                user: ari.user.clone(),
                password: ari.secret().read(self.shown())?,
                ping: ari.ping.map_or(PING, |p| p.0),
            }))
        });
        Some(opened)
    }

    fn open_prefix(&self) -> Option<Result<Opened, String>> {
        let prefix = self.prefix.as_ref()?;
        let mut options: BTreeMap<String, Hidden> = BTreeMap::new();
        for (name, value) in &prefix.options {
            options.insert(name.clone(), Hidden(value.0.clone()));
        }
        for (name, variable) in &prefix.options_env {
            match std::env::var(variable) {
                Ok(value) => drop(options.insert(name.clone(), Hidden(value))),
                Err(_) => {
                    return Some(Err(format!(
                        "[[source]] {}: prefix.options_env: {variable} is not set",
                        self.shown()
                    )));
                }
            }
        }
        let url = Url::parse(&prefix.url).map_err(|e| format!("{}: {e}", prefix.url));
        Some(url.map(|url| {
            Opened::Prefix(PrefixOptions {
                source: self.name.clone(),
                adapter: self.adapter.clone(),
                instance: self.tenant(),
                zone: self.zone.clone(),
                columns: self.columns.clone().into_iter().collect(),
                url,
                options,
                every: prefix.every.map_or(EVERY, |e| e.0),
            })
        }))
    }
}

#[cfg(test)]
#[path = "live_tests.rs"]
mod tests;
