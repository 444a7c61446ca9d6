use super::*;
use crate::config::load;

const GOOD: &str = r#"
[[source]]
platform = "asterisk"
instance = "pbx1"

[[source]]
name = "calls"
topics = ["calls", "chats"]
adapter = "acs"
brokers = ["127.0.0.1:9092"]
from = "latest"
on_gap = "continue"
[source.settings]
security.protocol = "SASL_SSL"
"sasl.username" = "callboard"
sasl.password = { file = "PLACE" }
session.timeout.ms = 6000
"#;

fn read(text: &str) -> Result<Config, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("callboard.toml");
    std::fs::write(&path, text).unwrap();
    load(Some(&path), std::iter::empty()).map_err(|e| e.to_string())
}

#[test]
fn topics_stand_beside_instances_and_secrets_are_in_files() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("password");
    std::fs::write(&place, "hush\n").unwrap();
    let config = read(&GOOD.replace("PLACE", place.to_str().unwrap())).unwrap();
    assert_eq!((config.sources.len(), config.sources.topics.len()), (1, 1));
    let options = config.kafka().unwrap().remove(0);
    assert_eq!((&*options.name, &*options.group), ("calls", "callboard"));
    assert_eq!(
        (options.from, options.on_gap),
        (From::Latest, OnGap::Continue)
    );
    assert_eq!(options.silent_after, SILENT_AFTER);
    let mapped = GOOD.replace("\"acs\"", "\"mapping:five9\"\nsilent_after = \"2h\"");
    let mapped = read(&mapped.replace("PLACE", place.to_str().unwrap())).unwrap();
    let mapped = mapped.kafka().unwrap().remove(0);
    assert_eq!(
        (&*mapped.adapter.name(), mapped.silent_after.as_secs()),
        ("mapping:five9", 7200)
    );
    let mut settings = options.settings.clone();
    settings.sort();
    let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let expected = [
        own("sasl.password", "hush"),
        own("sasl.username", "callboard"),
        own("security.protocol", "SASL_SSL"),
        own("session.timeout.ms", "6000"),
    ];
    assert_eq!(settings, expected);
    assert!(!format!("{options:?}{config:?}").contains("hush"));
}

#[test]
fn what_cannot_be_meant_is_said() {
    let missing = read(GOOD).unwrap().kafka().unwrap_err();
    assert!(
        missing.contains("setting sasl.password: PLACE"),
        "{missing}"
    );
    for (from, to, said) in [
        (
            "adapter = \"acs\"",
            "adapter = \"asterisk\"",
            "reads no messages",
        ),
        (
            "adapter = \"acs\"",
            "adapter = \"mapping:\"",
            "reads no messages",
        ),
        (
            "from = \"latest\"",
            "from = \"now\"",
            "neither earliest nor latest",
        ),
        ("\"continue\"", "\"skip\"", "neither stop nor continue"),
        ("[\"calls\", \"chats\"]", "[]", "must not be empty"),
        ("{ file = \"PLACE\" }", "\"hush\"", "is a secret"),
        (
            "session.timeout.ms = 6000",
            "enable.auto.commit = true",
            "Callboard's own",
        ),
        ("brokers", "broker", "unknown field `broker`"),
        ("name = \"calls\"", "name = \"a/b\"", "without slash"),
    ] {
        let text = GOOD.replace(from, to);
        assert_ne!(text, GOOD, "{from}");
        let error = read(&text).unwrap_err();
        assert!(error.contains(said), "{to}: {error}");
        assert!(!error.contains("hush"), "{error}");
    }
    let twice = format!("{GOOD}{}", &GOOD[GOOD.find("[[source]]\nname").unwrap()..]);
    let error = read(&twice).unwrap_err();
    assert!(error.contains("is there twice"), "{error}");
}
