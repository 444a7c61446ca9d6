use callboard_ingest::live::Opened;

use crate::config::Config;

fn read(text: &str) -> Config {
    toml::from_str(text).unwrap()
}

const ALL: &str = r#"
[[source]]
platform = "asterisk"
instance = "pbx1"
files = ["/var/log/asterisk/queue_log"]
ami = { address = "127.0.0.1:5038", user = "callboard", secret = "s3cret", events = "agent" }
ari = { url = "http://127.0.0.1:8088/ari", user = "callboard", secret = "s3cret" }

[[source]]
adapter = "amazon-connect"
instance = "acme"
prefix = { url = "file:///srv/connect/", every = "5s" }
"#;

#[test]
fn connections_are_read_and_no_secret_is_shown() {
    let config = read(ALL);
    assert_eq!(config.faults(), Vec::<String>::new());
    let live = config.live().unwrap();
    assert_eq!(live.len(), 4);
    let shown = format!("{config:?} {live:?}");
    assert!(!shown.contains("s3cret") && shown.contains("(hidden)"));
    let events = live.iter().find_map(|o| match o {
        Opened::Ami(ami) => Some((ami.events.as_str(), ami.snapshot)),
        _ => None,
    });
    assert_eq!(events, Some(("agent", true)));
}

#[test]
fn a_secret_comes_from_one_place_that_can_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("secret");
    let with = |more: &str| {
        read(&format!(
            "[[source]]\nplatform = \"asterisk\"\ninstance = \"pbx1\"\nami = {{ address = \"h:5038\", user = \"u\"{more} }}"
        ))
    };
    let from_file = with(&format!(", secret_file = {file:?}"));
    let wrong = from_file.live().unwrap_err();
    assert!(wrong[0].contains("secret_file"), "{wrong:?}");
    std::fs::write(&file, "abc\n").unwrap();
    let live = from_file.live().unwrap();
    assert!(matches!(&live[0], Opened::Ami(a) if a.secret.0 == "abc"));
    let wrong = with(", secret_env = \"CALLBOARD_NOT_SET\"")
        .live()
        .unwrap_err();
    assert!(
        wrong[0].contains("CALLBOARD_NOT_SET is not set"),
        "{wrong:?}"
    );
    assert!(with("").faults()[0].contains("needs one of"));
    assert!(with(", secret = \"a\", secret_env = \"B\"").faults()[0].contains("needs one of"));
}

#[test]
fn what_cannot_be_meant_is_said() {
    let text = ALL
        .replace("127.0.0.1:5038", "localhost")
        .replace("http://127.0.0.1:8088/ari", "ftp://x")
        .replace("file:///srv/connect/", "srv/connect")
        .replace("\"5s\"", "\"1ms\"");
    let faults = read(&text).faults().join("\n");
    for words in [
        "host:port",
        "ari.url",
        "prefix.url",
        "prefix.every must be at least",
    ] {
        assert!(faults.contains(words), "{words}: {faults}");
    }
    let other = ALL.replace("platform = \"asterisk\"", "platform = \"twilio\"");
    assert!(read(&other).faults()[0].contains("are for adapter \"asterisk\""));
    let mapped = ALL.replace("amazon-connect", "mapping:five9");
    assert_eq!(read(&mapped).faults(), Vec::<String>::new());
    let unknown = ALL.replace("amazon-connect", "avaya");
    assert!(read(&unknown).faults()[0].contains("is not known; known are asterisk, events, acs"));
}
