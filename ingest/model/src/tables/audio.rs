//! Recordings and their bytes.

use super::spec::{Instant, table};

table! {
    /// One row per recorded leg of a contact.
    RecordingRow => RECORDINGS = "recordings", id "recording_id", sort ["contact_id", "leg"];
    recording_id: String = "Identity of the recording: contact and leg as given when it was put",
    contact_id: String = "Contact, as given; read through aliases",
    leg: String = "agent, customer, both (two channels) or mixed (one channel of both)",
    queue: Option<String> = "Queue named with it",
    agent: Option<String> = "Agent named with it",
    codec: Option<String> = "Codec and container, e.g. wav/pcm_s16, flac, mp3",
    rate: Option<i64> = "Samples per second",
    channels: Option<i64> = "Channels",
    duration_ms: Option<i64> = "Length of the audio, milliseconds",
    bytes: Option<i64> = "Size of the stored original",
    sha256: Option<String> = "Hash of the stored original, hex",
    state: String = "active, paused, ready, absent, failed, deleted; ready ones have audio",
    reason: Option<String> = "Why paused, absent or failed",
    started_at: Option<Instant> = "Start of the recording, UTC",
    ended_at: Option<Instant> = "End, UTC",
    voicemail: bool = "A message left in a mailbox",
    gaps: Option<String> = "Muted spans, JSON array of {start_ms, end_ms, reason}",
    silenced: Option<String> = "Spans silenced in playback (card numbers), JSON array of {start_ms, end_ms, reason}",
    transcript_state: Option<String> = "done, failed or skipped; NULL = not yet",
    transcript_reason: Option<String> = "Why failed or skipped; of a done one what is odd about its audio",
    transcript_model: Option<String> = "Model and rule versions that made the transcript",
    attempts: i64 = "Transcription attempts written down",
}

table! {
    /// One row per part of at most 1 MiB of a recording's original bytes.
    AudioRow => AUDIO = "audio", id "recording_id", sort ["recording_id", "part"];
    recording_id: String = "Recording",
    contact_id: String = "Contact, as given",
    leg: String = "Leg, as given",
    part: i64 = "Order of the part, from 0",
    parts: i64 = "Number of parts",
    bytes: Vec<u8> = "The original bytes of this part",
}
