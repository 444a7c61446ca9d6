//! The pages as a whole over little or no data: what they answer, what they refuse.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use bytes::Bytes;
use futures::StreamExt;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::data::{Data, DataError, Rows, Value};
use crate::*;

/// Data that knows one contact with one recording, or nothing at all.
#[derive(Clone)]
struct Little(bool);

#[async_trait::async_trait]
impl Data for Little {
    async fn rows(&self, sql: &str) -> Result<Arc<Rows>, DataError> {
        let text = |t: &str| Value::Text(t.to_owned());
        let one = |pairs: &[(&str, Value)]| Rows {
            columns: pairs.iter().map(|p| p.0.to_owned()).collect(),
            rows: vec![pairs.iter().map(|p| p.1.clone()).collect()],
            ..Rows::default()
        };
        let rows = match sql {
            _ if !self.0 => Rows::default(),
            s if s.contains("aliases") && s.contains("'17.1'") => one(&[("id", text("pbx1-17.1"))]),
            s if s.contains("'pbx1-17.1'") && s.contains("callboard.contacts") => one(&[
                ("contact_id", text("pbx1-17.1")),
                ("state", text("closed")),
                ("customer", text("<script>alert(1)</script>")),
            ]),
            s if s.contains("'pbx1-17.1'") && s.contains("callboard.recordings") => one(&[
                ("recording_id", text("pbx1-17.1/agent")),
                ("leg", text("agent")),
                ("state", text("ready")),
                ("transcript_state", text("done")),
            ]),
            _ => Rows::default(),
        };
        Ok(Arc::new(rows))
    }

    fn pin(&self) -> Arc<dyn Data> {
        Arc::new(self.clone())
    }

    async fn at(&self, as_of: i64) -> Result<Arc<dyn Data>, DataError> {
        match as_of {
            ..=1_795_254_000_000_000 => Ok(self.pin()),
            _ => Err(DataError::Refused("it has not come yet".to_owned())),
        }
    }
}

/// The rest of the program, as little as can be.
#[derive(Default)]
struct Rest(Mutex<Vec<NewNote>>);

#[async_trait::async_trait]
impl Audio for Rest {
    async fn wav(&self, _: &str, ids: &[String]) -> Result<Bytes, AudioError> {
        assert_eq!(ids, ["pbx1-17.1/agent"]);
        Ok(Bytes::from_static(b"RIFF0123456789"))
    }
}

#[async_trait::async_trait]
impl Notes for Rest {
    async fn write(&self, note: NewNote) -> Result<(), String> {
        self.0.lock().push(note);
        Ok(())
    }
}

#[async_trait::async_trait]
impl Status for Rest {
    async fn report(&self) -> StatusReport {
        StatusReport::default()
    }
}

struct Site {
    router: axum::Router,
    rest: Arc<Rest>,
    stop: CancellationToken,
    _version: watch::Sender<u64>,
}

fn site(something: bool) -> Site {
    let rest = Arc::new(Rest::default());
    let stop = CancellationToken::new();
    let (version, receiver) = watch::channel(1);
    let app = App::new(Given {
        data: Arc::new(Little(something)),
        audio: rest.clone(),
        notes: rest.clone(),
        status: rest.clone(),
        changes: Changes {
            version: receiver,
            clock: Arc::new(|| 1_795_254_000_000_000),
            speed: 1.0,
        },
        zone: chrono_tz::Tz::UTC,
        reports: None,
        stop: stop.clone(),
    });
    Site {
        router: router(app),
        rest,
        stop,
        _version: version,
    }
}

impl Site {
    async fn ask(&self, request: Request<Body>) -> (StatusCode, axum::http::HeaderMap, String) {
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, 4 << 20).await.unwrap();
        (
            parts.status,
            parts.headers,
            String::from_utf8_lossy(&body).into_owned(),
        )
    }

    async fn get(&self, path: &str) -> (StatusCode, axum::http::HeaderMap, String) {
        self.ask(Request::get(path).body(Body::empty()).unwrap())
            .await
    }
}

