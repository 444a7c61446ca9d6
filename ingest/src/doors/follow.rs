//! Files that a platform writes: read in parts that end with a whole line, resumed where they
//! were, followed through rotation and truncation. What is sent where is the caller's business;
//! a part counts only when the caller says that it was acknowledged.

pub mod discover;
pub mod position;

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use callboard_sources::lines::{Kind, LineReader, ReaderState};
use flate2::read::MultiGzDecoder;

use position::{Head, Position};

/// Bytes read at once.
const STEP: usize = 64 * 1024;

/// Longest run without the end of a line before the file is given up, bytes: far above the
/// longest record, which is a dead letter of its own.
const ENDLESS: usize = 32 * 1024 * 1024;

/// How a file's lines are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// What the file holds.
    pub kind: Kind,
    /// Instance of the platform.
    pub instance: String,
    /// IANA zone of local times; empty = UTC.
    pub zone: String,
    /// Order of columns; empty = the platform's own.
    pub columns: Vec<String>,
}

/// A part of a file on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Where the reader stood before it.
    pub from: ReaderState,
    /// Where it stands after it.
    pub to: ReaderState,
    /// Whole lines, and at the end of a finished file perhaps one without its break.
    pub bytes: Vec<u8>,
    /// Lines in it.
    pub lines: u64,
}

/// What a look for more bytes found.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// A part to send.
    Part(Part),
    /// Nothing now; a followed file may grow.
    Quiet,
    /// This file will give nothing more.
    End,
}

enum Bytes {
    Plain(File),
    Packed(Box<MultiGzDecoder<BufReader<File>>>),
}

/// One file, or the succession of files that a rotated path names.
pub struct Tail {
    path: PathBuf,
    reading: Reading,
    follow: bool,
    reader: LineReader,
    input: Option<Bytes>,
    head: Head,
    /// State after the last part given.
    given: ReaderState,
    /// Bytes read from `given.offset` on.
    held: Vec<u8>,
    ended: bool,
    part_bytes: usize,
}

impl Tail {
    /// Opens a file, at the remembered position if it is still the same file. When a followed
    /// file was rotated meanwhile, the rest of the old one is looked for beside it first.
    ///
    /// # Errors
    /// When it cannot be opened or read.
    pub fn open(
        path: &Path,
        reading: Reading,
        follow: bool,
        part_bytes: usize,
        known: Option<&Position>,
    ) -> io::Result<Self> {
        let head = Head::of(path)?;
        let mut tail = Tail {
            path: path.to_owned(),
            follow,
            reader: new_reader(&reading, ReaderState::default()),
            reading,
            input: None,
            head,
            given: ReaderState::default(),
            held: Vec::new(),
            ended: false,
            part_bytes,
        };
        match known {
            Some(known) if known.is_of(path)? => tail.start(path, known.state.clone())?,
            Some(known) if follow => match rotated(path, known) {
                Some(old) => {
                    tail.head = known.head.clone();
                    tail.start(&old, known.state.clone())?;
                }
                None => tail.start(path, known.state.rewound())?,
            },
            _ => tail.start(path, ReaderState::default())?,
        }
        Ok(tail)
    }

    /// The path that was asked for.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How its lines are read.
    pub fn reading(&self) -> &Reading {
        &self.reading
    }

    /// Bytes given so far, of the file as it is read now (decompressed).
    pub fn offset(&self) -> u64 {
        self.given.offset
    }

