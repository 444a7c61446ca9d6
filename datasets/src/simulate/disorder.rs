//! In what order lines arrive, and how often: late, shuffled, repeated.

use serde::Serialize;

use super::calendar::{HOUR, MINUTE, SECOND};
use super::chance::Chance;
use super::fate::Sent;
use super::poison::{DeadLetter, poison};
use super::world::Site;

/// Of a hundred repeated lines, those that end as lines end on another system.
const CRLF: u64 = 10;
/// Of a hundred lines that were told with other words too, those that are repeated: often, so that the
/// first words are heard again after the others.
const DISPUTED: u64 = 20;
/// How long after a line it is repeated: at once, or when another day has begun.
const SOON: (i64, i64) = (0, 2 * MINUTE);
const DAYS_LATER: (i64, i64) = (24 * HOUR, 30 * HOUR);
/// The greatest share of lines that are no events, in a million.
pub const MOST_POISON: u64 = 900_000;

/// How much goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Disorder {
    /// Nothing.
    #[default]
    None,
    /// As in a bad week.
    Mild,
    /// Ten times as much.
    Wild,
}

/// How often in a million.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rates {
    /// Closing events that never arrive.
    pub lost: u64,
    /// Contacts of which nothing more is told from some event on.
    pub silenced: u64,
    /// Events told again with other words.
    pub conflict: u64,
    late: u64,
    very_late: u64,
    repeated: u64,
    repeated_late: u64,
    blank: u64,
    window: u64,
}

/// Rates that are others than those of the disorder, in a million.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Dials {
    /// Lines that come late: one in 21 of them by more than 15 minutes, up to 26 hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late: Option<u64>,
    /// Lines that come again: one in 16 of them after 24 to 30 hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeated: Option<u64>,
    /// Events told again with other words, of those that can be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conflicts: Option<u64>,
    /// Closing events that never arrive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost_ends: Option<u64>,
    /// Lines among which one may stand anywhere; no share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shuffle: Option<u64>,
}

impl Dials {
    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        *self == Dials::default()
    }

    /// The rates, with what is set here.
    pub fn on(&self, mut rates: Rates) -> Rates {
        if let Some(late) = self.late {
            rates.very_late = late / 21;
            rates.late = late - rates.very_late;
        }
        if let Some(repeated) = self.repeated {
            rates.repeated_late = repeated / 16;
            rates.repeated = repeated - rates.repeated_late;
        }
        rates.conflict = self.conflicts.unwrap_or(rates.conflict);
        rates.lost = self.lost_ends.unwrap_or(rates.lost);
        rates.window = self.shuffle.unwrap_or(rates.window);
        rates
    }
}

impl Disorder {
    /// Its rates.
    pub fn rates(self) -> Rates {
        let times = match self {
            Disorder::None => return Rates::default(),
            Disorder::Mild => 1,
            Disorder::Wild => 10,
        };
        Rates {
            lost: 1_000 * times,
            silenced: 200 * times,
            conflict: 2_000 * times,
            late: 20_000 * times,
            very_late: 1_000 * times,
            repeated: 30_000 * times,
            repeated_late: 2_000 * times,
            blank: 1_000 * times,
            window: 200,
        }
    }

    /// Lines that are no events, in a million, where nobody says how many.
    pub fn poison(self) -> u64 {
        match self {
            Disorder::None => 0,
            Disorder::Mild => 200,
            Disorder::Wild => 2_000,
        }
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Disorder::None => "none",
            Disorder::Mild => "mild",
            Disorder::Wild => "wild",
        }
    }
}

/// A line with its place in what arrives.
pub struct Line {
    /// When it arrives, and what decides among equals.
    pub place: (i64, u64),
    /// Its bytes, without an end; blank lines may stand before it.
    pub bytes: Vec<u8>,
}

/// What arrives of a site's day.
#[derive(Default)]
pub struct Arriving {
    /// Lines, in no order yet.
    pub lines: Vec<Line>,
    /// Lines that repeat another byte by byte.
    pub repeated: u64,
    /// Lines without anything, before others.
    pub blank: u64,
    /// Lines that are no events.
    pub dead: Vec<DeadLetter>,
}

