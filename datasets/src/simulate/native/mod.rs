//! The same day as platforms tell it: what was decided, in each platform's own format. A writer
//! tells what its platform has words for and leaves out the rest; it reads neither our events nor
//! the truth. What its ids stand for is kept aside.

mod acs;
mod amazon_connect;
mod asterisk;
mod files;
mod freeswitch;
mod genesys;
mod siprec;
mod teams;
mod twilio;
mod vcon;

use std::collections::BTreeMap;

use callboard_model::cloudevents::words::SegmentKind;
use serde::Serialize;
use serde_json::Value;

use super::calendar::{DAY, TimeForm, Zone, date_of, weekday, write_time};
use super::story::{DayStory, Part, Story};
use super::world::Site;
pub use files::ToldFiles;

/// A platform in whose format a day can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// Events of Job Router, of calls, chats and recordings, call-backs of Call Automation, hand-offs of
    /// a bot.
    Acs,
    /// Contact events, the agent event stream, contact records.
    AmazonConnect,
    /// The queue log.
    Asterisk,
    /// Events of the callcenter and of channels, call records.
    FreeSwitch,
    /// Conversation details, users' details.
    Genesys,
    /// Metadata of recording sessions.
    Siprec,
    /// Rows of voice-application analytics and of Direct Routing, call records, presence.
    Teams,
    /// TaskRouter events, status of calls and conferences.
    Twilio,
    /// Conversations in the IETF's container.
    Vcon,
}

impl Platform {
    /// All of them.
    pub const ALL: &'static [Platform] = &[
        Platform::Acs,
        Platform::AmazonConnect,
        Platform::Asterisk,
        Platform::FreeSwitch,
        Platform::Genesys,
        Platform::Siprec,
        Platform::Teams,
        Platform::Twilio,
        Platform::Vcon,
    ];

    /// Its name: that of its source.
    pub fn as_str(self) -> &'static str {
        match self {
            Platform::Acs => "acs",
            Platform::AmazonConnect => "amazon-connect",
            Platform::Asterisk => "asterisk",
            Platform::FreeSwitch => "freeswitch",
            Platform::Genesys => "genesys",
            Platform::Siprec => "siprec",
            Platform::Teams => "teams",
            Platform::Twilio => "twilio",
            Platform::Vcon => "vcon",
        }
    }

    /// Whether its recordings are told, so that the truth has rows of them.
    pub fn keeps_recordings(self) -> bool {
        self == Platform::Acs
    }

    /// The platform of that name.
    pub fn of(name: &str) -> Option<Platform> {
        Platform::ALL.iter().copied().find(|p| p.as_str() == name)
    }
}

/// A thing that a platform writes or sends at once.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// File that it stands in, below the platform's folder.
    pub file: String,
    /// When it is written.
    pub at: i64,
    /// Its bytes, without an end of line.
    pub bytes: Vec<u8>,
}

/// What a platform's id stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Name {
    /// contact, queue, agent, customer or source.
    pub entity: &'static str,
    /// The platform's id.
    pub native: String,
    /// What the truth calls it.
    pub id: String,
}

/// What a platform tells of a day.
#[derive(Debug, Clone, Default)]
pub struct Native {
    /// In the order in which it is written.
    pub sheets: Vec<Sheet>,
    /// What its ids stand for.
    pub names: Vec<Name>,
}

/// Tells a day of a site.
pub fn tell(platform: Platform, seed: u64, site: &Site, day: &DayStory) -> Native {
    let mut pen = Pen::new(platform, seed, site, day);
    match platform {
        Platform::Acs => acs::tell(&mut pen),
        Platform::AmazonConnect => amazon_connect::tell(&mut pen),
        Platform::Asterisk => asterisk::tell(&mut pen),
        Platform::FreeSwitch => freeswitch::tell(&mut pen),
        Platform::Genesys => genesys::tell(&mut pen),
        Platform::Siprec => siprec::tell(&mut pen),
        Platform::Teams => teams::tell(&mut pen),
        Platform::Twilio => twilio::tell(&mut pen),
        Platform::Vcon => vcon::tell(&mut pen),
    }
    let mut out = pen.out;
    // What is written at one time stays in the order in which it was told.
    out.sheets.sort_by_key(|sheet| sheet.at);
    out.names.sort();
    out.names.dedup();
    out
}

