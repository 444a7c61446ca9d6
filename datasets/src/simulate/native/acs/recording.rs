//! Recordings: their states as Call Automation calls them back, their files as Event Grid tells them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::calls::Call;
use super::event;
use crate::simulate::native::millis;
use crate::simulate::story::Story;

/// A minute and a half until a recording's file is there, milliseconds.
const FILE_AFTER: i64 = 90_000;

/// A recording: it begins with the first talk, ends with the call, and its file is there later.
pub(super) fn recording(call: &mut Call<'_, '_>, story: &Story, start: i64) {
    let of = &call.ids.conversation.clone();
    let id = URL_SAFE_NO_PAD.encode(
        json!({
            "PlatformEndpointId": call.pen.uuid(&["endpoint", of]),
            "ResourceSpecificId": call.pen.uuid(&["recording", of]),
        })
        .to_string(),
    );
    let from = format!(
        "calling/recordings/{}/{id}/RecordingStateChanged",
        call.ids.server
    );
    // The recorder has a connection of its own.
    let recorder = call.pen.uuid(&["recorder", of]);
    for (at, state) in [(start, "active"), (story.end, "inactive")] {
        let data = json!({
            "recordingId": id,
            "state": state,
            "startDateTime": millis(start),
            "recordingKind": "azureCommunicationServices",
        });
        call.post("RecordingStateChanged", at, &from, &recorder, data);
    }
    let document = format!("0-eus-d1-{}", call.pen.hex(32, &["document", of]));
    let storage = format!("https://storage.asm.skype.com/v1/objects/{document}");
    let data = json!({
        "recordingStorageInfo": {"recordingChunks": [{
            "documentId": document,
            "index": 0,
            "endReason": "SessionEnded",
            "contentLocation": format!("{storage}/content/audio"),
            "metadataLocation": format!("{storage}/content/acsmetadata"),
            "deleteLocation": storage,
        }]},
        "recordingStartTime": millis(start),
        "recordingDurationMs": story.end - start,
        "recordingContentType": "Audio",
        "recordingChannelType": "Unmixed",
        "recordingFormatType": "Wav",
        "sessionEndReason": "CallEnded",
    });
    let subject = format!(
        "/recording/call/{}/serverCallId/{}/recordingId/{id}",
        call.ids.correlation, call.ids.server
    );
    let at = story.end + FILE_AFTER;
    event(call.pen, "RecordingFileStatusUpdated", at, &subject, data);
}
