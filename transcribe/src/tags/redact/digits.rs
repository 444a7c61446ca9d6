//! Words as digits: spoken, written, doubled, misheard.

use crate::number_words::{ONES, TENS};
use crate::tags::words::normalised;
use crate::turns::Word;

/// What a word is to a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// Digits.
    Digits(String),
    /// Sounds like a digit, and is one among digits.
    Like(&'static str),
    /// Said between digits without meaning.
    Separator,
    /// "double" or "triple".
    Times(usize),
    /// A unit of money or measure: the number before it is an amount.
    Unit,
    /// Anything else, in plain form.
    Other(String),
}

/// A plain word of a leg.
#[derive(Debug, Clone)]
pub(super) struct Token {
    /// The written word it is part of.
    pub word: usize,
    pub kind: Kind,
}

/// A row of digits within one leg.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    /// First and last written word.
    pub first: usize,
    pub last: usize,
    pub digits: String,
    /// An amount of money or the like.
    pub amount: bool,
    /// Words that are no digits between the run before and this one.
    pub others_before: usize,
}

/// A longer pause parts rows of digits; rows are put together again by what is around them.
const PAUSE_MS: u64 = 1_200;

impl Run {
    /// Takes sound-alikes at the end in, if there are several: one alone is a word ("for you").
    fn end_with(&mut self, pending: &[(&'static str, usize)]) {
        if let [_, .., (_, last)] = pending {
            self.digits.extend(pending.iter().map(|(digit, _)| *digit));
            self.last = *last;
        }
    }
}

fn kind(plain: &str, written: &str) -> Kind {
    if plain.bytes().any(|b| b.is_ascii_digit()) {
        let digits: String = plain.chars().filter(char::is_ascii_digit).collect();
        let letters = plain.chars().filter(|c| c.is_alphabetic()).count();
        // "3rd" and "1st" are no digits of a number; "4111x" is.
        if letters > 0 && digits.len() < 3 {
            return Kind::Other(plain.to_owned());
        }
        return if written.contains(['$', '£', '€', '%']) {
            Kind::Unit
        } else {
            Kind::Digits(digits)
        };
    }
    if let Some(n) = ONES.iter().position(|w| *w == plain) {
        return Kind::Digits(n.to_string());
    }
    if let Some(n) = TENS.iter().position(|w| *w == plain) {
        return Kind::Digits(format!("{}0", n + 2));
    }
    match plain {
        "nought" | "naught" | "nil" | "null" => Kind::Digits("0".into()),
        "niner" => Kind::Digits("9".into()),
        "fourty" => Kind::Digits("40".into()),
        "hundred" => Kind::Like("00"),
        "thousand" => Kind::Like("000"),
        "oh" | "o" | "owe" => Kind::Like("0"),
        "to" | "too" => Kind::Like("2"),
        "for" | "fore" | "far" => Kind::Like("4"),
        "ate" => Kind::Like("8"),
        "won" | "want" | "juan" => Kind::Like("1"),
        "tree" | "free" => Kind::Like("3"),
        "sex" | "sick" | "sticks" | "sics" => Kind::Like("6"),
        "fife" | "hive" => Kind::Like("5"),
        "nein" | "line" | "mine" => Kind::Like("9"),
        "heaven" => Kind::Like("7"),
        "double" => Kind::Times(2),
        "triple" | "treble" => Kind::Times(3),
        "and" | "dash" | "hyphen" | "space" | "uh" | "um" | "er" | "ah" | "hmm" | "then"
        | "again" => Kind::Separator,
        "dollar" | "dollars" | "cent" | "cents" | "pound" | "pounds" | "euro" | "euros"
        | "pence" | "percent" | "minutes" | "minute" | "hours" | "days" | "months" | "years"
        | "megabits" | "degrees" => Kind::Unit,
        _ => Kind::Other(plain.to_owned()),
    }
}

/// A leg's words as tokens.
pub(super) fn tokens(words: &[Word]) -> Vec<Token> {
    words
        .iter()
        .enumerate()
        .flat_map(|(at, word)| {
            normalised(&word.text).into_iter().map(move |plain| Token {
                word: at,
                kind: kind(&plain, &word.text),
            })
        })
        .collect()
}

/// The rows of digits of a leg. Sound-alikes count only where digits stand on both sides (or
/// where they lead a row, as "oh nine", or several end it: "one one far far"); a pause of more than a second parts rows.
pub(super) fn runs(words: &[Word], tokens: &[Token]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut open: Option<Run> = None;
    let mut tens_open = false;
    let mut pending: Vec<(&'static str, usize)> = Vec::new();
    let mut others = 0;
    let mut times = 1;
    let mut times_word = None;
    for token in tokens {
        let ended = open
            .as_ref()
            .is_some_and(|r| words[token.word].start_ms > words[r.last].end_ms + PAUSE_MS);
        if ended || matches!(token.kind, Kind::Other(_) | Kind::Unit) {
            if let Some(mut run) = open.take() {
                run.amount = matches!(token.kind, Kind::Unit) && !ended && pending.is_empty();
                run.end_with(&pending);
                runs.push(run);
                others = 0;
            }
            pending.clear();
            times = 1;
            times_word = None;
            if matches!(token.kind, Kind::Other(_) | Kind::Unit) {
                others += 1;
                continue;
            }
        }
        match &token.kind {
            Kind::Digits(own) => {
                let own = own.repeat(std::mem::replace(&mut times, 1));
                let first = times_word.take().unwrap_or(token.word);
                let ten = TENS_DIGITS.contains(&own.as_str());
                let run = open.get_or_insert_with(|| Run {
                    first,
                    last: token.word,
                    digits: String::new(),
                    amount: false,
                    others_before: others,
                });
                let combines = tens_open && pending.is_empty() && own.len() == 1 && own != "0";
                if combines {
                    run.digits.pop();
                }
                run.digits.extend(pending.drain(..).map(|(digit, _)| digit));
                run.digits.push_str(&own);
                run.last = token.word;
                tens_open = ten;
            }
            Kind::Like(digit) if open.is_some() => pending.push((digit, token.word)),
            Kind::Like("0") => {
                open = Some(Run {
                    first: token.word,
                    last: token.word,
                    digits: "0".into(),
                    amount: false,
                    others_before: others,
                });
                tens_open = false;
            }
            Kind::Times(n) => {
                times = *n;
                times_word = Some(token.word);
            }
            _ => {}
        }
    }
    if let Some(run) = &mut open {
        run.end_with(&pending);
    }
    runs.extend(open);
    runs
}

const TENS_DIGITS: [&str; 8] = ["20", "30", "40", "50", "60", "70", "80", "90"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Leg;
    use crate::turns::testing::heard;

    fn found(text: &str) -> Vec<(String, bool)> {
        let words: Vec<Word> = heard(Leg::Agent, 0, text)
            .into_iter()
            .map(|h| h.word)
            .collect();
        runs(&words, &tokens(&words))
            .into_iter()
            .map(|r| (r.digits, r.amount))
            .collect()
    }

    #[test]
    fn every_way_of_saying_digits_is_read() {
        let one = |text: &str, digits: &str| {
            assert_eq!(found(text), [(digits.to_owned(), false)], "{text}")
        };
        one("four one one one, 1111-1111 and 1,111", "4111111111111111");
        one("double five triple seven", "55777");
        one("forty two eleven", "4211");
        one("twenty eight", "28");
        one("four to for ate one", "42481");
        one("one one for for", "1144");
        one("one one for me", "11");
        one("oh nine, twenty eight", "0928");
        one("it is five five five, zero one four two.", "5550142");
        assert_eq!(
            found("eighty four dollars and ten cents"),
            [("84".into(), true), ("10".into(), true)]
        );
        assert_eq!(found("for you to see"), []);
        assert_eq!(found("it costs $2,400 on the 3rd"), []);
    }
}
