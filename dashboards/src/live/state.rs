//! What the board shows, read in three queries per change.

use std::collections::HashMap;

use crate::app::App;
use crate::data::{self, DataError, Value};
use crate::reports::aggregate::together;
use crate::reports::run::{Cell, Grid, Run};
use crate::url::Params;
use crate::view::filters::Choice;
use crate::zone::Range;
use chrono_tz::Tz;

/// Most agents shown.
const MOST_AGENTS: usize = 2_000;
/// Measures of a queue's row, in the order in which they are asked for.
pub(super) const MEASURES: [&str; 10] = [
    "waiting",
    "oldest",
    "offered",
    "answered",
    "abandoned",
    "left",
    "service_level",
    "asa",
    "threshold",
    "goal",
];

/// The board's data.
pub struct Board {
    pub(super) run: Run,
    pub(super) queues: Grid,
    pub(super) states: Grid,
    pub(super) agents: Vec<Agent>,
    pub(super) formulas: HashMap<String, String>,
}

pub(super) struct Agent {
    pub(super) name: String,
    pub(super) state: String,
    pub(super) reason: Option<String>,
    pub(super) since: Option<i64>,
    pub(super) queue: Option<String>,
    pub(super) contact: Option<String>,
}

impl Board {
    /// Reads the board of the day that now lies in.
    ///
    /// # Errors
    /// When a query fails or the board's report file is unreadable.
    pub async fn read(app: &App, zone: Tz) -> Result<Self, DataError> {
        let report = app
            .library
            .get("board")
            .unwrap_or_else(|| Err("there is none".to_owned()))
            .map_err(|e| DataError::Refused(format!("The board's own report file: {e}")))?;
        let now = app.now();
        let choice = Choice {
            range: Range::today(zone, now),
            given: false,
            queues: vec![],
            agents: vec![],
            now,
        };
        let params = Params::default().with("tz", if zone == app.zone { "" } else { zone.name() });
        let run = Run::new(report, choice, &params).map_err(DataError::Refused)?;
        let from = app.data.pin();
        let from = from.as_ref();
        let agents = &run.report.measures["agents"];
        let targets = format!(
            "SELECT queue, variant FROM callboard.target_spans WHERE begins < {} AND ends > {} \
             ORDER BY queue, begins",
            data::time(run.choice.range.to),
            data::time(run.choice.range.from),
        );
        let (mut queues, list, targets) = futures::try_join!(
            run.grid(from, &["queue"], &MEASURES, false),
            run.list(from, agents, MOST_AGENTS, 0),
            from.rows(&targets),
        )?;
        queues.total = (0..MEASURES.len())
            .map(|i| total(&run, &queues, i))
            .collect();
        let text = |v: &Value| v.text().filter(|t| !t.is_empty()).map(str::to_owned);
        let agents: Vec<Agent> = list
            .iter()
            .map(|r| Agent {
                name: r.get("agent").plain(),
                state: r.get("state").plain(),
                reason: text(r.get("reason")),
                since: r.int("since"),
                queue: text(r.get("queue")),
                contact: text(r.get("contact_id")),
            })
            .collect();
        let mut states: Vec<(&str, i64)> = Vec::new();
        for agent in &agents {
            match states.iter_mut().find(|s| s.0 == agent.state) {
                Some(s) => s.1 += 1,
                None => states.push((&agent.state, 1)),
            }
        }
        let order = [
            "available",
            "ringing",
            "talk",
            "hold",
            "wrapup",
            "paused",
            "offline",
            "unknown",
        ];
        states.sort_by_key(|s| order.iter().position(|o| *o == s.0));
        let cell = |n: i64| Cell {
            value: Some(n as f64),
            n,
            sum: None,
        };
        let states = Grid {
            rows: states
                .iter()
                .map(|(s, n)| (vec![Value::Text((*s).to_owned())], vec![cell(*n)]))
                .collect(),
            ..Grid::default()
        };
        let mut formulas: HashMap<String, String> = HashMap::new();
        for r in targets.iter() {
            let (Some(queue), Some(variant)) = (r.text("queue"), r.text("variant")) else {
                continue;
            };
            // Two targets of one queue may each have held for a part of the day.
            let known = formulas
                .entry(queue.to_owned())
                .or_insert_with(|| variant.to_owned());
            if known != variant {
                "mixed".clone_into(known);
            }
        }
        Ok(Board {
            run,
            queues,
            states,
            agents,
            formulas,
        })
    }

    /// Whether nothing has been seen at all.
    pub fn is_empty(&self) -> bool {
        self.queues.rows.is_empty() && self.agents.is_empty()
    }
}

/// A measure over all queues, out of those of each: asking for it costs as much again.
fn total(run: &Run, queues: &Grid, at: usize) -> Cell {
    let parts: Vec<Cell> = queues.rows.iter().map(|(_, cells)| cells[at]).collect();
    together(&run.report.measures[MEASURES[at]], &parts).unwrap_or_default()
}
