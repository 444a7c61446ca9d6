//! However often somebody looks meanwhile, the picture is the same in the end.

use callboard_model::tables::{AgentStateRow, SegmentRow};
use callboard_model::time::format_rfc3339;

use super::*;

/// Live rows of contacts and segments, in an order of their own.
fn live(bench: &Bench) -> Vec<String> {
    let snapshot = bench.pipeline.store().snapshot();
    let of = |table: &str| snapshot.tables[table].live.clone();
    let contacts = of("contacts").into_iter();
    let segments = of("segments").into_iter();
    let mut rows: Vec<String> = contacts
        .flat_map(|b| ContactRow::from_batch(&b))
        .map(|r| format!("{r:?}"))
        .chain(
            segments
                .flat_map(|b| SegmentRow::from_batch(&b))
                .map(|r| format!("{r:?}")),
        )
        .collect();
    rows.sort();
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_often_changes_nothing() {
    let (_often, often) = Bench::fresh().await;
    let (_once, once) = Bench::fresh().await;
    // Three groups of contacts; their calls' first events one after the other, then the second
    // ones in another order, so that old groups change a key at a time.
    let calls: Vec<Vec<String>> = (0..150).map(|n| call(&format!("c{n}"), T0)).collect();
    let longest = calls.iter().map(Vec::len).max().unwrap();
    let mut all = Vec::new();
    for nth in 0..longest {
        for k in 0..calls.len() {
            let call = &calls[(k * (1 + 36 * nth)) % calls.len()];
            all.extend(call.get(nth).cloned());
        }
    }
    assert_eq!(all.len(), calls.iter().map(Vec::len).sum::<usize>());
    // Some of the youngest prove to be one with some of the oldest.
    all.extend((0..10).map(|n| same(&format!("c{}", 149 - n), &format!("c{n}"))));
    for events in all.chunks(7) {
        often.send(events).await;
        assert!(!live(&often).is_empty());
        once.send(events).await;
    }
    let rows = live(&often);
    assert!(rows.len() > 2 * calls.len(), "{} rows", rows.len());
    assert_eq!(rows, live(&once));
}

/// The last state of each agent in the present picture.
fn last_states(bench: &Bench) -> Vec<String> {
    let snapshot = bench.pipeline.store().snapshot();
    let live = snapshot.tables["agent_states"].live.iter();
    let mut rows: Vec<AgentStateRow> = live.flat_map(AgentStateRow::from_batch).collect();
    rows.sort_by_key(|r| r.started_at);
    rows.into_iter().map(|r| r.state).collect()
}

/// What Amazon Connect says of an agent who is available since [`T0`].
fn sign(kind: &str, at: i64) -> String {
    let at = format_rfc3339(at);
    let arn = "arn:aws:connect:eu-central-1:1:instance/i-1";
    let since = format_rfc3339(T0);
    format!(
        r#"{{"AgentARN":"{arn}/agent/h-1","InstanceARN":"{arn}","EventId":"{kind}-{at}","EventTimestamp":"{at}","EventType":"{kind}","Version":"2019-05-25","CurrentAgentSnapshot":{{"AgentStatus":{{"ARN":"{arn}/agent-state/a","Name":"Available","StartTimestamp":"{since}","Type":"ROUTABLE"}},"Contacts":[]}}}}"#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_pulse_fails_is_unknown_though_nothing_more_is_heard_at_all() {
    let (_dir, bench) = Bench::fresh().await;
    bench.later(121);
    for told in [sign("LOGIN", T0), sign("HEART_BEAT", T0 + 120_000_000)] {
        bench.submit("amazon-connect", &told).await;
    }
    assert_eq!(last_states(&bench).last().unwrap(), "available");
    let news = bench.pipeline.store().changes();
    bench.later(180);
    assert_eq!(
        last_states(&bench).last().unwrap(),
        "available",
        "on its way"
    );
    assert!(!news.has_changed().unwrap());
    bench.later(20);
    assert_eq!(last_states(&bench).last().unwrap(), "unknown");
    assert!(news.has_changed().unwrap(), "whoever watches is told");
    bench.flush().await;
    assert_eq!(last_states(&bench).last().unwrap(), "unknown");
}

/// Memory forgets the first days of somebody who is available for a week; each sign of life, which says
/// since when he is, is heard all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_pulse_is_heard_of_a_state_that_began_on_a_day_that_is_forgotten() {
    let (_dir, bench) = Bench::fresh().await;
    let beat = || sign("HEART_BEAT", bench.clock.now());
    bench.submit("amazon-connect", &sign("LOGIN", T0)).await;
    let mut waited = 0;
    let days = 4 * 86_400 / 120;
    for nth in 1..=days + 4 {
        bench.later(120);
        bench.submit("amazon-connect", &beat()).await;
        waited += bench.pipeline.store().health().late;
        if nth % 120 == 0 || nth > days {
            bench.pipeline.store().resolve().await.unwrap();
            bench.flush().await;
        }
    }
    assert!(waited > 0, "nothing of a forgotten day was told");
    // Half way to the next sign.
    bench.later(90);
    bench.flush().await;
    assert_eq!(last_states(&bench).last().unwrap(), "available");
}
