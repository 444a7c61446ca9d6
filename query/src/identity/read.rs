//! Reads the folder's files; every error says the file, the line, and what to do.

use std::collections::HashMap;
use std::path::Path;

use chrono_tz::Tz;

use super::sheet::Sheet;
use super::{Identity, Name, Names, Number, Verdict, number_key};

/// The files that are read; all may be missing.
pub const FILES: [&str; 7] = [
    "agents.csv",
    "queues.csv",
    "sites.csv",
    "lines.csv",
    "customers.csv",
    "numbers.csv",
    "joins.csv",
];

/// Largest file, bytes.
const LARGEST: u64 = 16 << 20;

/// What the configuration says beside the files.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Zone in which days of `valid_from` and `valid_to` begin.
    pub zone: Tz,
    /// How long after a transfer its contact may begin on the other side, microseconds.
    pub window: i64,
}

impl Identity {
    /// Reads the folder; one that is not there says nothing of anybody.
    ///
    /// # Errors
    /// One sentence for each fault: file, line, what is wrong and what to do.
    pub fn read(folder: &Path, settings: Settings) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let mut file = |name: &str| match text(folder, name) {
            Ok(text) => text,
            Err(fault) => {
                faults.push(fault);
                String::new()
            }
        };
        let texts: Vec<(&str, String)> = FILES.iter().map(|n| (*n, file(n))).collect();
        match Identity::parse(&texts, settings) {
            Ok(found) if faults.is_empty() => Ok(found),
            Ok(_) => Err(faults),
            Err(more) => {
                faults.extend(more);
                Err(faults)
            }
        }
    }

    /// Reads these files' texts, by the files' names.
    ///
    /// # Errors
    /// As [`Identity::read`].
    pub fn parse(files: &[(&str, String)], settings: Settings) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let mut found = Identity {
            window: settings.window,
            ..Identity::default()
        };
        for (file, text) in files {
            let mut sheet = Sheet::new(file, text, settings.zone);
            match *file {
                "numbers.csv" => found.numbers = numbers(&mut sheet),
                "joins.csv" => found.verdicts = verdicts(&mut sheet),
                "agents.csv" => found.agents = names(&mut sheet),
                "queues.csv" => found.queues = names(&mut sheet),
                "sites.csv" => found.sites = names(&mut sheet),
                "lines.csv" => found.lines = names(&mut sheet),
                "customers.csv" => found.customers = names(&mut sheet),
                other => sheet.fault(0, &format!("{other} is no file of names")),
            }
            faults.append(&mut sheet.faults);
        }
        if faults.is_empty() {
            Ok(found)
        } else {
            Err(faults)
        }
    }
}

fn text(folder: &Path, name: &str) -> Result<String, String> {
    let path = folder.join(name);
    let wrong = |e: std::io::Error| format!("{}: {e}", path.display());
    let size = match std::fs::metadata(&path) {
        Ok(meta) => meta.len(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(String::new()),
        Err(e) => return Err(wrong(e)),
    };
    if size > LARGEST {
        return Err(format!(
            "{}: larger than {LARGEST} bytes; leave out what nobody asks for any more",
            path.display()
        ));
    }
    let bytes = std::fs::read(&path).map_err(wrong)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| format!("{}: not UTF-8; save it as \"CSV UTF-8\"", path.display()))?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
}

fn names(sheet: &mut Sheet<'_>) -> Names {
    let known = [
        "id",
        "platform",
        "instance",
        "native",
        "valid_from",
        "valid_to",
        "site",
        "line",
        "team",
    ];
    let lines = sheet.lines(&known, &["id", "platform", "instance", "native"]);
    let mut all: Vec<Name> = Vec::with_capacity(lines.len());
    for line in lines {
        let Some((from, to)) = sheet.period(&line) else {
            continue;
        };
        let word = |c: &str| line.owned(c).unwrap_or_default();
        let (platform, instance) = (word("platform"), word("instance"));
        if platform.contains('/') || instance.contains('/') {
            sheet.fault(
                line.number,
                "platform and instance are the two words of contacts.source, without slashes",
            );
            continue;
        }
        all.push(Name {
            id: word("id"),
            platform,
            instance,
            native: word("native"),
            from,
            to,
            site: line.owned("site"),
            line: line.owned("line"),
            team: line.owned("team"),
            at_line: line.number,
        });
    }
    conflicts(sheet, &mut all);
    Names::new(all)
}

