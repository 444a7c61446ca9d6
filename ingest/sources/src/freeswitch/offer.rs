//! FreeSWITCH's causes and reasons in our words.

/// Outcome of an offer that failed, by its hang-up cause. `taken` tells whether another agent had
/// the caller by then.
pub(super) fn failed(cause: &str, taken: bool) -> &'static str {
    match cause {
        "LOSE_RACE" => "taken_elsewhere",
        "ORIGINATOR_CANCEL" | "PICKED_OFF" if taken => "taken_elsewhere",
        "ORIGINATOR_CANCEL" | "PICKED_OFF" => "caller_left",
        "NO_ANSWER"
        | "NO_USER_RESPONSE"
        | "ALLOTTED_TIMEOUT"
        | "PROGRESS_TIMEOUT"
        | "RECOVERY_ON_TIMER_EXPIRE" => "no_answer",
        "USER_BUSY" => "busy",
        "CALL_REJECTED" | "NORMAL_CLEARING" => "declined",
        "USER_NOT_REGISTERED"
        | "UNALLOCATED_NUMBER"
        | "SUBSCRIBER_ABSENT"
        | "DESTINATION_OUT_OF_ORDER"
        | "NO_ROUTE_DESTINATION"
        | "NETWORK_OUT_OF_ORDER"
        | "GATEWAY_DOWN" => "unreachable",
        _ => "error",
    }
}

/// Outcome of a call out that nobody took, by its hang-up cause.
pub(super) fn dialled(cause: &str) -> &'static str {
    match cause {
        "USER_BUSY" => "busy",
        "ORIGINATOR_CANCEL" => "canceled",
        cause if failed(cause, false) == "no_answer" => "no_answer",
        _ => "failed",
    }
}

/// Outcome of a stay that was canceled, by its reason. A hang-up while waiting is `NONE` or
/// `BREAK_OUT`.
pub(super) fn left(reason: &str) -> &'static str {
    match reason {
        "NONE" | "BREAK_OUT" | "" => "abandoned",
        "TIMEOUT" => "timeout",
        "NO_AGENT_TIMEOUT" => "no_agents",
        "EXIT_WITH_KEY" => "key_exit",
        _ => "unknown",
    }
}
