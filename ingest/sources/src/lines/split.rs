//! Where lines end. In quoted values a line break can stand inside quotes.

use callboard_model::record::MAX_RECORD_BYTES;
use sha2::{Digest, Sha256};

use super::{PREFIX_BYTES, hex};

/// A quote that has not closed after so many bytes was never meant to span lines.
const MAX_QUOTED: usize = 64 * 1024;

/// One line, cut off the input.
#[derive(Debug)]
pub(super) struct Cut {
    /// The line without its break; only its beginning when it is too long.
    pub line: Vec<u8>,
    /// Bytes of the input it took, its break included.
    pub consumed: u64,
    /// What is wrong with it: class and reason.
    pub fault: Option<(&'static str, String)>,
    /// Its full length when it is too long.
    pub length: u64,
    /// Its hash when it is too long.
    pub sha256: String,
}

impl Cut {
    fn good(line: Vec<u8>, consumed: usize) -> Self {
        Cut {
            line,
            consumed: consumed as u64,
            fault: None,
            length: 0,
            sha256: String::new(),
        }
    }
}

/// A line that is too long, while it lasts.
#[derive(Debug)]
struct Skipped {
    prefix: Vec<u8>,
    length: u64,
    hash: Sha256,
}

/// Cuts lines.
#[derive(Debug)]
pub(super) struct Splitter {
    quoted: bool,
    at_start: bool,
    buffer: Vec<u8>,
    /// Bytes of the buffer that were cut off already.
    taken: usize,
    /// How far the buffer was searched, and whether that place is inside quotes.
    searched: usize,
    inside: bool,
    skipped: Option<Skipped>,
}

impl Splitter {
    pub fn new(quoted: bool, at_start: bool) -> Self {
        Splitter {
            quoted,
            at_start,
            buffer: Vec::new(),
            taken: 0,
            searched: 0,
            inside: false,
            skipped: None,
        }
    }

    /// Forgets what is half read.
    pub fn restart(&mut self) {
        *self = Splitter::new(self.quoted, true);
    }

    pub fn push(&mut self, bytes: &[u8]) {
        if self.taken > 0 {
            self.buffer.drain(..self.taken);
            self.searched -= self.taken;
            self.taken = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next complete line; with `over` also the last one without a break.
    pub fn next_line(&mut self, over: bool) -> Option<Cut> {
        if let Some(skipped) = &mut self.skipped {
            let rest = &self.buffer[self.taken..];
            let end = rest.iter().position(|b| *b == b'\n');
            let part = &rest[..end.unwrap_or(rest.len())];
            skipped.hash.update(part);
            skipped.length += part.len() as u64;
            self.taken += part.len() + usize::from(end.is_some());
            self.searched = self.taken;
            if end.is_none() && !over {
                return None;
            }
            let skipped = self.skipped.take()?;
            return Some(Cut {
                line: skipped.prefix,
                consumed: skipped.length + u64::from(end.is_some()),
                fault: Some((
                    "too_long",
                    format!(
                        "{} bytes; a line may have at most {MAX_RECORD_BYTES}",
                        skipped.length
                    ),
                )),
                length: skipped.length,
                sha256: hex(&skipped.hash.finalize()),
            });
        }
        while self.searched < self.buffer.len() {
            let b = self.buffer[self.searched];
            self.searched += 1;
            match b {
                b'"' if self.quoted => self.inside = !self.inside,
                b'\n' if !self.inside => return Some(self.cut(self.searched)),
                _ => {}
            }
        }
        let open = self.buffer.len() - self.taken;
        if self.inside && (open > MAX_QUOTED || (over && open > 0)) {
            return Some(self.open_quote());
        }
        if open > MAX_RECORD_BYTES {
            let mut prefix = self.buffer[self.taken..].to_vec();
            let mut hash = Sha256::new();
            hash.update(&prefix);
            let length = prefix.len() as u64;
            prefix.truncate(PREFIX_BYTES);
            self.skipped = Some(Skipped {
                prefix,
                length,
                hash,
            });
            self.taken = self.buffer.len();
            return if over { self.next_line(true) } else { None };
        }
        (over && open > 0).then(|| self.cut(self.buffer.len()))
    }

    /// Cuts the line that ends before `end` (its break included).
    fn cut(&mut self, end: usize) -> Cut {
        let mut line = &self.buffer[self.taken..end];
        let consumed = line.len();
        line = line.strip_suffix(b"\n").unwrap_or(line);
        line = line.strip_suffix(b"\r").unwrap_or(line);
        if std::mem::take(&mut self.at_start) {
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        }
        let mut cut = Cut::good(line.to_vec(), consumed);
        if cut.line.len() > MAX_RECORD_BYTES {
            cut.length = cut.line.len() as u64;
            cut.sha256 = hex(&Sha256::digest(&cut.line));
            cut.line.truncate(PREFIX_BYTES);
            cut.fault = Some((
                "too_long",
                format!(
                    "{} bytes; a line may have at most {MAX_RECORD_BYTES}",
                    cut.length
                ),
            ));
        }
        self.taken = end;
        self.searched = end;
        self.inside = false;
        cut
    }

    /// Gives up the first line of an open quote and searches anew behind it.
    fn open_quote(&mut self) -> Cut {
        let rest = &self.buffer[self.taken..];
        let end = match rest.iter().position(|b| *b == b'\n') {
            Some(n) => self.taken + n + 1,
            None => self.buffer.len(),
        };
        let mut cut = self.cut(end);
        if cut.fault.is_none() {
            cut.fault = Some((
                "open_quote",
                "a quote of this row does not close; a quote inside a field must be doubled"
                    .to_owned(),
            ));
        }
        cut
    }
}
