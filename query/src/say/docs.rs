//! The tables of the documentation, made from the same as everything else: `cargo test` fails where
//! a page says something else, and `CALLBOARD_WRITE_DOCS=1 cargo test -p callboard-query docs`
//! writes them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Platform, Said, Standing, table};

/// Every table by its page and its name there.
fn tables() -> BTreeMap<(String, String), String> {
    let mut all = BTreeMap::new();
    let mappings = || table().platforms.iter().filter(|p| is_mapping(p));
    for p in table().platforms.iter().filter(|p| !is_mapping(p)) {
        all.insert((p.page.clone(), p.name.clone()), of_platform(p));
    }
    let each: Vec<String> = mappings().map(of_mapping).collect();
    let page = "platforms/others.md".to_owned();
    all.insert((page, "mappings".to_owned()), each.join("\n"));
    let page = "platforms.md".to_owned();
    all.insert((page, "all".to_owned()), of_all());
    all
}

fn is_mapping(p: &Platform) -> bool {
    p.adapter.starts_with("mapping:")
}

fn feeds(p: &Platform) -> String {
    let mut out = "| feed | delay to expect | who says so |\n| --- | --- | --- |\n".to_owned();
    for f in &p.feeds {
        let formats: Vec<String> = f.formats.iter().map(|f| format!("`{f}`")).collect();
        out += &format!(
            "| {}: {} | {} | {} |\n",
            f.title,
            formats.join(", "),
            f.delay.words(),
            f.delay.source
        );
    }
    out
}

/// Lines of equal standing and reason as one.
fn grouped(said: &[Said], metrics: bool) -> String {
    let mut lines: Vec<(Standing, &str, Vec<&str>)> = Vec::new();
    for s in said.iter().filter(|s| s.metric == metrics) {
        let same = |l: &&mut (Standing, &str, Vec<&str>)| l.0 == s.standing && l.1 == s.reason;
        match lines.iter_mut().find(same) {
            Some(line) => line.2.push(s.title),
            None => lines.push((s.standing, &s.reason, vec![s.title])),
        }
    }
    lines.sort_by_key(|l| l.0);
    let mut out = String::new();
    for (standing, reason, titles) in lines {
        out += &format!(
            "| {} | {} | {reason} |\n",
            titles.join("; "),
            standing.word()
        );
    }
    out
}

fn of_platform(p: &'static Platform) -> String {
    let said = p.says(&p.every());
    let head = |what: &str| {
        format!("| {what} | | what tells it, or what is missing |\n| --- | --- | --- |\n")
    };
    format!(
        "{}\n{}{}\n{}{}",
        feeds(p),
        head("fact"),
        grouped(&said, false),
        head("metric"),
        grouped(&said, true)
    )
}

/// Shorter: one paragraph for each standing.
fn of_mapping(p: &'static Platform) -> String {
    let said = p.says(&p.every());
    let mut out = format!("### {} (`{}`)\n\n", p.title, p.adapter);
    for f in &p.feeds {
        out += &format!(
            "Delay to expect: {}; {}.\n",
            f.delay.words(),
            f.delay.source
        );
    }
    for standing in Standing::ALL {
        let mut by: Vec<(&str, Vec<&str>)> = Vec::new();
        for s in said.iter().filter(|s| !s.metric && s.standing == standing) {
            match by.iter_mut().find(|(reason, _)| *reason == s.reason) {
                Some((_, titles)) => titles.push(s.title),
                None => by.push((&s.reason, vec![s.title])),
            }
        }
        let each: Vec<String> = by
            .iter()
            .map(|(reason, titles)| format!("{} ({reason})", titles.join(", ")))
            .collect();
        if !each.is_empty() {
            out += &format!("\n- **{}**: {}", standing.word(), each.join("; "));
        }
    }
    out + "\n"
}

fn of_all() -> String {
    let shown = |p: &&Platform| !is_mapping(p) && p.name != "sheet";
    let own: Vec<&Platform> = table().platforms.iter().filter(shown).collect();
    let mapped: Vec<&Platform> = table().platforms.iter().filter(|p| is_mapping(p)).collect();
    let mut out = String::new();
    for (platforms, what, metrics) in [
        (&own, "metric", true),
        (&own, "fact", false),
        (&mapped, "fact, by mapping file", false),
    ] {
        let all: Vec<Vec<Said>> = platforms.iter().map(|p| p.says(&p.every())).collect();
        let titles: Vec<&str> = platforms.iter().map(|p| p.title.as_str()).collect();
        out += &format!("| {what} | {} |\n", titles.join(" | "));
        out += &format!("| --- |{}\n", " --- |".repeat(titles.len()));
        let rows = all.first().map(Vec::as_slice).unwrap_or_default();
        for (n, row) in rows.iter().enumerate().filter(|(_, s)| s.metric == metrics) {
            let cells = all.iter().map(|said| match said[n].standing {
                Standing::Exact => "exact",
                Standing::Estimated => "est.",
                Standing::Impossible => "\u{2013}",
            });
            let cells: Vec<&str> = cells.collect();
            out += &format!("| {} | {} |\n", row.title, cells.join(" | "));
        }
        out.push('\n');
    }
    out += "| platform | feed | delay to expect |\n| --- | --- | --- |\n";
    for p in &table().platforms {
        for f in &p.feeds {
            out += &format!("| {} | {} | {} |\n", p.title, f.title, f.delay.words());
        }
    }
    out
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// A page with its table of that name as it should be.
fn filled(page: &str, path: &str, name: &str, made: &str) -> String {
    let begin = format!("<!-- table: {name} -->\n");
    let end = "<!-- end of table -->";
    let (before, rest) = page
        .split_once(&begin)
        .unwrap_or_else(|| panic!("docs/{path} lacks {begin:?}"));
    let (_, after) = rest
        .split_once(end)
        .unwrap_or_else(|| panic!("docs/{path} lacks {end:?} after {begin:?}"));
    format!("{before}{begin}\n{made}\n{end}{after}")
}

#[test]
fn docs_say_what_the_table_says() {
    let write = std::env::var_os("CALLBOARD_WRITE_DOCS").is_some();
    let mut stale = Vec::new();
    for ((path, name), made) in tables() {
        let file = docs().join(&path);
        let page = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("docs/{path}: {e}"));
        let should = filled(&page, &path, &name, &made);
        if page == should {
            continue;
        }
        match write {
            true => std::fs::write(&file, should).unwrap(),
            false => stale.push(path),
        }
    }
    assert!(
        stale.is_empty(),
        "out of date: {stale:?}; CALLBOARD_WRITE_DOCS=1 cargo test -p callboard-query docs writes them"
    );
}

#[test]
fn every_page_of_a_platform_says_how_to_connect_it() {
    for p in &table().platforms {
        let page = std::fs::read_to_string(docs().join(&p.page)).unwrap();
        for part in ["onnect", "\n1. ", "callboard"] {
            assert!(page.contains(part), "{}: {part:?}", p.page);
        }
    }
}
