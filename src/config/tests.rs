use std::path::Path;

use super::*;

fn read(text: &str) -> Result<Config, String> {
    read_with(text, &[])
}

fn read_with(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("callboard.toml");
    std::fs::write(&path, text).unwrap();
    let environment = environment
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    let name = format!("{}/", dir.path().display());
    load(Some(&path), environment).map_err(|e| e.to_string().replace(&name, ""))
}

/// The example with its commented keys switched on.
fn everything() -> String {
    EXAMPLE
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(key) if key.contains(" = ") || key.starts_with('[') => key,
            _ => line,
        })
        .map(|line| {
            line.replace(
                "$...$...",
                "$c2FsdHNhbHQ=$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            )
        })
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_example_states_the_defaults() {
    assert_eq!(read(EXAMPLE), Ok(Config::default()));
    assert_eq!(read(""), Ok(Config::default()));
}

#[test]
fn every_key_of_the_example_can_be_used_and_is_explained() {
    let config = read(&everything()).unwrap();
    assert_eq!(config.queues[0].service_level.millis(), 20_000);
    assert_eq!(config.sources[0].columns["cdr"].len(), 3);
    let guide = include_str!("../../docs/reference/config.md");
    for line in EXAMPLE.lines() {
        let key = line
            .trim_start_matches("# ")
            .split([' ', '.'])
            .next()
            .unwrap_or("");
        if line.contains(" = ") {
            assert!(
                guide.contains(&format!("`{key}")),
                "{key} is not explained in config.md"
            );
        }
    }
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest_known() {
    let error = read("data = \"x\"\n\n[limits]\nbodi = \"1MiB\"\n").unwrap_err();
    assert!(error.starts_with("callboard.toml line 4:"), "{error}");
    assert!(error.ends_with("did you mean `body`?"), "{error}");
    let error = read("zzzzzzzzzz = 1").unwrap_err();
    assert!(!error.contains("did you mean"), "{error}");
}

#[test]
fn units_must_be_written() {
    let error = read("[[queue]]\nname = \"q\"\nservice_level = \"20\"").unwrap_err();
    assert!(
        error.contains("line 3") && error.contains("such as \"20s\""),
        "{error}"
    );
    assert!(read("[limits]\nbody = 5").is_err());
    assert_eq!(units::Size(1 << 20).to_string(), "1MiB");
    assert_eq!(units::Size(1500).to_string(), "1500B");
}

#[test]
fn what_cannot_be_meant_is_said_all_at_once() {
    let error = read(
        "zone = \"Mars\"\n[[queue]]\nname = \"q\"\nservice_level = \"20s\"\nvariant = \"best\"\ngoal = 80\nvalid_from = \"May\"\n[transcribe]\nthreads = 0",
    )
    .unwrap_err();
    for part in [
        "Mars", "\"best\"", "ans_abn", "0 to 1", "\"May\"", "threads",
    ] {
        assert!(error.contains(part), "{part} in {error}");
    }
}

#[test]
fn the_environment_wins_over_the_file() {
    let config = read_with(
        "[http]\nlisten = \"127.0.0.1:1\"",
        &[
            ("CALLBOARD__HTTP__LISTEN", "127.0.0.1:2"),
            ("CALLBOARD__QUERY__ROWS", "17"),
            ("CALLBOARD__TRANSCRIBE__ENABLED", "false"),
            ("OTHER", "x"),
        ],
    )
    .unwrap();
    assert_eq!(config.http.listen.port(), 2);
    assert_eq!((config.query.rows, config.transcribe.enabled), (17, false));
    let error = read_with("", &[("CALLBOARD__HTPP__LISTEN", "x")]).unwrap_err();
    assert!(
        error.contains("CALLBOARD__HTPP__LISTEN") && error.contains("`http`"),
        "{error}"
    );
}

#[test]
fn beyond_loopback_needs_users_and_tls() {
    let mut config = Config::default();
    assert!(config.check_exposure().is_ok());
    config.http.listen = "0.0.0.0:8080".parse().unwrap();
    assert_eq!(config.check_exposure().unwrap_err().len(), 2);
    config.users.push(users::User {
        name: "ana".into(),
        password: users::Hash::new("secret").unwrap(),
    });
    let missing = config.check_exposure().unwrap_err();
    assert!(
        missing.len() == 1 && missing[0].contains("[tls]"),
        "{missing:?}"
    );
    config.tls = Some(Tls {
        cert: "c".into(),
        key: "k".into(),
    });
    assert!(config.check_exposure().is_ok());
}

#[test]
fn passwords_are_hashed_with_salt_and_never_shown() {
    let hash = users::Hash::new("correct horse").unwrap();
    let read = users::Hash::try_from(hash.text()).unwrap();
    assert!(read.verify("correct horse") && !read.verify("wrong"));
    assert_ne!(
        users::Hash::new("correct horse").unwrap().text(),
        hash.text()
    );
    let error = users::Hash::try_from("hunter2".to_owned()).unwrap_err();
    assert!(!error.contains("hunter2"));
    let error = read_config_with_clear_password();
    assert!(!error.contains("hunter2"), "{error}");
    assert!(!format!("{hash:?}").contains("pbkdf2"));
}

fn read_config_with_clear_password() -> String {
    read("[[user]]\nname = \"ana\"\npassword = \"hunter2\"").unwrap_err()
}

#[test]
fn targets_say_the_same_until_the_file_changes() {
    let config =
        read("[[queue]]\nname = \"sales\"\nservice_level = \"20s\"\nshort_abandon = \"5s\"")
            .unwrap();
    let now = 1_795_253_950_000_000;
    let (first, again) = (config.target_events(now), config.target_events(now));
    assert_eq!(first[0].id, again[0].id);
    assert_ne!(first[0].id, config.target_events(now + 1)[0].id);
    let record = first[0].record(now).unwrap();
    assert!(callboard_model::cloudevents::read(&record).is_ok());
    assert_eq!(first[0].data.short_ms, Some(5000));
}

#[test]
fn a_missing_file_says_what_to_do() {
    let error = load(
        Some(Path::new("/nonexistent/callboard.toml")),
        std::iter::empty(),
    )
    .unwrap_err();
    assert!(error.to_string().contains("--config"), "{error}");
}

#[test]
fn what_the_lakes_store_needs_to_know_reaches_it() {
    let text = "[lake]\nurl = \"s3://bucket/lake\"\noptions = { aws_region = \"eu-central-1\" }\n";
    let secret = ("CALLBOARD__LAKE__OPTIONS__AWS_SECRET_ACCESS_KEY", "a/b+c");
    let config = read_with(text, &[secret]).unwrap();
    let store = crate::commands::serve::store_options(&config);
    let told = &store.lake_options.storage_options;
    assert_eq!(store.lake.as_deref(), Some("s3://bucket/lake"));
    assert_eq!(
        (told["aws_region"].as_str(), told.len()),
        ("eu-central-1", 2)
    );
    assert_eq!(told["aws_secret_access_key"], secret.1);
    let error = read("[lake]\noptions = { aws_region = \"x\" }\n").unwrap_err();
    assert!(error.contains("there is none"), "{error}");
}

#[test]
fn bounds_of_pictures_of_earlier_moments_reach_the_store() {
    let reached = |text: &str| {
        let limits = crate::commands::serve::store_options(&read(text).unwrap()).as_of;
        (limits.records, limits.bytes, limits.time.as_secs())
    };
    assert_eq!(reached(""), (5_000_000, 512 << 20, 60));
    let text = "[as_of]\nrecords = 7\nmemory = \"3MiB\"\ntime = \"2s\"";
    assert_eq!(reached(text), (7, 3 << 20, 2));
    let error = read("[as_of]\nrecords = 0\nmemory = \"1KiB\"\ntime = \"0s\"").unwrap_err();
    for part in ["as_of.records", "as_of.memory", "as_of.time"] {
        assert!(error.contains(part), "{part} in {error}");
    }
}

/// A source of these keys.
fn source(keys: &str) -> Result<Config, String> {
    read(&format!("[[source]]\n{keys}"))
}

#[test]
fn a_source_has_its_defaults_by_its_adapter() {
    let options = |keys: &str| source(keys).unwrap().source_options().unwrap().remove(0);
    let flex = options(
        "name = \"flex\"\nadapter = \"twilio\"\nsecret = \"a-long-token\"\nurl = \"https://h/x\"\nrate = 5",
    );
    assert_eq!((flex.proof.name(), &*flex.instance), ("twilio", "flex"));
    assert_eq!((flex.rate, flex.configured), (Some((5, 10)), true));
    let teams =
        options("name = \"teams\"\nadapter = \"teams\"\nsecret = [\"word-one\", \"word-two\"]");
    assert_eq!((teams.proof.name(), &*teams.instance), ("graph", ""));
    let open = options("name = \"x\"\nplatform = \"mapping:cxone\"\ntenant = \"acme\"");
    assert_eq!((open.proof.name(), &*open.instance), ("none", "acme"));
    // Without a name it is an instance alone.
    let known =
        source("platform = \"asterisk\"\ninstance = \"pbx1\"\nzone = \"Europe/Berlin\"").unwrap();
    assert_eq!(known.instances()["pbx1"].zone, "Europe/Berlin");
    assert!(known.source_options().unwrap().is_empty());
}

#[test]
fn one_table_holds_doors_connections_mappings_and_topics() {
    let config = read(
        r#"
[[source]]
name = "pbx"
adapter = "asterisk"
secret = "a-long-token"
files = ["/var/log/asterisk/queue_log"]
[[source]]
name = "crm"
adapter = "mapping:landis"
[[source]]
name = "tables"
adapter = "sheet"
[[source]]
topics = ["calls"]
platform = "acs"
brokers = ["kafka:9092"]
tenant = "acme"
"#,
    )
    .unwrap();
    assert_eq!((config.sources.len(), config.sources.count()), (3, 4));
    let doors = config.source_options().unwrap();
    let doors: Vec<_> = doors
        .iter()
        .map(|d| (&*d.name, &*d.adapter, &*d.instance, d.proof.name()))
        .collect();
    let expected = [
        ("pbx", "asterisk", "pbx", "bearer"),
        ("crm", "mapping:landis", "crm", "none"),
        ("tables", "sheet", "tables", "none"),
    ];
    assert_eq!(doors, expected);
    // What a source opens itself has the instance of its door.
    let live = config.live().unwrap();
    let [callboard_ingest::live::Opened::Files(files)] = &live[..] else {
        panic!("{live:?}");
    };
    assert_eq!(files.instance, "pbx");
    assert_eq!(config.kafka().unwrap()[0].instance, "acme");
}

#[test]
fn what_a_source_cannot_mean_is_said() {
    for (keys, part) in [
        ("name = \"a\"\nadapter = \"avaya\"", "amazon-connect"),
        ("name = \"a b\"\nadapter = \"acs\"", "short word"),
        ("adapter = \"acs\"", "a name is missing"),
        (
            "name = \"a\"\nadapter = \"acs\"\nsignature = \"md5\"",
            "standard-webhooks",
        ),
        (
            "name = \"a\"\nadapter = \"acs\"\nsignature = \"bearer\"",
            "needs secret",
        ),
        (
            "name = \"a\"\nadapter = \"acs\"\nsignature = \"none\"\nsecret = \"a-long-token\"",
            "unused",
        ),
        (
            "name = \"a\"\nadapter = \"twilio\"\nsecret = \"a-long-token\"",
            "url",
        ),
        (
            "name = \"a\"\nadapter = \"twilio\"\nurl = \"flex\"",
            "no address",
        ),
        (
            "instance = \"a\"\nadapter = \"acs\"\nsecret = \"a-long-token\"",
            "needs a name",
        ),
        (
            "name = \"a\"\nadapter = \"asterisk\"\nsignature = \"graph\"\nsecret = \"a-long-token\"",
            "nobody signs",
        ),
        ("name = \"a\"\nadapter = \"acs\"\nrate = 0", "at least 1"),
        (
            "name = \"a\"\nadapter = \"acs\"\nburst = 2",
            "goes with rate",
        ),
        ("name = \"a\"\nadapter = \"acs\"\nzone = \"Mars\"", "Mars"),
        (
            "name = \"a\"\nadapter = \"acs\"\n[[source]]\nname = \"a\"\nadapter = \"vcon\"",
            "twice",
        ),
        ("name = \"a\"\nadapter = \"mapping\"", "mapping:NAME"),
        (
            "name = \"asterisk\"\nadapter = \"asterisk\"\nfiles = [\"/f\"]",
            "need an instance",
        ),
    ] {
        let error = source(keys).unwrap_err();
        assert!(error.contains(part), "{part} in {error}");
    }
    for keys in [
        "name = \"a\"\nadapter = \"events\"\nsignature = \"hub-sha256\"\nsecret = \"a-long-token\"",
        "name = \"a\"\nadapter = \"mapping:x\"\nprefix = { url = \"file:///x/\" }",
    ] {
        assert!(source(keys).is_ok(), "{keys}");
    }
    let late = |keys: &str| {
        source(keys)
            .unwrap()
            .source_options()
            .unwrap_err()
            .join("\n")
    };
    let own = "name = \"a\"\nadapter = \"acs\"\n";
    let error = late(&format!("{own}secret_env = \"CALLBOARD_TEST_IS_NOT_SET\""));
    assert!(error.contains("CALLBOARD_TEST_IS_NOT_SET"), "{error}");
    let error = late(&format!("{own}secret_file = \"/nowhere/at/all\""));
    assert!(error.contains("/nowhere/at/all"), "{error}");
}

#[test]
fn no_secret_is_shown_by_errors_or_debug() {
    let config = source("name = \"a\"\nadapter = \"acs\"\nsecret = [\"xyzzy-plugh\"]").unwrap();
    let shown = format!("{config:?} {:?}", config.source_options().unwrap());
    assert!(shown.contains("***") && !shown.contains("xyzzy"), "{shown}");
    let own = "name = \"a\"\nadapter = \"acs\"\n";
    for keys in [
        "secret = 7331733173317331",
        "secret = [\"xyzzy-plugh\", 7331733173317331]",
        "secret = { xyzzy = \"xyzzy-plugh\" }",
        "secret = \"xyzzy-plugh\"\nsignature = \"md5\"",
    ] {
        let error = source(&format!("{own}{keys}")).unwrap_err();
        assert!(
            !error.contains("7331") && !error.contains("xyzzy"),
            "{error}"
        );
    }
    for keys in [
        "secret = \"xyzzy\"",
        "signature = \"standard-webhooks\"\nsecret = \"xyzzy: no base64\"",
    ] {
        let error = source(&format!("{own}{keys}")).unwrap().source_options();
        let error = error.unwrap_err().join("\n");
        assert!(!error.contains("xyzzy"), "{error}");
    }
}
