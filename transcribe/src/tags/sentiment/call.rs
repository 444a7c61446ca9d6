//! From turns' moods to a call's: frequency and streaks, by quarter of the conversation.

use super::Mood;
use crate::Leg;
use crate::turns::Turn;
use serde::{Deserialize, Serialize};

/// One speaker's mood over a call, each figure from -5 to 5.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LegSentiment {
    /// Whose.
    pub leg: Leg,
    /// Mean of the quarters that have turns; none when he said nothing.
    pub overall: Option<f64>,
    /// The four equal parts from 0 to the end of his last turn; none where he was silent.
    pub quarters: [Option<f64>; 4],
    /// Last known quarter minus first known: above 0 it got better.
    pub trend: Option<f64>,
}

/// Mood of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallSentiment {
    /// One entry for each leg that spoke.
    pub legs: Vec<LegSentiment>,
    /// Mean of the turns' compound scores weighted by their words, -1 to 1; none without turns.
    pub compound: Option<f64>,
}

/// Computes a call's mood from its turns (any order). A pure view over them.
pub fn call_sentiment(turns: &[Turn]) -> CallSentiment {
    let legs = [Leg::Customer, Leg::Agent, Leg::Both]
        .into_iter()
        .filter(|leg| turns.iter().any(|t| t.leg == *leg))
        .map(|leg| leg_sentiment(leg, turns))
        .collect();
    let weight: f64 = turns.iter().map(|t| t.words.len() as f64).sum();
    let sum: f64 = turns
        .iter()
        .map(|t| t.words.len() as f64 * t.sentiment.compound)
        .sum();
    let compound = (weight > 0.0).then(|| (sum / weight * 10_000.0).round() / 10_000.0);
    CallSentiment { legs, compound }
}

fn leg_sentiment(leg: Leg, turns: &[Turn]) -> LegSentiment {
    let mut own: Vec<&Turn> = turns.iter().filter(|t| t.leg == leg).collect();
    own.sort_by_key(|t| t.start_ms);
    let end = own.iter().map(|t| t.end_ms).max().unwrap_or(0).max(1);
    let mut quarters = [None; 4];
    for (n, quarter) in quarters.iter_mut().enumerate() {
        let inside: Vec<&Turn> = own
            .iter()
            .copied()
            .filter(|t| (t.start_ms * 4 / end).min(3) == n as u64)
            .collect();
        *quarter = period(&inside);
    }
    let known: Vec<f64> = quarters.iter().flatten().copied().collect();
    let overall =
        (!known.is_empty()).then(|| tenth(known.iter().sum::<f64>() / known.len() as f64));
    let trend = known
        .first()
        .zip(known.last())
        .map(|(first, last)| tenth(last - first));
    LegSentiment {
        leg,
        overall,
        quarters,
        trend,
    }
}

/// Frequency of moods weighted by words (at most 30 a turn), and half a point for each turn of a
/// streak beyond its second.
fn period(turns: &[&Turn]) -> Option<f64> {
    if turns.is_empty() {
        return None;
    }
    let sign = |t: &Turn| match t.mood {
        Mood::Positive => 1.0,
        Mood::Neutral => 0.0,
        Mood::Negative => -1.0,
    };
    let weight = |t: &Turn| t.words.len().clamp(1, 30) as f64;
    let total: f64 = turns.iter().map(|t| weight(t)).sum();
    let mut score = 5.0 * turns.iter().map(|t| weight(t) * sign(t)).sum::<f64>() / total;
    for run in turns.chunk_by(|a, b| a.mood == b.mood) {
        if run.len() >= 3 {
            score += sign(run[0]) * 0.5 * (run.len() - 2) as f64;
        }
    }
    Some(tenth(score.clamp(-5.0, 5.0)))
}

fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turns::testing::turn;

    #[test]
    fn quarters_streaks_and_trend() {
        let turns = [
            turn(Leg::Customer, 0, 1_000, "this is terrible"),
            turn(Leg::Customer, 2_000, 3_000, "awful service"),
            turn(Leg::Customer, 4_000, 4_900, "I hate it"),
            turn(Leg::Agent, 5_000, 6_000, "one moment"),
            turn(Leg::Customer, 19_000, 20_000, "great thank you"),
        ];
        let mood = call_sentiment(&turns);
        assert_eq!(
            mood.legs.iter().map(|l| l.leg).collect::<Vec<_>>(),
            [Leg::Customer, Leg::Agent]
        );
        let customer = &mood.legs[0];
        assert_eq!(customer.quarters, [Some(-5.0), None, None, Some(5.0)]);
        assert_eq!((customer.overall, customer.trend), (Some(0.0), Some(10.0)));
        assert_eq!(mood.legs[1].overall, Some(0.0));
        assert!(call_sentiment(&[]).compound.is_none());
    }
}
