//! Identities of Azure Communication Services: what an identifier names, and by which ids records
//! are of one contact.

use callboard_model::ids::PlatformId;
use callboard_model::statement::Value;
use sha2::{Digest, Sha256};

use super::doc::Doc;
use crate::payload::encoded;

/// Name of the platform.
pub const PLATFORM: &str = "acs";

/// What a raw identifier names. Told by its prefix, since `kind` may be missing or unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// A telephone number, `4:+…`.
    Phone,
    /// A user of the communication service, `8:acs:…`.
    User,
    /// A user of Teams, `8:orgid:…`.
    TeamsUser,
    /// A resource account of Teams: an auto attendant or a call queue, `28:orgid:…`.
    TeamsApp,
    /// A bot, `28:…` otherwise.
    Bot,
    /// Anything else.
    Other,
}

/// What this raw identifier names.
pub fn who(raw: &str) -> Who {
    let starts = |prefixes: &[&str]| prefixes.iter().any(|p| raw.starts_with(p));
    if starts(&["4:"]) {
        Who::Phone
    } else if starts(&["8:orgid:", "8:dod:", "8:gcch:"]) {
        Who::TeamsUser
    } else if starts(&["28:orgid:", "28:dod:", "28:gcch:"]) {
        Who::TeamsApp
    } else if starts(&["28:"]) {
        Who::Bot
    } else if starts(&["8:"]) {
        Who::User
    } else {
        Who::Other
    }
}

/// An address as people write it: a number without the prefix of its identifier.
pub fn address(raw: &str) -> &str {
    raw.strip_prefix("4:").unwrap_or(raw)
}

/// The raw identifier in an identifier object, in the older form that nests it in
/// `communicationIdentifier`, in one without `rawId`, or in a bare text.
pub fn raw_id(d: Doc<'_>) -> String {
    let nested = d.get("communicationIdentifier");
    let d = if nested.is_some() { nested } else { d };
    let bare = d.as_text();
    if !bare.is_empty() {
        return full(bare);
    }
    let raw = d.text("rawId");
    if !raw.is_empty() {
        return full(raw);
    }
    let user = d.get("communicationUser").text("id");
    if !user.is_empty() {
        return full(user);
    }
    let number = d.get("phoneNumber").text("value");
    if !number.is_empty() {
        return format!("4:{number}");
    }
    let teams = d.first(&["microsoftTeamsUser", "teamsExtensionUser"]);
    let teams = teams.text("userId");
    if !teams.is_empty() {
        return format!("8:orgid:{teams}");
    }
    let app = d.get("microsoftTeamsApp").text("appId");
    if app.is_empty() {
        app
    } else {
        format!("28:orgid:{app}")
    }
}

/// The logs of Azure Monitor leave out the `8:`.
fn full(raw: String) -> String {
    if raw.starts_with("acs:") || raw.starts_with("orgid:") {
        format!("8:{raw}")
    } else {
        raw
    }
}

/// The id of this contact centre's contact that has that native id.
pub fn platform_id(instance: &str, native: &str) -> PlatformId {
    PlatformId::new(PLATFORM, instance, native)
}

/// `kind:id`, shortened by a hash where it is very long; nothing for an empty id.
pub fn native(kind: &str, id: &str) -> Option<String> {
    if id.is_empty() {
        return None;
    }
    if id.len() < 200 {
        return Some(format!("{kind}:{id}"));
    }
    let hash = hex(&Sha256::digest(id.as_bytes()));
    Some(format!("{kind}:{}", hash.get(..32).unwrap_or(&hash)))
}

/// As [`native`], but nothing for a GUID of zeros, which stands where nothing is known: calls would
/// become one by it that have nothing to do with each other.
pub fn unique(kind: &str, id: &str) -> Option<String> {
    let zero = id.contains('-') && id.bytes().all(|c| matches!(c, b'0' | b'-'));
    native(kind, id).filter(|_| !zero)
}

