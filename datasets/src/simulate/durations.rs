//! How long things take: tables of 4,096 quantiles, read with whole numbers alone. They are made
//! once by a logarithm written in Rust, which gives the same bits on every machine.

use std::sync::LazyLock;

use super::chance::Chance;

const STEPS: usize = 4096;
/// Quantiles are kept in 65,536ths of the scale.
const ONE: f64 = 65_536.0;

/// A distribution by its quantiles, for a scale of one.
pub struct Quantiles(Vec<u64>);

impl Quantiles {
    fn of(quantile: impl Fn(f64) -> f64) -> Self {
        // One more than steps, so that every step has an upper end; the tails are cut there.
        let at = |i: usize| {
            let p = (i as f64 + 0.5) / (STEPS as f64 + 1.0);
            libm::round(quantile(p) * ONE) as u64
        };
        Quantiles((0..=STEPS).map(at).collect())
    }

    /// A draw in units of `scale`.
    pub fn draw(&self, chance: &mut Chance, scale: i64) -> i64 {
        let random = chance.below((STEPS as u64) << 16);
        let (step, part) = ((random >> 16) as usize, u128::from(random & 0xffff));
        let (low, high) = (u128::from(self.0[step]), u128::from(self.0[step + 1]));
        let value = (low << 16) + (high - low) * part;
        ((value * scale.max(0) as u128) >> 32) as i64
    }
}

/// Exponential with mean one.
pub static EXPONENTIAL: LazyLock<Quantiles> =
    LazyLock::new(|| Quantiles::of(|p| -libm::log(1.0 - p)));

/// Weibull of shape 0.9 with mean one: patience, a little more impatient at first.
pub static PATIENCE: LazyLock<Quantiles> = LazyLock::new(|| {
    // Gamma(1 + 1 / 0.9)
    let mean = 1.052_182;
    Quantiles::of(move |p| libm::pow(-libm::log(1.0 - p), 1.0 / 0.9) / mean)
});

/// Lognormal with median one and sigma 0.75: voice calls.
pub static TALK: LazyLock<Quantiles> = LazyLock::new(|| lognormal(0.75));

/// Lognormal with median one and sigma 0.8: chats.
pub static CHAT: LazyLock<Quantiles> = LazyLock::new(|| lognormal(0.8));

/// Lognormal with median one and sigma 0.6: wrap-up.
pub static WRAP: LazyLock<Quantiles> = LazyLock::new(|| lognormal(0.6));

fn lognormal(sigma: f64) -> Quantiles {
    Quantiles::of(move |p| libm::exp(sigma * normal(p)))
}

/// Quantile of the normal distribution, by halving over its series: slow, and made once.
fn normal(p: f64) -> f64 {
    let (mut low, mut high) = (-6.0, 6.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        let below = 0.5 * libm::erfc(-middle / core::f64::consts::SQRT_2);
        if below < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_and_medians_are_those_of_their_distributions() {
        let mut chance = Chance::of(3, "durations", &[]);
        let mut draws = |q: &Quantiles| {
            let mut all: Vec<i64> = (0..40_001).map(|_| q.draw(&mut chance, 100_000)).collect();
            all.sort_unstable();
            (all.iter().sum::<i64>() / 40_001, all[20_000])
        };
        let near = |found: i64, wanted: i64| (found - wanted).abs() < wanted / 25;
        let (mean, median) = draws(&EXPONENTIAL);
        assert!(
            near(mean, 100_000) && near(median, 69_315),
            "{mean} {median}"
        );
        assert!(near(draws(&PATIENCE).0, 100_000));
        let (mean, median) = draws(&TALK);
        assert!(
            near(median, 100_000) && near(mean, 132_500),
            "{mean} {median}"
        );
    }

    #[test]
    fn the_tables_are_the_same_everywhere() {
        let mut hasher = blake3::Hasher::new();
        for table in [&EXPONENTIAL, &PATIENCE, &TALK, &CHAT, &WRAP] {
            for value in &table.0 {
                hasher.update(&value.to_le_bytes());
            }
        }
        assert_eq!(&hasher.finalize().to_hex()[..16], "d31d3fae8417fb45");
    }
}
