//! Sources with secrets, as platforms reach them from outside: signatures that are right, wrong, old,
//! replaced and revoked, tenants that must not mix, bodies and rates beyond their bounds; and that no
//! secret is ever seen again.

mod door;

use std::io::Read as _;

use serde_json::{Value, json};

use crate::mappings::sample;
use crate::support::{callboard, until};
use door::{
    ACME_NEW, ACME_OLD, BETA, CRM, DESK, DESK_OLD, Door, FEED_NEW, FEED_OLD, GRAPH_NEW, GRAPH_OLD,
    GRID, SLOW, capture, class, flex, form, nothing_is_seen_of_secrets, signed, standard, told,
};

fn bad() -> (u16, String) {
    (401, "bad_signature".to_owned())
}

#[test]
fn sources_know_their_senders() {
    let door = Door::open();
    let form = form();
    // Twilio: both tokens while one replaces the other, and no other.
    let (status, answer) = told(flex(&door, "flex-acme", ACME_OLD, &form));
    assert_eq!((status, &answer["taken"]), (200, &json!(1)), "{answer}");
    let (_, answer) = told(flex(&door, "flex-acme", ACME_NEW, &form));
    assert_eq!(answer["repeated"], 1, "{answer}");
    assert_eq!(class(flex(&door, "flex-acme", BETA, &form)), bad());
    let altered = flex(&door, "flex-acme", ACME_NEW, &form).body(form.replace("90", "91"));
    assert_eq!(class(altered), bad());
    let unsigned = door.post("flex-acme").body(form.clone());
    assert_eq!(class(unsigned), (401, "unsigned".to_owned()));
    // A proxy hands the public host on.
    let public = flex(&door, "flex-acme", ACME_NEW, &form).header("host", "hooks.example");
    assert_eq!(told(public).0, 200);
    // Another tenant's equal ids are another call, whatever the request says.
    let (status, answer) = told(flex(&door, "flex-beta", BETA, &form));
    assert_eq!((status, &answer["taken"]), (200, &json!(1)), "{answer}");
    let across = door
        .post("flex-beta?instance=acme")
        .header("x-api-key", BETA);
    assert_eq!(
        class(across.body(form.clone())),
        (400, "other_instance".to_owned())
    );
    let rows = door.rows("select source, stamp from records order by source");
    let column = |name: &str| {
        rows.iter()
            .map(|r| r[name].as_str().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        column("source"),
        ["/twilio/acme/voice", "/twilio/flex-beta/voice"]
    );
    assert!(
        column("stamp")[0].contains(r#""site":"Berlin""#),
        "{rows:?}"
    );
    assert!(!column("stamp")[1].contains("site"), "{rows:?}");
    // The adapter's own name is no way around.
    let beside = door.post("twilio").body(form.clone());
    assert_eq!(class(beside), (404, "unknown_source".to_owned()));

    // Standard Webhooks: fresh ones, as often as they are sent again; old ones never.
    let vcon = capture("vcon/ab-call-ext-rec--vcon-core-draft.json");
    let vcon = std::fs::read_to_string(vcon).unwrap();
    let vcon = vcon.as_str();
    let (status, first) = told(standard(&door, CRM, "m1", 5, vcon));
    assert_eq!((status, &first["refused"]), (200, &json!(0)), "{first}");
    assert!(first["taken"].as_u64().unwrap() >= 1, "{first}");
    let (_, answer) = told(standard(&door, CRM, "m1", 5, vcon));
    assert_eq!(answer["repeated"], first["taken"], "{answer}");
    let old = standard(&door, CRM, "m1", 600, vcon);
    assert_eq!(class(old), (401, "too_old".to_owned()));
    let early = standard(&door, CRM, "m1", -600, vcon);
    assert_eq!(class(early), (401, "too_new".to_owned()));
    let altered = standard(&door, CRM, "m1", 5, vcon).body(format!("{vcon} "));
    assert_eq!(class(altered), bad());

    // Graph: the handshake, however often, and notifications with the agreed word.
    for _ in 0..3 {
        let (status, answer) = told(door.post("teams?validationToken=one%20two"));
        assert_eq!((status, answer), (200, json!("one two")));
    }
    let notified = |word: &str| {
        let body = json!({"value": [{"subscriptionId": "s", "clientState": word, "changeType": "created",
            "resource": "communications/callRecords/c1", "resourceData": {"id": "c1"}}]});
        door.post("teams").json(&body)
    };
    assert_eq!(told(notified(GRAPH_OLD)).0, 200);
    assert_eq!(class(notified(ACME_NEW)), bad());
    // A word is revoked without a restart.
    let secrets = door.dir.path().join("graph.secret");
    std::fs::write(secrets, format!("{GRAPH_NEW}\n")).unwrap();
    until("the revoked word refused", || {
        (told(notified(GRAPH_OLD)).0 == 401).then_some(())
    });
    assert_eq!(told(notified(GRAPH_NEW)).0, 200);
    assert_eq!(
        door.source("teams")["refused"]["bad_signature"]
            .as_u64()
            .map(|n| n >= 2),
        Some(true)
    );

    // Event Grid's handshake with the key in the address.
    let asked = json!([{"id": "1", "topic": "/s", "subject": "", "eventTime": "2026-03-02T09:00:00Z",
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "dataVersion": "1",
        "data": {"validationCode": "512d38b6"}}]);
    for _ in 0..2 {
        let (status, answer) = told(door.post(&format!("grid?code={GRID}")).json(&asked));
        assert_eq!(
            (status, answer),
            (200, json!({"validationResponse": "512d38b6"}))
        );
    }
    assert_eq!(
        class(door.post("grid").json(&asked)),
        (401, "unsigned".to_owned())
    );
    assert_eq!(class(door.post("grid?code=guess").json(&asked)), bad());

    // Firehose's own answer, good and bad.
    let firehose = |key: &str| {
        let named = door.post("grid").header("x-amz-firehose-request-id", "r-1");
        told(named.header("x-amz-firehose-access-key", key).json(&asked))
    };
    let (status, answer) = firehose(GRID);
    assert_eq!(
        (status, &answer["requestId"]),
        (200, &json!("r-1")),
        "{answer}"
    );
    assert!(
        answer["timestamp"].is_i64() && answer["errorMessage"].is_null(),
        "{answer}"
    );
    let (status, answer) = firehose("another-key");
    assert_eq!(status, 401);
    assert!(answer["errorMessage"].is_string(), "{answer}");
    nothing_is_seen_of_secrets(&door);
}

#[test]
fn bodies_and_rates_have_bounds() {
    let door = Door::open();
    // 100 MB: the whole is refused with a word, through a source's bound and through the door's own.
    for (path, length) in [
        ("grid", true),
        ("grid", false),
        ("vcon", true),
        ("genesys", false),
    ] {
        let body = std::io::repeat(b' ').take(100_000_000);
        let body = match length {
            true => reqwest::blocking::Body::sized(body, 100_000_000),
            false => reqwest::blocking::Body::new(body),
        };
        let key = if path == "genesys" { SLOW } else { GRID };
        let path = if path == "genesys" { "slow" } else { path };
        let begun = door.post(path).header("x-api-key", key).body(body);
        let (status, answer) = told(begun);
        let told = (status, answer["class"].as_str().unwrap_or_default());
        match path {
            // vCon has a source of its own with a secret.
            "vcon" => assert_eq!(told, (404, "unknown_source"), "{answer}"),
            _ => assert_eq!(told, (413, "body_too_large"), "{answer}"),
        }
    }
    // A body of which each byte is wanted but that is beyond this source's own bound.
    let long = door
        .post("grid")
        .header("x-api-key", GRID)
        .body(vec![b' '; 1_100_000]);
    assert_eq!(class(long), (413, "body_too_large".to_owned()));
    let short = door.post("grid").header("x-api-key", GRID).body("[]");
    assert_eq!(told(short).0, 200);
    // Two at once, then one a second. Who shows nothing takes nobody's room.
    let ask = |key: &str| door.post("slow").header("x-api-key", key).body("[]");
    until("room", || (told(ask(SLOW)).0 == 200).then_some(()));
    for _ in 0..20 {
        assert!([401, 429].contains(&told(ask("no key at all")).0));
    }
    let mut refused = None;
    for _ in 0..20 {
        let answer = ask(SLOW).send().unwrap();
        if answer.status().as_u16() == 429 {
            refused = Some(answer.headers()["retry-after"].to_str().unwrap().to_owned());
            break;
        }
    }
    assert_eq!(refused.as_deref(), Some("1"));
    let after = door.source("slow");
    assert!(after["refused"]["rate"].as_u64().unwrap() >= 1, "{after}");
}

#[test]
fn a_mapping_is_read_through_a_source_of_its_own() {
    let door = Door::open();
    let items = sample("landis");
    let unsigned = door.post("desk").body(items.clone());
    assert_eq!(class(unsigned), (401, "unsigned".to_owned()));
    // The mapping's own name is no way around.
    let beside = door.post("mapping:landis").body(items.clone());
    assert_eq!(class(beside), (404, "unknown_source".to_owned()));
    let signed = |path: &str| {
        door.post(path)
            .header("x-api-key", DESK)
            .body(items.clone())
    };
    let south = class(signed("desk?instance=south"));
    assert_eq!(south, (400, "other_instance".to_owned()));
    for count in ["taken", "repeated"] {
        let (status, answer) = told(signed("desk"));
        let expected = (200, &json!(2), &json!(0));
        assert_eq!(
            (status, &answer[count], &answer["refused"]),
            expected,
            "{answer}"
        );
    }
    let contacts = door.rows("select contact_id from contacts order by contact_id");
    let contacts: Vec<&str> = contacts
        .iter()
        .filter_map(|r| r["contact_id"].as_str())
        .collect();
    assert_eq!(contacts, ["north-L-1", "north-L-2"]);
    let desk = door.source("desk");
    assert_eq!(
        (&desk["records"], &desk["repeated"], &desk["state"]),
        (&json!(2), &json!(2), &json!("live")),
        "{desk}"
    );
    nothing_is_seen_of_secrets(&door);
}

/// An event of our own on one line.
fn event(id: &str) -> String {
    json!({"specversion": "1.0", "id": id, "source": "/test/feed", "time": "2026-03-02T09:00:09Z",
        "type": "callboard.segment.recorded", "data": {"contact_id": id, "segment_id": "q",
        "kind": "queue", "queue": "sales", "outcome": "answered",
        "start": "2026-03-02T09:00:00Z", "end": "2026-03-02T09:00:09Z"}})
    .to_string()
}

#[test]
fn our_own_events_are_signed_and_keys_are_revoked_while_the_server_runs() {
    let door = Door::open();
    let feed = |key: &str, age: i64, body: &str| signed(door.post("feed"), key, "m1", age, body);
    let lines = [event("1"), "no event".to_owned(), event("2")].join("\n");
    for count in ["taken", "repeated"] {
        let (status, answer) = told(feed(FEED_OLD, 5, &lines));
        let expected = (200, &json!(2), &json!(1));
        assert_eq!(
            (status, &answer[count], &answer["refused"]),
            expected,
            "{answer}"
        );
        assert_eq!(answer["lines"][0]["line"], 2, "{answer}");
    }
    let altered = feed(FEED_OLD, 5, &lines).body(event("3"));
    assert_eq!(class(altered), bad());
    let old = feed(FEED_OLD, 600, &event("3"));
    assert_eq!(class(old), (401, "too_old".to_owned()));
    let unsigned = door.post("feed").body(event("3"));
    assert_eq!(class(unsigned), (401, "unsigned".to_owned()));
    // Packed, and longer than what is read at once.
    let many: Vec<String> = (0..1_000).map(|n| event(&format!("many-{n}"))).collect();
    let many = many.join("\n");
    assert!(many.len() > 4 * 65_536);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, many.as_bytes()).unwrap();
    let packed = feed(FEED_NEW, 5, &many)
        .header("content-encoding", "gzip")
        .body(packed.finish().unwrap());
    let (status, answer) = told(packed);
    assert_eq!((status, &answer["taken"]), (200, &json!(1_000)), "{answer}");

    // Both keys are good until the old one is taken out of its file; by signature and by name.
    let desk = |key: &str| {
        let shown = door.post("desk").bearer_auth(key);
        shown.body(sample("landis"))
    };
    assert_eq!((told(desk(DESK_OLD)).0, told(desk(DESK)).0), (200, 200));
    let write = |name: &str, text: &str| std::fs::write(door.dir.path().join(name), text).unwrap();
    write("desk.secret", DESK);
    write("feed.secret", FEED_NEW);
    until("the revoked keys refused", || {
        let both = (class(feed(FEED_OLD, 5, &event("4"))), class(desk(DESK_OLD)));
        (both == (bad(), bad())).then_some(())
    });
    // Shown instead of signed with, it is good for nothing either.
    assert_eq!(told(door.post("feed").bearer_auth(FEED_OLD)).0, 401);
    assert_eq!(told(desk(DESK)).0, 200);
    let (status, answer) = told(feed(FEED_NEW, 5, &event("5")));
    assert_eq!((status, &answer["taken"]), (200, &json!(1)), "{answer}");
    // Where all are revoked nobody sends.
    write("feed.secret", "");
    until("nobody's key", || {
        (class(feed(FEED_NEW, 5, &event("6"))) == bad()).then_some(())
    });
    let sql = "select id from records where source = '/test/feed' and id not like 'many-%'";
    let rows = door.rows(&format!("{sql} order by id"));
    let refused_after = rows.iter().filter_map(|r| r["id"].as_str());
    // While a file is read again, the old key is good for up to a second.
    let kept: Vec<&str> = refused_after
        .filter(|id| !["4", "6"].contains(id))
        .collect();
    assert_eq!(kept, ["1", "2", "5"], "{rows:?}");
    // A server would not start without any.
    write("feed.secret", FEED_NEW);
    nothing_is_seen_of_secrets(&door);
}

#[test]
fn documents_are_sent_and_sources_are_shown() {
    let door = Door::open();
    let folder = tempfile::tempdir().unwrap();
    let packed = std::fs::File::create(folder.path().join("call.txt.gz")).unwrap();
    let mut packed = flate2::write::GzEncoder::new(packed, flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, form().as_bytes()).unwrap();
    packed.finish().unwrap();
    let tasks = capture("twilio/made-taskrouter.txt");
    std::fs::copy(tasks, folder.path().join("tasks.txt")).unwrap();
    std::fs::write(folder.path().join("broken.json"), "{\"x\": !}").unwrap();
    let folder = folder.path().to_str().unwrap();
    let (good, said) = door.send("flex-acme", ACME_NEW, folder);
    assert!(good && said.contains("1 refused"), "{said}");
    let first: i64 = door.source("flex-acme")["records"].as_i64().unwrap();
    assert!(
        first > 10 && said.contains(&format!("{first} taken")),
        "{said}"
    );
    let (good, said) = door.send("flex-acme", ACME_NEW, folder);
    assert!(
        good && said.contains(&format!("{first} repeated")),
        "{said}"
    );
    let (good, said) = door.send("flex-acme", "another-secret", folder);
    assert!(!good && said.contains("401"), "{said}");
    // A question of Event Grid among the files is answered, and is none of the records.
    let grid = tempfile::tempdir().unwrap();
    for name in [
        "eventgrid-subscription-validation--azure-docs.json",
        "made-job-router.json",
    ] {
        let file = capture(&format!("acs/{name}"));
        std::fs::copy(file, grid.path().join(name)).unwrap();
    }
    let (good, said) = door.send("grid", GRID, grid.path().to_str().unwrap());
    assert!(
        good && said.contains("without records: 1 (questions") && said.contains("0 refused"),
        "{said}"
    );
    assert!(door.source("grid")["records"].as_i64().unwrap() > 3);
    // Without a configuration each adapter's name is a source.
    let file = capture("freeswitch/made-callcenter-events.txt");
    let (good, said) = door.send("freeswitch", "", file.to_str().unwrap());
    assert!(good && said.contains("0 refused"), "{said}");
    let (good, said) = door.send("avaya", "", file.to_str().unwrap());
    assert!(!good && said.contains("not known"), "{said}");

    let state = |name: &str| door.source(name)["state"].clone();
    assert_eq!(state("flex-acme"), "live");
    assert_eq!(state("freeswitch"), "live");
    assert_eq!(state("flex-beta"), "never heard");
    let acme = door.source("flex-acme");
    assert_eq!(
        (&acme["instance"], &acme["site"]),
        (&json!("acme"), &json!("Berlin"))
    );
    let dead = acme["dead_letters"].as_object().unwrap().values();
    assert!(dead.filter_map(Value::as_i64).sum::<i64>() > 0, "{acme}");
    assert!(acme["repeated"].as_i64().unwrap() >= first, "{acme}");
    assert!(
        acme["refused"]["bad_signature"].as_i64().unwrap() >= 1,
        "{acme}"
    );
    assert!(
        acme["last_event_at"]
            .as_str()
            .unwrap()
            .starts_with("2026-03-02"),
        "{acme}"
    );
    let shown = callboard(&["sources", "--to", &door.url]);
    let line = |name: &str| shown.lines().find(|l| l.starts_with(name)).unwrap();
    assert!(line("flex-beta").contains("never heard"), "{shown}");
    assert!(line("flex-acme").contains("live"), "{shown}");
    let json = callboard(&["sources", "--json", "--to", &door.url]);
    let all: Vec<Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(all.len(), door.sources().len());
    nothing_is_seen_of_secrets(&door);
}
