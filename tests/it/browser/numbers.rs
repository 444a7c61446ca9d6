//! Every number leads to its rows: each numeric link of each page is followed, and count and sum
//! of the list equal what the page shows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Instant;

use serde_json::json;

use super::html::{Tag, csv, tags};
use crate::support::{FEEDS, PATIENCE, Server, send_shift, shift, until};

/// Rows on one page of a list.
const PAGE: usize = 200;

/// The recorded shift, and calls of this very minute for the board, which shows today.
fn fed(dir: &tempfile::TempDir) -> Server {
    let config = dir.path().join("callboard.toml");
    let demo = std::fs::read_to_string(shift().join("demo.toml")).unwrap();
    std::fs::write(&config, format!("{demo}\n[transcribe]\nenabled = false\n")).unwrap();
    let server = Server::serve(
        &dir.path().join("data"),
        &["--config", config.to_str().unwrap()],
    );
    send_shift(&server, &FEEDS, dir.path());
    let now = chrono::Utc::now();
    let event = |n: usize, verb: &str, ago: i64, data: serde_json::Value| {
        let time = now - chrono::Duration::milliseconds(ago);
        json!({ "specversion": "1.0", "id": n.to_string(), "source": "/test/today",
                "type": format!("callboard.segment.{verb}"),
                "time": time.to_rfc3339_opts(chrono::SecondsFormat::Micros, true), "data": data })
    };
    let queue =
        |c: &str| json!({ "contact_id": c, "segment_id": "q", "kind": "queue", "queue": "sales" });
    let left = |c: &str, how: &str| json!({ "contact_id": c, "segment_id": "q", "outcome": how });
    let events = [
        event(1, "started", 900, queue("today-waits")),
        event(2, "started", 800, queue("today-leaves")),
        event(3, "ended", 300, left("today-leaves", "abandoned")),
        event(4, "started", 700, queue("today-talks")),
        event(5, "ended", 200, left("today-talks", "answered")),
        event(
            6,
            "started",
            200,
            json!({ "contact_id": "today-talks", "segment_id": "t", "kind": "talk",
                                         "queue": "sales", "agent": "Today", "parent": "q" }),
        ),
    ];
    let lines: Vec<String> = events.iter().map(ToString::to_string).collect();
    let body = lines.join("\n").into_bytes();
    let (status, answer) = server
        .post("/v1/events", "application/x-ndjson", body)
        .unwrap();
    assert_eq!(status, 200, "{answer}");
    let seen = "select count(*) from contacts where source = '/test/today'";
    until("the calls of today", || {
        (server.number(seen) == 3).then_some(())
    });
    server
}

struct Reader {
    client: reqwest::blocking::Client,
    url: String,
    begun: Instant,
    /// Whether the shift is of today, so that states that go on still grow.
    growing: bool,
}

impl Reader {
    fn get(&self, path: &str) -> String {
        let answer = self
            .client
            .get(format!("{}{path}", self.url))
            .send()
            .unwrap();
        let status = answer.status();
        let text = answer.text().unwrap();
        let seen = tags(&text, "<main")
            .first()
            .map_or("", |m| m.text.as_str())
            .to_owned();
        assert!(status.is_success(), "{path}: {status}: {seen}");
        text
    }

    /// Two figures are one; where states go on they may have grown meanwhile.
    fn same(&self, what: &str, shown: Option<f64>, found: Option<f64>, rows: f64, grows: bool) {
        let (a, b) = match (shown, found) {
            (None, None) => return,
            (Some(a), Some(b)) => (a, b),
            _ => panic!("{what}: {shown:?} is shown, {found:?} is found"),
        };
        let grown = self.begun.elapsed().as_millis() as f64 * rows.max(1.0);
        let close = (a - b).abs() <= 1e-6 * a.abs().max(1.0);
        let later = grows && self.growing && b >= a && b - a <= grown;
        assert!(close || later, "{what}: {a} is shown, {b} is found");
    }

