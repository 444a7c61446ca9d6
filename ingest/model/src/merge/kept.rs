//! A state on disk: `{"by": [provenance], "told": [[thing, [[fact, [[value, place in by]]]]]]}`. Who
//! says it is written once for all that he says, since nearly every fact of a record has the same
//! provenance and it is longer than most values.
//!
//! Programs before 2026-11-22 wrote `[[thing, [[fact, [{"value", "by"}]]]]]`, which is read too.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Claim, Facts, Slot, State};
use crate::record::Provenance;
use crate::statement::{F, Thing, Value};

/// All provenances of a state, and their places by the address of each.
#[derive(Default)]
struct Sayers<'a> {
    all: Vec<&'a Provenance>,
    places: HashMap<*const Provenance, u32>,
}

impl<'a> Sayers<'a> {
    fn of(state: &'a State) -> Self {
        let mut sayers = Sayers::default();
        let slots = state.things.values().flat_map(Facts::iter);
        for claim in slots.flat_map(|(_, slot)| slot.claims()) {
            let next = sayers.all.len() as u32;
            let place = sayers.places.entry(Arc::as_ptr(&claim.by));
            if *place.or_insert(next) == next {
                sayers.all.push(&claim.by);
            }
        }
        sayers
    }

    fn place(&self, claim: &Claim) -> Option<&u32> {
        self.places.get(&Arc::as_ptr(&claim.by))
    }
}

struct Told<'a>(&'a State, &'a Sayers<'a>);
struct ToldFacts<'a>(&'a Facts, &'a Sayers<'a>);
struct ToldClaims<'a>(&'a Slot, &'a Sayers<'a>);

impl Serialize for Told<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Told(state, sayers) = self;
        serializer.collect_seq(state.iter().map(|(thing, f)| (thing, ToldFacts(f, sayers))))
    }
}

impl Serialize for ToldFacts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ToldFacts(facts, sayers) = self;
        serializer.collect_seq(facts.iter().map(|(f, slot)| (f, ToldClaims(slot, sayers))))
    }
}

impl Serialize for ToldClaims<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ToldClaims(slot, sayers) = self;
        serializer.collect_seq(slot.claims().iter().map(|c| (&c.value, sayers.place(c))))
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let sayers = Sayers::of(self);
        let mut kept = serializer.serialize_struct("State", 2)?;
        kept.serialize_field("by", &sayers.all)?;
        kept.serialize_field("told", &Told(self, &sayers))?;
        kept.end()
    }
}

/// Facts of things as they are read, each claim as `C`.
type Read<C> = Vec<(Thing, Vec<(F, Vec<C>)>)>;

/// A claim of an older program.
#[derive(Deserialize)]
struct Whole {
    value: Value,
    by: Arc<Provenance>,
}

fn state<C, E: serde::de::Error>(
    read: Read<C>,
    mut claim: impl FnMut(C) -> Result<Claim, E>,
) -> Result<State, E> {
    let mut state = State::default();
    for (thing, told) in read {
        let mut facts = Vec::with_capacity(told.len());
        for (f, claims) in told {
            let mut claims: Vec<Claim> = claims
                .into_iter()
                .map(&mut claim)
                .collect::<Result<_, E>>()?;
            let slot = match claims.len() {
                0 => return Err(E::custom("a fact without a claim")),
                1 => Slot::One(claims.remove(0)),
                _ => Slot::Several(claims),
            };
            facts.push((f, slot));
        }
        facts.sort_by(|(a, _), (b, _)| a.cmp(b));
        state.things.insert(thing, Facts(facts));
    }
    Ok(state)
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = State;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a state: who says it, and what is told")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<State, A::Error> {
        let mut by: Vec<Arc<Provenance>> = Vec::new();
        let mut told: Read<(Value, usize)> = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "by" => by = map.next_value()?,
                "told" => told = map.next_value()?,
                other => return Err(A::Error::unknown_field(other, &["by", "told"])),
            }
        }
        state(told, |(value, place)| {
            let by = by.get(place).cloned();
            let by = by.ok_or_else(|| A::Error::custom("a claim that nobody makes"))?;
            Ok(Claim { value, by })
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<State, A::Error> {
        let told: Read<Whole> =
            Vec::deserialize(serde::de::value::SeqAccessDeserializer::new(seq))?;
        state(told, |Whole { value, by }| Ok(Claim { value, by }))
    }
}

impl<'de> Deserialize<'de> for State {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statement::Statement;

    fn provenance(id: &str) -> Arc<Provenance> {
        Arc::new(Provenance {
            rank: 2,
            recorded_at: Some(7),
            sequence: 1,
            source: "/site".into(),
            id: id.into(),
            hash: 9,
        })
    }

    fn statement(about: Thing, facts: Vec<(F, Value)>, by: &Arc<Provenance>) -> Statement {
        Statement {
            about,
            facts,
            by: by.clone(),
        }
    }

    /// Two records about three things; a time told in two precisions.
    fn told() -> State {
        let (first, second) = (provenance("a"), provenance("b"));
        State::of(&[
            statement(
                Thing::Contact,
                vec![
                    (F::Start, Value::Time(1_000_000, 1_000_000)),
                    (F::Queue, Value::Text("sales".into())),
                ],
                &first,
            ),
            statement(
                Thing::Segment("s1".into()),
                vec![(F::Queue, Value::Text("sales".into()))],
                &first,
            ),
            statement(
                Thing::Contact,
                vec![(F::Start, Value::Time(1_200_000, 1_000))],
                &second,
            ),
            statement(Thing::Silence(5), vec![], &second),
        ])
    }

    #[test]
    fn a_state_is_read_as_it_was_written_and_who_says_it_is_written_once() {
        let state = told();
        let text = serde_json::to_string(&state).unwrap();
        assert_eq!(text.matches("/site").count(), 2, "{text}");
        let read: State = serde_json::from_str(&text).unwrap();
        assert_eq!(read, state);
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
    }

    #[test]
    fn what_an_older_program_wrote_is_read() {
        let state = told();
        let claim = |c: &Claim| serde_json::json!({"value": c.value, "by": c.by});
        let claims = |slot: &Slot| slot.claims().iter().map(claim).collect::<Vec<_>>();
        let facts = |f: &Facts| {
            f.iter()
                .map(|(f, s)| (f.clone(), claims(s)))
                .collect::<Vec<_>>()
        };
        let older: Vec<_> = state.iter().map(|(t, f)| (t, facts(f))).collect();
        let text = serde_json::to_string(&older).unwrap();
        assert_eq!(text.matches("/site").count(), 4);
        assert_eq!(serde_json::from_str::<State>(&text).unwrap(), state);
    }

    #[test]
    fn a_claim_of_nobody_and_a_fact_without_a_claim_are_refused() {
        for (bad, why) in [
            (
                r#"{"by":[],"told":[["Contact",[["Queue",[[{"Int":1},0]]]]]]}"#,
                "nobody",
            ),
            (
                r#"{"by":[],"told":[["Contact",[["Queue",[]]]]]}"#,
                "without a claim",
            ),
            (r#"{"who":[]}"#, "unknown field"),
            ("7", "who says it"),
        ] {
            let error = serde_json::from_str::<State>(bad).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
