//! Microsoft's words and ours. Every list is open: a word that is not here is kept as it is and
//! read as far as the rest tells.

/// What became of a visit to an auto attendant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MenuEnd {
    /// Our outcome of the menu; empty = not told.
    pub outcome: &'static str,
    /// Where it led; empty = nowhere.
    pub target_kind: &'static str,
    /// Target where the word names one.
    pub target: &'static str,
    /// Who ended it; empty = not told.
    pub ended_by: &'static str,
}

/// The end of a menu, by its result and the action that went with it. The action is the finer word:
/// an external number stands in it alone, and the template of 2022 counted queues as users.
pub fn menu_end(result: &str, action: &str) -> MenuEnd {
    let result = result.to_ascii_lowercase();
    let to = |target_kind, target| MenuEnd {
        outcome: "transferred",
        target_kind,
        target,
        ended_by: "",
    };
    let over = |outcome, ended_by| MenuEnd {
        outcome,
        target_kind: if ended_by == "system" {
            "disconnect"
        } else {
            ""
        },
        target: "",
        ended_by,
    };
    let mut end = match result.as_str() {
        "transferred_to_operator" | "transferred_to_receptionist" | "failover_to_operator" => {
            to("person", "operator")
        }
        "transferred_to_cq" | "transfer_in_progress" => to("voice_app", ""),
        "transferred_to_user" | "transferred_to_self" => to("person", ""),
        "transferred_to_shared_voicemail" => to("shared_voicemail", ""),
        "user_terminated" => over("hangup", "customer"),
        "service_terminated" | "terminated_automatic_selection" => over("hangup", "system"),
        "terminated_no_operator" | "terminated_transfer_failed" => over("error", "system"),
        "failed_to_establish_media"
        | "oaa_chain_too_long"
        | "oaa_session_too_long"
        | "service_declined" => over("error", "platform"),
        other if other.starts_with("transferred_to") => to("other", ""),
        _ => MenuEnd::default(),
    };
    if end.outcome == "transferred" {
        match action_kind(action) {
            "" => {}
            kind => end.target_kind = kind,
        }
    }
    end
}

/// Where a transfer of an auto attendant went, by its action.
fn action_kind(action: &str) -> &'static str {
    match plain(action).as_str() {
        "cq" | "huntgroup" | "aa" | "orgaa" | "application" => "voice_app",
        "externalpstn" => "external",
        "sharedvoicemail" => "shared_voicemail",
        "user" => "person",
        _ => "",
    }
}

/// How a caller used an auto attendant: dtmf, speech or directory; empty = not at all or not told.
pub fn menu_input(flow: &str, search: &str) -> &'static str {
    let search = search.to_ascii_lowercase();
    match flow.to_ascii_lowercase().as_str() {
        "abs_search" => "directory",
        _ if search.starts_with("abs_search") => "directory",
        "speech_input_confirmation" => "speech",
        "user_selection" => "dtmf",
        _ => "",
    }
}

/// How a directory was searched: speech or dtmf; empty = not told.
pub fn search_mode(search: &str) -> &'static str {
    let search = search.to_ascii_lowercase();
    if search.contains("voice") {
        "speech"
    } else if search.contains("dtmf") || search.contains("extension") {
        "dtmf"
    } else {
        ""
    }
}

/// What became of a stay in a queue: our outcome.
///
/// `disconnected` is a caller who hung up where the target is Disconnect (the template's own rule)
/// or was not asked for; with another target a rule of the queue ended it, and which one the final
/// action may tell.
pub fn stay_outcome(result: &str, target: Option<&str>, action: &str) -> &'static str {
    match result.to_ascii_lowercase().as_str() {
        "agent_joined_conference" | "transferred_to_agent" => "answered",
        "transferred_to_callback_caller" | "callback_call_timed_out" => "callback",
        "overflown" => "overflow",
        "timed_out" => "timeout",
        "no_agent" => "no_agents",
        "disconnected" => match (target.map(plain).as_deref(), plain(action).as_str()) {
            (None | Some("disconnect"), _) => "abandoned",
            (_, "disconnect") => "timeout",
            (_, "disconnectwithbusy") => "overflow",
            _ => "unknown",
        },
        "declined" | "error" | "failed" | "invalid" => "error",
        _ => "unknown",
    }
}

/// The result behind a legend, as text or as the template's code.
pub fn result_of_legend(legend: &str) -> &'static str {
    match plain(legend).as_str() {
        "4001" | "agentanswered" => "agent_joined_conference",
        "agentansweredcallback" => "transferred_to_callback_caller",
        "4002" | "overflowed" => "overflown",
        "4003" | "timedout" => "timed_out",
        "timedoutcallback" => "callback_call_timed_out",
        "4004" | "noagents" => "no_agent",
        "abandoned" => "disconnected",
        _ => "",
    }
}

/// Whether a rule of the queue sent the caller on or away.
pub fn is_redirection(outcome: &str) -> bool {
    matches!(outcome, "overflow" | "timeout" | "no_agents")
}

/// Where a redirection of a queue led: no target is a disconnection.
pub fn redirected_to(target: &str, action: &str) -> &'static str {
    match (plain(target).as_str(), plain(action).as_str()) {
        ("mailbox", "voicemail") => "person",
        ("", "sharedvoicemail") | ("mailbox", _) => "shared_voicemail",
        ("" | "disconnect", _) => "disconnect",
        ("user", _) => "person",
        ("applicationendpoint" | "configurationendpoint", _) => "voice_app",
        ("phone", _) => "external",
        _ => "other",
    }
}

/// The mailbox that a queue sent the caller to: shared or personal; empty = none.
pub fn mailbox(target: &str, action: &str) -> &'static str {
    match (plain(target).as_str(), plain(action).as_str()) {
        (_, "sharedvoicemail") => "shared",
        (_, "voicemail") => "personal",
        ("mailbox", _) => "shared",
        _ => "",
    }
}

/// How the call came in: the template's codes as words.
pub fn connectivity(word: &str) -> String {
    match word {
        "8600" => "CallingPlan",
        "8601" => "DirectRouting",
        "8602" => "OperatorConnect",
        "8610" => "ACS Call",
        other => other,
    }
    .to_owned()
}

fn plain(word: &str) -> String {
    super::read::plain(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_counted_as_a_user_is_a_voice_application() {
        assert_eq!(menu_end("transferred_to_user", "").target_kind, "person");
        assert_eq!(
            menu_end("transferred_to_user", "hunt_group").target_kind,
            "voice_app"
        );
        assert_eq!(
            menu_end("transferred_to_user", "external_pstn").target_kind,
            "external"
        );
    }

    #[test]
    fn disconnected_is_read_with_its_target() {
        assert_eq!(
            stay_outcome("disconnected", Some("Disconnect"), ""),
            "abandoned"
        );
        assert_eq!(stay_outcome("disconnected", None, ""), "abandoned");
        assert_eq!(
            stay_outcome("disconnected", Some(""), "disconnect"),
            "timeout"
        );
        assert_eq!(stay_outcome("disconnected", Some("User"), ""), "unknown");
        assert_eq!(stay_outcome("teleported", None, ""), "unknown");
    }
}
