use std::fs::{self, OpenOptions};
use std::io::Write as _;

use tempfile::TempDir;

use super::position::Positions;
use super::*;

fn reading() -> Reading {
    Reading {
        kind: Kind::of_name("queue_log").unwrap(),
        instance: "pbx1".into(),
        zone: String::new(),
        columns: Vec::new(),
    }
}

fn line(n: u64) -> String {
    format!(
        "{}|{n}.1|sales|NONE|ENTERQUEUE||5551101|1|Jo\n",
        1_795_253_950 + n / 3
    )
}

fn lines(range: std::ops::Range<u64>) -> String {
    range.map(line).collect()
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

struct Spool {
    dir: TempDir,
}

impl Spool {
    fn new() -> Self {
        Spool {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("queue_log")
    }

    fn positions(&self) -> Positions {
        Positions::open(&self.dir.path().join("state"), "http://here", "pbx1").unwrap()
    }

    fn tail(&self, follow: bool, part_bytes: usize) -> Tail {
        let known = self.positions().get(&self.path());
        Tail::open(&self.path(), reading(), follow, part_bytes, known.as_ref()).unwrap()
    }
}

/// Takes all there is now, acknowledging each part; gives the text of the parts.
fn drain(spool: &Spool, tail: &mut Tail, acknowledged: usize) -> String {
    let mut text = String::new();
    let (mut parts, mut quiet) = (0, 0);
    // Two quiet looks: one may only have found that the file begins anew.
    while quiet < 2 {
        match tail.next_part().unwrap() {
            Next::Part(part) => {
                if parts == acknowledged {
                    return text;
                }
                parts += 1;
                quiet = 0;
                assert_eq!(
                    part.lines,
                    part.bytes.split_inclusive(|b| *b == b'\n').count() as u64
                );
                spool.positions().put(&tail.position(&part)).unwrap();
                text += std::str::from_utf8(&part.bytes).unwrap();
            }
            Next::Quiet => quiet += 1,
            Next::End => break,
        }
    }
    text
}

#[test]
fn a_file_is_read_in_whole_lines_and_resumed_after_the_last_acknowledged_one() {
    let s = Spool::new();
    fs::write(
        s.path(),
        lines(0..10_000) + "1795253950|last.1|sales|NONE|DID|5",
    )
    .unwrap();
    let first = drain(&s, &mut s.tail(false, 100_000), 2);
    assert!(first.ends_with('\n') && first.len() >= 200_000);
    let rest = drain(&s, &mut s.tail(false, 100_000), usize::MAX);
    assert_eq!(first + &rest, fs::read_to_string(s.path()).unwrap());
    assert_eq!(
        drain(&s, &mut s.tail(false, 100_000), usize::MAX),
        "",
        "nothing is sent again"
    );
}

#[test]
fn a_packed_file_is_resumed_in_its_decompressed_bytes() {
    let s = Spool::new();
    let text = lines(0..10_000);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    fs::write(s.path(), gzip.finish().unwrap()).unwrap();
    let first = drain(&s, &mut s.tail(true, 100_000), 1);
    let rest = drain(&s, &mut s.tail(true, 100_000), usize::MAX);
    assert_eq!(first + &rest, text);
}

#[test]
fn a_followed_file_gives_only_whole_lines_as_they_come() {
    let s = Spool::new();
    fs::write(s.path(), "").unwrap();
    let mut tail = s.tail(true, 1000);
    assert_eq!(tail.next_part().unwrap(), Next::Quiet);
    let (head, rest) = (line(1), line(2));
    append(&s.path(), &head);
    append(&s.path(), &rest[..10]);
    assert_eq!(drain(&s, &mut tail, usize::MAX), head);
    append(&s.path(), &rest[10..]);
    assert_eq!(drain(&s, &mut tail, usize::MAX), rest);
    drop(tail);
    append(&s.path(), &line(3));
    let mut tail = s.tail(true, 1000);
    assert_eq!(
        drain(&s, &mut tail, usize::MAX),
        line(3),
        "a head that was short is known again"
    );
}

#[test]
fn a_rotation_loses_and_repeats_nothing() {
    let s = Spool::new();
    fs::write(s.path(), lines(0..50)).unwrap();
    let mut tail = s.tail(true, 1000);
    assert_eq!(drain(&s, &mut tail, usize::MAX), lines(0..50));
    append(&s.path(), &lines(50..60));
    fs::rename(s.path(), s.dir.path().join("queue_log.1")).unwrap();
    assert_eq!(
        drain(&s, &mut tail, usize::MAX),
        lines(50..60),
        "the old file is drained"
    );
    append(&s.path(), &lines(60..70));
    assert_eq!(drain(&s, &mut tail, usize::MAX), lines(60..70));
}

#[test]
fn a_rotation_while_nobody_looked_is_caught_up() {
    let s = Spool::new();
    fs::write(s.path(), lines(0..50)).unwrap();
    drain(&s, &mut s.tail(true, 1000), usize::MAX);
    append(&s.path(), &lines(50..60));
    fs::rename(s.path(), s.dir.path().join("queue_log.1")).unwrap();
    fs::write(s.path(), lines(60..70)).unwrap();
    let mut tail = s.tail(true, 1000);
    assert_eq!(drain(&s, &mut tail, usize::MAX), lines(50..70));
}

#[test]
fn a_truncated_file_begins_anew() {
    let s = Spool::new();
    fs::write(s.path(), lines(0..50)).unwrap();
    let mut tail = s.tail(true, 1000);
    drain(&s, &mut tail, usize::MAX);
    OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(s.path())
        .unwrap();
    append(&s.path(), &lines(50..55));
    assert_eq!(drain(&s, &mut tail, usize::MAX), lines(50..55));
}

#[test]
fn equal_lines_on_both_sides_of_a_rotation_are_counted_on() {
    let s = Spool::new();
    fs::write(s.path(), line(0)).unwrap();
    let mut tail = s.tail(true, 1000);
    drain(&s, &mut tail, usize::MAX);
    fs::rename(s.path(), s.dir.path().join("queue_log.1")).unwrap();
    fs::write(s.path(), line(0)).unwrap();
    assert_eq!(tail.next_part().unwrap(), Next::Quiet);
    let Next::Part(part) = tail.next_part().unwrap() else {
        panic!("the new file has a line");
    };
    let mut reader = new_reader(&reading(), part.from);
    let new = reader.push(&part.bytes);
    let mut fresh = new_reader(&reading(), ReaderState::default());
    let first = fresh.push(line(0).as_bytes());
    assert_ne!(
        new, first,
        "the second of two equal lines has an identity of its own"
    );
    assert_eq!(new, fresh.push(line(0).as_bytes()));
}

#[test]
fn a_file_without_line_ends_is_given_up() {
    let s = Spool::new();
    fs::write(s.path(), vec![b'x'; ENDLESS + STEP * 2]).unwrap();
    let error = s.tail(false, 1000).next_part().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
}

#[test]
fn folders_are_looked_through_and_kinds_are_found() {
    let s = Spool::new();
    fs::write(s.path(), lines(0..3)).unwrap();
    let nested = s.dir.path().join("old");
    fs::create_dir(&nested).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(lines(0..3).as_bytes()).unwrap();
    fs::write(nested.join("queue_log.2.gz"), gzip.finish().unwrap()).unwrap();
    fs::write(nested.join("letter.txt"), "Dear all").unwrap();
    fs::write(nested.join("e.ndjson"), "{\"specversion\":\"1.0\"}\n").unwrap();
    let wanted = |kind: Kind| kind != Kind::Events;
    let paths = [s.dir.path().to_owned(), s.path()];
    let found = discover::discover(&paths, None, &wanted).unwrap();
    let names: Vec<_> = found
        .files
        .iter()
        .map(|f| f.path.file_name().unwrap().to_owned())
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert_eq!(found.passed_over.len(), 2);
    assert!(discover::discover(&[nested.join("none")], None, &wanted).is_err());
}