/// Sends events on their way. `sent` must be in the order of their times.
pub fn arrive(
    base: &Chance,
    rates: &Rates,
    poison_rate: u64,
    site: &Site,
    sent: Vec<Sent>,
) -> Arriving {
    let mut all = Arriving::default();
    let times: Vec<i64> = sent.iter().map(|s| s.at).collect();
    for (n, event) in sent.into_iter().enumerate() {
        let mut chance = base.beside(n as u64);
        let mut place = (event.at, n as u64);
        if rates.window > 0 {
            let ahead = n + chance.below(rates.window) as usize;
            place = (times[ahead.min(times.len() - 1)], chance.next() >> 1);
        }
        if chance.ppm(rates.late) {
            place.0 += chance.between(5 * SECOND, 15 * MINUTE);
        } else if chance.ppm(rates.very_late) {
            place.0 += chance.between(15 * MINUTE, 26 * HOUR);
        }
        let again = if event.disputed {
            let when = if chance.percent(50) { SOON } else { DAYS_LATER };
            chance.percent(DISPUTED).then_some(when)
        } else if chance.ppm(rates.repeated) {
            Some(SOON)
        } else if chance.ppm(rates.repeated_late) {
            Some(DAYS_LATER)
        } else {
            None
        };
        let again = again.map(|(least, most)| chance.between(least, most));
        for _ in 0..1 + u64::from(again.is_some()) {
            for _ in 0..beside(&mut chance, poison_rate) {
                let (bytes, dead) = poison(&mut chance, site, event.at, &event.line);
                all.dead.push(dead);
                all.lines.push(Line {
                    place: (place.0, place.1 ^ 2),
                    bytes,
                });
            }
        }
        if let Some(after) = again {
            all.repeated += 1;
            let mut bytes = event.line.clone();
            if chance.percent(CRLF) {
                bytes.push(b'\r');
            }
            all.lines.push(Line {
                place: (place.0 + after, place.1 ^ 1),
                bytes,
            });
        }
        let mut bytes = event.line;
        if chance.ppm(rates.blank) {
            all.blank += 1;
            let blank = *chance.pick::<&[u8]>(&[b"\n", b"\r\n", b"  \n", b"\t\r\n"]);
            bytes.splice(..0, blank.iter().copied());
        }
        all.lines.push(Line { place, bytes });
    }
    all
}

/// How many lines that are no events come with one that is, so that they are that share of all.
fn beside(chance: &mut Chance, share: u64) -> u64 {
    let share = share.min(MOST_POISON);
    let in_a_million = share * 1_000_000 / (1_000_000 - share);
    in_a_million / 1_000_000 + u64::from(chance.ppm(in_a_million % 1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_poison_is_of_all_lines() {
        let mut chance = Chance::of(1, "share", &[]);
        for share in [2_000, 20_000, 100_000, 300_000, 500_000, 900_000] {
            let events = 300_000;
            let poison: u64 = (0..events).map(|_| beside(&mut chance, share)).sum();
            let found = poison * 1_000_000 / (events + poison);
            assert!(
                found.abs_diff(share) <= 300 + share / 100,
                "{share}: {found}"
            );
        }
        assert_eq!(beside(&mut chance, 0), 0);
    }

    #[test]
    fn lines_are_repeated_at_once_or_after_more_than_a_day() {
        let options = crate::simulate::Options::small(1);
        let scale = crate::simulate::world::Scale::of(&options);
        let site = &crate::simulate::world::sites(&options, &scale)[0];
        let disputed = |n: i64| n % 10 == 0;
        let sent = (0..50_000).map(|n| Sent {
            at: n * 1_000,
            line: n.to_string().into_bytes(),
            disputed: disputed(n),
        });
        let base = Chance::of(1, "ways", &[]);
        let all = arrive(&base, &Disorder::Wild.rates(), 0, site, sent.collect());
        let mut places: std::collections::BTreeMap<i64, Vec<i64>> = Default::default();
        for line in &all.lines {
            let text = String::from_utf8(line.bytes.trim_ascii().to_vec()).unwrap();
            places
                .entry(text.parse().unwrap())
                .or_default()
                .push(line.place.0);
        }
        // Of lines with one wording and with two: repeated soon, and days later.
        let mut found = [[0; 2]; 2];
        for (n, mut at) in places {
            at.sort_unstable();
            let [first, second] = at[..] else { continue };
            let later = match second - first {
                after if after <= 2 * MINUTE => 0,
                after if (24 * HOUR..=30 * HOUR).contains(&after) => 1,
                after => panic!("{n} is repeated after {after} ms"),
            };
            found[usize::from(disputed(n))][later] += 1;
        }
        assert_eq!(found.iter().flatten().sum::<u64>(), all.repeated);
        let [[soon, later], [disputed_soon, disputed_later]] = found;
        assert!((12_500..14_500).contains(&soon), "{found:?}");
        assert!((500..800).contains(&later), "{found:?}");
        assert!((400..600).contains(&disputed_soon), "{found:?}");
        assert!((400..600).contains(&disputed_later), "{found:?}");
    }
}
