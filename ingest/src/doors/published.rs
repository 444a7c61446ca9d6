//! The conformance files of the CloudEvents project, for tests: scenarios of the HTTP and the Kafka
//! binding, and events of which every mode can be made. `published/README.md` says whence they are.

use std::collections::BTreeMap;

use base64::Engine as _;
use serde_json::Value;

/// Scenarios of the HTTP binding.
pub const HTTP: &str = include_str!("published/http-protocol-binding--conformance.txt");
/// Scenarios of the Kafka binding.
pub const KAFKA: &str = include_str!("published/kafka-protocol-binding--conformance.txt");
/// Events in the JSON format.
pub const STRUCTURED: [&str; 3] = [
    include_str!("published/structured-event-0--sdk-javascript.json"),
    include_str!("published/structured-event-1--sdk-javascript.json"),
    include_str!("published/structured-event-2--sdk-javascript.json"),
];
/// Events as YAML.
const EVENTS: [&str; 2] = [
    include_str!("published/v1--conformance.yaml"),
    include_str!("published/v1_minimum--conformance.yaml"),
];

/// Attributes by name.
pub type Attributes = BTreeMap<String, String>;

/// A scenario: what is given, and what must come of it.
#[derive(Debug)]
pub struct Scenario {
    /// Its name, with the example's value.
    pub name: String,
    /// The request, or the payload.
    pub given: String,
    /// Headers of a Kafka message.
    pub headers: Vec<(String, String)>,
    /// The attributes that it must have, and no others.
    pub attributes: Attributes,
    /// Its data.
    pub data: Value,
}

/// Scenarios, each once for each of its examples.
pub fn scenarios(feature: &str) -> Vec<Scenario> {
    let mut parts: Vec<Vec<&str>> = Vec::new();
    for line in feature.lines() {
        if line.trim_start().starts_with("Scenario") {
            parts.push(Vec::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push(line);
        }
    }
    parts.iter().flat_map(|part| examples(part)).collect()
}

fn examples(part: &[&str]) -> Vec<Scenario> {
    let rows = table(part, "Examples:");
    let text = part.join("\n");
    let texts = match rows.is_empty() {
        true => vec![text],
        false => rows
            .iter()
            .map(|row| text.replace("<contentType>", &row[0]))
            .collect(),
    };
    texts.iter().map(|text| scenario(text)).collect()
}

fn scenario(text: &str) -> Scenario {
    let lines: Vec<&str> = text.lines().collect();
    let [given, data] = <[String; 2]>::try_from(quoted(&lines)).unwrap();
    let pairs = |after| {
        let rows = table(&lines, after).into_iter();
        rows.map(|row| <(String, String)>::from(<[String; 2]>::try_from(row).unwrap()))
            .collect::<Vec<_>>()
    };
    Scenario {
        name: lines[0].trim().to_owned(),
        given,
        headers: pairs("headers:"),
        attributes: pairs("attributes are:").into_iter().collect(),
        data: serde_json::from_str(&data).unwrap(),
    }
}

/// Rows of the table behind the line that ends so, without its head.
fn table(lines: &[&str], after: &str) -> Vec<Vec<String>> {
    let Some(at) = lines.iter().position(|l| l.ends_with(after)) else {
        return Vec::new();
    };
    let rows = lines[at + 1..].iter().map(|l| l.trim());
    let cells = |row: &str| {
        let cells = row.trim_matches('|').split('|');
        cells.map(|c| c.trim().to_owned()).collect()
    };
    rows.take_while(|l| l.starts_with('|'))
        .skip(1)
        .map(cells)
        .collect()
}

/// What stands between `"""`, without the indentation of the marks.
fn quoted(lines: &[&str]) -> Vec<String> {
    let (mut out, mut open): (_, Option<(usize, Vec<&str>)>) = (Vec::new(), None);
    for line in lines {
        if line.trim() == "\"\"\"" {
            match open.take() {
                Some((_, held)) => out.push(held.join("\n")),
                None => open = Some((line.len() - line.trim_start().len(), Vec::new())),
            }
        } else if let Some((indent, held)) = &mut open {
            held.push(line.get(*indent..).unwrap_or_default());
        }
    }
    out
}

/// An event of which every mode can be made.
#[derive(Debug, Default)]
pub struct Event {
    /// Its attributes, extensions among them.
    pub attributes: Attributes,
    /// What a transport carries beside it, which is no attribute.
    pub beside: Attributes,
    /// Its data as written.
    pub data: String,
}

impl Event {
    /// Its data as they stand in the JSON format.
    pub fn json(&self) -> Value {
        let media = self.attributes.get("datacontenttype");
        match media.is_none_or(|m| m.starts_with("application/json")) {
            true => serde_json::from_str(&self.data).unwrap(),
            false => self.data.as_str().into(),
        }
    }

    /// It in the JSON format.
    pub fn structured(&self) -> String {
        let mut event: serde_json::Map<String, Value> = self
            .attributes
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().into()))
            .collect();
        event.insert("data".to_owned(), self.json());
        Value::Object(event).to_string()
    }
}

