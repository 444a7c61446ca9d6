//! The contact centre: sites with their zones, queues with their rules, agents with their shifts.
//! It follows from seed and scale alone.

use callboard_model::cloudevents::words::Channel;

use super::Options;
use super::calendar::{DAY, MINUTE, SECOND, TimeForm, Zone, weekday};
use super::chance::Chance;
use super::disorder::Disorder;
use super::story::Story;
use super::ways::Ways;

/// Opening and closing of every site, minutes of its local day.
pub const OPEN: i64 = 6 * 60;
/// Closing, two hours after midnight.
const CLOSE: i64 = 26 * 60;
/// Closing of sites that are open late: four hours after midnight as they pass, so that doors are open in
/// the hour that clocks show twice and after the one that they pass over.
const LATE_CLOSE: i64 = 28 * 60;

/// When a platform is changed to another version, minutes of the local day.
const CHANGED: i64 = 12 * 60;
/// The queue that has another name then, of every second site.
const RENAMED: usize = 3;
/// What a clock gains at most, in a million.
const MOST_DRIFT: i64 = 20;

/// From so many agents on a site is a large one: one queue has a team of its own, and redirections take
/// all ways in turn. What happens at smaller sites stays what it was, which tests of platforms' formats
/// know cell by cell.
const LARGE: usize = 24;
/// Queues of the smallest scale.
const FEW: usize = 4;
/// The agent of a site who has a long name.
const LONG_NAMED: usize = 20;

/// A queue.
#[derive(Debug, Clone)]
pub struct Queue {
    /// Name.
    pub name: String,
    /// Name once the platform was changed, where it has another then.
    pub later: Option<String>,
    /// Channel.
    pub channel: Channel,
    /// Service level threshold.
    pub threshold: i64,
    /// Threshold of short abandons.
    pub short: i64,
    /// Longest wait.
    pub longest: i64,
    /// Most who may wait.
    pub size: usize,
    /// Turns away at the door when full; else takes in and sends on.
    pub refuses: bool,
    /// Where those go who leave it unanswered.
    pub ways: Ways,
    /// Offers to call back.
    pub calls_back: bool,
}

impl Queue {
    /// Its names, one after the other.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name.as_str()).chain(self.later.as_deref())
    }

    /// Whether it takes calls.
    pub fn voice(&self) -> bool {
        self.channel == Channel::Voice
    }
}

/// An agent.
#[derive(Debug, Clone)]
pub struct Agent {
    /// Name, his alone among all sites.
    pub name: String,
    /// Queues he serves.
    pub skills: Vec<usize>,
    /// Contacts at a time.
    pub slots: u8,
    /// Start of his shift, minutes of the local day.
    pub begins: i64,
    /// Length of his shift, minutes.
    pub lasts: i64,
    /// Turns his days off around the week.
    pub week: i64,
}

impl Agent {
    /// Whether he works that day.
    pub fn works(&self, day: i64) -> bool {
        (weekday(day) + self.week) % 7 < 5
    }
}

/// A site.
#[derive(Debug, Clone)]
pub struct Site {
    /// Number from 0.
    pub number: u64,
    /// `site1`.
    pub name: String,
    /// Source of its events.
    pub source: String,
    /// Zone.
    pub zone: Zone,
    /// How its platform writes times.
    pub form: TimeForm,
    /// What its clock is wrong by when the first day begins.
    pub skew: i64,
    /// What it gains from then on, in a million. It never loses: two moments would become one.
    pub drift: i64,
    /// When the first day begins.
    pub begins: i64,
    /// Whether doors are open until four in the morning.
    pub open_late: bool,
    /// When its platform is changed to another version, by the right clock.
    pub changed: Option<i64>,
    /// Whether its platform tells of holds.
    pub tells_holds: bool,
    /// Whether it tells of offers and holds in one event at their end.
    pub tells_at_end: bool,
    /// Whether its events carry fields that nobody knows.
    pub tells_more: bool,
    /// Talks and wrap-ups last so many thousandths of what they would.
    pub handle_permille: i64,
    /// Queues, the busiest first.
    pub queues: Vec<Queue>,
    /// The queue of a team of its own, at a large site: nobody else serves it, and while the team meets
    /// nobody is there.
    pub team: Option<usize>,
    /// Agents.
    pub agents: Vec<Agent>,
}

impl Site {
    /// How long something takes an agent that would take `usual`.
    pub fn handling(&self, usual: i64) -> i64 {
        (i128::from(usual) * i128::from(self.handle_permille) / 1_000) as i64
    }

