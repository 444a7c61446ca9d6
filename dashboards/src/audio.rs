//! Sound over HTTP: whole or by ranges, so that a player starts at once and can seek.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use parking_lot::Mutex;

use crate::app::App;
use crate::data;
use crate::error::PageError;
use crate::pages;
use crate::pages::talk::unreadable;
use crate::ports::AudioError;

/// Most bytes of decoded sound kept for the next range of the same file.
const KEPT_BYTES: usize = 192 << 20;
/// Most files kept.
const KEPT_FILES: usize = 8;

/// The last sounds that were asked for, decoded.
#[derive(Default)]
pub struct Cache(Mutex<VecDeque<(Vec<String>, Bytes)>>);

impl Cache {
    fn get(&self, key: &[String]) -> Option<Bytes> {
        self.0
            .lock()
            .iter()
            .find(|(k, _)| k == key)
            .map(|(_, b)| b.clone())
    }

    fn keep(&self, key: Vec<String>, sound: Bytes) {
        let mut kept = self.0.lock();
        kept.retain(|(k, _)| *k != key);
        kept.push_back((key, sound));
        while kept.len() > KEPT_FILES
            || kept.len() > 1 && kept.iter().map(|(_, b)| b.len()).sum::<usize>() > KEPT_BYTES
        {
            kept.pop_front();
        }
    }
}

/// The name of the track a recording belongs to: the two legs of one recording share it, a file
/// that holds both speakers is one of its own. The leg is a part of the recording's id.
pub fn track(recording_id: &str, leg: &str) -> String {
    let mut parts: Vec<&str> = recording_id.split('/').collect();
    if ["agent", "customer"].contains(&leg)
        && let Some(at) = parts.iter().rposition(|p| *p == leg)
        && parts.len() > 1
    {
        parts.remove(at);
    }
    parts.join("/")
}

