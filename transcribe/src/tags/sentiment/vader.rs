//! The scoring rules, in the order in which the Python package applies them. What looks odd here
//! (the "but" rule by equal values, "this" three words back) is what it does.

use super::lexicon::{ALPHA, CAPITALS, NEGATION, booster, emoji, idiom, negates, valence};
use serde::{Deserialize, Serialize};

/// VADER's four numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Share of negative words.
    pub neg: f64,
    /// Share of neutral words.
    pub neu: f64,
    /// Share of positive words.
    pub pos: f64,
    /// The whole, from -1 (most negative) to 1.
    pub compound: f64,
}

/// Scores a text.
pub fn score(text: &str) -> Scores {
    let text = described(text);
    let text = text.trim_matches(python_space);
    let words = words(text);
    if words.tokens.is_empty() {
        return Scores::default();
    }
    let mut values: Vec<f64> = (0..words.tokens.len()).map(|i| words.value(i)).collect();
    words.but(&mut values);
    total(&values, text)
}

/// Emoji as words.
fn described(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut after_space = true;
    for c in text.chars() {
        if let Some(words) = emoji(c) {
            if !after_space {
                out.push(' ');
            }
            out.push_str(words);
            after_space = false;
        } else {
            out.push(c);
            after_space = c == ' ';
        }
    }
    out
}

/// What Python's `str.split` takes for blank.
fn python_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// Python's `str.isupper`: at least one cased character and none in lower or title case.
fn is_upper(word: &str) -> bool {
    word.chars().any(char::is_uppercase) && !word.chars().any(char::is_lowercase)
}

struct Words {
    tokens: Vec<String>,
    lower: Vec<String>,
    /// Some but not all words are in capitals.
    mixed_case: bool,
}

fn words(text: &str) -> Words {
    let tokens: Vec<String> = text
        .split(python_space)
        .filter(|w| !w.is_empty())
        .map(|token| {
            let bare = token.trim_matches(|c: char| c.is_ascii_punctuation());
            // Two characters or fewer are perhaps an emoticon: the token stays as it is.
            if bare.chars().count() <= 2 {
                token
            } else {
                bare
            }
            .to_owned()
        })
        .collect();
    let lower = tokens.iter().map(|w| w.to_lowercase()).collect();
    let capitals = tokens.iter().filter(|w| is_upper(w)).count();
    let mixed_case = capitals > 0 && capitals < tokens.len();
    Words {
        tokens,
        lower,
        mixed_case,
    }
}

impl Words {
    /// The word `back` places before `i`, in lower case; empty before the first.
    fn before(&self, i: usize, back: usize) -> &str {
        i.checked_sub(back).map_or("", |j| self.lower[j].as_str())
    }

    fn shouted(&self, i: usize) -> bool {
        self.mixed_case && is_upper(&self.tokens[i])
    }

    fn value(&self, i: usize) -> f64 {
        let word = self.lower[i].as_str();
        if booster(word).is_some()
            || (word == "kind" && self.lower.get(i + 1).is_some_and(|w| w == "of"))
        {
            return 0.0;
        }
        let Some(own) = valence(word) else { return 0.0 };
        let mut v = own;
        if word == "no" && self.lower.get(i + 1).is_some_and(|w| valence(w).is_some()) {
            v = 0.0;
        }
        if self.before(i, 1) == "no"
            || self.before(i, 2) == "no"
            || (self.before(i, 3) == "no" && ["or", "nor"].contains(&self.before(i, 1)))
        {
            v = own * NEGATION;
        }
        if self.shouted(i) {
            v += if v > 0.0 { CAPITALS } else { -CAPITALS };
        }
        for k in 0..3usize {
            if i > k && valence(self.before(i, k + 1)).is_none() {
                v += self.boost(i - k - 1, v) * [1.0, 0.95, 0.9][k];
                v = self.negation(v, k, i);
                if k == 2 {
                    v = self.idioms(v, i);
                }
            }
        }
        if self.before(i, 1) == "least"
            && valence("least").is_none()
            && !(i > 1 && ["at", "very"].contains(&self.before(i, 2)))
        {
            v *= NEGATION;
        }
        v
    }

