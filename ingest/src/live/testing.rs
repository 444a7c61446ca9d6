//! What the tests of connections share: an intake with a clock that runs, and the recorded shift as
//! the manager sent it.

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use serde_json::{Deserializer, Value};
use tokio_util::sync::CancellationToken;

use super::Given;
use crate::doors::intake::{Candidate, Intake, Unavailable, Verdict};
use crate::doors::limits::Limits;
use crate::doors::mapping::Mappings;
use crate::doors::testing::MemoryIntake;

/// The memory, by the machine's clock.
struct Clocked(Arc<MemoryIntake>);

#[async_trait]
impl Intake for Clocked {
    async fn submit(&self, batch: Vec<Candidate>) -> Result<Vec<Verdict>, Unavailable> {
        self.0.submit(batch).await
    }

    fn now(&self) -> i64 {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        i64::try_from(since.unwrap().as_micros()).unwrap()
    }

    fn ended(&self, sources: &[String]) {
        self.0.ended(sources);
    }
}

/// What a connection is given; and where its records are seen.
pub fn given(dir: &Path) -> (Given, Arc<MemoryIntake>) {
    let memory = MemoryIntake::new();
    let given = Given {
        intake: Arc::new(Clocked(memory.clone())),
        limits: Limits::default(),
        // There is no such program here, and no test needs one.
        mappings: Mappings::new("callboard".into(), None),
        state: dir.to_owned(),
        links: super::link::Links::default(),
        stop: CancellationToken::new(),
    };
    (given, memory)
}

/// Waits until something is so.
pub async fn until(what: &str, mut so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "{what} did not come"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Lines of the recorded shift's manager events.
pub fn shift() -> Vec<String> {
    let packed = std::fs::File::open("../datasets/shift-asterisk/ami.jsonl.gz").unwrap();
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(packed)
        .read_to_string(&mut text)
        .unwrap();
    text.lines().map(str::to_owned).collect()
}

/// The block that a recorded line was.
pub fn block(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line.trim().strip_prefix('{').unwrap();
    while !rest.is_empty() && rest != "}" {
        let mut names = Deserializer::from_str(rest).into_iter::<String>();
        let name = names.next().unwrap().unwrap();
        rest = rest[names.byte_offset()..].trim_start_matches([':', ' ']);
        let mut values = Deserializer::from_str(rest).into_iter::<Value>();
        let value = values.next().unwrap().unwrap();
        rest = rest[values.byte_offset()..].trim_start_matches([',', ' ']);
        if name != "recv" {
            for one in value.as_array().unwrap_or(&vec![value.clone()]) {
                out += &format!("{name}: {}\r\n", one.as_str().unwrap());
            }
        }
    }
    out + "\r\n"
}
