//! What became of the lines, counted per file's kind.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use callboard_ingest::doors::answer::Answer;

/// Sources of events that are remembered.
const SOURCES: usize = 500;

/// Examples of refused lines that are shown per class.
const EXAMPLES: usize = 3;

#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    taken: u64,
    repeated: u64,
    conflicts: u64,
    refused: u64,
}

/// Counts of all that was acknowledged.
#[derive(Debug, Default)]
pub struct Tally {
    kinds: BTreeMap<String, Counts>,
    reasons: BTreeMap<String, (u64, Vec<String>)>,
    sources: BTreeSet<String>,
    questions: u64,
}

impl Tally {
    /// Adds a file without records: a question of the platform, which was answered.
    pub fn question(&mut self) {
        self.questions += 1;
    }

    /// Adds an acknowledged part.
    pub fn add(&mut self, path: &Path, kind: &str, answer: &Answer) {
        let counts = self.kinds.entry(kind.to_owned()).or_default();
        counts.taken += answer.taken;
        counts.repeated += answer.repeated;
        counts.conflicts += answer.conflicts;
        counts.refused += answer.refused;
        for line in &answer.lines {
            if !matches!(line.status.as_str(), "refused" | "conflict") {
                continue;
            }
            let class = line.class.clone().unwrap_or_else(|| line.status.clone());
            let (times, examples) = self.reasons.entry(class).or_default();
            *times += 1;
            if examples.len() < EXAMPLES {
                let reason = line.reason.as_deref().unwrap_or("");
                examples.push(format!("{} line {}: {reason}", path.display(), line.line));
            }
        }
    }

    /// Remembers the sources that lines of our own events name.
    pub fn hear(&mut self, lines: &[u8]) {
        #[derive(serde::Deserialize)]
        struct Named {
            source: String,
        }
        for line in lines.split(|b| *b == b'\n') {
            if self.sources.len() < SOURCES
                && let Ok(named) = serde_json::from_slice::<Named>(line)
            {
                self.sources.insert(named.source);
            }
        }
    }

    /// Those sources.
    pub fn sources(&self) -> Vec<String> {
        self.sources.iter().cloned().collect()
    }

    /// Lines that were acknowledged.
    pub fn lines(&self) -> u64 {
        self.kinds
            .values()
            .map(|c| c.taken + c.repeated + c.conflicts + c.refused)
            .sum()
    }

    /// For people.
    ///
    /// `whole` says that every file was read to its end and the server answered.
    pub fn summary(&self, url: &str, stopped: bool, whole: bool) -> String {
        let mut out = String::new();
        let none = self.kinds.is_empty() && self.questions == 0;
        if none && !whole {
            out += &format!("nothing was sent to {url}\n");
        } else if none {
            out += &format!(
                "nothing new for {url}: all there is was acknowledged before (--again sends it once more)\n"
            );
        }
        for (kind, c) in &self.kinds {
            out += &format!(
                "{kind:<10} {:>9} taken  {:>9} repeated  {:>6} refused",
                c.taken, c.repeated, c.refused
            );
            if c.conflicts > 0 {
                out += &format!("  {} conflicting", c.conflicts);
            }
            out += "\n";
        }
        if self.questions > 0 {
            out += &format!(
                "without records: {} (questions of the platform whether it may send)\n",
                self.questions
            );
        }
        for (class, (times, examples)) in &self.reasons {
            out += &format!("{class}: {times}\n");
            for example in examples {
                out += &format!("  {example}\n");
            }
        }
        if stopped {
            out += "stopped; the same command goes on from here\n";
        }
        out
    }
}
