//! Events of the Asterisk REST interface (ARI), one JSON object a line, read in the words of the
//! manager interface, so that one reader makes statements of both.
//!
//! What ARI does not say is not concluded: it has no queue events, so there are no stays, offers or
//! members, and a channel carries no linkedid (unless `channelvars = CHANNEL(linkedid)` in `ari.conf`
//! puts it there). Channels of one call are joined by what names them together: a dial, a transfer,
//! and a bridge that is no waiting room (`holding`).
//!
//! A channel that is created in state `Ring` and is no half of a Local channel calls in; others are
//! called. A call that comes in from a trunk's context, or is handed to an application, is a contact.

use std::borrow::Cow;

use callboard_model::record::Refusal;
use callboard_model::time::parse_rfc3339;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::ami::Event;

/// Most other channels of a bridge that are looked at; a call has few.
const MOST_PARTIES: usize = 64;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Said {
    #[serde(rename = "type")]
    kind: String,
    timestamp: String,
    channel: Option<Channel>,
    caller: Option<Channel>,
    peer: Option<Channel>,
    transferee: Option<Channel>,
    transfer_target: Option<Channel>,
    transferer_first_leg: Option<Channel>,
    transferer_second_leg: Option<Channel>,
    replace_channel: Option<Channel>,
    bridge: Option<Bridge>,
    recording: Option<Recording>,
    cause: Option<i64>,
    digit: String,
    duration_ms: Option<i64>,
    dialstatus: String,
    exten: String,
    context: String,
    result: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Channel {
    id: String,
    name: String,
    state: String,
    caller: Caller,
    dialplan: Dialplan,
    channelvars: Map<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Caller {
    name: String,
    number: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Dialplan {
    context: String,
    exten: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Bridge {
    id: String,
    bridge_type: String,
    channels: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Recording {
    target_uri: String,
}

impl Channel {
    /// Whether somebody calls on it, as far as its first state tells.
    fn calls_in(&self) -> bool {
        self.state == "Ring" && !self.name.starts_with("Local/")
    }

    fn linkedid(&self) -> &str {
        let named = ["CHANNEL(linkedid)", "linkedid"]
            .iter()
            .find_map(|name| self.channelvars.get(*name)?.as_str());
        named.filter(|id| !id.is_empty()).unwrap_or_default()
    }
}

/// Reads one event.
///
/// # Errors
/// A refusal when it is no JSON object with `type` and a readable `timestamp`.
pub fn parse(text: &str) -> Result<Event<'static>, Refusal> {
    let said: Said = serde_json::from_str(text).map_err(|e| {
        Refusal::new(
            "not_json",
            format!("not an event of the REST interface in JSON: {e}"),
        )
    })?;
    if said.kind.is_empty() {
        return Err(Refusal::new(
            "not_ari",
            "the object has no type; each line must be one event of the REST interface",
        ));
    }
    let (at, precision) = time(&said.timestamp).ok_or_else(|| {
        Refusal::new(
            "no_time",
            format!(
                "timestamp \"{}\" is no time such as 2026-02-03T04:05:06.789+0100",
                said.timestamp.chars().take(64).collect::<String>()
            ),
        )
    })?;
    Ok(Event::new(at, precision.max(1), headers(said)))
}

/// Asterisk writes the offset without colon.
fn time(text: &str) -> Option<(i64, u32)> {
    let offset = text.len().checked_sub(5)?;
    let (head, tail) = text.split_at_checked(offset)?;
    let bare = tail.starts_with(['+', '-']) && tail.bytes().skip(1).all(|b| b.is_ascii_digit());
    if bare {
        let (hours, minutes) = tail.split_at_checked(3)?;
        return parse_rfc3339(&format!("{head}{hours}:{minutes}"));
    }
    parse_rfc3339(text)
}

type Headers = Vec<(Cow<'static, str>, Cow<'static, str>)>;

/// Headers as the manager interface would name them.
#[derive(Default)]
struct Named(Headers);

impl Named {
    fn add(&mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> &mut Self {
        let value = value.into();
        if !value.is_empty() {
            self.0.push((name.into(), value));
        }
        self
    }

    /// A channel under a prefix; the first one has none.
    fn channel(&mut self, prefix: &str, channel: Option<Channel>) -> &mut Self {
        let Some(channel) = channel else {
            return self;
        };
        let linkedid = channel.linkedid().to_owned();
        for (name, value) in [
            ("Channel", channel.name),
            ("Uniqueid", channel.id),
            ("Linkedid", linkedid),
            ("CallerIDNum", channel.caller.number),
            ("CallerIDName", channel.caller.name),
            ("Context", channel.dialplan.context),
            ("Exten", channel.dialplan.exten),
        ] {
            if !value.is_empty() {
                self.0
                    .push((format!("{prefix}{name}").into(), value.into()));
            }
        }
        self
    }

    /// A bridge, and who else is in it, unless it is a room in which strangers wait.
    fn bridge(&mut self, bridge: Option<Bridge>) -> &mut Self {
        let Some(bridge) = bridge else {
            return self;
        };
        if bridge.bridge_type != "holding" {
            for id in bridge.channels.into_iter().take(MOST_PARTIES) {
                self.add("PartyUniqueid", id);
            }
        }
        self.add("BridgeUniqueid", bridge.id)
    }
}

fn headers(said: Said) -> Headers {
    let mut out = Named::default();
    let calls_in = said.channel.as_ref().is_some_and(Channel::calls_in);
    let event = match said.kind.as_str() {
        "ChannelCreated" => "Newchannel",
        "ChannelDestroyed" => "Hangup",
        "ChannelEnteredBridge" => "BridgeEnter",
        "ChannelLeftBridge" => "BridgeLeave",
        "ChannelHold" => "Hold",
        "ChannelUnhold" => "Unhold",
        "ChannelDtmfReceived" => "DTMFEnd",
        "BridgeBlindTransfer" => "BlindTransfer",
        "BridgeAttendedTransfer" => "AttendedTransfer",
        "RecordingStarted" => "MixMonitorStart",
        "Dial" if said.dialstatus.is_empty() => "DialBegin",
        _ => "",
    };
    let comes = matches!(&*said.kind, "ChannelCreated" | "StasisStart") && calls_in;
    match event {
        "" => out.add("Event", said.kind),
        event => out.add("Event", event),
    };
    match event {
        "DialBegin" => {
            out.channel("", said.caller).channel("Dest", said.peer);
        }
        "BlindTransfer" => {
            out.channel("Transferer", said.channel)
                .channel("Transferee", said.transferee)
                .channel("Replace", said.replace_channel)
                .add("Extension", said.exten)
                .add("Context", said.context);
        }
        "AttendedTransfer" => {
            out.channel("OrigTransferer", said.transferer_first_leg)
                .channel("SecondTransferer", said.transferer_second_leg)
                .channel("Transferee", said.transferee)
                .channel("TransferTarget", said.transfer_target)
                .channel("Replace", said.replace_channel);
        }
        "MixMonitorStart" => {
            let target = said.recording.unwrap_or_default().target_uri;
            if let Some(id) = target.strip_prefix("channel:") {
                out.add("Uniqueid", id.to_owned());
            }
        }
        _ => {
            let first = said
                .channel
                .as_ref()
                .filter(|c| comes && c.linkedid().is_empty());
            let first = first.map(|c| c.id.clone());
            out.channel("", said.channel)
                .bridge(said.bridge)
                .add("Linkedid", first.unwrap_or_default());
        }
    }
    // What does not apply is missing in the event and adds nothing.
    out.add("Result", said.result)
        .add("Digit", said.digit)
        .add("DurationMs", number(said.duration_ms))
        .add("Cause", number(said.cause));
    out.0
}

fn number(n: Option<i64>) -> String {
    n.map(|n| n.to_string()).unwrap_or_default()
}
