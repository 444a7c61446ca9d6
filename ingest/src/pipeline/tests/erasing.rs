//! A customer is erased while others call, and while he calls.

use callboard_model::tables::{DeadLetterRow, RecordRow};
use callboard_store::doctor::examine;
use callboard_store::erase::Wish;

use super::*;

/// A contact of that customer begins; its calls follow.
fn begins(contact: &str, customer: &str) -> String {
    let time = callboard_model::time::format_rfc3339(T0);
    format!(
        r#"{{"specversion":"1.0","id":"{contact}-begin","source":"/test","type":"callboard.contact.started","time":"{time}","data":{{"contact_id":"{contact}","channel":"voice","customer":"{customer}"}}}}"#
    )
}

fn wish(customer: &str) -> Wish {
    Wish {
        customers: vec![customer.to_owned()],
        contacts: Vec::new(),
    }
}

async fn ids(bench: &Bench) -> Vec<String> {
    let rows = bench.contacts().await.into_iter();
    rows.map(|r| r.contact_id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_erased_live_settled_and_joined() {
    let (dir, bench) = Bench::fresh().await;
    let store = bench.pipeline.store().clone();
    // One has settled, under two ids; one is open; a third is somebody else's.
    bench.send(&[begins("his", "+4930123")]).await;
    bench.send(&call("his", T0)).await;
    bench.send(&call("too", T0)).await;
    bench.send(&[same("too", "his")]).await;
    bench.send(&[begins("hers", "+49301234")]).await;
    bench.send(&call("hers", T0)).await;
    bench.settle().await;
    bench.send(&[begins("again", "+4930123")]).await;
    bench.send(&call("again", T0)[..2]).await;
    // He was taken for another first: that lost, and still names him.
    let wrong = begins("mistaken", "+4930123").replace("-begin", "-wrong");
    let right = begins("mistaken", "+4940777").replace("\"data\"", "\"rank\":50,\"data\"");
    bench.send(&[wrong, right]).await;

    let dry = store.erase(wish("+4930123"), true).await.unwrap();
    assert_eq!(dry.contacts, ["again", "his", "mistaken", "too"]);
    assert_eq!(bench.contacts().await.len(), 4, "nothing was changed");
    let done = store.erase(wish("+4930123"), false).await.unwrap();
    assert_eq!(done.contacts, dry.contacts);
    let proof = done.proof.unwrap();
    assert_eq!(proof.found, []);
    assert_eq!(proof.too_short, ["again", "his", "too"]);
    assert_eq!(ids(&bench).await, ["hers"]);
    assert_eq!(done.records, 15);

    // What speaks of him is refused; what does not is taken.
    let verdicts = bench.send(&call("his", T0 + 1)).await;
    assert!(
        verdicts
            .iter()
            .all(|v| matches!(v, Verdict::Refused(r) if r.class == "erased")),
        "{verdicts:?}"
    );
    assert_eq!(
        bench.send(&[begins("new", "+4930123")]).await,
        [Verdict::Taken]
    );
    bench.settle().await;
    let letters = bench.lake("dead_letters").await;
    let letters: Vec<_> = letters.iter().flat_map(DeadLetterRow::from_batch).collect();
    assert_eq!(letters.len(), 4);
    assert!(
        letters
            .iter()
            .all(|l| l.bytes.is_empty() && l.sha256.is_empty())
    );
    let clock = bench.clock.clone();
    drop((bench, store));
    let bench = Bench::open(dir.path(), clock.now()).await;
    assert_eq!(ids(&bench).await, ["hers", "new"]);
    let again = bench.send(&call("again", T0 + 1)[..1]).await;
    assert!(
        matches!(&again[0], Verdict::Refused(r) if r.class == "erased"),
        "{again:?}"
    );
    drop(bench);
    let options = StoreOptions::new(dir.path());
    let found = loop {
        match examine(&options, Arc::new(Registry), &*clock, true, &|_| {}).await {
            Err(StoreError::Folder(DataFolderError::Locked { .. })) => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            other => break other.unwrap(),
        }
    };
    assert!(!found.damaged(), "{:?}", found.findings);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_while_he_is_erased_is_erased_or_refused() {
    let (_dir, bench) = Bench::fresh().await;
    let store = bench.pipeline.store().clone();
    bench.send(&[begins("his-contact", "+4930123")]).await;
    let erasing = tokio::spawn({
        let store = store.clone();
        async move { store.erase(wish("+4930123"), false).await.unwrap() }
    });
    let mut taken = 0;
    let mut n = 0;
    loop {
        let part = format!("p{n}");
        let rest = r#","kind":"queue","queue":"sales""#;
        let his = segment(
            &format!("h{n}"),
            "his-contact",
            &part,
            "started",
            T0 + n,
            rest,
        );
        let hers = segment(
            &format!("o{n}"),
            "her-contact",
            &part,
            "started",
            T0 + n,
            rest,
        );
        let verdicts = bench.send(&[his, hers]).await;
        assert_eq!(verdicts[1], Verdict::Taken);
        taken += i64::from(verdicts[0] == Verdict::Taken);
        n += 1;
        if erasing.is_finished() {
            break;
        }
    }
    let report = erasing.await.unwrap();
    assert_eq!(report.records as i64, taken + 1, "of {n}");
    assert_eq!(report.proof.unwrap().found, []);
    bench.flush().await;
    let records = bench.lake("records").await;
    let records: Vec<_> = records.iter().flat_map(RecordRow::from_batch).collect();
    assert_eq!(records.len() as i64, n, "hers, each once");
    assert_eq!(ids(&bench).await, ["her-contact"]);
}
