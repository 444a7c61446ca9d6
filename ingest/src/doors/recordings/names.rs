//! What a recording's file name says. The rules, in order:
//!
//! 1. `CONTACT-LEG.EXT` with leg `agent`, `customer`, `both` or `mixed`.
//! 2. Asterisk's MixMonitor: `[QUEUE-]UNIQUEID[-rx|-tx|-stereo|-mix].EXT`, where the uniqueid is
//!    `epoch.serial`. `-rx` is what came from the caller (customer), `-tx` what went to him
//!    (agent), `-stereo` both on two channels, `-mix` or nothing both on one. The contact is
//!    `INSTANCE-UNIQUEID`, as the Asterisk logs name it.
//! 3. Asterisk's voicemail: `msgNNNN.EXT` beside `msgNNNN.txt`, which says mailbox and time.
//!
//! EXT is wav, flac, mp3 or ogg. Names that begin with a dot or end in `.part` or `.tmp` are
//! passed over.

use callboard_model::time::SECOND;
use callboard_sources::asterisk::cel::message_name;

use super::Brought;

/// What a name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// A recording.
    Recording(Brought),
    /// A voicemail message; what it is stands in this file beside it.
    Voicemail {
        /// Name of the text file.
        text_file: String,
    },
    /// Audio whose name says nothing.
    Unknown,
    /// Not audio, not complete, or not for us.
    Skip,
}

/// Endings of audio files.
pub const EXTENSIONS: [&str; 6] = ["wav", "WAV", "flac", "mp3", "ogg", "oga"];

/// Reads a file name; `instance` is the Asterisk's.
pub fn read(name: &str, instance: &str) -> Meaning {
    let Some((stem, extension)) = name.rsplit_once('.') else {
        return Meaning::Skip;
    };
    if name.starts_with('.') || !EXTENSIONS.contains(&extension) || stem.is_empty() {
        return Meaning::Skip;
    }
    if let Some((contact, leg)) = stem.rsplit_once('-')
        && super::leg(leg).is_some()
        && !contact.is_empty()
    {
        return Meaning::Recording(Brought {
            contact: contact.to_owned(),
            leg: leg.to_owned(),
            ..Brought::default()
        });
    }
    if let Some(number) = stem.strip_prefix("msg")
        && number.len() >= 4
        && number.bytes().all(|b| b.is_ascii_digit())
    {
        return Meaning::Voicemail {
            text_file: format!("{stem}.txt"),
        };
    }
    mix_monitor(stem, instance).map_or(Meaning::Unknown, Meaning::Recording)
}

fn mix_monitor(stem: &str, instance: &str) -> Option<Brought> {
    let (rest, leg) = [
        ("-rx", "customer"),
        ("-tx", "agent"),
        ("-stereo", "both"),
        ("-mix", "mixed"),
    ]
    .iter()
    .find_map(|(ending, leg)| Some((stem.strip_suffix(ending)?, *leg)))
    .unwrap_or((stem, "mixed"));
    let (queue, uniqueid) = match rest.rsplit_once('-') {
        Some((queue, uniqueid)) => (Some(queue), uniqueid),
        None => (None, rest),
    };
    let (epoch, serial) = uniqueid.split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !(digits(epoch) && digits(serial) && (9..=11).contains(&epoch.len())) {
        return None;
    }
    Some(Brought {
        contact: contact_of(instance, uniqueid),
        leg: leg.to_owned(),
        queue: queue.filter(|q| !q.is_empty()).map(str::to_owned),
        ..Brought::default()
    })
}

/// The contact that an Asterisk's uniqueid names.
pub fn contact_of(instance: &str, uniqueid: &str) -> String {
    callboard_model::ids::PlatformId::new("asterisk", instance, uniqueid).contact_id()
}

