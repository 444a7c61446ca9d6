//! What was said in a contact, as data: recordings heard together, turns, findings, notes.

use std::sync::Arc;

use crate::audio;
use crate::data::{self, Data, DataError, Row, Rows};
use crate::view::format;

/// Most turns of one page.
const MOST: usize = 5_000;

/// Recordings that share their start and are heard together.
#[derive(Debug, Clone, Default)]
pub struct Track {
    /// Name in the address.
    pub name: String,
    /// Start, UTC microseconds.
    pub started_at: Option<i64>,
    /// Length, milliseconds.
    pub duration_ms: Option<i64>,
    /// Queue and agent named with it.
    pub queue: Option<String>,
    /// Agent named with it.
    pub agent: Option<String>,
    /// A message left in a mailbox.
    pub voicemail: bool,
    /// Whether there is sound.
    pub ready: bool,
    /// Whether a leg waits for transcription, so that nobody knows yet what must be silenced.
    pub waiting: bool,
    /// Why there is no sound or no transcript, in sentences.
    pub gaps: Vec<String>,
    recordings: Vec<String>,
}

/// All that was said in a contact.
#[derive(Debug, Clone)]
pub struct Talk {
    /// Tracks in order of start.
    pub tracks: Vec<Track>,
    /// Turns by start.
    pub turns: Arc<Rows>,
    /// Findings.
    pub tags: Arc<Rows>,
    /// Reviewers' notes.
    pub notes: Arc<Rows>,
}

impl Talk {
    /// Reads what was said in a contact.
    ///
    /// # Errors
    /// When a query fails.
    pub async fn read(from: &dyn Data, id: &str) -> Result<Self, DataError> {
        let key = data::text(id);
        let of = |what: &str, order: &str| {
            format!(
                "SELECT * FROM callboard.{what} WHERE contact_id = {key} ORDER BY {order} LIMIT {MOST}"
            )
        };
        let queries = [
            of("recordings", "started_at NULLS LAST, recording_id"),
            of("turns", "start_ms, seq"),
            of("tags", "start_ms, name"),
            of("notes", "created_at"),
        ];
        let mut rows = futures::future::try_join_all(queries.iter().map(|q| from.rows(q)))
            .await?
            .into_iter();
        let mut next = || rows.next().unwrap_or_default();
        let recordings = next();
        Ok(Talk {
            tracks: tracks(&recordings),
            turns: next(),
            tags: next(),
            notes: next(),
        })
    }

    /// The turns of a track.
    pub fn turns_of<'a>(&'a self, track: &'a Track) -> impl Iterator<Item = Row<'a>> {
        self.turns.iter().filter(|t| {
            track
                .recordings
                .iter()
                .any(|r| t.text("recording_id") == Some(r))
        })
    }

    /// Who speaks on a leg of a track.
    pub fn speaker(&self, track: &Track, leg: &str) -> String {
        match leg {
            "agent" => track.agent.clone().unwrap_or_else(|| "Agent".to_owned()),
            "customer" => "Customer".to_owned(),
            _ => "Both on one channel".to_owned(),
        }
    }
}

/// When the platform had the recording muted, in words.
fn pauses(gaps: Option<&str>) -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct Gap {
        start_ms: f64,
        end_ms: f64,
        #[serde(default)]
        reason: String,
    }
    let gaps: Vec<Gap> = gaps
        .and_then(|g| serde_json::from_str(g).ok())
        .unwrap_or_default();
    let told = |g: &Gap| {
        let why = match g.reason.as_str() {
            "" => String::new(),
            reason => format!(" ({reason})"),
        };
        format!(
            "The recording was paused from {} to {}{why}: nothing was recorded then.",
            format::duration(g.start_ms),
            format::duration(g.end_ms)
        )
    };
    gaps.iter().map(told).collect()
}

