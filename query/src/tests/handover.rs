//! Which transfer an arrival belongs to: by the nearest time, one to one; by the time that is told;
//! by the lease under which the number was taken.

use callboard_model::tables::{ContactRow, LeaseRow, SegmentRow};

use super::fixture::{Memory, at};
use super::journeys::{STEPS, dialled, know, know_within, of, transferred};
use super::reading::{session, show};
use crate::Session;

/// A pool of one number that leads from Teams to Genesys.
const POOL: &str = "number,purpose,from_platform,from_queue,to_platform,to_queue,valid_from,valid_to\n\
     +4930555900,handover,teams,,genesys,,2026-01-01,\n";
const NUMBER: &str = "+4930555900";

fn sent_at(id: &str, at: i64) -> (ContactRow, SegmentRow) {
    let start = at - 300;
    (
        of("teams", id, start, Some(at)),
        transferred(id, start, at, NUMBER),
    )
}

fn came_at(id: &str, at: i64) -> ContactRow {
    dialled(of("genesys", id, at, Some(at + 200)), NUMBER)
}

fn add(memory: &Memory, sent: Vec<(ContactRow, SegmentRow)>, came: &[ContactRow]) {
    let (contacts, parts): (Vec<_>, Vec<_>) = sent.into_iter().unzip();
    memory.add(&contacts);
    memory.add(&parts);
    memory.add(came);
}

