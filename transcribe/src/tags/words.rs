//! Words in the form in which they are compared.

use crate::number_words::{ONES, TENS};

/// A written word as plain words: lower case, plain apostrophe, without marks at its edges; a
/// hyphen parts it ("e-mail" is "e", "mail"). Empty for a mark alone.
pub(crate) fn normalised(word: &str) -> Vec<String> {
    word.to_lowercase()
        .replace(['\u{2019}', '\u{2018}'], "'")
        .split(['-', '\u{2013}', '\u{2014}', '/'])
        .map(|part| part.trim_matches(|c: char| !c.is_alphanumeric()).to_owned())
        .filter(|part| !part.is_empty())
        .collect()
}

/// Whether a word (in any form) is a number or a spoken digit.
pub(crate) fn is_number_word(word: &str) -> bool {
    let number = |part: &str| {
        ONES.contains(&part) || TENS.contains(&part) || matches!(part, "oh" | "double" | "triple")
    };
    let parts = normalised(word);
    !parts.is_empty()
        && parts
            .iter()
            .all(|p| p.bytes().any(|b| b.is_ascii_digit()) || number(p))
}
