//! How many contacts begin at which site on which day.

use super::Options;
use super::calendar::weekday;
use super::chance::Chance;
use super::world::Scale;

/// Weight of a weekday, Monday first.
const WEEK: [u64; 7] = [115, 108, 102, 100, 98, 55, 45];

/// How many contacts begin at each site on each day, days first; of all of them those of the first days
/// alone, where not all are played.
pub fn shares(options: &Options, scale: &Scale, until_day: Option<i64>) -> Vec<u64> {
    let mut weights = Vec::new();
    for day in 0..scale.days {
        for site in 0..scale.sites {
            let mut chance =
                Chance::of(options.seed, "day", &[site, options.skip_days + day as u64]);
            let week = WEEK[weekday(options.first_day + day) as usize];
            weights.push(week * (850 + chance.below(301)));
        }
    }
    let all = u128::from(weights.iter().sum::<u64>());
    let upto = |sum: u64| (u128::from(options.contacts) * u128::from(sum) / all) as u64;
    let played = until_day.unwrap_or(scale.days) as u64 * scale.sites;
    let mut sum = 0;
    weights
        .iter()
        .take(played as usize)
        .map(|weight| {
            let before = upto(sum);
            sum += weight;
            upto(sum) - before
        })
        .collect()
}

/// Contacts that customers and campaigns begin in the first days, or in all.
pub fn contacts_until(options: &Options, until_day: Option<i64>) -> u64 {
    shares(options, &Scale::of(options), until_day).iter().sum()
}
