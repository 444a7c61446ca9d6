//! Speech packed into pieces that the recogniser takes whole.
//!
//! Whisper always thinks in windows of 30 s: its own way through a longer file skips text, and a
//! window costs nearly the same full or not. So stretches of speech are packed to at most 28 s,
//! long pauses between them shortened, and times are mapped back.

use crate::audio::ENGINE_RATE;

/// A stretch of one leg, in samples at 16 kHz.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First sample.
    pub start: usize,
    /// One past the last sample.
    pub end: usize,
}

impl Span {
    /// Length in samples.
    pub fn len(&self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Start and end in milliseconds.
    pub fn ms(&self) -> (u64, u64) {
        (to_ms(self.start), to_ms(self.end))
    }
}

fn to_ms(samples: usize) -> u64 {
    samples as u64 * 1000 / u64::from(ENGINE_RATE)
}

fn to_samples(ms: u64) -> usize {
    (ms * u64::from(ENGINE_RATE) / 1000) as usize
}

/// Up to 28 s of a leg for one call of the recogniser.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// The sound, 16 kHz.
    pub samples: Vec<f32>,
    /// Which stretches of the leg follow each other in it.
    pub parts: Vec<Span>,
    /// The speech in it, as the voice detector found it.
    pub speech: Vec<Span>,
}

impl Piece {
    /// Where a stretch of the piece (ms from its start) lies in the leg (ms from its start). It
    /// never reaches over a shortened pause: the part that holds its middle decides.
    pub fn to_leg_ms(&self, start_ms: u32, end_ms: u32) -> (u64, u64) {
        let (start, end) = (
            to_samples(u64::from(start_ms)),
            to_samples(u64::from(end_ms)),
        );
        let middle = start.midpoint(end);
        let mut before = 0;
        let last = self.parts.len().saturating_sub(1);
        for (i, part) in self.parts.iter().enumerate() {
            if middle < before + part.len() || i == last {
                let place =
                    |at: usize| to_ms(part.start + at.saturating_sub(before).min(part.len()));
                return (place(start), place(end));
            }
            before += part.len();
        }
        (0, 0)
    }

    /// Milliseconds of speech in it.
    pub fn speech_ms(&self) -> u64 {
        self.speech.iter().map(|s| to_ms(s.len())).sum()
    }
}

/// Packs speech into pieces of at most `max_ms`. A pause longer than `max_gap_ms` is shortened to
/// that (half of it from either side). A stretch longer than a piece is cut where its last five
/// seconds are quietest.
pub fn pack(samples: &[f32], speech: &[Span], max_ms: u64, max_gap_ms: u64) -> Vec<Piece> {
    let (max, max_gap) = (to_samples(max_ms), to_samples(max_gap_ms));
    let mut pieces: Vec<Piece> = Vec::new();
    let mut parts: Vec<Span> = Vec::new();
    let mut inside: Vec<Span> = Vec::new();
    let mut length = 0;
    let mut close = |parts: &mut Vec<Span>, inside: &mut Vec<Span>| {
        if !parts.is_empty() {
            let sound = parts
                .iter()
                .flat_map(|p| &samples[p.start..p.end])
                .copied()
                .collect();
            pieces.push(Piece {
                samples: sound,
                parts: std::mem::take(parts),
                speech: std::mem::take(inside),
            });
        }
    };
    for span in speech.iter().flat_map(|s| shortened(samples, *s, max)) {
        let gap = parts.last().map_or(0, |p| span.start.saturating_sub(p.end));
        if !parts.is_empty() && length + gap.min(max_gap) + span.len() > max {
            close(&mut parts, &mut inside);
            length = 0;
        }
        match parts.last_mut() {
            Some(part) if gap <= max_gap => {
                length += gap + span.len();
                part.end = span.end;
            }
            Some(part) => {
                let half = max_gap / 2;
                part.end += half;
                length += 2 * half + span.len();
                parts.push(Span {
                    start: span.start - half,
                    end: span.end,
                });
            }
            None => {
                length = span.len();
                parts.push(span);
            }
        }
        inside.push(span);
    }
    close(&mut parts, &mut inside);
    pieces
}

/// A stretch as stretches of at most `max` samples.
fn shortened(samples: &[f32], span: Span, max: usize) -> Vec<Span> {
    let mut out = Vec::new();
    let mut rest = span;
    while rest.len() > max {
        let cut = quietest(
            samples,
            rest.start + max - to_samples(5_000).min(max / 2),
            rest.start + max,
        );
        out.push(Span {
            start: rest.start,
            end: cut,
        });
        rest.start = cut;
    }
    out.push(rest);
    out
}

/// Middle of the quietest 100 ms between two samples.
fn quietest(samples: &[f32], from: usize, to: usize) -> usize {
    let window = to_samples(100);
    let energy = |at: usize| samples[at..at + window].iter().map(|s| s * s).sum::<f32>();
    let best = (from..to.saturating_sub(window))
        .step_by(window / 4)
        .min_by(|a, b| energy(*a).total_cmp(&energy(*b)))
        .unwrap_or(from);
    best + window / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start_ms: u64, end_ms: u64) -> Span {
        Span {
            start: to_samples(start_ms),
            end: to_samples(end_ms),
        }
    }

    #[test]
    fn speech_is_packed_and_times_map_back() {
        let samples = vec![0.1; to_samples(60_000)];
        let speech = [
            span(1_000, 5_000),
            span(5_200, 8_000),
            span(20_000, 30_000),
            span(40_000, 55_000),
        ];
        let pieces = pack(&samples, &speech, 28_000, 600);
        assert_eq!(pieces.len(), 2);
        assert_eq!(pieces[0].parts, [span(1_000, 8_300), span(19_700, 30_000)]);
        assert_eq!(pieces[0].samples.len(), to_samples(7_300 + 10_300));
        assert_eq!(pieces[0].to_leg_ms(500, 1_000), (1_500, 2_000));
        assert_eq!(pieces[0].to_leg_ms(7_600, 8_000), (20_000, 20_400));
        // A word that the recogniser lets begin before the pause and end long after it.
        assert_eq!(pieces[0].to_leg_ms(7_200, 9_000), (19_700, 21_400));
        assert_eq!(pieces[1].to_leg_ms(0, 99_000), (40_000, 55_000));
    }

    #[test]
    fn a_long_stretch_is_cut_where_it_is_quiet() {
        let mut samples = vec![0.5; to_samples(40_000)];
        samples[to_samples(25_000)..to_samples(25_200)].fill(0.0);
        let pieces = pack(&samples, &[span(0, 40_000)], 28_000, 600);
        assert_eq!(pieces.len(), 2);
        let cut = pieces[0].parts[0].end;
        assert!(
            (to_samples(25_000)..to_samples(25_200)).contains(&cut),
            "{cut}"
        );
        assert_eq!(pieces[1].parts[0].start, cut);
        assert!(pack(&samples, &[], 28_000, 600).is_empty());
    }
}
