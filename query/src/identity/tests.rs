use chrono_tz::Tz;

use super::*;

fn parse(files: &[(&str, &str)]) -> Result<Identity, Vec<String>> {
    let settings = Settings {
        zone: Tz::Europe__Berlin,
        window: 30_000_000,
    };
    let files: Vec<_> = files.iter().map(|(n, t)| (*n, (*t).to_owned())).collect();
    Identity::parse(&files, settings)
}

fn faults(file: &str, text: &str) -> Vec<String> {
    parse(&[(file, text)]).unwrap_err()
}

const AGENTS: &str = "\
# Who is who
id,platform,instance,native,valid_from,valid_to,team
Ann Lee,asterisk,pbx1,1001,,2026-03-01,Gold
Bo Ray,asterisk,pbx1,1001,2026-03-01,,
Ann Lee,teams,main,ann@example.com,,,Gold
Ann Lee,amazon-connect,eu,arn:aws:agent/a-1,,,Gold
";

#[test]
fn a_name_is_somebody_for_a_time() {
    let found = parse(&[("agents.csv", AGENTS)]).unwrap();
    assert_eq!(found.counts(), [("agents.csv", 4)]);
    let agents = found.names(Entity::Agent);
    // Midnight in Berlin is an hour before that of UTC.
    let change = 1_772_319_600_000_000;
    let of = |id: &str, native: &str, at: i64| {
        let name = agents.of_contact(id, native, at);
        name.map(|n| n.id.as_str())
    };
    assert_eq!(of("pbx1-17.3", "1001", change - 1), Some("Ann Lee"));
    assert_eq!(of("pbx1-17.3", "1001", change), Some("Bo Ray"));
    // Another instance's 1001 is somebody else.
    assert_eq!(of("pbx2-17.3", "1001", change), None);
    assert_eq!(of("main-x", "ann@example.com", change), Some("Ann Lee"));
    let source = agents.of_source("/amazon-connect/eu", "arn:aws:agent/a-1", 0);
    assert_eq!(source.unwrap().team.as_deref(), Some("Gold"));
    assert!(
        agents
            .of_source("/amazon-connect/us", "arn:aws:agent/a-1", 0)
            .is_none()
    );
}

#[test]
fn two_words_of_one_time_are_an_error_that_names_both() {
    let text = "id,platform,instance,native,valid_from,valid_to\n\
                Ann,asterisk,pbx1,1001,,2026-03-02\n\
                Bo,asterisk,pbx1,1001,2026-03-01,\n\
                Cy,teams,pbx1,1001,2027-01-01,\n";
    let told = faults("agents.csv", text);
    assert!(
        told[0].starts_with("agents.csv line 3:")
            && told[0].contains("\"Bo\"")
            && told[0].contains("\"Ann\" on line 2")
            && told[0].contains("valid_to"),
        "{told:?}"
    );
    // Contacts' ids name the instance alone.
    assert!(
        told[1].starts_with("agents.csv line 4:") && told[1].contains("cannot be told apart"),
        "{told:?}"
    );
    let numbers = "number,purpose,valid_to\n+49 30 100,handover,2026-03-02\n004930100,handover,\n";
    let told = faults("numbers.csv", numbers);
    assert!(
        told[0].starts_with("numbers.csv line 3:") && told[0].contains("line 2"),
        "{told:?}"
    );
    let joins = "contact_a,contact_b,verdict,who\na,b,apart,kim\nb,a,together,lee\n";
    let told = faults("joins.csv", joins);
    assert!(
        told[0].starts_with("joins.csv line 3:") && told[0].contains("line 2"),
        "{told:?}"
    );
}

#[test]
fn what_is_wrong_is_said_with_file_and_line() {
    let head = "id,platform,instance,native\n";
    for (file, text, line, what) in [
        (
            "agents.csv",
            "id;platform;native\nA;teams;x\n".to_owned(),
            1,
            "\"instance\" is missing",
        ),
        (
            "queues.csv",
            "id,platform,instance,native,colour\n".to_owned(),
            1,
            "\"colour\" is not known",
        ),
        (
            "queues.csv",
            format!("{head}Sales,teams,main\n"),
            2,
            "as many cells",
        ),
        (
            "queues.csv",
            format!("{head}Sales,teams,main,\n"),
            2,
            "\"native\" is empty",
        ),
        (
            "sites.csv",
            format!("{head}A,/teams,main,x\n"),
            2,
            "without slashes",
        ),
        (
            "sites.csv",
            format!("{head}A,teams,main,{}\n", "x".repeat(400)),
            2,
            "longer than",
        ),
        (
            "agents.csv",
            "id,platform,instance,native,valid_from\nA,teams,m,x,yesterday\n".to_owned(),
            2,
            "valid_from \"yesterday\" is no time",
        ),
        (
            "agents.csv",
            "id,platform,instance,native,valid_from,valid_to\nA,teams,m,x,2026-02-01,2026-01-01\n"
                .to_owned(),
            2,
            "not after",
        ),
        (
            "numbers.csv",
            "number,purpose\nsales,handover\n".to_owned(),
            2,
            "is no number",
        ),
        (
            "joins.csv",
            "contact_a,contact_b,verdict,who\na,b,maybe,kim\n".to_owned(),
            2,
            "neither",
        ),
        (
            "joins.csv",
            "contact_a,contact_b,verdict,who\na,a,apart,kim\n".to_owned(),
            2,
            "the same",
        ),
    ] {
        let told = faults(file, &text);
        let begin = format!("{file} line {line}: ");
        assert!(
            told.iter()
                .any(|t| t.starts_with(&begin) && t.contains(what)),
            "{file} {text}: {told:?}"
        );
    }
    // A file that is not there, or empty, says nothing of anybody.
    assert!(parse(&[("agents.csv", "")]).unwrap().counts().is_empty());
    let nowhere = std::path::Path::new("/no/such/folder");
    let settings = Settings {
        zone: Tz::UTC,
        window: 1,
    };
    assert!(
        Identity::read(nowhere, settings)
            .unwrap()
            .counts()
            .is_empty()
    );
}

#[test]
fn numbers_are_compared_by_their_digits() {
    for text in [
        "+49 30 123-456",
        "004930123456",
        "tel:+4930123456",
        "sip:+4930123456@example.com;user=phone",
        "4:+4930123456",
    ] {
        assert_eq!(number_key(text).as_deref(), Some("4930123456"), "{text}");
    }
    for text in ["", "12", "sales", "ann@example.com", "sip:ann@example.com"] {
        assert_eq!(number_key(text), None, "{text}");
    }
}
