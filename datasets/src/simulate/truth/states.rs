//! Agents' own states, as rows cut at UTC midnight. They stand beside what platforms tell; what
//! contacts make of agents is in their intervals.

use callboard_model::cloudevents::words::AgentState;
use serde::Serialize;

use super::super::calendar::DAY;
use super::super::story::Point;
use super::rows::At;

/// A row of `agent_states`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgentStateRow {
    pub agent: String,
    pub state: &'static str,
    pub reason: Option<&'static str>,
    pub started_at: At,
    pub ended_at: Option<At>,
}

/// The rows of a day. Who went home last is of no row: it begins when he comes back.
pub fn states(agent: &str, points: &[Point]) -> Vec<AgentStateRow> {
    let mut rows = Vec::new();
    for (n, point) in points.iter().enumerate() {
        let until = points.get(n + 1).map(|p| p.at);
        let (state, reason) = match point.state {
            AgentState::Available => ("available", None),
            AgentState::Paused => ("paused", Some(point.reason)),
            _ => ("offline", None),
        };
        let Some(until) = until else {
            if state == "offline" {
                continue;
            }
            rows.push((state, reason, point.at, None));
            continue;
        };
        let mut from = point.at;
        while from < until {
            let midnight = (from.div_euclid(DAY) + 1) * DAY;
            rows.push((state, reason, from, Some(until.min(midnight))));
            from = midnight;
        }
    }
    let row = |(state, reason, from, until): (_, _, i64, Option<i64>)| AgentStateRow {
        agent: agent.to_owned(),
        state,
        reason,
        started_at: At(from),
        ended_at: until.map(At),
    };
    rows.into_iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_cut_at_midnight_and_end_with_the_last_word() {
        let point = |at, state| Point {
            at,
            state,
            reason: "",
        };
        let rows = states(
            "a",
            &[
                point(DAY - 10, AgentState::Available),
                point(DAY + 5, AgentState::Offline),
            ],
        );
        let seen: Vec<_> = rows
            .iter()
            .map(|r| (r.state, r.started_at.0, r.ended_at.map(|t| t.0)))
            .collect();
        assert_eq!(
            seen,
            [
                ("available", DAY - 10, Some(DAY)),
                ("available", DAY, Some(DAY + 5))
            ]
        );
    }
}
