//! That what is promised of claims and intervals holds on numbers of which the truth is known.

use super::*;

/// Numbers by chance, the same at every run (SplitMix64).
struct Chance(u64);

impl Chance {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Of the normal distribution.
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }
}

/// A day of about a hundred contacts: some days are slower, and in a burst all are.
fn day(chance: &mut Chance, factor: f64) -> (Day, Vec<f64>) {
    let slow = (0.15 * chance.normal()).exp();
    let mut all = Vec::new();
    for _half_hour in 0..20 {
        let burst = (0.3 * chance.normal()).exp();
        let contacts = 1 + (9.0 * chance.unit()) as usize;
        for _ in 0..contacts {
            all.push(240.0 * factor * slow * burst * (0.7 * chance.normal()).exp());
        }
    }
    let day = Day {
        over: all.iter().sum(),
        under: all.len() as f64,
    };
    (day, all)
}

/// The same days as if all contacts were independent: what is not done here.
fn naive(a: &[f64], b: &[f64]) -> bool {
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let error = |x: &[f64]| {
        let m = mean(x);
        x.iter().map(|v| (v - m).powi(2)).sum::<f64>() / (x.len() as f64).powi(2)
    };
    (mean(b) - mean(a)).abs() > 1.96 * (error(a) + error(b)).sqrt()
}

fn side(chance: &mut Chance, days: usize, factor: f64) -> (Vec<Day>, Vec<f64>) {
    let (mut out, mut all) = (Vec::new(), Vec::new());
    for _ in 0..days {
        let (day, contacts) = day(chance, factor);
        out.push(day);
        all.extend(contacts);
    }
    (out, all)
}

#[test]
fn claims_are_false_as_seldom_as_promised_and_intervals_cover() {
    const ROUNDS: usize = 400;
    const METRICS: usize = 8;
    for days in [7, 28] {
        let mut chance = Chance(days as u64);
        let (mut families, mut covered, mut naive_false) = (0, 0, 0);
        for _ in 0..ROUNDS {
            let mut chances = Vec::new();
            for metric in 0..METRICS {
                let (a, plain_a) = side(&mut chance, days, 1.0);
                let (b, plain_b) = side(&mut chance, days, 1.0);
                let d = difference(&estimate(&a).unwrap(), &estimate(&b).unwrap()).unwrap();
                chances.push(d.p);
                covered += usize::from(d.low <= 0.0 && 0.0 <= d.high);
                naive_false += usize::from(metric == 0 && naive(&plain_a, &plain_b));
            }
            families += usize::from(holm(&chances).iter().any(|p| *p <= LEVEL));
        }
        let share = |n: usize, of: usize| n as f64 / of as f64;
        let (false_claims, coverage) = (share(families, ROUNDS), share(covered, ROUNDS * METRICS));
        println!(
            "{days} days: {false_claims} of the pages claim something false, {coverage} of the intervals \
             cover, {} of naive tests claim something false",
            share(naive_false, ROUNDS)
        );
        // Five in a hundred, and what chance adds in so many rounds.
        assert!(false_claims <= 0.05 + 0.025, "{days} days: {false_claims}");
        assert!((0.94..0.97).contains(&coverage), "{days} days: {coverage}");
        assert!(share(naive_false, ROUNDS) > 0.15);
    }
}

#[test]
fn a_difference_of_the_least_size_is_found_four_times_out_of_five() {
    const ROUNDS: usize = 300;
    let mut chance = Chance(7);
    let (mut found, mut covered, mut truth) = (0, 0, 0.0);
    // The least size of this design, from pairs without a difference.
    for _ in 0..50 {
        let (a, _) = side(&mut chance, 28, 1.0);
        let (b, _) = side(&mut chance, 28, 1.0);
        let d = difference(&estimate(&a).unwrap(), &estimate(&b).unwrap()).unwrap();
        truth += least(&d, 1) / 50.0;
    }
    let usual = {
        let (many, _) = side(&mut chance, 20_000, 1.0);
        estimate(&many).unwrap().value
    };
    for _ in 0..ROUNDS {
        let (a, _) = side(&mut chance, 28, 1.0);
        let (b, _) = side(&mut chance, 28, 1.0 + truth / usual);
        let d = difference(&estimate(&a).unwrap(), &estimate(&b).unwrap()).unwrap();
        found += usize::from(d.p <= LEVEL && d.value > 0.0);
        covered += usize::from(d.low <= truth && truth <= d.high);
    }
    let share = |n: usize| n as f64 / ROUNDS as f64;
    assert!((0.72..0.88).contains(&share(found)), "{}", share(found));
    assert!(share(covered) > 0.92, "{}", share(covered));
}

#[test]
fn students_t_is_that_of_the_tables() {
    for (freedom, level, t) in [
        (1, 0.05, 12.7062),
        (2, 0.05, 4.302_65),
        (3, 0.10, 2.353_36),
        (5, 0.05, 2.570_58),
        (6, 0.01, 3.707_43),
        (12, 0.05, 2.178_81),
        (30, 0.01, 2.749_996),
        (120, 0.05, 1.979_93),
        (2_000, 0.05, 1.961_15),
    ] {
        let found = quantile(level, freedom);
        assert!((found - t).abs() < 1e-4 * t, "{freedom} {level}: {found}");
        assert!((beyond(found, freedom) - level).abs() < 1e-9);
        assert!((beyond(-found, freedom) - level).abs() < 1e-9);
    }
}

#[test]
fn chances_are_adjusted_as_holm_says() {
    let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
    let wanted = [0.03, 0.06, 0.06, 0.02];
    for (found, wanted) in adjusted.iter().zip(wanted) {
        assert!((found - wanted).abs() < 1e-12, "{adjusted:?}");
    }
    assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
    assert!(holm(&[]).is_empty());
}

#[test]
fn what_cannot_be_estimated_is_not() {
    let one = Day {
        over: 3.0,
        under: 4.0,
    };
    let none = Day {
        over: 0.0,
        under: 0.0,
    };
    assert_eq!(estimate(&[]), None);
    assert_eq!(estimate(&[one, none]), None);
    let same = estimate(&[one, one, none]).unwrap();
    assert_eq!((same.value, same.error, same.days), (0.75, 0.0, 2));
    assert_eq!(difference(&same, &same), None);
}