    /// Follows one number of a report.
    fn follow(&self, link: &Tag) {
        let href = link.attr("href").unwrap();
        let what = format!("{href} ({})", link.text);
        let page = self.get(&href);
        let heads = tags(&page, "<div id=\"drill\"");
        let [head] = heads.as_slice() else {
            panic!("{what}: no list at\n{page}")
        };
        let n = link.number("data-n").unwrap();
        assert_eq!(Some(n), head.number("data-n"), "{what}: rows");
        let grows = ["report=agent-", "report=board"]
            .iter()
            .any(|r| href.contains(r));
        self.same(
            &what,
            link.number("data-sum"),
            head.number("data-sum"),
            n,
            grows,
        );
        // A quotient of what grows is looked at through its parts.
        if !(grows && self.growing) {
            self.same(
                &what,
                link.number("data-value"),
                head.number("data-value"),
                n,
                false,
            );
        }
        shows(&what, &link.text, link.number("data-value").unwrap());
        let rows = page.split_once("<tbody>").map_or("", |(_, rest)| rest);
        assert_eq!(
            rows.matches("<tr>").count(),
            PAGE.min(n as usize),
            "{what}: rows on the page"
        );
        if link.number("data-sum").is_some() {
            let code = tags(&page, "<code>")
                .first()
                .map(|c| c.text.clone())
                .unwrap_or_default();
            self.sum(&what, &href, &code, link, grows);
        } else {
            assert!(link.number("data-value").is_some(), "{what}");
        }
    }

    /// Adds up the whole list, from its CSV.
    fn sum(&self, what: &str, href: &str, meaning: &str, link: &Tag, grows: bool) {
        let lines = csv(&self.get(&format!("{href}&format=csv")));
        let (heads, rows) = lines.split_first().unwrap();
        let n = link.number("data-n").unwrap();
        assert_eq!(rows.len() as f64, n, "{what}: rows of the CSV");
        let cell = |row: &[String], column: &str| -> f64 {
            let at = heads.iter().position(|h| h == column);
            let at = at.unwrap_or_else(|| panic!("{what}: {meaning:?} needs {column}: {heads:?}"));
            row[at].parse().unwrap_or(0.0)
        };
        let share = meaning.starts_with("Share of");
        let of = match meaning.split_once(", weighted by ") {
            Some((_, of)) => of.trim_end_matches('.'),
            None if share => "",
            None => {
                let of = meaning.strip_prefix("Greatest ");
                let of = of.unwrap_or_else(|| meaning.split_once(" of ").unwrap().1);
                of.split(" over every ")
                    .next()
                    .unwrap()
                    .split(" by the sum")
                    .next()
                    .unwrap()
            }
        };
        let of = of.split(" of every ").next().unwrap();
        let weight = |row: &Vec<String>| -> f64 {
            if of.is_empty() {
                return 1.0;
            }
            of.split(" + ")
                .map(|term| {
                    cell(
                        row,
                        term.trim_start_matches("coalesce(")
                            .trim_end_matches(", 0)"),
                    )
                })
                .sum()
        };
        let counts = heads.iter().position(|h| h == "counts").unwrap();
        let sum = rows
            .iter()
            .filter(|r| r[counts] == "true")
            .map(weight)
            .sum::<f64>();
        self.same(
            &format!("{what}: sum"),
            link.number("data-sum"),
            Some(sum),
            n,
            grows,
        );
    }
}

/// The text that people read is the number.
fn shows(what: &str, text: &str, value: f64) {
    let digits = |t: &str| {
        t.replace(',', "")
            .replace('\u{2212}', "-")
            .trim()
            .parse::<f64>()
            .unwrap()
    };
    let (read, step) = if let Some(share) = text.strip_suffix('%') {
        (digits(share.trim_end_matches('\u{202f}')), value * 100.0)
    } else if text.contains(':') {
        let parts = text.split(':').map(digits);
        (
            parts.fold(0.0, |sum, part| sum * 60.0 + part),
            value / 1000.0,
        )
    } else {
        (digits(text), value)
    };
    assert!(
        (read - step).abs() <= 0.5 + 1e-9,
        "{what}: the text says {read}, the number is {step}"
    );
}