/// The events that stand in YAML: names and values by their indentation, texts of several lines.
pub fn events() -> Vec<Event> {
    let all = EVENTS.iter().flat_map(|file| file.split("\n---\n"));
    all.map(event).collect()
}

fn event(text: &str) -> Event {
    let mut event = Event::default();
    let mut under = "";
    let mut lines = text.lines().filter(|l| !l.starts_with('#')).peekable();
    while let Some(line) = lines.next() {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let (name, mut value) = (name.trim_end(), value.trim().trim_matches('"').to_owned());
        let depth = |l: &str| l.len() - l.trim_start().len();
        if value == "|" {
            let within = lines.peek().map_or(0, |l| depth(l));
            value.clear();
            while let Some(more) = lines.next_if(|l| depth(l) >= within) {
                value.push_str(&more[within..]);
                value.push('\n');
            }
        }
        match (depth(name), name.trim()) {
            (0, "Data") => event.data = value,
            (0, name) => under = name,
            (_, "Extensions") => {}
            (_, name) if under == "TransportExtensions" => {
                event.beside.insert(name.to_owned(), value);
            }
            (_, name) => {
                event.attributes.insert(name.to_owned(), value);
            }
        }
    }
    event
}

/// What a record of ours says: its attributes, and its data whatever way they are written.
pub fn told(record: &[u8]) -> (Attributes, Value) {
    let event: Value = serde_json::from_slice(record).unwrap();
    let (mut attributes, mut data) = (Attributes::new(), Value::Null);
    for (name, value) in event.as_object().unwrap() {
        match name.as_str() {
            "data" => data = value.clone(),
            "data_base64" => {
                let bytes = base64::engine::general_purpose::STANDARD
                    .decode(value.as_str().unwrap())
                    .unwrap();
                let text = String::from_utf8(bytes).unwrap();
                data = serde_json::from_str(&text).unwrap_or(Value::String(text));
            }
            _ => {
                let value = value.as_str().unwrap().to_owned();
                attributes.insert(name.clone(), value);
            }
        }
    }
    (attributes, data)
}

#[test]
fn the_files_are_read_to_their_ends() {
    let count = |feature| scenarios(feature).len();
    assert_eq!((count(HTTP), count(KAFKA), events().len()), (4, 3, 8));
    let first = &events()[0];
    assert_eq!(first.attributes["comexampleextension1"], "value");
    assert_eq!(
        first.attributes["comexampleextension2"],
        "{\"othervalue\": 5}\n"
    );
    assert_eq!(first.attributes.len(), 7);
    assert_eq!(first.beside["user-agent"], "foo");
    assert_eq!(events()[3].data, "Hello, 🌎!\n");
}
