//! Queues: in, offered, and every way out.

use callboard_model::cloudevents::words::{EndedBy, SegmentKind, TargetKind};

use super::super::calendar::{MINUTE, SECOND};
use super::super::durations::{EXPONENTIAL, PATIENCE};
use super::super::story::Part;
use super::super::ways::{Way, Why};
use super::{Due, Exit, Floor, Moment};

/// Queues that one contact is led through at most.
const MOST_STAYS: u32 = 4;

impl Floor<'_> {
    pub(super) fn enter(&mut self, c: usize, q: usize, t: i64) {
        let queue = &self.site.queues[q];
        let mut part = Part::new(SegmentKind::Queue, t);
        part.queue = Some(q);
        let part = self.add(c, part);
        let full = self.waiting[q].len() >= queue.size;
        let manned = self.manned(q);
        let call = &mut self.calls[c];
        call.stay += 1;
        call.stays += 1;
        call.queue = q;
        call.part = part;
        call.deadline = t + queue.longest;
        let stay = call.stay;
        if t >= self.close {
            return self.at(t + 500, Moment::Leave(c, stay, Exit::Withdrawn));
        }
        if full && queue.refuses {
            return self.leave(c, stay, Exit::Refused, t);
        }
        if full {
            let after = call.chance.between(4 * SECOND, 20 * SECOND);
            return self.at(t + after, Moment::Leave(c, stay, Exit::Overflow));
        }
        if !manned {
            let after = call.chance.between(800, 3_000);
            return self.at(t + after, Moment::Leave(c, stay, Exit::NoAgents));
        }
        let chance = &mut call.chance;
        let patience = match () {
            () if !queue.voice() => 20 * MINUTE,
            () if chance.percent(5) => EXPONENTIAL.draw(chance, 4 * SECOND),
            () => PATIENCE.draw(chance, 180 * SECOND),
        };
        let choice = chance.percent(35).then(|| {
            let after = chance.between(20 * SECOND, 60 * SECOND);
            let how = if queue.calls_back {
                Exit::Callback
            } else {
                Exit::Key
            };
            (
                after,
                if chance.percent(30) {
                    Exit::Voicemail
                } else {
                    how
                },
            )
        });
        let deadline = call.deadline;
        let voice = queue.voice();
        self.at(t + patience.max(300), Moment::Leave(c, stay, Exit::Abandon));
        self.at(deadline, Moment::Leave(c, stay, Exit::Timeout));
        if let (Some((after, exit)), true) = (choice, voice) {
            self.at(t + after, Moment::Leave(c, stay, exit));
        }
        self.waiting[q].push_back(c);
        if self.waiting[q].len() == 1
            && let Some(a) = self.next_for(q)
        {
            self.waiting[q].pop_front();
            self.offer(c, a, t);
        }
    }

    /// Rings at an agent's.
    pub(super) fn offer(&mut self, c: usize, a: usize, t: i64) {
        self.desks[a].load += 1;
        let call = &mut self.calls[c];
        let mut part = Part::new(SegmentKind::Offer, t);
        part.queue = Some(call.queue);
        part.agent = Some(a);
        part.parent = Some(call.part);
        let (outcome, raw, rings) = match call.chance.weighted(&[930, 50, 15, 5]) {
            0 => ("accepted", "ANSWER", call.chance.between(1_500, 11_000)),
            1 => ("no_answer", "RINGNOANSWER", 20 * SECOND),
            2 => ("declined", "REJECT", call.chance.between(800, 6_000)),
            _ => ("unreachable", "UNREGISTERED", call.chance.between(200, 900)),
        };
        part.outcome = outcome;
        part.raw = raw;
        part.end = t + rings;
        let part = self.add(c, part);
        self.calls[c].ringing = Some((part, a));
        self.at(t + rings, Moment::Ring(c, part));
    }

    /// The ringing has ended by itself.
    pub(super) fn rang(&mut self, c: usize, part: usize, t: i64) {
        let call = &mut self.calls[c];
        let Some((ringing, a)) = call.ringing else {
            return;
        };
        if ringing != part {
            return;
        }
        call.ringing = None;
        if call.story.parts[part].outcome == "accepted" {
            return self.answered(c, a, t);
        }
        let missed = call.story.parts[part].outcome != "declined" && self.desks[a].load == 1;
        let (q, stay, late) = (call.queue, call.stay, t >= call.deadline);
        let rest = call.chance.between(15 * SECOND, 60 * SECOND);
        if late {
            self.leave(c, stay, Exit::Timeout, t);
        } else if t >= self.close {
            self.leave(c, stay, Exit::Withdrawn, t);
        } else {
            self.waiting[q].push_front(c);
        }
        if missed {
            self.desks[a].due.push_front(Due::Pause("missed", rest));
        }
        self.free(a, t);
        // He may be the one who is next again; else somebody else is.
        if self.waiting[q].front() == Some(&c)
            && let Some(other) = self.next_for(q)
        {
            self.waiting[q].pop_front();
            self.offer(c, other, t);
        }
    }

    /// Leaves the queue, if this is still the stay that was meant.
    pub(super) fn leave(&mut self, c: usize, stay: u32, exit: Exit, t: i64) {
        if self.calls[c].stay != stay {
            return;
        }
        if let Some((offer, a)) = self.calls[c].ringing {
            if exit != Exit::Abandon {
                return; // somebody is about to answer
            }
            let call = &mut self.calls[c];
            call.ringing = None;
            let part = &mut call.story.parts[offer];
            part.end = t;
            part.outcome = "caller_left";
            part.raw = "RINGCANCELED";
            self.close_stay(c, exit, t);
            return self.free(a, t);
        }
        self.close_stay(c, exit, t);
    }

    fn close_stay(&mut self, c: usize, exit: Exit, t: i64) {
        let q = self.calls[c].queue;
        self.waiting[q].retain(|waiting| *waiting != c);
        let led = self.calls[c].stays >= MOST_STAYS;
        let (ways, turns) = (&self.site.queues[q].ways, &mut self.turns);
        let mut way = |why| Some(ways.take(why, turns, led));
        let (outcome, raw, way) = match exit {
            Exit::Abandon => ("abandoned", "ABANDON", None),
            Exit::Timeout => ("timeout", "EXITWITHTIMEOUT", way(Why::Timeout)),
            Exit::NoAgents => ("no_agents", "EXITEMPTY", way(Why::Nobody)),
            Exit::Overflow => ("overflow", "OVERFLOW", way(Why::Full)),
            Exit::Refused => ("refused", "FULL", way(Why::Refused)),
            Exit::Key => ("key_exit", "EXITWITHKEY", Some(Way::Announcement)),
            Exit::Callback => ("callback", "CALLBACK", None),
            Exit::Voicemail => ("voicemail", "EXITWITHKEY", Some(Way::Voicemail)),
            Exit::Withdrawn => ("withdrawn", "WITHDRAWN", None),
        };
        let call = &mut self.calls[c];
        call.stay += 1;
        let part = &mut call.story.parts[call.part];
        part.end = t;
        part.outcome = outcome;
        part.raw = raw;
        part.target = way.map(|way| match way {
            Way::Disconnect => (TargetKind::Disconnect, String::new()),
            Way::Queue(to) => (TargetKind::Queue, self.site.queues[to].name.clone()),
            Way::Voicemail => (TargetKind::SharedVoicemail, format!("box-{}", q + 1)),
            Way::External => (TargetKind::External, "+999000000001".to_owned()),
            Way::Announcement => (TargetKind::Announcement, "please call again".to_owned()),
            Way::Person => (TargetKind::Person, "reception".to_owned()),
        });
        let gap = call.chance.between(20, 600);
        match (exit, way) {
            (Exit::Abandon, _) => self.over(c, t, EndedBy::Customer),
            (Exit::Callback, _) => self.promise(c, q, t + gap),
            (_, Some(Way::Queue(to))) => self.at(t + gap, Moment::Enter(c, to)),
            (_, Some(Way::Voicemail)) => self.message(c, t + gap),
            (_, Some(Way::Announcement)) => self.over(c, t + gap * 10, EndedBy::System),
            _ => self.over(c, t, EndedBy::System),
        }
    }

    /// The site closes: who waits is sent away.
    pub(super) fn closed(&mut self, t: i64) {
        for q in 0..self.waiting.len() {
            for c in self.waiting[q].clone() {
                let stay = self.calls[c].stay;
                self.leave(c, stay, Exit::Withdrawn, t);
            }
        }
    }
}
