//! Readers that are not ours see the same rows: psql, psycopg, SQLAlchemy and pandas while the
//! server runs; the deltalake package and DuckDB in the lake that a clean stop leaves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{FEEDS, Server, project, send_shift, until};

const OPEN: &str = "readers-waiting";

/// A server that holds the recorded shift, and one contact that is waiting right now.
fn fed(dir: &TempDir) -> Server {
    let config = dir.path().join("callboard.toml");
    std::fs::write(&config, "[transcribe]\nenabled = false\n").unwrap();
    let server = Server::serve(
        &dir.path().join("data"),
        &["--config", config.to_str().unwrap()],
    );
    send_shift(&server, &FEEDS, dir.path());
    let now = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let event = json!({
        "specversion": "1.0", "id": "1", "source": "/test/readers", "time": now,
        "type": "callboard.segment.started",
        "data": { "contact_id": OPEN, "segment_id": "q", "kind": "queue", "queue": "support" },
    });
    let body = event.to_string().into_bytes();
    let (status, answer) = server
        .post("/v1/events", "application/x-ndjson", body)
        .unwrap();
    assert_eq!(status, 200, "{answer}");
    let seen =
        format!("select count(*) from contacts where state = 'open' and contact_id = '{OPEN}'");
    until("the waiting contact", || {
        (server.number(&seen) == 1).then_some(())
    });
    server
}

