//! Cuts a stream of bytes into lines, or into the elements of one JSON array, holding at most
//! one piece. A piece beyond the limit is reduced to prefix, length and hash as it passes.

use std::fmt::Write as _;
use std::io::BufRead as _;

use sha2::{Digest, Sha256};

use super::intake::DEAD_PREFIX_BYTES;

mod elements;

pub use elements::{ArrayError, Elements};

/// A piece as it was found.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// The whole of it, without the line's end.
    Whole(&'a [u8]),
    /// It was beyond the limit.
    Over(Over),
}

/// What is kept of a piece beyond the limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Over {
    /// First bytes.
    pub prefix: Vec<u8>,
    /// Whole length, bytes.
    pub length: u64,
    /// SHA-256 of the whole, hex.
    pub sha256: String,
}

/// Who is given each piece: its number from 1, and the piece.
pub type Each<'a> = &'a mut dyn FnMut(u64, Piece<'_>);

/// Lower-case hex of bytes.
pub fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// SHA-256 as hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Gathers one piece; beyond the limit only prefix, length and a running hash.
struct Gather {
    limit: usize,
    held: Vec<u8>,
    over: Option<(u64, Sha256)>,
}

impl Gather {
    fn new(limit: usize) -> Self {
        Gather {
            limit,
            held: Vec::new(),
            over: None,
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        if let Some((length, hash)) = &mut self.over {
            *length += bytes.len() as u64;
            hash.update(bytes);
            return;
        }
        if self.held.len() + bytes.len() <= self.limit {
            self.held.extend_from_slice(bytes);
            return;
        }
        let mut hash = Sha256::new();
        hash.update(&self.held);
        hash.update(bytes);
        let length = (self.held.len() + bytes.len()) as u64;
        let room = DEAD_PREFIX_BYTES.saturating_sub(self.held.len());
        self.held.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.held.truncate(DEAD_PREFIX_BYTES);
        self.over = Some((length, hash));
    }

    fn is_empty(&self) -> bool {
        self.held.is_empty() && self.over.is_none()
    }

    fn give(&mut self, number: u64, each: Each<'_>) {
        match self.over.take() {
            Some((length, hash)) => each(
                number,
                Piece::Over(Over {
                    prefix: std::mem::take(&mut self.held),
                    length,
                    sha256: hex(&hash.finalize()),
                }),
            ),
            None => each(number, Piece::Whole(&self.held)),
        }
        self.held.clear();
    }
}

const BOM: &[u8] = b"\xef\xbb\xbf";

/// A line without its carriage return, and the first one without its byte order mark.
fn trimmed(number: u64, line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if number == 1 {
        line.strip_prefix(BOM).unwrap_or(line)
    } else {
        line
    }
}

/// Cuts lines at LF; tolerates CRLF, a byte order mark, empty lines and a last line without LF.
pub struct Lines {
    number: u64,
    rest: Gather,
    one_piece: bool,
}

impl Lines {
    /// Lines of at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Lines {
            number: 0,
            rest: Gather::new(limit),
            one_piece: false,
        }
    }

    /// From now on line ends mean nothing: the whole is one piece.
    pub fn one_piece(&mut self) {
        self.one_piece = true;
    }

    /// Lines seen so far, empty ones included.
    pub fn count(&self) -> u64 {
        self.number
    }

    /// Takes the next bytes and gives each line that ends in them; empty lines are counted and
    /// passed over.
    pub fn feed(&mut self, mut chunk: &[u8], each: Each<'_>) {
        if self.one_piece {
            return self.rest.push(chunk);
        }
        while !chunk.is_empty() {
            let mut after = chunk;
            // Reading from a slice cannot fail, and skipping is a search by whole words.
            let found = after.skip_until(b'\n').unwrap_or(chunk.len());
            let piece = &chunk[..found];
            chunk = after;
            let Some(line) = piece.strip_suffix(b"\n") else {
                self.rest.push(piece);
                return;
            };
            self.number += 1;
            if self.rest.is_empty() && line.len() <= self.rest.limit {
                give_line(self.number, line, each);
            } else {
                self.rest.push(line);
                self.end(each);
            }
        }
    }

    /// The bytes have ended: gives the last line if it had no LF.
    pub fn finish(&mut self, each: Each<'_>) {
        if !self.rest.is_empty() {
            self.number += 1;
            self.end(each);
        }
    }

    fn end(&mut self, each: Each<'_>) {
        self.rest
            .give(self.number, &mut |number, piece| match piece {
                Piece::Whole(line) => give_line(number, line, each),
                over @ Piece::Over(_) => each(number, over),
            });
    }
}

