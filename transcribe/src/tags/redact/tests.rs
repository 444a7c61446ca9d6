use super::*;
use crate::turns::testing::heard;
use crate::turns::{Turn, build};

fn run(parts: &[(Leg, u64, &str)]) -> (Vec<Turn>, Vec<Redaction>) {
    let words = parts
        .iter()
        .flat_map(|(leg, at, text)| heard(*leg, *at, text))
        .collect();
    let speech = parts
        .iter()
        .map(|(leg, ..)| *leg)
        .collect::<std::collections::BTreeSet<_>>();
    let speech: Vec<_> = speech.into_iter().map(|leg| (leg, Vec::new())).collect();
    let (words, spans) = redact(words, &speech);
    (build(words), spans)
}

fn texts(parts: &[(Leg, u64, &str)]) -> Vec<String> {
    run(parts).0.into_iter().map(|t| t.text).collect()
}

use Leg::{Agent, Customer};

#[test]
fn a_spoken_card_its_repetition_and_its_code_are_masked_on_both_legs() {
    let parts = [
        (
            Customer,
            5_000,
            "Hello. I would like to pay my bill with another card.",
        ),
        (
            Agent,
            9_000,
            "Sure. Please read me the new card number, nice and slowly.",
        ),
        (
            Customer,
            13_000,
            "Five five five five, five five five five, five five five five, four four four four.",
        ),
        (Agent, 19_000, "I have 5555, 5555 5555-5555, 4444."),
        (
            Customer,
            25_000,
            "That's right. And the security code is one two three.",
        ),
        (
            Agent,
            29_000,
            "Thank you. The payment of eighty four dollars and ten cents is complete.",
        ),
    ];
    let (turns, spans) = run(&parts);
    let texts: Vec<&str> = turns.iter().map(|t| t.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "Hello. I would like to pay my bill with another card.",
            "Sure. Please read me the new card number, nice and slowly.",
            "[CARD].",
            "I have [CARD].",
            "That's right. And the security code is [CODE].",
            "Thank you. The payment of eighty four dollars and ten cents is complete.",
        ]
    );
    assert!(turns[2].redacted && !turns[5].redacted);
    let of = |leg: Leg| {
        spans
            .iter()
            .filter(|s| s.leg == leg)
            .map(|s| (s.entity, s.span.start_ms, s.span.end_ms))
            .collect::<Vec<_>>()
    };
    assert_eq!(of(Agent), of(Customer));
    assert_eq!(
        of(Agent),
        [
            (Entity::Card, 12_700, 18_080),
            (Entity::Card, 19_300, 21_080),
            (Entity::SecurityCode, 26_800, 28_280)
        ]
    );
}

#[test]
fn digits_over_several_turns_with_assent_between_are_one_number() {
    let masked = texts(&[
        (Agent, 0, "the long number please"),
        (Customer, 4_000, "four one one one"),
        (Agent, 6_000, "okay"),
        (Customer, 8_000, "double one eleven"),
        (Agent, 10_000, "yes"),
        (Customer, 12_000, "it goes on one one one one, got that?"),
        (Customer, 18_000, "then 1111"),
    ]);
    assert_eq!(masked[1], "[CARD].");
    assert_eq!(masked[3], "[CARD].");
    assert_eq!(masked[5], "It goes on [CARD], got that?");
    assert!(masked[6].contains("[CARD]"), "{masked:?}");
}

#[test]
fn misheard_numbers_without_a_right_check_sum_go_too() {
    // One digit lost, two misheard; no cue at all for the second.
    assert_eq!(
        texts(&[(Customer, 0, "my card 4111 111 to 111 1131")]),
        ["My card [CARD]."]
    );
    assert_eq!(
        texts(&[(Customer, 0, "it is 4111 1111 1111 1131")]),
        ["It is [CARD]."]
    );
    assert_eq!(
        texts(&[(Customer, 0, "5555 5555, then it says 5555, and then 4444")]),
        ["[CARD], then it says [CARD]."]
    );
}

#[test]
fn codes_and_expiry_after_their_cues() {
    let masked = texts(&[
        (Agent, 0, "and the three digits on the back?"),
        (Customer, 4_000, "one to three"),
        (Agent, 6_000, "when does it expire?"),
        (Customer, 8_000, "oh nine twenty eight"),
        (Customer, 12_000, "or March 2028, I think"),
        (Customer, 50_000, "987 is my house"),
        (Agent, 90_000, "the security code?"),
        (Customer, 92_000, "one"),
        (Customer, 94_000, "two"),
        (Customer, 96_000, "three"),
    ]);
    assert_eq!(masked[7..], ["[CODE].", "[CODE].", "[CODE]."]);
    assert_eq!(masked[1], "[CODE].");
    assert!(
        masked[3] == "[EXPIRY]." || masked[3] == "[CODE].",
        "{masked:?}"
    );
    assert!(!masked[4].contains("2028"), "{masked:?}");
    assert_eq!(masked[5], "987 is my house.");
}

