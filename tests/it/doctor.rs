//! `callboard doctor` finds what is wrong with a data folder, and a damaged file is never served.

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::support::small::Small;
use crate::support::{Server, callboard, command, command_by, copy, send_shift, until};

pub const CONFIG: &str =
    "[transcribe]\nenabled = false\n[lake]\nflush = \"1s\"\nsettle = \"300ms\"\n";

/// A stopped server's data folder that holds a shift.
pub fn folder(dir: &Path) -> PathBuf {
    let data = dir.join("data");
    let config = dir.join("callboard.toml");
    std::fs::write(&config, CONFIG).unwrap();
    let server = Server::serve(&data, &["--config", config.to_str().unwrap()]);
    send_shift(&server, &["queue_log", "cel.csv"], dir);
    let bad = b"{\"id\":\"1\"}".to_vec();
    let kind = "application/x-ndjson";
    assert_eq!(server.post("/v1/events", kind, bad).unwrap().0, 200);
    // What is left open are agents, and calls whose ends the two feeds do not tell.
    until("the shift has settled", || {
        let open = files(&data.join("state")).into_iter().find(|p| {
            let name = p.file_name().unwrap().to_string_lossy();
            name.starts_with("open-")
        })?;
        let keys = std::fs::read_to_string(open).ok()?.lines().count();
        (keys > 1 && keys < 60).then_some(())
    });
    server.stop();
    data
}

pub fn doctor(data: &Path, more: &[&str]) -> (i32, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command()
        .args(["doctor", "--data", data.to_str().unwrap()])
        .args(more)
        .output()
        .unwrap();
    let said = String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap();
    (status.code().unwrap(), said)
}

/// Files below a folder, in order.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => all.extend(files(&path)),
            false => all.push(path),
        }
    }
    all.sort();
    all
}

fn with(path: &Path, change: impl FnOnce(&mut Vec<u8>), check: impl FnOnce()) {
    let whole = std::fs::read(path).unwrap();
    let mut bad = whole.clone();
    change(&mut bad);
    std::fs::write(path, bad).unwrap();
    check();
    std::fs::write(path, whole).unwrap();
}

#[test]
fn a_whole_folder_is_whole_and_nothing_in_it_is_changed() {
    let dir = tempfile::tempdir().unwrap();
    let data = folder(dir.path());
    let content = || -> Vec<(PathBuf, Vec<u8>)> {
        let all = files(&data).into_iter();
        all.filter(|p| !p.ends_with("LOCK"))
            .map(|p| (p.clone(), std::fs::read(p).unwrap()))
            .collect()
    };
    let before = content();
    let (code, said) = doctor(&data, &[]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("Nothing is wrong."), "{said}");
    assert!(!said.contains("without a checksum"), "{said}");
    assert!(!said.contains(" 0 rows of 12 tables"), "{said}");
    assert!(content() == before, "the doctor changed the folder");

    // While a server runs it only says so.
    let server = Server::serve(&data, &[]);
    let (code, said) = doctor(&data, &[]);
    assert_eq!(code, 1);
    assert!(said.contains("is in use by process"), "{said}");
    server.stop();
    let (code, said) = doctor(&dir.path().join("nowhere"), &[]);
    assert_eq!(code, 2, "{said}");
}

