//! Any other system: a mapping file says in jq which of our own events an item of JSON or CSV tells.
//!
//! [`Mapping`] is a file that can be run: what is sent becomes items, an item becomes events, and
//! [`Mapping::records`] keeps both in records of the format [`FORMAT`]. [`Mapped`] reads such records
//! again, by the code that reads our own events and without any mapping: a file that changes, or is
//! gone, changes no row.

mod file;
mod functions;
mod guess;
mod item;
mod jq;
mod left;
mod program;
mod regexes;
mod rows;
mod shipped;
mod trial;
pub mod wire;

use callboard_model::cloudevents;
use callboard_model::record::{Record, Refusal, Routing};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::adapter::{Adapter, Declared};
use crate::lines::NewLine;
use crate::payload;

pub use file::{Csv, EventRule, Format, MOST_BYTES, MappingFile, Sure, Test};
pub use guess::guess;
pub use item::{Found, Mapped as MappedItem, zone_of};
pub use jq::{Bounds, Stop};
pub use program::{Mapping, OF_AN_ITEM};
pub use shipped::{SHIPPED, all, shipped};
pub use trial::{Report, Trouble, check, try_out};

/// Name of the platform of all mappings in formats; ids have the mapping's own.
const PLATFORM: &str = "mapping";

/// Format of records that hold an item and its events.
pub const FORMAT: &str = "mapping/item";

/// Prefix of the names of sources that a mapping reads.
pub const PREFIX: &str = "mapping:";

/// Reads records that mappings made.
#[derive(Debug, Clone, Copy)]
pub struct Mapped;

#[derive(Deserialize)]
struct Kept<'a> {
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
}

impl Adapter for Mapped {
    fn platform(&self) -> &'static str {
        PLATFORM
    }

    /// Without the name of a mapping nothing can be read.
    fn split(&self, bytes: &[u8], _: &Declared) -> Vec<NewLine> {
        let reason = "name the mapping: send to mapping:NAME; `callboard map list` lists those that come with callboard";
        vec![payload::dead(
            "/mapping",
            "no_mapping",
            reason.to_owned(),
            bytes,
        )]
    }

    fn route(&self, record: &Record) -> Result<Routing, Refusal> {
        let kept: Kept<'_> = serde_json::from_slice(&record.bytes).map_err(|e| {
            Refusal::new("not_json", format!("no item with its events in JSON: {e}"))
        })?;
        let mut out = Routing {
            statements: Some(Vec::new()),
            ..Routing::default()
        };
        for (n, event) in kept.events.iter().enumerate() {
            // Each event is known apart: two of one item may say different things.
            let id = format!("{}#{n}", record.id);
            let bytes = event.get().as_bytes().to_vec();
            let one = item::virtual_record(&record.source, &id, record.stamp.sequence, bytes);
            let said = cloudevents::read(&one)?;
            for key in said.keys {
                if !out.keys.contains(&key) {
                    out.keys.push(key);
                }
            }
            out.time = out.time.max(said.time);
            if let Some(all) = &mut out.statements {
                all.extend(said.statements.unwrap_or_default());
            }
        }
        Ok(out)
    }
}