/// Why a recording's file holds no sound, where transcription found that; the class of what is
/// wrong with a file stands before the sentence.
pub fn unreadable(recording: &Row<'_>) -> Option<String> {
    const CLASSES: [&str; 6] = [
        "empty",
        "not_audio",
        "no_samples",
        "bad_header",
        "decoder",
        "unsupported_codec",
    ];
    if recording.text("transcript_state") != Some("failed") {
        return None;
    }
    let (class, why) = recording.text("transcript_reason")?.split_once(": ")?;
    CLASSES.contains(&class).then(|| why.to_owned())
}

fn tracks(recordings: &Rows) -> Vec<Track> {
    let mut out: Vec<Track> = Vec::new();
    for r in recordings.iter() {
        let id = r.text("recording_id").unwrap_or_default();
        let name = audio::track(id, r.text("leg").unwrap_or_default());
        let at = out.iter().position(|t| t.name == name).unwrap_or_else(|| {
            out.push(Track {
                name,
                ..Track::default()
            });
            out.len() - 1
        });
        let track = &mut out[at];
        let text = |column: &str| r.text(column).filter(|t| !t.is_empty()).map(str::to_owned);
        track.started_at = track.started_at.or(r.int("started_at"));
        track.duration_ms = track.duration_ms.max(r.int("duration_ms"));
        track.queue = track.queue.take().or(text("queue"));
        track.agent = track.agent.take().or(text("agent"));
        track.voicemail |= r.is("voicemail");
        let broken = unreadable(&r);
        track.ready |= r.text("state") == Some("ready") && broken.is_none();
        track.recordings.push(id.to_owned());
        for pause in pauses(r.text("gaps")) {
            // Both legs were muted at once.
            if !track.gaps.contains(&pause) {
                track.gaps.push(pause);
            }
        }
        let leg = r.text("leg").unwrap_or("recording");
        let why = |column: &str| text(column).map(|w| format!(": {w}")).unwrap_or_default();
        match (r.text("state"), r.text("transcript_state")) {
            (Some("ready"), Some("done")) => {}
            (Some("ready"), _) if broken.is_some() => {
                let why = broken.unwrap_or_default();
                let told = format!("The file of the {leg} leg cannot be read: {why}.");
                track.gaps.push(told);
            }
            (Some("ready"), None) => {
                track.waiting = true;
                track.gaps.push(format!(
                    "The {leg} leg waits for transcription; it can be heard afterwards, since \
                     spoken card numbers are silenced first."
                ));
            }
            (Some("ready"), Some(state)) => {
                track.gaps.push(format!(
                    "The transcript of the {leg} leg is {state}{}.",
                    why("transcript_reason")
                ));
            }
            (state, _) => {
                let state = format::word(state.unwrap_or("unknown"));
                track
                    .gaps
                    .push(format!("The {leg} leg is {state}{}.", why("reason")));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_read_is_no_sound() {
        let track = |reason: &str| {
            let text = |t: &str| crate::data::Value::Text(t.to_owned());
            let pairs = [
                ("recording_id", text("c/agent")),
                ("leg", text("agent")),
                ("state", text("ready")),
                ("transcript_state", text("failed")),
                ("transcript_reason", text(reason)),
            ];
            let rows = Rows {
                columns: pairs.iter().map(|p| p.0.to_owned()).collect(),
                rows: vec![pairs.map(|p| p.1).to_vec()],
                ..Rows::default()
            };
            tracks(&rows).remove(0)
        };
        let broken = track("bad_header: the file's header is broken: 0 channels");
        assert!(!broken.ready && broken.gaps[0].contains("cannot be read: the file's header"));
        assert!(track("the model is missing").ready);
    }

    #[test]
    fn pauses_are_told_in_words() {
        let told = pauses(Some(
            r#"[{"start_ms":13500,"end_ms":28250,"reason":"muted"}]"#,
        ));
        assert_eq!(told.len(), 1);
        assert!(told[0].contains("from 0:14 to 0:28 (muted)"), "{told:?}");
        assert!(pauses(None).is_empty() && pauses(Some("")).is_empty());
    }
}
