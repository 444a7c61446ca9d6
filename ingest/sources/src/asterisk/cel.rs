//! Rows of the channel event log as `cel_custom` or `cel-csv` write them: comma-separated, the
//! order of columns by configuration.

use std::borrow::Cow;

use callboard_model::record::Refusal;
use callboard_model::time::SECOND;
use serde::Deserialize;

use super::cdr::local_time;
use super::csv;

/// The order of columns that the data set and the usual `cel_custom.conf` with every column have.
pub const COLUMNS: [&str; 20] = [
    "eventtype",
    "eventtime",
    "cid_name",
    "cid_num",
    "cid_ani",
    "cid_rdnis",
    "cid_dnid",
    "exten",
    "context",
    "channame",
    "appname",
    "appdata",
    "amaflags",
    "accountcode",
    "uniqueid",
    "linkedid",
    "peer",
    "userfield",
    "userdeftype",
    "extra",
];

/// Event types that a row can have; by these a file is known to be a channel event log.
pub const TYPES: &[&str] = &[
    "CHAN_START",
    "CHAN_END",
    "ANSWER",
    "HANGUP",
    "APP_START",
    "APP_END",
    "BRIDGE_ENTER",
    "BRIDGE_EXIT",
    "BLINDTRANSFER",
    "ATTENDEDTRANSFER",
    "PARK_START",
    "PARK_END",
    "PICKUP",
    "FORWARD",
    "LINKEDID_END",
    "LOCAL_OPTIMIZE",
    "LOCAL_OPTIMIZE_BEGIN",
    "USER_DEFINED",
    "STREAM_BEGIN",
    "STREAM_END",
    "DTMF",
    "BRIDGE_START",
    "BRIDGE_END",
    "TRANSFER",
    "CONF_ENTER",
    "CONF_EXIT",
    "CONF_START",
    "CONF_END",
];

/// One row.
#[derive(Debug, Default)]
pub struct Row<'a> {
    /// Time, UTC microseconds.
    pub at: i64,
    /// Its precision, microseconds.
    pub precision: u32,
    /// Event type.
    pub event: Cow<'a, str>,
    /// Caller's name.
    pub name: Cow<'a, str>,
    /// Caller's number.
    pub number: Cow<'a, str>,
    /// Extension.
    pub exten: Cow<'a, str>,
    /// Context.
    pub context: Cow<'a, str>,
    /// Channel.
    pub channel: Cow<'a, str>,
    /// Application.
    pub app: Cow<'a, str>,
    /// Its data.
    pub appdata: Cow<'a, str>,
    /// Channel's unique id.
    pub uniqueid: Cow<'a, str>,
    /// Call's id.
    pub linkedid: Cow<'a, str>,
    /// User-defined type; for keys, `Received` or `Sent`.
    pub detail: Cow<'a, str>,
    /// Extra, JSON, or empty.
    pub extra: Cow<'a, str>,
}

/// What `extra` can hold, of what we read.
#[derive(Debug, Default, Deserialize)]
pub struct Extra {
    /// Bridge entered or left.
    #[serde(default)]
    pub bridge_id: String,
    /// Cause of a hangup.
    #[serde(default)]
    pub hangupcause: Option<i64>,
    /// Channel that hung up.
    #[serde(default)]
    pub hangupsource: String,
    /// Key pressed.
    #[serde(default)]
    pub digit: String,
    /// Sound that is played.
    #[serde(default)]
    pub sound: String,
    /// Extension of a blind transfer.
    #[serde(default)]
    pub extension: String,
    /// Channel that is transferred.
    #[serde(default)]
    pub transferee_channel_uniqueid: String,
    /// Other channel of the transferring agent.
    #[serde(default)]
    pub channel2_uniqueid: String,
    /// Channel to which it is transferred.
    #[serde(default)]
    pub transfer_target_channel_uniqueid: String,
    /// Other half of a Local channel.
    #[serde(default)]
    pub local_two_uniqueid: String,
    /// Lot of a parked call.
    #[serde(default)]
    pub parking_lot: String,
    /// Why a parking ended.
    #[serde(default)]
    pub reason: String,
}

