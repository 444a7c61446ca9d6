//! One customer on four systems: a bot's chat, a call queue of Teams, Amazon Connect and an expert
//! outside. What each system sends, by HTTP; the files that say who is who; SQL and pages.

use std::path::PathBuf;

use crate::support::centre::Centre;
use crate::support::{shift, until};

const SENT: [(&str, &str, &str); 5] = [
    ("acs", "web", "acs.ndjson"),
    ("teams", "contoso", "teams-queue.json"),
    ("teams", "contoso", "teams-agents.json"),
    ("teams", "contoso", "teams-direct-routing.json"),
    ("amazon-connect", "eu", "amazon-connect.json"),
];

const BOT: &str = "web-call:JourneyOfRosaAAAAAAAAA";

fn made() -> PathBuf {
    shift().join("journey")
}

/// A document as its platform sends it, on the day of the test.
fn document(name: &str) -> String {
    let text = std::fs::read_to_string(made().join(name)).unwrap();
    text.replace("2026-11-21", "2026-03-02")
}

fn post(centre: &Centre, platform: &str, instance: &str, name: &str, text: &str) {
    let url = format!("/v1/sources/{platform}?instance={instance}&name={name}");
    let body = text.as_bytes().to_vec();
    let (status, answer) = centre.server().post(&url, "text/plain", body).unwrap();
    assert_eq!(status, 200, "{name}: {answer}");
    assert_eq!(answer["refused"], 0, "{name}: {answer}");
}

/// Puts a file into the folder of identities as an editor does: whole.
fn give(centre: &Centre, name: &str, text: &str) {
    let folder = centre.folder().join("identity");
    std::fs::create_dir_all(&folder).unwrap();
    let beside = folder.join(format!("{name}.new"));
    std::fs::write(&beside, text).unwrap();
    std::fs::rename(beside, folder.join(name)).unwrap();
}

const STEPS: &str = "select seq, split_part(contact_id, '-', 1) as contact, relation, strength, joined \
     from journey_steps where journey_id = 'web-call:JourneyOfRosaAAAAAAAAA' order by seq nulls last";

/// Whether the page shows all of this, in this order.
fn shows(page: &str, all: &[&str]) {
    let mut rest = page;
    for one in all {
        let at = rest.find(one);
        let at = at.unwrap_or_else(|| panic!("{one:?} is not there, or not in its place:\n{page}"));
        rest = &rest[at + one.len()..];
    }
}

#[test]
fn a_journey_over_four_systems_is_one_row_and_one_page() {
    let mut centre = Centre::new();
    for (platform, instance, name) in SENT {
        post(&centre, platform, instance, name, &document(name));
    }
    // Each system tells of a contact of its own, and nothing joins them yet.
    let journeys = "select contacts, platforms from journeys order by started_at";
    assert_eq!(
        centre.rows(journeys),
        ["1 [\"acs\"]", "1 [\"teams\"]", "1 [\"amazon-connect\"]"]
    );
    let agents = "select agent, queue from contacts where agent is not null order by 1";
    assert_eq!(
        centre.rows(agents),
        ["a-9 q-lines", "nina@contoso.example support"]
    );

    // The files say who is who, and they hold without a restart.
    for name in ["numbers.csv", "agents.csv", "queues.csv", "customers.csv"] {
        let text = std::fs::read_to_string(made().join(name)).unwrap();
        give(&centre, name, &text);
    }
    let whole = "3 [\"acs\",\"teams\",\"amazon-connect\"]";
    until("the hand-overs", || {
        (centre.rows(journeys) == [whole]).then_some(())
    });
    let steps = [
        "1 web start null true",
        "2 contoso handover strong true",
        "3 eu handover strong true",
        "4 null outside stated true",
    ];
    let named = [
        "Min Kim Lines (Amazon Connect) Berlin Fixed network",
        "Nina Berg Support (Teams) Berlin Fixed network",
    ];
    let who = "select agent, queue, site, line_of_business from contacts where agent is not null order by 1";
    until("the names", || (centre.rows(who) == named).then_some(()));
    for _ in 0..2 {
        assert_eq!(centre.rows(STEPS), steps);
        let talk = "select agent, sum(ms) as ms from agent_time where state = 'talk' group by agent order by 1";
        assert_eq!(centre.rows(talk), ["Min Kim 120000", "Nina Berg 144000"]);
        let page = "/journeys?from=2026-03-02&to=2026-03-02";
        let (status, text) = centre.server().get(page);
        assert_eq!(status, 200, "{text}");
        shows(
            &text,
            &[
                "1</strong> journey,",
                BOT,
                "acs \u{2192} teams \u{2192} amazon-connect",
            ],
        );
        // Any contact leads to the journey.
        let last = centre.rows("select contact_id from contacts where source like '/amazon%'");
        for id in [BOT, last[0].as_str()] {
            let (status, text) = centre
                .server()
                .get(&format!("/journeys/{}", id.replace(':', "%3A")));
            assert_eq!(status, 200, "{text}");
            shows(
                &text,
                &[
                    "Rosa Martin",
                    "<strong>acs</strong>",
                    "bot",
                    "Helper bot",
                    "Handed over by a number",
                    "strong",
                    "transferred to +4930555100 at 2026-03-02T09:41:31Z",
                    "<strong>teams</strong>",
                    "Support (Teams)",
                    "Nina Berg",
                    "transferred to +4930555200 at 2026-03-02T09:44:25Z",
                    "<strong>amazon-connect</strong>",
                    "Lines (Amazon Connect)",
                    "Min Kim",
                    "outside: <strong>+498999001</strong>",
                    "Led outside",
                    "transferred to +498999001 at 2026-03-02T09:46:51Z",
                    "<strong>outside</strong>",
                    "+498999001",
                ],
            );
        }
        let (status, text) = centre
            .server()
            .get("/reports/journeys?from=2026-03-02&to=2026-03-02");
        assert_eq!(status, 200, "{text}");
        shows(&text, &["acs &gt; teams &gt; amazon-connect", BOT]);
        centre.restart();
    }
}

