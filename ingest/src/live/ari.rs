//! Asterisk's REST interface (ARI): its events over a WebSocket.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use callboard_sources::asterisk::{Feed, instance_source};
use callboard_sources::lines::{Kind, LineReader};
use futures::{SinkExt as _, StreamExt as _};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::connect_async_with_config;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use url::Url;

use super::Given;
use super::ami::Hidden;
use super::backoff::Backoff;
use super::hand::{candidates, submit};
use super::link::Link;

/// Longest message, bytes: as the longest record.
const MESSAGE: usize = callboard_model::record::MAX_RECORD_BYTES;
/// Messages handed in together at most.
const TOGETHER: usize = 1000;
/// Waits before the next attempt: the first, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));
/// A connection that lasted so long was a good one.
const GOOD: Duration = Duration::from_secs(60);

/// How the REST interface is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AriOptions {
    /// Our name for this Asterisk.
    pub instance: String,
    /// Its address, `http://host:8088/ari` or with `https`.
    pub url: Url,
    /// Application as which we subscribe to everything.
    pub app: String,
    /// User of `ari.conf`.
    pub user: String,
    /// His password.
    pub password: Hidden,
    /// How often the other end is asked for a sign of life; without one for thrice as long the
    /// connection is given up.
    pub ping: Duration,
}

impl AriOptions {
    /// Where its events are: `ws://host:8088/ari/events?app=...&subscribeAll=true`. The password
    /// goes in a header, so that no log of addresses holds it.
    fn events(&self) -> Option<Url> {
        let mut url = self.url.clone();
        let scheme = match url.scheme() {
            "https" | "wss" => "wss",
            _ => "ws",
        };
        url.set_scheme(scheme).ok()?;
        url.path_segments_mut().ok()?.pop_if_empty().push("events");
        url.query_pairs_mut()
            .clear()
            .append_pair("app", &self.app)
            .append_pair("subscribeAll", "true");
        Some(url)
    }
}

/// Listens until told to stop.
pub async fn run(options: AriOptions, given: Given) {
    let name = format!("ari {}", options.instance);
    let instance = instance_source(&options.instance).to_string();
    let mut link = Link::open(&given, name, instance, "ari");
    let mut lines = LineReader::new(Kind::Asterisk(Feed::Ari), &options.instance, "", &[]);
    let mut backoff = Backoff::new(WAITS.0, WAITS.1);
    loop {
        let began = Instant::now();
        let ended = tokio::select! {
            biased;
            () = given.stop.cancelled() => None,
            why = listen(&options, &given, &mut link, &mut lines) => why.err(),
        };
        match ended {
            Some(why) => link.down(&why),
            None => return link.save(),
        }
        if began.elapsed() > GOOD {
            backoff.reset();
        }
        if !backoff.wait(&given.stop).await {
            return;
        }
    }
}

/// Connects and listens until the connection ends, which is an error, or the server does.
async fn listen(
    options: &AriOptions,
    given: &Given,
    link: &mut Link,
    lines: &mut LineReader,
) -> Result<(), String> {
    let patience = options.ping * 3;
    let url = options.events().ok_or("its url cannot be used")?;
    let mut request = url
        .as_str()
        .into_client_request()
        .map_err(|e| e.to_string())?;
    let login = STANDARD.encode(format!("{}:{}", options.user, options.password.0));
    let mut login = HeaderValue::try_from(format!("Basic {login}")).map_err(|e| e.to_string())?;
    login.set_sensitive(true);
    request.headers_mut().insert(header::AUTHORIZATION, login);
    let config = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE))
        .max_frame_size(Some(MESSAGE));
    let connected = timeout(
        patience,
        connect_async_with_config(request, Some(config), true),
    );
    let (mut socket, _) = match connected.await {
        Err(_) => return Err(format!("{} does not answer", options.url)),
        Ok(Err(error)) => return Err(refused(&options.url, &error)),
        Ok(Ok(connected)) => connected,
    };
    link.up().await;
    let mut silent_at = Instant::now() + patience;
    let mut ping_at = Instant::now() + options.ping;
    loop {
        if Instant::now() >= ping_at {
            ping_at = Instant::now() + options.ping;
            let asked = timeout(patience, socket.send(Message::Ping(Vec::new().into()))).await;
            asked
                .map_err(|_| "it takes nothing more".to_owned())?
                .map_err(|e| format!("the connection broke: {e}"))?;
        }
        let Ok(first) = timeout_at(ping_at.min(silent_at), socket.next()).await else {
            if Instant::now() >= silent_at {
                return Err(format!("it was silent for {patience:?}"));
            }
            continue;
        };
        // What has come already is handed in together.
        let mut messages = vec![first];
        while messages.len() < TOGETHER
            && let Some(more) = futures::FutureExt::now_or_never(socket.next())
        {
            let end = !matches!(more, Some(Ok(_)));
            messages.push(more);
            if end {
                break;
            }
        }
        silent_at = Instant::now() + patience;
        let received_at = given.intake.now();
        let mut new = Vec::new();
        let mut ended = None;
        for message in messages {
            let text = match message {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Close(_))) | None => {
                    ended.get_or_insert("it closed the connection".to_owned());
                    continue;
                }
                Some(Ok(_)) => continue,
                Some(Err(e)) => {
                    ended.get_or_insert(format!("the connection broke: {e}"));
                    continue;
                }
            };
            // A line break can only stand between members; `pretty = yes` puts some there.
            let mut line = text.replace(['\r', '\n'], " ");
            line.push('\n');
            new.extend(candidates(
                lines.push(line.as_bytes()),
                received_at,
                &given.limits,
            ));
        }
        if !new.is_empty() {
            match submit(&*given.intake, new, &given.limits, &given.stop).await {
                Some(tally) => link.count(tally),
                None => return Ok(()),
            }
        }
        if let Some(why) = ended {
            return Err(why);
        }
        link.heard(received_at);
    }
}

fn refused(url: &Url, error: &Error) -> String {
    match error {
        Error::Http(answer) if answer.status().as_u16() == 401 => {
            format!("{url} refused user and password; see [user] in ari.conf")
        }
        Error::Http(answer) => format!(
            "{url} answered {}; is ARI enabled in ari.conf and http.conf?",
            answer.status()
        ),
        other => format!("{url}: {other}"),
    }
}

#[cfg(test)]
#[path = "ari_tests.rs"]
mod tests;
