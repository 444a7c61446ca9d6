//! A mapping proposed from an export's columns can be used as it stands.

use super::declared;
use callboard_sources::mapping::{Mapping, Report, guess, try_out};

fn tried(csv: &str) -> (String, Report) {
    let text = guess("mine", csv.as_bytes()).unwrap();
    let mapping = Mapping::parse(&text).unwrap_or_else(|f| panic!("{f:#?}\n{text}"));
    let report = try_out(&mapping, csv.as_bytes(), &declared());
    assert_eq!(report.errors, [], "{text}");
    (text, report)
}

/// Kind, start, end and outcome of each part, and start and end of each contact.
fn told(report: &Report) -> Vec<String> {
    let all = report.events.iter().map(|(item, event)| {
        let field = |name: &str| event["data"][name].as_str().unwrap_or("-").to_owned();
        let time = |name: &str| field(name).trim_start_matches("2026-03-").to_owned();
        let kind = match event["data"]["kind"].as_str() {
            Some(kind) => format!("{kind} {}", field("outcome")),
            None => field("contact_id"),
        };
        format!("{item} {kind} {} {}", time("start"), time("end"))
    });
    all.collect()
}

#[test]
fn columns_are_known_by_their_synonyms_in_several_spellings() {
    let (text, report) = tried(
        "Interaction ID,Start Date Time,Answered At,End Time,Skill Name,User,ANI,DNIS,Call Type,Disposition,Hold,ACW\n\
         i1,25/03/2026 09:00:00,25/03/2026 09:00:10,25/03/2026 09:01:00,Sales,Ana,+49301,+49309,Inbound,Done,5,0:07\n\
         i2,25/03/2026 09:02:00,,25/03/2026 09:02:30,Sales,,+49302,+49309,Inbound,Abandoned,,\n\
         i3,25/03/2026 09:03:00,25/03/2026 09:03:05,25/03/2026 09:03:50,Sales,Ben,+49309,+49303,Outbound,Done,,\n",
    );
    assert!(text.contains("at(\"%d/%m/%Y %H:%M:%S\")"), "{text}");
    assert_eq!(
        told(&report),
        [
            "1 north-i1 25T09:00:00Z 25T09:01:00Z",
            "1 queue answered 25T09:00:00Z 25T09:00:10Z",
            "1 talk completed 25T09:00:10Z 25T09:01:00Z",
            "1 wrapup completed 25T09:01:00Z 25T09:01:07Z",
            "2 north-i2 25T09:02:00Z 25T09:02:30Z",
            "2 queue abandoned 25T09:02:00Z 25T09:02:30Z",
            "3 north-i3 25T09:03:00Z 25T09:03:50Z",
            "3 talk completed 25T09:03:05Z 25T09:03:50Z",
        ]
    );
    assert_eq!(report.events[6].1["data"]["customer"], "+49303");
    assert_eq!(report.events[2].1["data"]["hold_ms"], 5_000);
}

#[test]
fn separators_and_doubtful_dates_are_found() {
    let (text, report) = tried(
        "\u{feff}Anrufer\tTimestamp\tGroup\tTalk Time\tDuration\n+49301\t02/03/2026 09:00\tSales\t00:01:00\t00:01:30\n",
    );
    assert!(text.contains("csv.separator = \"\\t\""), "{text}");
    assert!(text.contains("look which it is"), "{text}");
    assert!(
        text.contains("no column is known to be the call's id"),
        "{text}"
    );
    assert_eq!(report.events.len(), 3);
}

#[test]
fn names_of_columns_cannot_break_out_of_the_proposal() {
    let (_, report) = tried(
        "Call ID,Start,\"Queue ''' \"\" \\ # |\nname\",Queue\n1,2026-03-02 09:00:00,x,Sales\n",
    );
    assert_eq!(report.events.len(), 2);
    assert!(guess("mine", b"").unwrap_err().contains("no rows"));
    assert!(
        guess("mine", b"a,b\n1,2\n")
            .unwrap_err()
            .contains("Start Time")
    );
    // Bytes that are no text at all.
    let mut noise: Vec<u8> = (0..=255).cycle().take(4_096).collect();
    let _ = guess("mine", &noise);
    noise.splice(0..0, *b"Start,Queue\n");
    let _ = guess("mine", &noise).map(|text| Mapping::parse(&text).unwrap());
}
