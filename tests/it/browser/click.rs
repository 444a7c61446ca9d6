//! A click on the live board is never lost to a row that changes under the pointer.

use serde_json::json;

use super::driver::Browser;
use crate::support::{Server, until};

/// Counts the frames that the server sends, beside the board's own stream.
const LISTEN: &str = "
    window.frames = 0;
    window.changed = false;
    var heard = new EventSource(document.getElementById('board').dataset.stream);
    heard.addEventListener('change', function (e) {
      window.frames += 1;
      if (Object.keys(JSON.parse(e.data).parts).indexOf(window.row.id) >= 0) { window.changed = true; }
    });
    window.row = document.querySelector('#queues tr[id^=q-]');";

fn waits(server: &Server, n: usize) {
    let now = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let event = json!({
        "specversion": "1.0", "id": n.to_string(), "source": "/test/click", "time": now,
        "type": "callboard.segment.started",
        "data": { "contact_id": format!("c{n}"), "segment_id": "q", "kind": "queue", "queue": "sales" },
    });
    let body = event.to_string().into_bytes();
    let (status, answer) = server
        .post("/v1/events", "application/x-ndjson", body)
        .unwrap();
    assert_eq!(status, 200, "{answer}");
}

#[test]
fn a_click_holds_though_the_row_changes_under_it() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("callboard.toml");
    std::fs::write(&config, "[transcribe]\nenabled = false\n").unwrap();
    let server = Server::serve(
        &dir.path().join("data"),
        &["--config", config.to_str().unwrap()],
    );
    let browser = Browser::start();
    waits(&server, 1);
    browser.open(&server.url);
    let link = "#queues a[data-measure=offered]";
    until("the queue's row", || browser.find(link));
    browser.script(LISTEN);
    until("the first frame", || {
        (browser.script("return window.frames > 0;") == true).then_some(())
    });
    browser.script(
        "window.row = document.querySelector('#queues tr[id^=q-]'); window.changed = false;",
    );

    browser.press(link);
    waits(&server, 2);
    until("a change of the row", || {
        (browser.script("return window.changed;") == true).then_some(())
    });
    let at = browser.script("return window.frames;").as_i64().unwrap();
    until("a frame after it", || {
        (browser.script("return window.frames;").as_i64() > Some(at)).then_some(())
    });
    let stands = browser.script("return window.row.isConnected;");
    assert_eq!(stands, true, "the row was replaced while it was pressed");
    browser.release();
    until("the list behind the number", || {
        browser.url().contains("/drill?").then_some(())
    });

    // What came meanwhile is shown once the pointer is up.
    browser.open(&server.url);
    until("the queue's row", || browser.find(link));
    browser.script(LISTEN);
    browser.press("h1");
    waits(&server, 3);
    until("a change of the row", || {
        (browser.script("return window.changed;") == true).then_some(())
    });
    browser.release();
    until("the third caller on the board", || {
        (browser.attr(link, "data-value")? == "3").then_some(())
    });
}
