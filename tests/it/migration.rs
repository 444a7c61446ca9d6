//! One contact centre on two platforms, before and after a cut-over, each day told in its platform's
//! own format: once nothing differs and nothing is claimed, once talks last longer by a known
//! factor and that is found; and what a platform does not tell is said instead of a figure.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::callboard;
use crate::support::centre::Centre;

const CONTACTS: &str = "2400";
const DAYS: u16 = 28;
/// Mondays, so that both sides hold whole weeks.
const BEFORE: &str = "2026-01-05";
const UNTIL: &str = "2026-02-01";
const AFTER: &str = "2026-02-02";
const LAST: &str = "2026-03-01";
/// Talks and wrap-ups last so many times as long after the cut-over.
const FACTOR: f64 = 1.5;

/// Days of the contact centre as a platform tells them.
fn simulate(dir: &Path, name: &str, platform: &str, more: &[&str]) -> PathBuf {
    let out = dir.join(name);
    let days = DAYS.to_string();
    let mut args = vec![
        "simulate",
        "--seed",
        "5",
        "--contacts",
        CONTACTS,
        "--days",
        &days,
    ];
    args.extend(["--as", platform, "--out", out.to_str().unwrap()]);
    args.extend(more);
    callboard(&args);
    out
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|l| serde_json::from_str(l).unwrap());
    lines.collect()
}

/// Sends what a platform told, site by site.
fn send(centre: &Centre, told: &Path, platform: &str) {
    for site in ["site1", "site2"] {
        let mut files: Vec<PathBuf> = std::fs::read_dir(told.join("told").join(site))
            .unwrap()
            .map(|f| f.unwrap().path())
            .collect();
        files.sort();
        for file in files {
            // Amazon Connect names its instance itself.
            let instance = match platform {
                "amazon-connect" => String::new(),
                _ => format!("?instance={site}"),
            };
            let url = format!("/v1/sources/{platform}{instance}");
            let bytes = std::fs::read(&file).unwrap();
            let (status, answer) = centre.server().post(&url, "text/plain", bytes).unwrap();
            assert_eq!(status, 200, "{}: {answer}", file.display());
            assert_eq!(answer["refused"], 0, "{}: {answer}", file.display());
        }
    }
}

/// The files of identities: what each platform's names stand for, and the site of each queue.
fn identities(centre: &Centre, told: &[&Path]) {
    let mut files: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for folder in told {
        let mut block: Vec<Value> = Vec::new();
        for name in lines(&folder.join("names.ndjson")) {
            if name["entity"] != "source" {
                block.push(name);
                continue;
            }
            // The names of a site's day end with its source.
            let source = name["native"].as_str().unwrap();
            let mut parts = source.split('/').skip(1);
            let (platform, instance) = (parts.next().unwrap(), parts.next().unwrap());
            let site = name["id"].as_str().unwrap().rsplit('/').next().unwrap();
            for one in block.drain(..) {
                let file = match one["entity"].as_str().unwrap() {
                    "agent" => "agents.csv",
                    "queue" => "queues.csv",
                    _ => continue,
                };
                let (id, native) = (one["id"].as_str().unwrap(), one["native"].as_str().unwrap());
                let line = format!("\"{id}\",{platform},{instance},\"{native}\",{site}");
                files.entry(file).or_default().insert(line);
            }
        }
    }
    let folder = centre.folder().join("identity");
    std::fs::create_dir_all(&folder).unwrap();
    for (file, lines) in files {
        let lines: Vec<String> = lines.into_iter().collect();
        let text = format!("id,platform,instance,native,site\n{}\n", lines.join("\n"));
        let beside = folder.join(format!("{file}.new"));
        std::fs::write(&beside, text).unwrap();
        std::fs::rename(beside, folder.join(file)).unwrap();
    }
}

/// A line of the comparison.
#[derive(Debug, Clone)]
struct Said {
    group: String,
    metric: String,
    a: Option<f64>,
    b: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    verdict: String,
    why: String,
}

fn address(a: &str, b: &str, group: &str) -> String {
    format!(
        "/reports/migration?from={BEFORE}&to={LAST}&a_to={UNTIL}&b_from={AFTER}&tz=UTC&a={a}&b={b}&group={group}"
    )
}

