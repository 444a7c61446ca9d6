//! What a caller entered or said to the application: recognitions and tones of Call Automation.

use std::collections::BTreeMap;

use callboard_model::statement::F;

use super::Event;
use super::doc::Doc;
use super::parts::{Part, When};

/// Whether the application speaks or listens in this event: it acts as an auto attendant or a bot.
pub fn is_turn(kind: &str) -> bool {
    kind.starts_with("Recognize")
        || kind.starts_with("ContinuousDtmfRecognition")
        || kind.starts_with("Play")
}

/// A menu for each recognition, and one for each run of tones.
pub fn menus(events: &[Event]) -> Vec<Part> {
    let mut out = Vec::new();
    let mut before: BTreeMap<String, When> = BTreeMap::new();
    let mut tones: BTreeMap<String, Tones> = BTreeMap::new();
    for event in events {
        let (d, when, leg) = (event.data(), &event.when, event.connection());
        match event.kind.as_str() {
            "RecognizeCompleted" | "RecognizeFailed" | "RecognizeCanceled" => {
                out.push(recognition(event, d, before.get(&leg)));
            }
            "ContinuousDtmfRecognitionToneReceived" => {
                tones.entry(leg.clone()).or_default().add(event, d);
            }
            "ContinuousDtmfRecognitionStopped" => {
                if let Some(run) = tones.remove(&leg) {
                    out.extend(run.menu(Some(when)));
                }
            }
            _ => {}
        }
        if event.kind == "CallConnected" || event.kind.starts_with("Recognize") || ended_play(event)
        {
            before.insert(leg, when.clone());
        }
    }
    out.extend(tones.into_values().filter_map(|run| run.menu(None)));
    out
}

fn ended_play(event: &Event) -> bool {
    matches!(
        event.kind.as_str(),
        "PlayCompleted" | "PlayFailed" | "PlayCanceled"
    )
}

/// One recognition. It tells its end alone; it began no earlier than what the application did
/// before it in this leg.
fn recognition(event: &Event, d: Doc<'_>, before: Option<&When>) -> Part {
    let when = &event.when;
    let mut menu = Part::new(format!("menu/{}", when.by.id), "menu", when);
    menu.start = before.map(When::guess);
    menu.end = Some(when.clone());
    menu.text(F::Name, &d.text("operationContext"));
    let result = d.first(&["resultInformation", "resultInfo"]);
    let codes = format!("{}/{}", result.text("code"), result.text("subCode"));
    let raw = match codes.as_str() {
        "/" => event.kind.clone(),
        codes => format!("{} {codes}", event.kind),
    };
    menu.text(F::RawOutcome, &raw);
    match event.kind.as_str() {
        "RecognizeCompleted" => {
            let (input, kind) = heard(d);
            menu.text(F::Outcome, "selected")
                .text(F::Input, &input)
                .text(F::InputType, kind);
        }
        "RecognizeFailed" => {
            let outcome = match result.int("subCode") {
                Some(8510 | 8532) => "timeout",
                Some(8534 | 8547) => "invalid",
                Some(8528) => "hangup",
                _ => "error",
            };
            menu.text(F::Outcome, outcome);
        }
        _ => {}
    }
    menu
}

/// What was entered or said, and how: keys, or the label of a choice, or free speech.
fn heard(d: Doc<'_>) -> (String, &'static str) {
    let tones: String = d
        .get("dtmfResult")
        .list("tones")
        .filter_map(|t| tone(&t.as_text()))
        .collect();
    if !tones.is_empty() {
        return (tones, "dtmf");
    }
    let choice = d.get("choiceResult");
    if choice.is_some() {
        // A choice has a phrase where it was said, and none where its key was pressed.
        let kind = match choice.get("recognizedPhrase").is_some() {
            true => "speech",
            false => "dtmf",
        };
        return (choice.text("label"), kind);
    }
    let said = d.get("speechResult").text("speech");
    let kind = match d.text("recognitionType").to_ascii_lowercase().as_str() {
        "dtmf" => "dtmf",
        _ => "speech",
    };
    (said, kind)
}

fn tone(name: &str) -> Option<char> {
    const NAMES: [&str; 10] = [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    ];
    let name = name.to_ascii_lowercase();
    if let Some(n) = NAMES.iter().position(|n| *n == name) {
        return char::from_digit(n as u32, 10);
    }
    match name.as_str() {
        "pound" | "#" => Some('#'),
        "asterisk" | "star" | "*" => Some('*'),
        other => {
            let mut chars = other.chars();
            let only = chars.next().filter(char::is_ascii_alphanumeric);
            only.filter(|_| chars.next().is_none())
        }
    }
}

/// Tones of a run, by their order; a tone that is told twice is one.
#[derive(Debug, Default)]
struct Tones {
    keys: BTreeMap<(i64, i64), char>,
    first: Option<When>,
    last: Option<When>,
    name: String,
}

impl Tones {
    fn add(&mut self, event: &Event, d: Doc<'_>) {
        let when = &event.when;
        let Some(key) = tone(&d.text("tone")) else {
            return;
        };
        let place = match d.int("sequenceId") {
            Some(n) => (n, 0),
            None => (i64::MAX, when.at),
        };
        self.keys.insert(place, key);
        self.first.get_or_insert_with(|| when.clone());
        self.last = Some(when.clone());
        if self.name.is_empty() {
            self.name = d.text("operationContext");
        }
    }

    fn menu(self, stopped: Option<&When>) -> Option<Part> {
        let (first, last) = (self.first?, self.last?);
        let mut menu = Part::new(format!("menu/{}", first.by.id), "menu", &last);
        menu.end = Some(stopped.cloned().unwrap_or(last));
        menu.start = Some(first);
        let keys: String = self.keys.into_values().collect();
        menu.text(F::Name, &self.name)
            .text(F::Input, &keys)
            .text(F::InputType, "dtmf")
            .text(F::Outcome, "selected")
            .text(F::RawOutcome, "ContinuousDtmfRecognitionToneReceived");
        Some(menu)
    }
}
