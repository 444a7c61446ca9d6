//! What brings the records: envelopes of streams, files, batches with faults.

use callboard_sources::adapter::Declared;
use serde_json::{Value, json};

use super::fold::{capture, made, made_all, named, records, rows, split};

/// Base64, for what a stream delivers.
fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for piece in bytes.chunks(3) {
        let n = piece.iter().fold(0u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - piece.len()));
        for place in 0..4 {
            out.push(if place <= piece.len() {
                char::from(SIGNS[(n >> (18 - 6 * place)) as usize & 63])
            } else {
                '='
            });
        }
    }
    out
}

/// However they are delivered, the records are the same ones.
#[test]
fn every_envelope_gives_the_same_records() {
    let plain = made_all(&["inbound-agents"]);
    let same = |bytes: &[u8]| {
        let found = records(bytes);
        assert_eq!(found.len(), plain.len());
        for (a, b) in found.iter().zip(&plain) {
            assert_eq!((&a.source, &a.id, &a.bytes), (&b.source, &b.id, &b.bytes));
        }
    };
    let texts: Vec<String> = String::from_utf8(made("inbound-agents"))
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    same(texts.concat().as_bytes());
    same(format!("[{}]", texts.join(",")).as_bytes());
    same(format!("\u{feff}{}", texts.join("\r\n")).as_bytes());
    let lambda: Vec<Value> = texts.iter().map(|t| json!({"kinesis": {"kinesisSchemaVersion": "1.0", "partitionKey": "p", "data": base64(t.as_bytes())}, "eventSource": "aws:kinesis"})).collect();
    same(json!({ "Records": lambda }).to_string().as_bytes());
    let halves = texts.split_at(5);
    let firehose = json!({"requestId": "r", "timestamp": 1, "records": [
        {"data": base64(halves.0.concat().as_bytes())}, {"data": base64(halves.1.concat().as_bytes())}]});
    same(firehose.to_string().as_bytes());
    let pipe: Vec<Value> = texts.iter().map(|t| json!({"eventSource": "aws:kinesis", "partitionKey": "p", "data": base64(t.as_bytes())})).collect();
    same(Value::from(pipe).to_string().as_bytes());
    let queue: Vec<Value> = texts
        .iter()
        .map(|t| json!({"messageId": "m", "body": t}))
        .collect();
    same(json!({ "Records": queue }).to_string().as_bytes());
    let topic: Vec<Value> = texts
        .iter()
        .map(|t| json!({"EventSource": "aws:sns", "Sns": {"Type": "Notification", "Message": t}}))
        .collect();
    same(json!({ "Records": topic }).to_string().as_bytes());
}

#[test]
fn log_events_are_unpacked() {
    let flow = capture("flow-log-setqueue--admin-guide.json");
    let text = String::from_utf8(flow.clone()).unwrap();
    let batch = json!({"messageType": "DATA_MESSAGE", "logGroup": "/aws/connect/x", "logEvents": [
        {"id": "1", "timestamp": 1, "message": &text}]});
    let found = records(batch.to_string().as_bytes());
    assert_eq!(&*found[0].format, "amazon-connect/flow-log");
    assert_eq!(found[0].id, records(&flow)[0].id);
    assert_eq!(
        &*found[0].source,
        "/amazon-connect/nnnnnnnnnnn-3333-4444-5555-111111111111/flow-log"
    );
    let exported = format!(
        "2021-04-13T00:14:31.581Z {}\n2021-04-13T00:14:32.000Z {}\n",
        text.replace('\n', ""),
        text.replace('\n', "").replace("SetQueue", "PlayPrompt")
    );
    assert_eq!(records(exported.as_bytes()).len(), 2);
    let control = json!({"messageType": "CONTROL_MESSAGE", "message": "checking"});
    assert_eq!(named(control.to_string().as_bytes(), ""), (vec![], vec![]));
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut out, bytes).unwrap();
    out.finish().unwrap()
}

#[test]
fn what_is_compressed_is_unpacked_within_bounds() {
    let flow = String::from_utf8(capture("flow-log-setqueue--admin-guide.json")).unwrap();
    let batch = json!({"messageType": "DATA_MESSAGE", "logEvents": [
        {"id": "1", "timestamp": 1, "message": flow}]});
    let packed = gzip(batch.to_string().as_bytes());
    let subscribed = json!({"awslogs": {"data": base64(&packed)}}).to_string();
    let streamed = json!({"Records": [{"kinesis": {"data": base64(&packed)}}]}).to_string();
    let plain = records(flow.as_bytes());
    for bytes in [&packed[..], subscribed.as_bytes(), streamed.as_bytes()] {
        let found = records(bytes);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (&found[0].id, &found[0].source),
            (&plain[0].id, &plain[0].source)
        );
    }
    let class = |bytes: &[u8]| named(bytes, "").1.first().map(|d| d.class);
    let bomb = gzip(&vec![b' '; 40 << 20]);
    assert_eq!(class(&bomb), Some("compressed"));
    // The bound is that of the whole request.
    let half = json!({"data": base64(&gzip(&vec![b' '; 20 << 20]))});
    let halves = json!([half, half]).to_string();
    assert_eq!(class(halves.as_bytes()), Some("compressed"));
    let mut onion = b"{}".to_vec();
    for _ in 0..20 {
        onion = gzip(&onion);
    }
    assert_eq!(class(&onion), Some("too_deep"));
}

