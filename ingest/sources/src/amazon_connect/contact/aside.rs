//! Legs that no customer made: what a manager asked the platform's assistant, and contacts with which
//! it tries a flow. They have queues and agents as others have, and count nowhere: their records are
//! kept, and the contact that they came of, where there is one, names them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::super::leg::Leg;
use super::super::words::{Kin, kin};

/// What such a leg is; `None` of a customer's.
fn mark(leg: &Leg) -> Option<&'static str> {
    // A segment attribute is one value in a wrapper that names its type.
    let says = |name: &str| {
        leg.find(|d| {
            let wrapper = d.get("SegmentAttributes").get(name);
            let inner = || wrapper.fields().find_map(|(_, value)| value.owned());
            wrapper.owned().or_else(inner)
        })
    };
    let subtype = says("connect:Subtype").unwrap_or_default();
    if subtype.eq_ignore_ascii_case("connect:Assistant") {
        return Some("assistant");
    }
    // Of whatever type the test is.
    says("connect:ValidationTestType").map(|_| "test")
}

/// Divides the legs of a contact into those of a customer's, in their order, and the others, each
/// with what it is. What came of one of the others is one too, though it does not say so.
pub(super) fn divide(legs: Vec<Leg>) -> (Vec<Leg>, Vec<(Leg, &'static str)>) {
    let mut aside: BTreeMap<String, &'static str> = legs
        .iter()
        .filter_map(|leg| Some((leg.id.clone(), mark(leg)?)))
        .collect();
    if aside.is_empty() {
        return (legs, Vec::new());
    }
    let mut children: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for leg in &legs {
        let same = kin(&leg.method()) == Kin::Same;
        if let Some(previous) = leg.previous().filter(|_| same) {
            children.entry(previous).or_default().push(leg.id.clone());
        }
    }
    let mut open: Vec<(String, &'static str)> =
        aside.iter().map(|(id, what)| (id.clone(), *what)).collect();
    while let Some((id, what)) = open.pop() {
        for child in children.remove(&id).unwrap_or_default() {
            if let Entry::Vacant(free) = aside.entry(child.clone()) {
                free.insert(what);
                open.push((child, what));
            }
        }
    }
    let (mut customers, mut others) = (Vec::new(), Vec::new());
    for leg in legs {
        match aside.get(&leg.id) {
            Some(what) => others.push((leg, *what)),
            None => customers.push(leg),
        }
    }
    (customers, others)
}

/// Whether a leg is none of a customer's, as far as it says so itself.
pub(super) fn is_aside(leg: &Leg) -> bool {
    mark(leg).is_some()
}