#[test]
fn a_flipped_bit_in_state_or_lake_is_found_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let data = folder(dir.path());
    // Checksums of checksums cost nothing but the check.
    let kept = |p: &PathBuf| !p.starts_with(data.join("lake/_sums"));
    let lake = files(&data.join("lake"));
    let some = lake.into_iter().filter(kept).step_by(3);
    let mut met = 0;
    for (n, path) in files(&data.join("state"))
        .into_iter()
        .chain(some)
        .enumerate()
    {
        let length = std::fs::metadata(&path).unwrap().len() as usize;
        if length == 0 {
            continue;
        }
        let at = (n * 7_919 + 13) % length;
        with(
            &path,
            |bytes| bytes[at] ^= 1 << (n % 8),
            || {
                let (code, said) = doctor(&data, &["--quick"]);
                let place = format!("{}, byte {at}: {said}", path.display());
                assert_eq!(code, 1, "{place}");
                let name = path.file_name().unwrap().to_str().unwrap();
                assert!(said.contains("DAMAGE") && said.contains(name), "{place}");
            },
        );
        met += 1;
    }
    assert!(met > 12, "{met} files");
    let (code, said) = doctor(&data, &["--quick"]);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn a_flipped_bit_in_the_log_is_found_and_no_server_starts_on_it() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = Server::serve(&data, &[]);
    for n in 10..30 {
        let event = format!(
            r#"{{"specversion":"1.0","id":"flip-{n}","source":"/t","type":"callboard.segment.started","time":"2026-03-02T09:00:00Z","data":{{"contact_id":"c{n}","segment_id":"q","kind":"queue","queue":"q"}}}}"#
        );
        let kind = "application/cloudevents+json";
        assert_eq!(
            server.post("/v1/events", kind, event.into()).unwrap().0,
            200
        );
    }
    server.kill();
    let (code, said) = doctor(&data, &[]);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("20 records and 0 dead letters are not in the lake yet"),
        "{said}"
    );
    let log = files(&data.join("log"))
        .into_iter()
        .find(|p| {
            std::fs::read(p)
                .unwrap()
                .windows(7)
                .any(|w| w == b"flip-20")
        })
        .unwrap();
    let find = |bytes: &[u8]| bytes.windows(7).position(|w| w == b"flip-20").unwrap();
    with(
        &log,
        |bytes| {
            let at = find(bytes);
            bytes[at + 6] ^= 1;
        },
        || {
            let (code, said) = doctor(&data, &[]);
            assert_eq!(code, 1, "{said}");
            let name = log.file_name().unwrap().to_str().unwrap();
            assert!(said.contains(name) && said.contains("at offset"), "{said}");
            let mut serve = command();
            serve.args(["serve", "--http", "127.0.0.1:0", "--pg", "127.0.0.1:0"]);
            let refused = serve.arg("--data").arg(&data).output().unwrap();
            let said = String::from_utf8(refused.stderr).unwrap();
            assert!(!refused.status.success(), "{said}");
            assert!(said.contains(name) && said.contains("offset"), "{said}");
        },
    );
    let server = Server::serve(&data, &[]);
    assert_eq!(server.number("select count(*) from contacts"), 20);
    server.stop();
}

#[test]
fn what_is_missing_or_does_not_fit_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let data = folder(dir.path());
    let parquet = |table: &str| {
        let all = files(&data.join("lake").join(table)).into_iter();
        all.rev()
            .find(|p| p.extension().is_some_and(|e| e == "parquet"))
            .unwrap()
    };
    for path in [
        parquet("contacts"),
        parquet("records"),
        data.join("state/commit.json"),
    ] {
        let whole = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let (code, said) = doctor(&data, &[]);
        assert_eq!(code, 1, "{}: {said}", path.display());
        std::fs::write(&path, whole).unwrap();
    }
    // The log of an earlier time.
    let log = data.join("log");
    let aside = dir.path().join("log");
    std::fs::rename(&log, &aside).unwrap();
    std::fs::create_dir(&log).unwrap();
    let (code, said) = doctor(&data, &[]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("there is no log"), "{said}");
    let mut serve = command();
    serve.args(["serve", "--http", "127.0.0.1:0", "--pg", "127.0.0.1:0"]);
    let refused = serve.arg("--data").arg(&data).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success(), "{said}");
    assert!(said.contains("the log ends at entry 0"), "{said}");
    std::fs::remove_dir_all(&log).unwrap();
    std::fs::create_dir(&log).unwrap();
    std::fs::remove_dir(&log).unwrap();
    std::fs::rename(&aside, &log).unwrap();
    assert_eq!(doctor(&data, &[]).0, 0);
}