#[test]
fn a_join_can_be_undone_a_lost_one_is_shown_and_a_broken_file_changes_nothing() {
    let centre = Centre::new();
    for (platform, instance, name) in SENT {
        post(&centre, platform, instance, name, &document(name));
    }
    // The same call once more an hour later, transferred to a number where nobody comes.
    let again = document("teams-direct-routing.json").replace("T09:", "T10:");
    let mut other: serde_json::Value = serde_json::from_str(&again).unwrap();
    for (n, leg) in other["value"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .enumerate()
    {
        leg["id"] = format!("5c6c7b1e-0000-4000-8000-0000000001{n:02}").into();
        leg["correlationId"] = "5c6c7b1e-0000-4000-8000-00000000000a".into();
    }
    post(
        &centre,
        "teams",
        "contoso",
        "teams-direct-routing.json",
        &other.to_string(),
    );
    let numbers = std::fs::read_to_string(made().join("numbers.csv")).unwrap();
    give(&centre, "numbers.csv", &numbers);
    let lost = "select from_contact, evidence from journey_steps where strength = 'lost'";
    let told = until("the lost hand-over", || {
        Some(centre.rows(lost)).filter(|r| !r.is_empty())
    });
    assert_eq!(told.len(), 1);
    let id = "contoso-5c6c7b1e-0000-4000-8000-00000000000a";
    assert!(
        told[0].starts_with(id) && told[0].contains("no contact of amazon-connect began"),
        "{told:?}"
    );
    let (_, text) = centre.server().get(&format!("/journeys/{id}"));
    shows(
        &text,
        &[
            "1 hand-over lost",
            "no contact of amazon-connect began with that number within 90 s",
        ],
    );
    let (_, text) = centre
        .server()
        .get("/journeys?from=2026-03-02&to=2026-03-02&handover=lost");
    shows(&text, &["1</strong> journey,", id, "1 lost"]);

    // The migration report counts it, and leads to its evidence and its contact. The call itself came
    // by a number of the pool, and nobody sent it.
    let page = "/reports/migration?from=2026-03-02&to=2026-03-02";
    let (status, text) = centre.server().get(page);
    assert_eq!(status, 200, "{text}");
    shows(
        &text,
        &["Nobody came", ">1</a>", "Nobody sent", ">1</a>", id],
    );
    let list = "/drill?report=migration&measure=lost&from=2026-03-02&to=2026-03-02";
    let (_, text) = centre.server().get(list);
    shows(
        &text,
        &[
            "data-n=\"1\"",
            &format!("href=\"/contacts/{id}\""),
            "no contact of amazon-connect began",
        ],
    );

    // A person takes Amazon Connect's contact out.
    let contacts = "select contact_id from contacts where started_at < '2026-03-02T10:00:00Z' order by started_at";
    let contacts = centre.rows(contacts);
    let apart = format!(
        "contact_a,contact_b,verdict,who,when,why\n{},{},apart,kim,2026-03-03,another caller\n",
        contacts[2], contacts[1]
    );
    give(&centre, "joins.csv", &apart);
    let undone = [
        "1 web start null true",
        "2 contoso handover strong true",
        "null eu handover strong false",
    ];
    until("the verdict", || {
        (centre.rows(STEPS) == undone).then_some(())
    });
    let (_, text) = centre
        .server()
        .get(&format!("/journeys/{}", BOT.replace(':', "%3A")));
    shows(
        &text,
        &[
            "taken apart by hand",
            "kim on 2026-03-03 said: apart, because another caller",
        ],
    );

    // A file that cannot be read says so, and what was in force still is.
    give(
        &centre,
        "joins.csv",
        "contact_a,contact_b,verdict,who\na,b,perhaps,kim\n",
    );
    until("the fault", || {
        let (_, text) = centre.server().get("/status");
        text.contains("joins.csv line 2: verdict").then_some(())
    });
    assert_eq!(centre.rows(STEPS), undone);
}
