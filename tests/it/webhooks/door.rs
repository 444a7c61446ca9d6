//! A server with sources of all kinds, and senders that sign as the platforms do.

use std::path::PathBuf;
use std::process::{Child, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::blocking::{Client, RequestBuilder};
use ring::hmac;
use serde_json::{Value, json};

use crate::support::{PATIENCE, command, project, until};

/// Secrets of the sources; each is looked for wherever something is shown.
pub const ACME_OLD: &str = "acme-old-token-5f1c77";
pub const ACME_NEW: &str = "acme-new-token-0b92de";
pub const BETA: &str = "beta-token-a1b2c3d4e5";
pub const CRM: &str = "whsec_c2VjcmV0IG9mIHRoZSBjcm0sIDMyIGJ5dGVz";
pub const GRAPH_OLD: &str = "graph-word-old-771";
pub const GRAPH_NEW: &str = "graph-word-new-772";
pub const GRID: &str = "grid-key-9e8d7c6b";
pub const SLOW: &str = "slow-key-00112233";
pub const DESK_OLD: &str = "desk-old-key-77a1b2c3";
pub const DESK: &str = "desk-key-4f5e6d7c";
pub const FEED_OLD: &str = "whsec_dGhlIG9sZCBzZWNyZXQgb2YgdGhlIGZlZWQ=";
pub const FEED_NEW: &str = "whsec_dGhlIG5ldyBzZWNyZXQgb2YgdGhlIGZlZWQ=";
const SECRETS: [&str; 12] = [
    ACME_OLD, ACME_NEW, BETA, CRM, GRAPH_OLD, GRAPH_NEW, GRID, SLOW, DESK_OLD, DESK, FEED_OLD,
    FEED_NEW,
];
/// Files of secrets.
const FILES: [(&str, [&str; 2]); 3] = [
    ("graph.secret", [GRAPH_OLD, GRAPH_NEW]),
    ("desk.secret", [DESK_OLD, DESK]),
    ("feed.secret", [FEED_OLD, FEED_NEW]),
];

const CONFIG: &str = r#"
[transcribe]
enabled = false
[lake]
flush = "300ms"
settle = "600ms"

[[source]]
name = "flex-acme"
adapter = "twilio"
tenant = "acme"
site = "Berlin"
url = "https://hooks.example/v1/sources/flex-acme"
secret = ["acme-old-token-5f1c77", "acme-new-token-0b92de"]

[[source]]
name = "flex-beta"
adapter = "twilio"
url = "https://hooks.example/v1/sources/flex-beta"
secret = "beta-token-a1b2c3d4e5"

[[source]]
name = "crm"
adapter = "vcon"
signature = "standard-webhooks"
secret_env = "CALLBOARD_TEST_CRM"

[[source]]
name = "teams"
adapter = "teams"
instance = "contoso"
secret_file = "graph.secret"

[[source]]
name = "grid"
adapter = "acs"
secret = "grid-key-9e8d7c6b"
max_body = "1MiB"

[[source]]
name = "slow"
adapter = "genesys"
secret = "slow-key-00112233"
rate = 1
burst = 2

[[source]]
name = "desk"
adapter = "mapping:landis"
instance = "north"
secret_file = "desk.secret"

[[source]]
name = "feed"
adapter = "events"
signature = "standard-webhooks"
secret_file = "feed.secret"
"#;

/// A server with these sources, and all that it says.
pub struct Door {
    child: Child,
    pub dir: tempfile::TempDir,
    pub url: String,
    client: Client,
}

impl Drop for Door {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Door {
    pub fn open() -> Door {
        let dir = tempfile::tempdir().unwrap();
        let mut config = CONFIG.to_owned();
        for (name, secrets) in FILES {
            let path = dir.path().join(name);
            std::fs::write(&path, secrets.join("\n")).unwrap();
            config = config.replace(name, path.to_str().unwrap());
        }
        std::fs::write(dir.path().join("callboard.toml"), config).unwrap();
        let log = std::fs::File::create(dir.path().join("log")).unwrap();
        let mut serve = command();
        serve.args(["serve", "--http", "127.0.0.1:0", "--pg", "127.0.0.1:0"]);
        serve.arg("--data").arg(dir.path().join("data"));
        serve.arg("--config").arg(dir.path().join("callboard.toml"));
        // All that the program and its libraries would ever say of a request.
        serve.env("RUST_LOG", "trace,datafusion=info,delta_kernel=info");
        serve.env("CALLBOARD_TEST_CRM", CRM);
        serve.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let mut door = Door {
            child: serve.spawn().unwrap(),
            dir,
            url: String::new(),
            client: Client::builder().timeout(PATIENCE).build().unwrap(),
        };
        door.url = until("a server", || {
            let log = door.log();
            let at = log.find("callboard serves http://")? + "callboard serves ".len();
            let end = log[at..].find('\n')?;
            Some(log[at..at + end].trim().to_owned())
        });
        door
    }

    pub fn log(&self) -> String {
        let bytes = std::fs::read(self.dir.path().join("log")).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}/v1/sources/{path}", self.url))
    }

    pub fn get(&self, path: &str) -> String {
        let answer = self.client.get(format!("{}{path}", self.url)).send();
        answer.unwrap().text().unwrap()
    }

    pub fn rows(&self, sql: &str) -> Vec<Value> {
        let url = format!("{}/v1/sql", self.url);
        let answer = self.client.post(url).json(&json!({ "sql": sql })).send();
        let answer: Value = answer.unwrap().json().unwrap();
        answer["rows"].as_array().cloned().unwrap_or_default()
    }

    pub fn sources(&self) -> Vec<Value> {
        let answer: Value = serde_json::from_str(&self.get("/v1/sources")).unwrap();
        answer["sources"].as_array().unwrap().clone()
    }

    pub fn source(&self, name: &str) -> Value {
        let all = self.sources();
        let one = all.iter().find(|s| s["name"] == name);
        one.unwrap_or_else(|| panic!("{name} in {all:?}")).clone()
    }

    /// `callboard send` with a secret; whether it did it, and what it said.
    pub fn send(&self, source: &str, secret: &str, path: &str) -> (bool, String) {
        let mut send = command();
        send.args(["send", "--source", source, "--to", &self.url, path]);
        send.env("CALLBOARD_SECRET", secret);
        let output = send.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    }
}

/// Status, and the answer with its class of problem, if it is one.
pub fn told(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().unwrap();
    let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
    (status, value)
}

pub fn class(request: RequestBuilder) -> (u16, String) {
    let (status, answer) = told(request);
    let class = answer["class"].as_str().unwrap_or_default();
    (status, class.to_owned())
}

pub fn capture(name: &str) -> PathBuf {
    project().join("ingest/sources/tests/captures").join(name)
}

/// One call-back of a call.
pub fn form() -> String {
    let all = std::fs::read_to_string(capture("twilio/made-calls-without-tasks.txt")).unwrap();
    all.lines().next().unwrap().to_owned()
}

/// As Twilio signs a form.
fn twilio(token: &str, url: &str, form: &str) -> String {
    let decode = |text: &str| {
        let url = format!("http://h/?v={text}");
        let url = reqwest::Url::parse(&url).unwrap();
        url.query_pairs().next().unwrap().1.into_owned()
    };
    let mut pairs: Vec<(String, String)> = form
        .split('&')
        .filter_map(|p| p.split_once('='))
        .map(|(n, v)| (decode(n), decode(v)))
        .collect();
    pairs.sort();
    let mut message = url.to_owned();
    for (name, value) in pairs {
        message += &name;
        message += &value;
    }
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes());
    STANDARD.encode(hmac::sign(&key, message.as_bytes()))
}

