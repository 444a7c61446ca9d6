//! As of an earlier moment every table shows what it showed then.

use std::fmt::Debug;

use callboard_model::tables::{
    AgentStateRow, AliasRow, CorrectionRow, DeadLetterRow, Instant as At, LinkRow, NoteRow,
    OfferRow, QueueTargetRow, RecordRow, SegmentRow, SurveyRow,
};
use callboard_store::snapshot::{AsOfError, Snapshot};
use callboard_store::store::AsOfLimits;

use super::*;

/// Sorted rows by table, and when each contact's row was last corrected.
type Rows = (BTreeMap<&'static str, Vec<String>>, BTreeMap<String, At>);

const MINUTE: i64 = 60;

/// The tables of a picture, beside the lake as it is.
struct Look<'a> {
    snapshot: &'a Snapshot,
    lake: &'a Lake,
}

type Lake = BTreeMap<&'static str, Vec<RecordBatch>>;

impl Look<'_> {
    /// The rows of one table as a query sees them; `told` gives a row's id, and its day or its time.
    fn rows<R>(
        &self,
        name: &'static str,
        read: fn(&RecordBatch) -> Vec<R>,
        told: impl Fn(&R) -> (String, i64),
    ) -> Vec<R> {
        let table = &self.snapshot.tables[name];
        let seen = |row: &R| {
            let (id, time) = told(row);
            let hidden = table.hidden.as_ref();
            hidden.is_none_or(|h| !h.hides(&id, time as i32))
                // The one bound that such a picture has on the lake's rows.
                && (table.only.is_none() || time <= self.snapshot.now)
        };
        let lake = self.lake[name].iter().flat_map(read).filter(seen);
        table.live.iter().flat_map(read).chain(lake).collect()
    }
}

/// All of the lake.
async fn lake(bench: &Bench) -> Lake {
    let mut all = Lake::new();
    for spec in callboard_model::tables::TABLES {
        all.insert(spec.name, bench.lake(spec.name).await);
    }
    all
}

fn lines<R: Debug>(rows: &[R]) -> Vec<String> {
    rows.iter().map(|row| format!("{row:?}")).collect()
}

fn rows(snapshot: &Snapshot, lake: &Lake) -> Rows {
    let look = Look { snapshot, lake };
    let mut all = BTreeMap::new();
    let mut corrected = BTreeMap::new();
    let mut put = |name, mut lines: Vec<String>| {
        lines.sort();
        all.insert(name, lines);
    };
    let mut contacts = look.rows("contacts", ContactRow::from_batch, |r| {
        (r.contact_id.clone(), i64::from(r.day.0))
    });
    for row in &mut contacts {
        let at = row.corrected_at.take();
        corrected.extend(at.map(|at| (row.contact_id.clone(), at)));
    }
    put("contacts", lines(&contacts));
    macro_rules! take {
        ($name:literal, $row:ty, $told:expr) => {
            let found = look.rows($name, <$row>::from_batch, $told);
            put($name, lines(&found));
        };
    }
    take!("segments", SegmentRow, |r| (
        r.contact_id.clone(),
        i64::from(r.day.0)
    ));
    take!("offers", OfferRow, |r| (
        r.contact_id.clone(),
        i64::from(r.day.0)
    ));
    take!("links", LinkRow, |r| (
        r.from_contact.clone(),
        i64::from(r.day.0)
    ));
    take!("aliases", AliasRow, |r| (r.id.clone(), i64::from(r.day.0)));
    take!("agent_states", AgentStateRow, |r| (
        r.agent_key.clone(),
        i64::from(r.day.0)
    ));
    take!("queue_targets", QueueTargetRow, |r| (
        r.target_id.clone(),
        i64::from(r.day.0)
    ));
    take!("notes", NoteRow, |r| (
        r.note_id.clone(),
        i64::from(r.day.0)
    ));
    take!("surveys", SurveyRow, |r| (
        r.survey_id.clone(),
        i64::from(r.day.0)
    ));
    let none = String::new;
    take!("records", RecordRow, |r| (none(), r.received_at.0));
    take!("dead_letters", DeadLetterRow, |r| (none(), r.received_at.0));
    take!("corrections", CorrectionRow, |r| (none(), r.corrected_at.0));
    (all, corrected)
}

/// Numbers that look thrown, the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        let next = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = next.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

fn event(id: &str, kind: &str, at: i64, data: &str) -> String {
    let time = callboard_model::time::format_rfc3339(at);
    format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"/test","type":"callboard.{kind}","time":"{time}","data":{{{data}}}}}"#
    )
}

