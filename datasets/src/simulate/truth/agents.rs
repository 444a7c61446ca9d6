//! Agents by the moment: layers painted over each other, the foremost seen.

use callboard_model::cloudevents::words::AgentState;

use super::super::story::Point;
use super::rows::{AgentIntervalRow, At};

/// What a contact makes of an agent, the foremost first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// In conversation.
    Talk,
    /// Somebody is on hold.
    Hold,
    /// An offer rings.
    Ringing,
    /// After a contact.
    Wrapup,
}

const LAYERS: [&str; 4] = ["talk", "hold", "ringing", "wrapup"];

/// A time in which a layer lies over an agent.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// Which.
    pub layer: Layer,
    /// From when.
    pub from: i64,
    /// Until when.
    pub until: i64,
}

/// What became known of an agent on a day.
#[derive(Debug, Clone, Default)]
pub struct AgentDay {
    /// What contacts made of him.
    pub spans: Vec<Span>,
    /// What was said of him.
    pub points: Vec<Point>,
}

/// A state, and the reason of a pause.
type Seen = (&'static str, Option<&'static str>);

/// An agent through all days.
pub struct AgentLine {
    name: String,
    ground: Seen,
    /// The last day, not painted yet: what it ends in depends on whether another follows.
    held: Option<AgentDay>,
    /// The interval that goes on.
    going: Option<(Seen, i64)>,
}

impl AgentLine {
    /// An agent of whom nothing is known.
    pub fn new(name: &str) -> Self {
        AgentLine {
            name: name.to_owned(),
            ground: ("offline", None),
            held: None,
            going: None,
        }
    }

    /// Adds a day; gives the rows that are certain by now.
    pub fn day(&mut self, day: AgentDay) -> Vec<AgentIntervalRow> {
        match self.held.replace(day) {
            Some(before) => self.paint(before),
            None => Vec::new(),
        }
    }

    /// Nothing follows: the rest of the rows. Who was not said to have gone is not known any more
    /// after what was last said of him.
    pub fn finish(&mut self) -> Vec<AgentIntervalRow> {
        let mut rows = Vec::new();
        if let Some(mut last) = self.held.take() {
            if let Some(point) = last
                .points
                .last_mut()
                .filter(|p| p.state != AgentState::Offline)
            {
                point.state = AgentState::Unknown;
            }
            rows = self.paint(last);
        }
        if let Some((seen, from)) = self.going.take() {
            rows.push(self.row(seen, from, None));
        }
        rows
    }

    /// The earliest start of a row that is still to come.
    pub fn open_since(&self) -> Option<i64> {
        let held = self.held.as_ref().and_then(|day| {
            let points = day.points.iter().map(|p| p.at);
            points.chain(day.spans.iter().map(|s| s.from)).min()
        });
        self.going
            .map(|(_, from)| from)
            .into_iter()
            .chain(held)
            .min()
    }

    fn paint(&mut self, day: AgentDay) -> Vec<AgentIntervalRow> {
        enum Edge {
            Ground(Seen),
            Layer(Layer, i32),
        }
        let mut edges = Vec::with_capacity(day.points.len() + 2 * day.spans.len());
        for point in &day.points {
            edges.push((point.at, Edge::Ground(ground(point))));
        }
        for span in &day.spans {
            edges.push((span.from, Edge::Layer(span.layer, 1)));
            edges.push((span.until, Edge::Layer(span.layer, -1)));
        }
        edges.sort_by_key(|(at, _)| *at);
        let mut rows = Vec::new();
        let mut depth = [0i32; LAYERS.len()];
        let mut edges = edges.into_iter().peekable();
        while let Some((at, edge)) = edges.next() {
            match edge {
                Edge::Ground(seen) => self.ground = seen,
                Edge::Layer(layer, by) => depth[layer as usize] += by,
            }
            if edges.peek().is_some_and(|(next, _)| *next == at) {
                continue;
            }
            let front = depth.iter().position(|d| *d > 0);
            let seen = front.map_or(self.ground, |layer| (LAYERS[layer], None));
            match self.going {
                Some((before, _)) if before == seen => {}
                before => {
                    if let Some((before, from)) = before {
                        rows.push(self.row(before, from, Some(at)));
                    }
                    self.going = Some((seen, at));
                }
            }
        }
        rows
    }

    fn row(&self, (state, reason): Seen, from: i64, until: Option<i64>) -> AgentIntervalRow {
        AgentIntervalRow {
            agent: self.name.clone(),
            state,
            reason,
            started_at: At(from),
            ended_at: until.map(At),
        }
    }
}

fn ground(point: &Point) -> Seen {
    match point.state {
        AgentState::Paused => ("paused", Some(point.reason)),
        AgentState::Available => ("available", None),
        AgentState::Offline => ("offline", None),
        _ => ("unknown", None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(at: i64, state: AgentState, reason: &'static str) -> Point {
        Point { at, state, reason }
    }

    fn seen(rows: &[AgentIntervalRow]) -> Vec<(&str, i64, Option<i64>)> {
        rows.iter()
            .map(|r| (r.state, r.started_at.0, r.ended_at.map(|t| t.0)))
            .collect()
    }

    #[test]
    fn the_foremost_layer_is_seen_and_equal_neighbours_are_one() {
        let mut line = AgentLine::new("a");
        let spans = [
            (Layer::Ringing, 10, 14),
            (Layer::Talk, 14, 20),
            (Layer::Wrapup, 20, 25),
            (Layer::Talk, 22, 24),
            (Layer::Talk, 24, 24),
        ];
        let day = AgentDay {
            spans: spans
                .iter()
                .map(|(layer, from, until)| Span {
                    layer: *layer,
                    from: *from,
                    until: *until,
                })
                .collect(),
            points: vec![
                point(5, AgentState::Available, ""),
                point(30, AgentState::Paused, "lunch"),
                point(40, AgentState::Offline, ""),
            ],
        };
        assert!(line.day(day).is_empty(), "the last day is held back");
        let next = AgentDay {
            spans: vec![],
            points: vec![point(90, AgentState::Available, "")],
        };
        let mut rows = line.day(next);
        rows.extend(line.finish());
        let wanted = [
            ("available", 5, Some(10)),
            ("ringing", 10, Some(14)),
            ("talk", 14, Some(20)),
            ("wrapup", 20, Some(22)),
            ("talk", 22, Some(24)),
            ("wrapup", 24, Some(25)),
            ("available", 25, Some(30)),
            ("paused", 30, Some(40)),
            ("offline", 40, Some(90)),
            ("unknown", 90, None),
        ];
        assert_eq!(seen(&rows), wanted);
    }
}
