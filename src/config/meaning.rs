//! What the configuration means to those who are configured: bounds, defaults of instances,
//! targets as events; and what cannot be meant.

use std::collections::BTreeSet;
use std::path::Path;

use callboard_ingest::doors::limits::Limits as DoorLimits;
use callboard_ingest::doors::recordings::watch::Watch;
use callboard_model::cloudevents::CloudEvent;
use callboard_model::cloudevents::data::TargetData;
use callboard_model::cloudevents::words::Variant;
use callboard_model::time::{believable, parse_rfc3339};

use callboard_query::identity::{Settings, SourceSite, SourceSites};
use callboard_sources::mapping::PREFIX;
use callboard_store::store::AsOfLimits;

use super::units::Size;
use super::{Config, Queue};
use crate::server::identity::IdentityOptions;

/// Source of the targets that the configuration states.
pub const TARGET_SOURCE: &str = "/callboard/config";

/// Longest window of a hand-over, milliseconds: within it times are compared pair by pair.
const LONGEST_WINDOW: i64 = 240_000;
/// Least memory for bodies of documents.
const LEAST_HELD: u64 = 4 << 20;
/// Least memory for the picture of an earlier moment.
const LEAST_PICTURE: u64 = 1 << 20;

impl Config {
    /// What cannot be meant, one sentence each.
    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.zone.parse::<chrono_tz::Tz>().is_err() {
            faults.push(format!(
                "zone \"{}\" is not known; write an IANA name such as Europe/Berlin",
                self.zone
            ));
        }
        self.source_faults(&mut faults);
        self.topic_faults(&mut faults);
        if !(1_000..=LONGEST_WINDOW).contains(&self.identity.window.millis()) {
            faults.push("[identity] window must be between 1s and 4m".into());
        }
        self.retention_faults(&mut faults);
        for queue in &self.queues {
            queue_faults(queue, &mut faults);
        }
        for keyword in &self.keywords {
            if keyword.name.is_empty() || keyword.phrases.iter().all(|p| p.trim().is_empty()) {
                faults.push(format!(
                    "[[keyword]] \"{}\" needs a name and at least one phrase",
                    keyword.name
                ));
            }
            if let Some(leg) = keyword
                .leg
                .as_deref()
                .filter(|l| !["agent", "customer"].contains(l))
            {
                faults.push(format!(
                    "[[keyword]] \"{}\": leg \"{leg}\" is neither agent nor customer",
                    keyword.name
                ));
            }
        }
        let mut names = BTreeSet::new();
        for user in &self.users {
            if user.name.is_empty() || !names.insert(&user.name) {
                faults.push(format!(
                    "[[user]] \"{}\": names must be there, and only once",
                    user.name
                ));
            }
        }
        if let Some(url) = &self.lake.url
            && let Err(e) = url::Url::parse(url)
        {
            faults.push(format!(
                "[lake] url \"{url}\": {e}; write such as file:///srv/lake or s3://bucket/lake"
            ));
        }
        if self.lake.url.is_none() && !self.lake.options.is_empty() {
            faults.push("[lake] options are for the store of [lake] url, and there is none".into());
        }
        if self.transcribe.threads == 0 {
            faults.push(
                "[transcribe] threads must be at least 1; enabled = false turns it off".into(),
            );
        }
        if self.limits.held.0 < LEAST_HELD {
            faults.push(format!(
                "limits.held must be at least {}: a body of half of it is the longest that is taken",
                Size(LEAST_HELD)
            ));
        }
        if self.as_of.memory.0 < LEAST_PICTURE {
            faults.push(format!(
                "as_of.memory must be at least {}",
                Size(LEAST_PICTURE)
            ));
        }
        if self.as_of.time.0.is_zero() {
            faults.push("as_of.time must be longer than 0s".into());
        }
        for (name, number) in [
            ("limits.nesting", self.limits.nesting),
            ("limits.connections", self.limits.connections),
            ("limits.requests", self.limits.requests),
            (
                "limits.requests_per_sender",
                self.limits.requests_per_sender,
            ),
            ("query.rows", self.query.rows),
            ("query.running", self.query.running),
            ("query.threads", self.query.threads),
            ("as_of.records", self.as_of.records),
        ] {
            if number == 0 {
                faults.push(format!("{name} must be at least 1"));
            }
        }
        faults
    }

    /// Bounds of the doors.
    pub fn door_limits(&self) -> DoorLimits {
        DoorLimits {
            body_bytes: self.limits.body.0,
            decoded_bytes: self.limits.decoded.0,
            held_bytes: self.limits.held.0,
            recording_bytes: self.limits.recording.0,
            nesting: self.limits.nesting,
            requests: self.limits.requests,
            requests_per_sender: self.limits.requests_per_sender,
            idle: self.limits.idle.0,
            ..DoorLimits::default()
        }
    }

    /// Bounds of queries.
    pub fn query_limits(&self) -> callboard_query::Limits {
        callboard_query::Limits {
            time: self.query.time.0,
            rows: self.query.rows,
            memory: usize::try_from(self.query.memory.0).unwrap_or(usize::MAX),
            running: self.query.running,
            partitions: self.query.threads,
            wait: self.query.wait.0,
            waiting: self.query.waiting,
            ..callboard_query::Limits::default()
        }
    }

    /// Bounds of the pictures of earlier moments.
    pub fn as_of_limits(&self) -> AsOfLimits {
        AsOfLimits {
            records: self.as_of.records,
            bytes: usize::try_from(self.as_of.memory.0).unwrap_or(usize::MAX),
            time: self.as_of.time.0,
        }
    }

    /// Where the files of identities are, and how they are read. `file` is the configuration's own.
    pub fn identities(&self, file: Option<&Path>) -> IdentityOptions {
        let beside = file.and_then(Path::parent).unwrap_or(&self.data);
        IdentityOptions {
            folder: beside.join(&self.identity.folder),
            settings: Settings {
                zone: self.zone.parse().unwrap_or(chrono_tz::UTC),
                window: self.identity.window.millis() * 1_000,
            },
            sites: self.source_sites(),
        }
    }

    /// The sites that sources have, for contacts of which nothing else tells one.
    fn source_sites(&self) -> SourceSites {
        let told = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let sited = self.sources.iter().filter(|s| !s.site.is_empty());
        // Our own events name their sources themselves.
        let sited = sited.filter(|s| s.adapter != "events");
        let sites = sited.map(|source| SourceSite {
            // A mapping's platform stands in its file.
            platform: told(&source.adapter).filter(|name| !name.starts_with(PREFIX)),
            instance: told(&source.tenant()),
            site: source.site.clone(),
        });
        SourceSites::new(sites.collect())
    }

    /// Watched folders; what was taken is remembered in the data folder.
    pub fn watches(&self, data: &Path) -> Vec<Watch> {
        self.watch
            .iter()
            .enumerate()
            .map(|(n, folder)| Watch {
                path: folder.path.clone(),
                instance: folder.instance.clone(),
                memory: data.join("state").join(format!("watched-{n}.jsonl")),
            })
            .collect()
    }

    /// Targets of queues as events; `changed_at` is the file's time of change, UTC microseconds.
    /// Read again at every start, the same file says the same; a changed one says it later, and
    /// the later word counts.
    pub fn target_events(&self, changed_at: i64) -> Vec<CloudEvent<TargetData>> {
        self.queues.iter().map(|q| target(q, changed_at)).collect()
    }
}

