//! The platform's words in ours. A word that is not known here is kept as it stands beside ours.

/// How a leg belongs to the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kin {
    /// It is part of the same contact.
    Same,
    /// It calls the customer back, later.
    Callback,
    /// It is a contact of its own.
    Apart,
}

/// How a leg that began so belongs to the one before it.
pub(super) fn kin(method: &str) -> Kin {
    match method {
        "INBOUND" | "OUTBOUND" | "API" | "AGENT_REPLY" | "CAMPAIGN_PREVIEW" => Kin::Apart,
        m if m.starts_with("CALLBACK") => Kin::Callback,
        _ => Kin::Same,
    }
}

/// Whether somebody of the centre dials a customer.
pub(super) fn dials(method: &str, channel: &str) -> bool {
    match method {
        "OUTBOUND"
        | "EXTERNAL_OUTBOUND"
        | "CAMPAIGN_PREVIEW"
        | "CALLBACK"
        | "CALLBACK_CUSTOMER_FIRST_DIALED" => channel == "voice",
        "API" => channel == "voice",
        _ => false,
    }
}

/// The channel, from the platform's and from the subtype of its contact.
pub(super) fn channel(channel: &str, subtype: &str) -> &'static str {
    let subtype = subtype.to_ascii_lowercase();
    match subtype.strip_prefix("connect:").unwrap_or(&subtype) {
        "sms" => return "sms",
        "whatsapp" => return "whatsapp",
        "apple" => return "social",
        _ => {}
    }
    match channel {
        "VOICE" | "TELEPHONY" => "voice",
        "CHAT" => "chat",
        // The agent stream writes TASKS.
        "TASK" | "TASKS" => "task",
        "EMAIL" => "email",
        "SMS" => "sms",
        "" => "",
        _ => "other",
    }
}

/// The direction of a contact that began so.
pub(super) fn direction(method: &str, channel: &str, stated: &str) -> &'static str {
    match stated {
        "INBOUND" => return "inbound",
        "OUTBOUND" => return "outbound",
        _ => {}
    }
    match method {
        "INBOUND" | "WEBRTC_API" => "inbound",
        "OUTBOUND" | "EXTERNAL_OUTBOUND" | "CAMPAIGN_PREVIEW" | "AGENT_REPLY" => "outbound",
        m if m.starts_with("CALLBACK") => "outbound",
        // A customer's chat begins by a call of the interface; a call that begins so is dialled.
        "API" if channel == "voice" => "outbound",
        "API" if channel != "task" => "inbound",
        _ => "",
    }
}

/// Who ended a leg.
pub(super) fn ended_by(reason: &str, outbound: bool) -> &'static str {
    match reason {
        "" => "",
        "CUSTOMER_DISCONNECT" | "CUSTOMER_NEVER_ARRIVED" => "customer",
        "AGENT_DISCONNECT"
        | "AGENT_COMPLETED"
        | "BARGED"
        | "TRANSFERRED"
        | "DISCARDED"
        | "OUTBOUND_PREVIEW_DISCARDED"
        | "OUTBUND_PREVIEW_DISCARDED" => "agent",
        "TELECOM_ORIGINATOR_CANCEL" if outbound => "agent",
        "TELECOM_ORIGINATOR_CANCEL" => "customer",
        "CONTACT_FLOW_DISCONNECT"
        | "EXPIRED"
        | "IDLE_DISCONNECT"
        | "API"
        | "TELECOM_BUSY"
        | "TELECOM_UNANSWERED"
        | "TELECOM_TIMEOUT"
        | "TELECOM_NUMBER_INVALID" => "system",
        "AGENT_NETWORK_DISCONNECT"
        | "CUSTOMER_CONNECTION_NOT_ESTABLISHED"
        | "SYSTEM_ERROR"
        | "TELECOM_PROBLEM"
        | "TELECOM_POTENTIAL_BLOCKING"
        | "OUTBOUND_DESTINATION_ENDPOINT_ERROR"
        | "OUTBOUND_RESOURCE_ERROR"
        | "OUTBOUND_ATTEMPT_FAILED" => "platform",
        _ => "unknown",
    }
}

/// What became of a dialling that is over, from how the leg ended and what a machine that listens
/// for machines heard.
pub(super) fn dialled(reached: bool, reason: &str, heard: &str) -> &'static str {
    match heard {
        "VOICEMAIL_BEEP" | "VOICEMAIL_NO_BEEP" | "FAX_MACHINE_DETECTED" => return "machine",
        "SIT_TONE_BUSY" => return "busy",
        "AMD_UNANSWERED" => return "no_answer",
        h if h.starts_with("SIT_TONE") => return "failed",
        _ => {}
    }
    match reason {
        "TELECOM_BUSY" => "busy",
        "TELECOM_UNANSWERED" | "TELECOM_TIMEOUT" | "CUSTOMER_NEVER_ARRIVED" => "no_answer",
        "TELECOM_NUMBER_INVALID"
        | "TELECOM_POTENTIAL_BLOCKING"
        | "OUTBOUND_DESTINATION_ENDPOINT_ERROR"
        | "OUTBOUND_RESOURCE_ERROR"
        | "OUTBOUND_ATTEMPT_FAILED"
        | "SYSTEM_ERROR" => "failed",
        _ if reached => "answered",
        "TELECOM_ORIGINATOR_CANCEL"
        | "EXPIRED"
        | "OUTBOUND_PREVIEW_DISCARDED"
        | "OUTBUND_PREVIEW_DISCARDED"
        | "AGENT_DISCONNECT"
        | "CONTACT_FLOW_DISCONNECT"
        | "API" => "canceled",
        _ => "failed",
    }
}

/// What became of a stay in a queue that no agent ended and that led nowhere.
pub(super) fn left_queue(reason: &str) -> &'static str {
    match reason {
        // The flow that plays while the customer waits put an end to it.
        "CONTACT_FLOW_DISCONNECT" | "EXPIRED" | "IDLE_DISCONNECT" => "timeout",
        "API" | "DISCARDED" | "AGENT_COMPLETED" => "withdrawn",
        "SYSTEM_ERROR" | "TELECOM_PROBLEM" => "error",
        _ => "abandoned",
    }
}

/// What became of the time in a flow that led to no queue and to nobody.
pub(super) fn left_flow(reason: &str) -> &'static str {
    match reason {
        "CUSTOMER_DISCONNECT" | "CUSTOMER_NEVER_ARRIVED" | "TELECOM_ORIGINATOR_CANCEL" => "hangup",
        "EXPIRED" | "IDLE_DISCONNECT" => "timeout",
        "SYSTEM_ERROR" | "TELECOM_PROBLEM" => "error",
        // The flow came to its own end.
        "CONTACT_FLOW_DISCONNECT" | "API" => "selected",
        _ => "hangup",
    }
}

/// Whether a talk was cut off.
pub(super) fn dropped(reason: &str) -> bool {
    matches!(
        reason,
        "TELECOM_PROBLEM" | "AGENT_NETWORK_DISCONNECT" | "SYSTEM_ERROR"
    )
}

/// State of an agent, and the reason where it is a break of his own choice.
pub(super) fn agent_state(kind: &str, name: &str) -> &'static str {
    match (kind, name.to_ascii_lowercase().as_str()) {
        (_, "error") => "other",
        ("OFFLINE", _) => "offline",
        ("ROUTABLE", _) => "available",
        ("CUSTOM", _) => "paused",
        (_, "offline") => "offline",
        (_, "available" | "routable") => "available",
        (_, n) if n.contains("missed") => "missed",
        (_, "") => "unknown",
        _ => "paused",
    }
}
