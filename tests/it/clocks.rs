//! Clocks that jump: the machine's clock is wrong by hours and set right again, while the server
//! runs and between its starts. Time of receipt decides no row, so the tables equal the truth.

use std::time::Duration;

use serde_json::json;

use crate::support::scene::{Scene, again, number};
use crate::support::sender::{Sender, event};
use crate::support::{Server, until};

const HOUR: i64 = 3_600;

/// What the clock is wrong by from now on, seconds.
fn set(scene: &Scene, seconds: i64) {
    // Replaced as a whole: the server reads it at any moment.
    let clock = scene.dir.path().join("clock");
    let next = clock.with_extension("next");
    std::fs::write(&next, seconds.to_string()).unwrap();
    std::fs::rename(next, clock).unwrap();
}

#[test]
fn clocks_jump_and_the_tables_equal_the_truth() {
    let first = number("CALLBOARD_SEED", 3_400);
    for seed in first..first + number("CALLBOARD_FAULT_SEEDS", 1) {
        let what = again(&format!("CALLBOARD_SEED={seed}"), "clocks::");
        let scene = Scene::new(seed, "80");
        let pace = Duration::from_millis(number("CALLBOARD_PACE_MS", 25));
        let sending = scene.send(&scene.lines(), pace);
        // An hour forward, then two back, beyond a day; each while it runs and for a start.
        for (n, hours) in [0, 1, -1, 30, 29, -30, 0].into_iter().enumerate() {
            let server = Server::start(scene.serve(""));
            std::thread::sleep(Duration::from_millis(250));
            set(&scene, hours * HOUR);
            std::thread::sleep(Duration::from_millis(400));
            if n % 2 == 0 {
                server.kill();
            } else {
                server.stop();
            }
        }
        scene.finish(sending, &what);
        println!("seed {seed}: six jumps of the clock, equal");
    }
}

#[test]
fn a_contact_that_was_given_up_by_a_clock_ahead_ends_when_its_end_is_told() {
    let scene = Scene::new(3_500, "1");
    let server = Server::start(scene.serve(""));
    let sender = Sender::to(&scene.url(), "clocks");
    let now = chrono::Utc::now();
    let at = |seconds: i64| {
        let at = now + chrono::Duration::seconds(seconds);
        at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
    };
    let tell = |n: u32, kind: &str, seconds: i64, data: &str| {
        let event = event("/test/clock", &n.to_string(), kind, &at(seconds), data);
        assert!(sender.once(event.into_bytes()).unwrap().taken());
    };
    let queue = r#""contact_id":"c","segment_id":"q","kind":"queue","queue":"sales""#;
    tell(1, "segment.started", -600, queue);
    tell(
        2,
        "segment.ended",
        -580,
        r#""contact_id":"c","segment_id":"q","outcome":"answered""#,
    );
    let talk = r#""contact_id":"c","segment_id":"t","kind":"talk","queue":"sales","agent":"a","parent":"q""#;
    tell(3, "segment.started", -580, talk);
    let row = || server.sql("select state, wait_ms, talk_ms, ended_at from contacts")[0].clone();
    assert_eq!(row()["state"], "open");
    // Two days ahead nobody is still on the phone.
    set(&scene, 48 * HOUR);
    until("it is given up", || {
        (row()["state"] == "lost").then_some(())
    });
    set(&scene, 0);
    tell(
        4,
        "segment.ended",
        -10,
        r#""contact_id":"c","segment_id":"t","outcome":"completed""#,
    );
    tell(5, "contact.ended", -10, r#""contact_id":"c""#);
    until("it has ended", || {
        (row()["state"] == "closed").then_some(())
    });
    let told = row();
    assert_eq!(
        (&told["wait_ms"], &told["talk_ms"]),
        (&json!(20_000), &json!(570_000))
    );
    let ended = told["ended_at"].as_str().unwrap();
    assert_eq!(ended[..19], at(-10)[..19], "{told}");
    server.stop();
    let again = Server::start(scene.serve(""));
    let same = again.sql("select state, wait_ms, talk_ms, ended_at from contacts");
    assert_eq!(same, [told]);
}
