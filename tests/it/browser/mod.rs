//! The pages in a real browser: from a queue's number to sound at a second, and a journey across
//! four systems; and every number of every report leads to the rows that made it.

mod click;
mod driver;
mod html;
mod numbers;

use driver::Browser;
use serde_json::Value;

use crate::support::{Server, command, until};

/// A finished call that was answered in a queue and has a transcript with times.
fn spoken(server: &Server) -> (String, String) {
    let rows = until("a transcript", || {
        let rows = server.sql(
            "select s.contact_id, s.queue from callboard.queue_stays s
             join (select contact_id, count(*) n, count(distinct leg) legs, max(start_ms) last
                   from callboard.turns
                   group by contact_id) t on t.contact_id = s.contact_id
             where s.result = 'answered' and t.n >= 3 and t.legs = 2 and t.last > 3000
             order by s.contact_id limit 1",
        );
        (!rows.is_empty()).then_some(rows)
    });
    let text = |name: &str| rows[0][name].as_str().unwrap().to_owned();
    (text("contact_id"), text("queue"))
}

fn offered(browser: &Browser) -> Option<i64> {
    browser
        .attr("#summary a[data-measure=offered]", "data-value")?
        .parse()
        .ok()
}

/// Watches the player, so that what it does after a click is known however late we look.
const WATCH: &str = "
    var audio = document.querySelector('audio');
    window.seen = [];
    if (!audio.watched) {
      audio.watched = true;
      audio.addEventListener('seeking', function () { window.seen.push(audio.currentTime); });
    }
    audio.pause();";

/// What the player did since: where it went first, where it is, whether it plays.
const PLAYER: &str = "
    var audio = document.querySelector('audio');
    return { first: window.seen.length ? window.seen[0] : null, now: audio.currentTime,
             playing: !audio.paused && !audio.ended && audio.readyState > 2,
             trouble: audio.error ? audio.error.message : null };";

/// Clicks something that stands for a second of the recording; the player plays from there.
fn plays_from(browser: &Browser, css: &str, ms: f64) {
    browser.script(WATCH);
    let second = ms / 1000.0;
    let player = browser.click(css, || {
        let player = browser.script(PLAYER);
        assert!(
            player["trouble"].is_null(),
            "the recording cannot be played: {player}"
        );
        let moved = player["now"].as_f64().is_some_and(|now| now > second);
        (player["playing"] == true && moved).then_some(player)
    });
    let first = player["first"].as_f64().unwrap();
    assert!(
        (first - second).abs() < 0.05,
        "{css} went to {first} s, it stands for {second} s"
    );
}

fn number(value: &Value) -> f64 {
    value.as_str().and_then(|v| v.parse().ok()).unwrap()
}

/// The journey that the demo replays with the shift: one line of the list, one page on which it goes
/// from system to system, and one row of the report. Its documents come at their times, the last of
/// them long after its first contact, so every page is opened until it is whole.
fn a_journey_across_four_systems(browser: &Browser, url: &str) {
    // `textContent`: how a page is laid out does not matter here.
    let texts = |css: &str| {
        let script = format!(
            "return Array.from(document.querySelectorAll(\"{css}\"))\
             .map(function (e) {{ return e.textContent; }}).join(', ');"
        );
        browser.script(&script).as_str().unwrap().to_owned()
    };
    until("one journey on the list", || {
        browser.open(&format!("{url}/journeys"));
        let platforms = texts("main tbody td[data-head=Platforms]");
        (platforms == "acs \u{2192} teams \u{2192} amazon-connect").then_some(())
    });
    let link = "main tbody a[href^='/journeys/']";
    let journey = browser.click(link, || {
        let at = browser.url();
        at.contains("/journeys/").then_some(at)
    });
    until("its step to an expert outside", || {
        browser.open(&journey);
        let steps = texts("ol.journey .stop-head strong");
        (steps == "acs, teams, amazon-connect, outside").then_some(())
    });
    assert_eq!(texts("ol.journey .joint.lost"), "", "a hand-over was lost");
    until("its row in the report", || {
        browser.open(&format!("{url}/reports/journeys"));
        let value = |css: &str| browser.attr(css, "data-value");
        let across = "main a[data-measure=journeys]\
                      [href*='x.platforms=acs+%3E+teams+%3E+amazon-connect']";
        let outside = "main a[data-measure=outside_of_journey][href*='x.journey=web-call']";
        (value(across)? == "1" && value(outside)? == "1").then_some(())
    });
}