    /// What the degree word at `j` adds to a value.
    fn boost(&self, j: usize, v: f64) -> f64 {
        let Some(mut s) = booster(&self.lower[j]) else {
            return 0.0;
        };
        if v < 0.0 {
            s = -s;
        }
        if self.shouted(j) {
            s += if v > 0.0 { CAPITALS } else { -CAPITALS };
        }
        s
    }

    fn negation(&self, v: f64, k: usize, i: usize) -> f64 {
        let [one, two, three] = [1, 2, 3].map(|back| self.before(i, back));
        let so = |word: &str| word == "so" || word == "this";
        match k {
            1 if two == "never" && so(one) => v * 1.25,
            1 if two == "without" && one == "doubt" => v,
            2 if (three == "never" && so(two)) || so(one) => v * 1.25,
            2 if three == "without" && (two == "doubt" || one == "doubt") => v,
            _ if negates([one, two, three][k]) => v * NEGATION,
            _ => v,
        }
    }

    /// Only called with three words before `i`.
    fn idioms(&self, mut v: f64, i: usize) -> f64 {
        let phrase = |from: usize, to: usize| self.lower[from..=to].join(" ");
        let before = [
            phrase(i - 1, i),
            phrase(i - 2, i),
            phrase(i - 2, i - 1),
            phrase(i - 3, i - 1),
            phrase(i - 3, i - 2),
        ];
        if let Some(own) = before.iter().find_map(|p| idiom(p)) {
            v = own;
        }
        for ahead in 1..=2 {
            if i + ahead < self.lower.len()
                && let Some(own) = idiom(&phrase(i, i + ahead))
            {
                v = own;
            }
        }
        for place in [3, 4, 2] {
            v += booster(&before[place]).unwrap_or(0.0);
        }
        v
    }

    /// What comes before the first "but" counts half, what comes after one and a half times. The
    /// package looks each value up by its first equal, and so is it done here.
    fn but(&self, values: &mut [f64]) {
        let Some(at) = self.lower.iter().position(|w| w == "but") else {
            return;
        };
        for i in 0..values.len() {
            let value = values[i];
            if let Some(first) = values.iter().position(|v| *v == value) {
                if first < at {
                    values[first] = value * 0.5;
                } else if first > at {
                    values[first] = value * 1.5;
                }
            }
        }
    }
}

fn round(value: f64, digits: i32) -> f64 {
    // Through text, as Python rounds: to the nearest decimal of the exact binary value.
    format!("{value:.*}", digits as usize)
        .parse()
        .unwrap_or(value)
}

fn total(values: &[f64], text: &str) -> Scores {
    let marks = |c: char| text.chars().filter(|t| *t == c).count();
    let questions = match marks('?') {
        0 | 1 => 0.0,
        n @ 2..=3 => n as f64 * 0.18,
        _ => 0.96,
    };
    let emphasis = marks('!').min(4) as f64 * 0.292 + questions;
    let mut sum: f64 = python_sum(values);
    if sum > 0.0 {
        sum += emphasis;
    } else if sum < 0.0 {
        sum -= emphasis;
    }
    let compound = (sum / (sum * sum + ALPHA).sqrt()).clamp(-1.0, 1.0);
    let (mut pos, mut neg, mut neu) = (0.0, 0.0, 0.0);
    for value in values {
        if *value > 0.0 {
            pos += value + 1.0;
        } else if *value < 0.0 {
            neg += value - 1.0;
        } else {
            neu += 1.0;
        }
    }
    if pos > neg.abs() {
        pos += emphasis;
    } else if pos < neg.abs() {
        neg -= emphasis;
    }
    let whole: f64 = pos + neg.abs() + neu;
    Scores {
        neg: round((neg / whole).abs(), 3),
        neu: round((neu / whole).abs(), 3),
        pos: round((pos / whole).abs(), 3),
        compound: round(compound, 4),
    }
}

/// Plain left-to-right addition.
fn python_sum(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |sum, v| sum + v)
}

#[cfg(test)]
mod tests;