#[test]
fn a_fault_in_a_batch_costs_only_itself() {
    let good = String::from_utf8(made("abandoned")).unwrap();
    let batch = format!("{good}{{\"broken\": \n{good}{{\"x\":1}}\n17\n\"text\"\n[{good}]");
    let (found, dead) = named(batch.as_bytes(), "");
    assert_eq!(found.len(), 3);
    let classes: Vec<_> = dead.iter().map(|d| d.class).collect();
    assert_eq!(
        classes,
        [
            "not_json",
            "unknown_shape",
            "unknown_shape",
            "unknown_shape"
        ]
    );
    let bad = json!({"Records": [{"kinesis": {"data": "%%%"}}, {"kinesis": {"data": base64(good.as_bytes())}},
        {"s3": {}}, {"kinesis": {"data": base64(&[0x1f, 0x8b, 8, 0])}}]});
    let (found, dead) = named(bad.to_string().as_bytes(), "");
    assert_eq!(found.len(), 1);
    let classes: Vec<_> = dead.iter().map(|d| d.class).collect();
    assert_eq!(classes, ["bad_base64", "not_content", "compressed"]);
    assert!(
        dead.iter()
            .all(|d| !d.reason.is_empty() && d.sha256.len() == 64)
    );
}

#[test]
fn what_cannot_be_a_record_says_what_to_do() {
    let class = |bytes: &[u8]| named(bytes, "").1.first().map(|d| d.class);
    assert_eq!(
        class(b"{\"awslogs\":{\"data\":\"H4sI\"}}"),
        Some("compressed")
    );
    assert_eq!(
        class(b"{\"Type\":\"SubscriptionConfirmation\",\"SubscribeURL\":\"https://x\"}"),
        Some("handshake")
    );
    assert_eq!(
        class(b"{\"InitiationMethod\":\"INBOUND\",\"AWSContactTraceRecordFormatVersion\":\"x\"}"),
        Some("missing_attribute")
    );
    assert_eq!(
        class(&capture(
            "post-call-analytics-output--amazon-transcribe-post-call-analytics.json"
        )),
        Some("unknown_shape")
    );
    assert_eq!(class(b"\xff\xfe{"), Some("invalid_utf8"));
    let long = format!(
        "{{\"ContactId\":\"c\",\"InitiationMethod\":\"{}\"}}",
        "x".repeat(1_100_000)
    );
    assert_eq!(class(long.as_bytes()), Some("too_long"));
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(matches!(
        class(deep.as_bytes()),
        Some("too_deep" | "not_json")
    ));
    assert_eq!(named(b"", ""), (vec![], vec![]));
}

#[test]
fn two_tenants_with_equal_ids_never_meet() {
    let one = made("inbound-records");
    let two = String::from_utf8(one.clone())
        .unwrap()
        .replace("instance/i-1", "instance/i-2");
    let mut all = records(&one);
    all.extend(records(two.as_bytes()));
    let found = rows(&all);
    let ids: Vec<_> = found.contacts.keys().map(String::as_str).collect();
    assert_eq!(ids, ["i-1-c-1", "i-2-c-1"]);
    // What the operator declares goes before what the bytes say.
    let declared = Declared {
        instance: "berlin".into(),
        ..Declared::default()
    };
    let (named, _) = split(&one, &declared);
    assert_eq!(&*named[0].source, "/amazon-connect/berlin/contact-record");
    assert!(rows(&named).contacts.contains_key("berlin-c-1"));
}

/// D1, D2: three spellings, ARNs with a colon too many, a detail without its envelope.
#[test]
fn contact_events_of_every_shape_are_read() {
    let bare = rows(&records(&capture(
        "contact-event-connected-to-agent-detail-only--admin-guide.json",
    )));
    let id = "12345678-1234-1234-1234-123456789012-11111111-1111-1111-1111-111111111111";
    let leg = "11111111-1111-1111-1111-111111111111";
    assert_eq!(
        bare.segment(id, &format!("{leg}/queue")).duration_ms,
        Some(5_000)
    );
    let contact = bare.contact(id).contact.as_ref().unwrap();
    assert_eq!((&*contact.channel, &*contact.state), ("voice", "open"));
    assert_eq!(contact.agents, ["12345678-1234-1234-1234-123456789012"]);
    let mixed = rows(&records(&capture(
        "contact-event-disconnected--admin-guide.json",
    )));
    let contact = mixed.contact(id).contact.as_ref().unwrap();
    assert_eq!((&*contact.channel, &*contact.state), ("voice", "closed"));
    assert_eq!(contact.direction.as_deref(), Some("outbound"));
    assert_eq!(contact.agents, ["arn"]);
    let pascal = super::fold::told("pascal-case");
    let stay = pascal.segment(&format!("i-2-{leg}"), &format!("{leg}/queue"));
    assert_eq!(
        (stay.queue.as_deref(), stay.duration_ms),
        (Some("arn"), Some(22_750))
    );
}

/// Page 1.1: two linked regions both publish each event, under envelopes of their own.
#[test]
fn an_event_that_two_regions_publish_changes_nothing() {
    let once = made_all(&["inbound-events"]);
    let text = String::from_utf8(made("inbound-events")).unwrap();
    let other = text.replace("\"id\":\"e-", "\"id\":\"x-");
    let mut both = records(other.replace("eu-central-1", "eu-west-2").as_bytes());
    both.extend(once.clone());
    assert_eq!(both.len(), 2 * once.len());
    let (one, two) = (rows(&once), rows(&both));
    let id = "i-1-c-1";
    assert_eq!(one.contact(id).segments, two.contact(id).segments);
    let ends = |r: &super::fold::Rows| {
        r.contact(id)
            .contact
            .as_ref()
            .map(|c| (c.ended_at, c.talk_ms))
    };
    assert_eq!(ends(&one), ends(&two));
}