/// Everything that is ever said of a contact, and after how many steps. Some end by a restart only;
/// of all others the end is known at once, so that none has settled that a restart would have ended.
fn contact(n: u64, at: i64, dice: &mut Dice) -> Vec<(u64, String)> {
    let id = format!("c{n}");
    let offer = r#","kind":"offer","queue":"sales","agent":"Ann","parent":"q""#;
    let ringing = segment(
        &format!("{id}o"),
        &id,
        "o",
        "started",
        at + 2_000_000,
        offer,
    );
    let ends = n % 5 != 1;
    let parts = call(&id, at).into_iter().chain([ringing]);
    let parts = parts.take(if ends { 5 } else { 3 });
    let mut told: Vec<(u64, String)> = parts.map(|e| (dice.below(2), e)).collect();
    // Now and then a part comes hours or a day late, or again with other bytes.
    if dice.below(3) == 0 {
        let late = usize::try_from(dice.below(told.len() as u64)).unwrap();
        told[late].0 += 6 + dice.below(14);
    }
    if dice.below(4) == 0 {
        let rest = r#","kind":"queue","queue":"support""#;
        let other = segment(&format!("{id}1"), &id, "q", "started", at + 1_000_000, rest);
        told.push((5 + dice.below(8), other));
    }
    if n > 2 && dice.below(4) == 0 {
        told.push((dice.below(12), same(&id, &format!("c{}", dice.below(n)))));
    }
    if dice.below(6) == 0 {
        let data = format!(r#""note_id":"n{n}","contact_id":"{id}","author":"Eve","text":"hm""#);
        let note = event(&format!("{id}note"), "note.recorded", at, &data);
        told.push((dice.below(9), note));
    }
    if ends {
        let data = format!(r#""contact_id":"{id}""#);
        let end = event(&format!("{id}end"), "contact.ended", at + 36_000_000, &data);
        told.push((0, end));
    }
    told
}

/// One step of the feed beside the contacts: agents, a queue's target, a restart, nonsense.
fn beside(step: u64, now: i64, dice: &mut Dice) -> Vec<String> {
    let mut all = Vec::new();
    for agent in ["Ann", "Bob", "Cleo"] {
        if dice.below(4) == 0 {
            let state = ["available", "paused", "offline"][dice.below(3) as usize];
            let data = format!(r#""agent":"{agent}","state":"{state}""#);
            let at = now - i64::try_from(dice.below(90)).unwrap() * 1_000_000;
            all.push(event(&format!("{agent}{step}"), "agent.changed", at, &data));
        }
    }
    if step % 9 == 4 {
        let data = format!(
            r#""queue":"sales","target_id":"t","threshold_ms":{}"#,
            1000 * (step + 1)
        );
        all.push(event(&format!("t{step}"), "target.recorded", now, &data));
    }
    if step % 11 == 7 {
        all.push(event(
            &format!("r{step}"),
            "source.changed",
            now,
            r#""state":"restarted""#,
        ));
        all.push(event(&format!("x{step}"), "nonsense", now, ""));
    }
    all
}

/// Members of an Asterisk queue, whose records are read together.
fn member(step: u64, now: i64, dice: &mut Dice) -> Candidate {
    let verb = ["ADDMEMBER", "PAUSE", "UNPAUSE", "REMOVEMEMBER"][dice.below(4) as usize];
    let who = ["SIP/1", "SIP/2"][dice.below(2) as usize];
    let line = format!("{}|NONE|sales|{who}|{verb}|", now / 1_000_000);
    Candidate::Record(Record {
        source: "/asterisk/pbx1/queue_log".into(),
        id: format!("{step}").into(),
        format: "asterisk/queue_log".into(),
        received_at: now,
        stamp: Arc::new(callboard_model::record::Stamp {
            instance: "pbx1".into(),
            ..Default::default()
        }),
        bytes: line.as_bytes().into(),
    })
}

/// Plays a feed of 40 steps over two days; gives the moments with what was seen at each.
async fn play(bench: &Bench, seed: u64) -> Vec<(i64, Rows)> {
    let mut dice = Dice(seed);
    let mut waiting: Vec<(u64, String)> = Vec::new();
    let mut moments = Vec::new();
    let mut kept = lake(bench).await;
    for step in 0..40 {
        // A night between, in which agents who did not log out are lost.
        let pause = if step == 20 {
            17 * 60
        } else {
            1 + dice.below(20)
        };
        bench.later(i64::try_from(pause).unwrap() * MINUTE);
        let now = bench.clock.now();
        if step < 34 {
            let told = contact(step, now - 40_000_000, &mut dice);
            waiting.extend(told.into_iter().map(|(after, e)| (step + after, e)));
        }
        let (due, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(at, _)| *at <= step);
        waiting = rest;
        let events = due.into_iter().map(|(_, e)| e);
        let events: Vec<String> = events.chain(beside(step, now, &mut dice)).collect();
        bench.send(&events).await;
        let member = member(step, now, &mut dice);
        bench.pipeline.submit(vec![member]).await.unwrap();
        if dice.below(3) == 0 {
            bench.flush().await;
            kept = lake(bench).await;
        }
        bench.pipeline.store().resolve().await.unwrap();
        let snapshot = bench.pipeline.store().snapshot();
        moments.push((now, rows(&snapshot, &kept)));
    }
    moments
}

async fn compare(bench: &Bench, moments: &[(i64, Rows)], every: usize, what: &str) {
    let kept = lake(bench).await;
    for (nth, (at, (then, marks))) in moments.iter().enumerate().step_by(every) {
        let snapshot = bench.pipeline.store().as_of(*at).await.unwrap();
        assert_eq!((snapshot.now, snapshot.as_of), (*at, Some(*at)));
        let (seen, marked) = rows(&snapshot, &kept);
        for (table, then) in then {
            assert_eq!(&seen[table], then, "{what}, {table} at step {nth}");
        }
        // While a row waits for its next correction it does not show the one before.
        for (contact, mark) in &marked {
            assert!(mark.0 <= *at, "{what}, {contact} at step {nth}");
            assert!(
                marks.get(contact).is_none_or(|m| m == mark),
                "{what}, {contact} at step {nth}"
            );
        }
        assert!(
            marks.keys().all(|c| marked.contains_key(c)),
            "{what} at step {nth}: {marks:?}, {marked:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_shows_what_it_showed_then() {
    for seed in 1..=2 {
        let (dir, bench) = Bench::fresh().await;
        let moments = play(&bench, seed).await;
        let last = &moments[moments.len() - 1].1;
        for table in [
            "contacts",
            "aliases",
            "notes",
            "queue_targets",
            "corrections",
            "dead_letters",
        ] {
            assert!(!last.0[table].is_empty(), "the feed has {table}");
        }
        let corrected = moments.iter().any(|(_, rows)| !rows.1.is_empty());
        assert!(corrected, "some row says when it was corrected");
        let differing = moments
            .windows(2)
            .filter(|w| w[0].1.0["contacts"] != w[1].1.0["contacts"]);
        assert!(differing.count() > 20);
        compare(&bench, &moments, 1, &format!("seed {seed}, as it stands")).await;
        bench.settle().await;
        compare(&bench, &moments, 3, &format!("seed {seed}, settled")).await;
        let now = bench.clock.now();
        drop(bench);
        let bench = Bench::open(dir.path(), now).await;
        compare(
            &bench,
            &moments[4..],
            9,
            &format!("seed {seed}, after a restart"),
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_not_come_or_is_too_much_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = StoreOptions::new(dir.path());
    options.as_of = AsOfLimits {
        records: 6,
        ..AsOfLimits::default()
    };
    let bench = Bench::open_with(T0, options.clone()).await;
    bench.send(&call("a", T0)).await;
    bench.later(60);
    bench.send(&call("b", T0)).await;
    let store = bench.pipeline.store();
    let now = store.now();
    let future = store.as_of(now + 1).await.err().unwrap();
    assert_eq!(future, AsOfError::Future { at: now + 1, now });
    let then = store.as_of(T0).await.unwrap();
    assert_eq!(rows(&then, &lake(&bench).await).0["contacts"].len(), 1);
    assert!(
        Arc::ptr_eq(&then, &store.as_of(T0).await.unwrap()),
        "it is kept"
    );
    let e = store.as_of(T0 - 1).await.err().unwrap().to_string();
    assert!(
        e.contains("more than 6 records") && e.contains("a later moment, or raise [as_of] records"),
        "{e}"
    );
    drop(bench);
    // Each limit names its setting; with more the same moment is answered.
    let usual = AsOfLimits::default();
    let (little, short) = (usual.clone(), usual.clone());
    for (limits, refused) in [
        (AsOfLimits { bytes: 1, ..little }, "raise [as_of] memory"),
        (
            AsOfLimits {
                time: Duration::ZERO,
                ..short
            },
            "raise [as_of] time",
        ),
        (usual, ""),
    ] {
        options.as_of = limits;
        let bench = Bench::open_with(now, options.clone()).await;
        match bench.pipeline.store().as_of(T0 - 1).await {
            Ok(then) => {
                assert_eq!(refused, "");
                assert!(rows(&then, &lake(&bench).await).0["contacts"].is_empty());
            }
            Err(e) => {
                let e = e.to_string();
                assert!(!refused.is_empty() && e.contains(refused), "{e}");
            }
        }
    }
}