impl Row<'_> {
    /// The extra column, read; nothing when it is not such JSON.
    pub fn extra(&self) -> Extra {
        serde_json::from_str(&self.extra).unwrap_or_default()
    }

    /// First word of the application's data: the queue of `Queue`, the mailbox of `VoiceMail`.
    pub fn first_argument(&self) -> &str {
        self.appdata.split(',').next().unwrap_or("").trim()
    }

    /// Names of the message that is recorded after the tone that this row tells of: the mailbox's
    /// own note gives the channel and the second in which it began to write, this one or the next.
    pub fn messages(&self) -> Vec<String> {
        if self.event != "STREAM_BEGIN" || self.app != "VoiceMail" {
            return Vec::new();
        }
        let second = self.at / SECOND;
        vec![
            message_name(&self.channel, second),
            message_name(&self.channel, second + 1),
        ]
    }

    /// Whether the row says something that a contact's rows are made of.
    pub fn matters(&self) -> bool {
        match &*self.event {
            "STREAM_END" | "LOCAL_OPTIMIZE_BEGIN" | "USER_DEFINED" => false,
            // The tone after which a message is recorded.
            "STREAM_BEGIN" => self.app == "VoiceMail" && self.extra().sound == "beep",
            _ => true,
        }
    }
}

/// What a message left in a mailbox is called: by the channel that left it and the second in which
/// it began to be written. An instance's channel leaves one message at a time.
pub fn message_name(channel: &str, second: i64) -> String {
    format!("voicemail-{}-{second}", channel.replace('/', "-"))
}

/// Reads one row; `columns` is the configured order, empty for [`COLUMNS`]; `zone` the IANA zone
/// of times that are written as local wall clock.
///
/// # Errors
/// A refusal when quotes do not close, columns are missing, or the time cannot be read.
pub fn parse<'a>(text: &'a str, columns: &[String], zone: &str) -> Result<Row<'a>, Refusal> {
    let fields = csv::fields(text)
        .ok_or_else(|| Refusal::new("not_csv", "a quote of the row does not close"))?;
    let wanted = if columns.is_empty() {
        COLUMNS.len()
    } else {
        columns.len()
    };
    if fields.len() < wanted.min(16) {
        return Err(Refusal::new(
            "columns",
            format!(
                "{} columns where {wanted} were expected; give the order of cel_custom.conf as columns",
                fields.len()
            ),
        ));
    }
    let mut row = Row::default();
    let mut time = None;
    for (n, value) in fields.into_iter().enumerate() {
        let name = if columns.is_empty() {
            COLUMNS.get(n).copied().unwrap_or("")
        } else {
            columns.get(n).map_or("", String::as_str)
        };
        match name {
            "eventtype" => row.event = value,
            "eventtime" => time = Some(value),
            "cid_name" => row.name = value,
            "cid_num" => row.number = value,
            "exten" => row.exten = value,
            "context" => row.context = value,
            "channame" => row.channel = value,
            "appname" => row.app = value,
            "appdata" => row.appdata = value,
            "uniqueid" => row.uniqueid = value,
            "linkedid" => row.linkedid = value,
            "userdeftype" => row.detail = value,
            "extra" => row.extra = value,
            _ => {}
        }
    }
    let time = time.unwrap_or_default();
    (row.at, row.precision) = epoch(&time)
        .or_else(|| local_time(&time, zone))
        .ok_or_else(|| {
            Refusal::new(
                "no_time",
                format!("the event time {time:?} is neither seconds since 1970 nor a local time"),
            )
        })?;
    if row.event.is_empty() || row.uniqueid.is_empty() || row.linkedid.is_empty() {
        return Err(Refusal::new(
            "columns",
            "event type, uniqueid or linkedid is empty; check the order of columns",
        ));
    }
    Ok(row)
}

/// `seconds.micros` since 1970: UTC microseconds and precision.
pub fn epoch(text: &str) -> Option<(i64, u32)> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = seconds.parse().ok()?;
    if fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut micros = 0i64;
    let mut precision = 1_000_000u32;
    for b in fraction.bytes().take(6) {
        precision /= 10;
        micros += i64::from(b - b'0') * i64::from(precision);
    }
    Some((
        seconds.checked_mul(SECOND)?.checked_add(micros)?,
        precision.max(1),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_the_precision_they_are_written_with() {
        assert_eq!(epoch("1795253945.925811"), Some((1_795_253_945_925_811, 1)));
        assert_eq!(
            epoch("1795253945.9"),
            Some((1_795_253_945_900_000, 100_000))
        );
        assert_eq!(
            epoch("1795253945"),
            Some((1_795_253_945_000_000, 1_000_000))
        );
        assert_eq!(epoch("tomorrow"), None);
    }

    #[test]
    fn columns_can_come_in_another_order() {
        let columns: Vec<String> = ["eventtime", "eventtype", "uniqueid", "linkedid"]
            .map(String::from)
            .to_vec();
        let row = parse("\"1795253945.5\",\"ANSWER\",\"1.2\",\"1.1\"", &columns, "").unwrap();
        assert_eq!(
            (&*row.event, &*row.uniqueid, row.precision),
            ("ANSWER", "1.2", 100_000)
        );
        assert_eq!(parse("a,b", &[], "").unwrap_err().class, "columns");
    }
}
