//! Texts looked for in bytes, all of them in one go.

use std::collections::HashMap;

/// Texts to look for. A place counts where the text stands alone: the letters and digits around it
/// would make it another number or id.
#[derive(Debug, Clone, Default)]
pub struct Needles {
    /// By their first two bytes.
    by_start: HashMap<[u8; 2], Vec<Vec<u8>>>,
    /// Whether a byte begins any: most places are passed over by it.
    begins: Vec<bool>,
}

impl Needles {
    /// These texts, and as JSON writes them; those of less than two bytes are left out.
    #[must_use]
    pub fn of(texts: impl IntoIterator<Item = String>) -> Self {
        let mut needles = Needles {
            by_start: HashMap::new(),
            begins: vec![false; 256],
        };
        for text in texts {
            let escaped: String = text.chars().map(escaped).collect();
            let quoted = serde_json::to_string(&text).unwrap_or_default();
            let quoted = quoted.trim_matches('"').to_owned();
            for form in [text, quoted, escaped] {
                needles.add(form.into_bytes());
            }
        }
        needles
    }

    fn add(&mut self, needle: Vec<u8>) {
        let [first, second, ..] = needle[..] else {
            return;
        };
        self.begins[usize::from(first)] = true;
        let all = self.by_start.entry([first, second]).or_default();
        if !all.contains(&needle) {
            all.push(needle);
        }
    }

    /// Whether there is nothing to look for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_start.is_empty()
    }

    /// How often any of them stands in the bytes.
    #[must_use]
    pub fn count(&self, bytes: &[u8]) -> u64 {
        let mut times = 0;
        if self.by_start.is_empty() {
            return 0;
        }
        for (at, pair) in bytes.windows(2).enumerate() {
            if !self.begins[usize::from(pair[0])] {
                continue;
            }
            let Some(all) = self.by_start.get(&[pair[0], pair[1]]) else {
                continue;
            };
            let alone = |needle: &&Vec<u8>| {
                bytes[at..].starts_with(needle)
                    && !joins(at.checked_sub(1).and_then(|b| bytes.get(b)), needle.first())
                    && !joins(bytes.get(at + needle.len()), needle.last())
            };
            times += all.iter().filter(alone).count() as u64;
        }
        times
    }

    /// Whether any of them stands in the bytes.
    #[must_use]
    pub fn any(&self, bytes: &[u8]) -> bool {
        self.count(bytes) > 0
    }
}

/// Whether a byte beside an end of a text makes it part of something longer.
fn joins(beside: Option<&u8>, end: Option<&u8>) -> bool {
    let word = |b: &u8| b.is_ascii_alphanumeric();
    beside.is_some_and(word) && end.is_some_and(word)
}

/// A character as JSON of plain ASCII writes it.
fn escaped(c: char) -> String {
    if c.is_ascii() {
        return c.to_string();
    }
    let mut units = [0; 2];
    c.encode_utf16(&mut units)
        .iter()
        .map(|unit| format!("\\u{unit:04x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_where_it_stands_alone() {
        let needles = Needles::of([
            "+4930123".to_owned(),
            "Jürgen".to_owned(),
            "c-17".to_owned(),
        ]);
        assert_eq!(needles.count(b"\"+4930123\",+4930123"), 2);
        assert_eq!(needles.count(b"+49301234 c-170 xc-17"), 0, "others");
        assert_eq!(needles.count("<Jürgen> J\\u00fcrgen".as_bytes()), 2);
        assert!(needles.any(b"c-17/agent"));
        assert_eq!(needles.count(b"+"), 0);
        assert!(!Needles::default().any(b"abc") && !Needles::of(["a".to_owned()]).any(b"aaa"));
    }
}
