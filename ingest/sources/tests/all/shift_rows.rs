//! Rows of the recorded shift, made once, and how tests look into them.

use std::sync::OnceLock;

use callboard_model::rows::ContactRows;
use callboard_model::tables::{AgentStateRow, OfferRow, SegmentRow};
use callboard_sources::asterisk::Feed;

use crate::pipeline::{RECORDED, Rows, rows, shift};

pub const HORIZON: i64 = 1_795_255_241_000_000;

pub fn all() -> &'static Rows {
    static ROWS: OnceLock<Rows> = OnceLock::new();
    ROWS.get_or_init(|| rows(&shift(&RECORDED), HORIZON))
}

pub fn alone(feed: Feed) -> &'static Rows {
    static ROWS: [OnceLock<Rows>; 4] = [const { OnceLock::new() }; 4];
    let n = RECORDED.iter().position(|f| *f == feed).unwrap();
    ROWS[n].get_or_init(|| rows(&shift(&[feed]), HORIZON))
}

pub fn contact<'a>(rows: &'a Rows, call: &str) -> &'a ContactRows {
    &rows.contacts[&format!("pbx1-{call}")]
}

pub fn segment<'a>(rows: &'a Rows, id: &str) -> &'a SegmentRow {
    let (call, _) = id.split_once('/').unwrap();
    contact(rows, call)
        .segments
        .iter()
        .find(|s| s.segment_id == id)
        .unwrap_or_else(|| panic!("{id} is missing"))
}

pub fn offers<'a>(rows: &'a Rows, call: &str) -> Vec<(&'a str, &'a str, i64)> {
    let mut all: Vec<_> = contact(rows, call)
        .offers
        .iter()
        .map(|o: &OfferRow| {
            (
                o.agent.as_deref().unwrap(),
                o.outcome.as_deref().unwrap(),
                o.ring_ms.unwrap(),
            )
        })
        .collect();
    all.sort_unstable();
    all
}

pub fn states<'a>(rows: &'a Rows, agent: &str, track: &str, state: &str) -> Vec<&'a AgentStateRow> {
    rows.agents[agent]
        .iter()
        .filter(|s| s.track == track && s.state == state)
        .collect()
}

pub fn text(word: &Option<String>) -> &str {
    word.as_deref().unwrap_or("")
}
