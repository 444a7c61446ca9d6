//! `[[source]]`: a door with a name, an adapter, a secret and bounds; or, without a name, what is
//! known of an instance of a platform. Either may have connections that Callboard opens itself
//! ([`live`]); one with `topics` is read from Kafka and stands in [`super::kafka`].

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use callboard_ingest::doors::platform::source::{SILENT_AFTER, SourceOptions};
use callboard_ingest::doors::platform::{LINES, SourceDefaults};
use callboard_ingest::doors::proof::{Proof, Scheme, standard};
use callboard_ingest::doors::secret::{Secret, Secrets};
use callboard_sources::adapter::ADAPTERS;
use callboard_sources::mapping::PREFIX;
use serde::Deserialize;

use super::units::{Size, Span};
use super::{Config, live};

/// A source.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The last part of its address; without a name this is what is known of an instance.
    #[serde(default)]
    pub name: String,
    /// Who reads what comes: a platform, `events`, or `mapping:NAME`.
    #[serde(alias = "platform")]
    pub adapter: String,
    /// Instance of the platform.
    #[serde(default, alias = "tenant")]
    pub instance: String,
    /// Site.
    #[serde(default)]
    pub site: String,
    /// IANA zone of its local times.
    #[serde(default)]
    pub zone: String,
    /// Order of columns of a feed that was configured otherwise, by feed (`cel`, `cdr`).
    #[serde(default)]
    pub columns: BTreeMap<String, Vec<String>>,
    /// Secrets.
    #[serde(default)]
    pub secret: Several<Secret>,
    /// Files of secrets, one a line.
    #[serde(default)]
    pub secret_file: Several<PathBuf>,
    /// Environment variables that hold secrets.
    #[serde(default)]
    pub secret_env: Several<String>,
    /// How requests are signed.
    #[serde(default)]
    pub signature: Option<String>,
    /// Longest difference between a signed time and ours.
    #[serde(default)]
    pub replay_window: Option<Span>,
    /// Longest body.
    #[serde(default)]
    pub max_body: Option<Size>,
    /// Requests a second.
    #[serde(default)]
    pub rate: Option<u32>,
    /// Requests at once, beyond the rate.
    #[serde(default)]
    pub burst: Option<u32>,
    /// The address as the platform knows it.
    #[serde(default)]
    pub url: Option<String>,
    /// After so long without a record it is silent.
    #[serde(default)]
    pub silent_after: Option<Span>,
    /// Asterisk's manager interface, listened to.
    #[serde(default)]
    pub ami: Option<live::Ami>,
    /// Asterisk's REST interface, listened to.
    #[serde(default)]
    pub ari: Option<live::Ari>,
    /// Asterisk's files on this machine, followed.
    #[serde(default)]
    pub files: Vec<PathBuf>,
    /// A prefix of an object store, followed.
    #[serde(default)]
    pub prefix: Option<live::Prefix>,
}

/// One thing, or a list of such. What is neither is not repeated in the error: it may be a secret.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged, expecting = "write a text in quotes, or a list of such")]
pub enum Several<T> {
    /// One.
    One(T),
    /// A list.
    Many(Vec<T>),
}

impl<T> Default for Several<T> {
    fn default() -> Self {
        Several::Many(Vec::new())
    }
}

impl<T: Clone> Several<T> {
    fn all(&self) -> Vec<T> {
        match self {
            Several::One(one) => vec![one.clone()],
            Several::Many(all) => all.clone(),
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Several::Many(all) if all.is_empty())
    }
}

impl Source {
    fn has_secrets(&self) -> bool {
        !(self.secret.is_empty() && self.secret_file.is_empty() && self.secret_env.is_empty())
    }

    /// How its requests are signed; `None` = not at all.
    fn scheme(&self) -> Option<Scheme> {
        match self.signature.as_deref() {
            Some("none") => None,
            Some(name) => Scheme::of_name(name),
            None if self.has_secrets() => Some(Scheme::of_adapter(&self.adapter)),
            None => None,
        }
    }