#[test]
fn from_a_queues_number_to_sound_at_a_second() {
    let browser = Browser::start();
    let mut demo = command();
    demo.args([
        "demo",
        "--speed",
        "30",
        "--http",
        "127.0.0.1:0",
        "--pg",
        "127.0.0.1:0",
    ]);
    let server = Server::start(demo);

    // The board changes while events arrive, without being loaded again.
    browser.open(&server.url);
    browser.script("window.loadedOnce = true;");
    let before = until("the board's numbers", || offered(&browser));
    until("a higher number on the board", || {
        offered(&browser).filter(|n| *n > before)
    });
    until("an agent on the board", || {
        browser.find("#agents tr[id^=a-]")
    });
    assert_eq!(
        browser.script("return window.loadedOnce === true;"),
        true,
        "it was loaded again"
    );

    // From a queue's number to the stays behind it.
    let (contact, queue) = spoken(&server);
    let cell = format!("#queues a[data-measure=answered][href*='x.queue={queue}']");
    let shown: i64 = until("the queue's number", || {
        browser.attr(&cell, "data-value")?.parse().ok()
    });
    let rows: i64 = browser.click(&cell, || browser.attr("#drill", "data-n")?.parse().ok());
    assert!(browser.url().contains("/drill?"), "{}", browser.url());
    assert!(
        shown > 0 && rows >= shown,
        "{shown} on the board, {rows} in the list behind it"
    );
    let listed = browser.script("return document.querySelectorAll('main table tbody tr').length;");
    assert_eq!(listed.as_i64(), Some(rows.min(200)), "rows of the list");

    // To one contact.
    let link = format!("main table a[href='/contacts/{contact}']");
    browser.click(&link, || browser.find("li.turn"));
    assert!(browser.url().ends_with(&contact), "{}", browser.url());
    let said = browser.script("return document.querySelector('.turns').innerText;");
    let turns = server.sql(&format!(
        "select text from turns where contact_id = '{contact}' order by start_ms, leg limit 3"
    ));
    for turn in &turns {
        let first = turn["text"]
            .as_str()
            .unwrap()
            .split_whitespace()
            .next()
            .unwrap();
        assert!(
            said.as_str().unwrap().contains(first),
            "{first:?} is not in {said}"
        );
    }

    // To a turn and to a word, and to sound at that very second.
    let turn = browser.script(
        "var t = Array.from(document.querySelectorAll('section[data-track]:first-of-type li.turn, \
         section[data-track] li.turn')).filter(function (t) { return Number(t.dataset.s) > 1500; })[0];
         var w = t.querySelector('.w:last-of-type');
         return { id: t.id, s: t.dataset.s, word: w ? w.dataset.s : null };",
    );
    let id = turn["id"].as_str().unwrap();
    plays_from(&browser, &format!("#{id} .turn-time"), number(&turn["s"]));
    let word = turn["word"].as_str().unwrap();
    plays_from(
        &browser,
        &format!("#{id} .w[data-s='{word}']"),
        number(&turn["word"]),
    );
    let hash = browser.script("return location.hash;");
    let kept = format!("#t={:.1}", number(&turn["word"]) / 1000.0);
    assert_eq!(hash, kept.as_str(), "the address keeps the second");
    until("the word is marked while it is heard", || {
        let marked = browser.script("return document.querySelector('.turn.now') !== null;");
        (marked == true).then_some(())
    });

    a_journey_across_four_systems(&browser, &server.url);
}
