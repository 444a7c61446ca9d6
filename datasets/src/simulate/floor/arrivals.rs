//! Customers: when they come, and what they meet before a queue.

use callboard_model::cloudevents::words::{Channel, Direction, EndedBy, SegmentKind};

use super::super::calendar::{HOUR, MINUTE, SECOND};
use super::super::chance::Chance;
use super::super::durations::EXPONENTIAL;
use super::super::story::Part;
use super::super::world::OPEN;
use super::{Day, Floor, Moment};

impl Floor<'_> {
    /// Who comes when: by the hour of the day, and sometimes many at once.
    pub(super) fn customers(&mut self, day: &Day, chance: &mut Chance) {
        let quarters = ((self.site.close() - OPEN) / 15) as usize;
        let late = self.site.open_late;
        let profile: Vec<u64> = (0..quarters)
            .map(|i| rate(OPEN + 15 * i as i64, late))
            .collect();
        let weights: Vec<u64> = (0..self.site.queues.len())
            .map(|q| 5040 / (q as u64 + 1))
            .collect();
        let bursts: Vec<Option<i64>> = weights
            .iter()
            .map(|_| {
                chance
                    .percent(50)
                    .then(|| chance.between(8 * HOUR, 19 * HOUR))
            })
            .collect();
        for n in 0..day.contacts {
            let mut own = self.seed.beside(n);
            let q = own.weighted(&weights);
            let local = match bursts[q] {
                Some(begins) if own.percent(25) => {
                    let after = EXPONENTIAL.draw(&mut own, 20 * MINUTE).min(HOUR);
                    begins + own.between(0, 2 * MINUTE) + after
                }
                _ => {
                    let quarter = own.weighted(&profile) as i64;
                    (OPEN + 15 * quarter) * MINUTE + own.between(0, 15 * MINUTE - 1)
                }
            };
            let start = self.site.moment(day.day, local);
            let start = start.min(self.close - 2 * SECOND);
            let id = format!("{}-{n:05}", self.prefix);
            let channel = self.site.queues[q].channel;
            let outbound = channel == Channel::Voice && own.percent(10);
            let direction = if outbound {
                Direction::Outbound
            } else {
                Direction::Inbound
            };
            let c = self.call(id, channel, direction, start, own);
            self.calls[c].queue = q;
            self.at(start, Moment::Arrive(c));
        }
    }

    pub(super) fn arrive(&mut self, c: usize, t: i64) {
        let call = &mut self.calls[c];
        if let Some(q) = call.direct {
            return self.enter(c, q, t + 1);
        }
        if call.story.direction == Direction::Outbound {
            return self.dial(c, 1, t);
        }
        let q = call.queue;
        match call.story.channel {
            Channel::Voice if call.chance.percent(88) => self.menu(c, q, t),
            Channel::Chat | Channel::Whatsapp if call.chance.percent(70) => self.bot(c, q, t),
            _ => {
                let wait = self.calls[c].chance.between(1, 400);
                self.at(t + wait, Moment::Enter(c, q));
            }
        }
    }

    fn menu(&mut self, c: usize, q: usize, t: i64) {
        let chance = &mut self.calls[c].chance;
        let lasts = 2 * SECOND + EXPONENTIAL.draw(chance, 9 * SECOND);
        let mut part = Part::new(SegmentKind::Menu, t + chance.between(0, 300));
        part.end = part.start + lasts;
        part.name = "main menu";
        part.input = chance.pick::<&'static str>(&["1", "2", "3", "9#", "0"]);
        let how = chance.weighted(&[91, 7, 2]);
        part.outcome = ["selected", "hangup", "timeout"][how];
        let end = part.end;
        self.add(c, part);
        if how == 0 {
            let gap = self.calls[c].chance.between(1, 90);
            self.at(end + gap, Moment::Enter(c, q));
        } else {
            let by = if how == 1 {
                EndedBy::Customer
            } else {
                EndedBy::System
            };
            self.over(c, end, by);
        }
    }

    fn bot(&mut self, c: usize, q: usize, t: i64) {
        let chance = &mut self.calls[c].chance;
        let mut part = Part::new(SegmentKind::Bot, t + chance.between(0, 300));
        part.end = part.start + 10 * SECOND + EXPONENTIAL.draw(chance, MINUTE);
        part.name = "bot";
        let how = chance.weighted(&[65, 30, 5]);
        part.outcome = ["escalated", "contained", "hangup"][how];
        let end = part.end;
        self.add(c, part);
        if how == 0 {
            let gap = self.calls[c].chance.between(1, 900);
            self.at(end + gap, Moment::Enter(c, q));
        } else {
            self.over(c, end, EndedBy::Customer);
        }
    }
}

/// How many come, by the minute of the local day.
fn rate(minute: i64, late: bool) -> u64 {
    match minute / 60 {
        24.. if late => 60,
        6 => 12,
        7 => 35,
        8 => 70,
        9 | 15 => 95,
        10 | 11 => 110,
        12 | 13 => 80,
        14 | 16 => 100,
        17 => 75,
        18 | 19 => 50,
        20 | 21 => 28,
        22 | 23 => 12,
        _ => 4,
    }
}
