//! Which of the facts of `query/platforms.toml` the compared cells show: how many a platform told
//! right and how many it did not. What that table calls exact must be right here, and what it calls
//! impossible must not.

use std::collections::{BTreeMap, BTreeSet};

use crate::compare::{Row, number};

/// Farthest that a time or a length may be told from the truth, milliseconds: where formats carry
/// whole seconds, the begin and the end of a part are rounded apart.
const NEAR: i64 = 2_000;

/// Ends of a wait that are one figure, `left_other`.
const LEFT_OTHER: [&str; 5] = [
    "key_exit",
    "callback",
    "voicemail",
    "transferred",
    "withdrawn",
];

/// The facts that are counted.
pub const NAMES: [&str; 22] = [
    "entry",
    "answer",
    "abandon",
    "timeout",
    "overflow",
    "no_agents",
    "left_other",
    "refused",
    "wait",
    "talk",
    "hold",
    "wrap_up",
    "offers",
    "login",
    "pause",
    "transfer",
    "transfer_target",
    "links",
    "menu",
    "customer",
    "outbound",
    "written",
];

/// How often a fact was told as it is, and how often not.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// As it is.
    pub right: u64,
    /// Otherwise, or not at all, or where there was nothing.
    pub wrong: u64,
}

/// Facts by name.
#[derive(Debug, Default)]
pub struct Facts {
    pub shares: BTreeMap<&'static str, Share>,
    /// The queues of the truth: what is told of other names (an agent's own queue) is no entry into
    /// one of these.
    pub queues: BTreeSet<String>,
}

impl Facts {
    fn count(&mut self, fact: &'static str, right: bool) {
        let share = self.shares.entry(fact).or_default();
        match right {
            true => share.right += 1,
            false => share.wrong += 1,
        }
    }

    /// A row of a contact that is not told at all. Whether calls that go out and contacts in writing
    /// are told is a fact of its own; what happened in them is then asked of nobody.
    pub fn untold(&mut self, table: &str, truth: &Row) {
        if table == "contacts" {
            self.kind(truth, false);
        } else if truth.text("channel") == "voice" {
            self.row(table, truth, None);
        }
    }

    /// A row of the truth beside the product's, `None` where that is missing.
    pub fn row(&mut self, table: &str, truth: &Row, product: Option<&Row>) {
        let comes_in = truth.text("direction") == "inbound";
        if ["segments", "offers"].contains(&table) && !comes_in {
            return;
        }
        match table {
            "contacts" => self.contact(truth, product),
            "segments" => match &*truth.text("kind") {
                "queue" => self.stay(truth, product),
                "talk" => self.talk(truth, product),
                "hold" => self.part("hold", truth, product),
                "wrapup" => self.part("wrap_up", truth, product),
                "menu" | "bot" => self.part("menu", truth, product),
                _ => {}
            },
            "offers" => {
                let right = product.is_some_and(|p| {
                    same(truth, p, "agent")
                        && near(truth, p, "offered_at")
                        && near(truth, p, "ring_ms")
                });
                self.count("offers", right);
            }
            "links" => self.count("links", product.is_some_and(|p| same(truth, p, "kind"))),
            "agent_states" => {
                let right = product.is_some_and(|p| {
                    same(truth, p, "state")
                        && near(truth, p, "started_at")
                        && near(truth, p, "ended_at")
                });
                let fact = match &*truth.text("state") {
                    "paused" => "pause",
                    _ => "login",
                };
                self.count(fact, right);
            }
            _ => {}
        }
    }

    /// A row of the product that the truth has not.
    pub fn more(&mut self, table: &str, product: &Row) {
        let queue = product.text("queue");
        if product.text("direction") != "inbound" {
            return;
        }
        if table == "segments" && product.text("kind") == "queue" && self.queues.contains(&queue) {
            self.count("entry", false);
            if let Some(fact) = ending(&product.text("outcome")) {
                self.count(fact, false);
            }
        }
    }

    fn contact(&mut self, truth: &Row, product: Option<&Row>) {
        self.kind(truth, product.is_some());
        let calls = truth.text("direction") == "inbound" && truth.text("channel") == "voice";
        if calls && truth.text("customer") != "NULL" {
            self.count(
                "customer",
                product.is_some_and(|p| same(truth, p, "customer")),
            );
        }
    }

    /// Whether contacts of a kind are told. Where nobody was free to dial, no call went out.
    fn kind(&mut self, truth: &Row, told: bool) {
        if truth.text("direction") == "outbound" && (told || !truth.has.contains("dial.canceled")) {
            self.count("outbound", told);
        }
        if truth.text("channel") != "voice" {
            self.count("written", told);
        }
    }

    fn stay(&mut self, truth: &Row, product: Option<&Row>) {
        let (outcome, told) = (truth.text("outcome"), product.map(|p| p.text("outcome")));
        let (of_truth, of_told) = (ending(&outcome), told.as_deref().and_then(ending));
        if let Some(fact) = of_truth {
            self.count(fact, of_told == of_truth);
        }
        // Who was counted there, and is not of it.
        if let Some(fact) = of_told.filter(|_| of_told != of_truth) {
            self.count(fact, false);
        }
        if outcome != "refused" {
            let right = product.is_some_and(|p| same(truth, p, "queue"));
            self.count("entry", right);
            self.count("wait", product.is_some_and(|p| lasts_as(truth, p)));
        }
    }

    fn talk(&mut self, truth: &Row, product: Option<&Row>) {
        self.part("talk", truth, product);
        if truth.text("outcome") == "transferred" {
            self.count(
                "transfer",
                product.is_some_and(|p| same(truth, p, "outcome")),
            );
            let right =
                product.is_some_and(|p| same(truth, p, "target_kind") && same(truth, p, "target"));
            self.count("transfer_target", right);
        }
    }

    /// A part of a contact: whose it was, and how long.
    fn part(&mut self, fact: &'static str, truth: &Row, product: Option<&Row>) {
        let right = product.is_some_and(|p| same(truth, p, "agent") && lasts_as(truth, p));
        self.count(fact, right);
    }
}

/// The figure that a wait of this end counts to.
fn ending(outcome: &str) -> Option<&'static str> {
    match outcome {
        "answered" => Some("answer"),
        "abandoned" => Some("abandon"),
        "timeout" => Some("timeout"),
        "overflow" => Some("overflow"),
        "no_agents" => Some("no_agents"),
        "refused" => Some("refused"),
        other if LEFT_OTHER.contains(&other) => Some("left_other"),
        _ => None,
    }
}

fn same(truth: &Row, product: &Row, column: &str) -> bool {
    truth.text(column) == product.text(column)
}

fn near(truth: &Row, product: &Row, column: &str) -> bool {
    match (number(&truth.text(column)), number(&product.text(column))) {
        (Some(a), Some(b)) => (a - b).abs() <= NEAR,
        _ => same(truth, product, column),
    }
}

/// Whether two parts are equally long.
fn lasts_as(truth: &Row, product: &Row) -> bool {
    let length = |row: &Row| {
        let (from, to) = (row.text("started_at"), row.text("ended_at"));
        number(&from).zip(number(&to)).map(|(from, to)| to - from)
    };
    match (length(truth), length(product)) {
        (Some(a), Some(b)) => (a - b).abs() <= NEAR,
        (a, b) => a == b,
    }
}
