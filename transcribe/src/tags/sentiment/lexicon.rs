//! VADER's word lists and constants, as in the Python package vaderSentiment 3.3.2.

use std::collections::HashMap;
use std::sync::LazyLock;

/// What a degree word ("very") adds.
pub(super) const INCREASE: f64 = 0.293;
/// What CAPITALS among others add.
pub(super) const CAPITALS: f64 = 0.733;
/// What a negation multiplies by.
pub(super) const NEGATION: f64 = -0.74;
/// The constant that brings a sum between -1 and 1.
pub(super) const ALPHA: f64 = 15.0;

static LEXICON: LazyLock<HashMap<&'static str, f64>> = LazyLock::new(|| {
    include_str!("../../../data/vader/vader_lexicon.txt")
        .lines()
        .filter_map(|line| {
            let mut fields = line.trim().split('\t');
            Some((fields.next()?, fields.next()?.parse().ok()?))
        })
        .collect()
});

static EMOJI: LazyLock<HashMap<char, &'static str>> = LazyLock::new(|| {
    include_str!("../../../data/vader/emoji_utf8_lexicon.txt")
        .lines()
        .filter_map(|line| {
            let (emoji, description) = line.trim().split_once('\t')?;
            let mut chars = emoji.chars();
            // Entries of several characters never match: the text is looked at char by char.
            match (chars.next(), chars.next()) {
                (Some(one), None) => Some((one, description.split('\t').next()?)),
                _ => None,
            }
        })
        .collect()
});

/// A word's valence (-4 to 4); the word in lower case.
pub(super) fn valence(word: &str) -> Option<f64> {
    LEXICON.get(word).copied()
}

/// An emoji's description.
pub(super) fn emoji(c: char) -> Option<&'static str> {
    EMOJI.get(&c).copied()
}

const MORE: [&str; 60] = [
    "absolutely",
    "amazingly",
    "awfully",
    "completely",
    "considerable",
    "considerably",
    "decidedly",
    "deeply",
    "effing",
    "enormous",
    "enormously",
    "entirely",
    "especially",
    "exceptional",
    "exceptionally",
    "extreme",
    "extremely",
    "fabulously",
    "flipping",
    "flippin",
    "frackin",
    "fracking",
    "fricking",
    "frickin",
    "frigging",
    "friggin",
    "fully",
    "fuckin",
    "fucking",
    "fuggin",
    "fugging",
    "greatly",
    "hella",
    "highly",
    "hugely",
    "incredible",
    "incredibly",
    "intensely",
    "major",
    "majorly",
    "more",
    "most",
    "particularly",
    "purely",
    "quite",
    "really",
    "remarkably",
    "so",
    "substantially",
    "thoroughly",
    "total",
    "totally",
    "tremendous",
    "tremendously",
    "uber",
    "unbelievably",
    "unusually",
    "utter",
    "utterly",
    "very",
];

const LESS: [&str; 24] = [
    "almost",
    "barely",
    "hardly",
    "just enough",
    "kind of",
    "kinda",
    "kindof",
    "kind-of",
    "less",
    "little",
    "marginal",
    "marginally",
    "occasional",
    "occasionally",
    "partly",
    "scarce",
    "scarcely",
    "slight",
    "slightly",
    "somewhat",
    "sort of",
    "sorta",
    "sortof",
    "sort-of",
];

/// What a degree word or phrase adds to a positive word.
pub(super) fn booster(word: &str) -> Option<f64> {
    if MORE.contains(&word) {
        Some(INCREASE)
    } else if LESS.contains(&word) {
        Some(-INCREASE)
    } else {
        None
    }
}

const NEGATE: [&str; 59] = [
    "aint",
    "arent",
    "cannot",
    "cant",
    "couldnt",
    "darent",
    "didnt",
    "doesnt",
    "ain't",
    "aren't",
    "can't",
    "couldn't",
    "daren't",
    "didn't",
    "doesn't",
    "dont",
    "hadnt",
    "hasnt",
    "havent",
    "isnt",
    "mightnt",
    "mustnt",
    "neither",
    "don't",
    "hadn't",
    "hasn't",
    "haven't",
    "isn't",
    "mightn't",
    "mustn't",
    "neednt",
    "needn't",
    "never",
    "none",
    "nope",
    "nor",
    "not",
    "nothing",
    "nowhere",
    "oughtnt",
    "shant",
    "shouldnt",
    "uhuh",
    "wasnt",
    "werent",
    "oughtn't",
    "shan't",
    "shouldn't",
    "uh-uh",
    "wasn't",
    "weren't",
    "without",
    "wont",
    "wouldnt",
    "won't",
    "wouldn't",
    "rarely",
    "seldom",
    "despite",
];

/// Whether a word in lower case negates.
pub(super) fn negates(word: &str) -> bool {
    NEGATE.contains(&word) || word.contains("n't")
}

/// Idioms with a valence of their own.
pub(super) fn idiom(phrase: &str) -> Option<f64> {
    Some(match phrase {
        "the shit" | "the bomb" | "to die for" => 3.0,
        "bad ass" | "badass" => 1.5,
        "bus stop" => 0.0,
        "yeah right" => -2.0,
        "kiss of death" => -1.5,
        "beating heart" => 3.5,
        _ => return None,
    })
}
