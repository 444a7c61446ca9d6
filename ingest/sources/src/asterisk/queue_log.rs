//! Lines of the queue log: `epoch|callid|queue|agent|EVENT|data...`, whole seconds, `|` not
//! escaped.

use callboard_model::record::Refusal;
use callboard_model::time::SECOND;

use super::whole;

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Time, UTC microseconds, whole seconds.
    pub at: i64,
    /// Uniqueid of the caller's channel, or NONE, MANAGER, REALTIME, CLI.
    pub callid: &'a str,
    /// Queue, or NONE.
    pub queue: &'a str,
    /// Member's name (interface in some lines), or NONE.
    pub agent: &'a str,
    /// Event.
    pub event: &'a str,
    /// Data fields; one that is missing reads as empty.
    data: Vec<&'a str>,
}

impl<'a> Line<'a> {
    /// Data field by number from 0; empty when missing.
    pub fn data(&self, n: usize) -> &'a str {
        self.data.get(n).copied().unwrap_or("")
    }

    /// Data field as a whole number.
    pub fn int(&self, n: usize) -> Option<i64> {
        whole(self.data(n))
    }

    /// Data field counted from the end, 0 = last, as a whole number. Attended transfers have one
    /// or two fields before their numbers, so these are counted from behind.
    pub fn int_from_end(&self, n: usize) -> Option<i64> {
        let at = self.data.len().checked_sub(n + 1)?;
        whole(self.data[at])
    }

    /// How many data fields there are.
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// The call it speaks of, if it speaks of one.
    pub fn call(&self) -> Option<&'a str> {
        (!matches!(self.callid, "" | "NONE" | "MANAGER" | "REALTIME" | "CLI"))
            .then_some(self.callid)
    }

    /// The agent, if one is named.
    pub fn member(&self) -> Option<&'a str> {
        (!matches!(self.agent, "" | "NONE")).then_some(self.agent)
    }

    /// Whether the line is about an agent's own state.
    pub fn is_about_agent(&self) -> bool {
        matches!(
            self.event,
            "ADDMEMBER"
                | "REMOVEMEMBER"
                | "PAUSE"
                | "UNPAUSE"
                | "PAUSEALL"
                | "UNPAUSEALL"
                | "AGENTLOGIN"
                | "AGENTLOGOFF"
                | "AGENTCALLBACKLOGIN"
                | "AGENTCALLBACKLOGOFF"
        )
    }

    /// Whether the line says something of a contact.
    pub fn is_about_contact(&self) -> bool {
        matches!(
            self.event,
            "DID"
                | "IVR"
                | "INFO"
                | "ENTERQUEUE"
                | "CONNECT"
                | "COMPLETECALLER"
                | "COMPLETEAGENT"
                | "BLINDTRANSFER"
                | "ATTENDEDTRANSFER"
                | "TRANSFER"
                | "ABANDON"
                | "EXITWITHTIMEOUT"
                | "EXITEMPTY"
                | "EXITWITHKEY"
                | "WITHDRAW"
                | "SYSCOMPAT"
                | "RINGNOANSWER"
                | "RINGCANCELED"
                | "AGENTDUMP"
                | "OVERFLOW"
                | "CALLBACKREQUEST"
                | "OUTCALL"
        )
    }
}

/// Reads one line without its line break.
///
/// # Errors
/// A refusal when there are fewer than five fields or the time is not a number.
pub fn parse(text: &str) -> Result<Line<'_>, Refusal> {
    let mut parts = text.split('|');
    let stamp = parts.next().unwrap_or("");
    let mut next = || {
        parts.next().ok_or_else(|| {
            Refusal::new(
                "not_queue_log",
                "fewer than five fields between |; a queue_log line is time|call|queue|agent|event|data",
            )
        })
    };
    let (callid, queue, agent, event) = (next()?, next()?, next()?, next()?);
    let seconds: i64 = stamp.trim().parse().map_err(|_| {
        Refusal::new(
            "no_time",
            format!("the first field {stamp:?} is not a number of seconds since 1970"),
        )
    })?;
    if event.is_empty() {
        return Err(Refusal::new(
            "not_queue_log",
            "the fifth field, the event, is empty",
        ));
    }
    Ok(Line {
        at: seconds.saturating_mul(SECOND),
        callid,
        queue,
        agent,
        event,
        data: parts.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_an_attended_transfer_are_read_from_the_end() {
        let l =
            parse("1795254155|c.1|support|Emma|ATTENDEDTRANSFER|BRIDGE|9185-51|3|35|1").unwrap();
        assert_eq!((l.int_from_end(2), l.int_from_end(1)), (Some(3), Some(35)));
        let l = parse("1795254155|c.1|support|Emma|ATTENDEDTRANSFER|LINK|a|b|4|36|1").unwrap();
        assert_eq!((l.int_from_end(2), l.int_from_end(1)), (Some(4), Some(36)));
    }

    #[test]
    fn a_line_that_is_none_is_refused_with_its_reason() {
        assert_eq!(parse("").unwrap_err().class, "not_queue_log");
        assert_eq!(parse("soon|a|b|c|D|").unwrap_err().class, "no_time");
        assert_eq!(parse("12|a|b|c||").unwrap_err().class, "not_queue_log");
    }
}
