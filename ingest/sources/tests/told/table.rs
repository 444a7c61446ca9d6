//! The table of what platforms can say, `query/platforms.toml`, held against the simulated day: what
//! it calls exact is compared and right, what it calls impossible is not told.

use std::collections::{BTreeMap, BTreeSet};

use callboard_model::record::Record;
use serde::Deserialize;

use crate::facts::Facts;

const TABLE: &str = "../../query/platforms.toml";

#[derive(Deserialize)]
struct File {
    fact: Vec<Fact>,
    platform: Vec<Platform>,
}

#[derive(Deserialize)]
struct Fact {
    name: String,
    #[serde(default = "yes")]
    compared: bool,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
struct Platform {
    adapter: String,
    #[serde(default)]
    simulated: Vec<String>,
    feed: Vec<Feed>,
}

#[derive(Deserialize)]
struct Feed {
    name: String,
    title: String,
    formats: Vec<String>,
    #[serde(default)]
    exact: BTreeMap<String, String>,
    #[serde(default)]
    estimated: BTreeMap<String, String>,
}

fn file() -> File {
    let text = std::fs::read_to_string(TABLE).unwrap_or_else(|e| panic!("{TABLE}: {e}"));
    toml::from_str(&text).unwrap_or_else(|e| panic!("{TABLE}: {e}"))
}

fn of(platform: &str) -> Platform {
    let mut all = file().platform.into_iter();
    let own = all.find(|p| p.adapter == platform);
    own.unwrap_or_else(|| panic!("{TABLE} lacks {platform}"))
}

/// What the adapter reads and the simulated day has no records of: feeds by their titles, and single
/// formats of feeds that it tells in part.
pub fn untold(platform: &str, records: &[Record]) -> Vec<String> {
    let told: BTreeSet<&str> = records.iter().map(|r| &*r.format).collect();
    let own = of(platform);
    let mut all = Vec::new();
    for feed in &own.feed {
        if own.simulated.contains(&feed.name) {
            let formats = feed.formats.iter().filter(|f| !told.contains(f.as_str()));
            all.extend(formats.map(|f| format!("`{f}`")));
        } else {
            all.push(feed.title.clone());
        }
    }
    all
}

/// What the table says of a platform that the simulated day shows otherwise; nothing when they agree.
/// `alone`: only some of its feeds were read, and nothing is said of the others.
pub fn differs(platform: &str, records: &[Record], facts: &Facts, alone: bool) -> String {
    let own = of(platform);
    let told: BTreeSet<&str> = records.iter().map(|r| &*r.format).collect();
    let simulated = |f: &&Feed| {
        own.simulated.contains(&f.name) && (!alone || f.formats.iter().any(|f| told.contains(&**f)))
    };
    let feeds: Vec<&Feed> = own.feed.iter().filter(simulated).collect();
    let mut wrong = String::new();

    let of_feeds: BTreeSet<&str> = feeds
        .iter()
        .flat_map(|f| &f.formats)
        .map(|f| &**f)
        .collect();
    for format in told.difference(&of_feeds) {
        wrong += &format!("{format} is told, and of no feed that {TABLE} calls simulated\n");
    }
    for feed in &feeds {
        if !feed.formats.iter().any(|f| told.contains(&**f)) {
            wrong += &format!(
                "{TABLE} calls {} simulated; nothing is told of it\n",
                feed.name
            );
        }
    }

    for fact in file().fact.iter().filter(|f| f.compared) {
        let share = facts.shares.get(&*fact.name).copied().unwrap_or_default();
        let exact = feeds.iter().any(|f| f.exact.contains_key(&fact.name));
        let estimated = feeds.iter().any(|f| f.estimated.contains_key(&fact.name));
        let said = |what: &str| {
            format!(
                "{TABLE} calls {} {what} where the day is told: {} cells right, {} not\n",
                fact.name, share.right, share.wrong
            )
        };
        if exact && (share.wrong > 0 || share.right == 0) {
            wrong += &said("exact");
        } else if !exact && !estimated && share.right > 0 {
            wrong += &said("impossible");
        }
    }
    wrong
}

/// What mapping files are said to tell exactly.
pub fn exact_by_mapping() -> Vec<String> {
    let mut all = Vec::new();
    let file = file();
    let platforms = file.platform.iter();
    for p in platforms.filter(|p| p.adapter.starts_with("mapping:")) {
        let facts = p.feed.iter().flat_map(|f| f.exact.keys());
        all.extend(facts.map(|fact| format!("{}: {fact}", p.adapter)));
    }
    all
}

/// Facts that are compared are those that the comparison counts.
pub fn compared() -> BTreeSet<String> {
    let compared = file().fact.into_iter().filter(|f| f.compared);
    compared.map(|f| f.name).collect()
}
