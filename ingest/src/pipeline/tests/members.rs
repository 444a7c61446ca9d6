//! Agents whose records are interpreted together, members of an Asterisk's queues, over weeks: what
//! is held of them does not grow, and their rows are those of all records.

use callboard_model::tables::AgentStateRow;
use callboard_store::live::{Live, Routed};
use callboard_store::snapshot::Snapshot;

use super::*;

const DAY: i64 = 86_400;

fn line(at: i64, queue: &str, who: &str, what: &str) -> String {
    format!("{}|NONE|{queue}|{who}|{what}", at / 1_000_000)
}

fn record(text: &str, now: i64) -> Record {
    Record {
        source: "/asterisk/pbx1/queue_log".into(),
        id: text.into(),
        format: "asterisk/queue_log".into(),
        received_at: now,
        stamp: Arc::new(callboard_model::record::Stamp {
            instance: "pbx1".into(),
            ..Default::default()
        }),
        bytes: text.as_bytes().into(),
    }
}

/// A day of two members: one comes and goes, one stays for weeks and has his breaks.
fn day(start: i64, nth: i64) -> Vec<String> {
    let at = |hour: i64, minute: i64| start + (hour * 3_600 + minute * 60) * 1_000_000;
    let mut all = vec![
        line(at(8, 0), "sales", "Ann", "ADDMEMBER|"),
        line(at(8, 0), "help", "Ann", "ADDMEMBER|"),
        line(at(16, 30), "sales", "Ann", "REMOVEMEMBER|"),
        line(at(16, 30), "help", "Ann", "REMOVEMEMBER|"),
    ];
    if nth == 0 {
        all.push(line(at(7, 0), "help", "Bob", "ADDMEMBER|"));
    }
    for hour in 9..16 {
        for who in ["Ann", "Bob"] {
            let from = nth % 7 + 10;
            all.push(line(at(hour, from), "", who, "PAUSEALL|tea"));
            all.push(line(at(hour, from), "help", who, "PAUSE|tea"));
            all.push(line(at(hour, from + 20), "help", who, "UNPAUSE|"));
        }
    }
    all
}

/// Rows in an order of their own.
fn in_order(rows: impl Iterator<Item = AgentStateRow>) -> Vec<AgentStateRow> {
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by_cached_key(|row| format!("{row:?}"));
    rows
}

/// The states as a query of this picture would see them.
async fn shown(bench: &Bench, snapshot: Arc<Snapshot>) -> Vec<AgentStateRow> {
    let table = &snapshot.tables["agent_states"];
    let live = table.live.iter().flat_map(AgentStateRow::from_batch);
    let lake = bench.lake("agent_states").await;
    let lake = lake.iter().flat_map(AgentStateRow::from_batch);
    let kept = lake.filter(|row| {
        let hidden = table.hidden.as_ref();
        hidden.is_none_or(|h| !h.hides(&row.agent_key, row.day.0))
    });
    in_order(live.chain(kept))
}

/// The states as all records together say them.
fn anew(told: &[String], now: i64) -> Vec<AgentStateRow> {
    let mut live = Live::new(Arc::new(Registry));
    for text in told {
        let record = Arc::new(record(text, now));
        let routing = Registry.route(&record).unwrap();
        live.apply(&Routed {
            seq: 1,
            record,
            routing,
        });
    }
    let births: Vec<u64> = live.entries().map(|(birth, _)| birth).collect();
    let rows = births.into_iter();
    in_order(rows.flat_map(|birth| live.rows(birth, now).agent_states.clone()))
}

/// Bytes of the open keys that the last flush wrote down.
fn open_keys(dir: &Path) -> u64 {
    let state = std::fs::read_dir(dir.join("state")).unwrap();
    let files = state.map(|f| f.unwrap());
    let open = files.filter(|f| f.file_name().to_string_lossy().starts_with("open-"));
    open.map(|f| f.metadata().unwrap().len()).max().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_of_members_of_queues_does_not_grow_with_the_weeks() {
    let dir = tempfile::tempdir().unwrap();
    let mut bench = Bench::open(dir.path(), T0).await;
    let midnight = T0 - T0 % (DAY * 1_000_000);
    let mut told = Vec::new();
    let mut moments = Vec::new();
    let (mut early, mut last) = (0, 0);
    for nth in 0..24 {
        let mut batch = day(midnight + nth * DAY * 1_000_000, nth);
        if nth == 15 {
            // Told a week late: he was away for an hour then.
            let then = midnight + (8 * DAY + 9 * 3_600) * 1_000_000;
            batch.push(line(then, "help", "Bob", "REMOVEMEMBER|"));
            let back = then + 3_600_000_000;
            batch.push(line(back, "help", "Bob", "ADDMEMBER|"));
        }
        bench.later(DAY);
        let now = bench.clock.now();
        let records = batch
            .iter()
            .map(|text| Candidate::Record(record(text, now)));
        bench.pipeline.submit(records.collect()).await.unwrap();
        told.extend(batch);
        bench.pipeline.store().resolve().await.unwrap();
        bench.flush().await;
        bench.flush().await;
        last = open_keys(dir.path());
        if nth == 6 {
            early = last;
        }
        if nth % 5 == 4 {
            // From what the flush wrote down.
            drop(bench);
            bench = Bench::open(dir.path(), now).await;
        }
        let snapshot = bench.pipeline.store().snapshot();
        let states = shown(&bench, snapshot).await;
        assert_eq!(states, anew(&told, now), "day {nth}");
        moments.push((now, states));
    }
    for (nth, (at, states)) in moments.iter().enumerate().step_by(3) {
        let then = bench.pipeline.store().as_of(*at).await.unwrap();
        assert_eq!(&shown(&bench, then).await, states, "as of day {nth}");
    }
    assert!(
        last < early * 2,
        "{early} bytes after a week, {last} after 24 days"
    );
}

/// The server's clock was days behind when it wrote rows of somebody who is a member for a week: they
/// end with that clock. Set right, it forgets none of the days of which there are no rows yet.
#[tokio::test(flavor = "multi_thread")]
async fn no_day_is_forgotten_of_which_a_clock_that_was_behind_made_no_row() {
    let dir = tempfile::tempdir().unwrap();
    let bench = Bench::open(dir.path(), T0).await;
    let midnight = T0 - T0 % (DAY * 1_000_000);
    let at = |day: i64, hour: i64| midnight + (day * DAY + hour * 3_600) * 1_000_000;
    let mut told = Vec::new();
    let mut tell = async |batch: Vec<String>| {
        let now = bench.clock.now();
        let records = batch
            .iter()
            .map(|text| Candidate::Record(record(text, now)));
        bench.pipeline.submit(records.collect()).await.unwrap();
        bench.flush().await;
        bench.flush().await;
        told.extend(batch);
    };
    tell(vec![
        line(at(1, 8), "help", "Bob", "ADDMEMBER|"),
        line(at(6, 9), "help", "Bob", "PAUSE|tea"),
        line(at(6, 10), "help", "Bob", "UNPAUSE|"),
    ])
    .await;
    bench.later(6 * DAY);
    tell(vec![line(at(6, 8), "help", "Ann", "ADDMEMBER|")]).await;
    bench.later(DAY);
    tell(vec![line(at(7, 8), "sales", "Ann", "ADDMEMBER|")]).await;
    let states = shown(&bench, bench.pipeline.store().snapshot()).await;
    assert_eq!(states, anew(&told, bench.clock.now()));
    assert!(states.len() > 7, "{states:?}");
}