/// Does something with everything, two at a time (a page asks two queries at once, and four may
/// run); tells every trouble at the end.
fn each<T: Sync>(all: &[T], act: impl Fn(&T) + Sync) {
    let next = Mutex::new(all.iter());
    let troubles: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let work = || loop {
        let one = next.lock().unwrap().next();
        let Some(one) = one else { break };
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| act(one)));
        if let Err(why) = done {
            let why = why.downcast_ref::<String>().map_or("", String::as_str);
            troubles
                .lock()
                .unwrap()
                .push(why.chars().take(600).collect());
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    let troubles = troubles.into_inner().unwrap();
    assert!(
        troubles.is_empty(),
        "{} of {} numbers lead elsewhere:\n{}",
        troubles.len(),
        all.len(),
        troubles.join("\n")
    );
}

#[test]
fn every_number_leads_to_its_rows() {
    let dir = tempfile::tempdir().unwrap();
    let server = fed(&dir);
    let first =
        server.sql("select min(started_at) as at from contacts where source <> '/test/today'");
    let day = first[0]["at"].as_str().unwrap()[..10].to_owned();
    let reader = Reader {
        client: reqwest::blocking::Client::builder()
            .timeout(PATIENCE)
            .build()
            .unwrap(),
        url: server.url.clone(),
        begun: Instant::now(),
        growing: day == chrono::Utc::now().date_naive().to_string(),
    };
    let index = reader.get("/reports");
    let mut pages: Vec<String> = tags(&index, "<a href=\"/reports/")
        .iter()
        .map(|link| format!("{}?from={day}&to={day}", link.attr("href").unwrap()))
        .collect();
    assert!(pages.len() >= 5, "reports: {pages:?}");
    pages.push("/".to_owned());
    let mut links: BTreeSet<Tag> = BTreeSet::new();
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for page in &pages {
        let html = reader.get(page);
        assert!(
            !html.contains("This part is missing"),
            "{page} lacks a part:\n{html}"
        );
        let numbers: Vec<Tag> = tags(&html, "<a class=\"n")
            .into_iter()
            .filter(|t| t.attr("href").is_some_and(|h| h.starts_with("/drill?")))
            .collect();
        let some = numbers
            .iter()
            .filter(|t| t.number("data-n") > Some(0.0))
            .count();
        // One system alone hands nothing over to another.
        let least = if ["journeys", "migration"]
            .iter()
            .any(|name| page.contains(&format!("/reports/{name}?")))
        {
            0
        } else {
            5
        };
        assert!(
            some >= least,
            "{page} shows {some} numbers that are not zero"
        );
        found.insert(page.clone(), numbers.len());
        links.extend(numbers);
    }
    let links: Vec<Tag> = links.into_iter().collect();
    each(&links, |link| reader.follow(link));
    println!("{} different numbers followed, of {found:?}", links.len());
}

#[test]
fn every_number_of_the_ledger_leads_to_its_contacts() {
    let dir = tempfile::tempdir().unwrap();
    let server = fed(&dir);
    let reader = Reader {
        client: reqwest::blocking::Client::builder()
            .timeout(PATIENCE)
            .build()
            .unwrap(),
        url: server.url.clone(),
        begun: Instant::now(),
        growing: false,
    };
    let day =
        server.sql("select min(started_at) as at from contacts where source <> '/test/today'");
    let day = day[0]["at"].as_str().unwrap()[..10].to_owned();
    let page = reader.get(&format!("/coverage?from={day}&to={day}"));
    let numbers = tags(&page, "<a class=\"n");
    let some = numbers
        .iter()
        .filter(|t| t.number("data-value") > Some(0.0))
        .count();
    assert!(some >= 6, "the ledger shows {some} numbers:\n{page}");
    each(&numbers, |link| {
        let href = link.attr("href").unwrap();
        let list = reader.get(&href);
        let count = tags(&list, "<p class=\"count\"")
            .first()
            .and_then(|p| p.number("data-count"));
        let shown = link.number("data-value").unwrap();
        assert_eq!(shown, count.unwrap_or(0.0), "{href}");
        if count.is_none() {
            assert!(
                list.contains("Nothing falls into this choice"),
                "{href}:\n{list}"
            );
        }
    });
}