/// `GET /audio/{contact}.wav?track=NAME`: the sound of one track, the first when none is named.
///
/// # Errors
/// 404 when there is no such recording, 500 when it cannot be decoded.
pub async fn wav(
    State(app): State<Arc<App>>,
    Path(file): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let params = pages::params(query)?;
    let Some(contact) = file.strip_suffix(".wav") else {
        return Err(PageError::missing(
            "Sound is at /audio/CONTACT.wav.",
            "/contacts",
        ));
    };
    let sql = format!(
        "SELECT recording_id, leg, transcript_state, transcript_reason, sha256, silenced, gaps FROM callboard.recordings WHERE contact_id = {} AND state = 'ready' \
         ORDER BY started_at, recording_id LIMIT 200",
        data::text(contact)
    );
    let rows = app.data.rows(&sql).await?;
    let all: Vec<(String, data::Row<'_>)> = rows
        .iter()
        .filter(|r| unreadable(r).is_none())
        .filter_map(|r| {
            let id = r.text("recording_id")?;
            Some((track(id, r.text("leg").unwrap_or_default()), r))
        })
        .collect();
    let name = params
        .get("track")
        .or(all.first().map(|(t, _)| t.as_str()))
        .unwrap_or_default();
    let of_track = || all.iter().filter(|(t, _)| t == name).map(|(_, r)| r);
    let text = |r: &data::Row<'_>, column| r.text(column).unwrap_or_default().to_owned();
    let ids: Vec<String> = of_track().map(|r| text(r, "recording_id")).collect();
    // Another file, or other spans to silence, make another sound.
    let key: Vec<String> = of_track()
        .flat_map(|r| ["recording_id", "sha256", "silenced", "gaps"].map(|c| text(r, c)))
        .collect();
    if ids.is_empty() {
        return Err(PageError::missing(
            format!("The contact {contact:?} has no such recording."),
            "/contacts",
        ));
    }
    let sound = match app.sounds.get(&key) {
        Some(sound) => sound,
        None => {
            let sound = app.audio.wav(contact, &ids).await.map_err(|e| match e {
                AudioError::Absent(why) => PageError::missing(why, "/coverage"),
                AudioError::Failed(why) => {
                    PageError::failed(format!("The recording cannot be played: {why}"))
                }
            })?;
            app.sounds.keep(key, sound.clone());
            sound
        }
    };
    Ok(answer(
        &sound,
        headers.get(header::RANGE).and_then(|v| v.to_str().ok()),
    ))
}

/// The whole file, or the part that `range` asks for.
fn answer(sound: &Bytes, range: Option<&str>) -> Response {
    let length = sound.len();
    let fixed = [
        (header::CONTENT_TYPE, "audio/wav"),
        (header::ACCEPT_RANGES, "bytes"),
    ];
    match range.map(|r| parse(r, length)) {
        None | Some(None) => (fixed, sound.clone()).into_response(),
        Some(Some(Ok((from, to)))) => {
            let part = format!("bytes {from}-{}/{length}", to - 1);
            let body = sound.slice(from..to);
            (
                StatusCode::PARTIAL_CONTENT,
                fixed,
                [(header::CONTENT_RANGE, part)],
                body,
            )
                .into_response()
        }
        Some(Some(Err(()))) => {
            let whole = [(header::CONTENT_RANGE, format!("bytes */{length}"))];
            (StatusCode::RANGE_NOT_SATISFIABLE, whole).into_response()
        }
    }
}

/// Reads a Range header: start and end (not included) of its first range; None when it is not
/// understood, which means the whole file; an error when it lies outside.
fn parse(range: &str, length: usize) -> Option<Result<(usize, usize), ()>> {
    let spec = range.trim().strip_prefix("bytes=")?;
    if spec.contains(',') {
        return None;
    }
    let (from, to) = spec.trim().split_once('-')?;
    let bounds = match (from.trim(), to.trim()) {
        ("", "") => return None,
        ("", last) => {
            let n: usize = last.parse().ok()?;
            (length.saturating_sub(n), if n == 0 { 0 } else { length })
        }
        (from, "") => (from.parse().ok()?, length),
        (from, to) => (
            from.parse().ok()?,
            to.parse::<usize>().ok()?.saturating_add(1).min(length),
        ),
    };
    if !from.trim().is_empty() && !to.trim().is_empty() && bounds.1 <= bounds.0 && bounds.0 < length
    {
        return None;
    }
    Some(if bounds.0 < bounds.1 {
        Ok(bounds)
    } else {
        Err(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        assert_eq!(parse("bytes=0-", 100), Some(Ok((0, 100))));
        assert_eq!(parse("bytes=10-19", 100), Some(Ok((10, 20))));
        assert_eq!(parse("bytes=90-200", 100), Some(Ok((90, 100))));
        assert_eq!(parse("bytes=-30", 100), Some(Ok((70, 100))));
        assert_eq!(parse("bytes=100-", 100), Some(Err(())));
        assert_eq!(parse("bytes=-0", 100), Some(Err(())));
        assert_eq!(parse("bytes=20-10", 100), None);
        assert_eq!(parse("bytes=0-1,5-6", 100), None);
        assert_eq!(parse("lines=1-2", 100), None);
    }

    #[test]
    fn legs_of_one_recording_share_a_track() {
        assert_eq!(
            track("pbx1-17/agent", "agent"),
            track("pbx1-17/customer", "customer")
        );
        assert_eq!(track("pbx1-17/agent", "agent"), "pbx1-17");
        assert_eq!(track("pbx1-17/agent/sales", "agent"), "pbx1-17/sales");
        assert_eq!(track("pbx1-17/customer/sales", "customer"), "pbx1-17/sales");
        assert_eq!(track("pbx1-17/mixed", "mixed"), "pbx1-17/mixed");
        assert_eq!(track("abc", "agent"), "abc");
    }

    #[test]
    fn few_sounds_are_kept() {
        let cache = Cache::default();
        for i in 0..20 {
            cache.keep(vec![i.to_string()], Bytes::from_static(b"x"));
        }
        assert!(cache.get(&["19".to_owned()]).is_some());
        assert!(cache.get(&["0".to_owned()]).is_none());
    }
}