/// All of these lines are told, and so many of them.
async fn steps(s: &Session, told: &[&str]) {
    let out = show(s, STEPS).await;
    for one in told {
        assert!(out.contains(one), "{one}: {out}");
    }
    let others = out.matches("handover").count();
    let wanted = told.iter().filter(|t| t.contains("handover")).count();
    assert_eq!(others, wanted, "{out}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_transfers_within_one_window_lead_to_two_arrivals() {
    let memory = Memory::new();
    add(
        &memory,
        vec![sent_at("alpha-01", 600), sent_at("alpha-02", 645)],
        &[came_at("beta-01", 602), came_at("beta-02", 647)],
    );
    let s = session(&memory);
    know_within(&s, &[("numbers.csv", POOL)], 90_000_000);
    let right = [
        "alpha-01 2 beta-01 handover strong true",
        "alpha-02 2 beta-02 handover strong true",
    ];
    steps(&s, &right).await;
    let sql = "SELECT evidence FROM journey_steps WHERE contact_id = 'beta-02'";
    let out = show(&s, sql).await;
    assert!(
        out.contains("transferred to +4930555900 at 2026-03-02T09:10:45Z; beta-02 began at 2026-03-02T09:10:47Z with that number as dialled; 2 transfers fit, these two are the nearest in time"),
        "{out}"
    );
    // A third transfer whose customer hung up takes nothing from them, and is lost.
    add(&memory, vec![sent_at("alpha-03", 620)], &[]);
    steps(
        &s,
        &[right[0], right[1], "alpha-03 - nobody handover lost false"],
    )
    .await;
    let sql = "SELECT evidence FROM journey_steps WHERE strength = 'lost'";
    let out = show(&s, sql).await;
    assert!(
        out.contains("within 90 s that does not belong to another transfer"),
        "{out}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_its_transfer_a_contact_begins_only_where_the_answer_is_what_is_told() {
    let memory = Memory::new();
    // Clocks differ by seconds; nobody arrives a minute before he is sent.
    add(
        &memory,
        vec![sent_at("main-1", 600), sent_at("main-2", 1000)],
        &[came_at("eu-1", 597), came_at("eu-2", 940)],
    );
    // Amazon Connect tells when the far end answered: it rang there before, and not after.
    let aws = |id: &str, at: i64| {
        let row = of("amazon-connect", id, at - 300, Some(at));
        (row, transferred(id, at - 300, at, "+4930555901"))
    };
    let came = |id: &str, at: i64| dialled(of("genesys", id, at, Some(at + 99)), "+4930555901");
    add(
        &memory,
        vec![aws("us-3", 1400), aws("us-4", 2000)],
        &[came("eu-3", 1340), came("eu-4", 2020)],
    );
    let s = session(&memory);
    let pool = format!("{POOL}+4930555901,handover,amazon-connect,,genesys,,,\n");
    know_within(&s, &[("numbers.csv", &pool)], 90_000_000);
    steps(
        &s,
        &[
            "main-1 2 eu-1 handover strong true",
            "main-2 - nobody handover lost false",
            "eu-2 - nobody handover stray false",
            "us-3 2 eu-3 handover strong true",
            "us-4 - nobody handover lost false",
            "eu-4 - nobody handover stray false",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_of_a_flows_transfer_block_is_the_transfers_own() {
    let memory = Memory::new();
    let sent = |id: &str, block: &str, answered: i64| {
        let row = ContactRow {
            attributes: Some(block.to_owned()),
            ..of("amazon-connect", id, answered - 300, Some(answered))
        };
        (
            row,
            transferred(id, answered - 300, answered, "+4930555901"),
        )
    };
    let came = |id: &str, at: i64| dialled(of("genesys", id, at, Some(at + 99)), "+4930555901");
    // The block dials at 09:10:00, the contact there begins at 09:10:20, and is answered before that.
    add(
        &memory,
        vec![
            sent(
                "us-1",
                r#"{"aws:transfer_block_at":"2026-03-02T09:10:00Z","aws:transfer_block_number":"+49 30 555901"}"#,
                610,
            ),
            // A flow's log without the number: that of the record.
            sent(
                "us-2",
                r#"{"aws:transfer_block_at":"2026-03-02T09:20:00.500Z"}"#,
                1210,
            ),
            // What is no time says nothing.
            sent("us-3", r#"{"aws:transfer_block_at":"soon"}"#, 1810),
        ],
        &[came("eu-1", 620), came("eu-2", 1220), came("eu-3", 1820)],
    );
    let s = session(&memory);
    let pool =
        "number,purpose,from_platform,to_platform\n+4930555901,handover,amazon-connect,genesys\n";
    know(&s, &[("numbers.csv", pool)]);
    steps(
        &s,
        &[
            "us-1 2 eu-1 handover strong true",
            "us-2 2 eu-2 handover strong true",
            "us-3 - nobody handover lost false",
            "eu-3 - nobody handover stray false",
        ],
    )
    .await;
    let sql = "SELECT evidence FROM journey_steps WHERE contact_id = 'eu-2'";
    let out = show(&s, sql).await;
    assert!(
        out.contains("at 2026-03-02T09:20:00.500Z by a block of its flow; eu-2 began"),
        "{out}"
    );
}

fn lease(id: &str, contact: &str, customer: &str, from: i64, to: i64) -> LeaseRow {
    LeaseRow {
        lease_id: id.to_owned(),
        number: "+49 30 555 900".to_owned(),
        contact_id: Some(contact.to_owned()),
        customer: Some(customer.to_owned()),
        allocated_at: at(from),
        transferred_at: None,
        released_at: Some(at(to)),
        expires_at: Some(at(from + 180)),
        source: "/sheet/pool".to_owned(),
        day: at(from).day(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_tells_who_was_handed_over_and_who_the_customer_is() {
    let memory = Memory::new();
    // The number is used twice within a minute; the first call comes late, nearest to the second
    // transfer, and with the number of the pool as its caller.
    let ani = |id: &str, start: i64| ContactRow {
        customer: Some("004930555900".to_owned()),
        ..of("genesys", id, start, Some(start + 100))
    };
    add(
        &memory,
        vec![sent_at("main-1", 600), sent_at("main-2", 645)],
        &[ani("eu-1", 642), ani("eu-2", 650), ani("eu-9", 1500)],
    );
    let s = session(&memory);
    know_within(&s, &[("numbers.csv", POOL)], 90_000_000);
    // By times alone the wrong one is the nearest.
    let before = show(&s, STEPS).await;
    assert!(before.contains("main-2 2 eu-1"), "{before}");
    memory.add(&[
        lease("L1", "main-1", "+4917000001", 595, 643),
        lease("L2", "main-2", "+4917000002", 644, 655),
    ]);
    steps(
        &s,
        &[
            "main-1 2 eu-1 handover strong true",
            "main-2 2 eu-2 handover strong true",
            "eu-9 - nobody handover stray false",
        ],
    )
    .await;
    let sql = "SELECT evidence FROM journey_steps WHERE contact_id = 'eu-1'";
    let out = show(&s, sql).await;
    assert!(
        out.contains("lease L1: +49 30 555 900 for main-1 at 2026-03-02T09:09:55Z; eu-1 began at 2026-03-02T09:10:42Z with that number as caller"),
        "{out}"
    );
    // The customer is that of the lease; a number of which no lease tells stays what it was.
    let sql = "SELECT concat_ws(' ', contact_id, customer) AS c FROM contacts WHERE contact_id LIKE 'eu-%' ORDER BY 1";
    let out = show(&s, sql).await;
    for told in ["eu-1 +4917000001", "eu-2 +4917000002", "eu-9 004930555900"] {
        assert!(out.contains(told), "{told}: {out}");
    }
    let sql = "SELECT contact_id FROM contacts WHERE customer = '+4917000002'";
    assert!(show(&s, sql).await.contains("eu-2"));
    let out = show(&s, "SELECT count(*) AS n FROM contacts").await;
    assert!(out.contains("| 5 |"), "no contact is told twice: {out}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_that_was_leased_twice_at_once_joins_nobody() {
    let memory = Memory::new();
    add(
        &memory,
        vec![sent_at("main-1", 600), sent_at("main-2", 1000)],
        &[came_at("eu-1", 602)],
    );
    memory.add(&[
        lease("L1", "main-1", "+4917000001", 590, 630),
        lease("L2", "main-7", "+4917000007", 600, 640),
        // Taken, transferred, and nobody came.
        lease("L3", "main-2", "+4917000002", 990, 1100),
    ]);
    let s = session(&memory);
    know(&s, &[("numbers.csv", POOL)]);
    let out = show(&s, STEPS).await;
    for told in [
        "main-1 - eu-1 handover weak false",
        "main-7 - eu-1 handover weak false",
        "main-2 - nobody handover lost false",
    ] {
        assert!(out.contains(told), "{told}: {out}");
    }
    assert!(!out.contains("handover strong"), "{out}");
    let sql = "SELECT evidence FROM journey_steps WHERE NOT joined ORDER BY evidence";
    let out = show(&s, sql).await;
    for told in [
        "another lease held that number at the same time",
        "lease L3: +49 30 555 900 for main-2 at 2026-03-02T09:16:40Z; no contact of genesys began",
    ] {
        assert!(out.contains(told), "{told}: {out}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_both_carry_is_surer_than_their_times() {
    let memory = Memory::new();
    let carries = |row: ContactRow| ContactRow {
        attributes: Some(r#"{"lease_id":"lease-000123"}"#.to_owned()),
        ..row
    };
    let (contact, part) = sent_at("main-1", 600);
    add(
        &memory,
        vec![(carries(contact), part), sent_at("main-2", 612)],
        // The nearest to main-2 is that of main-1.
        &[carries(came_at("eu-1", 613)), came_at("eu-2", 620)],
    );
    let s = session(&memory);
    know(&s, &[("numbers.csv", POOL)]);
    let out = show(&s, STEPS).await;
    for told in ["main-1 2 eu-1 ", "main-2 2 eu-2 handover strong true"] {
        assert!(out.contains(told), "{told}: {out}");
    }
}
