//! A day that a platform tells, read back with its truth.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use callboard_datasets::simulate::{Dials, Disorder, FIRST_DAY, Options, Platform, read_date, run};
use serde_json::Value;

use crate::tables::NAMES;

/// Contacts that begin on the day.
const CONTACTS: u64 = 600;

/// What a platform writes or sends at once.
#[derive(Debug, Clone)]
pub struct Sheet {
    pub site: String,
    pub file: String,
    pub bytes: Vec<u8>,
}

/// The day.
pub struct Told {
    pub sheets: Vec<Sheet>,
    /// What an id stands for, by kind of thing.
    pub names: BTreeMap<String, BTreeMap<String, String>>,
    /// Rows by table.
    pub truth: BTreeMap<String, Vec<Value>>,
}

pub fn told(platform: &str) -> Told {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        seed: 9,
        contacts: CONTACTS,
        first_day: read_date(FIRST_DAY).unwrap(),
        days: None,
        skip_days: 0,
        handle_permille: 1_000,
        open_late: false,
        disorder: Disorder::None,
        dials: Dials::default(),
        poison: 0,
        skew: 0,
        platform: Some(Platform::of(platform).unwrap()),
        out: dir.path().to_owned(),
        threads: 1,
    };
    run(&options, None, &mut |_| ()).unwrap();
    let mut truth = BTreeMap::new();
    for table in NAMES {
        let folder = dir.path().join("truth").join(table);
        let rows = files(&folder).into_iter().flat_map(|f| lines(&f));
        truth.insert(
            table.to_owned(),
            rows.map(|l| serde_json::from_slice(&l).unwrap()).collect(),
        );
    }
    let mut names: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for line in lines(&dir.path().join("names.ndjson")) {
        let name: Value = serde_json::from_slice(&line).unwrap();
        let text = |field: &str| name[field].as_str().unwrap().to_owned();
        let of = names.entry(text("entity")).or_default();
        let before = of.insert(text("native"), text("id"));
        assert!(
            before.is_none_or(|b| b == text("id")),
            "two for one: {name}"
        );
    }
    let mut sheets = Vec::new();
    for site in files(&dir.path().join("told")) {
        for file in files(&site) {
            let name = |p: &Path| p.file_name().unwrap().to_str().unwrap().to_owned();
            let (site, name) = (name(&site), name(&file));
            let listed = [".ndjson", ".csv", ".log", "queue_log"]
                .iter()
                .any(|e| name.ends_with(e));
            let all = if listed {
                lines(&file)
            } else {
                vec![std::fs::read(&file).unwrap()]
            };
            sheets.extend(all.into_iter().map(|bytes| Sheet {
                site: site.clone(),
                file: name.clone(),
                bytes,
            }));
        }
    }
    assert!(!sheets.is_empty());
    Told {
        sheets,
        names,
        truth,
    }
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let list = std::fs::read_dir(folder).unwrap();
    let all: BTreeSet<_> = list.map(|e| e.unwrap().path()).collect();
    all.into_iter().collect()
}

fn lines(file: &Path) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(file).unwrap();
    let all = bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty());
    all.map(<[u8]>::to_vec).collect()
}

/// Numbers that are the same in every run.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    pub fn below(&mut self, n: usize) -> usize {
        // xorshift
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
}

/// The same things as they may arrive: in any order, one in ten twice, several at once.
pub fn disordered(sheets: &[Sheet]) -> Vec<Sheet> {
    let mut dice = Dice::new(0x9e37_79b9_7f4a_7c15);
    let mut all: Vec<Sheet> = sheets.to_vec();
    for sheet in sheets {
        if dice.below(10) == 0 {
            all.push(sheet.clone());
        }
    }
    for n in (1..all.len()).rev() {
        all.swap(n, dice.below(n + 1));
    }
    let mut batches: Vec<Sheet> = Vec::new();
    for sheet in all {
        match batches.last_mut() {
            Some(last)
                if last.site == sheet.site
                    && last.file == sheet.file
                    && sheet.file.ends_with(".ndjson")
                    && dice.below(3) > 0 =>
            {
                last.bytes.push(b'\n');
                last.bytes.extend(&sheet.bytes);
            }
            _ => batches.push(sheet),
        }
    }
    batches
}
