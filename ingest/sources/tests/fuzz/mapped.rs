//! Mappings that come with callboard, fuzzed from the samples of their tests: items found, expressions
//! run, events made and read again. The steps, outputs and bytes of an item are bounded as they are
//! in the process that runs mappings; that process also bounds memory and time, and what would end it
//! there for its time is told here.

use std::time::Duration;

use callboard_sources::adapter::Declared;
use callboard_sources::lines::NewLine;
use callboard_sources::mapping::{Format, Mapping, SHIPPED};
use callboard_sources::payload;

use super::corpus::{Capture, capture};

/// The longest that the server waits for an item, after which it ends the process.
const FOR_AN_ITEM: Duration = Duration::from_secs(10);

/// What is said of an expression that could not be run to any end.
const BROKEN: &str = "the expression cannot be evaluated";

thread_local! {
    // A compiled program belongs to its thread.
    static READ: Vec<Mapping> = SHIPPED
        .iter()
        .map(|(name, text)| Mapping::parse(text).unwrap_or_else(|f| panic!("{name}: {f:?}")))
        .collect();
}

/// The samples of all mappings.
pub fn captures() -> Vec<Capture> {
    READ.with(|all| {
        let samples = all.iter().zip(SHIPPED).flat_map(|(mapping, (name, _))| {
            let table = mapping.file.format == Format::Csv;
            mapping.file.tests.iter().map(move |test| Capture {
                mapping: name,
                ..capture(test.sample.as_bytes(), table)
            })
        });
        samples.collect()
    })
}

/// What the mapping that is named makes of bytes, as its process would say it; without a name the
/// first.
pub fn lines(bytes: &[u8], declared: &Declared) -> Vec<NewLine> {
    READ.with(|all| {
        let named = all.iter().find(|m| m.file.name == declared.name);
        let mapping = named.unwrap_or(&all[0]);
        let found = mapping.items(bytes, declared).into_iter();
        found
            .flat_map(|item| of_item(mapping, item, declared))
            .collect()
    })
}

/// CPU time of this thread: others may have the machine meanwhile.
fn spent() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|n| n.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}

type Found = Result<Vec<u8>, (&'static str, String, Vec<u8>)>;

fn of_item(mapping: &Mapping, item: Found, declared: &Declared) -> Vec<NewLine> {
    match item {
        Ok(item) => {
            let begun = spent();
            let made = mapping.records(&item, declared);
            let took = spent().saturating_sub(begun);
            assert!(took < FOR_AN_ITEM, "an item of {}: {took:?}", item.len());
            for line in &made {
                // So a panic inside the language is told, which would harm no other item.
                let broken = matches!(line, NewLine::Dead(d) if d.reason.contains(BROKEN));
                assert!(!broken, "{line:?}");
            }
            made
        }
        Err((class, reason, bytes)) => vec![payload::dead("/mapping", class, reason, &bytes)],
    }
}