/// Runs a command to its end; panics with what it said when it fails.
fn run(command: &mut Command, install: &str) -> String {
    let output = match command.stdin(Stdio::null()).output() {
        Ok(output) => output,
        Err(error) => panic!("{command:?} does not start ({error}); {install}"),
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    assert!(!said.contains("ERROR"), "{command:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// What psql prints of a text's rows.
pub fn psql(server: &Server, text: &str) -> String {
    let address = format!(
        "host=127.0.0.1 port={} user=anyone dbname=callboard",
        server.pg
    );
    run(
        Command::new("psql").args(["-X", "-A", "-t", "-d", &address, "-c", text]),
        "install the Debian package postgresql-client",
    )
}

/// What a script of `tests/readers` prints.
pub fn script(name: &str, args: &[&str]) -> Value {
    let python = std::env::var_os("CALLBOARD_PYTHON")
        .map_or_else(|| project().join(".venv/bin/python"), PathBuf::from);
    let script = project().join("tests/readers").join(name);
    let mut command = Command::new(python);
    command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(script)
        .args(args);
    let install = "`make test` makes it; by hand: python3 -m venv .venv && .venv/bin/pip install \
                   -r tests/readers/requirements.txt (Debian package python3-venv)";
    serde_json::from_str(&run(&mut command, install)).unwrap()
}

/// Rows in an order of their own, so that only what they say is compared.
fn sorted(rows: &Value) -> Vec<String> {
    let mut rows: Vec<String> = rows.as_array().unwrap().iter().map(whole).collect();
    rows.sort();
    rows
}

/// A row as text; a number without a fraction is written whole, and so is a second.
fn whole(row: &Value) -> String {
    let mut row = row.clone();
    for value in row.as_object_mut().unwrap().values_mut() {
        if let Some(n) = value
            .as_f64()
            .filter(|n| value.is_f64() && n.fract() == 0.0)
        {
            *value = json!(n as i64);
        }
        let time = value
            .as_str()
            .and_then(|t| chrono::DateTime::parse_from_rfc3339(t).ok());
        if let Some(time) = time {
            *value = json!(
                time.to_utc()
                    .to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
            );
        }
    }
    row.to_string()
}

/// Holds their rows against ours, in any order.
#[track_caller]
pub fn same(what: &str, theirs: &Value, ours: &[Value]) {
    let (theirs, ours) = (sorted(theirs), sorted(&json!(ours)));
    assert!(!ours.is_empty(), "{what}: nothing to compare");
    for (a, b) in theirs.iter().zip(&ours) {
        assert_eq!(a, b, "{what}: theirs, then ours");
    }
    assert_eq!(theirs.len(), ours.len(), "{what}: number of rows");
}

#[test]
fn psql_lists_describes_and_reads() {
    let dir = tempfile::tempdir().unwrap();
    let server = fed(&dir);
    let views = psql(&server, r"\dv callboard.*");
    for view in server.sql("select distinct \"table\" as name from callboard.columns") {
        let line = format!("callboard|{}|view|", view["name"].as_str().unwrap());
        assert!(views.contains(&line), "\\dv lacks {line}:\n{views}");
    }
    let about = psql(&server, r"\d+ callboard.contacts");
    let columns = server.sql("select * from callboard.columns where \"table\" = 'contacts'");
    assert!(columns.len() > 20, "{columns:?}");
    for column in columns {
        let (name, comment) = (
            column["column"].as_str().unwrap(),
            column["comment"].as_str().unwrap(),
        );
        let line = about.lines().find(|l| l.starts_with(&format!("{name}|")));
        let line = line.unwrap_or_else(|| panic!("\\d+ lacks {name}:\n{about}"));
        assert!(
            !comment.is_empty() && line.contains(comment),
            "{line}: no {comment:?}"
        );
    }
    let ours = server.sql(
        "select queue, count(*) n, sum(wait_ms) w from queue_stays group by queue order by queue",
    );
    let ours: Vec<String> = ours
        .iter()
        .map(|r| format!("{}|{}|{}", r["queue"].as_str().unwrap(), r["n"], r["w"]))
        .collect();
    let theirs = psql(
        &server,
        "select queue, count(*), sum(wait_ms) from callboard.queue_stays group by 1 order by 1",
    );
    assert_eq!(theirs.trim(), ours.join("\n"));
}

#[test]
fn psycopg_sqlalchemy_and_pandas_connect_list_and_read() {
    let dir = tempfile::tempdir().unwrap();
    let server = fed(&dir);
    let theirs = script("clients.py", &[&server.pg.to_string()]);
    same(
        "psycopg",
        &theirs["psycopg"],
        &server.sql(
            "select contact_id, queue, agent, started_at, ended_at, wait_ms, talk_ms, outcome, state
             from contacts where queue = 'sales'",
        ),
    );
    assert_eq!(theirs["written"], false, "nobody writes: {theirs}");
    assert!(
        theirs["schemas"]
            .as_array()
            .unwrap()
            .contains(&json!("callboard")),
        "{theirs}"
    );
    let views: Vec<Value> = server
        .sql("select distinct \"table\" as name from callboard.columns order by 1")
        .into_iter()
        .map(|mut row| row["name"].take())
        .collect();
    assert_eq!(theirs["views"], json!(views));
    let columns = server
        .sql("select \"column\", comment from callboard.columns where \"table\" = 'contacts'");
    let seen = theirs["columns"].as_array().unwrap();
    assert_eq!(seen.len(), columns.len());
    for (seen, ours) in seen.iter().zip(&columns) {
        assert_eq!(seen["column"], ours["column"]);
        let comment = ours["comment"].as_str().unwrap();
        assert!(
            seen["comment"].as_str().unwrap().starts_with(comment),
            "{seen}"
        );
    }
    assert!(
        theirs["comment"]
            .as_str()
            .unwrap()
            .starts_with("One row per contact"),
        "{theirs}"
    );
    same(
        "pandas.read_sql",
        &theirs["pandas_query"],
        &server.sql(
            "select queue, count(*) as stays, sum(wait_ms) as waits from queue_stays
             where result = 'answered' group by queue",
        ),
    );
    same(
        "pandas.read_sql_table",
        &theirs["pandas_table"],
        &server.sql("select * from queue_intervals"),
    );
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Puts the agent's name where a phone's stands.
fn whose(value: &mut Value, phones: &BTreeMap<String, String>) {
    match value {
        Value::String(name) => {
            if let Some(agent) = phones.get(name) {
                name.clone_from(agent);
            }
        }
        Value::Array(names) => names.iter_mut().for_each(|name| whose(name, phones)),
        _ => {}
    }
}

const TABLES: [&str; 6] = [
    "contacts",
    "segments",
    "offers",
    "agent_states",
    "queue_intervals",
    "records",
];

#[test]
fn after_a_clean_stop_other_readers_find_the_same_rows_in_the_lake() {
    let dir = tempfile::tempdir().unwrap();
    let server = fed(&dir);
    let ours: Vec<Vec<Value>> = TABLES
        .iter()
        .map(|name| server.sql(&format!("select * from {name}")))
        .collect();
    let figures = "sum(offered) as offered, sum(answered) as answered, sum(wait_ms_sum) as waits";
    let by_queue = server.sql(&format!(
        "select queue, {figures} from queue_intervals group by queue"
    ));
    let phones: BTreeMap<String, String> = server
        .sql("select distinct device, agent from agent_states where device is not null")
        .iter()
        .map(|row| (text(&row["device"]), text(&row["agent"])))
        .collect();
    server.stop();

    let lake = dir.path().join("data/lake");
    let mut theirs = read(&lake, &TABLES);
    // Rows keep the name that the platform gave; whose phone it was is told by the views.
    for name in TABLES {
        for row in theirs[name].as_array_mut().unwrap() {
            for column in ["agent", "agents"] {
                if let Some(name) = row.get_mut(column) {
                    whose(name, &phones);
                }
            }
        }
    }
    for (name, ours) in TABLES.iter().zip(&ours) {
        same(&format!("deltalake, {name}"), &theirs[name], ours);
    }
    let contacts = theirs["contacts"].as_array().unwrap();
    let open: Vec<&Value> = contacts.iter().filter(|c| c["state"] != "closed").collect();
    assert_eq!(open.len(), 1, "all others have ended: {open:?}");
    assert_eq!(
        (&open[0]["contact_id"], &open[0]["state"]),
        (&json!(OPEN), &json!("open"))
    );
    assert!(open[0]["ended_at"].is_null(), "{open:?}");

    let query = format!(
        "SELECT queue, {figures} FROM delta_scan('{{lake}}/queue_intervals') GROUP BY queue"
    );
    let duck = script("duck.py", &[lake.to_str().unwrap(), &query]);
    same("DuckDB", &duck, &by_queue);
}

/// Tables of a lake as the deltalake package reads them.
pub fn read(lake: &Path, tables: &[&str]) -> Value {
    let mut args = vec![lake.to_str().unwrap()];
    args.extend(tables);
    script("lake.py", &args)
}