fn compared(centre: &Centre, a: &str, b: &str, group: &str) -> Vec<Said> {
    let url = format!("{}&format=csv&visual=1", address(a, b, group));
    let (status, text) = centre.server().get(&url);
    assert_eq!(status, 200, "{text}");
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    let heads: Vec<&str> = lines.next().unwrap().split(',').collect();
    let line = |line: &str| {
        let cells: Vec<&str> = line.splitn(heads.len(), ',').collect();
        let of = |name: &str| {
            let at = heads.iter().position(|h| *h == name).unwrap();
            cells[at].to_owned()
        };
        let number = |name: &str| of(name).parse().ok();
        Said {
            group: of("group"),
            metric: of("metric"),
            a: number("a"),
            b: number("b"),
            low: number("low"),
            high: number("high"),
            verdict: of("verdict"),
            why: of("why"),
        }
    };
    lines.map(line).collect()
}

/// Mean handle time in the truth: talks that came of a queue, and wrap-ups.
fn handled(told: &Path) -> f64 {
    let folder = told.join("truth/segments");
    let files = std::fs::read_dir(folder).unwrap();
    let (mut lasted, mut talks) = (0.0, 0.0);
    for row in files.flat_map(|f| lines(&f.unwrap().path())) {
        let kind = row["kind"].as_str().unwrap();
        if row["queue"].is_null() || !["talk", "wrapup"].contains(&kind) {
            continue;
        }
        let at = |column: &str| {
            let text = row[column].as_str().unwrap();
            chrono::DateTime::parse_from_rfc3339(text)
                .unwrap()
                .timestamp_millis() as f64
        };
        lasted += at("ended_at") - at("started_at");
        talks += f64::from(u8::from(kind == "talk"));
    }
    lasted / talks
}

fn find<'a>(all: &'a [Said], group: &str, metric: &str) -> &'a Said {
    let found = all.iter().find(|s| s.group == group && s.metric == metric);
    found.unwrap_or_else(|| panic!("{group} {metric}: {all:#?}"))
}

/// A centre to which one platform told the days before the cut-over and another those after it, with
/// the first's folder. Who works on two platforms on one day would have no time of either.
fn moved(dir: &Path, from: &str, to: &str) -> (Centre, PathBuf) {
    let skip = DAYS.to_string();
    let before = simulate(dir, from, from, &["--first-day", BEFORE]);
    let after = simulate(dir, to, to, &["--first-day", AFTER, "--skip-days", &skip]);
    let centre = Centre::new();
    identities(&centre, &[&before, &after]);
    send(&centre, &before, from);
    send(&centre, &after, to);
    (centre, before)
}

#[test]
fn where_nothing_differs_nothing_is_claimed_and_what_is_not_told_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let (centre, _) = moved(dir.path(), "asterisk", "freeswitch");
    // These two lose the same of a day: nothing at all is claimed.
    let all = compared(&centre, "asterisk", "freeswitch", "site");
    assert_eq!(all.len(), 3 * 9, "{all:#?}");
    let claimed: Vec<&Said> = all.iter().filter(|s| s.verdict == "differs").collect();
    assert!(claimed.is_empty(), "{claimed:#?}");
    // A single interval may lie off zero; these do not.
    for metric in ["offered", "answered", "service_level", "talk", "occupancy"] {
        let one = find(&all, "", metric);
        assert_eq!(one.verdict, "no difference shown", "{one:?}");
        assert!(one.low.unwrap() < 0.0 && one.high.unwrap() > 0.0, "{one:?}");
    }
    // Neither tells of wrap-up.
    let handle = find(&all, "", "handle_time");
    assert_eq!(
        (handle.verdict.as_str(), handle.a),
        ("cannot be compared", None)
    );
    assert!(
        handle.why.contains("asterisk does not tell of wrap-up"),
        "{handle:?}"
    );

    // The page shows the same; an address that is wrong says so; one platform alone is no comparison.
    let (status, page) = centre
        .server()
        .get(&address("asterisk", "freeswitch", "site"));
    assert_eq!(status, 200, "{page}");
    assert!(!page.contains("This part is missing") && !page.contains("data-verdict=\"differs\""));
    let told = "data-metric=\"talk\" data-group=\"site2\" data-verdict=\"no difference shown\"";
    assert!(page.contains(told), "{page}");
    let (status, page) = centre.server().get("/reports/migration?group=town");
    assert_eq!(status, 400);
    assert!(
        page.contains("choose one of whole, site, line, team, stage"),
        "{page}"
    );
    let itself =
        "/reports/migration?from=2026-02-09&to=2026-02-15&tz=UTC&a=freeswitch&b=freeswitch";
    let (_, page) = centre.server().get(itself);
    assert!(
        page.contains("A platform is not compared with itself."),
        "{page}"
    );
    let (_, page) = centre
        .server()
        .get("/reports/migration?from=2025-02-09&to=2025-02-15");
    assert!(page.contains("Nothing falls into this choice."), "{page}");
}

