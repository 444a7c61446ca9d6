//! Counting errors between two word sequences.

use serde::{Deserialize, Serialize};

/// What must be changed to turn the reference into the hypothesis.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Errors {
    /// Words replaced.
    pub substitutions: usize,
    /// Words of the reference that were not recognised.
    pub deletions: usize,
    /// Words that nobody said.
    pub insertions: usize,
    /// Words of the reference.
    pub words: usize,
}

impl Errors {
    /// Errors in percent of the reference's words.
    pub fn percent(&self) -> f64 {
        100.0 * (self.substitutions + self.deletions + self.insertions) as f64
            / self.words.max(1) as f64
    }

    /// Adds another text's errors: the rate of a set is that of all its words together.
    pub fn add(&mut self, other: Errors) {
        self.substitutions += other.substitutions;
        self.deletions += other.deletions;
        self.insertions += other.insertions;
        self.words += other.words;
    }
}

/// The fewest errors between reference and hypothesis.
pub fn align(reference: &[String], hypothesis: &[String]) -> Errors {
    // Each cell: cost, substitutions, deletions, insertions on the best way there.
    let mut row: Vec<[usize; 4]> = (0..=hypothesis.len()).map(|j| [j, 0, 0, j]).collect();
    for (i, word) in reference.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = [i + 1, 0, i + 1, 0];
        for (j, heard) in hypothesis.iter().enumerate() {
            let above = row[j + 1];
            let step = |cell: [usize; 4], kind: usize| {
                let mut next = cell;
                next[0] += 1;
                next[kind] += 1;
                next
            };
            let best = if word == heard {
                diagonal
            } else {
                [step(diagonal, 1), step(above, 2), step(row[j], 3)]
                    .into_iter()
                    .min_by_key(|c| c[0])
                    .unwrap_or(above)
            };
            diagonal = above;
            row[j + 1] = best;
        }
    }
    let [_, substitutions, deletions, insertions] = row[hypothesis.len()];
    Errors {
        substitutions,
        deletions,
        insertions,
        words: reference.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::align;

    fn errors(reference: &str, hypothesis: &str) -> [usize; 4] {
        let words = |t: &str| t.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let e = align(&words(reference), &words(hypothesis));
        [e.substitutions, e.deletions, e.insertions, e.words]
    }

    #[test]
    fn each_kind_of_error_is_counted() {
        assert_eq!(errors("a b c d", "a b c d"), [0, 0, 0, 4]);
        assert_eq!(errors("a b c d", "a x c d"), [1, 0, 0, 4]);
        assert_eq!(errors("a b c d", "a c d"), [0, 1, 0, 4]);
        assert_eq!(errors("a b c d", "a b b c d e"), [0, 0, 2, 4]);
        assert_eq!(errors("a b", ""), [0, 2, 0, 2]);
        assert_eq!(errors("", "a"), [0, 0, 1, 0]);
    }
}
