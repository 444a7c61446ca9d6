//! A simulation with its truth read back.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::LazyLock;

use callboard_datasets::simulate::{Dials, Disorder, FIRST_DAY, Manifest, Options, read_date, run};
use serde_json::Value;

pub fn options(out: &Path, seed: u64, contacts: u64, disorder: Disorder) -> Options {
    Options {
        seed,
        contacts,
        first_day: read_date(FIRST_DAY).unwrap(),
        days: None,
        skip_days: 0,
        handle_permille: 1_000,
        open_late: false,
        disorder,
        dials: Dials::default(),
        poison: disorder.poison() * 5,
        skew: if disorder == Disorder::None { 0 } else { 3_000 },
        platform: None,
        out: out.to_owned(),
        threads: 2,
    }
}

pub fn simulate(options: &Options) -> Manifest {
    run(options, None, &mut |_| ()).unwrap()
}

/// A simulation with its truth read back.
pub struct World {
    pub manifest: Manifest,
    pub truth: HashMap<&'static str, Vec<Value>>,
    /// The list of events that were told with two wordings.
    pub conflicts: Vec<Value>,
    /// Lines without their ends, those that say something.
    pub lines: Vec<Vec<u8>>,
    /// Blank lines, and lines that end in CR LF.
    pub blank: u64,
    pub crlf: u64,
}

pub fn world(seed: u64, contacts: u64, disorder: Disorder) -> World {
    world_of(seed, contacts, disorder, |_| ())
}

/// One with other options beside.
pub fn world_of(seed: u64, contacts: u64, disorder: Disorder, set: impl Fn(&mut Options)) -> World {
    let dir = tempfile::tempdir().unwrap();
    let mut options = options(dir.path(), seed, contacts, disorder);
    set(&mut options);
    let manifest = simulate(&options);
    let mut truth = HashMap::new();
    for table in callboard_datasets::simulate::TABLES {
        let mut files: Vec<_> = manifest
            .files
            .iter()
            .filter(|f| {
                f.path.starts_with(&format!("truth/{}/", table.name))
                    || f.path == format!("truth/{}.ndjson", table.name)
            })
            .collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let mut text = String::new();
        for file in files {
            let own = std::fs::read_to_string(dir.path().join(&file.path)).unwrap();
            for row in own.lines().filter(|_| table.time.is_some()) {
                let row: Value = serde_json::from_str(row).unwrap();
                let day = row[table.time.unwrap()].as_str().unwrap()[..10].to_owned();
                assert!(
                    file.path.ends_with(&format!("/{day}.ndjson")),
                    "{} {row}",
                    file.path
                );
            }
            text += &own;
        }
        let rows: Vec<Value> = text
            .lines()
            .map(|l| serde_json::from_str(l).unwrap())
            .collect();
        for row in &rows {
            let columns: BTreeSet<&str> = row
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect();
            assert_eq!(
                columns,
                table.columns.iter().copied().collect(),
                "{}",
                table.name
            );
        }
        truth.insert(table.name, rows);
    }
    let (mut lines, mut conflicts) = (Vec::new(), Vec::new());
    let (mut blank, mut crlf) = (0, 0);
    for file in &manifest.files {
        let bytes = std::fs::read(dir.path().join(&file.path)).unwrap();
        assert_eq!(
            blake3::hash(&bytes).to_hex().to_string(),
            file.blake3,
            "{}",
            file.path
        );
        if file.path == "truth/conflicts.ndjson" {
            let all = bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty());
            conflicts.extend(all.map(|l| serde_json::from_slice::<Value>(l).unwrap()));
        }
        if file.path.starts_with("events/") {
            let before = lines.len();
            let whole = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
            for line in whole.split(|b| *b == b'\n') {
                let line = match line.strip_suffix(b"\r") {
                    _ if line.trim_ascii().is_empty() => {
                        blank += 1;
                        continue;
                    }
                    Some(line) => {
                        crlf += 1;
                        line
                    }
                    None => line,
                };
                lines.push(line.to_vec());
            }
            assert_eq!((lines.len() - before) as u64, file.lines);
        }
    }
    World {
        manifest,
        truth,
        conflicts,
        lines,
        blank,
        crlf,
    }
}

const ALL: [(u64, Disorder); 3] = [
    (11, Disorder::None),
    (12, Disorder::Mild),
    (13, Disorder::Wild),
];

/// Made once for all tests.
static WORLDS: LazyLock<Vec<World>> = LazyLock::new(|| {
    let made = ALL
        .iter()
        .map(|(seed, disorder)| world(*seed, 3_000, *disorder));
    made.collect()
});

pub fn each(look: impl Fn(&World)) {
    WORLDS.iter().for_each(look);
}

pub fn text<'a>(row: &'a Value, column: &str) -> &'a str {
    row[column].as_str().unwrap_or("")
}

pub fn ms(row: &Value, column: &str) -> Option<i64> {
    row[column].as_str().map(|t| {
        chrono::DateTime::parse_from_rfc3339(t)
            .unwrap()
            .timestamp_millis()
    })
}

pub fn lasted(row: &Value) -> Option<i64> {
    Some(ms(row, "ended_at")? - ms(row, "started_at")?)
}
