//! What days tell of a difference. Contacts of one hour, and hours of one day, are not independent:
//! a burst or an absence touches all of them. So the day is the unit: each gives one numerator and
//! one denominator, and how much days differ among themselves says how sure a figure is.

/// Level of intervals and claims.
pub const LEVEL: f64 = 0.05;
/// How often a difference of the least size would have been found.
const POWER: f64 = 0.8;
/// More degrees of freedom change nothing that is shown.
const MOST_FREEDOM: u32 = 2_000;

/// Numerator and denominator of one day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Day {
    /// Numerator.
    pub over: f64,
    /// Denominator.
    pub under: f64,
}

/// A quotient of sums over days, with its error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The quotient.
    pub value: f64,
    /// Its standard error.
    pub error: f64,
    /// Days.
    pub days: usize,
}

/// The difference of two estimates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// The second less the first.
    pub value: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Chance of a difference at least so great where there is none.
    pub p: f64,
    /// Standard error.
    pub error: f64,
    /// Degrees of freedom.
    pub freedom: u32,
}

/// The quotient of the days' sums, and its standard error by leaving out one day after the other
/// (jackknife). None where fewer than two days have a denominator, or one day has all of it.
pub fn estimate(days: &[Day]) -> Option<Estimate> {
    let days: Vec<Day> = days.iter().copied().filter(|d| d.under > 0.0).collect();
    let over: f64 = days.iter().map(|d| d.over).sum();
    let under: f64 = days.iter().map(|d| d.under).sum();
    let value = over / under;
    let mut squares = 0.0;
    for day in &days {
        let rest = under - day.under;
        if rest <= 0.0 {
            return None;
        }
        squares += ((over - day.over) / rest - value).powi(2);
    }
    let n = days.len() as f64;
    (days.len() > 1).then(|| Estimate {
        value,
        error: (squares * (n - 1.0) / n).sqrt(),
        days: days.len(),
    })
}

/// What two independent estimates differ by: Welch's interval and test. None where neither varies.
pub fn difference(a: &Estimate, b: &Estimate) -> Option<Difference> {
    let (va, vb) = (a.error.powi(2), b.error.powi(2));
    let error = (va + vb).sqrt();
    // What is left of rounding is no error.
    if error.is_nan() || error <= 1e-9 * (a.value.abs() + b.value.abs()) {
        return None;
    }
    let parts = va.powi(2) / (a.days as f64 - 1.0) + vb.powi(2) / (b.days as f64 - 1.0);
    // Cut to a whole number, which makes the interval wider, if anything.
    let freedom = ((va + vb).powi(2) / parts).clamp(1.0, f64::from(MOST_FREEDOM)) as u32;
    let value = b.value - a.value;
    let reach = quantile(LEVEL, freedom) * error;
    Some(Difference {
        value,
        low: value - reach,
        high: value + reach,
        p: beyond(value / error, freedom),
        error,
        freedom,
    })
}

/// The least difference that would have been claimed four times out of five, were it there, as one
/// of so many comparisons.
pub fn least(d: &Difference, comparisons: usize) -> f64 {
    let level = LEVEL / comparisons.max(1) as f64;
    (quantile(level, d.freedom) + quantile(2.0 * (1.0 - POWER), d.freedom)) * d.error
}

/// Holm's adjustment: each chance as it counts among all comparisons, in the given order.
pub fn holm(chances: &[f64]) -> Vec<f64> {
    let mut order: Vec<(usize, f64)> = chances.iter().copied().enumerate().collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut out = vec![1.0; chances.len()];
    let mut reached: f64 = 0.0;
    for (place, (at, p)) in order.into_iter().enumerate() {
        reached = reached.max(p * (chances.len() - place) as f64).min(1.0);
        if let Some(slot) = out.get_mut(at) {
            *slot = reached;
        }
    }
    out
}

/// Chance that Student's t lies further from 0 than `t`, on both sides: the finite series for whole
/// degrees of freedom (Abramowitz and Stegun 26.7.3 and 26.7.4).
pub fn beyond(t: f64, freedom: u32) -> f64 {
    let angle = (t.abs() / f64::from(freedom.max(1)).sqrt()).atan();
    let (sin, cos) = angle.sin_cos();
    let odd = freedom % 2 == 1;
    let (mut power, mut term) = if odd { (1, cos) } else { (0, 1.0) };
    let mut sum = if freedom <= 1 { 0.0 } else { term };
    while power + 4 <= freedom {
        term *= cos * cos * f64::from(power + 1) / f64::from(power + 2);
        sum += term;
        power += 2;
    }
    let within = match odd {
        true => std::f64::consts::FRAC_2_PI * (angle + sin * sum),
        false => sin * sum,
    };
    (1.0 - within).clamp(0.0, 1.0)
}

/// The t beyond which lies this chance, on both sides together.
pub fn quantile(chance: f64, freedom: u32) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while beyond(high, freedom) > chance && high < 1e9 {
        high *= 2.0;
    }
    for _ in 0..80 {
        let middle = (low + high) / 2.0;
        if beyond(middle, freedom) > chance {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}

#[cfg(test)]
#[path = "stats_tests.rs"]
mod tests;