    /// By what errors name it.
    pub(super) fn shown(&self) -> &str {
        match self.name.as_str() {
            "" => &self.instance,
            name => name,
        }
    }

    /// The instance that is stamped: its own name where none is said, so that two sources of one
    /// platform are never taken for one tenant.
    pub(super) fn tenant(&self) -> String {
        match self.instance.as_str() {
            "" if self.name != self.adapter => self.name.clone(),
            instance => instance.to_owned(),
        }
    }

    /// What cannot be meant, one sentence each.
    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut say = |what: String| faults.push(format!("[[source]] {}: {what}", self.shown()));
        if !is_adapter(&self.adapter) {
            say(format!(
                "adapter \"{}\" is not known; known are {}, and mapping:NAME",
                self.adapter,
                adapters().collect::<Vec<_>>().join(", ")
            ));
        }
        let word = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        if self.name.len() > 64 || !self.name.chars().all(word) {
            say("name must be a short word of letters, digits and - _ . :".to_owned());
        }
        if self.name.is_empty() && self.instance.is_empty() {
            say("a name is missing, by which it is POST /v1/sources/NAME".to_owned());
        }
        if self.instance.contains('/') || self.instance.len() > 128 {
            say(format!(
                "instance \"{}\" must be a short name without slash",
                self.instance
            ));
        }
        if !self.zone.is_empty() && self.zone.parse::<chrono_tz::Tz>().is_err() {
            say(format!(
                "zone \"{}\" is not known; write an IANA name such as Europe/Berlin",
                self.zone
            ));
        }
        self.proof_faults(&mut say);
        for (key, number) in [("rate", self.rate), ("burst", self.burst)] {
            if number == Some(0) {
                say(format!("{key} must be at least 1"));
            }
        }
        if self.burst.is_some() && self.rate.is_none() {
            say("burst goes with rate".to_owned());
        }
        if self.max_body.is_some_and(|size| size.0 == 0) {
            say("max_body must be more than nothing".to_owned());
        }
        faults
    }

    fn proof_faults(&self, say: &mut impl FnMut(String)) {
        let named = self.signature.as_deref();
        if let Some(name) = named.filter(|n| *n != "none" && Scheme::of_name(n).is_none()) {
            let known: Vec<&str> = Scheme::ALL.into_iter().map(Scheme::name).collect();
            say(format!(
                "signature \"{name}\" is not known; known are {}, none",
                known.join(", ")
            ));
        }
        let scheme = self.scheme();
        if self.name.is_empty() && (self.has_secrets() || named.is_some()) {
            say("a secret needs a name for its source".to_owned());
        }
        match (scheme, self.has_secrets()) {
            (None, true) if named == Some("none") => {
                say(
                    "signature \"none\" leaves its secret unused; leave one of both away"
                        .to_owned(),
                );
            }
            (Some(scheme), false) => say(format!(
                "signature \"{}\" needs secret, secret_file or secret_env",
                scheme.name()
            )),
            _ => {}
        }
        let of_lines = [Scheme::Bearer, Scheme::StandardWebhooks, Scheme::Hub];
        if scheme.is_some_and(|s| !of_lines.contains(&s)) && LINES.contains(&self.adapter.as_str())
        {
            say(format!(
                "nobody signs what {} reads in that way; use signature = \"bearer\", \
                 \"standard-webhooks\" or \"hub-sha256\"",
                self.adapter
            ));
        }
        let is_web =
            |url: &str| url::Url::parse(url).is_ok_and(|u| ["http", "https"].contains(&u.scheme()));
        match (&self.url, scheme) {
            (None, Some(Scheme::Twilio)) => say(
                "Twilio signs the address that it was given: write it as url, such as \
                 url = \"https://HOST/v1/sources/NAME\", or use signature = \"bearer\""
                    .to_owned(),
            ),
            (Some(url), _) if !is_web(url) => say(format!(
                "url \"{url}\" is no address; write such as https://HOST/v1/sources/NAME"
            )),
            _ => {}
        }
    }

    /// The source at work, with its secrets.
    fn options(&self) -> Result<SourceOptions, String> {
        let wrong = |what: String| format!("[[source]] {}: {what}", self.shown());
        let mut fixed = self.secret.all();
        for variable in self.secret_env.all() {
            let value = std::env::var(&variable).unwrap_or_default();
            let before = fixed.len();
            let lines = value.lines().map(str::trim).filter(|l| !l.is_empty());
            fixed.extend(lines.map(|l| Secret::from(l.to_owned())));
            if fixed.len() == before {
                return Err(wrong(format!(
                    "environment variable {variable} of secret_env is not set"
                )));
            }
        }
        let secrets = Secrets::open(fixed, self.secret_file.all()).map_err(wrong)?;
        let scheme = self.scheme().unwrap_or(Scheme::Bearer);
        if scheme == Scheme::StandardWebhooks && !secrets.now().iter().all(standard::is_key) {
            return Err(wrong(
                "a secret of Standard Webhooks is base64, mostly after whsec_; one of these is not"
                    .to_owned(),
            ));
        }
        let window = self.replay_window.map_or(Proof::WINDOW, |span| span.0);
        let url = self.url.as_deref().unwrap_or_default();
        let burst = |rate: u32| self.burst.unwrap_or(rate.saturating_mul(2));
        Ok(SourceOptions {
            instance: self.tenant(),
            site: self.site.clone(),
            zone: self.zone.clone(),
            columns: self.columns.clone().into_iter().collect(),
            proof: Proof::new(scheme, secrets, url, window),
            max_body: self.max_body.map(|size| size.0),
            rate: self.rate.map(|rate| (rate, burst(rate))),
            silent_after: self.silent_after.map_or(SILENT_AFTER, |span| span.0),
            configured: true,
            ..SourceOptions::new(&self.name, &self.adapter)
        })
    }
}

