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