    /// When doors close, minutes of the local day.
    pub fn close(&self) -> i64 {
        match self.open_late {
            true => LATE_CLOSE,
            false => CLOSE,
        }
    }

    /// The moment at which so much of a local day is over. Beyond its midnight time passes, whatever
    /// clocks show, where doors are open while they change.
    pub fn moment(&self, day: i64, time: i64) -> i64 {
        match self.open_late && time > DAY {
            true => self.zone.utc(day + 1, 0) + time - DAY,
            false => self.zone.utc(day, time),
        }
    }

    /// What its clock shows at a moment.
    pub fn clock(&self, at: i64) -> i64 {
        at + self.skew + ((at - self.begins) * self.drift).div_euclid(1_000_000)
    }

    /// A queue's name as it is told of that contact.
    pub fn queue_name(&self, queue: usize, story: &Story) -> &str {
        let queue = &self.queues[queue];
        let later = queue.later.as_deref().filter(|_| story.changed);
        later.unwrap_or(&queue.name)
    }

    /// Whether that contact is told in a version that has lost fields: every second site's next one.
    pub fn tells_less(&self, story: &Story) -> bool {
        story.changed && self.number % 2 == 1
    }

    /// Whether the end of a talk states the holds in it.
    pub fn states_holds(&self, story: &Story) -> bool {
        self.tells_holds && !self.tells_less(story)
    }
}

/// Sizes that follow from the number of contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    /// Sites.
    pub sites: u64,
    /// Days.
    pub days: i64,
    /// Queues of a site.
    pub queues: usize,
}

impl Scale {
    /// What suits so many contacts.
    pub fn of(options: &Options) -> Self {
        let (sites, days, queues) = match options.contacts {
            0..=2_000 => (2, 1, 4),
            2_001..=20_000 => (4, 3, 8),
            20_001..=200_000 => (5, 7, 8),
            200_001..=2_000_000 => (8, 30, 8),
            _ => (16, 90, 12),
        };
        Scale {
            sites,
            days: options.days.unwrap_or(days).max(1),
            queues,
        }
    }
}

/// Names and channels of queues; the first two are the same at every site.
const QUEUES: [(&str, Channel); 12] = [
    ("support", Channel::Voice),
    ("sales", Channel::Voice),
    ("chat", Channel::Chat),
    ("Störung", Channel::Voice),
    ("billing", Channel::Voice),
    ("whatsapp", Channel::Whatsapp),
    ("שירות לקוחות", Channel::Voice),
    ("e-mail", Channel::Email),
    ("客服热线", Channel::Voice),
    ("returns", Channel::Voice),
    ("priority", Channel::Voice),
    ("retention", Channel::Voice),
];

const FIRST: [&str; 12] = [
    "Ada",
    "Bruno",
    "Chloé",
    "Dağhan",
    "Erin",
    "Łukasz",
    "Grace",
    "هدى",
    "Ilse",
    "Jun",
    "Κώστας",
    "Zoë",
];
const LAST: [&str; 11] = [
    "Lovelace",
    "Müller",
    "O'Neill",
    "Sato",
    "de la Cruz",
    "Nowak",
    "王",
    "Ivanov",
    "Singh",
    "Berg",
    "Okafor",
];

/// Builds the sites.
pub fn sites(options: &Options, scale: &Scale) -> Vec<Site> {
    (0..scale.sites).map(|n| site(options, scale, n)).collect()
}

fn site(options: &Options, scale: &Scale, number: u64) -> Site {
    let mut chance = Chance::of(options.seed, "site", &[number]);
    let n = number as usize;
    let skew = match (options.skew, n) {
        (0, _) => 0,
        // One source is off by an hour, the others by no more than asked for.
        (_, 1) => 60 * MINUTE,
        (most, _) => chance.between(-most, most),
    };
    let zone = Zone::ALL[n % Zone::ALL.len()];
    let changed = (options.disorder != Disorder::None).then(|| {
        let day = options.first_day + scale.days / 2;
        zone.utc(day, CHANGED * MINUTE)
    });
    let mut queues: Vec<Queue> = (0..scale.queues)
        .map(|q| queue(n, q, scale.queues))
        .collect();
    if changed.is_some()
        && n.is_multiple_of(2)
        && let Some(queue) = queues.get_mut(RENAMED)
    {
        queue.later = Some(format!("Fault desk {}", n + 1));
    }
    let drift = match options.skew {
        0 => 0,
        _ => Chance::of(options.seed, "drift", &[number]).between(1, MOST_DRIFT),
    };
    let a_day = options.contacts / (scale.sites * scale.days as u64);
    let count = 5 + (a_day as usize).div_ceil(26);
    let team = (count >= LARGE).then(|| enlarge(&mut queues)).flatten();
    let agents = (0..count)
        .map(|a| agent(&mut chance, n, a, &queues, team))
        .collect();
    Site {
        number,
        name: format!("site{}", n + 1),
        source: format!("/sim/site{}", n + 1),
        zone,
        form: [TimeForm::Utc, TimeForm::Offset, TimeForm::Micros][n % 3],
        skew,
        drift,
        begins: options.first_day * DAY,
        open_late: options.open_late,
        changed,
        tells_holds: n % 4 != 3,
        tells_at_end: n % 2 == 1,
        tells_more: n % 3 == 1,
        handle_permille: options.handle_permille,
        queues,
        team,
        agents,
    }
}

