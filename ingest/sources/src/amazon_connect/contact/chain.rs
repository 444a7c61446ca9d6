//! What follows from several legs: who was consulted, who joined, to whom the customer was handed.

use std::collections::BTreeMap;

use super::super::leg::{Leg, Moment};
use super::super::words::{Kin, kin};

/// A child that spoke for no longer was only asked, milliseconds.
const ASKED: i64 = 2_000;

/// What an agent did when he called somebody else in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// He handed the customer over.
    Transfer,
    /// He asked.
    Consult,
    /// All three spoke.
    Conference,
}

/// The legs of a contact, with what lies between them.
pub(super) struct Chain<'l> {
    /// In order of their beginning; never empty.
    pub legs: &'l [Leg],
    /// Callbacks that this contact led to.
    pub callbacks: &'l [Leg],
    children: BTreeMap<String, Vec<&'l Leg>>,
    by_id: BTreeMap<&'l str, &'l Leg>,
}

impl<'l> Chain<'l> {
    pub fn new(legs: &'l [Leg], callbacks: &'l [Leg]) -> Self {
        let mut children: BTreeMap<String, Vec<&Leg>> = BTreeMap::new();
        for leg in legs {
            if let Some(previous) = leg.previous()
                && kin(&leg.method()) == Kin::Same
            {
                children.entry(previous).or_default().push(leg);
            }
        }
        Chain {
            legs,
            callbacks,
            children,
            by_id: legs.iter().map(|l| (&*l.id, l)).collect(),
        }
    }

    /// The leg with which it began: the first that came from no other that is known.
    pub fn root(&self) -> Option<&'l Leg> {
        let first = |l: &&Leg| self.parent(l).is_none();
        self.legs.iter().find(first).or(self.legs.first())
    }

    /// The leg before, where it is part of this contact.
    pub fn parent(&self, leg: &Leg) -> Option<&'l Leg> {
        if kin(&leg.method()) != Kin::Same {
            return None;
        }
        let previous = leg.previous()?;
        self.by_id.get(&*previous).copied()
    }

    /// Legs that came from this one; supervisors who listened are none.
    pub fn children(&self, leg: &Leg) -> impl Iterator<Item = &'l Leg> {
        let list = self.children.get(&leg.id);
        let list = list.into_iter().flatten().copied();
        list.filter(|c| c.method() != "MONITOR")
    }

    /// Callbacks that this leg led to.
    pub fn callback(&self, leg: &Leg) -> Option<&'l Leg> {
        let of = |c: &&Leg| c.previous().as_deref() == Some(&*leg.id);
        self.callbacks.iter().find(of)
    }

    /// What the agent of `parent` did by this child; `None` where no agent did anything.
    pub fn call(&self, parent: &Leg, child: &Leg) -> Option<Call> {
        parent.at(Moment::ConnectedToAgent)?;
        match &*child.method() {
            "TRANSFER" => Some(inside(parent, child)),
            "EXTERNAL_OUTBOUND" => Some(outside(parent, child)),
            _ => None,
        }
    }

    /// What the agent of the leg before did by this leg.
    pub fn called(&self, leg: &Leg) -> Option<Call> {
        self.call(self.parent(leg)?, leg)
    }

    /// The child to whom the agent of this leg handed the customer.
    pub fn handed_to(&self, leg: &Leg) -> Option<&'l Leg> {
        self.children(leg)
            .filter(|child| self.call(leg, child) == Some(Call::Transfer))
            .last()
    }
}

/// When an agent left: his wrap-up begins, or the leg ends.
fn left(leg: &Leg) -> Option<i64> {
    leg.at(Moment::WrapStarted).or(leg.at(Moment::Disconnected))
}

/// The rule for a colleague: he who leaves first has handed over; else he stayed, and the colleague
/// was asked or joined.
fn inside(parent: &Leg, child: &Leg) -> Call {
    match (left(parent), left(child)) {
        (Some(p), Some(c)) if p < c => Call::Transfer,
        (Some(_), None) => Call::Transfer,
        (_, None) => Call::Consult,
        (_, Some(_)) => match child.agent_ms(&["AgentInteractionDuration"]) {
            Some(ms) if ms > ASKED => Call::Conference,
            _ => Call::Consult,
        },
    }
}

/// The rule for somebody outside: the transfer was completed before he left; else he was asked when
/// the customer was held for longer than he spoke.
fn outside(parent: &Leg, child: &Leg) -> Call {
    let completed = parent.at(Moment::TransferCompleted);
    match (completed, child.at(Moment::Disconnected)) {
        (Some(t), Some(d)) if d > t => return Call::Transfer,
        (Some(_), None) => return Call::Transfer,
        _ => {}
    }
    let held = parent.agent_ms(&["CustomerHoldDuration", "AgentInitiatedHoldDuration"]);
    let spoke = child.find(|d| {
        d.at(&[
            "ExternalThirdParty",
            "ExternalThirdPartyInteractionDuration",
        ])
        .seconds()
    });
    match (held, spoke) {
        (Some(held), Some(spoke)) if held < spoke => Call::Conference,
        (None, Some(_)) => Call::Conference,
        _ => Call::Consult,
    }
}
