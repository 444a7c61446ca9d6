//! Which transfer an arrival belongs to, of the pairs that may be: one to one, the surest and the
//! nearest in time first, pairs of one number never crossing. Where two are equally near nobody can
//! tell, and neither is chosen. The order of rows does not matter.

use std::collections::{HashMap, HashSet};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Int64Type, SchemaRef, TimestampMicrosecondType};
use datafusion::common::internal_datafusion_err;
use datafusion::error::Result;

/// Pairs of this rank and above are shown and never chosen.
const NEVER: i64 = 9;
/// Pairs of this rank are told by nothing but their times, and must not cross others.
const BY_TIME: i64 = 2;

/// What became of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// The transfer and the arrival belong together.
    Matched,
    /// They may; something else fits as well.
    Tied,
    /// One of them belongs to another.
    Left,
}

impl Fate {
    fn word(self) -> &'static str {
        match self {
            Fate::Matched => "matched",
            Fate::Tied => "tied",
            Fate::Left => "left",
        }
    }
}

/// A transfer and an arrival that may belong together.
#[derive(Debug, Clone)]
struct Pair<'a> {
    /// How sure it is: 0 = by an id or a person, 1 = by a lease, 2 = by time alone.
    rank: i64,
    number: &'a str,
    out: &'a str,
    out_at: i64,
    arrival: &'a str,
    arrived_at: i64,
}

impl Pair<'_> {
    fn apart(&self) -> i64 {
        self.arrived_at.saturating_sub(self.out_at).saturating_abs()
    }

    fn crosses(&self, other: &Pair<'_>) -> bool {
        self.number == other.number
            && ((self.out_at < other.out_at && self.arrived_at > other.arrived_at)
                || (self.out_at > other.out_at && self.arrived_at < other.arrived_at))
    }
}

/// The pairs with their column `fate`.
pub(super) fn matched(batches: &[RecordBatch], schema: &SchemaRef) -> Result<RecordBatch> {
    let all = concat_batches(schema, batches)?;
    let column = |name: &str| {
        let missing = || internal_datafusion_err!("pairs have no column {name}");
        all.column_by_name(name).ok_or_else(missing)
    };
    let (number, out, arrival) = (column("number_key")?, column("out_key")?, column("b")?);
    let (rank, at, began) = (column("rank")?, column("at")?, column("started_at")?);
    let rank = rank.as_primitive_opt::<Int64Type>();
    let plain = |of: &ArrayRef| cast(of, &DataType::Utf8);
    let (number, out, arrival) = (plain(number)?, plain(out)?, plain(arrival)?);
    let text = |of: &ArrayRef, row: usize| -> Option<String> {
        let texts = of.as_string_opt::<i32>()?;
        texts.is_valid(row).then(|| texts.value(row).to_owned())
    };
    let time = |of: &ArrayRef, row: usize| -> Option<i64> {
        let times = of.as_primitive_opt::<TimestampMicrosecondType>()?;
        times.is_valid(row).then(|| times.value(row))
    };
    let rows: Option<Vec<_>> = (0..all.num_rows())
        .map(|row| {
            let texts = (text(&number, row)?, text(&out, row)?, text(&arrival, row)?);
            Some((texts, rank?.value(row), time(at, row)?, time(began, row)?))
        })
        .collect();
    let rows = rows.ok_or_else(|| internal_datafusion_err!("a pair lacks an end"))?;
    let pairs: Vec<Pair<'_>> = rows
        .iter()
        .map(|((number, out, arrival), rank, at, began)| Pair {
            rank: *rank,
            number,
            out,
            out_at: *at,
            arrival,
            arrived_at: *began,
        })
        .collect();
    let fates: StringArray = fates(&pairs).into_iter().map(|f| Some(f.word())).collect();
    let place = schema.index_of("fate")?;
    let fates = cast(&fates, schema.field(place).data_type())?;
    let columns = all.columns().iter().enumerate();
    let columns: Vec<ArrayRef> = columns
        .map(|(n, c)| match n == place {
            true => fates.clone(),
            false => c.clone(),
        })
        .collect();
    Ok(RecordBatch::try_new(schema.clone(), columns)?)
}