/// Makes the queues those of a large site; gives the one that has a team of its own: the least busy one
/// that takes calls.
fn enlarge(queues: &mut [Queue]) -> Option<usize> {
    let voice: Vec<bool> = queues.iter().map(Queue::voice).collect();
    let of = voice.len();
    for (q, queue) in queues.iter_mut().enumerate() {
        queue.ways.take_turns(q, of, |to| voice[to]);
        // More places would hardly ever be full in a day of a thousand contacts.
        if of <= FEW && voice[q] {
            queue.size = 1;
        }
    }
    voice.iter().rposition(|voice| *voice)
}

/// The name, made as long as names may get: 255 bytes.
fn long(mut name: String) -> String {
    const LONGEST: usize = 255;
    while name.len() < LONGEST {
        name.push_str("-of-the-long-name");
    }
    name.truncate(LONGEST);
    name
}

fn queue(site: usize, q: usize, of: usize) -> Queue {
    let (base, channel) = QUEUES[q % QUEUES.len()];
    let name = match q {
        0 | 1 => base.to_owned(),
        10 => long(base.to_owned()),
        _ => format!("{base} {}", site + 1),
    };
    let voice = channel == Channel::Voice;
    let takes_calls = |q: usize| QUEUES[q % QUEUES.len()].1 == Channel::Voice;
    Queue {
        name,
        later: None,
        channel,
        threshold: [20, 30, 60, 10][q % 4] * SECOND,
        short: [5, 10][q % 2] * SECOND,
        longest: if voice {
            [120, 90, 240, 180][q % 4] * SECOND
        } else {
            900 * SECOND
        },
        size: if voice { [3, 2, 5][q % 3] } else { 40 },
        refuses: q % 3 == 1,
        ways: Ways::new(site, q, of, takes_calls),
        calls_back: voice && q.is_multiple_of(2),
    }
}

fn agent(
    chance: &mut Chance,
    site: usize,
    a: usize,
    queues: &[Queue],
    team: Option<usize>,
) -> Agent {
    let text = a % 4 == 3;
    let all: Vec<usize> = (0..queues.len())
        .filter(|q| queues[*q].voice() != text)
        .collect();
    // Everybody has one queue in turn, so that each has somebody; and some more.
    let own = all[(a / 4 * 3 + a % 4) % all.len()];
    let skills = all
        .iter()
        .copied()
        .filter(|q| *q == own || text || chance.percent(45))
        .filter(|q| *q == own || team != Some(*q))
        .collect();
    let shifts = [(360, 510), (510, 510), (780, 510), (600, 240), (1080, 480)];
    let (begins, lasts) = shifts[chance.weighted(&[3, 5, 3, 2, 1])];
    let (first, last) = (FIRST[a % FIRST.len()], LAST[a % LAST.len()]);
    let name = format!("{first} {last} {}.{}", site + 1, a + 1);
    Agent {
        name: if a == LONG_NAMED { long(name) } else { name },
        skills,
        slots: if text { 2 + (a / 4 % 2) as u8 } else { 1 },
        begins,
        lasts,
        week: (a * 3) as i64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_clock_gains_and_never_shows_two_moments_as_one() {
        let options = Options {
            contacts: 300_000,
            skew: 3_000,
            ..Options::small(7)
        };
        for site in sites(&options, &Scale::of(&options)) {
            let off = |days: i64| site.clock(site.begins + days * DAY) - site.begins - days * DAY;
            assert!(site.number == 1 || off(0).abs() <= 3_000, "{}", site.name);
            let ppm = (off(30) - off(0)) * 1_000_000 / (30 * DAY);
            assert!((1..=20).contains(&ppm), "{}: {ppm}", site.name);
            for at in site.begins..site.begins + 200_000 {
                assert!(site.clock(at) < site.clock(at + 1), "{}", site.name);
            }
        }
    }
}