/// What all writers use.
struct Pen<'a> {
    platform: Platform,
    seed: u64,
    site: &'a Site,
    day: &'a DayStory,
    by_id: BTreeMap<&'a str, &'a Story>,
    out: Native,
}

impl<'a> Pen<'a> {
    fn new(platform: Platform, seed: u64, site: &'a Site, day: &'a DayStory) -> Self {
        Pen {
            platform,
            seed,
            site,
            day,
            by_id: day.stories.iter().map(|s| (s.id.as_str(), s)).collect(),
            out: Native::default(),
        }
    }

    /// A hash of what an id is made for, the same for the same.
    fn hash(&self, of: &[&str]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.seed.to_le_bytes());
        hasher.update(self.platform.as_str().as_bytes());
        for part in of {
            hasher.update(&[0]);
            hasher.update(part.as_bytes());
        }
        hasher.finalize()
    }

    /// So many digits of an id, hex.
    fn hex(&self, digits: usize, of: &[&str]) -> String {
        self.hash(of).to_hex().chars().take(digits).collect()
    }

    /// An id in the form of a random UUID.
    fn uuid(&self, of: &[&str]) -> String {
        let h = self.hex(32, of);
        format!(
            "{}-{}-4{}-a{}-{}",
            &h[..8],
            &h[8..12],
            &h[13..16],
            &h[17..20],
            &h[20..32]
        )
    }

    /// Writes a thing down.
    fn sheet(&mut self, file: impl Into<String>, at: i64, bytes: impl Into<Vec<u8>>) {
        self.out.sheets.push(Sheet {
            file: file.into(),
            at,
            bytes: bytes.into(),
        });
    }

    /// The same, of JSON.
    fn json(&mut self, file: impl Into<String>, at: i64, value: &Value) {
        self.sheet(file, at, value.to_string());
    }

    /// Keeps aside what an id stands for.
    fn name(&mut self, entity: &'static str, native: impl Into<String>, id: &str) {
        self.out.names.push(Name {
            entity,
            native: native.into(),
            id: id.to_owned(),
        });
    }

    fn queue_name(&self, queue: usize) -> &'a str {
        &self.site.queues[queue].name
    }

    fn agent_name(&self, agent: usize) -> &'a str {
        &self.site.agents[agent].name
    }

    /// The queue of that name at this site.
    fn queue_of(&self, name: &str) -> Option<usize> {
        self.site.queues.iter().position(|q| q.name == name)
    }

    /// The agent of that name at this site.
    fn agent_of(&self, name: &str) -> Option<usize> {
        self.site.agents.iter().position(|a| a.name == name)
    }
}

/// `2026-03-07T09:15:04.250Z`
fn millis(at: i64) -> String {
    write_time(at, TimeForm::Utc, Zone::Utc)
}

/// `2026-03-07T09:15:04Z`, cut.
fn seconds(at: i64) -> String {
    let text = millis(at);
    format!("{}Z", &text[..19])
}

/// `Sat, 07 Mar 2026 09:15:04 +0000`
fn mail_date(at: i64) -> String {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let days = at.div_euclid(DAY);
    let (year, month, day) = date_of(days);
    let text = millis(at);
    format!(
        "{}, {day:02} {} {year} {} +0000",
        DAYS[weekday(days) as usize],
        MONTHS[(month - 1) as usize],
        &text[11..19]
    )
}

/// The parts that belong to one, by its place.
fn children(story: &Story, place: usize) -> impl Iterator<Item = &Part> {
    let own = move |p: &&Part| p.parent == Some(place);
    story.parts.iter().filter(own)
}

/// A try to reach a customer, which is a call of its own.
struct Dial<'a> {
    /// Its number among the tries of its story, those that nobody made counted too.
    n: usize,
    part: &'a Part,
    /// Who dialled.
    agent: usize,
    /// When the call was over: the talk's end, or the try's, where nobody talked.
    end: i64,
}

/// The tries that somebody made: where nobody was free to dial, nothing was dialled.
fn dials(story: &Story) -> impl Iterator<Item = Dial<'_>> {
    let parts = story.parts.iter().enumerate();
    let tries = parts.filter(|(_, p)| p.kind == SegmentKind::Dial);
    tries.enumerate().filter_map(move |(n, (place, part))| {
        let agent = part.agent?;
        let talk = children(story, place).find(|p| p.kind == SegmentKind::Talk);
        Some(Dial {
            n,
            part,
            agent,
            end: talk.map_or(part.end, |t| t.end),
        })
    })
}