/// What becomes of each.
fn fates(pairs: &[Pair<'_>]) -> Vec<Fate> {
    let mut by_number: HashMap<&str, Vec<usize>> = HashMap::new();
    for (n, pair) in pairs.iter().enumerate() {
        by_number.entry(pair.number).or_default().push(n);
    }
    let mut fates = vec![Fate::Left; pairs.len()];
    for mut of_number in by_number.into_values() {
        let key = |n: &usize| pairs.get(*n).map(|p| (p.rank, p.apart(), p.out, p.arrival));
        of_number.sort_by(|a, b| key(a).cmp(&key(b)));
        number(pairs, &of_number, &mut fates);
    }
    fates
}

/// Chooses among the pairs of one number, which come the surest and nearest first.
fn number(pairs: &[Pair<'_>], order: &[usize], fates: &mut [Fate]) {
    let of = |n: &usize| pairs.get(*n);
    // Ends that belong somewhere, and those of which nobody can tell.
    let (mut outs, mut arrivals) = (HashSet::new(), HashSet::new());
    let (mut open_outs, mut open_arrivals) = (HashSet::new(), HashSet::new());
    let mut chosen = Nearest::default();
    let alike = |a: &usize, b: &usize| match (of(a), of(b)) {
        (Some(a), Some(b)) => a.rank == b.rank && a.apart() == b.apart(),
        _ => false,
    };
    for level in order.chunk_by(alike) {
        let free: Vec<&Pair<'_>> = level
            .iter()
            .filter_map(of)
            .filter(|p| p.rank < NEVER)
            .filter(|p| !outs.contains(p.out) && !arrivals.contains(p.arrival))
            .filter(|p| !open_outs.contains(p.out) && !open_arrivals.contains(p.arrival))
            .filter(|p| p.rank < BY_TIME || !chosen.crossed_by(p))
            .collect();
        let (mut of_out, mut of_arrival) = (HashMap::new(), HashMap::new());
        for p in &free {
            *of_out.entry(p.out).or_insert(0) += 1;
            *of_arrival.entry(p.arrival).or_insert(0) += 1;
        }
        for p in &free {
            let shares = of_out.get(p.out) != Some(&1) || of_arrival.get(p.arrival) != Some(&1);
            // Of two that are equally near only one before and one after its transfer can cross.
            let early = |p: &Pair<'_>| p.arrived_at < p.out_at;
            let crosses = |o: &&Pair<'_>| early(o) != early(p) && o.crosses(p);
            if shares || (p.rank >= BY_TIME && free.iter().any(crosses)) {
                open_outs.insert(p.out);
                open_arrivals.insert(p.arrival);
            } else {
                outs.insert(p.out);
                arrivals.insert(p.arrival);
                chosen.add(p);
            }
        }
    }
    for n in order {
        let (Some(p), Some(fate)) = (of(n), fates.get_mut(*n)) else {
            continue;
        };
        *fate = match (outs.contains(p.out), arrivals.contains(p.arrival)) {
            (true, true) if chosen.is(p) => Fate::Matched,
            (false, false) => Fate::Tied,
            _ => Fate::Left,
        };
    }
}

/// Pairs of one number that were chosen, by the time of their transfers.
#[derive(Debug, Default)]
struct Nearest<'a> {
    by_time: std::collections::BTreeMap<i64, Vec<Pair<'a>>>,
}

impl<'a> Nearest<'a> {
    fn add(&mut self, pair: &Pair<'a>) {
        let at = self.by_time.entry(pair.out_at).or_default();
        at.push(pair.clone());
    }

    /// Whether one that was chosen and this one cross. Chosen pairs cross none among themselves, but
    /// where they are surer than times: so the nearest before and after tell, and a few beyond them.
    fn crossed_by(&self, pair: &Pair<'_>) -> bool {
        const LOOKED: usize = 8;
        let before = self.by_time.range(..pair.out_at).rev().take(LOOKED);
        let after = self.by_time.range(pair.out_at..).take(LOOKED);
        let mut near = before.chain(after).flat_map(|(_, all)| all);
        near.any(|other| other.crosses(pair))
    }

    fn is(&self, pair: &Pair<'_>) -> bool {
        let at = self.by_time.get(&pair.out_at);
        at.is_some_and(|all| {
            all.iter()
                .any(|p| p.out == pair.out && p.arrival == pair.arrival && p.rank == pair.rank)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Transfers and arrivals by their seconds; each pair that is `near` enough may be.
    fn told(outs: &[i64], arrivals: &[i64], near: std::ops::RangeInclusive<i64>) -> Vec<String> {
        let name = |of: &str, n: usize| format!("{of}{n}");
        let (o, a): (Vec<String>, Vec<String>) = (
            (0..outs.len()).map(|n| name("o", n)).collect(),
            (0..arrivals.len()).map(|n| name("a", n)).collect(),
        );
        let mut pairs: Vec<Pair<'_>> = Vec::new();
        for (n, out_at) in outs.iter().enumerate() {
            for (m, arrived_at) in arrivals.iter().enumerate() {
                if near.contains(&(arrived_at - out_at)) {
                    pairs.push(Pair {
                        rank: BY_TIME,
                        number: "900",
                        out: &o[n],
                        out_at: *out_at,
                        arrival: &a[m],
                        arrived_at: *arrived_at,
                    });
                }
            }
        }
        let words = |pairs: &[Pair<'_>]| {
            let mut all: Vec<String> = pairs
                .iter()
                .zip(fates(pairs))
                .filter(|(_, fate)| *fate != Fate::Left)
                .map(|(p, fate)| format!("{} {} {}", p.out, p.arrival, fate.word()))
                .collect();
            all.sort();
            all
        };
        let found = words(&pairs);
        pairs.reverse();
        assert_eq!(words(&pairs), found, "the order matters");
        found
    }

    #[test]
    fn one_to_one_by_the_nearest_and_never_crossing() {
        // Two transfers in one window, and their arrivals.
        assert_eq!(
            told(&[0, 45], &[2, 47], -5..=90),
            ["o0 a0 matched", "o1 a1 matched"]
        );
        // The nearest is taken, the other is nobody's.
        assert_eq!(told(&[0], &[3, 5], -5..=90), ["o0 a0 matched"]);
        assert_eq!(told(&[0, 10], &[12], -5..=90), ["o1 a0 matched"]);
        // Equally near: neither.
        assert_eq!(told(&[0], &[3, 3], -5..=90), ["o0 a0 tied", "o0 a1 tied"]);
        assert_eq!(told(&[0], &[-3, 3], -5..=90), ["o0 a0 tied", "o0 a1 tied"]);
        // What is tied keeps those beside it open, and not what is sure before it.
        assert_eq!(
            told(&[0, 50], &[3, 3, 51], -5..=90),
            ["o0 a0 tied", "o0 a1 tied", "o1 a2 matched"]
        );
        // The nearest pair is o1 with a0; o0 with a1 would cross it, and stays open.
        assert_eq!(
            told(&[0, 10], &[11, 20], 0..=90),
            ["o0 a1 tied", "o1 a0 matched"]
        );
    }

    #[test]
    fn a_chain_of_thousands_is_matched_quickly() {
        let outs: Vec<i64> = (0..3_000).map(|n| n * 40).collect();
        let arrivals: Vec<i64> = outs.iter().map(|at| at + 2).collect();
        let found = told(&outs, &arrivals, -5..=90);
        assert_eq!(found.len(), 3_000);
        assert!(found.iter().all(|f| f.ends_with("matched")));
    }

    #[test]
    fn what_is_surer_comes_first_and_what_nobody_trusts_never() {
        let pair = |rank: i64, out: &'static str, arrival: &'static str, at: i64| Pair {
            rank,
            number: "900",
            out,
            out_at: 0,
            arrival,
            arrived_at: at,
        };
        let pairs = [
            pair(2, "o", "near", 1),
            pair(1, "o", "leased", 30),
            pair(9, "double", "p", 1),
        ];
        assert_eq!(fates(&pairs), [Fate::Left, Fate::Matched, Fate::Tied]);
    }
}