/// The native id of a call. A server call id is the base64 text of the address of a conversation;
/// standard and URL alphabets, padded or not, name the same call, so it is compared decoded.
pub fn call(server_call_id: &str) -> Option<String> {
    let decoded = encoded::base64(server_call_id).and_then(|b| String::from_utf8(b).ok());
    let conversation = decoded.as_deref().and_then(|url| {
        let (_, rest) = url.split_once("/conv/")?;
        let end = rest.find(['?', '/', '#']).unwrap_or(rest.len());
        rest.get(..end)
    });
    match conversation {
        Some(id) if !id.is_empty() && id.chars().all(|c| c.is_ascii_graphic()) => {
            native("call", id)
        }
        _ => native("call", &alphabet(server_call_id)),
    }
}

/// Base64 in the URL alphabet and without padding.
fn alphabet(text: &str) -> String {
    let text = text.trim_end_matches('=');
    text.replace('+', "-").replace('/', "_")
}

/// The native id of a chat thread, where the text is the id of one.
pub fn thread(id: &str) -> Option<String> {
    if is_thread(id) {
        native("thread", id)
    } else {
        None
    }
}

/// Whether this is the id of a chat thread, `19:…@thread.v2` or its like.
pub fn is_thread(id: &str) -> bool {
    id.starts_with("19:") && id.contains("@thread") && !id.contains(char::is_whitespace)
}

/// The native id of a conversation with a bot: on the channel of the communication service its
/// id is that of the chat thread.
pub fn conversation(id: &str) -> Option<String> {
    thread(id).or_else(|| native("conversation", id))
}

/// The thread or the call that a free reference names, where it surely names one: the application
/// sets a job's channelReference to a thread id or a server call id.
pub fn reference(text: &str) -> Option<String> {
    thread(text).or_else(|| {
        let decoded = encoded::base64(text).and_then(|b| String::from_utf8(b).ok())?;
        if decoded.starts_with("https://") {
            call(text)
        } else {
            None
        }
    })
}

/// Ids of chat threads that a text of the application carries along, as in an operationContext or
/// a header of a call.
pub fn threads_in(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for word in text.split(|c: char| c.is_whitespace() || "\"',;{}[]()<>|".contains(c)) {
        if let Some(at) = word.find("19:")
            && let Some(id) = word.get(at..).and_then(thread)
            && !found.contains(&id)
        {
            found.push(id);
        }
    }
    found
}

/// Bytes in hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// A text value.
pub fn text(s: &str) -> Value {
    Value::text(s)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_one_whatever_alphabet_its_id_is_in() {
        let url = "aHR0cHM6Ly94L2NvbnYvYT8-Pz9iP2k9MQ";
        let plain = "aHR0cHM6Ly94L2NvbnYvYT8+Pz9iP2k9MQ==";
        assert_eq!(call(url), call(plain));
        assert_eq!(call(url).unwrap(), "call:a");
        assert_eq!(call("{serverCallId}").unwrap(), "call:{serverCallId}");
        assert_eq!(call(""), None);
        assert_eq!(
            unique("correlation", "00000000-0000-0000-0000-000000000000"),
            None
        );
        assert_eq!(unique("correlation", "a-0").unwrap(), "correlation:a-0");
    }

    #[test]
    fn prefixes_tell_who_it_is() {
        assert_eq!(who("4:+15550100"), Who::Phone);
        assert_eq!(who("8:acs:a_b"), Who::User);
        assert_eq!(who("8:orgid:a"), Who::TeamsUser);
        assert_eq!(who("28:orgid:a"), Who::TeamsApp);
        assert_eq!(who("28:a"), Who::Bot);
        assert_eq!(address("4:+15550100"), "+15550100");
    }

    #[test]
    fn only_a_thread_or_a_call_is_a_reference() {
        assert_eq!(reference("test-abc"), None);
        assert_eq!(
            reference("19:a@thread.v2").as_deref(),
            Some("thread:19:a@thread.v2")
        );
        assert_eq!(
            threads_in("{\"thread\":\"19:a@thread.v2\",\"n\":1}"),
            ["thread:19:a@thread.v2"]
        );
    }
}