#[tokio::test]
async fn every_page_says_that_nothing_has_arrived() {
    let site = site(false);
    for (path, words) in [
        ("/", "No calls have arrived yet."),
        ("/reports/queue-interval", "Nothing has arrived yet."),
        ("/reports/heat-map", "Nothing has arrived yet."),
        ("/reports/exceptions", "Nothing has arrived yet."),
        ("/reports/agent-scorecard", "Nothing has arrived yet."),
        ("/reports/agent-timeline", "Nothing has arrived yet."),
        ("/reports/migration", "Nothing has arrived yet."),
        ("/contacts", "Nothing has arrived yet."),
        ("/coverage", "Nothing has arrived yet."),
        ("/dead-letters", "There are none."),
        ("/status", "No source has been heard since the start."),
        (
            "/sources",
            "No source is configured, and none was heard since the start.",
        ),
        ("/sources?platform=teams", "Microsoft Teams"),
        (
            "/beside",
            "No platform's own figure falls into this choice.",
        ),
    ] {
        let (status, headers, body) = site.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(body.contains(words), "{path}: {body}");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"),
            "{path}"
        );
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert!(
            !body.contains("<style") && !body.contains("style=\"") && !body.contains("onclick"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn wrong_addresses_say_what_is_wrong() {
    let site = site(false);
    for (path, status, words) in [
        ("/nowhere", 404, "/nowhere"),
        ("/contacts/nobody", 404, "nobody"),
        ("/reports/nothing", 404, "nothing"),
        (
            "/drill?report=queue-interval&measure=nothing",
            404,
            "no measure",
        ),
        ("/contacts?from=yesterday", 400, "2026-03-31"),
        ("/contacts?page=0", 400, "page"),
        ("/contacts?min=x", 400, "whole seconds"),
        ("/reports/queue-interval?by=year", 400, "15m"),
        ("/reports/migration?group=town", 400, "whole, site, line"),
        ("/reports/migration?a_to=soon", 400, "2026-03-31"),
        (
            "/reports/migration?from=2026-03-01&to=2026-03-09&b_from=2026-03-10",
            400,
            "outside the days of the page",
        ),
        ("/?tz=Mars", 400, "Europe/Berlin"),
        ("/sources?source=nobody", 404, "nobody"),
        ("/sources?platform=nothing", 404, "nothing"),
        ("/beside?page=0", 400, "page"),
        ("/audio/x.mp3", 404, "/audio/CONTACT.wav"),
    ] {
        let (got, _, body) = site.get(path).await;
        assert_eq!(
            (got.as_u16(), body.contains(words)),
            (status, true),
            "{path}: {body}"
        );
    }
}

#[tokio::test]
async fn a_platforms_own_id_leads_to_the_contact() {
    let site = site(true);
    let (status, headers, _) = site.get("/contacts/17.1?t=3").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(headers["location"], "/contacts/pbx1-17.1?t=3");
    let (status, _, body) = site.get("/contacts/pbx1-17.1?t=3").await;
    assert_eq!(status, StatusCode::OK);
    assert!(body.contains("&lt;script&gt;alert(1)") && !body.contains("<script>alert"));
    assert!(body.contains("/audio/pbx1-17.1.wav?track=pbx1-17.1#t=3"));
}

#[tokio::test]
async fn a_page_of_an_earlier_moment_says_so_and_stays_there() {
    let site = site(true);
    let moment = "as_of=2026-11-20T10:00:00Z";
    for path in [
        "/",
        "/reports",
        "/reports/queue-interval",
        "/contacts/pbx1-17.1",
        "/coverage",
    ] {
        let (status, _, now) = site.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {now}");
        assert!(
            !now.contains("then-banner") && !now.contains(moment),
            "{path}"
        );
        assert!(
            now.contains("name=\"as_of\""),
            "{path} leads to earlier moments"
        );
        let there = format!("{path}?as_of=2026-11-20%2011:00&tz=Europe/Berlin");
        let (status, _, then) = site.get(&there).await;
        assert_eq!(status, StatusCode::OK, "{path}: {then}");
        assert!(
            then.contains("2026-11-20 11:00:00</time>"),
            "{path}: {then}"
        );
        assert!(
            then.contains("href=\"?tz=Europe%2FBerlin\">Go back to now"),
            "{path}: {then}"
        );
        assert!(
            then.contains(&format!("href=\"/contacts?{moment}\"")),
            "{path}: {then}"
        );
        assert!(!then.contains("data-stream"), "{path} does not go on");
    }
    let (status, headers, _) = site.get(&format!("/contacts/17.1?{moment}")).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let location = headers["location"].to_str().unwrap();
    assert!(
        location.contains("as_of=2026-11-20T10%3A00%3A00Z"),
        "{location}"
    );
    for (bad, why) in [
        ("soon", "write it as"),
        ("2026-11-22T10:00:00Z", "has not come yet"),
    ] {
        let (status, _, body) = site.get(&format!("/coverage?as_of={bad}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(body.contains(why), "{body}");
    }
    // Now is not shown to who asks for then.
    for path in ["/status", "/events/board"] {
        let (status, _, body) = site.get(&format!("{path}?{moment}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}");
        assert!(body.contains("tells of now alone"), "{path}: {body}");
    }
}

#[tokio::test]
async fn sound_is_served_by_ranges() {
    let site = site(true);
    let request = Request::get("/audio/pbx1-17.1.wav").header("range", "bytes=4-7");
    let (status, headers, body) = site.ask(request.body(Body::empty()).unwrap()).await;
    assert_eq!((status.as_u16(), body.as_str()), (206, "0123"));
    assert_eq!(headers["content-range"], "bytes 4-7/14");
}

#[tokio::test]
async fn a_note_is_kept_and_one_from_another_site_is_not() {
    let site = site(true);
    let form = |origin: &str| {
        Request::post("/contacts/pbx1-17.1/notes")
            .header("host", "localhost:8080")
            .header("origin", origin)
            .body(Body::from("text=Good&author=Ann&turn_seq=2"))
            .unwrap()
    };
    let (status, _, _) = site.ask(form("http://evil.example")).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(site.rest.0.lock().is_empty());
    let (status, headers, _) = site.ask(form("http://localhost:8080")).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(headers["location"], "/contacts/pbx1-17.1#turn-2");
    assert_eq!(site.rest.0.lock()[0].text, "Good");
}

#[tokio::test]
async fn the_stream_begins_with_everything_and_ends_with_the_program() {
    let site = site(false);
    let request = Request::get("/events/board").body(Body::empty()).unwrap();
    let answer = site.router.clone().oneshot(request).await.unwrap();
    let mut body = answer.into_body().into_data_stream();
    let first = body.next().await.unwrap().unwrap();
    let first = String::from_utf8_lossy(&first).into_owned();
    assert!(
        first.starts_with("event: all\n") && first.contains("\"feed\""),
        "{first}"
    );
    let second = body.next().await.unwrap().unwrap();
    assert!(second.starts_with(b"event: change\n"));
    site.stop.cancel();
    while body.next().await.is_some() {}
}
