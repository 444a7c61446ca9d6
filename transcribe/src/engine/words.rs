//! Tokens to words.

/// One recognised word; times in milliseconds from the start of the piece.
#[derive(Debug, Clone, PartialEq)]
pub struct RawWord {
    /// As the recogniser writes it, with its punctuation.
    pub text: String,
    /// Where it begins.
    pub start_ms: u32,
    /// Where it ends, at least `start_ms`.
    pub end_ms: u32,
    /// Product of its tokens' probabilities.
    pub p: f32,
}

/// One segment of the recogniser.
#[derive(Debug, Clone, PartialEq)]
pub struct RawSegment {
    /// Where it begins, milliseconds from the start of the piece.
    pub start_ms: u32,
    /// Where it ends.
    pub end_ms: u32,
    /// Its words in order.
    pub words: Vec<RawWord>,
    /// Mean natural logarithm of its tokens' probabilities.
    pub mean_logprob: f32,
    /// Probability that the window holds no speech.
    pub no_speech: f32,
}

impl RawSegment {
    /// Its words joined by spaces.
    pub fn text(&self) -> String {
        let words: Vec<&str> = self.words.iter().map(|w| w.text.as_str()).collect();
        words.join(" ")
    }
}

/// A text token: its bytes, its times in centiseconds, its probability and the logarithm of it.
pub(super) struct Token<'a> {
    pub bytes: &'a [u8],
    pub t0: i64,
    pub t1: i64,
    pub p: f32,
    pub plog: f32,
}

/// Joins tokens until the next that begins with a space. A character may be split over tokens,
/// so bytes are joined before they become text. Times are clamped into the segment and so that a
/// word ends before the next begins.
pub(super) fn join(tokens: &[Token<'_>], start_ms: u32, end_ms: u32) -> RawSegment {
    let end_ms = end_ms.max(start_ms);
    let mut words: Vec<(Vec<u8>, i64, i64, f32)> = Vec::new();
    let mut log_sum = 0.0;
    for token in tokens {
        log_sum += token.plog;
        match words.last_mut() {
            Some((bytes, _, t1, p)) if token.bytes.first() != Some(&b' ') => {
                bytes.extend_from_slice(token.bytes);
                *t1 = (*t1).max(token.t1);
                *p *= token.p;
            }
            _ => words.push((token.bytes.to_vec(), token.t0, token.t1, token.p)),
        }
    }
    let mut out: Vec<RawWord> = Vec::with_capacity(words.len());
    for (bytes, t0, t1, p) in words {
        let text = String::from_utf8_lossy(&bytes).trim().to_owned();
        if text.is_empty() {
            continue;
        }
        let ms = |t: i64| t.clamp(0, 360_000) as u32 * 10;
        let floor = out.last().map_or(start_ms, |w| w.start_ms);
        let start = ms(t0).clamp(floor, end_ms);
        out.push(RawWord {
            text,
            start_ms: start,
            end_ms: ms(t1).clamp(start, end_ms),
            p,
        });
    }
    for i in 1..out.len() {
        let next = out[i].start_ms;
        out[i - 1].end_ms = out[i - 1].end_ms.min(next);
    }
    let mean_logprob = if tokens.is_empty() {
        0.0
    } else {
        log_sum / tokens.len() as f32
    };
    RawSegment {
        start_ms,
        end_ms,
        words: out,
        mean_logprob,
        no_speech: 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(bytes: &'static [u8], t0: i64, t1: i64, p: f32) -> Token<'static> {
        Token {
            bytes,
            t0,
            t1,
            p,
            plog: p.ln(),
        }
    }

    #[test]
    fn tokens_become_words_with_ordered_times() {
        // "Müller" with its second letter split over two tokens, then a word whose time runs
        // past the segment's end.
        let tokens = [
            token(b" M\xC3", 10, 30, 0.5),
            token(b"\xBCller", 30, 60, 0.5),
            token(b",", 60, 62, 1.0),
            token(b" hello", 55, 400, 0.25),
            token(b".", 400, 400, 1.0),
        ];
        let segment = join(&tokens, 50, 2_000);
        let got: Vec<_> = segment
            .words
            .iter()
            .map(|w| (w.text.as_str(), w.start_ms, w.end_ms, w.p))
            .collect();
        assert_eq!(
            got,
            [("Müller,", 100, 550, 0.25), ("hello.", 550, 2_000, 0.25)]
        );
    }
}
