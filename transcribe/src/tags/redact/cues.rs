//! Words that say a card number or a code is near.

use super::digits::{Kind, Token};
use crate::turns::Word;

/// What is announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cue {
    Card,
    Code,
    Expiry,
}

/// A cue's moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CueAt {
    pub cue: Cue,
    pub at_ms: u64,
}

const CARD: [&str; 25] = [
    "card",
    "cards",
    "cart number",
    "car number",
    "guard number",
    "long number",
    "number on the front",
    "sixteen digits",
    "16 digits",
    "16 digit",
    "sixteen digit",
    "fifteen digits",
    "visa",
    "mastercard",
    "master card",
    "amex",
    "american express",
    "maestro",
    "discover card",
    "account number on the front",
    "pan number",
    "debit",
    "credit card",
    "digits on the front",
    "front of it",
];
const CODE: [&str; 20] = [
    "security code",
    "security coat",
    "security cold",
    "security number",
    "security digits",
    "secret code",
    "cvv",
    "cvc",
    "cv2",
    "cvv2",
    "c v v",
    "c v c",
    "card verification",
    "verification number",
    "digits on the back",
    "number on the back",
    "code on the back",
    "numbers on the back",
    "back of the card",
    "signature strip",
];
const EXPIRY: [&str; 9] = [
    "expiry",
    "expires",
    "expire",
    "expiration",
    "expiring",
    "valid until",
    "valid thru",
    "valid through",
    "good through",
];

fn plain(token: &Token, words: &[Word]) -> String {
    match &token.kind {
        Kind::Other(word) => word.clone(),
        // Numbers and the like in the form in which they were written.
        _ => words[token.word]
            .text
            .to_lowercase()
            .trim_matches(|c: char| !c.is_alphanumeric())
            .to_owned(),
    }
}

/// All cues of a leg.
pub(super) fn cues(words: &[Word], tokens: &[Token]) -> Vec<CueAt> {
    let plain: Vec<String> = tokens.iter().map(|t| plain(t, words)).collect();
    let mut out = Vec::new();
    for (cue, phrases) in [
        (Cue::Card, &CARD[..]),
        (Cue::Code, &CODE),
        (Cue::Expiry, &EXPIRY),
    ] {
        for phrase in phrases {
            let phrase: Vec<&str> = phrase.split(' ').collect();
            for (at, window) in plain.windows(phrase.len()).enumerate() {
                if window.iter().zip(&phrase).all(|(w, p)| w == p) {
                    out.push(CueAt {
                        cue,
                        at_ms: words[tokens[at].word].start_ms,
                    });
                }
            }
        }
    }
    out
}

/// Whether a word is a month's name.
pub(super) fn is_month(plain: &str) -> bool {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    MONTHS.contains(&plain)
}