/// Two rows that say what one name is at the same time.
fn conflicts(sheet: &mut Sheet<'_>, all: &mut [Name]) {
    all.sort_by(|a, b| {
        let key = |n: &Name| (n.instance.clone(), n.native.clone(), n.from);
        key(a).cmp(&key(b))
    });
    for (n, one) in all.iter().enumerate() {
        let same = |o: &&Name| o.instance == one.instance && o.native == one.native;
        for other in all[n + 1..].iter().take_while(same) {
            if other.from >= one.to {
                continue;
            }
            if other.platform == one.platform {
                sheet.fault(
                    other.at_line,
                    &format!(
                        "\"{}\" of {} is \"{}\" here and \"{}\" on line {} at the same time; end \
                         the one with valid_to where the other begins with valid_from",
                        one.native,
                        one.source(),
                        other.id,
                        one.id,
                        one.at_line
                    ),
                );
            } else if other.id != one.id {
                sheet.fault(
                    other.at_line,
                    &format!(
                        "\"{}\" of {} (\"{}\") and of {} (\"{}\", line {}) cannot be told apart, \
                         because both instances bear one name; give the sources different instances",
                        one.native, other.source(), other.id, one.source(), one.id, one.at_line
                    ),
                );
            }
        }
    }
}

fn numbers(sheet: &mut Sheet<'_>) -> Vec<Number> {
    let known = [
        "number",
        "purpose",
        "from_platform",
        "from_queue",
        "to_platform",
        "to_queue",
        "valid_from",
        "valid_to",
    ];
    let lines = sheet.lines(&known, &["number", "purpose"]);
    let mut all: Vec<Number> = Vec::new();
    for line in lines {
        let Some((from, to)) = sheet.period(&line) else {
            continue;
        };
        let number = line.owned("number").unwrap_or_default();
        let Some(key) = number_key(&number) else {
            sheet.fault(
                line.number,
                &format!("\"{number}\" is no number; write it as +49301234567"),
            );
            continue;
        };
        let one = Number {
            key,
            number,
            purpose: line.owned("purpose").unwrap_or_default(),
            from_platform: line.owned("from_platform"),
            from_queue: line.owned("from_queue"),
            to_platform: line.owned("to_platform"),
            to_queue: line.owned("to_queue"),
            from,
            to,
            at_line: line.number,
        };
        let twice = all
            .iter()
            .find(|n| n.key == one.key && n.from < one.to && one.from < n.to);
        if let Some(other) = twice {
            let at = other.at_line;
            sheet.fault(
                one.at_line,
                &format!(
                    "{} stands on line {at} for the same time; end the one with valid_to where \
                     the other begins with valid_from",
                    one.number
                ),
            );
            continue;
        }
        all.push(one);
    }
    all
}

fn verdicts(sheet: &mut Sheet<'_>) -> Vec<Verdict> {
    let known = ["contact_a", "contact_b", "verdict", "who", "when", "why"];
    let needed = ["contact_a", "contact_b", "verdict", "who"];
    let lines = sheet.lines(&known, &needed);
    let mut seen: HashMap<(String, String), u64> = HashMap::new();
    let mut all = Vec::new();
    for line in lines {
        let word = |c: &str| line.owned(c).unwrap_or_default();
        let together = match word("verdict").as_str() {
            "together" => true,
            "apart" => false,
            other => {
                sheet.fault(
                    line.number,
                    &format!("verdict \"{other}\" is neither together nor apart"),
                );
                continue;
            }
        };
        let (a, b) = (word("contact_a"), word("contact_b"));
        if a == b {
            sheet.fault(line.number, "contact_a and contact_b are the same contact");
            continue;
        }
        let pair = if a < b {
            (a.clone(), b.clone())
        } else {
            (b.clone(), a.clone())
        };
        if let Some(before) = seen.insert(pair, line.number) {
            sheet.fault(
                line.number,
                &format!("line {before} speaks of the same two contacts; keep one of them"),
            );
            continue;
        }
        all.push(Verdict {
            contact_a: a,
            contact_b: b,
            together,
            who: word("who"),
            when: word("when"),
            why: word("why"),
            at_line: line.number,
        });
    }
    all
}
