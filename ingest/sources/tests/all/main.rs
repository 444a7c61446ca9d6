//! The Asterisk reader against a real shift, its oddities one by one, and generated histories.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod oddities;
mod pipeline;
mod properties;
mod stories;
mod tally;

#[test]
#[ignore = "prints"]
fn dump() {
    use callboard_sources::asterisk::Feed;
    for feeds in [&Feed::ALL[..], &[Feed::Cel], &[Feed::Ami], &[Feed::Cdr]] {
        let rows = pipeline::rows(&pipeline::shift(feeds), 1_795_255_241_000_000);
        for call in std::env::var("CALLS").unwrap().split(' ') {
            println!("=== {feeds:?} {call}");
            let Some(c) = rows.contacts.get(&format!("pbx1-{call}")) else {
                println!("none");
                continue;
            };
            let o = c.contact.as_ref().unwrap();
            println!(
                "{} {:?}..{:?} {:?} {:?} by {:?} q {:?} a {:?} wait {:?} talk {:?} hold {:?} tr {} {} {:?}",
                o.contact_id,
                o.started_at,
                o.ended_at,
                o.outcome,
                o.raw_outcome,
                o.ended_by,
                o.queues,
                o.agents,
                o.wait_ms,
                o.talk_ms,
                o.hold_ms,
                o.transfers,
                o.state,
                o.attributes
            );
            for s in &c.segments {
                println!(
                    "  {} {} {} {:?} {:?} {:?}+{:?} {:?}/{:?} -> {:?} {:?} by {:?} p{:?} pos {:?} {:?} {:?} {:?} {:?} basis {:?} {:?}",
                    s.seq,
                    s.segment_id,
                    s.kind,
                    s.queue,
                    s.agent,
                    s.started_at.map(|t| t.0),
                    s.duration_ms,
                    s.outcome,
                    s.raw_outcome,
                    s.target_kind,
                    s.target,
                    s.ended_by,
                    s.parent_seq,
                    s.position_in,
                    s.position_out,
                    s.name,
                    s.input,
                    s.mode,
                    s.start_basis,
                    s.end_basis
                );
            }
            for s in &c.offers {
                println!(
                    "  o {} {:?} {:?} {:?} {:?} q{:?} {:?}",
                    s.segment_id,
                    s.agent,
                    s.offered_at.map(|t| t.0),
                    s.ring_ms,
                    s.outcome,
                    s.queue_seq,
                    s.raw_outcome
                );
            }
            for l in &c.links {
                println!("  l {l:?}");
            }
            println!("  aliases {}", c.aliases.len());
        }
    }
}