#[test]
fn a_table_that_is_lost_is_made_anew_from_the_records() {
    let dir = tempfile::tempdir().unwrap();
    let data = folder(dir.path());
    let server = Server::serve(&data, &[]);
    let query = "select * from segments order by contact_id, seq";
    let before = server.sql(query);
    server.stop();
    std::fs::remove_dir_all(data.join("lake/segments")).unwrap();
    let (code, said) = doctor(&data, &[]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("lake/segments"), "{said}");
    callboard(&["rebuild", "--data", data.to_str().unwrap()]);
    let (code, said) = doctor(&data, &[]);
    assert_eq!(code, 0, "{said}");
    let server = Server::serve(&data, &[]);
    assert_eq!(server.sql(query), before);
    server.stop();
}

#[test]
fn damage_is_an_error_that_names_the_file_not_a_figure() {
    let dir = tempfile::tempdir().unwrap();
    let data = folder(dir.path());
    // The largest is the one that the settled shift went into.
    let segments = files(&data.join("lake/segments"));
    let parquet = segments
        .iter()
        .filter(|p| p.extension().is_some_and(|e| e == "parquet"))
        .max_by_key(|p| std::fs::metadata(p).unwrap().len())
        .unwrap();
    let name = parquet.file_name().unwrap().to_str().unwrap();
    let query = r#"{"sql":"select * from segments"}"#;
    let ask = |server: &Server| {
        server
            .post("/v1/sql", "application/json", query.as_bytes().to_vec())
            .unwrap()
    };
    with(
        parquet,
        |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 4;
        },
        || {
            let server = Server::serve(&data, &[]);
            let (status, answer) = ask(&server);
            let text = answer.to_string();
            assert_ne!(status, 200, "{text}");
            assert!(text.contains(name) && text.contains("damaged"), "{text}");
            // What is whole is still served.
            assert_eq!(server.number("select count(*) from contacts"), 92);
            server.kill();
        },
    );
    let server = Server::serve(&data, &[]);
    assert_eq!(ask(&server).0, 200);
    server.stop();
}

#[test]
fn a_folder_that_can_only_be_read_is_looked_at_and_nothing_is_restored_into_it() {
    let dir = tempfile::tempdir().unwrap();
    let data = folder(dir.path());
    let server = Server::serve(&data, &[]);
    let tape = dir.path().join("backup.tar");
    callboard(&["backup", "--to", &server.url, tape.to_str().unwrap()]);
    server.stop();
    let small = Small::mount(&dir.path().join("small"), 48);
    copy(&data, &small.file("data"));
    copy(&data, &small.file("without"));
    std::fs::remove_file(small.file("without/LOCK")).unwrap();
    small.only_read();
    let look = |name: &str| {
        let mut doctor = command_by(&small.by());
        let doctor = doctor.args(["doctor", "--data"]).arg(small.at.join(name));
        let Output { status, stdout, .. } = doctor.output().unwrap();
        let said = String::from_utf8(stdout).unwrap();
        assert_eq!(status.code(), Some(0), "{said}");
        assert!(said.contains("Nothing is wrong."), "{said}");
        said
    };
    // The lock that is there is held, the one that is not is missed.
    assert!(!look("data").contains("not taken"));
    let said = look("without");
    assert!(
        said.contains("not taken, since the folder cannot be written"),
        "{said}"
    );

    let new = small.at.join("new");
    let mut restore = command_by(&small.by());
    let restore = restore.arg("restore").arg(&tape).arg("--data").arg(&new);
    let refused = restore.output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("Read-only file system"), "{said}");
    let place = format!("callboard: {}", new.display());
    assert!(
        said.starts_with(&place) && !said.contains("backup.tar"),
        "{said}"
    );
}
