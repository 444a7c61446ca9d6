//! Where a contact is led that leaves a queue unanswered: always the same way at a small site, and at a
//! large one every way in turn, so that within a day each reason to leave meets each target.

/// Where a contact goes that leaves a queue unanswered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Hung up.
    Disconnect,
    /// Another queue of the site.
    Queue(usize),
    /// A mailbox that several listen to.
    Voicemail,
    /// A number outside.
    External,
    /// A message, then hung up.
    Announcement,
    /// A person in the house.
    Person,
}

/// Why it leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It waited too long.
    Timeout,
    /// It was taken in, and there was no place.
    Full,
    /// It was turned away at the door, for there was no place.
    Refused,
    /// Nobody was there.
    Nobody,
}

/// Ways there are; in turn they are taken in this order.
const WAYS: usize = 6;

/// So many ways further than its neighbour does a site begin: the two of the smallest scale take all
/// of them, however seldom it happens at each.
const APART: u64 = 3;

/// Whose turn it is, of each reason.
#[derive(Debug, Clone, Copy)]
pub struct Turns([usize; 4]);

impl Turns {
    /// Those of a day of a site. Days begin further on too, so that what happens once a day comes to
    /// all ways.
    pub fn of(site: u64, day: u64) -> Self {
        Turns([((site * APART + day) % WAYS as u64) as usize; 4])
    }

    /// The place among the ways of the one whose turn it is.
    fn next(&mut self, why: Why) -> usize {
        let turn = &mut self.0[why as usize];
        let this = *turn % WAYS;
        *turn += 1;
        this
    }
}

/// The ways of a queue.
#[derive(Debug, Clone)]
pub struct Ways {
    /// Of who waited too long, of who found no place, of who found nobody.
    always: [Way; 3],
    /// Where all are taken in turn: the queue that stands for a queue.
    in_turn: Option<usize>,
}

/// All ways, where a queue leads to that one.
fn all(to: usize) -> [Way; WAYS] {
    [
        Way::Voicemail,
        Way::Queue(to),
        Way::Disconnect,
        Way::External,
        Way::Announcement,
        Way::Person,
    ]
}

impl Ways {
    /// Those of queue `q` of so many at a site; `voice` says which of them take calls.
    pub fn new(site: usize, q: usize, of: usize, voice: impl Fn(usize) -> bool) -> Self {
        let ways = all((q + 1) % of);
        // A chat is led on to nothing but another queue of text; there is none it could count on.
        let way = |n: usize| match ways[(q + site + n) % WAYS] {
            Way::Queue(to) if voice(q) && voice(to) => Way::Queue(to),
            Way::Queue(_) => Way::Announcement,
            _ if !voice(q) => Way::Disconnect,
            other => other,
        };
        Ways {
            always: [way(0), way(1), way(2)],
            in_turn: None,
        }
    }

    /// From now on all are taken in turn, a queue being the next one that takes calls. Of a chat nothing
    /// changes: most ways are none for it.
    pub fn take_turns(&mut self, q: usize, of: usize, voice: impl Fn(usize) -> bool) {
        let mut others = (q + 1..q + of).map(|n| n % of);
        self.in_turn = others.find(|to| voice(*to)).filter(|_| voice(q));
    }

    /// Where one goes who leaves for that reason. Who was `led` through enough queues is led to no
    /// other.
    pub fn take(&self, why: Why, turns: &mut Turns, led: bool) -> Way {
        let Some(next) = self.in_turn else {
            let [timeout, full, nobody] = self.always;
            let way = match why {
                Why::Timeout => timeout,
                Why::Full | Why::Refused => full,
                Why::Nobody => nobody,
            };
            return match way {
                Way::Queue(_) if led => Way::Disconnect,
                other => other,
            };
        };
        let ways = all(next);
        match ways[turns.next(why)] {
            Way::Queue(_) if led => ways[turns.next(why)],
            way => way,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_site_takes_every_way_in_turn_and_a_small_one_always_the_same() {
        let voice = |q: usize| q != 2;
        let mut ways = Ways::new(0, 1, 4, voice);
        let mut turns = Turns::of(0, 0);
        let mut taken = |ways: &Ways, led| -> Vec<Way> {
            let six = (0..WAYS).map(|_| ways.take(Why::Timeout, &mut turns, led));
            six.collect()
        };
        // The next queue takes no calls.
        assert_eq!(taken(&ways, false), [Way::Announcement; WAYS]);
        ways.take_turns(1, 4, voice);
        // Those of the small site took no turns.
        assert_eq!(taken(&ways, false), all(3));
        assert!(!taken(&ways, true).contains(&Way::Queue(3)));
        let mut chat = Ways::new(0, 2, 4, voice);
        chat.take_turns(2, 4, voice);
        assert_eq!(taken(&chat, false), [Way::Disconnect; WAYS]);
        // Of another reason it is the turn of the first still.
        assert_eq!(ways.take(Why::Nobody, &mut turns, false), Way::Voicemail);
    }

    #[test]
    fn two_sites_begin_half_of_the_ways_apart() {
        let [mut one, mut two] = [Turns::of(0, 0), Turns::of(1, 0)];
        assert_eq!((one.next(Why::Full), two.next(Why::Full)), (0, 3));
        assert_eq!(Turns::of(0, 7).next(Why::Refused), 1);
    }
}
