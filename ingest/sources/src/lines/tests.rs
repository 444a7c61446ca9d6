use super::*;

fn ids(lines: &[NewLine]) -> Vec<String> {
    lines
        .iter()
        .map(|l| match l {
            NewLine::Record(r) => r.id.clone(),
            NewLine::Event(b) => String::from_utf8_lossy(b).into_owned(),
            NewLine::Dead(d) => d.class.to_owned(),
        })
        .collect()
}

fn reader(feed: Feed) -> LineReader {
    LineReader::new(Kind::Asterisk(feed), "pbx1", "", &[])
}

const LOG: &str = "1|NONE|NONE|NONE|QUEUESTART|\n2|c.1|q|A|RINGNOANSWER|0\n2|c.1|q|A|RINGNOANSWER|0\n\n2|c.1|q|B|RINGNOANSWER|0\r\n3|c.1|q|NONE|ABANDON|1|1|1\n";

#[test]
fn equal_lines_of_one_second_stay_two_and_repeat_their_ids() {
    let all = reader(Feed::QueueLog).push(LOG.as_bytes());
    let first = ids(&all);
    assert_eq!(first.len(), 5);
    assert_ne!(first[1], first[2]);
    assert_eq!(ids(&reader(Feed::QueueLog).push(LOG.as_bytes())), first);
    let NewLine::Record(r) = &all[3] else {
        panic!("a record")
    };
    assert_eq!(
        (r.stamp.sequence, &*r.source),
        (2, "/asterisk/pbx1/queue_log")
    );
    assert_eq!(r.bytes, b"2|c.1|q|B|RINGNOANSWER|0");
}

#[test]
fn pieces_and_resuming_change_nothing() {
    let whole = ids(&reader(Feed::QueueLog).push(LOG.as_bytes()));
    for cut in 0..LOG.len() {
        let mut reader = reader(Feed::QueueLog);
        let mut lines = reader.push(&LOG.as_bytes()[..cut]);
        let saved = serde_json::to_string(&reader.state()).unwrap();
        let state: ReaderState = serde_json::from_str(&saved).unwrap();
        let from = usize::try_from(state.offset).unwrap();
        let mut next = LineReader::resume(Kind::Asterisk(Feed::QueueLog), "pbx1", "", &[], state);
        lines.extend(next.push(&LOG.as_bytes()[from..]));
        assert_eq!(ids(&lines), whole, "cut at {cut}");
    }
}

#[test]
fn a_rotated_file_goes_on_counting() {
    let mut reader = reader(Feed::QueueLog);
    let line = b"2|c.1|q|A|RINGNOANSWER|0\n";
    let before = ids(&reader.push(line));
    reader.rewind();
    let after = ids(&reader.push(line));
    assert_ne!(before, after);
    assert_eq!(reader.state().offset, line.len() as u64);
}

#[test]
fn quotes_can_span_lines_and_broken_ones_cost_one_line() {
    let text = "\"a\",\"1.5\",\"two\nlines\"\n\"b\",\"1.5\",\"x\"\n";
    assert_eq!(reader(Feed::Cel).push(text.as_bytes()).len(), 2);
    let broken = "\"a\",\"1.5\",\"open\n\"b\",\"1.5\",\"x\"\n\"c\",\"1.6\",\"y\"\n";
    let mut reader = reader(Feed::Cel);
    let mut lines = reader.push(broken.as_bytes());
    lines.extend(reader.finish());
    let found = ids(&lines);
    assert_eq!(found[0], "open_quote");
    assert_eq!(found.len(), 3);
}

#[test]
fn too_long_lines_become_dead_letters_with_length_and_hash() {
    let mut reader = reader(Feed::QueueLog);
    let long = vec![b'x'; 5 * 1024 * 1024];
    let mut lines = Vec::new();
    for piece in long.chunks(100_000) {
        lines.extend(reader.push(piece));
    }
    lines.extend(reader.push(b"\n4|c.1|q|NONE|ABANDON|1|1|1\n"));
    let NewLine::Dead(d) = &lines[0] else {
        panic!("dead")
    };
    assert_eq!(
        (d.class, d.length, d.bytes.len()),
        ("too_long", 5 * 1024 * 1024, PREFIX_BYTES)
    );
    assert_eq!(d.sha256, hex(&Sha256::digest(&long)));
    assert_eq!(lines.len(), 2);
    assert_eq!(reader.state().offset, long.len() as u64 + 28);
}

#[test]
fn bom_crlf_empty_and_invalid_text() {
    let mut reader = reader(Feed::QueueLog);
    let mut lines =
        reader.push(b"\xef\xbb\xbf5|c.1|q|NONE|DID|1\r\n\r\n  \n6|\xff|q|A|X|\n7|c|q|A|X|");
    lines.extend(reader.finish());
    let NewLine::Record(r) = &lines[0] else {
        panic!("record")
    };
    assert_eq!(r.bytes, b"5|c.1|q|NONE|DID|1");
    let NewLine::Dead(d) = &lines[1] else {
        panic!("dead")
    };
    assert_eq!(d.class, "invalid_utf8");
    assert!(
        d.reason.contains("line 4") && d.reason.contains("byte 2"),
        "{}",
        d.reason
    );
    assert_eq!(lines.len(), 3);
}

#[test]
fn every_file_of_the_shift_is_known_by_its_content() {
    let kinds = ["queue_log", "cel.csv", "cdr.csv"].map(|f| {
        let path = "../../datasets/shift-asterisk/";
        let bytes = std::fs::read(format!("{path}{f}")).unwrap();
        detect("x", &bytes).map(Kind::name)
    });
    assert_eq!(kinds, [Some("queue_log"), Some("cel"), Some("cdr")]);
    assert_eq!(
        detect("a", b"{\"recv\": \"x\", \"Event\": \"Hold\"}\n").map(Kind::name),
        Some("ami")
    );
    assert_eq!(
        detect("a", b"\n{\"specversion\":\"1.0\"}\n").map(Kind::name),
        Some("events")
    );
    assert_eq!(
        detect("/var/log/asterisk/queue_log", b"").map(Kind::name),
        Some("queue_log")
    );
    assert_eq!(detect("notes.txt", b"hello\n"), None);
}
