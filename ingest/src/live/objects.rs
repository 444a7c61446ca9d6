//! Which objects of a prefix were read: remembered by name, size and tag in a file of lines that is
//! only appended to while the process runs. A crash between reading and remembering means that an
//! object is read again, which repeats records that are known.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use object_store::ObjectMeta;
use serde::{Deserialize, Serialize};

/// What an object was when it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Size, bytes.
    pub size: u64,
    /// Entity tag; where a store has none, its time of change.
    pub tag: String,
}

impl Seen {
    /// Of a listed object.
    pub fn of(meta: &ObjectMeta) -> Self {
        let changed = || meta.last_modified.timestamp_micros().to_string();
        Seen {
            size: meta.size,
            tag: meta.e_tag.clone().unwrap_or_else(changed),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Line {
    name: String,
    #[serde(flatten)]
    seen: Seen,
}

/// The memory of one prefix.
#[derive(Debug)]
pub(super) struct Memory {
    file: PathBuf,
    read: HashMap<String, Seen>,
    lines: usize,
}

impl Memory {
    /// What that file remembers; a torn last line is passed over.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn open(file: &Path) -> io::Result<Self> {
        let text = match fs::read(file) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(e) => return Err(e),
        };
        let mut read = HashMap::new();
        let mut lines = 0;
        for line in text.split(|b| *b == b'\n') {
            if let Ok(line) = serde_json::from_slice::<Line>(line) {
                lines += 1;
                read.insert(line.name, line.seen);
            }
        }
        let memory = Memory {
            file: file.to_owned(),
            read,
            lines,
        };
        // So that nothing is appended to a torn line.
        memory.rewrite()?;
        Ok(memory)
    }

    /// Whether the object was read as it is now.
    pub fn knows(&self, name: &str, seen: &Seen) -> bool {
        self.read.get(name) == Some(seen)
    }

    /// Objects remembered.
    pub fn len(&self) -> usize {
        self.read.len()
    }

    /// Remembers.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put(&mut self, name: &str, seen: &Seen) -> io::Result<()> {
        self.read.insert(name.to_owned(), seen.clone());
        self.lines += 1;
        let mut file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.file)?;
        file.write_all(&line(name, seen)?)?;
        file.sync_data()
    }

    /// Forgets what is no longer there; writes the file anew when half of it is of no more use.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&mut self, there: &dyn Fn(&str) -> bool) -> io::Result<()> {
        self.read.retain(|name, _| there(name));
        if self.lines > 1000 + 2 * self.read.len() {
            self.rewrite()?;
            self.lines = self.read.len();
        }
        Ok(())
    }

    fn rewrite(&self) -> io::Result<()> {
        if let Some(folder) = self.file.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut all = Vec::new();
        for (name, seen) in &self.read {
            all.extend(line(name, seen)?);
        }
        let fresh = self.file.with_extension("new");
        let mut file = fs::File::create(&fresh)?;
        file.write_all(&all)?;
        file.sync_all()?;
        fs::rename(fresh, &self.file)
    }
}

fn line(name: &str, seen: &Seen) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(&Line {
        name: name.to_owned(),
        seen: seen.clone(),
    })?;
    line.push(b'\n');
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(size: u64, tag: &str) -> Seen {
        Seen {
            size,
            tag: tag.to_owned(),
        }
    }

    #[test]
    fn a_torn_line_costs_its_object_alone() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("state/prefix.jsonl");
        let mut memory = Memory::open(&file).unwrap();
        memory.put("a", &seen(1, "x")).unwrap();
        memory.put("b", &seen(2, "y")).unwrap();
        let text = fs::read(&file).unwrap();
        fs::write(&file, &text[..text.len() - 4]).unwrap();
        let mut memory = Memory::open(&file).unwrap();
        assert!(memory.knows("a", &seen(1, "x")));
        assert!(!memory.knows("a", &seen(1, "z")) && !memory.knows("b", &seen(2, "y")));
        memory.put("c", &seen(3, "")).unwrap();
        assert!(Memory::open(&file).unwrap().knows("c", &seen(3, "")));
        memory.keep(&|name| name == "c").unwrap();
        assert_eq!(memory.len(), 1);
    }
}