#[test]
fn what_a_format_forces_is_all_that_is_claimed() {
    let dir = tempfile::tempdir().unwrap();
    let (centre, before) = moved(dir.path(), "genesys", "amazon-connect");
    // Amazon Connect tells who leaves a message as one who gave up (docs/platforms/amazon-connect.md),
    // which is all that may be claimed.
    let all = compared(&centre, "genesys", "amazon-connect", "site");
    let claimed: Vec<&Said> = all
        .iter()
        .filter(|s| s.verdict == "differs" && s.metric != "abandon_rate")
        .collect();
    assert!(claimed.is_empty(), "{claimed:#?}");
    // Both sides are near the truth, which one world made.
    let truth = handled(&before);
    let handle = find(&all, "", "handle_time");
    assert_eq!(handle.verdict, "no difference shown", "{handle:?}");
    for side in [handle.a, handle.b] {
        assert!(
            (side.unwrap() / truth - 1.0).abs() < 0.1,
            "{truth} {handle:?}"
        );
    }
}

#[test]
fn a_known_difference_is_found_and_its_interval_covers_it() {
    let dir = tempfile::tempdir().unwrap();
    let (skip, factor) = (DAYS.to_string(), FACTOR.to_string());
    let before = simulate(dir.path(), "before", "genesys", &["--first-day", BEFORE]);
    let mut after = vec!["--first-day", AFTER, "--skip-days", &skip];
    // The same days without the change: what the difference is worth in this world.
    let same = simulate(dir.path(), "same", "amazon-connect", &after);
    after.extend(["--handle-time-factor", &factor]);
    let longer = simulate(dir.path(), "longer", "amazon-connect", &after);
    let known = handled(&longer) - handled(&same);
    assert!(known > 0.4 * handled(&same), "{known}");

    let centre = Centre::new();
    identities(&centre, &[&before, &longer]);
    send(&centre, &before, "genesys");
    send(&centre, &longer, "amazon-connect");
    let all = compared(&centre, "genesys", "amazon-connect", "site");
    for group in ["", "site1", "site2"] {
        let found = find(&all, group, "handle_time");
        assert_eq!(found.verdict, "differs", "{all:#?}");
        let (low, high) = (found.low.unwrap(), found.high.unwrap());
        assert!(
            low > 0.0 && low <= known && known <= high,
            "{known} {found:?}"
        );
        assert_ne!(find(&all, group, "offered").verdict, "differs");
    }
    // The other way round it is shorter.
    let turned = "/reports/migration?format=csv&visual=1&tz=UTC&a=amazon-connect&b=genesys";
    let (status, text) = centre
        .server()
        .get(&format!("{turned}&from={BEFORE}&to={LAST}"));
    assert_eq!(status, 200, "{text}");
    let line = text
        .lines()
        .find(|l| l.starts_with(",handle_time,"))
        .unwrap();
    assert!(line.contains(",-") && line.contains(",differs,"), "{line}");

    // A figure leads to the rows that it is made of.
    let (_, page) = centre
        .server()
        .get(&address("genesys", "amazon-connect", "site"));
    let at = page.find("measure=handled").unwrap();
    let start = page[..at].rfind("href=\"").unwrap() + 6;
    let end = start + page[start..].find('"').unwrap();
    let href = page[start..end].replace("&amp;", "&");
    assert!(
        href.contains("x.platform=genesys") && href.contains("to=2026-02-01"),
        "{href}"
    );
    let (status, list) = centre.server().get(&href);
    assert_eq!(status, 200, "{list}");
    let rows = centre.rows("select count(*) from queue_stays where talk_count > 0 and entered_at < '2026-02-02T00:00:00Z'");
    assert!(
        list.contains(&format!("data-n=\"{}\"", rows[0])),
        "{rows:?}"
    );
}
