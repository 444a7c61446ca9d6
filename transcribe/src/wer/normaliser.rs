//! Reference and recogniser's text in one form (the rules of openai-whisper's English normaliser,
//! with a shorter list of British spellings).

use super::contractions::{ENDINGS, FILLERS, PERFECT, WORDS, spelling};
use super::numbers;

/// The words of a text in the form in which they are compared.
pub fn normalise(text: &str) -> Vec<String> {
    let text = without_brackets(&text.to_lowercase().replace(['\u{2019}', '\u{2018}'], "'"))
        .replace(" '", "'");
    let words: Vec<String> = text
        .split_whitespace()
        .flat_map(|w| w.split(['-', '\u{2013}', '\u{2014}', '/']))
        .map(|w| {
            w.trim_matches(|c: char| !(c.is_alphanumeric() || "$€£¢%".contains(c)))
                .to_owned()
        })
        .filter(|w| !w.is_empty() && !FILLERS.contains(&w.as_str()))
        .collect();
    let mut expanded: Vec<String> = Vec::new();
    for (i, word) in words.iter().enumerate() {
        let next = words.get(i + 1).map_or("", String::as_str);
        expanded.extend(
            expand(word, next)
                .split_whitespace()
                .flat_map(plain)
                .collect::<Vec<_>>(),
        );
    }
    numbers::to_digits(&expanded)
        .into_iter()
        .map(|w| spelling(&w))
        .collect()
}

/// The same words with every number's digits apart: grouping of digits is no error then.
pub fn split_digits(words: &[String]) -> Vec<String> {
    let mut out = Vec::new();
    for word in words {
        if word.bytes().any(|b| b.is_ascii_digit()) {
            out.extend(
                word.chars()
                    .filter(char::is_ascii_digit)
                    .map(|c| c.to_string()),
            );
        } else if word == "one" {
            out.push("1".into());
        } else {
            out.push(word.clone());
        }
    }
    out
}

fn without_brackets(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut depth = 0usize;
    for c in text.chars() {
        match c {
            '[' | '(' | '<' => depth += 1,
            ']' | ')' | '>' => depth = depth.saturating_sub(1),
            _ if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

fn expand(word: &str, next: &str) -> String {
    if let Some((_, long)) = WORDS.iter().find(|(short, _)| *short == word) {
        return (*long).to_owned();
    }
    if PERFECT.contains(&next) {
        for (ending, long) in [("'d", " had"), ("'s", " has")] {
            if let Some(stem) = word.strip_suffix(ending) {
                return format!("{stem}{long}");
            }
        }
    }
    for (ending, long) in ENDINGS {
        if let Some(stem) = word.strip_suffix(ending) {
            return format!("{stem}{long}");
        }
    }
    word.to_owned()
}

/// A word without marks and accents; a number keeps its point, its currency and its percent, and
/// letters and digits in one word become two.
fn plain(word: &str) -> Vec<String> {
    let mut parts: Vec<String> = vec![String::new()];
    let chars: Vec<char> = word.chars().collect();
    for (i, c) in chars.iter().enumerate() {
        let before = i.checked_sub(1).map(|j| chars[j]);
        let after = chars.get(i + 1).copied();
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        let keep = match c {
            ',' if digit(before) && digit(after) => continue,
            '.' => digit(before) && digit(after),
            '$' | '€' | '£' | '¢' => digit(after),
            '%' => digit(before),
            '\'' => continue,
            c => c.is_alphanumeric(),
        };
        if !keep {
            parts.push(String::new());
            continue;
        }
        let border = (c.is_alphabetic() && digit(before) && !is_ordinal(&chars[i..]))
            || (c.is_ascii_digit() && before.is_some_and(char::is_alphabetic));
        if border {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut() {
            unaccented(*c, part);
        }
    }
    parts.retain(|p| !p.is_empty());
    parts
}

fn is_ordinal(rest: &[char]) -> bool {
    let rest: String = rest.iter().collect();
    ["st", "nd", "rd", "th", "s"].contains(&rest.as_str())
}

fn unaccented(c: char, out: &mut String) {
    match c {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => out.push('a'),
        'ç' => out.push('c'),
        'è' | 'é' | 'ê' | 'ë' => out.push('e'),
        'ì' | 'í' | 'î' | 'ï' => out.push('i'),
        'ñ' => out.push('n'),
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' => out.push('o'),
        'ø' => out.push('o'),
        'ù' | 'ú' | 'û' | 'ü' => out.push('u'),
        'ý' | 'ÿ' => out.push('y'),
        'ß' => out.push_str("ss"),
        'æ' => out.push_str("ae"),
        'œ' => out.push_str("oe"),
        c => out.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> String {
        normalise(text).join(" ")
    }

    #[test]
    fn both_ways_of_writing_become_one() {
        for (spoken, written) in [
            (
                "The payment of eighty four dollars and ten cents",
                "the payment of $84.10",
            ),
            ("the thirty nine dollar one", "The 39 dollar one."),
            (
                "The third of March, nineteen eighty eight.",
                "the 3rd of March 1988",
            ),
            ("two thousand four hundred dollars", "$2,400"),
            ("nine four one one seven", "94117"),
            (
                "I can't, I've been; he's gone",
                "I can not I have been, he has gone",
            ),
            ("fibre offer", "Fiber offer"),
            ("one, eight, four, zero, three", "18403"),
            ("L H, seven, seven, zero, four, two", "LH 77042"),
            ("twenty per cent", "20%"),
            ("error number forty-seven", "error number 47"),
        ] {
            assert_eq!(form(spoken).replace("l h", "lh"), form(written), "{spoken}");
        }
        assert_eq!(
            form("Um, well (music) e-mail [noise] Café!"),
            "well e mail cafe"
        );
        assert_eq!(form("one of them"), "one of them");
        assert_eq!(
            split_digits(&normalise("5555 4444 is it")).join(" "),
            "5 5 5 5 4 4 4 4 is it"
        );
    }
}
