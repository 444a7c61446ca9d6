//! How well the media of a call record's sessions came through: what each stream's receiver got,
//! and what the people thought of it.

use serde_json::Value;

use super::callrecord::{endpoint, iso_millis};
use super::read::{at, list, member, text};

/// One figure of a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Who received the stream, with the stream's label where it is not the main audio.
    pub who: String,
    /// End of the span that it sums up, UTC microseconds.
    pub at: i64,
    /// Name.
    pub name: &'static str,
    /// Unit where the name is not one of the listed.
    pub unit: &'static str,
    /// Value.
    pub value: f64,
    /// Session.
    pub session: String,
    /// Client of the receiver.
    pub client: String,
    /// Device that played it.
    pub device: String,
    /// Kind of the receiver's network.
    pub network: String,
}

/// Durations: field, name.
const DURATIONS: [(&str, &str); 7] = [
    ("averageJitter", "jitter_ms"),
    ("maxJitter", "jitter_max_ms"),
    ("averageRoundTripTime", "round_trip_ms"),
    ("maxRoundTripTime", "round_trip_max_ms"),
    ("averageAudioNetworkJitter", "audio_network_jitter_ms"),
    ("maxAudioNetworkJitter", "audio_network_jitter_max_ms"),
    ("averageReceivedFrameInterval", "frame_interval_ms"),
];

/// Numbers: field, name, unit.
const NUMBERS: [(&str, &str, &str); 12] = [
    ("averagePacketLossRate", "packet_loss_ratio", "ratio"),
    ("maxPacketLossRate", "packet_loss_max_ratio", "ratio"),
    ("averageAudioDegradation", "mos_degradation", "mos"),
    ("averageRatioOfConcealedSamples", "concealed_ratio", "ratio"),
    ("maxRatioOfConcealedSamples", "concealed_max_ratio", "ratio"),
    ("averageBandwidthEstimate", "available_bitrate", "bit/s"),
    ("packetUtilization", "packets_sent", "count"),
    ("averageVideoFrameRate", "video_frame_rate", "1/s"),
    ("averageReceivedFrameRate", "received_frame_rate", "1/s"),
    (
        "averageVideoPacketLossRate",
        "video_packet_loss_ratio",
        "ratio",
    ),
    (
        "averageVideoFrameLossPercentage",
        "video_frame_loss",
        "percent",
    ),
    (
        "lowVideoProcessingCapabilityRatio",
        "low_video_processing_ratio",
        "ratio",
    ),
];

/// All figures of a session.
pub fn of(session: &Value) -> Vec<Figure> {
    let mut all = Vec::new();
    let id = text(session, "id").unwrap_or_default();
    let (first, last) = (at(session, "startDateTime"), at(session, "endDateTime"));
    let end = |v: &Value| at(v, "endDateTime").or(last).or(first);
    for side in ["caller", "callee"] {
        let rated = member(session, side)
            .and_then(|e| member(e, "feedback"))
            .and_then(|f| rating(&text(f, "rating")?));
        if let (Some(value), Some((us, _))) = (rated, end(session)) {
            let mut figure = Figure::of(session, side, &id, us);
            (figure.name, figure.value) = ("rating", value);
            all.push(figure);
        }
    }
    for segment in list(session, "segments") {
        let Some((us, _)) = end(segment) else {
            continue;
        };
        for media in list(segment, "media") {
            for stream in list(media, "streams") {
                let sent = text(stream, "streamDirection").unwrap_or_default();
                let (side, device, network) = match sent.as_str() {
                    "calleeToCaller" => ("caller", "callerDevice", "callerNetwork"),
                    _ => ("callee", "calleeDevice", "calleeNetwork"),
                };
                let mut figure = Figure::of(session, side, &id, us);
                let label = text(media, "label").unwrap_or_default();
                if !matches!(label.as_str(), "" | "main-audio") {
                    figure.who = format!("{} {label}", figure.who);
                }
                let of = |of: &str, name: &str| member(media, of).and_then(|m| text(m, name));
                figure.device = of(device, "renderDeviceName").unwrap_or_default();
                figure.network = of(network, "connectionType").unwrap_or_default();
                let times = DURATIONS.iter().map(|(field, name)| {
                    let ms = text(stream, field).and_then(|t| iso_millis(&t));
                    (*name, "ms", ms)
                });
                let numbers = NUMBERS.iter().map(|(field, name, unit)| {
                    let n = text(stream, field).and_then(|t| t.parse::<f64>().ok());
                    (*name, *unit, n)
                });
                for (name, unit, value) in times.chain(numbers) {
                    if let Some(value) = value.filter(|v| v.is_finite() && *v >= 0.0) {
                        let figure = Figure {
                            name,
                            unit,
                            value,
                            ..figure.clone()
                        };
                        all.push(figure);
                    }
                }
            }
        }
    }
    all
}

impl Figure {
    fn of(session: &Value, side: &str, id: &str, at: i64) -> Figure {
        let end = member(session, side);
        let read = end.map(endpoint).unwrap_or_default();
        let agent = end.and_then(|e| member(e, "userAgent"));
        let who = match read.person {
            Some(person) => person.agent(),
            None if read.role.is_empty() => side.to_owned(),
            None => read.role,
        };
        Figure {
            who,
            at,
            name: "",
            unit: "",
            value: 0.0,
            session: id.to_owned(),
            client: agent
                .and_then(|a| text(a, "headerValue"))
                .unwrap_or_default(),
            device: String::new(),
            network: String::new(),
        }
    }
}

/// The words of a rating as a number from 1 to 5.
fn rating(word: &str) -> Option<f64> {
    match word.to_ascii_lowercase().as_str() {
        "bad" => Some(1.0),
        "poor" => Some(2.0),
        "fair" => Some(3.0),
        "good" => Some(4.0),
        "excellent" => Some(5.0),
        _ => None,
    }
}
