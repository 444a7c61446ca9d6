//! Kafka topics into a real server from a real broker: whatever is killed, restarted or taken away,
//! every message is there once.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::mappings::sample;
use crate::readers::script;
use crate::support::broker::{Broker, Sent};
use crate::support::{Server, project, until};

mod listed;

use listed::{plain, source, sources_are_listed};

/// Partitions of the topic of events.
const PARTITIONS: i32 = 4;

fn event(id: &str) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "/test/kafka", "type": "callboard.segment.recorded",
        "time": "2026-03-02T09:00:09Z",
        "data": {
            "contact_id": id, "segment_id": "q", "kind": "queue", "queue": "sales",
            "start": "2026-03-02T09:00:00Z", "end": "2026-03-02T09:00:09Z", "outcome": "answered",
        },
    })
}

fn header(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// What was sent, and what must be found.
#[derive(Default)]
struct Story {
    events: i64,
    poison: i64,
}

impl Story {
    /// Messages of every mode, poison and tombstones between.
    fn wave(&mut self, n: usize) -> Vec<Sent> {
        let mut all = Vec::new();
        for i in 0..n {
            let id = format!("e{}", self.events);
            let mut sent = Sent::default();
            match i % 12 {
                // An event in binary mode: attributes in headers, only data in the value.
                0 | 5 => {
                    let event = event(&id);
                    for name in ["specversion", "id", "source", "type", "time"] {
                        let text = event[name].as_str().unwrap();
                        sent.headers.push(header(&format!("ce_{name}"), text));
                    }
                    sent.headers
                        .push(header("content-type", "application/json"));
                    sent.headers.push(header("trace", "t-1"));
                    sent.value = Some(event["data"].to_string());
                    self.events += 1;
                }
                3 => {
                    let batch = [event(&id), event(&format!("e{}", self.events + 1))];
                    let kind = "application/cloudevents-batch+json";
                    sent.headers.push(header("content-type", kind));
                    sent.value = Some(json!(batch).to_string());
                    self.events += 2;
                }
                7 => {
                    sent.value = Some(format!("poison {}", self.poison));
                    self.poison += 1;
                }
                // It can be read, and means nothing: refused behind the door.
                9 => {
                    let mut event = event(&format!("bad{}", self.poison));
                    event["time"] = json!("yesterday");
                    sent.value = Some(event.to_string());
                    self.poison += 1;
                }
                11 => {}
                _ => {
                    let kind = "application/cloudevents+json";
                    sent.headers.push(header("content-type", kind));
                    sent.value = Some(event(&id).to_string());
                    self.events += 1;
                }
            }
            all.push(sent);
        }
        all
    }

    /// Waits until all is there, then holds that it is there once.
    fn found(&self, server: &Server) {
        let events = "select count(*) from records where source = '/test/kafka'";
        let letters = "select count(*) from dead_letters where reason like '%offset calls/%'";
        until("every message", || {
            let found = (server.number(events), server.number(letters));
            (found.0 >= self.events && found.1 >= self.poison).then_some(())
        });
        assert_eq!(server.number(events), self.events, "records");
        assert_eq!(server.number(letters), self.poison, "dead letters");
        let rows =
            "select count(*) from (select distinct id from records where source = '/test/kafka')";
        assert_eq!(server.number(rows), self.events, "each once");
        let places = "select count(*) from (select distinct reason from dead_letters \
                      where reason like '%topic/partition/offset calls/_/%')";
        assert_eq!(
            server.number(places),
            self.poison,
            "each says where it was, and once"
        );
    }
}

/// A configuration on a broker.
fn configured(dir: &Path, broker: &Broker, more: &str) -> PathBuf {
    let path = dir.join("callboard.toml");
    let text = format!(
        "[transcribe]\nenabled = false\n[lake]\nflush = \"150ms\"\nsettle = \"300ms\"\n\
         [[source]]\nname = \"calls\"\ntopics = [\"calls\"]\nadapter = \"events\"\n\
         brokers = [\"{0}\"]\ngroup = \"callboard-calls\"\n{more}\n\
         settings.session.timeout.ms = 2000\nsettings.heartbeat.interval.ms = 500\n\
         [[source]]\ntopics = [\"jobs\"]\nadapter = \"acs\"\nbrokers = [\"{0}\"]\n\
         group = \"callboard-jobs\"\ninstance = \"t1\"\n\
         [source.settings]\n\"session.timeout.ms\" = 2000\nheartbeat.interval.ms = 500\n\
         [[source]]\nname = \"desk\"\ntopics = [\"desk\"]\nadapter = \"mapping:landis\"\n\
         brokers = [\"{0}\"]\ngroup = \"callboard-desk\"\ninstance = \"north\"\n\
         settings.session.timeout.ms = 2000\nsettings.heartbeat.interval.ms = 500\n",
        broker.address()
    );
    std::fs::write(&path, text).unwrap();
    path
}

fn serve(dir: &Path) -> Server {
    let config = dir.join("callboard.toml");
    let config = config.to_str().unwrap();
    Server::serve(&dir.join("data"), &["--config", config])
}

/// A counter or gauge of `/metrics`, added up over all lines that hold these words.
fn metric(server: &Server, name: &str, words: &[&str]) -> f64 {
    let (_, text) = server.get("/metrics");
    let lines = text.lines().filter(|l| l.starts_with(&format!("{name}{{")));
    let lines = lines.filter(|l| words.iter().all(|w| l.contains(w)));
    lines
        .filter_map(|l| l.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}

/// Nothing was read twice: a record that comes again would be known by its id, which hides it.
fn nothing_repeated(server: &Server) {
    let repeated = metric(server, "callboard_events_repeated_total", &["\"kafka\""]);
    assert_eq!(repeated, 0.0, "messages were read again");
}

#[test]
fn every_message_is_there_once_whatever_is_killed() {
    let mut broker = Broker::start();
    broker.topic("calls", PARTITIONS);
    broker.topic("jobs", 1);
    broker.topic("desk", 1);
    let dir = tempfile::tempdir().unwrap();
    configured(dir.path(), &broker, "");
    let mut story = Story::default();
    let jobs = project().join("ingest/sources/tests/captures/acs/made-job-router.json");
    let jobs = Sent {
        value: Some(std::fs::read_to_string(jobs).unwrap()),
        ..Sent::default()
    };
    broker.send("jobs", 1, &[jobs]);
    broker.send("desk", 1, &[plain(sample("landis"))]);

    // Killed at several moments: before it joined, while it reads, while it flushes.
    let (mut read, mut last) = (0, 0);
    for pause in [300, 900, 2_500, 3_100, 3_700, 4_300, 1_900] {
        broker.send("calls", PARTITIONS, &story.wave(400));
        let server = serve(dir.path());
        std::thread::sleep(Duration::from_millis(pause));
        nothing_repeated(&server);
        let before = server.number("select count(*) from records where source = '/test/kafka'");
        read += usize::from(before > last);
        last = before;
        server.kill();
    }
    assert!(read > 1, "too few kills at a moment that matters");

    // The broker goes and comes back while a server reads.
    let server = serve(dir.path());
    broker.send("calls", PARTITIONS, &story.wave(300));
    story.found(&server);
    broker.stop();
    let out = "/status";
    until("word of the broker's end", || {
        server
            .get(out)
            .1
            .contains("cannot be reached")
            .then_some(())
    });
    until("the same at its source", || {
        let problems = source(&server, "calls")["problems"].to_string();
        problems.contains("cannot be reached").then_some(())
    });
    broker.go();
    broker.send("calls", PARTITIONS, &story.wave(300));
    story.found(&server);
    nothing_repeated(&server);

    let jobs = "select count(*) from records where source not like '/test/%' and stamp like '%\"kafka\":\"jobs/0/0\"%'";
    assert!(server.number(jobs) > 3, "a platform's documents");
    let contact = "select count(*) from contacts where contact_id like '%job:job-1'";
    assert_eq!(server.number(contact), 1);
    let carried = "select count(*) from records where stamp like '%\"header.trace\":\"t-1\"%' and stamp like '%\"key\":\"k%'";
    assert!(server.number(carried) > 100, "headers and keys are kept");
    let read = metric(&server, "callboard_kafka_messages_total", &["\"calls\""]);
    assert!(read > 0.0);
    until("nothing left to read", || {
        (metric(&server, "callboard_kafka_lag", &["\"calls\""]) == 0.0).then_some(())
    });

    sources_are_listed(&server, &broker, story.poison);

    // The last message of each partition is a record, so that a flush of records marks its offset.
    let last: Vec<Sent> = (0..PARTITIONS)
        .map(|p| Sent {
            value: Some(event(&format!("last{p}")).to_string()),
            ..Sent::default()
        })
        .collect();
    story.events += i64::from(PARTITIONS);
    broker.send("calls", PARTITIONS, &last);
    story.found(&server);
    server.stop();
    let names: Vec<String> = (0..PARTITIONS)
        .map(|p| format!("kafka/calls/calls/{p}"))
        .collect();
    let table = dir.path().join("data/lake/records");
    let mut args = vec![table.to_str().unwrap()];
    args.extend(names.iter().map(String::as_str));
    let marks = script("marks.py", &args);
    for (partition, name) in (0..).zip(&names) {
        let (_, next) = broker.ends("calls", partition);
        assert_eq!(marks[name], json!(next - 1), "{marks}");
    }
    // What the lake alone tells is the same, and nothing comes again.
    let server = serve(dir.path());
    std::thread::sleep(Duration::from_secs(3));
    story.found(&server);
    nothing_repeated(&server);
}

#[test]
fn partitions_go_and_come_back_and_messages_that_are_gone_are_said() {
    let broker = Broker::start();
    broker.topic("calls", PARTITIONS);
    broker.topic("jobs", 1);
    broker.topic("desk", 1);
    let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    configured(ours.path(), &broker, "");
    configured(theirs.path(), &broker, "");
    let mut story = Story::default();
    let server = serve(ours.path());
    broker.send("calls", PARTITIONS, &story.wave(400));
    story.found(&server);

    // A second member with a folder of its own takes partitions, and gives them back: cleanly, and
    // by dying.
    for dies in [false, true] {
        let second = serve(theirs.path());
        broker.send("calls", PARTITIONS, &story.wave(400));
        until("partitions of the second member", || {
            let read = second.number("select count(*) from records where source = '/test/kafka'");
            (read > 0).then_some(())
        });
        broker.send("calls", PARTITIONS, &story.wave(400));
        nothing_repeated(&second);
        match dies {
            true => second.kill(),
            false => second.stop(),
        }
        broker.send("calls", PARTITIONS, &story.wave(200));
        story.found(&server);
        nothing_repeated(&server);
    }
    assert!(
        metric(&server, "callboard_kafka_rebalances_total", &["revoked"]) >= 2.0,
        "partitions went"
    );
    server.stop();

    // Messages are gone before they were read.
    let (_, next) = broker.ends("calls", 0);
    let lost = story.wave(80);
    broker.send("calls", 1, &lost);
    let (_, end) = broker.ends("calls", 0);
    broker.truncate("calls", 0, end);
    let server = serve(ours.path());
    let gone = format!("offsets {next} to {} are gone", end - 1);
    until("word of the gap", || {
        server.get("/status").1.contains(&gone).then_some(())
    });
    assert_eq!(
        metric(&server, "callboard_kafka_gaps_total", &["\"calls\""]),
        1.0
    );
    // Nothing behind the gap is read until somebody decides; other partitions go on.
    let before = server.number("select count(*) from records where source = '/test/kafka'");
    let more = Story {
        events: 1_000_000,
        ..Story::default()
    }
    .wave(5);
    broker.send("calls", PARTITIONS, &more[..4]);
    let seen =
        || server.number("select count(*) from records where source = '/test/kafka'") - before;
    until("the other partitions", || (seen() == 4).then_some(()));
    server.stop();

    configured(ours.path(), &broker, "on_gap = \"continue\"");
    let server = serve(ours.path());
    until("the rest", || {
        let records = "select count(*) from records where source = '/test/kafka'";
        (server.number(records) - before == 5).then_some(())
    });
    let letters = "select reason from dead_letters where class = 'gap'";
    let letters = server.sql(letters);
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert!(letters[0]["reason"].as_str().unwrap().contains(&gone));
    server.kill();
    let server = serve(ours.path());
    std::thread::sleep(Duration::from_secs(3));
    nothing_repeated(&server);
    assert_eq!(
        server.number("select count(*) from dead_letters where class = 'gap'"),
        1
    );
}