pub fn flex(door: &Door, name: &str, token: &str, form: &str) -> RequestBuilder {
    let url = format!("https://hooks.example/v1/sources/{name}");
    door.post(name)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-twilio-signature", twilio(token, &url, form))
        .body(form.to_owned())
}

/// What a CRM sends as Standard Webhooks sign, so many seconds ago.
pub fn standard(door: &Door, key: &str, id: &str, age: i64, body: &str) -> RequestBuilder {
    signed(door.post("crm"), key, id, age, body)
}

/// A request with a body, as Standard Webhooks sign it.
pub fn signed(
    request: RequestBuilder,
    key: &str,
    id: &str,
    age: i64,
    body: &str,
) -> RequestBuilder {
    let at = (chrono::Utc::now().timestamp() - age).to_string();
    let key = STANDARD
        .decode(key.strip_prefix("whsec_").unwrap())
        .unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let tag = hmac::sign(&key, format!("{id}.{at}.{body}").as_bytes());
    request
        .header("webhook-id", id)
        .header("webhook-timestamp", at)
        .header(
            "webhook-signature",
            format!("v1,AAAA v1,{}", STANDARD.encode(tag)),
        )
        .body(body.to_owned())
}

/// Neither in the log at its most talkative, nor in figures, pages, answers or the configuration.
pub fn nothing_is_seen_of_secrets(door: &Door) {
    let config = door.dir.path().join("callboard.toml");
    let mut check = command();
    check.args(["config", "check", "--config"]).arg(config);
    check.env("CALLBOARD_TEST_CRM", CRM);
    let checked = check.output().unwrap();
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stderr)
    );
    let log = door.log();
    assert!(log.lines().count() > 20, "the log says something at all");
    for (place, text) in [
        ("log", log),
        ("metrics", door.get("/metrics")),
        ("sources", door.get("/v1/sources")),
        ("status", door.get("/status")),
        ("config check", String::from_utf8(checked.stdout).unwrap()),
    ] {
        for secret in SECRETS {
            let bare = secret.trim_start_matches("whsec_");
            assert!(!text.contains(bare), "a secret is in {place}");
        }
    }
}