fn give_line(number: u64, line: &[u8], each: Each<'_>) {
    let line = trimmed(number, line);
    if !line.iter().all(u8::is_ascii_whitespace) {
        each(number, Piece::Whole(line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(limit: usize, chunks: &[&[u8]]) -> Vec<(u64, String)> {
        let mut out = Vec::new();
        let mut each = |number: u64, piece: Piece<'_>| {
            out.push((
                number,
                match piece {
                    Piece::Whole(b) => String::from_utf8_lossy(b).into_owned(),
                    Piece::Over(o) => format!("over {}", o.length),
                },
            ));
        };
        let mut lines = Lines::new(limit);
        for chunk in chunks {
            lines.feed(chunk, &mut each);
        }
        lines.finish(&mut each);
        out
    }

    #[test]
    fn lines_are_the_same_however_the_bytes_are_cut() {
        let text: &[u8] = b"\xef\xbb\xbfone\r\n\r\n  \ntwo\nthree is too long\nfour";
        let want = vec![
            (1, "one".to_owned()),
            (4, "two".to_owned()),
            (5, "over 17".to_owned()),
            (6, "four".to_owned()),
        ];
        assert_eq!(lines(8, &[text]), want);
        for at in 0..text.len() {
            assert_eq!(lines(8, &[&text[..at], &text[at..]]), want, "cut at {at}");
        }
        let single: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(lines(8, &single), want);
    }

    #[test]
    fn what_is_too_long_keeps_prefix_length_and_hash() {
        let long = vec![b'x'; 200_000];
        let mut found = None;
        let mut lines = Lines::new(100_000);
        for chunk in long.chunks(70_000) {
            lines.feed(chunk, &mut |_, _| ());
        }
        lines.finish(&mut |_, piece| {
            if let Piece::Over(over) = piece {
                found = Some(over);
            }
        });
        let over = found.unwrap();
        assert_eq!(over.length, 200_000);
        assert_eq!(over.prefix.len(), DEAD_PREFIX_BYTES);
        assert_eq!(over.sha256, sha256_hex(&long));
    }

    fn elements(chunks: &[&[u8]]) -> (Vec<String>, Result<(), ArrayError>) {
        let mut out = Vec::new();
        let mut each = |_: u64, piece: Piece<'_>| {
            if let Piece::Whole(b) = piece {
                out.push(String::from_utf8_lossy(b).into_owned());
            }
        };
        let mut all = Elements::new(1000);
        for chunk in chunks {
            if let Err(e) = all.feed(chunk, &mut each) {
                return (out, Err(e));
            }
        }
        let end = all.finish();
        (out, end)
    }

    #[test]
    fn elements_follow_strings_and_brackets() {
        let text: &[u8] = b"\xef\xbb\xbf [ {\"a\":\"],\\\"\"} , [1,[2]], 3 ] \n";
        let want = ["{\"a\":\"],\\\"\"}", "[1,[2]]", "3"];
        for at in 0..text.len() {
            let (got, end) = elements(&[&text[..at], &text[at..]]);
            assert_eq!(got, want, "cut at {at}");
            assert_eq!(end, Ok(()));
        }
        assert_eq!(elements(&[b"[]"]), (vec![], Ok(())));
        assert_eq!(elements(&[b" [ ] "]), (vec![], Ok(())));
        assert_eq!(elements(&[b"[1,]"]).0, ["1", ""]);
        assert_eq!(elements(&[b"{}"]).1, Err(ArrayError::NoArray));
        assert_eq!(elements(&[b"[1"]).1, Err(ArrayError::NotClosed));
        assert_eq!(elements(&[b"[1] 2"]).1, Err(ArrayError::After));
        assert_eq!(elements(&[b""]).1, Err(ArrayError::NoArray));
    }
}
