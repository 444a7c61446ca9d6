//! What the mutations start from: the captures of a parser, cut into the documents, lines or
//! blocks that they consist of.

use std::io::Read;
use std::path::Path;

use callboard_sources::asterisk::ami;
use serde_json::Value;

use super::{Parser, mapped};

/// One document, line or block.
#[derive(Debug, Clone)]
pub struct Piece {
    /// As it stands in the capture.
    pub text: Vec<u8>,
    /// The same, where it is JSON.
    pub json: Option<Value>,
}

/// How pieces stand together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A JSON list.
    List,
    /// One after the other, with a line break between.
    Lines,
    /// As lines, of which the first names the columns.
    Table,
    /// With an empty line between.
    Blocks,
}

/// A capture.
#[derive(Debug, Clone)]
pub struct Capture {
    /// How its pieces stand together.
    pub form: Form,
    /// Its pieces, in order.
    pub pieces: Vec<Piece>,
    /// The mapping that reads it; empty for all other parsers.
    pub mapping: &'static str,
}

/// Lines of a log that are taken, so that a run starts from little.
const MOST_LINES: usize = 2_000;

/// The captures from which a parser is fuzzed.
pub fn of(parser: &Parser) -> Vec<Capture> {
    match parser.name {
        "queue_log" | "cel" | "cdr" => vec![log(parser.name)],
        "ami" => {
            let mut all = vec![log("ami")];
            all.extend(folder("ami").into_iter().filter_map(heard));
            all
        }
        "mapping" => mapped::captures(),
        "events" => folder("events"),
        "ari" => folder("asterisk"),
        "lines" => {
            let mut all: Vec<Capture> = ["queue_log", "cel", "cdr", "ami"].map(log).into();
            all.extend(folder("events"));
            all
        }
        platform => folder(platform),
    }
}

/// What a manager said, as lines of JSON; nothing where it only answered.
fn heard(mut said: Capture) -> Option<Capture> {
    let line = |block: &Piece| {
        let text = String::from_utf8_lossy(&block.text);
        let headers: Vec<(&str, &str)> = text.lines().filter_map(|l| l.split_once(": ")).collect();
        let event = headers.iter().any(|(name, _)| *name == "Event");
        event.then(|| piece(ami::line(&headers, "2026-11-21T22:00:00Z").as_bytes()))
    };
    said.pieces = said.pieces.iter().filter_map(line).collect();
    said.form = Form::Lines;
    (!said.pieces.is_empty()).then_some(said)
}

/// One of the logs of the recorded shift.
fn log(name: &str) -> Capture {
    let file = match name {
        "queue_log" => "queue_log",
        "ami" => "ami.jsonl.gz",
        "cel" => "cel.csv",
        _ => "cdr.csv",
    };
    let bytes = std::fs::read(format!("../../datasets/shift-asterisk/{file}")).unwrap();
    let bytes = match file.ends_with(".gz") {
        false => bytes,
        true => {
            let mut plain = Vec::new();
            let mut packed = flate2::read::MultiGzDecoder::new(&bytes[..]);
            packed.read_to_end(&mut plain).unwrap();
            plain
        }
    };
    let lines = bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty());
    Capture {
        form: Form::Lines,
        pieces: lines.take(MOST_LINES).map(piece).collect(),
        mapping: "",
    }
}

/// All captures of a folder, in the order of their names.
fn folder(platform: &str) -> Vec<Capture> {
    let place = Path::new("tests/captures").join(platform);
    let mut files: Vec<_> = std::fs::read_dir(&place)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.file_name().is_some_and(|n| n != "README.md"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} has no captures", place.display());
    files
        .iter()
        .map(|p| {
            capture(
                &std::fs::read(p).unwrap(),
                p.extension().is_some_and(|e| e == "csv"),
            )
        })
        .collect()
}

fn piece(text: &[u8]) -> Piece {
    Piece {
        text: text.to_vec(),
        json: serde_json::from_slice(text).ok(),
    }
}

/// A capture of these bytes; a table's first line names its columns.
pub fn capture(bytes: &[u8], table: bool) -> Capture {
    if let Ok(whole) = serde_json::from_slice::<Value>(bytes) {
        return match whole {
            Value::Array(items) => Capture {
                form: Form::List,
                pieces: items
                    .into_iter()
                    .map(|v| Piece {
                        text: v.to_string().into_bytes(),
                        json: Some(v),
                    })
                    .collect(),
                mapping: "",
            },
            one => Capture {
                form: Form::Lines,
                pieces: vec![Piece {
                    text: bytes.to_vec(),
                    json: Some(one),
                }],
                mapping: "",
            },
        };
    }
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    let is_mime = text.starts_with("--") || text.contains("<?xml") || text.contains("<recording");
    let (form, pieces): (Form, Vec<&str>) = if is_mime {
        return Capture {
            form: Form::Blocks,
            pieces: vec![piece(bytes)],
            mapping: "",
        };
    } else if text.contains("\n\n") {
        (Form::Blocks, text.split("\n\n").collect())
    } else {
        let form = if table { Form::Table } else { Form::Lines };
        (form, text.lines().collect())
    };
    Capture {
        form,
        pieces: pieces
            .into_iter()
            .filter(|p| !p.trim().is_empty())
            .map(|p| piece(p.as_bytes()))
            .collect(),
        mapping: "",
    }
}