    /// Size of the file on disk now; of a packed one it is the packed size.
    pub fn size(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |m| m.len())
    }

    /// Bytes of the file on disk that were read.
    pub fn consumed(&mut self) -> u64 {
        match &mut self.input {
            Some(Bytes::Packed(gzip)) => gzip.get_mut().stream_position().unwrap_or(0),
            _ => self.given.offset,
        }
    }

    /// What to remember once `part` was acknowledged.
    pub fn position(&self, part: &Part) -> Position {
        Position {
            path: self.path.clone(),
            head: self.head.clone(),
            state: part.to.clone(),
        }
    }

    fn start(&mut self, path: &Path, state: ReaderState) -> io::Result<()> {
        let mut file = File::open(path)?;
        let mut magic = [0u8; 2];
        let packed = file.read(&mut magic)? == 2 && magic == [0x1f, 0x8b];
        file.seek(SeekFrom::Start(0))?;
        self.input = Some(if packed {
            let mut gzip = MultiGzDecoder::new(BufReader::new(file));
            io::copy(&mut (&mut gzip).take(state.offset), &mut io::sink())?;
            Bytes::Packed(Box::new(gzip))
        } else {
            file.seek(SeekFrom::Start(state.offset))?;
            Bytes::Plain(file)
        });
        self.reader = new_reader(&self.reading, state.clone());
        self.given = state;
        self.held.clear();
        self.ended = false;
        Ok(())
    }

    /// The next part. Reads at most what a part holds, so that memory stays bounded.
    ///
    /// # Errors
    /// When the file cannot be read, or has no line end for very long.
    pub fn next_part(&mut self) -> io::Result<Next> {
        let mut buffer = vec![0u8; STEP];
        loop {
            if self.ended {
                return Ok(Next::End);
            }
            let read = match &mut self.input {
                Some(Bytes::Plain(file)) => file.read(&mut buffer)?,
                Some(Bytes::Packed(gzip)) => gzip.read(&mut buffer)?,
                None => 0,
            };
            if read == 0 {
                return self.at_end();
            }
            self.held.extend_from_slice(&buffer[..read]);
            self.reader.push(&buffer[..read]);
            if self.held.len() >= self.part_bytes
                && let Some(part) = self.cut()
            {
                return Ok(Next::Part(part));
            }
            if self.held.len() > ENDLESS {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("no end of line within {ENDLESS} bytes; this is no log of lines"),
                ));
            }
        }
    }

    /// All that is there now was read.
    fn at_end(&mut self) -> io::Result<Next> {
        if let Some(part) = self.cut() {
            return Ok(Next::Part(part));
        }
        if self.follow && !matches!(self.input, Some(Bytes::Packed(_))) {
            return self.look_again();
        }
        self.reader.finish();
        let last = self.cut();
        self.ended = true;
        Ok(last.map_or(Next::End, Next::Part))
    }

    /// A followed file is at its end: has it grown, been cut short, or been replaced?
    fn look_again(&mut self) -> io::Result<Next> {
        let Some(Bytes::Plain(file)) = &mut self.input else {
            return Ok(Next::Quiet);
        };
        let open = file.metadata()?;
        let read_to = self.given.offset + self.held.len() as u64;
        if open.len() > read_to {
            return Ok(Next::Quiet); // it grew this moment; the next look reads it
        }
        let named = match std::fs::metadata(&self.path) {
            Ok(named) => named,
            // Between the two steps of a rotation there is none of that name.
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Next::Quiet),
            Err(e) => return Err(e),
        };
        let replaced = named.ino() != open.ino() || named.dev() != open.dev();
        if replaced {
            // The writer has moved on: what is half written will not be completed.
            self.reader.finish();
            if let Some(part) = self.cut() {
                return Ok(Next::Part(part));
            }
        }
        if replaced || open.len() < read_to {
            tracing::info!(path = %self.path.display(), replaced, "the file begins anew");
            let head = Head::of(&self.path)?;
            let path = self.path.clone();
            self.start(&path, self.given.rewound())?;
            self.head = head;
        } else if self.head.is_short() {
            self.head = Head::of(&self.path)?;
        }
        Ok(Next::Quiet)
    }

    /// Cuts a part at the last whole line.
    fn cut(&mut self) -> Option<Part> {
        let to = self.reader.state();
        let length = usize::try_from(to.offset.saturating_sub(self.given.offset)).ok()?;
        if length == 0 || length > self.held.len() {
            return None;
        }
        let rest = self.held.split_off(length);
        let bytes = std::mem::replace(&mut self.held, rest);
        let from = std::mem::replace(&mut self.given, to.clone());
        Some(Part {
            lines: to.lines - from.lines,
            from,
            to,
            bytes,
        })
    }
}

fn new_reader(reading: &Reading, state: ReaderState) -> LineReader {
    LineReader::resume(
        reading.kind,
        &reading.instance,
        &reading.zone,
        &reading.columns,
        state,
    )
}

/// A state as it is when the file begins anew; the count of equal lines goes on.
trait Rewound {
    fn rewound(&self) -> ReaderState;
}

impl Rewound for ReaderState {
    fn rewound(&self) -> ReaderState {
        let mut state = self.clone();
        state.offset = 0;
        state.lines = 0;
        state
    }
}

/// The file beside `path` that is the one remembered, under its new name.
fn rotated(path: &Path, known: &Position) -> Option<PathBuf> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    let entries = std::fs::read_dir(folder.unwrap_or(Path::new("."))).ok()?;
    entries
        .flatten()
        .take(100_000)
        .map(|e| e.path())
        .find(|other| other != path && known.is_of(other).unwrap_or(false))
}

#[cfg(test)]
mod tests;
