//! A disk that stands still without failing: whoever gives up meanwhile leaves nothing behind that
//! has no bound, and whoever waits is told to come back.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::sender::{Sender, event};
use crate::support::{Server, command_by};

/// Every sync from this one on takes [`STALL`].
const FROM: usize = 20;
const STALL: Duration = Duration::from_secs(4);
/// Requests of clients that give up, and what each brings.
const CLIENTS: usize = 8;
const REQUESTS: usize = 25;
const LINES: usize = 4;
const LINE: usize = 800 << 10;
/// What they may add to the memory of the process, bytes: 64 MiB under way, as records and as
/// entries of the log, and requests that are being read. All of them are ten times the 64 MiB.
const MAY_GROW: u64 = 384 << 20;

/// What a client that waits brings: more than two syncs give back while it does.
const MUCH: usize = 14;

fn body(client: usize, request: usize, lines: usize) -> String {
    let pad = "x".repeat(LINE);
    let line = |n| {
        let data = format!(r#""contact_id":"c{client}","outcome":"abandoned","pad":"{pad}""#);
        let id = format!("{client}-{request}-{n}");
        event(
            "/hasty",
            &id,
            "contact.ended",
            "2026-03-02T10:00:00Z",
            &data,
        ) + "\n"
    };
    (0..lines).map(line).collect()
}

/// Posts events and does not wait for long; what came back until then.
fn hasty(to: &str, body: &str, client: usize) -> String {
    let Ok(mut stream) = TcpStream::connect(to) else {
        return String::new();
    };
    let head = format!(
        "POST /v1/events?sender=hasty{client} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-ndjson\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream
        .set_write_timeout(Some(Duration::from_secs(2)))
        .unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    let sent = stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(body.as_bytes()));
    let mut said = [0; 64];
    let read = sent.and_then(|()| stream.read(&mut said)).unwrap_or(0);
    String::from_utf8_lossy(&said[..read]).into_owned()
}

#[test]
fn clients_that_give_up_while_the_disk_stands_still_hold_no_more_than_they_may() {
    let strace = Command::new("strace").arg("--version").output();
    assert!(strace.is_ok(), "this test needs strace: install it");
    let inject = format!(
        "inject=fdatasync:delay_enter={}:when={FROM}+",
        STALL.as_micros()
    );
    let strace = [
        "strace",
        "-D",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "trace=fdatasync",
        "-e",
        &inject,
    ];
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("callboard.toml");
    std::fs::write(&config, "[transcribe]\nenabled = false\n").unwrap();
    let mut serve = command_by(&strace.map(str::to_owned));
    serve.args([
        "serve",
        "--http",
        "127.0.0.1:0",
        "--pg",
        "127.0.0.1:0",
        "--config",
    ]);
    serve
        .arg(&config)
        .arg("--data")
        .arg(dir.path().join("data"));
    let server = Server::start(serve);
    let patient = Sender::to(&server.url, "patient");
    let single = |n: usize| {
        let data = r#""contact_id":"p","direction":"inbound""#;
        let id = format!("p-{n}");
        event(
            "/patient",
            &id,
            "contact.started",
            "2026-03-02T09:00:00Z",
            data,
        )
        .into_bytes()
    };
    // One event after another, until the disk stands still.
    let mut acknowledged = 0;
    loop {
        assert!(acknowledged < 200, "no sync was slow");
        let began = Instant::now();
        assert!(patient.once(single(acknowledged)).unwrap().taken());
        acknowledged += 1;
        if began.elapsed() > STALL / 2 {
            break;
        }
    }

    let before = server.memory();
    let to = server.url.strip_prefix("http://").unwrap();
    let most = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                scope.spawn(move || {
                    let said = (0..REQUESTS).map(|n| hasty(to, &body(client, n, LINES), client));
                    said.filter(|s| s.starts_with("HTTP/1.1 200")).count()
                })
            })
            .collect();
        let mut most = 0;
        while clients.iter().any(|c| !c.is_finished()) {
            most = most.max(server.memory());
            std::thread::sleep(Duration::from_millis(20));
        }
        let told: usize = clients.into_iter().map(|c| c.join().unwrap()).sum();
        assert!(
            told < REQUESTS,
            "{told} of them were acknowledged: the disk did not stand still"
        );
        most
    });
    let grown = most.saturating_sub(before);
    assert!(grown < MAY_GROW, "{} MiB were added", grown >> 20);

    // Who waits is told to come back, or is served where a slow machine gave back room meanwhile, and
    // queries are answered. Seven syncs may last longer than a client waits: it asks again.
    let much = body(CLIENTS, 0, MUCH).into_bytes();
    let answer = (0..5).find_map(|_| Sender::to(&server.url, "patient").once(much.clone()));
    let answer = answer.expect("it is answered");
    // Whatever else it is, this refuses.
    let taken = answer.taken();
    assert_eq!(
        server.number("select count(*) from records where source = '/patient'"),
        acknowledged as i64
    );
    println!("{} MiB were added; taken: {taken}", grown >> 20);
    server.kill();
}
