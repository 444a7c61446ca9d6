//! Captures with broken places are read as far as they go, or refused with a reason; nothing
//! panics, and no item takes another down.

use crate::teams::harness::{capture, every_capture, rows, split};
use crate::teams::order::Dice;

fn damaged(bytes: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..1 + dice.below(4) {
        if bytes.is_empty() {
            break;
        }
        let at = dice.below(bytes.len());
        match dice.below(9) {
            0 => bytes.truncate(at),
            1 => bytes[at] = u8::try_from(dice.below(256)).unwrap(),
            2 => bytes[at] ^= 1 << dice.below(8),
            3 => {
                bytes.splice(at..at, b"99999999999999999999".iter().copied());
            }
            4 => {
                let end = (at + dice.below(40)).min(bytes.len());
                bytes.drain(at..end);
            }
            // Another type: a value becomes null, a list, an object, a text, a huge number.
            _ => {
                let values: [&[u8]; 7] = [
                    b"null",
                    b"[]",
                    b"{}",
                    b"\"\"",
                    b"[[[[]]]]",
                    b"-1e308",
                    b"\"0001-01-01T00:00:00Z\"",
                ];
                let Some(colon) = bytes[at..].iter().position(|b| *b == b':') else {
                    continue;
                };
                let from = at + colon + 1;
                let len = bytes[from..]
                    .iter()
                    .position(|b| matches!(b, b',' | b'}' | b'\n'));
                let to = from + len.unwrap_or(0);
                let value = values[dice.below(values.len())];
                bytes.splice(from..to, value.iter().copied());
            }
        }
    }
    bytes
}

#[test]
fn damage_stops_nothing() {
    let mut dice = Dice(31);
    let (mut read, mut dead, mut refused, mut calls) = (0, 0, 0, 0);
    let captures: Vec<Vec<u8>> = every_capture().iter().map(|n| capture(n)).collect();
    for n in 0..4_000 {
        let bytes = damaged(&captures[n % captures.len()], &mut dice);
        let instance = if n % 3 == 0 { "" } else { "contoso" };
        let (records, lost) = split(&bytes, instance);
        read += records.len();
        dead += lost.len();
        for line in lost {
            assert!(!line.reason.is_empty() && !line.class.is_empty() && !line.sha256.is_empty());
        }
        let made = rows(&records);
        if n % 8 == 0 {
            let mut other = records.clone();
            for i in (1..other.len()).rev() {
                other.swap(i, dice.below(i + 1));
            }
            assert!(rows(&other).contacts == made.contacts, "order counts");
        }
        refused += made.refused.len();
        calls += made.contacts.len();
        for call in made.contacts.values() {
            for s in &call.segments {
                assert!(s.duration_ms.is_none_or(|d| d >= 0), "{s:?}");
            }
        }
    }
    assert!(read > 3_000 && calls > 2_000, "{read} read, {calls} calls");
    assert!(dead > 100, "{dead} dead, {refused} refused");
}

#[test]
fn what_can_be_no_record_says_what_to_do() {
    for (bytes, class) in [
        (&b"{\"a\":1}"[..], "unknown_shape"),
        (b"{\"a\":", "not_json"),
        (b"[1]", "not_an_object"),
        (b"hello, world\n1,2\n", "unknown_shape"),
        (b"[[[[[[[[[1]]]]]]]]]", "too_deep"),
        (b"{\"dataResult\":5}", "not_rows"),
        (b"{\"dataResult\":[[1,2]]}", "no_columns"),
        (b"\xff\xfe", "not_csv"),
    ] {
        let (records, dead) = split(bytes, "t");
        let classes: Vec<&str> = dead.iter().map(|d| d.class).collect();
        assert_eq!((records.len(), classes), (0, vec![class]), "{bytes:?}");
    }
    assert!(split(b"  \n ", "t").1.is_empty());
    let long = format!(
        "{{\"id\":\"x\",\"modalities\":[],\"pad\":\"{}\"}}",
        "y".repeat(1_100_000)
    );
    let (_, dead) = split(long.as_bytes(), "t");
    assert_eq!(
        (dead[0].class, dead[0].bytes.len()),
        ("too_long", 64 * 1024)
    );
    assert_eq!(dead[0].length, long.len() as u64);
}

/// Fields that are missing or change their type leave the rest readable.
#[test]
fn a_row_is_read_as_far_as_it_goes() {
    let text = String::from_utf8(capture("made-vaac-call-queue.json")).unwrap();
    let altered = text
        .replace(
            "\"CallQueueDurationSeconds\": 35",
            "\"CallQueueDurationSeconds\": {\"value\": 35}",
        )
        .replace("\"HasCQ\": true", "\"HasCQ\": [true]")
        .replace(
            "\"CallQueueAgentCount\": 5",
            "\"CallQueueAgentCount\": \"5\"",
        );
    let (records, dead) = split(altered.as_bytes(), "contoso");
    assert_eq!((records.len(), dead.len()), (8, 0));
    let made = rows(&records);
    assert!(made.refused.is_empty());
    // Without its length an abandoned wait lasted until the end of the call.
    assert_eq!(
        made.parts(0xc1),
        [
            "queue 09:20:00-09:20:35 35000ms queue=support outcome=abandoned raw=disconnected by=customer"
        ]
    );
    assert_eq!(made.attribute(0xc1, "cq_agents").as_deref(), Some("5"));
}
