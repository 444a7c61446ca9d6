//! `callboard map try|list|show|guess|run`.

mod run;

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;

use callboard_sources::adapter::Declared;
use callboard_sources::mapping::{self, MOST_BYTES, Mapping, Report, Trouble};
use serde_json::{Value, json};

use super::{Failure, print};
use crate::cli::{GuessArgs, MapCommand, TryArgs};

/// Most bytes of a sample.
const MOST_SAMPLE: u64 = 64 * 1024 * 1024;

/// Errors that are printed one by one.
const MOST_TOLD: usize = 50;

/// Does it.
///
/// # Errors
/// Exit code 1 when a mapping cannot be used, an item cannot be read, or a sample has none.
pub fn run(command: MapCommand) -> Result<(), Failure> {
    match command {
        MapCommand::Run => run::run(),
        MapCommand::List { json } => list(json),
        MapCommand::Show { name } => match mapping::shipped(&name) {
            Some(text) => print(text),
            None => Err(unknown(&name)),
        },
        MapCommand::Guess(args) => run::bounded(move || guess(&args)),
        MapCommand::Try(args) => run::bounded(move || try_out(&args)),
    }
}

fn unknown(name: &str) -> Failure {
    Failure::usage(format!(
        "no mapping \"{name}\" comes with callboard; callboard map list lists them"
    ))
}

fn list(as_json: bool) -> Result<(), Failure> {
    let all = mapping::all().map_err(Failure::failed)?;
    let mut out = String::new();
    if as_json {
        let all: Vec<Value> = all
            .iter()
            .map(|m| {
                json!({
                    "name": m.file.name, "title": m.file.title, "platform": m.file.platform,
                    "version": m.file.version, "sure": m.file.sure.as_str(),
                    "knowledge": m.file.knowledge, "cannot": m.file.cannot,
                })
            })
            .collect();
        let _ = writeln!(out, "{}", Value::from(all));
        return print(&out);
    }
    for m in all {
        let (name, sure) = (&m.file.name, m.file.sure.as_str());
        let _ = writeln!(out, "mapping:{name:<14} {sure:<11} {}", m.file.title);
    }
    out.push_str("\ndocumented: the fields stand in the maker's public documents\npartly:     some do; the others are tried in several spellings\nguessed:    no public description was found; try it with your own export first\n");
    print(&out)
}

/// The bytes of a file, or of the standard input; at most so many.
fn bytes(path: &Path, most: u64) -> Result<Vec<u8>, Failure> {
    let shown = path.display();
    let mut out = Vec::new();
    let read = match path.as_os_str() == "-" {
        true => std::io::stdin().lock().take(most + 1).read_to_end(&mut out),
        false => std::fs::File::open(path).and_then(|f| f.take(most + 1).read_to_end(&mut out)),
    };
    read.map_err(|e| Failure::usage(format!("{shown}: {e}")))?;
    if out.len() as u64 > most {
        return Err(Failure::usage(format!(
            "{shown}: more than {most} bytes; give a smaller part of it"
        )));
    }
    Ok(out)
}

fn named(path: &Path) -> Result<Mapping, Failure> {
    let name = path.to_string_lossy();
    let text = match mapping::shipped(&name) {
        Some(text) if !path.exists() => text.to_owned(),
        _ if !path.exists() && !name.contains(['/', '.']) => return Err(unknown(&name)),
        _ => String::from_utf8(bytes(path, MOST_BYTES as u64)?)
            .map_err(|_| Failure::failed(format!("{name}: not UTF-8")))?,
    };
    Mapping::parse(&text).map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(|f| format!("{name}: {f}")).collect();
        Failure::failed(lines.join("\n"))
    })
}

fn try_out(args: &TryArgs) -> Result<(), Failure> {
    let mapping = named(&args.mapping)?;
    if !args.zone.is_empty() && args.zone.parse::<chrono_tz::Tz>().is_err() {
        let told = "is not known; write an IANA name such as Europe/Berlin";
        return Err(Failure::usage(format!("zone \"{}\" {told}", args.zone)));
    }
    let failed = mapping::check(&mapping);
    let tests = mapping.file.tests.len();
    let (report, given) = match &args.sample {
        None => (Report::default(), false),
        Some(sample) => {
            let declared = Declared {
                instance: args.instance.clone(),
                zone: args.zone.clone(),
                name: sample.display().to_string(),
            };
            let sent = bytes(sample, MOST_SAMPLE)?;
            let report = mapping::try_out(&mapping, &sent, &declared);
            (report, true)
        }
    };
    // Whoever tries a sample wants something to come of it, whatever the mapping may leave out.
    let nothing = given && report.items == 0;
    let bad = !failed.is_empty() || !report.errors.is_empty() || nothing;
    match args.json {
        true => print(&format!("{}\n", as_json(&report, tests, &failed)))?,
        false => print(&shown(&report, args.sample.is_some(), tests, &failed))?,
    }
    let what = match nothing {
        true => format!(
            "the sample has no item ({} left out by `items`)",
            report.left_out
        ),
        false => format!(
            "{} of {} items cannot be read",
            unread(&report),
            report.items
        ),
    };
    match bad {
        true => Err(Failure::failed(format!(
            "{what}, {} of the file's tests differ",
            failed.len()
        ))),
        false => Ok(()),
    }
}

/// How many items cannot be read.
fn unread(report: &Report) -> usize {
    report.errors.iter().filter(|e| e.item > 0).count()
}

fn as_json(report: &Report, tests: usize, failed: &[String]) -> Value {
    let events: Vec<Value> = report
        .events
        .iter()
        .map(|(item, event)| json!({"item": item, "event": event}))
        .collect();
    json!({
        "items": report.items, "silent": report.silent, "left_out": report.left_out,
        "events": events, "errors": report.errors, "unmapped": report.unmapped,
        "tests": {"run": tests, "failed": failed},
    })
}

fn shown(report: &Report, sampled: bool, tests: usize, failed: &[String]) -> String {
    let mut out = String::new();
    for (_, event) in &report.events {
        let _ = writeln!(out, "{event}");
    }
    for Trouble {
        item,
        class,
        reason,
    } in report.errors.iter().take(MOST_TOLD)
    {
        let place = match item {
            0 => "the sample".to_owned(),
            n => format!("item {n}"),
        };
        let _ = writeln!(out, "{place}: {class}: {reason}");
    }
    if report.errors.len() > MOST_TOLD {
        let _ = writeln!(out, "... and {} more", report.errors.len() - MOST_TOLD);
    }
    for told in failed {
        let _ = writeln!(out, "{told}");
    }
    if !report.unmapped.is_empty() {
        let _ = writeln!(out, "nothing reads: {}", report.unmapped.join("  "));
    }
    if sampled {
        let _ = writeln!(
            out,
            "{} items, {} events, {} items that tell nothing, {} that cannot be read, {} left out by `items`",
            report.items,
            report.events.len(),
            report.silent,
            unread(report),
            report.left_out
        );
    }
    let _ = writeln!(out, "{tests} tests in the file, {} differ", failed.len());
    out
}

fn guess(args: &GuessArgs) -> Result<(), Failure> {
    let name = match &args.name {
        Some(name) => name.clone(),
        None => args
            .file
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
            .unwrap_or_default(),
    };
    let plain: String = name
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(40)
        .collect();
    let plain = match plain.trim_matches('-') {
        "" => "export",
        plain => plain,
    };
    let text = mapping::guess(plain, &bytes(&args.file, MOST_SAMPLE)?)
        .map_err(|e| Failure::failed(format!("{}: {e}", args.file.display())))?;
    print(&text)
}
