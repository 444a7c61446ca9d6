//! Ids of calls.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::simulate::native::Pen;
use crate::simulate::story::Story;

/// What names a call.
pub(super) struct Ids {
    /// The call on the server, for all who are in it.
    pub(super) server: String,
    /// The part of it that names the conversation.
    pub(super) conversation: String,
    pub(super) connection: String,
    pub(super) correlation: String,
}

impl Ids {
    /// Those of a contact's call; each try to reach a customer is a call of its own.
    pub(super) fn of(pen: &Pen<'_>, story: &Story, attempt: usize) -> Ids {
        let n = attempt.to_string();
        let conversation = pen.hex(22, &["conversation", &story.id, &n]);
        let address = format!(
            "https://api.flightproxy.skype.com/api/v2/cp/conv-euwe-01.conv.skype.com/conv/{conversation}?i=10-0-0-1&e={}",
            story.start
        );
        Ids {
            server: URL_SAFE_NO_PAD.encode(address),
            conversation,
            connection: pen.uuid(&["connection", &story.id, &n]),
            correlation: pen.uuid(&["correlation", &story.id, &n]),
        }
    }
}