#[test]
fn other_numbers_stay() {
    for text in [
        "it's nine four one one seven",
        "one second, it's two, nine, zero, five, one, six",
        "I have 4 of them for 2400 dollars, call 555 0142",
        "four zero zero eight one six two",
        "this call is recorded for your security",
    ] {
        let masked = texts(&[(Customer, 0, text)]);
        assert!(!masked[0].contains('['), "{masked:?}");
    }
}

#[test]
fn silence_is_widened_to_a_near_pause() {
    let mut words = heard(Customer, 10_000, "4111 1111 1111 1111");
    words.extend(heard(Customer, 15_000, "that is it"));
    let speech = [
        (
            Customer,
            vec![(2_000, 3_000), (9_300, 11_900), (14_000, 16_000)],
        ),
        (Agent, vec![]),
    ];
    let (_, spans) = redact(words.clone(), &speech);
    let spans: Vec<_> = spans
        .iter()
        .map(|s| (s.leg, s.span.start_ms, s.span.end_ms))
        .collect();
    assert_eq!(spans, [(Agent, 9_300, 11_900), (Customer, 9_300, 11_900)]);
    // Speech goes on: silence lasts until the next word that was recognised.
    let (_, spans) = redact(words, &[(Customer, vec![(9_300, 16_000)])]);
    assert_eq!(
        (spans[0].span.start_ms, spans[0].span.end_ms),
        (9_300, 15_000)
    );
}

#[test]
fn no_grouping_and_no_filler_lets_a_card_through() {
    // Every way to cut a public test number into groups, with what people say between them.
    let number = "4111111111111111";
    let words = [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    ];
    for cuts in 0u32..128 {
        for (n, filler) in ["", "um", "and", "then", "uh and"].into_iter().enumerate() {
            let mut text = String::from("the card is ");
            for (i, c) in number.chars().enumerate() {
                let digit = c.to_digit(10).unwrap() as usize;
                let spoken = (cuts as usize + n + i).is_multiple_of(3);
                if spoken {
                    text.push_str(&format!(" {} ", words[digit]));
                } else {
                    text.push(c);
                }
                if cuts >> (i % 7) & 1 == 1 {
                    text.push_str(&format!(" {filler} "));
                }
            }
            let masked = texts(&[(Customer, 0, &text)]).join(" ");
            let left = masked.chars().filter(char::is_ascii_digit).count();
            assert!(left == 0 && masked.contains("[CARD]"), "{text} -> {masked}");
        }
    }
}

#[test]
fn of_all_texts_of_the_recorded_shift_only_the_cards_are_masked() {
    #[derive(serde::Deserialize)]
    struct Text {
        rec: String,
        leg: Leg0,
        start: f64,
        text: String,
    }
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Leg0 {
        Caller,
        Agent,
    }
    let path = std::path::Path::new("../datasets/shift-asterisk/texts.jsonl");
    let lines = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut calls: std::collections::BTreeMap<String, Vec<(Leg, u64, String)>> = Default::default();
    for line in lines.lines() {
        let t: Text = serde_json::from_str(line).unwrap();
        let leg = if matches!(t.leg, Leg0::Caller) {
            Customer
        } else {
            Agent
        };
        calls
            .entry(t.rec)
            .or_default()
            .push((leg, (t.start * 1000.0) as u64, t.text));
    }
    let mut masked = Vec::new();
    for (rec, texts) in &calls {
        let parts: Vec<(Leg, u64, &str)> = texts
            .iter()
            .map(|(l, at, t)| (*l, *at, t.as_str()))
            .collect();
        let words: Vec<Heard> = parts
            .iter()
            .flat_map(|(leg, at, text)| heard(*leg, *at, text))
            .collect();
        let (words, _) = redact(words, &[(Customer, vec![]), (Agent, vec![])]);
        masked.extend(
            words
                .iter()
                .filter(|w| is_mask(&w.word.text))
                .map(|w| (rec.as_str(), w.leg, w.word.text.clone())),
        );
    }
    let of = |call: &str| -> Vec<String> {
        masked
            .iter()
            .filter(|(rec, ..)| *rec == call)
            .map(|(_, leg, text)| format!("{leg} {text}"))
            .collect()
    };
    assert_eq!(
        of("billing-1795253963.9"),
        ["agent [CARD].", "customer [CARD].", "customer [CODE]."]
    );
    let other = of("sales-1795254040.56");
    assert_eq!(other[..2], ["agent [CARD].", "customer [CARD]."]);
    // Whether "oh nine, twenty eight" is called a date or a code does not matter, but it is gone.
    assert_eq!(other.len(), 3, "{other:?}");
    assert_eq!(masked.len(), 6, "{masked:?}");
}
