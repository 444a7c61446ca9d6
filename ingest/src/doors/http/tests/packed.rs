//! Bodies that are compressed: little that is sent may be very much.

use std::io::Write as _;

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn gzipped(media: &str, body: Vec<u8>) -> Request {
    let mut request = post_to("/v1/events", media, body);
    request
        .headers_mut()
        .insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    request
}

#[tokio::test]
async fn gzip_is_read_and_its_faults_are_named() {
    let s = server();
    let text: String = (0..500).map(|i| event(&i.to_string()) + "\n").collect();
    let mut packed = gzip(&text.as_bytes()[..3000]);
    packed.extend(gzip(&text.as_bytes()[3000..]));
    let (status, _, answer) = s.send(gzipped(NDJSON, packed)).await;
    assert_eq!(
        (status, &answer["taken"]),
        (StatusCode::OK, &json!(500)),
        "{answer}"
    );
    let mut cut = gzip(text.as_bytes());
    cut.truncate(cut.len() - 4);
    let (status, _, problem) = s.send(gzipped(NDJSON, cut)).await;
    assert_eq!(
        (status, &problem["class"]),
        (StatusCode::BAD_REQUEST, &json!("bad_gzip"))
    );
    let (status, _, _) = s.send(gzipped(NDJSON, b"not gzip at all".to_vec())).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_gzip_bomb_is_bounded() {
    let s = server_with(Limits {
        decoded_bytes: 20_000_000,
        ..Limits::default()
    });
    let (status, _, problem) = s.send(gzipped(NDJSON, gzip(&vec![b'x'; 40_000_000]))).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(problem["class"], "decoded_too_large");
    assert!(s.intake.records.lock().is_empty());
}

/// Four kilobytes on the wire are two million lines: they are handed in some at a time, and the
/// request ends where it is clear that it is not what it says.
#[tokio::test]
async fn many_short_lines_in_little_are_read_some_at_a_time() {
    for line in ["x\n", "{}\n", "{\"id\":\"1\",\"source\":\"s\"}\n"] {
        let s = server();
        let lines = line.repeat(4_000_000 / line.len());
        let packed = gzip(lines.as_bytes());
        assert!(packed.len() < 40_000, "{}", packed.len());
        let (status, _, problem) = s.send(gzipped(NDJSON, packed)).await;
        assert_eq!(
            (status, &problem["class"]),
            (StatusCode::BAD_REQUEST, &json!("too_many_refused")),
            "{line}"
        );
        let batches = s.intake.batches.lock();
        assert!(batches.iter().all(|n| *n < 10_500), "{line} {batches:?}");
        let refused: usize = batches.iter().sum();
        assert!((100_000..112_000).contains(&refused), "{line} {refused}");
    }
}

/// What says nothing for long is not looked for a beginning for ever.
#[tokio::test]
async fn blanks_without_end_are_one_event_that_is_too_long() {
    let s = server();
    let packed = gzip(&vec![b' '; 64 << 20]);
    assert!(packed.len() < 70_000, "{}", packed.len());
    let (status, _, problem) = s.send(gzipped("application/json", packed)).await;
    assert_eq!(
        (status, &problem["lines"][0]["class"]),
        (StatusCode::PAYLOAD_TOO_LARGE, &json!("too_long")),
        "{problem}"
    );
    // Some are no harm.
    for text in [event("1"), format!("[{}]", event("2"))] {
        let body = format!("\u{feff}{}{text}", " ".repeat(100_000));
        let packed = gzip(body.as_bytes());
        let (_, _, answer) = s.send(gzipped("application/json", packed)).await;
        assert_eq!(answer["taken"], 1, "{answer}");
    }
}
