//! What a live board would show in the middle of the shift: the rows of what had arrived by then,
//! against counts of the queue log's lines by then.

use callboard_model::record::{Interpreter, Record};
use callboard_sources::asterisk::Feed;
use callboard_sources::registry::Registry;

use crate::pipeline::{RECORDED, Rows, rows, shift};

/// Waiting and talking by the lines of the queue log up to and with that second.
fn by_lines(log: &[Record], second: i64) -> (usize, usize) {
    let (mut waiting, mut talking) = (0usize, 0usize);
    for r in log {
        let line = String::from_utf8(r.bytes.to_vec()).unwrap();
        let fields: Vec<&str> = line.split('|').collect();
        if fields[0].parse::<i64>().unwrap() > second {
            continue;
        }
        match fields[4] {
            "ENTERQUEUE" => waiting += 1,
            "CONNECT" => {
                waiting -= 1;
                talking += 1;
            }
            "ABANDON" | "EXITWITHTIMEOUT" | "EXITEMPTY" | "EXITWITHKEY" => waiting -= 1,
            "COMPLETECALLER" | "COMPLETEAGENT" | "BLINDTRANSFER" | "ATTENDEDTRANSFER" => {
                talking -= 1;
            }
            _ => {}
        }
    }
    (waiting, talking)
}

fn open(rows: &Rows, kind: &str) -> usize {
    rows.contacts
        .values()
        .flat_map(|c| &c.segments)
        .filter(|s| s.kind == kind && s.state == "open" && s.queue.is_some())
        .count()
}

/// At the end of every 15th second all feeds have told the same, and the rows say so: nobody is
/// refused, answered or gone for a moment because one feed speaks before another.
#[test]
fn waiting_and_talking_are_right_in_the_middle_of_the_shift() {
    let log = shift(&[Feed::QueueLog]);
    let timed: Vec<(i64, Record)> = shift(&RECORDED)
        .into_iter()
        .map(|r| (Registry.route(&r).unwrap().time.unwrap(), r))
        .collect();
    let mut busy = 0;
    for second in (1_795_253_945..1_795_255_245).step_by(15) {
        let until = second * 1_000_000 + 999_999;
        let arrived: Vec<Record> = timed
            .iter()
            .filter(|(at, r)| *at <= until && &*r.format != "asterisk/cdr")
            .map(|(_, r)| r.clone())
            .collect();
        let now = rows(&arrived, until);
        let found = (open(&now, "queue"), open(&now, "talk"));
        assert_eq!(found, by_lines(&log, second), "at {second}");
        busy += usize::from(found.0 + found.1 > 0);
    }
    assert!(busy > 60, "{busy}");
}