/// Adapters that have a name of their own. Mappings share one, which reads nothing by itself.
fn adapters() -> impl Iterator<Item = &'static str> {
    let documents = ADAPTERS.iter().map(|a| a.platform());
    let named = documents.filter(|name| PREFIX.strip_suffix(':') != Some(*name));
    LINES.into_iter().chain(named)
}

fn is_adapter(word: &str) -> bool {
    adapters().any(|name| name == word) || word.strip_prefix(PREFIX).is_some_and(|n| !n.is_empty())
}

impl Config {
    pub(super) fn source_faults(&self, faults: &mut Vec<String>) {
        let mut names = BTreeSet::new();
        for source in &self.sources {
            faults.extend(source.faults());
            live::faults(source, faults);
            if !source.name.is_empty() && !names.insert(&source.name) {
                faults.push(format!(
                    "[[source]] {}: the name is there twice",
                    source.name
                ));
            }
        }
    }

    /// What is known of instances, for doors.
    pub fn instances(&self) -> HashMap<String, SourceDefaults> {
        let named = self.sources.iter().filter(|s| !s.instance.is_empty());
        named
            .map(|source| {
                let defaults = SourceDefaults {
                    zone: source.zone.clone(),
                    columns: source.columns.clone().into_iter().collect(),
                };
                (source.instance.clone(), defaults)
            })
            .collect()
    }

    /// The sources, with their secrets read from files and environment.
    ///
    /// # Errors
    /// What cannot be read, one sentence each; never a secret.
    pub fn source_options(&self) -> Result<Vec<SourceOptions>, Vec<String>> {
        let named = self.sources.iter().filter(|s| !s.name.is_empty());
        let (good, bad): (Vec<_>, Vec<_>) = named.map(Source::options).partition(Result::is_ok);
        let wrong: Vec<String> = bad.into_iter().filter_map(Result::err).collect();
        match wrong.is_empty() {
            true => Ok(good.into_iter().filter_map(Result::ok).collect()),
            false => Err(wrong),
        }
    }
}