fn target(queue: &Queue, changed_at: i64) -> CloudEvent<TargetData> {
    let said = [
        changed_at.to_string(),
        queue.name.clone(),
        queue.service_level.millis().to_string(),
        queue
            .short_abandon
            .map_or(String::new(), |s| s.millis().to_string()),
        queue.variant.clone().unwrap_or_default(),
        queue.goal.map_or(String::new(), |g| g.to_string()),
        queue.valid_from.clone().unwrap_or_default(),
        queue.valid_to.clone().unwrap_or_default(),
    ];
    let id = callboard_ingest::doors::split::sha256_hex(said.join("\u{0}").as_bytes());
    let data = TargetData {
        queue: Some(queue.name.clone()),
        variant: queue.variant.as_deref().and_then(variant),
        threshold_ms: Some(queue.service_level.millis()),
        short_ms: queue.short_abandon.map(|s| s.millis()),
        goal: queue.goal,
        valid_from: queue.valid_from.clone(),
        valid_to: queue.valid_to.clone(),
        ..TargetData::default()
    };
    CloudEvent::new(
        TARGET_SOURCE,
        &id[..32],
        "callboard.target.recorded",
        changed_at,
        data,
    )
}

fn variant(name: &str) -> Option<Variant> {
    Variant::ALL.iter().copied().find(|v| v.as_str() == name)
}

fn queue_faults(queue: &Queue, faults: &mut Vec<String>) {
    let name = &queue.name;
    if name.is_empty() {
        faults.push("[[queue]] name is empty".into());
    }
    if let Some(given) = queue.variant.as_deref().filter(|v| variant(v).is_none()) {
        let known: Vec<_> = Variant::ALL.iter().map(|v| v.as_str()).collect();
        faults.push(format!(
            "[[queue]] {name}: variant \"{given}\" is not known; known are {}",
            known.join(", ")
        ));
    }
    if queue.goal.is_some_and(|g| !(0.0..=1.0).contains(&g)) {
        faults.push(format!(
            "[[queue]] {name}: goal is a share from 0 to 1, such as 0.8"
        ));
    }
    for (key, text) in [
        ("valid_from", &queue.valid_from),
        ("valid_to", &queue.valid_to),
    ] {
        let Some(text) = text else { continue };
        if !parse_rfc3339(text).is_some_and(|(us, _)| believable(us)) {
            faults.push(format!(
                "[[queue]] {name}: {key} \"{text}\" is no time; write such as 2026-03-01T00:00:00Z"
            ));
        }
    }
}
