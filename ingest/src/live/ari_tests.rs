use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

use super::*;
use crate::live::testing::{given, until};

const PASSWORD: &str = "Tr0ub4dor";

fn events() -> Vec<String> {
    let name = "sources/tests/captures/asterisk/made-ari-call.ndjson";
    let text = std::fs::read_to_string(name).unwrap();
    text.lines().map(str::to_owned).collect()
}

async fn listener() -> (TcpListener, AriOptions) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let options = AriOptions {
        instance: "pbx1".into(),
        url: format!("http://{address}/ari").parse().unwrap(),
        app: "call board".into(),
        user: "callboard".into(),
        password: Hidden(PASSWORD.into()),
        ping: Duration::from_secs(20),
    };
    (listener, options)
}

/// Lets in whoever has the right address and password.
async fn let_in(listener: &TcpListener) -> WebSocketStream<TcpStream> {
    let (stream, _) = listener.accept().await.unwrap();
    #[allow(clippy::result_large_err)]
    let check = |request: &Request, answer: Response| {
        let uri = request.uri().to_string();
        assert_eq!(uri, "/ari/events?app=call+board&subscribeAll=true");
        let login = STANDARD.encode(format!("callboard:{PASSWORD}"));
        assert_eq!(request.headers()["authorization"], format!("Basic {login}"));
        Ok(answer)
    };
    accept_hdr_async(stream, check).await.unwrap()
}

#[tokio::test]
async fn events_are_records_whatever_their_form() {
    let dir = tempfile::tempdir().unwrap();
    let (given, memory) = given(dir.path());
    let (listener, options) = listener().await;
    let task = tokio::spawn(run(options, given.clone()));
    let events = events();
    let (first, second) = events.split_at(7);
    let count = || memory.records.lock().len();
    let mut socket = let_in(&listener).await;
    for event in first {
        // As `pretty = yes` writes it.
        let pretty = event.replace(", \"", ",\r\n  \"");
        socket.send(Message::text(pretty)).await.unwrap();
    }
    until("the first events", || count() == first.len()).await;
    drop(socket);
    let mut socket = let_in(&listener).await;
    for event in second {
        socket.send(Message::text(event.clone())).await.unwrap();
    }
    socket.send(Message::text("no event")).await.unwrap();
    until("all events and the gap", || count() == events.len() + 2).await;
    let mut reader = LineReader::new(Kind::Asterisk(Feed::Ari), "pbx1", "", &[]);
    let text: String = events.iter().map(|e| format!("{e}\n")).collect();
    let captured: Vec<String> = reader
        .push(text.as_bytes())
        .into_iter()
        .map(|l| match l {
            callboard_sources::lines::NewLine::Record(r) => r.id,
            other => panic!("{other:?}"),
        })
        .collect();
    let all = memory.records.lock().clone();
    let of = |format: &str| {
        all.iter()
            .filter(|r| &*r.format == format)
            .collect::<Vec<_>>()
    };
    let live: Vec<String> = of("asterisk/ari")
        .iter()
        .map(|r| r.id.to_string())
        .collect();
    assert_eq!(live[..captured.len()], captured);
    let gap = String::from_utf8(of("event")[0].bytes.to_vec()).unwrap();
    assert!(
        gap.contains("\"feed\":\"ari\"") && gap.contains("/asterisk/pbx1"),
        "{gap}"
    );
    given.stop.cancel();
    task.await.unwrap();
}

#[tokio::test]
async fn a_refusal_is_said_and_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let (given, _) = given(dir.path());
    let (listener, options) = listener().await;
    tokio::spawn(run(options, given.clone()));
    let (stream, _) = listener.accept().await.unwrap();
    #[allow(clippy::result_large_err)]
    let refuse = |_: &Request, _: Response| -> Result<Response, ErrorResponse> {
        let mut no = ErrorResponse::new(None);
        *no.status_mut() = StatusCode::UNAUTHORIZED;
        Err(no)
    };
    assert!(accept_hdr_async(stream, refuse).await.is_err());
    let said = |words: &str| given.links.problems().iter().any(|p| p.contains(words));
    until("the refusal", || said("refused user and password")).await;
    assert!(!said(PASSWORD));
    // A message beyond every bound ends the connection, and it comes back.
    let mut socket = let_in(&listener).await;
    let _ = socket.send(Message::text("x".repeat(MESSAGE + 1))).await;
    until("the end", || said("the connection broke")).await;
    let _socket = let_in(&listener).await;
    until("another connection", || given.links.problems().is_empty()).await;
    given.stop.cancel();
}

#[tokio::test]
async fn silence_ends_a_connection() {
    let dir = tempfile::tempdir().unwrap();
    let (given, _) = given(dir.path());
    let (listener, mut options) = listener().await;
    options.ping = Duration::from_millis(300);
    tokio::spawn(run(options, given.clone()));
    // It is let in, and nobody reads its pings.
    let _socket = let_in(&listener).await;
    until("the end of patience", || {
        given.links.problems().iter().any(|p| p.contains("silent"))
    })
    .await;
    let _again = let_in(&listener).await;
    given.stop.cancel();
}
