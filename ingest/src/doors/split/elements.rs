//! Elements of one JSON array, out of a stream of bytes.

use super::{BOM, Each, Gather, Piece};

/// What is wrong with a JSON array as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ArrayError {
    /// Does not begin with `[`.
    #[error("a batch is one JSON array of events: it must begin with [")]
    NoArray,
    /// No `]`.
    #[error("the JSON array is not closed with ]: the body was cut off")]
    NotClosed,
    /// Something after `]`.
    #[error("there is something after the closing ] of the JSON array")]
    After,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Before,
    Element,
    After,
}

/// Cuts the elements of one JSON array. It follows brackets and strings only; whether an
/// element is an event is found later.
pub struct Elements {
    number: u64,
    rest: Gather,
    place: Place,
    depth: usize,
    in_string: bool,
    escaped: bool,
    commas: u64,
    before: usize,
}

impl Elements {
    /// Elements of at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Elements {
            number: 0,
            rest: Gather::new(limit),
            place: Place::Before,
            depth: 0,
            in_string: false,
            escaped: false,
            commas: 0,
            before: 0,
        }
    }

    /// Takes the next bytes and gives each element that ends in them.
    ///
    /// # Errors
    /// When this cannot be one JSON array.
    pub fn feed(&mut self, chunk: &[u8], each: Each<'_>) -> Result<(), ArrayError> {
        let mut start = 0;
        for (at, &byte) in chunk.iter().enumerate() {
            match self.place {
                Place::Before => {
                    if byte == b'[' {
                        self.place = Place::Element;
                        start = at + 1;
                    } else if !(byte.is_ascii_whitespace() || BOM.get(self.before) == Some(&byte)) {
                        return Err(ArrayError::NoArray);
                    }
                    self.before += 1;
                }
                Place::Element => {
                    if self.ends_here(byte) {
                        self.rest.push(&chunk[start..at]);
                        self.end(byte == b']', each);
                        start = at + 1;
                    }
                }
                Place::After => {
                    if !byte.is_ascii_whitespace() {
                        return Err(ArrayError::After);
                    }
                }
            }
        }
        if self.place == Place::Element {
            self.rest.push(&chunk[start..]);
        }
        Ok(())
    }

    /// Whether an element ends before this byte.
    fn ends_here(&mut self, byte: u8) -> bool {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return false;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b']' | b',' if self.depth == 0 => return true,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        false
    }

    fn end(&mut self, last: bool, each: Each<'_>) {
        if last {
            self.place = Place::After;
            let blank =
                self.rest.over.is_none() && self.rest.held.iter().all(u8::is_ascii_whitespace);
            if blank && self.commas == 0 {
                return; // an empty array
            }
        } else {
            self.commas += 1;
        }
        self.number += 1;
        self.rest
            .give(self.number, &mut |number, piece| match piece {
                Piece::Whole(bytes) => each(number, Piece::Whole(bytes.trim_ascii())),
                over @ Piece::Over(_) => each(number, over),
            });
    }

    /// Elements seen so far.
    pub fn count(&self) -> u64 {
        self.number
    }

    /// The bytes have ended.
    ///
    /// # Errors
    /// When the array was not closed.
    pub fn finish(&mut self) -> Result<(), ArrayError> {
        match self.place {
            Place::Before => Err(ArrayError::NoArray),
            Place::Element => Err(ArrayError::NotClosed),
            Place::After => Ok(()),
        }
    }
}
