//! Genesys' words in ours.

/// Channel of a media type, in whatever case; `sub` is the provider or message type, which tells
/// what kind of message it is.
pub fn channel(media: &str, sub: &str) -> &'static str {
    let sub = sub.to_ascii_lowercase();
    match media.to_ascii_lowercase().as_str() {
        "" | "unknown" => "",
        "voice" | "call" | "callback" => "voice",
        "chat" => "chat",
        "email" => "email",
        "video" | "cobrowse" | "screenshare" => "video",
        "workitem" | "task" => "task",
        "sms" => "sms",
        "whatsapp" => "whatsapp",
        "social" | "socialexpression" | "facebook" | "twitter" | "line" | "instagram" => "social",
        "message" if sub.contains("whatsapp") => "whatsapp",
        "message" if sub.contains("sms") => "sms",
        "message"
            if ["facebook", "twitter", "line", "instagram"]
                .iter()
                .any(|s| sub.contains(s)) =>
        {
            "social"
        }
        "message" | "webmessaging" => "chat",
        _ => "other",
    }
}

/// Direction; `UNKNOWN` says nothing.
pub fn direction(word: &str) -> &'static str {
    match word.to_ascii_lowercase().as_str() {
        "inbound" => "inbound",
        "outbound" => "outbound",
        "internal" => "internal",
        _ => "",
    }
}

/// A number or address without the scheme before it.
pub fn address(given: &str) -> &str {
    let bare = given
        .strip_prefix("tel:")
        .or_else(|| given.strip_prefix("sip:"))
        .unwrap_or(given);
    bare.split(';').next().unwrap_or(bare)
}

/// A disconnect type as one word: `transfer.consult` of live conversations is `consulttransfer`
/// of records.
fn plain(disconnect: &str) -> String {
    let mut word: String = disconnect
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    word.make_ascii_lowercase();
    word
}

/// Whether it says that the session was handed on.
pub fn is_transfer(disconnect: &str) -> bool {
    plain(disconnect).contains("transfer")
}

/// Whether it says that something broke.
pub fn is_error(disconnect: &str) -> bool {
    matches!(plain(disconnect).as_str(), "error" | "transportfailure")
}

/// Who ended the contact, by the customer's own session.
pub fn ended_by_customers(disconnect: &str) -> &'static str {
    match plain(disconnect).as_str() {
        "" => "",
        "client" | "endpoint" => "customer",
        "peer" => "agent",
        "system" | "timeout" | "inactivity" | "sessionexpired" | "spam" | "error"
        | "transportfailure" | "uncallable" => "system",
        word if word.contains("transfer") => "",
        _ => "unknown",
    }
}

/// Who ended a talk, by the agent's session.
pub fn ended_by_agents(disconnect: &str) -> &'static str {
    match plain(disconnect).as_str() {
        "" => "",
        "client" | "endpoint" => "agent",
        "peer" => "customer",
        "system" | "timeout" | "inactivity" | "sessionexpired" | "spam" | "error"
        | "transportfailure" | "takeover" => "system",
        word if word.contains("transfer") => "agent",
        _ => "unknown",
    }
}

/// Outcome of an offer that was not taken.
pub fn missed(disconnect: &str) -> &'static str {
    match plain(disconnect).as_str() {
        "" => "",
        "client" | "dndendpoint" | "dndtransfer" | "endpointdnd" | "transferdnd" => "declined",
        "peer" => "caller_left",
        "notavailabletransfer" | "transfernotavailable" | "uncallable" => "unreachable",
        "error" | "transportfailure" => "error",
        _ => "no_answer",
    }
}

/// Outcome of a stay that no metric explains.
pub fn left_queue(disconnect: &str) -> &'static str {
    match plain(disconnect).as_str() {
        "peer" | "client" | "endpoint" => "abandoned",
        "error" | "transportfailure" => "error",
        "timeout" => "timeout",
        _ => "",
    }
}

/// Outcome of a stay that flowed out, by the word for where to.
pub fn flow_out(kind: &str) -> &'static str {
    let kind = plain(kind);
    if kind.contains("voicemail") {
        "voicemail"
    } else if kind.contains("callback") {
        "callback"
    } else if kind.contains("timeout") {
        "timeout"
    } else {
        ""
    }
}

/// Outcome of a dial that nobody answered.
pub fn not_dialled(disconnect: &str) -> &'static str {
    match plain(disconnect).as_str() {
        "" => "",
        "noanswertransfer" | "timeout" => "no_answer",
        "client" | "peer" => "canceled",
        _ => "failed",
    }
}

/// Outcome of a menu or bot by the reason for which its flow ended.
pub fn flow_end(bot: bool, reason: &str) -> &'static str {
    let reason = plain(reason);
    let transfer = reason.contains("transfer");
    match (bot, reason.as_str()) {
        (_, "") => "",
        (_, r) if r.contains("error") => "error",
        (true, _) if transfer => "escalated",
        (false, _) if transfer => "transferred",
        (_, r) if r.contains("timeout") => "timeout",
        (true, r) if r.contains("flow") => "contained",
        (_, r) if r.contains("disconnect") => "hangup",
        _ => "",
    }
}

/// State of an agent's presence: whether he takes contacts of queues. All but `On Queue` and
/// `Offline` is a pause, with the presence as its reason.
pub fn presence(word: &str) -> &'static str {
    match plain(word).as_str() {
        "" => "",
        "offline" => "offline",
        "onqueue" => "available",
        "available" | "away" | "busy" | "idle" | "meal" | "training" | "meeting" | "break"
        | "outofoffice" => "paused",
        _ => "unknown",
    }
}

/// State of the device track, of a routing status.
pub fn routing(word: &str) -> &'static str {
    match plain(word).as_str() {
        "" => "",
        "offqueue" | "empty" => "offline",
        "idle" => "available",
        "interacting" | "communicating" => "busy",
        "notresponding" => "missed",
        _ => "unknown",
    }
}
