//! Names of measurements: the one list of those that mean the same whoever measured, with their
//! units, and the names under which clients know them.

/// A measurement that is known by name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measure {
    /// Name.
    pub name: &'static str,
    /// Unit.
    pub unit: &'static str,
    /// What it says.
    pub meaning: &'static str,
    /// Members of WebRTC's `getStats` that say it, each with the factor to our unit.
    pub stats: &'static [(&'static str, f64)],
}

const fn measure(
    name: &'static str,
    unit: &'static str,
    meaning: &'static str,
    stats: &'static [(&'static str, f64)],
) -> Measure {
    Measure {
        name,
        unit,
        meaning,
        stats,
    }
}

/// All of them.
pub static MEASURES: &[Measure] = &[
    measure(
        "jitter_ms",
        "ms",
        "Variation of packets' arrival, mean over the span",
        &[("jitter", 1_000.0)],
    ),
    measure(
        "jitter_max_ms",
        "ms",
        "Greatest variation of packets' arrival in the span",
        &[],
    ),
    measure(
        "round_trip_ms",
        "ms",
        "Time of a packet to the other side and back, mean over the span",
        &[
            ("roundTripTime", 1_000.0),
            ("currentRoundTripTime", 1_000.0),
        ],
    ),
    measure(
        "round_trip_max_ms",
        "ms",
        "Greatest time of a packet to the other side and back in the span",
        &[],
    ),
    measure(
        "packet_loss_ratio",
        "ratio",
        "Share of packets that never arrived, 0 to 1",
        &[("fractionLost", 1.0)],
    ),
    measure(
        "packet_loss_max_ratio",
        "ratio",
        "Greatest share of packets lost in any part of the span, 0 to 1",
        &[],
    ),
    measure(
        "packets_lost",
        "count",
        "Packets that never arrived; may be negative where some came twice",
        &[("packetsLost", 1.0)],
    ),
    measure(
        "packets_received",
        "count",
        "Packets that arrived",
        &[("packetsReceived", 1.0)],
    ),
    measure(
        "packets_sent",
        "count",
        "Packets that were sent",
        &[("packetsSent", 1.0)],
    ),
    measure(
        "packets_discarded",
        "count",
        "Packets that came too late or too early to be played",
        &[("packetsDiscarded", 1.0)],
    ),
    measure(
        "concealed_ratio",
        "ratio",
        "Share of samples that were made up because their packets were missing, 0 to 1",
        &[],
    ),
    measure(
        "concealed_samples",
        "count",
        "Samples that were made up because their packets were missing",
        &[("concealedSamples", 1.0)],
    ),
    measure(
        "mos",
        "mos",
        "Mean opinion score as the source estimates it, 1 to 5",
        &[],
    ),
    measure(
        "mos_min",
        "mos",
        "Least mean opinion score in the span, 1 to 5",
        &[],
    ),
    measure(
        "mos_degradation",
        "mos",
        "How much the network took from the mean opinion score, 0 to 5",
        &[],
    ),
    measure(
        "r_factor",
        "r",
        "Transmission rating of ITU-T G.107, 0 to 100",
        &[],
    ),
    measure(
        "r_factor_min",
        "r",
        "Least transmission rating in the span, 0 to 100",
        &[],
    ),
    measure(
        "quality_score",
        "score",
        "The platform's own score of the media's quality, 1 to 5",
        &[],
    ),
    measure(
        "rating",
        "score",
        "What a participant thought of the call's quality, 1 (bad) to 5 (excellent)",
        &[],
    ),
    measure(
        "jitter_buffer_ms",
        "ms",
        "Delay that the receiver adds to even out the packets' arrival",
        &[],
    ),
    measure(
        "latency_max_ms",
        "ms",
        "Greatest delay of packets in the span",
        &[],
    ),
    measure(
        "audio_level",
        "ratio",
        "Loudness, 0 (silence) to 1",
        &[("audioLevel", 1.0)],
    ),
    measure(
        "bytes_received",
        "bytes",
        "Bytes that arrived",
        &[("bytesReceived", 1.0)],
    ),
    measure(
        "bytes_sent",
        "bytes",
        "Bytes that were sent",
        &[("bytesSent", 1.0)],
    ),
    measure(
        "available_bitrate",
        "bit/s",
        "Bits a second that the network could have carried",
        &[
            ("availableOutgoingBitrate", 1.0),
            ("availableIncomingBitrate", 1.0),
        ],
    ),
    measure(
        "setup_ms",
        "ms",
        "From the wish to connect to the first media",
        &[],
    ),
    measure(
        "sentiment",
        "score",
        "The platform's own score of a participant's mood, in its own scale",
        &[],
    ),
    measure(
        LEFT_OUT,
        "count",
        "Measurements on the contact beyond the bound, of which no rows are made; their records are kept",
        &[],
    ),
];

/// The name under which measurements beyond the bound are counted.
pub const LEFT_OUT: &str = "measurements_left_out";

/// The measure of that name.
pub fn of_name(name: &str) -> Option<&'static Measure> {
    MEASURES.iter().find(|m| m.name == name)
}

/// The measure that a member of `getStats` says, with the factor to its unit.
pub fn of_stat(member: &str) -> Option<(&'static Measure, f64)> {
    MEASURES.iter().find_map(|m| {
        let (_, factor) = m.stats.iter().find(|(name, _)| *name == member)?;
        Some((m, *factor))
    })
}

/// Share of packets lost of those that were sent: a client that counts one more packet than were
/// sent has lost none.
pub fn loss_ratio(lost: f64, received: f64) -> Option<f64> {
    let sent = lost + received;
    (sent > 0.0 && received >= 0.0).then(|| (lost / sent).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_stands_once_and_every_stat_means_one_thing() {
        let mut names: Vec<&str> = MEASURES.iter().map(|m| m.name).collect();
        let mut stats: Vec<&str> = MEASURES
            .iter()
            .flat_map(|m| m.stats.iter().map(|s| s.0))
            .collect();
        for all in [&mut names, &mut stats] {
            let count = all.len();
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), count);
        }
        let (jitter, factor) = of_stat("jitter").unwrap();
        assert_eq!((jitter.name, 0.012 * factor), ("jitter_ms", 12.0));
        assert_eq!(of_name("mos").unwrap().unit, "mos");
    }

    #[test]
    fn loss_is_of_what_was_sent() {
        assert_eq!(loss_ratio(1.0, 99.0), Some(0.01));
        assert_eq!(loss_ratio(-2.0, 100.0), Some(0.0));
        assert_eq!(loss_ratio(0.0, 0.0), None);
    }
}
