//! Chance that is the same everywhere: a stream of its own for everything that draws, so that one
//! more draw here changes nothing there.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// Version of the streams. It is not that of what is written: what a version adds leaves the days of
/// a seed as they were.
const STREAMS: &str = "1";

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub struct Chance(ChaCha8Rng);

impl Chance {
    /// The stream of that name and index.
    pub fn of(seed: u64, name: &str, index: &[u64]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(STREAMS.as_bytes());
        hasher.update(&seed.to_le_bytes());
        hasher.update(name.as_bytes());
        for part in index {
            hasher.update(&part.to_le_bytes());
        }
        Chance(ChaCha8Rng::from_seed(*hasher.finalize().as_bytes()))
    }

    /// The `n`-th stream beside this one, from its beginning.
    #[must_use]
    pub fn beside(&self, n: u64) -> Self {
        let mut other = ChaCha8Rng::from_seed(self.0.get_seed());
        other.set_stream(n + 1);
        Chance(other)
    }

    /// Any number.
    pub fn next(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `n`; 0 for 0.
    pub fn below(&mut self, n: u64) -> u64 {
        // 64 bits over at most a few million: the bias is far below anything that could be seen.
        ((u128::from(self.0.next_u64()) * u128::from(n)) >> 64) as u64
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1).max(1) as u64) as i64
    }

    /// True so many times in a million.
    pub fn ppm(&mut self, parts: u64) -> bool {
        self.below(1_000_000) < parts
    }

    /// True so many times in a hundred.
    pub fn percent(&mut self, parts: u64) -> bool {
        self.below(100) < parts
    }

    /// The index of one of these weights, by weight.
    pub fn weighted(&mut self, weights: &[u64]) -> usize {
        let mut at = self.below(weights.iter().sum());
        for (i, weight) in weights.iter().enumerate() {
            if at < *weight {
                return i;
            }
            at -= weight;
        }
        0
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_their_own_and_stand_still() {
        let draw = |mut c: Chance| [c.next(), c.next()];
        let one = draw(Chance::of(1, "calls", &[7]));
        assert_eq!(one, draw(Chance::of(1, "calls", &[7])));
        assert_ne!(one, draw(Chance::of(1, "calls", &[8])));
        assert_ne!(one, draw(Chance::of(2, "calls", &[7])));
        assert_ne!(one, draw(Chance::of(1, "agents", &[7])));
        let base = Chance::of(1, "calls", &[7]);
        assert_ne!(draw(base.beside(0)), draw(base.beside(1)));
        let mut moved = base.clone();
        moved.next();
        assert_eq!(draw(base.beside(3)), draw(moved.beside(3)));
    }

    #[test]
    fn draws_stay_in_their_bounds() {
        let mut c = Chance::of(1, "bounds", &[]);
        let mut seen = [0u32; 3];
        for _ in 0..3_000 {
            assert!((-3..=4).contains(&c.between(-3, 4)));
            seen[c.weighted(&[1, 0, 2])] += 1;
        }
        assert_eq!(seen[1], 0);
        assert!(seen[2] > seen[0]);
    }
}
