//! In what order lines arrive, and how often: late, shuffled, repeated.

use super::calendar::{HOUR, MINUTE, SECOND};
use super::chance::Chance;
use super::fate::Sent;
use super::poison::{DeadLetter, poison};
use super::world::Site;

/// Of a hundred repeated lines, those that end as lines end on another system.
const CRLF: u64 = 10;

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
            None
        } else if chance.ppm(rates.repeated) {
            Some(chance.between(0, 2 * MINUTE))
        } else if chance.ppm(rates.repeated_late) {
            Some(chance.between(HOUR, 24 * HOUR))
        } else {
            None
        };
        if chance.ppm(poison_rate) {
            let (bytes, dead) = poison(&mut chance, site, event.at, &event.line);
            all.dead.push(dead);
            all.lines.push(Line {
                place: (place.0, place.1 ^ 2),
                bytes,
            });
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
