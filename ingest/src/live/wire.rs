//! The manager protocol's form: lines `Key: Value`, ended by CR LF or LF; an empty line ends a block.
//! Pure; bounded, since the other end may be anything.

/// Longest line, bytes.
pub(super) const LINE: usize = 256 * 1024;
/// Longest block, bytes.
pub(super) const BLOCK: usize = 1024 * 1024;
/// Most headers of a block.
pub(super) const HEADERS: usize = 4096;

/// A bound was passed: which one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Beyond(pub String);

/// A block as it came.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Block {
    /// Headers in their order.
    pub headers: Vec<(String, String)>,
    /// Its bytes, where it is no block of headers in UTF-8, and what is wrong.
    pub garbage: Option<(&'static str, Vec<u8>)>,
}

impl Block {
    /// The first value of a header, whose name may be written in any case.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, v)| v.as_str())
    }
}

/// Cuts bytes into blocks.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    held: Vec<u8>,
    /// How far `held` was searched for ends of lines.
    searched: usize,
    /// Where the present line begins.
    line: usize,
    headers: usize,
}

impl Blocks {
    /// More bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// What is held of an unfinished block.
    pub fn rest(&self) -> &[u8] {
        &self.held
    }

    /// The line that stands alone at the beginning: the greeting.
    ///
    /// # Errors
    /// When it is too long.
    pub fn greeting(&mut self, most: usize) -> Result<Option<String>, Beyond> {
        let Some(end) = self.held.iter().position(|b| *b == b'\n') else {
            if self.held.len() > most {
                return Err(Beyond(format!("the greeting has more than {most} bytes")));
            }
            return Ok(None);
        };
        let line: Vec<u8> = self.held.drain(..=end).collect();
        Ok(Some(
            String::from_utf8_lossy(line.trim_ascii()).into_owned(),
        ))
    }

    /// The next whole block.
    ///
    /// # Errors
    /// When a line, the block or the number of its headers is beyond its bound.
    pub fn next(&mut self) -> Result<Option<Block>, Beyond> {
        while let Some(step) = self.held[self.searched..].iter().position(|b| *b == b'\n') {
            let end = self.searched + step;
            let empty = self.held[self.line..end].iter().all(|b| *b == b'\r');
            self.bound(end)?;
            self.searched = end + 1;
            let start = std::mem::replace(&mut self.line, end + 1);
            if !empty {
                self.headers += 1;
                continue;
            }
            let mut block: Vec<u8> = self.held.drain(..=end).collect();
            (self.searched, self.line, self.headers) = (0, 0, 0);
            block.truncate(start);
            if !block.is_empty() {
                return Ok(Some(read(block)));
            }
        }
        self.searched = self.held.len();
        self.bound(self.searched)?;
        Ok(None)
    }

    fn bound(&self, end: usize) -> Result<(), Beyond> {
        let too = |what: &str, most: usize| {
            Err(Beyond(format!(
                "{what} of the manager has more than {most}"
            )))
        };
        if end - self.line > LINE {
            return too("a line in bytes", LINE);
        }
        if end > BLOCK {
            return too("a block in bytes", BLOCK);
        }
        if self.headers > HEADERS {
            return too("a block in lines", HEADERS);
        }
        Ok(())
    }
}

fn read(bytes: Vec<u8>) -> Block {
    let garbage = |class, bytes| Block {
        headers: Vec::new(),
        garbage: Some((class, bytes)),
    };
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return garbage("invalid_utf8", bytes);
    };
    let mut headers = Vec::with_capacity(32);
    for line in text.lines() {
        let Some((name, value)) = line.split_once(':') else {
            return garbage("not_ami", bytes);
        };
        // Asterisk puts one space; a value's own spaces are its own.
        let value = value.strip_prefix(' ').unwrap_or(value);
        headers.push((name.trim().to_owned(), value.to_owned()));
    }
    Block {
        headers,
        garbage: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(blocks: &mut Blocks) -> Vec<Block> {
        std::iter::from_fn(|| blocks.next().unwrap()).collect()
    }

    #[test]
    fn blocks_come_whole_however_the_bytes_come() {
        let text = b"Event: Hold\r\nA:  two spaces\r\nV: x=1\r\nV: y=2:3\r\n\r\n\r\nResponse: Success\n\nnot a header\r\n\r\nE: \xff\r\n\r\nEvent: Ha";
        let mut whole = Blocks::default();
        whole.push(text);
        let whole_blocks = all(&mut whole);
        for step in 1..7 {
            let mut blocks = Blocks::default();
            let mut out = Vec::new();
            for bytes in text.chunks(step) {
                blocks.push(bytes);
                out.extend(all(&mut blocks));
            }
            assert_eq!(out, whole_blocks);
            assert_eq!(blocks.rest(), b"Event: Ha");
        }
        let headers: Vec<(&str, &str)> = whole_blocks[0]
            .headers
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        assert_eq!(
            headers,
            [
                ("Event", "Hold"),
                ("A", " two spaces"),
                ("V", "x=1"),
                ("V", "y=2:3")
            ]
        );
        assert_eq!(whole_blocks[1].get("response"), Some("Success"));
        let classes: Vec<_> = whole_blocks[2..]
            .iter()
            .map(|b| b.garbage.as_ref().unwrap().0)
            .collect();
        assert_eq!(classes, ["not_ami", "invalid_utf8"]);
    }

    #[test]
    fn what_never_ends_is_beyond_a_bound() {
        let mut line = Blocks::default();
        let ended = (0..100).find_map(|_| {
            line.push(&[b'a'; 8192]);
            line.next().err()
        });
        assert!(ended.unwrap().0.contains("line in bytes"));
        let mut block = Blocks::default();
        block.push(&b"A: b\r\n".repeat(HEADERS + 2));
        assert!(block.next().unwrap_err().0.contains("in lines"));
        let mut long = Blocks::default();
        let header = [&b"A: "[..], &[b'x'; 200 * 1024], b"\r\n"].concat();
        long.push(&header.repeat(6));
        assert!(long.next().unwrap_err().0.contains("block in bytes"));
        let mut greeting = Blocks::default();
        greeting.push(&[b'a'; 2000]);
        assert!(greeting.greeting(1024).is_err());
    }
}
