//! One contact with more events than anybody has hands for.

use std::time::{Duration, Instant};

use crate::scenes::at;
use crate::support::centre::Centre;
use crate::support::scene::number;

/// Of more events the intervals of the agent take longer than a query may in a build for tests.
const MOST_OF_AN_AGENT: i64 = 100_000;

/// Each hold cuts the talk: 30 ms before the first, 60 ms between two, 30 ms behind the last. Nobody
/// told when the agent was logged in, so what he does afterwards is unknown.
fn intervals_of_the_agent(centre: &Centre, holds: i64) {
    // 2 March 2026, 00:00:10.
    let begun = 1_772_409_610_000_000_i64;
    let sql = format!(
        "select state, (cast(started_at as bigint) - {begun}) / 1000 as since, (cast(ended_at as bigint) - {begun}) / 1000 as until from agent_intervals where agent = 'ivy' order by started_at limit 4"
    );
    let first = ["talk 0 30", "hold 30 70", "talk 70 130", "hold 130 170"];
    assert_eq!(centre.rows(&sql), first);
    let sql = "select state, count(*) as n, sum(cast(ended_at as bigint) - cast(started_at as bigint)) / 1000 as ms from agent_intervals where agent = 'ivy' group by state order by state";
    assert_eq!(
        centre.rows(sql),
        [
            format!("hold {holds} {}", holds * 40),
            format!("talk {} {}", holds + 1, holds * 60),
            "unknown 1 null".to_owned(),
        ]
    );
}

/// 20,000 events of one contact; `CALLBOARD_EVENTS_OF_A_CONTACT` says how many.
#[test]
fn one_contact_has_very_many_events() {
    let events = number("CALLBOARD_EVENTS_OF_A_CONTACT", 20_000) as i64;
    let holds = events / 2;
    let mut centre = Centre::new();
    let own = r#""contact_id":"huge","queue":"q""#;
    let data = format!(r#"{own},"kind":"queue""#);
    centre.part("q", &at(0), (&at(10), "answered"), &data);
    let data = format!(r#"{own},"kind":"talk","agent":"ivy","parent":"q""#);
    centre.tell(
        "segment.started",
        &at(10),
        &format!(r#"{data},"segment_id":"t""#),
    );
    centre.send();
    let before = centre.server().memory();
    // A hold of 40 ms in every tenth of a second.
    let ms = |ms: i64| {
        format!(
            "{}.{:03}Z",
            at(10 + ms / 1000).trim_end_matches('Z'),
            ms % 1000
        )
    };
    let data = r#""contact_id":"huge","kind":"hold","agent":"ivy","parent":"t""#;
    let (mut took, mut most) = ([Duration::ZERO; 2], before);
    for n in 0..holds {
        let end = ms(n * 100 + 70);
        centre.part(&format!("h{n}"), &ms(n * 100 + 30), (&end, "resumed"), data);
        if n % 500 == 499 || n == holds - 1 {
            let begun = Instant::now();
            centre.send();
            took[usize::from(n * 2 >= holds)] += begun.elapsed();
            most = most.max(centre.server().memory());
        }
    }
    let over = r#""contact_id":"huge","segment_id":"t","outcome":"completed""#;
    centre.tell("segment.ended", &ms(holds * 100), over);
    centre.tell("contact.ended", &ms(holds * 100), r#""contact_id":"huge""#);
    let begun = Instant::now();
    centre.settle("huge");
    most = most.max(centre.server().memory());
    let grown = (most - before) >> 20;
    println!(
        "{events} events of one contact: first half in {:.1?}, second in {:.1?}, in the lake after {:.1?} more, {grown} MiB more at most",
        took[0],
        took[1],
        begun.elapsed()
    );
    // 71 MiB were seen at 20,000 events. Of a million the most is what open keys may hold, several
    // times over, since the contact settles early and is opened again as a whole: 1,454 MiB were seen.
    let may = (128 + events as u64 * 3 / 1024).min(2048);
    assert!(grown < may, "{grown} MiB more, {may} at most");
    let told = format!("10000 {} {} closed", holds * 100, holds * 40);
    for _ in 0..2 {
        let sql = "select wait_ms, talk_ms, hold_ms, state from contacts";
        assert_eq!(centre.rows(sql), std::slice::from_ref(&told));
        let sql = "select kind, count(*) as n, sum(duration_ms) as ms from segments group by kind order by kind";
        assert_eq!(
            centre.rows(sql),
            [
                format!("hold {holds} {}", holds * 40),
                "queue 1 10000".to_owned(),
                format!("talk 1 {}", holds * 100),
            ]
        );
        // One stay of 10 s, within the usual 20; the talk behind it with its holds.
        let sql = "select queue, interval_start, offered, answered, answered_in_target, abandoned, wait_ms_sum, talk_ms_sum, talk_count, hold_ms_sum, wrap_ms_sum from queue_intervals";
        assert_eq!(
            centre.rows(sql),
            [format!(
                "q 2026-03-02T00:00:00 1 1 1 0 10000 {} 1 {} null",
                holds * 100,
                holds * 40
            )]
        );
        if events <= MOST_OF_AN_AGENT {
            intervals_of_the_agent(&centre, holds);
        }
        let sql = "select count(*) as n from records where source = '/test/centre'";
        assert_eq!(centre.rows(sql), [centre.known.to_string()]);
        centre.restart();
    }
}
