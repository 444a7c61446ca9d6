//! Which feed a file is, and the stamp of a line.

use super::Kind;
use crate::asterisk::{Feed, cdr, cel, csv};

/// How much of a file's beginning [`detect`] wants to see, bytes.
pub const HEAD_BYTES: usize = 16 * 1024;

/// Which kind of lines a file holds, by its beginning; its name only decides where the content
/// leaves a doubt. `None` when it is none that Callboard reads.
pub fn detect(name: &str, head: &[u8]) -> Option<Kind> {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let text = String::from_utf8_lossy(&head[..head.len().min(HEAD_BYTES)]);
    let by_content = text
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .take(5)
        .find_map(of_line);
    by_content.or_else(|| of_name(name).filter(|_| text.trim().is_empty()))
}

fn of_line(line: &str) -> Option<Kind> {
    if line.starts_with('{') {
        return if line.contains("\"specversion\"") {
            Some(Kind::Events)
        } else if line.contains("\"Event\"") {
            Some(Kind::Asterisk(Feed::Ami))
        } else if ["\"type\"", "\"timestamp\"", "\"application\""]
            .iter()
            .all(|name| line.contains(name))
        {
            Some(Kind::Asterisk(Feed::Ari))
        } else {
            None
        };
    }
    let mut parts = line.split('|');
    let is_time = |s: &str| s.len() >= 9 && s.bytes().all(|b| b.is_ascii_digit());
    if parts.next().is_some_and(is_time) && parts.count() >= 4 {
        return Some(Kind::Asterisk(Feed::QueueLog));
    }
    let fields = csv::fields(line)?;
    if fields.iter().any(|f| cel::TYPES.contains(&&**f)) {
        return Some(Kind::Asterisk(Feed::Cel));
    }
    let is_cdr = fields.len() >= 16
        && [9, 11]
            .iter()
            .all(|n| cdr::local_time(&fields[*n], "").is_some());
    is_cdr.then_some(Kind::Asterisk(Feed::Cdr))
}

fn of_name(name: &str) -> Option<Kind> {
    let name = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    let has = |part: &str| name.contains(part);
    if has("queue_log") || has("queue-log") {
        Some(Kind::Asterisk(Feed::QueueLog))
    } else if has("cel") && has("csv") {
        Some(Kind::Asterisk(Feed::Cel))
    } else if has("master.csv") || (has("cdr") && has("csv")) {
        Some(Kind::Asterisk(Feed::Cdr))
    } else if has("ami") && has("json") {
        Some(Kind::Asterisk(Feed::Ami))
    } else if has("ari") && has("json") {
        Some(Kind::Asterisk(Feed::Ari))
    } else if has("ndjson") {
        Some(Kind::Events)
    } else {
        None
    }
}

/// The time a line carries, as text; empty when it has none.
pub(super) fn line_stamp<'a>(feed: Feed, line: &'a [u8], columns: &[String]) -> &'a [u8] {
    match feed {
        Feed::QueueLog => line.split(|b| *b == b'|').next().unwrap_or(b""),
        Feed::Cel => {
            let n = columns.iter().position(|c| c == "eventtime").unwrap_or(1);
            column(line, n)
        }
        Feed::Cdr => column(line, 9),
        Feed::Ari => json_text(line, b"\"timestamp\""),
        Feed::Ami => {
            let own = json_text(line, b"\"Timestamp\"");
            if own.is_empty() {
                json_text(line, b"\"recv\"")
            } else {
                own
            }
        }
    }
}

/// A column of quoted values, with its quotes.
fn column(line: &[u8], n: usize) -> &[u8] {
    let (mut inside, mut start, mut seen) = (false, 0, 0);
    for (i, b) in line.iter().enumerate() {
        match b {
            b'"' => inside = !inside,
            b',' if !inside => {
                if seen == n {
                    return &line[start..i];
                }
                seen += 1;
                start = i + 1;
            }
            _ => {}
        }
    }
    if seen == n { &line[start..] } else { b"" }
}

/// The text that follows a name in JSON.
fn json_text<'a>(line: &'a [u8], name: &[u8]) -> &'a [u8] {
    let Some(at) = line.windows(name.len()).position(|w| w == name) else {
        return b"";
    };
    let mut parts = line[at + name.len()..].split(|b| *b == b'"');
    parts.next();
    parts.next().unwrap_or(b"")
}
