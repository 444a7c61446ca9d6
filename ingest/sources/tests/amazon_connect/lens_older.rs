//! Files of Contact Lens as they looked in 2020 and 2022.

use super::fold::{Rows, capture, named, rows, split};

const FILE: &str = "c-1_analysis_2026-03-02T09:01:10Z.json";
const NEW: &str = "contact-lens-voice-original--admin-guide.json";
const VOICE: &str = "contact-lens-voice-original--admin-guide-2022.json";
const REDACTED: &str = "contact-lens-voice-redacted--admin-guide-2022.json";

fn file(bytes: &[u8]) -> Rows {
    let declared = callboard_sources::adapter::Declared {
        instance: "i-1".into(),
        name: FILE.into(),
        ..Default::default()
    };
    let (records, dead) = split(bytes, &declared);
    assert!(dead.is_empty(), "{dead:?}");
    rows(&records)
}

#[test]
fn a_file_of_2022_names_its_people_by_ids_and_roles() {
    let text = String::from_utf8(capture(VOICE)).unwrap();
    assert!(text.contains("the customer's ID"), "not by role alone");
    let found = file(text.as_bytes());
    let heard = &found.recordings["i-1-c-1/both"];
    let recording = heard.recording.as_ref().unwrap();
    assert_eq!(
        (
            recording.transcript_model.as_deref(),
            recording.transcript_state.as_deref(),
            recording.duration_ms
        ),
        (Some("contact-lens 1.1.0"), Some("done"), Some(32_110))
    );
    let cells: Vec<_> = heard
        .turns
        .iter()
        .map(|t| (t.leg.as_str(), t.start_ms, t.end_ms, t.sentiment))
        .collect();
    assert_eq!(cells.len(), 10);
    assert_eq!(cells[0], ("agent", 0, 90, Some(0.0)));
    assert_eq!(cells[1], ("customer", 160, 4_640, Some(0.0)));
    assert_eq!(cells[2], ("agent", 4_640, 6_610, Some(0.0)));
    assert_eq!(cells[9], ("customer", 30_580, 32_110, Some(1.0)));
    let says = |n: usize| heard.turns[n].text.as_str();
    assert_eq!(
        (says(0), says(1), says(9)),
        (
            "Okay.",
            "Just hello. My name is Peter and help.",
            "Thank you. Sir. Have a nice evening."
        )
    );
    // 3.1 of 5.
    let overall: Vec<_> = heard
        .tags
        .iter()
        .filter(|t| t.name == "overall")
        .map(|t| (t.leg.as_deref().unwrap(), t.score.unwrap()))
        .collect();
    assert_eq!(overall, [("agent", 0.0), ("customer", 0.62)]);
    // Altered: another role of the same id is another leg.
    let other = text.replacen("\"CUSTOMER\"", "\"SUPERVISOR\"", 1);
    let other = file(other.as_bytes());
    assert_eq!(other.recordings["i-1-c-1/both"].turns[1].leg, "mixed");
}

#[test]
fn between_2022_and_2023_only_the_words_for_people_and_version_changed() {
    let (old, new) = (file(&capture(VOICE)), file(&capture(NEW)));
    let [old, new] = [&old, &new].map(|r| &r.recordings["i-1-c-1/both"]);
    assert_eq!(old.tags, new.tags);
    assert_eq!(old.turns.len(), new.turns.len());
    for (a, b) in old.turns.iter().zip(&new.turns) {
        let cells = |t: &callboard_model::tables::TurnRow| {
            (t.seq, t.leg.clone(), t.start_ms, t.end_ms, t.text.clone())
        };
        assert_eq!(cells(a), cells(b));
    }
}

#[test]
fn the_redacted_file_of_2022_stands_before_the_original() {
    for order in [[VOICE, REDACTED], [REDACTED, VOICE]] {
        let declared = callboard_sources::adapter::Declared {
            instance: "i-1".into(),
            name: FILE.into(),
            ..Default::default()
        };
        let all: Vec<_> = order
            .iter()
            .flat_map(|name| split(&capture(name), &declared).0)
            .collect();
        let found = rows(&all);
        let heard = &found.recordings["i-1-c-1/both"];
        let said: String = heard.turns.iter().map(|t| t.text.as_str()).collect();
        assert!(said.contains("[PII]") && !said.contains("Peter"), "{said}");
        assert_eq!(heard.turns.len(), 10);
    }
}

/// Of 2020 the guide prints comments and typographer's quotes inside: kept as a whole, and told.
#[test]
fn what_was_printed_in_2020_is_no_json_and_a_dead_letter() {
    for kind in ["original", "redacted"] {
        let name = format!("contact-lens-voice-{kind}--admin-guide-2020.txt");
        let (records, dead) = named(&capture(&name), FILE);
        assert_eq!((records.len(), dead.len()), (0, 1), "{name}: {dead:?}");
        assert_eq!(dead[0].class, "not_json", "{name}");
        assert_eq!(dead[0].length, capture(&name).len() as u64, "{name}");
    }
}