/// Reads a voicemail's `msgNNNN.txt`. It gives no uniqueid, but the channel that left the message
/// and the second in which it was begun, and by these the channel event log names the caller's
/// contact too. Without a channel its contact is one of its own: `INSTANCE-voicemail-MAILBOX-MESSAGE`.
pub fn voicemail(text: &str, instance: &str) -> Option<Brought> {
    let field = |name: &str| {
        text.lines().find_map(|line| {
            let (key, value) = line.split_once('=')?;
            (key.trim() == name).then(|| value.trim())
        })
    };
    let given = |name: &str| field(name).filter(|v| !v.is_empty());
    let mailbox = field("origmailbox")?;
    let origtime = field("origtime").and_then(|t| t.parse::<i64>().ok())?;
    let name = match given("callerchan") {
        Some(channel) => message_name(channel, origtime),
        None => {
            let message = given("msg_id").map_or_else(|| origtime.to_string(), str::to_owned);
            format!("voicemail-{mailbox}-{message}")
        }
    };
    Some(Brought {
        contact: contact_of(instance, &name),
        leg: "customer".into(),
        started_at: origtime.checked_mul(SECOND),
        voicemail: true,
        ..Brought::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording(name: &str) -> (String, String, Option<String>) {
        match read(name, "pbx1") {
            Meaning::Recording(b) => (b.contact, b.leg, b.queue),
            other => panic!("{name}: {other:?}"),
        }
    }

    #[test]
    fn names_say_contact_leg_and_queue() {
        let own = |c: &str, l: &str, q: Option<&str>| (c.into(), l.into(), q.map(str::to_owned));
        assert_eq!(recording("c-17-agent.wav"), own("c-17", "agent", None));
        assert_eq!(
            recording("sales-1795253950.1-rx.flac"),
            own("pbx1-1795253950.1", "customer", Some("sales"))
        );
        assert_eq!(
            recording("north-east-1795253950.1-tx.wav"),
            own("pbx1-1795253950.1", "agent", Some("north-east"))
        );
        assert_eq!(recording("billing-1795254002.28-stereo.flac").1, "both");
        assert_eq!(
            recording("1795254002.28.mp3"),
            own("pbx1-1795254002.28", "mixed", None)
        );
    }

    #[test]
    fn other_names_are_told_apart() {
        assert_eq!(read("notes.txt", ""), Meaning::Skip);
        assert_eq!(read(".c-agent.wav", ""), Meaning::Skip);
        assert_eq!(read("c-agent.wav.part", ""), Meaning::Skip);
        assert_eq!(read("holiday.wav", ""), Meaning::Unknown);
        assert_eq!(read("sales-17.wav", ""), Meaning::Unknown);
        assert_eq!(
            read("msg0003.wav", ""),
            Meaning::Voicemail {
                text_file: "msg0003.txt".into()
            }
        );
    }

    #[test]
    fn a_voicemail_is_named_by_mailbox_and_message() {
        let text = "[message]\norigmailbox=200\norigtime=1795254379\nmsg_id=1795254379-00000000\n";
        let brought = voicemail(text, "pbx1").unwrap();
        assert_eq!(brought.contact, "pbx1-voicemail-200-1795254379-00000000");
        assert_eq!(brought.started_at, Some(1_795_254_379_000_000));
        assert!(brought.voicemail);
        assert_eq!(voicemail("nothing", "pbx1"), None);
    }

    #[test]
    fn a_voicemail_is_named_as_the_channel_event_log_names_it() {
        use callboard_sources::asterisk::cel;
        let text = "origmailbox=200\ncallerchan=IAX2/trunk-2069\norigtime=1795254379\nmsg_id=1\n";
        let contact = voicemail(text, "pbx1").unwrap().contact;
        assert_eq!(contact, "pbx1-voicemail-IAX2-trunk-2069-1795254379");
        for (second, same) in [
            ("78.956385", true),
            ("79.100668", true),
            ("77.956385", false),
        ] {
            let row = format!(
                "\"STREAM_BEGIN\",\"17952543{second}\",\"\",\"\",\"\",\"\",\"\",\"200\",\"vm\",\"IAX2/trunk-2069\",\
                 \"VoiceMail\",\"200@default,su\",\"3\",\"\",\"1795254369.233\",\"1795254369.233\",\"\",\"\",\
                 \"FILE_STREAM_BEGIN\",\"{{\"\"sound\"\":\"\"beep\"\"}}\""
            );
            let row = cel::parse(&row, &[], "").unwrap();
            let named = row.messages();
            let found = named.iter().any(|m| contact_of("pbx1", m) == contact);
            assert_eq!(found, same, "{second}: {named:?}");
        }
    }
}
